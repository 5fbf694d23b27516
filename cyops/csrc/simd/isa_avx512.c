/* The kernels for x86-64 CPUs with AVX-512 F, BW, DQ and VL. */
#include "base/system.h"
#include "simd/target.h"

#ifdef CYOPS_X86_64
#ifdef __clang__ /* which takes the width for a whole file only, and then uses half of it for plain loops */
CYOPS_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")
#else
CYOPS_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,prefer-vector-width=512")
#endif
#define CYOPS_ISA avx512
#define CYOPS_ISA_VECTORS "simd/avx512.h"
#include "simd/kernels.h"
CYOPS_TARGET_END
#endif
