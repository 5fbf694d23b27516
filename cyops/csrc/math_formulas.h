/* exp, expm1, log, log1p, sqrt, tanh, sigmoid and pow as scalar formulas that compilers vectorise.
 *
 * Included inside the target region of one instruction set. For float and double it defines ISA_NAME(exp_f32),
 * ISA_NAME(exp_f64) and so on: inline functions of one number without branches or calls, so that a plain loop over
 * them becomes vector code. A scalar, a vector lane and a loop tail compute the same bits. Only pow_f64 calls libm.
 *
 * Here is what differs between the two types: the polynomials and the layout of the bits. math_functions.h has the
 * formulas. The polynomials are minimax fits (Remez exchange, 50 digits): with r in [-log(2)/2, log(2)/2]
 *     e^r = 1 + r + r^2 EXP(r),                     relative error 3.1e-9 (float), 3.7e-18 (double);
 * with 1 + f in [sqrt(1/2), sqrt(2)]
 *     log(1 + f) = f - f^2 / 2 + f^3 LOG(f),        relative error 7.6e-10 (float), 9.2e-18 (double).
 */
#ifndef CYOPS_MATH_FORMULAS_H
#define CYOPS_MATH_FORMULAS_H

#include "math_bounds.h"
#include "math_horner.h"
#include "system.h"
#include "target.h"

/* x * y + z with one rounding where the instruction set has it. Contraction is off, so this is where FMA is written. */
#ifdef CYOPS_ISA_GENERIC
#define FMA_f32(x, y, z) ((x) * (y) + (z))
#define FMA_f64(x, y, z) ((x) * (y) + (z))
#else
#define FMA_f32(x, y, z) __builtin_fmaf(x, y, z)
#define FMA_f64(x, y, z) __builtin_fma(x, y, z)
#endif

/* The functions that are one instruction, or a call of libm that is correctly rounded. */
CYOPS_INLINE float ISA_NAME(sqrt_f32)(float x) { return __builtin_sqrtf(x); }
CYOPS_INLINE double ISA_NAME(sqrt_f64)(double x) { return __builtin_sqrt(x); }
CYOPS_INLINE float ISA_NAME(fabs_f32)(float x) { return __builtin_fabsf(x); }
CYOPS_INLINE double ISA_NAME(fabs_f64)(double x) { return __builtin_fabs(x); }
CYOPS_INLINE float ISA_NAME(copysign_f32)(float x, float y) { return __builtin_copysignf(x, y); }
CYOPS_INLINE double ISA_NAME(copysign_f64)(double x, double y) { return __builtin_copysign(x, y); }
CYOPS_INLINE float ISA_NAME(floor_f32)(float x) { return __builtin_floorf(x); }
CYOPS_INLINE double ISA_NAME(floor_f64)(double x) { return __builtin_floor(x); }
CYOPS_INLINE float ISA_NAME(ceil_f32)(float x) { return __builtin_ceilf(x); }
CYOPS_INLINE double ISA_NAME(ceil_f64)(double x) { return __builtin_ceil(x); }

#define MATH_SUFFIX f32
#define FLOAT float
#define BITS uint32_t
#define MANTISSA_BITS 23
#define EXPONENT_BIAS 127
#define SQRT_HALF_BITS 0x3f3504f3u
#define SMALLEST_NORMAL 0x1p-126f
#define LN2_HIGH 0x1.62ep-1f /* few bits: a product with an exponent is exact */
#define LN2_LOW 0x1.0bfbe8p-15f
#define EXP_POLYNOMIAL(r) \
    HORNER_4(r, 0.4999999343f, 0.166665204f, 0.04166839078f, 0.008368745117f, 0.001381454049f)
#define LOG_POLYNOMIAL(f)                                                                                    \
    HORNER_8(f, 0.3333331257f, -0.2500000961f, 0.2000212163f, -0.1666799804f, 0.1421948694f, -0.1240549862f, \
             0.1188859401f, -0.1167645017f, 0.06746630455f)
#include "math_functions.h"

#define MATH_SUFFIX f64
#define FLOAT double
#define BITS uint64_t
#define MANTISSA_BITS 52
#define EXPONENT_BIAS 1023
#define SQRT_HALF_BITS 0x3fe6a09e667f3bcdu
#define SMALLEST_NORMAL 0x1p-1022
#define LN2_HIGH 0x1.62e42feep-1
#define LN2_LOW 0x1.a39ef35793c76p-33
#define EXP_POLYNOMIAL(r)                                                                                  \
    HORNER_9(r, 0.5000000000000011, 0.1666666666666641, 0.041666666666529725, 0.00833333333349498,         \
             0.0013888888943760233, 0.00019841269505770564, 2.480149294936181e-05, 2.7557586805904078e-06, \
             2.763030634462171e-07, 2.500001837640453e-08)
#define LOG_POLYNOMIAL(f)                                                                             \
    HORNER_18(f, 0.3333333333333314, -0.24999999999987932, 0.20000000000066823, -0.16666666669835983, \
              0.1428571428007844, -0.12499999690582055, 0.11111111147414146, -0.10000015242466401,    \
              0.09090923970014755, -0.08332912714767002, 0.07691528299566411, -0.07149449666014678,   \
              0.06684615642798543, -0.06196620624935347, 0.05668156680005919, -0.05677825091355638,   \
              0.06504207114710621, -0.059823325742798354, 0.026150967931322402)
#include "math_functions.h"

#include "math_divide.h"
#include "math_pow.h"

#endif
