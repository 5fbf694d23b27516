/* Fixed-width strings: see strings.h. A string ends at its width or at the zeros that pad it. */
#include "elementwise/strings.h"
#include "elementwise/elementwise.h"
#include "elementwise/plan.h"
#include "base/system.h"

static void copy_tile(const void *context, const cyops_plan *plan, char *const *data, ptrdiff_t n_inner,
                      ptrdiff_t n_outer) {
    (void)context;
    const ptrdiff_t width = plan->itemsize[0];
    const ptrdiff_t kept = width < plan->itemsize[1] ? width : plan->itemsize[1];
    for (ptrdiff_t row = 0; row < n_outer; row++)
        for (ptrdiff_t i = 0; i < n_inner; i++) {
            char *to = data[0] + (row * plan->strides[0][1] + i * plan->strides[0][0]) * width;
            memcpy(to, data[1] + (row * plan->strides[1][1] + i * plan->strides[1][0]) * plan->itemsize[1], kept);
            memset(to + kept, 0, width - kept);
        }
}

int cyops_copy_strings(const cyops_view *out, const cyops_view *in) {
    if (out->dtype != in->dtype) return CYOPS_NO_KERNEL;
    const cyops_view *views[2] = {out, in};
    cyops_plan plan;
    cyops_plan_make(&plan, 2, views);
    cyops_plan_walk(&plan, out->itemsize + in->itemsize, copy_tile, NULL);
    return CYOPS_OK;
}

/* Character i of a string, or 0 after its end. `unit` is 1 for bytes, 4 for code points. */
static uint32_t character(const char *text, ptrdiff_t width, int unit, ptrdiff_t i) {
    if (i * unit >= width) return 0;
    if (unit == 1) return (unsigned char)text[i];
    uint32_t code_point;
    memcpy(&code_point, text + i * unit, sizeof code_point);
    return code_point;
}

/* Negative, 0 or positive as a comes before b, equals it or comes after it. */
static int compare(const char *a, ptrdiff_t width_a, const char *b, ptrdiff_t width_b, int unit) {
    const ptrdiff_t length = (width_a > width_b ? width_a : width_b) / unit;
    for (ptrdiff_t i = 0; i < length; i++) {
        const uint32_t left = character(a, width_a, unit, i), right = character(b, width_b, unit, i);
        if (left != right) return left < right ? -1 : 1;
    }
    return 0;
}

/* Which orders satisfy an op: bit 0 for before, bit 1 for equal, bit 2 for after; 0 for what is no comparison. */
static unsigned accepted_orders(int op) {
    switch (op) {
        case CYOPS_OP_less: return 1;
        case CYOPS_OP_equal: return 2;
        case CYOPS_OP_less_equal: return 3;
        case CYOPS_OP_greater: return 4;
        case CYOPS_OP_not_equal: return 5;
        case CYOPS_OP_greater_equal: return 6;
        default: return 0;
    }
}

typedef struct {
    unsigned accepted;
    int unit;
} comparison;

static void compare_tile(const void *context, const cyops_plan *plan, char *const *data, ptrdiff_t n_inner,
                         ptrdiff_t n_outer) {
    const comparison *wanted = context;
    for (ptrdiff_t row = 0; row < n_outer; row++)
        for (ptrdiff_t i = 0; i < n_inner; i++) {
            char *item[3];
            for (int k = 0; k < 3; k++)
                item[k] = data[k] + (row * plan->strides[k][1] + i * plan->strides[k][0]) * plan->itemsize[k];
            const int order = compare(item[1], plan->itemsize[1], item[2], plan->itemsize[2], wanted->unit);
            *item[0] = (char)(wanted->accepted >> (order + 1) & 1);
        }
}

int cyops_compare_strings(int op, const cyops_view *out, const cyops_view *const *inputs) {
    const comparison wanted = {accepted_orders(op), inputs[0]->dtype == CYOPS_STR ? 4 : 1};
    if (wanted.accepted == 0 || inputs[0]->dtype != inputs[1]->dtype) return CYOPS_NO_KERNEL;
    if (out->size == 0) return CYOPS_OK;
    const cyops_view *views[3] = {out, inputs[0], inputs[1]};
    cyops_plan plan;
    cyops_plan_make(&plan, 3, views);
    cyops_plan_walk(&plan, inputs[0]->itemsize + inputs[1]->itemsize + 1, compare_tile, &wanted);
    return CYOPS_OK;
}
