/* Where the first largest or smallest element is. See reduce.h.
 *
 * The elements of a result are walked in C order. Where each result is folded alone, a block's extreme comes from the
 * same kernel as max, and only the winning block is searched for its position; columns carry positions beside values.
 */
#include "pool.h"
#include "reduce_plan.h"
#include "system.h"

#define SMALL_SCRATCH 8192
#define PARALLEL_BYTES ((ptrdiff_t)512 << 10)
#define TILE_ELEMENTS ((ptrdiff_t)64 << 10)

typedef struct {
    cyops_reduce_plan plan;
    const cyops_fold *extreme;
    const cyops_arg_fold *fold;
    int64_t *out;
    ptrdiff_t units_per_tile;
    int status;
} arg_reduction;

static ptrdiff_t steps_of(const cyops_reduce_plan *plan, ptrdiff_t block) {
    const ptrdiff_t left = plan->sequence.count - block * plan->block;
    return left < plan->block ? left : plan->block;
}

static int64_t find_alone(const arg_reduction *r, const char *x, char *scratch) {
    const cyops_reduce_plan *plan = &r->plan;
    _Alignas(8) char best[8], value[8];
    ptrdiff_t winner = 0, row_stride;
    cyops_place place;
    cyops_walk_to(&plan->sequence, &place, 0);
    for (ptrdiff_t b = 0; b < plan->blocks; b++) {
        const char *block = cyops_next_block(plan, x, &place, steps_of(plan, b), 1, scratch, &row_stride);
        r->extreme->row(b == 0 ? best : value, block, steps_of(plan, b), NULL);
        if (b > 0 && r->fold->beats(value, best)) {
            memcpy(best, value, plan->itemsize);
            winner = b;
        }
    }
    cyops_walk_to(&plan->sequence, &place, winner * plan->block);
    const char *block = cyops_next_block(plan, x, &place, steps_of(plan, winner), 1, scratch, &row_stride);
    return winner * plan->block + r->fold->find(block, steps_of(plan, winner), best);
}

/* `memory` holds a strip of the best values, one of positions, then the scratch of gathered blocks. */
static void find_in_columns(const arg_reduction *r, const char *x, ptrdiff_t width, int64_t *out, char *memory) {
    const cyops_reduce_plan *plan = &r->plan;
    int64_t *position = (int64_t *)memory;
    char *best = memory + plan->strip * sizeof(int64_t), *scratch = best + plan->strip * sizeof(int64_t);
    cyops_place place;
    cyops_walk_to(&plan->sequence, &place, 0);
    for (ptrdiff_t b = 0; b < plan->blocks; b++) {
        ptrdiff_t row_stride;
        const char *block = cyops_next_block(plan, x, &place, steps_of(plan, b), width, scratch, &row_stride);
        if (b == 0) {
            memcpy(best, block, width * plan->itemsize);
            memset(position, 0, width * sizeof *position);
        }
        r->fold->columns(best, position, block, row_stride, steps_of(plan, b), width, b * plan->block);
    }
    for (ptrdiff_t c = 0; c < width; c++) out[c * plan->out_column_stride] = position[c];
}

static void run_tile(void *context, ptrdiff_t tile) {
    arg_reduction *r = context;
    const cyops_reduce_plan *plan = &r->plan;
    _Alignas(64) char small[SMALL_SCRATCH];
    const ptrdiff_t needed = 2 * plan->strip * (ptrdiff_t)sizeof(int64_t) + cyops_block_scratch(plan);
    char *memory = needed <= SMALL_SCRATCH ? small : malloc(needed);
    if (memory == NULL) {
        r->status = CYOPS_NO_MEMORY;
        return;
    }
    ptrdiff_t last = (tile + 1) * r->units_per_tile;
    if (last > plan->units.count) last = plan->units.count;
    cyops_place place;
    cyops_walk_to(&plan->units, &place, tile * r->units_per_tile);
    for (ptrdiff_t unit = tile * r->units_per_tile; unit < last; unit++) {
        const char *x = plan->x + place.offset[0] * plan->x_itemsize;
        if (plan->by_columns)
            find_in_columns(r, x, cyops_unit_width(plan, &place), r->out + place.offset[1], memory);
        else
            r->out[place.offset[1]] = find_alone(r, x, memory);
        cyops_walk_on(&plan->units, &place, 1);
    }
    if (memory != small) free(memory);
}

/* The dtype in which elements are compared. */
static int compared_as(int dtype) {
    if (dtype >= CYOPS_INT8 && dtype <= CYOPS_INT64) return CYOPS_INT64;
    if (dtype >= CYOPS_UINT8 && dtype <= CYOPS_UINT64) return CYOPS_UINT64;
    return dtype == CYOPS_FLOAT16 ? CYOPS_FLOAT32 : dtype;
}

int cyops_arg_reduce(int op, const cyops_view *out, const cyops_view *x, const char *reduced) {
    if (x->dtype >= CYOPS_NUMERIC_COUNT || out->dtype != CYOPS_INT64) return CYOPS_NO_KERNEL;
    if (out->size == 0) return CYOPS_OK;
    const cyops_reduce_kernels *kernels = cyops_active->reduce;
    const int dtype = compared_as(x->dtype);
    const ptrdiff_t itemsize = dtype == CYOPS_BOOL ? 1 : dtype == CYOPS_FLOAT32 ? 4 : 8;
    arg_reduction r = {.out = (int64_t *)out->data, .status = CYOPS_OK};
    r.extreme = &kernels->folds[op == CYOPS_REDUCE_MAX ? CYOPS_FOLD_MAX : CYOPS_FOLD_MIN][dtype];
    r.fold = op == CYOPS_REDUCE_MAX ? &kernels->arg_max[dtype] : &kernels->arg_min[dtype];
    cyops_reduce_plan_make(&r.plan, out, x, reduced, dtype, itemsize, CYOPS_C_ORDER);
    const ptrdiff_t unit_elements = r.plan.sequence.count * r.plan.strip, units = r.plan.units.count;
    r.units_per_tile = unit_elements < TILE_ELEMENTS ? TILE_ELEMENTS / unit_elements : 1;
    if (x->size * x->itemsize < PARALLEL_BYTES) r.units_per_tile = units;
    const ptrdiff_t tiles = (units + r.units_per_tile - 1) / r.units_per_tile;
    if (tiles == 1)
        run_tile(&r, 0);
    else
        cyops_parallel(tiles, run_tile, &r);
    return r.status;
}
