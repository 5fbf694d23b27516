/* Reductions over any set of axes of any strided view: sum, mean, prod, max, min, var, argmax, argmin.
 *
 * fold.h and extreme.h make the kernels of one dtype, loops.h those of all dtypes, kernels.h says what they promise;
 * plan.c turns axes into kept and reduced ones, reduce.c walks them, arg.c finds the positions of extremes.
 *
 * The elements that go into one result form a sequence, which is cut into blocks of fixed length. Each block is folded
 * with a fixed number of lanes, whatever the width of the CPU's registers, and the results of the blocks are merged in
 * a binary tree. So the bits depend on the shape and on the order in memory, never on threads or instruction set. An
 * axis of stride 0 repeats what the others give: max and min leave it out, sum, mean and var multiply by its length,
 * which is one rounding in place of many; a copy of such a view may therefore differ in the last bits.
 */
#ifndef CYOPS_REDUCE_H
#define CYOPS_REDUCE_H

#include "base/cyops.h"

typedef enum {
    CYOPS_REDUCE_SUM,
    CYOPS_REDUCE_MEAN,
    CYOPS_REDUCE_PROD,
    CYOPS_REDUCE_MAX, /* NaN where there is one; of bools: any */
    CYOPS_REDUCE_MIN, /* NaN where there is one; of bools: all */
    CYOPS_REDUCE_VAR,
    CYOPS_REDUCE_COUNT
} cyops_reduction;

/* out = reduction of x over the axes whose flag is set. `out` has the kept axes of x in their order; it computes in
 * out's dtype: bool (max and min only), int64, uint64, float32 or float64; elements of another dtype are converted,
 * block by block. The number of elements reduced is divided by in mean, less the correction in var; max and min need
 * at least one. No overlap between out and x. */
int cyops_reduce(int reduction, const cyops_view *out, const cyops_view *x, const char *reduced, double correction);

/* out (int64) = position of the first largest (CYOPS_REDUCE_MAX) or smallest element over the axes whose flag is set,
 * counted in C order over them; the first NaN where there is one. Needs at least one element per result. */
int cyops_arg_reduce(int reduction, const cyops_view *out, const cyops_view *x, const char *reduced);

#endif
