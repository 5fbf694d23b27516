/* Makes plans and walks them: see plan.h. */
#include "elementwise/plan.h"
#include "runtime/pool.h"
#include "base/system.h"

/* In the second cache: docs/kernels.md, Threads. */
#define NANOSECONDS_PER_BYTE 0.0065

/* The most that a piece of shared work is. Work is halved until its pieces are no larger, so that their number is even:
 * docs/kernels.md, Threads. */
#define PIECE_BYTES ((ptrdiff_t)512 << 10)

static ptrdiff_t magnitude(ptrdiff_t stride) { return stride < 0 ? -stride : stride; }

/* Whether axis i belongs inside axis j: the first view that steps along both decides. */
static int is_inside(int operands, const cyops_view *const *views, int i, int j) {
    for (int k = 0; k < operands; k++) {
        const ptrdiff_t step_i = magnitude(views[k]->strides[i]), step_j = magnitude(views[k]->strides[j]);
        if (step_i != 0 && step_j != 0 && step_i != step_j) return step_i < step_j;
    }
    return 0;
}

/* Lists the axes longer than 1, innermost first; returns how many. Axes that no view orders keep C order. */
static int order_axes(int operands, const cyops_view *const *views, int *order) {
    int count = 0;
    for (int axis = views[0]->ndim - 1; axis >= 0; axis--) {
        if (views[0]->shape[axis] == 1) continue;
        int place = count++;
        for (; place > 0 && is_inside(operands, views, axis, order[place - 1]); place--)
            order[place] = order[place - 1];
        order[place] = axis;
    }
    return count;
}

/* Walks the axis forwards if no view does so yet and some view walks it backwards. */
static void turn_round(cyops_plan *plan, int axis) {
    int backwards = 0;
    for (int k = 0; k < plan->operands; k++) {
        if (plan->strides[k][axis] > 0) return;
        backwards |= plan->strides[k][axis] < 0;
    }
    if (!backwards) return;
    for (int k = 0; k < plan->operands; k++) {
        plan->data[k] += plan->strides[k][axis] * (plan->shape[axis] - 1) * plan->itemsize[k];
        plan->strides[k][axis] = -plan->strides[k][axis];
    }
}

/* Whether the axis continues the one inside it, as one run, in every view. */
static int continues(const cyops_plan *plan, int axis) {
    for (int k = 0; k < plan->operands; k++)
        if (plan->strides[k][axis] != plan->shape[axis - 1] * plan->strides[k][axis - 1]) return 0;
    return 1;
}

static void swap_axes(cyops_plan *plan, int i, int j) {
    ptrdiff_t saved = plan->shape[i];
    plan->shape[i] = plan->shape[j];
    plan->shape[j] = saved;
    for (int k = 0; k < plan->operands; k++) {
        saved = plan->strides[k][i];
        plan->strides[k][i] = plan->strides[k][j];
        plan->strides[k][j] = saved;
    }
}

/* Makes the unit-stride axis of the first operand that is transposed against the output the second axis, so that a
 * tile holds whole cache lines of both. */
static void pair_transposed_axes(cyops_plan *plan) {
    for (int k = 1; k < plan->operands; k++) {
        if (magnitude(plan->strides[k][0]) <= 1) continue;
        for (int axis = 1; axis < plan->ndim; axis++)
            if (magnitude(plan->strides[k][axis]) == 1) {
                if (axis > 1) swap_axes(plan, 1, axis);
                return;
            }
    }
}

static void append_axis(cyops_plan *plan, const cyops_view *const *views, int source) {
    const int axis = plan->ndim++;
    plan->shape[axis] = source < 0 ? 1 : views[0]->shape[source];
    for (int k = 0; k < plan->operands; k++)
        plan->strides[k][axis] = source < 0 ? axis == 0 : views[k]->strides[source];
    turn_round(plan, axis);
    if (axis > 0 && source >= 0 && continues(plan, axis)) {
        plan->shape[axis - 1] *= plan->shape[axis];
        plan->ndim--;
    }
}

void cyops_plan_make(cyops_plan *plan, int operands, const cyops_view *const *views) {
    plan->operands = operands;
    plan->ndim = 0;
    plan->size = views[0]->size;
    for (int k = 0; k < operands; k++) {
        plan->data[k] = views[k]->data;
        plan->itemsize[k] = views[k]->itemsize;
    }
    int order[CYOPS_MAX_NDIM];
    const int count = order_axes(operands, views, order);
    for (int i = 0; i < count; i++) append_axis(plan, views, order[i]);
    while (plan->ndim < 2) append_axis(plan, views, -1);
    if (plan->ndim > 2 || plan->shape[1] > 1) pair_transposed_axes(plan);
}

/* Steps the axes above the second one like the wheels of an odometer; returns 0 after the last tile. */
static int advance(const cyops_plan *plan, ptrdiff_t *index, char **data) {
    for (int axis = 2; axis < plan->ndim; axis++) {
        for (int k = 0; k < plan->operands; k++) data[k] += plan->strides[k][axis] * plan->itemsize[k];
        if (++index[axis] < plan->shape[axis]) return 1;
        for (int k = 0; k < plan->operands; k++)
            data[k] -= plan->strides[k][axis] * plan->itemsize[k] * plan->shape[axis];
        index[axis] = 0;
    }
    return 0;
}

static void walk_alone(const cyops_plan *plan, cyops_tile tile, const void *context) {
    ptrdiff_t index[CYOPS_MAX_NDIM] = {0};
    char *data[CYOPS_MAX_OPERANDS];
    memcpy(data, plan->data, sizeof data);
    do {
        tile(context, plan, data, plan->shape[0], plan->shape[1]);
    } while (advance(plan, index, data));
}

typedef struct {
    const cyops_plan *plan;
    cyops_tile tile;
    const void *context;
    int axis;         /* the axis that is cut */
    ptrdiff_t length; /* of one piece */
} shared_walk;

static void walk_piece(void *context, ptrdiff_t piece) {
    const shared_walk *shared = context;
    cyops_plan part = *shared->plan;
    const int axis = shared->axis;
    const ptrdiff_t start = piece * shared->length, left = part.shape[axis] - start;
    part.shape[axis] = left < shared->length ? left : shared->length;
    for (int k = 0; k < part.operands; k++) part.data[k] += start * part.strides[k][axis] * part.itemsize[k];
    walk_alone(&part, shared->tile, shared->context);
}

void cyops_plan_walk(const cyops_plan *plan, ptrdiff_t cost, cyops_tile tile, const void *context) {
    if (!cyops_is_worth_sharing(NANOSECONDS_PER_BYTE * (double)(plan->size * cost))) {
        walk_alone(plan, tile, context);
        return;
    }
    shared_walk shared = {plan, tile, context, 0, 0};
    for (int axis = 1; axis < plan->ndim; axis++)
        if (plan->shape[axis] > 1) shared.axis = axis;
    ptrdiff_t pieces = 1;
    while (plan->size * cost / pieces > PIECE_BYTES) pieces *= 2;
    /* Whole cache lines of any dtype to each piece where the axis that is cut lies in memory as one run. */
    const ptrdiff_t length = plan->shape[shared.axis], grain = shared.axis == 0 ? 64 : 1;
    shared.length = (length / pieces + grain) / grain * grain;
    cyops_parallel((length + shared.length - 1) / shared.length, walk_piece, &shared);
}
