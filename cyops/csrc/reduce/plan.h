/* How the elements of a reduction are walked. Internal to the files named reduce*.
 *
 * Each result is folded from a sequence of elements, the walk over the reduced axes. Neighbouring results are folded
 * together as a strip: of columns where the innermost axis in memory is a kept one, of rows where the sequences are
 * short runs. A unit is one strip with its whole sequence, a block a fixed number of steps of the sequence.
 */
#ifndef CYOPS_REDUCE_PLAN_H
#define CYOPS_REDUCE_PLAN_H

#include "base/axes.h"
#include "reduce/reduce.h"
#include "runtime/dispatch.h"

/* docs/kernels.md, Threads. */
#define NANOSECONDS_PER_BYTE 0.01
#define TILE_ELEMENTS ((ptrdiff_t)64 << 10)
#define ENOUGH_UNITS 32 /* for any number of threads; fewer are cut into chunks of their sequences */

typedef struct {
    cyops_copy_loop copy;     /* of x's items */
    cyops_loop convert;       /* to the dtype computed in; NULL where x has it */
    ptrdiff_t x_itemsize;
    ptrdiff_t itemsize;       /* of the dtype computed in */
    const char *x;
    cyops_axes sequence;      /* the reduced axes; tensor 0 is x */
    cyops_axes units;         /* the kept axes, the innermost cut into strips; tensor 0 is x, 1 the output */
    ptrdiff_t repeats;        /* how often each element of the sequence counts: axes of stride 0 are left out of it */
    ptrdiff_t columns;        /* length of the innermost kept axis, 1 where every result is folded alone */
    ptrdiff_t column_stride;
    ptrdiff_t out_column_stride;
    ptrdiff_t strip;          /* columns per unit; the last one may be narrower */
    ptrdiff_t block;          /* steps per block */
    ptrdiff_t blocks;         /* per sequence */
    int by_columns;
} cyops_reduce_plan;

/* What a sequence may leave of the order of x: in memory's order negative strides are turned round too; merged repeats
 * leave out the axes of stride 0 besides. */
typedef enum { CYOPS_C_ORDER, CYOPS_MEMORY_ORDER, CYOPS_MERGED_REPEATS } cyops_sequence_order;

/* `out` has the kept axes of x. */
void cyops_reduce_plan_make(cyops_reduce_plan *plan, const cyops_view *out, const cyops_view *x, const char *reduced,
                            int dtype, ptrdiff_t itemsize, cyops_sequence_order order);

/* The number of columns of the unit at this place. */
static inline ptrdiff_t cyops_unit_width(const cyops_reduce_plan *plan, const cyops_place *unit) {
    const ptrdiff_t left = plan->units.ndim > 0 && plan->strip < plan->columns
                               ? plan->columns - unit->index[0] * plan->strip
                               : plan->columns;
    return left < plan->strip ? left : plan->strip;
}

/* Bytes in whole cache lines: where one kind of item ends in scratch memory and the next, perhaps wider, begins. */
static inline ptrdiff_t cyops_whole_lines(ptrdiff_t nbytes) { return (nbytes + 63) & ~(ptrdiff_t)63; }

/* Bytes of scratch memory that cyops_next_block needs; 0 where it may read all blocks where they lie. */
ptrdiff_t cyops_block_scratch(const cyops_reduce_plan *plan);

/* The next `steps` steps of a unit's sequence in the dtype computed in, as rows of `width` elements; *row_stride is
 * set. They are gathered into scratch unless they lie in memory as a kernel can read them. Moves the place on. */
const char *cyops_next_block(const cyops_reduce_plan *plan, const char *x, cyops_place *place, ptrdiff_t steps,
                             ptrdiff_t width, char *scratch, ptrdiff_t *row_stride);

#endif
