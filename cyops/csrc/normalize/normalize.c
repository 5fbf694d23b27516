/* Hands the rows of any views to the kernels of batch normalization, tile by tile. See normalize.h. */
#include "normalize/normalize.h"
#include "base/axes.h"
#include "base/system.h"
#include "runtime/dispatch.h"
#include "runtime/pool.h"
#include "runtime/scratch.h"

#define TILE_ELEMENTS ((ptrdiff_t)8 << 10) /* 32 KB of float32, which stay in the first cache for the second reading */
#define NANOSECONDS_PER_ELEMENT 0.1
#define X CYOPS_NORMALIZE_X
#define D CYOPS_NORMALIZE_D
#define OUT CYOPS_NORMALIZE_OUT
#define NUMBERS 4 /* of a channel: mean, slope, factor, offset */

typedef struct {
    const cyops_view *views[CYOPS_NORMALIZE_TENSORS]; /* x; d and out or NULL */
    int axis;
    int across; /* whether lanes are channels */
    cyops_axes rows; /* of a tile */
    ptrdiff_t lanes, channels;
    ptrdiff_t tile_rows, chunks;
    char *numbers[NUMBERS]; /* of each channel, in the dtype of the views */
    cyops_channel_fold fold;
    cyops_channel_loop loop;
    double *partials; /* (chunks, 2, channels) */
} channel_job;

/* 0 where neither the channels nor the elements of one lie side by side, or rows do not follow at one stride. */
static int find_rows(channel_job *job) {
    const cyops_view *x = job->views[X];
    int is_across = 1, is_along = 1;
    cyops_axes_begin(&job->rows, CYOPS_NORMALIZE_TENSORS);
    for (int i = x->ndim - 1; i >= 0; i--) {
        ptrdiff_t strides[CYOPS_NORMALIZE_TENSORS];
        for (int k = 0; k < CYOPS_NORMALIZE_TENSORS; k++)
            strides[k] = job->views[k] == NULL ? x->strides[i] : job->views[k]->strides[i];
        if (i != job->axis)
            cyops_axes_add(&job->rows, x->shape[i], strides);
        else
            for (int k = 0; k < CYOPS_NORMALIZE_TENSORS; k++) is_across &= strides[k] == 1;
    }
    job->channels = x->shape[job->axis];
    cyops_axes_sort(&job->rows);
    cyops_axes_merge(&job->rows);
    is_across |= job->rows.ndim == 0 && job->channels == 1;
    is_along = job->rows.ndim > 0;
    for (int k = 0; k < CYOPS_NORMALIZE_TENSORS && is_along; k++) is_along = job->rows.strides[k][0] == 1;
    job->across = is_across;
    job->lanes = is_across ? job->channels : job->rows.shape[0];
    if (!is_across && is_along) { /* the innermost axis is that of the lanes */
        job->rows.count /= job->lanes;
        job->rows.ndim--;
        for (int i = 0; i < job->rows.ndim; i++) cyops_axes_swap(&job->rows, i, i + 1);
    }
    return (is_across || is_along) && job->rows.ndim <= 1;
}

static int plan_job(channel_job *job) {
    if (!find_rows(job)) return 0;
    job->tile_rows = TILE_ELEMENTS / job->lanes + 1;
    if (job->tile_rows > job->rows.count) job->tile_rows = job->rows.count;
    job->chunks = (job->rows.count + job->tile_rows - 1) / job->tile_rows;
    return 1;
}

static void run_tile(void *context, ptrdiff_t task) {
    const channel_job *job = context;
    const ptrdiff_t chunk = task % job->chunks, channel = task / job->chunks, itemsize = job->views[X]->itemsize;
    const ptrdiff_t first = chunk * job->tile_rows, left = job->rows.count - first;
    cyops_channel_tile tile = {.lanes = job->lanes, .rows = left < job->tile_rows ? left : job->tile_rows};
    const void **const numbers[NUMBERS] = {&tile.mean, &tile.slope, &tile.factor, &tile.offset};
    for (int i = 0; i < NUMBERS; i++)
        *numbers[i] = job->numbers[i] == NULL ? NULL : job->numbers[i] + channel * itemsize;
    for (int k = 0; k < CYOPS_NORMALIZE_TENSORS; k++) {
        if (job->views[k] == NULL) continue;
        tile.strides[k] = job->rows.ndim > 0 ? job->rows.strides[k][0] : 0;
        tile.data[k] = job->views[k]->data +
                       (first * tile.strides[k] + channel * job->views[k]->strides[job->axis]) * itemsize;
    }
    if (job->fold == NULL) {
        job->loop(&tile);
        return;
    }
    double *slot = job->partials + chunk * 2 * job->channels + channel;
    job->fold(&tile, slot, slot + job->channels);
}

static void run_tiles(channel_job *job) {
    const ptrdiff_t tasks = job->chunks * (job->across ? 1 : job->channels);
    if (tasks > 1 && cyops_is_worth_sharing(NANOSECONDS_PER_ELEMENT * (double)job->views[X]->size))
        cyops_parallel(tasks, run_tile, job);
    else
        for (ptrdiff_t task = 0; task < tasks; task++) run_tile(job, task);
}

/* The elements of a channel in a chunk. */
static double count_of(const channel_job *job, ptrdiff_t chunk) {
    const ptrdiff_t left = job->rows.count - chunk * job->tile_rows;
    return (double)((left < job->tile_rows ? left : job->tile_rows) * (job->across ? 1 : job->lanes));
}

/* The numbers of each channel in the dtype of the views; NULL where there are none. */
static char *in_dtype(const channel_job *job, const double *numbers, char *memory) {
    if (numbers == NULL) return NULL;
    for (ptrdiff_t c = 0; c < job->channels; c++)
        if (job->views[X]->dtype == CYOPS_FLOAT64)
            ((double *)memory)[c] = numbers[c];
        else
            ((float *)memory)[c] = (float)numbers[c];
    return memory;
}

static const cyops_normalize_dtype *kernels_of(const cyops_view *x) {
    return &cyops_active->normalize->dtypes[x->dtype == CYOPS_FLOAT64];
}

static int takes(const cyops_view *x) { return x->dtype == CYOPS_FLOAT32 || x->dtype == CYOPS_FLOAT64; }

int cyops_channel_moments(const cyops_view *x, int axis, double *mean, double *variance) {
    channel_job job = {.views = {x, NULL, NULL}, .axis = axis};
    if (!takes(x) || !plan_job(&job)) return CYOPS_NO_KERNEL;
    const ptrdiff_t channels = job.channels;
    job.fold = kernels_of(x)->moments[!job.across];
    job.partials = cyops_take_scratch((size_t)(job.chunks * 2 * channels) * sizeof(double));
    if (job.partials == NULL) return CYOPS_NO_MEMORY;
    run_tiles(&job);
    const double total = (double)x->size / (double)channels;
    memset(mean, 0, (size_t)channels * sizeof(double));
    memset(variance, 0, (size_t)channels * sizeof(double));
    for (ptrdiff_t chunk = 0; chunk < job.chunks; chunk++) {
        const double *means = job.partials + chunk * 2 * channels, share = count_of(&job, chunk) / total;
        for (ptrdiff_t c = 0; c < channels; c++) mean[c] += means[c] * share;
    }
    for (ptrdiff_t chunk = 0; chunk < job.chunks; chunk++) {
        const double *means = job.partials + chunk * 2 * channels, *squares = means + channels;
        const double count = count_of(&job, chunk);
        for (ptrdiff_t c = 0; c < channels; c++)
            variance[c] += (squares[c] + count * (means[c] - mean[c]) * (means[c] - mean[c])) / total;
    }
    cyops_give_scratch(job.partials);
    return CYOPS_OK;
}

int cyops_channel_sums(const cyops_view *d, const cyops_view *x, int axis, const double *mean, double *of_d,
                       double *of_products) {
    channel_job job = {.views = {x, d, NULL}, .axis = axis};
    if (!takes(x) || !plan_job(&job)) return CYOPS_NO_KERNEL;
    const ptrdiff_t channels = job.channels;
    job.fold = kernels_of(x)->sums[!job.across];
    const size_t partials = (size_t)(job.chunks * 2 * channels) * sizeof(double);
    char *memory = cyops_take_scratch(partials + (size_t)channels * sizeof(double));
    if (memory == NULL) return CYOPS_NO_MEMORY;
    job.partials = (double *)memory;
    job.numbers[0] = in_dtype(&job, mean, memory + partials);
    run_tiles(&job);
    memset(of_d, 0, (size_t)channels * sizeof(double));
    memset(of_products, 0, (size_t)channels * sizeof(double));
    for (ptrdiff_t chunk = 0; chunk < job.chunks; chunk++) {
        const double *sums = job.partials + chunk * 2 * channels;
        for (ptrdiff_t c = 0; c < channels; c++) {
            of_d[c] += sums[c];
            of_products[c] += sums[channels + c];
        }
    }
    cyops_give_scratch(memory);
    return CYOPS_OK;
}

int cyops_channel_normalize(const cyops_view *out, const cyops_view *x, const cyops_view *d, int axis,
                            const double *mean, const double *slope, const double *factor, const double *offset) {
    channel_job job = {.views = {x, d, out}, .axis = axis};
    if (!takes(x) || !plan_job(&job)) return CYOPS_NO_KERNEL;
    const double *given[NUMBERS] = {mean, slope, factor, offset};
    const size_t each = (size_t)job.channels * sizeof(double);
    char *memory = cyops_take_scratch(NUMBERS * each);
    if (memory == NULL) return CYOPS_NO_MEMORY;
    for (size_t i = 0; i < NUMBERS; i++) job.numbers[i] = in_dtype(&job, given[i], memory + i * each);
    job.loop = kernels_of(x)->normalize[!job.across];
    run_tiles(&job);
    cyops_give_scratch(memory);
    return CYOPS_OK;
}
