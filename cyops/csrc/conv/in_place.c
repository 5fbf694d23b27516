/* Convolutions whose input is multiplied where it lies: neighbours along the last spatial axis are the rows of the matrix
 * product's tiles, and each tap is a product of its own that adds to the sums. See conv.h.
 *
 * An input packed for a 3x3 kernel is written down nine times, and with few filters each element is used too seldom to
 * pay for that: docs/kernels.md, Convolutions. The bits are those of a contraction: an output is one chain of
 * multiply-adds over taps and channels, cut at the same places.
 */
#include "conv/conv.h"
#include "gemm/problem.h"
#include "runtime/scratch.h"

#include <string.h>

#define TILE_NANOSECONDS 2e4
#define OPERATIONS_PER_NANOSECOND 200 /* of one thread */

typedef struct {
    const cyops_in_place_call *call;
    const cyops_gemm_type *type;
    ptrdiff_t k, parts, row; /* the whole sum, its chains, and the bytes of a row of sums */
    ptrdiff_t lines, pieces; /* a line is cut into so many pieces of nearly one length */
    ptrdiff_t chunk; /* lines of a tile */
    const char *b; /* the kernel, row after row of filters, in panels */
    ptrdiff_t rs_b, ps_b;
    _Atomic int failed;
} in_place_job;

/* -- the kernel ----------------------------------------------------------------------------------------------------- */
/* Whether taps and channels follow each other as rows of filters that lie side by side. */
static int is_kernel_in_place(const cyops_in_place_call *call) {
    const cyops_depthwise_axis *axes = call->axes;
    ptrdiff_t next = call->kernel_channel * call->channels;
    for (int i = CYOPS_SPATIAL - 1; i >= 0; i--) {
        if (axes[i].taps > 1 && axes[i].kernel != next) return 0;
        next *= axes[i].taps;
    }
    return call->kernel_filter == 1 && call->kernel_channel > 0;
}

static const char *tap_of_kernel(const cyops_in_place_call *call, ptrdiff_t tap, ptrdiff_t itemsize) {
    const cyops_depthwise_axis *axes = call->axes;
    return call->kernel + (tap / axes[2].taps / axes[1].taps * axes[0].kernel +
                           tap / axes[2].taps % axes[1].taps * axes[1].kernel + tap % axes[2].taps * axes[2].kernel) *
                              itemsize;
}

static void pack_kernel(in_place_job *job, char *out) {
    const cyops_in_place_call *call = job->call;
    const cyops_gemm_type *type = job->type;
    const ptrdiff_t itemsize = type->itemsize, taps = job->k / call->channels;
    job->b = out;
    job->rs_b = type->nr * itemsize;
    job->ps_b = job->k * job->rs_b;
    for (ptrdiff_t first = 0; first < call->filters; first += type->nr)
        for (ptrdiff_t tap = 0; tap < taps; tap++, out += call->channels * job->rs_b)
            type->pack(gemm_least(type->nr, call->filters - first), type->nr, call->channels,
                       tap_of_kernel(call, tap, itemsize) + first * call->kernel_filter * itemsize, call->kernel_filter,
                       call->kernel_channel, out);
}

/* -- lines ---------------------------------------------------------------------------------------------------------- */
/* The rows [low, high) of positions [first, first + rows) for which a tap is inside. */
static void rows_inside(const cyops_depthwise_axis *axis, ptrdiff_t tap, ptrdiff_t first, ptrdiff_t rows,
                        ptrdiff_t *low, ptrdiff_t *high) {
    const ptrdiff_t place = axis->first + first * axis->step + tap * axis->tap_step;
    *low = place < 0 ? (-place + axis->step - 1) / axis->step : 0;
    *high = place < axis->length ? (axis->length - place + axis->step - 1) / axis->step : 0;
    if (*high > rows) *high = rows;
}

/* A piece of a line: `rows` positions from `first` on; x at place 0 of every axis of its sample, out at the piece. */
typedef struct {
    ptrdiff_t at[2], first, rows;
    const char *x;
    char *out, *sums;
} piece;

/* Adds the products of part of a tap's channels. */
static void add_tap(const in_place_job *job, const piece *p, ptrdiff_t tap, ptrdiff_t channel, ptrdiff_t channels) {
    const cyops_in_place_call *call = job->call;
    const cyops_depthwise_axis *axes = call->axes, *last = &axes[2];
    const ptrdiff_t itemsize = job->type->itemsize;
    const ptrdiff_t taps[3] = {tap / last->taps / axes[1].taps, tap / last->taps % axes[1].taps, tap % last->taps};
    ptrdiff_t offset = channel * call->x_channel, low, high;
    for (int i = 0; i < 2; i++) {
        const ptrdiff_t place = axes[i].first + p->at[i] * axes[i].step + taps[i] * axes[i].tap_step;
        if (place < 0 || place >= axes[i].length) return;
        offset += place * axes[i].x;
    }
    rows_inside(last, taps[2], p->first, p->rows, &low, &high);
    if (low >= high) return;
    offset += (last->first + (p->first + low) * last->step + taps[2] * last->tap_step) * last->x;
    char *sums = p->sums + low * job->row;
    const cyops_gemm_panel panel = {
        .n = call->filters,
        .k = channels,
        .a = p->x + offset * itemsize,
        .b = job->b + (tap * call->channels + channel) * job->rs_b,
        .c = sums,
        .rs_a = last->step * last->x * itemsize,
        .cs_a = call->x_channel * itemsize,
        .rs_b = job->rs_b,
        .ps_b = job->ps_b,
        .rs_c = job->row,
        .start = sums,
        .rs_start = job->row,
    };
    job->type->panel[high - low](&panel);
}

/* The sums of a part so far join those of the parts before; the last part is followed by bias and activation. */
static void finish_part(const in_place_job *job, const piece *p, ptrdiff_t part) {
    const int is_last = part == job->parts - 1;
    const cyops_gemm_panel panel = {
        .n = job->call->filters,
        .a = p->sums,
        .b = job->b,
        .c = p->out,
        .rs_b = job->rs_b,
        .ps_b = job->ps_b,
        .rs_c = job->call->axes[2].out * job->type->itemsize,
        .start = p->sums,
        .rs_start = job->row,
        .bias = is_last ? job->call->bias : NULL,
        .flags = (part > 0 ? CYOPS_GEMM_ADD : 0) | (is_last && job->call->relu ? CYOPS_GEMM_RELU : 0),
    };
    job->type->panel[p->rows](&panel);
}

static void run_piece(const in_place_job *job, const piece *p) {
    const ptrdiff_t channels = job->call->channels;
    for (ptrdiff_t part = 0; part < job->parts; part++) {
        const ptrdiff_t end = gemm_part_start(job->k, job->parts, part + 1);
        memset(p->sums, 0, p->rows * job->row);
        for (ptrdiff_t k = gemm_part_start(job->k, job->parts, part); k < end;) {
            const ptrdiff_t tap = k / channels, next = gemm_least((tap + 1) * channels, end);
            add_tap(job, p, tap, k - tap * channels, next - k);
            k = next;
        }
        finish_part(job, p, part);
    }
}

static void run_line(const in_place_job *job, ptrdiff_t line, char *sums) {
    const cyops_in_place_call *call = job->call;
    const cyops_depthwise_axis *axes = call->axes;
    const ptrdiff_t itemsize = job->type->itemsize, image = line / axes[1].positions;
    const ptrdiff_t sample = image / axes[0].positions;
    piece p = {.at = {image % axes[0].positions, line % axes[1].positions}, .sums = sums};
    p.x = call->x + sample * call->x_sample * itemsize;
    char *out = call->out + (sample * call->out_sample + p.at[0] * axes[0].out + p.at[1] * axes[1].out) * itemsize;
    for (ptrdiff_t i = 0; i < job->pieces; i++) {
        p.first = gemm_part_start(axes[2].positions, job->pieces, i);
        p.rows = gemm_part_start(axes[2].positions, job->pieces, i + 1) - p.first;
        p.out = out + p.first * axes[2].out * itemsize;
        run_piece(job, &p);
    }
}

static void run_lines(void *context, ptrdiff_t tile, char *sums) {
    const in_place_job *job = context;
    const ptrdiff_t end = gemm_least((tile + 1) * job->chunk, job->lines);
    for (ptrdiff_t line = tile * job->chunk; line < end; line++) run_line(job, line, sums);
}

static void run_tile(void *context, ptrdiff_t tile) {
    in_place_job *job = context;
    if (!cyops_run_with_scratch(run_lines, job, tile, job->type->mr * job->row)) job->failed = 1;
}

int cyops_conv_in_place(const cyops_in_place_call *call) {
    const cyops_depthwise_axis *axes = call->axes;
    in_place_job job = {.call = call};
    char *packed = NULL;
    job.type = call->dtype == CYOPS_FLOAT32 ? cyops_active->gemm->f32 : cyops_active->gemm->f64;
    job.k = axes[0].taps * axes[1].taps * axes[2].taps * call->channels;
    job.parts = gemm_parts_of_k(job.k);
    job.row = call->filters * job.type->itemsize;
    job.lines = call->samples * axes[0].positions * axes[1].positions;
    job.pieces = gemm_ceil_div(axes[2].positions, job.type->mr);
    if (job.lines * axes[2].positions * call->filters == 0) return CYOPS_OK;
    if (is_kernel_in_place(call)) {
        job.b = call->kernel;
        job.rs_b = call->kernel_channel * job.type->itemsize;
        job.ps_b = job.type->nr * job.type->itemsize;
    } else {
        packed = cyops_take_scratch(
            gemm_ceil_div(call->filters, job.type->nr) * job.type->nr * job.k * job.type->itemsize + 64);
        if (packed == NULL) return CYOPS_NO_MEMORY;
        pack_kernel(&job, packed);
    }
    const double line = 2.0 * (double)axes[2].positions * (double)job.k * (double)call->filters /
                            OPERATIONS_PER_NANOSECOND +
                        50;
    job.chunk = (ptrdiff_t)(TILE_NANOSECONDS / line) + 1;
    const ptrdiff_t tiles = gemm_ceil_div(job.lines, job.chunk);
    if (cyops_is_worth_sharing(line * (double)job.lines))
        cyops_parallel(tiles, run_tile, &job);
    else
        for (ptrdiff_t tile = 0; tile < tiles; tile++) run_tile(&job, tile);
    cyops_give_scratch(packed);
    return job.failed ? CYOPS_NO_MEMORY : CYOPS_OK;
}
