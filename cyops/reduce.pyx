# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, binding=True
"""Reductions over any set of axes: sum, mean, prod, max, min, var, std, argmax, argmin, any, all.

The elements are read where they lie, whatever their strides; csrc/reduce/reduce.c says in which order they are added.
Here axes and dtypes are decided. May be imported by everything above cyops.strided.
"""
from cyops.ids cimport *
from cyops.strided cimport (
    CYOPS_BOOL, CYOPS_FLOAT32, CYOPS_FLOAT64, CYOPS_INT64, CYOPS_MAX_NDIM, CYOPS_UINT64, Strided, alias, api,
    begin_write, cast_to, check, checked_out, computing_dtype, cyops_api, cyops_view, dtype_code, empty, is_complex,
    is_floating, is_long, is_text, is_unsigned, itemsize_of, normalize_axes, operand, overlaps, record, recording,
    require_real, result_class, shape_of, write_result,
)

from libc.math cimport isfinite

import warnings

import numpy


# -- dtypes -----------------------------------------------------------------------------------------------------------
cdef int total_dtype(int dtype) noexcept:
    """Of a sum or product: integers add up in 64 bits, as in NumPy."""
    if is_floating(dtype):
        return dtype
    return CYOPS_UINT64 if is_unsigned(dtype) else CYOPS_INT64


cdef int mean_dtype(int dtype) noexcept:
    return dtype if is_floating(dtype) else CYOPS_FLOAT32


cdef int folding_dtype(int reduction, int source, int result) noexcept:
    """The dtype in which a kernel computes `result` from elements of dtype `source`."""
    if reduction == CYOPS_REDUCE_MEAN or reduction == CYOPS_REDUCE_VAR:
        if not is_floating(source):
            return CYOPS_FLOAT64                 # a large int64 has more digits than a float32
    if is_floating(result):
        return computing_dtype(result)
    if result == CYOPS_BOOL and reduction in (CYOPS_REDUCE_MAX, CYOPS_REDUCE_MIN):
        return CYOPS_BOOL
    return CYOPS_UINT64 if is_unsigned(result) else CYOPS_INT64


# -- shapes -----------------------------------------------------------------------------------------------------------
cdef int result_shape(const cyops_view *x, const char *reduced, bint keepdims, Py_ssize_t *shape) noexcept:
    cdef int i, ndim = 0
    for i in range(x.ndim):
        if reduced[i] and not keepdims:
            continue
        shape[ndim] = 1 if reduced[i] else x.shape[i]
        ndim += 1
    return ndim


cdef void kept_axes(const cyops_view *out, const cyops_view *x, const char *reduced, bint keepdims,
                    cyops_view *kept) noexcept:
    """`out` as the kernels take it: without the axes of length 1 that keepdims leaves."""
    cdef int i
    kept[0] = out[0]
    if not keepdims:
        return
    kept.ndim = 0
    for i in range(x.ndim):
        if not reduced[i]:
            kept.shape[kept.ndim] = out.shape[i]
            kept.strides[kept.ndim] = out.strides[i]
            kept.ndim += 1


cdef tuple axes_of(const char *reduced, int ndim):
    return tuple([i for i in range(ndim) if reduced[i]])


cdef Strided number_tensor(str op, object x):
    cdef Strided a = operand(op, x)
    require_real(op, a.v.dtype, a.v.itemsize)
    return a


cdef int check_not_empty(str op, Strided a, const char *reduced, const cyops_view *out) except -1:
    cdef int i
    if a.v.size > 0 or out.size == 0:
        return 0
    for i in range(a.v.ndim):
        if reduced[i] and a.v.shape[i] == 0:
            raise ValueError(f"{op}: needs at least one element along axis {i}; got shape {shape_of(a)}")
    return 0


# -- the one way through ----------------------------------------------------------------------------------------------
cdef Strided run(str op, int reduction, Strided a, const char *reduced, bint keepdims, int result, double correction,
                 object out):
    """The reduction of `a` in dtype `result`, written into `out` where it is not None."""
    cdef Py_ssize_t shape[CYOPS_MAX_NDIM]
    cdef int ndim = result_shape(&a.v, reduced, keepdims, shape)
    cdef int dtype = folding_dtype(reduction, a.v.dtype, result)
    cdef Strided given = None, target
    cdef cyops_view kept
    cdef const cyops_api *c = api()
    cdef int status
    if out is not None:
        given = checked_out(op, out, ndim, shape, result)
    if given is not None and given.v.dtype == dtype and not overlaps(&given.v, &a.v):
        target = given
    else:
        target = empty(op, result_class(a, a), dtype, itemsize_of(dtype), ndim, shape)
    if reduction == CYOPS_REDUCE_MAX or reduction == CYOPS_REDUCE_MIN:
        check_not_empty(op, a, reduced, &target.v)
    if given is not None:
        begin_write(op, given)
    kept_axes(&target.v, &a.v, reduced, keepdims, &kept)
    if is_long(0.05 * a.v.size * a.v.itemsize):
        with nogil:
            status = c.reduce(reduction, &kept, &a.v, reduced, correction)
    else:
        status = c.reduce(reduction, &kept, &a.v, reduced, correction)
    check(op, status)
    if given is None:
        return target if dtype == result else cast_to(target, result)
    if target is not given:
        check(op, c.cast(&given.v, &target.v))
    return given


include "reduce_complex.pxi"


cdef Strided reduce_axes(str op, int reduction, object x, object axis, bint keepdims, object dtype, object out):
    cdef Strided a = operand(op, x)
    if needs_complex(op, a, dtype):
        return complex_reduction(op, a, axis, keepdims, {"dtype": dtype}, out)
    require_real(op, a.v.dtype, a.v.itemsize)
    cdef char reduced[CYOPS_MAX_NDIM]
    cdef Py_ssize_t itemsize = 0
    cdef int result
    normalize_axes(op, axis, a.v.ndim, reduced)
    if dtype is not None:
        result = dtype_code(op, dtype, &itemsize)
        require_real(op, result, itemsize)
        if reduction == CYOPS_REDUCE_MEAN and not is_floating(result):
            raise TypeError(f"{op}: the result must be floating; got dtype {dtype}")
    elif reduction == CYOPS_REDUCE_MEAN:
        result = mean_dtype(a.v.dtype)
    elif reduction == CYOPS_REDUCE_SUM or reduction == CYOPS_REDUCE_PROD:
        result = total_dtype(a.v.dtype)
    else:
        result = a.v.dtype
    cdef Strided y = run(op, reduction, a, reduced, keepdims, result, 0, out)
    if recording():
        record(op, (a,), y, {"axis": None if axis is None else axes_of(reduced, a.v.ndim), "keepdims": keepdims})
    return y


def sum(x, axis=None, *, bint keepdims=False, dtype=None, out=None):
    """Sum of the elements along `axis`: None for all axes, an integer or a tuple of them, negative from the end.

    (..., n, ...) -> (..., ...), with keepdims (..., 1, ...); () for all axes. Floating dtypes keep theirs; bool and
    signed integers add up in int64, unsigned ones in uint64; `dtype` names another. Blocks are added in a tree, so that
    the error grows with the logarithm of n; what an axis of stride 0 repeats is multiplied instead. The sum of nothing
    is 0. IndexError for an axis out of range, ValueError for one named twice or an `out` of another shape, TypeError
    for strings.

    >>> import cyops
    >>> cyops.sum([[1., 2.], [3., 4.]], axis=0).tolist()
    [4.0, 6.0]
    """
    return reduce_axes("sum", CYOPS_REDUCE_SUM, x, axis, keepdims, dtype, out)


def mean(x, axis=None, *, bint keepdims=False, dtype=None, out=None):
    """Mean of the elements along `axis`: None for all axes, an integer or a tuple of them.

    (..., n, ...) -> (..., ...), with keepdims (..., 1, ...). Floating dtypes keep theirs; integers and bool give
    float32, computed in float64. The mean of nothing is NaN. Errors as in `sum`.

    >>> import cyops
    >>> cyops.mean([[1., 2.], [3., 4.]], axis=1, keepdims=True).tolist()
    [[1.5], [3.5]]
    """
    return reduce_axes("mean", CYOPS_REDUCE_MEAN, x, axis, keepdims, dtype, out)


def prod(x, axis=None, *, bint keepdims=False, dtype=None, out=None):
    """Product of the elements along `axis`; shapes, dtypes and errors as in `sum`. The product of nothing is 1.

    >>> import cyops
    >>> cyops.prod([2, 3, 4]).item()
    24
    """
    return reduce_axes("prod", CYOPS_REDUCE_PROD, x, axis, keepdims, dtype, out)


def max(x, axis=None, *, bint keepdims=False, out=None):
    """Largest element along `axis`, NaN where there is one; shapes as in `sum`, the dtype stays.

    ValueError where an axis reduced has no elements; further errors as in `sum`.

    >>> import cyops
    >>> cyops.max([[1., 5.], [3., 4.]], axis=1).tolist()
    [5.0, 4.0]
    """
    return reduce_axes("max", CYOPS_REDUCE_MAX, x, axis, keepdims, None, out)


def min(x, axis=None, *, bint keepdims=False, out=None):
    """Smallest element along `axis`, NaN where there is one; all else as in `max`.

    >>> import cyops
    >>> cyops.min([[1., 5.], [3., 4.]], axis=1).tolist()
    [1.0, 3.0]
    """
    return reduce_axes("min", CYOPS_REDUCE_MIN, x, axis, keepdims, None, out)


# -- variance ---------------------------------------------------------------------------------------------------------
cdef double finite(str op, object correction) except? -1:
    cdef double number
    try:
        number = correction
    except TypeError:
        raise TypeError(f"{op}: correction must be a number; got {correction!r}") from None
    if not isfinite(number):
        raise ValueError(f"{op}: correction must be finite; got {correction!r}")
    return number


cdef int variance_dtype(str op, Strided a, object dtype) except -1:
    """The dtype of a variance."""
    cdef Py_ssize_t itemsize = 0
    cdef int result = mean_dtype(a.v.dtype) if dtype is None else dtype_code(op, dtype, &itemsize)
    if not is_floating(result):
        raise TypeError(f"{op}: the result must be floating; got dtype {dtype}")
    return result


cdef Strided variance(str op, object x, object axis, object correction, bint keepdims, object dtype, object out):
    """The variance, or for `std` its square root, which is taken before the result is rounded to its dtype."""
    cdef Strided a = operand(op, x)
    cdef double number = finite(op, correction)
    if needs_complex(op, a, None):
        return complex_reduction(op, a, axis, keepdims, {"ddof": number}, out)
    require_real(op, a.v.dtype, a.v.itemsize)
    cdef int result = variance_dtype(op, a, dtype)
    cdef bint is_root = op == "std"
    cdef char reduced[CYOPS_MAX_NDIM]
    cdef Strided y
    normalize_axes(op, axis, a.v.ndim, reduced)
    if is_root:
        y = run(op, CYOPS_REDUCE_VAR, a, reduced, keepdims, folding_dtype(CYOPS_REDUCE_VAR, a.v.dtype, result), number,
                None)
        y = write_result(op, cast_to(square_root(y), result), out)
    else:
        y = run(op, CYOPS_REDUCE_VAR, a, reduced, keepdims, result, number, out)
    if recording():
        record(op, (a,), y, {"axis": None if axis is None else axes_of(reduced, a.v.ndim), "correction": number,
                             "keepdims": keepdims})
    return y


cdef Strided square_root(Strided y):
    """In place: y is fresh."""
    cdef const cyops_view *inputs[1]
    inputs[0] = &y.v
    check("std", api().elementwise(CYOPS_OP_sqrt, &y.v, inputs))
    return y


def var(x, axis=None, *, correction=0, bint keepdims=False, dtype=None, out=None):
    """Variance along `axis`: the mean square of the distance from the mean, with n - correction in place of n.

    Shapes, axes and dtypes as in `mean`; float16 is computed in float32, integers in float64. Computed in two passes,
    so that a large mean costs no digits. NaN for nothing and, at one element, for correction 1. correction 0 is the
    population's variance, 1 the unbiased estimate from a sample (Array API standard); `dtype` names another floating
    dtype of the result. ValueError for a correction that is not finite; else errors as in `sum`.

    >>> import cyops
    >>> cyops.var([1., 2., 3., 4.]).item(), cyops.var([1., 3.], correction=1).item()
    (1.25, 2.0)
    """
    return variance("var", x, axis, correction, keepdims, dtype, out)


def std(x, axis=None, *, correction=0, bint keepdims=False, dtype=None, out=None):
    """Standard deviation along `axis`: the square root of `var`, with its arguments, shapes, dtypes and errors.

    The root is taken before the variance is rounded to the result's dtype, in which it may not fit.

    >>> import cyops
    >>> cyops.std([[1., 3.], [2., 6.]], axis=1).tolist()
    [1.0, 2.0]
    """
    return variance("std", x, axis, correction, keepdims, dtype, out)


# -- positions --------------------------------------------------------------------------------------------------------
cdef Strided position(str op, int reduction, object x, object axis, bint keepdims, object given):
    cdef Strided a = number_tensor(op, x)
    cdef char reduced[CYOPS_MAX_NDIM]
    cdef Py_ssize_t shape[CYOPS_MAX_NDIM]
    cdef Strided out
    cdef cyops_view kept
    cdef const cyops_api *c = api()
    cdef int status
    if isinstance(axis, (tuple, list)):
        raise TypeError(f"{op}: axis must be an integer or None; got {axis!r}")
    normalize_axes(op, axis, a.v.ndim, reduced)
    out = empty(op, result_class(a, a), CYOPS_INT64, 8, result_shape(&a.v, reduced, keepdims, shape), shape)
    check_not_empty(op, a, reduced, &out.v)
    kept_axes(&out.v, &a.v, reduced, keepdims, &kept)
    if is_long(0.05 * a.v.size * a.v.itemsize):
        with nogil:
            status = c.arg_reduce(reduction, &kept, &a.v, reduced)
    else:
        status = c.arg_reduce(reduction, &kept, &a.v, reduced)
    check(op, status)
    return write_result(op, out, given)


def argmax(x, axis=None, bint keepdims=False, *, out=None):
    """Position of the first largest element along `axis`; over all elements in C order when it is None.

    (..., n, ...) -> (..., ...) of int64. The first NaN counts as the largest. ValueError where there are no elements,
    IndexError for an axis out of range.

    >>> import cyops
    >>> cyops.argmax([[1., 7., 7.], [9., 2., 3.]], axis=1).tolist()
    [1, 0]
    """
    return position("argmax", CYOPS_REDUCE_MAX, x, axis, keepdims, out)


def argmin(x, axis=None, bint keepdims=False, *, out=None):
    """Position of the first smallest element along `axis`; all else as in `argmax`.

    >>> import cyops
    >>> cyops.argmin([3., 1., 2.]).item()
    1
    """
    return position("argmin", CYOPS_REDUCE_MIN, x, axis, keepdims, out)


# -- truth ------------------------------------------------------------------------------------------------------------
cdef Strided truth(str op, int reduction, bint of_nothing, object x, object axis, bint keepdims, object given):
    """any is the largest of bools, all the smallest."""
    cdef Strided a = operand(op, x)
    if needs_complex(op, a, None):
        return complex_reduction(op, a, axis, keepdims, {}, given)
    require_real(op, a.v.dtype, a.v.itemsize)
    cdef char reduced[CYOPS_MAX_NDIM]
    cdef Py_ssize_t shape[CYOPS_MAX_NDIM]
    cdef Strided out
    normalize_axes(op, axis, a.v.ndim, reduced)
    if a.v.size > 0:
        return run(op, reduction, a, reduced, keepdims, CYOPS_BOOL, 0, given)
    out = empty(op, result_class(a, a), CYOPS_BOOL, 1, result_shape(&a.v, reduced, keepdims, shape), shape)
    for i in range(out.v.size):
        out.v.data[i] = of_nothing
    return write_result(op, out, given)


def any(x, axis=None, *, bint keepdims=False, out=None):
    """Whether any element along `axis` is true or not zero (NaN is not zero); shapes as in `sum`, dtype bool.

    False where there are no elements. Errors as in `sum`.

    >>> import cyops
    >>> cyops.any([[0., 1.], [0., 0.]], axis=1).tolist()
    [True, False]
    """
    return truth("any", CYOPS_REDUCE_MAX, False, x, axis, keepdims, out)


def all(x, axis=None, *, bint keepdims=False, out=None):
    """Whether all elements along `axis` are true or not zero; True where there are none. All else as in `any`.

    >>> import cyops
    >>> cyops.all([[0., 1.], [2., 3.]], axis=1).tolist()
    [False, True]
    """
    return truth("all", CYOPS_REDUCE_MIN, True, x, axis, keepdims, out)


cdef object same_correction(str op, object correction, object ddof):
    if ddof is not None and correction:
        raise TypeError(f"{op}: give correction, or ddof, which means the same; got correction {correction!r}, "
                        f"ddof {ddof!r}")
    return correction if ddof is None else ddof


class Methods:
    """The functions as methods of a tensor, where `numpy.var(x)` and `numpy.std(x)` call them with NumPy's words."""

    def var(self, axis=None, dtype=None, out=None, ddof=None, keepdims=False, *, correction=0):
        """The variance along `axis`: see the function `var`. `ddof` is NumPy's word for correction."""
        return var(self, axis, correction=same_correction("var", correction, ddof), keepdims=keepdims, dtype=dtype,
                   out=out)

    def std(self, axis=None, dtype=None, out=None, ddof=None, keepdims=False, *, correction=0):
        """The standard deviation along `axis`: see the function `std`. `ddof` is NumPy's word for correction."""
        return std(self, axis, correction=same_correction("std", correction, ddof), keepdims=keepdims, dtype=dtype,
                   out=out)


FUNCTIONS = (sum, mean, prod, max, min, var, std, argmax, argmin, any, all)
