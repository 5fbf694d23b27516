/* The table of elementwise operations: one row an op, said once.
 *
 * C reads it for the loops of every dtype and instruction set (dtype.h); elementwise.c turns the same rows
 * into strings, from which Python makes the public functions with their signatures and docstrings at import. To add an
 * op, add a row here and its gradient rule in gradients.py.
 *
 *     OP(name, inputs, (parameters), DOMAIN, COST, (ULPs), formula in C, formula in words, what it computes, arguments,
 *        result)
 *
 * The formula is an expression of the parameters, which have the type T of the loop. Words in capitals are defined for
 * each kind of dtype in dtype.h: WRAP(x) is x in the type in which integer arithmetic wraps around.
 * The last two columns are the example of the docstring. The domain says which dtypes have loops and what comes out:
 *
 *     ANY         bool, integers, floating; the result has the dtype of the operands
 *     NUMBER      integers, floating; bool computes as int8
 *     SIGNED      integers, floating; bool is refused
 *     FLOATING    floating; bool and integers compute as float32
 *     PREDICATE   floating; the result is bool
 *     COMPARISON  bool, integers, floating, strings; the result is bool
 *     LOGICAL     operands are read as bool (nonzero is true); the result is bool
 *     CHOICE      the first operand is bool, the others are as for ANY
 *
 * The cost says how long the arithmetic of an element takes, for the decision to share the work among threads; what it
 * is in time stands in elementwise.c:
 *
 *     MEMORY      no longer than its operands take to come and go
 *     FUNCTION    a polynomial
 *     DIVISION    a division rounded down; of integers by one number it is as MEMORY
 *     POWER       a logarithm, a product and an exponential, in more digits
 *
 * The bounds of the error in units in the last place are four: of float32 and float64, and of both without fused
 * multiply-add. tests/test_math_ulp.py asserts them and docs/accuracy.md shows them. ROUNDED is what is exact, or exact
 * but for one rounding.
 */
#ifndef CYOPS_ELEMENTWISE_OPS_H
#define CYOPS_ELEMENTWISE_OPS_H

/* clang-format off */
#define ROUNDED (0.5, 0.5, 0.5, 0.5)

#define CYOPS_ARITHMETIC_OPS(OP)                                                                                       \
    OP(add, 2, (a, b), ANY, MEMORY, ROUNDED, WRAP(a) + WRAP(b), "a + b",                                               \
       "Sum; of two bools, whether either is true.", "[1.0, 2.0], [10.0, 20.0]", "[11.0, 22.0]")                       \
    OP(subtract, 2, (a, b), SIGNED, MEMORY, ROUNDED, WRAP(a) - WRAP(b), "a - b", "Difference.", "[3.0, 5.0], 1.0",     \
       "[2.0, 4.0]")                                                                                                   \
    OP(multiply, 2, (a, b), ANY, MEMORY, ROUNDED, WRAP(a) * WRAP(b), "a * b",                                          \
       "Product; of two bools, whether both are true.", "[1.0, 2.0], [3.0, 4.0]", "[3.0, 8.0]")                        \
    OP(divide, 2, (a, b), FLOATING, MEMORY, ROUNDED, a / b, "a / b", "Quotient.", "[1.0, 3.0], 2.0", "[0.5, 1.5]")     \
    OP(floor_divide, 2, (a, b), NUMBER, DIVISION, ROUNDED, FLOOR_DIVIDE(a, b), "floor(a / b)",                         \
       "Quotient rounded towards minus infinity; an integer divided by zero gives 0.", "[7, -7], 2", "[3, -4]")        \
    OP(remainder, 2, (a, b), NUMBER, DIVISION, ROUNDED, REMAINDER(a, b), "a - b * floor(a / b)",                       \
       "Remainder with the sign of the divisor; of an integer by zero, 0.", "[7, -7], 3", "[1, 2]")                    \
    OP(pow, 2, (a, b), NUMBER, POWER, (0.51, 1.2, 0.51, 1.0), POWER(a, b), "a ** b",                                   \
       "Power; an integer to a negative power is truncated towards zero.", "[1.0, 2.0, 3.0], 3.0",                     \
       "[1.0, 8.0, 27.0]")                                                                                             \
    OP(maximum, 2, (a, b), ANY, MEMORY, ROUNDED, MAXIMUM(a, b), "a if a > b else b",                                   \
       "The larger of two; NaN if either is.", "[1.0, 5.0], 3.0", "[3.0, 5.0]")                                        \
    OP(minimum, 2, (a, b), ANY, MEMORY, ROUNDED, MINIMUM(a, b), "a if a < b else b",                                   \
       "The smaller of two; NaN if either is.", "[1.0, 5.0], 3.0", "[1.0, 3.0]")                                       \
    OP(negative, 1, (x), SIGNED, MEMORY, ROUNDED, NEGATIVE(x), "-x", "The number with the other sign.",                \
       "[1.0, -2.0]", "[-1.0, 2.0]")                                                                                   \
    OP(abs, 1, (x), ANY, MEMORY, ROUNDED, ABSOLUTE(x), "|x|", "Absolute value.", "[-1.5, 2.0]", "[1.5, 2.0]")          \
    OP(sign, 1, (x), NUMBER, MEMORY, ROUNDED, SIGN(x), "-1, 0 or 1", "Sign; NaN of NaN.", "[-3.0, 0.0, 5.0]",          \
       "[-1.0, 0.0, 1.0]")                                                                                             \
    OP(square, 1, (x), NUMBER, MEMORY, ROUNDED, WRAP(x) * WRAP(x), "x * x", "Square.", "[1.0, -3.0]", "[1.0, 9.0]")    \
    OP(reciprocal, 1, (x), FLOATING, MEMORY, ROUNDED, 1 / x, "1 / x", "Reciprocal.", "[2.0, 4.0]", "[0.5, 0.25]")      \
    OP(floor, 1, (x), NUMBER, MEMORY, ROUNDED, FLOOR(x), "the largest integer <= x",                                   \
       "Rounds towards minus infinity.", "[1.5, -1.5]", "[1.0, -2.0]")                                                 \
    OP(ceil, 1, (x), NUMBER, MEMORY, ROUNDED, CEIL(x), "the smallest integer >= x", "Rounds towards infinity.",        \
       "[1.5, -1.5]", "[2.0, -1.0]")                                                                                   \
    OP(round, 1, (x), NUMBER, MEMORY, ROUNDED, ROUND(x), "the nearest integer",                                        \
       "Rounds to the nearest integer, halves to the even.", "[0.5, 1.5, 2.4]", "[0.0, 2.0, 2.0]")                     \
    OP(relu, 1, (x), ANY, MEMORY, ROUNDED, RELU(x), "max(x, 0)", "Rectified linear unit; NaN of NaN.",                 \
       "[-1.0, 0.0, 2.0]", "[0.0, 0.0, 2.0]")                                                                          \
    OP(relu_gradient, 2, (d, y), ANY, MEMORY, ROUNDED, y > 0 ? d : 0, "d if y > 0 else 0",                             \
       "The gradient of relu: d where the output is positive.", "[1.0, 2.0], [0.0, 3.0]", "[0.0, 2.0]")                \
    OP(clip, 3, (x, min, max), ANY, MEMORY, ROUNDED, CLIP(x, min, max), "minimum(maximum(x, min), max)",               \
       "Each element moved into the interval [min, max].", "[-2.0, 0.5, 7.0], 0.0, 1.0", "[0.0, 0.5, 1.0]")

#define CYOPS_MATH_OPS(OP)                                                                                             \
    OP(exp, 1, (x), FLOATING, FUNCTION, (0.9, 1.0, 1.2, 1.3), MATH(exp)(x), "e ** x", "Exponential.", "[0.0]",         \
       "[1.0]")                                                                                                        \
    OP(expm1, 1, (x), FLOATING, FUNCTION, (1.5, 2.2, 1.7, 2.4), MATH(expm1)(x), "e ** x - 1",                          \
       "Exponential minus one, accurate near zero.", "[0.0]", "[0.0]")                                                 \
    OP(log, 1, (x), FLOATING, FUNCTION, (0.85, 0.9, 0.85, 0.9), MATH(log)(x), "log(x)",                                \
       "Natural logarithm; NaN of a negative number.", "[1.0]", "[0.0]")                                               \
    OP(log1p, 1, (x), FLOATING, FUNCTION, (0.85, 0.9, 0.9, 0.9), MATH(log1p)(x), "log(1 + x)",                         \
       "Natural logarithm of 1 + x, accurate near zero.", "[0.0]", "[0.0]")                                            \
    OP(sqrt, 1, (x), FLOATING, MEMORY, ROUNDED, MATH(sqrt)(x), "sqrt(x)", "Square root; NaN of a negative number.",    \
       "[4.0, 9.0]", "[2.0, 3.0]")                                                                                     \
    OP(tanh, 1, (x), FLOATING, FUNCTION, (2.7, 2.9, 2.7, 2.9), MATH(tanh)(x),                                          \
       "(e ** x - e ** -x) / (e ** x + e ** -x)", "Hyperbolic tangent.", "[0.0]", "[0.0]")                             \
    OP(sigmoid, 1, (x), FLOATING, FUNCTION, (2.5, 2.5, 2.5, 2.5), MATH(sigmoid)(x), "1 / (1 + e ** -x)",               \
       "Logistic function.", "[0.0]", "[0.5]")                                                                         \
    OP(erf, 1, (x), FLOATING, FUNCTION, (1.2, 1.2, 1.4, 1.4), MATH(erf)(x),                                            \
       "2 / sqrt(pi) times the integral of e ** -t**2 from 0 to x", "Error function.", "[0.0]", "[0.0]")

#define CYOPS_ANGLE_OPS(OP)                                                                                            \
    OP(sin, 1, (x), FLOATING, FUNCTION, (0.51, 0.9, 0.51, 0.9), MATH(sin)(x), "sin(x)",                                \
       "Sine of an angle in radians.", "[0.0]", "[0.0]")                                                               \
    OP(cos, 1, (x), FLOATING, FUNCTION, (0.51, 0.9, 0.51, 0.9), MATH(cos)(x), "cos(x)",                                \
       "Cosine of an angle in radians.", "[0.0]", "[1.0]")                                                             \
    OP(tan, 1, (x), FLOATING, FUNCTION, (0.51, 2.4, 0.51, 2.4), MATH(tan)(x), "tan(x)",                                \
       "Tangent of an angle in radians.", "[0.0]", "[0.0]")                                                            \
    OP(asin, 1, (x), FLOATING, FUNCTION, (0.51, 2.2, 0.51, 2.2), MATH(asin)(x),                                        \
       "the angle in [-pi/2, pi/2] whose sine is x", "Arc sine; NaN outside [-1, 1].", "[0.0, 1.0]",                   \
       "[0.0, 1.5707963705062866]")                                                                                    \
    OP(acos, 1, (x), FLOATING, FUNCTION, (0.51, 1.2, 0.51, 1.2), MATH(acos)(x),                                        \
       "the angle in [0, pi] whose cosine is x", "Arc cosine; NaN outside [-1, 1].", "[1.0, -1.0]",                    \
       "[0.0, 3.1415927410125732]")                                                                                    \
    OP(atan, 1, (x), FLOATING, FUNCTION, (0.51, 2.0, 0.51, 2.0), MATH(atan)(x),                                        \
       "the angle in [-pi/2, pi/2] whose tangent is x", "Arc tangent.", "[0.0, 1.0]", "[0.0, 0.7853981852531433]")     \
    OP(atan2, 2, (y, x), FLOATING, FUNCTION, (0.51, 2.1, 0.51, 2.1), MATH(atan2)(y, x),                                \
       "the angle of the point (x, y)", "Arc tangent of y / x in the quadrant of the point, in [-pi, pi].",            \
       "[1.0, 1.0], [1.0, -1.0]", "[0.7853981852531433, 2.356194496154785]")                                           \
    OP(sinh, 1, (x), FLOATING, FUNCTION, (1.8, 1.8, 1.8, 1.8), MATH(sinh)(x), "(e ** x - e ** -x) / 2",                \
       "Hyperbolic sine.", "[0.0]", "[0.0]")                                                                           \
    OP(cosh, 1, (x), FLOATING, FUNCTION, (1.5, 1.5, 1.7, 1.7), MATH(cosh)(x), "(e ** x + e ** -x) / 2",                \
       "Hyperbolic cosine.", "[0.0]", "[1.0]")                                                                         \
    OP(asinh, 1, (x), FLOATING, FUNCTION, (1.8, 1.8, 1.8, 1.8), MATH(asinh)(x), "log(x + sqrt(x ** 2 + 1))",           \
       "Inverse of the hyperbolic sine.", "[0.0]", "[0.0]")                                                            \
    OP(acosh, 1, (x), FLOATING, FUNCTION, (2.0, 2.0, 2.0, 2.0), MATH(acosh)(x), "log(x + sqrt(x ** 2 - 1))",           \
       "Inverse of the hyperbolic cosine; NaN below 1.", "[1.0]", "[0.0]")                                             \
    OP(atanh, 1, (x), FLOATING, FUNCTION, (1.8, 1.9, 1.8, 1.9), MATH(atanh)(x), "log((1 + x) / (1 - x)) / 2",          \
       "Inverse of the hyperbolic tangent; NaN outside [-1, 1].", "[0.0]", "[0.0]")

#define CYOPS_COMPARISON_OPS(OP)                                                                                       \
    OP(equal, 2, (a, b), COMPARISON, MEMORY, ROUNDED, a == b, "a == b", "Whether a equals b.", "[1, 2], 2",            \
       "[False, True]")                                                                                                \
    OP(not_equal, 2, (a, b), COMPARISON, MEMORY, ROUNDED, a != b, "a != b", "Whether a differs from b.", "[1, 2], 2",  \
       "[True, False]")                                                                                                \
    OP(less, 2, (a, b), COMPARISON, MEMORY, ROUNDED, a < b, "a < b", "Whether a is less than b.", "[1, 2], 2",         \
       "[True, False]")                                                                                                \
    OP(less_equal, 2, (a, b), COMPARISON, MEMORY, ROUNDED, a <= b, "a <= b", "Whether a is at most b.", "[2, 3], 2",   \
       "[True, False]")                                                                                                \
    OP(greater, 2, (a, b), COMPARISON, MEMORY, ROUNDED, a > b, "a > b", "Whether a is greater than b.", "[2, 3], 2",   \
       "[False, True]")                                                                                                \
    OP(greater_equal, 2, (a, b), COMPARISON, MEMORY, ROUNDED, a >= b, "a >= b", "Whether a is at least b.",            \
       "[1, 2], 2", "[False, True]")                                                                                   \
    OP(isnan, 1, (x), PREDICATE, MEMORY, ROUNDED, x != x, "x != x", "Whether x is NaN.", "[1.0, float('nan')]",        \
       "[False, True]")                                                                                                \
    OP(isfinite, 1, (x), PREDICATE, MEMORY, ROUNDED, x - x == 0, "x - x == 0",                                         \
       "Whether x is neither infinite nor NaN.", "[1.0, float('inf')]", "[True, False]")                               \
    OP(isinf, 1, (x), PREDICATE, MEMORY, ROUNDED, (x == x) & (x - x != 0), "|x| == inf", "Whether x is infinite.",     \
       "[1.0, float('-inf'), float('nan')]", "[False, True, False]")                                                   \
    OP(logical_not, 1, (x), LOGICAL, MEMORY, ROUNDED, !x, "not x", "Whether x is zero.", "[True, False]",              \
       "[False, True]")                                                                                                \
    OP(logical_and, 2, (a, b), LOGICAL, MEMORY, ROUNDED, a && b, "a and b", "Whether neither is zero.",                \
       "[1, 2, 0], 1", "[True, True, False]")                                                                          \
    OP(logical_or, 2, (a, b), LOGICAL, MEMORY, ROUNDED, a || b, "a or b", "Whether either is not zero.",               \
       "[1, 2, 0], 0", "[True, True, False]")                                                                          \
    OP(where, 3, (condition, x, y), CHOICE, MEMORY, ROUNDED, condition ? x : y, "x if condition else y",               \
       "Elements of x where the condition holds, of y elsewhere.", "[True, False], [1.0, 2.0], 0.0", "[1.0, 0.0]")

#define CYOPS_ELEMENTWISE_OPS(OP) \
    CYOPS_ARITHMETIC_OPS(OP) CYOPS_MATH_OPS(OP) CYOPS_ANGLE_OPS(OP) CYOPS_COMPARISON_OPS(OP)

/* clang-format on */
typedef enum { CYOPS_COST_MEMORY, CYOPS_COST_FUNCTION, CYOPS_COST_DIVISION, CYOPS_COST_POWER } cyops_cost;

#define CYOPS_OP_ID(name, ...) CYOPS_OP_##name,
typedef enum { CYOPS_ELEMENTWISE_OPS(CYOPS_OP_ID) CYOPS_OP_COUNT } cyops_op;
#undef CYOPS_OP_ID

#endif
