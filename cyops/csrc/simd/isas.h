/* The instruction sets there are kernels for, from the least to the best: a row for each.
 *
 *     ISA(name, address of its kernels or NULL where the platform has none, whether this CPU runs them)
 *
 * __builtin_cpu_supports also checks that the operating system saves the wide registers (XCR0).
 */
#ifndef CYOPS_ISAS_H
#define CYOPS_ISAS_H

#include "base/system.h"
#include "runtime/dispatch.h"

#define CYOPS_ISAS(ISA)                     \
    ISA(generic, &cyops_kernels_generic, 1) \
    ISA(neon, CYOPS_NEON)                   \
    ISA(avx2, CYOPS_AVX2) ISA(avx512, CYOPS_AVX512) ISA(avx512_bf16, CYOPS_AVX512_BF16)
#define CYOPS_COUNT_ISA(...) +1
#define CYOPS_ISA_COUNT (0 CYOPS_ISAS(CYOPS_COUNT_ISA))

extern const cyops_kernels cyops_kernels_generic, cyops_kernels_neon;
extern const cyops_kernels cyops_kernels_avx2, cyops_kernels_avx512, cyops_kernels_avx512_bf16;

#ifdef CYOPS_AARCH64
#define CYOPS_NEON &cyops_kernels_neon, 1
#else
#define CYOPS_NEON NULL, 0
#endif

#ifdef CYOPS_X86_64
#define CYOPS_HAS_AVX2 (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
#define CYOPS_HAS_AVX512                                                                          \
    (CYOPS_HAS_AVX2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && \
     __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
#define CYOPS_AVX2 &cyops_kernels_avx2, CYOPS_HAS_AVX2
#define CYOPS_AVX512 &cyops_kernels_avx512, CYOPS_HAS_AVX512
#define CYOPS_AVX512_BF16 &cyops_kernels_avx512_bf16, (CYOPS_HAS_AVX512 && __builtin_cpu_supports("avx512bf16"))
static inline void cyops_read_cpu(void) { __builtin_cpu_init(); }
#else
#define CYOPS_AVX2 NULL, 0
#define CYOPS_AVX512 NULL, 0
#define CYOPS_AVX512_BF16 NULL, 0
static inline void cyops_read_cpu(void) {}
#endif

#endif
