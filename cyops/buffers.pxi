# buffers: the buffer protocol (PEP 3118), both ways. Bytes appear only here; everywhere else strides count elements.

from cpython.buffer cimport (
    PyBUF_ANY_CONTIGUOUS, PyBUF_C_CONTIGUOUS, PyBUF_F_CONTIGUOUS, PyBUF_FORMAT, PyBUF_ND, PyBUF_SIMPLE, PyBUF_STRIDES,
    PyBUF_WRITABLE, PyObject_CheckBuffer,
)
from cpython.exc cimport PyErr_Occurred
from libc.stdint cimport uintptr_t

# The letters of the table, but NumPy's own for 64 bits, `long` where it has them, and the protocol's for complex.
cdef dict NATIVE = {b"F": b"Zf", b"D": b"Zd", **({b"q": b"l", b"Q": b"L"} if sizeof(long) == 8 else {})}
cdef list FORMATS = [NATIVE.get(bytes([cyops_dtypes[code].letter]), bytes([cyops_dtypes[code].letter]))
                     for code in range(CYOPS_DTYPE_COUNT)]
cdef dict CODE_OF_LETTER = {FORMATS[code]: code for code in NUMERIC_CODES}


# -- in ---------------------------------------------------------------------------------------------------------------
cdef Strided from_buffer(object exporter, object copy):
    """A view of the exporter's memory; a copy of it where element strides or a native dtype cannot express it.

    `copy=False` refuses that copy with ValueError, `copy=True` always copies.
    """
    cdef Storage storage
    cdef Strided out
    cdef Py_ssize_t itemsize = 0
    cdef int dtype
    try:
        storage = borrow(exporter, True)
    except (ValueError, BufferError):       # NumPy has dtypes that the protocol has no letters for
        return copy_through_numpy(exporter, copy)
    dtype = dtype_of_format(storage.lent, &itemsize)
    out = allocate_object(Strided)
    if dtype < 0 or not set_geometry(&out.v, storage, dtype, itemsize):
        return copy_through_numpy(exporter, copy)
    out.base = storage
    if copy is True:
        out = fresh_copy(out)
    return out


cdef Strided from_bytes(bytes text):
    """Python's bytes as one string of fixed width, as NumPy takes them: a read-only view. An empty one is a NUL."""
    cdef Strided out = allocate_object(Strided)
    out.base = borrow(text if len(text) > 0 else b"\0", False)
    out.v.data = out.base.data = <char *> out.base.lent.buf
    out.v.dtype = CYOPS_BYTES
    out.v.itemsize = out.base.nbytes = out.base.lent.len
    out.v.ndim = 0
    out.v.size = 1
    return out


cdef Strided copy_through_numpy(object exporter, object copy):
    """For packed fields, misaligned memory and foreign byte order: NumPy makes a native, aligned copy."""
    cdef Py_ssize_t itemsize = 0
    array = numpy.asarray(exporter)
    cdef int dtype = dtype_code("asarray", array.dtype, &itemsize)
    cdef Strided out
    if dtype == CYOPS_BFLOAT16:             # an array of a library that adds the dtype to NumPy, which lends no buffer
        out = from_buffer(array.view(numpy.uint16), copy)
        out.v.dtype = dtype
        return out
    if copy is False:
        raise ValueError(f"asarray: this memory (dtype {array.dtype}, strides {array.strides} bytes) cannot be viewed "
                         "with strides in elements; allow the copy with copy=None")
    if array.ndim > CYOPS_MAX_NDIM:
        raise ValueError(f"asarray: at most {CYOPS_MAX_NDIM} axes; got {array.ndim}")
    native = numpy.array(array, dtype=dtype_object(dtype, itemsize), order="C", copy=True)
    if native.dtype.itemsize == 0:          # NumPy's empty strings; one character is the least a tensor has
        native = native.astype(f"{native.dtype.kind}1")
    return from_buffer(native, None)


cdef int dtype_of_format(const Py_buffer *lent, Py_ssize_t *itemsize) except -2:
    """The dtype code of a PEP 3118 format, or -1 where it is not a native one of ours."""
    cdef bytes text = lent.format if lent.format != NULL else b"B"
    cdef bytes letter
    cdef int code
    if text[:1] in (b"@", b"=", b"<"):
        text = text[1:]
    itemsize[0] = lent.itemsize
    count, letter = text[:len(text) - 1], text[len(text) - 1:]
    if letter in (b"s", b"w", b"c") and (count.isdigit() or count == b""):
        return -1 if lent.itemsize == 0 else (CYOPS_STR if letter == b"w" else CYOPS_BYTES)
    if len(text) != 1:
        return CODE_OF_LETTER.get(text, -1)
    if letter in b"lLqQnN":                 # by size: these differ between platforms
        if lent.itemsize == 8:
            return CYOPS_INT64 if letter in b"lqn" else CYOPS_UINT64
        letter = b"" if lent.itemsize != 4 else b"i" if letter in b"lqn" else b"I"
    code = CODE_OF_LETTER.get(letter, -1)
    return code if code < 0 or lent.itemsize == itemsize_of(code) else -1


cdef bint set_geometry(cyops_view *v, Storage storage, int dtype, Py_ssize_t itemsize) except -1:
    """Reads shape and strides of the lent buffer; False where they are no whole numbers of aligned elements."""
    cdef const Py_buffer *lent = storage.lent
    cdef Py_ssize_t alignment = itemsize if not is_text(dtype) else (4 if dtype == CYOPS_STR else 1)
    if is_complex(dtype):
        alignment = itemsize // 2           # of a part
    cdef Py_ssize_t step = itemsize
    cdef const char *low
    cdef const char *high
    cdef int i
    if lent.ndim > CYOPS_MAX_NDIM:
        raise ValueError(f"asarray: at most {CYOPS_MAX_NDIM} axes; got {lent.ndim}")
    if lent.suboffsets != NULL or <uintptr_t> lent.buf % <uintptr_t> alignment != 0:
        return False
    v.data = <char *> lent.buf
    v.dtype = dtype
    v.itemsize = itemsize
    v.ndim = lent.ndim
    v.size = 1
    for i in range(lent.ndim - 1, -1, -1):
        v.shape[i] = lent.shape[i] if lent.shape != NULL else lent.len // itemsize
        if lent.strides != NULL:
            step = lent.strides[i]
        if step % itemsize != 0 and v.shape[i] > 1:
            return False
        v.strides[i] = step // itemsize if v.shape[i] > 1 else 0
        v.size *= v.shape[i]
        if lent.strides == NULL:
            step *= v.shape[i]
    if v.size == 0:
        set_c_strides(v)
    extent(v, &low, &high)
    storage.data = <char *> low
    storage.nbytes = high - low
    return True


# -- out --------------------------------------------------------------------------------------------------------------
cdef bint repeats_elements(const cyops_view *v) noexcept:
    cdef int i
    for i in range(v.ndim):
        if v.strides[i] == 0 and v.shape[i] > 1 and v.size > 0:
            return True
    return False


cdef bint is_f_contiguous(const cyops_view *v) noexcept:
    cdef Py_ssize_t expected = 1
    cdef int i
    for i in range(v.ndim):
        if v.shape[i] > 1 and v.strides[i] != expected and v.size > 0:
            return False
        expected *= v.shape[i]
    return True


cdef int export_buffer(Strided x, Py_buffer *buffer, int flags) except -1:
    cdef cyops_view *v = &x.v
    cdef bint is_readonly = x.base.is_readonly or x.base.holds > 0 or repeats_elements(v)
    cdef bint is_c = is_c_contiguous(v)
    cdef Py_ssize_t *steps
    cdef int i
    if flags == PyBUF_SIMPLE and PyErr_Occurred() != NULL:
        return -1                           # asked again by torch.asarray, which was refused just before
    buffer.obj = None
    if flags == PyBUF_WRITABLE:
        # So asks torch.asarray, before it looks for __dlpack__, and takes bytes of any dtype and shape for a row of
        # float32. Whoever has room for a shape asks for it.
        raise BufferError("writable bytes without shape and dtype are not lent: give memoryview(x) or x.numpy() instead"
                          " of x; to PyTorch by torch.from_dlpack(x) or torch.as_tensor(x)")
    if flags & PyBUF_FORMAT and cyops_dtypes[v.dtype].letter == 0:
        raise BufferError(f"the buffer protocol has no letter for {x.dtype}; take astype('float32')")
    if flags & PyBUF_WRITABLE and is_readonly:
        raise BufferError("this tensor's memory is read-only, recorded by an active tape, or shared between elements")
    if flags & PyBUF_C_CONTIGUOUS == PyBUF_C_CONTIGUOUS and not is_c:
        raise BufferError("this tensor is not C-contiguous")
    if flags & PyBUF_F_CONTIGUOUS == PyBUF_F_CONTIGUOUS and not is_f_contiguous(v):
        raise BufferError("this tensor is not Fortran-contiguous")
    if flags & PyBUF_ANY_CONTIGUOUS == PyBUF_ANY_CONTIGUOUS and not is_c and not is_f_contiguous(v):
        raise BufferError("this tensor is not contiguous")
    if flags & PyBUF_STRIDES != PyBUF_STRIDES and not is_c:
        raise BufferError("this tensor is not C-contiguous and the request takes no strides")
    steps = <Py_ssize_t *> malloc((v.ndim + 1) * sizeof(Py_ssize_t))
    if steps == NULL:
        raise MemoryError()
    for i in range(v.ndim):
        steps[i] = (v.strides[i] if v.shape[i] > 1 and v.size > 0 else 1) * v.itemsize
    format = FORMATS[v.dtype] if not is_text(v.dtype) else string_format(v)
    buffer.buf = v.data
    buffer.obj = x
    buffer.len = v.size * v.itemsize
    buffer.readonly = is_readonly
    x.base.is_shared = x.base.is_shared or not is_readonly
    buffer.itemsize = v.itemsize
    buffer.format = <char *> <bytes> format if flags & PyBUF_FORMAT else NULL
    buffer.ndim = v.ndim
    buffer.shape = v.shape if flags & PyBUF_ND else NULL
    buffer.strides = steps if flags & PyBUF_STRIDES == PyBUF_STRIDES else NULL
    buffer.suboffsets = NULL
    buffer.internal = steps
    return 0


cdef dict string_formats = {}               # keeps the texts alive that exported buffers point at


cdef bytes string_format(const cyops_view *v):
    key = (v.dtype, v.itemsize)
    if key not in string_formats:
        string_formats[key] = (f"{v.itemsize}s" if v.dtype == CYOPS_BYTES else f"{v.itemsize // 4}w").encode()
    return string_formats[key]


cdef object as_numpy(Strided x, object dtype, object copy):
    """The NumPy array that `__array__` returns: a view of the same memory unless a copy is asked for or needed."""
    if cyops_dtypes[x.v.dtype].letter == 0:
        if copy is False:
            raise ValueError(f"__array__: NumPy has no {x.dtype}, so float32 in its place needs a copy")
        x = cast_to(x, computing_dtype(x.v.dtype))
    array = numpy.asarray(memoryview(x))
    if dtype is not None and array.dtype != dtype:
        if copy is False:
            raise ValueError(f"__array__: a tensor of dtype {array.dtype} as {numpy.dtype(dtype)} needs a copy")
        return array.astype(dtype)
    return array.copy() if copy else array


cdef Strided as_bits(Strided x):
    """`x` itself; where NumPy lacks its dtype, the same memory as unsigned integers, for NumPy to move about."""
    cdef Strided out
    if cyops_dtypes[x.v.dtype].letter != 0:
        return x
    out = alias(Strided, x)
    out.v.dtype = cyops_dtype_of(CYOPS_KIND_UNSIGNED, x.v.itemsize)
    return out
