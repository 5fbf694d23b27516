/* The types every C file of cyops shares: dtypes, the strided view, status codes.
 *
 * Nothing here depends on Python. A cyops_view is what a kernel sees of a tensor: an address, a dtype, a shape and
 * strides counted in elements. The same struct sits inside the Cython class Strided, so passing a tensor to C costs a
 * pointer.
 */
#ifndef CYOPS_H
#define CYOPS_H

#include <stddef.h>
#include <stdint.h>

#define CYOPS_MAX_NDIM 16

typedef enum {
    CYOPS_BOOL,
    CYOPS_INT8,
    CYOPS_INT16,
    CYOPS_INT32,
    CYOPS_INT64,
    CYOPS_UINT8,
    CYOPS_UINT16,
    CYOPS_UINT32,
    CYOPS_UINT64,
    CYOPS_FLOAT16,
    CYOPS_FLOAT32,
    CYOPS_FLOAT64,
    CYOPS_BYTES, /* fixed width, NumPy's "S" */
    CYOPS_STR,   /* fixed width, four bytes a character, NumPy's "U" */
    CYOPS_DTYPE_COUNT
} cyops_dtype;

#define CYOPS_NUMERIC_COUNT 12 /* the dtypes before CYOPS_BYTES have kernels of their own */

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
