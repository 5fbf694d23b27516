/* pow: a template, included by formulas.h after its functions of one argument.
 *
 * |x|^y = 2^(y log2|x|), then the sign and the cases of C's pow that the logarithm does not give by itself. The product
 * is as large as the largest exponent, so log2 needs that many more digits than the result has: float computes in
 * double, and is then off by its one rounding; double computes in pairs of doubles, whose sum is the number.
 */
#define FMA FMA_f64

/* The polynomials of float's pow: log2(1 + f) / f and 2^r, to relative errors of 2.6e-12 and 4.0e-11. */
#define LOG2_POLYNOMIAL(f)                                                                          \
    HORNER_13(f, 1.4426950408865677, -0.7213475203272347, 0.4808983488072804, -0.3606737932124348,  \
              0.28853879530998705, -0.24044642847651349, 0.2061071348475978, -0.18043689433504367,  \
              0.16021659497089152, -0.14249684815755706, 0.13027449226092844, -0.13463744601584032, \
              0.1325232196951287, -0.06973920559522669)
#define EXP2_POLYNOMIAL(r)                                                                                            \
    HORNER_7(r, 0.9999999999616208, 0.6931471807287153, 0.2402265119875711, 0.05550410352833471, 0.00961802717254434, \
             0.0013333922855274696, 0.000154693173625892, 1.5201901100173488e-05)

/* log2 of a float of any size; infinity and NaN of themselves. */
CYOPS_INLINE double ISA_NAME(log2_of_float)(double size) {
    const uint64_t bits = ISA_NAME(to_bits_f64)(size) + (0x3ff0000000000000u - 0x3fe6a09e667f3bcdu);
    const double k = ISA_NAME(from_bits_f64)(bits >> 52 | 0x4330000000000000u) - (0x1p52 + 1023);
    const double f = ISA_NAME(from_bits_f64)((bits & 0xfffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1;
    const double result = size == 0 ? -INFINITY : FMA(f, LOG2_POLYNOMIAL(f), k);
    return size < INFINITY ? result : size;
}

/* The last steps, one definition for both types. & and | instead of && and ||: no branch. */
#define FINISH_POW(FLOAT, suffix)                                                                \
    CYOPS_INLINE FLOAT ISA_NAME(CYOPS_JOIN(finish_pow, suffix))(FLOAT power, FLOAT x, FLOAT y) { \
        const FLOAT size = ISA_NAME(CYOPS_JOIN(fabs, suffix))(x), half = y * (FLOAT)0.5;         \
        const int is_integer = ISA_NAME(CYOPS_JOIN(floor, suffix))(y) == y;                      \
        const int is_odd = is_integer & (ISA_NAME(CYOPS_JOIN(floor, suffix))(half) != half);     \
        power = ((ISA_NAME(CYOPS_JOIN(copysign, suffix))(1, x) < 0) & is_odd) ? -power : power;  \
        power = ((x < 0) & (size < (FLOAT)INFINITY) & !is_integer) ? (FLOAT)NAN : power;         \
        const int is_infinite = ISA_NAME(CYOPS_JOIN(fabs, suffix))(y) == (FLOAT)INFINITY;        \
        return ((y == 0) | (x == 1) | ((size == 1) & is_infinite)) ? 1 : power;                  \
    }
FINISH_POW(float, f32)
FINISH_POW(double, f64)

CYOPS_INLINE float ISA_NAME(pow_f32)(float x, float y) {
    const double log2 = ISA_NAME(log2_of_float)((double)__builtin_fabsf(x)) * (double)y;
    const double bounded = ISA_NAME(at_least_f64)(ISA_NAME(at_most_f64)(log2, cyops_bounds_f64.float_pow_highest),
                                                  cyops_bounds_f64.float_pow_lowest);
    const double shifted = bounded + (0x1.8p52 + 1023), r = bounded - (shifted - (0x1.8p52 + 1023));
    const double scale = ISA_NAME(from_bits_f64)(ISA_NAME(to_bits_f64)(shifted) << 52);
    return ISA_NAME(finish_pow_f32)((float)(EXP2_POLYNOMIAL(r) * scale), x, y);
}

#if !HAS_FMA
/* Pairs need FMA, without which they cost more than the C library's pow; that gives NaN for signalling ones always. */
CYOPS_INLINE double ISA_NAME(pow_f64)(double x, double y) { return ((y == 0) | (x == 1)) ? 1 : __builtin_pow(x, y); }
#else
/* log2(m) = s (2 / log(2)) + s^3 (2 / (3 log(2)) + s^2 TAIL(s^2)) with s = (m - 1) / (m + 1), to 4.7e-18 of TAIL, whose
 * share is below 2^-12; 2^r = 1 + r EXP2_TAIL(r), to 8.4e-20. Interpolations at the Chebyshev nodes. */
#define LOG2_TAIL(s2)                                                                                                \
    HORNER_7(s2, 0.5770780163555853, 0.4121985831111439, 0.3205988979671547, 0.2623081914681522, 0.2219527885851067, \
             0.19238056603036385, 0.16888529114458137, 0.16912971664122153)
#define EXP2_TAIL(r)                                                                                        \
    HORNER_11(r, 0.6931471805599453, 0.24022650695910072, 0.055504108664821625, 0.00961812910762848,        \
              0.001333355814640647, 0.00015403530393370734, 1.5252733841556773e-05, 1.3215486808705563e-06, \
              1.0178057087733941e-07, 7.0548973041554995e-09, 4.4558179083360645e-10, 2.5729324177362305e-11)

typedef struct {
    double high, low; /* low is at most the rounding error of high */
} ISA_NAME(pair);

/* a + b for |a| >= |b|, and a * b, in both of which the low halves are small: Dekker's algorithms. */
CYOPS_INLINE ISA_NAME(pair) ISA_NAME(add_pair)(double a, double b, double low) {
    const double sum = a + b;
    return (ISA_NAME(pair)){sum, a - sum + b + low};
}
CYOPS_INLINE ISA_NAME(pair) ISA_NAME(multiply_pair)(ISA_NAME(pair) a, ISA_NAME(pair) b) {
    const double product = a.high * b.high;
    return (ISA_NAME(pair)){product, FMA(a.high, b.high, -product) + FMA(a.high, b.low, a.low * b.high)};
}

/* log2 of the mantissa m in [sqrt(1/2), sqrt(2)]. */
CYOPS_INLINE ISA_NAME(pair) ISA_NAME(log2_of_mantissa)(double m) {
    const ISA_NAME(pair) two = {0x1.71547652b82fep+1, 4.0710547481862066e-17};        /* 2 / log(2) */
    const ISA_NAME(pair) third = {0x1.ec709dc3a03fdp-1, 5.0577616648125907e-17};      /* 2 / (3 log(2)) */
    const double f = m - 1, sum = m + 1, sum_low = m - (sum - 1), inverse = 1 / sum, quotient = f * inverse;
    const double rest = FMA(-quotient, sum_low, FMA(-quotient, sum, f));
    const ISA_NAME(pair) s = {quotient, rest * inverse};
    const ISA_NAME(pair) square = ISA_NAME(multiply_pair)(s, s), cube = ISA_NAME(multiply_pair)(square, s);
    const double tail = square.high * LOG2_TAIL(square.high);
    const ISA_NAME(pair) factor = ISA_NAME(add_pair)(third.high, tail, third.low);
    const ISA_NAME(pair) large = ISA_NAME(multiply_pair)(s, two), small = ISA_NAME(multiply_pair)(cube, factor);
    return ISA_NAME(add_pair)(large.high, small.high, large.low + small.low);
}

/* log2 of a number of any size; infinity of infinity. */
CYOPS_INLINE ISA_NAME(pair) ISA_NAME(log2_pair)(double size) {
    const int is_denormal = size < 0x1p-1022;
    const double normal = is_denormal ? size * 0x1p52 : size;
    const uint64_t bits = ISA_NAME(to_bits_f64)(normal) + (0x3ff0000000000000u - 0x3fe6a09e667f3bcdu);
    const double k = ISA_NAME(from_bits_f64)(bits >> 52 | 0x4330000000000000u) -
                     (is_denormal ? 0x1p52 + 1023 + 52 : 0x1p52 + 1023);
    const double m = ISA_NAME(from_bits_f64)((bits & 0xfffffffffffffu) + 0x3fe6a09e667f3bcdu);
    const ISA_NAME(pair) fraction = ISA_NAME(log2_of_mantissa)(m);
    ISA_NAME(pair) result = ISA_NAME(add_pair)(k, fraction.high, fraction.low);
    result.high = size == 0 ? -INFINITY : size < INFINITY ? result.high : size;
    return result;
}

CYOPS_INLINE double ISA_NAME(pow_f64)(double x, double y) {
    const ISA_NAME(pair) log2 = ISA_NAME(log2_pair)(__builtin_fabs(x));
    const double product = y * log2.high, low = FMA(y, log2.low, FMA(y, log2.high, -product));
    const double bounded = ISA_NAME(at_least_f64)(ISA_NAME(at_most_f64)(product, cyops_bounds_f64.pow_highest),
                                                  cyops_bounds_f64.pow_lowest);
    const double left = bounded == product ? low : 0; /* infinities have no low half */
    const double shifted = bounded + (0x1.8p52 + 2 * 1023), whole = shifted - (0x1.8p52 + 2 * 1023);
    const double r = bounded - whole + left, lost = bounded - whole - r + left;
    const double power = 1 + FMA(r, EXP2_TAIL(r), lost * 0.6931471805599453);
    return ISA_NAME(finish_pow_f64)(ISA_NAME(scale_f64)(power, ISA_NAME(to_bits_f64)(shifted)), x, y);
}
#undef LOG2_TAIL
#undef EXP2_TAIL
#endif

#undef FINISH_POW
#undef LOG2_POLYNOMIAL
#undef EXP2_POLYNOMIAL
#undef FMA
