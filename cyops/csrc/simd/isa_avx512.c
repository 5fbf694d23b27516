/* The kernels for x86-64 CPUs with AVX-512 F, BW, DQ and VL, and those of bfloat16 for what has AVX-512 BF16 as well. */
#include "base/system.h"
#include "simd/target.h"

#ifdef CYOPS_X86_64
#ifdef __clang__ /* which takes the width for a whole file only, and then uses half of it for plain loops */
#define CYOPS_AVX512_FEATURES "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"
#else
#define CYOPS_AVX512_FEATURES "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,prefer-vector-width=512"
#endif
#define CYOPS_ISA avx512
#define CYOPS_ISA_VECTORS "simd/avx512.h"

CYOPS_TARGET_BEGIN(CYOPS_AVX512_FEATURES)
#include "simd/kernels.h"
CYOPS_TARGET_END

CYOPS_TARGET_BEGIN("avx512bf16," CYOPS_AVX512_FEATURES)
#include "gemm/pairs.h"
CYOPS_TARGET_END

static const cyops_gemm_kernels gemm_kernels_with_pairs = {
    .f32 = &gemm_type_f32_avx512,
    .f64 = &gemm_type_f64_avx512,
    .pairs = &cyops_gemm_pairs_avx512,
};

const cyops_kernels cyops_kernels_avx512_bf16 = {
    .gemm = &gemm_kernels_with_pairs, CYOPS_AREAS_BESIDE_GEMM(CYOPS_AREA_KERNELS) /* else those of AVX-512 */
};
#endif
