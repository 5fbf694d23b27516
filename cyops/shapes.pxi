# shapes: axes, broadcasting, contiguity and extents of views. Nothing here touches elements.

from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM


cdef tuple tuple_of(const Py_ssize_t *numbers, int count):
    cdef tuple out = PyTuple_New(count)
    cdef object number
    cdef int i
    for i in range(count):
        number = numbers[i]
        Py_INCREF(number)                   # the tuple takes a reference
        PyTuple_SET_ITEM(out, i, number)
    return out


cdef tuple shape_of(Strided x):
    return tuple_of(x.v.shape, x.v.ndim)


cdef extern from *:
    """
    static PyObject *cyops_new_tuple(PyTypeObject *type, Py_ssize_t count) { return type->tp_alloc(type, count); }
    """
    tuple new_tuple "cyops_new_tuple"(type cls, Py_ssize_t count)


cdef tuple public_shape(Strided x):
    """The shape in the class that set_tensor_class was given."""
    if shape_class is tuple:
        return shape_of(x)
    cdef tuple out = new_tuple(shape_class, x.v.ndim)
    cdef object number
    cdef int i
    for i in range(x.v.ndim):
        number = x.v.shape[i]
        Py_INCREF(number)                   # the tuple takes a reference
        PyTuple_SET_ITEM(out, i, number)
    return out


cdef tuple view_shape(const cyops_view *x):
    return tuple_of(x.shape, x.ndim)


cdef int read_shape(str op, object shape, Py_ssize_t *lengths) except -1:
    """Fills `lengths` from an int or a sequence of ints; returns how many there are."""
    cdef tuple parts = parts_of(op, "a shape", shape)
    cdef int i
    for i in range(len(parts)):
        try:
            lengths[i] = parts[i]           # once, by way of __index__: what is checked is what is used
        except TypeError:
            raise TypeError(f"{op}: a shape is made of integers; got {shape!r}") from None
        except OverflowError:
            raise ValueError(f"{op}: the shape {parts} has more elements than a machine word counts") from None
    return len(parts)


cdef int read_integers(str op, str what, object given, Py_ssize_t *numbers) except -1:
    """Fills `numbers` from an int or a sequence of ints, one an axis, converted once as by `read_integer`; how many."""
    cdef tuple parts = parts_of(op, what, given)
    cdef int i
    for i in range(len(parts)):
        numbers[i] = read_integer(op, what, parts[i])
    return len(parts)


cdef tuple parts_of(str op, str what, object given):
    """An int or a sequence of at most as many as there can be axes as a tuple, which no hook of a part can change."""
    if type(given) is tuple:
        parts = <tuple> given
    elif type(given) is int:
        parts = (given,)
    else:
        try:
            parts = tuple(given)
        except TypeError:
            if not hasattr(given, "__index__"):
                raise TypeError(f"{op}: {what} is an integer or a sequence of integers; got {given!r}") from None
            parts = (given,)
    if len(parts) > CYOPS_MAX_NDIM:
        raise ValueError(f"{op}: at most {CYOPS_MAX_NDIM} axes; got {len(parts)}")
    return parts


cdef void finish_geometry(Strided x, Strided out) noexcept:
    """Counts the elements of a view of `x`, gives short axes stride 0, and starts an empty view where `x` starts."""
    cdef int i
    out.v.size = 1
    for i in range(out.v.ndim):
        out.v.size *= out.v.shape[i]
        if out.v.shape[i] <= 1:
            out.v.strides[i] = 0
    if out.v.size == 0:
        memset(out.v.strides, 0, out.v.ndim * sizeof(Py_ssize_t))
        out.v.data = x.v.data


cdef extern from *:
    const Py_ssize_t PY_SSIZE_T_MAX


cdef Py_ssize_t count_elements(str op, int ndim, const Py_ssize_t *shape, Py_ssize_t itemsize) except -1:
    """The product of the lengths; ValueError where one is negative or the bytes overflow."""
    cdef Py_ssize_t size = 1
    cdef Py_ssize_t limit = PY_SSIZE_T_MAX // max(itemsize, 1)
    cdef int i
    for i in range(ndim):
        if shape[i] < 0:
            raise ValueError(f"{op}: lengths must not be negative; got shape {tuple_of(shape, ndim)}")
    if has_zero(ndim, shape):
        return 0
    for i in range(ndim):
        if size > limit // shape[i]:
            raise ValueError(f"{op}: the shape {tuple_of(shape, ndim)} has more bytes than memory can "
                             "address")
        size *= shape[i]
    return size


cdef bint has_zero(int ndim, const Py_ssize_t *shape) noexcept:
    cdef int i
    for i in range(ndim):
        if shape[i] == 0:
            return True
    return False


cdef extern from "Python.h":
    # With no exception named, an integer beyond the range becomes the end of it.
    Py_ssize_t PyNumber_AsSsize_t(object, PyObject *) except? -1
    object PyNumber_Index(object)


cdef inline Py_ssize_t clipped(object number) except? -1:
    """A Python int as a machine word; no `try`, which takes 5 ns."""
    return PyNumber_AsSsize_t(number, NULL)


cdef Py_ssize_t read_integer(str op, str what, object number) except? -1:
    """Anything with `__index__` as a machine word, asked once; an integer beyond the range becomes the end of it.

    TypeError, in which `what` names the argument, for anything else.
    """
    try:
        return clipped(number)
    except TypeError:
        raise TypeError(f"{op}: {what} must be an integer; got {number!r}") from None


cdef int normalize_axis(str op, object axis, int ndim) except -1:
    cdef Py_ssize_t index = clipped(axis) if type(axis) is int else read_integer(op, "axis", axis)
    if index < -ndim or index >= ndim:
        if ndim == 0:
            raise IndexError(f"{op}: axis {axis} is out of range; a tensor of shape () has no axes")
        raise IndexError(f"{op}: axis {axis} is out of range for {ndim} axes; it must lie in [{-ndim}, {ndim})")
    return <int> (index + ndim if index < 0 else index)


cdef int normalize_axes(str op, object axis, int ndim, char *flags) except -1:
    cdef int i, which
    memset(flags, axis is None, ndim)
    if axis is None:
        return 0
    if type(axis) is int:
        flags[normalize_axis(op, axis, ndim)] = 1
        return 0
    if not isinstance(axis, (tuple, list)):
        axis = (axis,)
    for one in axis:
        which = normalize_axis(op, one, ndim)
        if flags[which]:
            raise ValueError(f"{op}: axis {which} is named twice in {tuple(axis)}")
        flags[which] = 1
    return 0


cdef int broadcast_shapes(str op, const cyops_view *a, const cyops_view *b, Py_ssize_t *shape) except -1:
    cdef int ndim = max(a.ndim, b.ndim)
    cdef int i, axis_a, axis_b
    cdef Py_ssize_t length_a, length_b
    for i in range(ndim):
        axis_a = a.ndim - ndim + i
        axis_b = b.ndim - ndim + i
        length_a = a.shape[axis_a] if axis_a >= 0 else 1
        length_b = b.shape[axis_b] if axis_b >= 0 else 1
        if length_a != length_b and length_a != 1 and length_b != 1:
            raise ValueError(f"{op}: shapes must broadcast; got {view_shape(a)} and {view_shape(b)}, which differ in "
                             f"axis {i - ndim} ({length_a} against {length_b})")
        shape[i] = length_b if length_a == 1 else length_a
    return ndim


cdef void broadcast_view(const cyops_view *x, int ndim, const Py_ssize_t *shape, cyops_view *out) noexcept:
    cdef int i, source
    cdef Py_ssize_t size = 1
    out.data = x.data
    out.itemsize = x.itemsize
    out.dtype = x.dtype
    for i in range(ndim):
        source = x.ndim - ndim + i
        out.shape[i] = shape[i]
        out.strides[i] = x.strides[source] if source >= 0 and shape[i] > 1 and x.shape[source] != 1 else 0
        size *= shape[i]
    out.ndim = ndim
    out.size = size


cdef bint is_c_contiguous(const cyops_view *x) noexcept:
    cdef Py_ssize_t expected = 1
    cdef int i
    for i in range(x.ndim - 1, -1, -1):
        if x.shape[i] == 0:
            return True
        if x.shape[i] != 1:
            if x.strides[i] != expected:
                return x.size == 0
            expected *= x.shape[i]
    return True


cdef void set_c_strides(cyops_view *x) noexcept:
    cdef Py_ssize_t step = 1
    cdef int i
    memset(x.strides, 0, x.ndim * sizeof(Py_ssize_t))
    if x.size == 0:
        return
    for i in range(x.ndim - 1, -1, -1):
        if x.shape[i] > 1:
            x.strides[i] = step
            step *= x.shape[i]


cdef void extent(const cyops_view *x, const char **low, const char **high) noexcept:
    """The first byte of the lowest element and the byte after the highest one; equal where there are no elements."""
    cdef int i
    low[0] = high[0] = x.data
    if x.size == 0:
        return
    for i in range(x.ndim):
        if x.strides[i] < 0:
            low[0] += x.strides[i] * (x.shape[i] - 1) * x.itemsize
        else:
            high[0] += x.strides[i] * (x.shape[i] - 1) * x.itemsize
    high[0] += x.itemsize


cdef bint overlaps(const cyops_view *a, const cyops_view *b) noexcept:
    cdef const char *low_a
    cdef const char *high_a
    cdef const char *low_b
    cdef const char *high_b
    extent(a, &low_a, &high_a)
    extent(b, &low_b, &high_b)
    return low_a < high_b and low_b < high_a
