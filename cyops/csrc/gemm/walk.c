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
        lanes->is_uniform &= lowest == highest;
    }
}

/* Whether lane i goes on from the segment that ends before it. */
static int continues(const gemm_operand *x, const gemm_lanes *lanes, const gemm_segment *segment, ptrdiff_t i,
                     gemm_segment *longer) {
    *longer = *segment;
    longer->width++;
    if (lanes->offset[i] != lanes->offset[i - 1] + 1) return 0;
    for (int w = 0; w < x->windows; w++) {
        ptrdiff_t step = lanes->place[w][i] - lanes->place[w][i - 1];
        if (segment->width > 1 ? step != (w == segment->window ? segment->step : 0) : step < 0) return 0;
        if (segment->width > 1 || step == 0) continue;
        if (longer->window != CYOPS_NO_WINDOW) return 0;
        longer->window = w;
        longer->step = step;
    }
    return 1;
}

static void find_segments(const gemm_operand *x, gemm_lanes *lanes) {
    lanes->segments = 0;
    for (ptrdiff_t i = 0; i < lanes->width; i++) {
        gemm_segment longer, *last = lanes->segments > 0 ? &lanes->segment[lanes->segments - 1] : NULL;
        if (last != NULL && continues(x, lanes, last, i, &longer)) {
            *last = longer;
            continue;
        }
        if (lanes->segments == GEMM_MOST_SEGMENTS) {
            lanes->segments = 0;
            return;
        }
        lanes->segment[lanes->segments++] = (gemm_segment){i, 1, 1, CYOPS_NO_WINDOW};
    }
}

void cyops_gemm_find_lanes(const gemm_operand *x, ptrdiff_t first, ptrdiff_t width, gemm_lanes *lanes) {
    lanes->width = width;
    cyops_gemm_offsets(&x->outer, first, width, lanes->offset);
    lanes->stride = width > 1 ? lanes->offset[1] - lanes->offset[0] : 1;
    lanes->is_regular = 1;
    for (ptrdiff_t i = 2; i < width; i++) lanes->is_regular &= lanes->offset[i] - lanes->offset[i - 1] == lanes->stride;
    lanes->is_uniform = 1;
    if (x->windows > 0) find_places(x, first, lanes);
    lanes->segments = 0;
    if (lanes->stride == 1 && width > 1 && !(lanes->is_regular && lanes->is_uniform)) find_segments(x, lanes);
}

/* The window whose place the innermost summed axis moves; CYOPS_NO_WINDOW where it moves none. */
static int moving_window(const gemm_operand *x) { return x->summed.ndim > 0 ? x->summed.windows[0] : CYOPS_NO_WINDOW; }

/* Whether all lanes lie inside every window along a whole run. */
static int is_inside(const gemm_operand *x, const gemm_lanes *lanes, const gemm_cursor *at, ptrdiff_t run) {
    const int moving = moving_window(x);
    for (int w = 0; w < x->windows; w++) {
        ptrdiff_t move = 0;
        if (w == moving)
            move = gemm_walk_place(&x->summed, 0, at->index[0] + run - 1) -
                   gemm_walk_place(&x->summed, 0, at->index[0]);
        if (lanes->lowest[w] + at->place[w] < 0) return 0;
        if (lanes->highest[w] + at->place[w] + move >= x->window[w].length) return 0;
    }
    return 1;
}

/* The elements of a run before those at which the moving window has come as far as `distance` from its place now. */
static ptrdiff_t elements_before(const gemm_operand *x, const gemm_cursor *at, ptrdiff_t distance) {
    const ptrdiff_t step = x->summed.steps[0], grain = x->summed.grains[0];
    if (distance <= 0) return 0;
    ptrdiff_t steps = step == 1 ? distance : (distance + step - 1) / step;
    return steps * grain - (grain == 1 ? 0 : at->index[0] % grain);
}

/* The elements [*first, *end) of a run at which lane i lies inside every window. */
static void find_inside(const gemm_operand *x, const gemm_lanes *lanes, ptrdiff_t i, const gemm_cursor *at,
                        ptrdiff_t run, ptrdiff_t *first, ptrdiff_t *end) {
    const int moving = moving_window(x);
    *first = 0;
    *end = run;
    for (int w = 0; w < x->windows; w++) {
        ptrdiff_t place = lanes->place[w][i] + at->place[w], length = x->window[w].length;
        if (w == moving) {
            ptrdiff_t before = elements_before(x, at, -place), until = elements_before(x, at, length - place);
            *first = before < run ? before : run;
            *end = until < *end ? until : *end;
        } else if (place < 0 || place >= length) {
            *end = 0;
        }
    }
    if (*first > *end) *end = *first;
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

/* What packing a run takes. */
typedef struct {
    const cyops_gemm_type *type;
    const gemm_operand *x;
    const char *data; /* of the operand */
    const gemm_lanes *lanes;
    ptrdiff_t stored;
} gemm_packing;

static void set_zero(const gemm_packing *p, ptrdiff_t steps, char *out) {
    memset(out, 0, (size_t)(steps * p->stored * p->type->itemsize));
}

/* All lanes at one place: what is inside is a run like any other. */
static void pack_uniform(const gemm_packing *p, const gemm_cursor *at, ptrdiff_t run, char *out) {
    ptrdiff_t first, end, itemsize = p->type->itemsize, stride = p->x->summed.ndim > 0 ? p->x->summed.strides[0] : 0;
    find_inside(p->x, p->lanes, 0, at, run, &first, &end);
    set_zero(p, first, out);
    if (end > first)
        pack_run(p->type, p->x, p->data + (at->offset + first * stride) * itemsize, p->lanes, p->stored, end - first,
                 out + first * p->stored * itemsize);
    set_zero(p, run - end, out + end * p->stored * itemsize);
}

/* A run along which no lane moves: each is inside or outside. */
static void pack_still(const gemm_packing *p, const gemm_cursor *at, ptrdiff_t run, char *out) {
    const void *places[CYOPS_GEMM_MAX_NR];
    const gemm_lanes *lanes = p->lanes;
    int any = 0;
    for (ptrdiff_t i = 0; i < lanes->width; i++) {
        int is_in = 1;
        for (int w = 0; w < p->x->windows; w++)
            is_in &= (size_t)(lanes->place[w][i] + at->place[w]) < (size_t)p->x->window[w].length;
        places[i] = is_in ? p->data + (lanes->offset[i] + at->offset) * p->type->itemsize : NULL;
        any |= is_in;
    }
    ptrdiff_t stride = p->x->summed.ndim > 0 ? p->x->summed.strides[0] : 0;
    if (any)
        p->type->pack_lanes(lanes->width, p->stored, run, places, stride, out);
    else
        set_zero(p, run, out);
}

#define LEAST_COPIED 8
#define COPIED 64 /* elements of a run that are copied for each lane that is partly outside: 16 KB of stack */

/* A run along memory that lanes enter or leave: those are given a copy with zeros in place of what lies outside. */
static void pack_with_copies(const gemm_packing *p, const gemm_cursor *at, ptrdiff_t run, char *out) {
    _Alignas(64) char copies[CYOPS_GEMM_MAX_NR * COPIED * sizeof(double)];
    const void *places[CYOPS_GEMM_MAX_NR];
    const ptrdiff_t itemsize = p->type->itemsize;
    for (ptrdiff_t i = 0; i < p->lanes->width; i++) {
        ptrdiff_t first, end;
        const char *source = p->data + (p->lanes->offset[i] + at->offset) * itemsize;
        find_inside(p->x, p->lanes, i, at, run, &first, &end);
        places[i] = end > first ? source : NULL;
        if (end == first || end - first == run) continue;
        char *copy = copies + i * COPIED * itemsize;
        memset(copy, 0, (size_t)(run * itemsize));
        memcpy(copy + first * itemsize, source + first * itemsize, (size_t)((end - first) * itemsize));
        places[i] = copy;
    }
    p->type->pack_lanes(p->lanes->width, p->stored, run, places, 1, out);
}

/* A run in pieces along which each lane stays inside or outside. */
static void pack_in_pieces(const gemm_packing *p, const gemm_cursor *at, ptrdiff_t run, char *out) {
    ptrdiff_t first[CYOPS_GEMM_MAX_NR], end[CYOPS_GEMM_MAX_NR], itemsize = p->type->itemsize;
    const gemm_lanes *lanes = p->lanes;
    ptrdiff_t stride = p->x->summed.ndim > 0 ? p->x->summed.strides[0] : 0;
    for (ptrdiff_t i = 0; i < lanes->width; i++) find_inside(p->x, lanes, i, at, run, &first[i], &end[i]);
    for (ptrdiff_t step = 0; step < run;) {
        const void *places[CYOPS_GEMM_MAX_NR];
        ptrdiff_t next = run;
        for (ptrdiff_t i = 0; i < lanes->width; i++) {
            int is_in = first[i] <= step && step < end[i];
            ptrdiff_t change = is_in ? end[i] : first[i] > step && first[i] < end[i] ? first[i] : run;
            next = change < next ? change : next;
            places[i] = is_in ? p->data + (lanes->offset[i] + at->offset + step * stride) * itemsize : NULL;
        }
        p->type->pack_lanes(lanes->width, p->stored, next - step, places, stride, out + step * p->stored * itemsize);
        step = next;
    }
}

/* Adds the lanes [from, until) of a segment, or of the padding where x is NULL. */
static ptrdiff_t add_pieces(cyops_gemm_piece *pieces, ptrdiff_t count, const char *x, ptrdiff_t from, ptrdiff_t until,
                            const cyops_gemm_type *type) {
    const ptrdiff_t most = type->nr / 2;
    for (ptrdiff_t width; from < until; from += width) {
        width = most < until - from ? most : until - from;
        pieces[count++] = (cyops_gemm_piece){x, from, width};
        if (x != NULL) x += width * type->itemsize;
    }
    return count;
}

/* The lanes [*from, *until) of a segment that lie inside every window, the moving one having moved by `moved`. */
static void find_lanes_inside(const gemm_packing *p, const gemm_segment *segment, const gemm_cursor *at,
                              ptrdiff_t moved, ptrdiff_t *from, ptrdiff_t *until) {
    *from = 0;
    *until = segment->width;
    for (int w = 0; w < p->x->windows; w++) {
        ptrdiff_t place = p->lanes->place[w][segment->lane] + at->place[w], length = p->x->window[w].length;
        if (w == moving_window(p->x)) place += moved;
        if (w != segment->window) {
            if (place < 0 || place >= length) *until = 0;
            continue;
        }
        ptrdiff_t step = segment->step, before = place < 0 ? -place : 0, left = length - place;
        if (step > 1) before = (before + step - 1) / step;
        if (step > 1 && left > 0) left = (left + step - 1) / step;
        *from = before;
        *until = left < *until ? left : *until;
    }
    if (*until < *from) *until = *from = 0;
}

/* A run whose lanes lie side by side, in a few segments, with what the moving window says for each of its steps. */
static void pack_segments(const gemm_packing *p, const gemm_cursor *at, ptrdiff_t run, char *out) {
    const gemm_walk *summed = &p->x->summed;
    const ptrdiff_t itemsize = p->type->itemsize, stride = summed->ndim > 0 ? summed->strides[0] : 0;
    const int moves = moving_window(p->x) != CYOPS_NO_WINDOW;
    for (ptrdiff_t step = 0, depth; step < run; step += depth) {
        cyops_gemm_piece pieces[3 * CYOPS_GEMM_MAX_NR];
        ptrdiff_t count = 0, moved = 0;
        depth = run - step;
        if (moves) {
            const ptrdiff_t grain = summed->grains[0], left = grain - (at->index[0] + step) % grain;
            moved = gemm_walk_place(summed, 0, at->index[0] + step) - gemm_walk_place(summed, 0, at->index[0]);
            depth = left < depth ? left : depth;
        }
        for (int i = 0; i < p->lanes->segments; i++) {
            const gemm_segment *segment = &p->lanes->segment[i];
            ptrdiff_t from, until, lane = segment->lane;
            find_lanes_inside(p, segment, at, moved, &from, &until);
            const char *x = p->data + (p->lanes->offset[lane] + at->offset + step * stride + from) * itemsize;
            count = add_pieces(pieces, count, NULL, lane, lane + from, p->type);
            count = add_pieces(pieces, count, x, lane + from, lane + until, p->type);
            count = add_pieces(pieces, count, NULL, lane + until, lane + segment->width, p->type);
        }
        p->type->pack_pieces(count, pieces, p->lanes->width, p->stored, depth, stride,
                             out + step * p->stored * itemsize);
    }
}

/* A run that touches the padding. */
static void pack_at_border(const gemm_packing *p, const gemm_cursor *at, ptrdiff_t run, char *out) {
    if (p->lanes->is_uniform)
        pack_uniform(p, at, run, out);
    else if (moving_window(p->x) == CYOPS_NO_WINDOW)
        pack_still(p, at, run, out);
    else if (p->x->summed.strides[0] == 1 && run <= COPIED && run >= LEAST_COPIED)
        pack_with_copies(p, at, run, out);
    else
        pack_in_pieces(p, at, run, out);
}

void cyops_gemm_pack_lanes(const cyops_gemm_type *type, const gemm_operand *x, const char *data,
                           const gemm_lanes *lanes, ptrdiff_t stored, ptrdiff_t k, ptrdiff_t depth, char *out) {
    const gemm_packing packing = {type, x, data, lanes, stored};
    gemm_cursor at;
    gemm_cursor_to(&x->summed, &at, k);
    while (depth > 0) {
        ptrdiff_t run = gemm_cursor_run(&x->summed, &at);
        if (run > depth) run = depth;
        int inside = is_inside(x, lanes, &at, run);
        int is_short = moving_window(x) == CYOPS_NO_WINDOW || run < LEAST_COPIED;
        if (lanes->segments > 0 && is_short && !(inside && lanes->is_regular)) {
            pack_segments(&packing, &at, run, out);
        } else if (inside) {
            pack_run(type, x, data + at.offset * type->itemsize, lanes, stored, run, out);
        } else {
            if (!lanes->is_uniform && run > COPIED && x->summed.windows[0] >= 0 && x->summed.strides[0] == 1)
                run = COPIED;
            pack_at_border(&packing, &at, run, out);
        }
        gemm_cursor_on(&x->summed, &at, run);
        depth -= run;
        out += run * stored * type->itemsize;
    }
}
