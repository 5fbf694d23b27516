/* GEMM kernels of one instruction set: the same templates for float32 and for float64. */
#define GEMM_NAME(name) ISA_NAME(CYOPS_JOIN(gemm_##name, SUFFIX))

#define T float
#define SUFFIX f32
#include "gemm/micro.h"
#include "gemm/pack.h"
#include "gemm/dot.h"
#include "gemm/type.h"
#undef T
#undef SUFFIX

#define T double
#define SUFFIX f64
#include "gemm/micro.h"
#include "gemm/pack.h"
#include "gemm/dot.h"
#include "gemm/type.h"
#undef T
#undef SUFFIX

static const cyops_gemm_kernels ISA_NAME(cyops_gemm_kernels) = {
    .f32 = &ISA_NAME(gemm_type_f32),
    .f64 = &ISA_NAME(gemm_type_f64),
};
