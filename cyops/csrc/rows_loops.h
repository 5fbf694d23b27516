/* The row kernels of one instruction set. A template: no include guard. See rows.h.
 *
 * Comes after elementwise_loops.h, whose copy kernels it uses.
 */
#include "math_formulas.h"

#define CYOPS_SHEET_BYTES (16 << 10) /* two of them in the first cache: 128 classes of float32 count as few */

/* Vectorise although an output may be an input: element i is written after element i alone was read. */
#if defined(__clang__)
#define CYOPS_SAME_PLACE _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define CYOPS_SAME_PLACE _Pragma("GCC ivdep")
#else
#define CYOPS_SAME_PLACE
#endif

#define T float
#define SUFFIX f32
#define EXP(x) ISA_NAME(exp_f32)(x)
#define LOG(x) ISA_NAME(log_f32)(x)
#define COPY ISA_NAME(copy_4)
#include "rows_dtype.h"

#define T double
#define SUFFIX f64
#define EXP(x) ISA_NAME(exp_f64)(x)
#define LOG(x) ISA_NAME(log_f64)(x)
#define COPY ISA_NAME(copy_8)
#include "rows_dtype.h"

#define ROW_KERNEL(name, suffix) ISA_NAME(CYOPS_JOIN(CYOPS_JOIN(row, name), suffix))
#define BOTH_DTYPES(name) {ROW_KERNEL(name, f32), ROW_KERNEL(name, f64)}

static const cyops_rows_kernels ISA_NAME(cyops_rows_kernels) = {
    .loops =
        {
            [CYOPS_ROWS_SOFTMAX] = BOTH_DTYPES(softmax),
            [CYOPS_ROWS_LOG_SOFTMAX] = BOTH_DTYPES(log_softmax),
            [CYOPS_ROWS_SOFTMAX_GRADIENT] = BOTH_DTYPES(softmax_gradient_loop),
            [CYOPS_ROWS_LOG_SOFTMAX_GRADIENT] = BOTH_DTYPES(log_softmax_gradient_loop),
        },
    .cross_entropy = BOTH_DTYPES(cross_entropy),
};

#undef CYOPS_SHEET_BYTES
#undef CYOPS_SAME_PLACE
#undef ROW_KERNEL
#undef BOTH_DTYPES
