/* The kernels of one instruction set for convolutions of each channel by itself: a line of positions along the last
 * spatial axis at a time. Either channels lie in the lanes of the vectors or positions do; an output is one chain of
 * multiply-adds over taps in both, so its bits are the same. Strides count elements.
 */
#ifndef CYOPS_CONV_KERNELS_H
#define CYOPS_CONV_KERNELS_H

#include <stddef.h>

typedef struct {
    ptrdiff_t channels, positions, depth;
    ptrdiff_t length, taps, first, step, tap_step; /* of the last axis: see cyops_conv_axis */
    ptrdiff_t low[2], high[2];                     /* the taps of the first two axes whose places are inside */
    const void *x;                                 /* at place 0 of the last axis and tap 0 of the others */
    const void *kernel, *bias;                     /* channels side by side */
    void *out;
    ptrdiff_t x_tap[2], x_place, x_channel, x_depth;
    ptrdiff_t kernel_tap[3], kernel_depth;
    ptrdiff_t out_position, out_channel;
    int relu;
} cyops_conv_line;

/* to[row / run * to_run + row % run * to_row + column] = from[column * from_column + row]: rows in lines of `run`. */
typedef struct {
    ptrdiff_t rows, columns, run;
    const void *from;
    void *to;
    ptrdiff_t from_column, to_run, to_row;
} cyops_conv_turn;

typedef struct {
    int itemsize, lanes;
    void (*channels)(const cyops_conv_line *);  /* all channels of the line */
    void (*positions)(const cyops_conv_line *); /* its first channel only */
    /* kernel += the products of x and out, over the positions of the line. With positions in the lanes each place of
     * the kernel is `lanes` sums, and its strides count so; add_lanes adds those of `count` places, in place or not. */
    void (*channels_by_kernel)(const cyops_conv_line *);
    void (*positions_by_kernel)(const cyops_conv_line *);
    void (*add_lanes)(ptrdiff_t count, const void *lanes, void *sums);
    void (*turn)(const cyops_conv_turn *);
    int (*is_finite)(ptrdiff_t n, const void *x);
} cyops_conv_type;

typedef struct {
    const cyops_conv_type *f32, *f64;
} cyops_conv_kernels;

#endif
