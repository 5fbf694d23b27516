/* Row kernels of one dtype for many classes: a row at a time, its classes in lanes. A template: no include guard.
 *
 * Expects T, ROW_NAME(f), EXP(x), LOG(x) and LANES. Each function named ..._step does LANES classes; what is left of a
 * row is padded to as many, so that the compiler's scalar loop for a remainder, in which one exponential costs as much
 * as a vector of them, never runs. An output may be the input: a step reads all before it writes.
 */

/* What the lanes hold, combined in a tree. */
#define TREE(lanes, combine)                                                                    \
    HALVE(lanes, combine, 16) HALVE(lanes, combine, 8) HALVE(lanes, combine, 4)                 \
    HALVE(lanes, combine, 2) HALVE(lanes, combine, 1)
#define HALVE(lanes, combine, half) \
    for (int l = 0; l < half; l++) lanes[l] = combine(lanes[l], lanes[l + half]);
#define PLUS(a, b) ((a) + (b))
#define LARGER(a, b) ((b) > (a) ? (b) : (a))

/* The last `left` classes of a row, padded. */
CYOPS_INLINE const T *ROW_NAME(padded)(T room[LANES], const T *x, ptrdiff_t left, T filler) {
    for (int l = 0; l < LANES; l++) room[l] = filler;
    memcpy(room, x, left * sizeof *x);
    return room;
}

CYOPS_INLINE void ROW_NAME(top_step)(T lanes[LANES], const T *x) {
    for (int l = 0; l < LANES; l++) lanes[l] = LARGER(lanes[l], x[l]);
}

/* The largest element; a NaN may be passed over, it comes back through the exponential. */
CYOPS_INLINE T ROW_NAME(top)(const T *x, ptrdiff_t classes) {
    T lanes[LANES], room[LANES];
    ptrdiff_t i = 0;
    for (int l = 0; l < LANES; l++) lanes[l] = -(T)INFINITY;
    for (; i + LANES <= classes; i += LANES) ROW_NAME(top_step)(lanes, x + i);
    if (i < classes) ROW_NAME(top_step)(lanes, ROW_NAME(padded)(room, x + i, classes - i, -(T)INFINITY));
    TREE(lanes, LARGER)
    return lanes[0];
}

/* step = exp(x - top) for the first `left` classes, 0 for the others, added to the lanes. */
CYOPS_INLINE void ROW_NAME(exponential_step)(T lanes[LANES], T step[LANES], const T *x, T top, int left) {
    for (int l = 0; l < LANES; l++) step[l] = EXP(x[l] - top);
    if (left < LANES)
        for (int l = 0; l < LANES; l++) step[l] = l < left ? step[l] : 0;
    for (int l = 0; l < LANES; l++) lanes[l] += step[l];
}

/* out = exp(x - top), unless it is NULL; returns the sum. The padding is `top`: the exponential of -infinity would go
 * through the denormals, each of which costs the CPU as much as a whole step. */
CYOPS_INLINE T ROW_NAME(exponentials)(T *out, const T *x, ptrdiff_t classes, T top) {
    T lanes[LANES] = {0}, step[LANES], room[LANES];
    ptrdiff_t i = 0;
    for (; i + LANES <= classes; i += LANES) {
        ROW_NAME(exponential_step)(lanes, step, x + i, top, LANES);
        if (out != NULL)
            for (int l = 0; l < LANES; l++) out[i + l] = step[l];
    }
    if (i < classes) {
        ROW_NAME(padded)(room, x + i, classes - i, top);
        ROW_NAME(exponential_step)(lanes, step, room, top, (int)(classes - i));
        if (out != NULL) memcpy(out + i, step, (classes - i) * sizeof *out);
    }
    TREE(lanes, PLUS)
    return lanes[0];
}

/* The sum of a * b. */
CYOPS_INLINE T ROW_NAME(dot)(const T *a, const T *b, ptrdiff_t classes) {
    T lanes[LANES] = {0}, room[LANES], other_room[LANES];
    for (ptrdiff_t i = 0; i < classes; i += LANES) {
        const int is_whole = i + LANES <= classes;
        const T *x = is_whole ? a + i : ROW_NAME(padded)(room, a + i, classes - i, 0);
        const T *y = is_whole ? b + i : ROW_NAME(padded)(other_room, b + i, classes - i, 0);
        for (int l = 0; l < LANES; l++) lanes[l] += x[l] * y[l];
    }
    TREE(lanes, PLUS)
    return lanes[0];
}

CYOPS_INLINE T ROW_NAME(total)(const T *x, ptrdiff_t classes) {
    T lanes[LANES] = {0}, room[LANES];
    for (ptrdiff_t i = 0; i < classes; i += LANES) {
        const T *step = i + LANES <= classes ? x + i : ROW_NAME(padded)(room, x + i, classes - i, 0);
        for (int l = 0; l < LANES; l++) lanes[l] += step[l];
    }
    TREE(lanes, PLUS)
    return lanes[0];
}

static void ROW_NAME(softmax_of_many)(T *out, const T *x, ptrdiff_t classes) {
    const T sum = ROW_NAME(exponentials)(out, x, classes, ROW_NAME(top)(x, classes)), factor = 1 / sum;
    for (ptrdiff_t i = 0; i < classes; i++) out[i] *= factor;
}

static void ROW_NAME(log_softmax_of_many)(T *out, const T *x, ptrdiff_t classes) {
    const T top = ROW_NAME(top)(x, classes), log_sum = LOG(ROW_NAME(exponentials)(NULL, x, classes, top));
    CYOPS_SAME_PLACE for (ptrdiff_t i = 0; i < classes; i++) out[i] = (x[i] - top) - log_sum;
}

static void ROW_NAME(softmax_gradient)(T *out, const T *d, const T *y, ptrdiff_t classes) {
    const T dot = ROW_NAME(dot)(d, y, classes);
    CYOPS_SAME_PLACE for (ptrdiff_t i = 0; i < classes; i++) out[i] = y[i] * (d[i] - dot);
}

CYOPS_INLINE void ROW_NAME(log_gradient_step)(T *out, const T *d, const T *y, T sum) {
    T step[LANES];
    for (int l = 0; l < LANES; l++) step[l] = d[l] - EXP(y[l]) * sum;
    for (int l = 0; l < LANES; l++) out[l] = step[l];
}

static void ROW_NAME(log_softmax_gradient)(T *out, const T *d, const T *y, ptrdiff_t classes) {
    const T sum = ROW_NAME(total)(d, classes);
    T room[LANES], other_room[LANES];
    ptrdiff_t i = 0;
    for (; i + LANES <= classes; i += LANES) ROW_NAME(log_gradient_step)(out + i, d + i, y + i, sum);
    if (i == classes) return;
    ROW_NAME(padded)(room, d + i, classes - i, 0);
    ROW_NAME(log_gradient_step)(room, room, ROW_NAME(padded)(other_room, y + i, classes - i, 0), sum);
    memcpy(out + i, room, (classes - i) * sizeof *out);
}

/* The logit of the label is read before the gradient may overwrite it. */
static T ROW_NAME(label_loss_of_many)(T *gradient, const T *x, int64_t label, T scale, ptrdiff_t classes) {
    const T top = ROW_NAME(top)(x, classes), label_logit = x[label] - top;
    const T sum = ROW_NAME(exponentials)(gradient, x, classes, top), factor = scale / sum;
    if (gradient != NULL) {
        for (ptrdiff_t i = 0; i < classes; i++) gradient[i] *= factor;
        gradient[label] -= scale;
    }
    return LOG(sum) - label_logit;
}

/* The sum of t * (x - top). */
CYOPS_INLINE T ROW_NAME(weighted)(const T *targets, const T *x, ptrdiff_t classes, T top) {
    T lanes[LANES] = {0}, room[LANES], other_room[LANES];
    for (ptrdiff_t i = 0; i < classes; i += LANES) {
        const int is_whole = i + LANES <= classes;
        const T *t = is_whole ? targets + i : ROW_NAME(padded)(room, targets + i, classes - i, 0);
        const T *z = is_whole ? x + i : ROW_NAME(padded)(other_room, x + i, classes - i, top);
        for (int l = 0; l < LANES; l++) lanes[l] += t[l] * (z[l] - top);
    }
    TREE(lanes, PLUS)
    return lanes[0];
}

/* -sum(t * (x - top - log sum)) = log sum * sum(t) - sum(t * (x - top)) */
static T ROW_NAME(target_loss_of_many)(T *gradient, const T *x, const T *targets, T scale, ptrdiff_t classes) {
    const T top = ROW_NAME(top)(x, classes), weighted = ROW_NAME(weighted)(targets, x, classes, top);
    const T sum = ROW_NAME(exponentials)(gradient, x, classes, top), total = ROW_NAME(total)(targets, classes);
    const T factor = total / sum;
    if (gradient != NULL)
        CYOPS_SAME_PLACE for (ptrdiff_t i = 0; i < classes; i++)
            gradient[i] = scale * (gradient[i] * factor - targets[i]);
    return LOG(sum) * total - weighted;
}

#undef TREE
#undef HALVE
#undef PLUS
#undef LARGER
