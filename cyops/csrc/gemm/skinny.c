/* The matrix product with few rows: B is read once, where it lies.
 *
 * With hardly any reuse of B this is a walk over memory, and the blocked product's tile of 384 rows by 32 columns is a
 * bad one: each of its rows is on another page. Here k advances in short steps, so that B is read along long stretches
 * of its rows, and the sums wait in C (or in scratch, when C holds the sum of the parts before) until the next step.
 */
#include "gemm/problem.h"
#include "runtime/scratch.h"

#define STEP 32 /* docs/kernels.md, Matrix products, as the next one */
#define MOST_COLUMNS 1024 /* of a tile: 4 KB of each row of B */
#define LEAST_COLUMNS 256

typedef struct {
    const gemm_problem *p;
    char *partial;   /* (m, n) */
    ptrdiff_t row_panels, columns; /* columns of a tile */
} gemm_skinny;

/* One step of k of the chain of multiply-adds that covers [start, end), over n columns. The sums go to C with the last
 * step, by the flags, and wait in `partial` before. */
static void multiply_step(const gemm_skinny *job, ptrdiff_t column, ptrdiff_t n, ptrdiff_t k, ptrdiff_t start,
                          ptrdiff_t end, int flags, const char *bias) {
    const gemm_problem *p = job->p;
    ptrdiff_t itemsize = p->type->itemsize, depth = gemm_least(STEP, end - k);
    int first = k == start, last = k + depth == end;
    for (ptrdiff_t i = 0; i < job->row_panels; i++) {
        ptrdiff_t row = gemm_part_start(p->m, job->row_panels, i);
        ptrdiff_t rows = gemm_part_start(p->m, job->row_panels, i + 1) - row;
        char *c = p->c + (row * p->rs_c + column) * itemsize;
        char *partial = job->partial == NULL ? c : job->partial + (row * p->n + column) * itemsize;
        ptrdiff_t rs_partial = job->partial == NULL ? p->rs_c : p->n;
        cyops_gemm_panel panel = {
            .n = n,
            .k = depth,
            .a = p->a + (row * p->rs_a + k * p->cs_a) * itemsize,
            .rs_a = p->rs_a * itemsize,
            .cs_a = p->cs_a * itemsize,
            .b = p->b + (k * p->rs_b + column) * itemsize,
            .rs_b = p->rs_b * itemsize,
            .ps_b = p->type->nr * itemsize,
            .c = last ? c : partial,
            .rs_c = (last ? p->rs_c : rs_partial) * itemsize,
            .start = first ? NULL : partial,
            .rs_start = rs_partial * itemsize,
            .flags = last ? flags : 0,
            .bias = last && bias != NULL ? bias + column * itemsize : NULL,
        };
        p->type->panel[rows](&panel);
    }
}

static void multiply_columns(void *context, ptrdiff_t tile) {
    const gemm_skinny *job = context;
    const gemm_problem *p = job->p;
    ptrdiff_t column = tile * job->columns, n = gemm_least(job->columns, p->n - column);
    ptrdiff_t parts = gemm_parts_of_k(p->k);
    for (ptrdiff_t part = 0; part < parts; part++) {
        ptrdiff_t start = gemm_part_start(p->k, parts, part), end = gemm_part_start(p->k, parts, part + 1);
        int flags = part == 0 ? p->flags & CYOPS_GEMM_ADD : CYOPS_GEMM_ADD;
        if (part == parts - 1) flags |= p->flags & CYOPS_GEMM_RELU;
        const char *bias = part == parts - 1 ? p->bias : NULL;
        for (ptrdiff_t k = start; k < end; k += STEP) multiply_step(job, column, n, k, start, end, flags, bias);
    }
}

int cyops_gemm_skinny(const gemm_problem *p) {
    gemm_skinny job = {.p = p, .row_panels = gemm_ceil_div(p->m, p->type->mr)};
    if (p->k > KC || p->flags & CYOPS_GEMM_ADD) {
        job.partial = cyops_take_scratch(p->m * p->n * p->type->itemsize);
        if (job.partial == NULL) return CYOPS_NO_MEMORY;
    }
    job.columns = p->n >= 8 * MOST_COLUMNS ? MOST_COLUMNS : gemm_ceil_div(p->n, 8 * LEAST_COLUMNS) * LEAST_COLUMNS;
    ptrdiff_t tiles = gemm_ceil_div(p->n, job.columns);
    double reading = 2.0 * p->k * p->n * p->type->itemsize; /* B, in operations that take as long: 70 GB/s */
    if (gemm_is_worth_sharing(2.0 * p->m * p->n * p->k + reading)) {
        cyops_parallel(tiles, multiply_columns, &job);
    } else {
        for (ptrdiff_t tile = 0; tile < tiles; tile++) multiply_columns(&job, tile);
    }
    cyops_give_scratch(job.partial);
    return CYOPS_OK;
}
