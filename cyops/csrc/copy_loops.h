/* Copies between any two stridings, of items of 1, 2, 4 and 8 bytes: a template, included by elementwise_loops.h.
 *
 * copy_width.h has the loops of one width and names the kernel that transposes a square tile in registers; here are
 * those kernels. Where none is written for an instruction set, a plain loop over a small tile takes its place.
 */
#if defined(CYOPS_ISA_AVX512)
#define TILE_4 16
/* Four vectors whose 128-bit lane L holds columns k..k+3 of row 4L + r; transposing 4x4 within lanes gives columns. */
CYOPS_INLINE void ISA_NAME(transpose_tile_4)(uint32_t *to, ptrdiff_t to_row, const uint32_t *from, ptrdiff_t from_row) {
    for (int k = 0; k < 16; k += 4) {
        __m512 v[4];
        for (int r = 0; r < 4; r++) {
            const float *rows = (const float *)from + r * from_row + k;
            v[r] = _mm512_castps128_ps512(_mm_loadu_ps(rows));
            v[r] = _mm512_insertf32x4(v[r], _mm_loadu_ps(rows + 4 * from_row), 1);
            v[r] = _mm512_insertf32x4(v[r], _mm_loadu_ps(rows + 8 * from_row), 2);
            v[r] = _mm512_insertf32x4(v[r], _mm_loadu_ps(rows + 12 * from_row), 3);
        }
        const __m512d a = _mm512_castps_pd(_mm512_unpacklo_ps(v[0], v[1]));
        const __m512d b = _mm512_castps_pd(_mm512_unpackhi_ps(v[0], v[1]));
        const __m512d c = _mm512_castps_pd(_mm512_unpacklo_ps(v[2], v[3]));
        const __m512d d = _mm512_castps_pd(_mm512_unpackhi_ps(v[2], v[3]));
        _mm512_storeu_pd((double *)(to + (k + 0) * to_row), _mm512_unpacklo_pd(a, c));
        _mm512_storeu_pd((double *)(to + (k + 1) * to_row), _mm512_unpackhi_pd(a, c));
        _mm512_storeu_pd((double *)(to + (k + 2) * to_row), _mm512_unpacklo_pd(b, d));
        _mm512_storeu_pd((double *)(to + (k + 3) * to_row), _mm512_unpackhi_pd(b, d));
    }
}
#elif defined(CYOPS_ISA_AVX2)
#define TILE_4 8
/* The same with two lanes: lane L holds rows 4L + r. */
CYOPS_INLINE void ISA_NAME(transpose_tile_4)(uint32_t *to, ptrdiff_t to_row, const uint32_t *from, ptrdiff_t from_row) {
    for (int k = 0; k < 8; k += 4) {
        __m256 v[4];
        for (int r = 0; r < 4; r++) {
            const float *rows = (const float *)from + r * from_row + k;
            v[r] = _mm256_castps128_ps256(_mm_loadu_ps(rows));
            v[r] = _mm256_insertf128_ps(v[r], _mm_loadu_ps(rows + 4 * from_row), 1);
        }
        const __m256d a = _mm256_castps_pd(_mm256_unpacklo_ps(v[0], v[1]));
        const __m256d b = _mm256_castps_pd(_mm256_unpackhi_ps(v[0], v[1]));
        const __m256d c = _mm256_castps_pd(_mm256_unpacklo_ps(v[2], v[3]));
        const __m256d d = _mm256_castps_pd(_mm256_unpackhi_ps(v[2], v[3]));
        _mm256_storeu_pd((double *)(to + (k + 0) * to_row), _mm256_unpacklo_pd(a, c));
        _mm256_storeu_pd((double *)(to + (k + 1) * to_row), _mm256_unpackhi_pd(a, c));
        _mm256_storeu_pd((double *)(to + (k + 2) * to_row), _mm256_unpacklo_pd(b, d));
        _mm256_storeu_pd((double *)(to + (k + 3) * to_row), _mm256_unpackhi_pd(b, d));
    }
}
#endif

#if defined(CYOPS_ISA_AVX2) || defined(CYOPS_ISA_AVX512)
#define TILE_8 8
CYOPS_INLINE void ISA_NAME(transpose_tile_8)(uint64_t *to, ptrdiff_t to_row, const uint64_t *from, ptrdiff_t from_row) {
    for (int r = 0; r < 8; r += 4)
        for (int k = 0; k < 8; k += 2) {
            const double *rows = (const double *)from + r * from_row + k;
            const __m256d even = _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(rows)),
                                                      _mm_loadu_pd(rows + 2 * from_row), 1);
            const __m256d odd = _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(rows + from_row)),
                                                     _mm_loadu_pd(rows + 3 * from_row), 1);
            _mm256_storeu_pd((double *)(to + k * to_row) + r, _mm256_unpacklo_pd(even, odd));
            _mm256_storeu_pd((double *)(to + (k + 1) * to_row) + r, _mm256_unpackhi_pd(even, odd));
        }
}
#endif

#define WIDTH 1
#define ITEM uint8_t
#define TILE 16
#include "copy_width.h"

#define WIDTH 2
#define ITEM uint16_t
#define TILE 16
#include "copy_width.h"

#define WIDTH 4
#define ITEM uint32_t
#ifdef TILE_4
#define TILE TILE_4
#define TRANSPOSE_TILE ISA_NAME(transpose_tile_4)
#else
#define TILE 8
#endif
#include "copy_width.h"

#define WIDTH 8
#define ITEM uint64_t
#define TILE 8
#ifdef TILE_8
#define TRANSPOSE_TILE ISA_NAME(transpose_tile_8)
#endif
#include "copy_width.h"
