/* The row kernels of one instruction set. */
#ifndef CYOPS_ROWS_KERNELS_H
#define CYOPS_ROWS_KERNELS_H

#include "base/cyops.h"
#include "rows/ops.h"

#define CYOPS_ROW_TENSORS 3 /* those with classes: the output and two inputs */

/* Some rows whose classes lie side by side. The output may be an input; of a loss it may be NULL. */
typedef struct {
    char *data[CYOPS_ROW_TENSORS];
    ptrdiff_t strides[CYOPS_ROW_TENSORS]; /* from row to row, in elements */
    ptrdiff_t rows;
    ptrdiff_t classes;
    const int64_t *labels; /* each in [0, classes) */
    void *losses;          /* side by side, like the labels */
    double scale;          /* multiplies the gradient, not the losses */
} cyops_row_tile;

typedef void (*cyops_row_loop)(const cyops_row_tile *tile);

#define CYOPS_ROWS_DTYPES 2 /* float32 and float64 */

typedef struct {
    cyops_row_loop loops[CYOPS_ROWS_COUNT][CYOPS_ROWS_DTYPES];
} cyops_rows_kernels;

#endif
