# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, binding=True
# cython: auto_pickle=False
"""Pooling over one, two or three spatial axes, and its gradients: max_pool, average_pool.

The operands are read where they lie, whatever their strides; a data format is an order of strides, and a result has the
order of its operand in memory. Padding holds no elements: it is neither a maximum nor counted in a mean, as in
TensorFlow. May be imported by everything above cyops.strided.
"""
from cyops.ids cimport *
from cyops.strided cimport (
    CYOPS_FLOAT32, CYOPS_MAX_NDIM, CYOPS_UINT8, Strided, api, cast_to, check, computing_dtype, cyops_api, cyops_view,
    cyops_pool_window, cyops_pool_axis, empty, is_floating, is_long, itemsize_of, operand, order_like, read_integer,
    record, recording, require_real, result_class, shape_of,
)

from libc.string cimport memset

include "spatial.pxi"
include "windows.pxi"

cdef enum:
    MOST_BYTES = 256                    # numbers of a window's elements that fit a byte
    MOST_EXACT = 1 << 24                # and a float32


# -- windows ----------------------------------------------------------------------------------------------------------
cdef int read_window(str op, Strided x, object pool_size, object strides, object padding, object data_format,
                     Window *window) except -1:
    """What pooling x is asked for; a window as long as each axis of an input without places is refused."""
    cdef Py_ssize_t[MOST_SPATIAL] numbers
    cdef int i
    cdef Axis *axis
    read_rank(op, x.v.ndim, window)
    read_data_format(op, data_format, window)
    read_spatial(op, "pool_size", pool_size, window.count, numbers)
    for i in range(window.count):
        window.axes[i].taps = numbers[i]
        window.axes[i].length = x.v.shape[first_spatial(window) + i]
    read_strides(op, pool_size if strides is None else strides, 1, window)
    if isinstance(padding, str) and padding.lower() == "causal":
        raise ValueError(f'{op}: padding must be "valid", "same", or a pair (before, after) for each spatial axis; '
                         f"got {padding!r}")
    read_padding(op, padding, window)
    for i in range(window.count):
        axis = &window.axes[i]
        if axis.positions > 0 and axis.length > 0 and (axis.before >= axis.taps or (
                axis.positions - 1) * axis.stride - axis.before >= axis.length):
            raise ValueError(f"{op}: padding must be less than pool_size, or a window would hold nothing else; got "
                             f"padding {padding!r}, pool_size {pool_size!r}")
        if axis.length == 0:
            axis.positions = 0
    return require_room(op, "pool_size", window)


cdef tuple described(const Window *window):
    """The window as a record keeps it: for `read_back`."""
    cdef int i
    cdef list axes = []
    for i in range(window.count):
        axes.append((window.axes[i].length, window.axes[i].positions, window.axes[i].taps, window.axes[i].stride,
                     window.axes[i].before))
    return window.channels_first, tuple(axes)


cdef int read_back(str op, object description, int ndim, Window *window) except -1:
    """The window of a record, for a tensor of so many axes. It may come from anywhere: what does not fit is refused."""
    cdef int i, k
    cdef Axis *axis
    cdef Py_ssize_t[5] numbers
    try:
        first, axes = description
        lengths = [tuple(one) for one in axes]
    except (TypeError, ValueError):
        raise TypeError(f"{op}: window must be that of a record of pooling; got {description!r}") from None
    window.channels_first = bool(first)
    window.count = len(lengths)
    if not 1 <= window.count <= MOST_SPATIAL or window.count + 2 != ndim:
        raise ValueError(f"{op}: a window of {window.count} spatial axes is for tensors of {window.count + 2}, of 1 to "
                         f"3 spatial ones; got {ndim} axes")
    for i in range(window.count):
        axis = &window.axes[i]
        if len(lengths[i]) != 5:
            raise TypeError(f"{op}: window must be that of a record of pooling; got {description!r}")
        for k in range(5):
            numbers[k] = read_integer(op, "window", lengths[i][k])
        axis.length, axis.positions, axis.taps, axis.stride, axis.before = (
            numbers[0], numbers[1], numbers[2], numbers[3], numbers[4])
        axis.dilation = 1
        if not (0 <= axis.length and 0 <= axis.positions <= axis.length + axis.taps and 1 <= axis.taps <= LARGEST
                and 1 <= axis.stride <= LARGEST and 0 <= axis.before < axis.taps
                and (axis.positions == 0 or (axis.positions - 1) * axis.stride - axis.before < axis.length)):
            raise ValueError(f"{op}: window must be that of a record of pooling; got {description!r}")
    return 0


cdef Py_ssize_t count_taps(const Window *window) noexcept:
    cdef Py_ssize_t count = 1
    cdef int i
    for i in range(window.count):
        count = count * window.axes[i].taps if count < MOST_EXACT else count
    return count


cdef Tables looking_at(const Window *window):
    """For each position the elements of its window."""
    cdef Tables tables = Tables()
    cdef int i
    cdef cyops_pool_window *windows
    cdef cyops_pool_axis *table
    cdef const Axis *axis
    for i in range(window.count):
        axis = &window.axes[i]
        windows = <cyops_pool_window *> tables.hold(axis.positions * sizeof(cyops_pool_window))
        api().pooling_windows(windows, axis.positions, axis.length, axis.taps, axis.stride, axis.before)
        table = &tables.axes[first_spatial(window) + i]
        table.windows, table.step, table.advance = windows, 1, axis.stride
        table.number_step, table.numbers = 1, axis.taps
    return tables


cdef Tables looking_back(const Window *window, bint weighted):
    """For each element the windows that hold it."""
    cdef Tables tables = Tables()
    cdef int i
    cdef cyops_pool_window *windows
    cdef double *weights = NULL
    cdef cyops_pool_axis *table
    cdef const Axis *axis
    for i in range(window.count):
        axis = &window.axes[i]
        windows = <cyops_pool_window *> tables.hold(axis.length * sizeof(cyops_pool_window))
        if weighted:
            weights = <double *> tables.hold(axis.positions * sizeof(double))
        api().pooling_windows_back(windows, weights, axis.positions, axis.length, axis.taps, axis.stride, axis.before)
        table = &tables.axes[first_spatial(window) + i]
        table.windows, table.step, table.advance = windows, axis.stride, 1
        table.number_step, table.numbers = -axis.stride, axis.taps
    return tables


# -- results ----------------------------------------------------------------------------------------------------------
cdef Strided result_of(str op, type cls, int dtype, Strided x, const Window *window, bint back):
    """An empty tensor for one number a window, or with `back` for one an element, in the order of x in memory."""
    cdef Py_ssize_t shape[CYOPS_MAX_NDIM]
    cdef int i
    cdef Strided out
    for i in range(x.v.ndim):
        shape[i] = x.v.shape[i]
    for i in range(window.count):
        shape[first_spatial(window) + i] = window.axes[i].length if back else window.axes[i].positions
    out = empty(op, cls, dtype, itemsize_of(dtype), x.v.ndim, shape)
    order_like(&out.v, &x.v)
    return out


cdef Strided pooling_operand(str op, object x, bint takes_integers):
    cdef Strided a = operand(op, x)
    require_real(op, a.v.dtype, a.v.itemsize)
    if is_floating(a.v.dtype):
        return cast_to(a, computing_dtype(a.v.dtype))
    return a if takes_integers else cast_to(a, CYOPS_FLOAT32)


cdef Strided in_dtype_of(Strided out, Strided x):
    """A result in the dtype of what was given, where that is floating."""
    return cast_to(out, x.v.dtype) if is_floating(x.v.dtype) else out


# -- max --------------------------------------------------------------------------------------------------------------
def max_pool(x, pool_size, strides=None, padding="valid", data_format="channels_last"):
    """The largest element of each window.

    x: (n, s..., c) with one, two or three spatial axes s, or (n, c, s...) for "channels_first"; pool_size, strides: an
    integer or one for each spatial axis, strides None for pool_size; padding: "valid", "same", or an integer or a pair
    (before, after) for each spatial axis -> (n, t..., c), a copy in the dtype of x and its order in memory, with
    t = (before + s + after - pool_size) // strides + 1, for "same" ceil(s / strides). Padding is never the largest. A
    window with a NaN gives NaN. The gradient goes to the first of the largest elements in C order, the first NaN where
    there is one. ValueError where a window has no room, or could hold nothing but padding; TypeError for strings and
    complex numbers.

    >>> import cyops
    >>> cyops.max_pool([[[1.], [3.], [2.], [0.]]], 2).tolist()
    [[[3.0], [2.0]]]
    """
    cdef str op = "max_pool"
    cdef Strided a = operand(op, x)
    cdef Strided ready = pooling_operand(op, a, True)
    cdef Window window
    cdef Strided out, indices = None
    cdef bint is_recording = recording() and is_floating(a.v.dtype)
    read_window(op, a, pool_size, strides, padding, data_format, &window)
    out = result_of(op, result_class(a, a), ready.v.dtype, ready, &window, False)
    if is_recording:
        indices = empty_indices(op, ready, &window)
    fold(op, CYOPS_POOL_LARGEST_AT if is_recording else CYOPS_POOL_LARGEST, out, ready, indices, looking_at(&window))
    out = cast_to(out, a.v.dtype)
    if is_recording:
        record(op, (a,), out, {"indices": indices, "window": described(&window)})
    return out


cdef Strided empty_indices(str op, Strided x, const Window *window):
    """Room for the number of each window's largest element: a byte each where that is enough, else in x's dtype."""
    cdef Py_ssize_t count = count_taps(window)
    if count > MOST_EXACT:
        raise ValueError(f"{op}: a window of at most {MOST_EXACT} elements has a gradient; got pool_size "
                         f"{tuple([window.axes[i].taps for i in range(window.count)])}")
    return result_of(op, Strided, CYOPS_UINT8 if count <= MOST_BYTES else x.v.dtype, x, window, False)


def max_pool_gradient(d, Strided indices not None, window):
    """The gradient for x of a `max_pool`, given that for its result: d where each window's largest element was.

    d: the shape of the result; indices and window: as its record has them -> the shape of x. Adds up where windows
    overlap. Its own gradient is `max_pool_chosen`. ValueError
    where shapes do not fit.

    >>> import cyops
    >>> window = (False, ((4, 2, 2, 2, 0),))
    >>> cyops.max_pool_gradient([[[1.], [2.]]], cyops.Strided([[[1.], [0.]]]), window).tolist()
    [[[0.0], [1.0], [2.0], [0.0]]]
    """
    return with_indices("max_pool_gradient", CYOPS_POOL_PUT, d, indices, window, True)


def max_pool_chosen(x, Strided indices not None, window):
    """The elements of x at the places where a `max_pool` found the largest: the adjoint of `max_pool_gradient`.

    x: the shape of the operand of that pooling; indices and window: as its record has them -> the shape of its result.

    >>> import cyops
    >>> window = (False, ((4, 2, 2, 2, 0),))
    >>> cyops.max_pool_chosen([[[5.], [6.], [7.], [8.]]], cyops.Strided([[[1.], [0.]]]), window).tolist()
    [[[6.0], [7.0]]]
    """
    return with_indices("max_pool_chosen", CYOPS_POOL_CHOSEN, x, indices, window, False)


cdef Strided with_indices(str op, int fold_op, object x, Strided indices, object description, bint back):
    cdef Strided a = operand(op, x)
    cdef Strided ready = pooling_operand(op, a, False)
    cdef Window window
    read_back(op, description, indices.v.ndim, &window)
    require_shape(op, ready, indices, &window, not back)
    require_shape(op, indices, indices, &window, False)
    if indices.v.dtype != CYOPS_UINT8 and not is_floating(indices.v.dtype):
        raise TypeError(f"{op}: indices must be those of a record of pooling; got dtype {indices.dtype}")
    cdef Strided numbers = indices if indices.v.dtype == CYOPS_UINT8 else cast_to(indices, ready.v.dtype)
    cdef Strided out = result_of(op, result_class(a, a), ready.v.dtype, indices, &window, back)
    fold(op, fold_op, out, ready, numbers, looking_back(&window, False) if back else looking_at(&window))
    out = in_dtype_of(out, a)
    if recording():
        record(op, (a,), out, {"indices": indices, "window": description})
    return out


cdef int require_shape(str op, Strided x, Strided like, const Window *window, bint of_elements) except -1:
    """`x` must have the shape of pooling's operand, or of its result, whose other axes are those of `like`."""
    cdef int i
    cdef list shape = list(shape_of(like))
    for i in range(window.count):
        shape[first_spatial(window) + i] = window.axes[i].length if of_elements else window.axes[i].positions
    if shape_of(x) != tuple(shape):
        raise ValueError(f"{op}: needs the shape {tuple(shape)} for this window; got {shape_of(x)}")
    return 0


# -- average ----------------------------------------------------------------------------------------------------------
def average_pool(x, pool_size, strides=None, padding="valid", data_format="channels_last"):
    """The mean of the elements of each window; padding is not counted, as in TensorFlow.

    x: (n, s..., c) with one, two or three spatial axes s, or (n, c, s...) for "channels_first" -> (n, t..., c), a copy;
    arguments, lengths and errors as in `max_pool`. Floating dtypes stay, integers give float32.

    >>> import cyops
    >>> cyops.average_pool([[[1.], [3.], [2.], [0.]]], 3, strides=2, padding="same").tolist()
    [[[2.0], [1.0]]]
    """
    cdef str op = "average_pool"
    cdef Strided a = operand(op, x)
    cdef Strided ready = pooling_operand(op, a, False)
    cdef Window window
    read_window(op, a, pool_size, strides, padding, data_format, &window)
    return averaged(op, a, ready, &window)


cdef Strided averaged(str op, Strided a, Strided ready, const Window *window):
    cdef Strided out = result_of(op, result_class(a, a), ready.v.dtype, ready, window, False)
    fold(op, CYOPS_POOL_MEAN, out, ready, None, looking_at(window))
    out = in_dtype_of(out, a)
    if recording():
        record("average_pool", (a,), out, {"window": described(window)})
    return out


def average_pool_gradient(d, window):
    """The gradient for x of an `average_pool`, given that for its result: each d shared out over its window.

    d: the shape of the result; window: as its record has it -> the shape of x. Its own gradient is the pooling again.

    >>> import cyops
    >>> cyops.average_pool_gradient([[[1.], [2.]]], (False, ((4, 2, 2, 2, 0),))).tolist()
    [[[0.5], [0.5], [1.0], [1.0]]]
    """
    cdef str op = "average_pool_gradient"
    cdef Strided a = operand(op, d)
    cdef Strided ready = pooling_operand(op, a, False)
    cdef Window geometry
    read_back(op, window, a.v.ndim, &geometry)
    require_shape(op, ready, ready, &geometry, False)
    cdef Strided out = result_of(op, result_class(a, a), ready.v.dtype, ready, &geometry, True)
    fold(op, CYOPS_POOL_WEIGHTED, out, ready, None, looking_back(&geometry, True))
    out = in_dtype_of(out, a)
    if recording():
        record(op, (a,), out, {"window": window})
    return out


def average_pool_like(x, window):
    """The `average_pool` of x by the window that a record has: the adjoint of `average_pool_gradient`."""
    cdef str op = "average_pool"
    cdef Strided a = operand(op, x)
    cdef Window geometry
    read_back(op, window, a.v.ndim, &geometry)
    require_shape(op, a, a, &geometry, True)
    return averaged(op, a, pooling_operand(op, a, False), &geometry)


FUNCTIONS = (max_pool, average_pool)
