/* Copies parts of a convolution's input: see staging.h. */
#include "conv/staging.h"

#include <string.h>

static ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
static ptrdiff_t most(ptrdiff_t a, ptrdiff_t b) { return a > b ? a : b; }

int conv_is_inside(const cyops_conv_axis *axis) {
    const ptrdiff_t last = axis->first + (axis->positions - 1) * axis->step + (axis->taps - 1) * axis->tap_step;
    return axis->first >= 0 && last < axis->length;
}

void conv_find_places(const cyops_staged_call *call, conv_block *block) {
    for (int i = 0; i < CYOPS_SPATIAL; i++) {
        const cyops_conv_axis *axis = &call->axes[i];
        ptrdiff_t low = axis->first + block->at[i] * axis->step;
        ptrdiff_t high = low + (block->positions[i] - 1) * axis->step + (axis->taps - 1) * axis->tap_step + 1;
        if (i < CYOPS_SPATIAL - block->padded) {
            low = most(low, 0);
            high = most(least(high, axis->length), low);
        }
        block->low[i] = low;
        block->length[i] = high - low;
    }
}

/* From sample to sample. Where these are the rows of a tile, those a multiple of 4 KB apart would share a set of the
 * first cache, which holds 8 or 12 lines. */
static ptrdiff_t sample_step(const cyops_staged_call *call, const conv_block *block) {
    const ptrdiff_t elements = block->length[0] * block->length[1] * block->length[2] * call->channels;
    return elements % 512 == 0 ? elements + 16 : elements;
}

ptrdiff_t conv_count_places(const cyops_staged_call *call, const conv_block *block) {
    return block->samples * sample_step(call, block);
}

static ptrdiff_t offset_of(const cyops_staged_call *call, const conv_block *block) {
    ptrdiff_t offset = block->sample * call->x_sample;
    for (int i = 0; i < CYOPS_SPATIAL; i++) offset += block->low[i] * call->axes[i].x;
    return offset;
}

void conv_use_input(const cyops_staged_call *call, conv_block *block, ptrdiff_t itemsize) {
    block->x = call->x + offset_of(call, block) * itemsize;
    block->x_sample = call->x_sample;
    for (int i = 0; i < CYOPS_SPATIAL; i++) block->x_place[i] = call->axes[i].x;
}

/* What is copied along an axis: `inside` places after `before` zeros, and `after` zeros. */
typedef struct {
    ptrdiff_t before, inside, after;
} conv_padding;

static conv_padding padding_of(const cyops_staged_call *call, const conv_block *block, int axis) {
    const ptrdiff_t low = block->low[axis], length = block->length[axis];
    const ptrdiff_t before = least(most(-low, 0), length);
    const ptrdiff_t inside = most(least(call->axes[axis].length - most(low, 0), length - before), 0);
    return (conv_padding){before, inside, length - before - inside};
}

/* `lines` lines that lie side by side where the input has its channels apart, one where not. */
static void copy_lines(const cyops_staged_call *call, const cyops_conv_type *type, const conv_block *block,
                       const conv_padding *padding, ptrdiff_t lines, const char *from, char *to) {
    const ptrdiff_t itemsize = type->itemsize, place = call->channels * itemsize, line = block->length[2] * place;
    for (ptrdiff_t i = 0; i < lines; i++) {
        memset(to + i * line, 0, padding->before * place);
        memset(to + (i + 1) * line - padding->after * place, 0, padding->after * place);
    }
    to += padding->before * place;
    if (padding->inside == 0) return;
    if (call->x_channel == 1) {
        const ptrdiff_t step = call->axes[2].x * itemsize;
        if (step == place)
            memcpy(to, from, padding->inside * place);
        else
            for (ptrdiff_t i = 0; i < padding->inside; i++) memcpy(to + i * place, from + i * step, place);
        return;
    }
    const cyops_conv_turn turn = {
        .rows = lines * padding->inside,
        .columns = call->channels,
        .run = padding->inside,
        .from = from,
        .to = to,
        .from_column = call->x_channel,
        .to_run = block->length[2] * call->channels,
        .to_row = call->channels,
    };
    type->turn(&turn);
}

ptrdiff_t conv_place_copy(const cyops_staged_call *call, conv_block *block, char *memory) {
    block->x = memory;
    block->x_place[2] = call->channels;
    block->x_place[1] = block->length[2] * call->channels;
    block->x_place[0] = block->length[1] * block->x_place[1];
    block->x_sample = sample_step(call, block);
    return conv_count_places(call, block);
}

/* The lines of one place of the first axis. */
static void copy_plane(const cyops_staged_call *call, const cyops_conv_type *type, const conv_block *block,
                       const char *from, char *to) {
    const ptrdiff_t itemsize = type->itemsize, line = block->x_place[1] * itemsize;
    const conv_padding rows = padding_of(call, block, 1), columns = padding_of(call, block, 2);
    const int are_neighbours = call->x_channel != 1 && call->axes[1].x == columns.inside;
    const ptrdiff_t lines = are_neighbours ? rows.inside : 1;
    memset(to, 0, rows.before * line);
    memset(to + (rows.before + rows.inside) * line, 0, rows.after * line);
    from += (rows.before * call->axes[1].x + columns.before * call->axes[2].x) * itemsize;
    for (ptrdiff_t j = 0; j < rows.inside; j += lines)
        copy_lines(call, type, block, &columns, lines, from + j * call->axes[1].x * itemsize,
                   to + (rows.before + j) * line);
}

void conv_copy_sample(const cyops_staged_call *call, const cyops_conv_type *type, const conv_block *block,
                      ptrdiff_t n) {
    const ptrdiff_t itemsize = type->itemsize, plane = block->x_place[0] * itemsize;
    const conv_padding planes = padding_of(call, block, 0);
    const char *from = call->x + (offset_of(call, block) + n * call->x_sample) * itemsize;
    char *to = (char *)block->x + n * block->x_sample * itemsize;
    memset(to, 0, planes.before * plane);
    memset(to + (planes.before + planes.inside) * plane, 0, planes.after * plane);
    for (ptrdiff_t i = planes.before; i < planes.before + planes.inside; i++)
        copy_plane(call, type, block, from + i * call->axes[0].x * itemsize, to + i * plane);
}
