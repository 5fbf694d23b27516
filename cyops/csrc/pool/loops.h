/* The pooling kernels of one instruction set. A template: no include guard. See pool.h. */
#define T float
#define SUFFIX f32
#include "pool/dtype.h"
#undef T
#undef SUFFIX

#define T double
#define SUFFIX f64
#include "pool/dtype.h"
#undef T
#undef SUFFIX

/* clang-format off */
#define POOL_INTEGERS(POOLED) \
    POOLED(INT8, int8_t) POOLED(INT16, int16_t) POOLED(INT32, int32_t) POOLED(INT64, int64_t) \
    POOLED(UINT8, uint8_t) POOLED(UINT16, uint16_t) POOLED(UINT32, uint32_t) POOLED(UINT64, uint64_t)
/* clang-format on */

/* The largest integer of each window. The compiler makes vectors of the loop where lanes lie side by side. */
#define POOL_INTEGER_LOOP(CODE, type)                                                                      \
    static void ISA_NAME(CYOPS_JOIN(pool_largest, type))(const cyops_pool_box *box) {                      \
        const ptrdiff_t step = box->x_strides[0], out_step = box->out_strides[0];                          \
        for (ptrdiff_t row = 0; row < box->rows; row++) {                                                  \
            type *out = (type *)box->out + row * box->out_strides[1];                                      \
            const type *x = (const type *)box->x + row * box->x_strides[1];                                \
            for (ptrdiff_t i = 0; i < box->lanes; i++) out[i * out_step] = x[i * step + box->offsets[0]];  \
            for (ptrdiff_t t = 1; t < box->taps; t++) {                                                    \
                const type *tap = x + box->offsets[t];                                                     \
                if (step == 1 && out_step == 1)                                                            \
                    for (ptrdiff_t i = 0; i < box->lanes; i++) out[i] = tap[i] > out[i] ? tap[i] : out[i]; \
                else                                                                                       \
                    for (ptrdiff_t i = 0; i < box->lanes; i++)                                             \
                        if (tap[i * step] > out[i * out_step]) out[i * out_step] = tap[i * step];          \
            }                                                                                              \
        }                                                                                                  \
    }
POOL_INTEGERS(POOL_INTEGER_LOOP)

#define POOL_BOTH(OP, name) \
    [CYOPS_POOL_##OP] = {ISA_NAME(CYOPS_JOIN(pool_##name, f32)), ISA_NAME(CYOPS_JOIN(pool_##name, f64))},
#define POOL_INTEGER_ENTRY(CODE, type) [CYOPS_##CODE] = ISA_NAME(CYOPS_JOIN(pool_largest, type)),

static const cyops_pool_kernels ISA_NAME(cyops_pool_kernels) = {
    .loops = {POOL_BOTH(LARGEST, largest) POOL_BOTH(LARGEST_AT, largest_at) POOL_BOTH(CHOSEN, chosen)
                  POOL_BOTH(PUT, put) POOL_BOTH(MEAN, mean) POOL_BOTH(WEIGHTED, weighted)},
    .integers = {POOL_INTEGERS(POOL_INTEGER_ENTRY)[CYOPS_BOOL] = ISA_NAME(CYOPS_JOIN(pool_largest, uint8_t))},
};
