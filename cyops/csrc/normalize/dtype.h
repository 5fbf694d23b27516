/* The kernels of batch normalization of one dtype. A template: no include guard.
 *
 * Expects T and SUFFIX (f32 or f64). Across: the lanes of a row are channels. Along: they are elements of one channel.
 * A tile is short enough that a sum of T's is as good as its inputs; tiles are joined in double precision.
 */
#define CHANNEL_NAME(name) ISA_NAME(CYOPS_JOIN(CYOPS_JOIN(channel, name), SUFFIX))
#define CHANNEL_VECTORS 4   /* at a time, so that the waits of an addition are filled */
#define CHANNEL_PIECE 4096  /* lanes of a long row that are taken twice while they are in the cache */

CYOPS_INLINE VEC CHANNEL_NAME(read)(const void *p, ptrdiff_t at, ptrdiff_t n) {
    return n == LANES ? V(load)((const T *)p + at) : V(load_masked)((const T *)p + at, V(mask_of)(n));
}

CYOPS_INLINE void CHANNEL_NAME(write_doubles)(double *to, VEC v, ptrdiff_t n) {
    T lanes[LANES];
    V(store)(lanes, v);
    for (ptrdiff_t l = 0; l < n; l++) to[l] = (double)lanes[l];
}

#define CHANNEL_ROW(k) ((const T *)tile->data[k] + row * tile->strides[k])

/* `count` vectors of channels, n lanes of each. */
CYOPS_INLINE void CHANNEL_NAME(moments_of)(const cyops_channel_tile *tile, ptrdiff_t at, const int count, ptrdiff_t n,
                                           double *means, double *squares) {
    const VEC rows = V(set1)((T)tile->rows);
    VEC sum[CHANNEL_VECTORS], mean[CHANNEL_VECTORS], square[CHANNEL_VECTORS], drift[CHANNEL_VECTORS];
    for (int v = 0; v < count; v++) sum[v] = square[v] = drift[v] = V(zero)();
    for (ptrdiff_t row = 0; row < tile->rows; row++)
        for (int v = 0; v < count; v++)
            sum[v] = sum[v] + CHANNEL_NAME(read)(CHANNEL_ROW(CYOPS_NORMALIZE_X), at + v * LANES, n);
    for (int v = 0; v < count; v++) mean[v] = sum[v] / rows;
    for (ptrdiff_t row = 0; row < tile->rows; row++)
        for (int v = 0; v < count; v++) {
            const VEC apart = CHANNEL_NAME(read)(CHANNEL_ROW(CYOPS_NORMALIZE_X), at + v * LANES, n) - mean[v];
            square[v] = V(fma)(apart, apart, square[v]);
            drift[v] = drift[v] + apart;
        }
    for (int v = 0; v < count; v++) { /* what the mean was off by its rounding */
        mean[v] = mean[v] + drift[v] / rows;
        square[v] = square[v] - drift[v] * drift[v] / rows;
        CHANNEL_NAME(write_doubles)(means + at + v * LANES, mean[v], n);
        CHANNEL_NAME(write_doubles)(squares + at + v * LANES, square[v], n);
    }
}

CYOPS_INLINE void CHANNEL_NAME(sums_of)(const cyops_channel_tile *tile, ptrdiff_t at, const int count, ptrdiff_t n,
                                        double *sums, double *products) {
    VEC sum[CHANNEL_VECTORS], product[CHANNEL_VECTORS], mean[CHANNEL_VECTORS];
    for (int v = 0; v < count; v++) {
        sum[v] = product[v] = V(zero)();
        mean[v] = CHANNEL_NAME(read)(tile->mean, at + v * LANES, n);
    }
    for (ptrdiff_t row = 0; row < tile->rows; row++)
        for (int v = 0; v < count; v++) {
            const VEC d = CHANNEL_NAME(read)(CHANNEL_ROW(CYOPS_NORMALIZE_D), at + v * LANES, n);
            const VEC x = CHANNEL_NAME(read)(CHANNEL_ROW(CYOPS_NORMALIZE_X), at + v * LANES, n);
            sum[v] = sum[v] + d;
            product[v] = V(fma)(d, x - mean[v], product[v]);
        }
    for (int v = 0; v < count; v++) {
        CHANNEL_NAME(write_doubles)(sums + at + v * LANES, sum[v], n);
        CHANNEL_NAME(write_doubles)(products + at + v * LANES, product[v], n);
    }
}

/* The steps of a row of channels: several vectors, one, and what is left. */
#define EACH_CHANNEL_STEP(call)                                                          \
    ptrdiff_t at = 0;                                                                    \
    for (; at + CHANNEL_VECTORS * LANES <= tile->lanes; at += CHANNEL_VECTORS * LANES) { \
        const int count = CHANNEL_VECTORS;                                               \
        const ptrdiff_t n = LANES;                                                       \
        call;                                                                            \
    }                                                                                    \
    for (; at + 2 * LANES <= tile->lanes; at += 2 * LANES) {                             \
        const int count = 2;                                                             \
        const ptrdiff_t n = LANES;                                                       \
        call;                                                                            \
    }                                                                                    \
    for (; at < tile->lanes; at += LANES) {                                              \
        const int count = 1;                                                             \
        const ptrdiff_t left = tile->lanes - at, n = left < LANES ? left : LANES;        \
        call;                                                                            \
    }

static void CHANNEL_NAME(moments_across)(const cyops_channel_tile *tile, double *means, double *squares) {
    EACH_CHANNEL_STEP(CHANNEL_NAME(moments_of)(tile, at, count, n, means, squares))
}

static void CHANNEL_NAME(sums_across)(const cyops_channel_tile *tile, double *sums, double *products){
    EACH_CHANNEL_STEP(CHANNEL_NAME(sums_of)(tile, at, count, n, sums, products))}

/* Rows [0, rows) of the vectors of channels at `at`: the numbers of a channel are read once. */
CYOPS_INLINE
    void CHANNEL_NAME(normalize_of)(const cyops_channel_tile *tile, ptrdiff_t row, ptrdiff_t at, const int has_d,
                                    ptrdiff_t n, VEC mean, VEC slope, VEC factor, VEC offset) {
    VEC value = V(fma)(CHANNEL_NAME(read)(CHANNEL_ROW(CYOPS_NORMALIZE_X), at, n) - mean, slope, offset);
    if (has_d) value = V(fma)(CHANNEL_NAME(read)(CHANNEL_ROW(CYOPS_NORMALIZE_D), at, n), factor, value);
    T *out = (T *)tile->data[CYOPS_NORMALIZE_OUT] + row * tile->strides[CYOPS_NORMALIZE_OUT] + at;
    if (n == LANES)
        V(store)(out, value);
    else
        V(store_masked)(out, V(mask_of)(n), value);
}

CYOPS_INLINE void CHANNEL_NAME(rows_across)(const cyops_channel_tile *tile, const int has_d) {
    for (ptrdiff_t row = 0; row < tile->rows; row++)
        for (ptrdiff_t at = 0; at < tile->lanes; at += LANES) {
            const ptrdiff_t left = tile->lanes - at, n = left < LANES ? left : LANES;
            CHANNEL_NAME(normalize_of)(
                tile, row, at, has_d, n, CHANNEL_NAME(read)(tile->mean, at, n), CHANNEL_NAME(read)(tile->slope, at, n),
                has_d ? CHANNEL_NAME(read)(tile->factor, at, n) : V(zero)(), CHANNEL_NAME(read)(tile->offset, at, n));
        }
}

static void CHANNEL_NAME(normalize_across)(const cyops_channel_tile *tile) {
    if (tile->data[CYOPS_NORMALIZE_D] != NULL)
        CHANNEL_NAME(rows_across)(tile, 1);
    else
        CHANNEL_NAME(rows_across)(tile, 0);
}

/* -- rows of one channel ------------------------------------------------------------------------------------------ */
CYOPS_INLINE VEC CHANNEL_NAME(added)(VEC sum, VEC apart, const int is_square) {
    if (is_square) return V(fma)(apart, apart, sum);
    return sum + apart;
}

CYOPS_INLINE T CHANNEL_NAME(sum_of_row)(const T *x, ptrdiff_t lanes, T mean, const int is_square) {
    VEC sum[CHANNEL_VECTORS];
    const VEC centre = V(set1)(mean);
    ptrdiff_t at = 0;
    for (int v = 0; v < CHANNEL_VECTORS; v++) sum[v] = V(zero)();
    for (; at + CHANNEL_VECTORS * LANES <= lanes; at += CHANNEL_VECTORS * LANES)
        for (int v = 0; v < CHANNEL_VECTORS; v++) {
            const VEC apart = V(load)(x + at + v * LANES) - centre;
            sum[v] = CHANNEL_NAME(added)(sum[v], apart, is_square);
        }
    for (; at < lanes; at += LANES) {
        const ptrdiff_t left = lanes - at, n = left < LANES ? left : LANES;
        const VEC apart = V(keep)(V(mask_of)(n), CHANNEL_NAME(read)(x, at, n) - centre);
        sum[0] = CHANNEL_NAME(added)(sum[0], apart, is_square);
    }
    return V(sum)((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

static void CHANNEL_NAME(moments_along)(const cyops_channel_tile *tile, double *means, double *squares) {
    double count = 0, mean = 0, square = 0;
    for (ptrdiff_t row = 0; row < tile->rows; row++)
        for (ptrdiff_t first = 0; first < tile->lanes; first += CHANNEL_PIECE) {
            const ptrdiff_t left = tile->lanes - first, n = left < CHANNEL_PIECE ? left : CHANNEL_PIECE;
            const T *x = CHANNEL_ROW(CYOPS_NORMALIZE_X) + first;
            const T own = CHANNEL_NAME(sum_of_row)(x, n, 0, 0) / (T)n;
            const double drift = (double)CHANNEL_NAME(sum_of_row)(x, n, own, 0) /
                                 (double)n; /* of own, by its rounding */
            const double apart = (double)own + drift - mean, joined = count + (double)n;
            square += (double)CHANNEL_NAME(sum_of_row)(x, n, own, 1) - drift * drift * (double)n;
            square += apart * apart * (count * (double)n / joined);
            mean += apart * ((double)n / joined);
            count = joined;
        }
    *means = mean;
    *squares = square;
}

static void CHANNEL_NAME(sums_along)(const cyops_channel_tile *tile, double *sums, double *products) {
    const T mean = *(const T *)tile->mean;
    double total = 0, total_product = 0;
    for (ptrdiff_t row = 0; row < tile->rows; row++)
        for (ptrdiff_t first = 0; first < tile->lanes; first += CHANNEL_PIECE) {
            const ptrdiff_t left = tile->lanes - first, end = first + (left < CHANNEL_PIECE ? left : CHANNEL_PIECE);
            VEC sum[2] = {V(zero)(), V(zero)()}, product[2] = {V(zero)(), V(zero)()};
            int v = 0;
            for (ptrdiff_t at = first; at < end; at += LANES, v ^= 1) {
                const ptrdiff_t rest = end - at, n = rest < LANES ? rest : LANES;
                const VEC d = CHANNEL_NAME(read)(CHANNEL_ROW(CYOPS_NORMALIZE_D), at, n);
                const VEC x = CHANNEL_NAME(read)(CHANNEL_ROW(CYOPS_NORMALIZE_X), at, n);
                sum[v] = sum[v] + d;
                product[v] = V(fma)(d, x - V(set1)(mean), product[v]); /* d is 0 beyond the end */
            }
            total += (double)V(sum)(sum[0] + sum[1]);
            total_product += (double)V(sum)(product[0] + product[1]);
        }
    *sums = total;
    *products = total_product;
}

CYOPS_INLINE void CHANNEL_NAME(rows_along)(const cyops_channel_tile *tile, const int has_d) {
    const VEC mean = V(set1)(*(const T *)tile->mean), slope = V(set1)(*(const T *)tile->slope);
    const VEC factor = has_d ? V(set1)(*(const T *)tile->factor) : V(zero)();
    const VEC offset = V(set1)(*(const T *)tile->offset);
    for (ptrdiff_t row = 0; row < tile->rows; row++)
        for (ptrdiff_t at = 0; at < tile->lanes; at += LANES) {
            const ptrdiff_t left = tile->lanes - at, n = left < LANES ? left : LANES;
            CHANNEL_NAME(normalize_of)(tile, row, at, has_d, n, mean, slope, factor, offset);
        }
}

static void CHANNEL_NAME(normalize_along)(const cyops_channel_tile *tile) {
    if (tile->data[CYOPS_NORMALIZE_D] != NULL)
        CHANNEL_NAME(rows_along)(tile, 1);
    else
        CHANNEL_NAME(rows_along)(tile, 0);
}
