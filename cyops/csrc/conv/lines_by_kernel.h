/* The gradient by the kernel of a line: its products are added to what the kernel's places hold. Template: see lines.h.
 */
#define MOST_TOGETHER 4 /* taps of the last axis that share a load of the gradient */

/* -- channels in the lanes ------------------------------------------------------------------------------------------ */
/* `count` taps from k on, positions [o, end): all of them inside. */
CYOPS_INLINE void CONV_NAME(channel_sums)(const int count, const int plain, const int whole,
                                          const cyops_conv_line *line, const T *row, T *sums, ptrdiff_t k, ptrdiff_t c,
                                          ptrdiff_t lanes, ptrdiff_t o, ptrdiff_t end) {
    const ptrdiff_t x_channel = plain ? 1 : line->x_channel, d_channel = plain ? 1 : line->out_channel;
    const ptrdiff_t n = whole ? LANES : lanes, tap = line->tap_step * line->x_place;
    const T *x = row + (line->first + o * line->step + k * line->tap_step) * line->x_place + c * x_channel;
    const T *d = (const T *)line->out + o * line->out_position + c * d_channel;
    VEC acc[MOST_TOGETHER];
    for (int i = 0; i < count; i++) acc[i] = CONV_NAME(lanes)(sums + (k + i) * line->kernel_tap[2] + c, 1, n);
    for (; o < end; o++, x += line->step * line->x_place, d += line->out_position) {
        const VEC dv = CONV_NAME(lanes)(d, d_channel, n);
        for (int i = 0; i < count; i++) acc[i] = V(fma)(CONV_NAME(lanes)(x + i * tap, x_channel, n), dv, acc[i]);
    }
    for (int i = 0; i < count; i++) CONV_NAME(put_lanes)(sums + (k + i) * line->kernel_tap[2] + c, 1, n, acc[i]);
}

/* Taps three at a time where all are inside, and what each has beyond. */
CYOPS_INLINE void CONV_NAME(channel_taps)(const int plain, const int whole, const cyops_conv_line *line, const T *row,
                                          T *sums, ptrdiff_t c, ptrdiff_t n) {
    for (ptrdiff_t k = 0; k < line->taps;) {
        const int count = line->taps - k >= 3 ? 3 : 1;
        const ptrdiff_t low = CONV_NAME(first_position)(line, k), high = CONV_NAME(end_position)(line, k + count - 1);
        if (count == 1 || low >= high) {
            CONV_NAME(channel_sums)(1, plain, whole, line, row, sums, k, c, n, low, CONV_NAME(end_position)(line, k));
            k++;
            continue;
        }
        for (int i = 1; i < count; i++)
            CONV_NAME(channel_sums)(1, plain, whole, line, row, sums, k + i, c, n,
                                    CONV_NAME(first_position)(line, k + i), low);
        CONV_NAME(channel_sums)(3, plain, whole, line, row, sums, k, c, n, low, high);
        for (int i = 0; i < count - 1; i++)
            CONV_NAME(channel_sums)(1, plain, whole, line, row, sums, k + i, c, n, high,
                                    CONV_NAME(end_position)(line, k + i));
        k += count;
    }
}

static void CONV_NAME(channels_by_kernel)(const cyops_conv_line *line) {
    const int plain = line->x_channel == 1 && line->out_channel == 1;
    EACH_OUTER_TAP {
        const T *row = (const T *)line->x + t0 * line->x_tap[0] + t1 * line->x_tap[1];
        T *sums = (T *)line->kernel + t0 * line->kernel_tap[0] + t1 * line->kernel_tap[1];
        for (ptrdiff_t c = 0; c < line->channels; c += LANES) {
            const ptrdiff_t left = line->channels - c, n = left < LANES ? left : LANES;
            if (plain && n == LANES)
                CONV_NAME(channel_taps)(1, 1, line, row, sums, c, n);
            else if (plain)
                CONV_NAME(channel_taps)(1, 0, line, row, sums, c, n);
            else
                CONV_NAME(channel_taps)(0, 0, line, row, sums, c, n);
        }
    }
}

/* -- positions in the lanes ----------------------------------------------------------------------------------------- */
/* A place of the kernel is LANES sums, one for each position modulo LANES. */
CYOPS_INLINE void CONV_NAME(add_products)(const T *x, ptrdiff_t stride, const T *d, ptrdiff_t d_stride, ptrdiff_t n,
                                          T *sums) {
    VEC acc = V(load)(sums);
    for (; n >= LANES; n -= LANES, x += LANES * stride, d += LANES * d_stride)
        acc = V(fma)(CONV_NAME(lanes)(x, stride, LANES), CONV_NAME(lanes)(d, d_stride, LANES), acc);
    if (n > 0) acc = V(fma)(CONV_NAME(lanes)(x, stride, n), CONV_NAME(lanes)(d, d_stride, n), acc);
    V(store)(sums, acc);
}

CYOPS_INLINE void CONV_NAME(row_sums)(const cyops_conv_line *line, const CONV_NAME(rows) * rows, ptrdiff_t stride,
                                      ptrdiff_t d_stride) {
    const T *row = rows->places;
    EACH_OUTER_TAP {
        T *sums = (T *)line->kernel + t0 * line->kernel_tap[0] + t1 * line->kernel_tap[1];
        for (ptrdiff_t k = 0; k < line->taps; k++)
            CONV_NAME(add_products)(row + k * line->tap_step, stride, line->out, d_stride, line->positions,
                                    sums + k * line->kernel_tap[2]);
        row += rows->length;
    }
}

static void CONV_NAME(position_sums)(const cyops_conv_line *line) {
    const ptrdiff_t stride = line->step * line->x_place;
    EACH_OUTER_TAP {
        const T *row = (const T *)line->x + t0 * line->x_tap[0] + t1 * line->x_tap[1];
        T *sums = (T *)line->kernel + t0 * line->kernel_tap[0] + t1 * line->kernel_tap[1];
        for (ptrdiff_t k = 0; k < line->taps; k++) {
            const ptrdiff_t o = CONV_NAME(first_position)(line, k), end = CONV_NAME(end_position)(line, k);
            if (o >= end) continue;
            const T *x = row + (line->first + o * line->step + k * line->tap_step) * line->x_place;
            CONV_NAME(add_products)(x, stride, (const T *)line->out + o * line->out_position, line->out_position,
                                    end - o, sums + k * line->kernel_tap[2]);
        }
    }
}

static void CONV_NAME(positions_by_kernel)(const cyops_conv_line *line) {
    CONV_NAME(rows) rows;
    if (!CONV_NAME(measure_rows)(line, &rows)) {
        CONV_NAME(position_sums)(line);
        return;
    }
    CONV_NAME(fill_rows)(line, &rows);
    if (line->out_position == 1 && line->step == 1)
        CONV_NAME(row_sums)(line, &rows, 1, 1);
    else if (line->out_position == 1 && line->step == 2)
        CONV_NAME(row_sums)(line, &rows, 2, 1);
    else
        CONV_NAME(row_sums)(line, &rows, line->step, line->out_position);
}

/* The sums of the lanes, from place to place, in the order of V(sum). */
static void CONV_NAME(add_lanes)(ptrdiff_t count, const void *lanes, void *sums) {
    for (ptrdiff_t i = 0; i < count; i++) ((T *)sums)[i] = V(sum)(V(load)((const T *)lanes + i * LANES));
}
