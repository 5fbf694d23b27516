/* Panels packed from where their elements lie: see walk.h.
 *
 * A panel's lanes are found once, and its summed positions are taken in runs along the innermost axis. Most runs have
 * lanes that one stride leads along and lie inside every window, and go to the packing of constant strides. Others are
 * given as an address for each lane, NULL for those in the padding.
 */
#include "gemm/walk.h"

#include <string.h>

const double cyops_gemm_zeros[CYOPS_GEMM_MAX_DEPTH];

void cyops_gemm_offsets(const gemm_walk *walk, ptrdiff_t first, ptrdiff_t count, ptrdiff_t *offsets) {
    gemm_cursor cursor;
    gemm_cursor_to(walk, &cursor, first);
    while (count > 0) {
        ptrdiff_t run = gemm_cursor_run(walk, &cursor), stride = walk->ndim > 0 ? walk->strides[0] : 0;
        if (run > count) run = count;
        for (ptrdiff_t i = 0; i < run; i++) *offsets++ = cursor.offset + i * stride;
        gemm_cursor_on(walk, &cursor, run);
        count -= run;
    }
}

static void find_places(const gemm_operand *x, ptrdiff_t first, gemm_lanes *lanes) {
    gemm_cursor cursor;
    gemm_cursor_to(&x->outer, &cursor, first);
    for (ptrdiff_t i = 0; i < lanes->width; i++) {
        for (int w = 0; w < x->windows; w++) lanes->place[w][i] = x->window[w].first + cursor.place[w];
        gemm_cursor_on(&x->outer, &cursor, 1);
    }
    for (int w = 0; w < x->windows; w++) {
        ptrdiff_t lowest = lanes->place[w][0], highest = lowest;
        for (ptrdiff_t i = 1; i < lanes->width; i++) {
            ptrdiff_t place = lanes->place[w][i];
            lowest = place < lowest ? place : lowest;
            highest = place > highest ? place : highest;
        }
        lanes->lowest[w] = lowest;
        lanes->highest[w] = highest;
    }
}

void cyops_gemm_find_lanes(const gemm_operand *x, ptrdiff_t first, ptrdiff_t width, gemm_lanes *lanes) {
    lanes->width = width;
    cyops_gemm_offsets(&x->outer, first, width, lanes->offset);
    lanes->stride = width > 1 ? lanes->offset[1] - lanes->offset[0] : 1;
    lanes->is_regular = 1;
    for (ptrdiff_t i = 2; i < width; i++) lanes->is_regular &= lanes->offset[i] - lanes->offset[i - 1] == lanes->stride;
    if (x->windows > 0) find_places(x, first, lanes);
}

/* Whether all lanes lie inside every window along a whole run. */
static int is_inside(const gemm_operand *x, const gemm_lanes *lanes, const gemm_cursor *at, ptrdiff_t run) {
    for (int w = 0; w < x->windows; w++) {
        ptrdiff_t last = x->summed.ndim > 0 && x->summed.windows[0] == w ? (run - 1) * x->summed.steps[0] : 0;
        if (lanes->lowest[w] + at->place[w] < 0) return 0;
        if (lanes->highest[w] + at->place[w] + last >= x->window[w].length) return 0;
    }
    return 1;
}

/* How many multiples of `step` lie in [0, distance). */
static ptrdiff_t steps_within(ptrdiff_t distance, ptrdiff_t step) {
    if (distance <= 0) return 0;
    return step == 1 ? distance : (distance + step - 1) / step;
}

/* The steps [*first, *end) of a run at which lane i lies inside every window. */
static void find_inside(const gemm_operand *x, const gemm_lanes *lanes, ptrdiff_t i, const gemm_cursor *at,
                        ptrdiff_t run, ptrdiff_t *first, ptrdiff_t *end) {
    *first = 0;
    *end = run;
    for (int w = 0; w < x->windows; w++) {
        ptrdiff_t place = lanes->place[w][i] + at->place[w], length = x->window[w].length;
        if (x->summed.ndim > 0 && x->summed.windows[0] == w) {
            ptrdiff_t before = steps_within(-place, x->summed.steps[0]);
            ptrdiff_t until = steps_within(length - place, x->summed.steps[0]);
            *first = before > *first ? before : *first;
            *end = until < *end ? until : *end;
        } else if (place < 0 || place >= length) {
            *end = 0;
        }
    }
}

/* A run that touches the padding, in pieces along which each lane stays inside or outside. */
static void pack_at_border(const cyops_gemm_type *type, const gemm_operand *x, const char *data,
                           const gemm_lanes *lanes, ptrdiff_t stored, const gemm_cursor *at, ptrdiff_t run, char *out) {
    ptrdiff_t first[CYOPS_GEMM_MAX_NR], end[CYOPS_GEMM_MAX_NR], itemsize = type->itemsize;
    ptrdiff_t stride = x->summed.ndim > 0 ? x->summed.strides[0] : 0;
    for (ptrdiff_t i = 0; i < lanes->width; i++) find_inside(x, lanes, i, at, run, &first[i], &end[i]);
    for (ptrdiff_t step = 0; step < run;) {
        const void *places[CYOPS_GEMM_MAX_NR];
        ptrdiff_t next = run;
        for (ptrdiff_t i = 0; i < lanes->width; i++) {
            int is_in = first[i] <= step && step < end[i];
            ptrdiff_t change = is_in ? end[i] : first[i] > step && first[i] < end[i] ? first[i] : run;
            next = change < next ? change : next;
            places[i] = is_in ? data + (lanes->offset[i] + at->offset + step * stride) * itemsize : NULL;
        }
        type->pack_lanes(lanes->width, stored, next - step, places, stride, out + step * stored * itemsize);
        step = next;
    }
}

/* A run inside every window. */
static void pack_run(const cyops_gemm_type *type, const gemm_operand *x, const char *data, const gemm_lanes *lanes,
                     ptrdiff_t stored, ptrdiff_t run, char *out) {
    ptrdiff_t stride = x->summed.ndim > 0 ? x->summed.strides[0] : 0, itemsize = type->itemsize;
    if (lanes->is_regular) {
        type->pack(lanes->width, stored, run, data + lanes->offset[0] * itemsize, lanes->stride, stride, out);
        return;
    }
    const void *places[CYOPS_GEMM_MAX_NR];
    for (ptrdiff_t i = 0; i < lanes->width; i++) places[i] = data + lanes->offset[i] * itemsize;
    type->pack_lanes(lanes->width, stored, run, places, stride, out);
}

void cyops_gemm_pack_lanes(const cyops_gemm_type *type, const gemm_operand *x, const char *data,
                           const gemm_lanes *lanes, ptrdiff_t stored, ptrdiff_t k, ptrdiff_t depth, char *out) {
    gemm_cursor at;
    gemm_cursor_to(&x->summed, &at, k);
    while (depth > 0) {
        ptrdiff_t run = gemm_cursor_run(&x->summed, &at);
        if (run > depth) run = depth;
        if (is_inside(x, lanes, &at, run))
            pack_run(type, x, data + at.offset * type->itemsize, lanes, stored, run, out);
        else
            pack_at_border(type, x, data, lanes, stored, &at, run, out);
        gemm_cursor_on(&x->summed, &at, run);
        depth -= run;
        out += run * stored * type->itemsize;
    }
}
