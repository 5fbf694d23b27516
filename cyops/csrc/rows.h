/* Row operations: softmax, its logarithm, cross-entropy, and their gradients, along any axis of any strided view.
 *
 * A row is what is normalised together: the elements along the axis, of which there are `classes`. rows_few.h has the
 * kernels for few classes, rows_many.h those for many, rows_loops.h the table of both dtypes; rows.c and
 * rows_cross_entropy.c walk the rows.
 */
#ifndef CYOPS_ROWS_H
#define CYOPS_ROWS_H

#include "cyops.h"

typedef enum {
    CYOPS_ROWS_SOFTMAX,              /* out = softmax(x) */
    CYOPS_ROWS_LOG_SOFTMAX,          /* out = log(softmax(x)) */
    CYOPS_ROWS_SOFTMAX_GRADIENT,     /* out = y * (d - sum(d * y)), y = softmax(x) */
    CYOPS_ROWS_LOG_SOFTMAX_GRADIENT, /* out = d - exp(y) * sum(d), y = log_softmax(x) */
    CYOPS_ROWS_COUNT
} cyops_row_op;

/* data[0] is the output, the others are the inputs; classes lie side by side, rows strides[i] elements apart. */
typedef void (*cyops_row_loop)(char *const data[3], const ptrdiff_t strides[3], ptrdiff_t rows, ptrdiff_t classes);

/* Some rows of a cross-entropy: with labels, or with targets and no labels. gradient may be NULL, and may be the
 * logits. */
typedef struct {
    const void *logits;
    ptrdiff_t logits_stride;
    const int64_t *labels;
    const void *targets;
    ptrdiff_t targets_stride;
    void *losses; /* side by side */
    void *gradient;
    ptrdiff_t gradient_stride;
    double scale; /* multiplies the gradient, not the losses */
    ptrdiff_t rows;
    ptrdiff_t classes;
} cyops_cross_entropy_tile;

/* Every label lies in [0, classes). */
typedef void (*cyops_cross_entropy_loop)(const cyops_cross_entropy_tile *tile);

#define CYOPS_ROWS_DTYPES 2 /* float32 and float64 */

typedef struct {
    cyops_row_loop loops[CYOPS_ROWS_COUNT][CYOPS_ROWS_DTYPES];
    cyops_cross_entropy_loop cross_entropy[CYOPS_ROWS_DTYPES];
} cyops_rows_kernels;

/* out = op(inputs) along the axis. All views have one shape and one dtype, float32 or float64; the gradients take
 * (d, y). `inputs` may be the output itself. */
int cyops_rows(int op, const cyops_view *out, const cyops_view *const *inputs, int axis);

/* losses[i] = -log softmax(logits[i])[labels[i]] and, where gradient is not NULL,
 * gradient = scale * (softmax - one-hot), along the last axis. labels: any integer dtype, the shape of
 * losses, which is that of logits without its last axis; losses are in C order. gradient may be the logits. Nothing is
 * written where a label is bad.
 * CYOPS_OUT_OF_RANGE where a label lies outside [0, classes); *position is the first such one in C order. */
int cyops_cross_entropy(const cyops_view *losses, const cyops_view *gradient, const cyops_view *logits,
                        const cyops_view *labels, double scale, ptrdiff_t *position);

/* The same with a distribution per row: losses = -sum(targets * log softmax(logits)) and
 * gradient = scale * (softmax * sum(targets) - targets). */
int cyops_cross_entropy_targets(const cyops_view *losses, const cyops_view *gradient, const cyops_view *logits,
                                const cyops_view *targets, double scale);

#endif
