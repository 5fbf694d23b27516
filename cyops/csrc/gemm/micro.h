/* GEMM micro-kernels: a tile of m rows by NR columns of C held in registers while k runs. See simd/vector.h.
 *
 * Each element of C is one chain of fused multiply-adds in ascending k, so neither the tile it falls into nor the
 * instruction set (with FMA) changes its bits. Rows of A are broadcast, rows of B loaded as vectors. m is a constant in
 * each instance: panels are cut into nearly equal heights instead of being padded.
 */

#define UNROLLED _Pragma("GCC unroll 16") for
#define EACH_TILE_ROW UNROLLED(int i = 0; i < m; i++)
#define EACH_VECTOR UNROLLED(int v = 0; v < nv; v++)
#define MOST_VECTORS 16

#define TILE_ROW(x, rs, i) ((T *)((char *)(x) + (i) * (rs)))
#define LOAD_VECTOR(row, v) \
    (masked && (v) == nv - 1 ? V(load_masked)((row) + (v) * LANES, last) : V(load)((row) + (v) * LANES))

/* The sum over k of a[i, k] b[k, :] for m rows and nv vectors, added to acc. Where A is packed, its elements lie in the
 * order of their use. Elsewhere a row's address is one of five pointers plus 0, 1 or 2 times rs_a, which x86 addresses
 * directly: 14 pointers would not fit its registers. The rows of B are fetched ahead, for they may lie anywhere in
 * memory: docs/kernels.md, Matrix products. With a table, each begins `from` bytes after what that says. */
CYOPS_INLINE void GEMM_NAME(multiply_tile)(const int m, const int nv, const int masked, const int packed,
                                           const int has_table, const cyops_gemm_panel *p, const char *row_b,
                                           ptrdiff_t from, MASK last, VEC *acc) {
    const ptrdiff_t rs_a = p->rs_a, cs_a = packed ? m * (ptrdiff_t)sizeof(T) : p->cs_a, rs_b = p->rs_b;
    const void *const *rows = p->rows_b;
    const char *a[(MR + 2) / 3];
    UNROLLED(int i = 0; i < m; i += 3) a[i / 3] = (const char *)p->a + i * rs_a;
    _Pragma("GCC unroll 2") for (ptrdiff_t k = p->k; k > 0; k--) {
        VEC b[MOST_VECTORS];
        if (has_table) row_b = (const char *)*rows++ + from;
        EACH_VECTOR b[v] = LOAD_VECTOR((const T *)row_b, v);
        if (!has_table && (m > 3 || m == 1))
            EACH_VECTOR if (v * sizeof(VEC) % 64 == 0) __builtin_prefetch(row_b + 8 * rs_b + v * sizeof(VEC));
        if (!has_table) row_b += rs_b;
        EACH_TILE_ROW {
            const T *element = packed ? (const T *)a[0] + i : (const T *)(a[i / 3] + i % 3 * rs_a);
            if (packed && i < ROWS_FROM_MEMORY) {
                EACH_VECTOR acc[i * nv + v] = V(fma_from_memory)(element, b[v], acc[i * nv + v]);
            } else {
                VEC x = V(set1)(*element);
                EACH_VECTOR acc[i * nv + v] = V(fma)(x, b[v], acc[i * nv + v]);
            }
        }
        UNROLLED(int i = 0; i < m; i += 3) a[i / 3] += cs_a;
    }
}

/* m rows of C, columns [column, column + nv * LANES), the last vector of them perhaps partial. */
CYOPS_INLINE void GEMM_NAME(tile)(const int m, const int nv, const int masked, const int has_table,
                                  const cyops_gemm_panel *p, ptrdiff_t column, MASK last) {
    T *c = (T *)p->c + column;
    VEC acc[2 * MR];
    if (p->start == NULL)
        EACH_TILE_ROW EACH_VECTOR acc[i * nv + v] = V(zero)();
    else
        EACH_TILE_ROW EACH_VECTOR acc[i * nv + v] = LOAD_VECTOR(TILE_ROW(p->start, p->rs_start, i) + column, v);
    const ptrdiff_t from = p->ps_b + column * (ptrdiff_t)sizeof(T);
    const char *b = has_table ? NULL : (const char *)p->b + column / NR * p->ps_b + column % NR * sizeof(T);
    /* C, which is read after the sum, comes meanwhile: docs/kernels.md, Matrix products. */
    if (m > 3 && p->flags & CYOPS_GEMM_ADD)
        EACH_TILE_ROW EACH_VECTOR if (v * sizeof(VEC) % 64 == 0)
            __builtin_prefetch(TILE_ROW(c, p->rs_c, i) + v * LANES, 1);
    if (has_table)
        GEMM_NAME(multiply_tile)(m, nv, masked, 1, 1, p, b, from, last, acc);
    else if (m > 3 && p->rs_a == sizeof(T) && p->cs_a == m * (ptrdiff_t)sizeof(T))
        GEMM_NAME(multiply_tile)(m, nv, masked, 1, 0, p, b, from, last, acc);
    else
        GEMM_NAME(multiply_tile)(m, nv, masked, 0, 0, p, b, from, last, acc);
    if (p->flags & CYOPS_GEMM_ADD)
        EACH_TILE_ROW EACH_VECTOR acc[i * nv + v] = LOAD_VECTOR(TILE_ROW(c, p->rs_c, i), v) + acc[i * nv + v];
    if (p->bias != NULL)
        EACH_TILE_ROW EACH_VECTOR acc[i * nv + v] = acc[i * nv + v] + LOAD_VECTOR((const T *)p->bias + column, v);
    if (p->row_bias != NULL) EACH_TILE_ROW {
            VEC x = V(set1)(((const T *)p->row_bias)[i]);
            EACH_VECTOR acc[i * nv + v] = acc[i * nv + v] + x;
        }
    /* In this order a NaN of the sum stays. */
    if (p->flags & CYOPS_GEMM_RELU) EACH_TILE_ROW EACH_VECTOR acc[i * nv + v] = V(larger)(V(zero)(), acc[i * nv + v]);
    EACH_TILE_ROW EACH_VECTOR {
        T *q = TILE_ROW(c, p->rs_c, i) + v * LANES;
        if (masked && v == nv - 1)
            V(store_masked)(q, last, acc[i * nv + v]);
        else
            V(store)(q, acc[i * nv + v]);
    }
}

/* m rows of C, all columns. With few rows a tile of two vectors has too few independent chains to hide the latency of
 * the multiply-add, and broadcasts each element of A for few of them; where b lies in place its panels are neighbours,
 * and a tile is wider. One row only reads B, widest of all: docs/kernels.md, Matrix products. */
CYOPS_INLINE void GEMM_NAME(panel)(const int m, const cyops_gemm_panel *p) {
    const int wide = m == 1 ? (MR > 6 ? 16 : 8) : m * 4 <= 2 * MR - 4 ? 4 : m * 3 < 2 * MR ? 3 : 2;
    ptrdiff_t column = 0, n = p->n;
    if (wide > 2 && p->ps_b == NR * (ptrdiff_t)sizeof(T))
        for (; n >= wide * LANES; n -= wide * LANES, column += wide * LANES)
            GEMM_NAME(tile)(m, wide, 0, 0, p, column, V(mask_of)(0));
    for (; n >= NR; n -= NR, column += NR) GEMM_NAME(tile)(m, 2, 0, 0, p, column, V(mask_of)(0));
    if (n > LANES)
        GEMM_NAME(tile)(m, 2, 1, 0, p, column, V(mask_of)(n - LANES));
    else if (n > 0)
        GEMM_NAME(tile)(m, 1, 1, 0, p, column, V(mask_of)(n));
}

/* The same with a table of the rows of b. */
CYOPS_INLINE void GEMM_NAME(table)(const int m, const cyops_gemm_panel *p) {
    ptrdiff_t column = 0, n = p->n;
    for (; n >= NR; n -= NR, column += NR) GEMM_NAME(tile)(m, 2, 0, 1, p, column, V(mask_of)(0));
    if (n > LANES)
        GEMM_NAME(tile)(m, 2, 1, 1, p, column, V(mask_of)(n - LANES));
    else if (n > 0)
        GEMM_NAME(tile)(m, 1, 1, 1, p, column, V(mask_of)(n));
}

#define PANEL_OF(m)                                                                         \
    static void GEMM_NAME(panel_##m)(const cyops_gemm_panel *p) { GEMM_NAME(panel)(m, p); } \
    static void GEMM_NAME(table_##m)(const cyops_gemm_panel *p) { GEMM_NAME(table)(m, p); }
PANEL_OF(1)
PANEL_OF(2)
PANEL_OF(3)
PANEL_OF(4)
#if MR > 4
PANEL_OF(5)
PANEL_OF(6)
#endif
#if MR > 6
PANEL_OF(7)
PANEL_OF(8)
PANEL_OF(9)
PANEL_OF(10)
PANEL_OF(11)
PANEL_OF(12)
PANEL_OF(13)
PANEL_OF(14)
#endif
