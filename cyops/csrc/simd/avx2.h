/* The words of simd/vector.h for AVX2, FMA and F16C: 16 registers of 32 bytes, 12 of them accumulators of the matrix
 * product. A template of one dtype.
 */
#define VECTOR_BYTES 32
#define MR 6
#define ROWS_FROM_MEMORY 0
#define HAS_FMA 1
#define HAS_HALVES 1
#define HAS_STREAMS 1
#define HAS_WIDE_PRODUCTS 0
#define STREAM_BYTES VECTOR_BYTES

#if T_IS_F32
#define OF(name) _mm256_##name##_ps
#define AS_NUMBERS _mm256_castsi256_ps
typedef __m256 VEC;
#else
#define OF(name) _mm256_##name##_pd
#define AS_NUMBERS _mm256_castsi256_pd
typedef __m256d VEC;
#endif
typedef __m256i MASK;
typedef VEC TRUTHS; /* all bits of a lane */

CYOPS_INLINE VEC V(zero)(void) { return OF(setzero)(); }
CYOPS_INLINE VEC V(set1)(T x) { return OF(set1)(x); }
CYOPS_INLINE VEC V(load)(const T *p) { return OF(loadu)(p); }
CYOPS_INLINE void V(store)(T *p, VEC v) { OF(storeu)(p, v); }
CYOPS_INLINE void V(stream)(T *p, VEC v) { OF(stream)(p, v); }
CYOPS_INLINE VEC V(fma)(VEC a, VEC b, VEC c) { return OF(fmadd)(a, b, c); }
CYOPS_INLINE VEC V(fma_from_memory)(const T *p, VEC b, VEC c) { return OF(fmadd)(OF(set1)(*p), b, c); }
CYOPS_INLINE VEC V(larger)(VEC a, VEC b) { return OF(max)(a, b); }
CYOPS_INLINE VEC V(load_masked)(const T *p, MASK mask) { return OF(maskload)(p, mask); }
CYOPS_INLINE void V(store_masked)(T *p, MASK mask, VEC v) { OF(maskstore)(p, mask, v); }
CYOPS_INLINE VEC V(keep)(MASK mask, VEC v) { return OF (and)(AS_NUMBERS(mask), v); }
CYOPS_INLINE VEC V(load_or)(const T *p, MASK mask, VEC filler) {
    return OF(blendv)(filler, OF(maskload)(p, mask), AS_NUMBERS(mask));
}

CYOPS_INLINE TRUTHS V(equals)(VEC a, VEC b) { return OF(cmp)(a, b, _CMP_EQ_OQ); }
CYOPS_INLINE TRUTHS V(exceeds)(VEC a, VEC b) { return OF (and)(OF(cmp)(a, b, _CMP_NLE_UQ), OF(cmp)(b, b, _CMP_ORD_Q)); }
CYOPS_INLINE VEC V(choose)(TRUTHS choice, VEC a, VEC b) { return OF(blendv)(b, a, choice); }

/* load_pieces: a piece of 16 bytes of every PIECE-th row from column k on, one in each lane of 16 bytes, so that what
 * is left to transpose is within each lane. */
#if T_IS_F32
CYOPS_INLINE MASK V(mask_of)(ptrdiff_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

CYOPS_INLINE VEC V(load_pieces)(const T *const *rows, ptrdiff_t k) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(rows[0] + k)), _mm_loadu_ps(rows[4] + k), 1);
}

CYOPS_INLINE void V(transpose_pieces)(const T *const *rows, ptrdiff_t k, VEC *out) {
    VEC v0 = V(load_pieces)(rows, k), v1 = V(load_pieces)(rows + 1, k);
    VEC v2 = V(load_pieces)(rows + 2, k), v3 = V(load_pieces)(rows + 3, k);
    __m256d low01 = _mm256_castps_pd(_mm256_unpacklo_ps(v0, v1)), high01 = _mm256_castps_pd(_mm256_unpackhi_ps(v0, v1));
    __m256d low23 = _mm256_castps_pd(_mm256_unpacklo_ps(v2, v3)), high23 = _mm256_castps_pd(_mm256_unpackhi_ps(v2, v3));
    out[0] = _mm256_castpd_ps(_mm256_unpacklo_pd(low01, low23));
    out[1] = _mm256_castpd_ps(_mm256_unpackhi_pd(low01, low23));
    out[2] = _mm256_castpd_ps(_mm256_unpacklo_pd(high01, high23));
    out[3] = _mm256_castpd_ps(_mm256_unpackhi_pd(high01, high23));
}

CYOPS_INLINE VEC V(load_reversed)(const T *p, ptrdiff_t n) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), seven = _mm256_set1_epi32(7);
    __m256i last = _mm256_cmpgt_epi32(lane, _mm256_set1_epi32((int)(7 - n)));
    return _mm256_permutevar8x32_ps(_mm256_maskload_ps(p - 7, last), _mm256_sub_epi32(seven, lane));
}

CYOPS_INLINE VEC V(load_every_second)(const T *p, ptrdiff_t n) {
    VEC low = V(load_masked)(p, V(mask_of)(2 * n - 1)), high = V(load_masked)(p + 8, V(mask_of)(2 * n - 9));
    __m256d pairs = _mm256_castps_pd(_mm256_shuffle_ps(low, high, _MM_SHUFFLE(2, 0, 2, 0)));
    return _mm256_castpd_ps(_mm256_permute4x64_pd(pairs, _MM_SHUFFLE(3, 1, 2, 0)));
}

CYOPS_INLINE VEC V(load_halves)(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
CYOPS_INLINE void V(store_halves)(uint16_t *p, VEC v) {
    _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

CYOPS_INLINE VEC V(load_bytes)(const uint8_t *p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}
CYOPS_INLINE void V(store_bytes)(uint8_t *p, VEC v) {
    const __m256i whole = _mm256_cvttps_epi32(v);
    const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
    _mm_storel_epi64((__m128i *)p, _mm_packus_epi16(words, words));
}
#else
CYOPS_INLINE MASK V(mask_of)(ptrdiff_t n) {
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}

CYOPS_INLINE VEC V(load_pieces)(const T *const *rows, ptrdiff_t k) {
    return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(rows[0] + k)), _mm_loadu_pd(rows[2] + k), 1);
}

CYOPS_INLINE void V(transpose_pieces)(const T *const *rows, ptrdiff_t k, VEC *out) {
    VEC v0 = V(load_pieces)(rows, k), v1 = V(load_pieces)(rows + 1, k);
    out[0] = _mm256_unpacklo_pd(v0, v1);
    out[1] = _mm256_unpackhi_pd(v0, v1);
}

CYOPS_INLINE VEC V(load_reversed)(const T *p, ptrdiff_t n) {
    __m256i last = _mm256_cmpgt_epi64(_mm256_setr_epi64x(0, 1, 2, 3), _mm256_set1_epi64x(3 - n));
    return _mm256_permute4x64_pd(_mm256_maskload_pd(p - 3, last), _MM_SHUFFLE(0, 1, 2, 3));
}

CYOPS_INLINE VEC V(load_every_second)(const T *p, ptrdiff_t n) {
    VEC low = V(load_masked)(p, V(mask_of)(2 * n - 1)), high = V(load_masked)(p + 4, V(mask_of)(2 * n - 5));
    return _mm256_permute4x64_pd(_mm256_shuffle_pd(low, high, 0), _MM_SHUFFLE(3, 1, 2, 0));
}

CYOPS_INLINE VEC V(load_bytes)(const uint8_t *p) {
    int32_t bytes;
    memcpy(&bytes, p, sizeof bytes);
    return _mm256_cvtepi32_pd(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(bytes)));
}
CYOPS_INLINE void V(store_bytes)(uint8_t *p, VEC v) {
    const __m128i whole = _mm256_cvttpd_epi32(v), words = _mm_packus_epi32(whole, whole);
    const int32_t bytes = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
    memcpy(p, &bytes, sizeof bytes);
}
#endif

#include "simd/tree.h"

#undef OF
#undef AS_NUMBERS
