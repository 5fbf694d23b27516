/* Pooling and resizing: each element of the result is made of the window of elements that its place looks at.
 *
 * A windowed axis has a table that says, for each place of the result, which elements of the operand it looks at: so
 * many neighbours from `first` on. The window of an element is the product of those of its axes, in C order. Pooling,
 * its gradients (an element looks back at the windows that held it), and resizing differ in their tables alone.
 * kernels.h says what the loops of an instruction set promise, dtype.h has them; pool.c walks any strides.
 */
#ifndef CYOPS_POOL_POOL_H
#define CYOPS_POOL_POOL_H

#include "base/cyops.h"
#include "pool/ops.h"

typedef struct {
    ptrdiff_t first;       /* of the operand's elements */
    ptrdiff_t taps;        /* how many; 0 where the place looks at none */
    ptrdiff_t number;      /* of the first tap within the window of pooling */
    ptrdiff_t run;         /* how many places from this one on, `step` apart, have windows like it, `advance` apart */
    const double *weights; /* of each tap, or NULL where all are 1 */
} cyops_pool_window;

typedef struct {
    const cyops_pool_window
        *windows; /* one for each place along the axis of the result; NULL for an axis without windows */
    ptrdiff_t step; /* between the places of a run */
    ptrdiff_t advance; /* between their windows */
    ptrdiff_t number_step; /* from the number of a tap to that of the next */
    ptrdiff_t numbers; /* how many numbers there are: the length of pooling's window */
} cyops_pool_axis;

/* Fills the table of an axis of pooling whose operand has `length` elements, windows of `size` every `stride` elements,
 * the first `before` elements ahead. windows[i] of `places` looks at the part of window i that lies in the operand. */
void cyops_pooling_windows(cyops_pool_window *windows, ptrdiff_t places, ptrdiff_t length, ptrdiff_t size,
                           ptrdiff_t stride, ptrdiff_t before);

/* The same looking back: windows[i] of `length` are those windows that hold element i, of `places`. Where `weights` is
 * not NULL it has room for `places` numbers, and each weighs 1 / elements in it. */
void cyops_pooling_windows_back(cyops_pool_window *windows, double *weights, ptrdiff_t places, ptrdiff_t length,
                                ptrdiff_t size, ptrdiff_t stride, ptrdiff_t before);

/* Sets `run` of all places of a table whose other members are set. */
void cyops_find_runs(cyops_pool_window *windows, ptrdiff_t places, ptrdiff_t step, ptrdiff_t advance);

/* out = op over the windows of x; axes[i] for each axis of out. indices: of the shape of out, or, for the ops that put,
 * of x; uint8 or the dtype of x; NULL where the op has none. float32 and float64, and for LARGEST integers and bool. */
int cyops_fold_windows(int op, const cyops_view *out, const cyops_view *x, const cyops_view *indices,
                       const cyops_pool_axis *axes);

#endif
