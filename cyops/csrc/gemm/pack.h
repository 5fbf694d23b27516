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

/* PIECE columns of at most 2 * LANES rows from column k on, transposed. */
CYOPS_INLINE T *GEMM_NAME(transpose_columns)(const int step, ptrdiff_t stored, const T *const *rows, ptrdiff_t k,
                                             ptrdiff_t ks, MASK first, MASK second, T *out) {
    const ptrdiff_t place = k * ks + (ks < 0 ? 1 - PIECE : 0); /* the lowest address of the piece */
    VEC low[PIECE], high[PIECE];
    V(transpose_pieces)(rows, place, low);
    if (stored > LANES) V(transpose_pieces)(rows + LANES, place, high);
    for (int q = 0; q < PIECE; q += step, out += stored) {
        int column = ks < 0 ? PIECE - 1 - q : q;
        V(store)(out, V(keep)(first, low[column]));
        if (stored > LANES) V(store)(out + LANES, V(keep)(second, high[column]));
    }
    return out;
}

/* k runs along memory, up or down, as it is (step = 1) or as every second element (2): a piece of columns at a time, and
 * those between left out. The last piece begins earlier where it would reach too far. Rows beyond the width alias the
 * first. */
CYOPS_INLINE void GEMM_NAME(transpose_rows)(const int step, ptrdiff_t width, ptrdiff_t stored, ptrdiff_t depth,
                                            const T *const *rows, ptrdiff_t ks, T *out) {
    MASK first = V(mask_of)(width < LANES ? width : LANES);
    MASK second = V(mask_of)(width > LANES ? width - LANES : 0);
    ptrdiff_t k = 0;
    for (; k + PIECE / step + (step > 1) <= depth; k += PIECE / step) /* all of a piece lies before the last column */
        out = GEMM_NAME(transpose_columns)(step, stored, rows, k, ks, first, second, out);
    if (step == 1 && k < depth && depth >= PIECE) {
        const ptrdiff_t last = depth - PIECE;
        GEMM_NAME(transpose_columns)(step, stored, rows, last, ks, first, second, out - (k - last) * stored);
        return;
    }
    for (; k < depth; k++, out += stored)
        for (ptrdiff_t i = 0; i < stored; i++) out[i] = i < width ? rows[i][k * ks] : 0;
}

CYOPS_INLINE void GEMM_NAME(pack_columns)(const int step, ptrdiff_t width, ptrdiff_t stored, ptrdiff_t depth,
                                          const T *x, ptrdiff_t ws, ptrdiff_t ks, T *out) {
    const T *rows[2 * LANES];
    for (ptrdiff_t i = 0; i < 2 * LANES; i++) rows[i] = x + (i < width ? i * ws : 0);
    GEMM_NAME(transpose_rows)(step, width, stored, depth, rows, ks, out);
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

static ptrdiff_t GEMM_NAME(find_pieces)(ptrdiff_t width, const T *const *places, cyops_gemm_piece *pieces) {
    ptrdiff_t count = 0;
    for (ptrdiff_t i = 0; i < width; i++) {
        cyops_gemm_piece *last = count > 0 ? pieces + count - 1 : NULL;
        if (last != NULL && last->width < LANES &&
            (places[i] == NULL ? last->x == NULL : last->x != NULL && places[i] == (const T *)last->x + last->width))
            last->width++;
        else
            pieces[count++] = (cyops_gemm_piece){places[i], i, 1};
    }
    return count;
}

/* Ascending lanes and k: what a store writes beyond its piece, the next one overwrites. The last step writes nothing
 * beyond, since what follows may be another thread's. */
static void GEMM_NAME(pack_pieces)(ptrdiff_t count, const cyops_gemm_piece *pieces, ptrdiff_t width, ptrdiff_t stored,
                                   ptrdiff_t depth, ptrdiff_t ks, void *packed) {
    T *out = packed;
    for (ptrdiff_t k = 0; k < depth; k++, out += stored) {
        for (ptrdiff_t i = 0; i < count; i++) {
            MASK mask = V(mask_of)(pieces[i].width);
            const T *x = pieces[i].x;
            VEC v = x == NULL ? V(zero)() : V(load_masked)(x + k * ks, mask);
            if (k < depth - 1)
                V(store)(out + pieces[i].lane, v);
            else
                V(store_masked)(out + pieces[i].lane, mask, v);
        }
        for (ptrdiff_t i = width; i < stored; i++) out[i] = 0;
    }
}

static void GEMM_NAME(pack_lanes)(ptrdiff_t width, ptrdiff_t stored, ptrdiff_t depth, const void *const *given,
                                  ptrdiff_t ks, void *packed) {
    const T *const *places = (const T *const *)given;
    cyops_gemm_piece pieces[2 * LANES];
    ptrdiff_t count = GEMM_NAME(find_pieces)(width, places, pieces);
    if ((ks != 1 && ks != -1) || depth < PIECE || count <= 2) {
        GEMM_NAME(pack_pieces)(count, pieces, width, stored, depth, ks, packed);
        return;
    }
    const T *rows[2 * LANES], *zeros = (const T *)cyops_gemm_zeros + (ks < 0 ? depth - 1 : 0);
    for (ptrdiff_t i = 0; i < 2 * LANES; i++) rows[i] = i < width && places[i] != NULL ? places[i] : zeros;
    GEMM_NAME(transpose_rows)(1, width, stored, depth, rows, ks, packed);
}
