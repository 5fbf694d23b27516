/* Hands the rows of any views to a row kernel, tile by tile. Internal to the files named rows*. */
#ifndef CYOPS_ROWS_TILES_H
#define CYOPS_ROWS_TILES_H

#include "rows/kernels.h"

typedef struct {
    cyops_row_op op;
    const cyops_view *views[CYOPS_ROW_TENSORS]; /* the output, then the inputs; NULL where there is none */
    int axis;                                   /* of the classes */
    const int64_t *labels;                      /* of a loss; these rows are walked in C order */
    char *losses;
    double scale;
} cyops_row_job;

/* The first input decides shape and dtype; at least one element. */
int cyops_rows_in_tiles(const cyops_row_job *job);

#endif
