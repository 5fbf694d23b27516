/* The dispatch table: which instruction set's kernels this process runs. Chosen once, at import, by feature bits.
 *
 * Each area (elementwise, gemm, ...) declares the struct of its own kernels in its kernels.h.
 */
#ifndef CYOPS_DISPATCH_H
#define CYOPS_DISPATCH_H

#include "conv/kernels.h"
#include "elementwise/kernels.h"
#include "gemm/kernels.h"
#include "normalize/kernels.h"
#include "pool/kernels.h"
#include "reduce/kernels.h"
#include "rows/kernels.h"
#include "update/kernels.h"

/* The areas, one struct of kernels each. Those of bfloat16 differ in gemm alone. */
#define CYOPS_AREAS_BESIDE_GEMM(AREA) \
    AREA(conv) AREA(elementwise) AREA(normalize) AREA(pool) AREA(reduce) AREA(rows) AREA(update)
#define CYOPS_AREAS(AREA) AREA(gemm) CYOPS_AREAS_BESIDE_GEMM(AREA)

#define CYOPS_AREA_FIELD(area) const cyops_##area##_kernels *area;
typedef struct {
    CYOPS_AREAS(CYOPS_AREA_FIELD)
} cyops_kernels;

/* The kernels in use. Set by cyops_select_isa; the generic ones before that. */
extern const cyops_kernels *cyops_active;

/* Picks the best instruction set the CPU has, at most the one named ("generic", "neon", "avx2", "avx512", "avx512_bf16"; NULL
 * or "" for no limit). Returns its name, or NULL when the limit is not a known name. */
const char *cyops_select_isa(const char *limit);

#define CYOPS_MOST_ISAS 8

/* The instruction sets this CPU can run, best last, as names; returns how many. */
int cyops_available_isas(const char *names[CYOPS_MOST_ISAS]);

#endif
