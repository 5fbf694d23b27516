/* The reduction kernels of one instruction set. See reduce.h for what is folded into what. */
#ifndef CYOPS_REDUCE_KERNELS_H
#define CYOPS_REDUCE_KERNELS_H

#include "base/cyops.h"

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
/* An extreme is the same from blocks of any length, and the tree over the lanes of one costs as much as 1000 elements:
 * docs/kernels.md, Vectors. */
#define CYOPS_EXTREME_BLOCK (16 * CYOPS_ROW_BLOCK)
#define CYOPS_SHORT_ROW 16 /* below, elements are folded one by one: a tree over lanes costs more than it saves */

/* The kernels of one fold and one dtype. `center` points to as many values as there are results. */
typedef struct {
    /* result[r] = fold of the n elements that lie side by side at x[r * row_stride], for r < rows; n >= 1. Those of more
     * than a block are cut into blocks, which are merged in the binary tree. */
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
    void (*columns)(void *best, int64_t *position, const void *x, ptrdiff_t row_stride, ptrdiff_t rows, ptrdiff_t width,
                    int64_t first_position);
} cyops_arg_fold;

/* A table entry is empty where a dtype has no kernel of its own and is converted to another one first. */
typedef struct {
    cyops_fold folds[CYOPS_FOLD_COUNT][CYOPS_DTYPE_COUNT];
    cyops_arg_fold arg_max[CYOPS_DTYPE_COUNT];
    cyops_arg_fold arg_min[CYOPS_DTYPE_COUNT];
} cyops_reduce_kernels;

#endif
