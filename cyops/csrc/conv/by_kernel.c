/* The gradient by the kernel of a convolution: kernel[k, c, f] = sum over samples and positions of x[n, place(o, k), c]
 * out[n, o, f]. See conv.h and staging.h.
 *
 * Filters are the rows of the matrix product's tiles and the channels of a tap their columns, so the input is read where
 * it lies, a row of channels for each position: a table says where tap 0 of each position is, and other taps lie the same
 * way further. Where the input has its channels apart, or the windows reach into the padding, the places that a part of
 * the sum meets are copied first. A tile of work has some filters and taps and makes all that it needs itself, for memory
 * that another core has written is slow to read. docs/kernels.md, Convolutions. The bits are those of a contraction.
 */
#include "conv/staging.h"
#include "gemm/problem.h"
#include "runtime/scratch.h"

#define OPERATIONS_PER_NANOSECOND 200 /* of one thread */
#define TILE_NANOSECONDS 3e4
#define PART_NANOSECONDS 6e3 /* of a tile and a part: a table takes 0.3, packing as much */
#define USES 256 /* products of a tile that pay for the copy of an element, which each tile makes */
#define MOST_TILES 64
#define TAIL 16 /* elements that packing may write beyond its end */
#define MOST_BLOCKS 3 /* the end of a sample, whole ones, and the beginning of one */

typedef struct {
    const cyops_staged_call *call;
    const cyops_gemm_type *type;
    const cyops_conv_type *conv;
    int must_copy;
    int cut_axis; /* of the first and the last sample of a part only what it meets along this axis is copied */
    ptrdiff_t taps, positions, k, parts, panels, tiles;
    gemm_operand gradient; /* filters, and the positions of all samples */
    char *sums; /* (filters, taps, channels) */
    _Atomic int failed;
} by_kernel_job;

/* A part of the sum, and what a tile has made ready for it. */
typedef struct {
    ptrdiff_t number, first, depth;
    int blocks;
    conv_block block[MOST_BLOCKS];
    ptrdiff_t first_panel, panels;
    char *packed; /* (depth, rows) and TAIL elements of each panel */
    const char **table; /* where each position's first tap is */
} sum_part;

/* -- the input ------------------------------------------------------------------------------------------------------ */
static void add_block(const by_kernel_job *job, sum_part *part, ptrdiff_t sample, ptrdiff_t samples, ptrdiff_t from,
                      ptrdiff_t until) {
    conv_block *block = &part->block[part->blocks++];
    *block = (conv_block){.sample = sample, .samples = samples, .padded = job->must_copy ? CYOPS_SPATIAL : 0};
    for (int i = 0; i < CYOPS_SPATIAL; i++) block->positions[i] = job->call->axes[i].positions;
    block->at[job->cut_axis] = from;
    block->positions[job->cut_axis] = until - from;
    conv_find_places(job->call, block);
}

static void find_blocks(const by_kernel_job *job, sum_part *part) {
    const ptrdiff_t all = job->call->axes[job->cut_axis].positions, each = job->positions / all;
    const ptrdiff_t first = part->first / each, last = (part->first + part->depth - 1) / each;
    const ptrdiff_t low = first / all, high = last / all;
    part->blocks = 0;
    if (low == high) {
        add_block(job, part, low, 1, first % all, last % all + 1);
        return;
    }
    add_block(job, part, low, 1, first % all, all);
    if (high - low > 1) add_block(job, part, low + 1, high - low - 1, 0, all);
    add_block(job, part, high, 1, 0, last % all + 1);
}

static ptrdiff_t count_elements(const by_kernel_job *job, const sum_part *part) {
    ptrdiff_t count = 0;
    for (int i = 0; i < part->blocks && job->must_copy; i++) count += conv_count_places(job->call, &part->block[i]);
    return count;
}

static void place_blocks(const by_kernel_job *job, sum_part *part, char *memory) {
    for (int i = 0; i < part->blocks; i++) {
        conv_block *block = &part->block[i];
        if (!job->must_copy) {
            conv_use_input(job->call, block, job->type->itemsize);
            continue;
        }
        memory += conv_place_copy(job->call, block, memory) * job->type->itemsize;
        for (ptrdiff_t n = 0; n < block->samples; n++) conv_copy_sample(job->call, job->conv, block, n);
    }
}

static void fill_table(const by_kernel_job *job, sum_part *part) {
    const cyops_conv_axis *axes = job->call->axes;
    const ptrdiff_t itemsize = job->type->itemsize, end = part->first + part->depth;
    const conv_block *block = part->block;
    const char **table = part->table;
    for (ptrdiff_t k = part->first, count; k < end; k += count) {
        const ptrdiff_t line = k / axes[2].positions, image = line / axes[1].positions;
        const ptrdiff_t at[CYOPS_SPATIAL] = {image % axes[0].positions, line % axes[1].positions,
                                             k % axes[2].positions};
        const ptrdiff_t sample = image / axes[0].positions, step = axes[2].step * block->x_place[2] * itemsize;
        while (sample >= block->sample + block->samples) block++;
        ptrdiff_t x = (sample - block->sample) * block->x_sample;
        for (int i = 0; i < CYOPS_SPATIAL; i++)
            x += (axes[i].first + at[i] * axes[i].step - block->low[i]) * block->x_place[i];
        count = gemm_least(end - k, axes[2].positions - at[2]);
        const char *first = block->x + x * itemsize;
        for (ptrdiff_t i = 0; i < count; i++) *table++ = first + i * step;
    }
}

/* -- the products --------------------------------------------------------------------------------------------------- */
static ptrdiff_t first_filter(const by_kernel_job *job, ptrdiff_t panel) {
    return gemm_part_start(job->call->filters, job->panels, panel);
}

static char *packed_panel(const by_kernel_job *job, const sum_part *part, ptrdiff_t panel) {
    const ptrdiff_t filters = first_filter(job, panel) - first_filter(job, part->first_panel);
    return part->packed + (filters * part->depth + (panel - part->first_panel) * TAIL) * job->type->itemsize;
}

static void pack_panels(const by_kernel_job *job, const sum_part *part) {
    for (ptrdiff_t panel = part->first_panel; panel < part->first_panel + part->panels; panel++) {
        const ptrdiff_t filter = first_filter(job, panel), rows = first_filter(job, panel + 1) - filter;
        cyops_gemm_pack_walked(job->type, &job->gradient, job->call->out, NULL, NULL, filter, rows, rows, part->first,
                               part->depth, packed_panel(job, part, panel));
    }
}

/* The sums over the positions of a part are a row of ones times what is packed, as a contraction has them. */
static void sum_filters(const by_kernel_job *job, const sum_part *part, ptrdiff_t index, ptrdiff_t rows) {
    static const float one = 1;
    static const double one_f64 = 1;
    const ptrdiff_t itemsize = job->type->itemsize;
    const cyops_gemm_panel panel = {
        .n = rows,
        .k = part->depth,
        .a = itemsize == sizeof one ? (const void *)&one : &one_f64,
        .b = packed_panel(job, part, index),
        .rs_b = rows * itemsize,
        .c = job->call->sums + first_filter(job, index) * itemsize,
        .flags = part->number > 0 ? CYOPS_GEMM_ADD : 0,
    };
    job->type->panel[1](&panel);
}

/* How far a tap lies from the first one, in elements. */
static ptrdiff_t offset_of_tap(const by_kernel_job *job, const conv_block *block, ptrdiff_t tap) {
    const cyops_conv_axis *axes = job->call->axes;
    return tap / axes[2].taps / axes[1].taps * axes[0].tap_step * block->x_place[0] +
           tap / axes[2].taps % axes[1].taps * axes[1].tap_step * block->x_place[1] +
           tap % axes[2].taps * axes[2].tap_step * block->x_place[2];
}

/* A part of the sum, of the filters of a panel and the channels of a tap. */
static void multiply(const by_kernel_job *job, const sum_part *part, ptrdiff_t index, ptrdiff_t tap) {
    const cyops_staged_call *call = job->call;
    const ptrdiff_t itemsize = job->type->itemsize, filter = first_filter(job, index);
    const ptrdiff_t rows = first_filter(job, index + 1) - filter, row = job->taps * call->channels * itemsize;
    const cyops_gemm_panel panel = {
        .n = call->channels,
        .k = part->depth,
        .a = packed_panel(job, part, index),
        .rs_a = itemsize,
        .cs_a = rows * itemsize,
        .rows_b = (const void *const *)part->table,
        .ps_b = offset_of_tap(job, part->block, tap) * itemsize,
        .c = job->sums + filter * row + tap * call->channels * itemsize,
        .rs_c = row,
        .flags = part->number > 0 ? CYOPS_GEMM_ADD : 0,
    };
    job->type->by_table[rows](&panel);
    if (tap == 0 && call->sums != NULL) sum_filters(job, part, index, rows);
}

/* Pairs of a panel and a tap, panel after panel. */
static int run_part(const by_kernel_job *job, sum_part *part, ptrdiff_t first_pair, ptrdiff_t last_pair) {
    const ptrdiff_t itemsize = job->type->itemsize;
    part->first = gemm_part_start(job->k, job->parts, part->number);
    part->depth = gemm_part_start(job->k, job->parts, part->number + 1) - part->first;
    part->first_panel = first_pair / job->taps;
    part->panels = (last_pair - 1) / job->taps + 1 - part->first_panel;
    find_blocks(job, part);
    const ptrdiff_t filters = first_filter(job, part->first_panel + part->panels) -
                              first_filter(job, part->first_panel);
    const ptrdiff_t packed = filters * part->depth + (part->panels + 1) * TAIL;
    const ptrdiff_t pointers = part->depth * (ptrdiff_t)sizeof(char *);
    char *memory = cyops_take_scratch(pointers + (packed + count_elements(job, part)) * itemsize);
    if (memory == NULL) return CYOPS_NO_MEMORY;
    part->table = (const char **)memory;
    part->packed = memory + pointers;
    place_blocks(job, part, part->packed + packed * itemsize);
    fill_table(job, part);
    pack_panels(job, part);
    for (ptrdiff_t i = first_pair; i < last_pair; i++) multiply(job, part, i / job->taps, i % job->taps);
    cyops_give_scratch(memory);
    return CYOPS_OK;
}

static void run_tile(void *context, ptrdiff_t tile) {
    by_kernel_job *job = context;
    const ptrdiff_t pairs = job->panels * job->taps;
    const ptrdiff_t first = gemm_part_start(pairs, job->tiles, tile),
                    last = gemm_part_start(pairs, job->tiles, tile + 1);
    sum_part part = {0};
    for (; part.number < job->parts; part.number++)
        if (run_part(job, &part, first, last) != CYOPS_OK) job->failed = 1;
}

/* The sums of a tap, to the kernel. */
static void turn_tap(const by_kernel_job *job, ptrdiff_t tap) {
    const cyops_staged_call *call = job->call;
    const ptrdiff_t itemsize = job->type->itemsize;
    const cyops_conv_turn turn = {
        .rows = call->channels,
        .columns = call->filters,
        .run = call->channels,
        .from = job->sums + tap * call->channels * itemsize,
        .from_column = job->taps * call->channels,
        .to = call->kernel + tap * call->channels * call->filters * itemsize,
        .to_row = call->filters,
    };
    job->conv->turn(&turn);
}

/* -- how it is cut -------------------------------------------------------------------------------------------------- */
static void walk_gradient(by_kernel_job *job) {
    const cyops_staged_call *call = job->call;
    gemm_operand *x = &job->gradient;
    x->windows = 0;
    gemm_walk_begin(&x->outer);
    gemm_walk_begin(&x->summed);
    gemm_walk_add(&x->outer, call->filters, call->out_channel, CYOPS_NO_WINDOW, 0);
    for (int i = CYOPS_SPATIAL - 1; i >= 0; i--)
        gemm_walk_add(&x->summed, call->axes[i].positions, call->axes[i].out, CYOPS_NO_WINDOW, 0);
    gemm_walk_add(&x->summed, call->samples, call->out_sample, CYOPS_NO_WINDOW, 0);
}

/* Few enough tiles that what each makes ready is little beside its products, and an even number for two threads. */
static ptrdiff_t count_tiles(const by_kernel_job *job, double nanoseconds) {
    const double most = nanoseconds / TILE_NANOSECONDS;
    const double of_part = job->must_copy ? (double)(job->taps * job->call->filters) / USES
                                          : nanoseconds / (double)job->parts / PART_NANOSECONDS;
    const double wanted = most < of_part ? most : of_part;
    const ptrdiff_t tiles = wanted > MOST_TILES ? MOST_TILES : wanted < 2 ? 2 : (ptrdiff_t)wanted / 2 * 2;
    return gemm_least(tiles, job->panels * job->taps);
}

int cyops_conv_staged_by_kernel(const cyops_staged_call *call) {
    const cyops_conv_axis *axes = call->axes;
    const int is_f32 = call->dtype == CYOPS_FLOAT32;
    by_kernel_job job = {.call = call, .taps = 1, .positions = 1, .must_copy = call->x_channel != 1};
    job.type = is_f32 ? cyops_active->gemm->f32 : cyops_active->gemm->f64;
    job.conv = is_f32 ? cyops_active->conv->f32 : cyops_active->conv->f64;
    for (int i = CYOPS_SPATIAL - 1; i >= 0; i--) {
        job.taps *= axes[i].taps;
        job.positions *= axes[i].positions;
        job.must_copy |= !conv_is_inside(&axes[i]);
        if (axes[i].positions > 1 || axes[i].taps > 1) job.cut_axis = i;
    }
    job.k = call->samples * job.positions;
    job.parts = gemm_parts_of_k(job.k);
    job.panels = gemm_ceil_div(call->filters, job.type->mr);
    walk_gradient(&job);
    const double nanoseconds = 2.0 * (double)job.k * (double)(job.taps * call->channels) * (double)call->filters /
                               OPERATIONS_PER_NANOSECOND;
    job.sums = cyops_take_scratch(job.taps * call->channels * call->filters * job.type->itemsize);
    if (job.sums == NULL) return CYOPS_NO_MEMORY;
    if (cyops_is_worth_sharing(nanoseconds)) {
        job.tiles = count_tiles(&job, nanoseconds);
        cyops_parallel(job.tiles, run_tile, &job);
    } else {
        job.tiles = 1;
        run_tile(&job, 0);
    }
    for (ptrdiff_t tap = 0; tap < job.taps; tap++) turn_tap(&job, tap);
    cyops_give_scratch(job.sums);
    return job.failed ? CYOPS_NO_MEMORY : CYOPS_OK;
}
