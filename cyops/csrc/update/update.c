/* Cuts all parameters of an optimizer step into tiles and hands them to the threads. See update.h. */
#include "base/axes.h"
#include "runtime/dispatch.h"
#include "runtime/pool.h"
#include "base/system.h"
#include "simd/cpu.h"

#define TILE ((ptrdiff_t)16 << 10)
#define NANOSECONDS_PER_TILE 4e3 /* of SGD with momentum: docs/kernels.md, Threads */
#define PACKED 512       /* elements packed at a time where they do not lie side by side */
#define TENSORS (2 + CYOPS_MAX_SLOTS)

#define SLOTS(name, slots, ...) [CYOPS_STEP_##name] = slots,
static const int slot_counts[CYOPS_STEP_COUNT] = {CYOPS_UPDATE_STEPS(SLOTS)};
#undef SLOTS

/* One parameter: parameter, gradient and slots as one walk. */
typedef struct {
    cyops_axes axes;
    char *data[TENSORS];
    cyops_update_loop loop;
    cyops_step_factors factors;
    cyops_copy_loop copy;
    ptrdiff_t itemsize;
    ptrdiff_t first_tile;
    int are_runs; /* whether the innermost axis is a run in all of them */
} segment;

typedef struct {
    segment *segments;
    ptrdiff_t count;
    const double *scalars;
} update_job;

static void segment_make(segment *s, int step, const cyops_parameter *p, ptrdiff_t first_tile) {
    const cyops_view *views[TENSORS] = {p->parameter, p->gradient};
    const int tensors = 2 + slot_counts[step], is_double = p->parameter->dtype == CYOPS_FLOAT64;
    for (int k = 2; k < tensors; k++) views[k] = p->slots[k - 2];
    cyops_axes_begin(&s->axes, tensors);
    for (int i = p->parameter->ndim - 1; i >= 0; i--) {
        ptrdiff_t strides[TENSORS];
        for (int k = 0; k < tensors; k++) strides[k] = views[k]->strides[i];
        cyops_axes_add(&s->axes, p->parameter->shape[i], strides);
    }
    cyops_axes_sort(&s->axes);
    cyops_axes_merge(&s->axes);
    s->are_runs = 1;
    for (int k = 0; k < TENSORS; k++) s->data[k] = k < tensors ? views[k]->data : NULL;
    for (int k = 0; k < tensors; k++) s->are_runs &= s->axes.ndim == 0 || s->axes.strides[k][0] == 1;
    s->factors = p->factors;
    s->loop = cyops_active->update->loops[step][is_double];
    s->copy = cyops_active->elementwise->copies[is_double ? 3 : 2];
    s->itemsize = p->parameter->itemsize;
    s->first_tile = first_tile;
}

/* n elements along the innermost axis that do not lie side by side in every tensor. */
static void update_packed(const segment *s, char *const data[TENSORS], ptrdiff_t n, const double *scalars) {
    _Alignas(64) char buffers[TENSORS][PACKED * sizeof(double)];
    void *const slots[CYOPS_MAX_SLOTS] = {buffers[2], buffers[3], buffers[4]};
    const ptrdiff_t one[2] = {1, 0};
    for (ptrdiff_t done = 0; done < n; done += PACKED) {
        const ptrdiff_t length = n - done < PACKED ? n - done : PACKED;
        for (int k = 0; k < s->axes.tensors; k++) {
            const ptrdiff_t stride[2] = {s->axes.strides[k][0], 0};
            s->copy(buffers[k], data[k] + done * stride[0] * s->itemsize, one, stride, length, 1);
        }
        s->loop(buffers[0], buffers[1], slots, scalars, s->factors, length);
        for (int k = 0; k < s->axes.tensors; k++) {
            const ptrdiff_t stride[2] = {s->axes.strides[k][0], 0};
            if (k != 1) s->copy(data[k] + done * stride[0] * s->itemsize, buffers[k], stride, one, length, 1);
        }
    }
}

static void update_elements(const segment *s, ptrdiff_t first, ptrdiff_t last, const double *scalars) {
    cyops_place place;
    cyops_walk_to(&s->axes, &place, first);
    while (first < last) {
        const ptrdiff_t left = cyops_walk_run(&s->axes, &place), n = left < last - first ? left : last - first;
        char *data[TENSORS] = {NULL};
        for (int k = 0; k < s->axes.tensors; k++) data[k] = s->data[k] + place.offset[k] * s->itemsize;
        if (s->are_runs)
            s->loop(data[0], data[1], (void *const *)(data + 2), scalars, s->factors, n);
        else
            update_packed(s, data, n, scalars);
        cyops_walk_on(&s->axes, &place, n);
        first += n;
    }
}

static void run_tile(void *context, ptrdiff_t tile) {
    const update_job *job = context;
    ptrdiff_t low = 0, high = job->count; /* the segment that holds the tile is in [low, high) */
    while (high - low > 1) {
        const ptrdiff_t middle = (low + high) / 2;
        if (job->segments[middle].first_tile <= tile)
            low = middle;
        else
            high = middle;
    }
    const segment *s = &job->segments[low];
    const ptrdiff_t first = (tile - s->first_tile) * TILE;
    const ptrdiff_t last = first + TILE < s->axes.count ? first + TILE : s->axes.count;
    const unsigned before = cyops_ignore_denormals();
    update_elements(s, first, last, job->scalars);
    cyops_heed_denormals(before);
}

int cyops_update(int step, const cyops_parameter *parameters, ptrdiff_t count, const double *scalars) {
    segment *segments = malloc((count > 0 ? count : 1) * sizeof *segments);
    if (segments == NULL) return CYOPS_NO_MEMORY;
    update_job job = {segments, 0, scalars};
    ptrdiff_t tiles = 0;
    for (ptrdiff_t i = 0; i < count; i++) {
        const ptrdiff_t size = parameters[i].parameter->size;
        if (size == 0) continue;
        segment_make(&segments[job.count++], step, &parameters[i], tiles);
        tiles += (size + TILE - 1) / TILE;
    }
    if (cyops_is_worth_sharing(NANOSECONDS_PER_TILE * (double)tiles))
        cyops_parallel(tiles, run_tile, &job);
    else
        for (ptrdiff_t tile = 0; tile < tiles; tile++) run_tile(&job, tile);
    free(segments);
    return CYOPS_OK;
}
