# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, binding=True
"""Reshaping: the same elements, in C order, under another shape. A view wherever strides can express it.

May be imported by everything above cyops.strided.
"""
from cyops.strided cimport (
    CYOPS_MAX_NDIM, Strided, alias, api, check, coerce, cyops_view, empty, is_c_contiguous, normalize_axes,
    finish_geometry, normalize_axis, operand, read_shape, record, recording, result_class, set_c_strides, shape_of,
)

cdef extern from *:
    const Py_ssize_t PY_SSIZE_T_MAX


cdef int wanted_shape(str op, Strided x, object shape, cyops_view *out) except -1:
    """Reads `shape` into `out` with its -1 resolved; ValueError where the sizes differ."""
    cdef int ndim = read_shape(op, shape, out.shape)
    cdef Py_ssize_t known = 1               # the product of the lengths given; -1 where it overflows
    cdef bint is_empty = False
    cdef int open_axis = -1
    cdef int i
    for i in range(ndim):
        if out.shape[i] == -1 and open_axis < 0:
            open_axis = i
        elif out.shape[i] < 0:
            reason = "only one length may be -1" if out.shape[i] == -1 else "lengths must not be negative"
            raise ValueError(f"{op}: {reason}; got {shape}")
        elif out.shape[i] == 0:
            is_empty = True
        elif known > PY_SSIZE_T_MAX // out.shape[i]:
            known = -1
        elif known > 0:
            known *= out.shape[i]
    if is_empty:
        known = 0
    if open_axis >= 0 and known > 0 and x.v.size % known == 0:
        out.shape[open_axis] = x.v.size // known
        known = x.v.size
    if known != x.v.size or open_axis >= 0 and out.shape[open_axis] < 0:
        raise ValueError(f"{op}: the number of elements must stay the same; got x {shape_of(x)} with {x.v.size} "
                         f"elements, shape {shape}")
    out.ndim = ndim
    return 0


cdef int merge_axes(const cyops_view *x, Py_ssize_t *lengths, Py_ssize_t *steps, int *first) noexcept:
    """The axes of `x` longer than 1 as runs, neighbours merged where one stride walks both; returns how many there are.

    Run r has `lengths[r]` elements, `steps[r]` apart, and begins with axis `first[r]`.
    """
    cdef int runs = 0
    cdef int i
    for i in range(x.ndim):
        if x.shape[i] == 1:
            continue
        if runs > 0 and steps[runs - 1] == x.shape[i] * x.strides[i]:
            lengths[runs - 1] *= x.shape[i]
            steps[runs - 1] = x.strides[i]
        else:
            lengths[runs] = x.shape[i]
            steps[runs] = x.strides[i]
            first[runs] = i
            runs += 1
    return runs


cdef int split_runs(const cyops_view *x, cyops_view *out) noexcept:
    """Strides that show x's elements in out's shape, in C order. Returns -1, or the axis of `x` that does not merge
    with the one before it where there are none."""
    cdef Py_ssize_t lengths[CYOPS_MAX_NDIM]
    cdef Py_ssize_t steps[CYOPS_MAX_NDIM]
    cdef int first[CYOPS_MAX_NDIM]
    cdef int run = merge_axes(x, lengths, steps, first) - 1
    cdef int i
    for i in range(out.ndim - 1, -1, -1):
        out.strides[i] = 0
        if out.shape[i] == 1:
            continue
        if run < 0 or lengths[run] % out.shape[i] != 0:
            return first[run] if run >= 0 else 0
        out.strides[i] = steps[run]
        steps[run] *= out.shape[i]
        lengths[run] //= out.shape[i]
        if lengths[run] == 1:
            run -= 1
    return -1


cdef Strided copy_in_c_order(Strided x):
    cdef Strided out = empty("reshape", result_class(x, x), x.v.dtype, x.v.itemsize, x.v.ndim, x.v.shape)
    check("reshape", api().cast(&out.v, &x.v))
    return out


cdef Strided reshaped(str op, Strided x, object shape, bint may_copy, bint must_copy):
    cdef Strided out = alias(result_class(x, x), x)
    cdef Strided source = x
    cdef int axis = -1
    wanted_shape(op, x, shape, &out.v)
    if x.v.size > 0 and not must_copy:
        if is_c_contiguous(&x.v):
            set_c_strides(&out.v)
        else:
            axis = split_runs(&x.v, &out.v)
    if must_copy or axis >= 0:
        if not may_copy:
            raise no_view(op, x, shape_of(out), axis)
        source = copy_in_c_order(x)
        out.v.data = source.v.data
        out.base = source.base
        set_c_strides(&out.v)
    return finish(source, x, out)


cdef Strided finish(Strided source, Strided x, Strided out):
    finish_geometry(source, out)
    if recording():
        record("reshape", (x,), out, {"shape": shape_of(out)})
    return out


cdef object no_view(str op, Strided x, tuple shape, int axis):
    cdef int before = axis - 1
    while before > 0 and x.v.shape[before] == 1:
        before -= 1
    return ValueError(f"{op}: axes {before} and {axis} of x do not merge, so {shape} is not a view of it; got x "
                      f"{shape_of(x)} with strides {x.strides}; reshape(x, {shape}) makes the copy")


def reshape(x, shape, *, copy=None):
    """The elements of `x`, in C order, under another shape.

    x: any shape and dtype; shape: an int or ints with the same product, one of which may be -1. A view where strides
    can express it, else a copy; `copy=True` always copies, `copy=False` raises ValueError instead (Array API standard,
    `reshape`). ValueError where the sizes differ or two lengths are -1.

    >>> import cyops
    >>> x = cyops.Strided([[1., 2., 3.], [4., 5., 6.]])
    >>> cyops.reshape(x, (3, -1)).tolist()
    [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    """
    return reshaped("reshape", operand("reshape", x), shape, copy is not False, copy is True)


def view(x, shape):
    """The elements of `x`, in C order, under another shape, never copied: `reshape(x, shape, copy=False)`.

    x: any shape and dtype. ValueError where no strides can express it; the message names the axes that do not merge.

    >>> import cyops
    >>> x = cyops.Strided([1., 2., 3., 4.])
    >>> cyops.view(x, (2, 2)).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    return reshaped("view", operand("view", x), shape, False, False)


def expand_dims(x, axis=0):
    """A view with a new axis of length 1 at `axis` of the result.

    x: (n0, ..., nk). A view. IndexError where the axis is out of range.

    >>> import cyops
    >>> cyops.expand_dims(cyops.Strided([1., 2., 3.]), -1).shape
    (3, 1)
    """
    cdef Strided a = operand("expand_dims", x)
    cdef Strided out = alias(result_class(a, a), a)
    cdef int where = normalize_axis("expand_dims", axis, a.v.ndim + 1)
    cdef int i
    if a.v.ndim == CYOPS_MAX_NDIM:
        raise ValueError(f"expand_dims: at most {CYOPS_MAX_NDIM} axes; x has {a.v.ndim} already")
    for i in range(a.v.ndim, where, -1):
        out.v.shape[i] = out.v.shape[i - 1]
        out.v.strides[i] = out.v.strides[i - 1]
    out.v.shape[where] = 1
    out.v.strides[where] = 0
    out.v.ndim += 1
    return finish(a, a, out)


def squeeze(x, axis=None):
    """A view without axes of length 1: those named, or all of them.

    x: (n0, ..., nk); axis: None, an int or ints. A view. ValueError where a named axis is longer than 1.

    >>> import cyops
    >>> cyops.squeeze(cyops.Strided([[[1., 2., 3.]]])).shape
    (3,)
    """
    cdef Strided a = operand("squeeze", x)
    cdef Strided out = alias(result_class(a, a), a)
    cdef char dropped[CYOPS_MAX_NDIM]
    cdef int i
    cdef int kept = 0
    normalize_axes("squeeze", axis, a.v.ndim, dropped)
    for i in range(a.v.ndim):
        if dropped[i] and a.v.shape[i] == 1:
            continue
        if dropped[i] and axis is not None:
            raise ValueError(f"squeeze: only an axis of length 1 can go; got axis {i} of shape {shape_of(a)}")
        out.v.shape[kept] = a.v.shape[i]
        out.v.strides[kept] = a.v.strides[i]
        kept += 1
    out.v.ndim = kept
    return finish(a, a, out)


class Methods:
    """The functions as methods of a tensor, where a method takes its arguments otherwise than the function."""

    def reshape(self, *shape, copy=None):
        """The elements under another shape, given as ints or one tuple: see the function `reshape`."""
        wanted = shape[0] if len(shape) == 1 else shape
        return reshaped("reshape", coerce(self), wanted, copy is not False, copy is True)

    def view(self, *shape):
        """The elements under another shape, given as ints or one tuple, never copied: see the function `view`."""
        return reshaped("view", coerce(self), shape[0] if len(shape) == 1 else shape, False, False)

    def ravel(self):
        """The elements as one vector, in C order: (...) -> (n,). A view where it can be, as NumPy's."""
        return reshaped("ravel", coerce(self), (-1,), True, False)

    def flatten(self):
        """The elements as one vector, in C order: (...) -> (n,). A copy, as NumPy's."""
        return reshaped("flatten", coerce(self), (-1,), True, True)


FUNCTIONS = (reshape, view, expand_dims, squeeze)
