/* Copies between any two stridings, of items of 1, 2, 4, 8 and 16 bytes: a template, included by loops.h.
 *
 * copy_width.h has the loops of one width; copy_run.h and copy_tile.h what they use vectors for. Each loop exists
 * twice: the second one streams, that is, stores past the caches, which pays for targets too large to be found in a
 * cache later (see should_stream in elementwise.c); whoever calls it puts a fence after it.
 */
#include "elementwise/copy_run.h"

#define WIDTH 1
#define ITEM uint8_t
#include "elementwise/copy_width.h"
#undef WIDTH
#undef ITEM

#define WIDTH 2
#define ITEM uint16_t
#include "elementwise/copy_width.h"
#undef WIDTH
#undef ITEM

#define WIDTH 4
#define ITEM uint32_t
#define T float
#define SUFFIX f32
#include "elementwise/copy_width.h"
#undef WIDTH
#undef ITEM
#undef T
#undef SUFFIX

#define WIDTH 8
#define ITEM uint64_t
#define T double
#define SUFFIX f64
#include "elementwise/copy_width.h"
#undef WIDTH
#undef ITEM
#undef T
#undef SUFFIX

typedef struct {
    uint64_t words[2];
} ISA_NAME(wide_item);

#define WIDTH 16
#define ITEM ISA_NAME(wide_item)
#include "elementwise/copy_width.h"
#undef WIDTH
#undef ITEM
