/* Convolutions of each channel by itself: the entry points. All others are contractions (gemm/gemm.h).
 *
 * Up to three spatial axes; where there are fewer, the first are of length 1. Strides count elements and have any sign.
 */
#ifndef CYOPS_CONV_H
#define CYOPS_CONV_H

#include "base/cyops.h"

#define CYOPS_SPATIAL 3

/* Tap k of position o lies at place first + o * step + k * tap_step of the input; outside [0, length) it is left out.
 * step is positive, and tap_step too where there is more than one tap. */
typedef struct {
    ptrdiff_t length, positions, taps, first, step, tap_step;
    ptrdiff_t x, kernel, out; /* strides: from place to place, tap to tap, position to position */
} cyops_conv_axis;

/* out[n, o, c, j] = activation(sum over taps k and depth i of x[n, place(o, k), c, i] kernel[k, c, i, j] + bias[c, j]).
 * Of multiplier (j) and depth (i), one is 1: a multiplier makes several channels of one, and its gradient sums them. */
typedef struct {
    int dtype, relu;
    ptrdiff_t samples, channels, multiplier, depth;
    cyops_conv_axis axes[CYOPS_SPATIAL];
    char *x, *kernel, *out;
    const char *bias; /* or NULL */
    ptrdiff_t x_sample, x_channel, x_depth;
    ptrdiff_t kernel_channel, kernel_further; /* the second along depth, or multiplier */
    ptrdiff_t out_sample, out_channel, out_multiplier;
    ptrdiff_t bias_channel, bias_multiplier;
} cyops_depthwise_call;

#define CYOPS_MOST_TAPS 128 /* of all axes, of a staged convolution */

/* out[n, o, f] = activation(sum over taps k and channels c of x[n, place(o, k), c] kernel[k, c, f] + bias[f]), by the
 * kernels of the matrix product. The channels of x lie side by side, or its places along the last axis do; and so the
 * filters of out, or its positions. Those of bias lie side by side. A kernel that is not finite may meet zeros where it
 * lies in the padding. */
typedef struct {
    int dtype, relu;
    ptrdiff_t samples, channels, filters;
    cyops_conv_axis axes[CYOPS_SPATIAL];
    const char *x, *bias;
    char *kernel, *out, *sums; /* bias and sums may be NULL */
    ptrdiff_t x_sample, x_channel, kernel_channel, kernel_filter, out_sample, out_channel;
} cyops_staged_call;

int cyops_conv_staged(const cyops_staged_call *call);

/* kernel[k, c, f] = sum over n and o of x[n, place(o, k), c] out[n, o, f], and sums[f] the sum of out[n, o, f]: what is
 * written is the kernel, contiguous, and the sums. out may have any strides, and at least one element. */
int cyops_conv_staged_by_kernel(const cyops_staged_call *call);

/* Whether no element is infinite or NaN; of float32, float64 or bfloat16. */
int cyops_is_finite(const cyops_view *x);

int cyops_depthwise(const cyops_depthwise_call *call);

/* kernel[k, c, j] = sum over n and o of x[n, place(o, k), c] out[n, o, c, j]: what is written is the kernel; depth is 1. */
int cyops_depthwise_by_kernel(const cyops_depthwise_call *call);

#endif
