/* The vector of one instruction set and dtype, as few macros: what rows/dtype.h is written with. A template: no include
 * guard. Sums, differences and products are the compiler's own operators on vectors.
 *
 *   VEC LANES SET1 LOAD STORE LARGER
 *   LOAD_SOME(p, n, filler) STORE_SOME(p, n, v)   the first n lanes, n below LANES; the others are read as the filler's
 *   KEEP(v, n)                                    the first n lanes, 0 in the others
 *   SUM(v) TOP(v)                                 over the lanes, in a tree of halves
 *
 * LARGER may pass over a NaN.
 */
#if defined(CYOPS_ISA_AVX512)

#if T_IS_F32
#define VEC __m512
#define OF(name) _mm512_##name##_ps
#define SOME(n) ((__mmask16)((1u << (n)) - 1))
#else
#define VEC __m512d
#define OF(name) _mm512_##name##_pd
#define SOME(n) ((__mmask8)((1u << (n)) - 1))
#endif
#define LANES (64 / (int)sizeof(T))
#define LOAD_SOME(p, n, filler) OF(mask_loadu)(filler, SOME(n), p)
#define STORE_SOME(p, n, v) OF(mask_storeu)(p, SOME(n), v)
#define KEEP(v, n) OF(maskz_mov)(SOME(n), v)

#elif defined(CYOPS_ISA_AVX2)

#if T_IS_F32
#define VEC __m256
#define OF(name) _mm256_##name##_ps
#define SOME(n) _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
#define AS_VEC _mm256_castsi256_ps
#else
#define VEC __m256d
#define OF(name) _mm256_##name##_pd
#define SOME(n) _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3))
#define AS_VEC _mm256_castsi256_pd
#endif
#define LANES (32 / (int)sizeof(T))
#define LOAD_SOME(p, n, filler) OF(blendv)(filler, OF(maskload)(p, SOME(n)), AS_VEC(SOME(n)))
#define STORE_SOME(p, n, v) OF(maskstore)(p, SOME(n), v)
#define KEEP(v, n) OF(and)(AS_VEC(SOME(n)), v)

#else

#define LANES (16 / (int)sizeof(T))
#define VEC ROW_NAME(vector)

typedef T VEC __attribute__((vector_size(16)));

CYOPS_INLINE VEC ROW_NAME(set1)(T x) {
    VEC v;
    for (int l = 0; l < LANES; l++) v[l] = x;
    return v;
}

CYOPS_INLINE VEC ROW_NAME(load_some)(const T *p, ptrdiff_t n, VEC v) {
    for (ptrdiff_t l = 0; l < n; l++) v[l] = p[l];
    return v;
}

CYOPS_INLINE void ROW_NAME(store_some)(T *p, ptrdiff_t n, VEC v) {
    for (ptrdiff_t l = 0; l < n; l++) p[l] = v[l];
}

CYOPS_INLINE VEC ROW_NAME(keep)(VEC v, ptrdiff_t n) {
    for (ptrdiff_t l = n; l < LANES; l++) v[l] = 0;
    return v;
}

CYOPS_INLINE VEC ROW_NAME(larger)(VEC a, VEC b) {
    for (int l = 0; l < LANES; l++) a[l] = a[l] > b[l] ? a[l] : b[l];
    return a;
}

CYOPS_INLINE VEC ROW_NAME(load)(const T *p) {
    VEC v;
    memcpy(&v, p, sizeof v);
    return v;
}

CYOPS_INLINE void ROW_NAME(store)(T *p, VEC v) { memcpy(p, &v, sizeof v); }

#define SET1(x) ROW_NAME(set1)(x)
#define LOAD(p) ROW_NAME(load)(p)
#define STORE(p, v) ROW_NAME(store)(p, v)
#define LARGER(a, b) ROW_NAME(larger)(a, b)
#define LOAD_SOME(p, n, filler) ROW_NAME(load_some)(p, n, filler)
#define STORE_SOME(p, n, v) ROW_NAME(store_some)(p, n, v)
#define KEEP(v, n) ROW_NAME(keep)(v, n)

#endif

#ifdef OF
#define SET1(x) OF(set1)(x)
#define LOAD(p) OF(loadu)(p)
#define STORE(p, v) OF(storeu)(p, v)
#define LARGER(a, b) OF(max)(a, b)
#endif

/* The formulas are scalar; over an array of the vector's lanes the compiler makes one vector of them, and the array
 * never reaches memory. Unrolled before that, they would stay scalar. */
#define OF_LANES(name, formula)                                       \
    CYOPS_INLINE VEC ROW_NAME(name)(VEC x) {                          \
        T lanes[LANES];                                               \
        STORE(lanes, x);                                              \
        CYOPS_PRAGMA(GCC unroll 1)                                    \
        for (int l = 0; l < LANES; l++) lanes[l] = formula(lanes[l]); \
        return LOAD(lanes);                                           \
    }
OF_LANES(exp, EXP)
OF_LANES(log, LOG)

#define HALVES(lanes, combine, half) \
    for (int l = 0; 2 * half <= LANES && l < half; l++) lanes[l] = combine(lanes[l], lanes[(l + half) % LANES]);
#define PLUS(a, b) ((a) + (b))
#define MOST(a, b) ((b) > (a) ? (b) : (a))

#if defined(CYOPS_ISA_AVX512)
#define SUM(v) OF(reduce_add)(v)
#define TOP(v) OF(reduce_max)(v)
#else
CYOPS_INLINE T ROW_NAME(sum)(VEC v) {
    T lanes[LANES];
    STORE(lanes, v);
    HALVES(lanes, PLUS, 4) HALVES(lanes, PLUS, 2) HALVES(lanes, PLUS, 1)
    return lanes[0];
}

CYOPS_INLINE T ROW_NAME(top)(VEC v) {
    T lanes[LANES];
    STORE(lanes, v);
    HALVES(lanes, MOST, 4) HALVES(lanes, MOST, 2) HALVES(lanes, MOST, 1)
    return lanes[0];
}
#define SUM(v) ROW_NAME(sum)(v)
#define TOP(v) ROW_NAME(top)(v)
#endif

#undef OF_LANES
#undef HALVES
#undef PLUS
#undef MOST
