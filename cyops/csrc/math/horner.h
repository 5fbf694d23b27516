/* Polynomials by Horner's rule: HORNER_n(x, c0, ..., cn) = c0 + x (c1 + x (c2 + ...)), each step one FMA.
 *
 * FMA(x, y, z) is looked up where the macro is used, so that one definition serves float and double.
 */
#ifndef CYOPS_MATH_HORNER_H
#define CYOPS_MATH_HORNER_H

#define HORNER_1(x, c0, c1) FMA(c1, x, c0)
#define HORNER_2(x, c0, ...) FMA(HORNER_1(x, __VA_ARGS__), x, c0)
#define HORNER_3(x, c0, ...) FMA(HORNER_2(x, __VA_ARGS__), x, c0)
#define HORNER_4(x, c0, ...) FMA(HORNER_3(x, __VA_ARGS__), x, c0)
#define HORNER_5(x, c0, ...) FMA(HORNER_4(x, __VA_ARGS__), x, c0)
#define HORNER_6(x, c0, ...) FMA(HORNER_5(x, __VA_ARGS__), x, c0)
#define HORNER_7(x, c0, ...) FMA(HORNER_6(x, __VA_ARGS__), x, c0)
#define HORNER_8(x, c0, ...) FMA(HORNER_7(x, __VA_ARGS__), x, c0)
#define HORNER_9(x, c0, ...) FMA(HORNER_8(x, __VA_ARGS__), x, c0)
#define HORNER_10(x, c0, ...) FMA(HORNER_9(x, __VA_ARGS__), x, c0)
#define HORNER_11(x, c0, ...) FMA(HORNER_10(x, __VA_ARGS__), x, c0)
#define HORNER_12(x, c0, ...) FMA(HORNER_11(x, __VA_ARGS__), x, c0)
#define HORNER_13(x, c0, ...) FMA(HORNER_12(x, __VA_ARGS__), x, c0)
#define HORNER_14(x, c0, ...) FMA(HORNER_13(x, __VA_ARGS__), x, c0)
#define HORNER_15(x, c0, ...) FMA(HORNER_14(x, __VA_ARGS__), x, c0)
#define HORNER_16(x, c0, ...) FMA(HORNER_15(x, __VA_ARGS__), x, c0)
#define HORNER_17(x, c0, ...) FMA(HORNER_16(x, __VA_ARGS__), x, c0)
#define HORNER_18(x, c0, ...) FMA(HORNER_17(x, __VA_ARGS__), x, c0)
#define HORNER_19(x, c0, ...) FMA(HORNER_18(x, __VA_ARGS__), x, c0)
#define HORNER_20(x, c0, ...) FMA(HORNER_19(x, __VA_ARGS__), x, c0)
#define HORNER_21(x, c0, ...) FMA(HORNER_20(x, __VA_ARGS__), x, c0)
#define HORNER_22(x, c0, ...) FMA(HORNER_21(x, __VA_ARGS__), x, c0)
#define HORNER_23(x, c0, ...) FMA(HORNER_22(x, __VA_ARGS__), x, c0)
#define HORNER_24(x, c0, ...) FMA(HORNER_23(x, __VA_ARGS__), x, c0)
#define HORNER_25(x, c0, ...) FMA(HORNER_24(x, __VA_ARGS__), x, c0)

#endif
