/* exp, expm1, log, log1p, sqrt, tanh, sigmoid and pow as scalar formulas that compilers vectorise.
 *
 * Included inside the target region of one instruction set. For float and double it defines ISA_NAME(exp_f32),
 * ISA_NAME(exp_f64) and so on: inline functions of one number without branches or calls, so that a plain loop over
 * them becomes vector code. A scalar, a vector lane and a loop tail compute the same bits. Only pow_f64 calls libm.
 *
 * Here is what differs between the two types: the polynomials and the layout of the bits. math_functions.h has the
 * formulas. The polynomials are minimax fits (Remez exchange, 50 digits): with r in [-log(2)/2, log(2)/2]
 *     e^r = 1 + r + r^2 EXP(r),          relative error 3.1e-9 (float), 3.7e-18 (double);
 * with s = f / (2 + f) and 1 + f in [sqrt(1/2), sqrt(2)]
 *     log(1 + f) = 2 s + s^3 LOG(s^2),   relative error 8.2e-10 (float), 1.3e-18 (double).
 */
#ifndef CYOPS_MATH_FORMULAS_H
#define CYOPS_MATH_FORMULAS_H

#include "math_bounds.h"
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
CYOPS_INLINE float ISA_NAME(fmod_f32)(float x, float y) { return __builtin_fmodf(x, y); }
CYOPS_INLINE double ISA_NAME(fmod_f64)(double x, double y) { return __builtin_fmod(x, y); }

#define MATH_SUFFIX f32
#define FLOAT float
#define BITS uint32_t
#define MANTISSA_BITS 23
#define EXPONENT_BIAS 127
#define SQRT_HALF_BITS 0x3f3504f3u
#define SMALLEST_NORMAL 0x1p-126f
#define LN2_HIGH 0x1.63p-1f /* few bits: a product with an exponent is exact */
#define LN2_LOW (-0x1.bd0106p-13f)
#define EXP_POLYNOMIAL(r)                                                                                       \
    HORNER(r, HORNER(r, HORNER(r, HORNER(r, 0.00138145404892f, 0.00836874511741f), 0.041668390778f), 0.16666520399f), \
           0.499999934322f)
#define LOG_POLYNOMIAL(z) HORNER(z, HORNER(z, 0.298730732499f, 0.399774955809f), 0.66666776717f)
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
#define EXP_LOW_ORDERS(r)                                                                                     \
    HORNER(r, HORNER(r, HORNER(r, HORNER(r, EXP_HIGH_ORDERS(r), 0.00019841269505770564), 0.0013888888943760233), \
                     0.0083333333334949795), 0.041666666666529727)
#define EXP_HIGH_ORDERS(r)                                                                                        \
    HORNER(r, HORNER(r, HORNER(r, 2.5000018376404530e-8, 2.7630306344621712e-7), 2.7557586805904076e-6), \
           2.4801492949361811e-5)
#define EXP_POLYNOMIAL(r) HORNER(r, HORNER(r, EXP_LOW_ORDERS(r), 0.16666666666666412), 0.50000000000000107)
#define LOG_LOW_ORDERS(z) HORNER(z, HORNER(z, LOG_HIGH_ORDERS(z), 0.28571428743262966), 0.39999999999411091)
#define LOG_HIGH_ORDERS(z)                                                                                            \
    HORNER(z, HORNER(z, HORNER(z, 0.14797507995492263, 0.15313903215707608), 0.18183569741119685), 0.22222198475958856)
#define LOG_POLYNOMIAL(z) HORNER(z, LOG_LOW_ORDERS(z), 0.66666666666667349)
#include "math_functions.h"
#undef EXP_LOW_ORDERS
#undef EXP_HIGH_ORDERS
#undef LOG_LOW_ORDERS
#undef LOG_HIGH_ORDERS

/* |x|^y = e^(y log|x|) in double, which leaves 2^-45 of relative error before the one rounding to float; then the sign
 * and the cases of C's pow that the logarithm does not give by itself. */
CYOPS_INLINE float ISA_NAME(pow_f32)(float x, float y) {
    const float size = __builtin_fabsf(x);
    float power = (float)ISA_NAME(exp_f64)((double)y * ISA_NAME(log_f64)((double)size));
    const float half = y * 0.5f;
    const int is_integer = ISA_NAME(nearest_f32)(y) == y;
    const int is_odd = is_integer & (ISA_NAME(nearest_f32)(half) != half);
    power = __builtin_signbitf(x) && is_odd ? -power : power;
    power = x < 0 && size < INFINITY && !is_integer ? NAN : power;
    return y == 0 || x == 1 || (size == 1 && __builtin_fabsf(y) == INFINITY) ? 1.0f : power;
}

CYOPS_INLINE double ISA_NAME(pow_f64)(double x, double y) { return __builtin_pow(x, y); }

#endif
