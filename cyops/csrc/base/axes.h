/* A list of axes and a walk over it: where the elements of up to five tensors of one shape lie.
 *
 * Axes are listed innermost first. Offsets and strides count elements.
 */
#ifndef CYOPS_AXES_H
#define CYOPS_AXES_H

#include "base/cyops.h"

#define CYOPS_WALK_TENSORS 5

typedef struct {
    int tensors;
    int ndim;
    ptrdiff_t count; /* product of the lengths */
    ptrdiff_t shape[CYOPS_MAX_NDIM];
    ptrdiff_t strides[CYOPS_WALK_TENSORS][CYOPS_MAX_NDIM];
} cyops_axes;

/* A place on a walk: the index along each axis and each tensor's offset there. */
typedef struct {
    ptrdiff_t index[CYOPS_MAX_NDIM];
    ptrdiff_t offset[CYOPS_WALK_TENSORS];
} cyops_place;

static inline void cyops_axes_begin(cyops_axes *axes, int tensors) {
    axes->tensors = tensors;
    axes->ndim = 0;
    axes->count = 1;
}

/* Puts one more axis outside the others; one of length 1 is left out. */
static inline void cyops_axes_add(cyops_axes *axes, ptrdiff_t length, const ptrdiff_t *strides) {
    axes->count *= length;
    if (length == 1) return;
    axes->shape[axes->ndim] = length;
    for (int k = 0; k < axes->tensors; k++) axes->strides[k][axes->ndim] = strides[k];
    axes->ndim++;
}

static inline void cyops_axes_swap(cyops_axes *axes, int i, int j) {
    ptrdiff_t kept = axes->shape[i];
    axes->shape[i] = axes->shape[j];
    axes->shape[j] = kept;
    for (int k = 0; k < axes->tensors; k++) {
        kept = axes->strides[k][i];
        axes->strides[k][i] = axes->strides[k][j];
        axes->strides[k][j] = kept;
    }
}

/* Orders the axes by the size of the first tensor's stride; a stride of 0 belongs outside. Ties stay as they are. */
static inline void cyops_axes_sort(cyops_axes *axes) {
    for (int i = 1; i < axes->ndim; i++)
        for (int j = i; j > 0; j--) {
            const ptrdiff_t inner = axes->strides[0][j - 1], outer = axes->strides[0][j];
            const ptrdiff_t inner_size = inner < 0 ? -inner : inner, outer_size = outer < 0 ? -outer : outer;
            if (outer == 0 || (inner != 0 && inner_size <= outer_size)) break;
            cyops_axes_swap(axes, j - 1, j);
        }
}

/* Joins neighbours that are one run in every tensor. */
static inline void cyops_axes_merge(cyops_axes *axes) {
    int last = 0;
    for (int i = 1; i < axes->ndim; i++) {
        int is_run = 1;
        for (int k = 0; k < axes->tensors; k++)
            is_run &= axes->strides[k][i] == axes->strides[k][last] * axes->shape[last];
        if (is_run) {
            axes->shape[last] *= axes->shape[i];
            continue;
        }
        last++;
        if (last != i) cyops_axes_swap(axes, last, i);
    }
    if (axes->ndim > 0) axes->ndim = last + 1;
}

/* The place after `steps` steps from the beginning. */
static inline void cyops_walk_to(const cyops_axes *axes, cyops_place *place, ptrdiff_t steps) {
    for (int k = 0; k < axes->tensors; k++) place->offset[k] = 0;
    for (int i = 0; i < axes->ndim; i++) {
        place->index[i] = steps == 0 ? 0 : steps % axes->shape[i];
        steps = steps == 0 ? 0 : steps / axes->shape[i];
        for (int k = 0; k < axes->tensors; k++) place->offset[k] += place->index[i] * axes->strides[k][i];
    }
}

/* How many elements are left on the innermost axis, this one included. */
static inline ptrdiff_t cyops_walk_run(const cyops_axes *axes, const cyops_place *place) {
    return axes->ndim > 0 ? axes->shape[0] - place->index[0] : 1;
}

/* Goes on by at most as many steps as are left on the innermost axis. */
static inline void cyops_walk_on(const cyops_axes *axes, cyops_place *place, ptrdiff_t steps) {
    for (int i = 0; i < axes->ndim; i++) {
        place->index[i] += steps;
        for (int k = 0; k < axes->tensors; k++) place->offset[k] += steps * axes->strides[k][i];
        if (place->index[i] < axes->shape[i]) return;
        for (int k = 0; k < axes->tensors; k++) place->offset[k] -= axes->shape[i] * axes->strides[k][i];
        place->index[i] = 0;
        steps = 1;
    }
}

#endif
