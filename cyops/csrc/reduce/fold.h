/* One fold of one dtype: the kernels `rows`, `columns` and `merge` of cyops_fold. A template: no include guard.
 *
 * Expects T, FOLD_NAME(f), FOLD_IDENTITY, TERM(x, i) (what an element of column i contributes; it may read center[i]),
 * FILLER (an element that contributes the identity), MERGE(a, b) (how two contributions combine) and FOLD_BLOCK (how
 * many elements of a row are folded without a tree); with SUM_OF_VECTOR, the merge is V(sum)'s. Undefines all but T.
 * Plain loops over a fixed number of lanes: the compiler keeps them in as many registers as the instruction set needs,
 * and what a lane adds up is the same on all.
 */
#define FOLD_LANES (CYOPS_LANE_BYTES / (int)sizeof(T))
#define BOTH FOLD_NAME(both)

CYOPS_INLINE T BOTH(T a, T b) { return MERGE(a, b); }

/* The tree over the lanes. Its levels are written out, because a loop over them would keep the lanes in memory; of sums
 * of floating numbers the vectors' own takes the last levels, in the same order, for GCC 12 adds those one by one. */
#define HALVE(half) \
    for (int l = 0; 2 * half <= FOLD_LANES && l < half; l++) lanes[l] = BOTH(lanes[l], lanes[(l + half) % FOLD_LANES]);
#ifdef SUM_OF_VECTOR
#define HALVE_MANY(half) \
    if (half >= LANES) HALVE(half)
#define LAST_OF_TREE V(sum)(V(load)(lanes))
#else
#define HALVE_MANY(half) HALVE(half)
#define LAST_OF_TREE lanes[0]
#endif
CYOPS_INLINE T FOLD_NAME(lanes)(T *lanes) {
    /* clang-format off */
    HALVE(128) HALVE_MANY(64) HALVE_MANY(32) HALVE_MANY(16) HALVE_MANY(8) HALVE_MANY(4) HALVE_MANY(2) HALVE_MANY(1)
        /* clang-format on */
        return LAST_OF_TREE;
}
#undef HALVE
#undef HALVE_MANY
#undef LAST_OF_TREE

/* `count` rows of few elements, one after the other in each, so that one row's additions wait for another's. */
CYOPS_INLINE void FOLD_NAME(short_rows)(T *result, const T *x, ptrdiff_t row_stride, const int count, ptrdiff_t n,
                                        const T *center) {
    T totals[4];
    (void)center;
    for (int r = 0; r < count; r++) totals[r] = TERM(x[r * row_stride], r);
    for (ptrdiff_t i = 1; i < n; i++)
        for (int r = 0; r < count; r++) totals[r] = BOTH(totals[r], TERM(x[r * row_stride + i], r));
    for (int r = 0; r < count; r++) result[r] = totals[r];
}

/* The loads ask for what comes CYOPS_AHEAD bytes later: the CPU's own prefetching stops at the end of each page. See
 * docs/kernels.md, Vectors. */
CYOPS_INLINE T FOLD_NAME(block)(const T *x, ptrdiff_t n, const T *center) {
    T lanes[FOLD_LANES], rest[FOLD_LANES];
    ptrdiff_t i = 0;
    (void)center;
    for (int l = 0; l < FOLD_LANES; l++) lanes[l] = FOLD_IDENTITY;
    CYOPS_PRAGMA(GCC unroll 1) /* of a known length at most, it would be peeled, with the lanes in memory */
    for (; i + FOLD_LANES <= n; i += FOLD_LANES) {
        for (int line = 0; line < CYOPS_LANE_BYTES; line += 64)
            __builtin_prefetch((const char *)(x + i) + CYOPS_AHEAD + line);
        for (int l = 0; l < FOLD_LANES; l++) lanes[l] = BOTH(lanes[l], TERM(x[i + l], 0));
    }
    if (i < n) {
        for (int l = 0; l < FOLD_LANES; l++) rest[l] = FILLER;
        memcpy(rest, x + i, (n - i) * sizeof *x);
        for (int l = 0; l < FOLD_LANES; l++) lanes[l] = BOTH(lanes[l], TERM(rest[l], 0));
    }
    return FOLD_NAME(lanes)(lanes);
}

/* Blocks of a row, merged in a binary tree: complete subtrees, each larger than the next, wait for their equals. */
static T FOLD_NAME(long_row)(const T *x, ptrdiff_t n, const T *center) {
    T subtrees[64];
    int depth = 0;
    for (ptrdiff_t done = 1; n > 0; done++, x += FOLD_BLOCK, n -= FOLD_BLOCK) {
        subtrees[depth++] = FOLD_NAME(block)(x, n < FOLD_BLOCK ? n : FOLD_BLOCK, center);
        for (ptrdiff_t pairs = done; (pairs & 1) == 0; pairs >>= 1, depth--)
            subtrees[depth - 2] = BOTH(subtrees[depth - 2], subtrees[depth - 1]);
    }
    for (; depth > 1; depth--) subtrees[depth - 2] = BOTH(subtrees[depth - 2], subtrees[depth - 1]);
    return subtrees[0];
}

static void FOLD_NAME(rows)(void *results, const void *data, ptrdiff_t row_stride, ptrdiff_t rows, ptrdiff_t n,
                            const void *centers) {
    T *result = results;
    const T *x = data, *center = centers;
    ptrdiff_t r = 0;
#define OF_ROW x + r *row_stride
#define CENTER (center == NULL ? NULL : center + r)
    if (n > FOLD_BLOCK)
        for (; r < rows; r++) result[r] = FOLD_NAME(long_row)(OF_ROW, n, CENTER);
    else if (n >= CYOPS_SHORT_ROW)
        for (; r < rows; r++) result[r] = FOLD_NAME(block)(OF_ROW, n, CENTER);
    for (; r + 4 <= rows; r += 4) FOLD_NAME(short_rows)(result + r, OF_ROW, row_stride, 4, n, CENTER);
    for (; r < rows; r++) FOLD_NAME(short_rows)(result + r, OF_ROW, row_stride, 1, n, CENTER);
#undef OF_ROW
#undef CENTER
}

/* Eight rows at a time in a tree, so that a long column loses little and the totals are touched once per eight. */
static void FOLD_NAME(columns)(void *result, const void *data, ptrdiff_t row_stride, ptrdiff_t rows, ptrdiff_t width,
                               const void *centers) {
    T *restrict total = result;
    const T *restrict x = data, *restrict center = centers;
    (void)center;
#define VALUE(r) TERM(x[(r) * row_stride + c], c)
    for (ptrdiff_t c = 0; c < width; c++) total[c] = FOLD_IDENTITY;
    for (ptrdiff_t r = 0; r < rows % 8; r++)
        for (ptrdiff_t c = 0; c < width; c++) total[c] = BOTH(total[c], VALUE(r));
    x += rows % 8 * row_stride;
    for (ptrdiff_t r = rows % 8; r < rows; r += 8, x += 8 * row_stride)
        for (ptrdiff_t c = 0; c < width; c++) {
            const T first = BOTH(BOTH(VALUE(0), VALUE(1)), BOTH(VALUE(2), VALUE(3)));
            const T last = BOTH(BOTH(VALUE(4), VALUE(5)), BOTH(VALUE(6), VALUE(7)));
            total[c] = BOTH(total[c], BOTH(first, last));
        }
#undef VALUE
}

static void FOLD_NAME(merge)(void *into, const void *from, ptrdiff_t width) {
    T *restrict a = into;
    const T *restrict b = from;
    for (ptrdiff_t c = 0; c < width; c++) a[c] = BOTH(a[c], b[c]);
}

#undef FOLD_NAME
#undef FOLD_IDENTITY
#undef FILLER
#undef FOLD_BLOCK
#undef SUM_OF_VECTOR
#undef TERM
#undef MERGE
