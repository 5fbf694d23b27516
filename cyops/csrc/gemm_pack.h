/* GEMM packing: `width` rows of A, or columns of B, laid out so that a micro-kernel reads them in order. Template: see
 * gemm_vector.h; the contract is that of cyops_gemm_type.pack.
 */

/* The width runs along memory. Ascending k, and whole vectors: what a store writes beyond `stored`, the next one
 * overwrites. */
static void GEMM_NAME(pack_rows)(ptrdiff_t width, ptrdiff_t stored, ptrdiff_t depth, const T *x, ptrdiff_t ks, T *out) {
    MASK first = MASK_OF(width < LANES ? width : LANES);
    MASK second = MASK_OF(width > LANES ? width - LANES : 0);
    for (ptrdiff_t k = 0; k < depth; k++, x += ks, out += stored) {
        STORE(out, LOAD_MASKED(x, first));
        if (stored > LANES) STORE(out + LANES, LOAD_MASKED(x + LANES, second));
    }
}

/* k runs along memory, up or down: PIECE columns of at most 2 * LANES rows are transposed at a time. Rows beyond the
 * width alias the first. */
static void GEMM_NAME(pack_columns)(ptrdiff_t width, ptrdiff_t stored, ptrdiff_t depth, const T *x, ptrdiff_t ws,
                                    ptrdiff_t ks, T *out) {
    const T *rows[2 * LANES];
    for (ptrdiff_t i = 0; i < 2 * LANES; i++) rows[i] = x + (i < width ? i * ws : 0);
    MASK first = MASK_OF(width < LANES ? width : LANES);
    MASK second = MASK_OF(width > LANES ? width - LANES : 0);
    ptrdiff_t lowest = ks < 0 ? 1 - PIECE : 0, k = 0; /* the lowest address of a piece, seen from its first column */
    for (; k + PIECE <= depth; k += PIECE) {
        VEC low[PIECE], high[PIECE];
        GEMM_NAME(transpose_pieces)(rows, k * ks + lowest, low);
        if (stored > LANES) GEMM_NAME(transpose_pieces)(rows + LANES, k * ks + lowest, high);
        for (int q = 0; q < PIECE; q++, out += stored) {
            int column = ks < 0 ? PIECE - 1 - q : q;
            STORE(out, KEEP(first, low[column]));
            if (stored > LANES) STORE(out + LANES, KEEP(second, high[column]));
        }
    }
    for (; k < depth; k++, out += stored)
        for (ptrdiff_t i = 0; i < stored; i++) out[i] = i < width ? rows[i][k * ks] : 0;
}

static void GEMM_NAME(pack)(ptrdiff_t width, ptrdiff_t stored, ptrdiff_t depth, const void *source, ptrdiff_t ws,
                            ptrdiff_t ks, void *packed) {
    const T *x = source;
    T *out = packed;
    if (ws == 1) {
        GEMM_NAME(pack_rows)(width, stored, depth, x, ks, out);
    } else if (ks == 1 || ks == -1) {
        GEMM_NAME(pack_columns)(width, stored, depth, x, ws, ks, out);
    } else {
        for (ptrdiff_t k = 0; k < depth; k++, x += ks, out += stored)
            for (ptrdiff_t i = 0; i < stored; i++) out[i] = i < width ? x[i * ws] : 0;
    }
}
