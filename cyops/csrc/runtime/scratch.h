/* Working memory for kernels: a few blocks kept between calls, because touching fresh pages costs more than using them.
 *
 * Any thread may take and give at any time; nothing here blocks, so fork is harmless too.
 */
#ifndef CYOPS_SCRATCH_H
#define CYOPS_SCRATCH_H

#include <stddef.h>

/* At least nbytes, 64-byte aligned, contents undefined; NULL when there is no memory. */
void *cyops_take_scratch(size_t nbytes);
void cyops_give_scratch(void *block); /* NULL is allowed */

/* The most bytes that were taken at one time since the last call with `reset`. */
ptrdiff_t cyops_peak_scratch(int reset);

/* Calls run(context, tile, memory) with nbytes of memory, which stand on the stack where they are few: 1, or 0 when
 * there is no memory. */
int cyops_run_with_scratch(void (*run)(void *, ptrdiff_t, char *), void *context, ptrdiff_t tile, ptrdiff_t nbytes);

#endif
