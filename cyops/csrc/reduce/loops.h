/* The reduction kernels of one instruction set. A template: no include guard. See reduce.h. */
#define CYOPS_LANE_BYTES 256 /* four registers of AVX-512: enough sums in flight to hide the latency of an addition */
#define CYOPS_AHEAD 8192

#define T uint8_t
#define POSITION int16_t
#define WIDE unsigned
#define TYPE_NAME bool
#define LOWEST 0
#define HIGHEST 1
#define IS_NAN(x) 0
#include "reduce/dtype.h"

#define T int64_t
#define POSITION int64_t
#define WIDE uint64_t
#define TYPE_NAME i64
#define LOWEST INT64_MIN
#define HIGHEST INT64_MAX
#define IS_NAN(x) 0
#include "reduce/dtype.h"

#define T uint64_t
#define POSITION int64_t
#define WIDE uint64_t
#define TYPE_NAME u64
#define LOWEST 0
#define HIGHEST UINT64_MAX
#define IS_NAN(x) 0
#include "reduce/dtype.h"

#define T float
#define SUFFIX f32
#define POSITION int32_t
#define WIDE float
#define TYPE_NAME f32
#define LOWEST (-INFINITY)
#define HIGHEST INFINITY
#define IS_NAN(x) ((x) != (x))
#include "reduce/dtype.h"

#define T double
#define SUFFIX f64
#define POSITION int64_t
#define WIDE double
#define TYPE_NAME f64
#define LOWEST (-(double)INFINITY)
#define HIGHEST ((double)INFINITY)
#define IS_NAN(x) ((x) != (x))
#include "reduce/dtype.h"

/* clang-format off */
#define KERNEL(fold, f, type) ISA_NAME(CYOPS_JOIN(CYOPS_JOIN(fold, f), type))
#define FOLD(fold, type) {KERNEL(fold, rows, type), KERNEL(fold, columns, type), KERNEL(fold, merge, type)}
#define ARG_FOLD(fold, type) {KERNEL(fold, beats, type), KERNEL(fold, row, type), KERNEL(fold, columns, type)}
#define ALL_DTYPES(ENTRY, fold)                                                                                       \
    {[CYOPS_BOOL] = ENTRY(fold, bool), [CYOPS_INT64] = ENTRY(fold, i64), [CYOPS_UINT64] = ENTRY(fold, u64),           \
     [CYOPS_FLOAT32] = ENTRY(fold, f32), [CYOPS_FLOAT64] = ENTRY(fold, f64)}

static const cyops_reduce_kernels ISA_NAME(cyops_reduce_kernels) = {
    .folds =
        {
            [CYOPS_FOLD_SUM] = ALL_DTYPES(FOLD, fold_sum),
            [CYOPS_FOLD_PROD] = ALL_DTYPES(FOLD, fold_prod),
            [CYOPS_FOLD_MAX] = ALL_DTYPES(FOLD, fold_max),
            [CYOPS_FOLD_MIN] = ALL_DTYPES(FOLD, fold_min),
            [CYOPS_FOLD_SQUARES] = ALL_DTYPES(FOLD, fold_squares),
        },
    .arg_max = ALL_DTYPES(ARG_FOLD, arg_max),
    .arg_min = ALL_DTYPES(ARG_FOLD, arg_min),
};
/* clang-format on */
