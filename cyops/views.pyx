# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, binding=True
"""Views: the same storage under another order, step or window. Nothing here copies; reshaping.pyx has the shapes.

Each function takes anything array-like and gives a tensor on the same memory; writing through one is seen by all. May
be imported by everything above cyops.strided.
"""
from cyops.strided cimport (
    CYOPS_MAX_NDIM, Strided, alias, as_bits, broadcast_view, coerce, count_elements, finish_geometry,
    matrix_transposed, normalize_axes, normalize_axis, operand, read_integer, read_integers, read_shape, record,
    recording, result_class, reversed_dims, shape_of, tuple_of,
)

import numpy

from cyops.strided import index_for_numpy, set_get_array_item


cdef Strided new_view(Strided x):
    """A second view of x's storage for the caller to edit; its `origin` is not carried over."""
    return alias(result_class(x, x), x)


# -- axes -------------------------------------------------------------------------------------------------------------
def permute_dims(x, axes=None):
    """A view with the axes in another order: axis i of the result is axis `axes[i]` of `x`.

    x: (n0, ..., nk); axes: each axis once, negative ones count from the end; None reverses them all. A view. IndexError
    where an axis is out of range, ValueError where one is missing or named twice.

    >>> import cyops
    >>> cyops.permute_dims(cyops.Strided([[1., 2., 3.]]), (1, 0)).shape
    (3, 1)
    """
    return permuted(operand("permute_dims", x), axes)


cdef Strided permuted(Strided x, object axes):
    cdef Strided out
    cdef tuple order
    cdef char seen[CYOPS_MAX_NDIM]
    cdef int i, axis
    if axes is None:
        return reversed_dims(x)
    if type(axes) is not tuple:
        try:
            axes = tuple(axes)
        except TypeError:
            raise TypeError(f"permute_dims: axes must be a sequence of integers, or None; got {axes!r}") from None
    if len(axes) != x.v.ndim:
        raise ValueError(f"permute_dims: every axis must be named once; got axes {axes} for shape {shape_of(x)}")
    order = tuple([normalize_axis("permute_dims", one, x.v.ndim) for one in axes])      # each is asked once
    normalize_axes("permute_dims", order, x.v.ndim, seen)
    out = new_view(x)
    for i in range(x.v.ndim):
        axis = order[i]
        out.v.shape[i] = x.v.shape[axis]
        out.v.strides[i] = x.v.strides[axis]
    if recording():
        record("permute_dims", (x,), out, {"axes": order})
    return out


def matrix_transpose(x):
    """A view with the last two axes swapped.

    x: (..., m, n) -> (..., n, m). A view. ValueError where `x` has fewer than two axes.

    >>> import cyops
    >>> cyops.matrix_transpose(cyops.Strided([[1., 2., 3.]])).shape
    (3, 1)
    """
    return matrix_transposed(operand("matrix_transpose", x))


def flip(x, axis=None):
    """A view with the order of the elements reversed along the axes named, or along all of them.

    x: any shape; axis: None, an int or ints. A view with negated strides.

    >>> import cyops
    >>> cyops.flip(cyops.Strided([1., 2., 3.])).tolist()
    [3.0, 2.0, 1.0]
    """
    cdef Strided a = operand("flip", x)
    cdef Strided out = new_view(a)
    cdef char reversed_axes[CYOPS_MAX_NDIM]
    cdef int i
    normalize_axes("flip", axis, a.v.ndim, reversed_axes)
    for i in range(a.v.ndim):
        if reversed_axes[i] and a.v.shape[i] > 1:
            out.v.data += (a.v.shape[i] - 1) * a.v.strides[i] * a.v.itemsize
            out.v.strides[i] = -a.v.strides[i]
    finish_geometry(a, out)
    if recording():
        record("flip", (a,), out, {"axis": tuple([i for i in range(a.v.ndim) if reversed_axes[i]])})
    return out


# -- broadcasting and windows -----------------------------------------------------------------------------------------
def broadcast_to(x, shape):
    """A view of `x` stretched to `shape`: axes of length 1 and new leading axes repeat with stride 0.

    x: any shape that broadcasts to `shape`. A view that cannot be written, except one element at a time. ValueError
    where it does not broadcast.

    >>> import cyops
    >>> cyops.broadcast_to(cyops.Strided([1., 2.]), (3, 2)).strides
    (0, 1)
    """
    cdef Strided a = operand("broadcast_to", x)
    cdef Strided out = new_view(a)
    cdef Py_ssize_t lengths[CYOPS_MAX_NDIM]
    cdef int ndim = read_shape("broadcast_to", shape, lengths)
    cdef int i
    count_elements("broadcast_to", ndim, lengths, a.v.itemsize)
    for i in range(a.v.ndim):
        if ndim < a.v.ndim or a.v.shape[i] != 1 and a.v.shape[i] != lengths[ndim - a.v.ndim + i]:
            raise ValueError(f"broadcast_to: x must broadcast to the shape; got x {shape_of(a)}, shape {shape}")
    broadcast_view(&a.v, ndim, lengths, &out.v)
    finish_geometry(a, out)
    if recording():
        record("broadcast_to", (a,), out, {"shape": shape_of(out)})
    return out


def diagonal(x, offset=0, axis1=0, axis2=1):
    """A view of the diagonal of the matrices that two axes of `x` span; the new axis is the last one.

    x: (..., m, ..., n, ...) -> (..., ..., ..., d); offset: columns right of the main diagonal (below it when negative).
    A view. ValueError where the two axes are the same.

    >>> import cyops
    >>> cyops.diagonal(cyops.Strided([[1., 2.], [3., 4.]])).tolist()
    [1.0, 4.0]
    """
    cdef Strided a = operand("diagonal", x)
    cdef Strided out = new_view(a)
    cdef int rows = normalize_axis("diagonal", axis1, a.v.ndim)
    cdef int columns = normalize_axis("diagonal", axis2, a.v.ndim)
    cdef Py_ssize_t wanted = read_integer("diagonal", "offset", offset)
    # One beyond the matrix is as good as one at its end: no product of it overflows.
    cdef Py_ssize_t right = max(min(wanted, a.v.shape[columns]), 0)
    cdef Py_ssize_t down = max(-max(wanted, -a.v.shape[rows]), 0)
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
    finish_geometry(a, out)
    if recording():
        record("diagonal", (a,), out, {"offset": wanted, "axis1": rows, "axis2": columns})
    return out


def sliding_window_view(x, window_shape, axis=None):
    """A view of every window of `x`: the windowed axes shrink and the window's own axes come last.

    x: (n, ...), window_shape: w or (w, ...), one length per axis named (all axes when None) ->
    (n - w + 1, ..., w, ...). A view whose windows share elements. ValueError where a window is longer than its axis.

    >>> import cyops
    >>> cyops.sliding_window_view(cyops.Strided([1., 2., 3., 4.]), 3).tolist()
    [[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]
    """
    cdef Strided a = operand("sliding_window_view", x)
    cdef Strided out = new_view(a)
    cdef Py_ssize_t lengths[CYOPS_MAX_NDIM]
    cdef tuple window = tuple_of(lengths, read_integers("sliding_window_view", "window_shape", window_shape, lengths))
    cdef int i, which
    if axis is None:
        axis = tuple(range(a.v.ndim))
    axes = tuple([normalize_axis("sliding_window_view", one, a.v.ndim)
                  for one in (axis if isinstance(axis, (tuple, list)) else (axis,))])
    if len(window) != len(axes):
        raise ValueError(f"sliding_window_view: one window length per axis; got window_shape {window}, axes {axes}")
    if a.v.ndim + len(axes) > CYOPS_MAX_NDIM:
        raise ValueError(f"sliding_window_view: at most {CYOPS_MAX_NDIM} axes; got {a.v.ndim} and {len(axes)} windows")
    for i in range(len(axes)):
        which = axes[i]
        if lengths[i] < 1 or lengths[i] > out.v.shape[which]:
            raise ValueError(f"sliding_window_view: a window must have 1 to {out.v.shape[which]} elements along axis "
                             f"{which}; got window_shape {window}, x {shape_of(a)}")
        out.v.shape[which] -= lengths[i] - 1
        out.v.shape[out.v.ndim] = lengths[i]
        out.v.strides[out.v.ndim] = a.v.strides[which]
        out.v.ndim += 1
    count_elements("sliding_window_view", out.v.ndim, out.v.shape, a.v.itemsize)
    finish_geometry(a, out)
    if recording():
        record("sliding_window_view", (a,), out, {"window_shape": window, "axis": axes})
    return out


def as_strided(x, shape, strides, offset=None):
    """A view of x's storage with any shape, strides and offset, all in elements, checked against its bounds.

    x: any tensor; shape and strides: one int per axis; offset: where element (0, ..., 0) lies in the storage, x's own
    when None. A view. ValueError where an element would lie outside the storage.

    >>> import cyops
    >>> x = cyops.Strided([1., 2., 3., 4., 5.])
    >>> cyops.as_strided(x, (2, 3), (2, 1)).tolist()
    [[1.0, 2.0, 3.0], [3.0, 4.0, 5.0]]
    """
    cdef Strided a = operand("as_strided", x)
    cdef Strided out = new_view(a)
    cdef Py_ssize_t start
    cdef int i
    out.v.ndim = read_shape("as_strided", shape, out.v.shape)
    count_elements("as_strided", out.v.ndim, out.v.shape, a.v.itemsize)
    shape = shape_of(out)
    try:
        steps = tuple_of(out.v.strides, read_integers("as_strided", "strides", strides, out.v.strides))
        start = a.offset if offset is None else read_integer("as_strided", "offset", offset)
    except TypeError:
        raise TypeError(f"as_strided: strides and offset are integers; got strides {strides!r}, "
                        f"offset {offset!r}") from None
    if len(steps) != len(shape):
        raise ValueError(f"as_strided: one stride per axis; got shape {shape}, strides {steps}")
    spans = [(length - 1) * step for length, step in zip(shape, steps)]     # Python's integers: these may be huge
    low = start + sum([span for span in spans if span < 0])
    high = start + sum([span for span in spans if span > 0])
    held = a.base.nbytes // max(a.v.itemsize, 1)
    if 0 not in shape and (low < 0 or high >= held):
        raise ValueError(f"as_strided: every element must lie in the storage's {held}; shape {shape}, strides {steps} "
                         f"and offset {start} reach from {low} to {high}")
    for i in range(out.v.ndim):
        out.v.strides[i] = out.v.strides[i] if out.v.shape[i] > 1 else 0
    if 0 not in shape:
        out.v.data = a.base.data + start * a.v.itemsize
    finish_geometry(a, out)
    if recording():
        record("as_strided", (a,), out, {"shape": shape, "strides": steps, "offset": start})
    return out


# -- memory and arrays of indices -------------------------------------------------------------------------------------
def shares_memory(a, b):
    """Whether the two tensors have an element in the same place in memory. Exact: solved by NumPy.

    >>> import cyops
    >>> x = cyops.Strided([1., 2., 3., 4.])
    >>> cyops.shares_memory(x[::2], x[1::2]), cyops.shares_memory(x[1:], x[:2])
    (False, True)
    """
    x, y = [numpy.asarray(as_bits(operand("shares_memory", one))) for one in (a, b)]
    return bool(numpy.shares_memory(x, y))


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
    from cyops.reshaping import reshape

    cdef Strided a = operand("get_array_item", x)
    key = index_for_numpy(key)
    if isinstance(key, numpy.ndarray) and key.dtype.kind in "iu" and a.v.ndim > 0:
        return take(x, key, axis=0)
    try:
        positions = numpy.arange(a.v.size).reshape(shape_of(a))[key]
    except IndexError as error:
        raise IndexError(f"getitem: {error}; got x {shape_of(a)}") from None
    return take(reshape(a, (-1,)), positions, axis=0)


set_get_array_item(get_array_item)


class Methods:
    """The functions as methods of a tensor, where a method takes its arguments otherwise than the function."""

    def transpose(self, *axes):
        """The axes in another order, given as ints or one tuple; reversed when none is given. A view."""
        if len(axes) == 1 and not isinstance(axes[0], int):
            axes = axes[0]
        return permuted(coerce(self), axes or None)

    def swapaxes(self, axis1, axis2):
        """Two axes exchanged: (..., m, ..., n, ...) -> (..., n, ..., m, ...). A view. IndexError for none such."""
        cdef Strided x = coerce(self)
        order = list(range(x.v.ndim))
        i, j = normalize_axis("swapaxes", axis1, x.v.ndim), normalize_axis("swapaxes", axis2, x.v.ndim)
        order[i], order[j] = j, i
        return permuted(x, order)


FUNCTIONS = (permute_dims, matrix_transpose, flip, broadcast_to, diagonal, sliding_window_view, as_strided)
