/* Elementwise work: the entry points.
 *
 * ops.h is the table of ops, dtype.h makes the loops of one dtype from it, loops.h those of all dtypes, kernels.h says
 * what they promise; plan.c decides how the elements are walked, elementwise.c walks, converts and copies.
 */
#ifndef CYOPS_ELEMENTWISE_H
#define CYOPS_ELEMENTWISE_H

#include "base/cyops.h"
#include "elementwise/ops.h"

#define CYOPS_MAX_INPUTS 3

/* The op table as strings, for Python: CYOPS_OP_COUNT rows in the order of the ids. */
typedef struct {
    const char *name;
    int inputs;
    const char *parameters; /* "(a, b)" */
    const char *domain;     /* "FLOATING" */
    cyops_cost cost;
    double ulps[4]; /* of float32 and float64, and of both without fused multiply-add */
    const char *formula;    /* "a + b" */
    const char *doc;
    const char *example_arguments;
    const char *example_result;
} cyops_op_row;

extern const cyops_op_row cyops_elementwise_ops[CYOPS_OP_COUNT];

/* out = op(inputs). Every input has out's shape (stride 0 where it is broadcast) and one common dtype, in which the op
 * has a loop; the condition of where is bool. Comparisons, predicates and logical ops write bool. Strings of one
 * kind, of any widths, may be compared. An input may be the output itself; it may not overlap it in another way. */
int cyops_elementwise(int op, const cyops_view *out, const cyops_view *const *inputs);

/* out = pow(inputs[0], exponent), where inputs[1] repeats one exponent. Some exponents have loops of their own, which
 * are not off further than pow's. */
int cyops_power(const cyops_view *out, const cyops_view *const *inputs);

/* out = in, converted to out's dtype: any pair of numeric dtypes, or strings of one kind, padded with zeros or cut.
 * Same shape, any strides; an input with stride 0 everywhere fills the output. They may not overlap. */
int cyops_cast(const cyops_view *out, const cyops_view *in);

#endif
