/* The vectors of one instruction set: the words that kernels are written with, each said once per instruction set.
 *
 * V(word) is the word for the dtype T whose SUFFIX is f32 or f64: a template that works on either calls V(load)(p). The
 * words are inline functions, and the types below. They are defined by the file that CYOPS_ISA_VECTORS names,
 * simd/generic.h, simd/neon.h, simd/avx2.h or simd/avx512.h, which is the only place that names an instruction; a new instruction
 * set is one more such file, an isa_*.c that includes it and a line in simd/isas.h.
 *
 * Types
 *     VEC                          a vector of LANES numbers; C's own + - * / work on it
 *     MASK                         the choice of its first n lanes
 *     TRUTHS                       a choice of any lanes
 *
 * Words
 *     zero() set1(x)               every lane 0, x
 *     load(p) store(p, v)          from and to any address
 *     fma(a, b, c)                 a * b + c, with one rounding where HAS_FMA
 *     larger(a, b)                 a > b ? a : b lane by lane, so b where either is NaN
 *     mask_of(n)                   the first n lanes, 0 <= n <= LANES (of none, all are 0)
 *     load_masked(p, mask)         those lanes, 0 in the others; what lies beyond is not touched
 *     load_or(p, mask, filler)     the same with the filler's in the others
 *     store_masked(p, mask, v)     those lanes only
 *     keep(mask, v)                those lanes, 0 in the others
 *     exceeds(a, b)                the choice of lanes where a > b, or a is NaN and b is not
 *     equals(a, b)                 where a == b
 *     choose(choice, a, b)         a in the lanes chosen, b in the others
 *     load_bytes(p) store_bytes(p, v)   whole numbers below 256, as uint8
 *     sum(v) top(v)                over the lanes, in a tree of halves; top may pass over a NaN
 *     fma_from_memory(p, b, c)     fma(set1(*p), b, c), the better way for the first ROWS_FROM_MEMORY rows of a tile
 *     load_reversed(p, n)          p[-i] in lane i < n, n at most LANES, 0 in the others; nothing else is read
 *     load_every_second(p, n)      p[2 * i], likewise
 *     transpose_pieces(rows, k, out)   LANES rows by PIECE columns from column k on, as PIECE vectors of a column
 *     stream(p, v)                 store past the caches, to a multiple of STREAM_BYTES; only where HAS_STREAMS
 *     load_halves(p) store_halves(p, v)   float16, as its bits, to and from f32; only where HAS_HALVES
 *
 * Figures
 *     VECTOR_BYTES                 of a vector
 *     MR                           rows of a tile of the matrix product, which is NR columns wide: 2 * MR accumulators,
 *                                  two vectors of B and one of A fill the register file
 *     ROWS_FROM_MEMORY             see fma_from_memory
 *     HAS_FMA HAS_HALVES HAS_STREAMS HAS_WIDE_PRODUCTS   1 or 0; the last: vectors of 64-bit products
 *     STREAM_BYTES                 what stores past the caches are aligned to; 1 without them
 *
 * and CYOPS_POW_BY_TABLES, which names the file with a pow of this instruction set's own, where there is one.
 */
#define V(word) ISA_NAME(CYOPS_JOIN(vector_##word, SUFFIX))
#define VEC V(type)
#define MASK V(mask)
#define TRUTHS V(truths)
#define LANES (VECTOR_BYTES / (int)sizeof(T))
#define PIECE (16 / (int)sizeof(T))
#define NR (2 * LANES)

#define T_IS_PAIR 0 /* 1 in gemm/pairs.h */
#define T float
#define SUFFIX f32
#define T_IS_F32 1
#include CYOPS_ISA_VECTORS
#undef T
#undef SUFFIX
#undef T_IS_F32

#define T double
#define SUFFIX f64
#define T_IS_F32 0
#include CYOPS_ISA_VECTORS
#undef T
#undef SUFFIX
#undef T_IS_F32
#undef T_IS_PAIR
