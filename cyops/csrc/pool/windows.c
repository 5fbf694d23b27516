/* The tables of pooling: which elements each window holds, and which windows hold each element. */
#include "pool/pool.h"

static ptrdiff_t larger(ptrdiff_t a, ptrdiff_t b) { return a > b ? a : b; }
static ptrdiff_t smaller(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

static int are_alike(const cyops_pool_window *a, const cyops_pool_window *b, ptrdiff_t advance) {
    if (a->taps != b->taps) return 0;
    if (a->taps == 0) return 1;
    if (a->number != b->number || b->first != a->first + advance) return 0;
    for (ptrdiff_t t = 0; t < a->taps && a->weights != NULL; t++)
        if (a->weights[t] != b->weights[t]) return 0;
    return 1;
}

/* From the last place back, so that each run is known when the place before it is looked at. */
void cyops_find_runs(cyops_pool_window *windows, ptrdiff_t places, ptrdiff_t step, ptrdiff_t advance) {
    for (ptrdiff_t i = places - 1; i >= 0; i--) {
        windows[i].run = 1;
        if (i + step < places && are_alike(&windows[i], &windows[i + step], advance))
            windows[i].run += windows[i + step].run;
    }
}

void cyops_pooling_windows(cyops_pool_window *windows, ptrdiff_t places, ptrdiff_t length, ptrdiff_t size,
                           ptrdiff_t stride, ptrdiff_t before) {
    for (ptrdiff_t i = 0; i < places; i++) {
        const ptrdiff_t start = i * stride - before, first = larger(start, 0);
        windows[i] = (cyops_pool_window){.first = first, .number = first - start};
        windows[i].taps = smaller(start + size, length) - first;
    }
    cyops_find_runs(windows, places, 1, stride);
}

void cyops_pooling_windows_back(cyops_pool_window *windows, double *weights, ptrdiff_t places, ptrdiff_t length,
                                ptrdiff_t size, ptrdiff_t stride, ptrdiff_t before) {
    for (ptrdiff_t i = 0; weights != NULL && i < places; i++) {
        const ptrdiff_t start = i * stride - before;
        weights[i] = 1 / (double)(smaller(start + size, length) - larger(start, 0));
    }
    for (ptrdiff_t i = 0; i < length; i++) {
        const ptrdiff_t last = (i + before) / stride, beyond = i + before - size; /* windows that end before i */
        const ptrdiff_t first = beyond < 0 ? 0 : beyond / stride + 1;
        windows[i] = (cyops_pool_window){.first = first, .number = i + before - first * stride};
        windows[i].taps = larger(smaller(last + 1, places) - first, 0);
        if (weights != NULL && windows[i].taps > 0) windows[i].weights = weights + first;
    }
    cyops_find_runs(windows, length, stride, 1);
}
