/* float16 to float32 and back by the instructions for it (F16C): a template, included by loops.h.
 *
 * The loops of the formulas (cast_formulas.h) convert what is left over of each row, to the same bits.
 */
#if defined(CYOPS_ISA_AVX512)
#define HALVES 16
#define WIDEN(from, to) _mm512_storeu_ps(to, _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(from))))
#define NARROW(from, to) \
    _mm256_storeu_si256((__m256i *)(to), _mm512_cvtps_ph(_mm512_loadu_ps(from), _MM_FROUND_TO_NEAREST_INT))
#elif defined(CYOPS_ISA_AVX2)
#define HALVES 8
#define WIDEN(from, to) _mm256_storeu_ps(to, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(from))))
#define NARROW(from, to) \
    _mm_storeu_si128((__m128i *)(to), _mm256_cvtps_ph(_mm256_loadu_ps(from), _MM_FROUND_TO_NEAREST_INT))
#endif

#ifdef HALVES
#define CONVERT_ROWS(R, X, convert_vector, convert_rest)                                          \
    {                                                                                             \
        const ptrdiff_t whole = n_inner / HALVES * HALVES;                                        \
        EACH_ROW {                                                                                \
            R *out = ROW(R, 0);                                                                   \
            const X *x = ROW(const X, 1);                                                         \
            for (ptrdiff_t i = 0; i < whole; i += HALVES) convert_vector(x + i, out + i);         \
        }                                                                                         \
        char *const rest[] = {data[0] + whole * sizeof(R), data[1] + whole * sizeof(X)};          \
        convert_rest(rest, inner, outer, n_inner - whole, n_outer);                               \
    }

LOOP_HEAD(ISA_NAME(widen_halves)) CONVERT_ROWS(float, uint16_t, WIDEN, ISA_NAME(cast_float16_to_float32))
LOOP_HEAD(ISA_NAME(narrow_to_halves)) CONVERT_ROWS(uint16_t, float, NARROW, ISA_NAME(cast_float32_to_float16))

#undef WIDEN
#undef NARROW
#undef CONVERT_ROWS
#endif
