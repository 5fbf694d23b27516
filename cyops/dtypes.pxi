# dtypes: the codes the kernels use, NumPy's dtype objects for the user, and the promotion table.

DTYPE_NAMES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
)
cdef tuple NUMERIC_DTYPES = tuple([numpy.dtype(name) for name in DTYPE_NAMES])
cdef PyObject *numeric_dtypes[12]
for number, one in enumerate(NUMERIC_DTYPES):
    numeric_dtypes[number] = <PyObject *> one
del number, one
cdef dict CODE_OF_DTYPE = {dtype: code for code, dtype in enumerate(NUMERIC_DTYPES)}
cdef dict CODE_OF_NAME = {name: code for code, name in enumerate(DTYPE_NAMES)}
CODE_OF_NAME.update({float: CYOPS_FLOAT32, int: CYOPS_INT64, bool: CYOPS_BOOL, "float": CYOPS_FLOAT32})
cdef Py_ssize_t[12] ITEMSIZES = [1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 4, 8]


cdef int dtype_code(str op, object dtype, Py_ssize_t *itemsize) except -1:
    """The code and item size of anything that names a dtype; Python's float means float32, as everywhere here.

    TypeError, in which `op` is the caller, where nothing is named.
    """
    cdef object code
    cdef int i
    for i in range(12):                     # NumPy's own objects, which take long to hash
        if <PyObject *> dtype == numeric_dtypes[i]:
            itemsize[0] = ITEMSIZES[i]
            return i
    try:
        code = CODE_OF_NAME.get(dtype)
    except TypeError:
        code = None
    if code is None:
        code = unusual_dtype_code(op, dtype, itemsize)
    if code < CYOPS_BYTES:
        itemsize[0] = ITEMSIZES[<int> code]
    return code


cdef object unusual_dtype_code(str op, object dtype, Py_ssize_t *itemsize):
    try:
        if dtype is None:
            raise TypeError                 # NumPy takes None for float64
        resolved = numpy.dtype(dtype)
    except (TypeError, ValueError):
        raise TypeError(f"{op}: unknown dtype {dtype!r}; known are {', '.join(DTYPE_NAMES)} and fixed-width "
                        "strings such as 'S8' and 'U8'") from None
    native = resolved.newbyteorder("=")
    code = CODE_OF_DTYPE.get(native)
    if code is None and native.kind in "SU":
        if native.itemsize > 0:             # 'S' and 'U' leave the width to the caller
            itemsize[0] = native.itemsize
        code = CYOPS_BYTES if native.kind == "S" else CYOPS_STR
    if code is None:
        raise TypeError(f"{op}: dtype {resolved} is not supported; known are {', '.join(DTYPE_NAMES)} and "
                        "fixed-width strings such as 'S8' and 'U8'")
    return code


cdef object dtype_object(int dtype, Py_ssize_t itemsize):
    if dtype < CYOPS_BYTES:
        return NUMERIC_DTYPES[dtype]
    return numpy.dtype(f"S{itemsize}" if dtype == CYOPS_BYTES else f"U{itemsize // 4}")


cdef Py_ssize_t itemsize_of(int dtype) noexcept:
    return ITEMSIZES[dtype]


cdef bint is_floating(int dtype) noexcept:
    return dtype == CYOPS_FLOAT32 or dtype == CYOPS_FLOAT64 or dtype == CYOPS_FLOAT16


cdef inline bint is_unsigned(int dtype) noexcept:
    return CYOPS_UINT8 <= dtype <= CYOPS_UINT64


cdef int promote(int a, int b) except -1:
    """The dtype of an operation on `a` and `b`: the Array API's table; an integer or bool yields to a floating dtype.

    uint64 with a signed integer has no integer dtype that holds both and gives float64, as in NumPy.
    """
    if a == b:
        return a
    if a >= CYOPS_BYTES or b >= CYOPS_BYTES:
        raise TypeError(f"dtypes {'numeric' if a < CYOPS_BYTES else 'string'} and "
                        f"{'numeric' if b < CYOPS_BYTES else 'string'} do not combine; convert one with astype")
    if is_floating(a) or is_floating(b) or a == CYOPS_BOOL or b == CYOPS_BOOL:
        return max(a, b)  # bool < integers < float16 < float32 < float64
    if is_unsigned(a) == is_unsigned(b):
        return max(a, b)
    cdef int signed = min(a, b)
    cdef int unsigned = max(a, b)
    cdef int needed = unsigned - CYOPS_UINT8 + CYOPS_INT8 + 1  # the smallest signed dtype wider than `unsigned`
    if needed > CYOPS_INT64:
        return CYOPS_FLOAT64
    return max(signed, needed)


cdef object element_at(const cyops_view *x, const char *data):
    """One element as a Python value."""
    cdef Strided holder
    if x.dtype == CYOPS_FLOAT32:
        return (<const float *> data)[0]
    if x.dtype == CYOPS_FLOAT64:
        return (<const double *> data)[0]
    if x.dtype == CYOPS_INT64:
        return (<const long long *> data)[0]
    if x.dtype == CYOPS_BOOL:
        return data[0] != 0
    text = PyBytes_FromStringAndSize(data, x.itemsize)
    return numpy.frombuffer(text, dtype_object(x.dtype, x.itemsize))[0].item()


cdef object only_element(Strided x):
    """The element of a tensor that has one."""
    if x.v.size != 1:
        raise ValueError(f"item: needs exactly one element; got shape {shape_of(x)}")
    return element_at(&x.v, x.v.data)
