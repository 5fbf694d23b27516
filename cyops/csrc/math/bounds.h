/* Arguments beyond which the formulas of formulas.h give what they give there.
 *
 * Against a bound whose value the compiler does not see, `x > bound ? bound : x` becomes one minimum instruction,
 * which also keeps NaN; against a constant, GCC 12 makes three masked ones of it. So the bounds are variables of
 * another file, bounds.c: docs/kernels.md, Vectors.
 */
#ifndef CYOPS_MATH_BOUNDS_H
#define CYOPS_MATH_BOUNDS_H

typedef struct {
    float exp_lowest, exp_highest, expm1_lowest, tanh_highest, erf_highest, sinh_highest;
} cyops_math_bounds_f32;

typedef struct {
    double exp_lowest, exp_highest, expm1_lowest, tanh_highest, erf_highest, sinh_highest;
    double pow_lowest, pow_highest, float_pow_lowest, float_pow_highest;
} cyops_math_bounds_f64;

extern const cyops_math_bounds_f32 cyops_bounds_f32;
extern const cyops_math_bounds_f64 cyops_bounds_f64;

#endif
