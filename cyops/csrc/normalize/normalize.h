/* Batch normalization: statistics of each channel, and what they make of the elements, in one pass over memory each.
 *
 * All views have one shape and one dtype, float32 or float64, and at least one element; `axis` is that of the channels,
 * of which `mean` and its like have one number each. Either the channels or the elements of one channel lie side by
 * side in every view; CYOPS_NO_KERNEL elsewhere.
 */
#ifndef CYOPS_NORMALIZE_H
#define CYOPS_NORMALIZE_H

#include "base/cyops.h"

/* Mean and population variance of each channel. Tiles of rows are taken twice while they are in the cache, first for
 * their mean; they are joined in double precision (Chan, Golub, LeVeque 1979). */
int cyops_channel_moments(const cyops_view *x, int axis, double *mean, double *variance);

/* sum(d) and sum(d * (x - mean)) of each channel. */
int cyops_channel_sums(const cyops_view *d, const cyops_view *x, int axis, const double *mean, double *of_d,
                       double *of_products);

/* out = (x - mean) * slope + d * factor + offset; without d * factor where d is NULL. */
int cyops_channel_normalize(const cyops_view *out, const cyops_view *x, const cyops_view *d, int axis,
                            const double *mean, const double *slope, const double *factor, const double *offset);

#endif
