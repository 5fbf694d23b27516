/* One matrix product as the drivers of this folder see it. Private to them and to conv/staged.c.
 *
 * Where one stride leads along the rows, the columns and the summed axes of an operand, those strides say where it lies;
 * elsewhere of_a and of_b do, and it is packed along them. */
#ifndef CYOPS_GEMM_PROBLEM_H
#define CYOPS_GEMM_PROBLEM_H

#include "gemm/walk.h"
#include "runtime/dispatch.h"
#include "runtime/pool.h"

/* The longest sum that is one chain of multiply-adds. K is cut into equal parts of at most this, whatever the path, so
 * the bits depend on K alone: docs/kernels.md, Matrix products. */
#define KC 384

/* Where an operand's mask lies; without data there is none. */
typedef struct {
    const char *data;
    ptrdiff_t rs, cs;
} gemm_mask;

/* `items` products of one shape that share b. Strides in elements. */
typedef struct {
    const cyops_gemm_type *type;
    ptrdiff_t m, n, k;
    const char *a, *b;
    const char *bias, *row_bias; /* (n), (items * m), side by side, or NULL */
    char *c;                     /* columns side by side, unless columns_c is there */
    ptrdiff_t rs_a, cs_a, rs_b, cs_b, rs_c;
    int flags; /* CYOPS_GEMM_* */
    gemm_mask mask_a, mask_b;
    char *column_sums; /* (n), or NULL: the sums over the rows of b */
    ptrdiff_t items;
    int ndim; /* the axes of the items */
    ptrdiff_t shape[CYOPS_MAX_NDIM], strides_a[CYOPS_MAX_NDIM], strides_c[CYOPS_MAX_NDIM];
    const gemm_operand *of_a, *of_b;           /* NULL where the strides above lead along all of it */
    const gemm_operand *of_mask_a, *of_mask_b; /* of the mask of one that is walked so */
    const gemm_walk *rows_c, *columns_c;       /* over the rows of all items; NULL where strides lead along them */
} gemm_problem;

int cyops_gemm_blocked(const gemm_problem *p); /* any */
int cyops_gemm_skinny(const gemm_problem *p);  /* cs_b = 1, one item, no mask and no column sums */
int cyops_gemm_narrow(const gemm_problem *p);  /* what the next one says */
int cyops_gemm_suits_narrow(const gemm_problem *p);
int cyops_gemm_dot(const gemm_problem *p);     /* n = 1, no mask of a; other bits than the two above */

/* Whether strides lead along all three tensors. */
static inline int gemm_is_plain(const gemm_problem *p) {
    return p->of_a == NULL && p->of_b == NULL && p->rows_c == NULL && p->columns_c == NULL;
}

/* As type->pack, with 0 for what the mask y, whose strides are ws_y and ks_y, has no positive element beside. */
void cyops_gemm_pack_masked(const cyops_gemm_type *type, ptrdiff_t width, ptrdiff_t stored, ptrdiff_t depth,
                            const char *x, ptrdiff_t ws, ptrdiff_t ks, const char *y, ptrdiff_t ws_y, ptrdiff_t ks_y,
                            char *out);

/* Packs rows of A or columns of B that are walked, times their mask where there is one. */
void cyops_gemm_pack_walked(const cyops_gemm_type *type, const gemm_operand *x, const char *data,
                            const gemm_operand *of_mask, const char *mask, ptrdiff_t first, ptrdiff_t width,
                            ptrdiff_t stored, ptrdiff_t k, ptrdiff_t depth, char *out);

/* Adds one part of K to the sums over the rows of B, of the columns that the panel has of it, from `column` on. The
 * panel says n, b and its strides. */
void cyops_gemm_sum_columns(const gemm_problem *p, ptrdiff_t part, ptrdiff_t column, cyops_gemm_panel *panel);

/* Runs the kernel of the panel, whose c points to its first row and column, for a C whose rows or columns no stride leads
 * along: in place where its columns lie side by side, else in a tile that is copied to where it belongs. */
void cyops_gemm_scatter_panel(const gemm_problem *p, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t column,
                              const cyops_gemm_panel *panel);

/* Where an operand or the mask is bfloat16: bfloat16.c. */
int cyops_contract_bfloat16(const cyops_contraction *contraction);

/* Integers and bool: integer.c. */
int cyops_contract_integer(const cyops_contraction *contraction);

#define GEMM_OPERATIONS_PER_NANOSECOND 100 /* so that 64^3 is shared */
#define GEMM_DOT_COST 8 /* a matrix-vector product runs at the speed of memory: so many times longer per operation */

static inline int gemm_is_worth_sharing(double operations) {
    return cyops_is_worth_sharing(operations / GEMM_OPERATIONS_PER_NANOSECOND);
}

static inline ptrdiff_t gemm_ceil_div(ptrdiff_t a, ptrdiff_t b) { return (a + b - 1) / b; }
static inline ptrdiff_t gemm_least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

/* The number of chains of multiply-adds that the sum over k is cut into. */
static inline ptrdiff_t gemm_parts_of_k(ptrdiff_t k) { return k > 0 ? gemm_ceil_div(k, KC) : 1; }

/* Where part i begins when `total` is cut into `parts` whose lengths differ by at most one. */
static inline ptrdiff_t gemm_part_start(ptrdiff_t total, ptrdiff_t parts, ptrdiff_t i) { return total * i / parts; }

/* The parts of K: where one begins, and how long it is. */
static inline ptrdiff_t gemm_first_k(const gemm_problem *p, ptrdiff_t part) {
    return gemm_part_start(p->k, gemm_parts_of_k(p->k), part);
}
static inline ptrdiff_t gemm_depth(const gemm_problem *p, ptrdiff_t part) {
    return gemm_first_k(p, part + 1) - gemm_first_k(p, part);
}

/* How far the index-th element in C order of `shape` lies from the first. */
static inline ptrdiff_t gemm_offset(int ndim, const ptrdiff_t *shape, const ptrdiff_t *strides, ptrdiff_t index) {
    ptrdiff_t offset = 0;
    for (int axis = ndim - 1; axis >= 0; axis--) {
        offset += index % shape[axis] * strides[axis];
        index /= shape[axis];
    }
    return offset;
}

#endif
