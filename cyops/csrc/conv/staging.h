/* A part of a convolution's input, small enough for a cache, with its channels side by side. Private to this folder.
 */
#ifndef CYOPS_CONV_STAGING_H
#define CYOPS_CONV_STAGING_H

#include "conv/conv.h"
#include "conv/kernels.h"

/* Some samples, some positions along each axis, and the places that their taps meet: [low, low + length) along each axis,
 * all inside the input but along the last `padded` axes, where zeros stand for the others. Strides count elements. */
typedef struct {
    ptrdiff_t sample, samples, at[CYOPS_SPATIAL], positions[CYOPS_SPATIAL];
    ptrdiff_t low[CYOPS_SPATIAL], length[CYOPS_SPATIAL];
    int padded;
    const char *x; /* the first channel of the lowest place of the first sample */
    ptrdiff_t x_sample, x_place[CYOPS_SPATIAL];
} conv_block;

/* Whether every place that positions along an axis meet is inside. */
int conv_is_inside(const cyops_conv_axis *axis);

/* Finds the places of a block whose other members are set. */
void conv_find_places(const cyops_staged_call *call, conv_block *block);

/* How many elements their copy takes. */
ptrdiff_t conv_count_places(const cyops_staged_call *call, const conv_block *block);

/* Lets x and its strides be those of the input itself, or of a copy in memory, where conv_copy_sample then puts it sample
 * by sample, and which takes as many elements as conv_place_copy returns. */
void conv_use_input(const cyops_staged_call *call, conv_block *block, ptrdiff_t itemsize);
ptrdiff_t conv_place_copy(const cyops_staged_call *call, conv_block *block, char *memory);
void conv_copy_sample(const cyops_staged_call *call, const cyops_conv_type *type, const conv_block *block, ptrdiff_t n);

#endif
