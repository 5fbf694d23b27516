/* Walks the rows of softmax and its relatives. See tiles.h.
 *
 * Rows are handed to the kernels with their classes side by side; where they do not lie so, a tile of rows is gathered
 * first and scattered afterwards.
 */
#include "base/axes.h"
#include "runtime/dispatch.h"
#include "runtime/pool.h"
#include "rows/rows.h"
#include "rows/tiles.h"
#include "runtime/scratch.h"

#define TILE_ELEMENTS ((ptrdiff_t)16 << 10) /* docs/kernels.md, Threads */
#define PACKED_ROWS 16 /* at least, where rows are gathered: neighbouring ones may share all their cache lines */
#define NANOSECONDS_PER_ELEMENT 0.4 /* of a softmax */
#define OUT 0

typedef struct {
    const cyops_row_job *job;
    cyops_row_loop loop;
    cyops_copy_loop copy;
    cyops_axes rows;
    ptrdiff_t class_strides[CYOPS_ROW_TENSORS];
    ptrdiff_t classes;
    ptrdiff_t itemsize;
    ptrdiff_t tile_rows;
    int is_packed; /* whether any tensor's classes are apart */
    int status;
} row_walk;

/* Rows first ... first + rows - 1, which lie along the innermost axis. */
static void run_rows(const row_walk *walk, const cyops_place *place, ptrdiff_t first, ptrdiff_t rows, char *scratch) {
    const cyops_row_job *job = walk->job;
    cyops_row_tile tile = {.rows = rows, .classes = walk->classes, .scale = job->scale};
    if (job->labels != NULL) tile.labels = job->labels + first;
    if (job->losses != NULL) tile.losses = job->losses + first * walk->itemsize;
    const ptrdiff_t side_by_side[2] = {1, walk->classes};
    ptrdiff_t apart[CYOPS_ROW_TENSORS][2];
    char *data[CYOPS_ROW_TENSORS];
    for (int k = 0; k < CYOPS_ROW_TENSORS; k++) {
        if (job->views[k] == NULL) continue;
        apart[k][0] = walk->class_strides[k];
        apart[k][1] = walk->rows.ndim > 0 ? walk->rows.strides[k][0] : 0;
        tile.data[k] = data[k] = job->views[k]->data + place->offset[k] * walk->itemsize;
        tile.strides[k] = apart[k][1];
        if (apart[k][0] == 1) continue;
        tile.data[k] = scratch + k * walk->tile_rows * walk->classes * walk->itemsize;
        tile.strides[k] = walk->classes;
        if (k != OUT) walk->copy(tile.data[k], data[k], side_by_side, apart[k], walk->classes, rows);
    }
    walk->loop(&tile);
    if (job->views[OUT] != NULL && apart[OUT][0] != 1)
        walk->copy(data[OUT], tile.data[OUT], apart[OUT], side_by_side, walk->classes, rows);
}

static void run_tile(void *context, ptrdiff_t tile) {
    row_walk *walk = context;
    ptrdiff_t first = tile * walk->tile_rows, last = first + walk->tile_rows;
    if (last > walk->rows.count) last = walk->rows.count;
    char *scratch = NULL;
    if (walk->is_packed) {
        scratch = cyops_take_scratch(CYOPS_ROW_TENSORS * walk->tile_rows * walk->classes * walk->itemsize);
        if (scratch == NULL) {
            walk->status = CYOPS_NO_MEMORY;
            return;
        }
    }
    cyops_place place;
    cyops_walk_to(&walk->rows, &place, first);
    while (first < last) {
        const ptrdiff_t run = cyops_walk_run(&walk->rows, &place), rows = run < last - first ? run : last - first;
        run_rows(walk, &place, first, rows, scratch);
        cyops_walk_on(&walk->rows, &place, rows);
        first += rows;
    }
    cyops_give_scratch(scratch);
}

/* All axes but that of the classes; the rows of a loss stay in C order, as labels and losses lie. */
static void find_rows(row_walk *walk) {
    const cyops_row_job *job = walk->job;
    cyops_axes_begin(&walk->rows, CYOPS_ROW_TENSORS);
    for (int i = job->views[1]->ndim - 1; i >= 0; i--) {
        ptrdiff_t strides[CYOPS_ROW_TENSORS];
        for (int k = 0; k < CYOPS_ROW_TENSORS; k++) strides[k] = job->views[k] == NULL ? 0 : job->views[k]->strides[i];
        if (i != job->axis) cyops_axes_add(&walk->rows, job->views[1]->shape[i], strides);
    }
    if (job->losses == NULL) cyops_axes_sort(&walk->rows);
    cyops_axes_merge(&walk->rows);
    for (int k = 0; k < CYOPS_ROW_TENSORS; k++) {
        walk->class_strides[k] = job->views[k] == NULL || walk->classes == 1 ? 1 : job->views[k]->strides[job->axis];
        walk->is_packed |= walk->class_strides[k] != 1;
    }
}

int cyops_rows_in_tiles(const cyops_row_job *job) {
    const cyops_view *x = job->views[1];
    const int is_double = x->dtype == CYOPS_FLOAT64;
    row_walk walk = {.job = job, .classes = x->shape[job->axis], .itemsize = x->itemsize, .status = CYOPS_OK};
    walk.loop = cyops_active->rows->loops[job->op][is_double];
    walk.copy = cyops_active->elementwise->copies[is_double ? 3 : 2];
    find_rows(&walk);
    const ptrdiff_t fewest = walk.is_packed ? PACKED_ROWS : 1;
    walk.tile_rows = walk.classes < TILE_ELEMENTS / fewest ? TILE_ELEMENTS / walk.classes : fewest;
    if (walk.tile_rows > walk.rows.count) walk.tile_rows = walk.rows.count;
    const ptrdiff_t tiles = (walk.rows.count + walk.tile_rows - 1) / walk.tile_rows;
    if (cyops_is_worth_sharing(NANOSECONDS_PER_ELEMENT * (double)x->size))
        cyops_parallel(tiles, run_tile, &walk);
    else
        for (ptrdiff_t tile = 0; tile < tiles; tile++) run_tile(&walk, tile);
    return walk.status;
}

int cyops_rows(int op, const cyops_view *out, const cyops_view *const *inputs, int axis) {
    if (out->dtype != CYOPS_FLOAT32 && out->dtype != CYOPS_FLOAT64) return CYOPS_NO_KERNEL;
    if (out->size == 0) return CYOPS_OK;
    const int has_two = op == CYOPS_ROWS_SOFTMAX_GRADIENT || op == CYOPS_ROWS_LOG_SOFTMAX_GRADIENT;
    const cyops_row_job job = {.op = op, .views = {out, inputs[0], has_two ? inputs[1] : NULL}, .axis = axis};
    return cyops_rows_in_tiles(&job);
}
