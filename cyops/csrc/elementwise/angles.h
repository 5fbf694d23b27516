/* The loops of sin, cos and tan: a template, included by dtype.h.
 *
 * libm reduces an angle of any size and takes 20 ns and more; the quick formulas of math/trigonometry.h reduce those
 * that are met. So a row is walked in chunks, and only one with a large angle takes the loop that asks of each element.
 */
static int OF_DTYPE(are_small)(const T *x, ptrdiff_t n) {
    int large = 0;
    for (ptrdiff_t i = 0; i < n; i++) large |= MATH(is_large_angle)(x[i]);
    return !large;
}

#define BY_CHUNKS(name)                                                                         \
    LOOP_1(OF_DTYPE(name##_quick), MATH(name##_quick), T, T)                                    \
    LOOP_HEAD(OF_DTYPE(name##_by_chunks)) {                                                     \
        enum { CHUNK = 256 };                                                                   \
        for (ptrdiff_t row = 0; row < n_outer; row++)                                           \
            for (ptrdiff_t i = 0; i < n_inner; i += CHUNK) {                                    \
                const ptrdiff_t n = n_inner - i < CHUNK ? n_inner - i : CHUNK;                  \
                char *const chunk[] = {(char *)(ROW(T, 0) + i), (char *)(ROW(const T, 1) + i)}; \
                const int small = OF_DTYPE(are_small)(ROW(const T, 1) + i, n);                  \
                (small ? OF_DTYPE(name##_quick) : OF_DTYPE(name))(chunk, inner, outer, n, 1);   \
            }                                                                                   \
    }
BY_CHUNKS(sin)
BY_CHUNKS(cos)
BY_CHUNKS(tan)
#undef BY_CHUNKS
