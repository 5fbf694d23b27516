/* The matrix product with one column: c = A x, as sums along the rows of A.
 *
 * K is cut into blocks whose sums are added in double precision, and into chunks of blocks that several threads may
 * share, added in order: what is added to what depends on K alone.
 */
#include "gemm/problem.h"
#include "runtime/pool.h"
#include "runtime/scratch.h"

#define BLOCK 2048         /* elements of a row whose sum is taken in the operands' dtype */
#define CHUNK (32 * BLOCK) /* the part of a row that one tile sums: 256 KB of float32 */
#define PACKED_ROWS 16     /* rows copied at a time where k does not run along memory: one cache line of float32 */
#define COLUMN_ROWS 256 /* the fewest rows of a tile where the rows run along memory: whole cache lines */
#define TILE_ELEMENTS 32768 /* a tile of about 5 us at the rate of the second-level cache */

typedef struct {
    const gemm_problem *p;
    const char *x; /* side by side */
    double *sums;  /* (row, chunk) */
    ptrdiff_t rows, chunks, tile_rows;
} gemm_dot;

static const char *row_address(const gemm_problem *p, ptrdiff_t row) {
    ptrdiff_t item = row / p->m, itemsize = p->type->itemsize;
    ptrdiff_t offset = item > 0 ? gemm_offset(p->ndim, p->shape, p->strides_a, item) : 0;
    return p->a + (offset + row % p->m * p->rs_a) * itemsize;
}

/* Adds to sums[i] the products of rows [row, row + rows), all of one item, and columns [k, k + depth), in blocks. */
static void sum_rows(const gemm_dot *job, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t k, ptrdiff_t depth, double *sums) {
    const gemm_problem *p = job->p;
    const cyops_gemm_type *type = p->type;
    ptrdiff_t itemsize = type->itemsize, nr = type->nr;
    _Alignas(64) char packed[PACKED_ROWS * BLOCK * sizeof(double) + 64];
    if (p->of_a != NULL) {
        for (ptrdiff_t end = k + depth; k < end; k += BLOCK) {
            ptrdiff_t length = gemm_least(BLOCK, end - k);
            cyops_gemm_pack_walked(type, p->of_a, p->a, NULL, NULL, row, rows, rows, k, length, packed);
            type->dot_columns(rows, length, packed, rows * itemsize, job->x + k * itemsize, sums);
        }
        return;
    }
    const char *first = row_address(p, row);
    for (ptrdiff_t end = k + depth; k < end; k += BLOCK) {
        ptrdiff_t length = gemm_least(BLOCK, end - k);
        const char *a = first + k * p->cs_a * itemsize, *x = job->x + k * itemsize;
        if (p->cs_a == 1) {
            type->dot(rows, length, a, p->rs_a * itemsize, nr * itemsize, x, sums);
            continue;
        }
        if (p->rs_a == 1) {
            type->dot_columns(rows, length, a, p->cs_a * itemsize, x, sums);
            continue;
        }
        for (ptrdiff_t j = 0; j < length; j += nr)
            type->pack(gemm_least(nr, length - j), nr, rows, a + j * p->cs_a * itemsize, p->cs_a, p->rs_a,
                       packed + j * PACKED_ROWS * itemsize);
        type->dot(rows, length, packed, nr * itemsize, nr * PACKED_ROWS * itemsize, x, sums);
    }
}

static void sum_tile(void *context, ptrdiff_t tile) {
    const gemm_dot *job = context;
    ptrdiff_t chunk = tile % job->chunks, row = tile / job->chunks * job->tile_rows;
    ptrdiff_t end = gemm_least(row + job->tile_rows, job->rows);
    ptrdiff_t k = chunk * CHUNK, depth = gemm_least(CHUNK, job->p->k - k);
    ptrdiff_t most = job->p->cs_a == 1 || job->p->rs_a == 1 ? job->rows : PACKED_ROWS;
    if (job->p->of_a != NULL) most = gemm_least(PACKED_ROWS, job->p->type->nr);
    while (row < end) {
        ptrdiff_t item_end = (row / job->p->m + 1) * job->p->m;
        ptrdiff_t rows = gemm_least(most, gemm_least(end, item_end) - row);
        sum_rows(job, row, rows, k, depth, job->sums + chunk * job->rows + row);
        row += rows;
    }
}

static double finish(const gemm_problem *p, double sum, double bias, double old) {
    if (p->flags & CYOPS_GEMM_ADD) sum = old + sum;
    if (p->bias != NULL || p->row_bias != NULL) sum += bias;
    return (p->flags & CYOPS_GEMM_RELU) && sum < 0 ? 0 : sum;
}

static void store_sums(const gemm_dot *job) {
    const gemm_problem *p = job->p;
    for (ptrdiff_t row = 0; row < job->rows; row++) {
        const char *bias = p->row_bias != NULL ? p->row_bias + row * p->type->itemsize : p->bias;
        double sum = job->sums[row];
        for (ptrdiff_t chunk = 1; chunk < job->chunks; chunk++) sum += job->sums[chunk * job->rows + row];
        ptrdiff_t item = row / p->m;
        ptrdiff_t offset = item > 0 ? gemm_offset(p->ndim, p->shape, p->strides_c, item) : 0;
        if (p->rows_c != NULL)
            cyops_gemm_offsets(p->rows_c, row, 1, &offset);
        else
            offset += row % p->m * p->rs_c;
        char *c = p->c + offset * p->type->itemsize;
        int add = p->flags & CYOPS_GEMM_ADD;
        if (p->type->itemsize == sizeof(float))
            *(float *)c = (float)finish(p, sum, bias ? *(const float *)bias : 0, add ? *(float *)c : 0);
        else
            *(double *)c = finish(p, sum, bias ? *(const double *)bias : 0, add ? *(double *)c : 0);
    }
}

/* Whether x is read where it is. */
static int lies_ready(const gemm_problem *p) {
    return p->mask_b.data == NULL && p->of_b == NULL && (p->rs_b == 1 || p->k == 1);
}

/* x, copied side by side into `space` where it does not lie ready. */
static const char *pack_x(const gemm_problem *p, char *space) {
    const ptrdiff_t itemsize = p->type->itemsize;
    if (lies_ready(p)) return p->b;
    if (p->of_b != NULL) {
        for (ptrdiff_t k = 0; k < p->k; k += BLOCK)
            cyops_gemm_pack_walked(p->type, p->of_b, p->b, p->of_mask_b, p->mask_b.data, 0, 1, 1, k,
                                   gemm_least(BLOCK, p->k - k), space + k * itemsize);
        return space;
    }
    if (p->mask_b.data != NULL) {
        cyops_gemm_pack_masked(p->type, 1, 1, p->k, p->b, 1, p->rs_b, p->mask_b.data, 1, p->mask_b.rs, space);
        return space;
    }
    for (ptrdiff_t k = 0; k < p->k; k++) {
        if (itemsize == sizeof(float))
            ((float *)space)[k] = ((const float *)p->b)[k * p->rs_b];
        else
            ((double *)space)[k] = ((const double *)p->b)[k * p->rs_b];
    }
    return space;
}

static void sum_x(const gemm_problem *p, const char *x) {
    double sum = 0;
    for (ptrdiff_t k = 0; k < p->k; k++)
        sum += p->type->itemsize == sizeof(float) ? ((const float *)x)[k] : ((const double *)x)[k];
    if (p->type->itemsize == sizeof(float))
        *(float *)p->column_sums = (float)sum;
    else
        *(double *)p->column_sums = sum;
}

int cyops_gemm_dot(const gemm_problem *p) {
    gemm_dot job = {.p = p, .rows = p->m * p->items};
    job.chunks = p->k > CHUNK ? gemm_ceil_div(p->k, CHUNK) : 1;
    job.tile_rows = TILE_ELEMENTS / (gemm_least(p->k, CHUNK) + 1) + 1;
    if (p->cs_a != 1 && p->rs_a == 1 && job.tile_rows < COLUMN_ROWS) job.tile_rows = COLUMN_ROWS;
    double few_sums[64];
    ptrdiff_t count = job.rows * job.chunks;
    ptrdiff_t x_bytes = lies_ready(p) ? 0 : (p->k * p->type->itemsize + 127) / 64 * 64; /* packing writes 64 beyond */
    char *scratch = NULL;
    if (x_bytes > 0 || count > 64) {
        scratch = cyops_take_scratch(x_bytes + count * sizeof(double));
        if (scratch == NULL) return CYOPS_NO_MEMORY;
    }
    job.x = pack_x(p, scratch);
    if (p->column_sums != NULL) sum_x(p, job.x);
    job.sums = count > 64 ? (double *)(scratch + x_bytes) : few_sums;
    for (ptrdiff_t i = 0; i < count; i++) job.sums[i] = 0;
    ptrdiff_t tiles = gemm_ceil_div(job.rows, job.tile_rows) * job.chunks;
    double flops = 2.0 * job.rows * p->k;
    if (gemm_is_worth_sharing(flops * GEMM_DOT_COST)) {
        cyops_parallel(tiles, sum_tile, &job);
    } else {
        for (ptrdiff_t tile = 0; tile < tiles; tile++) sum_tile(&job, tile);
    }
    store_sums(&job);
    cyops_give_scratch(scratch);
    return CYOPS_OK;
}
