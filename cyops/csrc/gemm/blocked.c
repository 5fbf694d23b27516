/* The blocked matrix product: C in row panels, B in blocks that fit the second-level cache.
 *
 *     for each block of B (some columns, some parts of K):
 *         pack it, unless its rows are read where they are
 *         for each tile of C (some of the block's columns, some rows), each part of K, each row panel:
 *             pack the panel's part of A, unless read in place; run the micro-kernel along the tile
 *
 * The panel of A (21 KB) stays in L1 and the tile's columns of B in L2. Why so, and what set each threshold below:
 * docs/kernels.md, Matrix products.
 */
#include "gemm/problem.h"
#include "runtime/pool.h"
#include "runtime/scratch.h"

#define IN_PLACE_BYTES (512 << 10) /* of B where it lies: half a second-level cache of 1 MB, the rest is for A and C */

typedef struct {
    const gemm_problem *p;
    ptrdiff_t first_column, columns; /* of the block */
    ptrdiff_t first_part, last_part; /* the parts of K in it, the last one excluded */
    char *packed_b; /* NULL where b is read in place */
    int pack_a, shared;
    ptrdiff_t item_panels, panels; /* row panels of one item, of all; column sums are one more */
    ptrdiff_t row_groups, column_groups;
} gemm_block;

/* Where column panel j of a part lies in the packed block. */
static char *packed_panel(const gemm_block *block, ptrdiff_t part, ptrdiff_t j) {
    const cyops_gemm_type *type = block->p->type;
    ptrdiff_t before = gemm_first_k(block->p, part) - gemm_first_k(block->p, block->first_part);
    ptrdiff_t rows = before * gemm_ceil_div(block->columns, type->nr) + j * gemm_depth(block->p, part);
    return block->packed_b + rows * type->nr * type->itemsize;
}

/* One column panel of one part of K. */
static void pack_b_tile(void *context, ptrdiff_t tile) {
    const gemm_block *block = context;
    const gemm_problem *p = block->p;
    ptrdiff_t parts = block->last_part - block->first_part, part = block->first_part + tile % parts, j = tile / parts;
    ptrdiff_t nr = p->type->nr, itemsize = p->type->itemsize, depth = gemm_depth(p, part);
    ptrdiff_t row = gemm_first_k(p, part), column = block->first_column + j * nr;
    ptrdiff_t width = gemm_least(nr, block->columns - j * nr);
    const char *b = p->b + (row * p->rs_b + column * p->cs_b) * itemsize;
    char *packed = packed_panel(block, part, j);
    if (p->of_b != NULL) {
        cyops_gemm_pack_walked(p->type, p->of_b, p->b, p->of_mask_b, p->mask_b.data, column, width, nr, row, depth,
                               packed);
        return;
    }
    if (p->mask_b.data == NULL) {
        p->type->pack(width, nr, depth, b, p->cs_b, p->rs_b, packed);
        return;
    }
    const char *mask = p->mask_b.data + (row * p->mask_b.rs + column * p->mask_b.cs) * itemsize;
    cyops_gemm_pack_masked(p->type, width, nr, depth, b, p->cs_b, p->rs_b, mask, p->mask_b.cs, p->mask_b.rs, packed);
}

static void pack_a(const gemm_block *block, ptrdiff_t part, ptrdiff_t item, ptrdiff_t row, ptrdiff_t rows,
                   const char *a, char *packed) {
    const gemm_problem *p = block->p;
    ptrdiff_t depth = gemm_depth(p, part);
    if (p->of_a != NULL) {
        cyops_gemm_pack_walked(p->type, p->of_a, p->a, p->of_mask_a, p->mask_a.data, item * p->m + row, rows, rows,
                               gemm_first_k(p, part), depth, packed);
        return;
    }
    if (p->mask_a.data == NULL) {
        p->type->pack(rows, rows, depth, a, p->rs_a, p->cs_a, packed);
        return;
    }
    const char *mask = p->mask_a.data + (row * p->mask_a.rs + gemm_first_k(p, part) * p->mask_a.cs) * p->type->itemsize;
    cyops_gemm_pack_masked(p->type, rows, rows, depth, a, p->rs_a, p->cs_a, mask, p->mask_a.rs, p->mask_a.cs, packed);
}

/* The part of B that a panel begins at. */
static void place_b(const gemm_block *block, ptrdiff_t part, ptrdiff_t first_panel, cyops_gemm_panel *panel) {
    const gemm_problem *p = block->p;
    ptrdiff_t itemsize = p->type->itemsize, nr = p->type->nr;
    if (block->packed_b != NULL) {
        panel->b = packed_panel(block, part, first_panel);
        panel->rs_b = nr * itemsize;
        panel->ps_b = nr * gemm_depth(p, part) * itemsize;
    } else {
        panel->b = p->b + (gemm_first_k(p, part) * p->rs_b + block->first_column + first_panel * nr) * itemsize;
        panel->rs_b = p->rs_b * itemsize;
        panel->ps_b = nr * itemsize;
    }
}

/* The sums over the rows of B are the product of a row of ones, one element with stride 0, with what is packed and in
 * cache already, in the same order on every path. */
void cyops_gemm_sum_columns(const gemm_problem *p, ptrdiff_t part, ptrdiff_t column, cyops_gemm_panel *panel) {
    static const float one = 1;
    static const double one_f64 = 1;
    panel->k = gemm_depth(p, part);
    panel->a = p->type->itemsize == sizeof one ? (const void *)&one : &one_f64;
    panel->c = p->column_sums + column * p->type->itemsize;
    panel->flags = part > 0 ? CYOPS_GEMM_ADD : 0;
    p->type->panel[1](panel);
}

static void sum_columns(const gemm_block *block, ptrdiff_t part, ptrdiff_t first_panel, ptrdiff_t columns) {
    cyops_gemm_panel panel = {.n = columns};
    place_b(block, part, first_panel, &panel);
    cyops_gemm_sum_columns(block->p, part, block->first_column + first_panel * block->p->type->nr, &panel);
}

/* Row panel `index` of all items and one part of K, in `columns` columns of the block from first_panel * nr on. */
static void multiply_row_panel(const gemm_block *block, ptrdiff_t part, ptrdiff_t index, ptrdiff_t first_panel,
                               ptrdiff_t columns, void *packed_a) {
    const gemm_problem *p = block->p;
    const cyops_gemm_type *type = p->type;
    ptrdiff_t itemsize = type->itemsize;
    ptrdiff_t item = index / block->item_panels, i = index % block->item_panels;
    ptrdiff_t row = gemm_part_start(p->m, block->item_panels, i);
    ptrdiff_t rows = gemm_part_start(p->m, block->item_panels, i + 1) - row;
    ptrdiff_t column = block->first_column + first_panel * type->nr;
    const char *a = p->a + (row * p->rs_a + gemm_first_k(p, part) * p->cs_a) * itemsize;
    char *c = p->c + (row * p->rs_c + column) * itemsize;
    if (p->items > 1) {
        a += gemm_offset(p->ndim, p->shape, p->strides_a, item) * itemsize;
        c += gemm_offset(p->ndim, p->shape, p->strides_c, item) * itemsize;
    }
    cyops_gemm_panel panel = {
        .n = columns,
        .k = gemm_depth(p, part),
        .a = a,
        .rs_a = p->rs_a * itemsize,
        .cs_a = p->cs_a * itemsize,
        .c = c,
        .rs_c = p->rs_c * itemsize,
        .flags = part == 0 ? p->flags & CYOPS_GEMM_ADD : CYOPS_GEMM_ADD,
    };
    if (part == gemm_parts_of_k(p->k) - 1) {
        panel.flags |= p->flags & CYOPS_GEMM_RELU;
        panel.bias = p->bias == NULL ? NULL : p->bias + column * itemsize;
        panel.row_bias = p->row_bias == NULL ? NULL : p->row_bias + (item * p->m + row) * itemsize;
    }
    place_b(block, part, first_panel, &panel);
    if (block->pack_a) {
        pack_a(block, part, item, row, rows, a, packed_a);
        panel.a = packed_a;
        panel.rs_a = itemsize;
        panel.cs_a = rows * itemsize;
    }
    if (p->rows_c == NULL && p->columns_c == NULL)
        type->panel[rows](&panel);
    else
        cyops_gemm_scatter_panel(p, item * p->m + row, rows, column, &panel);
}

/* The tiles of one group of columns are neighbours, like its panels in the packing, so most often a thread multiplies
 * with what it has packed itself. */
static void multiply_tile(void *context, ptrdiff_t tile) {
    const gemm_block *block = context;
    _Alignas(64) char packed_a[(CYOPS_GEMM_MAX_MR * KC) * sizeof(double) + 64];
    ptrdiff_t row_group = tile % block->row_groups, column_group = tile / block->row_groups;
    ptrdiff_t nr = block->p->type->nr, all_panels = gemm_ceil_div(block->columns, nr);
    ptrdiff_t first = gemm_part_start(all_panels, block->column_groups, column_group);
    ptrdiff_t last = gemm_part_start(all_panels, block->column_groups, column_group + 1);
    ptrdiff_t columns = gemm_least(last * nr, block->columns) - first * nr;
    ptrdiff_t start = gemm_part_start(block->panels, block->row_groups, row_group);
    ptrdiff_t end = gemm_part_start(block->panels, block->row_groups, row_group + 1);
    for (ptrdiff_t part = block->first_part; part < block->last_part; part++) {
        for (ptrdiff_t i = start; i < end; i++) {
            if (i < block->item_panels * block->p->items)
                multiply_row_panel(block, part, i, first, columns, packed_a);
            else
                sum_columns(block, part, first, columns);
        }
    }
}

/* Whether B is packed first. In place it saves that pass, where a part of K stays in the second-level cache: rows 4 KB
 * apart fall into a sixteenth of it. Many rows make up for the pass where the part is larger. */
static int should_pack_b(const gemm_problem *p) {
    if (p->mask_b.data != NULL || p->of_b != NULL || p->cs_b != 1) return 1;
    ptrdiff_t itemsize = p->type->itemsize, row_bytes = (p->rs_b < 0 ? -p->rs_b : p->rs_b) * itemsize;
    ptrdiff_t part_bytes = p->n * itemsize * gemm_ceil_div(p->k, gemm_parts_of_k(p->k));
    if (row_bytes >= 4096 || p->k * p->n * itemsize > 4 << 20) return 1;
    return p->m * p->items > 512 && part_bytes > IN_PLACE_BYTES;
}

/* Whether each row panel of A is packed: it must be used for enough columns. Where neither rows nor columns run along
 * memory, a panel in place would not fit L1. */
static int should_pack_a(const gemm_problem *p) {
    if (p->mask_a.data != NULL || p->of_a != NULL) return 1;
    int is_dense = p->cs_a == 1 || p->cs_a == -1 || p->rs_a == 1 || p->rs_a == -1;
    return p->n > (is_dense ? 512 : 4 * p->type->nr) && 1.0 * p->m * p->n * p->k > 1e6;
}

/* The rows of a panel. Rows of A in place are as many streams, and where they are a power of two apart they share a set
 * of the first-level cache, which holds 8 or 12 lines. */
static ptrdiff_t rows_of_panel(const gemm_problem *p) {
    return p->n <= p->type->nr ? gemm_least(p->type->mr, 10) : p->type->mr;
}

#define MOST_TILES 64
#define TILE_FLOPS 4e6 /* a tile of about 20 us: claiming one costs 0.1 us */
#define GROUP_BYTES 3072 /* of each row of B in a group of columns: 1.2 MB in all; 1024 to 4096 are no faster */
#define PACKED_GROUPS 2 /* groups of columns in a packed block that threads share: as many ends as a job has */
#define SMALL_BYTES (512 << 10) /* of a packed block that any core reads soon enough */
#define BLOCK_BYTES (2 << 20) /* of the parts of K that are packed together for several threads */

static void run(const gemm_block *block, ptrdiff_t tiles, void (*tile)(void *, ptrdiff_t)) {
    if (block->shared) {
        cyops_parallel(tiles, tile, (void *)block);
    } else {
        for (ptrdiff_t i = 0; i < tiles; i++) tile((void *)block, i);
    }
}

/* Cuts the block's share of C into tiles. A large packed B goes by columns, since what another core has packed is slow
 * to read; any other by rows, for then each panel of A is packed once, and a core holds whole rows of a gradient, as
 * the optimizer reads them next. The number of tiles is even, like that of the row panels, so that two threads get the
 * same. */
static void cut_into_tiles(gemm_block *block) {
    const gemm_problem *p = block->p;
    ptrdiff_t depth = gemm_first_k(p, block->last_part) - gemm_first_k(p, block->first_part);
    ptrdiff_t column_panels = gemm_ceil_div(block->columns, p->type->nr);
    double flops = 2.0 * p->m * p->items * block->columns * depth;
    ptrdiff_t wanted = 2 * (ptrdiff_t)gemm_least(flops / TILE_FLOPS / 2 + 1.5, MOST_TILES / 2);
    int by_columns = block->packed_b != NULL && depth * block->columns * p->type->itemsize > SMALL_BYTES;
    block->column_groups = by_columns && column_panels >= 4 * PACKED_GROUPS ? PACKED_GROUPS : 1;
    block->row_groups = gemm_least(block->panels, gemm_ceil_div(wanted, block->column_groups));
    if (block->column_groups * block->row_groups < wanted)
        block->column_groups = gemm_least(column_panels, gemm_ceil_div(wanted, block->row_groups));
}

static void multiply_block(gemm_block *block) {
    ptrdiff_t column_panels = gemm_ceil_div(block->columns, block->p->type->nr);
    block->column_groups = block->row_groups = 1;
    if (block->shared) cut_into_tiles(block);
    if (block->packed_b != NULL) run(block, column_panels * (block->last_part - block->first_part), pack_b_tile);
    run(block, block->row_groups * block->column_groups, multiply_tile);
}

/* How many parts of K a block holds. Of a packed B one if a single thread packs it, for the cache's sake. In place as
 * many as all row panels find in the cache. */
static ptrdiff_t parts_together(const gemm_problem *p, ptrdiff_t part_bytes, int pack, int shared) {
    ptrdiff_t bytes = !pack ? IN_PLACE_BYTES : shared ? BLOCK_BYTES : 0, together = bytes / (part_bytes + 1);
    return together < 1 ? 1 : gemm_least(gemm_parts_of_k(p->k), together);
}

/* The row panels of one item; an even number for several threads. */
static ptrdiff_t count_panels(const gemm_problem *p, int shared) {
    ptrdiff_t panels = gemm_ceil_div(p->m, rows_of_panel(p));
    return shared && panels > 1 ? (panels + 1) / 2 * 2 : panels;
}

int cyops_gemm_blocked(const gemm_problem *p) {
    ptrdiff_t nr = p->type->nr, parts = gemm_parts_of_k(p->k), itemsize = p->type->itemsize;
    int pack = should_pack_b(p);
    gemm_block block = {.p = p, .pack_a = should_pack_a(p)};
    block.shared = gemm_is_worth_sharing(2.0 * p->m * p->items * p->n * p->k);
    block.item_panels = count_panels(p, block.shared);
    block.panels = block.item_panels * p->items + (p->column_sums != NULL);
    ptrdiff_t blocks = gemm_ceil_div(p->n * itemsize, GROUP_BYTES * (pack && !block.shared ? 1 : PACKED_GROUPS));
    ptrdiff_t nc = gemm_ceil_div(gemm_ceil_div(p->n, blocks), nr) * nr; /* nearly equal blocks of whole panels */
    ptrdiff_t part_bytes = nc * gemm_ceil_div(p->k, parts) * itemsize;
    ptrdiff_t together = parts_together(p, part_bytes, pack, block.shared), stages = gemm_ceil_div(parts, together);
    if (pack) {
        block.packed_b = cyops_take_scratch((size_t)(part_bytes * together + 64));
        if (block.packed_b == NULL) return CYOPS_NO_MEMORY;
    }
    for (block.first_column = 0; block.first_column < p->n; block.first_column += nc) {
        block.columns = gemm_least(nc, p->n - block.first_column);
        for (ptrdiff_t stage = 0; stage < stages; stage++) {
            block.first_part = gemm_part_start(parts, stages, stage);
            block.last_part = gemm_part_start(parts, stages, stage + 1);
            multiply_block(&block);
        }
    }
    cyops_give_scratch(block.packed_b);
    return CYOPS_OK;
}
