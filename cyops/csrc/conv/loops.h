/* Kernels of one instruction set for convolutions of each channel by itself, for float32 and float64. */
#define CONV_NAME(name) ISA_NAME(CYOPS_JOIN(conv_##name, SUFFIX))

#define T float
#define SUFFIX f32
#include "conv/lines.h"
#include "conv/lines_by_kernel.h"
#include "conv/finite.h"
#include "conv/turn.h"
#include "conv/type.h"
#undef T
#undef SUFFIX

#define T double
#define SUFFIX f64
#include "conv/lines.h"
#include "conv/lines_by_kernel.h"
#include "conv/finite.h"
#include "conv/turn.h"
#include "conv/type.h"
#undef T
#undef SUFFIX

static const cyops_conv_kernels ISA_NAME(cyops_conv_kernels) = {
    .f32 = &ISA_NAME(conv_type_f32),
    .f64 = &ISA_NAME(conv_type_f64),
};
