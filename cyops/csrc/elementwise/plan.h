/* How the elements of several views of one shape are walked: fewest axes, memory order, large pieces.
 *
 * A plan drops axes of length 1, turns round those that every view walks backwards, orders the rest by stride and joins
 * neighbours that are one run of memory in every view. What is left is walked as 2-D tiles over the two innermost
 * axes. plan.c makes plans and walks them; it touches no element.
 */
#ifndef CYOPS_PLAN_H
#define CYOPS_PLAN_H

#include "base/cyops.h"

#define CYOPS_MAX_OPERANDS 4

typedef struct {
    int operands; /* operand 0 is the output: its strides decide the order first */
    int ndim;     /* at least 2 */
    ptrdiff_t size;
    ptrdiff_t shape[CYOPS_MAX_NDIM]; /* innermost axis first */
    ptrdiff_t strides[CYOPS_MAX_OPERANDS][CYOPS_MAX_NDIM]; /* in elements */
    ptrdiff_t itemsize[CYOPS_MAX_OPERANDS];
    char *data[CYOPS_MAX_OPERANDS];
} cyops_plan;

/* One tile: n_outer rows of n_inner elements, data[k] the first element of operand k. Its strides are those of axes
 * 0 and 1 of the plan. */
typedef void (*cyops_tile)(const void *context, const cyops_plan *plan, char *const *data, ptrdiff_t n_inner,
                           ptrdiff_t n_outer);

/* All views have one shape with at least one element. */
void cyops_plan_make(cyops_plan *plan, int operands, const cyops_view *const *views);

/* Calls `tile` until every element was in one tile; in parallel, in pieces cut by size alone, where the work is large.
 * `cost` is about how many bytes of memory traffic one element is worth. */
void cyops_plan_walk(const cyops_plan *plan, ptrdiff_t cost, cyops_tile tile, const void *context);

#endif
