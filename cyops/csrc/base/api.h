/* Everything the extensions other than cyops.strided call in C, as one struct of function pointers.
 *
 * The C files are linked into cyops.strided alone (one pool, one dispatch table per process); the other extensions
 * get this struct from it through strided.pxd, which says for Cython what each of the functions takes.
 */
#ifndef CYOPS_API_H
#define CYOPS_API_H

#include "conv/conv.h"
#include "elementwise/elementwise.h"
#include "gather/gather.h"
#include "gemm/gemm.h"
#include "normalize/normalize.h"
#include "pool/pool.h"
#include "reduce/reduce.h"
#include "rows/rows.h"
#include "runtime/dispatch.h"
#include "runtime/pool.h"
#include "runtime/scratch.h"
#include "update/update.h"

/* ENTRY(f) is the function cyops_f, declared in its area's header. */
/* clang-format off */
#define CYOPS_ENTRIES(ENTRY) \
    ENTRY(elementwise) ENTRY(power) ENTRY(cast) ENTRY(contract) \
    ENTRY(conv_staged) ENTRY(conv_staged_by_kernel) ENTRY(depthwise) ENTRY(depthwise_by_kernel) ENTRY(is_finite) \
    ENTRY(reduce) ENTRY(arg_reduce) \
    ENTRY(rows) ENTRY(cross_entropy) ENTRY(cross_entropy_targets) \
    ENTRY(wrap_positions) ENTRY(take) ENTRY(scatter) ENTRY(scatter_add) ENTRY(accumulate) ENTRY(gather_rows) \
    ENTRY(update) \
    ENTRY(pooling_windows) ENTRY(pooling_windows_back) ENTRY(find_runs) ENTRY(fold_windows) \
    ENTRY(channel_moments) ENTRY(channel_sums) ENTRY(channel_normalize) \
    ENTRY(select_isa) ENTRY(available_isas) \
    ENTRY(get_num_threads) ENTRY(set_num_threads) ENTRY(count_workers) ENTRY(peak_scratch)
/* clang-format on */

#define CYOPS_ENTRY_POINTER(name) __typeof__(&cyops_##name) name;
typedef struct {
    CYOPS_ENTRIES(CYOPS_ENTRY_POINTER)
} cyops_api;

extern const cyops_api cyops_functions;

#endif
