/* Walks the rows of softmax and its relatives. See rows.h.
 *
 * Rows are handed to the kernels with their classes side by side; where they do not lie so, a tile of rows is gathered
 * first and scattered afterwards.
 */
#include "axes.h"
#include "dispatch.h"
#include "pool.h"
#include "system.h"

#define TILE_ELEMENTS ((ptrdiff_t)16 << 10)
#define PARALLEL_ELEMENTS ((ptrdiff_t)32 << 10) /* a row operation costs about 1 ns an element */
#define TENSORS 3

typedef struct {
    cyops_row_loop loop;
    cyops_copy_loop copy;
    cyops_axes rows;
    int tensors;
    char *data[TENSORS];
    ptrdiff_t class_strides[TENSORS];
    ptrdiff_t classes;
    ptrdiff_t itemsize;
    ptrdiff_t tile_rows;
    int is_packed; /* whether any tensor's classes are apart */
    int status;
} row_job;

/* Some rows along the innermost axis: data points to the first of each tensor. */
static void run_rows(const row_job *job, char *const data[TENSORS], ptrdiff_t rows, char *scratch) {
    const ptrdiff_t packed_bytes = job->tile_rows * job->classes * job->itemsize;
    const ptrdiff_t side_by_side[2] = {1, job->classes};
    char *ready[TENSORS] = {NULL};
    ptrdiff_t strides[TENSORS] = {0};
    for (int k = 0; k < job->tensors; k++) {
        ready[k] = data[k];
        strides[k] = job->rows.ndim > 0 ? job->rows.strides[k][0] : 0;
        if (job->class_strides[k] == 1) continue;
        ready[k] = scratch + k * packed_bytes;
        if (k > 0)
            job->copy(ready[k], data[k], side_by_side, (ptrdiff_t[2]){job->class_strides[k], strides[k]}, job->classes,
                      rows);
        strides[k] = job->classes;
    }
    job->loop(ready, strides, rows, job->classes);
    const ptrdiff_t apart[2] = {job->class_strides[0], job->rows.ndim > 0 ? job->rows.strides[0][0] : 0};
    if (ready[0] != data[0]) job->copy(data[0], ready[0], apart, side_by_side, job->classes, rows);
}

static void run_tile(void *context, ptrdiff_t tile) {
    row_job *job = context;
    const ptrdiff_t first = tile * job->tile_rows;
    ptrdiff_t left = job->rows.count - first < job->tile_rows ? job->rows.count - first : job->tile_rows;
    char *scratch = NULL;
    if (job->is_packed && (scratch = malloc(TENSORS * job->tile_rows * job->classes * job->itemsize)) == NULL) {
        job->status = CYOPS_NO_MEMORY;
        return;
    }
    cyops_place place;
    cyops_walk_to(&job->rows, &place, first);
    while (left > 0) {
        const ptrdiff_t run = cyops_walk_run(&job->rows, &place), rows = run < left ? run : left;
        char *data[TENSORS] = {NULL};
        for (int k = 0; k < job->tensors; k++) data[k] = job->data[k] + place.offset[k] * job->itemsize;
        run_rows(job, data, rows, scratch);
        cyops_walk_on(&job->rows, &place, rows);
        left -= rows;
    }
    free(scratch);
}

int cyops_rows(int op, const cyops_view *out, const cyops_view *const *inputs, int axis) {
    if (out->dtype != CYOPS_FLOAT32 && out->dtype != CYOPS_FLOAT64) return CYOPS_NO_KERNEL;
    if (out->size == 0) return CYOPS_OK;
    const int is_double = out->dtype == CYOPS_FLOAT64, has_two = op >= CYOPS_ROWS_SOFTMAX_GRADIENT;
    const cyops_view *views[TENSORS] = {out, inputs[0], has_two ? inputs[1] : NULL};
    row_job job = {.tensors = has_two ? 3 : 2, .status = CYOPS_OK};
    job.loop = cyops_active->rows->loops[op][is_double];
    job.copy = cyops_active->elementwise->copies[is_double ? 3 : 2];
    job.itemsize = out->itemsize;
    job.classes = out->shape[axis];
    cyops_axes_begin(&job.rows, job.tensors);
    for (int i = out->ndim - 1; i >= 0; i--) {
        ptrdiff_t strides[TENSORS];
        for (int k = 0; k < job.tensors; k++) strides[k] = views[k]->strides[i];
        if (i != axis) cyops_axes_add(&job.rows, out->shape[i], strides);
    }
    cyops_axes_sort(&job.rows);
    cyops_axes_merge(&job.rows);
    for (int k = 0; k < job.tensors; k++) {
        job.data[k] = views[k]->data;
        job.class_strides[k] = job.classes > 1 ? views[k]->strides[axis] : 1;
        job.is_packed |= job.class_strides[k] != 1;
    }
    job.tile_rows = job.classes < TILE_ELEMENTS / 16 ? TILE_ELEMENTS / job.classes : 16;
    if (job.tile_rows > job.rows.count) job.tile_rows = job.rows.count;
    const ptrdiff_t tiles = (job.rows.count + job.tile_rows - 1) / job.tile_rows;
    if (out->size >= PARALLEL_ELEMENTS)
        cyops_parallel(tiles, run_tile, &job);
    else
        for (ptrdiff_t tile = 0; tile < tiles; tile++) run_tile(&job, tile);
    return job.status;
}
