# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, binding=True
"""Gathering and scattering by integer positions, and joining: take, scatter_add, one_hot, concat, stack and their kin.

Positions are read in any integer dtype and strides, checked, and handed to csrc/gather/gather.c as int64 side by side
(gather_positions.pxi); concat and stack are in gather_join.pxi. May be imported by everything above cyops.strided.
"""
from cyops.strided cimport (
    CYOPS_FLOAT32, CYOPS_INT64, CYOPS_MAX_NDIM, CYOPS_OUT_OF_RANGE, CYOPS_UINT64, Strided, alias, api, begin_write,
    broadcast_view, cast_to, check, checked_out, coerce, computing_dtype, contiguous, count_elements, cyops_api,
    cyops_view, dtype_code, empty, is_floating, is_integer, is_long, is_text, itemsize_of, normalize_axis, operand,
    promote, read_integer, read_integers, read_shape, record, recording, require_real, result_class, shape_of, tuple_of,
    write_result,
)

from libc.stdint cimport int64_t
from libc.string cimport memcpy, memset

import numpy

cdef extern from *:
    const Py_ssize_t PY_SSIZE_T_MAX


include "gather_positions.pxi"


# -- take -------------------------------------------------------------------------------------------------------------
def take(x, indices, axis=None, out=None):
    """The slabs of x at the given positions of an axis; of x in C order where `axis` is None.

    x: (..., n, ...) of any dtype; indices: integer, any shape s, negative ones count from the end ->
    (..., *s, ...), a copy. IndexError for an index outside [-n, n), which names it and its position, and for an axis
    out of range; TypeError for indices that are not integers.

    >>> import cyops
    >>> cyops.take([[1., 2.], [3., 4.]], [1, -2, 1], axis=0).tolist()
    [[3.0, 4.0], [1.0, 2.0], [3.0, 4.0]]
    """
    cdef Strided a = operand("take", x)
    cdef Strided wanted = operand("take", indices)
    cdef Strided source = a if axis is not None else flattened(a)
    cdef int which = 0 if axis is None else normalize_axis("take", axis, a.v.ndim)
    cdef Py_ssize_t shape[CYOPS_MAX_NDIM]
    cdef int ndim = replace_axis("take", &source.v, which, &wanted.v, shape)
    cdef Strided positions = read_positions("take", wanted, source.v.shape[which], True, IndexError)
    cdef Strided result = empty("take", result_class(a, a), a.v.dtype, a.v.itemsize, ndim, shape)
    cdef cyops_view listed
    list_slabs(&result.v, which, wanted.v.ndim, wanted.v.size, &listed)
    check("take", api().take(&listed, &source.v, which, positions_of(positions), positions.v.size))
    result = write_result("take", result, out)
    if recording():
        record("take", (a,), result, {"indices": positions, "axis": None if axis is None else which})
    return result


def take_gradient(d, indices, shape, axis=None):
    """The gradient for x of `take(x, indices, axis)`, given that for its result: d added into zeros of x's `shape`.

    d: (..., *s, ...), indices: (*s) -> `shape`; an index that appears several times adds up. Errors as in `take`.

    >>> import cyops
    >>> cyops.take_gradient([1., 2., 4.], [0, 2, 0], (3,), axis=0).tolist()
    [5.0, 0.0, 2.0]
    """
    cdef Strided a = operand("take_gradient", d)
    cdef Strided wanted = operand("take_gradient", indices)
    cdef Py_ssize_t lengths[CYOPS_MAX_NDIM]
    cdef int ndim = read_shape("take_gradient", shape, lengths)
    require_real("take_gradient", a.v.dtype, a.v.itemsize)
    cdef int which = 0 if axis is None else normalize_axis("take_gradient", axis, ndim)
    count_elements("take_gradient", ndim, lengths, 1)           # refuses what is no shape
    cdef Strided out = zeros("take_gradient", result_class(a, a), computing_dtype(a.v.dtype), ndim, lengths)
    cdef Strided positions = add_at("take_gradient", out if axis is not None else flattened(out), wanted, a, which)
    out = cast_to(out, a.v.dtype)
    if recording():
        record("take_gradient", (a,), out, {"indices": positions, "axis": None if axis is None else which})
    return out


# -- scatter ----------------------------------------------------------------------------------------------------------
cdef Strided add_at(str op, Strided target, Strided indices, Strided updates, int axis):
    """target[..., indices, ...] += updates, which broadcasts; target is fresh and has the dtype to add in.

    Returns the positions, which nothing else can change.
    """
    cdef Py_ssize_t shape[CYOPS_MAX_NDIM]
    cdef int ndim = replace_axis(op, &target.v, axis, &indices.v, shape)
    cdef Strided positions = read_positions(op, indices, target.v.shape[axis], True, IndexError)
    cdef cyops_view listed
    cdef Strided ready = broadcast_updates(op, cast_to(updates, target.v.dtype), ndim, shape, indices.v.ndim != 1)
    list_slabs(&ready.v, axis, indices.v.ndim, indices.v.size, &listed)
    check(op, api().scatter_add(&target.v, &listed, axis, positions_of(positions), positions.v.size))
    return positions


cdef Strided broadcast_updates(str op, Strided updates, int ndim, const Py_ssize_t *shape, bint must_be_contiguous):
    """`updates` broadcast to a shape."""
    cdef int i, source
    cdef Strided out
    cdef bint fits = updates.v.ndim <= ndim
    for i in range(ndim if fits else 0):
        source = updates.v.ndim - ndim + i
        fits = fits and (source < 0 or updates.v.shape[source] == 1 or updates.v.shape[source] == shape[i])
    if not fits:
        raise ValueError(f"{op}: updates must broadcast to x with the shape of indices in place of the axis; got "
                         f"updates {shape_of(updates)}, needed {tuple([shape[i] for i in range(ndim)])}")
    out = alias(Strided, updates)
    broadcast_view(&updates.v, ndim, shape, &out.v)
    return contiguous(out) if must_be_contiguous else out


def scatter_add(x, indices, updates, axis=0):
    """A copy of x with `updates` added at the given positions of an axis; an index that appears again adds again.

    x: (..., n, ...); indices: integer, shape s; updates: (..., *s, ...) or what broadcasts to it -> x's shape, in the
    promoted dtype. Added in the order of the indices. IndexError for an index outside [-n, n), ValueError where
    updates do not fit, TypeError for strings and for indices that are not integers.

    >>> import cyops
    >>> cyops.scatter_add([0., 0., 0.], [0, 2, 0], [1., 2., 4.]).tolist()
    [5.0, 0.0, 2.0]
    """
    cdef Strided a = operand("scatter_add", x)
    cdef Strided wanted = operand("scatter_add", indices)
    cdef Strided b = operand("scatter_add", updates)
    cdef int axis_index = normalize_axis("scatter_add", axis, a.v.ndim)
    require_real("scatter_add", a.v.dtype, a.v.itemsize)
    require_real("scatter_add", b.v.dtype, b.v.itemsize)
    cdef int dtype = promote(a.v.dtype, b.v.dtype)
    cdef int adding = computing_dtype(dtype)
    cdef Strided out = empty("scatter_add", result_class(a, b), adding, itemsize_of(adding), a.v.ndim, a.v.shape)
    check("scatter_add", api().cast(&out.v, &a.v))
    cdef Strided positions = add_at("scatter_add", out, wanted, b, axis_index)
    out = cast_to(out, dtype)
    if recording():
        record("scatter_add", (a, b), out, {"indices": positions, "axis": axis_index})
    return out


def put(x, indices, values, axis=None):
    """Writes `values` into x at the given positions of an axis; of x in C order where `axis` is None.

    x: (..., n, ...), written in place; indices: integer, shape s; values: (..., *s, ...) or what broadcasts to it, cast
    to x's dtype. Where an index appears again, the last value stays. Nothing is written where an index is bad. Errors
    as in `scatter_add`, and ValueError for an x that is read-only, has stride 0 or was recorded by an active tape.

    >>> import cyops
    >>> x = cyops.Strided([0., 0., 0.])
    >>> cyops.put(x, [0, -1], 7.)
    >>> x.tolist()
    [7.0, 0.0, 7.0]
    """
    if not isinstance(x, Strided):
        raise TypeError(f"put: writes into a tensor; got {type(x).__name__}")
    cdef Strided a = <Strided> x
    cdef Strided target = a if axis is not None else flattened(a)
    cdef Strided wanted = operand("put", indices)
    cdef int which = 0 if axis is None else normalize_axis("put", axis, a.v.ndim)
    cdef Py_ssize_t shape[CYOPS_MAX_NDIM]
    cdef int ndim = replace_axis("put", &target.v, which, &wanted.v, shape)
    cdef Strided positions = read_positions("put", wanted, target.v.shape[which], True, IndexError)
    cdef Strided updates = cast_to(operand("put", values), a.v.dtype)
    cdef Strided ready = contiguous(broadcast_updates("put", updates, ndim, shape, True))
    cdef cyops_view listed, flat
    begin_write("put", a)
    list_slabs(&ready.v, which, wanted.v.ndim, wanted.v.size, &listed)
    check("put", api().scatter(&target.v, &listed, which, positions_of(positions), positions.v.size))
    if axis is None and target.base is not a.base:      # x does not lie in C order: its elements were copied
        flat = a.v
        flat.data = target.v.data
        set_run_strides(&flat)
        check("put", api().cast(&a.v, &flat))


cdef void set_run_strides(cyops_view *x) noexcept:
    cdef Py_ssize_t step = 1
    cdef int i
    for i in range(x.ndim - 1, -1, -1):
        x.strides[i] = step if x.shape[i] > 1 else 0
        step *= x.shape[i]


def scatter_view(d, shape, view_shape, strides, offset):
    """Zeros of `shape` with d added where a strided view of that C-ordered tensor looks: the adjoint of a view.

    d: `view_shape` -> `shape`; element (i, j, ...) of d is added at position offset + i * strides[0] + j * strides[1]
    ..., counted in elements. The view may look at one element several times. ValueError where d has another shape or
    the view reaches outside.

    >>> import cyops
    >>> windows = [[1., 1.], [1., 1.], [1., 1.]]
    >>> cyops.scatter_view(windows, (4,), (3, 2), (1, 1), 0).tolist()
    [1.0, 2.0, 2.0, 1.0]
    """
    cdef Strided a = operand("scatter_view", d)
    cdef Py_ssize_t lengths[CYOPS_MAX_NDIM]
    cdef int ndim = read_shape("scatter_view", shape, lengths)
    require_real("scatter_view", a.v.dtype, a.v.itemsize)
    cdef Py_ssize_t numbers[CYOPS_MAX_NDIM]
    cdef tuple viewed = tuple_of(numbers, read_integers("scatter_view", "view_shape", view_shape, numbers))
    cdef tuple steps = tuple_of(numbers, read_integers("scatter_view", "strides", strides, numbers))
    cdef Py_ssize_t start = read_integer("scatter_view", "offset", offset)
    cdef Strided out = zeros("scatter_view", result_class(a, a), computing_dtype(a.v.dtype), ndim, lengths)
    cdef cyops_view target = a.v
    cdef Strided ready = cast_to(a, out.v.dtype)
    cdef int i
    if shape_of(a) != viewed or len(steps) != a.v.ndim:
        raise ValueError(f"scatter_view: d must have the view's shape, and the view a stride for each axis; got d "
                         f"{shape_of(a)}, view_shape {viewed}, strides {steps}")
    spans = [(a.v.shape[i] - 1) * steps[i] for i in range(a.v.ndim)]        # Python's integers: these may be huge
    low = start + sum([span for span in spans if span < 0])
    high = start + sum([span for span in spans if span > 0])
    if a.v.size > 0 and (low < 0 or high >= out.v.size):
        raise ValueError(f"scatter_view: the view reaches from element {low} to {high} of {out.v.size}")
    for i in range(a.v.ndim):
        target.strides[i] = numbers[i] if a.v.size > 0 and a.v.shape[i] > 1 else 0
    target.dtype = out.v.dtype
    target.itemsize = out.v.itemsize
    target.data = out.v.data + (start * out.v.itemsize if a.v.size > 0 else 0)
    check("scatter_view", api().accumulate(&target, &ready.v))
    out = cast_to(out, a.v.dtype)
    if recording():
        record("scatter_view", (a,), out, {"view_shape": viewed, "strides": steps, "offset": start})
    return out


# -- one_hot ----------------------------------------------------------------------------------------------------------
cdef Strided scalar(object value, int code):
    """A number as a tensor of shape () and a given dtype; ints do not take the long way through coerce."""
    cdef Py_ssize_t no_lengths[1]
    cdef Strided x
    no_lengths[0] = 0
    if type(value) is not int:
        x = coerce(value)
        if x.v.ndim > 0 or is_text(x.v.dtype):
            raise TypeError(f"one_hot: on_value and off_value must be numbers; got {value!r}")
        return cast_to(x, code)
    x = empty("one_hot", Strided, CYOPS_INT64, 8, 0, no_lengths)
    (<int64_t *> x.v.data)[0] = value
    return cast_to(x, code)


def one_hot(indices, num_classes=None, dtype="float32", *, depth=None, on_value=1, off_value=0):
    """`on_value` at the index of each row, `off_value` elsewhere.

    indices: integer (...,), each in [0, num_classes) -> (..., num_classes) of `dtype`. `depth` is TensorFlow's word for
    num_classes. ValueError for an index outside, TypeError for indices that are not integers.

    >>> import cyops
    >>> cyops.one_hot([2, 0], 3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    cdef Strided wanted = operand("one_hot", indices)
    cdef Py_ssize_t itemsize = 0
    cdef int code = dtype_code("one_hot", dtype, &itemsize)
    cdef Py_ssize_t classes, i
    cdef Py_ssize_t shape[CYOPS_MAX_NDIM]
    cdef Strided out, positions, on, off, flat
    cdef cyops_view listed
    if (num_classes is None) == (depth is None):
        raise TypeError(f"one_hot: give num_classes, or depth, which means the same; got num_classes {num_classes!r}, "
                        f"depth {depth!r}")
    num_classes = depth if num_classes is None else num_classes
    classes = read_integer("one_hot", "num_classes", num_classes)
    if classes < 0:
        raise ValueError(f"one_hot: num_classes must not be negative; got {classes}")
    if wanted.v.ndim + 1 > CYOPS_MAX_NDIM:
        raise ValueError(f"one_hot: the result has {wanted.v.ndim + 1} axes; at most {CYOPS_MAX_NDIM} are possible")
    require_real("one_hot", code, itemsize)
    memcpy(shape, wanted.v.shape, wanted.v.ndim * sizeof(Py_ssize_t))
    shape[wanted.v.ndim] = classes
    count_elements("one_hot", wanted.v.ndim + 1, shape, itemsize)      # so that no position overflows
    positions = read_positions("one_hot", wanted, classes, False, ValueError)
    for i in range(positions.v.size):
        positions_of(positions)[i] += i * classes
    off = scalar(off_value, code)
    on = scalar(on_value, code)
    out = empty("one_hot", result_class(wanted, wanted), code, itemsize, wanted.v.ndim + 1, shape)
    broadcast_view(&off.v, out.v.ndim, out.v.shape, &listed)
    check("one_hot", api().cast(&out.v, &listed))
    flat = flattened(out)
    broadcast_view(&on.v, 1, &positions.v.size, &listed)
    check("one_hot", api().scatter(&flat.v, &listed, 0, positions_of(positions), positions.v.size))
    return out


# -- batches ----------------------------------------------------------------------------------------------------------
def gather_rows(x, indices, out=None, dtype=None, scale=None):
    """A batch: the rows of x at the given positions, converted and scaled while they are at hand.

    x: (n, ...) of any dtype and strides; indices: integer (b,), negative ones count from the end -> (b, ...) of `dtype`
    (x's own when None; float32 with a scale and an x that is not floating), each element times `scale`. Written into
    `out` where it is given. Not recorded by tapes. IndexError for an index out of range, ValueError for an `out` of
    another shape, TypeError for a scale with a result that is not float32 or float64.

    >>> import cyops, numpy
    >>> images = numpy.array([[0, 255], [64, 128]], "uint8")
    >>> cyops.gather.gather_rows(images, [1], dtype="float32", scale=1 / 256).tolist()
    [[0.25, 0.5]]
    """
    cdef Strided a = operand("gather_rows", x)
    cdef Strided wanted = operand("gather_rows", indices)
    cdef Py_ssize_t itemsize = a.v.itemsize
    cdef int code = a.v.dtype
    cdef double factor = 1 if scale is None else scale
    cdef Py_ssize_t shape[CYOPS_MAX_NDIM]
    cdef Strided result, positions
    cdef int status
    cdef const cyops_api *c = api()
    if a.v.ndim == 0 or wanted.v.ndim != 1:
        raise ValueError(f"gather_rows: needs x (n, ...) and indices (b,); got x {shape_of(a)}, indices "
                         f"{shape_of(wanted)}")
    if dtype is not None:
        code = dtype_code("gather_rows", dtype, &itemsize)
    elif out is not None and isinstance(out, Strided):
        code, itemsize = (<Strided> out).v.dtype, (<Strided> out).v.itemsize
    elif scale is not None and not is_floating(code):
        code, itemsize = CYOPS_FLOAT32, 4
    if is_text(code) != is_text(a.v.dtype):
        raise TypeError(f"gather_rows: cannot convert {a.dtype} to {dtype}")
    if scale is not None and (not is_floating(code) or computing_dtype(code) != code):
        raise TypeError("gather_rows: a scaled result must be float32 or float64")
    positions = read_positions("gather_rows", wanted, a.v.shape[0], True, IndexError)
    memcpy(shape, a.v.shape, a.v.ndim * sizeof(Py_ssize_t))
    shape[0] = wanted.v.size
    if out is None:
        result = empty("gather_rows", result_class(a, a), code, itemsize, a.v.ndim, shape)
    else:
        result = batch_out(out, a, code, shape)
    if is_long(0.1 * result.v.size):
        with nogil:
            status = c.gather_rows(&result.v, &a.v, positions_of(positions), positions.v.size, factor)
    else:
        status = c.gather_rows(&result.v, &a.v, positions_of(positions), positions.v.size, factor)
    check("gather_rows", status)
    return result


cdef Strided batch_out(object out, Strided x, int dtype, const Py_ssize_t *shape):
    cdef Strided given = checked_out("gather_rows", out, x.v.ndim, shape, dtype)
    if given.base is x.base:
        raise ValueError("gather_rows: out must not share memory with x")
    begin_write("gather_rows", given)
    return given


include "gather_join.pxi"


# The ops; the others here are what gradient rules, item assignment and batching are made of.
FUNCTIONS = (take, scatter_add, one_hot, concat, stack)
