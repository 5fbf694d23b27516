/* Copies between any two stridings, of items of 1, 2, 4 and 8 bytes: a template, included by loops.h.
 *
 * copy_width.h has the loops of one width; copy_tiles.h the kernels they use where the instruction set has some. Each
 * loop exists twice: the second one streams, that is, stores past the caches, which pays for targets too large to be
 * found in a cache later (see should_stream in elementwise.c); whoever calls it puts a fence after it.
 */
#include "elementwise/copy_tiles.h"

#define WIDTH 1
#define ITEM uint8_t
#include "elementwise/copy_width.h"

#define WIDTH 2
#define ITEM uint16_t
#include "elementwise/copy_width.h"

#define WIDTH 4
#define ITEM uint32_t
#if VECTOR_BYTES > 1
#define TRANSPOSE_TILE ISA_NAME(transpose_tile_4)
#endif
#include "elementwise/copy_width.h"

#define WIDTH 8
#define ITEM uint64_t
#if VECTOR_BYTES > 1
#define TRANSPOSE_TILE ISA_NAME(transpose_tile_8)
#endif
#include "elementwise/copy_width.h"

#undef VECTOR_BYTES
