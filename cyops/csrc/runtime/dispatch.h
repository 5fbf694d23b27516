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

typedef struct {
    const cyops_conv_kernels *conv;
    const cyops_elementwise_kernels *elementwise;
    const cyops_gemm_kernels *gemm;
    const cyops_normalize_kernels *normalize;
    const cyops_pool_kernels *pool;
    const cyops_reduce_kernels *reduce;
    const cyops_rows_kernels *rows;
    const cyops_update_kernels *update;
} cyops_kernels;

/* The kernels in use. Set by cyops_select_isa; the generic ones before that. */
extern const cyops_kernels *cyops_active;

/* Picks the best instruction set the CPU has, at most the one named ("generic", "avx2", "avx512", "avx512_bf16"; NULL
 * or "" for no limit). Returns its name, or NULL when the limit is not a known name. */
const char *cyops_select_isa(const char *limit);

#define CYOPS_MOST_ISAS 8

/* The instruction sets this CPU can run, best last, as names; returns how many. */
int cyops_available_isas(const char *names[CYOPS_MOST_ISAS]);

#endif
