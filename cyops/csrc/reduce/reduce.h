/* Reductions over any set of axes of any strided view: sum, mean, prod, max, min, var, argmax, argmin.
 *
 * fold.h makes the kernels of one dtype, loops.h those of all dtypes; plan.c turns axes into kept
 * and reduced ones, reduce.c walks them, arg.c finds the positions of extremes.
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

/* What a kernel folds into an accumulator. */
typedef enum {
    CYOPS_FOLD_SUM,
    CYOPS_FOLD_PROD,
    CYOPS_FOLD_MAX,
    CYOPS_FOLD_MIN,
    CYOPS_FOLD_SQUARES, /* the sum of (x - center)^2 */
    CYOPS_FOLD_COUNT
} cyops_fold_id;

/* Elements per block where a result is folded alone, and rows per block where neighbouring results are folded side by
 * side. Changing them changes the bits of sums. */
#define CYOPS_ROW_BLOCK 1024
#define CYOPS_COLUMN_BLOCK 128
#define CYOPS_SHORT_ROW 16 /* below, elements are folded one by one: a tree over lanes costs more than it saves */

/* The kernels of one fold and one dtype. `center` points to as many values as there are results. */
typedef struct {
    /* result[r] = fold of the n elements that lie side by side at x[r * row_stride], for r < rows; n >= 1 */
    void (*rows)(void *result, const void *x, ptrdiff_t row_stride, ptrdiff_t rows, ptrdiff_t n, const void *center);
    /* result[c] = fold over r of x[r * row_stride + c], for c < width; rows >= 1 */
    void (*columns)(void *result, const void *x, ptrdiff_t row_stride, ptrdiff_t rows, ptrdiff_t width,
                    const void *center);
    /* into[c] = fold of into[c] and from[c] */
    void (*merge)(void *into, const void *from, ptrdiff_t width);
} cyops_fold;

/* The first extreme, as value and position. */
typedef struct {
    /* Whether a beats b: larger (or smaller), or NaN where b is not. */
    int (*beats)(const void *a, const void *b);
    /* *best = the extreme of n elements that lie side by side; returns its position. 1 <= n <= CYOPS_ROW_BLOCK */
    ptrdiff_t (*row)(void *best, const void *x, ptrdiff_t n);
    /* Replaces best[c] and position[c] where a later row beats it; rows are numbered from first_position. */
    void (*columns)(void *best, int64_t *position, const void *x, ptrdiff_t row_stride, ptrdiff_t rows,
                    ptrdiff_t width, int64_t first_position);
} cyops_arg_fold;

/* A table entry is empty where a dtype has no kernel of its own and is converted to another one first. */
typedef struct {
    cyops_fold folds[CYOPS_FOLD_COUNT][CYOPS_DTYPE_COUNT];
    cyops_arg_fold arg_max[CYOPS_DTYPE_COUNT];
    cyops_arg_fold arg_min[CYOPS_DTYPE_COUNT];
} cyops_reduce_kernels;

/* out = reduction of x over the axes whose flag is set. `out` has the kept axes of x in their order; it computes in
 * out's dtype: bool (max and min only), int64, uint64, float32 or float64; elements of another dtype are converted,
 * block by block. The number of elements reduced is divided by in mean, less the correction in var; max and min need
 * at least one. No overlap between out and x. */
int cyops_reduce(int reduction, const cyops_view *out, const cyops_view *x, const char *reduced, double correction);

/* out (int64) = position of the first largest (CYOPS_REDUCE_MAX) or smallest element over the axes whose flag is set,
 * counted in C order over them; the first NaN where there is one. Needs at least one element per result. */
int cyops_arg_reduce(int reduction, const cyops_view *out, const cyops_view *x, const char *reduced);

#endif
