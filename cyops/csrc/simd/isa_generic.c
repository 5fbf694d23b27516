/* The kernels for any CPU: plain C, no instruction beyond what the platform's baseline has. */
#include "base/system.h"
#include "simd/target.h"

#define CYOPS_ISA generic
#define CYOPS_ISA_VECTORS "simd/generic.h"
#include "simd/kernels.h"
