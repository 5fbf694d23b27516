/* Conversions of one number between any two numeric dtypes, defined for every input and free of branches.
 *
 * Included inside the target region of one instruction set. C leaves a floating number that does not fit in an integer
 * undefined; here it gives what x86 gives, and NumPy on it: the smallest int32 for targets up to 32 bits (then cut to
 * their width), the smallest int64 for the others. Integers are cut to the width of the target. float16 is kept as its
 * bits and converted through float, rounding to nearest even, once.
 */
#ifndef CYOPS_CAST_FORMULAS_H
#define CYOPS_CAST_FORMULAS_H

#include "math/formulas.h"

CYOPS_INLINE int32_t ISA_NAME(f32_to_int32)(float x) { return x >= -0x1p31f && x < 0x1p31f ? (int32_t)x : INT32_MIN; }
CYOPS_INLINE int32_t ISA_NAME(f64_to_int32)(double x) { return x > -0x1p31 - 1 && x < 0x1p31 ? (int32_t)x : INT32_MIN; }
CYOPS_INLINE int64_t ISA_NAME(f32_to_int64)(float x) { return x >= -0x1p63f && x < 0x1p63f ? (int64_t)x : INT64_MIN; }
CYOPS_INLINE int64_t ISA_NAME(f64_to_int64)(double x) { return x >= -0x1p63 && x < 0x1p63 ? (int64_t)x : INT64_MIN; }
CYOPS_INLINE uint64_t ISA_NAME(f32_to_uint64)(float x) {
    return x >= 0x1p63f && x < 0x1p64f ? (uint64_t)ISA_NAME(f32_to_int64)(x - 0x1p63f) ^ (uint64_t)1 << 63
                                       : (uint64_t)ISA_NAME(f32_to_int64)(x);
}
CYOPS_INLINE uint64_t ISA_NAME(f64_to_uint64)(double x) {
    return x >= 0x1p63 && x < 0x1p64 ? (uint64_t)ISA_NAME(f64_to_int64)(x - 0x1p63) ^ (uint64_t)1 << 63
                                     : (uint64_t)ISA_NAME(f64_to_int64)(x);
}

/* Shifted into float's fields, a half is 2^112 times too small; infinities and NaN need their exponent filled up, and
 * a NaN becomes a quiet one, as the instruction for it makes it. */
CYOPS_INLINE float ISA_NAME(half_to_f32)(uint16_t half) {
    const uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13;
    const uint32_t finite = ISA_NAME(to_bits_f32)(ISA_NAME(from_bits_f32)(magnitude) * 0x1p112f);
    const uint32_t quiet = magnitude > 0x0f800000 ? 0x7fc00000 : 0x7f800000;
    const uint32_t bits = magnitude >= 0x0f800000 ? magnitude | quiet : finite;
    return ISA_NAME(from_bits_f32)(bits | (uint32_t)(half & 0x8000) << 16);
}

/* A denormal half is rounded by adding 0.5, whose last bit has the weight of the smallest half. */
CYOPS_INLINE uint16_t ISA_NAME(f32_to_half)(float x) {
    const uint32_t bits = ISA_NAME(to_bits_f32)(x), magnitude = bits & 0x7fffffff;
    const uint32_t normal = (magnitude + 0xc8000fff + (magnitude >> 13 & 1)) >> 13;
    const uint32_t half_bits = ISA_NAME(to_bits_f32)(0.5f);
    const uint32_t denormal = ISA_NAME(to_bits_f32)(ISA_NAME(from_bits_f32)(magnitude) + 0.5f) - half_bits;
    uint32_t half = magnitude < 0x38800000 ? denormal : normal;
    half = magnitude >= 0x477ff000 ? 0x7c00 : half;
    half = magnitude > 0x7f800000 ? 0x7e00 | (magnitude >> 13 & 0x3ff) : half;
    return (uint16_t)(half | (bits >> 16 & 0x8000));
}

/* bfloat16 is the upper half of a float. Rounding to nearest even may carry into the exponent; a NaN stays one. */
CYOPS_INLINE float ISA_NAME(bfloat_to_f32)(uint16_t x) { return ISA_NAME(from_bits_f32)((uint32_t)x << 16); }

CYOPS_INLINE uint16_t ISA_NAME(f32_to_bfloat)(float x) {
    const uint32_t bits = ISA_NAME(to_bits_f32)(x);
    const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return (uint16_t)(x != x ? bits >> 16 | 0x40 : rounded);
}

/* Rounding to float first would round twice. So the float is cut towards zero and its last bit set where anything was
 * cut off: rounding that to a narrower number gives the right answer. */
CYOPS_INLINE float ISA_NAME(f64_to_odd_f32)(double x) {
    const float nearest = (float)x;
    const double size = x < 0 ? -x : x, nearest_size = nearest < 0 ? -nearest : nearest;
    const uint32_t bits = ISA_NAME(to_bits_f32)(nearest);
    const uint32_t odd = (nearest_size > size ? bits - 1 : bits) | 1;
    return ISA_NAME(from_bits_f32)(nearest_size != size && size == size ? odd : bits);
}

CYOPS_INLINE uint16_t ISA_NAME(f64_to_half)(double x) { return ISA_NAME(f32_to_half)(ISA_NAME(f64_to_odd_f32)(x)); }

CYOPS_INLINE uint16_t ISA_NAME(f64_to_bfloat)(double x) { return ISA_NAME(f32_to_bfloat)(ISA_NAME(f64_to_odd_f32)(x)); }

#endif
