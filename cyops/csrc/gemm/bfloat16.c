/* Matrix products of bfloat16, summed in float32.
 *
 * Where the instruction set multiplies pairs (AVX-512 BF16: x0 y0 + x1 y1 added to a float32), an operand becomes a view
 * of half the depth whose elements are pairs of neighbours along k, 4 bytes each, and the product is that of float32
 * with another multiply-add: every driver, cut and strided path serves as it is. An operand whose k runs along memory
 * holds pairs already and is read in place; another is interleaved into scratch, and so is one with a mask. An odd depth
 * is filled up with zeros. Elsewhere the operands are widened to float32 in scratch. What both promise: docs/accuracy.md.
 */
#include "base/axes.h"
#include "elementwise/elementwise.h"
#include "gemm/problem.h"
#include "runtime/pool.h"
#include "runtime/scratch.h"

#define TILE 16384 /* pairs made at a time: about 5 us */
#define NANOSECONDS_A_PAIR 0.3

/* An operand on its way to pairs. Tensors of the walk: x, its mask, the pairs. */
typedef struct {
    const cyops_gemm_pairs *kernels;
    cyops_axes axes;
    const uint16_t *x, *mask; /* without a mask NULL */
    uint32_t *out;
    ptrdiff_t high, high_mask; /* from an element to the other of its pair, of x and of the mask */
    int is_half; /* only the low one is there */
} pairing;

/* x where y > 0, else 0: a NaN is not. */
static uint16_t keep_where_positive(uint16_t x, uint16_t y) { return (uint16_t)(y - 1) < 0x7f80 ? x : 0; }

/* The pairs of one run. */
static void pair_run(const pairing *job, const cyops_place *place, ptrdiff_t n) {
    const int has_axis = job->axes.ndim > 0;
    const ptrdiff_t stride = has_axis ? job->axes.strides[0][0] : 0;
    const ptrdiff_t mask_stride = has_axis ? job->axes.strides[1][0] : 0;
    const ptrdiff_t out_stride = has_axis ? job->axes.strides[2][0] : 0; /* 1, but where an odd depth is in between */
    const uint16_t *x = job->x + place->offset[0];
    const uint16_t *mask = job->mask == NULL ? NULL : job->mask + place->offset[1];
    uint32_t *out = job->out + place->offset[2];
    if (mask == NULL && !job->is_half && out_stride <= 1) {
        job->kernels->pair(n, x, stride, job->high, out);
        return;
    }
    for (ptrdiff_t i = 0; i < n; i++) {
        uint16_t low = x[i * stride], high = job->is_half ? 0 : x[i * stride + job->high];
        if (mask != NULL) {
            low = keep_where_positive(low, mask[i * mask_stride]);
            high = job->is_half ? 0 : keep_where_positive(high, mask[i * mask_stride + job->high_mask]);
        }
        out[i * out_stride] = low | (uint32_t)high << 16;
    }
}

static void pair_tile(void *context, ptrdiff_t tile) {
    const pairing *job = context;
    ptrdiff_t left = gemm_least(TILE, job->axes.count - tile * TILE);
    cyops_place place;
    cyops_walk_to(&job->axes, &place, tile * TILE);
    while (left > 0) {
        ptrdiff_t n = gemm_least(left, cyops_walk_run(&job->axes, &place));
        pair_run(job, &place, n);
        cyops_walk_on(&job->axes, &place, n);
        left -= n;
    }
}

static void make_pairs(pairing *job) {
    ptrdiff_t tiles = gemm_ceil_div(job->axes.count, TILE);
    if (cyops_is_worth_sharing(job->axes.count * NANOSECONDS_A_PAIR)) {
        cyops_parallel(tiles, pair_tile, job);
    } else {
        for (ptrdiff_t tile = 0; tile < tiles; tile++) pair_tile(job, tile);
    }
}

static ptrdiff_t size_of_stride(ptrdiff_t stride) { return stride < 0 ? -stride : stride; }

/* Gives the pairs of x, whose axis `k` is halved, their strides in scratch: in the order of x's in memory, which is
 * listed, innermost first. An axis that x repeats along is repeated along. Returns how many pairs there are. */
static ptrdiff_t lay_out_pairs(const cyops_view *x, cyops_view *pairs, int order[CYOPS_MAX_NDIM]) {
    for (int axis = 0; axis < x->ndim; axis++) {
        int place = axis;
        for (; place > 0; place--) {
            if (size_of_stride(x->strides[order[place - 1]]) <= size_of_stride(x->strides[axis])) break;
            order[place] = order[place - 1];
        }
        order[place] = axis;
    }
    ptrdiff_t stride = 1;
    for (int place = 0; place < x->ndim; place++) {
        int axis = order[place];
        int is_one = pairs->shape[axis] == 1 || x->strides[axis] == 0;
        pairs->strides[axis] = is_one ? 0 : stride;
        if (!is_one) stride *= pairs->shape[axis];
    }
    return stride;
}

/* The axes of the walk over whole pairs, or over what an odd depth leaves. */
static void list_axes(pairing *job, const cyops_view *x, const cyops_view *mask, const cyops_view *pairs, int k,
                      const int *order) {
    cyops_axes_begin(&job->axes, 3);
    for (int place = 0; place < x->ndim; place++) {
        int axis = order[place], step = axis == k ? 2 : 1;
        if (pairs->strides[axis] == 0 || (axis == k && job->is_half)) continue;
        const ptrdiff_t strides[3] = {step * x->strides[axis], mask == NULL ? 0 : step * mask->strides[axis],
                                      pairs->strides[axis]};
        cyops_axes_add(&job->axes, axis == k ? x->shape[k] / 2 : x->shape[axis], strides);
    }
    cyops_axes_merge(&job->axes);
}

/* Whether two neighbours along k lie side by side everywhere, aligned as pairs are. */
static int holds_pairs(const cyops_view *x, int k) {
    if (x->shape[k] % 2 != 0 || x->strides[k] != 1 || (uintptr_t)x->data % sizeof(uint32_t) != 0) return 0;
    for (int axis = 0; axis < x->ndim; axis++)
        if (axis != k && x->strides[axis] % 2 != 0) return 0;
    return 1;
}

/* `pairs` becomes x with its axis k in pairs, an element 0 where its mask is not positive; *scratch what is to be given
 * back. */
static int pair_operand(const cyops_view *x, const cyops_view *mask, int k, cyops_view *pairs, char **scratch) {
    *scratch = NULL;
    *pairs = *x;
    pairs->dtype = CYOPS_FLOAT32;
    pairs->itemsize = sizeof(uint32_t);
    pairs->shape[k] = gemm_ceil_div(x->shape[k], 2);
    if (mask == NULL && holds_pairs(x, k)) {
        for (int axis = 0; axis < x->ndim; axis++)
            pairs->strides[axis] = pairs->shape[axis] == 1 ? 0 : axis == k ? 1 : x->strides[axis] / 2;
        return CYOPS_OK;
    }
    cyops_view source = *x; /* repeats where pairs do: not where a mask differs or the last pair is half a one */
    if (x->shape[k] % 2 != 0 && x->strides[k] == 0) source.strides[k] = 1;
    for (int axis = 0; mask != NULL && axis < x->ndim; axis++)
        if (mask->strides[axis] != 0 && x->strides[axis] == 0) source.strides[axis] = mask->strides[axis];
    int order[CYOPS_MAX_NDIM];
    ptrdiff_t count = lay_out_pairs(&source, pairs, order);
    *scratch = cyops_take_scratch((size_t)count * sizeof(uint32_t));
    if (*scratch == NULL) return CYOPS_NO_MEMORY;
    pairs->data = *scratch;
    pairing job = {
        .kernels = cyops_active->gemm->pairs,
        .x = (const uint16_t *)x->data,
        .mask = mask == NULL ? NULL : (const uint16_t *)mask->data,
        .out = (uint32_t *)*scratch,
        .high = x->strides[k],
        .high_mask = mask == NULL ? 0 : mask->strides[k],
    };
    list_axes(&job, x, mask, pairs, k, order);
    if (x->shape[k] > 1) make_pairs(&job);
    if (x->shape[k] % 2 == 0) return CYOPS_OK;
    const ptrdiff_t last = x->shape[k] - 1;
    job.is_half = 1;
    job.x += last * x->strides[k];
    job.mask = mask == NULL ? NULL : job.mask + last * mask->strides[k];
    job.out += last / 2 * pairs->strides[k];
    list_axes(&job, x, mask, pairs, k, order);
    make_pairs(&job);
    return CYOPS_OK;
}

enum { A, B, MASK, COUNT };

/* An operand of a contraction, or its mask, as a view: over the axes that it has and that no window moves, then over the
 * memory that each window slides along. */
typedef struct {
    cyops_view view;
    int axes[CYOPS_MAX_NDIM]; /* which of the contraction's each is, of those without a window */
    int plain;                /* how many these are */
    int moves[CYOPS_MOST_WINDOWS]; /* whether an axis moves the window: else it stands where its first place is */
    int k;                    /* of the view: the axis that pairs are made along */
} operand_view;

static int is_of_b(const cyops_contraction *x, int what) { return what == B || (what == MASK &&x->is_mask_of_b); }

static ptrdiff_t *stride_of(cyops_contraction_axis *axis, int what) {
    return what == A ? &axis->a : what == B ? &axis->b : &axis->mask;
}

static int has_window(const cyops_contraction *x, int what, const cyops_contraction_axis *axis) {
    return !is_of_b(x, what) && axis->window != CYOPS_NO_WINDOW;
}

/* The axis of the memory that window `w` slides along, from its beginning on: what places outside would name is not
 * there. */
static void view_window(cyops_contraction *x, int what, int w, operand_view *found) {
    cyops_view *view = &found->view;
    const cyops_window *window = &x->window[w];
    ptrdiff_t stride = 0;
    found->moves[w] = 0;
    for (int i = 0; i < x->ndim; i++) {
        cyops_contraction_axis *axis = &x->axes[i];
        if (axis->window != w || axis->length <= 1) continue;
        stride = *stride_of(axis, what) / axis->step;
        found->moves[w] = 1;
    }
    if (found->moves[w]) view->data -= window->first * stride * view->itemsize;
    const ptrdiff_t places = found->moves[w] ? window->length : window->first >= 0 && window->first < window->length;
    view->shape[view->ndim] = places;
    view->strides[view->ndim++] = places > 1 ? stride : 0;
    view->size *= places;
}

/* Whether there are so few axes that it can be one. */
static int view_operand(cyops_contraction *x, int what, int k, operand_view *found) {
    const char *const data[COUNT] = {x->a, x->b, x->mask};
    const int dtypes[COUNT] = {x->dtype_a, x->dtype_b, x->dtype_mask};
    const int windows = is_of_b(x, what) ? 0 : x->windows;
    cyops_view *view = &found->view;
    *view = (cyops_view){.data = (char *)data[what], .size = 1, .dtype = dtypes[what]};
    view->itemsize = cyops_itemsize(view->dtype);
    for (int i = 0; i < x->ndim; i++) {
        cyops_contraction_axis *axis = &x->axes[i];
        if (axis->part == (is_of_b(x, what) ? CYOPS_ROW : CYOPS_COLUMN) || has_window(x, what, axis)) continue;
        if (view->ndim == CYOPS_MAX_NDIM - windows) return 0;
        if (i == k) found->k = view->ndim;
        found->axes[view->ndim] = i;
        view->shape[view->ndim] = axis->length;
        view->strides[view->ndim++] = axis->length > 1 ? *stride_of(axis, what) : 0;
        view->size *= axis->length;
    }
    found->plain = view->ndim;
    for (int w = 0; w < windows; w++) view_window(x, what, w, found);
    return 1;
}

/* Gives the contraction an operand that lies elsewhere, as `by`, which has the axes of `given`. */
static void replace_operand(cyops_contraction *x, int what, const operand_view *given, const cyops_view *by) {
    const char *data = by->data;
    for (int i = 0; i < given->plain; i++) *stride_of(&x->axes[given->axes[i]], what) = by->strides[i];
    for (int w = 0; w < by->ndim - given->plain; w++)
        if (given->moves[w]) data += x->window[w].first * by->strides[given->plain + w] * by->itemsize;
    for (int i = 0; i < x->ndim; i++) {
        cyops_contraction_axis *axis = &x->axes[i];
        if (has_window(x, what, axis)) *stride_of(axis, what) = axis->step * by->strides[given->plain + axis->window];
    }
    *(what == A ? &x->a : what == B ? &x->b : &x->mask) = data;
}

/* The last summed axis that is longer than 1 and has no window, else one of length 1, which is added where there is room;
 * -1 where there is none. */
static int axis_of_pairs(cyops_contraction *x) {
    for (int i = x->ndim - 1; i >= 0; i--)
        if (x->axes[i].part == CYOPS_SUMMED && x->axes[i].window == CYOPS_NO_WINDOW && x->axes[i].length != 1) return i;
    if (x->ndim == CYOPS_CONTRACTION_AXES) return -1;
    x->axes[x->ndim] = (cyops_contraction_axis){.part = CYOPS_SUMMED, .window = CYOPS_NO_WINDOW, .length = 1};
    return x->ndim++;
}

/* Axes walked as one in b, in its mask and in the sums. */
typedef struct {
    gemm_walk b, mask, sums;
} sums_walk;

static void begin_walks(sums_walk *walk) {
    gemm_walk_begin(&walk->b);
    gemm_walk_begin(&walk->mask);
    gemm_walk_begin(&walk->sums);
}

static void add_to_walks(sums_walk *walk, const cyops_contraction_axis *axis) {
    gemm_walk_add(&walk->b, axis->length, axis->b, CYOPS_NO_WINDOW, 0);
    gemm_walk_add(&walk->mask, axis->length, axis->mask, CYOPS_NO_WINDOW, 0);
    gemm_walk_add(&walk->sums, axis->length, axis->sums, CYOPS_NO_WINDOW, 0);
}

static float widened(uint16_t bits) {
    const union {
        uint32_t bits;
        float number;
    } wide = {(uint32_t)bits << 16};
    return wide.number;
}

/* The sums of one batch: b over its summed positions, in their order. */
static void sum_batch(const cyops_contraction_axis *column, const sums_walk *summed, const uint16_t *b,
                      const uint16_t *mask, float *sums) {
    for (ptrdiff_t j = 0; j < column->length; j++) sums[j] = 0;
    for (ptrdiff_t k = 0, offset, of_mask; k < summed->b.count; k++) {
        cyops_gemm_offsets(&summed->b, k, 1, &offset);
        cyops_gemm_offsets(&summed->mask, k, 1, &of_mask);
        for (ptrdiff_t j = 0; j < column->length; j++) {
            const uint16_t bits = b[offset + j * column->b];
            sums[j] += widened(mask != NULL ? keep_where_positive(bits, mask[of_mask + j * column->mask]) : bits);
        }
    }
}

static void sum_columns(const cyops_contraction *x) {
    const cyops_contraction_axis none = {.length = 1}, *column = &none;
    sums_walk summed, batches;
    begin_walks(&summed);
    begin_walks(&batches);
    for (int i = x->ndim - 1; i >= 0; i--) {
        const cyops_contraction_axis *axis = &x->axes[i];
        if (axis->part == CYOPS_COLUMN) column = axis;
        if (axis->part == CYOPS_SUMMED) add_to_walks(&summed, axis);
        if (axis->part == CYOPS_BATCH) add_to_walks(&batches, axis);
    }
    for (ptrdiff_t i = 0, b, mask, sums; i < batches.b.count; i++) {
        cyops_gemm_offsets(&batches.b, i, 1, &b);
        cyops_gemm_offsets(&batches.mask, i, 1, &mask);
        cyops_gemm_offsets(&batches.sums, i, 1, &sums);
        sum_batch(column, &summed, (const uint16_t *)x->b + b,
                  x->mask == NULL ? NULL : (const uint16_t *)x->mask + mask, (float *)x->sums + sums);
    }
}

static int has_rows(const cyops_contraction *x) {
    for (int i = 0; i < x->ndim; i++)
        if (x->axes[i].part == CYOPS_ROW && x->axes[i].length == 0) return 0;
    return 1;
}

static int multiply_pairs(const cyops_contraction *given) {
    cyops_contraction x = *given;
    operand_view views[COUNT];
    cyops_view pairs[2];
    char *scratch[2] = {NULL, NULL};
    const int k = axis_of_pairs(&x), count = x.mask == NULL ? MASK : COUNT;
    for (int what = A; what < count; what++)
        if (k < 0 || !view_operand(&x, what, k, &views[what])) return CYOPS_NO_KERNEL;
    if (x.sums != NULL) sum_columns(&x);
    if (!has_rows(&x)) return CYOPS_OK;
    int status = CYOPS_OK;
    for (int what = A; what <= B && status == CYOPS_OK; what++) {
        const cyops_view *mask = x.mask != NULL && x.is_mask_of_b == (what == B) ? &views[MASK].view : NULL;
        status = pair_operand(&views[what].view, mask, views[what].k, &pairs[what], &scratch[what]);
    }
    if (status == CYOPS_OK) {
        for (int what = A; what <= B; what++) replace_operand(&x, what, &views[what], &pairs[what]);
        x.axes[k].length = pairs[A].shape[views[A].k];
        x.mask = NULL;
        x.sums = NULL;
        x.pairs = 1;
        status = cyops_contract(&x);
    }
    cyops_give_scratch(scratch[B]);
    cyops_give_scratch(scratch[A]);
    return status;
}

/* `wide` becomes x in float32; *scratch what is to be given back. */
static int widen(const cyops_view *x, cyops_view *wide, char **scratch) {
    cyops_view source = *x;
    int order[CYOPS_MAX_NDIM];
    *wide = *x;
    wide->dtype = CYOPS_FLOAT32;
    wide->itemsize = sizeof(float);
    source.size = wide->size = lay_out_pairs(x, wide, order);
    for (int axis = 0; axis < x->ndim; axis++)
        if (x->shape[axis] == 0) return CYOPS_OK;
    *scratch = cyops_take_scratch((size_t)wide->size * sizeof(float));
    if (*scratch == NULL) return CYOPS_NO_MEMORY;
    wide->data = *scratch;
    cyops_view target = *wide;
    for (int axis = 0; axis < x->ndim; axis++)
        if (x->strides[axis] == 0) source.shape[axis] = target.shape[axis] = 1;
    return cyops_cast(&target, &source);
}

static int multiply_widened(const cyops_contraction *given) {
    cyops_contraction x = *given;
    char *scratch[COUNT] = {NULL};
    const int dtypes[COUNT] = {x.dtype_a, x.dtype_b, x.dtype_mask};
    int status = CYOPS_OK;
    for (int what = A; what < (x.mask == NULL ? MASK : COUNT) && status == CYOPS_OK; what++) {
        operand_view view;
        cyops_view wide;
        if (dtypes[what] != CYOPS_BFLOAT16) continue;
        status = view_operand(&x, what, -1, &view) ? widen(&view.view, &wide, &scratch[what]) : CYOPS_NO_KERNEL;
        if (status == CYOPS_OK) replace_operand(&x, what, &view, &wide);
    }
    x.dtype_a = x.dtype_b = x.dtype_mask = x.dtype;
    if (status == CYOPS_OK) status = cyops_contract(&x);
    for (int i = COUNT - 1; i >= 0; i--) cyops_give_scratch(scratch[i]);
    return status;
}

int cyops_contract_bfloat16(const cyops_contraction *x) {
    const int dtypes[COUNT] = {x->dtype_a, x->dtype_b, x->mask == NULL ? CYOPS_BFLOAT16 : x->dtype_mask};
    int all_are = 1;
    for (int what = A; what < COUNT; what++) {
        if (dtypes[what] != CYOPS_BFLOAT16 && dtypes[what] != CYOPS_FLOAT32) return CYOPS_NO_KERNEL;
        all_are &= dtypes[what] == CYOPS_BFLOAT16;
    }
    return all_are && cyops_active->gemm->pairs != NULL ? multiply_pairs(x) : multiply_widened(x);
}
