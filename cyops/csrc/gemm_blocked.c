/* The blocked matrix product: C in row panels, B in blocks that fit the second-level cache.
 *
 *     for each block of columns, for each part of K:
 *         pack the block of B, unless its rows are read where they are
 *         for each row panel of C: pack its part of A, then run the micro-kernel along the block
 *
 * The packed panel of A (21 KB) stays in L1 and the block of B in L2; BLIS has them the other way round, which with a
 * tile of 14 by 32 was 10 % slower at 1024^3 (143-150 against 157-168 GFLOP/s).
 */
#include "gemm_problem.h"
#include "pool.h"
#include "scratch.h"

#include <string.h>

/* Rows of B packed side by side, as many streams as the prefetchers follow: 8 and 32 measured slower where B was not in
 * the second-level cache. */
#define PACKED_ROWS 16

typedef struct {
    const gemm_problem *p;
    ptrdiff_t first_column, columns, first_k, depth;
    int flags;
    const char *bias;
    char *packed_b; /* NULL where b is read in place */
    int pack_a;
    ptrdiff_t item_panels, panels; /* row panels of one item, of all; column sums are one more */
    ptrdiff_t row_groups, column_groups;
} gemm_block;

/* Packs rows [k, k + depth) of column panel j of the block. */
static void pack_b(const gemm_block *block, ptrdiff_t j, ptrdiff_t k, ptrdiff_t depth) {
    const gemm_problem *p = block->p;
    ptrdiff_t nr = p->type->nr, itemsize = p->type->itemsize;
    ptrdiff_t row = block->first_k + k, column = block->first_column + j * nr;
    ptrdiff_t width = gemm_least(nr, block->columns - j * nr);
    const char *b = p->b + (row * p->rs_b + column * p->cs_b) * itemsize;
    char *packed = block->packed_b + (j * block->depth + k) * nr * itemsize;
    if (p->mask_b.data == NULL) {
        p->type->pack(width, nr, depth, b, p->cs_b, p->rs_b, packed);
        return;
    }
    const char *mask = p->mask_b.data + (row * p->mask_b.rs + column * p->mask_b.cs) * itemsize;
    cyops_gemm_pack_masked(p->type, width, nr, depth, b, p->cs_b, p->rs_b, mask, p->mask_b.cs, p->mask_b.rs, packed);
}

static void pack_a(const gemm_block *block, ptrdiff_t row, ptrdiff_t rows, const char *a, char *packed) {
    const gemm_problem *p = block->p;
    if (p->mask_a.data == NULL) {
        p->type->pack(rows, rows, block->depth, a, p->rs_a, p->cs_a, packed);
        return;
    }
    const char *mask = p->mask_a.data + (row * p->mask_a.rs + block->first_k * p->mask_a.cs) * p->type->itemsize;
    cyops_gemm_pack_masked(p->type, rows, rows, block->depth, a, p->rs_a, p->cs_a, mask, p->mask_a.rs, p->mask_a.cs,
                           packed);
}

/* A tile is a whole column panel, or, where the rows of B run along memory, PACKED_ROWS of its rows: reading one panel
 * after the other would visit every row in pieces of 128 bytes: 126 instead of 144 GFLOP/s at (128, 784)(784, 512)
 * where B was not in the second-level cache. */
static ptrdiff_t count_pack_tiles(const gemm_block *block) {
    return block->p->cs_b == 1 ? gemm_ceil_div(block->depth, PACKED_ROWS)
                               : gemm_ceil_div(block->columns, block->p->type->nr);
}

static void pack_b_tile(void *context, ptrdiff_t tile) {
    const gemm_block *block = context;
    if (block->p->cs_b != 1) {
        pack_b(block, tile, 0, block->depth);
        return;
    }
    ptrdiff_t k = tile * PACKED_ROWS, depth = gemm_least(PACKED_ROWS, block->depth - k);
    for (ptrdiff_t j = 0; j * block->p->type->nr < block->columns; j++) pack_b(block, j, k, depth);
}

/* The block of B that a panel begins at. */
static void place_b(const gemm_block *block, ptrdiff_t first_panel, cyops_gemm_panel *panel) {
    const gemm_problem *p = block->p;
    ptrdiff_t itemsize = p->type->itemsize, nr = p->type->nr;
    if (block->packed_b != NULL) {
        panel->b = block->packed_b + first_panel * nr * block->depth * itemsize;
        panel->rs_b = nr * itemsize;
        panel->ps_b = nr * block->depth * itemsize;
    } else {
        panel->b = p->b + (block->first_k * p->rs_b + block->first_column + first_panel * nr) * itemsize;
        panel->rs_b = p->rs_b * itemsize;
        panel->ps_b = nr * itemsize;
    }
}

/* The sums over the rows of B are the product of a row of ones, one element with stride 0, with what is packed and in
 * cache already: 3 us beside the 600 of (784, 128)(128, 512), in the same order on every path. */
static void sum_columns(const gemm_block *block, ptrdiff_t first_panel, ptrdiff_t columns) {
    static const float one = 1;
    static const double one_f64 = 1;
    const gemm_problem *p = block->p;
    ptrdiff_t column = block->first_column + first_panel * p->type->nr;
    cyops_gemm_panel panel = {
        .n = columns, .k = block->depth, .a = p->type->itemsize == sizeof one ? (const void *)&one : &one_f64,
        .c = p->column_sums + column * p->type->itemsize, .flags = block->first_k > 0 ? CYOPS_GEMM_ADD : 0,
    };
    place_b(block, first_panel, &panel);
    p->type->panel[1](&panel);
}

/* Row panel `index` of all items, columns first_panel * nr on. */
static void multiply_row_panel(const gemm_block *block, ptrdiff_t index, ptrdiff_t first_panel, ptrdiff_t columns,
                               void *packed_a) {
    const gemm_problem *p = block->p;
    const cyops_gemm_type *type = p->type;
    ptrdiff_t itemsize = type->itemsize;
    ptrdiff_t item = index / block->item_panels, i = index % block->item_panels;
    ptrdiff_t row = gemm_part_start(p->m, block->item_panels, i);
    ptrdiff_t rows = gemm_part_start(p->m, block->item_panels, i + 1) - row;
    ptrdiff_t column = block->first_column + first_panel * type->nr;
    const char *a = p->a + (row * p->rs_a + block->first_k * p->cs_a) * itemsize;
    char *c = p->c + (row * p->rs_c + column) * itemsize;
    if (p->items > 1) {
        a += gemm_offset(p->ndim, p->shape, p->strides_a, item) * itemsize;
        c += gemm_offset(p->ndim, p->shape, p->strides_c, item) * itemsize;
    }
    cyops_gemm_panel panel = {
        .n = columns, .k = block->depth, .a = a, .rs_a = p->rs_a * itemsize, .cs_a = p->cs_a * itemsize,
        .c = c, .rs_c = p->rs_c * itemsize,
        .bias = block->bias == NULL ? NULL : block->bias + column * itemsize, .flags = block->flags,
    };
    place_b(block, first_panel, &panel);
    if (block->pack_a) {
        pack_a(block, row, rows, a, packed_a);
        panel.a = packed_a;
        panel.rs_a = itemsize;
        panel.cs_a = rows * itemsize;
    }
    type->panel[rows](&panel);
}

static void multiply_tile(void *context, ptrdiff_t tile) {
    const gemm_block *block = context;
    _Alignas(64) char packed_a[(CYOPS_GEMM_MAX_MR * KC) * sizeof(double) + 64];
    ptrdiff_t row_group = tile / block->column_groups, column_group = tile % block->column_groups;
    ptrdiff_t nr = block->p->type->nr, all_panels = gemm_ceil_div(block->columns, nr);
    ptrdiff_t first = gemm_part_start(all_panels, block->column_groups, column_group);
    ptrdiff_t last = gemm_part_start(all_panels, block->column_groups, column_group + 1);
    ptrdiff_t columns = gemm_least(last * nr, block->columns) - first * nr;
    ptrdiff_t end = gemm_part_start(block->panels, block->row_groups, row_group + 1);
    for (ptrdiff_t i = gemm_part_start(block->panels, block->row_groups, row_group); i < end; i++) {
        if (i < block->item_panels * block->p->items)
            multiply_row_panel(block, i, first, columns, packed_a);
        else
            sum_columns(block, first, columns);
    }
}

/* Whether B is packed first. In place it saves that pass, if few row panels share it and it is in cache: measured at
 * (128, 784)(784, 512) in place 160, packed 156 GFLOP/s on a quiet machine, 108 against 130 on one whose cache others
 * use too; at 1024^3 81 against 124. */
static int should_pack_b(const gemm_problem *p) {
    ptrdiff_t rows = p->m * p->items;
    return p->mask_b.data != NULL || p->cs_b != 1 || rows > 256 || (rows > 32 && p->k * p->n * p->type->itemsize > 1 << 20);
}

/* Whether each row panel of A is packed: it must be used for enough columns. Measured at 64^3 in place 180, packed 153
 * GFLOP/s; at (4096, 64)(64, 64) 166 against 149; at (128, 512)(512, 512) the same. */
static int should_pack_a(const gemm_problem *p) {
    return p->mask_a.data != NULL || (p->n > 4 * p->type->nr && 1.0 * p->m * p->n * p->k > 1e6);
}

/* The rows of a panel. Rows of A in place are as many streams, and where they are a power of two apart they share a set
 * of the first-level cache, which holds 8 or 12 lines: with 10 rows instead of 14, (4096, 1024)(1024, 8) ran at 58
 * instead of 47 GFLOP/s, (128, 512)(512, 10) at 73 instead of 65. */
static ptrdiff_t rows_of_panel(const gemm_problem *p) {
    return p->n <= p->type->nr ? gemm_least(p->type->mr, 10) : p->type->mr;
}

#define TILE_FLOPS 4e6 /* a tile of about 20 us: claiming one costs 0.1 us */
#define MOST_TILES 64
#define ROW_BYTES 3072 /* of a block of B: 1.2 MB with 384 rows; 2048 and 4096 bytes measured slower at 2048^3 */

static int multiply_block(gemm_block *block) {
    const gemm_problem *p = block->p;
    double flops = 2.0 * p->m * p->items * block->columns * block->depth;
    int shared = gemm_is_worth_sharing(flops);
    ptrdiff_t column_panels = gemm_ceil_div(block->columns, p->type->nr);
    ptrdiff_t wanted = shared ? (ptrdiff_t)(flops / TILE_FLOPS) + 2 : 1;
    if (wanted > MOST_TILES) wanted = MOST_TILES;
    block->row_groups = gemm_least(block->panels, wanted);
    block->column_groups = gemm_least(column_panels, gemm_ceil_div(wanted, block->row_groups));
    if (block->packed_b != NULL) {
        if (shared)
            cyops_parallel(count_pack_tiles(block), pack_b_tile, block);
        else
            for (ptrdiff_t tile = 0, tiles = count_pack_tiles(block); tile < tiles; tile++) pack_b_tile(block, tile);
    }
    if (shared)
        cyops_parallel(block->row_groups * block->column_groups, multiply_tile, block);
    else
        multiply_tile(block, 0);
    return CYOPS_OK;
}

int cyops_gemm_blocked(const gemm_problem *p) {
    ptrdiff_t nr = p->type->nr, parts = gemm_parts_of_k(p->k);
    ptrdiff_t blocks = gemm_ceil_div(p->n, ROW_BYTES / p->type->itemsize);
    ptrdiff_t nc = gemm_ceil_div(gemm_ceil_div(p->n, blocks), nr) * nr; /* nearly equal blocks of whole panels */
    ptrdiff_t item_panels = gemm_ceil_div(p->m, rows_of_panel(p));
    char *packed_b = NULL;
    if (should_pack_b(p)) {
        packed_b = cyops_take_scratch((size_t)(nc * gemm_ceil_div(p->k, parts) * p->type->itemsize + 64));
        if (packed_b == NULL) return CYOPS_NO_MEMORY;
    }
    for (ptrdiff_t column = 0; column < p->n; column += nc) {
        for (ptrdiff_t part = 0; part < parts; part++) {
            gemm_block block = {
                .p = p, .first_column = column, .columns = gemm_least(nc, p->n - column),
                .first_k = gemm_part_start(p->k, parts, part), .packed_b = packed_b, .pack_a = should_pack_a(p),
                .item_panels = item_panels, .panels = item_panels * p->items + (p->column_sums != NULL),
            };
            block.depth = gemm_part_start(p->k, parts, part + 1) - block.first_k;
            block.flags = part == 0 ? p->flags & CYOPS_GEMM_ADD : CYOPS_GEMM_ADD;
            if (part == parts - 1) {
                block.flags |= p->flags & CYOPS_GEMM_RELU;
                block.bias = p->bias;
            }
            multiply_block(&block);
        }
    }
    cyops_give_scratch(packed_b);
    return CYOPS_OK;
}
