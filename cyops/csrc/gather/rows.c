/* Batches: rows gathered, converted and scaled while they are in the first cache. See gather.h. */
#include "elementwise/elementwise.h"
#include "runtime/dispatch.h"
#include "gather/gather.h"
#include "runtime/pool.h"
#include "base/system.h"

#define TILE_BYTES ((ptrdiff_t)16 << 10)
/* Of what is written, of rows drawn at random from memory. From 188 MB, two threads of an AMD Zen 5 that were awake
 * took for a batch of 64 KB 8.6 us, one 12.9; of 128 KB 9.8 and 15.6; of 392 KB 18.8 and 32.1. */
#define NANOSECONDS_PER_BYTE 0.07
#define ASKED_BYTES 4096 /* a page: the most that is asked for ahead of its use */

typedef struct {
    const cyops_view *out;
    const cyops_view *x;
    const int64_t *positions;
    ptrdiff_t length; /* of a row */
    ptrdiff_t tile_rows;
    ptrdiff_t count;
    cyops_loop convert;  /* NULL where x has out's dtype */
    cyops_loop multiply; /* NULL where the scale is 1 */
    double scale;        /* in out's dtype, in the first bytes */
} batch_job;

/* Batches are drawn at random: asks for a row before the one in work is done. */
static void ask_for_row(const char *row, ptrdiff_t bytes) {
    for (ptrdiff_t line = 0; line < bytes && line < ASKED_BYTES; line += 64) __builtin_prefetch(row + line);
}

static void run_tile(void *context, ptrdiff_t tile) {
    const batch_job *job = context;
    const ptrdiff_t out_step = job->out->strides[0] * job->out->itemsize;
    const ptrdiff_t x_step = job->x->strides[0] * job->x->itemsize;
    const ptrdiff_t side_by_side[3] = {1, 1, 0}, none[3] = {0, 0, 0}; /* the scale stands still */
    ptrdiff_t last = (tile + 1) * job->tile_rows;
    if (last > job->count) last = job->count;
    for (ptrdiff_t j = tile * job->tile_rows; j < last; j++) {
        char *to = job->out->data + j * out_step;
        char *const data[3] = {to, job->x->data + job->positions[j] * x_step, NULL};
        if (j + 1 < last) ask_for_row(job->x->data + job->positions[j + 1] * x_step, job->length * job->x->itemsize);
        if (job->convert != NULL)
            job->convert(data, side_by_side, none, job->length, 1);
        else
            memcpy(to, data[1], job->length * job->out->itemsize);
        if (job->multiply != NULL)
            job->multiply((char *const[3]){to, to, (char *)&job->scale}, side_by_side, none, job->length, 1);
    }
}

/* Whether the rows of x are runs, as those of a fresh out are. */
static int rows_are_runs(const cyops_view *x) {
    ptrdiff_t length = 1;
    for (int i = x->ndim - 1; i > 0; i--) {
        if (x->shape[i] != 1 && x->strides[i] != length) return 0;
        length *= x->shape[i];
    }
    return 1;
}

/* Any strides: row by row through the general conversion. */
static int gather_strided(const cyops_view *out, const cyops_view *x, const int64_t *positions, ptrdiff_t count,
                          const cyops_view *scale) {
    for (ptrdiff_t j = 0; j < count; j++) {
        cyops_view to = *out, from = *x;
        to.shape[0] = from.shape[0] = 1;
        to.size = from.size = out->size / count;
        to.data += j * out->strides[0] * out->itemsize;
        from.data += positions[j] * x->strides[0] * x->itemsize;
        const int status = cyops_cast(&to, &from);
        if (status != CYOPS_OK) return status;
    }
    return scale == NULL ? CYOPS_OK : cyops_elementwise(CYOPS_OP_multiply, out, (const cyops_view *[2]){out, scale});
}

int cyops_gather_rows(const cyops_view *out, const cyops_view *x, const int64_t *positions, ptrdiff_t count,
                      double scale) {
    if (out->dtype != CYOPS_FLOAT32 && out->dtype != CYOPS_FLOAT64 && scale != 1) return CYOPS_NO_KERNEL;
    if (out->size == 0) return CYOPS_OK;
    batch_job job = {.out = out, .x = x, .positions = positions, .count = count, .scale = scale};
    const float narrow_scale = (float)scale;
    if (out->dtype == CYOPS_FLOAT32) memcpy(&job.scale, &narrow_scale, sizeof narrow_scale);
    if (!rows_are_runs(x) || !rows_are_runs(out) || cyops_is_text(x->dtype)) {
        cyops_view factor = *out;
        factor.data = (char *)&job.scale;
        memset(factor.strides, 0, sizeof factor.strides);
        return gather_strided(out, x, positions, count, scale == 1 ? NULL : &factor);
    }
    job.length = out->size / count;
    job.convert = x->dtype == out->dtype ? NULL : cyops_active->elementwise->casts[out->dtype][x->dtype];
    job.multiply = scale == 1 ? NULL : cyops_active->elementwise->loops[CYOPS_OP_multiply][out->dtype];
    job.tile_rows = TILE_BYTES / (job.length * out->itemsize) + 1;
    const ptrdiff_t tiles = (count + job.tile_rows - 1) / job.tile_rows;
    if (cyops_is_worth_sharing(NANOSECONDS_PER_BYTE * (double)(out->size * out->itemsize)))
        cyops_parallel(tiles, run_tile, &job);
    else
        for (ptrdiff_t tile = 0; tile < tiles; tile++) run_tile(&job, tile);
    return CYOPS_OK;
}
