/* The kernels of batch normalization of one instruction set. A template: no include guard. See normalize.h. */
#define T float
#define SUFFIX f32
#include "normalize/dtype.h"
#undef T
#undef SUFFIX

#define T double
#define SUFFIX f64
#include "normalize/dtype.h"
#undef T
#undef SUFFIX

#define NORMALIZE_BOTH(name, suffix) \
    {ISA_NAME(CYOPS_JOIN(channel_##name##_across, suffix)), ISA_NAME(CYOPS_JOIN(channel_##name##_along, suffix))}
#define NORMALIZE_DTYPE(suffix) \
    {NORMALIZE_BOTH(moments, suffix), NORMALIZE_BOTH(sums, suffix), NORMALIZE_BOTH(normalize, suffix)}

static const cyops_normalize_kernels ISA_NAME(cyops_normalize_kernels) = {
    .dtypes = {NORMALIZE_DTYPE(f32), NORMALIZE_DTYPE(f64)},
};
