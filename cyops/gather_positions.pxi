# gather_positions: what the functions of gather.pyx share: positions, shapes, lists of slabs, results.

cdef Strided read_positions(str op, Strided indices, Py_ssize_t length, bint may_be_negative, object error):
    """The indices as fresh int64 in C order, each in [0, length); `error` is raised for one outside."""
    cdef Strided positions
    cdef Py_ssize_t bad = 0
    cdef Py_ssize_t i
    cdef bint are_signed = may_be_negative and indices.v.dtype != CYOPS_UINT64   # the largest of these turn negative
    cdef int64_t *position
    if indices.v.size > 0 and not is_integer(indices.v.dtype):
        raise TypeError(f"{op}: indices must be integers; got dtype {indices.dtype}")
    positions = empty(op, Strided, CYOPS_INT64, 8, indices.v.ndim, indices.v.shape)
    check(op, api().cast(&positions.v, &indices.v))
    position = <int64_t *> positions.v.data
    if not are_signed:
        for i in range(positions.v.size):
            if position[i] < 0:
                raise range_error(op, indices, i, -length if may_be_negative else 0, length, error)
    if api().wrap_positions(position, positions.v.size, length, &bad) == CYOPS_OUT_OF_RANGE:
        raise range_error(op, indices, bad, -length if may_be_negative else 0, length, error)
    return positions


cdef object range_error(str op, Strided indices, Py_ssize_t position, Py_ssize_t low, Py_ssize_t high, object error):
    value = numpy.asarray(indices).reshape(-1)[position]
    where = position if indices.v.ndim == 1 else tuple(map(int, numpy.unravel_index(position, shape_of(indices))))
    return error(f"{op}: indices must lie in [{low}, {high}); got {value} at position {where}")


cdef inline int64_t *positions_of(Strided positions) noexcept nogil:
    return <int64_t *> positions.v.data


cdef int replace_axis(str op, const cyops_view *x, int axis, const cyops_view *indices, Py_ssize_t *shape) except -1:
    """The shape of x with that of the indices in place of `axis`; returns its length."""
    cdef int ndim = x.ndim - 1 + indices.ndim
    if ndim > CYOPS_MAX_NDIM:
        raise ValueError(f"{op}: the result has {ndim} axes; at most {CYOPS_MAX_NDIM} are possible")
    memcpy(shape, x.shape, axis * sizeof(Py_ssize_t))
    memcpy(shape + axis, indices.shape, indices.ndim * sizeof(Py_ssize_t))
    memcpy(shape + axis + indices.ndim, x.shape + axis + 1, (x.ndim - axis - 1) * sizeof(Py_ssize_t))
    return ndim


cdef void list_slabs(const cyops_view *listed, int axis, int index_ndim, Py_ssize_t count, cyops_view *out) noexcept:
    """`listed` with its index axes, a run in C order, as one axis of length `count`."""
    cdef int i
    cdef int last = axis + index_ndim - 1
    out[0] = listed[0]
    out.ndim = listed.ndim - index_ndim + 1
    out.shape[axis] = count
    if index_ndim != 1:
        out.strides[axis] = 1
        for i in range(listed.ndim - 1, last, -1):
            out.strides[axis] *= listed.shape[i]
    for i in range(last + 1, listed.ndim):
        out.shape[axis + i - last] = listed.shape[i]
        out.strides[axis + i - last] = listed.strides[i]


cdef Strided flattened(Strided x):
    """The elements in C order as one axis; a view where they lie so."""
    cdef Strided flat = alias(result_class(x, x), contiguous(x))
    flat.v.ndim = 1
    flat.v.shape[0] = flat.v.size
    flat.v.strides[0] = 1 if flat.v.size > 1 else 0
    return flat


cdef Strided zeros(str op, type cls, int dtype, int ndim, const Py_ssize_t *shape):
    cdef Strided out = empty(op, cls, dtype, itemsize_of(dtype), ndim, shape)
    memset(out.v.data, 0, out.v.size * out.v.itemsize)
    return out
