# gather_join: tensors put together along an old or a new axis.

cdef list read_tensors(str op, object tensors):
    if isinstance(tensors, Strided) or not hasattr(tensors, "__iter__"):
        raise TypeError(f"{op}: needs a list or tuple of tensors; got {type(tensors).__name__}")
    cdef list read = [operand(op, x) for x in tensors]
    if not read:
        raise ValueError(f"{op}: needs at least one tensor")
    return read


cdef Strided joined(str op, list tensors, int ndim, const Py_ssize_t *shape):
    """An empty tensor of `shape` in the common dtype and class."""
    cdef Strided first = <Strided> tensors[0]
    cdef Strided x
    cdef type cls = result_class(first, first)
    cdef int dtype = first.v.dtype
    cdef Py_ssize_t itemsize = first.v.itemsize
    for x in tensors:
        dtype = promote(dtype, x.v.dtype)
        itemsize = max(itemsize, x.v.itemsize)
        if cls is Strided:
            cls = result_class(x, x)
    itemsize = itemsize if is_text(dtype) else itemsize_of(dtype)
    return empty(op, cls, dtype, itemsize, ndim, shape)


cdef object recorded_flat(Strided x):
    """The elements in C order as one axis, through the op that a tape knows."""
    from cyops.reshaping import reshape

    return reshape(x, (-1,))


def concat(tensors, axis=0):
    """The tensors one after the other along an axis they have; flattened first where `axis` is None.

    (..., n1, ...), (..., n2, ...), ... -> (..., n1 + n2 + ..., ...), a copy in the promoted dtype. ValueError where
    there is no tensor or other axes differ, IndexError for an axis out of range, TypeError where strings and numbers
    mix.

    >>> import cyops
    >>> cyops.concat([[[1, 2]], [[3, 4], [5, 6]]], axis=0).tolist()
    [[1, 2], [3, 4], [5, 6]]
    """
    cdef list parts = read_tensors("concat", tensors)
    cdef Strided first = <Strided> parts[0]
    cdef Strided x, out
    cdef int which
    cdef Py_ssize_t shape[CYOPS_MAX_NDIM]
    cdef cyops_view place
    cdef int i
    if axis is None:
        return concat([recorded_flat(x) for x in parts], 0)
    which = normalize_axis("concat", axis, first.v.ndim)
    memcpy(shape, first.v.shape, first.v.ndim * sizeof(Py_ssize_t))
    shape[which] = 0
    for x in parts:
        for i in range(max(first.v.ndim, x.v.ndim)):
            if x.v.ndim != first.v.ndim or (i != which and x.v.shape[i] != shape[i]):
                raise ValueError(f"concat: tensors must have equal lengths along all axes but {which}; got "
                                 f"{', '.join([str(shape_of(y)) for y in parts])}")
        if x.v.shape[which] > PY_SSIZE_T_MAX - shape[which]:
            raise ValueError(f"concat: axis {which} of the result is longer than a machine word counts")
        shape[which] += x.v.shape[which]
    out = joined("concat", parts, first.v.ndim, shape)
    place = out.v
    for x in parts:
        place.shape[which] = x.v.shape[which]
        place.size = x.v.size
        if x.v.size > 0:
            check("concat", api().cast(&place, &x.v))
        place.data += x.v.shape[which] * out.v.strides[which] * out.v.itemsize
    if recording():
        record("concat", tuple(parts), out, {"axis": which})
    return out


def stack(tensors, axis=0):
    """Tensors of one shape side by side along a new axis.

    k tensors (..., ...) -> (..., k, ...) with the new axis at `axis`, a copy in the promoted dtype. ValueError where
    there is no tensor or shapes differ, IndexError for an axis out of range.

    >>> import cyops
    >>> cyops.stack([[1, 2], [3, 4]], axis=1).tolist()
    [[1, 3], [2, 4]]
    """
    cdef list parts = read_tensors("stack", tensors)
    cdef Strided first = <Strided> parts[0]
    cdef Strided x, out
    cdef int which = normalize_axis("stack", axis, first.v.ndim + 1)
    cdef int ndim = first.v.ndim + 1
    cdef Py_ssize_t shape[CYOPS_MAX_NDIM]
    cdef cyops_view place
    cdef int i
    if ndim > CYOPS_MAX_NDIM:
        raise ValueError(f"stack: the result has {ndim} axes; at most {CYOPS_MAX_NDIM} are possible")
    for x in parts:
        if shape_of(x) != shape_of(first):
            raise ValueError(f"stack: tensors must have one shape; got {', '.join([str(shape_of(y)) for y in parts])}")
    memcpy(shape, first.v.shape, which * sizeof(Py_ssize_t))
    shape[which] = len(parts)
    memcpy(shape + which + 1, first.v.shape + which, (first.v.ndim - which) * sizeof(Py_ssize_t))
    out = joined("stack", parts, ndim, shape)
    place = out.v
    place.ndim = first.v.ndim
    place.size = first.v.size
    for i in range(which, first.v.ndim):
        place.shape[i] = out.v.shape[i + 1]
        place.strides[i] = out.v.strides[i + 1]
    for x in parts:
        if x.v.size > 0:
            check("stack", api().cast(&place, &x.v))
        place.data += out.v.strides[which] * out.v.itemsize
    if recording():
        record("stack", tuple(parts), out, {"axis": which})
    return out
