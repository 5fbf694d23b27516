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

    const char *(*select_isa)(const char *limit);
    int (*available_isas)(const char *names[3]);
} cyops_api;

extern const cyops_api cyops_functions;

#endif
