/* See scratch.h. Each kept block sits in a slot of its own; whoever exchanges the slot for NULL owns the block. */
#include "runtime/scratch.h"
#include "runtime/system_memory.h"

#include <stdatomic.h>
#include <stdint.h>

#define SLOTS 8
#define HEADER CYOPS_ALIGNMENT        /* before the data: the capacity; keeps the data aligned */
#define KEPT_LIMIT ((size_t)16 << 20) /* larger blocks are released at once */
#define SMALLEST ((size_t)64 << 10)
#define SMALL 8192                    /* on the stack of the thread */

static void *_Atomic slots[SLOTS];
static _Atomic ptrdiff_t taken, peak; /* bytes that were asked for */

static size_t *capacity_of(void *block) { return (size_t *)((char *)block - HEADER); }

/* How much of it was asked for. */
static size_t *asked_of(void *block) { return capacity_of(block) + 1; }

static void release(void *block) {
    if (block != NULL) cyops_system_release((char *)block - HEADER);
}

static void *allocate(size_t nbytes) {
    if (nbytes > (size_t)PTRDIFF_MAX / 2) return NULL;
    size_t capacity = CYOPS_SANITIZED ? nbytes : SMALLEST;
    while (capacity < nbytes) capacity += capacity / 2;
    char *memory = cyops_system_allocate(HEADER + capacity);
    if (memory == NULL) return NULL;
    *(size_t *)memory = capacity;
    return memory + HEADER;
}

static void *count_taken(void *block, size_t nbytes) {
    if (block == NULL) return NULL;
    *asked_of(block) = nbytes;
    ptrdiff_t now = atomic_fetch_add(&taken, (ptrdiff_t)nbytes) + (ptrdiff_t)nbytes;
    ptrdiff_t before = atomic_load(&peak);
    while (now > before && !atomic_compare_exchange_weak(&peak, &before, now)) continue;
    return block;
}

ptrdiff_t cyops_peak_scratch(int reset) {
    return reset ? atomic_exchange(&peak, atomic_load(&taken)) : atomic_load(&peak);
}

static int keep(void *block) {
    for (int i = 0; i < SLOTS; i++) {
        void *expected = NULL;
        if (atomic_compare_exchange_strong(&slots[i], &expected, block)) return 1;
    }
    return 0;
}

/* Blocks that are too small go back, but for one whose place a larger one is to have: where one thread wants much and
 * another little, each would else release what the other left. */
void *cyops_take_scratch(size_t nbytes) {
    void *small[SLOTS], *found = NULL;
    int count = 0;
    for (int i = 0; i < SLOTS && found == NULL; i++) {
        if (atomic_load_explicit(&slots[i], memory_order_relaxed) == NULL) continue;
        void *block = atomic_exchange(&slots[i], NULL);
        if (block != NULL && *capacity_of(block) >= nbytes)
            found = block;
        else if (block != NULL)
            small[count++] = block;
    }
    if (found == NULL && count == SLOTS) release(small[--count]);
    while (count > 0)
        if (!keep(small[--count])) release(small[count]);
    return count_taken(found != NULL ? found : allocate(nbytes), nbytes);
}

void cyops_give_scratch(void *block) {
    if (block == NULL) return;
    atomic_fetch_sub(&taken, (ptrdiff_t)*asked_of(block));
    if (CYOPS_SANITIZED || *capacity_of(block) > KEPT_LIMIT || !keep(block)) release(block);
}

int cyops_run_with_scratch(void (*run)(void *, ptrdiff_t, char *), void *context, ptrdiff_t tile, ptrdiff_t nbytes) {
    _Alignas(CYOPS_ALIGNMENT) char small[SMALL];
    char *memory = nbytes <= SMALL ? small : cyops_take_scratch(nbytes);
    if (memory == NULL) return 0;
    run(context, tile, memory);
    if (memory != small) cyops_give_scratch(memory);
    return 1;
}
