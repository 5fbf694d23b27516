/* Everything the extensions other than cyops.strided call in C, as one struct of function pointers.
 *
 * The C files are linked into cyops.strided alone (one pool, one dispatch table per process); the other extensions
 * get this struct from it through strided.pxd.
 */
#ifndef CYOPS_API_H
#define CYOPS_API_H

#include "runtime/dispatch.h"
#include "gather/gather.h"
#include "runtime/pool.h"

typedef struct {
    int (*elementwise)(int op, const cyops_view *out, const cyops_view *const *inputs);
    int (*power)(const cyops_view *out, const cyops_view *const *inputs);
    int (*cast)(const cyops_view *out, const cyops_view *in);
    int (*matmul)(const cyops_view *out, const cyops_view *a, const cyops_view *b, const cyops_fusion *fusion);

    int (*reduce)(int reduction, const cyops_view *out, const cyops_view *x, const char *reduced, double correction);
    int (*arg_reduce)(int reduction, const cyops_view *out, const cyops_view *x, const char *reduced);

    int (*rows)(int op, const cyops_view *out, const cyops_view *const *inputs, int axis);
    int (*cross_entropy)(const cyops_view *losses, const cyops_view *gradient, const cyops_view *logits,
                         const cyops_view *labels, double scale, ptrdiff_t *position);
    int (*cross_entropy_targets)(const cyops_view *losses, const cyops_view *gradient, const cyops_view *logits,
                                 const cyops_view *targets, double scale);

    int (*wrap_positions)(int64_t *positions, ptrdiff_t n, ptrdiff_t length, ptrdiff_t *bad);
    int (*take)(const cyops_view *out, const cyops_view *x, int axis, const int64_t *positions, ptrdiff_t count);
    int (*scatter)(const cyops_view *target, const cyops_view *updates, int axis, const int64_t *positions,
                   ptrdiff_t count);
    int (*scatter_add)(const cyops_view *target, const cyops_view *updates, int axis, const int64_t *positions,
                       ptrdiff_t count);
    int (*accumulate)(const cyops_view *target, const cyops_view *updates);
    int (*gather_rows)(const cyops_view *out, const cyops_view *x, const int64_t *positions, ptrdiff_t count,
                       double scale);

    int (*update)(int step, const cyops_parameter *parameters, ptrdiff_t count, const double *scalars);

    const char *(*select_isa)(const char *limit);
    int (*available_isas)(const char *names[CYOPS_MOST_ISAS]);

    int (*get_num_threads)(void);
    void (*set_num_threads)(int count);
    int (*count_workers)(void);
} cyops_api;

extern const cyops_api cyops_functions;

#endif
