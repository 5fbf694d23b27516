/* The words of simd/vector.h for AVX-512 F, BW, DQ and VL: 32 registers of 64 bytes, 28 of them accumulators of the
 * matrix product. A template of one dtype.
 */
#define VECTOR_BYTES 64
#define MR 14
#define ROWS_FROM_MEMORY 7
#define HAS_FMA 1
#define HAS_HALVES 1
#define HAS_STREAMS 1
#define HAS_WIDE_PRODUCTS 1
#define STREAM_BYTES VECTOR_BYTES
#define CYOPS_POW_BY_TABLES "simd/avx512_pow.h"

#if T_IS_F32
#define OF(name) _mm512_##name##_ps
#define OF_MASK(name) _mm512_##name##_ps_mask
typedef __m512 VEC;
typedef __mmask16 MASK;
#else
#define OF(name) _mm512_##name##_pd
#define OF_MASK(name) _mm512_##name##_pd_mask
typedef __m512d VEC;
typedef __mmask8 MASK;
#endif
typedef MASK TRUTHS;

CYOPS_INLINE VEC V(zero)(void) { return OF(setzero)(); }
CYOPS_INLINE VEC V(set1)(T x) { return OF(set1)(x); }
CYOPS_INLINE VEC V(load)(const T *p) { return OF(loadu)(p); }
CYOPS_INLINE void V(store)(T *p, VEC v) { OF(storeu)(p, v); }
CYOPS_INLINE void V(stream)(T *p, VEC v) { OF(stream)(p, v); }
#if T_IS_PAIR
CYOPS_INLINE VEC V(fma)(VEC a, VEC b, VEC c) { return _mm512_dpbf16_ps(c, (__m512bh)a, (__m512bh)b); }
#else
CYOPS_INLINE VEC V(fma)(VEC a, VEC b, VEC c) { return OF(fmadd)(a, b, c); }
#endif
CYOPS_INLINE VEC V(larger)(VEC a, VEC b) { return OF(max)(a, b); }
CYOPS_INLINE MASK V(mask_of)(ptrdiff_t n) { return (MASK)((1u << n) - 1); }
CYOPS_INLINE VEC V(load_masked)(const T *p, MASK mask) { return OF(maskz_loadu)(mask, p); }
CYOPS_INLINE VEC V(load_or)(const T *p, MASK mask, VEC filler) { return OF(mask_loadu)(filler, mask, p); }
CYOPS_INLINE void V(store_masked)(T *p, MASK mask, VEC v) { OF(mask_storeu)(p, mask, v); }
CYOPS_INLINE VEC V(keep)(MASK mask, VEC v) { return OF(maskz_mov)(mask, v); }
CYOPS_INLINE T V(sum)(VEC v) { return OF(reduce_add)(v); }
CYOPS_INLINE T V(top)(VEC v) { return OF(reduce_max)(v); }
CYOPS_INLINE TRUTHS V(equals)(VEC a, VEC b) { return OF_MASK(cmp)(a, b, _CMP_EQ_OQ); }
CYOPS_INLINE TRUTHS V(exceeds)(VEC a, VEC b) {
    return OF_MASK(mask_cmp)(OF_MASK(cmp)(b, b, _CMP_ORD_Q), a, b, _CMP_NLE_UQ);
}
CYOPS_INLINE VEC V(choose)(TRUTHS choice, VEC a, VEC b) { return OF(mask_blend)(choice, b, a); }

/* fma_from_memory: the multiply-add that broadcasts its operand itself. A row of two vectors then takes 2
 * micro-operations instead of 3, but loads twice, so half of the rows are done so: docs/kernels.md, Matrix products. A
 * compiler never does it by itself for an element used twice.
 *
 * load_pieces: a piece of 16 bytes of every PIECE-th row from column k on, one in each lane of 16 bytes. A transpose
 * inside each lane then puts all rows in order: of float32 12 inserts and 8 unpacks for 64 elements, where the
 * textbook's transpose of 16 by 16 takes 16 shuffles for as many, all on one port. */
#if T_IS_F32
CYOPS_INLINE VEC V(fma_from_memory)(const T *p, VEC b, VEC c) {
#if T_IS_PAIR
    __asm__("vdpbf16ps %2%{1to16%}, %1, %0" : "+v"(c) : "v"(b), "m"(*p));
#else
    __asm__("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(c) : "v"(b), "m"(*p));
#endif
    return c;
}

CYOPS_INLINE VEC V(load_pieces)(const T *const *rows, ptrdiff_t k) {
    VEC v = _mm512_castps128_ps512(_mm_loadu_ps(rows[0] + k));
    v = _mm512_insertf32x4(v, _mm_loadu_ps(rows[4] + k), 1);
    v = _mm512_insertf32x4(v, _mm_loadu_ps(rows[8] + k), 2);
    return _mm512_insertf32x4(v, _mm_loadu_ps(rows[12] + k), 3);
}

CYOPS_INLINE void V(transpose_pieces)(const T *const *rows, ptrdiff_t k, VEC *out) {
    VEC v0 = V(load_pieces)(rows, k), v1 = V(load_pieces)(rows + 1, k);
    VEC v2 = V(load_pieces)(rows + 2, k), v3 = V(load_pieces)(rows + 3, k);
    __m512d low01 = _mm512_castps_pd(_mm512_unpacklo_ps(v0, v1)), high01 = _mm512_castps_pd(_mm512_unpackhi_ps(v0, v1));
    __m512d low23 = _mm512_castps_pd(_mm512_unpacklo_ps(v2, v3)), high23 = _mm512_castps_pd(_mm512_unpackhi_ps(v2, v3));
    out[0] = _mm512_castpd_ps(_mm512_unpacklo_pd(low01, low23));
    out[1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low01, low23));
    out[2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high01, high23));
    out[3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high01, high23));
}

CYOPS_INLINE VEC V(load_reversed)(const T *p, ptrdiff_t n) {
    const __m512i order = _mm512_setr_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    return _mm512_permutexvar_ps(order, _mm512_maskz_loadu_ps((MASK)~V(mask_of)(LANES - n), p - (LANES - 1)));
}

CYOPS_INLINE VEC V(load_every_second)(const T *p, ptrdiff_t n) {
    const __m512i order = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const uint32_t wanted = 0x55555555u & (uint32_t)((1ull << 2 * n) - 1);
    VEC high = _mm512_maskz_loadu_ps((MASK)(wanted >> LANES), p + LANES);
    return _mm512_permutex2var_ps(_mm512_maskz_loadu_ps((MASK)wanted, p), order, high);
}

CYOPS_INLINE VEC V(load_halves)(const uint16_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }
CYOPS_INLINE void V(store_halves)(uint16_t *p, VEC v) {
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

CYOPS_INLINE VEC V(load_bytes)(const uint8_t *p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p)));
}
CYOPS_INLINE void V(store_bytes)(uint8_t *p, VEC v) {
    _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(_mm512_cvttps_epi32(v)));
}
#else
CYOPS_INLINE VEC V(fma_from_memory)(const T *p, VEC b, VEC c) {
    __asm__("vfmadd231pd %2%{1to8%}, %1, %0" : "+v"(c) : "v"(b), "m"(*p));
    return c;
}

CYOPS_INLINE VEC V(load_pieces)(const T *const *rows, ptrdiff_t k) {
    VEC v = _mm512_castpd128_pd512(_mm_loadu_pd(rows[0] + k));
    v = _mm512_insertf64x2(v, _mm_loadu_pd(rows[2] + k), 1);
    v = _mm512_insertf64x2(v, _mm_loadu_pd(rows[4] + k), 2);
    return _mm512_insertf64x2(v, _mm_loadu_pd(rows[6] + k), 3);
}

CYOPS_INLINE void V(transpose_pieces)(const T *const *rows, ptrdiff_t k, VEC *out) {
    VEC v0 = V(load_pieces)(rows, k), v1 = V(load_pieces)(rows + 1, k);
    out[0] = _mm512_unpacklo_pd(v0, v1);
    out[1] = _mm512_unpackhi_pd(v0, v1);
}

CYOPS_INLINE VEC V(load_reversed)(const T *p, ptrdiff_t n) {
    const __m512i order = _mm512_setr_epi64(7, 6, 5, 4, 3, 2, 1, 0);
    return _mm512_permutexvar_pd(order, _mm512_maskz_loadu_pd((MASK)~V(mask_of)(LANES - n), p - (LANES - 1)));
}

CYOPS_INLINE VEC V(load_every_second)(const T *p, ptrdiff_t n) {
    const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
    const uint32_t wanted = 0x5555u & (uint32_t)((1u << 2 * n) - 1);
    VEC high = _mm512_maskz_loadu_pd((MASK)(wanted >> LANES), p + LANES);
    return _mm512_permutex2var_pd(_mm512_maskz_loadu_pd((MASK)wanted, p), order, high);
}

CYOPS_INLINE VEC V(load_bytes)(const uint8_t *p) {
    return _mm512_cvtepi32_pd(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}
CYOPS_INLINE void V(store_bytes)(uint8_t *p, VEC v) {
    _mm_storel_epi64((__m128i *)p, _mm256_cvtepi32_epi8(_mm512_cvttpd_epi32(v)));
}
#endif

#undef OF
#undef OF_MASK
