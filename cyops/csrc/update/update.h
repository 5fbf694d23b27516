/* Optimizer steps: one pass over memory for all parameters.
 *
 * ops.h is the table of steps, loops.h makes the loops of one instruction set from it, update.c cuts the
 * parameters into tiles and hands them to the threads.
 */
#ifndef CYOPS_UPDATE_H
#define CYOPS_UPDATE_H

#include "base/cyops.h"
#include "update/ops.h"

#define CYOPS_MAX_SLOTS 3
#define CYOPS_MAX_STEP_SCALARS 6

/* What parameter and gradient are multiplied by before the step: weight decay and clipping, without a pass of their
 * own. 1 changes no bit. */
typedef struct {
    double parameter;
    double gradient;
} cyops_step_factors;

/* One parameter with what belongs to it, all of one shape and dtype: float32 or float64, any strides. */
typedef struct {
    const cyops_view *parameter;
    const cyops_view *gradient;
    const cyops_view *slots[CYOPS_MAX_SLOTS];
    cyops_step_factors factors;
} cyops_parameter;

/* One step of all parameters. Denormals count as zero meanwhile: a decaying mean would otherwise spend most of its time
 * in the CPU's microcode. */
int cyops_update(int step, const cyops_parameter *parameters, ptrdiff_t count, const double *scalars);

#endif
