/* Where the first largest or smallest element is. See reduce.h.
 *
 * The elements of a result are walked in C order. An earlier block keeps the place unless a later one beats it, which
 * the kernel of max or min finds out sooner than the one that keeps positions. Columns carry positions beside values.
 */
#include "runtime/pool.h"
#include "runtime/scratch.h"
#include "reduce/plan.h"
#include "base/system.h"

/* The extreme of some blocks. */
typedef struct {
    _Alignas(8) char value[8];
    int64_t position;
} extreme;

typedef struct {
    cyops_reduce_plan plan;
    const cyops_fold *value; /* max or min */
    const cyops_arg_fold *fold;
    int64_t *out;
    ptrdiff_t units_per_tile;
    ptrdiff_t chunks; /* per unit, 1 unless the units are too few to share out */
    ptrdiff_t chunk_blocks;
    extreme *partials; /* one per unit and chunk */
    int status;
} arg_reduction;

static ptrdiff_t steps_of(const cyops_reduce_plan *plan, ptrdiff_t block) {
    const ptrdiff_t left = plan->sequence.count - block * plan->block;
    return left < plan->block ? left : plan->block;
}

static extreme find_alone(const arg_reduction *r, const char *x, ptrdiff_t first, ptrdiff_t last, char *scratch) {
    const cyops_reduce_plan *plan = &r->plan;
    extreme best;
    _Alignas(8) char value[8];
    cyops_place place;
    cyops_walk_to(&plan->sequence, &place, first * plan->block);
    for (ptrdiff_t b = first; b < last; b++) {
        ptrdiff_t row_stride;
        const char *block = cyops_next_block(plan, x, &place, steps_of(plan, b), 1, scratch, &row_stride);
        if (b > first) {
            r->value->rows(value, block, 0, 1, steps_of(plan, b), NULL);
            if (!r->fold->beats(value, best.value)) continue;
        }
        best.position = b * plan->block + r->fold->row(best.value, block, steps_of(plan, b));
    }
    return best;
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

/* A tile is some whole units, or one chunk of one unit. */
static void run_with_scratch(void *context, ptrdiff_t tile, char *memory) {
    const arg_reduction *r = context;
    const cyops_reduce_plan *plan = &r->plan;
    cyops_place place;
    if (r->chunks > 1) {
        const ptrdiff_t first = tile % r->chunks * r->chunk_blocks, next = first + r->chunk_blocks;
        cyops_walk_to(&plan->units, &place, tile / r->chunks);
        r->partials[tile] = find_alone(r, plan->x + place.offset[0] * plan->x_itemsize, first,
                                       next < plan->blocks ? next : plan->blocks, memory);
        return;
    }
    ptrdiff_t last = (tile + 1) * r->units_per_tile;
    if (last > plan->units.count) last = plan->units.count;
    cyops_walk_to(&plan->units, &place, tile * r->units_per_tile);
    for (ptrdiff_t unit = tile * r->units_per_tile; unit < last; unit++) {
        const char *x = plan->x + place.offset[0] * plan->x_itemsize;
        if (plan->by_columns)
            find_in_columns(r, x, cyops_unit_width(plan, &place), r->out + place.offset[1], memory);
        else
            r->out[place.offset[1]] = find_alone(r, x, 0, plan->blocks, memory).position;
        cyops_walk_on(&plan->units, &place, 1);
    }
}

static void run_tile(void *context, ptrdiff_t tile) {
    arg_reduction *r = context;
    const ptrdiff_t needed = 2 * r->plan.strip * (ptrdiff_t)sizeof(int64_t) + cyops_block_scratch(&r->plan);
    if (!cyops_run_with_scratch(run_with_scratch, r, tile, needed)) r->status = CYOPS_NO_MEMORY;
}

static void merge_chunks(const arg_reduction *r) {
    cyops_place place;
    cyops_walk_to(&r->plan.units, &place, 0);
    for (ptrdiff_t unit = 0; unit < r->plan.units.count; unit++) {
        extreme *best = r->partials + unit * r->chunks;
        for (ptrdiff_t i = 1; i < r->chunks; i++)
            if (r->fold->beats(best[i].value, best->value)) *best = best[i];
        r->out[place.offset[1]] = best->position;
        cyops_walk_on(&r->plan.units, &place, 1);
    }
}

static void cut_into_tiles(arg_reduction *r, ptrdiff_t nbytes) {
    const ptrdiff_t unit_elements = r->plan.sequence.count * r->plan.strip, units = r->plan.units.count;
    r->chunks = 1;
    r->units_per_tile = units;
    if (!cyops_is_worth_sharing(NANOSECONDS_PER_BYTE * (double)nbytes)) return;
    r->units_per_tile = unit_elements < TILE_ELEMENTS ? TILE_ELEMENTS / unit_elements : 1;
    if (r->plan.by_columns || units >= ENOUGH_UNITS) return;
    r->chunk_blocks = TILE_ELEMENTS / r->plan.block;
    r->chunks = (r->plan.blocks + r->chunk_blocks - 1) / r->chunk_blocks;
}

static int run(arg_reduction *r, ptrdiff_t nbytes) {
    const ptrdiff_t units = r->plan.units.count;
    cut_into_tiles(r, nbytes);
    const ptrdiff_t tiles = r->chunks > 1 ? units * r->chunks : (units + r->units_per_tile - 1) / r->units_per_tile;
    if (r->chunks > 1 && (r->partials = malloc(tiles * sizeof *r->partials)) == NULL) return CYOPS_NO_MEMORY;
    if (tiles == 1)
        run_tile(r, 0);
    else
        cyops_parallel(tiles, run_tile, r);
    if (r->chunks > 1) {
        if (r->status == CYOPS_OK) merge_chunks(r);
        free(r->partials);
    }
    return r->status;
}

/* The dtype in which elements are compared. */
static int compared_as(int dtype) {
    if (cyops_is_signed(dtype)) return CYOPS_INT64;
    return cyops_is_unsigned(dtype) ? CYOPS_UINT64 : cyops_computing(dtype);
}

int cyops_arg_reduce(int op, const cyops_view *out, const cyops_view *x, const char *reduced) {
    if (cyops_is_text(x->dtype) || cyops_is_complex(x->dtype) || out->dtype != CYOPS_INT64) return CYOPS_NO_KERNEL;
    if (out->size == 0) return CYOPS_OK;
    const cyops_reduce_kernels *kernels = cyops_active->reduce;
    const int dtype = compared_as(x->dtype);
    const ptrdiff_t itemsize = cyops_itemsize(dtype);
    arg_reduction r = {.out = (int64_t *)out->data, .status = CYOPS_OK};
    r.value = &kernels->folds[op == CYOPS_REDUCE_MAX ? CYOPS_FOLD_MAX : CYOPS_FOLD_MIN][dtype];
    r.fold = op == CYOPS_REDUCE_MAX ? &kernels->arg_max[dtype] : &kernels->arg_min[dtype];
    cyops_reduce_plan_make(&r.plan, out, x, reduced, dtype, itemsize, CYOPS_C_ORDER);
    return run(&r, x->size * x->itemsize);
}
