/* The formulas of formulas.h for one type: float or double. A template: no include guard.
 *
 * Expects MATH_SUFFIX (f32 or f64), FLOAT, BITS, MANTISSA_BITS, EXPONENT_BIAS and the constants and polynomials named
 * there; undefines them all. Every step that selects does so with ?: on values, never by a jump.
 */
#define MATH_NAME(name) ISA_NAME(CYOPS_JOIN(name, MATH_SUFFIX))
#define FMA CYOPS_JOIN(FMA, MATH_SUFFIX)

#define BOUNDS CYOPS_JOIN(cyops_bounds, MATH_SUFFIX)

/* Adding this moves the integer nearest to a small number, plus twice the exponent bias, into the low bits. */
#define ROUNDER ((FLOAT)1.5 * ((BITS)1 << MANTISSA_BITS) + 2 * EXPONENT_BIAS)
#define LOG2_E ((FLOAT)1.44269504088896340736)

CYOPS_INLINE FLOAT MATH_NAME(from_bits)(BITS bits) {
    FLOAT x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

CYOPS_INLINE BITS MATH_NAME(to_bits)(FLOAT x) {
    BITS bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* The nearest integer, halves to the even; numbers without a fraction, infinities and NaN as they are. */
CYOPS_INLINE FLOAT MATH_NAME(nearest)(FLOAT x) {
#if !HAS_FMA /* and no instruction that rounds */
    const FLOAT limit = (FLOAT)((BITS)1 << MANTISSA_BITS);
    const FLOAT size = x < 0 ? -x : x;
    const FLOAT rounded = (size + limit) - limit;
    const FLOAT changed = x < 0 ? -rounded : rounded;
    return ((x != 0) & (size < limit)) ? changed : x; /* -0 too as it is, as by the instruction */
#else
    return sizeof(FLOAT) == sizeof(float) ? (FLOAT)__builtin_rintf((float)x) : (FLOAT)__builtin_rint(x);
#endif
}

CYOPS_INLINE FLOAT MATH_NAME(at_most)(FLOAT x, FLOAT bound) { return x > bound ? bound : x; }
CYOPS_INLINE FLOAT MATH_NAME(at_least)(FLOAT x, FLOAT bound) { return x < bound ? bound : x; }

/* x = n log(2) + r with r in [-log(2)/2, log(2)/2], in two steps so that r is exact to the last bit. The low bits of
 * `exponent` are n + 2 EXPONENT_BIAS; the others are to be shifted out. */
CYOPS_INLINE FLOAT MATH_NAME(reduce)(FLOAT x, BITS *exponent) {
    const FLOAT shifted = FMA(x, LOG2_E, ROUNDER);
    const FLOAT n = shifted - ROUNDER;
    *exponent = MATH_NAME(to_bits)(shifted);
    return FMA(n, -LN2_LOW, FMA(n, -LN2_HIGH, x));
}

CYOPS_INLINE FLOAT MATH_NAME(power_of_two)(BITS biased_exponent) {
    return MATH_NAME(from_bits)(biased_exponent << MANTISSA_BITS);
}

/* x * 2^n in two factors, because one could not hold the n of a denormal result. */
CYOPS_INLINE FLOAT MATH_NAME(scale)(FLOAT x, BITS exponent) {
    const BITS half = exponent >> 1;
    return x * MATH_NAME(power_of_two)(half) * MATH_NAME(power_of_two)(exponent - half);
}

CYOPS_INLINE FLOAT MATH_NAME(exp)(FLOAT x) {
    BITS exponent;
    const FLOAT bounded = MATH_NAME(at_least)(MATH_NAME(at_most)(x, BOUNDS.exp_highest), BOUNDS.exp_lowest);
    const FLOAT r = MATH_NAME(reduce)(bounded, &exponent);
    return MATH_NAME(scale)(HORNER_2(r, (FLOAT)1, (FLOAT)1, EXP_POLYNOMIAL(r)), exponent);
}

/* e^x - 1 = 2^n ((e^r - 1) + (1 - 2^-n)): both terms are small together where the result is. */
CYOPS_INLINE FLOAT MATH_NAME(expm1)(FLOAT x) {
    BITS exponent;
    const FLOAT bounded = MATH_NAME(at_least)(MATH_NAME(at_most)(x, BOUNDS.exp_highest), BOUNDS.expm1_lowest);
    const FLOAT r = MATH_NAME(reduce)(bounded, &exponent);
    const FLOAT inverse = MATH_NAME(scale)(1, 4 * EXPONENT_BIAS - exponent);
    const FLOAT result = MATH_NAME(scale)(FMA(r * r, EXP_POLYNOMIAL(r), r) + (1 - inverse), exponent);
    return x == 0 ? x : result;
}

/* log(u) + correction: u = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)]. What is special about u goes into the number
 * that is subtracted from the exponent, so that k is -infinity for 0, infinity for infinity, else NaN: selecting among
 * constants is cheap, among results it is not. */
CYOPS_INLINE FLOAT MATH_NAME(log_corrected)(FLOAT u, FLOAT correction) {
    const BITS one = (BITS)EXPONENT_BIAS << MANTISSA_BITS, mantissa_mask = ((BITS)1 << MANTISSA_BITS) - 1;
    const FLOAT limit = (FLOAT)((BITS)1 << MANTISSA_BITS);
    const FLOAT factor = u < SMALLEST_NORMAL ? limit : 1;
    FLOAT offset = u < SMALLEST_NORMAL ? limit + EXPONENT_BIAS + MANTISSA_BITS : limit + EXPONENT_BIAS;
    offset = u > 0 ? offset : u == 0 ? INFINITY : NAN;
    offset = u == INFINITY ? -INFINITY : offset;
    const BITS bits = MATH_NAME(to_bits)(u * factor) + (one - SQRT_HALF_BITS);
    /* The biased exponent becomes a number by standing in the low bits of 2^MANTISSA_BITS. */
    const FLOAT k = MATH_NAME(from_bits)(bits >> MANTISSA_BITS | MATH_NAME(to_bits)(limit)) - offset;
    const FLOAT f = MATH_NAME(from_bits)((bits & mantissa_mask) + SQRT_HALF_BITS) - 1;
    const FLOAT small = FMA(f * f * f, LOG_POLYNOMIAL(f), FMA(k, LN2_LOW, correction));
    return FMA(k, LN2_HIGH, f - ((FLOAT)0.5 * f * f - small));
}

CYOPS_INLINE FLOAT MATH_NAME(log)(FLOAT x) { return MATH_NAME(log_corrected)(x, 0); }

/* log(1 + x) = log(u) + (x - (u - 1)) / u, where u is 1 + x rounded and the second term undoes the rounding. */
CYOPS_INLINE FLOAT MATH_NAME(log_after_one)(FLOAT x) {
    const FLOAT u = 1 + x, lost = (x - (u - 1)) / u;
    return MATH_NAME(log_corrected)(u, lost == lost ? lost : 0);
}

CYOPS_INLINE FLOAT MATH_NAME(log1p)(FLOAT x) { return MATH_NAME(copysign)(MATH_NAME(log_after_one)(x), x); }

/* tanh|x| = m / (m + 2) with m = e^(2|x|) - 1; the sign is put back at the end. */
CYOPS_INLINE FLOAT MATH_NAME(tanh)(FLOAT x) {
    BITS exponent;
    const FLOAT size = MATH_NAME(at_most)(MATH_NAME(fabs)(x), BOUNDS.tanh_highest);
    const FLOAT r = MATH_NAME(reduce)(2 * size, &exponent);
    const FLOAT scale = MATH_NAME(power_of_two)(exponent - EXPONENT_BIAS);
    const FLOAT m = FMA(scale, FMA(r * r, EXP_POLYNOMIAL(r), r), scale - 1);
    return MATH_NAME(copysign)(m / (m + 2), x);
}

/* With e^-|x| nothing overflows, and the result keeps its relative accuracy down to the denormals. */
CYOPS_INLINE FLOAT MATH_NAME(sigmoid)(FLOAT x) {
    const FLOAT power = MATH_NAME(exp)(-MATH_NAME(fabs)(x));
    return (x < 0 ? power : 1) / (1 + power);
}

/* Below 1 an odd polynomial, above it 1 - erfc; the sign is put back at the end. */
CYOPS_INLINE FLOAT MATH_NAME(erf)(FLOAT x) {
    BITS exponent;
    const FLOAT size = MATH_NAME(at_most)(MATH_NAME(fabs)(x), BOUNDS.erf_highest);
    const FLOAT square = size * size, u = ERFC_ARGUMENT(size);
    const FLOAT near_zero = FMA(size, ERF_POLYNOMIAL(square), size);
    const FLOAT r = MATH_NAME(reduce)(FMA(-size, size, ERFC_POLYNOMIAL(u)), &exponent);
    const FLOAT power = HORNER_2(r, (FLOAT)1, (FLOAT)1, EXP_POLYNOMIAL(r));
    const FLOAT complement = power * MATH_NAME(power_of_two)(exponent - EXPONENT_BIAS);
    return MATH_NAME(copysign)(size < 1 ? near_zero : 1 - complement, x);
}

/* e^x / 2 for x >= 0, which overflows where sinh and cosh do. */
CYOPS_INLINE FLOAT MATH_NAME(half_exp)(FLOAT x) {
    BITS exponent;
    const FLOAT r = MATH_NAME(reduce)(MATH_NAME(at_most)(x, BOUNDS.sinh_highest), &exponent);
    return MATH_NAME(scale)(HORNER_2(r, (FLOAT)1, (FLOAT)1, EXP_POLYNOMIAL(r)), exponent - 1);
}

/* Below 1, where the difference of the exponentials would cancel, an odd polynomial. */
CYOPS_INLINE FLOAT MATH_NAME(sinh)(FLOAT x) {
    const FLOAT size = MATH_NAME(fabs)(x), square = x * x, half = MATH_NAME(half_exp)(size);
    const FLOAT near_zero = FMA(size * square, SINH_POLYNOMIAL(square), size);
    return MATH_NAME(copysign)(size < 1 ? near_zero : half - (FLOAT)0.25 / half, x);
}

CYOPS_INLINE FLOAT MATH_NAME(cosh)(FLOAT x) {
    const FLOAT half = MATH_NAME(half_exp)(MATH_NAME(fabs)(x));
    return half + (FLOAT)0.25 / half;
}

/* log(1 + z), or log(2x) where x is so large that its square may overflow and 1 beside it is lost. */
CYOPS_INLINE FLOAT MATH_NAME(log_of_sum)(FLOAT x, FLOAT z) {
    const int is_large = x > (FLOAT)((BITS)1 << (MANTISSA_BITS / 2 + 3));
    const FLOAT u = 1 + z, lost = (z - (u - 1)) / u;
    return MATH_NAME(log_corrected)(is_large ? x : u, is_large ? LN2_HIGH + LN2_LOW : lost);
}

/* log(|x| + sqrt(x^2 + 1)) as log(1 + z), without loss where x is small. */
CYOPS_INLINE FLOAT MATH_NAME(asinh)(FLOAT x) {
    const FLOAT size = MATH_NAME(fabs)(x), square = x * x;
    const FLOAT z = size + square / (1 + MATH_NAME(sqrt)(1 + square));
    return MATH_NAME(copysign)(MATH_NAME(log_of_sum)(size, z), x);
}

/* log(x + sqrt(x^2 - 1)) as log(1 + z), without loss near 1; NaN below it. */
CYOPS_INLINE FLOAT MATH_NAME(acosh)(FLOAT x) {
    const FLOAT above = x - 1, z = above + MATH_NAME(sqrt)(above * (2 + above));
    return MATH_NAME(log_of_sum)(x < 1 ? (FLOAT)NAN : x, x < 1 ? (FLOAT)NAN : z);
}

/* log((1 + |x|) / (1 - |x|)) / 2 as log(1 + z) / 2; below 1/2, where 1 - |x| is rounded, z is 2|x| and a small rest. */
CYOPS_INLINE FLOAT MATH_NAME(atanh)(FLOAT x) {
    const FLOAT size = MATH_NAME(fabs)(x), twice = size + size;
    const FLOAT quotient = (size < (FLOAT)0.5 ? twice * size : twice) / (1 - size);
    const FLOAT z = size < (FLOAT)0.5 ? twice + quotient : quotient;
    return MATH_NAME(copysign)((FLOAT)0.5 * MATH_NAME(log_after_one)(z), x);
}

#undef MATH_NAME
#undef SINH_POLYNOMIAL
#undef FMA
#undef ROUNDER
#undef BOUNDS
#undef LOG2_E
#undef MATH_SUFFIX
#undef FLOAT
#undef BITS
#undef MANTISSA_BITS
#undef EXPONENT_BIAS
#undef SQRT_HALF_BITS
#undef SMALLEST_NORMAL
#undef LN2_HIGH
#undef LN2_LOW
#undef EXP_POLYNOMIAL
#undef LOG_POLYNOMIAL
#undef ERF_POLYNOMIAL
#undef ERFC_ARGUMENT
#undef ERFC_POLYNOMIAL
