/* sum and top of simd/vector.h for instruction sets that have no instruction for them: a tree of halves, in the order
 * in which AVX-512's adds. A template, included by simd/generic.h, neon.h and avx2.h.
 */
#define HALVES_OF_LANES(combine, half) \
    for (int l = 0; 2 * half <= LANES && l < half; l++) lanes[l] = combine(lanes[l], lanes[(l + half) % LANES]);
#define PLUS(a, b) ((a) + (b))
#define MOST(a, b) ((b) > (a) ? (b) : (a))

CYOPS_INLINE T V(sum)(VEC v) {
    T lanes[LANES];
    V(store)(lanes, v);
    HALVES_OF_LANES(PLUS, 4) HALVES_OF_LANES(PLUS, 2) HALVES_OF_LANES(PLUS, 1) return lanes[0];
}

CYOPS_INLINE T V(top)(VEC v) {
    T lanes[LANES];
    V(store)(lanes, v);
    HALVES_OF_LANES(MOST, 4) HALVES_OF_LANES(MOST, 2) HALVES_OF_LANES(MOST, 1) return lanes[0];
}
