/* The loops of the optimizer steps of one instruction set. */
#ifndef CYOPS_UPDATE_KERNELS_H
#define CYOPS_UPDATE_KERNELS_H

#include "update/update.h"

#define CYOPS_UPDATE_DTYPES 2 /* float32 and float64 */

/* n elements that lie side by side; the slots the step does not have are NULL. */
typedef void (*cyops_update_loop)(void *w, const void *g, void *const slots[CYOPS_MAX_SLOTS], const double *scalars,
                                  cyops_step_factors factors, ptrdiff_t n);

typedef struct {
    cyops_update_loop loops[CYOPS_STEP_COUNT][CYOPS_UPDATE_DTYPES];
} cyops_update_kernels;

#endif
