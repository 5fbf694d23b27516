/* Row kernels of one dtype for few classes: LANES rows at a time. A template: no include guard.
 *
 * Expects T, ROW_NAME(f), EXP(x), LOG(x), COPY (the copy kernel of T, which transposes) and LANES. A sheet holds one class of LANES rows in each line: every lane
 * works however few classes there are, and no sum goes across a register.
 */
typedef T ROW_NAME(sheet)[FEW_CLASSES][LANES];

/* Whole tiles are worth the call of the kernel that transposes in registers. */
#define IS_WORTH_COPY(rows, classes) ((rows) == LANES && (classes) >= 16)

/* Rows that are missing are copies of the first. */
CYOPS_INLINE void ROW_NAME(turn_in)(ROW_NAME(sheet) sheet, const T *x, ptrdiff_t stride, ptrdiff_t rows,
                                    ptrdiff_t classes) {
    if (IS_WORTH_COPY(rows, classes)) {
        COPY((char *)sheet, (const char *)x, (ptrdiff_t[2]){1, LANES}, (ptrdiff_t[2]){stride, 1}, LANES, classes);
        return;
    }
    for (ptrdiff_t r = 0; r < LANES; r++) {
        const T *row = x + (r < rows ? r : 0) * stride;
        for (ptrdiff_t c = 0; c < classes; c++) sheet[c][r] = row[c];
    }
}

CYOPS_INLINE void ROW_NAME(turn_out)(T *out, ptrdiff_t stride, ROW_NAME(sheet) sheet, ptrdiff_t rows,
                                     ptrdiff_t classes) {
    if (IS_WORTH_COPY(rows, classes)) {
        COPY((char *)out, (const char *)sheet, (ptrdiff_t[2]){1, stride}, (ptrdiff_t[2]){LANES, 1}, classes, LANES);
        return;
    }
    for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t c = 0; c < classes; c++) out[r * stride + c] = sheet[c][r];
}

#undef IS_WORTH_COPY

/* sheet = x - top, then exponentials = exp(sheet), which may be the sheet itself; returns their sums. */
CYOPS_INLINE void ROW_NAME(exponentials_of_few)(ROW_NAME(sheet) exponentials, ROW_NAME(sheet) sheet, ptrdiff_t classes,
                                                T sum[LANES]) {
    T top[LANES], line[LANES];
    for (int l = 0; l < LANES; l++) top[l] = sheet[0][l];
    for (ptrdiff_t c = 1; c < classes; c++)
        for (int l = 0; l < LANES; l++) top[l] = sheet[c][l] > top[l] ? sheet[c][l] : top[l];
    for (int l = 0; l < LANES; l++) sum[l] = 0;
    for (ptrdiff_t c = 0; c < classes; c++) {
        for (int l = 0; l < LANES; l++) line[l] = sheet[c][l] - top[l];
        for (int l = 0; l < LANES; l++) sheet[c][l] = line[l];
        for (int l = 0; l < LANES; l++) line[l] = EXP(line[l]);
        for (int l = 0; l < LANES; l++) exponentials[c][l] = line[l];
        for (int l = 0; l < LANES; l++) sum[l] += line[l];
    }
}

/* Up to LANES rows. */
static void ROW_NAME(softmax_of_few)(T *out, ptrdiff_t out_stride, const T *x, ptrdiff_t x_stride, ptrdiff_t rows,
                                     ptrdiff_t classes) {
    ROW_NAME(sheet) sheet;
    T sum[LANES];
    ROW_NAME(turn_in)(sheet, x, x_stride, rows, classes);
    ROW_NAME(exponentials_of_few)(sheet, sheet, classes, sum);
    for (int l = 0; l < LANES; l++) sum[l] = 1 / sum[l];
    for (ptrdiff_t c = 0; c < classes; c++)
        for (int l = 0; l < LANES; l++) sheet[c][l] *= sum[l];
    ROW_NAME(turn_out)(out, out_stride, sheet, rows, classes);
}

static void ROW_NAME(log_softmax_of_few)(T *out, ptrdiff_t out_stride, const T *x, ptrdiff_t x_stride, ptrdiff_t rows,
                                         ptrdiff_t classes) {
    ROW_NAME(sheet) sheet, exponentials;
    T sum[LANES];
    ROW_NAME(turn_in)(sheet, x, x_stride, rows, classes);
    ROW_NAME(exponentials_of_few)(exponentials, sheet, classes, sum);
    for (int l = 0; l < LANES; l++) sum[l] = LOG(sum[l]);
    for (ptrdiff_t c = 0; c < classes; c++)
        for (int l = 0; l < LANES; l++) sheet[c][l] -= sum[l];
    ROW_NAME(turn_out)(out, out_stride, sheet, rows, classes);
}

static void ROW_NAME(label_loss_of_few)(T *losses, T *gradient, ptrdiff_t gradient_stride, const T *x,
                                        ptrdiff_t x_stride, const int64_t *labels, T scale, ptrdiff_t rows,
                                        ptrdiff_t classes) {
    ROW_NAME(sheet) sheet, exponentials;
    T sum[LANES], factor[LANES];
    ROW_NAME(turn_in)(sheet, x, x_stride, rows, classes);
    ROW_NAME(exponentials_of_few)(exponentials, sheet, classes, sum);
    for (int l = 0; l < LANES; l++) factor[l] = scale / sum[l];
    for (int l = 0; l < LANES; l++) sum[l] = LOG(sum[l]);
    for (ptrdiff_t r = 0; r < rows; r++) losses[r] = sum[r] - sheet[labels[r]][r];
    if (gradient == NULL) return;
    for (ptrdiff_t c = 0; c < classes; c++)
        for (int l = 0; l < LANES; l++) exponentials[c][l] *= factor[l];
    for (ptrdiff_t r = 0; r < rows; r++) exponentials[labels[r]][r] -= scale;
    ROW_NAME(turn_out)(gradient, gradient_stride, exponentials, rows, classes);
}

static void ROW_NAME(target_loss_of_few)(T *losses, T *gradient, ptrdiff_t gradient_stride, const T *x,
                                         ptrdiff_t x_stride, const T *target_rows, ptrdiff_t targets_stride, T scale,
                                         ptrdiff_t rows, ptrdiff_t classes) {
    ROW_NAME(sheet) sheet, exponentials, targets;
    T sum[LANES], total[LANES] = {0}, product[LANES] = {0};
    ROW_NAME(turn_in)(sheet, x, x_stride, rows, classes);
    ROW_NAME(turn_in)(targets, target_rows, targets_stride, rows, classes);
    ROW_NAME(exponentials_of_few)(exponentials, sheet, classes, sum);
    for (ptrdiff_t c = 0; c < classes; c++)
        for (int l = 0; l < LANES; l++) {
            total[l] += targets[c][l];
            product[l] += targets[c][l] * sheet[c][l];
        }
    for (ptrdiff_t r = 0; r < rows; r++) losses[r] = LOG(sum[r]) * total[r] - product[r];
    if (gradient == NULL) return;
    for (int l = 0; l < LANES; l++) total[l] /= sum[l];
    for (ptrdiff_t c = 0; c < classes; c++)
        for (int l = 0; l < LANES; l++) sheet[c][l] = scale * (exponentials[c][l] * total[l] - targets[c][l]);
    ROW_NAME(turn_out)(gradient, gradient_stride, sheet, rows, classes);
}
