/* A contraction as the products that the drivers compute: gemm.c calls this, nothing else. */
#ifndef CYOPS_GEMM_DESCRIBE_H
#define CYOPS_GEMM_DESCRIBE_H

#include "gemm/problem.h"

/* The axes along which all three tensors go on: a product for each position. Strides in elements. */
typedef struct {
    ptrdiff_t length, a, b, c, mask, bias, sums;
} gemm_batch_axis;

typedef struct {
    gemm_problem problem; /* of the first product */
    int has_one_column;   /* as the caller sees it: another order of summation, whatever the strides */
    int ndim;             /* the batch axes, innermost first */
    ptrdiff_t count;
    gemm_batch_axis axes[CYOPS_MAX_NDIM];
    /* What the problem points to where no stride leads along an operand. */
    gemm_operand of_a, of_b, of_mask;
    gemm_walk rows_c, columns_c;
    /* Where a bias does not lie side by side: over the rows or the columns. */
    gemm_walk bias;
    int must_copy_bias;
} gemm_batch;

void cyops_gemm_describe(gemm_batch *batch, const cyops_contraction *contraction);

#endif
