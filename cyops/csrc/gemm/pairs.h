/* Products of pairs of bfloat16: the GEMM template once more, with a multiply-add of two products at a time.
 *
 * A pair is 4 bytes and is moved as a float32 would be; its sums are float32. So nothing but the multiply-add differs,
 * for which simd/vector.h's fma stands with T_IS_PAIR. Included in the region of an instruction set that has it.
 */
#define T float
#define SUFFIX pairs
#define T_IS_F32 1
#define T_IS_PAIR 1
#include CYOPS_ISA_VECTORS
#include "gemm/micro.h"
#include "gemm/pack.h"
#include "gemm/dot.h"
#include "gemm/type.h"
#undef T
#undef SUFFIX
#undef T_IS_F32
#undef T_IS_PAIR

/* Rows of two neighbours in k are interleaved (stride 1), pairs that lie side by side are copied (stride 2, high 1). */
static void ISA_NAME(interleave)(ptrdiff_t n, const uint16_t *x, ptrdiff_t stride, ptrdiff_t high, uint32_t *out) {
    if (stride == 1)
        for (ptrdiff_t i = 0; i < n; i++) out[i] = x[i] | (uint32_t)x[i + high] << 16;
    else if (stride == 2 && high == 1)
        memcpy(out, x, n * sizeof *out);
    else
        for (ptrdiff_t i = 0; i < n; i++) out[i] = x[i * stride] | (uint32_t)x[i * stride + high] << 16;
}

static const cyops_gemm_pairs ISA_NAME(cyops_gemm_pairs) = {
    .type = &ISA_NAME(gemm_type_pairs),
    .pair = ISA_NAME(interleave),
};
