/* See caches.h.
 *
 * Linux describes the caches in files. What the C library answers is not used: glibc 2.36 gave 384 MB for one of 32.
 */
#include "runtime/caches.h"

#include <stdatomic.h>
#include <stdio.h>

#define UNKNOWN (-1)
#define MOST_CREDIBLE ((ptrdiff_t)64 << 20) /* of the machines in elementwise/elementwise.c one had 32 MB, one 260 */

static ptrdiff_t read_third_level_cache(void) {
    long kilobytes = 0;
#ifdef __linux__
    FILE *file = fopen("/sys/devices/system/cpu/cpu0/cache/index3/size", "r");
    if (file == NULL) return 0;
    if (fscanf(file, "%ldK", &kilobytes) != 1) kilobytes = 0;
    fclose(file);
#endif
    const ptrdiff_t bytes = (ptrdiff_t)kilobytes << 10;
    return bytes > 0 && bytes <= MOST_CREDIBLE ? bytes : 0;
}

ptrdiff_t cyops_third_level_cache(void) {
    static _Atomic ptrdiff_t known = UNKNOWN;
    ptrdiff_t bytes = atomic_load_explicit(&known, memory_order_relaxed);
    if (bytes == UNKNOWN) {
        bytes = read_third_level_cache();
        atomic_store_explicit(&known, bytes, memory_order_relaxed);
    }
    return bytes;
}
