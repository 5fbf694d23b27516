/* A part of a convolution's input, small enough for a cache, with its channels side by side. Private to this folder.
 */
#ifndef CYOPS_CONV_STAGING_H
#define CYOPS_CONV_STAGING_H

#include "conv/conv.h"
#include "conv/kernels.h"

/* Some samples, some positions along each axis, and the places that their taps meet: [low, low + length) along each axis,
 * all inside the input but for the last axis where it is padded with zeros. Strides count elements. */
typedef struct {
    ptrdiff_t sample, samples, at[CYOPS_SPATIAL], positions[CYOPS_SPATIAL];
    ptrdiff_t low[CYOPS_SPATIAL], length[CYOPS_SPATIAL];
    const char *x; /* the first channel of the lowest place of the first sample */
    ptrdiff_t x_sample, x_place[CYOPS_SPATIAL];
} conv_block;

/* Whether every place that positions along an axis meet is inside. */
int conv_is_inside(const cyops_conv_axis *axis);

/* Finds the places of a block. */
void conv_find_places(const cyops_staged_call *call, conv_block *block, int is_padded);

/* How many elements their copy takes. */
ptrdiff_t conv_count_places(const cyops_staged_call *call, const conv_block *block);

/* Lets x and its strides be those of the input itself, or of a copy in memory. */
void conv_use_input(const cyops_staged_call *call, conv_block *block, ptrdiff_t itemsize);
void conv_stage(const cyops_staged_call *call, const cyops_conv_type *type, conv_block *block, char *memory);

#endif
