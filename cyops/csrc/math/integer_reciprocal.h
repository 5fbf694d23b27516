/* floor_divide and remainder by a scalar: a template, included by elementwise/dtype.h for each integer dtype.
 *
 * The quotient by a number d is the high half of a product with a reciprocal that is computed once a row, exact for
 * every dividend (Granlund and Montgomery, "Division by invariant integers using multiplication", 1994). A signed
 * dividend is folded to what is not negative: floor(n / d) is ~(~n / d) for n < 0, and by -d it is -n / d, or
 * ~((n - 1) / d) for n > 0. An unsigned one may need a multiplier of one bit more, which the sum below stands for.
 * How much faster: docs/kernels.md, Vectors.
 */
#define N_BITS (8 * (int)sizeof(T))

#ifdef WIDE
#define FRACTION uint64_t
CYOPS_INLINE UNSIGNED OF_DTYPE(high_half)(UNSIGNED a, UNSIGNED b) { return (UNSIGNED)((WIDE)a * b >> N_BITS); }
#else
#define FRACTION unsigned __int128
CYOPS_INLINE UNSIGNED OF_DTYPE(high_half)(UNSIGNED a, UNSIGNED b) {
#if HAS_WIDE_PRODUCTS /* four products in vectors; without the instruction for them, one scalar product is faster */
    const uint64_t low = 0xffffffffu;
    const uint64_t middle = (a >> 32) * (b & low) + ((a & low) * (b & low) >> 32);
    const uint64_t other = (a & low) * (b >> 32) + (middle & low);
    return (a >> 32) * (b >> 32) + (middle >> 32) + (other >> 32);
#else
    return (UNSIGNED)((FRACTION)a * b >> 64);
#endif
}
#endif

typedef struct {
    UNSIGNED factor;
    int first, last; /* shifts */
    T flip;          /* -1 for a negative divisor */
} OF_DTYPE(reciprocal_of);

/* Of any divisor but 0, and but 1 and -1 where it has a sign. */
static OF_DTYPE(reciprocal_of) OF_DTYPE(find_reciprocal)(T divisor) {
    const T flip = (T)(IS_BELOW_ZERO(divisor) ? -1 : 0);
    const UNSIGNED size = (UNSIGNED)(((UNSIGNED)divisor ^ (UNSIGNED)flip) - (UNSIGNED)flip);
    int length = 0; /* the smallest with 2^length >= size */
    while (length < N_BITS && (UNSIGNED)((size - 1) >> length) != 0) length++;
    if ((T)-1 < (T)1) {
        const FRACTION power = (FRACTION)1 << (N_BITS - 1 + length);
        return (OF_DTYPE(reciprocal_of)){(UNSIGNED)((power + size - 1) / size), 0, length - 1, flip};
    }
    const UNSIGNED excess = (UNSIGNED)((length < N_BITS ? (UNSIGNED)1 << length : 0) - size);
    const UNSIGNED factor = (UNSIGNED)(((FRACTION)excess << N_BITS) / size + 1);
    return (OF_DTYPE(reciprocal_of)){factor, length > 0, length > 0 ? length - 1 : 0, 0};
}

CYOPS_INLINE T OF_DTYPE(quotient_by)(T n, OF_DTYPE(reciprocal_of) by) {
    if ((T)-1 < (T)1) {
        const T flipped = (T)(n ^ by.flip);
        const UNSIGNED fold = (UNSIGNED)(0 - (UNSIGNED)(flipped < by.flip));
        const UNSIGNED folded = (UNSIGNED)(fold ^ (UNSIGNED)((UNSIGNED)flipped - (UNSIGNED)by.flip));
        return (T)(fold ^ (UNSIGNED)(OF_DTYPE(high_half)(folded, by.factor) >> by.last));
    }
    const UNSIGNED high = OF_DTYPE(high_half)((UNSIGNED)n, by.factor);
    return (T)((UNSIGNED)(high + (UNSIGNED)((UNSIGNED)((UNSIGNED)n - high) >> by.first)) >> by.last);
}

/* Below this many elements a row, finding the reciprocal takes as long as it saves. */
#define SHORTEST_ROW 64

#define LOOP_BY_SCALAR(name, plain, element)                                                                  \
    LOOP_HEAD(OF_DTYPE(name)) {                                                                               \
        const int is_signed = (T)-1 < (T)1;                                                                   \
        for (ptrdiff_t row = 0; row < n_outer; row++) {                                                       \
            char *const at[] = {(char *)ROW(T, 0), (char *)ROW(T, 1), (char *)ROW(T, 2)};                     \
            const T *a = (const T *)at[1], b = *(const T *)at[2];                                             \
            T *out = (T *)at[0];                                                                              \
            if (inner[2] != 0 || n_inner < SHORTEST_ROW || b == 0 || (is_signed && (b == 1 || b == (T)-1))) { \
                OF_DTYPE(plain)(at, inner, outer, n_inner, 1);                                                \
                continue;                                                                                     \
            }                                                                                                 \
            const OF_DTYPE(reciprocal_of) by = OF_DTYPE(find_reciprocal)(b);                                  \
            EACH_ELEMENT out[i] = element;                                                                    \
        }                                                                                                     \
    }
LOOP_BY_SCALAR(floor_divide_by_scalar, floor_divide, OF_DTYPE(quotient_by)(a[i], by))
LOOP_BY_SCALAR(remainder_by_scalar, remainder, (T)(WRAP(a[i]) - WRAP(OF_DTYPE(quotient_by)(a[i], by)) * WRAP(b)))

#undef N_BITS
#undef FRACTION
#undef SHORTEST_ROW
#undef LOOP_BY_SCALAR
