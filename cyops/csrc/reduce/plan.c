/* See plan.h. */
#include "reduce/plan.h"

#define DIRECT_STRIP_BYTES 2048 /* of a strip read in place: long runs of a row, with the totals in the first cache */
#define GATHERED_STRIP_BYTES 256 /* of a gathered one: 128 rows of it fit in the first cache */
#define ROWS_ELEMENTS (16 << 10) /* of rows folded by one call, which costs as much as 100 elements */
#define MANY_ROWS 256
#define FEW_STEPS 32
#define MANY_RESULTS 16

static int log2_of(ptrdiff_t itemsize) {
    return itemsize == 1 ? 0 : itemsize == 2 ? 1 : itemsize == 4 ? 2 : itemsize == 8 ? 3 : 4;
}

/* Sorts the axes of x into kept and reduced ones, innermost first. */
static void split_axes(cyops_reduce_plan *plan, const cyops_view *out, const cyops_view *x, const char *reduced,
                       cyops_sequence_order order) {
    cyops_axes_begin(&plan->sequence, 1);
    cyops_axes_begin(&plan->units, 2);
    plan->x = x->data;
    plan->repeats = 1;
    int out_axis = out->ndim;
    for (int i = x->ndim - 1; i >= 0; i--) {
        ptrdiff_t stride = x->strides[i];
        if (reduced[i] && order == CYOPS_MERGED_REPEATS && stride == 0) {
            plan->repeats *= x->shape[i];
            continue;
        }
        if (reduced[i] && order != CYOPS_C_ORDER && stride < 0) {
            plan->x += (x->shape[i] - 1) * stride * x->itemsize;
            stride = -stride;
        }
        if (reduced[i])
            cyops_axes_add(&plan->sequence, x->shape[i], &stride);
        else
            cyops_axes_add(&plan->units, x->shape[i], (ptrdiff_t[2]){stride, out->strides[--out_axis]});
    }
    if (order != CYOPS_C_ORDER) cyops_axes_sort(&plan->sequence);
    cyops_axes_merge(&plan->sequence);
    cyops_axes_sort(&plan->units);
    cyops_axes_merge(&plan->units);
}

/* Whether neighbouring results lie closer in memory than neighbouring elements of one result; also where the results
 * are many and of few elements each, which are then turned on the way: 1 ns an element against 30 ns a result. */
static int should_fold_columns(const cyops_reduce_plan *plan) {
    if (plan->units.ndim == 0) return 0;
    if (plan->sequence.count <= FEW_STEPS && plan->units.shape[0] >= MANY_RESULTS) return 1;
    const ptrdiff_t kept = plan->units.strides[0][0];
    const ptrdiff_t stepped = plan->sequence.ndim > 0 ? plan->sequence.strides[0][0] : 0;
    const ptrdiff_t kept_size = kept < 0 ? -kept : kept, stepped_size = stepped < 0 ? -stepped : stepped;
    return kept != 0 && (stepped == 0 || kept_size < stepped_size);
}

/* Whether neighbouring results are runs that are short enough for one call to fold several. */
static int should_fold_rows(const cyops_reduce_plan *plan) {
    const cyops_axes *sequence = &plan->sequence;
    return plan->units.ndim > 0 && plan->convert == NULL && sequence->count <= ROWS_ELEMENTS / 2 &&
           sequence->ndim == 1 && sequence->strides[0][0] == 1;
}

/* Takes the innermost kept axis out of the units and puts its strips in its place. */
static void cut_into_strips(cyops_reduce_plan *plan) {
    cyops_axes *units = &plan->units;
    plan->columns = units->shape[0];
    plan->column_stride = units->strides[0][0];
    plan->out_column_stride = units->strides[1][0];
    const int in_place = plan->column_stride == 1 && plan->convert == NULL;
    plan->strip = (in_place ? DIRECT_STRIP_BYTES : GATHERED_STRIP_BYTES) / plan->itemsize;
    if (!plan->by_columns) {
        plan->strip = ROWS_ELEMENTS / plan->sequence.count;
        if (plan->strip > MANY_ROWS) plan->strip = MANY_ROWS;
    }
    if (plan->strip > plan->columns) plan->strip = plan->columns;
    const ptrdiff_t strips = (plan->columns + plan->strip - 1) / plan->strip;
    units->count = units->count / plan->columns * strips;
    units->shape[0] = strips;
    units->strides[0][0] *= plan->strip;
    units->strides[1][0] *= plan->strip;
    if (strips > 1) return;
    units->ndim--;
    for (int i = 0; i < units->ndim; i++) cyops_axes_swap(units, i, i + 1);
}

void cyops_reduce_plan_make(cyops_reduce_plan *plan, const cyops_view *out, const cyops_view *x, const char *reduced,
                            int dtype, ptrdiff_t itemsize, cyops_sequence_order order) {
    plan->copy = cyops_active->elementwise->copies[log2_of(x->itemsize)];
    plan->convert = x->dtype == dtype ? NULL : cyops_active->elementwise->casts[dtype][x->dtype];
    plan->x_itemsize = x->itemsize;
    plan->itemsize = itemsize;
    split_axes(plan, out, x, reduced, order);
    plan->columns = plan->strip = 1;
    plan->column_stride = plan->out_column_stride = 0;
    const int by_rows = order != CYOPS_C_ORDER && should_fold_rows(plan);
    plan->by_columns = !by_rows && should_fold_columns(plan);
    if (by_rows || plan->by_columns) cut_into_strips(plan);
    plan->block = plan->by_columns ? CYOPS_COLUMN_BLOCK : CYOPS_ROW_BLOCK;
    if (by_rows && plan->block < plan->sequence.count) plan->block = plan->sequence.count; /* the kernel cuts the row */
    plan->blocks = (plan->sequence.count + plan->block - 1) / plan->block;
}

/* Whether a kernel can read a block where it lies, if it does not cross the end of the innermost reduced axis. */
static int reads_in_place(const cyops_reduce_plan *plan) {
    const ptrdiff_t step = plan->sequence.ndim > 0 ? plan->sequence.strides[0][0] : 1;
    return plan->convert == NULL && (plan->by_columns ? plan->column_stride == 1 || plan->columns == 1 : step == 1);
}

ptrdiff_t cyops_block_scratch(const cyops_reduce_plan *plan) {
    if (reads_in_place(plan) && plan->sequence.ndim <= 1) return 0;
    const ptrdiff_t length = plan->block < plan->sequence.count ? plan->block : plan->sequence.count;
    const ptrdiff_t raw = plan->convert != NULL ? length * plan->strip * plan->x_itemsize : 0;
    return cyops_whole_lines(length * plan->strip * plan->itemsize) + raw;
}

/* Rows of `width` elements, `step` apart, written side by side in the dtype computed in. */
static void gather_run(const cyops_reduce_plan *plan, char *to, const char *from, ptrdiff_t step, ptrdiff_t rows,
                       ptrdiff_t width, char *raw) {
    /* Where every result is folded alone, its elements are the inner axis. */
    const ptrdiff_t n_inner = plan->by_columns ? width : rows, n_outer = plan->by_columns ? rows : 1;
    const ptrdiff_t from_strides[2] = {plan->by_columns ? plan->column_stride : step, step};
    const ptrdiff_t to_strides[2] = {1, n_inner};
    if (plan->convert == NULL) {
        plan->copy(to, from, to_strides, from_strides, n_inner, n_outer);
        return;
    }
    const ptrdiff_t ones[2] = {1, 1};
    if (from_strides[0] == 1) {
        char *const data[2] = {to, (char *)from};
        plan->convert(data, ones, (ptrdiff_t[2]){n_inner, step}, n_inner, n_outer);
        return;
    }
    char *const data[2] = {to, raw};
    plan->copy(raw, from, to_strides, from_strides, n_inner, n_outer);
    plan->convert(data, ones, (ptrdiff_t[2]){n_inner, n_inner}, n_inner, n_outer);
}

static void gather(const cyops_reduce_plan *plan, const char *x, cyops_place *place, ptrdiff_t steps, ptrdiff_t width,
                   char *to) {
    const ptrdiff_t step = plan->sequence.ndim > 0 ? plan->sequence.strides[0][0] : 0;
    char *raw = to + cyops_whole_lines(steps * width * plan->itemsize);
    while (steps > 0) {
        const ptrdiff_t left = cyops_walk_run(&plan->sequence, place), run = left < steps ? left : steps;
        gather_run(plan, to, x + place->offset[0] * plan->x_itemsize, step, run, width, raw);
        cyops_walk_on(&plan->sequence, place, run);
        to += run * width * plan->itemsize;
        steps -= run;
    }
}

const char *cyops_next_block(const cyops_reduce_plan *plan, const char *x, cyops_place *place, ptrdiff_t steps,
                             ptrdiff_t width, char *scratch, ptrdiff_t *row_stride) {
    if (reads_in_place(plan) && steps <= cyops_walk_run(&plan->sequence, place)) {
        const char *block = x + place->offset[0] * plan->x_itemsize;
        *row_stride = plan->sequence.ndim > 0 ? plan->sequence.strides[0][0] : 0;
        cyops_walk_on(&plan->sequence, place, steps);
        return block;
    }
    gather(plan, x, place, steps, width, scratch);
    *row_stride = width;
    return scratch;
}
