/* The loop of the floating remainder: a template, included by dtype.h.
 *
 * fmod is exact whatever the quotient and takes 20 ns a call; the quick formula of math/divide.h is exact for all but
 * enormous quotients. So a row is walked in chunks, and only a chunk with such a quotient takes the exact loop.
 */
LOOP_2(OF_DTYPE(remainder_quick), MATH(remainder_quick), T, T)

static int OF_DTYPE(is_quick)(const T *a, const T *b, ptrdiff_t step_a, ptrdiff_t step_b, ptrdiff_t n) {
    int large = 0;
    for (ptrdiff_t i = 0; i < n; i++) large |= !MATH(is_quick)(a[i * step_a], b[i * step_b]);
    return !large;
}

LOOP_HEAD(OF_DTYPE(remainder_by_chunks)) {
    enum { CHUNK = 256 };
    for (ptrdiff_t row = 0; row < n_outer; row++)
        for (ptrdiff_t i = 0; i < n_inner; i += CHUNK) {
            const ptrdiff_t n = n_inner - i < CHUNK ? n_inner - i : CHUNK;
            const T *a = ROW(const T, 1) + i * inner[1], *b = ROW(const T, 2) + i * inner[2];
            char *const chunk[] = {(char *)(ROW(T, 0) + i), (char *)a, (char *)b};
            const int quick = OF_DTYPE(is_quick)(a, b, inner[1], inner[2], n);
            (quick ? OF_DTYPE(remainder_quick) : OF_DTYPE(remainder))(chunk, inner, outer, n, 1);
        }
}
