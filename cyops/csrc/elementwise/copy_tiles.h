/* Squares of 4- and 8-byte items transposed in registers, and stores past the caches: a template, included by
 * copy_loops.h. Generic code has neither; copy_width.h has plain loops in their place.
 *
 * A vector is put together from 128-bit pieces of several rows, so that what is left to do is a transposition within
 * each 128-bit lane: two unpacking steps for 4-byte items, one for 8-byte items. `streams` is a constant where these
 * are called; streaming stores need targets aligned to a vector.
 */
#if defined(CYOPS_ISA_AVX512)
#define VECTOR_BYTES 64

CYOPS_INLINE void ISA_NAME(store_vector)(void *to, __m512d v, int streams) {
    if (streams)
        _mm512_stream_pd(to, v);
    else
        _mm512_storeu_pd(to, v);
}

/* Lane L of the result is 16 bytes of row L * step. */
CYOPS_INLINE __m512d ISA_NAME(load_lanes)(const char *from, ptrdiff_t step) {
    __m512d v = _mm512_castpd128_pd512(_mm_loadu_pd((const double *)from));
    v = _mm512_insertf64x2(v, _mm_loadu_pd((const double *)(from + step)), 1);
    v = _mm512_insertf64x2(v, _mm_loadu_pd((const double *)(from + 2 * step)), 2);
    return _mm512_insertf64x2(v, _mm_loadu_pd((const double *)(from + 3 * step)), 3);
}

#define VECTOR __m512d
#define UNPACK(half, bits, a, b) _mm512_unpack##half##_##bits(a, b)
#define AS_FLOATS _mm512_castpd_ps
#define AS_DOUBLES _mm512_castps_pd
#elif defined(CYOPS_ISA_AVX2)
#define VECTOR_BYTES 32

CYOPS_INLINE void ISA_NAME(store_vector)(void *to, __m256d v, int streams) {
    if (streams)
        _mm256_stream_pd(to, v);
    else
        _mm256_storeu_pd(to, v);
}

CYOPS_INLINE __m256d ISA_NAME(load_lanes)(const char *from, ptrdiff_t step) {
    const __m256d v = _mm256_castpd128_pd256(_mm_loadu_pd((const double *)from));
    return _mm256_insertf128_pd(v, _mm_loadu_pd((const double *)(from + step)), 1);
}

#define VECTOR __m256d
#define UNPACK(half, bits, a, b) _mm256_unpack##half##_##bits(a, b)
#define AS_FLOATS _mm256_castpd_ps
#define AS_DOUBLES _mm256_castps_pd
#endif

#ifdef VECTOR_BYTES
/* to[r * to_row + c] = from[c * from_row + r] for r and c below VECTOR_BYTES / 4; row steps in items. */
CYOPS_INLINE void ISA_NAME(transpose_tile_4)(uint32_t *to, ptrdiff_t to_row, const uint32_t *from, ptrdiff_t from_row,
                                             int streams) {
    for (int k = 0; k < VECTOR_BYTES / 4; k += 4) {
        VECTOR v[4];
        for (int r = 0; r < 4; r++)
            v[r] = ISA_NAME(load_lanes)((const char *)(from + r * from_row + k), 4 * from_row * sizeof *from);
        const VECTOR a = AS_DOUBLES(UNPACK(lo, ps, AS_FLOATS(v[0]), AS_FLOATS(v[1])));
        const VECTOR b = AS_DOUBLES(UNPACK(hi, ps, AS_FLOATS(v[0]), AS_FLOATS(v[1])));
        const VECTOR c = AS_DOUBLES(UNPACK(lo, ps, AS_FLOATS(v[2]), AS_FLOATS(v[3])));
        const VECTOR d = AS_DOUBLES(UNPACK(hi, ps, AS_FLOATS(v[2]), AS_FLOATS(v[3])));
        ISA_NAME(store_vector)(to + (k + 0) * to_row, UNPACK(lo, pd, a, c), streams);
        ISA_NAME(store_vector)(to + (k + 1) * to_row, UNPACK(hi, pd, a, c), streams);
        ISA_NAME(store_vector)(to + (k + 2) * to_row, UNPACK(lo, pd, b, d), streams);
        ISA_NAME(store_vector)(to + (k + 3) * to_row, UNPACK(hi, pd, b, d), streams);
    }
}

/* The same for 8-byte items. */
CYOPS_INLINE void ISA_NAME(transpose_tile_8)(uint64_t *to, ptrdiff_t to_row, const uint64_t *from, ptrdiff_t from_row,
                                             int streams) {
    for (int k = 0; k < VECTOR_BYTES / 8; k += 2) {
        const VECTOR even = ISA_NAME(load_lanes)((const char *)(from + k), 2 * from_row * sizeof *from);
        const VECTOR odd = ISA_NAME(load_lanes)((const char *)(from + from_row + k), 2 * from_row * sizeof *from);
        ISA_NAME(store_vector)(to + k * to_row, UNPACK(lo, pd, even, odd), streams);
        ISA_NAME(store_vector)(to + (k + 1) * to_row, UNPACK(hi, pd, even, odd), streams);
    }
}

/* A run of bytes; streaming from the first aligned byte of the target to the last. */
static void ISA_NAME(copy_run)(char *to, const char *from, ptrdiff_t bytes, int streams) {
    const ptrdiff_t head = -(uintptr_t)to & (VECTOR_BYTES - 1);
    if (!streams || bytes < head + VECTOR_BYTES) {
        memcpy(to, from, bytes);
        return;
    }
    memcpy(to, from, head);
    ptrdiff_t i = head;
    for (; i + VECTOR_BYTES <= bytes; i += VECTOR_BYTES) {
        VECTOR v;
        memcpy(&v, from + i, sizeof v);
        ISA_NAME(store_vector)(to + i, v, 1);
    }
    memcpy(to + i, from + i, bytes - i);
}

/* VECTOR_BYTES of `pattern`, which repeats an item, over and over; aligned as in copy_run. */
static void ISA_NAME(fill_run)(char *to, const char *pattern, ptrdiff_t bytes) {
    const ptrdiff_t head = -(uintptr_t)to & (VECTOR_BYTES - 1);
    VECTOR v;
    memcpy(&v, pattern, sizeof v);
    memcpy(to, pattern, head);
    ptrdiff_t i = head;
    for (; i + VECTOR_BYTES <= bytes; i += VECTOR_BYTES) ISA_NAME(store_vector)(to + i, v, 1);
    memcpy(to + i, pattern, bytes - i);
}

#undef VECTOR
#undef UNPACK
#undef AS_FLOATS
#undef AS_DOUBLES
#else
#define VECTOR_BYTES 1

static void ISA_NAME(copy_run)(char *to, const char *from, ptrdiff_t bytes, int streams) {
    (void)streams;
    memcpy(to, from, bytes);
}
#endif
