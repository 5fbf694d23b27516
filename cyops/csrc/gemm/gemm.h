/* Matrix products: the entry point. kernels.h has what the drivers beside gemm.c are written with. */
#ifndef CYOPS_GEMM_H
#define CYOPS_GEMM_H

#include "base/cyops.h"

enum { CYOPS_ACTIVATION_NONE, CYOPS_ACTIVATION_RELU };

/* What is computed on the way of a product: while its operands are packed and while its result is in registers. All
 * zeros for the product alone. The last three are for products without batch axes, whose out lies in C order. */
typedef struct {
    const cyops_view *bias; /* (n), added to every row; or NULL */
    int activation;
    int accumulate;                    /* whether what out held is added */
    const cyops_view *mask_a, *mask_b; /* of a's, of b's shape: an element counts as 0 unless its mask is positive */
    const cyops_view *column_sums;     /* (n) side by side: receives the sum over the rows of b; m may be 0 */
    int pairs; /* whether the elements of a and b are pairs of bfloat16: set by bfloat16.c alone */
} cyops_fusion;

/* out (..., m, n) = activation(a (..., m, k) b (..., k, n) + bias (n)), and what else `fusion` says. The three views
 * have the same number of axes, and the same lengths of all but the last two: a broadcast operand has stride 0 there.
 * out overlaps none of the others. float32 and float64 with all of it; integers and bool with none. Where a, b or a
 * mask is bfloat16, out, bias and column_sums are float32. */
int cyops_matmul(const cyops_view *out, const cyops_view *a, const cyops_view *b, const cyops_fusion *fusion);

#endif
