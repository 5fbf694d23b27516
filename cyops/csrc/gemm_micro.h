/* GEMM micro-kernels: a tile of m rows by NR columns of C held in registers while k runs. Template: see gemm_vector.h.
 *
 * Each element of C is one chain of fused multiply-adds in ascending k, so neither the tile it falls into nor the
 * instruction set (with FMA) changes its bits. Rows of A are broadcast, rows of B loaded as vectors. m is a constant in
 * each instance: panels are cut into nearly equal heights instead of being padded.
 */

#define UNROLLED _Pragma("GCC unroll 14") for

/* The sum over k of a[i, k] b[k, :] for m rows and nv vectors, added to acc. A row's address is one of five pointers
 * plus 0, 1 or 2 times rs_a, which x86 addresses directly: 14 pointers would not fit its registers. */
CYOPS_INLINE void GEMM_NAME(multiply_tile)(const int m, const int nv, const int masked, const cyops_gemm_panel *p,
                                           const char *row_b, MASK last, VEC acc[MR][2]) {
    const ptrdiff_t rs_a = p->rs_a, cs_a = p->cs_a, rs_b = p->rs_b;
    const char *a[(MR + 2) / 3];
    UNROLLED(int i = 0; i < m; i += 3) a[i / 3] = (const char *)p->a + i * rs_a;
    _Pragma("GCC unroll 2") for (ptrdiff_t k = p->k; k > 0; k--) {
        const T *b = (const T *)row_b;
        VEC b0 = nv == 1 && masked ? LOAD_MASKED(b, last) : LOAD(b), b1;
        if (nv == 2) b1 = masked ? LOAD_MASKED(b + LANES, last) : LOAD(b + LANES);
        row_b += rs_b;
        UNROLLED(int i = 0; i < m; i++) {
            VEC x = SET1(*(const T *)(a[i / 3] + i % 3 * rs_a));
            acc[i][0] = FMA(x, b0, acc[i][0]);
            if (nv == 2) acc[i][1] = FMA(x, b1, acc[i][1]);
        }
        UNROLLED(int i = 0; i < m; i += 3) a[i / 3] += cs_a;
    }
}

/* Row i of a tile that lies at x, vector v; the last vector may be partial. */
#define TILE_ROW(x, rs, i) ((T *)((char *)(x) + (i) * (rs)))
#define LOAD_VECTOR(row, v) \
    (masked && (v) == nv - 1 ? LOAD_MASKED((row) + (v) * LANES, last) : LOAD((row) + (v) * LANES))
#define EACH_VECTOR UNROLLED(int i = 0; i < m; i++) for (int v = 0; v < nv; v++)

CYOPS_INLINE void GEMM_NAME(tile)(const int m, const int nv, const int masked, const cyops_gemm_panel *p,
                                  ptrdiff_t panel, MASK last) {
    const ptrdiff_t column = panel * NR;
    T *c = (T *)p->c + column;
    VEC acc[MR][2];
    if (p->start == NULL)
        EACH_VECTOR acc[i][v] = ZERO();
    else
        EACH_VECTOR acc[i][v] = LOAD_VECTOR(TILE_ROW(p->start, p->rs_start, i) + column, v);
    GEMM_NAME(multiply_tile)(m, nv, masked, p, (const char *)p->b + panel * p->ps_b, last, acc);
    if (p->flags & CYOPS_GEMM_ADD) EACH_VECTOR acc[i][v] = ADD(LOAD_VECTOR(TILE_ROW(c, p->rs_c, i), v), acc[i][v]);
    if (p->bias != NULL) EACH_VECTOR acc[i][v] = ADD(acc[i][v], LOAD_VECTOR((const T *)p->bias + column, v));
    if (p->flags & CYOPS_GEMM_RELU) EACH_VECTOR acc[i][v] = RELU(acc[i][v]);
    EACH_VECTOR {
        T *q = TILE_ROW(c, p->rs_c, i) + v * LANES;
        if (masked && v == nv - 1)
            STORE_MASKED(q, last, acc[i][v]);
        else
            STORE(q, acc[i][v]);
    }
}

/* m rows of C, all columns. */
CYOPS_INLINE void GEMM_NAME(panel)(const int m, const cyops_gemm_panel *p) {
    ptrdiff_t full = p->n / NR, rest = p->n % NR;
    for (ptrdiff_t j = 0; j < full; j++) GEMM_NAME(tile)(m, 2, 0, p, j, MASK_OF(0));
    if (rest > LANES)
        GEMM_NAME(tile)(m, 2, 1, p, full, MASK_OF(rest - LANES));
    else if (rest > 0)
        GEMM_NAME(tile)(m, 1, 1, p, full, MASK_OF(rest));
}

#define PANEL_OF(m) \
    static void GEMM_NAME(panel_##m)(const cyops_gemm_panel *p) { GEMM_NAME(panel)(m, p); }
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

#undef UNROLLED
#undef TILE_ROW
#undef LOAD_VECTOR
#undef EACH_VECTOR
#undef PANEL_OF
