/* pow: a template, included by math_formulas.h after its functions of one argument. */
#define FMA FMA_f64

/* The polynomials of pow: log2(1 + f) / f and 2^r, to relative errors of 2.6e-12 and 4.0e-11. */
#define LOG2_POLYNOMIAL(f)                                                                          \
    HORNER_13(f, 1.4426950408865677, -0.7213475203272347, 0.4808983488072804, -0.3606737932124348,  \
              0.28853879530998705, -0.24044642847651349, 0.2061071348475978, -0.18043689433504367,  \
              0.16021659497089152, -0.14249684815755706, 0.13027449226092844, -0.13463744601584032, \
              0.1325232196951287, -0.06973920559522669)
#define EXP2_POLYNOMIAL(r)                                                                       \
    HORNER_7(r, 0.9999999999616208, 0.6931471807287153, 0.2402265119875711, 0.05550410352833471, \
             0.00961802717254434, 0.0013333922855274696, 0.000154693173625892, 1.5201901100173488e-05)

/* log2 of a float of any size; infinity and NaN of themselves. */
CYOPS_INLINE double ISA_NAME(log2_of_float)(double size) {
    const uint64_t bits = ISA_NAME(to_bits_f64)(size) + (0x3ff0000000000000u - 0x3fe6a09e667f3bcdu);
    const double k = ISA_NAME(from_bits_f64)(bits >> 52 | 0x4330000000000000u) - (0x1p52 + 1023);
    const double f = ISA_NAME(from_bits_f64)((bits & 0xfffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1;
    const double result = size == 0 ? -INFINITY : FMA(f, LOG2_POLYNOMIAL(f), k);
    return size < INFINITY ? result : size;
}

/* |x|^y = 2^(y log2|x|) in double, of which the one rounding to float leaves an error of 0.505 ULP; then the sign and
 * the cases of C's pow that the logarithm does not give by itself. */
CYOPS_INLINE float ISA_NAME(pow_f32)(float x, float y) {
    const float size = __builtin_fabsf(x);
    const double log2 = ISA_NAME(log2_of_float)((double)size) * (double)y;
    const double bounded = ISA_NAME(at_least_f64)(ISA_NAME(at_most_f64)(log2, cyops_bounds_f64.pow_highest),
                                                  cyops_bounds_f64.pow_lowest);
    const double shifted = bounded + (0x1.8p52 + 1023), r = bounded - (shifted - (0x1.8p52 + 1023));
    const double scale = ISA_NAME(from_bits_f64)(ISA_NAME(to_bits_f64)(shifted) << 52);
    float power = (float)(EXP2_POLYNOMIAL(r) * scale);
    const float half = y * 0.5f;
    const int is_integer = ISA_NAME(nearest_f32)(y) == y;
    const int is_odd = is_integer & (ISA_NAME(nearest_f32)(half) != half);
    /* & and | instead of && and ||: no branch. */
    power = (__builtin_signbitf(x) != 0) & is_odd ? -power : power;
    power = (x < 0) & (size < INFINITY) & !is_integer ? NAN : power;
    const int is_one = (y == 0) | (x == 1) | ((size == 1) & (__builtin_fabsf(y) == INFINITY));
    return is_one ? 1.0f : power;
}

CYOPS_INLINE double ISA_NAME(pow_f64)(double x, double y) { return __builtin_pow(x, y); }

#undef FMA
