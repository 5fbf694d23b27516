/* One fold of one dtype: the kernels `row`, `columns` and `merge` of cyops_fold. A template: no include guard.
 *
 * Expects T, FOLD_NAME(f), FOLD_IDENTITY, TERM(x, i) (what an element of column i contributes; it may read center[i])
 * and MERGE(a, b) (how two contributions combine); undefines all but T. Plain loops over a fixed number of lanes: the
 * compiler keeps them in as many registers as the instruction set needs, and what a lane adds up is the same on all.
 */
#define LANES (CYOPS_LANE_BYTES / (int)sizeof(T))
#define BOTH FOLD_NAME(both)

/* One level of the tree over the lanes. Written out, because a loop over the levels would keep them in memory. */
#define HALVE(half) \
    for (int l = 0; 2 * half <= LANES && l < half; l++) lanes[l] = BOTH(lanes[l], lanes[(l + half) % LANES]);

CYOPS_INLINE T BOTH(T a, T b) { return MERGE(a, b); }

static void FOLD_NAME(row)(void *result, const void *data, ptrdiff_t n, const void *center_of_row) {
    const T *x = data, *center = center_of_row;
    (void)center;
    if (n < CYOPS_SHORT_ROW) {
        T total = TERM(x[0], 0);
        for (ptrdiff_t i = 1; i < n; i++) total = BOTH(total, TERM(x[i], 0));
        *(T *)result = total;
        return;
    }
    T lanes[LANES];
    ptrdiff_t i = 0;
    for (int l = 0; l < LANES; l++) lanes[l] = FOLD_IDENTITY;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++) lanes[l] = BOTH(lanes[l], TERM(x[i + l], 0));
    for (int l = 0; l < n - i; l++) lanes[l] = BOTH(lanes[l], TERM(x[i + l], 0));
    HALVE(128) HALVE(64) HALVE(32) HALVE(16) HALVE(8) HALVE(4) HALVE(2) HALVE(1)
    *(T *)result = lanes[0];
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

#undef LANES
#undef BOTH
#undef HALVE
#undef FOLD_NAME
#undef FOLD_IDENTITY
#undef TERM
#undef MERGE
