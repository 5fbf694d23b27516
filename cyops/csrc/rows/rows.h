/* Row operations: softmax, its logarithm, cross-entropy, and their gradients, along any axis of any strided view.
 *
 * A row is what is normalised together: the elements along the axis, of which there are `classes`. dtype.h has the
 * kernels of one dtype, written with the vectors of simd/vector.h; loops.h makes the table of both dtypes,
 * kernels.h says what they promise; tiles.h hands them the rows of any views, for rows.c and cross_entropy.c.
 */
#ifndef CYOPS_ROWS_H
#define CYOPS_ROWS_H

#include "base/cyops.h"
#include "rows/ops.h"

/* out = op(inputs) along the axis, for the first four ops. All views have one shape and one dtype, float32 or float64;
 * the gradients take (d, y). `inputs` may be the output itself. */
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
