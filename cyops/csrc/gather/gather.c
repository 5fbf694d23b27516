/* Gathering, scattering and accumulating by positions. See gather.h. */
#include "gather/gather.h"
#include "elementwise/elementwise.h"

#include "base/axes.h"
#include "runtime/dispatch.h"
#include "runtime/pool.h"
#include "base/system.h"

/* Of what is written; so that 512 KB are shared. Two threads that are awake took for a batch of 392 KB 14.0 us, one
 * 13.0; of 784 KB 19.1 and 28.4; of 1.5 MB 41 and 119. */
#define NANOSECONDS_PER_BYTE 0.01

#define TILE_BYTES ((ptrdiff_t)64 << 10)
#define AHEAD 4 /* runs */

/* Between the tensor that is indexed and the one whose slabs are listed in the order of the positions. */
typedef enum { TAKE, PUT, ADD } transfer;

/* Sign bits tell what is outside, because the baseline of x86-64 compares no vectors of 64-bit integers. */
int cyops_wrap_positions(int64_t *positions, ptrdiff_t n, ptrdiff_t length, ptrdiff_t *bad) {
    const uint64_t size = (uint64_t)length;
    uint64_t outside = 0, any = 0;
    for (ptrdiff_t j = 0; j < n; j++) {
        const uint64_t position = (uint64_t)positions[j];
        outside |= (position + size) | (size - 1 - position);
        any |= position;
    }
    if ((int64_t)outside < 0) {
        for (*bad = 0; positions[*bad] >= -length && positions[*bad] < length;) ++*bad;
        return CYOPS_OUT_OF_RANGE;
    }
    if ((int64_t)any < 0)
        for (ptrdiff_t j = 0; j < n; j++) positions[j] += positions[j] < 0 ? length : 0;
    return CYOPS_OK;
}

/* -- slabs that lie side by side ----------------------------------------------------------------------------------- */

/* The number of elements behind `axis` where they are one run, else -1. */
static ptrdiff_t run_behind(const cyops_view *x, int axis) {
    ptrdiff_t length = 1;
    for (int i = x->ndim - 1; i > axis; i--) {
        if (x->shape[i] == 1) continue;
        if (x->strides[i] != length) return -1;
        length *= x->shape[i];
    }
    return length;
}

/* With a constant for `bytes`, each memcpy is one load and one store. Not assignments: the bytes of a run may be
 * several items, aligned as one. */
#define MOVE_RUNS(bytes, ...)                                                               \
    for (ptrdiff_t j = 0; j < count; j++) {                                                 \
        char *at = indexed + positions[j] * indexed_step, *item = listed + j * listed_step; \
        memcpy(kind == TAKE ? item : at, kind == TAKE ? at : item, bytes);                  \
        __VA_ARGS__                                                                         \
    }

/* Steps and `bytes`, the length of a run, are in bytes. */
static void move_runs(transfer kind, char *indexed, ptrdiff_t indexed_step, char *listed, ptrdiff_t listed_step,
                      const int64_t *positions, ptrdiff_t count, ptrdiff_t bytes) {
    if (bytes == 1) {
        MOVE_RUNS(1, )
    } else if (bytes == 2) {
        MOVE_RUNS(2, )
    } else if (bytes == 4) {
        MOVE_RUNS(4, )
    } else if (bytes == 8) {
        MOVE_RUNS(8, )
    } else {
        /* Asks for the beginning of a run that comes later; the CPU's own prefetching follows from there. */
        MOVE_RUNS(bytes, if (j + AHEAD < count) __builtin_prefetch(indexed + positions[j + AHEAD] * indexed_step);)
    }
}

static void add_runs(cyops_loop add, char *indexed, ptrdiff_t indexed_step, char *listed, ptrdiff_t listed_step,
                     const int64_t *positions, ptrdiff_t count, ptrdiff_t length) {
    const ptrdiff_t inner[3] = {1, 1, 1}, outer[3] = {0, 0, 0};
    for (ptrdiff_t j = 0; j < count; j++) {
        char *at = indexed + positions[j] * indexed_step;
        char *const data[3] = {at, at, listed + j * listed_step};
        add(data, inner, outer, length, 1);
    }
}

typedef struct {
    transfer kind;
    const cyops_view *indexed, *listed;
    ptrdiff_t indexed_step, listed_step; /* in bytes */
    const int64_t *positions;
    ptrdiff_t count, length;
    cyops_axes before;                   /* the axes before the one that is indexed: tensor 0 is indexed, 1 listed */
    ptrdiff_t tile_positions;
} run_job;

static void walk_tile(void *context, ptrdiff_t tile) {
    const run_job *job = context;
    const ptrdiff_t itemsize = job->indexed->itemsize, first = tile * job->tile_positions;
    const ptrdiff_t left = job->count - first, count = left < job->tile_positions ? left : job->tile_positions;
    const cyops_loop *additions = cyops_active->elementwise->loops[CYOPS_OP_add];
    const cyops_loop add = job->kind == ADD ? additions[job->indexed->dtype] : NULL;
    cyops_place place;
    cyops_walk_to(&job->before, &place, 0);
    for (ptrdiff_t k = 0; k < job->before.count; k++) {
        char *at = job->indexed->data + place.offset[0] * itemsize;
        char *list = job->listed->data + place.offset[1] * itemsize + first * job->listed_step;
        if (job->kind == ADD)
            add_runs(add, at, job->indexed_step, list, job->listed_step, job->positions + first, count, job->length);
        else
            move_runs(job->kind, at, job->indexed_step, list, job->listed_step, job->positions + first, count,
                      job->length * itemsize);
        cyops_walk_on(&job->before, &place, 1);
    }
}

/* What is taken may be taken in any order; where things are put, the last one stays and sums have an order. */
static void walk_runs(transfer kind, const cyops_view *indexed, const cyops_view *listed, int axis,
                      const int64_t *positions, ptrdiff_t count, ptrdiff_t length) {
    const ptrdiff_t itemsize = indexed->itemsize;
    run_job job = {.kind = kind,
                   .indexed = indexed,
                   .listed = listed,
                   .positions = positions,
                   .count = count,
                   .length = length,
                   .tile_positions = count};
    job.indexed_step = indexed->strides[axis] * itemsize;
    job.listed_step = listed->strides[axis] * itemsize;
    cyops_axes_begin(&job.before, 2);
    for (int i = axis - 1; i >= 0; i--)
        cyops_axes_add(&job.before, indexed->shape[i], (ptrdiff_t[2]){indexed->strides[i], listed->strides[i]});
    const ptrdiff_t nbytes = listed->size * itemsize;
    if (kind == TAKE && cyops_is_worth_sharing(NANOSECONDS_PER_BYTE * (double)nbytes))
        job.tile_positions = count / (nbytes / TILE_BYTES) + 1;
    cyops_parallel((count + job.tile_positions - 1) / job.tile_positions, walk_tile, &job);
}

/* -- slabs of any strides ------------------------------------------------------------------------------------------ */

static void slab_at(const cyops_view *x, int axis, ptrdiff_t position, cyops_view *slab) {
    *slab = *x;
    slab->data += position * x->strides[axis] * x->itemsize;
    slab->size = x->shape[axis] > 0 ? x->size / x->shape[axis] : 0;
    slab->ndim--;
    for (int i = axis; i < slab->ndim; i++) {
        slab->shape[i] = x->shape[i + 1];
        slab->strides[i] = x->strides[i + 1];
    }
}

static int walk_slabs(transfer kind, const cyops_view *indexed, const cyops_view *listed, int axis,
                      const int64_t *positions, ptrdiff_t count) {
    int status = CYOPS_OK;
    for (ptrdiff_t j = 0; j < count && status == CYOPS_OK; j++) {
        cyops_view at, item;
        slab_at(indexed, axis, positions[j], &at);
        slab_at(listed, axis, j, &item);
        if (kind == ADD)
            status = cyops_elementwise(CYOPS_OP_add, &at, (const cyops_view *[2]){&at, &item});
        else
            status = kind == TAKE ? cyops_cast(&item, &at) : cyops_cast(&at, &item);
    }
    return status;
}

static int walk(transfer kind, const cyops_view *indexed, const cyops_view *listed, int axis, const int64_t *positions,
                ptrdiff_t count) {
    if (listed->size == 0 || indexed->size == 0) return CYOPS_OK;
    if (kind == ADD &&
        (cyops_is_text(indexed->dtype) || cyops_active->elementwise->loops[CYOPS_OP_add][indexed->dtype] == NULL))
        return CYOPS_NO_KERNEL;
    const ptrdiff_t length = run_behind(indexed, axis);
    if (length < 0 || run_behind(listed, axis) != length)
        return walk_slabs(kind, indexed, listed, axis, positions, count);
    walk_runs(kind, indexed, listed, axis, positions, count, length);
    return CYOPS_OK;
}

int cyops_take(const cyops_view *out, const cyops_view *x, int axis, const int64_t *positions, ptrdiff_t count) {
    return walk(TAKE, x, out, axis, positions, count);
}

int cyops_scatter(const cyops_view *target, const cyops_view *updates, int axis, const int64_t *positions,
                  ptrdiff_t count) {
    return walk(PUT, target, updates, axis, positions, count);
}

int cyops_scatter_add(const cyops_view *target, const cyops_view *updates, int axis, const int64_t *positions,
                      ptrdiff_t count) {
    return walk(ADD, target, updates, axis, positions, count);
}

/* -- views that reach an element more than once -------------------------------------------------------------------- */

/* An axis along which a step may land on an element that the axes of smaller strides reach too; -1 where there is none.
 * Among equal strides the longest axis counts as the smallest, so that the shortest is the one walked by itself. */
static int find_overlapping_axis(const cyops_view *x) {
    int is_used[CYOPS_MAX_NDIM] = {0};
    ptrdiff_t reach = 0;
    for (int pass = 0; pass < x->ndim; pass++) {
        int next = -1;
        for (int i = 0; i < x->ndim; i++) {
            if (is_used[i] || x->shape[i] == 1) continue;
            const ptrdiff_t size = llabs(x->strides[i]), best = next < 0 ? 0 : llabs(x->strides[next]);
            if (next < 0 || size < best || (size == best && x->shape[i] > x->shape[next])) next = i;
        }
        if (next < 0) break;
        if (llabs(x->strides[next]) <= reach) return next;
        is_used[next] = 1;
        reach += llabs(x->strides[next]) * (x->shape[next] - 1);
    }
    return -1;
}

int cyops_accumulate(const cyops_view *target, const cyops_view *updates) {
    if (updates->size == 0) return CYOPS_OK;
    const int axis = find_overlapping_axis(target);
    if (axis < 0) return cyops_elementwise(CYOPS_OP_add, target, (const cyops_view *[2]){target, updates});
    int status = CYOPS_OK;
    for (ptrdiff_t i = 0; i < target->shape[axis] && status == CYOPS_OK; i++) {
        cyops_view to, from;
        slab_at(target, axis, i, &to);
        slab_at(updates, axis, i, &from);
        status = cyops_accumulate(&to, &from);
    }
    return status;
}
