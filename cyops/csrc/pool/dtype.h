/* The pooling kernels of one dtype. A template: no include guard.
 *
 * Expects T and SUFFIX (f32 or f64). Along the axis of the vectors POOL_VECTORS are taken at a time, so that what a tap
 * costs beside its loads (its offset, its number) is shared, then one, of which some lanes may be left out. Taps come
 * in C order of the window, whatever the strides, so an element's bits depend on its window alone. Numbers of taps are
 * kept in lanes of T, which hold them exactly to 2^24.
 */
#define POOL_NAME(name) ISA_NAME(CYOPS_JOIN(CYOPS_JOIN(pool, name), SUFFIX))
#define POOL_VECTORS 4

/* n lanes from p on, a stride apart; 0 in the others. */
CYOPS_INLINE VEC POOL_NAME(read)(const T *p, ptrdiff_t stride, ptrdiff_t n) {
    if (stride == 1) return n == LANES ? V(load)(p) : V(load_masked)(p, V(mask_of)(n));
    if (stride == 2) return V(load_every_second)(p, n);
    if (stride == -1) return V(load_reversed)(p, n);
    T lanes[LANES] = {0};
    for (ptrdiff_t l = 0; l < n; l++) lanes[l] = p[l * stride];
    return V(load)(lanes);
}

CYOPS_INLINE void POOL_NAME(write)(T *p, ptrdiff_t stride, ptrdiff_t n, VEC v) {
    if (stride == 1) {
        if (n == LANES)
            V(store)(p, v);
        else
            V(store_masked)(p, V(mask_of)(n), v);
        return;
    }
    T lanes[LANES];
    V(store)(lanes, v);
    for (ptrdiff_t l = 0; l < n; l++) p[l * stride] = lanes[l];
}

CYOPS_INLINE VEC POOL_NAME(read_indices)(const cyops_pool_box *box, ptrdiff_t place, ptrdiff_t n) {
    const ptrdiff_t stride = box->index_strides[0];
    if (!box->has_bytes) return POOL_NAME(read)((const T *)box->indices + place, stride, n);
    const uint8_t *p = (const uint8_t *)box->indices + place;
    if (stride == 1 && n == LANES) return V(load_bytes)(p);
    uint8_t bytes[LANES] = {0};
    for (ptrdiff_t l = 0; l < n; l++) bytes[l] = p[l * stride];
    return V(load_bytes)(bytes);
}

CYOPS_INLINE void POOL_NAME(write_indices)(const cyops_pool_box *box, ptrdiff_t place, ptrdiff_t n, VEC v) {
    const ptrdiff_t stride = box->index_strides[0];
    if (!box->has_bytes) {
        POOL_NAME(write)((T *)box->indices + place, stride, n, v);
        return;
    }
    uint8_t *p = (uint8_t *)box->indices + place, bytes[LANES];
    if (stride == 1 && n == LANES) {
        V(store_bytes)(p, v);
        return;
    }
    V(store_bytes)(bytes, v);
    for (ptrdiff_t l = 0; l < n; l++) p[l * stride] = bytes[l];
}

/* One tap of `count` vectors; `kept` has the result so far and, for LARGEST_AT, `which` its number. */
CYOPS_INLINE void POOL_NAME(tap)(const int op, const int count, const cyops_pool_box *box, const T *x, ptrdiff_t place,
                                 ptrdiff_t n, ptrdiff_t t, VEC *kept, VEC *which) {
    const ptrdiff_t stride = box->x_strides[0];
    const VEC number = V(set1)((T)box->numbers[t]), weight = V(set1)((T)box->weights[t]);
    for (int v = 0; v < count; v++) {
        const VEC value = POOL_NAME(read)(x + box->offsets[t] + v * LANES * stride, stride, n);
        const ptrdiff_t index = place + v * LANES * box->index_strides[0];
        if (op == CYOPS_POOL_LARGEST || op == CYOPS_POOL_LARGEST_AT) {
            const TRUTHS wins = V(exceeds)(value, kept[v]);
            kept[v] = V(choose)(wins, value, kept[v]);
            if (op == CYOPS_POOL_LARGEST_AT) which[v] = V(choose)(wins, number, which[v]);
        } else if (op == CYOPS_POOL_CHOSEN) {
            kept[v] = V(choose)(V(equals)(which[v], number), value, kept[v]);
        } else if (op == CYOPS_POOL_PUT) {
            const VEC chosen = POOL_NAME(read_indices)(box, index + box->index_offsets[t], n);
            kept[v] = kept[v] + V(choose)(V(equals)(chosen, number), value, V(zero)());
        } else if (op == CYOPS_POOL_MEAN) {
            kept[v] = kept[v] + value;
        } else {
            kept[v] = V(fma)(value, weight, kept[v]);
        }
    }
}

/* `count` vectors of n lanes each, from lane `first` of a row on. */
CYOPS_INLINE void POOL_NAME(vectors)(const int op, const int count, const cyops_pool_box *box, ptrdiff_t row,
                                     ptrdiff_t first, ptrdiff_t n) {
    T *out = (T *)box->out + row * box->out_strides[1] + first * box->out_strides[0];
    const T *x = (const T *)box->x + row * box->x_strides[1] + first * box->x_strides[0];
    const ptrdiff_t place = row * box->index_strides[1] + first * box->index_strides[0];
    const int is_largest = op == CYOPS_POOL_LARGEST || op == CYOPS_POOL_LARGEST_AT;
    VEC kept[POOL_VECTORS], which[POOL_VECTORS];
    for (int v = 0; v < count; v++) {
        const ptrdiff_t on = v * LANES;
        kept[v] = V(zero)();
        which[v] = V(zero)();
        if (is_largest) kept[v] = POOL_NAME(read)(x + box->offsets[0] + on * box->x_strides[0], box->x_strides[0], n);
        if (op == CYOPS_POOL_LARGEST_AT) which[v] = V(set1)((T)box->numbers[0]);
        if (op == CYOPS_POOL_CHOSEN) which[v] = POOL_NAME(read_indices)(box, place + on * box->index_strides[0], n);
    }
    for (ptrdiff_t t = is_largest; t < box->taps; t++) POOL_NAME(tap)(op, count, box, x, place, n, t, kept, which);
    const T taps = (T)box->taps;
    const int is_power = (box->taps & (box->taps - 1)) == 0; /* whose reciprocal is exact */
    for (int v = 0; v < count; v++) {
        const ptrdiff_t on = v * LANES;
        if (op == CYOPS_POOL_MEAN) kept[v] = is_power ? kept[v] * V(set1)(1 / taps) : kept[v] / V(set1)(taps);
        POOL_NAME(write)(out + on * box->out_strides[0], box->out_strides[0], n, kept[v]);
        if (op == CYOPS_POOL_LARGEST_AT) POOL_NAME(write_indices)(box, place + on * box->index_strides[0], n, which[v]);
    }
}

CYOPS_INLINE void POOL_NAME(box)(const int op, const cyops_pool_box *box) {
    for (ptrdiff_t row = 0; row < box->rows; row++) {
        ptrdiff_t lane = 0;
        for (; lane + POOL_VECTORS * LANES <= box->lanes; lane += POOL_VECTORS * LANES)
            POOL_NAME(vectors)(op, POOL_VECTORS, box, row, lane, LANES);
        for (; lane + 2 * LANES <= box->lanes; lane += 2 * LANES) POOL_NAME(vectors)(op, 2, box, row, lane, LANES);
        for (; lane + LANES <= box->lanes; lane += LANES) POOL_NAME(vectors)(op, 1, box, row, lane, LANES);
        if (lane < box->lanes) POOL_NAME(vectors)(op, 1, box, row, lane, box->lanes - lane);
    }
}

/* The strides that nearly all boxes have are known to the compiler. */
CYOPS_INLINE void POOL_NAME(run)(const int op, const cyops_pool_box *given) {
    const int has_indices = op == CYOPS_POOL_LARGEST_AT || op == CYOPS_POOL_CHOSEN || op == CYOPS_POOL_PUT;
    cyops_pool_box box = *given;
    if (box.x_strides[0] != 1 || box.out_strides[0] != 1 || (has_indices && box.index_strides[0] != 1)) {
        POOL_NAME(box)(op, &box);
        return;
    }
    box.x_strides[0] = box.out_strides[0] = box.index_strides[0] = 1;
    POOL_NAME(box)(op, &box);
}

#define POOL_LOOP(OP, name) \
    static void POOL_NAME(name)(const cyops_pool_box *box) { POOL_NAME(run)(CYOPS_POOL_##OP, box); }
POOL_LOOP(LARGEST, largest)
POOL_LOOP(LARGEST_AT, largest_at)
POOL_LOOP(CHOSEN, chosen)
POOL_LOOP(PUT, put)
POOL_LOOP(MEAN, mean)
POOL_LOOP(WEIGHTED, weighted)
