/* See selftest.h: numbers, views and the count of checks, and the parts one after another. */
#include "selftest.h"

long checks = 0, failures = 0;
const char *isa = "";
static uint64_t state = 1;

double next_number(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(int64_t)(state >> 11) / 4503599627370496.0 - 1;
}

#define READ(CODE, name, type, ...) \
    case CYOPS_##CODE: return (double)((const type *)v->data)[offset];
#define WRITE(CODE, name, type, ...) \
    case CYOPS_##CODE: ((type *)v->data)[offset] = (type)value; break;

double value_at(const cyops_view *v, ptrdiff_t offset) {
    switch (v->dtype) { CYOPS_NUMERIC_DTYPES(READ) }
    return NAN;
}

void set_value(const cyops_view *v, ptrdiff_t offset, double value) {
    switch (v->dtype) { CYOPS_NUMERIC_DTYPES(WRITE) }
}

cyops_view view_of(void *data, int dtype, int ndim, const ptrdiff_t *shape, int layout) {
    cyops_view v = {.data = data, .size = 1, .itemsize = cyops_itemsize(dtype), .dtype = dtype, .ndim = ndim};
    ptrdiff_t step = layout == 2 ? 2 : 1, first = 0;
    for (int i = 0; i < ndim; i++) {
        const int axis = layout == 1 ? i : ndim - 1 - i;
        v.shape[axis] = shape[axis];
        v.strides[axis] = shape[axis] > 1 ? (layout == 3 ? -step : step) : 0;
        if (layout == 3) first += step * (shape[axis] - 1);
        step *= shape[axis];
        v.size *= shape[axis];
    }
    v.data += first * v.itemsize;
    return v;
}

ptrdiff_t offset_of(const cyops_view *v, ptrdiff_t i) {
    ptrdiff_t offset = 0;
    for (int axis = v->ndim - 1; axis >= 0; axis--) {
        offset += i % v->shape[axis] * v->strides[axis];
        i /= v->shape[axis];
    }
    return offset;
}

void fill(const cyops_view *v, double scale, double shift) {
    for (ptrdiff_t i = 0; i < v->size; i++) {
        const double x = next_number() * scale + shift;
        set_value(v, offset_of(v, i), cyops_is_floating(v->dtype) ? x : v->dtype == CYOPS_BOOL ? x > shift : floor(x));
    }
}

void expect(double got, double wanted, double tolerance, const char *what, ptrdiff_t where) {
    checks++;
    if (got == wanted || (isnan(got) && isnan(wanted)) || fabs(got - wanted) <= tolerance * (1 + fabs(wanted))) return;
    if (failures++ < 20) printf("%s, %s, element %ld: %.17g in place of %.17g\n", isa, what, (long)where, got, wanted);
}

void expect_status(int status, const char *what) {
    checks++;
    if (status == CYOPS_OK) return;
    if (failures++ < 20) printf("%s, %s: status %d\n", isa, what, status);
}

int main(void) {
    const char *names[CYOPS_MOST_ISAS];
    const int count = cyops_available_isas(names);
    for (int i = 0; i < count; i++) {
        const long before = checks;
        isa = names[i];
        cyops_select_isa(isa);
        for (int threads = 1; threads <= 3; threads += 2) {
            cyops_set_num_threads(threads);
            test_elementwise();
            test_casts();
            test_products();
            test_reductions();
            test_rows();
            test_gathering();
            test_windows();
            test_normalization();
            test_steps();
        }
        printf("%s: %ld checks\n", isa, checks - before);
    }
    cyops_set_num_threads(1);
    printf(failures ? "%ld of %ld checks failed\n" : "%ld failures of %ld checks\n", failures, checks);
    return failures > 0;
}
