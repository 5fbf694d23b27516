/* Gathering and scattering along one axis by integer positions. The positions are int64, side by side.
 *
 * A tensor is seen as (outer, n, inner): n is the length of the axis. A slab is what lies at one position of it.
 */
#ifndef CYOPS_GATHER_H
#define CYOPS_GATHER_H

#include "base/cyops.h"

/* Makes each of n positions lie in [0, length): negative ones count from the end. CYOPS_OUT_OF_RANGE leaves the first
 * that does not in *bad. */
int cyops_wrap_positions(int64_t *positions, ptrdiff_t n, ptrdiff_t length, ptrdiff_t *bad);

/* out[..., j, ...] = x[..., positions[j], ...]; out has `count` in place of the axis' length, and x's dtype. */
int cyops_take(const cyops_view *out, const cyops_view *x, int axis, const int64_t *positions, ptrdiff_t count);

/* target[..., positions[j], ...] += updates[..., j, ...] in the order of j; one dtype. */
int cyops_scatter_add(const cyops_view *target, const cyops_view *updates, int axis, const int64_t *positions,
                      ptrdiff_t count);

/* target[..., positions[j], ...] = updates[..., j, ...] in the order of j; one dtype. */
int cyops_scatter(const cyops_view *target, const cyops_view *updates, int axis, const int64_t *positions,
                  ptrdiff_t count);

/* target += updates, where target may reach one element by several index tuples; one shape, one dtype. */
int cyops_accumulate(const cyops_view *target, const cyops_view *updates);

/* out (count, ...) = rows of x (n, ...) at the positions, converted to out's dtype (float32 or float64) and multiplied
 * by `scale`, in one pass. */
int cyops_gather_rows(const cyops_view *out, const cyops_view *x, const int64_t *positions, ptrdiff_t count,
                      double scale);

#endif
