/* Matrix products: the kernels of one instruction set, and the entry points.
 *
 * C = A B for A (m, k), B (k, n), C (m, n), each with any strides: rs_* from row to row, cs_* from column to column, in
 * elements. The kernels work on row panels: at most `mr` rows of C at a time, `nr` columns wide.
 */
#ifndef CYOPS_GEMM_H
#define CYOPS_GEMM_H

#include "base/cyops.h"

#define CYOPS_GEMM_MAX_MR 14
#define CYOPS_GEMM_MAX_NR 32

enum {
    CYOPS_GEMM_ADD = 1, /* add to what c holds; without it c is never read, so it may hold anything */
    CYOPS_GEMM_RELU = 2,
};

/* m rows of C, all n columns: c = relu(start + a b + c + bias), each term but a b optional. Strides in bytes here.
 *
 * b comes in panels of nr columns: row k of panel j starts at b + j * ps_b + k * rs_b, its columns side by side. */
typedef struct {
    ptrdiff_t n, k;
    const void *a, *b;
    void *c;
    ptrdiff_t rs_a, cs_a, rs_b, ps_b, rs_c;
    const void *start; /* (m, n) with row stride rs_start: where the sums start instead of 0; may be c */
    ptrdiff_t rs_start;
    const void *bias; /* (n) or NULL */
    int flags;
} cyops_gemm_panel;

/* What there is for one dtype. */
typedef struct {
    int itemsize, mr, nr;
    void (*panel[CYOPS_GEMM_MAX_MR + 1])(const cyops_gemm_panel *); /* by the number of rows, 1 to mr */
    /* out[k * stored + i] = x[i * ws + k * ks] for i < width, and 0 for width <= i < stored. Writes up to one vector
     * (64 bytes) beyond the end of out. */
    void (*pack)(ptrdiff_t width, ptrdiff_t stored, ptrdiff_t depth, const void *x, ptrdiff_t ws, ptrdiff_t ks,
                 void *out);
    /* sums[i] += a[i, :] . x for i < m. Element (i, k) of a is at a + i * rs_a + k / nr * ps_a + k % nr * itemsize. */
    void (*dot)(ptrdiff_t m, ptrdiff_t k, const void *a, ptrdiff_t rs_a, ptrdiff_t ps_a, const void *x, double *sums);
    /* The same where the rows lie side by side: element (i, k) is at a + i * itemsize + k * cs_a. */
    void (*dot_columns)(ptrdiff_t m, ptrdiff_t k, const void *a, ptrdiff_t cs_a, const void *x, double *sums);
} cyops_gemm_type;

typedef struct {
    const cyops_gemm_type *f32, *f64;
} cyops_gemm_kernels;

enum { CYOPS_ACTIVATION_NONE, CYOPS_ACTIVATION_RELU };

/* What is computed on the way of a product: while its operands are packed and while its result is in registers. All
 * zeros for the product alone. The last three are for products without batch axes, whose out lies in C order. */
typedef struct {
    const cyops_view *bias; /* (n), added to every row; or NULL */
    int activation;
    int accumulate;                    /* whether what out held is added */
    const cyops_view *mask_a, *mask_b; /* of a's, of b's shape: an element counts as 0 unless its mask is positive */
    const cyops_view *column_sums;     /* (n) side by side: receives the sum over the rows of b; m may be 0 */
} cyops_fusion;

/* out (..., m, n) = activation(a (..., m, k) b (..., k, n) + bias (n)), and what else `fusion` says. The three views
 * have the same number of axes, and the same lengths of all but the last two: a broadcast operand has stride 0 there.
 * out overlaps none of the others. float32 and float64 with all of it; integers and bool with none. */
int cyops_matmul(const cyops_view *out, const cyops_view *a, const cyops_view *b, const cyops_fusion *fusion);

#endif
