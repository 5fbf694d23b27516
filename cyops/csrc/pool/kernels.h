/* The pooling kernels of one instruction set. */
#ifndef CYOPS_POOL_KERNELS_H
#define CYOPS_POOL_KERNELS_H

#include "base/cyops.h"
#include "pool/ops.h"

/* A box of elements whose windows are alike: `lanes` of them along the axis of the vectors, in `rows`. Strides count
 * elements, of lanes and of rows. */
typedef struct {
    char *out;
    const char *x;
    char *indices;
    ptrdiff_t lanes, rows;
    ptrdiff_t out_strides[2], x_strides[2], index_strides[2];
    int has_bytes; /* whether indices are uint8 */
    ptrdiff_t taps;
    const ptrdiff_t *offsets;       /* of each tap in x */
    const ptrdiff_t *index_offsets; /* and in the indices, for PUT */
    const double *numbers;
    const double *weights;
} cyops_pool_box;

typedef void (*cyops_pool_loop)(const cyops_pool_box *box);

typedef struct {
    cyops_pool_loop loops[CYOPS_POOL_COUNT][2]; /* float32 and float64 */
    cyops_pool_loop integers[CYOPS_DTYPE_COUNT]; /* of LARGEST; NULL where there is none */
} cyops_pool_kernels;

#endif
