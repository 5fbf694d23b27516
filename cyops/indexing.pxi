# indexing: x[key] as a view or, for arrays of indices, as a copy; and x[key] = value.

cdef bint is_index_array(object part):
    """Whether a part of a key is an array of integers or bools, which NumPy calls advanced indexing."""
    if type(part) is int or type(part) is slice or part is None or part is Ellipsis:
        return False
    if isinstance(part, int):
        return isinstance(part, bool)
    if isinstance(part, Strided):
        return (<Strided> part).v.ndim > 0 or (<Strided> part).v.dtype == CYOPS_BOOL
    if isinstance(part, list):
        return True
    shape = getattr(part, "shape", None)
    return shape is not None and (len(shape) > 0 or part.dtype == bool)


cdef bint is_advanced(object key):
    if isinstance(key, tuple):
        for part in <tuple> key:
            if is_index_array(part):
                return True
        return False
    return is_index_array(key)


cdef object index_error(Strided x, object key, str why):
    return IndexError(f"index {key!r} of a tensor of shape {shape_of(x)}: {why}")


cdef object integer_of(object part, object key):
    try:
        return PyNumber_Index(part)
    except TypeError:
        raise IndexError(f"index {key!r}: only integers, slices, None, Ellipsis and arrays of integers or bools are "
                         "indices") from None


cdef int take_integer(Strided x, cyops_view *v, int axis, object part, object key) except -1:
    cdef Py_ssize_t length = x.v.shape[axis]
    cdef object number = part if type(part) is int else integer_of(part, key)
    cdef Py_ssize_t index = clipped(number)
    if index < -length or index >= length:
        raise index_error(x, key, f"{number} is out of range for axis {axis} of length {length}")
    v.data += (index + length if index < 0 else index) * x.v.strides[axis] * x.v.itemsize
    return 0


cdef extern from "Python.h":
    int PySlice_Unpack(object part, Py_ssize_t *start, Py_ssize_t *stop, Py_ssize_t *step) except -1
    Py_ssize_t PySlice_AdjustIndices(Py_ssize_t length, Py_ssize_t *start, Py_ssize_t *stop, Py_ssize_t step)


cdef int take_slice(Strided x, cyops_view *v, int axis, int out_axis, slice part) except -1:
    cdef Py_ssize_t start, stop, step, length
    PySlice_Unpack(part, &start, &stop, &step)
    length = PySlice_AdjustIndices(x.v.shape[axis], &start, &stop, step)
    v.shape[out_axis] = length
    v.strides[out_axis] = x.v.strides[axis] * step if length > 1 else 0
    if length > 0:
        v.data += start * x.v.strides[axis] * x.v.itemsize
    return 0


cdef bint index_first_axis(Strided x, object key, Strided out) except -1:
    """Gives `out` the geometry of x[key] for one integer or slice, the most common keys; False for any other key."""
    cdef cyops_view *v = &out.v
    cdef int kept = 1 if type(key) is slice else 0
    cdef int rest = x.v.ndim - 1
    if rest < 0 or not kept and type(key) is not int:
        return False
    v.data = x.v.data
    v.dtype = x.v.dtype
    v.itemsize = x.v.itemsize
    if kept:
        take_slice(x, v, 0, 0, key)
    else:
        take_integer(x, v, 0, key, key)
    memcpy(v.shape + kept, x.v.shape + 1, rest * sizeof(Py_ssize_t))
    memcpy(v.strides + kept, x.v.strides + 1, rest * sizeof(Py_ssize_t))
    v.ndim = rest + kept
    finish_geometry(x, out)
    return True


cdef int count_named(Strided x, object key, tuple parts) except -1:
    """How many axes of `x` the parts of a key name; the Ellipsis, written or implied, stands for the others."""
    cdef int named = 0
    cdef bint is_open = False
    for part in parts:
        if part is Ellipsis:
            if is_open:
                raise index_error(x, key, "an index may hold one Ellipsis")
            is_open = True
        elif part is not None:
            named += 1
    if named > x.v.ndim:
        raise index_error(x, key, f"too many indices, {named} for {x.v.ndim} axes")
    return named


cdef int index_view(Strided x, object key, Strided out) except -1:
    """Gives `out` the geometry of x[key], for a key of integers, slices, None and at most one Ellipsis."""
    cdef cyops_view *v = &out.v
    cdef tuple parts = key if isinstance(key, tuple) else (key,)
    cdef int rest = x.v.ndim - count_named(x, key, parts)
    cdef int axis = 0
    cdef int out_axis = 0
    v.data = x.v.data
    v.dtype = x.v.dtype
    v.itemsize = x.v.itemsize
    for part in parts:
        if out_axis == CYOPS_MAX_NDIM and (part is None or isinstance(part, slice)):
            raise index_error(x, key, f"the result has more than {CYOPS_MAX_NDIM} axes")
        if isinstance(part, slice):
            take_slice(x, v, axis, out_axis, part)
            axis += 1
            out_axis += 1
        elif part is None:
            v.shape[out_axis] = 1
            v.strides[out_axis] = 0
            out_axis += 1
        elif part is Ellipsis:
            keep_axes(x, key, v, axis, out_axis, rest)
            axis += rest
            out_axis += rest
            rest = 0
        else:
            take_integer(x, v, axis, part, key)
            axis += 1
    keep_axes(x, key, v, axis, out_axis, rest)
    v.ndim = out_axis + rest
    finish_geometry(x, out)
    return 0


cdef int keep_axes(Strided x, object key, cyops_view *v, int axis, int out_axis, int count) except -1:
    """Takes over `count` axes of `x`."""
    if out_axis + count > CYOPS_MAX_NDIM:
        raise index_error(x, key, f"the result has more than {CYOPS_MAX_NDIM} axes")
    memcpy(v.shape + out_axis, x.v.shape + axis, count * sizeof(Py_ssize_t))
    memcpy(v.strides + out_axis, x.v.strides + axis, count * sizeof(Py_ssize_t))
    return 0


cdef object settled_key(object key):
    """The same view's key in Python's own ints, which a record may keep: no tensor in it changes any more."""
    if isinstance(key, tuple):
        return tuple([settled_part(part, key) for part in <tuple> key])
    return settled_part(key, key)


cdef object settled_part(object part, object key):
    if part is None or part is Ellipsis or type(part) is int:
        return part
    if isinstance(part, slice):
        return slice(settled_bound(part.start), settled_bound(part.stop), settled_bound(part.step))
    return integer_of(part, key)


cdef object settled_bound(object bound):
    return bound if bound is None or type(bound) is int else PyNumber_Index(bound)


# -- the two entries --------------------------------------------------------------------------------------------------
cdef object get_array_item = None           # set by views.pyx: x[key] where key holds an array


def set_get_array_item(function):
    """Names the function behind x[key] for a key that holds an array of integers or bools."""
    global get_array_item
    get_array_item = function


cdef object get_item(Strided x, object key):
    cdef bint is_watched = recording()
    if is_watched and type(key) is not int and not is_advanced(key):
        key = settled_key(key)
    cdef Strided out = allocate_object(result_class(x, x))
    if not index_first_axis(x, key, out):
        if is_advanced(key):
            return get_array_item(x, key)
        index_view(x, key, out)
    out.base = x.base
    if is_watched:
        record("getitem", (x,), out, {"key": key})
    return out


cdef int set_item(Strided x, object key, object value) except -1:
    cdef Strided target
    refuse_readonly("setitem", x)           # before the key is read: no key would do
    if is_advanced(key):
        return set_array_item(x, key, value)
    target = alias(Strided, x)
    index_view(x, key, target)
    return write_into("setitem", target, value)


cdef int write_into(str op, Strided target, object value, bint assign=False) except -1:
    """Writes `value`, broadcast and cast, into the elements of `target`."""
    cdef Strided source = coerce_as(value, target.v.dtype, target.v.itemsize)
    cdef cyops_view stretched
    cdef Py_ssize_t shape[CYOPS_MAX_NDIM]
    cdef int ndim = broadcast_shapes(op, &target.v, &source.v, shape)
    if ndim != target.v.ndim or has_other_length(&target.v, shape):
        raise ValueError(f"{op}: the value must broadcast to the target; got value {shape_of(source)}, target "
                         f"{shape_of(target)}")
    if overlaps(&source.v, &target.v):
        source = fresh_copy(source)
    if assign:
        begin_assign(op, target)
    else:
        begin_write(op, target)
    broadcast_view(&source.v, ndim, shape, &stretched)
    return check(op, cyops_functions.cast(&target.v, &stretched))


cdef bint has_other_length(const cyops_view *x, const Py_ssize_t *shape) noexcept:
    cdef int i
    for i in range(x.ndim):
        if x.shape[i] != shape[i]:
            return True
    return False


cdef int set_array_item(Strided x, object key, object value) except -1:
    cdef Py_ssize_t holds
    cdef Strided bits = as_bits(x)
    cdef object places = index_for_numpy(key)
    cdef object values = numpy.asarray(as_bits(coerce_as(value, x.v.dtype, x.v.itemsize)))
    begin_write("setitem", x)
    holds = x.base.holds
    x.base.holds = 0                        # begin_write allowed it, so NumPy's view must be writable
    try:
        target = numpy.asarray(bits)
    finally:
        x.base.holds = holds
    try:
        target[places] = values
    except (IndexError, ValueError) as error:
        kind = IndexError if isinstance(error, IndexError) else ValueError
        raise kind(f"setitem: {error}; got x {shape_of(x)}, value {values.shape}") from None
    return 0


def index_for_numpy(key):
    """The same key with every tensor in it as a NumPy array."""
    if isinstance(key, tuple):
        return tuple([index_for_numpy(part) for part in key])
    if isinstance(key, list) and len(key) == 0:
        return numpy.zeros(0, numpy.intp)   # NumPy itself indexes with an empty list, which as an array is floating
    check_depth(key)
    return numpy.asarray(key) if isinstance(key, (Strided, list)) else key


def assign(Strided x not None, value):
    """Writes `value`, broadcast and cast to x's dtype, into the memory of `x`, also while a tape records.

    x: any shape; value: anything that broadcasts to it. A tape that saved the old value raises at `gradient`.
    ValueError where the shapes do not broadcast or `x` is read-only.

    >>> import cyops
    >>> x = cyops.Strided([1., 2., 3.])
    >>> cyops.assign(x[1:], 0.)
    >>> x.tolist()
    [1.0, 0.0, 0.0]
    """
    write_into("assign", x, value, True)


cdef int combine_into(int op, Strided x, object value) except -1:
    """x = x op value in x's memory: in one pass where `value` needs no cast, else by way of a tensor."""
    cdef Strided other
    cdef cyops_view stretched
    cdef const cyops_view *inputs[2]
    cdef Py_ssize_t shape[CYOPS_MAX_NDIM]
    if isinstance(value, Strided) and (<Strided> value).v.dtype == x.v.dtype and (
            computes_in_itself[op][x.v.dtype]):
        other = <Strided> value
        if broadcast_shapes("assign", &x.v, &other.v, shape) == x.v.ndim and not has_other_length(&x.v, shape) and (
                not overlaps_otherwise(&x.v, &other.v)):
            begin_assign("assign", x)
            broadcast_view(&other.v, x.v.ndim, shape, &stretched)
            inputs[0] = &x.v
            inputs[1] = &stretched
            return run(op, &x.v, inputs)
    result = binary(op, alias(Strided, x), value, None)
    if result is NotImplemented:
        raise TypeError(f"assign: needs a tensor, array, number or list; got {type(value).__name__}")
    return write_into("assign", x, result, True)


def assign_add(Strided x not None, value):
    """Adds `value`, broadcast and cast to x's dtype, to the memory of `x`; returns `x`. All else as in `assign`.

    >>> import cyops
    >>> cyops.assign_add(cyops.Strided([1., 2.]), 1.).tolist()
    [2.0, 3.0]
    """
    combine_into(CYOPS_OP_add, x, value)
    return x


def assign_sub(Strided x not None, value):
    """Subtracts `value`, broadcast and cast to x's dtype, from the memory of `x`; returns `x`. All else as in `assign`.

    >>> import cyops
    >>> cyops.assign_sub(cyops.Strided([1., 2.]), 1.).tolist()
    [0.0, 1.0]
    """
    combine_into(CYOPS_OP_subtract, x, value)
    return x
