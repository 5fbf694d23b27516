/* The row kernels of one instruction set. A template: no include guard. See rows.h. */
#include "math/formulas.h"

#define T float
#define SUFFIX f32
#define EXP(x) ISA_NAME(exp_f32)(x)
#define LOG(x) ISA_NAME(log_f32)(x)
#include "rows/dtype.h"
#undef T
#undef SUFFIX
#undef EXP
#undef LOG

#define T double
#define SUFFIX f64
#define EXP(x) ISA_NAME(exp_f64)(x)
#define LOG(x) ISA_NAME(log_f64)(x)
#include "rows/dtype.h"
#undef T
#undef SUFFIX
#undef EXP
#undef LOG

#define ROW_KERNEL(name, suffix) ISA_NAME(CYOPS_JOIN(CYOPS_JOIN(row, name), suffix))
#define BOTH_DTYPES(name) {ROW_KERNEL(name, f32), ROW_KERNEL(name, f64)}

static const cyops_rows_kernels ISA_NAME(cyops_rows_kernels) = {
    .loops =
        {
            [CYOPS_ROWS_SOFTMAX] = BOTH_DTYPES(softmax_loop),
            [CYOPS_ROWS_LOG_SOFTMAX] = BOTH_DTYPES(log_softmax_loop),
            [CYOPS_ROWS_SOFTMAX_GRADIENT] = BOTH_DTYPES(softmax_gradient_loop),
            [CYOPS_ROWS_LOG_SOFTMAX_GRADIENT] = BOTH_DTYPES(log_softmax_gradient_loop),
            [CYOPS_ROWS_LABEL_LOSS] = BOTH_DTYPES(label_loss_loop),
            [CYOPS_ROWS_TARGET_LOSS] = BOTH_DTYPES(target_loss_loop),
        },
};
