/* gemm_vector.h for any CPU: the compiler's 16-byte vectors, which every platform has or imitates. No fused
 * multiply-add, so the last bits differ from the other instruction sets. */
#define MR 4
#define LANES (16 / (int)sizeof(T))
#define PIECE 2
#define VEC GEMM_NAME(vector)
#define MASK ptrdiff_t

typedef T VEC __attribute__((vector_size(16), aligned(1), may_alias));

CYOPS_INLINE VEC GEMM_NAME(set1)(T x) {
#if T_IS_F32
    return (VEC){x, x, x, x};
#else
    return (VEC){x, x};
#endif
}

CYOPS_INLINE VEC GEMM_NAME(load_masked)(const T *p, ptrdiff_t n) {
    VEC v = GEMM_NAME(set1)(0);
    for (ptrdiff_t i = 0; i < n; i++) v[i] = p[i];
    return v;
}

CYOPS_INLINE void GEMM_NAME(store_masked)(T *p, ptrdiff_t n, VEC v) {
    for (ptrdiff_t i = 0; i < n; i++) p[i] = v[i];
}

CYOPS_INLINE VEC GEMM_NAME(relu)(VEC v) {
    for (int i = 0; i < LANES; i++) v[i] = v[i] < 0 ? 0 : v[i];
    return v;
}

#define ZERO() GEMM_NAME(set1)(0)
#define SET1(x) GEMM_NAME(set1)(x)
#define LOAD(p) (*(const VEC *)(p))
#define STORE(p, v) (*(VEC *)(p) = (v))
#define FMA(a, b, c) ((a) * (b) + (c))
#define ADD(a, b) ((a) + (b))
#define RELU(x) GEMM_NAME(relu)(x)
#define MASK_OF(n) (n)
#define LOAD_MASKED(p, mask) GEMM_NAME(load_masked)(p, mask)
#define STORE_MASKED(p, mask, v) GEMM_NAME(store_masked)(p, mask, v)
#define KEEP(mask, v) GEMM_NAME(load_masked)((const T *)&(v), mask)

CYOPS_INLINE void GEMM_NAME(transpose_pieces)(const T *const *rows, ptrdiff_t k, VEC *out) {
    for (int i = 0; i < LANES; i++) {
        out[0][i] = rows[i][k];
        out[1][i] = rows[i][k + 1];
    }
}

CYOPS_INLINE VEC GEMM_NAME(load_reversed)(const T *p, ptrdiff_t n) {
    VEC v = ZERO();
    for (ptrdiff_t i = 0; i < n; i++) v[i] = p[-i];
    return v;
}

CYOPS_INLINE VEC GEMM_NAME(load_every_second)(const T *p, ptrdiff_t n) {
    VEC v = ZERO();
    for (ptrdiff_t i = 0; i < n; i++) v[i] = p[2 * i];
    return v;
}
