/* What the system says of the CPU's caches. */
#ifndef CYOPS_CACHES_H
#define CYOPS_CACHES_H

#include <stddef.h>

/* Bytes of the third-level cache; 0 where the system does not tell, and where it says so much that many processors
 * share it, of which a virtual machine gets an unknown part. Read from the system once. */
ptrdiff_t cyops_third_level_cache(void);

#endif
