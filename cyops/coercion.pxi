# coercion: anything array-like as a Strided, and errors that name the op it was given to.

cdef Strided coerce(object x):
    if isinstance(x, Strided):
        return <Strided> x
    if isinstance(x, bytes):
        return from_bytes(x if type(x) is bytes else bytes(x))
    if PyObject_CheckBuffer(x):
        return from_buffer(x, None)
    if hasattr(x, "__array__"):
        try:
            return from_buffer(numpy.asarray(x), None)
        except TypeError:                   # PyTorch's bfloat16, which NumPy has not
            if not hasattr(x, "__dlpack__"):
                raise
    if hasattr(x, "__dlpack__"):
        return from_dlpack(x)
    return from_buffer(array_of_values(x), None)


cdef Strided coerce_as(object x, int dtype, Py_ssize_t itemsize):
    """`x` in a dtype. Python's numbers, alone or in lists, go there directly, not by way of the default dtype."""
    cdef Strided out
    if (type(x) is float or type(x) is int) and (dtype == CYOPS_FLOAT32 or dtype == CYOPS_FLOAT64):
        out = empty("asarray", Strided, dtype, itemsize, 0, NULL)
        if dtype == CYOPS_FLOAT32:
            (<float *> out.v.data)[0] = <double> x
        else:
            (<double *> out.v.data)[0] = x
        return out
    if isinstance(x, (list, tuple, float, int)) and not is_text(dtype) and not holds_numpy_values(x):
        try:
            if dtype == CYOPS_BFLOAT16:
                return cast_to(from_buffer(numpy.array(x, numpy.float64), None), dtype)
            return from_buffer(numpy.array(x, dtype_object(dtype, itemsize)), None)
        except (TypeError, ValueError):
            pass                            # ragged, or no numbers: the general path words the error
    return cast_to_width(coerce(x), dtype, itemsize)


cdef Strided coerce_beside(object x, object other):
    """`x` as an operand beside `other`: Python's numbers in lists keep their digits beside a float64 tensor."""
    if isinstance(x, (list, tuple, float, int)) and isinstance(other, Strided) and (
            (<Strided> other).v.dtype == CYOPS_FLOAT64) and not holds_numpy_values(x):
        values = array_of_values(x)
        return coerce_as(x, CYOPS_FLOAT64, 8) if values.dtype.kind == "f" else from_buffer(values, None)
    return coerce(x)


cdef Strided operand(str op, object x):
    """`x` as an operand of `op`; what no tensor can be made of is refused in its name."""
    if isinstance(x, Strided):
        return <Strided> x
    try:
        return coerce(x)
    except (TypeError, ValueError, OverflowError) as error:
        raise in_name_of(op, error) from None


cdef Strided operand_beside(str op, object x, object other):
    """The same for an operand beside `other`."""
    if isinstance(x, Strided):
        return <Strided> x
    try:
        return coerce_beside(x, other)
    except (TypeError, ValueError, OverflowError) as error:
        raise in_name_of(op, error) from None


cdef object in_name_of(str op, object error):
    """A refusal of `asarray` as one of `op`; any other error, a caller's own, as it is."""
    text = str(error)
    return type(error)(op + text[len("asarray"):]) if text.startswith("asarray: ") else error


def asarray(x, dtype=None, *, copy=None):
    """Anything array-like as a Strided.

    x: a tensor, anything with the buffer protocol, a number or a nested list. A view where it can be; `copy=True`
    always copies, `copy=False` raises ValueError where a copy is needed (Array API standard, `asarray`).

    >>> import cyops
    >>> cyops.asarray([0.1], "float64").item()
    0.1
    """
    cdef Py_ssize_t itemsize = 0
    cdef int code = -1 if dtype is None else dtype_code("asarray", dtype, &itemsize)
    cdef Strided out
    if isinstance(x, numpy.generic):        # NumPy's numbers cannot be written: a copy, as of Python's
        if copy is False:
            raise ValueError(f"asarray: a {type(x).__name__} has no memory to share; allow the copy with copy=None")
        x = numpy.array(x)
    if copy is False:
        if not isinstance(x, Strided) and not PyObject_CheckBuffer(x) and not hasattr(x, "__array__"):
            raise ValueError(f"asarray: a {type(x).__name__} has no memory to share; allow the copy with copy=None")
        out = coerce(x) if isinstance(x, (Strided, bytes)) else from_buffer(
            x if PyObject_CheckBuffer(x) else numpy.asarray(x), False)
        if code >= 0 and (out.v.dtype != code or itemsize not in (0, out.v.itemsize)):
            raise ValueError(f"asarray: a change from dtype {out.dtype} to {dtype} needs a copy; allow it with "
                             "copy=None")
        return out
    if code < 0:
        out = coerce(x)
    elif itemsize == 0:                     # 'S' and 'U' name no width: the values say which
        out = from_buffer(numpy.asarray(coerce(x)).astype(dtype), None)
    else:
        out = coerce_as(x, code, itemsize)
    return fresh_copy(out) if copy else out


cdef object array_of_values(object x):
    """A number, a string or a nested list as a NumPy array: float32 for Python floats, int64 for ints."""
    cdef object values
    if hasattr(x, "toarray"):
        raise TypeError(f"asarray: a {type(x).__name__} keeps its elements in a way of its own; give its toarray()")
    check_depth(x)
    try:
        values = numpy.asarray(x)
    except ValueError as error:
        raise ValueError(f"asarray: nested lists must have equal lengths at every depth ({error})") from None
    except OverflowError:
        raise OverflowError(f"asarray: an integer does not fit in int64: {x!r}"[:200]) from None
    if values.dtype.kind in "fc" and not holds_numpy_values(x):
        return values.astype(numpy.complex64 if values.dtype.kind == "c" else numpy.float32)
    if values.dtype.kind == "O":
        if values.size > 0 and all([isinstance(value, int) for value in values.flat]):
            raise OverflowError(f"asarray: an integer does not fit in int64: {x!r}"[:200])
        raise TypeError(f"asarray: cannot make a tensor of {type(x).__name__} {x!r}"[:200])
    if values.dtype.kind == "i" and values.dtype != numpy.int64 and not holds_numpy_values(x):
        return values.astype(numpy.int64)
    return values


cdef bint holds_numpy_values(object x):
    """Whether the first leaf of a nested list has a dtype of its own, which counts as in an array."""
    return hasattr(first_leaf(x), "dtype")


cdef object first_leaf(object x):
    """What stands first in a nested list; ValueError where that is deeper than a tensor has axes.

    NumPy follows a list that holds itself 64 levels down, which takes for ever where the list holds itself twice. It
    goes no deeper than to the first number it finds, so only what stands first has to be looked at.
    """
    cdef int depth
    for depth in range(CYOPS_MAX_NDIM + 1):
        if not isinstance(x, (list, tuple)) and not is_other_sequence(x):
            return x
        try:
            x = PySequence_GetItem(x, 0)    # checked, which [0] is not in this file
        except Exception:                   # empty, or a mapping
            return x
    if isinstance(x, (list, tuple)) or is_other_sequence(x):
        raise ValueError(f"asarray: lists may be nested {CYOPS_MAX_NDIM} deep; this one goes deeper, or holds itself")
    return x


cdef bint is_other_sequence(object x):
    return PySequence_Check(x) and not (
        isinstance(x, (str, Strided)) or PyObject_CheckBuffer(x) or hasattr(x, "__array__"))


cdef int check_depth(object x) except -1:
    first_leaf(x)
    return 0
