/* Where the elements of an operand lie: several axes walked as one, and the packing of a panel along them.
 *
 * An operand is its outer axes, the rows of A or the columns of B, and those summed over. Axes are merged where one
 * stride leads along them, so most groups are one axis, or one long one inside others.
 */
#ifndef CYOPS_GEMM_WALK_H
#define CYOPS_GEMM_WALK_H

#include "gemm/gemm.h"
#include "gemm/kernels.h"

/* Axes that are walked as one, innermost first, none of length 1. Strides count elements. An axis that moves the place of
 * a window does so by `steps` after every `grains` elements: the taps of a row of pixels and the channels of each are one
 * axis where they lie side by side. */
typedef struct {
    int ndim;
    ptrdiff_t count; /* product of the lengths */
    ptrdiff_t shape[CYOPS_MAX_NDIM], strides[CYOPS_MAX_NDIM], steps[CYOPS_MAX_NDIM], grains[CYOPS_MAX_NDIM];
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

/* Lanes that lie side by side in memory and move at most one window, by `step` from lane to lane. */
typedef struct {
    ptrdiff_t lane, width, step;
    int window;
} gemm_segment;

#define GEMM_MOST_SEGMENTS 6

/* The rows or columns of one panel: lane i is one of them. */
typedef struct {
    ptrdiff_t width;
    ptrdiff_t offset[CYOPS_GEMM_MAX_NR], place[CYOPS_MOST_WINDOWS][CYOPS_GEMM_MAX_NR];
    ptrdiff_t lowest[CYOPS_MOST_WINDOWS], highest[CYOPS_MOST_WINDOWS]; /* of the places */
    ptrdiff_t stride;                                                  /* from lane to lane, where is_regular */
    int is_regular, is_uniform; /* uniform: at one place in every window */
    int segments;               /* that the lanes are cut into; 0 where they would be too many */
    gemm_segment segment[GEMM_MOST_SEGMENTS];
} gemm_lanes;

/* Puts one more axis outside the others. */
static inline void gemm_walk_add(gemm_walk *walk, ptrdiff_t length, ptrdiff_t stride, int window, ptrdiff_t step) {
    if (length == 1) return;
    int last = walk->ndim - 1;
    walk->count *= length;
    if (last >= 0 && walk->windows[last] == CYOPS_NO_WINDOW && stride == walk->strides[last] * walk->shape[last]) {
        walk->grains[last] = window == CYOPS_NO_WINDOW ? 1 : walk->shape[last];
        walk->shape[last] *= length;
        walk->steps[last] = step;
        walk->windows[last] = window;
        return;
    }
    walk->shape[walk->ndim] = length;
    walk->strides[walk->ndim] = stride;
    walk->steps[walk->ndim] = step;
    walk->grains[walk->ndim] = 1;
    walk->windows[walk->ndim++] = window;
}

static inline void gemm_walk_begin(gemm_walk *walk) {
    walk->ndim = 0;
    walk->count = 1;
}

/* The place along axis i at an index of it. */
static inline ptrdiff_t gemm_walk_place(const gemm_walk *walk, int i, ptrdiff_t index) {
    return (walk->grains[i] == 1 ? index : index / walk->grains[i]) * walk->steps[i];
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
        if (walk->windows[i] >= 0) cursor->place[walk->windows[i]] += gemm_walk_place(walk, i, index);
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
        ptrdiff_t before = cursor->index[i], after = before + steps < walk->shape[i] ? before + steps : 0;
        cursor->index[i] = after;
        cursor->offset += (after - before) * walk->strides[i];
        if (window >= 0) cursor->place[window] += gemm_walk_place(walk, i, after) - gemm_walk_place(walk, i, before);
        if (after > 0) return;
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
