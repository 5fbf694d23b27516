/* The position of an extreme in one dtype: the kernels of cyops_arg_fold. A template: no include guard.
 *
 * Expects T, IS_NAN(x), FOLD_NAME(f) and BEATS(a, b) for two numbers; undefines the last two. NaN beats every number,
 * and nothing beats NaN, so the first one stays.
 */
#define WINS FOLD_NAME(wins)
#define IS_FOUND(x) (((x) == value) | (IS_NAN(x) & IS_NAN(value)))
#define FOUND_AT_A_TIME 64

CYOPS_INLINE int WINS(T a, T b) { return (BEATS(a, b)) | (IS_NAN(a) & !IS_NAN(b)); }

static int FOLD_NAME(beats)(const void *a, const void *b) { return WINS(*(const T *)a, *(const T *)b); }

static ptrdiff_t FOLD_NAME(find)(const void *data, ptrdiff_t n, const void *wanted) {
    const T *x = data, value = *(const T *)wanted;
    ptrdiff_t i = 0;
    for (; i + FOUND_AT_A_TIME <= n; i += FOUND_AT_A_TIME) {
        int found = 0;
        for (int l = 0; l < FOUND_AT_A_TIME; l++) found |= IS_FOUND(x[i + l]);
        if (found) break;
    }
    while (i < n && !IS_FOUND(x[i])) i++;
    return i;
}

static void FOLD_NAME(columns)(void *best_values, int64_t *position, const void *data, ptrdiff_t row_stride,
                               ptrdiff_t rows, ptrdiff_t width, int64_t first_position) {
    T *restrict best = best_values;
    const T *restrict x = data;
    for (ptrdiff_t r = 0; r < rows; r++, x += row_stride)
        for (ptrdiff_t c = 0; c < width; c++) {
            const int wins = WINS(x[c], best[c]);
            best[c] = wins ? x[c] : best[c];
            position[c] = wins ? first_position + r : position[c];
        }
}

#undef WINS
#undef IS_FOUND
#undef FOUND_AT_A_TIME
#undef FOLD_NAME
#undef BEATS
