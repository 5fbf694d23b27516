/* Quotients rounded down, and the remainders that belong to them: a template, included by formulas.h.
 *
 * The rules are Python's and NumPy's: the remainder has the sign of the divisor, 0 included; the quotient is the floor
 * of the exact one, to the nearest number where numbers are further apart than 1; a zero divisor gives x / y and NaN,
 * an infinite x NaN.
 *
 * floor_divide has no branches. remainder_quick has none either but is exact only where is_quick holds, that is, where
 * the quotient is a number without error; remainder is always exact, by fmod. elementwise/remainder.h chooses.
 */

/* Whether the two have different signs; false where one is zero or NaN. */
CYOPS_INLINE int ISA_NAME(are_opposite_f32)(float x, float y) { return ((x < 0) & (y > 0)) | ((x > 0) & (y < 0)); }
CYOPS_INLINE int ISA_NAME(are_opposite_f64)(double x, double y) { return ((x < 0) & (y > 0)) | ((x > 0) & (y < 0)); }

/* In double the quotient of two floats is on the right side of every integer below 2^28 and cannot underflow. */
CYOPS_INLINE float ISA_NAME(floor_divide_f32)(float x, float y) {
    const float quotient = (float)__builtin_floor((double)x / (double)y);
    const int is_below = ISA_NAME(are_opposite_f32)(x, y) & (ISA_NAME(fabs_f32)(y) == INFINITY);
    const float result = is_below ? -1.0f : quotient;
    return ((ISA_NAME(fabs_f32)(x) == INFINITY) & (y != 0)) ? NAN : result;
}

/* The rounded quotient may have reached the next integer, or underflowed: the sign of what is left over tells. FMA is
 * called by name, because here the instruction sets without it need its one rounding too. */
CYOPS_INLINE double ISA_NAME(floor_divide_f64)(double x, double y) {
    const double quotient = __builtin_floor(x / y);
    const double rest = quotient == 0 ? x : __builtin_fma(-quotient, y, x);
    const int is_above = ISA_NAME(are_opposite_f64)(rest, y) & (ISA_NAME(fabs_f64)(quotient) <= 0x1p53);
    const double result = is_above ? quotient - 1 : quotient;
    return ((ISA_NAME(fabs_f64)(x) == INFINITY) & (y != 0)) ? NAN : result;
}

CYOPS_INLINE int ISA_NAME(is_quick_f32)(float x, float y) {
    return ISA_NAME(fabs_f64)((double)x) < ISA_NAME(fabs_f64)((double)y) * 0x1p28;
}
CYOPS_INLINE int ISA_NAME(is_quick_f64)(double x, double y) {
    return ISA_NAME(fabs_f64)(x) < ISA_NAME(fabs_f64)(y) * 0x1p52;
}

/* What is left over is exact: it has no more bits than the divisor. The one sum is fmod's, whose result it gives the
 * sign of the divisor, or takes back the step too far of a rounded quotient. */
CYOPS_INLINE float ISA_NAME(remainder_quick_f32)(float x, float y) {
    const double quotient = __builtin_trunc((double)x / (double)y);
    const float rest = (float)(quotient == 0 ? (double)x : (double)x - quotient * (double)y);
    const float result = ISA_NAME(are_opposite_f32)(rest, y) ? rest + y : rest;
    return result == 0 ? ISA_NAME(copysign_f32)(0, y) : result;
}

CYOPS_INLINE double ISA_NAME(remainder_quick_f64)(double x, double y) {
    const double quotient = __builtin_trunc(x / y);
    const double rest = quotient == 0 ? x : __builtin_fma(-quotient, y, x);
    const double result = ISA_NAME(are_opposite_f64)(rest, y) ? rest + y : rest;
    return result == 0 ? ISA_NAME(copysign_f64)(0, y) : result;
}

CYOPS_INLINE float ISA_NAME(remainder_f32)(float x, float y) {
    const float rest = __builtin_fmodf(x, y);
    const float result = ISA_NAME(are_opposite_f32)(rest, y) ? rest + y : rest;
    return result == 0 ? ISA_NAME(copysign_f32)(0, y) : result;
}

CYOPS_INLINE double ISA_NAME(remainder_f64)(double x, double y) {
    const double rest = __builtin_fmod(x, y);
    const double result = ISA_NAME(are_opposite_f64)(rest, y) ? rest + y : rest;
    return result == 0 ? ISA_NAME(copysign_f64)(0, y) : result;
}
