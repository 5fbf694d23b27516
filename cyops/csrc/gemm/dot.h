/* Matrix-vector kernels: sums of products along k, for the products with one column. Template: see simd/vector.h.
 *
 * A row's sum is PARTS partial sums, one for each k modulo PARTS, added at the end in a fixed tree. Where k runs along
 * memory the parts are the lanes of four vectors; where the rows do, each part is an array with an element a row.
 * Either way the additions of a row are the same, so its bits do not depend on the layout.
 */
#define PARTS (4 * LANES)
#define DOT_ROWS (MR > 6 ? 4 : 2) /* summed side by side, to load x once for all: as many as there are registers for */
#define STRIP ((MR > 6 ? 16 : 8) * LANES) /* rows of a strip: its sums are half the registers */

/* The sum of each array of PARTS numbers that lies in parts[0][i], parts[1][i], ... for i < width. Overwrites them. */
CYOPS_INLINE void GEMM_NAME(add_parts)(T *parts, ptrdiff_t stride, ptrdiff_t width, double *sums) {
    for (int j = 0; j < LANES; j++)
        for (ptrdiff_t i = 0; i < width; i++) {
            T *part = parts + j * stride + i;
            part[0] = (part[0] + part[LANES * stride]) + (part[2 * LANES * stride] + part[3 * LANES * stride]);
        }
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++)
            for (ptrdiff_t i = 0; i < width; i++) parts[j * stride + i] += parts[(j + half) * stride + i];
    for (ptrdiff_t i = 0; i < width; i++) sums[i] += parts[i];
}

/* sums[i] += a[i, :] . x for a few rows. Element (i, k) of a is at a + i * rs_a + k / NR * ps_a + k % NR * itemsize. */
CYOPS_INLINE void GEMM_NAME(dot_rows)(const int rows, ptrdiff_t k, const char *a, ptrdiff_t rs_a, ptrdiff_t ps_a,
                                      const T *x, double *sums) {
    VEC acc[DOT_ROWS][4];
    for (int i = 0; i < rows; i++) acc[i][0] = acc[i][1] = acc[i][2] = acc[i][3] = V(zero)();
    for (; k >= PARTS; k -= PARTS, a += 2 * ps_a, x += PARTS) {
        for (int v = 0; v < 4; v++) {
            VEC xv = V(load)(x + v * LANES);
            for (int i = 0; i < rows; i++)
                acc[i][v] = V(fma)(V(load)((const T *)(a + i * rs_a + v / 2 * ps_a) + v % 2 * LANES), xv, acc[i][v]);
        }
    }
    for (int v = 0; v < 4 && k > 0; v++, k -= LANES) {
        MASK last = V(mask_of)(k < LANES ? k : LANES);
        VEC xv = V(load_masked)(x + v * LANES, last);
        for (int i = 0; i < rows; i++) {
            const T *row = (const T *)(a + i * rs_a + v / 2 * ps_a) + v % 2 * LANES;
            acc[i][v] = V(fma)(V(load_masked)(row, last), xv, acc[i][v]);
        }
    }
    for (int i = 0; i < rows; i++) {
        VEC sum = (acc[i][0] + acc[i][1]) + (acc[i][2] + acc[i][3]);
        sums[i] += V(sum)(sum);
    }
}

static void GEMM_NAME(dot)(ptrdiff_t m, ptrdiff_t k, const void *a, ptrdiff_t rs_a, ptrdiff_t ps_a, const void *x,
                           double *sums) {
    const char *row = a;
    for (; m >= DOT_ROWS; m -= DOT_ROWS, row += DOT_ROWS * rs_a, sums += DOT_ROWS)
        GEMM_NAME(dot_rows)(DOT_ROWS, k, row, rs_a, ps_a, x, sums);
    for (; m > 0; m--, row += rs_a, sums++) GEMM_NAME(dot_rows)(1, k, row, rs_a, ps_a, x, sums);
}

/* parts[p % PARTS] = the products of column p of a strip of rows, summed over all p with that remainder. One remainder
 * after the other, so that its sums stay in registers. */
CYOPS_INLINE void GEMM_NAME(multiply_strip)(ptrdiff_t width, ptrdiff_t k, const char *a, ptrdiff_t cs_a, const T *x,
                                            T parts[PARTS][STRIP]) {
    ptrdiff_t vectors = width / LANES;
    MASK last = V(mask_of)(width % LANES);
    for (ptrdiff_t r = 0; r < PARTS; r++) {
        VEC acc[STRIP / LANES];
        for (int v = 0; v < STRIP / LANES; v++) acc[v] = V(zero)();
        for (ptrdiff_t p = r; p < k; p += PARTS) {
            const T *column = (const T *)(a + p * cs_a);
            VEC xv = V(set1)(x[p]);
            if (width == STRIP) {
                for (int v = 0; v < STRIP / LANES; v++) acc[v] = V(fma)(V(load)(column + v * LANES), xv, acc[v]);
            } else {
                for (int v = 0; v < STRIP / LANES; v++)
                    if (v < vectors)
                        acc[v] = V(fma)(V(load)(column + v * LANES), xv, acc[v]);
                    else if (v == vectors)
                        acc[v] = V(fma)(V(load_masked)(column + v * LANES, last), xv, acc[v]);
            }
        }
        for (int v = 0; v < STRIP / LANES; v++) V(store)(parts[r] + v * LANES, acc[v]);
    }
}

/* The same where the rows lie side by side: rs_a is one element, cs_a bytes lead from one k to the next. */
static void GEMM_NAME(dot_columns)(ptrdiff_t m, ptrdiff_t k, const void *a, ptrdiff_t cs_a, const void *x,
                                   double *sums) {
    _Alignas(64) T parts[PARTS][STRIP];
    for (ptrdiff_t first = 0; first < m; first += STRIP) {
        ptrdiff_t width = m - first < STRIP ? m - first : STRIP;
        GEMM_NAME(multiply_strip)(width, k, (const char *)((const T *)a + first), cs_a, x, parts);
        GEMM_NAME(add_parts)(&parts[0][0], STRIP, width, sums + first);
    }
}
