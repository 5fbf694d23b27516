/* The words of simd/vector.h for aarch64, whose every CPU has NEON with fused multiply-add and float16 as storage: 32
 * registers of 16 bytes, 28 of them accumulators of the matrix product. A template of one dtype.
 *
 * A mask is a number of lanes, as in simd/generic.h: there are two or four, and no instruction that loads some of them.
 */
#define VECTOR_BYTES 16
#define MR 14
#define ROWS_FROM_MEMORY 0
#define HAS_FMA 1
#define HAS_HALVES 1
#define HAS_STREAMS 0
#define HAS_WIDE_PRODUCTS 0
#define STREAM_BYTES 1

#if T_IS_F32
#define OF(name) v##name##q_f32
typedef float32x4_t VEC;
typedef uint32x4_t TRUTHS; /* all bits of a lane */
#else
#define OF(name) v##name##q_f64
typedef float64x2_t VEC;
typedef uint64x2_t TRUTHS;
#endif
typedef ptrdiff_t MASK;

CYOPS_INLINE VEC V(set1)(T x) {
#if T_IS_F32
    return vdupq_n_f32(x);
#else
    return vdupq_n_f64(x);
#endif
}

CYOPS_INLINE VEC V(zero)(void) { return V(set1)(0); }
CYOPS_INLINE VEC V(load)(const T *p) { return OF(ld1)(p); }
CYOPS_INLINE void V(store)(T *p, VEC v) { OF(st1)(p, v); }
CYOPS_INLINE VEC V(fma)(VEC a, VEC b, VEC c) { return OF(fma)(c, a, b); }
CYOPS_INLINE VEC V(fma_from_memory)(const T *p, VEC b, VEC c) { return OF(fma)(c, V(set1)(*p), b); }

CYOPS_INLINE TRUTHS V(equals)(VEC a, VEC b) { return OF(ceq)(a, b); }
CYOPS_INLINE VEC V(choose)(TRUTHS choice, VEC a, VEC b) { return OF(bsl)(choice, a, b); }
CYOPS_INLINE TRUTHS V(exceeds)(VEC a, VEC b) { return ~OF(cle)(a, b) & OF(ceq)(b, b); }
CYOPS_INLINE VEC V(larger)(VEC a, VEC b) { return OF(bsl)(OF(cgt)(a, b), a, b); }

CYOPS_INLINE MASK V(mask_of)(ptrdiff_t n) { return n; }

CYOPS_INLINE VEC V(load_or)(const T *p, MASK n, VEC filler) {
    T lanes[LANES];
    V(store)(lanes, filler);
    for (ptrdiff_t l = 0; l < n; l++) lanes[l] = p[l];
    return V(load)(lanes);
}

CYOPS_INLINE VEC V(load_masked)(const T *p, MASK n) { return V(load_or)(p, n, V(zero)()); }

CYOPS_INLINE void V(store_masked)(T *p, MASK n, VEC v) {
    T lanes[LANES];
    V(store)(lanes, v);
    for (ptrdiff_t l = 0; l < n; l++) p[l] = lanes[l];
}

CYOPS_INLINE VEC V(keep)(MASK n, VEC v) {
    T lanes[LANES];
    V(store)(lanes, v);
    return V(load_masked)(lanes, n);
}

CYOPS_INLINE VEC V(load_reversed)(const T *p, ptrdiff_t n) {
    T lanes[LANES] = {0};
    for (ptrdiff_t l = 0; l < n; l++) lanes[l] = p[-l];
    return V(load)(lanes);
}

CYOPS_INLINE VEC V(load_every_second)(const T *p, ptrdiff_t n) {
    T lanes[LANES] = {0};
    for (ptrdiff_t l = 0; l < n; l++) lanes[l] = p[2 * l];
    return V(load)(lanes);
}

CYOPS_INLINE VEC V(load_bytes)(const uint8_t *p) {
    T lanes[LANES];
    for (int l = 0; l < LANES; l++) lanes[l] = p[l];
    return V(load)(lanes);
}

CYOPS_INLINE void V(store_bytes)(uint8_t *p, VEC v) {
    T lanes[LANES];
    V(store)(lanes, v);
    for (int l = 0; l < LANES; l++) p[l] = (uint8_t)lanes[l];
}

#if T_IS_F32
CYOPS_INLINE void V(transpose_pieces)(const T *const *rows, ptrdiff_t k, VEC *out) {
    const float32x4x2_t even = vtrnq_f32(vld1q_f32(rows[0] + k), vld1q_f32(rows[1] + k));
    const float32x4x2_t odd = vtrnq_f32(vld1q_f32(rows[2] + k), vld1q_f32(rows[3] + k));
    out[0] = vcombine_f32(vget_low_f32(even.val[0]), vget_low_f32(odd.val[0]));
    out[1] = vcombine_f32(vget_low_f32(even.val[1]), vget_low_f32(odd.val[1]));
    out[2] = vcombine_f32(vget_high_f32(even.val[0]), vget_high_f32(odd.val[0]));
    out[3] = vcombine_f32(vget_high_f32(even.val[1]), vget_high_f32(odd.val[1]));
}

CYOPS_INLINE VEC V(load_halves)(const uint16_t *p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
CYOPS_INLINE void V(store_halves)(uint16_t *p, VEC v) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(v))); }
#else
CYOPS_INLINE void V(transpose_pieces)(const T *const *rows, ptrdiff_t k, VEC *out) {
    const float64x2_t a = vld1q_f64(rows[0] + k), b = vld1q_f64(rows[1] + k);
    out[0] = vzip1q_f64(a, b);
    out[1] = vzip2q_f64(a, b);
}
#endif

#include "simd/tree.h"

#undef OF
