/* The row operations. */
#ifndef CYOPS_ROWS_OPS_H
#define CYOPS_ROWS_OPS_H

typedef enum {
    CYOPS_ROWS_SOFTMAX,              /* out = softmax(x) */
    CYOPS_ROWS_LOG_SOFTMAX,          /* out = log(softmax(x)) */
    CYOPS_ROWS_SOFTMAX_GRADIENT,     /* out = y * (d - sum(d * y)), y = softmax(x) */
    CYOPS_ROWS_LOG_SOFTMAX_GRADIENT, /* out = d - exp(y) * sum(d), y = log_softmax(x) */
    CYOPS_ROWS_LABEL_LOSS,           /* the loss of each row's label; out is the gradient */
    CYOPS_ROWS_TARGET_LOSS,          /* the loss under the distribution y; out is the gradient */
    CYOPS_ROWS_COUNT
} cyops_row_op;

#endif
