/* Row kernels of one dtype for many classes: a row at a time, its classes in lanes. A template: no include guard.
 *
 * Expects T, ROW_NAME(f), EXP(x), LOG(x) and LANES. A row is read in steps of LANES; the last step is padded, so that
 * the compiler's scalar loop for a remainder, in which one exponential costs as much as a vector of them, never runs.
 * An output may be the input: every step is read before it is written.
 */

/* Whatever lanes hold, combined in a tree. */
#define TREE(lanes, combine)                        \
    for (int half = LANES / 2; half > 0; half /= 2) \
        for (int l = 0; l < half; l++) lanes[l] = combine(lanes[l], lanes[l + half]);
#define PLUS(a, b) ((a) + (b))
#define LARGER(a, b) ((b) > (a) ? (b) : (a))

/* The next LANES elements, or those that are left and `filler`. */
CYOPS_INLINE void ROW_NAME(read)(T step[LANES], const T *x, ptrdiff_t left, T filler) {
    if (left >= LANES) {
        for (int l = 0; l < LANES; l++) step[l] = x[l];
        return;
    }
    for (int l = 0; l < LANES; l++) step[l] = filler;
    memcpy(step, x, left * sizeof *x);
}

CYOPS_INLINE void ROW_NAME(write)(T *out, const T step[LANES], ptrdiff_t left) {
    if (left >= LANES)
        for (int l = 0; l < LANES; l++) out[l] = step[l];
    else
        memcpy(out, step, left * sizeof *out);
}

/* The largest element; a NaN may be passed over, it comes back through the exponential. */
CYOPS_INLINE T ROW_NAME(top)(const T *x, ptrdiff_t classes) {
    T lanes[LANES], step[LANES];
    for (int l = 0; l < LANES; l++) lanes[l] = -(T)INFINITY;
    for (ptrdiff_t i = 0; i < classes; i += LANES) {
        ROW_NAME(read)(step, x + i, classes - i, -(T)INFINITY);
        for (int l = 0; l < LANES; l++) lanes[l] = LARGER(lanes[l], step[l]);
    }
    TREE(lanes, LARGER)
    return lanes[0];
}

/* out = exp(x - top), unless it is NULL; returns the sum. */
CYOPS_INLINE T ROW_NAME(exponentials)(T *out, const T *x, ptrdiff_t classes, T top) {
    T lanes[LANES] = {0}, step[LANES];
    for (ptrdiff_t i = 0; i < classes; i += LANES) {
        ROW_NAME(read)(step, x + i, classes - i, -(T)INFINITY);
        for (int l = 0; l < LANES; l++) step[l] = EXP(step[l] - top);
        for (int l = 0; l < LANES; l++) lanes[l] += step[l];
        if (out != NULL) ROW_NAME(write)(out + i, step, classes - i);
    }
    TREE(lanes, PLUS)
    return lanes[0];
}

/* The sum of a * b; of a alone where b is NULL. */
CYOPS_INLINE T ROW_NAME(dot)(const T *a, const T *b, ptrdiff_t classes) {
    T lanes[LANES] = {0}, step[LANES], factor[LANES];
    for (ptrdiff_t i = 0; i < classes; i += LANES) {
        ROW_NAME(read)(step, a + i, classes - i, 0);
        if (b != NULL) {
            ROW_NAME(read)(factor, b + i, classes - i, 0);
            for (int l = 0; l < LANES; l++) step[l] *= factor[l];
        }
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

static void ROW_NAME(log_softmax_gradient)(T *out, const T *d, const T *y, ptrdiff_t classes) {
    const T sum = ROW_NAME(dot)(d, NULL, classes);
    T step[LANES], difference[LANES];
    for (ptrdiff_t i = 0; i < classes; i += LANES) {
        ROW_NAME(read)(step, y + i, classes - i, 0);
        ROW_NAME(read)(difference, d + i, classes - i, 0);
        for (int l = 0; l < LANES; l++) difference[l] -= EXP(step[l]) * sum;
        ROW_NAME(write)(out + i, difference, classes - i);
    }
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

/* -sum(t * (x - top - log sum)) = log sum * sum(t) - sum(t * (x - top)) */
static T ROW_NAME(target_loss_of_many)(T *gradient, const T *x, const T *targets, T scale, ptrdiff_t classes) {
    const T top = ROW_NAME(top)(x, classes);
    T totals[LANES] = {0}, products[LANES] = {0}, logits[LANES], step[LANES];
    for (ptrdiff_t i = 0; i < classes; i += LANES) {
        ROW_NAME(read)(logits, x + i, classes - i, top);
        ROW_NAME(read)(step, targets + i, classes - i, 0);
        for (int l = 0; l < LANES; l++) totals[l] += step[l];
        for (int l = 0; l < LANES; l++) products[l] += step[l] * (logits[l] - top);
    }
    TREE(totals, PLUS)
    TREE(products, PLUS)
    const T sum = ROW_NAME(exponentials)(gradient, x, classes, top), factor = totals[0] / sum;
    if (gradient != NULL)
        CYOPS_SAME_PLACE for (ptrdiff_t i = 0; i < classes; i++)
            gradient[i] = scale * (gradient[i] * factor - targets[i]);
    return LOG(sum) * totals[0] - products[0];
}

#undef TREE
#undef PLUS
#undef LARGER
