/* Aligned memory of the system's, below the allocator of tensors (memory.c) and that of kernels (scratch.c).
 *
 * Under a sanitizer neither rounds sizes up nor keeps what is released: it must see every access beyond and after.
 */
#ifndef CYOPS_SYSTEM_MEMORY_H
#define CYOPS_SYSTEM_MEMORY_H

#include <stddef.h>
#include <stdlib.h>

#define CYOPS_ALIGNMENT 64

#if defined(__SANITIZE_ADDRESS__)
#define CYOPS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define CYOPS_SANITIZED 1
#endif
#endif
#ifndef CYOPS_SANITIZED
#define CYOPS_SANITIZED 0
#endif

/* cyops_system_allocate: nbytes at a multiple of CYOPS_ALIGNMENT, or NULL. */
#ifdef _WIN32
#include <malloc.h>
static inline void *cyops_system_allocate(size_t nbytes) { return _aligned_malloc(nbytes, CYOPS_ALIGNMENT); }
static inline void cyops_system_release(void *memory) { _aligned_free(memory); }
#else
static inline void *cyops_system_allocate(size_t nbytes) {
    void *memory;
    return posix_memalign(&memory, CYOPS_ALIGNMENT, nbytes) == 0 ? memory : NULL;
}

static inline void cyops_system_release(void *memory) { free(memory); }
#endif

#endif
