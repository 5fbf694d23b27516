/* The table of elementwise operations: one row an op, said once.
 *
 * C reads it for the loops of every dtype and instruction set (dtype.h); elementwise.c turns the same rows
 * into strings, from which Python makes the public functions with their signatures and docstrings at import. To add an
 * op, add a row here and its gradient rule in gradients.py.
 *
 *     OP(name, inputs, (parameters), DOMAIN, formula in C, formula in words, what it computes, arguments, result)
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
 */
#ifndef CYOPS_ELEMENTWISE_OPS_H
#define CYOPS_ELEMENTWISE_OPS_H

#define CYOPS_ARITHMETIC_OPS(OP)                                                                                       \
    OP(add, 2, (a, b), ANY, WRAP(a) + WRAP(b), "a + b", "Sum; of two bools, whether either is true.",                  \
       "[1.0, 2.0], [10.0, 20.0]", "[11.0, 22.0]")                                                                     \
    OP(subtract, 2, (a, b), SIGNED, WRAP(a) - WRAP(b), "a - b", "Difference.", "[3.0, 5.0], 1.0", "[2.0, 4.0]")        \
    OP(multiply, 2, (a, b), ANY, WRAP(a) * WRAP(b), "a * b", "Product; of two bools, whether both are true.",          \
       "[1.0, 2.0], [3.0, 4.0]", "[3.0, 8.0]")                                                                         \
    OP(divide, 2, (a, b), FLOATING, a / b, "a / b", "Quotient.", "[1.0, 3.0], 2.0", "[0.5, 1.5]")                      \
    OP(floor_divide, 2, (a, b), NUMBER, FLOOR_DIVIDE(a, b), "floor(a / b)",                                            \
       "Quotient rounded towards minus infinity; an integer divided by zero gives 0.", "[7, -7], 2", "[3, -4]")        \
    OP(remainder, 2, (a, b), NUMBER, REMAINDER(a, b), "a - b * floor(a / b)",                                          \
       "Remainder with the sign of the divisor; of an integer by zero, 0.", "[7, -7], 3", "[1, 2]")                    \
    OP(pow, 2, (a, b), NUMBER, POWER(a, b), "a ** b",                                                                  \
       "Power; an integer to a negative power is truncated towards zero.", "[1.0, 2.0, 3.0], 3.0", "[1.0, 8.0, 27.0]") \
    OP(maximum, 2, (a, b), ANY, MAXIMUM(a, b), "a if a > b else b", "The larger of two; NaN if either is.",            \
       "[1.0, 5.0], 3.0", "[3.0, 5.0]")                                                                                \
    OP(minimum, 2, (a, b), ANY, MINIMUM(a, b), "a if a < b else b", "The smaller of two; NaN if either is.",           \
       "[1.0, 5.0], 3.0", "[1.0, 3.0]")                                                                                \
    OP(negative, 1, (x), SIGNED, NEGATIVE(x), "-x", "The number with the other sign.", "[1.0, -2.0]", "[-1.0, 2.0]")   \
    OP(abs, 1, (x), ANY, ABSOLUTE(x), "|x|", "Absolute value.", "[-1.5, 2.0]", "[1.5, 2.0]")                           \
    OP(sign, 1, (x), NUMBER, SIGN(x), "-1, 0 or 1", "Sign; NaN of NaN.", "[-3.0, 0.0, 5.0]", "[-1.0, 0.0, 1.0]")       \
    OP(square, 1, (x), NUMBER, WRAP(x) * WRAP(x), "x * x", "Square.", "[1.0, -3.0]", "[1.0, 9.0]")                     \
    OP(reciprocal, 1, (x), FLOATING, 1 / x, "1 / x", "Reciprocal.", "[2.0, 4.0]", "[0.5, 0.25]")                       \
    OP(floor, 1, (x), NUMBER, FLOOR(x), "the largest integer <= x", "Rounds towards minus infinity.",                  \
       "[1.5, -1.5]", "[1.0, -2.0]")                                                                                   \
    OP(ceil, 1, (x), NUMBER, CEIL(x), "the smallest integer >= x", "Rounds towards infinity.",                         \
       "[1.5, -1.5]", "[2.0, -1.0]")                                                                                   \
    OP(round, 1, (x), NUMBER, ROUND(x), "the nearest integer", "Rounds to the nearest integer, halves to the even.",   \
       "[0.5, 1.5, 2.4]", "[0.0, 2.0, 2.0]")                                                                           \
    OP(relu, 1, (x), ANY, RELU(x), "max(x, 0)", "Rectified linear unit; NaN of NaN.", "[-1.0, 0.0, 2.0]",              \
       "[0.0, 0.0, 2.0]")                                                                                              \
    OP(relu_gradient, 2, (d, y), ANY, y > 0 ? d : 0, "d if y > 0 else 0",                                              \
       "The gradient of relu: d where the output is positive.", "[1.0, 2.0], [0.0, 3.0]", "[0.0, 2.0]")                \
    OP(clip, 3, (x, min, max), ANY, CLIP(x, min, max), "minimum(maximum(x, min), max)",                    \
       "Each element moved into the interval [min, max].", "[-2.0, 0.5, 7.0], 0.0, 1.0", "[0.0, 0.5, 1.0]")

#define CYOPS_MATH_OPS(OP)                                                                                             \
    OP(exp, 1, (x), FLOATING, MATH(exp)(x), "e ** x", "Exponential.", "[0.0]", "[1.0]")                                \
    OP(expm1, 1, (x), FLOATING, MATH(expm1)(x), "e ** x - 1", "Exponential minus one, accurate near zero.",            \
       "[0.0]", "[0.0]")                                                                                               \
    OP(log, 1, (x), FLOATING, MATH(log)(x), "log(x)", "Natural logarithm; NaN of a negative number.",                  \
       "[1.0]", "[0.0]")                                                                                               \
    OP(log1p, 1, (x), FLOATING, MATH(log1p)(x), "log(1 + x)", "Natural logarithm of 1 + x, accurate near zero.",       \
       "[0.0]", "[0.0]")                                                                                               \
    OP(sqrt, 1, (x), FLOATING, MATH(sqrt)(x), "sqrt(x)", "Square root; NaN of a negative number.",                     \
       "[4.0, 9.0]", "[2.0, 3.0]")                                                                                     \
    OP(tanh, 1, (x), FLOATING, MATH(tanh)(x), "(e ** x - e ** -x) / (e ** x + e ** -x)", "Hyperbolic tangent.",        \
       "[0.0]", "[0.0]")                                                                                               \
    OP(sigmoid, 1, (x), FLOATING, MATH(sigmoid)(x), "1 / (1 + e ** -x)", "Logistic function.", "[0.0]", "[0.5]")       \
    OP(erf, 1, (x), FLOATING, MATH(erf)(x), "2 / sqrt(pi) times the integral of e ** -t**2 from 0 to x",               \
       "Error function.", "[0.0]", "[0.0]")

#define CYOPS_COMPARISON_OPS(OP)                                                                                       \
    OP(equal, 2, (a, b), COMPARISON, a == b, "a == b", "Whether a equals b.", "[1, 2], 2", "[False, True]")            \
    OP(not_equal, 2, (a, b), COMPARISON, a != b, "a != b", "Whether a differs from b.", "[1, 2], 2", "[True, False]")  \
    OP(less, 2, (a, b), COMPARISON, a < b, "a < b", "Whether a is less than b.", "[1, 2], 2", "[True, False]")         \
    OP(less_equal, 2, (a, b), COMPARISON, a <= b, "a <= b", "Whether a is at most b.", "[2, 3], 2", "[True, False]")   \
    OP(greater, 2, (a, b), COMPARISON, a > b, "a > b", "Whether a is greater than b.", "[2, 3], 2", "[False, True]")   \
    OP(greater_equal, 2, (a, b), COMPARISON, a >= b, "a >= b", "Whether a is at least b.", "[1, 2], 2",                \
       "[False, True]")                                                                                                \
    OP(isnan, 1, (x), PREDICATE, x != x, "x != x", "Whether x is NaN.", "[1.0, float('nan')]", "[False, True]")        \
    OP(isfinite, 1, (x), PREDICATE, x - x == 0, "x - x == 0", "Whether x is neither infinite nor NaN.",                \
       "[1.0, float('inf')]", "[True, False]")                                                                         \
    OP(logical_not, 1, (x), LOGICAL, !x, "not x", "Whether x is zero.", "[True, False]", "[False, True]")              \
    OP(logical_and, 2, (a, b), LOGICAL, a && b, "a and b", "Whether neither is zero.", "[1, 2, 0], 1",                 \
       "[True, True, False]")                                                                                          \
    OP(logical_or, 2, (a, b), LOGICAL, a || b, "a or b", "Whether either is not zero.", "[1, 2, 0], 0",                \
       "[True, True, False]")                                                                                          \
    OP(where, 3, (condition, x, y), CHOICE, condition ? x : y, "x if condition else y",                                \
       "Elements of x where the condition holds, of y elsewhere.", "[True, False], [1.0, 2.0], 0.0", "[1.0, 0.0]")

#define CYOPS_ELEMENTWISE_OPS(OP) CYOPS_ARITHMETIC_OPS(OP) CYOPS_MATH_OPS(OP) CYOPS_COMPARISON_OPS(OP)

#endif
