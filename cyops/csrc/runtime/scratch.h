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

#endif
