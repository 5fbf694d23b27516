/* The matrix product with few columns, of an A whose rows run along memory: computed as its transpose.
 *
 * A tile of C is then as wide as the vectors, and A is read where it lies, as the B of that product. The result goes
 * through scratch into the rows of C. The sums are the same, so are the bits. Of use for the
 * gradient of a classifier's last kernel: docs/kernels.md, Matrix products.
 */
#include "gemm/problem.h"
#include "runtime/scratch.h"

#include <string.h>

#define ROWS 64 /* of C turned at a time */

static void sum_columns(const gemm_problem *p) {
    const ptrdiff_t itemsize = p->type->itemsize;
    for (ptrdiff_t part = 0; part < gemm_parts_of_k(p->k); part++) {
        cyops_gemm_panel panel = {
            .n = p->n,
            .b = p->b + gemm_first_k(p, part) * p->rs_b * itemsize,
            .rs_b = p->rs_b * itemsize,
            .ps_b = p->type->nr * itemsize,
        };
        cyops_gemm_sum_columns(p, part, 0, &panel);
    }
}

/* c = the transpose of t (n, m). */
static void turn(const gemm_problem *p, const char *t) {
    _Alignas(64) char rows[ROWS * CYOPS_GEMM_MAX_NR * sizeof(double) + 64];
    ptrdiff_t itemsize = p->type->itemsize, row_bytes = p->n * itemsize;
    for (ptrdiff_t i = 0; i < p->m; i += ROWS) {
        ptrdiff_t count = gemm_least(ROWS, p->m - i);
        p->type->pack(p->n, p->n, count, t + i * itemsize, p->m, 1, rows);
        for (ptrdiff_t row = 0; row < count; row++)
            memcpy(p->c + (i + row) * p->rs_c * itemsize, rows + row * row_bytes, row_bytes);
    }
}

int cyops_gemm_suits_narrow(const gemm_problem *p) {
    if (!gemm_is_plain(p) || p->row_bias != NULL) return 0;
    if (p->mask_a.data != NULL || p->mask_b.data != NULL || p->bias != NULL || p->flags != 0 || p->items > 1) return 0;
    if (p->n > p->type->nr / 2 && p->n > p->type->mr) return 0;
    return p->rs_a == 1 && p->cs_a != 1 && p->cs_b == 1 && p->m >= 4 * p->type->nr;
}

int cyops_gemm_narrow(const gemm_problem *p) {
    gemm_problem transpose = {
        .type = p->type,
        .m = p->n,
        .n = p->m,
        .k = p->k,
        .a = p->b,
        .rs_a = p->cs_b,
        .cs_a = p->rs_b,
        .b = p->a,
        .rs_b = p->cs_a,
        .cs_b = p->rs_a,
        .rs_c = p->m,
        .items = 1,
    };
    transpose.c = cyops_take_scratch((size_t)(p->m * p->n * p->type->itemsize));
    if (transpose.c == NULL) return CYOPS_NO_MEMORY;
    int status = cyops_gemm_blocked(&transpose);
    if (status == CYOPS_OK) {
        turn(p, transpose.c);
        if (p->column_sums != NULL) sum_columns(p);
    }
    cyops_give_scratch(transpose.c);
    return status;
}
