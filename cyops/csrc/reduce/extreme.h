/* The position of an extreme in one dtype: the kernels of cyops_arg_fold. A template: no include guard.
 *
 * Expects T, POSITION (a signed type that holds CYOPS_ROW_BLOCK, best of the width of T), IS_NAN(x), FOLD_NAME(f),
 * FOLD_VALUE (the function that keeps the better of two) and LOSES(a, b) for two numbers, which is false for a NaN;
 * undefines the last three. NaN beats every number, and nothing beats NaN, so the first one stays.
 */
#define FOLD_LANES (CYOPS_LANE_BYTES / (int)sizeof(T))
#define WINS FOLD_NAME(wins)
#define IS_FOUND(x, value) (((x) == (value)) | (IS_NAN(x) & IS_NAN(value)))
#define EARLIER(a, b) ((b) < (a) ? (b) : (a))
#define HALVE_OF(half, lanes, both) \
    for (int l = 0; 2 * half <= FOLD_LANES && l < half; l++) lanes[l] = both(lanes[l], lanes[(l + half) % FOLD_LANES]);
/* clang-format off */
#define TREE(lanes, both)                                                                                      \
    HALVE_OF(128, lanes, both) HALVE_OF(64, lanes, both) HALVE_OF(32, lanes, both) HALVE_OF(16, lanes, both)          \
    HALVE_OF(8, lanes, both) HALVE_OF(4, lanes, both) HALVE_OF(2, lanes, both) HALVE_OF(1, lanes, both)
/* clang-format on */

CYOPS_INLINE int WINS(T a, T b) { return !(LOSES(a, b)) & !IS_NAN(b); }

static int FOLD_NAME(beats)(const void *a, const void *b) { return WINS(*(const T *)a, *(const T *)b); }

CYOPS_INLINE void FOLD_NAME(step)(T *values, POSITION *positions, const T *x, POSITION first) {
    for (int l = 0; l < FOLD_LANES; l++) {
        const int wins = WINS(x[l], values[l]);
        values[l] = wins ? x[l] : values[l];
        positions[l] = wins ? first : positions[l];
    }
}

/* Each lane keeps its best value and where the step began that had it. The last step overlaps the one before: what it
 * sees again is in other lanes, at the same position. */
static ptrdiff_t FOLD_NAME(row)(void *result, const void *data, ptrdiff_t n) {
    const T *x = data;
    T *best = result;
    T values[FOLD_LANES], tree[FOLD_LANES];
    POSITION positions[FOLD_LANES];
    ptrdiff_t i = FOLD_LANES;
    if (n < FOLD_LANES) {
        ptrdiff_t position = 0;
        for (i = 1; i < n; i++) position = WINS(x[i], x[position]) ? i : position;
        *best = x[position];
        return position;
    }
    for (int l = 0; l < FOLD_LANES; l++) values[l] = x[l];
    for (int l = 0; l < FOLD_LANES; l++) positions[l] = 0;
    for (; i + FOLD_LANES <= n; i += FOLD_LANES) FOLD_NAME(step)(values, positions, x + i, (POSITION)i);
    if (i < n) FOLD_NAME(step)(values, positions, x + n - FOLD_LANES, (POSITION)(n - FOLD_LANES));
    for (int l = 0; l < FOLD_LANES; l++) tree[l] = values[l];
    TREE(tree, FOLD_VALUE)
    *best = tree[0];
    for (int l = 0; l < FOLD_LANES; l++)
        positions[l] = IS_FOUND(values[l], tree[0]) ? (POSITION)(positions[l] + l) : CYOPS_ROW_BLOCK;
    TREE(positions, EARLIER)
    return positions[0];
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

#undef FOLD_NAME
#undef FOLD_VALUE
#undef LOSES
