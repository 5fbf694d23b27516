/* The row loops of one dtype, made from the kernels for few and for many classes. A template: no include guard.
 *
 * Expects T, SUFFIX (f32 or f64), EXP(x), LOG(x) and COPY; undefines them. Which kernel runs depends on the number of classes
 * alone, so a row has the same bits in any batch and for any strides.
 */
#define ROW_NAME(name) ISA_NAME(CYOPS_JOIN(CYOPS_JOIN(row, name), SUFFIX))
#define FEW_CLASSES (CYOPS_SHEET_BYTES / LANES / (int)sizeof(T))
#define LANES 32 /* loops of up to 16 steps are unrolled by compilers before they are vectorised */
#include "rows_few.h"
#include "rows_many.h"

/* Loops over one input: few classes in groups of LANES rows, many a row at a time. */
#define ROW_LOOP(name)                                                                                               \
    static void ROW_NAME(name)(char *const data[3], const ptrdiff_t strides[3], ptrdiff_t rows, ptrdiff_t classes) { \
        T *out = (T *)data[0];                                                                                       \
        const T *x = (const T *)data[1];                                                                             \
        if (classes <= FEW_CLASSES)                                                                            \
            for (ptrdiff_t r = 0; r < rows; r += LANES)                                                              \
                ROW_NAME(name##_of_few)(out + r * strides[0], strides[0], x + r * strides[1], strides[1],            \
                                        rows - r < LANES ? rows - r : LANES, classes);                               \
        else                                                                                                         \
            for (ptrdiff_t r = 0; r < rows; r++)                                                                     \
                ROW_NAME(name##_of_many)(out + r * strides[0], x + r * strides[1], classes);                         \
    }
ROW_LOOP(softmax)
ROW_LOOP(log_softmax)

#define GRADIENT_LOOP(name)                                                                                    \
    static void ROW_NAME(name##_loop)(char *const data[3], const ptrdiff_t strides[3], ptrdiff_t rows,         \
                                      ptrdiff_t classes) {                                                     \
        for (ptrdiff_t r = 0; r < rows; r++)                                                                   \
            ROW_NAME(name)((T *)data[0] + r * strides[0], (const T *)data[1] + r * strides[1],                 \
                           (const T *)data[2] + r * strides[2], classes);                                      \
    }
GRADIENT_LOOP(softmax_gradient)
GRADIENT_LOOP(log_softmax_gradient)

static void ROW_NAME(cross_entropy_of_few)(const cyops_cross_entropy_tile *t) {
    for (ptrdiff_t r = 0; r < t->rows; r += LANES) {
        const ptrdiff_t rows = t->rows - r < LANES ? t->rows - r : LANES;
        const T *x = (const T *)t->logits + r * t->logits_stride;
        T *losses = (T *)t->losses + r, *gradient = t->gradient;
        if (gradient != NULL) gradient += r * t->gradient_stride;
        if (t->labels != NULL)
            ROW_NAME(label_loss_of_few)(losses, gradient, t->gradient_stride, x, t->logits_stride, t->labels + r,
                                        (T)t->scale, rows, t->classes);
        else
            ROW_NAME(target_loss_of_few)(losses, gradient, t->gradient_stride, x, t->logits_stride,
                                         (const T *)t->targets + r * t->targets_stride, t->targets_stride, (T)t->scale,
                                         rows, t->classes);
    }
}

static void ROW_NAME(cross_entropy)(const cyops_cross_entropy_tile *t) {
    if (t->classes <= FEW_CLASSES) {
        ROW_NAME(cross_entropy_of_few)(t);
        return;
    }
    for (ptrdiff_t r = 0; r < t->rows; r++) {
        const T *x = (const T *)t->logits + r * t->logits_stride;
        T *loss = (T *)t->losses + r, *gradient = t->gradient;
        if (gradient != NULL) gradient += r * t->gradient_stride;
        if (t->labels != NULL)
            *loss = ROW_NAME(label_loss_of_many)(gradient, x, t->labels[r], (T)t->scale, t->classes);
        else
            *loss = ROW_NAME(target_loss_of_many)(gradient, x, (const T *)t->targets + r * t->targets_stride,
                                                  (T)t->scale, t->classes);
    }
}

#undef ROW_LOOP
#undef GRADIENT_LOOP
#undef ROW_NAME
#undef LANES
#undef FEW_CLASSES
#undef T
#undef SUFFIX
#undef EXP
#undef LOG
#undef COPY
