/* gemm_vector.h for AVX-512: 32 registers of 64 bytes, 28 of them accumulators. */
#define MR 14
#define ROWS_FROM_MEMORY 7
#define FMA_FROM_MEMORY(p, b, c) GEMM_NAME(fma_from_memory)(p, b, c)

#if T_IS_F32
#define VEC __m512
#define MASK __mmask16
#define LANES 16
#define PIECE 4
#define ZERO() _mm512_setzero_ps()
#define SET1(x) _mm512_set1_ps(x)
#define LOAD(p) _mm512_loadu_ps(p)
#define STORE(p, v) _mm512_storeu_ps(p, v)
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define ADD(a, b) _mm512_add_ps(a, b)
#define RELU(x) _mm512_max_ps(_mm512_setzero_ps(), x)
#define MASK_OF(n) ((__mmask16)((1u << (n)) - 1))
#define LOAD_MASKED(p, mask) _mm512_maskz_loadu_ps(mask, p)
#define STORE_MASKED(p, mask, v) _mm512_mask_storeu_ps(p, mask, v)
#define KEEP(mask, v) _mm512_maskz_mov_ps(mask, v)

/* The multiply-add that broadcasts its operand itself. A row of two vectors then takes 2 micro-operations instead of 3,
 * but loads twice. Where another thread shares the core, which halves what can be issued, half of the rows done so gave
 * 138 instead of 129 GFLOP/s at (784, 128)(128, 512), all of them no more; with the core alone all of them were 4 %
 * slower. A compiler never does it by itself for an element used twice. */
CYOPS_INLINE __m512 GEMM_NAME(fma_from_memory)(const float *p, __m512 b, __m512 c) {
    __asm__("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(c) : "v"(b), "m"(*p));
    return c;
}

/* Four rows' pieces side by side: lane L of the result is columns k to k + 3 of row 4 L + r. */
CYOPS_INLINE __m512 GEMM_NAME(gather_pieces)(const float *const *rows, int r, ptrdiff_t k) {
    __m512 v = _mm512_castps128_ps512(_mm_loadu_ps(rows[r] + k));
    v = _mm512_insertf32x4(v, _mm_loadu_ps(rows[r + 4] + k), 1);
    v = _mm512_insertf32x4(v, _mm_loadu_ps(rows[r + 8] + k), 2);
    return _mm512_insertf32x4(v, _mm_loadu_ps(rows[r + 12] + k), 3);
}

/* A 4 by 4 transpose inside each lane then puts the 16 rows in order: 12 inserts and 8 unpacks for 64 elements, where
 * the textbook's transpose of 16 by 16 takes 16 shuffles for as many, all on one port. */
CYOPS_INLINE void GEMM_NAME(transpose_pieces)(const float *const *rows, ptrdiff_t k, __m512 *out) {
    __m512 v0 = GEMM_NAME(gather_pieces)(rows, 0, k), v1 = GEMM_NAME(gather_pieces)(rows, 1, k);
    __m512 v2 = GEMM_NAME(gather_pieces)(rows, 2, k), v3 = GEMM_NAME(gather_pieces)(rows, 3, k);
    __m512d low01 = _mm512_castps_pd(_mm512_unpacklo_ps(v0, v1)), high01 = _mm512_castps_pd(_mm512_unpackhi_ps(v0, v1));
    __m512d low23 = _mm512_castps_pd(_mm512_unpacklo_ps(v2, v3)), high23 = _mm512_castps_pd(_mm512_unpackhi_ps(v2, v3));
    out[0] = _mm512_castpd_ps(_mm512_unpacklo_pd(low01, low23));
    out[1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low01, low23));
    out[2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high01, high23));
    out[3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high01, high23));
}

CYOPS_INLINE __m512 GEMM_NAME(load_reversed)(const float *p, ptrdiff_t n) {
    const __m512i order = _mm512_setr_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    return _mm512_permutexvar_ps(order, _mm512_maskz_loadu_ps((__mmask16)~MASK_OF(LANES - n), p - (LANES - 1)));
}

CYOPS_INLINE __m512 GEMM_NAME(load_every_second)(const float *p, ptrdiff_t n) {
    const __m512i order = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const uint32_t wanted = 0x55555555u & (uint32_t)((1ull << 2 * n) - 1);
    __m512 high = _mm512_maskz_loadu_ps((__mmask16)(wanted >> LANES), p + LANES);
    return _mm512_permutex2var_ps(_mm512_maskz_loadu_ps((__mmask16)wanted, p), order, high);
}

#else
#define VEC __m512d
#define MASK __mmask8
#define LANES 8
#define PIECE 2
#define ZERO() _mm512_setzero_pd()
#define SET1(x) _mm512_set1_pd(x)
#define LOAD(p) _mm512_loadu_pd(p)
#define STORE(p, v) _mm512_storeu_pd(p, v)
#define FMA(a, b, c) _mm512_fmadd_pd(a, b, c)
#define ADD(a, b) _mm512_add_pd(a, b)
#define RELU(x) _mm512_max_pd(_mm512_setzero_pd(), x)
#define MASK_OF(n) ((__mmask8)((1u << (n)) - 1))
#define LOAD_MASKED(p, mask) _mm512_maskz_loadu_pd(mask, p)
#define STORE_MASKED(p, mask, v) _mm512_mask_storeu_pd(p, mask, v)
#define KEEP(mask, v) _mm512_maskz_mov_pd(mask, v)

CYOPS_INLINE __m512d GEMM_NAME(fma_from_memory)(const double *p, __m512d b, __m512d c) {
    __asm__("vfmadd231pd %2%{1to8%}, %1, %0" : "+v"(c) : "v"(b), "m"(*p));
    return c;
}

CYOPS_INLINE __m512d GEMM_NAME(gather_pieces)(const double *const *rows, int r, ptrdiff_t k) {
    __m512d v = _mm512_castpd128_pd512(_mm_loadu_pd(rows[r] + k));
    v = _mm512_insertf64x2(v, _mm_loadu_pd(rows[r + 2] + k), 1);
    v = _mm512_insertf64x2(v, _mm_loadu_pd(rows[r + 4] + k), 2);
    return _mm512_insertf64x2(v, _mm_loadu_pd(rows[r + 6] + k), 3);
}

CYOPS_INLINE void GEMM_NAME(transpose_pieces)(const double *const *rows, ptrdiff_t k, __m512d *out) {
    __m512d v0 = GEMM_NAME(gather_pieces)(rows, 0, k), v1 = GEMM_NAME(gather_pieces)(rows, 1, k);
    out[0] = _mm512_unpacklo_pd(v0, v1);
    out[1] = _mm512_unpackhi_pd(v0, v1);
}

CYOPS_INLINE __m512d GEMM_NAME(load_reversed)(const double *p, ptrdiff_t n) {
    const __m512i order = _mm512_setr_epi64(7, 6, 5, 4, 3, 2, 1, 0);
    return _mm512_permutexvar_pd(order, _mm512_maskz_loadu_pd((__mmask8)~MASK_OF(LANES - n), p - (LANES - 1)));
}

CYOPS_INLINE __m512d GEMM_NAME(load_every_second)(const double *p, ptrdiff_t n) {
    const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
    const uint32_t wanted = 0x5555u & (uint32_t)((1u << 2 * n) - 1);
    __m512d high = _mm512_maskz_loadu_pd((__mmask8)(wanted >> LANES), p + LANES);
    return _mm512_permutex2var_pd(_mm512_maskz_loadu_pd((__mmask8)wanted, p), order, high);
}
#endif
