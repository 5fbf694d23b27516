"""The ids by which C knows its operations, each said once for all extensions."""
cdef extern from "csrc/elementwise/elementwise.h":
    enum:
        CYOPS_OP_COUNT, CYOPS_MAX_INPUTS
        CYOPS_OP_add, CYOPS_OP_subtract, CYOPS_OP_multiply, CYOPS_OP_divide, CYOPS_OP_floor_divide, CYOPS_OP_remainder
        CYOPS_OP_round, CYOPS_OP_sqrt, CYOPS_OP_clip, CYOPS_OP_maximum, CYOPS_OP_minimum, CYOPS_OP_relu
        CYOPS_OP_pow, CYOPS_OP_square, CYOPS_OP_negative, CYOPS_OP_abs
        CYOPS_OP_equal, CYOPS_OP_not_equal, CYOPS_OP_less, CYOPS_OP_less_equal, CYOPS_OP_greater, CYOPS_OP_greater_equal
        CYOPS_OP_logical_not, CYOPS_OP_logical_and, CYOPS_OP_logical_or

cdef extern from "csrc/gemm/gemm.h":
    enum: CYOPS_ACTIVATION_NONE, CYOPS_ACTIVATION_RELU

cdef extern from "csrc/pool/ops.h":
    enum:
        CYOPS_POOL_LARGEST, CYOPS_POOL_LARGEST_AT, CYOPS_POOL_CHOSEN, CYOPS_POOL_PUT, CYOPS_POOL_MEAN
        CYOPS_POOL_WEIGHTED

cdef extern from "csrc/reduce/reduce.h":
    enum: CYOPS_REDUCE_SUM, CYOPS_REDUCE_MEAN, CYOPS_REDUCE_PROD, CYOPS_REDUCE_MAX, CYOPS_REDUCE_MIN, CYOPS_REDUCE_VAR

cdef extern from "csrc/rows/rows.h":
    enum: CYOPS_ROWS_SOFTMAX, CYOPS_ROWS_LOG_SOFTMAX, CYOPS_ROWS_SOFTMAX_GRADIENT, CYOPS_ROWS_LOG_SOFTMAX_GRADIENT

cdef extern from "csrc/update/update.h":
    enum:
        CYOPS_MAX_SLOTS, CYOPS_MAX_STEP_SCALARS, CYOPS_STEP_COUNT
        CYOPS_STEP_sgd, CYOPS_STEP_momentum, CYOPS_STEP_nesterov, CYOPS_STEP_adam
        CYOPS_STEP_rmsprop, CYOPS_STEP_rmsprop_momentum
        CYOPS_STEP_rmsprop_centered, CYOPS_STEP_rmsprop_centered_momentum
