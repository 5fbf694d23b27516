/* Walks the rows of softmax cross-entropy: labels are checked before anything is written. See rows.h. */
#include "axes.h"
#include "dispatch.h"
#include "pool.h"
#include "system.h"

#define TILE_ELEMENTS ((ptrdiff_t)16 << 10)
#define PARALLEL_ELEMENTS ((ptrdiff_t)32 << 10)
#define LABELS_ON_STACK 512
enum { LOGITS, GRADIENT, TARGETS, TENSORS }; /* those with classes */

typedef struct {
    cyops_cross_entropy_loop loop;
    cyops_copy_loop copy;
    cyops_axes rows; /* in C order, as labels and losses lie */
    char *data[TENSORS];
    ptrdiff_t class_strides[TENSORS];
    ptrdiff_t classes;
    ptrdiff_t itemsize;
    const int64_t *labels;
    char *losses;
    double scale;
    ptrdiff_t tile_rows;
    int is_packed;
    int status;
} entropy_job;

/* Rows first ... first + rows - 1, which lie along the innermost axis. */
static void run_rows(const entropy_job *job, const cyops_place *place, ptrdiff_t first, ptrdiff_t rows, char *scratch) {
    const ptrdiff_t side_by_side[2] = {1, job->classes};
    char *ready[TENSORS];
    ptrdiff_t strides[TENSORS];
    for (int k = 0; k < TENSORS; k++) {
        ready[k] = job->data[k] == NULL ? NULL : job->data[k] + place->offset[k] * job->itemsize;
        strides[k] = job->rows.ndim > 0 ? job->rows.strides[k][0] : 0;
        if (ready[k] == NULL || job->class_strides[k] == 1) continue;
        char *packed = scratch + k * job->tile_rows * job->classes * job->itemsize;
        if (k != GRADIENT)
            job->copy(packed, ready[k], side_by_side, (ptrdiff_t[2]){job->class_strides[k], strides[k]}, job->classes,
                      rows);
        ready[k] = packed;
        strides[k] = job->classes;
    }
    const cyops_cross_entropy_tile tile = {
        .logits = ready[LOGITS], .logits_stride = strides[LOGITS],
        .labels = job->labels == NULL ? NULL : job->labels + first,
        .targets = ready[TARGETS], .targets_stride = strides[TARGETS],
        .losses = job->losses + first * job->itemsize,
        .gradient = ready[GRADIENT], .gradient_stride = strides[GRADIENT],
        .scale = job->scale, .rows = rows, .classes = job->classes,
    };
    job->loop(&tile);
    if (ready[GRADIENT] == NULL || job->class_strides[GRADIENT] == 1) return;
    const ptrdiff_t apart[2] = {job->class_strides[GRADIENT], job->rows.ndim > 0 ? job->rows.strides[GRADIENT][0] : 0};
    job->copy(job->data[GRADIENT] + place->offset[GRADIENT] * job->itemsize, ready[GRADIENT], apart, side_by_side,
              job->classes, rows);
}

static void run_tile(void *context, ptrdiff_t tile) {
    entropy_job *job = context;
    ptrdiff_t first = tile * job->tile_rows, last = first + job->tile_rows;
    if (last > job->rows.count) last = job->rows.count;
    char *scratch = NULL;
    if (job->is_packed && (scratch = malloc(TENSORS * job->tile_rows * job->classes * job->itemsize)) == NULL) {
        job->status = CYOPS_NO_MEMORY;
        return;
    }
    cyops_place place;
    cyops_walk_to(&job->rows, &place, first);
    while (first < last) {
        const ptrdiff_t run = cyops_walk_run(&job->rows, &place), rows = run < last - first ? run : last - first;
        run_rows(job, &place, first, rows, scratch);
        cyops_walk_on(&job->rows, &place, rows);
        first += rows;
    }
    free(scratch);
}

static int run(const cyops_view *losses, const cyops_view *gradient, const cyops_view *logits,
               const cyops_view *targets, const int64_t *labels, double scale) {
    const cyops_view *views[TENSORS] = {logits, gradient, targets};
    const int is_double = logits->dtype == CYOPS_FLOAT64, axis = logits->ndim - 1;
    entropy_job job = {.labels = labels, .losses = losses->data, .scale = scale, .status = CYOPS_OK};
    job.loop = cyops_active->rows->cross_entropy[is_double];
    job.copy = cyops_active->elementwise->copies[is_double ? 3 : 2];
    job.itemsize = logits->itemsize;
    job.classes = logits->shape[axis];
    cyops_axes_begin(&job.rows, TENSORS);
    for (int i = axis - 1; i >= 0; i--) {
        ptrdiff_t strides[TENSORS];
        for (int k = 0; k < TENSORS; k++) strides[k] = views[k] == NULL ? 0 : views[k]->strides[i];
        cyops_axes_add(&job.rows, logits->shape[i], strides);
    }
    cyops_axes_merge(&job.rows);
    for (int k = 0; k < TENSORS; k++) {
        if (views[k] == NULL) continue;
        job.data[k] = views[k]->data;
        job.class_strides[k] = job.classes > 1 ? views[k]->strides[axis] : 1;
        job.is_packed |= job.class_strides[k] != 1;
    }
    job.tile_rows = job.classes < TILE_ELEMENTS / 16 ? TILE_ELEMENTS / job.classes : 16;
    if (job.tile_rows > job.rows.count) job.tile_rows = job.rows.count;
    const ptrdiff_t tiles = (job.rows.count + job.tile_rows - 1) / job.tile_rows;
    if (logits->size >= PARALLEL_ELEMENTS)
        cyops_parallel(tiles, run_tile, &job);
    else
        for (ptrdiff_t tile = 0; tile < tiles; tile++) run_tile(&job, tile);
    return job.status;
}

/* The labels as int64, side by side in C order. */
static int read_labels(const cyops_view *labels, int64_t *to) {
    cyops_view flat = *labels;
    ptrdiff_t step = 1;
    flat.data = (char *)to;
    flat.dtype = CYOPS_INT64;
    flat.itemsize = sizeof *to;
    for (int i = labels->ndim - 1; i >= 0; i--) {
        flat.strides[i] = step;
        step *= labels->shape[i];
    }
    return cyops_cast(&flat, labels);
}

static ptrdiff_t first_outside(const int64_t *labels, ptrdiff_t n, ptrdiff_t classes) {
    ptrdiff_t outside = 0;
    for (ptrdiff_t i = 0; i < n; i++) outside += (uint64_t)labels[i] >= (uint64_t)classes;
    if (outside == 0) return n;
    ptrdiff_t i = 0;
    while ((uint64_t)labels[i] < (uint64_t)classes) i++;
    return i;
}

int cyops_cross_entropy(const cyops_view *losses, const cyops_view *gradient, const cyops_view *logits,
                        const cyops_view *labels, double scale, ptrdiff_t *position) {
    if (logits->dtype != CYOPS_FLOAT32 && logits->dtype != CYOPS_FLOAT64) return CYOPS_NO_KERNEL;
    if (labels->size == 0) return CYOPS_OK;
    int64_t few[LABELS_ON_STACK];
    int64_t *checked = labels->size <= LABELS_ON_STACK ? few : malloc(labels->size * sizeof *checked);
    if (checked == NULL) return CYOPS_NO_MEMORY;
    int status = read_labels(labels, checked);
    if (status == CYOPS_OK) {
        *position = first_outside(checked, labels->size, logits->shape[logits->ndim - 1]);
        status = *position < labels->size ? CYOPS_OUT_OF_RANGE : run(losses, gradient, logits, NULL, checked, scale);
    }
    if (checked != few) free(checked);
    return status;
}

int cyops_cross_entropy_targets(const cyops_view *losses, const cyops_view *gradient, const cyops_view *logits,
                                const cyops_view *targets, double scale) {
    if (logits->dtype != CYOPS_FLOAT32 && logits->dtype != CYOPS_FLOAT64) return CYOPS_NO_KERNEL;
    if (logits->size == 0) return CYOPS_OK;
    return run(losses, gradient, logits, targets, NULL, scale);
}
