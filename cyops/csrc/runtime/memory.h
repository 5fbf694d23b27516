/* The tensor allocator: 64-byte aligned blocks kept in free lists by size class.
 *
 * Fresh pages cost about ten times as much to touch as warm ones, so a released block is kept for the next tensor of
 * its class. Linked into cyops.storage alone. The caller holds the interpreter's lock.
 */
#ifndef CYOPS_MEMORY_H
#define CYOPS_MEMORY_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t in_use;        /* bytes in blocks handed out now */
    size_t cached;        /* bytes in the free lists */
    size_t peak;          /* the largest in_use so far */
    size_t limit;         /* cached never exceeds it */
    uint64_t allocations; /* blocks handed out so far */
    uint64_t reuses;      /* of those, from a free list */
} cyops_memory_stats;

/* A block of at least nbytes, or NULL. Contents are undefined. */
void *cyops_allocate(size_t nbytes);
void cyops_release(void *data);

/* Gives every cached block back to the system. */
void cyops_empty_cache(void);
void cyops_set_cache_limit(size_t nbytes);
cyops_memory_stats cyops_read_memory_stats(void);

#endif
