/* Contractions of integers and bools: plain loops over any strides.
 *
 * Sums are taken in 64 bits and cut to the result's dtype, which gives what adding in that dtype modulo 2^bits gives;
 * bool is "or" of "and". A block of a row of C is kept in an array while k runs, so that B is read along its rows.
 */
#include "gemm/problem.h"

#define COLUMNS 256 /* 2 KB of sums: small beside L1, long beside the loop's overhead */

/* sums += one step of k after the other; and what they come to. */
typedef void (*add_products)(ptrdiff_t n, ptrdiff_t k, const char *a, ptrdiff_t cs_a, const char *b, ptrdiff_t rs_b,
                             ptrdiff_t cs_b, uint64_t *sums);
typedef void (*store_sums)(ptrdiff_t n, const uint64_t *sums, char *c, ptrdiff_t cs_c);

#define ROW_PRODUCT(T, name)                                                                                \
    static void add_products_##name(ptrdiff_t n, ptrdiff_t k, const char *a, ptrdiff_t cs_a, const char *b, \
                                    ptrdiff_t rs_b, ptrdiff_t cs_b, uint64_t *sums) {                       \
        for (ptrdiff_t p = 0; p < k; p++) {                                                                 \
            uint64_t x = (uint64_t)((const T *)a)[p * cs_a];                                                \
            const T *row = (const T *)b + p * rs_b;                                                         \
            if (cs_b == 1)                                                                                  \
                for (ptrdiff_t j = 0; j < n; j++) sums[j] += x * (uint64_t)row[j];                          \
            else                                                                                            \
                for (ptrdiff_t j = 0; j < n; j++) sums[j] += x * (uint64_t)row[j * cs_b];                   \
        }                                                                                                   \
    }                                                                                                       \
    static void store_sums_##name(ptrdiff_t n, const uint64_t *sums, char *c, ptrdiff_t cs_c) {             \
        for (ptrdiff_t j = 0; j < n; j++) ((T *)c)[j * cs_c] = RESULT(T, sums[j]);                          \
    }

#define RESULT(T, sum) ((T)(sum))
ROW_PRODUCT(int8_t, int8)
ROW_PRODUCT(int16_t, int16)
ROW_PRODUCT(int32_t, int32)
ROW_PRODUCT(int64_t, int64)
ROW_PRODUCT(uint8_t, uint8)
ROW_PRODUCT(uint16_t, uint16)
ROW_PRODUCT(uint32_t, uint32)
ROW_PRODUCT(uint64_t, uint64)
#undef RESULT
#define RESULT(T, sum) ((sum) != 0)
ROW_PRODUCT(uint8_t, bool)

#define KERNELS_OF(name) {add_products_##name, store_sums_##name}
static const struct {
    add_products add;
    store_sums store;
} kernels[] = {
    [CYOPS_BOOL] = KERNELS_OF(bool),     [CYOPS_INT8] = KERNELS_OF(int8),     [CYOPS_INT16] = KERNELS_OF(int16),
    [CYOPS_INT32] = KERNELS_OF(int32),   [CYOPS_INT64] = KERNELS_OF(int64),   [CYOPS_UINT8] = KERNELS_OF(uint8),
    [CYOPS_UINT16] = KERNELS_OF(uint16), [CYOPS_UINT32] = KERNELS_OF(uint32), [CYOPS_UINT64] = KERNELS_OF(uint64),
};

/* An axis of columns that are computed as a row, one of summed positions that are a run, and loops over all others. */
typedef struct {
    const cyops_contraction *x;
    const cyops_contraction_axis *columns, *run;
    ptrdiff_t itemsize;
} integer_job;

/* How far a position of the axes that are looped over lies from the first. */
typedef struct {
    ptrdiff_t a, b, out, place[CYOPS_MOST_WINDOWS];
} integer_place;

static ptrdiff_t count_positions(const integer_job *job, int is_summed) {
    ptrdiff_t count = 1;
    for (int i = 0; i < job->x->ndim; i++) {
        const cyops_contraction_axis *axis = &job->x->axes[i];
        if ((axis->part == CYOPS_SUMMED) == is_summed && axis != job->columns && axis != job->run)
            count *= axis->length;
    }
    return count;
}

static integer_place find_place(const integer_job *job, int is_summed, ptrdiff_t index) {
    integer_place found = {0};
    for (int i = job->x->ndim - 1; i >= 0; i--) {
        const cyops_contraction_axis *axis = &job->x->axes[i];
        if ((axis->part == CYOPS_SUMMED) != is_summed || axis == job->columns || axis == job->run) continue;
        ptrdiff_t at = index % axis->length;
        index /= axis->length;
        found.a += at * axis->a;
        found.b += at * axis->b;
        found.out += at * axis->out;
        if (axis->window != CYOPS_NO_WINDOW) found.place[axis->window] += at * axis->step;
    }
    return found;
}

static int is_inside(const cyops_contraction *x, const integer_place *row, const integer_place *summed) {
    for (int w = 0; w < x->windows; w++) {
        ptrdiff_t at = x->window[w].first + row->place[w] + summed->place[w];
        if (at < 0 || at >= x->window[w].length) return 0;
    }
    return 1;
}

/* The longest axis of a part that no window is on; NULL where the part has none. */
static const cyops_contraction_axis *longest(const cyops_contraction *x, cyops_part part) {
    const cyops_contraction_axis *found = NULL;
    for (int i = 0; i < x->ndim; i++) {
        const cyops_contraction_axis *axis = &x->axes[i];
        if (axis->part == part && axis->window == CYOPS_NO_WINDOW && (found == NULL || axis->length > found->length))
            found = axis;
    }
    return found;
}

/* `n` columns from column j on, at one position of all other axes of the result. */
static void sum_row(const integer_job *job, const integer_place *row, ptrdiff_t j, ptrdiff_t n, ptrdiff_t positions) {
    const cyops_contraction *x = job->x;
    const cyops_contraction_axis none = {.length = 1}, *columns = job->columns != NULL ? job->columns : &none;
    const cyops_contraction_axis *run = job->run != NULL ? job->run : &none;
    uint64_t sums[COLUMNS] = {0};
    for (ptrdiff_t i = 0; i < positions; i++) {
        const integer_place at = find_place(job, 1, i);
        if (is_inside(x, row, &at))
            kernels[x->dtype].add(n, run->length, x->a + (row->a + at.a) * job->itemsize, run->a,
                                  x->b + (row->b + at.b + j * columns->b) * job->itemsize, run->b, columns->b, sums);
    }
    kernels[x->dtype].store(n, sums, x->out + (row->out + j * columns->out) * job->itemsize, columns->out);
}

int cyops_contract_integer(const cyops_contraction *x) {
    if (!cyops_is_integer(x->dtype) && x->dtype != CYOPS_BOOL) return CYOPS_NO_KERNEL;
    const integer_job job = {x, longest(x, CYOPS_COLUMN), longest(x, CYOPS_SUMMED), cyops_itemsize(x->dtype)};
    const ptrdiff_t n = job.columns != NULL ? job.columns->length : 1, positions = count_positions(&job, 1);
    for (ptrdiff_t i = 0, rows = count_positions(&job, 0); i < rows; i++) {
        const integer_place row = find_place(&job, 0, i);
        for (ptrdiff_t j = 0; j < n; j += COLUMNS) sum_row(&job, &row, j, gemm_least(COLUMNS, n - j), positions);
    }
    return CYOPS_OK;
}
