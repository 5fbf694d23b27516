/* The thread pool: one per process, for every kernel.
 *
 * A job is a function called once for each tile 0 ... tiles - 1, in any order, by the caller and the workers. Work is
 * cut into tiles by problem size, never by thread count, so results do not depend on how many threads there are.
 * Workers start at the first job that needs them. A nested call, and a call while another thread's job is running, runs
 * its tiles itself.
 */
#ifndef CYOPS_POOL_H
#define CYOPS_POOL_H

#include <stddef.h>

void cyops_parallel(ptrdiff_t tiles, void (*run)(void *context, ptrdiff_t tile), void *context);

/* How many threads share a job, the caller included. 1 until somebody sets it; see threads.pyx for the default. */
int cyops_get_num_threads(void);
void cyops_set_num_threads(int count);

/* Whether a job can use more than one thread, and none of its workers would have to be woken by the operating system.
 * A job worth sharing in that case may be too small to be worth the 20 to 50 us that waking costs. */
int cyops_workers_are_awake(void);

/* How many worker threads exist now. */
int cyops_count_workers(void);

#endif
