/* See memory.h. */
#include "runtime/memory.h"
#include "runtime/system_memory.h"

#define SMALL_LIMIT 4096 /* up to here one class every 64 bytes; above, eight classes per power of two */
#define SMALL_CLASSES (SMALL_LIMIT / CYOPS_ALIGNMENT)
#define CLASS_COUNT (SMALL_CLASSES + 8 * 52)
#define CACHE_LIMIT (CYOPS_SANITIZED ? 0 : (size_t)1 << 30)

/* Sits in the 64 bytes before the data. */
typedef struct block {
    size_t capacity; /* bytes of data */
    int size_class;
    struct block *next; /* in its free list */
} block;

static block *free_lists[CLASS_COUNT];
static cyops_memory_stats stats = {.limit = CACHE_LIMIT};

/* Rounds nbytes up to its class's capacity (at most 12.5 % more above SMALL_LIMIT) and returns the class. */
static int size_class(size_t nbytes, size_t *capacity) {
    if (nbytes <= SMALL_LIMIT) {
        size_t blocks = nbytes == 0 ? 1 : (nbytes + CYOPS_ALIGNMENT - 1) / CYOPS_ALIGNMENT;
        *capacity = blocks * CYOPS_ALIGNMENT;
        return (int)blocks - 1;
    }
    int power = 12;
    while (power < 62 && ((size_t)2 << power) < nbytes) power++;
    size_t step = ((size_t)1 << power) / 8;
    size_t eighths = (nbytes - ((size_t)1 << power) + step - 1) / step; /* 1 to 8 */
    *capacity = ((size_t)1 << power) + eighths * step;
    return SMALL_CLASSES + 8 * (power - 12) + (int)eighths - 1;
}

void *cyops_allocate(size_t nbytes) {
    if (nbytes > (size_t)PTRDIFF_MAX / 2) return NULL;
    size_t capacity;
    int class_index = size_class(nbytes, &capacity);
    if (CYOPS_SANITIZED) capacity = nbytes;
    block *found = free_lists[class_index];
    if (found != NULL) {
        free_lists[class_index] = found->next;
        stats.cached -= capacity;
        stats.reuses++;
    } else {
        found = cyops_system_allocate(CYOPS_ALIGNMENT + capacity);
        if (found == NULL && stats.cached > 0) { /* what the cache holds may be what is missing */
            cyops_empty_cache();
            found = cyops_system_allocate(CYOPS_ALIGNMENT + capacity);
        }
        if (found == NULL) return NULL;
        found->capacity = capacity;
        found->size_class = class_index;
    }
    stats.allocations++;
    stats.in_use += capacity;
    if (stats.in_use > stats.peak) stats.peak = stats.in_use;
    return (char *)found + CYOPS_ALIGNMENT;
}

void cyops_release(void *data) {
    if (data == NULL) return;
    block *released = (block *)((char *)data - CYOPS_ALIGNMENT);
    stats.in_use -= released->capacity;
    if (CYOPS_SANITIZED || stats.cached + released->capacity > stats.limit) {
        cyops_system_release(released);
        return;
    }
    stats.cached += released->capacity;
    released->next = free_lists[released->size_class];
    free_lists[released->size_class] = released;
}

void cyops_empty_cache(void) {
    for (int i = 0; i < CLASS_COUNT; i++) {
        while (free_lists[i] != NULL) {
            block *dropped = free_lists[i];
            free_lists[i] = dropped->next;
            stats.cached -= dropped->capacity;
            cyops_system_release(dropped);
        }
    }
}

void cyops_set_cache_limit(size_t nbytes) {
    stats.limit = nbytes;
    if (stats.cached > nbytes) cyops_empty_cache();
}

cyops_memory_stats cyops_read_memory_stats(void) { return stats; }
