# making: fresh tensors, second views of a storage, copies and casts.

cdef Storage nothing = Storage(0)           # the storage of a tensor that only `__new__` has seen
cdef tuple NO_ARGUMENTS = ()
cdef type tensor_class = Strided
cdef type shape_class = tuple


def set_tensor_class(type cls not None, type shape=None):
    """Names the subclass of Strided that results have as soon as one operand is of any subclass.

    shape: the subclass of tuple, without attributes of its own, that the shape of such a tensor is of; None for tuple.
    A package that derives its own tensor class from Strided calls this once, when it is imported.
    """
    global tensor_class, shape_class
    if not issubclass(cls, Strided):
        raise TypeError(f"set_tensor_class: needs a subclass of Strided; got {cls!r}")
    shape = tuple if shape is None else shape
    if not issubclass(shape, tuple) or shape.__basicsize__ != tuple.__basicsize__:
        raise TypeError(f"set_tensor_class: shape must be a subclass of tuple without attributes; got {shape!r}")
    tensor_class, shape_class = cls, shape


cdef type result_class(object a, object b):
    if type(a) is not Strided and isinstance(a, Strided):
        return tensor_class
    if type(b) is not Strided and isinstance(b, Strided):
        return tensor_class
    return Strided


cdef extern from *:
    """
    static newfunc cyops_replace_new(PyTypeObject *type, newfunc constructor) {
        newfunc before = type->tp_new;
        type->tp_new = constructor;
        type->tp_vectorcall = NULL; /* Cython's short way past tp_new */
        PyType_Modified(type);
        return before;
    }
    """
    newfunc replace_new "cyops_replace_new" (PyTypeObject *type, newfunc constructor)


cdef newfunc new_blank = replace_new(<PyTypeObject *> Strided, <newfunc> new_with_data)


cdef inline Strided allocate_object(type cls):
    """An instance without `__init__`, and without a `__new__` of Python's, which may give anything."""
    return <Strided> new_blank(cls, <PyObject *> NO_ARGUMENTS, NULL)


cdef object new_with_data(type cls, PyObject *positional, PyObject *named):
    """`Strided.__new__`: the data is in the object before anybody can see it, and nothing gives it other data later.

    A call that reads a shape, runs a hook of the caller's and uses the shape would otherwise have to read it twice.
    """
    cdef Strided out = allocate_object(cls)
    cdef tuple arguments = <tuple> positional
    cdef Strided source
    if named == NULL and len(arguments) == 0:
        return out
    try:
        data, dtype = data_and_dtype(*arguments, **(<dict> named if named != NULL else {}))
    except TypeError as error:
        raise TypeError(f"{cls.__name__}: {error}; a subclass with other arguments defines __new__(cls, ...), which "
                        "gives the data to super().__new__(cls, data)") from None
    source = asarray(data, dtype)
    copy_view(&out.v, &source.v)
    out.base = source.base
    out.awaits_init = True
    return out


def data_and_dtype(data, dtype=None):
    """The arguments of `Strided`, by position or by name."""
    return data, dtype


cdef Strided empty(str op, type cls, int dtype, Py_ssize_t itemsize, int ndim, const Py_ssize_t *shape):
    cdef Py_ssize_t size = count_elements(op, ndim, shape, itemsize)
    cdef Strided out = allocate_object(cls)
    cdef cyops_view *v = &out.v
    out.base = allocate(size * itemsize)
    if out.base is None:
        raise MemoryError(f"{op}: cannot allocate {size * itemsize} bytes for shape {tuple_of(shape, ndim)}")
    v.data = out.base.data
    v.dtype = dtype
    v.itemsize = itemsize
    v.ndim = ndim
    v.size = size
    if ndim > 0:
        memcpy(v.shape, shape, ndim * sizeof(Py_ssize_t))
    set_c_strides(v)
    return out


cdef Strided empty_like(str op, type cls, int dtype, Py_ssize_t itemsize, Strided like):
    cdef Strided out = empty(op, cls, dtype, itemsize, like.v.ndim, like.v.shape)
    if not is_c_contiguous(&like.v):
        order_like(&out.v, &like.v)
    return out


cdef void order_like(cyops_view *out, const cyops_view *like) noexcept:
    """Gives a fresh view the axis order of `like`'s strides, outermost the largest; ties keep C order."""
    cdef int order[CYOPS_MAX_NDIM]
    cdef int i, j, axis
    cdef Py_ssize_t step = 1
    for i in range(like.ndim):
        j = i
        while j > 0 and abs(like.strides[order[j - 1]]) < abs(like.strides[i]) and like.strides[order[j - 1]] != 0:
            order[j] = order[j - 1]
            j -= 1
        order[j] = i
    for i in range(like.ndim - 1, -1, -1):
        axis = order[i]
        if out.shape[axis] > 1 and out.size > 0:
            out.strides[axis] = step
            step *= out.shape[axis]


cdef inline void copy_view(cyops_view *out, const cyops_view *x) noexcept:
    """`x` without the room for further axes, which is most of a view."""
    out.data = x.data
    out.size = x.size
    out.itemsize = x.itemsize
    out.dtype = x.dtype
    out.ndim = x.ndim
    memcpy(out.shape, x.shape, x.ndim * sizeof(Py_ssize_t))
    memcpy(out.strides, x.strides, x.ndim * sizeof(Py_ssize_t))


cdef Strided alias(type cls, Strided x):
    cdef Strided out = allocate_object(cls)
    copy_view(&out.v, &x.v)
    out.base = x.base
    return out


cdef Strided reversed_dims(Strided x):
    """A view with the axes in reverse order, what x.T is: no axis to check."""
    cdef Strided out = alias(result_class(x, x), x)
    cdef int i
    for i in range(x.v.ndim):
        out.v.shape[i] = x.v.shape[x.v.ndim - 1 - i]
        out.v.strides[i] = x.v.strides[x.v.ndim - 1 - i]
    if recording():
        record("permute_dims", (x,), out, {"axes": tuple(range(x.v.ndim - 1, -1, -1))})
    return out


cdef Strided matrix_transposed(Strided x):
    """A view with the last two axes swapped, what x.mT is."""
    cdef int last = x.v.ndim - 1
    cdef Strided out
    if last < 1:
        raise ValueError(f"matrix_transpose: x must have at least two axes; got shape {shape_of(x)}")
    out = alias(result_class(x, x), x)
    out.v.shape[last - 1], out.v.shape[last] = x.v.shape[last], x.v.shape[last - 1]
    out.v.strides[last - 1], out.v.strides[last] = x.v.strides[last], x.v.strides[last - 1]
    if recording():
        record("permute_dims", (x,), out, {"axes": (*range(last - 1), last, last - 1)})
    return out


def as_class(Strided x not None, type cls not None):
    """`x` itself when it is of class `cls`, else a `cls` that views the same elements; a plain Strided or subclass.

    >>> import cyops
    >>> x = cyops.Strided([1., 2.])
    >>> cyops.as_class(x, cyops.Strided) is x
    True
    """
    if type(x) is cls:
        return x
    if not issubclass(cls, Strided):
        raise TypeError(f"as_class: needs a subclass of Strided; got {cls!r}")
    cdef Strided out = alias(cls, x)
    out.origin = x.origin
    out.id = x.id                      # to a recorder the two are one value
    return out


def rebuild(type cls not None, object values, object dtype=None):
    """Makes a tensor of class `cls` from a NumPy array: what pickle and copy.deepcopy call.

    dtype: where NumPy has no such dtype, so that the array is of another.
    """
    if not issubclass(cls, Strided):
        raise TypeError(f"rebuild: needs a subclass of Strided; got {cls!r}")
    return alias(cls, coerce(values) if dtype is None else asarray(values, dtype))


def set_trainable(Strided x not None, bint trainable):
    """Marks `x` as watched by every recorder that watches trainable tensors, or takes the mark away."""
    x.trainable = trainable


def is_trainable(Strided x not None):
    """Whether `x` is marked as watched by every recorder."""
    return x.trainable


cdef Strided cast_to_width(Strided x, int dtype, Py_ssize_t itemsize):
    """`x` in another dtype, in C order; `x` itself when it has it already."""
    cdef Strided out
    if x.v.dtype == dtype and x.v.itemsize == itemsize:
        return x
    if is_text(x.v.dtype) != is_text(dtype):
        # Numbers from text and text from numbers are NumPy's business.
        try:
            return from_buffer(numpy.asarray(x).astype(dtype_object(dtype, itemsize)), None)
        except ValueError as error:
            raise ValueError(f"astype: {error}") from None
    if x.v.dtype != dtype and is_text(dtype):
        return from_buffer(numpy.asarray(x).astype(dtype_object(dtype, itemsize)), None)
    out = empty_like("astype", type(x) if type(x) is Strided else tensor_class, dtype, itemsize, x)
    check("astype", cyops_functions.cast(&out.v, &x.v))
    return out


cdef Strided cast_to(Strided x, int dtype):
    return cast_to_width(x, dtype, x.v.itemsize if is_text(dtype) else itemsize_of(dtype))


cdef Strided fresh_copy(Strided x):
    """A copy in memory of its own, its axes in the order of x's strides; not recorded."""
    cdef Strided out = empty_like("copy", result_class(x, x), x.v.dtype, x.v.itemsize, x)
    check("copy", cyops_functions.cast(&out.v, &x.v))
    return out


cdef Strided contiguous(Strided x):
    cdef Strided out
    if is_c_contiguous(&x.v):
        return x
    out = empty("copy", result_class(x, x), x.v.dtype, x.v.itemsize, x.v.ndim, x.v.shape)
    check("copy", cyops_functions.cast(&out.v, &x.v))
    return out


def detach(x):
    """A view of the same elements that no recorder tracks: gradients stop here.

    x: any shape and dtype. A view.

    >>> import cyops
    >>> x = cyops.Strided([1., 2.])
    >>> cyops.shares_memory(cyops.detach(x), x)
    True
    """
    cdef Strided source = operand("detach", x)
    return alias(result_class(source, source), source)


def view_geometry(function, shape, *args):
    """The shape, strides and offset that `function(x, *args)` gives a view of a C-contiguous x of `shape`.

    `function` must only look at geometry: the x it receives holds bytes of undefined values. TypeError where it returns
    anything but a view of x.
    """
    cdef Py_ssize_t lengths[CYOPS_MAX_NDIM]
    cdef int ndim = read_shape("view_geometry", shape, lengths)
    cdef Strided x = empty("view_geometry", Strided, CYOPS_UINT8, 1, ndim, lengths)
    out = function(x, *args)
    if not isinstance(out, Strided) or (<Strided> out).base is not x.base:
        raise TypeError("view_geometry: the function must return a view of its argument")
    return out.shape, out.strides, (<Strided> out).v.data - x.v.data


def record_op(str op not None, tuple inputs not None, Strided out not None, dict params=None):
    """Tells the active recorders of an op computed elsewhere: `out` from `inputs`, a tuple of tensors.

    `params` is what else its gradient rule may name. TypeError for inputs that are no tensors.
    """
    for x in inputs:
        if not isinstance(x, Strided):
            raise TypeError(f"record_op: inputs must be tensors; got {type(x).__name__}")
    if recording():
        record_values(op, inputs, out, params)
