/* Walks a reduction's units and blocks, merges what the kernels fold, and writes the results. See reduce.h. */
#include "elementwise/elementwise.h"
#include "reduce/plan.h"
#include "runtime/pool.h"
#include "runtime/scratch.h"
#include "base/system.h"

#include <stdatomic.h>

typedef struct {
    cyops_reduce_plan plan;
    const cyops_fold *fold;
    int dtype;
    char *out;
    ptrdiff_t factor;         /* of the results; 1 leaves them as they are */
    double divisor;
    int may_stop;             /* whether one element can decide the result: any and all, a result at a time */
    char decisive;            /* the one that does */
    _Atomic int is_settled;   /* whether some chunk of the only unit has met it */
    char *means;              /* one strip per unit; the first pass of var writes them, the second reads them */
    int writes_means;
    ptrdiff_t slot_bytes;     /* one strip, rounded up to a cache line */
    ptrdiff_t units_per_tile;
    ptrdiff_t chunks;         /* per unit, 1 unless the units are too few to share out */
    ptrdiff_t chunk_blocks;   /* a power of two, so that chunks are whole branches of the tree */
    char *partials;           /* a slot per unit and chunk */
    int status;
} reduction;

/* -- one unit ------------------------------------------------------------------------------------------------------ */

/* Merges what is complete of the tree after the done-th of equal subtrees, the last slot's; returns how many slots are
 * left. */
static ptrdiff_t merge_complete(const reduction *r, char *slots, ptrdiff_t depth, ptrdiff_t done, ptrdiff_t width) {
    for (; (done & 1) == 0; done >>= 1, depth--)
        r->fold->merge(slots + (depth - 2) * r->slot_bytes, slots + (depth - 1) * r->slot_bytes, width);
    return depth;
}

/* Whether the blocks of a single result lie one after the other, so that one call folds them all. */
static int blocks_are_a_row(const reduction *r) {
    const cyops_reduce_plan *plan = &r->plan;
    return plan->strip == 1 && !plan->by_columns && plan->sequence.ndim <= 1 && !r->may_stop &&
           cyops_block_scratch(plan) == 0;
}

static void fold_row(const reduction *r, const char *x, ptrdiff_t first, ptrdiff_t last, const char *center,
                     char *slot) {
    const cyops_reduce_plan *plan = &r->plan;
    const ptrdiff_t begin = first * plan->block, blocks = (last - first) * plan->block;
    const ptrdiff_t left = plan->sequence.count - begin, n = left < blocks ? left : blocks;
    r->fold->rows(slot, x + begin * plan->itemsize, 0, 1, n, center);
}

/* Folds some blocks of a unit into the first of the slots. A block that completes a pair of equal subtrees is merged
 * at once, so a slot per level is enough. */
static void fold_blocks(const reduction *r, const char *x, ptrdiff_t width, ptrdiff_t first, ptrdiff_t last,
                        const char *center, char *slots, char *scratch) {
    const cyops_reduce_plan *plan = &r->plan;
    if (blocks_are_a_row(r)) {
        fold_row(r, x, first, last, center, slots);
        return;
    }
    cyops_place place;
    ptrdiff_t depth = 0;
    cyops_walk_to(&plan->sequence, &place, first * plan->block);
    for (ptrdiff_t b = first; b < last; b++) {
        ptrdiff_t row_stride, steps = plan->sequence.count - b * plan->block;
        if (steps > plan->block) steps = plan->block;
        const char *block = cyops_next_block(plan, x, &place, steps, width, scratch, &row_stride);
        char *slot = slots + depth++ * r->slot_bytes;
        if (plan->by_columns)
            r->fold->columns(slot, block, row_stride, steps, width, center);
        else
            r->fold->rows(slot, block, plan->column_stride, width, steps, center);
        if (r->may_stop && *slot == r->decisive) {
            *slots = *slot;
            return;
        }
        depth = merge_complete(r, slots, depth, b + 1 - first, width);
    }
    for (; depth > 1; depth--)
        r->fold->merge(slots + (depth - 2) * r->slot_bytes, slots + (depth - 1) * r->slot_bytes, width);
}

/* data = data * factor / divisor; in a floating dtype unless the divisor is 1. */
static void finish(void *data, int dtype, ptrdiff_t factor, double divisor, ptrdiff_t n) {
    if (dtype == CYOPS_FLOAT32)
        for (ptrdiff_t i = 0; i < n; i++) ((float *)data)[i] = (float)(((float *)data)[i] * (double)factor / divisor);
    else if (dtype == CYOPS_FLOAT64)
        for (ptrdiff_t i = 0; i < n; i++) ((double *)data)[i] = ((double *)data)[i] * (double)factor / divisor;
    else
        for (ptrdiff_t i = 0; i < n; i++) ((uint64_t *)data)[i] *= (uint64_t)factor;
}

static inline void store_item(char *out, const char *item, ptrdiff_t itemsize) {
    if (itemsize == 4)
        memcpy(out, item, 4);
    else if (itemsize == 8)
        memcpy(out, item, 8);
    else
        *out = *item;
}

/* Writes the finished strip of the unit at `place`, the `unit`-th. */
static void store(const reduction *r, char *slot, const cyops_place *place, ptrdiff_t unit, ptrdiff_t width) {
    const ptrdiff_t itemsize = r->plan.itemsize, stride = r->plan.out_column_stride;
    if (r->divisor != 1 || r->factor != 1) finish(slot, r->dtype, r->factor, r->divisor, width);
    if (r->writes_means) {
        memcpy(r->means + unit * r->plan.strip * itemsize, slot, width * itemsize);
        return;
    }
    char *out = r->out + place->offset[1] * itemsize;
    if (width == 1)
        store_item(out, slot, itemsize);
    else if (stride == 1)
        memcpy(out, slot, width * itemsize);
    else
        for (ptrdiff_t c = 0; c < width; c++) store_item(out + c * stride * itemsize, slot + c * itemsize, itemsize);
}

static const char *center_of(const reduction *r, ptrdiff_t unit) {
    return r->means == NULL || r->writes_means ? NULL : r->means + unit * r->plan.strip * r->plan.itemsize;
}

/* -- tiles --------------------------------------------------------------------------------------------------------- */

static ptrdiff_t slots_bytes(const reduction *r) {
    ptrdiff_t levels = 2;
    for (ptrdiff_t blocks = r->plan.blocks; blocks > 1; blocks >>= 1) levels++;
    return cyops_whole_lines(levels * r->slot_bytes);
}

/* A tile is some whole units, or one chunk of one unit. */
static void run_with_scratch(void *context, ptrdiff_t tile, char *memory) {
    reduction *r = context;
    const cyops_reduce_plan *plan = &r->plan;
    char *scratch = memory + slots_bytes(r);
    cyops_place place;
    if (r->chunks > 1) {
        if (atomic_load_explicit(&r->is_settled, memory_order_relaxed)) {
            r->partials[tile * r->slot_bytes] = r->decisive;
            return;
        }
        const ptrdiff_t unit = tile / r->chunks, first = tile % r->chunks * r->chunk_blocks;
        const ptrdiff_t last = first + r->chunk_blocks < plan->blocks ? first + r->chunk_blocks : plan->blocks;
        cyops_walk_to(&plan->units, &place, unit);
        fold_blocks(r, plan->x + place.offset[0] * plan->x_itemsize, cyops_unit_width(plan, &place), first, last,
                    center_of(r, unit), memory, scratch);
        memcpy(r->partials + tile * r->slot_bytes, memory, r->slot_bytes);
        if (r->may_stop && plan->units.count == 1 && *memory == r->decisive)
            atomic_store_explicit(&r->is_settled, 1, memory_order_relaxed);
        return;
    }
    ptrdiff_t last = (tile + 1) * r->units_per_tile;
    if (last > plan->units.count) last = plan->units.count;
    cyops_walk_to(&plan->units, &place, tile * r->units_per_tile);
    for (ptrdiff_t unit = tile * r->units_per_tile; unit < last; unit++) {
        const ptrdiff_t width = cyops_unit_width(plan, &place);
        fold_blocks(r, plan->x + place.offset[0] * plan->x_itemsize, width, 0, plan->blocks, center_of(r, unit), memory,
                    scratch);
        store(r, memory, &place, unit, width);
        cyops_walk_on(&plan->units, &place, 1);
    }
}

static void run_tile(void *context, ptrdiff_t tile) {
    reduction *r = context;
    const ptrdiff_t needed = slots_bytes(r) + cyops_block_scratch(&r->plan);
    if (!cyops_run_with_scratch(run_with_scratch, r, tile, needed)) r->status = CYOPS_NO_MEMORY;
}

/* Merges the chunks of every unit in the order of the tree that fold_blocks builds. */
static void merge_chunks(const reduction *r) {
    cyops_place place;
    cyops_walk_to(&r->plan.units, &place, 0);
    for (ptrdiff_t unit = 0; unit < r->plan.units.count; unit++) {
        const ptrdiff_t width = cyops_unit_width(&r->plan, &place);
        char *slots = r->partials + unit * r->chunks * r->slot_bytes;
        for (ptrdiff_t step = 1; step < r->chunks; step *= 2)
            for (ptrdiff_t i = 0; i + step < r->chunks; i += 2 * step)
                r->fold->merge(slots + i * r->slot_bytes, slots + (i + step) * r->slot_bytes, width);
        store(r, slots, &place, unit, width);
        cyops_walk_on(&r->plan.units, &place, 1);
    }
}

/* How the work is cut never changes the bits: chunks are branches of the tree. */
static void cut_into_tiles(reduction *r) {
    const ptrdiff_t unit_elements = r->plan.sequence.count * r->plan.strip, units = r->plan.units.count;
    r->chunks = 1;
    r->units_per_tile = units;
    if (!cyops_is_worth_sharing(NANOSECONDS_PER_BYTE * (double)(unit_elements * units * r->plan.x_itemsize))) return;
    r->units_per_tile = unit_elements < TILE_ELEMENTS ? TILE_ELEMENTS / unit_elements : 1;
    if (units >= ENOUGH_UNITS || units / r->units_per_tile >= ENOUGH_UNITS) return;
    r->chunk_blocks = 1;
    while (2 * r->chunk_blocks * r->plan.block * r->plan.strip <= TILE_ELEMENTS) r->chunk_blocks *= 2;
    r->chunks = (r->plan.blocks + r->chunk_blocks - 1) / r->chunk_blocks;
}

static int run(reduction *r) {
    const ptrdiff_t units = r->plan.units.count;
    r->status = CYOPS_OK;
    cut_into_tiles(r);
    const ptrdiff_t tiles = r->chunks > 1 ? units * r->chunks : (units + r->units_per_tile - 1) / r->units_per_tile;
    if (r->chunks > 1 && (r->partials = malloc(tiles * r->slot_bytes)) == NULL) return CYOPS_NO_MEMORY;
    /* any and all are often decided at the beginning: not worth waking a thread for. */
    if (tiles == 1 || r->may_stop) run_tile(r, 0);
    if (tiles > 1) cyops_parallel(tiles, run_tile, r);
    if (r->chunks > 1) {
        if (r->status == CYOPS_OK) merge_chunks(r);
        free(r->partials);
    }
    return r->status;
}

/* -- the entry ----------------------------------------------------------------------------------------------------- */

static const int fold_of[CYOPS_REDUCE_COUNT] = {
    [CYOPS_REDUCE_SUM] = CYOPS_FOLD_SUM, [CYOPS_REDUCE_MEAN] = CYOPS_FOLD_SUM, [CYOPS_REDUCE_PROD] = CYOPS_FOLD_PROD,
    [CYOPS_REDUCE_MAX] = CYOPS_FOLD_MAX, [CYOPS_REDUCE_MIN] = CYOPS_FOLD_MIN,  [CYOPS_REDUCE_VAR] = CYOPS_FOLD_SQUARES,
};

/* What an empty sequence gives: the sum 0, the product 1, no mean and no variance. */
static int fill_empty(int reduction, const cyops_view *out) {
    double value = reduction == CYOPS_REDUCE_SUM ? 0 : reduction == CYOPS_REDUCE_PROD ? 1 : NAN;
    cyops_view constant = *out;
    constant.data = (char *)&value;
    constant.dtype = CYOPS_FLOAT64;
    constant.itemsize = sizeof value;
    memset(constant.strides, 0, sizeof constant.strides);
    return cyops_cast(out, &constant);
}

static int run_var(reduction *r, double correction) {
    const double n = (double)(r->plan.sequence.count * r->plan.repeats);
    r->means = malloc(r->plan.units.count * r->plan.strip * r->plan.itemsize);
    if (r->means == NULL) return CYOPS_NO_MEMORY;
    r->writes_means = 1;
    r->fold = &cyops_active->reduce->folds[CYOPS_FOLD_SUM][r->dtype];
    r->divisor = (double)r->plan.sequence.count;
    int status = run(r);
    if (status == CYOPS_OK) {
        r->writes_means = 0;
        r->fold = &cyops_active->reduce->folds[CYOPS_FOLD_SQUARES][r->dtype];
        r->factor = r->plan.repeats;
        r->divisor = n > correction ? n - correction : 0;
        status = run(r);
    }
    free(r->means);
    return status;
}

/* docs/kernels.md, Vectors. */
static void lengthen_blocks(cyops_reduce_plan *plan) {
    if (plan->by_columns || plan->blocks == 1 || cyops_block_scratch(plan) > 0) return;
    plan->block = CYOPS_EXTREME_BLOCK;
    plan->blocks = (plan->sequence.count + plan->block - 1) / plan->block;
}

int cyops_reduce(int op, const cyops_view *out, const cyops_view *x, const char *reduced, double correction) {
    if (cyops_is_text(x->dtype) || cyops_is_text(out->dtype)) return CYOPS_NO_KERNEL;
    reduction r = {.dtype = out->dtype, .out = out->data, .factor = 1, .divisor = 1};
    r.fold = &cyops_active->reduce->folds[fold_of[op]][out->dtype];
    if (r.fold->rows == NULL) return CYOPS_NO_KERNEL;
    if (out->size == 0) return CYOPS_OK;
    if (x->size == 0) return fill_empty(op, out);
    cyops_reduce_plan_make(&r.plan, out, x, reduced, out->dtype, out->itemsize,
                           op == CYOPS_REDUCE_PROD ? CYOPS_MEMORY_ORDER : CYOPS_MERGED_REPEATS);
    r.slot_bytes = (r.plan.strip * r.plan.itemsize + 63) / 64 * 64;
    if (op == CYOPS_REDUCE_VAR) return run_var(&r, correction);
    if (op == CYOPS_REDUCE_SUM) r.factor = r.plan.repeats;
    if (op == CYOPS_REDUCE_MEAN) r.divisor = (double)r.plan.sequence.count;
    r.may_stop = out->dtype == CYOPS_BOOL && r.plan.strip == 1;
    r.decisive = op == CYOPS_REDUCE_MAX;
    if (op == CYOPS_REDUCE_MAX || op == CYOPS_REDUCE_MIN) lengthen_blocks(&r.plan);
    return run(&r);
}
