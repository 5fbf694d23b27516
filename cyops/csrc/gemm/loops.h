/* GEMM kernels of one instruction set: the same templates for float32 and for float64. */
#define GEMM_NAME(name) ISA_NAME(CYOPS_JOIN(gemm_##name, T_NAME))

#define T float
#define T_NAME f32
#define T_IS_F32 1
#include "simd/gemm_vector.h"
#include "gemm/micro.h"
#include "gemm/pack.h"
#include "gemm/dot.h"
#include "gemm/type.h"

#define T double
#define T_NAME f64
#define T_IS_F32 0
#include "simd/gemm_vector.h"
#include "gemm/micro.h"
#include "gemm/pack.h"
#include "gemm/dot.h"
#include "gemm/type.h"

static const cyops_gemm_kernels ISA_NAME(cyops_gemm_kernels) = {
    .f32 = &ISA_NAME(gemm_type_f32),
    .f64 = &ISA_NAME(gemm_type_f64),
};
#undef GEMM_NAME
