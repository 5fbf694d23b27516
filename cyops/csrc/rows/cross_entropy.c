/* Softmax cross-entropy: labels are checked before anything is written. See rows.h. */
#include "elementwise/elementwise.h"
#include "rows/rows.h"
#include "rows/tiles.h"
#include "base/system.h"

#define LABELS_ON_STACK 512

/* The labels as int64, side by side in C order. */
static int read_labels(const cyops_view *labels, int64_t *to) {
    cyops_view flat = *labels;
    ptrdiff_t step = 1;
    flat.data = (char *)to;
    flat.dtype = CYOPS_INT64;
    flat.itemsize = sizeof *to;
    for (int i = labels->ndim - 1; i >= 0; i--) {
        flat.strides[i] = step;
        step *= labels->shape[i];
    }
    return cyops_cast(&flat, labels);
}

static ptrdiff_t first_outside(const int64_t *labels, ptrdiff_t n, ptrdiff_t classes) {
    ptrdiff_t outside = 0;
    for (ptrdiff_t i = 0; i < n; i++) outside += (uint64_t)labels[i] >= (uint64_t)classes;
    if (outside == 0) return n;
    ptrdiff_t i = 0;
    while ((uint64_t)labels[i] < (uint64_t)classes) i++;
    return i;
}

int cyops_cross_entropy(const cyops_view *losses, const cyops_view *gradient, const cyops_view *logits,
                        const cyops_view *labels, double scale, ptrdiff_t *position) {
    if (logits->dtype != CYOPS_FLOAT32 && logits->dtype != CYOPS_FLOAT64) return CYOPS_NO_KERNEL;
    if (labels->size == 0) return CYOPS_OK;
    int64_t few[LABELS_ON_STACK];
    int64_t *checked = labels->size <= LABELS_ON_STACK ? few : malloc(labels->size * sizeof *checked);
    if (checked == NULL) return CYOPS_NO_MEMORY;
    int status = read_labels(labels, checked);
    if (status == CYOPS_OK) {
        *position = first_outside(checked, labels->size, logits->shape[logits->ndim - 1]);
        const cyops_row_job job = {.op = CYOPS_ROWS_LABEL_LOSS,
                                   .views = {gradient, logits},
                                   .axis = logits->ndim - 1,
                                   .labels = checked,
                                   .losses = losses->data,
                                   .scale = scale};
        status = *position < labels->size ? CYOPS_OUT_OF_RANGE : cyops_rows_in_tiles(&job);
    }
    if (checked != few) free(checked);
    return status;
}

int cyops_cross_entropy_targets(const cyops_view *losses, const cyops_view *gradient, const cyops_view *logits,
                                const cyops_view *targets, double scale) {
    if (logits->dtype != CYOPS_FLOAT32 && logits->dtype != CYOPS_FLOAT64) return CYOPS_NO_KERNEL;
    if (logits->size == 0) return CYOPS_OK;
    const cyops_row_job job = {.op = CYOPS_ROWS_TARGET_LOSS,
                               .views = {gradient, logits, targets},
                               .axis = logits->ndim - 1,
                               .losses = losses->data,
                               .scale = scale};
    return cyops_rows_in_tiles(&job);
}
