/* GEMM packing: `width` rows of A, or columns of B, laid out so that a micro-kernel reads them in order. Template: see
 * simd/vector.h; the contract is that of cyops_gemm_type.pack.
 */

/* The width runs along memory, as it is (ws = 1), backward (-1), or as every second element (2): so runs B, and A where
 * it is a transpose. Ascending k, and whole vectors: what a store writes beyond `stored`, the next one overwrites. What
 * vector loads gain: docs/kernels.md, Matrix products. */
CYOPS_INLINE VEC GEMM_NAME(load_lanes)(const int ws, const T *x, ptrdiff_t n) {
    if (ws == 1) return V(load_masked)(x, V(mask_of)(n));
    return ws < 0 ? V(load_reversed)(x, n) : V(load_every_second)(x, n);
}

CYOPS_INLINE void GEMM_NAME(pack_rows)(const int ws, ptrdiff_t width, ptrdiff_t stored, ptrdiff_t depth, const T *x,
                                       ptrdiff_t ks, T *out) {
    ptrdiff_t first = width < LANES ? width : LANES, second = width - first;
    for (ptrdiff_t k = 0; k < depth; k++, x += ks, out += stored) {
        V(store)(out, GEMM_NAME(load_lanes)(ws, x, first));
        if (stored > LANES) V(store)(out + LANES, GEMM_NAME(load_lanes)(ws, x + ws * LANES, second));
    }
}

/* k runs along memory, up or down, as it is (step = 1) or as every second element (2): PIECE columns of at most
 * 2 * LANES rows are transposed at a time, and those between left out. Rows beyond the width alias the first. */
CYOPS_INLINE void GEMM_NAME(pack_columns)(const int step, ptrdiff_t width, ptrdiff_t stored, ptrdiff_t depth,
                                          const T *x, ptrdiff_t ws, ptrdiff_t ks, T *out) {
    const T *rows[2 * LANES];
    for (ptrdiff_t i = 0; i < 2 * LANES; i++) rows[i] = x + (i < width ? i * ws : 0);
    MASK first = V(mask_of)(width < LANES ? width : LANES);
    MASK second = V(mask_of)(width > LANES ? width - LANES : 0);
    ptrdiff_t lowest = ks < 0 ? 1 - PIECE : 0, k = 0; /* the lowest address of a piece, seen from its first column */
    for (; k + PIECE / step + (step > 1) <= depth; k += PIECE / step) { /* all of a piece lies before the last column */
        VEC low[PIECE], high[PIECE];
        V(transpose_pieces)(rows, k * ks + lowest, low);
        if (stored > LANES) V(transpose_pieces)(rows + LANES, k * ks + lowest, high);
        for (int q = 0; q < PIECE; q += step, out += stored) {
            int column = ks < 0 ? PIECE - 1 - q : q;
            V(store)(out, V(keep)(first, low[column]));
            if (stored > LANES) V(store)(out + LANES, V(keep)(second, high[column]));
        }
    }
    for (; k < depth; k++, out += stored)
        for (ptrdiff_t i = 0; i < stored; i++) out[i] = i < width ? rows[i][k * ks] : 0;
}

static void GEMM_NAME(pack_any)(ptrdiff_t width, ptrdiff_t stored, ptrdiff_t depth, const T *x, ptrdiff_t ws,
                                ptrdiff_t ks, T *out) {
    for (ptrdiff_t k = 0; k < depth; k++, x += ks, out += stored)
        for (ptrdiff_t i = 0; i < stored; i++) out[i] = i < width ? x[i * ws] : 0;
}

static void GEMM_NAME(pack)(ptrdiff_t width, ptrdiff_t stored, ptrdiff_t depth, const void *source, ptrdiff_t ws,
                            ptrdiff_t ks, void *packed) {
    const T *x = source;
    T *out = packed;
    if (ws == 1) {
        GEMM_NAME(pack_rows)(1, width, stored, depth, x, ks, out);
    } else if (ks == 1 || ks == -1) {
        GEMM_NAME(pack_columns)(1, width, stored, depth, x, ws, ks, out);
    } else if (ws == -1) {
        GEMM_NAME(pack_rows)(-1, width, stored, depth, x, ks, out);
    } else if (ws == 2) {
        GEMM_NAME(pack_rows)(2, width, stored, depth, x, ks, out);
    } else if (ks == 2 || ks == -2) {
        GEMM_NAME(pack_columns)(2, width, stored, depth, x, ws, ks, out);
    } else {
        GEMM_NAME(pack_any)(width, stored, depth, x, ws, ks, out);
    }
}
