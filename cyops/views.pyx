# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, binding=True
"""Views: the same storage under another shape, order or step. Nothing here copies, except `reshape` when it must.

Each function takes anything array-like and gives a tensor on the same memory; writing through one is seen by all. May be
imported by everything above cyops.strided.
"""
from cyops.strided cimport (
    CYOPS_MAX_NDIM, Strided, alias, broadcast_view, check, coerce, contiguous, cyops_view, is_c_contiguous, normalize_axes,
    normalize_axis, record, recording, result_class, shape_of,
)
from cyops.storage cimport Storage
from libc.string cimport memcpy, memset

import numpy

from cyops.strided import index_for_numpy, set_get_array_item


cdef Strided new_view(Strided x):
    """A second view of x's storage for the caller to edit; its `origin` is not carried over."""
    return alias(result_class(x, x), x)


cdef Strided finish(str op, Strided x, Strided out, dict params):
    """Normalises the strides of short axes, counts the elements and tells the recorders."""
    cdef int i
    out.v.size = 1
    for i in range(out.v.ndim):
        out.v.size *= out.v.shape[i]
        if out.v.shape[i] <= 1:
            out.v.strides[i] = 0
    if out.v.size == 0:
        memset(out.v.strides, 0, out.v.ndim * sizeof(Py_ssize_t))
        out.v.data = x.v.data
    if recording():
        record(op, (x,), out, params)
    return out


# -- reshape ----------------------------------------------------------------------------------------------------------
cdef tuple wanted_shape(str op, Strided x, object shape):
    """`shape` as a tuple of lengths with its -1 resolved; ValueError where the sizes differ."""
    cdef Py_ssize_t known = 1
    cdef int open_axis = -1
    cdef int i
    shape = tuple(shape) if isinstance(shape, (tuple, list)) or not hasattr(shape, "__index__") else (shape,)
    try:
        lengths = [length.__index__() for length in shape]
    except (AttributeError, TypeError):
        raise TypeError(f"{op}: a shape is made of integers; got {shape!r}") from None
    if len(lengths) > CYOPS_MAX_NDIM:
        raise ValueError(f"{op}: at most {CYOPS_MAX_NDIM} axes; got {len(lengths)}")
    product = 1                             # a Python integer: it may exceed every machine word
    for i, length in enumerate(lengths):
        if length == -1 and open_axis < 0:
            open_axis = i
        elif length < 0:
            reason = "only one length may be -1" if length == -1 else "lengths must not be negative"
            raise ValueError(f"{op}: {reason}; got {shape}")
        else:
            product *= length
    if open_axis >= 0 and product > 0 and x.v.size % product == 0:
        lengths[open_axis] = x.v.size // product
        product = x.v.size
    if product != x.v.size or (open_axis >= 0 and lengths[open_axis] == -1):
        raise ValueError(f"{op}: the number of elements must stay the same; got x {shape_of(x)} with {x.v.size} "
                         f"elements, shape {shape}")
    return tuple(lengths)


cdef int merge_axes(const cyops_view *x, Py_ssize_t *lengths, Py_ssize_t *steps) noexcept:
    """The axes of `x` longer than 1, neighbours merged where one stride walks both; returns how many runs remain."""
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
            runs += 1
    return runs


cdef bint split_runs(const cyops_view *x, cyops_view *out) noexcept:
    """Strides that show x's elements in out's shape, in C order; False where there are none."""
    cdef Py_ssize_t lengths[CYOPS_MAX_NDIM]
    cdef Py_ssize_t steps[CYOPS_MAX_NDIM]
    cdef int run = merge_axes(x, lengths, steps) - 1
    cdef int i
    for i in range(out.ndim - 1, -1, -1):
        out.strides[i] = 0
        if out.shape[i] == 1:
            continue
        if run < 0 or lengths[run] % out.shape[i] != 0:
            return False
        out.strides[i] = steps[run]
        steps[run] *= out.shape[i]
        lengths[run] //= out.shape[i]
        if lengths[run] == 1:
            run -= 1
    return True


cdef Strided reshaped(str op, Strided x, tuple shape, bint may_copy):
    cdef Strided source = x
    cdef Strided out = new_view(x)
    cdef int i
    out.v.ndim = len(shape)
    for i in range(out.v.ndim):
        out.v.shape[i] = shape[i]
    if x.v.size > 0 and not split_runs(&x.v, &out.v):
        if not may_copy:
            raise ValueError(f"{op}: {why_not_merged(x, shape)}; reshape(x, {shape}) makes the copy")
        source = contiguous(x)
        out.v.data = source.v.data
        out.base = source.base
        split_runs(&source.v, &out.v)
    return out


cdef str why_not_merged(Strided x, tuple shape):
    cdef int i
    for i in range(x.v.ndim - 1):
        if x.v.shape[i] > 1 and x.v.strides[i] != x.v.shape[i + 1] * x.v.strides[i + 1]:
            return (f"axes {i} and {i + 1} of x do not merge, so {shape} is not a view of it; got x {shape_of(x)} with "
                    f"strides {x.strides}")
    return f"no strides show x {shape_of(x)} with strides {x.strides} as {shape}"


def reshape(x, shape, *, copy=None):
    """The elements of `x`, in C order, under another shape.

    x: any shape and dtype; shape: an int or ints with the same product, one of which may be -1. A view where strides can
    express it, else a copy; `copy=True` always copies, `copy=False` raises ValueError instead (Array API standard,
    `reshape`). ValueError where the sizes differ or two lengths are -1.

    >>> import cyops
    >>> x = cyops.Strided([[1., 2., 3.], [4., 5., 6.]])
    >>> cyops.reshape(x, (3, -1)).tolist()
    [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    """
    cdef Strided a = coerce(x)
    shape = wanted_shape("reshape", a, shape)
    cdef Strided out = reshaped("reshape", a, shape, copy is not False)
    if copy and out.base is a.base:
        out = alias(type(out), contiguous_copy(out))
    return finish("reshape", a, out, {"shape": shape})


cdef Strided contiguous_copy(Strided x):
    from cyops.elementwise import copy
    return copy(x)


def view(x, shape):
    """The elements of `x`, in C order, under another shape, never copied: `reshape(x, shape, copy=False)`.

    x: any shape and dtype. ValueError where no strides can express it; the message names the axes that do not merge.

    >>> import cyops
    >>> x = cyops.Strided([1., 2., 3., 4.])
    >>> cyops.view(x, (2, 2)).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    cdef Strided a = coerce(x)
    shape = wanted_shape("view", a, shape)
    return finish("reshape", a, reshaped("view", a, shape, False), {"shape": shape})


# -- axes -------------------------------------------------------------------------------------------------------------
def permute_dims(x, axes=None):
    """A view with the axes in another order: axis i of the result is axis `axes[i]` of `x`.

    x: (n0, ..., nk); axes: each axis once, negative ones count from the end; None reverses them all. A view. IndexError
    where an axis is out of range, ValueError where one is missing or named twice.

    >>> import cyops
    >>> cyops.permute_dims(cyops.Strided([[1., 2., 3.]]), (1, 0)).shape
    (3, 1)
    """
    cdef Strided a = coerce(x)
    cdef Strided out = new_view(a)
    cdef char seen[CYOPS_MAX_NDIM]
    cdef int i, axis
    if axes is None:
        axes = range(a.v.ndim - 1, -1, -1)
    axes = tuple([normalize_axis("permute_dims", one, a.v.ndim) for one in axes])
    if len(axes) != a.v.ndim:
        raise ValueError(f"permute_dims: every axis must be named once; got axes {axes} for shape {shape_of(a)}")
    normalize_axes("permute_dims", axes, a.v.ndim, seen)
    for i in range(a.v.ndim):
        axis = axes[i]
        out.v.shape[i] = a.v.shape[axis]
        out.v.strides[i] = a.v.strides[axis]
    return finish("permute_dims", a, out, {"axes": axes})


def matrix_transpose(x):
    """A view with the last two axes swapped.

    x: (..., m, n) -> (..., n, m). A view. ValueError where `x` has fewer than two axes.

    >>> import cyops
    >>> cyops.matrix_transpose(cyops.Strided([[1., 2., 3.]])).shape
    (3, 1)
    """
    cdef Strided a = coerce(x)
    if a.v.ndim < 2:
        raise ValueError(f"matrix_transpose: x must have at least two axes; got shape {shape_of(a)}")
    return permute_dims(a, tuple(range(a.v.ndim - 2)) + (a.v.ndim - 1, a.v.ndim - 2))


def expand_dims(x, axis=0):
    """A view with a new axis of length 1 at `axis` of the result.

    x: (n0, ..., nk). A view. IndexError where the axis is out of range.

    >>> import cyops
    >>> cyops.expand_dims(cyops.Strided([1., 2., 3.]), -1).shape
    (3, 1)
    """
    cdef Strided a = coerce(x)
    cdef Strided out = new_view(a)
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
    return finish("reshape", a, out, {"shape": shape_of(out)})


def squeeze(x, axis=None):
    """A view without axes of length 1: those named, or all of them.

    x: (n0, ..., nk); axis: None, an int or ints. A view. ValueError where a named axis is longer than 1.

    >>> import cyops
    >>> cyops.squeeze(cyops.Strided([[[1., 2., 3.]]])).shape
    (3,)
    """
    cdef Strided a = coerce(x)
    cdef Strided out = new_view(a)
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
    return finish("reshape", a, out, {"shape": shape_of(out)})


def flip(x, axis=None):
    """A view with the order of the elements reversed along the axes named, or along all of them.

    x: any shape; axis: None, an int or ints. A view with negated strides.

    >>> import cyops
    >>> cyops.flip(cyops.Strided([1., 2., 3.])).tolist()
    [3.0, 2.0, 1.0]
    """
    cdef Strided a = coerce(x)
    cdef Strided out = new_view(a)
    cdef char reversed_axes[CYOPS_MAX_NDIM]
    cdef int i
    normalize_axes("flip", axis, a.v.ndim, reversed_axes)
    for i in range(a.v.ndim):
        if reversed_axes[i] and a.v.shape[i] > 1:
            out.v.data += (a.v.shape[i] - 1) * a.v.strides[i] * a.v.itemsize
            out.v.strides[i] = -a.v.strides[i]
    return finish("flip", a, out, {"axis": tuple([i for i in range(a.v.ndim) if reversed_axes[i]])})


# -- broadcasting and windows -----------------------------------------------------------------------------------------
def broadcast_to(x, shape):
    """A view of `x` stretched to `shape`: axes of length 1 and new leading axes repeat with stride 0.

    x: any shape that broadcasts to `shape`. A view that cannot be written. ValueError where it does not broadcast.

    >>> import cyops
    >>> cyops.broadcast_to(cyops.Strided([1., 2.]), (3, 2)).strides
    (0, 1)
    """
    cdef Strided a = coerce(x)
    cdef Strided out = new_view(a)
    cdef Py_ssize_t lengths[CYOPS_MAX_NDIM]
    cdef int i, ndim
    target = numpy_free_shape("broadcast_to", shape)
    ndim = len(target)
    for i in range(ndim):
        lengths[i] = target[i]
    for i in range(a.v.ndim):
        if ndim < a.v.ndim or a.v.shape[i] not in (1, lengths[ndim - a.v.ndim + i]):
            raise ValueError(f"broadcast_to: x must broadcast to the shape; got x {shape_of(a)}, shape {target}")
    broadcast_view(&a.v, ndim, lengths, &out.v)
    return finish("broadcast_to", a, out, {"shape": target})


cdef tuple numpy_free_shape(str op, object shape):
    """A shape argument as a tuple of lengths that are not negative and whose product a machine word holds."""
    shape = tuple(shape) if isinstance(shape, (tuple, list)) or not hasattr(shape, "__index__") else (shape,)
    try:
        shape = tuple([length.__index__() for length in shape])
    except (AttributeError, TypeError):
        raise TypeError(f"{op}: a shape is made of integers; got {shape!r}") from None
    if len(shape) > CYOPS_MAX_NDIM:
        raise ValueError(f"{op}: at most {CYOPS_MAX_NDIM} axes; got {len(shape)}")
    product = 1
    for length in shape:
        if length < 0:
            raise ValueError(f"{op}: lengths must not be negative; got {shape}")
        product *= max(length, 1)
    if product >= 2 ** 62:
        raise ValueError(f"{op}: the shape {shape} has more elements than a machine word counts")
    return shape


def diagonal(x, offset=0, axis1=0, axis2=1):
    """A view of the diagonal of the matrices that two axes of `x` span; the new axis is the last one.

    x: (..., m, ..., n, ...) -> (..., ..., ..., d); offset: columns right of the main diagonal (below it when negative).
    A view. ValueError where the two axes are the same.

    >>> import cyops
    >>> cyops.diagonal(cyops.Strided([[1., 2.], [3., 4.]])).tolist()
    [1.0, 4.0]
    """
    cdef Strided a = coerce(x)
    cdef Strided out = new_view(a)
    cdef int rows = normalize_axis("diagonal", axis1, a.v.ndim)
    cdef int columns = normalize_axis("diagonal", axis2, a.v.ndim)
    cdef Py_ssize_t right = max(offset, 0)
    cdef Py_ssize_t down = max(-offset, 0)
    cdef int i
    cdef int kept = 0
    if rows == columns:
        raise ValueError(f"diagonal: axis1 and axis2 must differ; both are axis {rows}")
    for i in range(a.v.ndim):
        if i != rows and i != columns:
            out.v.shape[kept] = a.v.shape[i]
            out.v.strides[kept] = a.v.strides[i]
            kept += 1
    out.v.shape[kept] = max(min(a.v.shape[rows] - down, a.v.shape[columns] - right), 0)
    out.v.strides[kept] = a.v.strides[rows] + a.v.strides[columns]
    out.v.ndim = kept + 1
    out.v.data += (down * a.v.strides[rows] + right * a.v.strides[columns]) * a.v.itemsize
    return finish("diagonal", a, out, {"offset": offset, "axis1": rows, "axis2": columns})


def sliding_window_view(x, window_shape, axis=None):
    """A view of every window of `x`: the windowed axes shrink and the window's own axes come last.

    x: (n, ...), window_shape: w or (w, ...), one length per axis named (all axes when None) -> (n - w + 1, ..., w, ...).
    A view whose windows share elements. ValueError where a window is longer than its axis.

    >>> import cyops
    >>> cyops.sliding_window_view(cyops.Strided([1., 2., 3., 4.]), 3).tolist()
    [[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]
    """
    cdef Strided a = coerce(x)
    cdef Strided out = new_view(a)
    cdef int which
    window = numpy_free_shape("sliding_window_view", window_shape)
    if axis is None:
        axis = tuple(range(a.v.ndim))
    axes = tuple([normalize_axis("sliding_window_view", one, a.v.ndim)
                  for one in (axis if isinstance(axis, (tuple, list)) else (axis,))])
    if len(window) != len(axes):
        raise ValueError(f"sliding_window_view: one window length per axis; got window_shape {window}, axes {axes}")
    if a.v.ndim + len(axes) > CYOPS_MAX_NDIM:
        raise ValueError(f"sliding_window_view: at most {CYOPS_MAX_NDIM} axes; got {a.v.ndim} and {len(axes)} windows")
    for length, which in zip(window, axes):
        if length < 1 or length > out.v.shape[which]:
            raise ValueError(f"sliding_window_view: a window must have 1 to {out.v.shape[which]} elements along axis "
                             f"{which}; got window_shape {window}, x {shape_of(a)}")
        out.v.shape[which] -= length - 1
        out.v.shape[out.v.ndim] = length
        out.v.strides[out.v.ndim] = a.v.strides[which]
        out.v.ndim += 1
    return finish("sliding_window_view", a, out, {"window_shape": window, "axis": axes})


def as_strided(x, shape, strides, offset=None):
    """A view of x's storage with any shape, strides and offset, all in elements, checked against its bounds.

    x: any tensor; shape and strides: one int per axis; offset: where element (0, ..., 0) lies in the storage, x's own
    when None. A view. ValueError where an element would lie outside the storage.

    >>> import cyops
    >>> x = cyops.Strided([1., 2., 3., 4., 5.])
    >>> cyops.as_strided(x, (2, 3), (2, 1)).tolist()
    [[1.0, 2.0, 3.0], [3.0, 4.0, 5.0]]
    """
    cdef Strided a = coerce(x)
    cdef Strided out = new_view(a)
    cdef int i
    shape = numpy_free_shape("as_strided", shape)
    steps = tuple([step.__index__() for step in strides])
    start = a.offset if offset is None else offset.__index__()
    if len(steps) != len(shape):
        raise ValueError(f"as_strided: one stride per axis; got shape {shape}, strides {steps}")
    spans = [(length - 1) * step for length, step in zip(shape, steps)]
    low = start + sum([span for span in spans if span < 0])
    high = start + sum([span for span in spans if span > 0])
    held = a.base.nbytes // max(a.v.itemsize, 1)
    if 0 not in shape and (low < 0 or high >= held):
        raise ValueError(f"as_strided: every element must lie in the storage's {held}; shape {shape}, strides {steps} "
                         f"and offset {start} reach from {low} to {high}")
    out.v.ndim = len(shape)
    for i in range(out.v.ndim):
        out.v.shape[i] = shape[i]
        out.v.strides[i] = steps[i] if shape[i] > 1 else 0
    if 0 not in shape:
        out.v.data = a.base.data + <Py_ssize_t> start * a.v.itemsize
    return finish("as_strided", a, out, {"shape": shape, "strides": steps, "offset": start})


# -- memory and arrays of indices -------------------------------------------------------------------------------------
def shares_memory(a, b):
    """Whether the two tensors have an element in the same place in memory. Exact: solved by NumPy.

    >>> import cyops
    >>> x = cyops.Strided([1., 2., 3., 4.])
    >>> cyops.shares_memory(x[::2], x[1::2]), cyops.shares_memory(x[1:], x[:2])
    (False, True)
    """
    return bool(numpy.shares_memory(numpy.asarray(coerce(a)), numpy.asarray(coerce(b))))


def shares_storage(Strided a not None, Strided b not None):
    """Whether the two tensors view the same Storage, overlapping or not.

    >>> import cyops
    >>> x = cyops.Strided([1., 2., 3., 4.])
    >>> cyops.shares_storage(x[::2], x[1::2])
    True
    """
    return a.base is b.base


def get_array_item(x, key):
    """x[key] for a key that holds an array of integers or bools: a copy, with NumPy's rules for the shape.

    The key is first applied to the positions 0, 1, 2, ..., so that a gradient rule for `take` serves every such key.
    """
    from cyops.gather import take
    cdef Strided a = coerce(x)
    key = index_for_numpy(key)
    if isinstance(key, numpy.ndarray) and key.dtype.kind in "iu" and a.v.ndim > 0:
        return take(x, key, axis=0)
    positions = numpy.arange(a.v.size).reshape(shape_of(a))[key]
    return take(reshape(a, (-1,)), positions, axis=0)


set_get_array_item(get_array_item)

FUNCTIONS = (
    reshape, view, permute_dims, matrix_transpose, expand_dims, squeeze, flip, broadcast_to, diagonal,
    sliding_window_view, as_strided,
)
