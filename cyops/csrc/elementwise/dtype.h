/* The elementwise loops of one dtype: a template, included by loops.h once per dtype.
 *
 * Expects DTYPE (float32, int8, ...), T (the C type), WRAPPED (the type integer arithmetic wraps around in; T itself
 * for floating types) and KIND, one of KIND_FLOATING, KIND_INTEGER and KIND_BOOLEAN; for floating also MATH_SUFFIX; for
 * integers UNSIGNED (of the same width) and, up to 32 bits, WIDE (unsigned, of twice the width; 64 bits have none) and
 * QUOTIENT (see math/integer_division.h). Undefines them. It defines the words of the formulas in ops.h for the
 * kind, then, for each op whose domain has the dtype, an inline function of single elements and the loop over it.
 */
#define OF_DTYPE(name) ISA_NAME(CYOPS_JOIN(name, DTYPE))
#define WRAP(x) ((WRAPPED)(x))

#define KIND_FLOATING 1
#define KIND_INTEGER 2
#define KIND_BOOLEAN 3

#if KIND == KIND_FLOATING
#define MATH(function) ISA_NAME(CYOPS_JOIN(function, MATH_SUFFIX))
#define TO_T(value) (value)
#define NEGATIVE(x) (-(x))
#define ABSOLUTE(x) MATH(fabs)(x)
#define SIGN(x) ((x) > 0 ? (T)1 : (x) < 0 ? (T)-1 : (x) == 0 ? (T)0 : (x)) /* +0 of -0, as the standard has it */
/* Functions of two choices: with || in their place, clip is not vectorised. */
#define MAXIMUM(a, b) OF_DTYPE(larger)(a, b)
#define MINIMUM(a, b) OF_DTYPE(smaller)(a, b)
#define CLIP(x, min, max) OF_DTYPE(clipped)(x, min, max)
#define RELU(x) ((x) <= 0 ? (T)0 : (x))
#define FLOOR(x) MATH(floor)(x)
#define CEIL(x) MATH(ceil)(x)
#define ROUND(x) MATH(nearest)(x)
#define POWER(a, b) MATH(pow)(a, b)
#define FLOOR_DIVIDE(a, b) MATH(floor_divide)(a, b)
#define REMAINDER(a, b) MATH(remainder)(a, b)
#define WHEN_FLOATING(...) __VA_ARGS__
#else
#define IS_BELOW_ZERO(x) ((T)-1 < (T)1 && (x) < 1 && (x) != 0)
#define NEGATIVE(x) (0 - WRAP(x))
#define ABSOLUTE(x) (IS_BELOW_ZERO(x) ? 0 - WRAP(x) : WRAP(x))
#define SIGN(x) ((x) == 0 ? 0 : IS_BELOW_ZERO(x) ? -1 : 1)
#define MAXIMUM(a, b) ((a) > (b) ? (a) : (b))
#define MINIMUM(a, b) ((a) < (b) ? (a) : (b))
#define CLIP(x, min, max) MINIMUM(MAXIMUM(x, min), max)
#define RELU(x) (IS_BELOW_ZERO(x) ? 0 : (x))
#define FLOOR(x) (x)
#define CEIL(x) (x)
#define ROUND(x) (x)
#define POWER(a, b) OF_DTYPE(integer_power)(a, b)
#define FLOOR_DIVIDE(a, b) OF_DTYPE(integer_floor_divide)(a, b)
#define REMAINDER(a, b) OF_DTYPE(integer_remainder)(a, b)
#define WHEN_FLOATING(...)
#endif

#if KIND == KIND_FLOATING
CYOPS_INLINE T OF_DTYPE(larger)(T a, T b) {
    const T chosen = a > b ? a : b; /* b where either is NaN */
    return a != a ? a : chosen;
}

CYOPS_INLINE T OF_DTYPE(smaller)(T a, T b) {
    const T chosen = a < b ? a : b;
    return a != a ? a : chosen;
}

/* The extremes in this order hand on a NaN of x; one of a limit is put in at the end, where a scalar's comparison has
 * left the loop: docs/kernels.md, Vectors. */
CYOPS_INLINE T OF_DTYPE(clipped)(T x, T min, T max) {
    const T raised = min > x ? min : x, lowered = max < raised ? max : raised;
    return max != max ? max : min != min ? min : lowered;
}
#endif

#if KIND == KIND_BOOLEAN
#define TO_T(value) ((value) != 0)
#define WHEN_NUMBER(...)
#define WHEN_LOGICAL(...) __VA_ARGS__
#elif KIND == KIND_INTEGER
#define TO_T(value) ((T)(value))
#define WHEN_NUMBER(...) __VA_ARGS__
#define WHEN_LOGICAL(...)
#else
#define WHEN_NUMBER(...) __VA_ARGS__
#define WHEN_LOGICAL(...)
#endif
#define WHEN_ANY(...) __VA_ARGS__
#define WHEN_COMPARISON(...) __VA_ARGS__
#define WHEN_CHOICE(...) __VA_ARGS__
#define WHEN_SIGNED WHEN_NUMBER
#define WHEN_PREDICATE WHEN_FLOATING

#if KIND == KIND_INTEGER
#include "math/integer_division.h"

/* By squaring, wrapping around. A negative power is 1 / a^-b truncated: 0 unless a is 1 or -1. */
CYOPS_INLINE T OF_DTYPE(integer_power)(T a, T b) {
    if (IS_BELOW_ZERO(b)) return (T)(a == 1 ? 1 : IS_BELOW_ZERO(a) && a + 1 == 0 ? (b % 2 == 0 ? 1 : -1) : 0);
    WRAPPED result = 1, base = WRAP(a);
    for (WRAPPED rest = WRAP(b); rest != 0; rest >>= 1) {
        if (rest & 1) result *= base;
        base *= base;
    }
    return (T)result;
}
#endif

/* What a loop reads as its first operand and what it writes, by domain. */
#define RESULT_ANY T
#define RESULT_NUMBER T
#define RESULT_SIGNED T
#define RESULT_FLOATING T
#define RESULT_CHOICE T
#define RESULT_PREDICATE uint8_t
#define RESULT_COMPARISON uint8_t
#define RESULT_LOGICAL uint8_t
#define CONVERT_ANY(value) TO_T(value)
#define CONVERT_NUMBER(value) TO_T(value)
#define CONVERT_SIGNED(value) TO_T(value)
#define CONVERT_FLOATING(value) (value)
#define CONVERT_CHOICE(value) (value)
#define CONVERT_PREDICATE(value) (value)
#define CONVERT_COMPARISON(value) (value)
#define CONVERT_LOGICAL(value) (value)
#define FIRST_ANY T
#define FIRST_CHOICE uint8_t

#define DEFINE_1(name, x, domain, formula)                                                      \
    CYOPS_INLINE RESULT_##domain OF_DTYPE(name##_of)(T x) { return CONVERT_##domain(formula); } \
    LOOP_1(OF_DTYPE(name), OF_DTYPE(name##_of), RESULT_##domain, T)
#define DEFINE_2(name, a, b, domain, formula)                                                        \
    CYOPS_INLINE RESULT_##domain OF_DTYPE(name##_of)(T a, T b) { return CONVERT_##domain(formula); } \
    LOOP_2(OF_DTYPE(name), OF_DTYPE(name##_of), RESULT_##domain, T)
#define DEFINE_3(name, a, b, c, domain, formula)                                                         \
    CYOPS_INLINE T OF_DTYPE(name##_of)(FIRST_##domain a, T b, T c) { return CONVERT_##domain(formula); } \
    LOOP_3(OF_DTYPE(name), OF_DTYPE(name##_of), T, FIRST_##domain, T)

#define WITHOUT_PARENTHESES(...) __VA_ARGS__
#define DEFINE_WITH(define, ...) define(__VA_ARGS__)
#define DEFINE(name, inputs, parameters, domain, cost, ulps, formula, ...) \
    WHEN_##domain(DEFINE_WITH(DEFINE_##inputs, name, WITHOUT_PARENTHESES parameters, domain, formula))

CYOPS_ELEMENTWISE_OPS(DEFINE)

#if KIND == KIND_FLOATING
#include "elementwise/remainder.h"
#include "elementwise/angles.h"
#elif KIND == KIND_INTEGER
#include "math/integer_reciprocal.h"
#endif

#undef OF_DTYPE
#undef WRAP
#undef KIND_FLOATING
#undef KIND_INTEGER
#undef KIND_BOOLEAN
#undef MATH
#undef TO_T
#undef IS_BELOW_ZERO
#undef NEGATIVE
#undef ABSOLUTE
#undef SIGN
#undef MAXIMUM
#undef MINIMUM
#undef CLIP
#undef RELU
#undef FLOOR
#undef CEIL
#undef ROUND
#undef POWER
#undef FLOOR_DIVIDE
#undef REMAINDER
#undef WHEN_FLOATING
#undef WHEN_NUMBER
#undef WHEN_LOGICAL
#undef WHEN_ANY
#undef WHEN_COMPARISON
#undef WHEN_CHOICE
#undef WHEN_SIGNED
#undef WHEN_PREDICATE
#undef DTYPE
#undef T
#undef WRAPPED
#undef KIND
#undef QUOTIENT
#undef UNSIGNED
#undef WIDE
#undef MATH_SUFFIX
