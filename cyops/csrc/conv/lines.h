/* A line of a convolution of each channel by itself, forward. Template: see simd/vector.h; kernels.h has the contract.
 *
 * With channels in the lanes, positions that have all taps of the last axis are computed several at a time, the others
 * one by one.
 */
#define SIDE_BY_SIDE 4 /* positions that share a load of the kernel, or vectors of positions */
#define ROWS_SIZE 4096 /* elements: what the first cache holds with room to spare */

/* n lanes from p on, `stride` apart; all of them where n is LANES. */
CYOPS_INLINE VEC CONV_NAME(lanes)(const T *p, ptrdiff_t stride, ptrdiff_t n) {
    if (stride == 1) return n == LANES ? V(load)(p) : V(load_masked)(p, V(mask_of)(n));
    if (stride == 2) return V(load_every_second)(p, n);
    T lanes[LANES] = {0};
    for (ptrdiff_t l = 0; l < n; l++) lanes[l] = p[l * stride];
    return V(load)(lanes);
}

CYOPS_INLINE void CONV_NAME(put_lanes)(T *p, ptrdiff_t stride, ptrdiff_t n, VEC v) {
    if (stride == 1) {
        if (n == LANES)
            V(store)(p, v);
        else
            V(store_masked)(p, V(mask_of)(n), v);
        return;
    }
    T lanes[LANES];
    V(store)(lanes, v);
    for (ptrdiff_t l = 0; l < n; l++) p[l * stride] = lanes[l];
}

CYOPS_INLINE VEC CONV_NAME(finished)(VEC sum, VEC bias, const cyops_conv_line *line) {
    if (line->bias != NULL) sum = sum + bias;
    return line->relu ? V(larger)(V(zero)(), sum) : sum; /* in this order a NaN stays */
}

/* The first position whose tap k is at place 0 or beyond, and the first one from there on whose place is past the end. */
CYOPS_INLINE ptrdiff_t CONV_NAME(first_position)(const cyops_conv_line *line, ptrdiff_t k) {
    const ptrdiff_t missing = -(line->first + k * line->tap_step);
    const ptrdiff_t o = missing <= 0 ? 0 : (missing + line->step - 1) / line->step;
    return o < line->positions ? o : line->positions;
}

CYOPS_INLINE ptrdiff_t CONV_NAME(end_position)(const cyops_conv_line *line, ptrdiff_t k) {
    const ptrdiff_t left = line->length - (line->first + k * line->tap_step);
    const ptrdiff_t o = left <= 0 ? 0 : (left + line->step - 1) / line->step;
    return o < line->positions ? o : line->positions;
}

/* The taps of a position that are inside. */
CYOPS_INLINE void CONV_NAME(taps_at)(const cyops_conv_line *line, ptrdiff_t o, ptrdiff_t *low, ptrdiff_t *high) {
    *low = 0;
    *high = line->taps;
    while (*low < *high && line->first + o * line->step + *low * line->tap_step < 0) ++*low;
    while (*high > *low && line->first + o * line->step + (*high - 1) * line->tap_step >= line->length) --*high;
}

#define EACH_OUTER_TAP                                          \
    for (ptrdiff_t t0 = line->low[0]; t0 < line->high[0]; t0++) \
        for (ptrdiff_t t1 = line->low[1]; t1 < line->high[1]; t1++)

/* -- channels in the lanes ------------------------------------------------------------------------------------------ */
/* nv vectors of channels from c on, the last of them n lanes wide, at `count` positions from o on. */
CYOPS_INLINE void CONV_NAME(channel_block)(const int count, const int nv, const int plain, const cyops_conv_line *line,
                                           ptrdiff_t o, ptrdiff_t c, ptrdiff_t n, ptrdiff_t low, ptrdiff_t high) {
    const ptrdiff_t x_channel = plain ? 1 : line->x_channel, step = line->step * line->x_place;
    VEC acc[SIDE_BY_SIDE][2];
    for (int p = 0; p < count; p++)
        for (int v = 0; v < nv; v++) acc[p][v] = V(zero)();
    const T *x0 = (const T *)line->x + (line->first + o * line->step) * line->x_place + c * x_channel;
    EACH_OUTER_TAP {
        const T *row = x0 + t0 * line->x_tap[0] + t1 * line->x_tap[1];
        const T *weights = (const T *)line->kernel + t0 * line->kernel_tap[0] + t1 * line->kernel_tap[1] + c;
        for (ptrdiff_t k = low; k < high; k++)
            for (ptrdiff_t i = 0; i < line->depth; i++) {
                const T *w = weights + k * line->kernel_tap[2] + i * line->kernel_depth;
                const T *x = row + k * line->tap_step * line->x_place + i * line->x_depth;
                for (int v = 0; v < nv; v++) {
                    const ptrdiff_t wide = v == nv - 1 ? n : LANES;
                    const VEC weight = CONV_NAME(lanes)(w + v * LANES, 1, wide);
                    for (int p = 0; p < count; p++)
                        acc[p][v] = V(fma)(CONV_NAME(lanes)(x + p * step + v * LANES * x_channel, x_channel, wide),
                                           weight, acc[p][v]);
                }
            }
    }
    for (int v = 0; v < nv; v++) {
        const ptrdiff_t wide = v == nv - 1 ? n : LANES, at = c + v * LANES;
        const VEC bias = line->bias == NULL ? V(zero)() : CONV_NAME(lanes)((const T *)line->bias + at, 1, wide);
        for (int p = 0; p < count; p++)
            CONV_NAME(put_lanes)((T *)line->out + (o + p) * line->out_position + at * line->out_channel,
                                 line->out_channel, wide, CONV_NAME(finished)(acc[p][v], bias, line));
    }
}

CYOPS_INLINE void CONV_NAME(channel_column)(const int nv, const int plain, const int whole, const cyops_conv_line *line,
                                            ptrdiff_t c, ptrdiff_t lanes) {
    const ptrdiff_t inner = CONV_NAME(first_position)(line, 0);
    const ptrdiff_t outer = CONV_NAME(end_position)(line, line->taps - 1);
    const ptrdiff_t n = whole ? LANES : lanes;
    for (ptrdiff_t o = 0; o < line->positions;) {
        if (o >= inner && o + SIDE_BY_SIDE <= outer) {
            CONV_NAME(channel_block)(SIDE_BY_SIDE, nv, plain, line, o, c, n, 0, line->taps);
            o += SIDE_BY_SIDE;
        } else {
            ptrdiff_t low, high;
            CONV_NAME(taps_at)(line, o, &low, &high);
            CONV_NAME(channel_block)(1, nv, plain, line, o, c, n, low, high);
            o++;
        }
    }
}

static void CONV_NAME(channels)(const cyops_conv_line *line) {
    const int plain = line->x_channel == 1 && line->out_channel == 1;
    ptrdiff_t c = 0;
    if (plain)
        for (; c + 2 * LANES <= line->channels; c += 2 * LANES) CONV_NAME(channel_column)(2, 1, 1, line, c, LANES);
    for (; c < line->channels; c += LANES) {
        const ptrdiff_t left = line->channels - c;
        if (!plain)
            CONV_NAME(channel_column)(1, 0, 0, line, c, left < LANES ? left : LANES);
        else if (left >= LANES)
            CONV_NAME(channel_column)(1, 1, 1, line, c, LANES);
        else
            CONV_NAME(channel_column)(1, 1, 0, line, c, left);
    }
}

/* -- positions in the lanes ----------------------------------------------------------------------------------------- */
/* nv vectors of positions from o on, the last of them n lanes wide. */
CYOPS_INLINE void CONV_NAME(position_block)(const int nv, const int whole, const cyops_conv_line *line,
                                            ptrdiff_t stride, ptrdiff_t o, ptrdiff_t lanes, ptrdiff_t low,
                                            ptrdiff_t high) {
    const ptrdiff_t n = whole ? LANES : lanes;
    VEC acc[SIDE_BY_SIDE];
    for (int v = 0; v < nv; v++) acc[v] = V(zero)();
    const T *x0 = (const T *)line->x + (line->first + o * line->step) * line->x_place;
    EACH_OUTER_TAP {
        const T *row = x0 + t0 * line->x_tap[0] + t1 * line->x_tap[1];
        const T *weights = (const T *)line->kernel + t0 * line->kernel_tap[0] + t1 * line->kernel_tap[1];
        for (ptrdiff_t k = low; k < high; k++)
            for (ptrdiff_t i = 0; i < line->depth; i++) {
                const VEC weight = V(set1)(weights[k * line->kernel_tap[2] + i * line->kernel_depth]);
                const T *x = row + k * line->tap_step * line->x_place + i * line->x_depth;
                for (int v = 0; v < nv; v++)
                    acc[v] = V(fma)(CONV_NAME(lanes)(x + v * LANES * stride, stride, v == nv - 1 ? n : LANES), weight,
                                    acc[v]);
            }
    }
    const VEC bias = line->bias == NULL ? V(zero)() : V(set1)(*(const T *)line->bias);
    for (int v = 0; v < nv; v++)
        CONV_NAME(put_lanes)((T *)line->out + (o + v * LANES) * line->out_position, line->out_position,
                             v == nv - 1 ? n : LANES, CONV_NAME(finished)(acc[v], bias, line));
}

/* For rows that are too long to be copied: inside them vectors, at the ends one position at a time. */
static void CONV_NAME(position_run)(const cyops_conv_line *line, ptrdiff_t stride) {
    const ptrdiff_t inner = CONV_NAME(first_position)(line, 0);
    const ptrdiff_t outer = CONV_NAME(end_position)(line, line->taps - 1);
    for (ptrdiff_t o = 0; o < line->positions;) {
        const ptrdiff_t left = o >= inner ? outer - o : 0;
        if (left >= SIDE_BY_SIDE * LANES) {
            CONV_NAME(position_block)(SIDE_BY_SIDE, 1, line, stride, o, LANES, 0, line->taps);
            o += SIDE_BY_SIDE * LANES;
        } else if (left >= LANES) {
            CONV_NAME(position_block)(1, 1, line, stride, o, LANES, 0, line->taps);
            o += LANES;
        } else if (left > 0) {
            CONV_NAME(position_block)(1, 0, line, stride, o, left, 0, line->taps);
            o += left;
        } else {
            ptrdiff_t low, high;
            CONV_NAME(taps_at)(line, o, &low, &high);
            CONV_NAME(position_block)(1, 0, line, stride, o, 1, low, high);
            o++;
        }
    }
}

/* The rows of x that the taps of a line meet, each with zeros where it has no places: copied side by side, so that every
 * position has all taps and no load is partial. A row is `length` long; docs/kernels.md, Convolutions. */
typedef struct {
    ptrdiff_t length, count;
    _Alignas(64) T places[ROWS_SIZE];
} CONV_NAME(rows);

/* Whether they fit. */
CYOPS_INLINE int CONV_NAME(measure_rows)(const cyops_conv_line *line, CONV_NAME(rows) * rows) {
    const ptrdiff_t taps = (line->high[0] - line->low[0]) * (line->high[1] - line->low[1]);
    if (line->positions > ROWS_SIZE || line->step > ROWS_SIZE || line->taps > ROWS_SIZE || line->tap_step > ROWS_SIZE ||
        line->depth > ROWS_SIZE || taps > ROWS_SIZE)
        return 0;
    rows->length = (line->positions - 1) * line->step + (line->taps - 1) * line->tap_step + 1;
    rows->count = (line->high[0] > line->low[0] && line->high[1] > line->low[1] ? taps : 0) * line->depth;
    return line->taps > 0 && rows->length * rows->count <= ROWS_SIZE;
}

CYOPS_INLINE void CONV_NAME(copy_row)(const cyops_conv_line *line, const T *x, T *row, ptrdiff_t length) {
    const ptrdiff_t before = line->first < 0 ? -line->first : 0, end = line->length - line->first;
    const ptrdiff_t low = before < length ? before : length, high = end < low ? low : end < length ? end : length;
    const T *from = x + (line->first + low) * line->x_place;
    for (ptrdiff_t i = 0; i < low; i++) row[i] = 0;
    if (line->x_place == 1)
        for (ptrdiff_t i = low; i < high; i++) row[i] = from[i - low];
    else
        for (ptrdiff_t i = low; i < high; i++) row[i] = from[(i - low) * line->x_place];
    for (ptrdiff_t i = high; i < length; i++) row[i] = 0;
}

CYOPS_INLINE void CONV_NAME(fill_rows)(const cyops_conv_line *line, CONV_NAME(rows) * rows) {
    T *row = rows->places;
    EACH_OUTER_TAP
    for (ptrdiff_t i = 0; i < line->depth; i++, row += rows->length)
        CONV_NAME(copy_row)(line, (const T *)line->x + t0 * line->x_tap[0] + t1 * line->x_tap[1] + i * line->x_depth,
                            row, rows->length);
}

CYOPS_INLINE void CONV_NAME(row_block)(const int nv, const int whole, const cyops_conv_line *line,
                                       const CONV_NAME(rows) * rows, ptrdiff_t stride, ptrdiff_t o, ptrdiff_t lanes) {
    const ptrdiff_t n = whole ? LANES : lanes;
    const T *row = rows->places + o * stride;
    VEC acc[SIDE_BY_SIDE];
    for (int v = 0; v < nv; v++) acc[v] = V(zero)();
    EACH_OUTER_TAP {
        const T *weights = (const T *)line->kernel + t0 * line->kernel_tap[0] + t1 * line->kernel_tap[1];
        for (ptrdiff_t k = 0; k < line->taps; k++)
            for (ptrdiff_t i = 0; i < line->depth; i++) {
                const VEC weight = V(set1)(weights[k * line->kernel_tap[2] + i * line->kernel_depth]);
                const T *x = row + i * rows->length + k * line->tap_step;
                for (int v = 0; v < nv; v++)
                    acc[v] = V(fma)(CONV_NAME(lanes)(x + v * LANES * stride, stride, n), weight, acc[v]);
            }
        row += line->depth * rows->length;
    }
    const VEC bias = line->bias == NULL ? V(zero)() : V(set1)(*(const T *)line->bias);
    for (int v = 0; v < nv; v++)
        CONV_NAME(put_lanes)((T *)line->out + (o + v * LANES) * line->out_position, line->out_position, n,
                             CONV_NAME(finished)(acc[v], bias, line));
}

CYOPS_INLINE void CONV_NAME(row_run)(const cyops_conv_line *line, const CONV_NAME(rows) * rows, ptrdiff_t stride) {
    ptrdiff_t o = 0;
    for (; o + SIDE_BY_SIDE * LANES <= line->positions; o += SIDE_BY_SIDE * LANES)
        CONV_NAME(row_block)(SIDE_BY_SIDE, 1, line, rows, stride, o, LANES);
    for (; o + 2 * LANES <= line->positions; o += 2 * LANES) CONV_NAME(row_block)(2, 1, line, rows, stride, o, LANES);
    for (; o + LANES <= line->positions; o += LANES) CONV_NAME(row_block)(1, 1, line, rows, stride, o, LANES);
    if (o < line->positions) CONV_NAME(row_block)(1, 0, line, rows, stride, o, line->positions - o);
}

static void CONV_NAME(positions)(const cyops_conv_line *line) {
    CONV_NAME(rows) rows;
    if (!CONV_NAME(measure_rows)(line, &rows)) {
        CONV_NAME(position_run)(line, line->step * line->x_place);
        return;
    }
    CONV_NAME(fill_rows)(line, &rows);
    if (line->step == 1)
        CONV_NAME(row_run)(line, &rows, 1);
    else if (line->step == 2)
        CONV_NAME(row_run)(line, &rows, 2);
    else
        CONV_NAME(row_run)(line, &rows, line->step);
}
