/* gemm_vector.h for AVX2 and FMA: 16 registers of 32 bytes, 12 of them accumulators. */
#define MR 6

#if T_IS_F32
#define VEC __m256
#define MASK __m256i
#define LANES 8
#define PIECE 4
#define ZERO() _mm256_setzero_ps()
#define SET1(x) _mm256_set1_ps(x)
#define LOAD(p) _mm256_loadu_ps(p)
#define STORE(p, v) _mm256_storeu_ps(p, v)
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define ADD(a, b) _mm256_add_ps(a, b)
#define RELU(x) _mm256_max_ps(_mm256_setzero_ps(), x)
#define MASK_OF(n) _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
#define LOAD_MASKED(p, mask) _mm256_maskload_ps(p, mask)
#define STORE_MASKED(p, mask, v) _mm256_maskstore_ps(p, mask, v)
#define KEEP(mask, v) _mm256_and_ps(_mm256_castsi256_ps(mask), v)

/* Two rows' pieces side by side: lane L of the result is columns k to k + 3 of row 4 L + r. */
CYOPS_INLINE __m256 GEMM_NAME(gather_pieces)(const float *const *rows, int r, ptrdiff_t k) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(rows[r] + k)), _mm_loadu_ps(rows[r + 4] + k), 1);
}

CYOPS_INLINE void GEMM_NAME(transpose_pieces)(const float *const *rows, ptrdiff_t k, __m256 *out) {
    __m256 v0 = GEMM_NAME(gather_pieces)(rows, 0, k), v1 = GEMM_NAME(gather_pieces)(rows, 1, k);
    __m256 v2 = GEMM_NAME(gather_pieces)(rows, 2, k), v3 = GEMM_NAME(gather_pieces)(rows, 3, k);
    __m256d low01 = _mm256_castps_pd(_mm256_unpacklo_ps(v0, v1)), high01 = _mm256_castps_pd(_mm256_unpackhi_ps(v0, v1));
    __m256d low23 = _mm256_castps_pd(_mm256_unpacklo_ps(v2, v3)), high23 = _mm256_castps_pd(_mm256_unpackhi_ps(v2, v3));
    out[0] = _mm256_castpd_ps(_mm256_unpacklo_pd(low01, low23));
    out[1] = _mm256_castpd_ps(_mm256_unpackhi_pd(low01, low23));
    out[2] = _mm256_castpd_ps(_mm256_unpacklo_pd(high01, high23));
    out[3] = _mm256_castpd_ps(_mm256_unpackhi_pd(high01, high23));
}

CYOPS_INLINE __m256 GEMM_NAME(load_reversed)(const float *p, ptrdiff_t n) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), seven = _mm256_set1_epi32(7);
    __m256i last = _mm256_cmpgt_epi32(lane, _mm256_set1_epi32((int)(7 - n)));
    return _mm256_permutevar8x32_ps(_mm256_maskload_ps(p - 7, last), _mm256_sub_epi32(seven, lane));
}

CYOPS_INLINE __m256 GEMM_NAME(load_every_second)(const float *p, ptrdiff_t n) {
    __m256 low = LOAD_MASKED(p, MASK_OF(2 * n - 1)), high = LOAD_MASKED(p + 8, MASK_OF(2 * n - 9));
    __m256d pairs = _mm256_castps_pd(_mm256_shuffle_ps(low, high, _MM_SHUFFLE(2, 0, 2, 0)));
    return _mm256_castpd_ps(_mm256_permute4x64_pd(pairs, _MM_SHUFFLE(3, 1, 2, 0)));
}

#else
#define VEC __m256d
#define MASK __m256i
#define LANES 4
#define PIECE 2
#define ZERO() _mm256_setzero_pd()
#define SET1(x) _mm256_set1_pd(x)
#define LOAD(p) _mm256_loadu_pd(p)
#define STORE(p, v) _mm256_storeu_pd(p, v)
#define FMA(a, b, c) _mm256_fmadd_pd(a, b, c)
#define ADD(a, b) _mm256_add_pd(a, b)
#define RELU(x) _mm256_max_pd(_mm256_setzero_pd(), x)
#define MASK_OF(n) _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3))
#define LOAD_MASKED(p, mask) _mm256_maskload_pd(p, mask)
#define STORE_MASKED(p, mask, v) _mm256_maskstore_pd(p, mask, v)
#define KEEP(mask, v) _mm256_and_pd(_mm256_castsi256_pd(mask), v)

CYOPS_INLINE __m256d GEMM_NAME(gather_pieces)(const double *const *rows, int r, ptrdiff_t k) {
    return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(rows[r] + k)), _mm_loadu_pd(rows[r + 2] + k), 1);
}

CYOPS_INLINE void GEMM_NAME(transpose_pieces)(const double *const *rows, ptrdiff_t k, __m256d *out) {
    __m256d v0 = GEMM_NAME(gather_pieces)(rows, 0, k), v1 = GEMM_NAME(gather_pieces)(rows, 1, k);
    out[0] = _mm256_unpacklo_pd(v0, v1);
    out[1] = _mm256_unpackhi_pd(v0, v1);
}

CYOPS_INLINE __m256d GEMM_NAME(load_reversed)(const double *p, ptrdiff_t n) {
    __m256i last = _mm256_cmpgt_epi64(_mm256_setr_epi64x(0, 1, 2, 3), _mm256_set1_epi64x(3 - n));
    return _mm256_permute4x64_pd(_mm256_maskload_pd(p - 3, last), _MM_SHUFFLE(0, 1, 2, 3));
}

CYOPS_INLINE __m256d GEMM_NAME(load_every_second)(const double *p, ptrdiff_t n) {
    __m256d low = LOAD_MASKED(p, MASK_OF(2 * n - 1)), high = LOAD_MASKED(p + 4, MASK_OF(2 * n - 5));
    return _mm256_permute4x64_pd(_mm256_shuffle_pd(low, high, 0), _MM_SHUFFLE(3, 1, 2, 0));
}
#endif
