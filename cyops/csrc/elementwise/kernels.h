/* The elementwise, cast and copy loops of one instruction set, as elementwise.c and others call them. */
#ifndef CYOPS_ELEMENTWISE_KERNELS_H
#define CYOPS_ELEMENTWISE_KERNELS_H

#include "base/cyops.h"
#include "elementwise/ops.h"

/* A 2-D loop over data[0] (the output) and data[1..] (the inputs). Strides are in elements. The output's inner stride
 * is 1. Each input's is 1 or 0, but that of the first input of a unary or ternary op, and of one input of a binary op,
 * is 1. elementwise.c packs operands with other strides. */
typedef void (*cyops_loop)(char *const *data, const ptrdiff_t *inner, const ptrdiff_t *outer, ptrdiff_t n_inner,
                           ptrdiff_t n_outer);

/* A 2-D copy without conversion: strides in elements of the item size the function is for, any value. */
typedef void (*cyops_copy_loop)(char *to, const char *from, const ptrdiff_t *to_strides, const ptrdiff_t *from_strides,
                                ptrdiff_t n_inner, ptrdiff_t n_outer);

typedef struct {
    cyops_loop loops[CYOPS_OP_COUNT][CYOPS_DTYPE_COUNT];      /* NULL where the op has no loop for the dtype */
    cyops_loop roots[2], cube; /* x ** 0.5 of float32 and float64; x ** 3 of float32 */
    cyops_loop casts[CYOPS_DTYPE_COUNT][CYOPS_DTYPE_COUNT]; /* [to][from] */
    cyops_copy_loop copies[5];                              /* of items of 1, 2, 4, 8 and 16 bytes */
    cyops_copy_loop streams[5]; /* the same, storing past the caches, without a fence */
} cyops_elementwise_kernels;

#endif
