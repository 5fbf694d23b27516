/* Walks the windows of tensors of any strides, box by box. See pool.h.
 *
 * Two axes of the result are those of a box: the vectors go along the one whose elements lie closest together, the
 * channels of channels_last and the width of channels_first, and rows along the next. The others are walked place by
 * place, and shared between threads.
 */
#include "pool/pool.h"
#include "base/system.h"
#include "runtime/dispatch.h"
#include "runtime/pool.h"
#include "runtime/scratch.h"

#define TILE_ELEMENTS ((ptrdiff_t)32 << 10) /* of result and operand: docs/kernels.md, Pooling */
#define NANOSECONDS_PER_ELEMENT 0.15        /* of both, maximum of 2 x 2 */
#define LANE 0
#define ROW 1

typedef struct {
    ptrdiff_t length, out_stride, x_stride, index_stride;
    cyops_pool_axis windows; /* windows.windows is NULL for an axis without */
    ptrdiff_t number_scale;
} pool_axis;

typedef struct {
    cyops_pool_op op;
    cyops_pool_loop loop;
    const cyops_view *out, *x, *indices;
    int ndim;
    pool_axis axes[CYOPS_MAX_NDIM + 2]; /* in C order, then as many without windows, of length 1, as make two */
    int order[CYOPS_MAX_NDIM + 2]; /* of the axes: that of the lanes, that of rows, those walked, innermost first */
    ptrdiff_t rows; /* the places of those walked, together */
    ptrdiff_t tile_rows;
    ptrdiff_t most_taps;
    int status;
} pool_plan;

/* What one tile works with. */
typedef struct {
    const cyops_pool_window *windows[CYOPS_MAX_NDIM + 2]; /* where each axis stands; NULL for one without windows */
    const cyops_pool_window *tabled[CYOPS_MAX_NDIM + 2]; /* those that the taps below are of */
    int is_tabled;
    ptrdiff_t *offsets, *index_offsets;
    double *numbers, *weights;
    ptrdiff_t taps;
} pool_state;

static ptrdiff_t size_of(ptrdiff_t n) { return n < 0 ? -n : n; }

/* Whether axis `a` lies closer together than `b`: in the result, which has the order of the operand. */
static int is_inner(const pool_axis *a, const pool_axis *b) {
    if ((a->length > 1) != (b->length > 1)) return a->length > 1;
    return size_of(a->out_stride) < size_of(b->out_stride);
}

static void order_axes(pool_plan *plan) {
    for (int i = 0; i < plan->ndim; i++) {
        int j = i;
        for (; j > 0 && !is_inner(&plan->axes[plan->order[j - 1]], &plan->axes[i]); j--)
            plan->order[j] = plan->order[j - 1];
        plan->order[j] = i;
    }
}

static ptrdiff_t most_taps_of(const pool_axis *axis) {
    ptrdiff_t most = 1;
    for (ptrdiff_t i = 0; axis->windows.windows != NULL && i < axis->length; i++)
        if (axis->windows.windows[i].taps > most) most = axis->windows.windows[i].taps;
    return most;
}

static void plan_axes(pool_plan *plan, const cyops_pool_axis *axes) {
    ptrdiff_t numbers = 1;
    plan->most_taps = plan->rows = 1;
    for (int i = plan->out->ndim - 1; i >= 0; i--) {
        pool_axis *axis = &plan->axes[i];
        *axis = (pool_axis){.length = plan->out->shape[i], .windows = axes[i], .number_scale = numbers};
        axis->out_stride = plan->out->strides[i];
        axis->x_stride = plan->x->strides[i];
        if (plan->indices != NULL) axis->index_stride = plan->indices->strides[i];
        if (axes[i].windows != NULL) numbers *= axes[i].numbers;
        plan->most_taps *= most_taps_of(axis);
    }
    plan->ndim = plan->out->ndim;
    while (plan->ndim < 2) plan->axes[plan->ndim++] = (pool_axis){.length = 1};
    order_axes(plan);
    for (int i = 2; i < plan->ndim; i++) plan->rows *= plan->axes[plan->order[i]].length;
}

/* The product of the taps of all axes, in C order. */
static void table_taps(const pool_plan *plan, pool_state *state) {
    int is_same = state->is_tabled;
    for (int i = 0; i < plan->ndim && is_same; i++) {
        const cyops_pool_window *now = state->windows[i], *then = state->tabled[i];
        is_same = now == then || (now != NULL && now->taps == then->taps && now->number == then->number &&
                                  now->weights == then->weights);
    }
    if (is_same) return;
    memcpy(state->tabled, state->windows, sizeof state->tabled);
    state->is_tabled = 1;
    state->taps = 1;
    state->offsets[0] = state->index_offsets[0] = 0;
    state->numbers[0] = 0;
    state->weights[0] = 1;
    for (int i = 0; i < plan->ndim; i++) {
        const pool_axis *axis = &plan->axes[i];
        const cyops_pool_window *window = state->windows[i];
        if (window == NULL) continue;
        for (ptrdiff_t t = state->taps * window->taps - 1; t >= 0; t--) { /* from the last: a tap is made in place */
            const ptrdiff_t outer = t / window->taps, inner = t % window->taps;
            const ptrdiff_t number = window->number + inner * axis->windows.number_step;
            const double weight = state->weights[outer] * (window->weights == NULL ? 1 : window->weights[inner]);
            state->offsets[t] = state->offsets[outer] + inner * axis->x_stride;
            state->index_offsets[t] = state->index_offsets[outer] + inner * axis->index_stride;
            state->numbers[t] = state->numbers[outer] + (double)(number * axis->number_scale);
            state->weights[t] = weight;
        }
        state->taps *= window->taps;
    }
}

/* Puts an axis of the box at a place and says how many like it follow. */
static ptrdiff_t enter(const pool_plan *plan, pool_state *state, cyops_pool_box *box, int side, ptrdiff_t place) {
    const int i = plan->order[side];
    const pool_axis *axis = &plan->axes[i];
    const cyops_pool_window *window = axis->windows.windows;
    const ptrdiff_t step = window == NULL ? 1 : axis->windows.step,
                    advance = window == NULL ? 1 : axis->windows.advance;
    const int looks_back = plan->op == CYOPS_POOL_PUT;
    box->out_strides[side] = axis->out_stride * step;
    box->x_strides[side] = axis->x_stride * advance;
    box->index_strides[side] = axis->index_stride * (looks_back ? advance : step);
    state->windows[i] = window == NULL ? NULL : window + place;
    return window == NULL ? axis->length : window[place].run;
}

/* Where element `place` of an axis begins: in the result, the operand and the indices. */
typedef struct {
    ptrdiff_t out, x, index;
} pool_place;

static pool_place place_of(const pool_plan *plan, int i, ptrdiff_t place) {
    const pool_axis *axis = &plan->axes[i];
    const cyops_pool_window *window = axis->windows.windows;
    const ptrdiff_t seen = window == NULL ? place : window[place].taps == 0 ? 0 : window[place].first;
    const ptrdiff_t index = plan->op == CYOPS_POOL_PUT ? seen : place;
    return (pool_place){place * axis->out_stride, seen * axis->x_stride, index * axis->index_stride};
}

static void run_box(const pool_plan *plan, pool_state *state, cyops_pool_box *box, const pool_place *at) {
    const ptrdiff_t itemsize = plan->out->itemsize;
    table_taps(plan, state);
    box->taps = state->taps;
    box->out = plan->out->data + at->out * itemsize;
    box->x = plan->x->data + at->x * itemsize;
    if (plan->indices != NULL) box->indices = plan->indices->data + at->index * plan->indices->itemsize;
    plan->loop(box);
}

/* All boxes of one place of the axes that are walked. */
static void run_row(const pool_plan *plan, pool_state *state, cyops_pool_box *box, const pool_place *walked) {
    const int lane = plan->order[LANE], row = plan->order[ROW];
    const pool_axis *lanes = &plan->axes[lane], *rows = &plan->axes[row];
    const ptrdiff_t row_phases = rows->windows.windows == NULL ? 1 : rows->windows.step;
    const ptrdiff_t lane_phases = lanes->windows.windows == NULL ? 1 : lanes->windows.step;
    for (ptrdiff_t row_phase = 0; row_phase < row_phases; row_phase++)
        for (ptrdiff_t i = row_phase; i < rows->length; i += box->rows * row_phases) {
            box->rows = enter(plan, state, box, ROW, i);
            const pool_place of_row = place_of(plan, row, i);
            for (ptrdiff_t lane_phase = 0; lane_phase < lane_phases; lane_phase++)
                for (ptrdiff_t j = lane_phase; j < lanes->length; j += box->lanes * lane_phases) {
                    box->lanes = enter(plan, state, box, LANE, j);
                    const pool_place of_lane = place_of(plan, lane, j);
                    const pool_place at = {walked->out + of_row.out + of_lane.out, walked->x + of_row.x + of_lane.x,
                                           walked->index + of_row.index + of_lane.index};
                    run_box(plan, state, box, &at);
                }
        }
}

static void run_rows(const pool_plan *plan, pool_state *state, ptrdiff_t first, ptrdiff_t last) {
    cyops_pool_box box = {.offsets = state->offsets, .index_offsets = state->index_offsets};
    box.numbers = state->numbers;
    box.weights = state->weights;
    box.has_bytes = plan->indices != NULL && plan->indices->dtype == CYOPS_UINT8;
    for (ptrdiff_t row = first; row < last; row++) {
        pool_place walked = {0, 0, 0};
        ptrdiff_t rest = row;
        for (int k = 2; k < plan->ndim; k++) {
            const int i = plan->order[k];
            const ptrdiff_t place = rest % plan->axes[i].length;
            const pool_place here = place_of(plan, i, place);
            rest /= plan->axes[i].length;
            walked.out += here.out;
            walked.x += here.x;
            walked.index += here.index;
            const cyops_pool_window *windows = plan->axes[i].windows.windows;
            state->windows[i] = windows == NULL ? NULL : windows + place;
        }
        run_row(plan, state, &box, &walked);
    }
}

static void run_tile(void *context, ptrdiff_t tile, char *memory) {
    pool_plan *plan = context;
    const ptrdiff_t first = tile * plan->tile_rows, last = first + plan->tile_rows, taps = plan->most_taps;
    pool_state state = {.is_tabled = 0};
    state.offsets = (ptrdiff_t *)memory;
    state.index_offsets = state.offsets + taps;
    state.numbers = (double *)(state.index_offsets + taps);
    state.weights = state.numbers + taps;
    run_rows(plan, &state, first, last < plan->rows ? last : plan->rows);
}

static void run_tile_with_memory(void *context, ptrdiff_t tile) {
    pool_plan *plan = context;
    const ptrdiff_t nbytes = plan->most_taps * (ptrdiff_t)(2 * sizeof(ptrdiff_t) + 2 * sizeof(double));
    if (!cyops_run_with_scratch(run_tile, plan, tile, nbytes)) plan->status = CYOPS_NO_MEMORY;
}

int cyops_fold_windows(int op, const cyops_view *out, const cyops_view *x, const cyops_view *indices,
                       const cyops_pool_axis *axes) {
    pool_plan plan = {.op = (cyops_pool_op)op, .out = out, .x = x, .indices = indices, .status = CYOPS_OK};
    const cyops_pool_kernels *kernels = cyops_active->pool;
    if (out->dtype == CYOPS_FLOAT32 || out->dtype == CYOPS_FLOAT64)
        plan.loop = kernels->loops[op][out->dtype == CYOPS_FLOAT64];
    else
        plan.loop = op == CYOPS_POOL_LARGEST ? kernels->integers[out->dtype] : NULL;
    if (plan.loop == NULL) return CYOPS_NO_KERNEL;
    if (out->size == 0) return CYOPS_OK;
    plan_axes(&plan, axes);
    const ptrdiff_t elements = out->size + x->size, each = elements / plan.rows + 1;
    plan.tile_rows = TILE_ELEMENTS / each + 1;
    const ptrdiff_t tiles = (plan.rows + plan.tile_rows - 1) / plan.tile_rows;
    if (tiles > 1 && cyops_is_worth_sharing(NANOSECONDS_PER_ELEMENT * (double)elements))
        cyops_parallel(tiles, run_tile_with_memory, &plan);
    else
        for (ptrdiff_t tile = 0; tile < tiles; tile++) run_tile_with_memory(&plan, tile);
    return plan.status;
}
