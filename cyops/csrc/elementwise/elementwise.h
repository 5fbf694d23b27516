/* Elementwise work: the op ids, the kernels of one instruction set, and the entry points.
 *
 * ops.h is the table of ops, dtype.h makes the loops of one dtype from it, loops.h
 * those of all dtypes, plan.c decides how the elements are walked, elementwise.c walks, converts and copies.
 */
#ifndef CYOPS_ELEMENTWISE_H
#define CYOPS_ELEMENTWISE_H

#include "base/cyops.h"
#include "elementwise/ops.h"

#define CYOPS_OP_ID(name, ...) CYOPS_OP_##name,
typedef enum { CYOPS_ELEMENTWISE_OPS(CYOPS_OP_ID) CYOPS_OP_COUNT } cyops_op;
#undef CYOPS_OP_ID

#define CYOPS_MAX_INPUTS 3

/* A 2-D loop over data[0] (the output) and data[1..] (the inputs). Strides are in elements. The output's inner stride
 * is 1. Each input's is 1 or 0, but that of the first input of a unary or ternary op, and of one input of a binary op,
 * is 1. elementwise.c packs operands with other strides. */
typedef void (*cyops_loop)(char *const *data, const ptrdiff_t *inner, const ptrdiff_t *outer, ptrdiff_t n_inner,
                           ptrdiff_t n_outer);

/* A 2-D copy without conversion: strides in elements of the item size the function is for, any value. */
typedef void (*cyops_copy_loop)(char *to, const char *from, const ptrdiff_t *to_strides, const ptrdiff_t *from_strides,
                                ptrdiff_t n_inner, ptrdiff_t n_outer);

typedef struct {
    cyops_loop loops[CYOPS_OP_COUNT][CYOPS_DTYPE_COUNT];      /* NULL where the op has no loop for the dtype */
    cyops_loop roots[2], cube; /* x ** 0.5 of float32 and float64; x ** 3 of float32 */
    cyops_loop casts[CYOPS_DTYPE_COUNT][CYOPS_DTYPE_COUNT]; /* [to][from] */
    cyops_copy_loop copies[4];                                  /* of items of 1, 2, 4 and 8 bytes */
    cyops_copy_loop streams[4];                                 /* the same, storing past the caches, without a fence */
} cyops_elementwise_kernels;

/* The op table as strings, for Python: CYOPS_OP_COUNT rows in the order of the ids. */
typedef struct {
    const char *name;
    int inputs;
    const char *parameters; /* "(a, b)" */
    const char *domain;     /* "FLOATING" */
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
