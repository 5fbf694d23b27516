/* Exponentials, logarithms, powers, erf, hyperbolic and trigonometric functions as scalar formulas that compilers
 * vectorise.
 *
 * Included inside the target region of one instruction set. For float and double it defines ISA_NAME(exp_f32),
 * ISA_NAME(exp_f64) and so on: inline functions of one number without branches or calls, so that a plain loop over
 * them becomes vector code. A scalar, a vector lane and a loop tail compute the same bits. Only the generic pow_f64, and
 * sin, cos and tan of large angles, call libm.
 *
 * Here is what differs between the two types: the polynomials and the layout of the bits. functions.h has the
 * formulas. The polynomials are minimax fits (Remez exchange, 50 digits): with r in [-log(2)/2, log(2)/2]
 *     e^r = 1 + r + r^2 EXP(r),                     relative error 3.1e-9 (float), 3.7e-18 (double);
 * with 1 + f in [sqrt(1/2), sqrt(2)]
 *     log(1 + f) = f - f^2 / 2 + f^3 LOG(f),        relative error 7.6e-10 (float), 9.2e-18 (double);
 * and interpolations at the Chebyshev nodes, for x in [0, 1] and from there to where erf rounds to 1,
 *     erf(x) = x + x ERF(x^2),                      relative error 1.2e-9 (float), 1.3e-19 (double);
 *     1 - erf(x) = e^(-x^2 + ERFC(u)), u in [-1, 1], error of erf 2.6e-9 (float), 3.3e-18 (double);
 * for x in [0, 1]
 *     sinh(x) = x + x^3 SINH(x^2),                  relative error 4.7e-9 (float), 1.1e-17 (double).
 */
#ifndef CYOPS_MATH_FORMULAS_H
#define CYOPS_MATH_FORMULAS_H

#include "math/bounds.h"
#include "math/horner.h"
#include "base/system.h"
#include "simd/target.h"

/* x * y + z with one rounding where the instruction set has it. Contraction is off, so this is where FMA is written. */
#if HAS_FMA
#define FMA_f32(x, y, z) __builtin_fmaf(x, y, z)
#define FMA_f64(x, y, z) __builtin_fma(x, y, z)
#else
#define FMA_f32(x, y, z) ((x) * (y) + (z))
#define FMA_f64(x, y, z) ((x) * (y) + (z))
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
#define EXP_POLYNOMIAL(r) HORNER_4(r, 0.4999999343f, 0.166665204f, 0.04166839078f, 0.008368745117f, 0.001381454049f)
#define LOG_POLYNOMIAL(f)                                                                                    \
    HORNER_8(f, 0.3333331257f, -0.2500000961f, 0.2000212163f, -0.1666799804f, 0.1421948694f, -0.1240549862f, \
             0.1188859401f, -0.1167645017f, 0.06746630455f)
#define ERF_POLYNOMIAL(s)                                                                                          \
    HORNER_6(s, 0.1283791661f, -0.3761262596f, 0.1128359437f, -0.02685421146f, 0.005189087242f, -0.0008016864303f, \
             7.875874871e-05f)
#define SINH_POLYNOMIAL(s) HORNER_3(s, 0.1666666716f, 0.008333339356f, 0.0001983810216f, 2.806280236e-06f)
#define ERFC_ARGUMENT(x) FMA(x, 1 / 1.5f, -2.5f / 1.5f)
#define ERFC_POLYNOMIAL(u)                                                                                       \
    HORNER_8(u, -1.556815267f, -0.5290210247f, 0.1262391657f, -0.03664757684f, 0.01096184924f, -0.003190305317f, \
             0.0008803970995f, -0.0002274995059f, 4.195839938e-05f)
#include "math/functions.h"

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
#define ERF_POLYNOMIAL(s)                                                                                       \
    HORNER_12(s, 0.1283791670955126, -0.3761263890318375, 0.11283791670954879, -0.026866170645076792,           \
              0.0052239776248180145, -0.000854832698083379, 0.0001205533111164271, -1.4925595266831182e-05,     \
              1.6461000484121368e-06, -1.6350312701054695e-07, 1.4659775274047436e-08, -1.1372848856791674e-09, \
              5.957176147748911e-11)
#define SINH_POLYNOMIAL(s)                                                                                 \
    HORNER_6(s, 0.16666666666666666, 0.008333333333333299, 0.00019841269841324198, 2.7557319191381816e-06, \
             2.5052117695907823e-08, 1.6057679623801638e-10, 7.746178593018827e-13)
#define ERFC_ARGUMENT(x) FMA(x, 0.4, -1.4)
#define ERFC_POLYNOMIAL(u)                                                                                     \
    HORNER_25(u, -1.8624374021481738, -0.6652489709129773, 0.2077934078610632, -0.08165090971779924,           \
              0.034128411079638966, -0.014384548330638939, 0.005953704478685765, -0.0023739972761078476,       \
              0.0008935765564792124, -0.0003078195950532894, 9.090110364175726e-05, -1.8474346905170144e-05,   \
              -1.4783966569639068e-06, 4.5653913877192366e-06, -3.4196471333147524e-06, 1.919146618676658e-06, \
              -9.177975332669318e-07, 3.825150644927939e-07, -1.286781347382139e-07, 2.7966374245484618e-08,   \
              -3.0414788597569983e-09, -9.652825205360373e-10, 4.861099102922557e-09, -5.195160738537221e-09,  \
              2.19018459068511e-09, -3.245901999030085e-10)
#include "math/functions.h"

#include "math/divide.h"
#include "math/pow.h"
#include "math/trigonometry.h"

#endif
