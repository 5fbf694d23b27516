/* The kernels for aarch64, of which every CPU runs them: no target region. */
#include "base/system.h"
#include "simd/target.h"

#ifdef CYOPS_AARCH64
#define CYOPS_ISA neon
#define CYOPS_ISA_VECTORS "simd/neon.h"
#include "simd/kernels.h"
#endif
