/* Whether every element of a tensor is finite, for convolutions that multiply zeros in place of padding. */
#include "conv/conv.h"
#include "runtime/dispatch.h"

static int is_finite_element(const cyops_view *x, ptrdiff_t offset) {
    const char *element = x->data + offset * x->itemsize;
    if (x->dtype == CYOPS_FLOAT32) return *(const float *)element * 0 == 0;
    if (x->dtype == CYOPS_FLOAT64) return *(const double *)element * 0 == 0;
    return (*(const uint16_t *)element & 0x7f80) != 0x7f80; /* bfloat16 */
}

static ptrdiff_t offset_of(const cyops_view *x, ptrdiff_t index) {
    ptrdiff_t offset = 0;
    for (int i = x->ndim - 1; i >= 0; i--) {
        offset += index % x->shape[i] * x->strides[i];
        index /= x->shape[i];
    }
    return offset;
}

/* How many elements lie side by side from each one on that begins such a run. */
static ptrdiff_t run_of(const cyops_view *x) {
    ptrdiff_t run = 1;
    for (int i = x->ndim - 1; i >= 0 && (x->shape[i] == 1 || x->strides[i] == run); i--) run *= x->shape[i];
    return run;
}

int cyops_is_finite(const cyops_view *x) {
    const int is_vector = x->dtype == CYOPS_FLOAT32 || x->dtype == CYOPS_FLOAT64;
    const cyops_conv_type *type = x->dtype == CYOPS_FLOAT32 ? cyops_active->conv->f32 : cyops_active->conv->f64;
    const ptrdiff_t run = is_vector ? run_of(x) : 1;
    for (ptrdiff_t index = 0; index < x->size; index += run) {
        const ptrdiff_t offset = offset_of(x, index);
        if (run == 1 ? !is_finite_element(x, offset) : !type->is_finite(run, x->data + offset * x->itemsize)) return 0;
    }
    return 1;
}
