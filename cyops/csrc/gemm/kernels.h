/* The matrix product's kernels of one instruction set.
 *
 * C = A B for A (m, k), B (k, n), C (m, n), each with any strides: rs_* from row to row, cs_* from column to column.
 * The kernels work on row panels: at most `mr` rows of C at a time, `nr` columns wide.
 */
#ifndef CYOPS_GEMM_KERNELS_H
#define CYOPS_GEMM_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#define CYOPS_GEMM_MAX_MR 14
#define CYOPS_GEMM_MAX_NR 32
#define CYOPS_GEMM_MAX_DEPTH 2048

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
    const void *const *rows_b; /* of by_table, in place of b: its row k lies ps_b bytes after rows_b[k] */
    const void *start; /* (m, n) with row stride rs_start: where the sums start instead of 0; may be c */
    ptrdiff_t rs_start;
    const void *bias;     /* (n) or NULL */
    const void *row_bias; /* (m) or NULL */
    int flags;
} cyops_gemm_panel;

/* Rows of a panel that lie side by side in memory, or all in the padding, where x is NULL; at most a vector of them. */
typedef struct {
    const void *x;
    ptrdiff_t lane, width;
} cyops_gemm_piece;

/* What there is for one dtype. */
typedef struct {
    int itemsize, mr, nr;
    void (*panel[CYOPS_GEMM_MAX_MR + 1])(const cyops_gemm_panel *); /* by the number of rows, 1 to mr */
    void (*by_table[CYOPS_GEMM_MAX_MR + 1])(const cyops_gemm_panel *); /* with rows_b, of an a that is packed */
    /* out[k * stored + i] = x[i * ws + k * ks] for i < width, and 0 for width <= i < stored. Writes up to one vector
     * (64 bytes) beyond the end of out. */
    void (*pack)(ptrdiff_t width, ptrdiff_t stored, ptrdiff_t depth, const void *x, ptrdiff_t ws, ptrdiff_t ks,
                 void *out);
    /* The same for rows that lie anywhere: in pieces, at x + k * ks elements for the first of each, in ascending order of
     * the lanes, which they cover; or element (i, k) at places[i] + k * ks elements, 0 where places[i] is NULL, with depth
     * at most CYOPS_GEMM_MAX_DEPTH and width at most nr. They write nothing beyond the end of out but for a stored of no
     * whole vectors, and then as above. */
    void (*pack_pieces)(ptrdiff_t count, const cyops_gemm_piece *pieces, ptrdiff_t width, ptrdiff_t stored,
                        ptrdiff_t depth, ptrdiff_t ks, void *out);
    void (*pack_lanes)(ptrdiff_t width, ptrdiff_t stored, ptrdiff_t depth, const void *const *places, ptrdiff_t ks,
                       void *out);
    /* sums[i] += a[i, :] . x for i < m. Element (i, k) of a is at a + i * rs_a + k / nr * ps_a + k % nr * itemsize. */
    void (*dot)(ptrdiff_t m, ptrdiff_t k, const void *a, ptrdiff_t rs_a, ptrdiff_t ps_a, const void *x, double *sums);
    /* The same where the rows lie side by side: element (i, k) is at a + i * itemsize + k * cs_a. */
    void (*dot_columns)(ptrdiff_t m, ptrdiff_t k, const void *a, ptrdiff_t cs_a, const void *x, double *sums);
} cyops_gemm_type;

/* Pairs of bfloat16, two neighbours along k as one element of 4 bytes: see bfloat16.c. `type` multiplies them as if they
 * were float32, into float32; `pair` makes them: out[i] has x[i * stride] in its low half and in its high half
 * x[i * stride + high]. */
typedef struct {
    const cyops_gemm_type *type;
    void (*pair)(ptrdiff_t n, const uint16_t *x, ptrdiff_t stride, ptrdiff_t high, uint32_t *out);
} cyops_gemm_pairs;

extern const double cyops_gemm_zeros[CYOPS_GEMM_MAX_DEPTH]; /* what lies in the padding */

typedef struct {
    const cyops_gemm_type *f32, *f64;
    const cyops_gemm_pairs *pairs; /* NULL where the instruction set has no products of bfloat16 */
} cyops_gemm_kernels;

#endif
