/* The types every C file of cyops shares: the strided view, status codes; the dtypes are in dtypes.h.
 *
 * Nothing here depends on Python. A cyops_view is what a kernel sees of a tensor: an address, a dtype, a shape and
 * strides counted in elements. The same struct sits inside the Cython class Strided, so passing a tensor to C costs a
 * pointer.
 */
#ifndef CYOPS_H
#define CYOPS_H

#include "base/dtypes.h"

#define CYOPS_MAX_NDIM 16

typedef struct {
    char *data;         /* address of element (0, ..., 0) */
    ptrdiff_t size;     /* number of elements */
    ptrdiff_t itemsize; /* bytes per element */
    int dtype;
    int ndim;
    ptrdiff_t shape[CYOPS_MAX_NDIM];
    ptrdiff_t strides[CYOPS_MAX_NDIM]; /* in elements; any sign; 0 where an axis has length 0 or 1, or is broadcast */
} cyops_view;

typedef enum {
    CYOPS_OK = 0,
    CYOPS_NO_MEMORY,
    CYOPS_NO_KERNEL,    /* no loop for this dtype */
    CYOPS_OUT_OF_RANGE, /* a label or an index */
} cyops_status;

#endif
