/* The words of simd/vector.h for any CPU: the compiler's 16-byte vectors, which every platform has or imitates. No
 * fused multiply-add, so the last bits differ from the other instruction sets. A template of one dtype.
 */
#define VECTOR_BYTES 16
#define MR 4
#define ROWS_FROM_MEMORY 0
#define HAS_FMA 0
#define HAS_HALVES 0
#define HAS_STREAMS 0
#define HAS_WIDE_PRODUCTS 0
#define STREAM_BYTES 1

typedef T VEC __attribute__((vector_size(VECTOR_BYTES)));
typedef ptrdiff_t MASK;

CYOPS_INLINE VEC V(set1)(T x) {
    VEC v;
    for (int l = 0; l < LANES; l++) v[l] = x;
    return v;
}

CYOPS_INLINE VEC V(zero)(void) { return V(set1)(0); }

CYOPS_INLINE VEC V(load)(const T *p) {
    VEC v;
    memcpy(&v, p, sizeof v);
    return v;
}

CYOPS_INLINE void V(store)(T *p, VEC v) { memcpy(p, &v, sizeof v); }

CYOPS_INLINE VEC V(fma)(VEC a, VEC b, VEC c) { return a * b + c; }
CYOPS_INLINE VEC V(fma_from_memory)(const T *p, VEC b, VEC c) { return V(set1)(*p) * b + c; }

CYOPS_INLINE VEC V(larger)(VEC a, VEC b) {
    for (int l = 0; l < LANES; l++) a[l] = a[l] > b[l] ? a[l] : b[l];
    return a;
}

/* What C's comparison of two vectors gives: all bits of a lane. */
typedef __typeof__((VEC){0} == (VEC){0}) TRUTHS;

CYOPS_INLINE TRUTHS V(equals)(VEC a, VEC b) { return a == b; }
CYOPS_INLINE TRUTHS V(exceeds)(VEC a, VEC b) { return ~(a <= b) & (b == b); }
CYOPS_INLINE VEC V(choose)(TRUTHS choice, VEC a, VEC b) { return (VEC)(((TRUTHS)a & choice) | ((TRUTHS)b & ~choice)); }

CYOPS_INLINE VEC V(load_bytes)(const uint8_t *p) {
    VEC v;
    for (int l = 0; l < LANES; l++) v[l] = p[l];
    return v;
}

CYOPS_INLINE void V(store_bytes)(uint8_t *p, VEC v) {
    for (int l = 0; l < LANES; l++) p[l] = (uint8_t)v[l];
}

CYOPS_INLINE MASK V(mask_of)(ptrdiff_t n) { return n; }

CYOPS_INLINE VEC V(load_or)(const T *p, MASK n, VEC v) {
    for (ptrdiff_t l = 0; l < n; l++) v[l] = p[l];
    return v;
}

CYOPS_INLINE VEC V(load_masked)(const T *p, MASK n) { return V(load_or)(p, n, V(zero)()); }

CYOPS_INLINE void V(store_masked)(T *p, MASK n, VEC v) {
    for (ptrdiff_t l = 0; l < n; l++) p[l] = v[l];
}

CYOPS_INLINE VEC V(keep)(MASK n, VEC v) {
    for (ptrdiff_t l = n; l < LANES; l++) v[l] = 0;
    return v;
}

CYOPS_INLINE VEC V(load_reversed)(const T *p, ptrdiff_t n) {
    VEC v = V(zero)();
    for (ptrdiff_t l = 0; l < n; l++) v[l] = p[-l];
    return v;
}

CYOPS_INLINE VEC V(load_every_second)(const T *p, ptrdiff_t n) {
    VEC v = V(zero)();
    for (ptrdiff_t l = 0; l < n; l++) v[l] = p[2 * l];
    return v;
}

CYOPS_INLINE void V(transpose_pieces)(const T *const *rows, ptrdiff_t k, VEC *out) {
    for (int l = 0; l < LANES; l++)
        for (int column = 0; column < PIECE; column++) out[column][l] = rows[l][k + column];
}

#include "simd/tree.h"
