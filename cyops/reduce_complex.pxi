# reduce_complex: reductions of complex numbers, which have no loops here. Included by reduce.pyx.

cdef dict COMPLEX_REDUCTIONS = {
    "sum": numpy.sum, "prod": numpy.prod, "mean": numpy.mean, "var": numpy.var, "std": numpy.std, "any": numpy.any,
    "all": numpy.all,
}


cdef bint needs_complex(str op, Strided a, object dtype) except -1:
    """Whether the elements or the result are complex, and the reduction has a meaning for them."""
    cdef Py_ssize_t itemsize = 0
    if op not in COMPLEX_REDUCTIONS:
        return False
    return is_complex(a.v.dtype) or (dtype is not None and is_complex(dtype_code(op, dtype, &itemsize)))


cdef Strided complex_reduction(str op, Strided a, object axis, bint keepdims, dict options, object out):
    """NumPy's result on the same memory, which no tape records."""
    cdef char reduced[CYOPS_MAX_NDIM]
    if is_text(a.v.dtype):
        require_real(op, a.v.dtype, a.v.itemsize)
    normalize_axes(op, axis, a.v.ndim, reduced)
    with numpy.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)         # of a mean of nothing, which is NaN
        found = COMPLEX_REDUCTIONS[op](numpy.asarray(a), axis=axes_of(reduced, a.v.ndim), keepdims=keepdims, **options)
    return write_result(op, alias(result_class(a, a), operand(op, numpy.asarray(found))), out)
