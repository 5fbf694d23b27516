# spatial: what ops that move a window over one, two or three spatial axes share: their arguments, lengths and padding.
# Included by convolution.pyx and pooling.pyx. The layers' side of the same rules is cytensor/layers/spatial.py.

from cyops.strided cimport read_integer, tuple_of

cdef enum:
    MOST_SPATIAL = 3
    LARGEST = 0x7fffffff                # of a stride, a dilation and a padding: products of two fit a machine word

# One spatial axis: position o and tap k of the window meet the input at o * stride + k * dilation - before, where the
# input counts as 0 outside [0, length).
ctypedef struct Axis:
    Py_ssize_t length, positions, taps, stride, dilation, before

ctypedef struct Window:
    int count                           # of spatial axes
    bint channels_first
    Axis axes[MOST_SPATIAL]


cdef inline int first_spatial(const Window *window) noexcept:
    """The place of the first spatial axis in a tensor with samples and channels."""
    return 2 if window.channels_first else 1


cdef inline int channel_axis(const Window *window) noexcept:
    return 1 if window.channels_first else window.count + 1


cdef inline Py_ssize_t extent_of(const Axis *axis) noexcept:
    """How many elements of the input a window spans."""
    return axis.dilation * (axis.taps - 1) + 1


cdef inline Py_ssize_t output_length(Py_ssize_t length, Py_ssize_t extent, Py_ssize_t stride, Py_ssize_t before,
                                     Py_ssize_t after) noexcept:
    """At how many places a window lies inside before + length + after; 0 where it has no room."""
    cdef Py_ssize_t room = before + length + after - extent
    return room // stride + 1 if room >= 0 else 0


cdef int read_rank(str op, int ndim, Window *window) except -1:
    """Sets the number of spatial axes of a tensor that has samples and channels beside them."""
    if not 3 <= ndim <= 5:
        raise ValueError(f"{op}: x must have samples, channels and 1, 2 or 3 spatial axes, 3 to 5 axes in all; "
                         f"got {ndim}")
    window.count = ndim - 2
    return 0


cdef int read_data_format(str op, object data_format, Window *window) except -1:
    if data_format != "channels_last" and data_format != "channels_first":
        raise ValueError(f'{op}: data_format must be "channels_last" or "channels_first"; got {data_format!r}')
    window.channels_first = data_format == "channels_first"
    return 0


cdef int read_spatial(str op, str what, object given, int count, Py_ssize_t *numbers, Py_ssize_t low=1) except -1:
    """Fills `numbers` from one integer for all spatial axes or a sequence of one each, all from `low` to LARGEST."""
    cdef int i
    cdef tuple parts
    if hasattr(given, "__index__"):
        parts = (given,) * count
    else:
        try:
            parts = tuple(given)
        except TypeError:
            raise TypeError(f"{op}: {what} must be an integer or {count} of them in a tuple; got {given!r}") from None
    if len(parts) != count:
        raise ValueError(f"{op}: {what} must be an integer or {count} of them in a tuple, one for each spatial axis; "
                         f"got {given!r}")
    for i in range(count):
        numbers[i] = read_integer(op, what, parts[i])
        if numbers[i] < low or numbers[i] > LARGEST:
            raise ValueError(f"{op}: {what} must lie in [{low}, {LARGEST}]; got {given!r}")
    return 0


cdef int read_strides(str op, object strides, object dilation_rate, Window *window) except -1:
    cdef int i
    cdef Py_ssize_t[MOST_SPATIAL] numbers
    read_spatial(op, "strides", strides, window.count, numbers)
    for i in range(window.count):
        window.axes[i].stride = numbers[i]
    read_spatial(op, "dilation_rate", dilation_rate, window.count, numbers)
    for i in range(window.count):
        window.axes[i].dilation = numbers[i]
    return 0


cdef int read_padding(str op, object padding, Window *window) except -1:
    """Sets `before` and `positions` of every axis, whose other members are known.

    "valid": no zeros; "same": as many as keep ceil(length / stride) positions, the odd one after; "causal" (one axis):
    all before; or explicit: an integer for all sides, or for each axis an integer or a pair (before, after).
    """
    cdef int i
    cdef Axis *axis
    cdef Py_ssize_t extent, total
    cdef Py_ssize_t[2] sides
    if isinstance(padding, str):
        padding = padding.lower()
        if padding not in ("valid", "same", "causal") or (padding == "causal" and window.count > 1):
            raise ValueError(f'{op}: padding must be "valid", "same", "causal" for one spatial axis, or a pair '
                             f"(before, after) for each; got {padding!r} for {window.count}")
    elif hasattr(padding, "__index__"):
        padding = ((padding, padding),) * window.count
    else:
        padding = pairs_of(op, padding, window.count)
    for i in range(window.count):
        axis = &window.axes[i]
        extent = extent_of(axis)
        sides[0] = sides[1] = 0
        if padding == "same":
            total = max(((axis.length + axis.stride - 1) // axis.stride - 1) * axis.stride + extent - axis.length, 0)
            sides[0] = total // 2
            sides[1] = total - total // 2
        elif padding == "causal":
            sides[0] = extent - 1
        elif padding != "valid":
            read_spatial(op, "padding", padding[i], 2, sides, 0)
        axis.before = sides[0]
        axis.positions = output_length(axis.length, extent, axis.stride, sides[0], sides[1])
    return 0


cdef tuple pairs_of(str op, object padding, int count):
    """Explicit padding as `count` pairs (before, after)."""
    try:
        parts = tuple(padding)
        lengths = [2 if hasattr(one, "__index__") else len(one) for one in parts]
    except TypeError:
        raise TypeError(f"{op}: padding must be a name, an integer or a pair (before, after) for each spatial axis; "
                        f"got {padding!r}") from None
    if lengths != [2] * count:
        raise ValueError(f"{op}: padding must have a pair (before, after) for each of {count} spatial axes; "
                         f"got {padding!r}")
    return parts


cdef int require_room(str op, str what, const Window *window) except -1:
    """ValueError where the window does not fit into an axis of the input, which is not empty itself."""
    cdef int i
    for i in range(window.count):
        if window.axes[i].positions == 0 and window.axes[i].length > 0:
            raise ValueError(
                f"{op}: {what} must fit into the input and its padding; got spatial lengths "
                f"{tuple([window.axes[i].length for i in range(window.count)])}, {what} "
                f"{tuple([window.axes[i].taps for i in range(window.count)])}, dilation_rate "
                f"{tuple([window.axes[i].dilation for i in range(window.count)])}; padding=\"same\" keeps the lengths")
    return 0
