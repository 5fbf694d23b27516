/* The vector of one instruction set and dtype, as few macros: what gemm/micro.h and gemm/pack.h are written with.
 *
 *   VEC LANES ZERO SET1 LOAD STORE FMA ADD RELU
 *   MASK MASK_OF(n) LOAD_MASKED STORE_MASKED KEEP   the first n lanes, n at most LANES; the other lanes read as 0
 *   MR                                              rows of a tile; it is 2 * LANES columns wide
 *   FMA_FROM_MEMORY(p, b, c)                        FMA(SET1(*p), b, c), for the first ROWS_FROM_MEMORY rows of a tile
 *   PIECE, transpose_pieces                         LANES rows by PIECE columns of memory, as PIECE vectors of a column
 *   load_reversed(p, n), load_every_second(p, n)    p[-i], p[2 * i] in lane i < n, n at most LANES; 0 in the others.
 *                                                   What lies beyond the outermost of them is not read
 *
 * MR * 2 accumulators, two vectors of B and one of A fill the register file. RELU keeps NaN: x86's max returns its
 * second operand when either is NaN.
 */
#if defined(CYOPS_ISA_AVX512)
#include "simd/gemm_vector_avx512.h"
#elif defined(CYOPS_ISA_AVX2)
#include "simd/gemm_vector_avx2.h"
#else
#include "simd/gemm_vector_generic.h"
#endif

#ifndef FMA_FROM_MEMORY
#define ROWS_FROM_MEMORY 0
#define FMA_FROM_MEMORY(p, b, c) FMA(SET1(*(p)), b, c)
#endif

#define NR (2 * LANES)
