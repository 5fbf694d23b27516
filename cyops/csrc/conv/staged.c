/* Convolutions by blocks whose input lies in a cache with its channels side by side: where the caller's does not, or needs
 * zeros around it, it is copied there first. See conv.h.
 *
 * An input packed for a 3x3 kernel is written down nine times, a copy once. The rows of the matrix product's tiles are
 * neighbours along the last spatial axis, or one position of many samples: those share their padding, which is then left
 * out, and lie a constant step apart however short a line is. The taps of a line and their channels are one run of the sum
 * where they lie side by side. docs/kernels.md, Convolutions. The bits are those of a contraction: an output is one chain
 * of multiply-adds over taps and channels, cut at the same places.
 */
#include "conv/staging.h"
#include "gemm/problem.h"
#include "runtime/scratch.h"

#include <string.h>

#define OPERATIONS_PER_NANOSECOND 200 /* of one thread */
#define BLOCK_NANOSECONDS 6e4
#define LINES_BYTES \
    (256 << 10) /* of a block's input where lines are the rows of tiles: docs/kernels.md, Convolutions */
#define SAMPLES_BYTES (512 << 10) /* and where samples are */
#define LEAST_POSITIONS 32 /* of a block that is cut to be short */
#define LEAST_ROWS 8 /* samples of a tile */
#define LONG_LINE 16 /* positions: of longer lines, padding is too little to be worth leaving out */

typedef struct {
    const cyops_staged_call *call;
    const cyops_gemm_type *type;
    const cyops_conv_type *conv;
    int of_samples; /* whether the rows of a tile are samples */
    int must_stage, must_turn, is_padded;
    ptrdiff_t k, parts; /* the whole sum and its chains */
    ptrdiff_t taps, run; /* taps of the last axis that are one run, and how long that is with its channels */
    ptrdiff_t blocks[1 + CYOPS_SPATIAL]; /* samples, and positions along each axis, are cut into so many */
    const char *b; /* the kernel, row after row of filters, in panels */
    ptrdiff_t rs_b, ps_b;
    char *packed;
    _Atomic int failed;
} staged_job;

/* -- the kernel ----------------------------------------------------------------------------------------------------- */
/* Whether taps and channels follow each other as rows of filters that lie side by side. */
static int is_kernel_in_place(const cyops_staged_call *call) {
    const cyops_conv_axis *axes = call->axes;
    ptrdiff_t next = call->kernel_channel * call->channels;
    for (int i = CYOPS_SPATIAL - 1; i >= 0; i--) {
        if (axes[i].taps > 1 && axes[i].kernel != next) return 0;
        next *= axes[i].taps;
    }
    return call->kernel_filter == 1 && call->kernel_channel > 0;
}

/* One tap of a panel of filters. */
static void pack_kernel_tile(void *context, ptrdiff_t tile) {
    const staged_job *job = context;
    const cyops_staged_call *call = job->call;
    const cyops_conv_axis *axes = call->axes;
    const cyops_gemm_type *type = job->type;
    const ptrdiff_t itemsize = type->itemsize, taps = job->k / call->channels, tap = tile % taps;
    const ptrdiff_t first = tile / taps * type->nr;
    const ptrdiff_t from = tap / axes[2].taps / axes[1].taps * axes[0].kernel +
                           tap / axes[2].taps % axes[1].taps * axes[1].kernel + tap % axes[2].taps * axes[2].kernel +
                           first * call->kernel_filter;
    _Alignas(64) char rows[CYOPS_GEMM_MAX_NR * 64 * sizeof(double) + 64];
    char *out = job->packed + (first * job->k + tap * call->channels * type->nr) * itemsize;
    for (ptrdiff_t c = 0, count; c < call->channels; c += count) {
        count = gemm_least(64, call->channels - c);
        type->pack(gemm_least(type->nr, call->filters - first), type->nr, count,
                   call->kernel + (from + c * call->kernel_channel) * itemsize, call->kernel_filter,
                   call->kernel_channel, rows); /* it writes beyond its end, where another thread's may begin */
        memcpy(out + c * type->nr * itemsize, rows, count * type->nr * itemsize);
    }
}

static int place_kernel(staged_job *job) {
    const cyops_staged_call *call = job->call;
    const ptrdiff_t nr = job->type->nr, itemsize = job->type->itemsize, panels = gemm_ceil_div(call->filters, nr);
    job->packed = NULL;
    if (is_kernel_in_place(call)) {
        job->b = call->kernel;
        job->rs_b = call->kernel_channel * itemsize;
        job->ps_b = nr * itemsize;
        return 1;
    }
    job->packed = cyops_take_scratch(panels * nr * job->k * itemsize + 64);
    if (job->packed == NULL) return 0;
    job->b = job->packed;
    job->rs_b = nr * itemsize;
    job->ps_b = job->k * job->rs_b;
    const ptrdiff_t tiles = panels * (job->k / call->channels);
    if (cyops_is_worth_sharing(0.3 * (double)(panels * nr * job->k)))
        cyops_parallel(tiles, pack_kernel_tile, job);
    else
        for (ptrdiff_t tile = 0; tile < tiles; tile++) pack_kernel_tile(job, tile);
    return 1;
}

/* -- tiles ---------------------------------------------------------------------------------------------------------- */
/* Part of the sum that all rows of a tile have: `depth` elements of x from `x` on, and of the kernel from row `k` on. */
typedef struct {
    ptrdiff_t x, k, depth;
} segment;

/* The segments of a part of the sum at a position of the block. */
static ptrdiff_t find_segments(const staged_job *job, const conv_block *block, ptrdiff_t part, const ptrdiff_t *at,
                               segment *segments) {
    const cyops_conv_axis *axes = job->call->axes;
    const ptrdiff_t end = gemm_part_start(job->k, job->parts, part + 1), channels = job->call->channels;
    const ptrdiff_t runs = axes[2].taps / job->taps;
    ptrdiff_t count = 0, next;
    for (ptrdiff_t k = gemm_part_start(job->k, job->parts, part); k < end; k = next) {
        const ptrdiff_t number = k / job->run, start = number * job->run;
        const ptrdiff_t taps[3] = {number / runs / axes[1].taps, number / runs % axes[1].taps, number % runs};
        ptrdiff_t low = k - start, high, x = 0;
        next = gemm_least(start + job->run, end);
        high = next - start;
        for (int i = 0; i < CYOPS_SPATIAL; i++) {
            const ptrdiff_t place = axes[i].first + at[i] * axes[i].step + taps[i] * axes[i].tap_step - block->low[i];
            x += place * block->x_place[i];
            if (i == 2 && job->taps > 1) {
                if (place < 0 && low < -place * channels) low = -place * channels;
                high = gemm_least(high, (block->length[i] - place) * channels);
            } else if (place < 0 || place >= block->length[i]) {
                high = low;
            }
        }
        if (low < high) segments[count++] = (segment){x + low, start + low, high - low};
    }
    return count;
}

/* Some rows of the result, one part of the sum: its chain is kept in `sums` until the last segment. */
static void multiply(const staged_job *job, ptrdiff_t part, ptrdiff_t rows, const char *x, ptrdiff_t rs_x,
                     const segment *segments, ptrdiff_t count, char *out, ptrdiff_t rs_out, char *sums) {
    const cyops_staged_call *call = job->call;
    const ptrdiff_t itemsize = job->type->itemsize, row = call->filters * itemsize;
    const int is_last = part == job->parts - 1;
    for (ptrdiff_t i = 0; i < count || i == 0; i++) {
        const int ends = i >= count - 1;
        const segment s = i < count ? segments[i] : (segment){0, 0, 0};
        const cyops_gemm_panel panel = {
            .n = call->filters,
            .k = s.depth,
            .a = x + s.x * itemsize,
            .rs_a = rs_x * itemsize,
            .cs_a = itemsize,
            .b = job->b + s.k * job->rs_b,
            .rs_b = job->rs_b,
            .ps_b = job->ps_b,
            .start = i == 0 ? NULL : sums,
            .rs_start = row,
            .c = ends ? out : sums,
            .rs_c = ends ? rs_out * itemsize : row,
            .bias = ends && is_last ? call->bias : NULL,
            .flags = (ends && part > 0 ? CYOPS_GEMM_ADD : 0) | (ends && is_last && call->relu ? CYOPS_GEMM_RELU : 0),
        };
        job->type->panel[rows](&panel);
    }
}

/* -- blocks --------------------------------------------------------------------------------------------------------- */
/* Where a block's results are computed: in their own place or in memory, filters side by side. Strides in elements. */
typedef struct {
    char *data;
    ptrdiff_t sample, place[CYOPS_SPATIAL];
} block_results;

/* The rows of a line at `at`, whose last index is the first of the line's. */
static void multiply_line(const staged_job *job, const conv_block *block, const block_results *results, ptrdiff_t part,
                          const ptrdiff_t *at, segment *segments, char *sums) {
    const ptrdiff_t itemsize = job->type->itemsize, mr = job->type->mr;
    const ptrdiff_t samples = job->of_samples ? 1 : block->samples,
                    positions = job->of_samples ? 1 : block->positions[2];
    const ptrdiff_t rows = job->of_samples ? block->samples : positions, panels = gemm_ceil_div(rows, mr);
    const ptrdiff_t rs_x = job->of_samples ? block->x_sample : job->call->axes[2].step * block->x_place[2];
    const ptrdiff_t rs_out = job->of_samples ? results->sample : results->place[2];
    const ptrdiff_t count = find_segments(job, block, part, at, segments);
    ptrdiff_t out = 0;
    for (int i = 0; i < CYOPS_SPATIAL; i++) out += (at[i] - block->at[i]) * results->place[i];
    for (ptrdiff_t n = 0; n < samples; n++)
        for (ptrdiff_t i = 0; i < panels; i++) {
            const ptrdiff_t row = gemm_part_start(rows, panels, i);
            multiply(job, part, gemm_part_start(rows, panels, i + 1) - row,
                     block->x + (n * block->x_sample + row * rs_x) * itemsize, rs_x, segments, count,
                     results->data + (out + n * results->sample + row * rs_out) * itemsize, rs_out, sums);
        }
}

static void multiply_block(const staged_job *job, const conv_block *block, const block_results *results, char *sums) {
    segment segments[CYOPS_MOST_TAPS + 1];
    const ptrdiff_t step = job->of_samples ? 1 : block->positions[2];
    const ptrdiff_t *first = block->at, *count = block->positions;
    for (ptrdiff_t part = 0; part < job->parts; part++)
        for (ptrdiff_t i = first[0]; i < first[0] + count[0]; i++)
            for (ptrdiff_t j = first[1]; j < first[1] + count[1]; j++)
                for (ptrdiff_t o = first[2]; o < first[2] + count[2]; o += step) {
                    const ptrdiff_t at[CYOPS_SPATIAL] = {i, j, o};
                    multiply_line(job, block, results, part, at, segments, sums);
                }
}

static char *place_of_block(const staged_job *job, const conv_block *block) {
    const cyops_staged_call *call = job->call;
    ptrdiff_t offset = block->sample * call->out_sample;
    for (int i = 0; i < CYOPS_SPATIAL; i++) offset += block->at[i] * call->axes[i].out;
    return call->out + offset * job->type->itemsize;
}

/* Results whose filters lie side by side to where theirs lie apart. */
static void turn_results(const staged_job *job, const conv_block *block, const block_results *results) {
    const cyops_staged_call *call = job->call;
    const cyops_conv_axis *axes = call->axes;
    const ptrdiff_t itemsize = job->type->itemsize, *positions = block->positions;
    const int are_neighbours = axes[1].out == positions[2];
    const ptrdiff_t lines = are_neighbours ? positions[1] : 1;
    char *out = place_of_block(job, block);
    for (ptrdiff_t n = 0; n < block->samples; n++)
        for (ptrdiff_t i = 0; i < positions[0]; i++)
            for (ptrdiff_t j = 0; j < positions[1]; j += lines) {
                const cyops_conv_turn turn = {
                    .rows = call->filters,
                    .columns = lines * positions[2],
                    .run = call->filters,
                    .from = results->data +
                            (n * results->sample + i * results->place[0] + j * results->place[1]) * itemsize,
                    .from_column = call->filters,
                    .to = out + (n * call->out_sample + i * axes[0].out + j * axes[1].out) * itemsize,
                    .to_row = call->out_channel,
                };
                job->conv->turn(&turn);
            }
}

static ptrdiff_t count_results(const staged_job *job, const conv_block *block) {
    const ptrdiff_t *positions = block->positions;
    return block->samples * positions[0] * positions[1] * positions[2] * job->call->filters;
}

static void set_results(const staged_job *job, const conv_block *block, char *memory, block_results *results) {
    const cyops_staged_call *call = job->call;
    if (job->must_turn) {
        results->data = memory;
        results->place[2] = call->filters;
        results->place[1] = block->positions[2] * results->place[2];
        results->place[0] = block->positions[1] * results->place[1];
        results->sample = block->positions[0] * results->place[0];
        return;
    }
    results->data = place_of_block(job, block);
    results->sample = call->out_sample;
    for (int i = 0; i < CYOPS_SPATIAL; i++) results->place[i] = call->axes[i].out;
}

static conv_block block_of(const staged_job *job, ptrdiff_t number) {
    const cyops_staged_call *call = job->call;
    conv_block block;
    for (int i = CYOPS_SPATIAL - 1; i >= 0; i--) {
        const ptrdiff_t blocks = job->blocks[1 + i], all = call->axes[i].positions, index = number % blocks;
        block.at[i] = gemm_part_start(all, blocks, index);
        block.positions[i] = gemm_part_start(all, blocks, index + 1) - block.at[i];
        number /= blocks;
    }
    block.sample = gemm_part_start(call->samples, job->blocks[0], number);
    block.samples = gemm_part_start(call->samples, job->blocks[0], number + 1) - block.sample;
    block.padded = job->is_padded ? 1 : 0;
    conv_find_places(call, &block);
    return block;
}

static void run_block(void *context, ptrdiff_t number) {
    staged_job *job = context;
    const ptrdiff_t itemsize = job->type->itemsize;
    conv_block block = block_of(job, number);
    block_results results;
    const ptrdiff_t staged = job->must_stage ? conv_count_places(job->call, &block) : 0;
    const ptrdiff_t turned = job->must_turn ? count_results(job, &block) : 0;
    const ptrdiff_t sums = job->type->mr * job->call->filters;
    char *memory = cyops_take_scratch((staged + turned + sums) * itemsize);
    if (memory == NULL) {
        job->failed = 1;
        return;
    }
    if (job->must_stage) {
        conv_place_copy(job->call, &block, memory);
        for (ptrdiff_t n = 0; n < block.samples; n++) conv_copy_sample(job->call, job->conv, &block, n);
    } else {
        conv_use_input(job->call, &block, itemsize);
    }
    set_results(job, &block, memory + staged * itemsize, &results);
    multiply_block(job, &block, &results, memory + (staged + turned) * itemsize);
    if (job->must_turn) turn_results(job, &block, &results);
    cyops_give_scratch(memory);
}

/* -- how it is cut -------------------------------------------------------------------------------------------------- */
/* Bytes that a block of so many samples and positions moves through the cache. */
static double bytes_of(const staged_job *job, ptrdiff_t samples, const ptrdiff_t *positions) {
    const cyops_conv_axis *axes = job->call->axes;
    double places = (double)samples, results = (double)samples;
    for (int i = 0; i < CYOPS_SPATIAL; i++) {
        ptrdiff_t length = (positions[i] - 1) * axes[i].step + (axes[i].taps - 1) * axes[i].tap_step + 1;
        places *= (double)gemm_least(length, i == 2 && job->is_padded ? length : axes[i].length);
        results *= (double)positions[i];
    }
    return (places * (double)job->call->channels + (job->must_turn ? results * (double)job->call->filters : 0)) *
           job->type->itemsize;
}

static double nanoseconds_of(const staged_job *job, ptrdiff_t samples, const ptrdiff_t *positions) {
    return 2.0 * (double)(samples * positions[0] * positions[1] * positions[2]) * (double)job->k *
           (double)job->call->filters / OPERATIONS_PER_NANOSECOND;
}

/* Whether the rows of tiles are samples, and into how many blocks those are cut. */
static int suits_samples(staged_job *job) {
    const cyops_staged_call *call = job->call;
    const ptrdiff_t mr = job->type->mr,
                    all[3] = {call->axes[0].positions, call->axes[1].positions, call->axes[2].positions};
    ptrdiff_t blocks = gemm_ceil_div(call->samples, mr);
    if (blocks > 1) blocks = (blocks + 1) / 2 * 2; /* even, so that two threads get the same */
    const ptrdiff_t samples = call->samples / blocks;
    if (all[2] > LONG_LINE || samples < gemm_least(LEAST_ROWS, mr) || bytes_of(job, samples + 1, all) > SAMPLES_BYTES)
        return 0;
    job->blocks[0] = blocks;
    return 1;
}

/* Cuts lines from the outermost axis on, until a block's input is small enough and the block short enough, but not into
 * blocks of so few positions that reading the kernel takes longer than they do. */
static void cut_lines(staged_job *job) {
    const cyops_staged_call *call = job->call;
    ptrdiff_t p[CYOPS_SPATIAL], samples = 1;
    for (int i = 0; i < CYOPS_SPATIAL; i++) p[i] = call->axes[i].positions;
    for (int i = 0; i < CYOPS_SPATIAL; i++)
        while (p[i] > 1 && (bytes_of(job, 1, p) > LINES_BYTES || (i < 2 && p[0] * p[1] * p[2] > LEAST_POSITIONS &&
                                                                  nanoseconds_of(job, 1, p) > BLOCK_NANOSECONDS)))
            p[i] = (p[i] + 1) / 2;
    const double all = nanoseconds_of(job, 1, p);
    int is_whole = 1;
    for (int i = 0; i < CYOPS_SPATIAL; i++) {
        job->blocks[1 + i] = gemm_ceil_div(call->axes[i].positions, p[i]);
        is_whole &= job->blocks[1 + i] == 1;
    }
    if (is_whole)
        while (samples < call->samples && (double)(samples + 1) * all <= BLOCK_NANOSECONDS &&
               bytes_of(job, samples + 1, p) <= LINES_BYTES)
            samples++;
    job->blocks[0] = gemm_ceil_div(call->samples, samples);
}

static void cut(staged_job *job) {
    const cyops_staged_call *call = job->call;
    const cyops_conv_axis *last = &call->axes[2];
    for (int i = 0; i <= CYOPS_SPATIAL; i++) job->blocks[i] = 1;
    job->is_padded = 0;
    job->must_stage = call->x_channel != 1;
    job->must_turn = call->out_channel != 1;
    job->of_samples = suits_samples(job);
    const int side_by_side = call->x_channel == 1 && last->x == call->channels;
    if (!job->of_samples) {
        job->is_padded = !conv_is_inside(last);
        job->must_stage |= job->is_padded;
        cut_lines(job);
    }
    job->taps = last->tap_step == 1 && (job->must_stage || side_by_side) ? last->taps : 1;
    job->run = job->taps * call->channels;
}

int cyops_conv_staged(const cyops_staged_call *call) {
    const cyops_conv_axis *axes = call->axes;
    staged_job job = {.call = call};
    const int is_f32 = call->dtype == CYOPS_FLOAT32;
    const ptrdiff_t positions[CYOPS_SPATIAL] = {axes[0].positions, axes[1].positions, axes[2].positions};
    job.type = is_f32 ? cyops_active->gemm->f32 : cyops_active->gemm->f64;
    job.conv = is_f32 ? cyops_active->conv->f32 : cyops_active->conv->f64;
    job.k = axes[0].taps * axes[1].taps * axes[2].taps * call->channels;
    job.parts = gemm_parts_of_k(job.k);
    if (call->samples * positions[0] * positions[1] * positions[2] * call->filters == 0) return CYOPS_OK;
    cut(&job);
    if (!place_kernel(&job)) return CYOPS_NO_MEMORY;
    const ptrdiff_t blocks = job.blocks[0] * job.blocks[1] * job.blocks[2] * job.blocks[3];
    if (cyops_is_worth_sharing(nanoseconds_of(&job, call->samples, positions)))
        cyops_parallel(blocks, run_block, &job);
    else
        for (ptrdiff_t i = 0; i < blocks; i++) run_block(&job, i);
    cyops_give_scratch(job.packed);
    return job.failed ? CYOPS_NO_MEMORY : CYOPS_OK;
}
