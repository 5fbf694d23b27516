/* Contractions: the entry point. kernels.h has what the drivers beside gemm.c are written with.
 *
 * A contraction is a list of axes, each with a part to play and a stride in each tensor:
 *
 *     out[batch, row, column] = activation(sum over summed of a[batch, row, summed] b[batch, summed, column] + bias)
 *
 * where each of the four may be any number of axes. A matrix product is one row, one column and one summed axis; a
 * convolution has the pixels as rows, the taps of the kernel and the channels as summed axes, and reads its input
 * through windows. Nothing is copied whole: panels of an operand are packed from where its elements lie (Matthews,
 * "High-Performance Tensor Contraction without Transposition", 2018; Dukhan, "The Indirect Convolution Algorithm", 2019).
 */
#ifndef CYOPS_GEMM_H
#define CYOPS_GEMM_H

#include "base/cyops.h"

enum { CYOPS_ACTIVATION_NONE, CYOPS_ACTIVATION_RELU };

typedef enum {
    CYOPS_BATCH,  /* of a, b and out; a stride of 0 in a or b where it repeats along the axis */
    CYOPS_ROW,    /* of a and out */
    CYOPS_COLUMN, /* of b and out */
    CYOPS_SUMMED, /* of a and b */
} cyops_part;

#define CYOPS_CONTRACTION_AXES (2 * CYOPS_MAX_NDIM)
#define CYOPS_MOST_WINDOWS 3
#define CYOPS_NO_WINDOW (-1)

/* Strides count elements, have any sign, and are 0 in what lacks the axis. */
typedef struct {
    cyops_part part;
    int window;       /* of a: the window whose place this axis moves, or CYOPS_NO_WINDOW; never of a batch axis */
    ptrdiff_t step;   /* of that place, for one step along this axis; positive */
    ptrdiff_t length;
    ptrdiff_t a, b, out;
    ptrdiff_t mask, bias, sums;
} cyops_contraction_axis;

/* The place in an axis of the memory behind a is `first` plus the steps of all axes of the window. Where it lies outside
 * [0, length), a (and its mask) counts as 0 and is not read: padding without a padded copy. */
typedef struct {
    ptrdiff_t first, length;
} cyops_window;

/* All zeros for what is not wanted. The order of the axes of a part is of no account, but for the summed ones: their
 * order is the order of the sum, the last axis fastest, and alone decides the bits together with the lengths.
 *
 * a, b and out point to the element whose index is 0 along every axis; that of a may lie outside its memory where a
 * window begins in the padding. out overlaps none of the others. All dtypes are one: float32 or float64 with everything,
 * integers and bool without bias, mask, sums, activation and accumulate; or dtype is float32, and each of a, b and the
 * mask is that or bfloat16. */
typedef struct {
    int dtype; /* of out, bias and sums */
    int dtype_a, dtype_b, dtype_mask;
    int ndim, windows;
    int activation, accumulate; /* accumulate: whether what out held is added */
    int is_mask_of_b;
    int pairs; /* whether the elements of a and b are pairs of bfloat16: set by bfloat16.c alone */
    const char *a, *b, *mask, *bias;
    char *out, *sums;
    cyops_window window[CYOPS_MOST_WINDOWS];
    cyops_contraction_axis axes[CYOPS_CONTRACTION_AXES];
} cyops_contraction;
/* mask: over the axes of a, or of b; an element counts as 0 unless its mask is positive.
 * bias: added to every sum, over row, column and batch axes.
 * sums: receives the sums of b over its summed axes. At most one column axis, batch axes, and the rows may be none. */

int cyops_contract(const cyops_contraction *contraction);

#endif
