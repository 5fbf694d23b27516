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

/* Whether work that takes one thread about so long is worth handing to cyops_parallel now: more of it is needed where
 * the workers sleep and have to be woken by the operating system. Every kernel asks this, and only this, before it
 * shares; the answer differs from call to call, so results must not depend on it. */
int cyops_is_worth_sharing(double nanoseconds);

/* How many worker threads exist now. */
int cyops_count_workers(void);

#endif
