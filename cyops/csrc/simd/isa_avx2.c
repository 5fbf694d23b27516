/* The kernels for x86-64 CPUs with AVX2, FMA and F16C. */
#include "base/system.h"
#include "simd/target.h"

#ifdef CYOPS_X86_64
CYOPS_TARGET_BEGIN("avx2,fma,f16c")
#define CYOPS_ISA avx2
#define CYOPS_ISA_VECTORS "simd/avx2.h"
#include "simd/kernels.h"
CYOPS_TARGET_END
#endif
