/* Everything the extensions other than cyops.strided call in C, as one struct of function pointers.
 *
 * The C files are linked into cyops.strided alone (one pool, one dispatch table per process); the other extensions
 * get this struct from it through strided.pxd.
 */
#ifndef CYOPS_API_H
#define CYOPS_API_H

#include "dispatch.h"
#include "pool.h"

typedef struct {
    int (*elementwise)(int op, const cyops_view *out, const cyops_view *const *inputs);
    int (*cast)(const cyops_view *out, const cyops_view *in);
    int (*matmul)(const cyops_view *out, const cyops_view *a, const cyops_view *b, const cyops_view *bias,
                  int activation, int accumulate);

    const char *(*select_isa)(const char *limit);
    int (*available_isas)(const char *names[3]);

    int (*get_num_threads)(void);
    void (*set_num_threads)(int count);
    int (*count_workers)(void);
} cyops_api;

extern const cyops_api cyops_functions;

#endif
