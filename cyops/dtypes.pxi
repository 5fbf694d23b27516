# dtypes: the table of csrc/base/dtypes.h in Python: NumPy's dtype objects for the user, the codes for the kernels.

cdef tuple NUMERIC_CODES = tuple([code for code in range(CYOPS_DTYPE_COUNT) if not is_text(code)])
cdef list DTYPE_OBJECTS = [None] * CYOPS_DTYPE_COUNT            # None for text, which has one for each width
cdef PyObject *dtype_objects[CYOPS_DTYPE_COUNT]
for code in range(CYOPS_DTYPE_COUNT):
    if code == CYOPS_BFLOAT16:
        DTYPE_OBJECTS[code] = bfloat16
    elif code in NUMERIC_CODES:
        DTYPE_OBJECTS[code] = numpy.dtype(cyops_dtypes[code].name.decode())
    dtype_objects[code] = <PyObject *> DTYPE_OBJECTS[code]
del code
cdef dict CODE_OF_DTYPE = {DTYPE_OBJECTS[code]: code for code in NUMERIC_CODES}
cdef dict CODE_OF_NAME = {DTYPE_OBJECTS[code].name: code for code in NUMERIC_CODES}
cdef str KNOWN = f"{', '.join(CODE_OF_NAME)} and fixed-width strings such as 'S8' and 'U8'"
CODE_OF_NAME.update({float: CYOPS_FLOAT32, int: CYOPS_INT64, bool: CYOPS_BOOL, "float": CYOPS_FLOAT32})


def dtype_rows():
    """The table of dtypes with a fixed size: (name, name in safetensors files, bytes, name of what it computes as)."""
    return tuple([(cyops_dtypes[code].name.decode(), cyops_dtypes[code].file_name.decode(), cyops_dtypes[code].itemsize,
                   cyops_dtypes[cyops_dtypes[code].computing].name.decode()) for code in NUMERIC_CODES])


cdef int dtype_code(str op, object dtype, Py_ssize_t *itemsize) except -1:
    """The code and item size of anything that names a dtype; Python's float means float32, as everywhere here.

    TypeError, in which `op` is the caller, where nothing is named.
    """
    cdef object code
    cdef int i
    for i in range(CYOPS_DTYPE_COUNT):      # NumPy's own objects, which take long to hash
        if <PyObject *> dtype == dtype_objects[i] and dtype is not None:
            itemsize[0] = itemsize_of(i)
            return i
    try:
        code = CODE_OF_NAME.get(dtype)
    except TypeError:
        code = None
    if code is None:
        code = unusual_dtype_code(op, dtype, itemsize)
    if not is_text(code):
        itemsize[0] = itemsize_of(code)
    return code


cdef object unusual_dtype_code(str op, object dtype, Py_ssize_t *itemsize):
    try:
        if dtype is None:
            raise TypeError                 # NumPy takes None for float64
        resolved = numpy.dtype(dtype)
    except (TypeError, ValueError):
        raise TypeError(f"{op}: unknown dtype {dtype!r}; known are {KNOWN}") from None
    native = resolved.newbyteorder("=")
    code = CYOPS_BFLOAT16 if bfloat16 == native else CODE_OF_DTYPE.get(native)
    if code is None and native.kind in "SU":
        if native.itemsize > 0:             # 'S' and 'U' leave the width to the caller
            itemsize[0] = native.itemsize
        code = CYOPS_BYTES if native.kind == "S" else CYOPS_STR
    if code is None:
        raise TypeError(f"{op}: dtype {resolved} is not supported; known are {KNOWN}")
    return code


cdef object dtype_object(int dtype, Py_ssize_t itemsize):
    if not is_text(dtype):
        return DTYPE_OBJECTS[dtype]
    return numpy.dtype(f"S{itemsize}" if dtype == CYOPS_BYTES else f"U{itemsize // 4}")


cdef int promote(int a, int b) except -1:
    """The dtype of an operation on `a` and `b`; TypeError where text meets something else."""
    cdef int dtype = cyops_promote(a, b)
    if dtype < 0:
        names = [DTYPE_OBJECTS[code].name if is_complex(a) or is_complex(b) else "numeric" if not is_text(code) else
                 "string" for code in (a, b)]
        raise TypeError(f"dtypes {names[0]} and {names[1]} do not combine; convert one with astype")
    return dtype


cdef int require_real(str op, int dtype, Py_ssize_t itemsize) except -1:
    if is_text(dtype):
        raise TypeError(f"{op}: needs numbers; got dtype {dtype_object(dtype, itemsize)}")
    if is_complex(dtype):
        raise TypeError(f"{op}: needs real numbers; got dtype {dtype_object(dtype, itemsize)}")
    return 0


cdef object element_at(const cyops_view *x, const char *data):
    """One element as a Python value."""
    cdef float widened = 0
    if x.dtype == CYOPS_FLOAT32:
        return (<const float *> data)[0]
    if x.dtype == CYOPS_FLOAT64:
        return (<const double *> data)[0]
    if x.dtype == CYOPS_INT64:
        return (<const long long *> data)[0]
    if x.dtype == CYOPS_BOOL:
        return data[0] != 0
    if x.dtype == CYOPS_BFLOAT16:
        (<unsigned short *> &widened)[1] = (<const unsigned short *> data)[0]      # little end first: the upper half
        return widened
    text = PyBytes_FromStringAndSize(data, x.itemsize)
    return numpy.frombuffer(text, dtype_object(x.dtype, x.itemsize))[0].item()


cdef object only_element(Strided x):
    """The element of a tensor that has one."""
    if x.v.size != 1:
        raise ValueError(f"item: needs exactly one element; got shape {shape_of(x)}")
    return element_at(&x.v, x.v.data)
