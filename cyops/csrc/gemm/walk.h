/* Where the elements of an operand lie: several axes walked as one, and the packing of a panel along them.
 *
 * An operand is its outer axes, the rows of A or the columns of B, and those summed over. Axes are merged where one
 * stride leads along them, so most groups are one axis, or one long one inside others.
 */
#ifndef CYOPS_GEMM_WALK_H
#define CYOPS_GEMM_WALK_H

#include "gemm/gemm.h"
#include "gemm/kernels.h"

/* Axes that are walked as one, innermost first, none of length 1. Strides count elements. */
typedef struct {
    int ndim;
    ptrdiff_t count; /* product of the lengths */
    ptrdiff_t shape[CYOPS_MAX_NDIM], strides[CYOPS_MAX_NDIM], steps[CYOPS_MAX_NDIM];
    int windows[CYOPS_MAX_NDIM];
} gemm_walk;

typedef struct {
    gemm_walk outer, summed;
    int windows;
    cyops_window window[CYOPS_MOST_WINDOWS];
} gemm_operand;

/* A position on a walk: its index along each axis, how far its element lies from the first, and the windows' places. */
typedef struct {
    ptrdiff_t index[CYOPS_MAX_NDIM];
    ptrdiff_t offset, place[CYOPS_MOST_WINDOWS];
} gemm_cursor;

/* The rows or columns of one panel: lane i is one of them. */
typedef struct {
    ptrdiff_t width;
    ptrdiff_t offset[CYOPS_GEMM_MAX_NR], place[CYOPS_MOST_WINDOWS][CYOPS_GEMM_MAX_NR];
    ptrdiff_t lowest[CYOPS_MOST_WINDOWS], highest[CYOPS_MOST_WINDOWS]; /* of the places */
    ptrdiff_t stride;                                                  /* from lane to lane, where is_regular */
    int is_regular;
} gemm_lanes;

/* Puts one more axis outside the others. */
static inline void gemm_walk_add(gemm_walk *walk, ptrdiff_t length, ptrdiff_t stride, int window, ptrdiff_t step) {
    if (length == 1) return;
    int last = walk->ndim - 1;
    walk->count *= length;
    if (last >= 0 && window == CYOPS_NO_WINDOW && walk->windows[last] == CYOPS_NO_WINDOW &&
        stride == walk->strides[last] * walk->shape[last]) {
        walk->shape[last] *= length;
        return;
    }
    walk->shape[walk->ndim] = length;
    walk->strides[walk->ndim] = stride;
    walk->steps[walk->ndim] = step;
    walk->windows[walk->ndim++] = window;
}

static inline void gemm_walk_begin(gemm_walk *walk) {
    walk->ndim = 0;
    walk->count = 1;
}

/* To the position after `steps` steps from the beginning. */
static inline void gemm_cursor_to(const gemm_walk *walk, gemm_cursor *cursor, ptrdiff_t steps) {
    cursor->offset = 0;
    for (int w = 0; w < CYOPS_MOST_WINDOWS; w++) cursor->place[w] = 0;
    for (int i = 0; i < walk->ndim; i++) {
        ptrdiff_t index = 0;
        if (steps > 0) {
            index = i + 1 < walk->ndim ? steps % walk->shape[i] : steps;
            steps /= walk->shape[i];
        }
        cursor->index[i] = index;
        cursor->offset += index * walk->strides[i];
        if (walk->windows[i] >= 0) cursor->place[walk->windows[i]] += index * walk->steps[i];
    }
}

/* How many positions are left on the innermost axis, this one included. */
static inline ptrdiff_t gemm_cursor_run(const gemm_walk *walk, const gemm_cursor *cursor) {
    return walk->ndim > 0 ? walk->shape[0] - cursor->index[0] : 1;
}

/* On by at most as many steps as are left on the innermost axis. */
static inline void gemm_cursor_on(const gemm_walk *walk, gemm_cursor *cursor, ptrdiff_t steps) {
    for (int i = 0; i < walk->ndim; i++) {
        int window = walk->windows[i];
        cursor->index[i] += steps;
        cursor->offset += steps * walk->strides[i];
        if (window >= 0) cursor->place[window] += steps * walk->steps[i];
        if (cursor->index[i] < walk->shape[i]) return;
        cursor->index[i] = 0;
        cursor->offset -= walk->shape[i] * walk->strides[i];
        if (window >= 0) cursor->place[window] -= walk->shape[i] * walk->steps[i];
        steps = 1;
    }
}

/* The offsets of `count` positions from `first` on. */
void cyops_gemm_offsets(const gemm_walk *walk, ptrdiff_t first, ptrdiff_t count, ptrdiff_t *offsets);

/* The lanes of the panel of `width` rows or columns from `first` on. */
void cyops_gemm_find_lanes(const gemm_operand *x, ptrdiff_t first, ptrdiff_t width, gemm_lanes *lanes);

/* Packs `depth` summed positions from k on, as type->pack does: out[step * stored + lane]. 0 where a window says so. */
void cyops_gemm_pack_lanes(const cyops_gemm_type *type, const gemm_operand *x, const char *data,
                           const gemm_lanes *lanes, ptrdiff_t stored, ptrdiff_t k, ptrdiff_t depth, char *out);

#endif
