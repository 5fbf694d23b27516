/* The kernels of batch normalization of one instruction set. */
#ifndef CYOPS_NORMALIZE_KERNELS_H
#define CYOPS_NORMALIZE_KERNELS_H

#include "base/cyops.h"

enum { CYOPS_NORMALIZE_X, CYOPS_NORMALIZE_D, CYOPS_NORMALIZE_OUT, CYOPS_NORMALIZE_TENSORS };

/* Rows of lanes that lie side by side. Lanes are channels, and all rows have them, or rows are, each of one channel:
 * the same for all of them. */
typedef struct {
    char *data[CYOPS_NORMALIZE_TENSORS];
    ptrdiff_t strides[CYOPS_NORMALIZE_TENSORS]; /* from row to row, in elements */
    ptrdiff_t rows, lanes;
    /* of each channel, or of the one: out = (x - mean) * slope + d * factor + offset, without the d where there is none */
    const void *mean, *slope, *factor, *offset;
} cyops_channel_tile;

/* Two numbers of each channel of the tile. Moments: the mean, and the sum of squared distances from it. Sums: of d, and
 * of d * (x - mean). */
typedef void (*cyops_channel_fold)(const cyops_channel_tile *tile, double *first, double *second);
typedef void (*cyops_channel_loop)(const cyops_channel_tile *tile);

typedef struct {
    cyops_channel_fold moments[2], sums[2]; /* lanes are channels; rows are */
    cyops_channel_loop normalize[2];
} cyops_normalize_dtype;

typedef struct {
    cyops_normalize_dtype dtypes[2]; /* float32 and float64 */
} cyops_normalize_kernels;

#endif
