/* sin, cos, tan and their inverses: a template, included by formulas.h after functions.h and pow.h.
 *
 * An angle is n pi/2 + r with r in [-pi/4, pi/4]: n says which of the sine and the cosine of r is the result, and with
 * which sign. The products of n with the parts of pi/2 are exact while n has no more than 20 bits, which bounds the
 * quick functions; elementwise/by_chunks.h gives larger angles to libm. float computes in double, and is off by little
 * more than its one rounding.
 *
 * The polynomials are interpolations at the Chebyshev nodes, with relative errors of the results below 2^-33 (float)
 * and 2^-55 (double):
 *     sin(r) = r + r^3 SIN(r^2),   cos(r) = 1 - r^2 / 2 + r^4 COS(r^2);
 *     atan(t) = t + t^3 ATAN(t^2), t in [0, tan(pi/8)];   asin(x) = x + x^3 ASIN(x^2), x in [0, 1/2].
 * Source of the reductions: Muller, "Elementary Functions", 3rd edition (2016), chapters 6 and 11.
 */
#define FMA FMA_f64

#define SIN_f32(u) \
    HORNER_3(u, -0.16666666663854168, 0.008333331874273714, -0.000198400864995936, 2.7249895230611676e-06)
#define COS_f32(u) \
    HORNER_3(u, 0.041666666664320264, -0.0013888887671652504, 2.480060018036381e-05, -2.7300933687212943e-07)
#define SIN_f64(u)                                                                                           \
    HORNER_5(u, -0.16666666666666666, 0.008333333333330948, -0.00019841269836756774, 2.7557316101617874e-06, \
             -2.505113165023518e-08, 1.5918115263265974e-10)
#define COS_f64(u)                                                                                            \
    HORNER_5(u, 0.041666666666666664, -0.0013888888888887398, 2.480158729876456e-05, -2.7557317271145144e-07, \
             2.087614614655861e-09, -1.1382623647474604e-11)
#define ATAN_f32(u)                                                                                 \
    HORNER_5(u, -0.3333333327922454, 0.1999997724823353, -0.14284150629730288, 0.11071354571201351, \
             -0.08624598215196126, 0.05047937432040091)
#define ATAN_f64(u)                                                                                   \
    HORNER_11(u, -0.3333333333333333, 0.19999999999999804, -0.14285714285659779, 0.11111111105150588, \
              -0.09090908753259112, 0.07692296368042296, -0.0666642476020052, 0.05878927554473807,    \
              -0.05230443640686948, 0.045515447340221615, -0.03456931506332609, 0.016284375050043393)
#define ASIN_f32(u)                                                                                 \
    HORNER_6(u, 0.1666666668609178, 0.07499992402305881, 0.04464766501999954, 0.030269116781969824, \
             0.023612006624658625, 0.010573669029409, 0.030975632157020525)
#define ASIN_f64(u)                                                                                    \
    HORNER_12(u, 0.16666666666666669, 0.07499999999998432, 0.04464285714635722, 0.030381944138386928,  \
              0.022372172948124706, 0.017352392575609256, 0.013971215203097548, 0.011479154971005417,  \
              0.010322964581482783, 0.005456844463293151, 0.017402725959689853, -0.014854837699421992, \
              0.02875990974247162)

/* Parts of pi/2: of 33 bits the first two, so that n of 20 bits times one is exact; what comes after the first; angles
 * in two parts. */
#define HALF_PI_1 0x1.921fb544p+0
#define HALF_PI_2 0x1.0b4611a6p-34
#define HALF_PI_3 0x1.3198a2e037073p-69
#define AFTER_HALF_PI_1 0x1.0b4611a626331p-34
#define QUARTER_PI 0x1.921fb54442d18p-1
#define HALF_PI 0x1.921fb54442d18p+0
#define PI 0x1.921fb54442d18p+1
#define HALF_PI_LOW 0x1.1a62633145c07p-54

typedef struct {
    double high, low; /* of r */
    uint64_t quadrant; /* n in its low bits */
} ISA_NAME(angle);

CYOPS_INLINE ISA_NAME(angle) ISA_NAME(reduce_angle_f64)(double x) {
    const double shifted = FMA(x, 0x1.45f306dc9c883p-1, 0x1.8p52), n = shifted - 0x1.8p52;
    const double rest = x - n * HALF_PI_1, second = n * HALF_PI_2, r = rest - second;
    const double low = rest - r - second - n * HALF_PI_3, high = r + low;
    return (ISA_NAME(angle)){high, r - high + low, ISA_NAME(to_bits_f64)(shifted)};
}

/* A float's angle needs no low part. */
CYOPS_INLINE ISA_NAME(angle) ISA_NAME(reduce_angle_f32)(double x) {
    const double shifted = FMA(x, 0x1.45f306dc9c883p-1, 0x1.8p52), n = shifted - 0x1.8p52;
    return (ISA_NAME(angle)){x - n * HALF_PI_1 - n * AFTER_HALF_PI_1, 0, ISA_NAME(to_bits_f64)(shifted)};
}

#define TRIGONOMETRY(FLOAT, suffix)                                                                                    \
    CYOPS_INLINE double ISA_NAME(CYOPS_JOIN(sine_of_rest, suffix))(ISA_NAME(angle) a) {                                \
        const double square = a.high * a.high;                                                                         \
        return a.high + FMA(a.high * square, CYOPS_JOIN(SIN, suffix)(square), a.low * (1 - 0.5 * square));             \
    }                                                                                                                  \
    CYOPS_INLINE double ISA_NAME(CYOPS_JOIN(cosine_of_rest, suffix))(ISA_NAME(angle) a) {                              \
        const double square = a.high * a.high, half = 0.5 * square, first = 1 - half;                                  \
        return first + (1 - first - half + FMA(square * square, CYOPS_JOIN(COS, suffix)(square), -a.high * a.low));    \
    }                                                                                                                  \
    /* n = 0, 1, 2, 3 gives sin(r), cos(r), -sin(r), -cos(r). */                                                       \
    CYOPS_INLINE double ISA_NAME(CYOPS_JOIN(sine_of, suffix))(ISA_NAME(angle) a) {                                     \
        const double s = ISA_NAME(CYOPS_JOIN(sine_of_rest, suffix))(a);                                                \
        const double c = ISA_NAME(CYOPS_JOIN(cosine_of_rest, suffix))(a);                                              \
        const double chosen = (a.quadrant & 1) != 0 ? c : s;                                                           \
        return (a.quadrant & 2) != 0 ? -chosen : chosen;                                                               \
    }                                                                                                                  \
    CYOPS_INLINE FLOAT ISA_NAME(CYOPS_JOIN(sin_quick, suffix))(FLOAT x) {                                              \
        const double s = ISA_NAME(CYOPS_JOIN(sine_of, suffix))(ISA_NAME(CYOPS_JOIN(reduce_angle, suffix))((double)x)); \
        return x == 0 ? x : (FLOAT)s;                                                                                  \
    }                                                                                                                  \
    CYOPS_INLINE FLOAT ISA_NAME(CYOPS_JOIN(cos_quick, suffix))(FLOAT x) {                                              \
        ISA_NAME(angle) a = ISA_NAME(CYOPS_JOIN(reduce_angle, suffix))((double)x);                                     \
        a.quadrant += 1;                                                                                               \
        return (FLOAT)ISA_NAME(CYOPS_JOIN(sine_of, suffix))(a);                                                        \
    }                                                                                                                  \
    CYOPS_INLINE FLOAT ISA_NAME(CYOPS_JOIN(tan_quick, suffix))(FLOAT x) {                                              \
        const ISA_NAME(angle) a = ISA_NAME(CYOPS_JOIN(reduce_angle, suffix))((double)x);                               \
        const double s = ISA_NAME(CYOPS_JOIN(sine_of_rest, suffix))(a);                                                \
        const double c = ISA_NAME(CYOPS_JOIN(cosine_of_rest, suffix))(a);                                              \
        const int is_odd = (a.quadrant & 1) != 0;                                                                      \
        const double quotient = (is_odd ? -c : s) / (is_odd ? s : c);                                                  \
        return x == 0 ? x : (FLOAT)quotient;                                                                           \
    }                                                                                                                  \
    CYOPS_INLINE int ISA_NAME(CYOPS_JOIN(is_large_angle, suffix))(FLOAT x) {                                           \
        return ISA_NAME(CYOPS_JOIN(fabs, suffix))(x) > CYOPS_JOIN(LARGEST_ANGLE, suffix);                              \
    }
#define LARGEST_ANGLE_f32 1.6e6f
#define LARGEST_ANGLE_f64 25000.0
TRIGONOMETRY(float, f32)
TRIGONOMETRY(double, f64)

/* Any angle: what a chunk with a large one takes, element by element. */
#define ANY_ANGLE(name)                                                                                              \
    CYOPS_INLINE float ISA_NAME(name##_f32)(float x) {                                                               \
        return ISA_NAME(is_large_angle_f32)(x) ? (float)__builtin_##name((double)x) : ISA_NAME(name##_quick_f32)(x); \
    }                                                                                                                \
    CYOPS_INLINE double ISA_NAME(name##_f64)(double x) {                                                             \
        return ISA_NAME(is_large_angle_f64)(x) ? __builtin_##name(x) : ISA_NAME(name##_quick_f64)(x);                \
    }
ANY_ANGLE(sin)
ANY_ANGLE(cos)
ANY_ANGLE(tan)

/* atan(y / x) for y, x >= 0: the angle is that of (y - x) / (y + x), turned by pi/4, between the tangents of pi/8 and
 * 3 pi/8, and that of -x / y, turned by pi/2, above. */
#define INVERSES(FLOAT, suffix)                                                                                      \
    CYOPS_INLINE double ISA_NAME(CYOPS_JOIN(angle_between, suffix))(double y, double x) {                            \
        const int is_middle = y > 0.41421356237309503 * x, is_high = y > 2.414213562373095 * x;                      \
        const double above = is_high ? -x : is_middle ? y - x : y, below = is_high ? y : is_middle ? y + x : x;      \
        const double t = above / below, square = t * t;                                                              \
        const double turned = is_high ? HALF_PI : is_middle ? QUARTER_PI : 0;                                        \
        const double left = is_high ? HALF_PI_LOW : is_middle ? HALF_PI_LOW / 2 : 0;                                 \
        return turned + (t + FMA(t * square, CYOPS_JOIN(ATAN, suffix)(square), left));                               \
    }                                                                                                                \
    CYOPS_INLINE FLOAT ISA_NAME(CYOPS_JOIN(atan, suffix))(FLOAT x) {                                                 \
        const double size = (double)ISA_NAME(CYOPS_JOIN(fabs, suffix))(x);                                           \
        const double angle = ISA_NAME(CYOPS_JOIN(angle_between, suffix))(size, 1);                                   \
        return ISA_NAME(CYOPS_JOIN(copysign, suffix))(x == 0 ? x : (FLOAT)angle, x);                                 \
    }                                                                                                                \
    /* The size of the angle first, then its half plane. Points at infinity lie as if at distance 1; two large or  \
     * small numbers are scaled, so that neither their sum overflows nor their quotient loses digits. */ \
    CYOPS_INLINE FLOAT ISA_NAME(CYOPS_JOIN(atan2, suffix))(FLOAT b, FLOAT a) {                                       \
        double y = __builtin_fabs((double)b), x = __builtin_fabs((double)a);                                         \
        const int are_infinite = (y == INFINITY) & (x == INFINITY), is_origin = (y == 0) & (x == 0);                 \
        const double scale = ((y > 0x1p1000) | (x > 0x1p1000)) ? 0x1p-60 : 1;                                        \
        y = are_infinite ? 1 : y * scale;                                                                            \
        x = (are_infinite | is_origin) ? 1 : x * scale;                                                              \
        const double angle = ISA_NAME(CYOPS_JOIN(angle_between, suffix))(y, x);                                      \
        const double turned = __builtin_copysign(1.0, (double)a) < 0 ? PI - (angle - 2 * HALF_PI_LOW) : angle;       \
        return ISA_NAME(CYOPS_JOIN(copysign, suffix))((FLOAT)turned, b);                                             \
    }                                                                                                                \
    /* asin of x in [0, 1/2], and of sqrt((1 - |x|) / 2), which is half of what acos |x| is above 1/2. */            \
    CYOPS_INLINE double ISA_NAME(CYOPS_JOIN(asin_part, suffix))(double size) {                                       \
        const double half = 0.5 * (1 - size), z = size > 0.5 ? half : size * size;                                   \
        const double root = size > 0.5 ? __builtin_sqrt(half) : size;                                                \
        return FMA(root * z, CYOPS_JOIN(ASIN, suffix)(z), root);                                                     \
    }                                                                                                                \
    CYOPS_INLINE FLOAT ISA_NAME(CYOPS_JOIN(asin, suffix))(FLOAT x) {                                                 \
        const double size = (double)ISA_NAME(CYOPS_JOIN(fabs, suffix))(x);                                           \
        const double part = ISA_NAME(CYOPS_JOIN(asin_part, suffix))(size);                                           \
        const double angle = size > 0.5 ? HALF_PI - (2 * part - HALF_PI_LOW) : part;                                 \
        return ISA_NAME(CYOPS_JOIN(copysign, suffix))((FLOAT)angle, x);                                              \
    }                                                                                                                \
    CYOPS_INLINE FLOAT ISA_NAME(CYOPS_JOIN(acos, suffix))(FLOAT x) {                                                 \
        const double size = (double)ISA_NAME(CYOPS_JOIN(fabs, suffix))(x);                                           \
        const double part = ISA_NAME(CYOPS_JOIN(asin_part, suffix))(size);                                           \
        const double near = HALF_PI - ((x < 0 ? -part : part) - HALF_PI_LOW);                                        \
        const double far = x < 0 ? PI - (2 * part - 2 * HALF_PI_LOW) : 2 * part;                                     \
        return (FLOAT)(size > 0.5 ? far : near);                                                                     \
    }
INVERSES(float, f32)
INVERSES(double, f64)

#undef SIN_f32
#undef COS_f32
#undef SIN_f64
#undef COS_f64
#undef ATAN_f32
#undef ATAN_f64
#undef ASIN_f32
#undef ASIN_f64
#undef HALF_PI_1
#undef HALF_PI_2
#undef HALF_PI_3
#undef AFTER_HALF_PI_1
#undef QUARTER_PI
#undef HALF_PI
#undef PI
#undef HALF_PI_LOW
#undef TRIGONOMETRY
#undef ANY_ANGLE
#undef INVERSES
#undef LARGEST_ANGLE_f32
#undef LARGEST_ANGLE_f64
#undef FMA
