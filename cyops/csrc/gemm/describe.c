/* How a contraction becomes matrix products: see describe.h.
 *
 * Axes of length 1 are dropped. Rows are ordered as they lie in a, columns as they lie in the result, and axes are merged
 * where one stride leads along them: each tensor by itself, for each is read or written by itself. Where everything merges
 * to one row, one column and one summed axis, the product is plain and the drivers read it by strides. Elsewhere the
 * operands are walked (walk.h). None of this changes a bit of the result: the order of the summed axes is the caller's.
 */
#include "gemm/describe.h"

#define FEW_ROWS 64
#define LEAST_RUN 8 /* rows of a run that is cut into panels of its own; shorter runs share a panel */

/* One axis with the operands as the product has them: x is its A or B. */
typedef struct {
    ptrdiff_t length, x, c, mask, bias, step;
    int window;
} gemm_axis;

typedef struct {
    int ndim;
    ptrdiff_t count;
    gemm_axis axes[CYOPS_MAX_NDIM]; /* innermost first */
} gemm_group;

static ptrdiff_t magnitude(ptrdiff_t stride) { return stride < 0 ? -stride : stride; }

/* Adds an axis at its place by the size of its key; 0 belongs outside. Equal keys stay as they came. */
static void insert(gemm_group *group, const gemm_axis *axis, ptrdiff_t key, int by_result) {
    int i = group->ndim++;
    for (; i > 0 && key != 0; i--) {
        ptrdiff_t before = magnitude(by_result ? group->axes[i - 1].c : group->axes[i - 1].x);
        if (before != 0 && before <= magnitude(key)) break;
        group->axes[i] = group->axes[i - 1];
    }
    group->axes[i] = *axis;
    group->count *= axis->length;
}

/* Whether b must be the A of the product: the result's columns would lie apart and its rows side by side, or a window
 * would meet a single column, which fills no vector. */
static int should_swap(const cyops_contraction *x, ptrdiff_t rows, ptrdiff_t columns) {
    if (x->sums != NULL || rows == 1) return 0;
    if (columns == 1) return x->windows > 0;
    int swap = 0;
    for (int i = 0; i < x->ndim; i++) {
        if (x->axes[i].length == 1 || x->axes[i].out != 1) continue;
        if (x->axes[i].part == CYOPS_COLUMN) return 0;
        swap |= x->axes[i].part == CYOPS_ROW;
    }
    return swap;
}

/* The windows that reach into the padding; the places of others always lie inside, and are of no account. */
typedef struct {
    int count, number[CYOPS_MOST_WINDOWS]; /* of the caller's window; CYOPS_NO_WINDOW */
    cyops_window window[CYOPS_MOST_WINDOWS];
} gemm_windows;

static void find_windows(const cyops_contraction *x, gemm_windows *windows) {
    ptrdiff_t last[CYOPS_MOST_WINDOWS];
    for (int w = 0; w < x->windows; w++) last[w] = x->window[w].first;
    for (int i = 0; i < x->ndim; i++)
        if (x->axes[i].window != CYOPS_NO_WINDOW) last[x->axes[i].window] += (x->axes[i].length - 1) * x->axes[i].step;
    windows->count = 0;
    for (int w = 0; w < x->windows; w++) {
        int is_inside = x->window[w].first >= 0 && last[w] < x->window[w].length;
        windows->number[w] = is_inside ? CYOPS_NO_WINDOW : windows->count;
        if (!is_inside) windows->window[windows->count++] = x->window[w];
    }
}

static gemm_axis axis_of(const cyops_contraction_axis *x, int of_b, const gemm_windows *windows) {
    int window = of_b || x->window == CYOPS_NO_WINDOW ? CYOPS_NO_WINDOW : windows->number[x->window];
    return (gemm_axis){x->length, of_b ? x->b : x->a, x->out, x->mask, x->bias, x->step, window};
}

static void add_batch_axis(gemm_batch *batch, const cyops_contraction_axis *x, int swap) {
    int i = batch->ndim++;
    for (; i > 0 && magnitude(batch->axes[i - 1].c) > magnitude(x->out); i--) batch->axes[i] = batch->axes[i - 1];
    batch->axes[i] = (gemm_batch_axis){x->length, swap ? x->b : x->a, swap ? x->a : x->b, x->out, x->mask, x->bias,
                                       x->sums};
}

/* Batch axes along which A repeats are more columns where they go on from the others in B and C. */
static void add_columns(gemm_batch *batch, gemm_group *columns, int has_bias) {
    int kept = 0;
    for (int i = 0; i < batch->ndim; i++) {
        const gemm_batch_axis *axis = &batch->axes[i];
        const gemm_axis *last = columns->ndim == 1 ? &columns->axes[0] : NULL;
        if (kept == 0 && axis->a == 0 && axis->mask == 0 && axis->sums == 0 && !has_bias && last != NULL &&
            last->window == CYOPS_NO_WINDOW && last->c == 1 && axis->c == last->length &&
            axis->b == last->x * last->length) {
            columns->axes[0].length *= axis->length;
            columns->count *= axis->length;
        } else {
            batch->axes[kept++] = *axis;
        }
    }
    batch->ndim = kept;
}

/* What the product has of one operand. */
typedef struct {
    gemm_group outer, summed;
    const gemm_windows *windows; /* NULL for the one without */
} gemm_side;

enum { OPERAND, RESULT, MASK, BIAS };

static void walk_group(gemm_walk *walk, const gemm_group *group, int what) {
    gemm_walk_begin(walk);
    for (int i = 0; i < group->ndim; i++) {
        const gemm_axis *axis = &group->axes[i];
        ptrdiff_t stride = what == OPERAND  ? axis->x
                           : what == RESULT ? axis->c
                           : what == MASK   ? axis->mask
                                            : axis->bias;
        int window = what == OPERAND || what == MASK ? axis->window : CYOPS_NO_WINDOW;
        gemm_walk_add(walk, axis->length, stride, window, axis->step);
    }
}

static void walk_operand(gemm_operand *operand, const gemm_side *side, int what) {
    walk_group(&operand->outer, &side->outer, what);
    walk_group(&operand->summed, &side->summed, what);
    operand->windows = side->windows == NULL ? 0 : side->windows->count;
    for (int w = 0; w < operand->windows; w++) operand->window[w] = side->windows->window[w];
}

static ptrdiff_t only_stride(const gemm_walk *walk) { return walk->ndim > 0 ? walk->strides[0] : 0; }

static int is_one_run(const gemm_operand *x) { return x->windows == 0 && x->outer.ndim <= 1 && x->summed.ndim <= 1; }

/* The rows as runs along which both A and C have a stride, and items outside them. Whether that leads along all of C; A
 * follows where its summed axes are one and no window is in the way. */
static int place_rows(gemm_problem *p, const gemm_group *rows) {
    p->m = 1;
    p->items = 1;
    p->ndim = 0;
    p->rs_a = p->rs_c = 0;
    for (int i = 0; i < rows->ndim; i++) {
        const gemm_axis *axis = &rows->axes[i];
        if (i == 0 || (p->items == 1 && axis->window == CYOPS_NO_WINDOW && rows->axes[0].window == CYOPS_NO_WINDOW &&
                       axis->x == p->m * p->rs_a && axis->c == p->m * p->rs_c)) {
            p->rs_a = i == 0 ? axis->x : p->rs_a;
            p->rs_c = i == 0 ? axis->c : p->rs_c;
            p->m *= axis->length;
            continue;
        }
        for (int j = p->ndim++; j > 0; j--) {
            p->shape[j] = p->shape[j - 1];
            p->strides_a[j] = p->strides_a[j - 1];
            p->strides_c[j] = p->strides_c[j - 1];
        }
        p->shape[0] = axis->length;
        p->strides_a[0] = axis->x;
        p->strides_c[0] = axis->c;
        p->items *= axis->length;
    }
    return p->items == 1 || p->m >= LEAST_RUN;
}

/* Whether the runs of walked rows fill panels well enough: those that are packed by transposing cost as if they did. */
static int fills_panels(const gemm_problem *p) {
    const ptrdiff_t mr = p->type->mr, panels = gemm_ceil_div(p->m, mr);
    return p->items == 1 || p->rs_a == 1 || 4 * p->m >= 3 * mr * panels;
}

/* Where the innermost summed axis moves a window, rows that no window is on come innermost: a panel of them is at one
 * place, so its runs touch the padding in whole or not. */
static void bring_still_rows_inside(gemm_side *side) {
    gemm_group *rows = &side->outer;
    if (side->summed.ndim == 0 || side->summed.axes[0].window == CYOPS_NO_WINDOW) return;
    for (int i = 0; i < rows->ndim; i++) {
        if (rows->axes[i].window != CYOPS_NO_WINDOW || rows->axes[i].length < LEAST_RUN) continue;
        const gemm_axis found = rows->axes[i];
        for (; i > 0; i--) rows->axes[i] = rows->axes[i - 1];
        rows->axes[0] = found;
        return;
    }
}

/* Rows of which short runs would each be a panel are walked as one. */
static void join_rows(gemm_batch *batch, const gemm_group *rows) {
    gemm_problem *p = &batch->problem;
    p->m = rows->count;
    p->items = 1;
    p->ndim = 0;
    p->of_a = &batch->of_a;
    walk_group(&batch->rows_c, rows, RESULT);
    if (batch->rows_c.ndim <= 1)
        p->rs_c = only_stride(&batch->rows_c);
    else
        p->rows_c = &batch->rows_c;
}

static void place_a(gemm_batch *batch, gemm_side *side) {
    gemm_problem *p = &batch->problem;
    bring_still_rows_inside(side);
    int is_led = place_rows(p, &side->outer);
    walk_operand(&batch->of_a, side, OPERAND);
    p->cs_a = only_stride(&batch->of_a.summed);
    if (batch->of_a.windows > 0 || batch->of_a.summed.ndim > 1) p->of_a = &batch->of_a;
    if (p->of_a != NULL && is_led) is_led = fills_panels(p);
    if (!is_led && !(batch->has_one_column && p->of_a == NULL)) join_rows(batch, &side->outer);
}

static void place_b(gemm_batch *batch, const gemm_side *side) {
    gemm_problem *p = &batch->problem;
    walk_operand(&batch->of_b, side, OPERAND);
    p->n = side->outer.count;
    p->rs_b = only_stride(&batch->of_b.summed);
    p->cs_b = p->n == 1 ? 1 : only_stride(&batch->of_b.outer);
    if (!is_one_run(&batch->of_b)) p->of_b = &batch->of_b;
    walk_group(&batch->columns_c, &side->outer, RESULT);
    if (p->n > 1 && (batch->columns_c.ndim > 1 || batch->columns_c.strides[0] != 1)) p->columns_c = &batch->columns_c;
}

/* The mask of A or of B, walked where its operand is or where no strides lead along it. */
static void place_mask(gemm_batch *batch, const gemm_side *side, const char *data, int of_b) {
    gemm_problem *p = &batch->problem;
    const gemm_operand **of_operand = of_b ? &p->of_b : &p->of_a;
    walk_operand(&batch->of_mask, side, MASK);
    ptrdiff_t outer = only_stride(&batch->of_mask.outer), summed = only_stride(&batch->of_mask.summed);
    *(of_b ? &p->mask_b : &p->mask_a) = of_b ? (gemm_mask){data, summed, outer} : (gemm_mask){data, outer, summed};
    if (*of_operand == NULL && is_one_run(&batch->of_mask) && (of_b || p->items == 1)) return;
    *of_operand = of_b ? &batch->of_b : &batch->of_a;
    *(of_b ? &p->of_mask_b : &p->of_mask_a) = &batch->of_mask;
}

/* A bias over the columns of the product, or over its rows. */
static void place_bias(gemm_batch *batch, const gemm_group *rows, const gemm_group *columns, const char *data) {
    gemm_problem *p = &batch->problem;
    int is_of_rows = 0;
    for (int i = 0; i < rows->ndim; i++) is_of_rows |= rows->axes[i].bias != 0;
    walk_group(&batch->bias, is_of_rows ? rows : columns, BIAS);
    p->bias = is_of_rows ? NULL : data;
    p->row_bias = is_of_rows ? data : NULL;
    batch->must_copy_bias = batch->bias.ndim > 1 || (batch->bias.ndim == 1 && batch->bias.strides[0] != 1);
}

static void begin_side(gemm_side *side, const gemm_windows *windows) {
    side->outer.ndim = side->summed.ndim = 0;
    side->outer.count = side->summed.count = 1;
    side->windows = windows;
}

/* Whether a batch axis is nothing but more rows: B repeats along it, and so does what goes with B. */
static int b_repeats(const cyops_contraction *x, const cyops_contraction_axis *axis, const gemm_axis *of_b, int swap) {
    return of_b->x == 0 && axis->bias == 0 && axis->sums == 0 && (axis->mask == 0 || x->is_mask_of_b == swap);
}

/* Whether the columns are ordered as they lie in B: for few rows its packing takes longer than writing a result whose
 * columns lie apart, so that its neighbours in memory must be neighbours in a panel. */
static int should_follow_b(const cyops_contraction *x, int swap, const ptrdiff_t *lengths) {
    if (lengths[swap ? CYOPS_COLUMN : CYOPS_ROW] > FEW_ROWS) return 0;
    for (int i = 0; i < x->ndim; i++) {
        const cyops_contraction_axis *axis = &x->axes[i];
        if (axis->part == (swap ? CYOPS_ROW : CYOPS_COLUMN) && axis->length > 1 && axis->out != 1 &&
            (swap ? axis->a : axis->b) == 1)
            return 1;
    }
    return 0;
}

/* Gives each axis to the side, or to both, or to the batch that it is of. Where nothing is summed nothing is read: an axis
 * of length 0 leads nowhere, and others must not be merged with it. */
static void sort_axes(gemm_batch *batch, const cyops_contraction *x, int swap, const gemm_windows *windows,
                      const ptrdiff_t *lengths, gemm_side *side_a, gemm_side *side_b) {
    const int follow_b = should_follow_b(x, swap, lengths);
    for (int i = x->ndim - 1; i >= 0; i--) {
        const cyops_contraction_axis *axis = &x->axes[i];
        if (axis->length == 1 || (axis->part == CYOPS_SUMMED && lengths[CYOPS_SUMMED] == 0)) continue;
        gemm_axis of_a = axis_of(axis, swap, windows), of_b = axis_of(axis, !swap, windows);
        if (axis->part == CYOPS_SUMMED) {
            side_a->summed.axes[side_a->summed.ndim++] = of_a;
            side_b->summed.axes[side_b->summed.ndim++] = of_b;
        } else if (axis->part == (swap ? CYOPS_ROW : CYOPS_COLUMN)) {
            insert(&side_b->outer, &of_b, follow_b ? of_b.x : of_b.c, !follow_b);
        } else if (axis->part != CYOPS_BATCH || b_repeats(x, axis, &of_b, swap)) {
            insert(&side_a->outer, &of_a, of_a.x, 0);
        } else {
            add_batch_axis(batch, axis, swap);
        }
    }
}

/* A row, a summed axis and a column, as they come from two matrices, beside at most a bias: what all that follows would
 * find, 60 ns sooner. */
static int describe_matrices(gemm_batch *batch, const cyops_contraction *x) {
    const cyops_contraction_axis *row = &x->axes[0], *summed = &x->axes[1], *column = &x->axes[2];
    gemm_problem *p = &batch->problem;
    if (x->ndim != 3 || x->windows > 0 || x->mask != NULL || x->sums != NULL) return 0;
    if (row->part != CYOPS_ROW || summed->part != CYOPS_SUMMED || column->part != CYOPS_COLUMN) return 0;
    if (row->length < 2 || column->length < 2 || column->out != 1) return 0;
    if (x->bias != NULL && (column->bias != 1 || row->bias != 0)) return 0;
    p->m = row->length;
    p->n = column->length;
    p->k = summed->length;
    p->rs_a = row->a;
    p->cs_a = summed->a;
    p->rs_b = summed->b;
    p->cs_b = column->b;
    p->rs_c = row->out;
    p->a = x->a;
    p->b = x->b;
    p->c = x->out;
    p->bias = x->bias;
    p->items = batch->count = 1;
    batch->has_one_column = batch->ndim = 0;
    return 1;
}

void cyops_gemm_describe(gemm_batch *batch, const cyops_contraction *x) {
    gemm_side side_a, side_b;
    gemm_windows windows;
    gemm_problem *p = &batch->problem;
    if (describe_matrices(batch, x)) return;
    ptrdiff_t lengths[4] = {1, 1, 1, 1};
    for (int i = 0; i < x->ndim; i++) lengths[x->axes[i].part] *= x->axes[i].length;
    const int swap = should_swap(x, lengths[CYOPS_ROW], lengths[CYOPS_COLUMN]);
    find_windows(x, &windows);
    begin_side(&side_a, swap ? NULL : &windows);
    begin_side(&side_b, swap ? &windows : NULL);
    batch->has_one_column = lengths[CYOPS_COLUMN] == 1 && !swap;
    batch->ndim = 0;
    sort_axes(batch, x, swap, &windows, lengths, &side_a, &side_b);
    if (side_b.outer.count > 1) add_columns(batch, &side_b.outer, x->bias != NULL);
    batch->count = 1;
    for (int i = 0; i < batch->ndim; i++) batch->count *= batch->axes[i].length;
    p->k = lengths[CYOPS_SUMMED];
    p->a = swap ? x->b : x->a;
    p->b = swap ? x->a : x->b;
    p->c = x->out;
    p->column_sums = x->sums;
    place_a(batch, &side_a);
    place_b(batch, &side_b);
    const int is_mask_of_b = x->is_mask_of_b != swap;
    if (x->mask != NULL) place_mask(batch, is_mask_of_b ? &side_b : &side_a, x->mask, is_mask_of_b);
    if (x->bias != NULL) place_bias(batch, &side_a.outer, &side_b.outer, x->bias);
}
