/* The position of an extreme in one dtype: the kernels of cyops_arg_fold. A template: no include guard.
 *
 * Expects T, IS_NAN(x), FOLD_NAME(f) and BEATS(a, b) for two numbers; undefines the last two. NaN beats every number, and nothing
 * beats NaN, so the first one stays.
 */
#define WINS FOLD_NAME(wins)

CYOPS_INLINE int WINS(T a, T b) { return (BEATS(a, b)) | (IS_NAN(a) & !IS_NAN(b)); }

static int FOLD_NAME(beats)(const void *a, const void *b) { return WINS(*(const T *)a, *(const T *)b); }

static ptrdiff_t FOLD_NAME(find)(const void *data, ptrdiff_t n, const void *wanted) {
    const T *x = data, value = *(const T *)wanted;
    ptrdiff_t i = 0;
    while (i < n && !(x[i] == value || (IS_NAN(x[i]) && IS_NAN(value)))) i++;
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
#undef FOLD_NAME
#undef BEATS
