/* floor_divide and remainder of one integer dtype: a template, included by elementwise/dtype.h.
 *
 * There is no vector instruction that divides integers, so those of up to 32 bits are divided as floating numbers, of
 * the type QUOTIENT, which holds every one of them: a * (1 / b) is at most one step away from the floor of a / b, and
 * what is left over tells. The inverse of a scalar divisor is then computed once, outside the loop. Integers of 64 bits
 * take the scalar instruction. Division by 0 gives 0; the smallest integer by -1 wraps around to itself.
 */
#ifdef QUOTIENT

/* The floor of a / b into `quotient`, what is left over into `rest`; anything where b is 0. */
CYOPS_INLINE void OF_DTYPE(divide_rounded_down)(T a, T b, QUOTIENT *quotient, QUOTIENT *rest) {
    const QUOTIENT divisor = (QUOTIENT)b, size = divisor < 0 ? -divisor : divisor;
    const QUOTIENT inverse = 1 / divisor;
    QUOTIENT guess = (QUOTIENT)a * inverse;
    guess = sizeof guess == sizeof(float) ? (QUOTIENT)__builtin_floorf((float)guess) : (QUOTIENT)__builtin_floor(guess);
    const QUOTIENT left = (QUOTIENT)a - guess * divisor, signed_left = divisor < 0 ? -left : left;
    const QUOTIENT step = signed_left < 0 ? -1 : signed_left >= size ? 1 : 0;
    *quotient = guess + step;
    *rest = left - step * divisor;
}

/* A quotient in T: by way of int32, the one conversion that every instruction set has. 2^31, as an int32, wraps. */
CYOPS_INLINE T OF_DTYPE(of_quotient)(QUOTIENT x) {
    if ((T)-1 > (T)1 && sizeof(T) == 4) return (T)((uint32_t)(int32_t)(x - 0x1p31f) ^ 0x80000000u);
    return (T)(int32_t)(x >= 0x1p31f ? -0x1p31f : x);
}

CYOPS_INLINE T OF_DTYPE(integer_floor_divide)(T a, T b) {
    QUOTIENT quotient, rest;
    OF_DTYPE(divide_rounded_down)(a, b, &quotient, &rest);
    return OF_DTYPE(of_quotient)(b == 0 ? 0 : quotient);
}

CYOPS_INLINE T OF_DTYPE(integer_remainder)(T a, T b) {
    QUOTIENT quotient, rest;
    OF_DTYPE(divide_rounded_down)(a, b, &quotient, &rest);
    return OF_DTYPE(of_quotient)(b == 0 ? 0 : rest);
}

#else

/* 0 and -1, for which C's division is undefined or may be, are replaced; no branch, so none is mispredicted. */
CYOPS_INLINE T OF_DTYPE(integer_remainder)(T a, T b) {
    const int is_minus_one = IS_BELOW_ZERO(b) & (b == (T)-1);
    const T rest = (T)(a % (T)((b == 0) | is_minus_one ? 1 : b));
    const int is_opposite = (rest != 0) & (IS_BELOW_ZERO(rest) != IS_BELOW_ZERO(b));
    return (T)(WRAP(rest) + (WRAP(b) & (0 - (WRAPPED)is_opposite)));
}

CYOPS_INLINE T OF_DTYPE(integer_floor_divide)(T a, T b) {
    const int is_minus_one = IS_BELOW_ZERO(b) & (b == (T)-1);
    const T divisor = (T)((b == 0) | is_minus_one ? 1 : b), quotient = (T)(a / divisor);
    const T rest = (T)(WRAP(a) - WRAP(quotient) * WRAP(divisor));
    const int is_opposite = (rest != 0) & (IS_BELOW_ZERO(rest) != IS_BELOW_ZERO(b));
    const T result = (T)(is_minus_one ? 0 - WRAP(a) : WRAP(quotient) - (WRAPPED)is_opposite);
    return b == 0 ? 0 : result;
}

#endif
