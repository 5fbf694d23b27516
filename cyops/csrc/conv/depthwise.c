/* Convolutions of each channel by itself, cut into lines and handed to the threads. See conv.h and kernels.h. */
#include "conv/conv.h"
#include "runtime/dispatch.h"
#include "runtime/pool.h"
#include "runtime/scratch.h"

#include <string.h>

#define OPERATIONS_PER_NANOSECOND 30 /* of one thread: docs/kernels.md, Convolutions */
#define LINES_TO_SHARE 2e4           /* nanoseconds of a tile */
#define MOST_PARTS 16                /* that the gradient by the kernel is summed in */

typedef struct {
    const cyops_depthwise_call *call;
    const cyops_conv_type *type;
    ptrdiff_t taps, further; /* of all axes; the larger of multiplier and depth */
    ptrdiff_t lines; /* positions along the first two axes, samples, and channels where POSITIONS are in the lanes */
    ptrdiff_t channels; /* that a line has */
    int in_lanes; /* CHANNELS or POSITIONS */
    ptrdiff_t chunk, parts;
    ptrdiff_t sums; /* that a place of the packed kernel is: 1, or as many as there are lanes */
    char *kernel, *bias; /* (taps, further, channels) and (multiplier, channels), side by side; bias may be NULL */
} depthwise_job;

enum { CHANNELS, POSITIONS };

static ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

/* Which of the two lies side by side; where neither or both do, the longer one. */
static int lanes_of(const cyops_depthwise_call *call) {
    const cyops_conv_axis *last = &call->axes[CYOPS_SPATIAL - 1];
    const int channels = call->x_channel == 1 && call->out_channel == 1;
    const int positions = last->x == 1 && last->out == 1;
    if (channels != positions) return channels ? CHANNELS : POSITIONS;
    return call->channels >= last->positions ? CHANNELS : POSITIONS;
}

static void begin(depthwise_job *job, const cyops_depthwise_call *call) {
    const cyops_conv_axis *axes = call->axes;
    job->call = call;
    job->type = call->dtype == CYOPS_FLOAT32 ? cyops_active->conv->f32 : cyops_active->conv->f64;
    job->taps = axes[0].taps * axes[1].taps * axes[2].taps;
    job->further = call->multiplier > call->depth ? call->multiplier : call->depth;
    job->in_lanes = lanes_of(call);
    job->sums = 1;
    job->channels = job->in_lanes == CHANNELS ? call->channels : 1;
    job->lines = call->samples * axes[0].positions * axes[1].positions * (call->channels / job->channels);
}

/* -- the kernel, side by side --------------------------------------------------------------------------------------- */
/* Copies all of the kernel, or of the packed one back, element by element: it is small. */
static void copy_kernel(const depthwise_job *job, int back) {
    const cyops_depthwise_call *call = job->call;
    const cyops_conv_axis *axes = call->axes;
    const ptrdiff_t itemsize = job->type->itemsize;
    char *packed = job->kernel;
    for (ptrdiff_t k0 = 0; k0 < axes[0].taps; k0++)
        for (ptrdiff_t k1 = 0; k1 < axes[1].taps; k1++)
            for (ptrdiff_t k2 = 0; k2 < axes[2].taps; k2++)
                for (ptrdiff_t i = 0; i < job->further; i++) {
                    char *from = call->kernel + (k0 * axes[0].kernel + k1 * axes[1].kernel + k2 * axes[2].kernel +
                                                 i * call->kernel_further) *
                                                    itemsize;
                    for (ptrdiff_t c = 0; c < call->channels; c++, packed += itemsize) {
                        char *element = from + c * call->kernel_channel * itemsize;
                        memcpy(back ? element : packed, back ? packed : element, itemsize);
                    }
                }
}

static void copy_bias(const depthwise_job *job) {
    const cyops_depthwise_call *call = job->call;
    const ptrdiff_t itemsize = job->type->itemsize;
    char *packed = job->bias;
    for (ptrdiff_t j = 0; j < call->multiplier; j++)
        for (ptrdiff_t c = 0; c < call->channels; c++, packed += itemsize)
            memcpy(packed, call->bias + (c * call->bias_channel + j * call->bias_multiplier) * itemsize, itemsize);
}

/* -- lines ---------------------------------------------------------------------------------------------------------- */
/* The taps [low, high) of position o whose places are inside. */
static void taps_inside(const cyops_conv_axis *axis, ptrdiff_t o, ptrdiff_t *low, ptrdiff_t *high) {
    const ptrdiff_t place = axis->first + o * axis->step;
    *low = 0;
    *high = axis->taps;
    while (*low < *high && place + *low * axis->tap_step < 0) ++*low;
    while (*high > *low && place + (*high - 1) * axis->tap_step >= axis->length) --*high;
}

/* The line with a number, of its first channel and multiplier. */
static cyops_conv_line line_of(const depthwise_job *job, ptrdiff_t number, char *kernel) {
    const cyops_depthwise_call *call = job->call;
    const cyops_conv_axis *axes = call->axes, *last = &axes[2];
    const ptrdiff_t itemsize = job->type->itemsize, row = job->further * call->channels * job->sums;
    const ptrdiff_t at[2] = {number / axes[1].positions % axes[0].positions, number % axes[1].positions};
    const ptrdiff_t image = number / axes[1].positions / axes[0].positions, images = call->channels / job->channels;
    const ptrdiff_t sample = image / images, channel = image % images;
    ptrdiff_t x = sample * call->x_sample + channel * call->x_channel;
    ptrdiff_t out = sample * call->out_sample + channel * call->out_channel;
    cyops_conv_line line = {
        .channels = job->channels,
        .positions = last->positions,
        .depth = call->depth,
        .length = last->length,
        .taps = last->taps,
        .first = last->first,
        .step = last->step,
        .tap_step = last->tap_step,
        .kernel = kernel + channel * job->sums * itemsize,
        .bias = job->bias == NULL ? NULL : job->bias + channel * itemsize,
        .x_place = last->x,
        .x_channel = call->x_channel,
        .x_depth = call->x_depth,
        .kernel_tap = {axes[1].taps * axes[2].taps * row, axes[2].taps * row, row},
        .kernel_depth = call->channels * job->sums,
        .out_position = last->out,
        .out_channel = call->out_channel,
        .relu = call->relu,
    };
    for (int i = 0; i < 2; i++) {
        taps_inside(&axes[i], at[i], &line.low[i], &line.high[i]);
        line.x_tap[i] = axes[i].tap_step * axes[i].x;
        x += (axes[i].first + at[i] * axes[i].step) * axes[i].x;
        out += at[i] * axes[i].out;
    }
    line.x = call->x + x * itemsize;
    line.out = call->out + out * itemsize;
    return line;
}

static void run_line(const depthwise_job *job, cyops_conv_line line, int by_kernel) {
    const cyops_depthwise_call *call = job->call;
    const cyops_conv_type *type = job->type;
    const ptrdiff_t itemsize = type->itemsize;
    const cyops_conv_line first = line;
    for (ptrdiff_t j = 0; j < call->multiplier; j++) {
        line = first;
        line.kernel = (const char *)first.kernel + j * call->channels * job->sums * itemsize;
        line.out = (char *)first.out + j * call->out_multiplier * itemsize;
        line.bias = first.bias == NULL ? NULL : (const char *)first.bias + j * call->channels * itemsize;
        if (job->in_lanes == CHANNELS)
            (by_kernel ? type->channels_by_kernel : type->channels)(&line);
        else
            (by_kernel ? type->positions_by_kernel : type->positions)(&line);
    }
}

static double nanoseconds_of_line(const depthwise_job *job) {
    const cyops_depthwise_call *call = job->call;
    return (double)call->axes[2].positions * (double)(job->taps * job->further * job->channels) /
               OPERATIONS_PER_NANOSECOND +
           20;
}

/* -- forward -------------------------------------------------------------------------------------------------------- */
static void run_chunk(void *context, ptrdiff_t tile) {
    const depthwise_job *job = context;
    const ptrdiff_t end = least((tile + 1) * job->chunk, job->lines);
    for (ptrdiff_t i = tile * job->chunk; i < end; i++) run_line(job, line_of(job, i, job->kernel), 0);
}

static void share(depthwise_job *job, ptrdiff_t tiles, void (*run)(void *, ptrdiff_t)) {
    if (cyops_is_worth_sharing(nanoseconds_of_line(job) * (double)job->lines))
        cyops_parallel(tiles, run, job);
    else
        for (ptrdiff_t tile = 0; tile < tiles; tile++) run(job, tile);
}

int cyops_depthwise(const cyops_depthwise_call *call) {
    depthwise_job job = {0};
    begin(&job, call);
    if (job.lines == 0 || call->channels == 0 || call->axes[2].positions == 0) return CYOPS_OK;
    const ptrdiff_t itemsize = job.type->itemsize, kernel = job.taps * job.further * call->channels;
    job.kernel = cyops_take_scratch((kernel + call->multiplier * call->channels) * itemsize);
    if (job.kernel == NULL) return CYOPS_NO_MEMORY;
    copy_kernel(&job, 0);
    if (call->bias != NULL) {
        job.bias = job.kernel + kernel * itemsize;
        copy_bias(&job);
    }
    job.chunk = (ptrdiff_t)(LINES_TO_SHARE / nanoseconds_of_line(&job)) + 1;
    share(&job, (job.lines + job.chunk - 1) / job.chunk, run_chunk);
    cyops_give_scratch(job.kernel);
    return CYOPS_OK;
}

/* -- by the kernel -------------------------------------------------------------------------------------------------- */
/* The sum over a part of the lines, in the part's own memory. */
static void run_part(void *context, ptrdiff_t part) {
    const depthwise_job *job = context;
    const ptrdiff_t nbytes = job->taps * job->further * job->call->channels * job->sums * job->type->itemsize;
    const ptrdiff_t begin = job->lines * part / job->parts, end = job->lines * (part + 1) / job->parts;
    char *sums = job->kernel + part * nbytes;
    memset(sums, 0, nbytes);
    for (ptrdiff_t i = begin; i < end; i++) run_line(job, line_of(job, i, sums), 1);
}

/* Adds the sums of all parts to those of the first, in their order. */
static void add_parts(const depthwise_job *job) {
    const ptrdiff_t count = job->taps * job->further * job->call->channels * job->sums;
    for (ptrdiff_t part = 1; part < job->parts; part++)
        if (job->call->dtype == CYOPS_FLOAT32)
            for (ptrdiff_t i = 0; i < count; i++) ((float *)job->kernel)[i] += ((float *)job->kernel)[part * count + i];
        else
            for (ptrdiff_t i = 0; i < count; i++)
                ((double *)job->kernel)[i] += ((double *)job->kernel)[part * count + i];
}

int cyops_depthwise_by_kernel(const cyops_depthwise_call *call) {
    depthwise_job job = {0};
    begin(&job, call);
    if (job.taps * job.further * call->channels == 0) return CYOPS_OK;
    const double work = nanoseconds_of_line(&job) * (double)job.lines;
    job.parts = work > LINES_TO_SHARE * MOST_PARTS ? MOST_PARTS : (ptrdiff_t)(work / LINES_TO_SHARE) + 1;
    job.parts = least(job.parts, job.lines > 0 ? job.lines : 1);
    job.sums = job.in_lanes == POSITIONS ? job.type->lanes : 1;
    const ptrdiff_t count = job.taps * job.further * call->channels;
    job.kernel = cyops_take_scratch(job.parts * count * job.sums * job.type->itemsize);
    if (job.kernel == NULL) return CYOPS_NO_MEMORY;
    share(&job, job.parts, run_part);
    add_parts(&job);
    if (job.sums > 1) job.type->add_lanes(count, job.kernel, job.kernel);
    copy_kernel(&job, 1);
    cyops_give_scratch(job.kernel);
    return CYOPS_OK;
}
