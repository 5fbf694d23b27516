# operators: what Python's operators need beyond the elementwise calls.

cdef object matmul_function = None          # set by contract.pyx, which knows the shape rules


def set_matmul(function):
    """Names the function behind the operator `@`."""
    global matmul_function
    matmul_function = function


cdef bint is_operand(object x):
    """What an operator takes beside a tensor; everything else may have a reflected operator of its own, as what sets
    `__array_ufunc__ = None` says of itself (NumPy enhancement proposal 13)."""
    return (isinstance(x, (Strided, float, int, complex, list, tuple)) or PyObject_CheckBuffer(x)
            or (hasattr(x, "__array__") and getattr(x, "__array_ufunc__", x) is not None))


cdef object text_operand(object x, object other):
    """A Python string beside a tensor of strings, as a tensor of its kind; anything else as it is."""
    if type(x) is str and isinstance(other, Strided) and (<Strided> other).v.dtype == CYOPS_STR:
        return coerce(x)
    if type(x) is bytes and isinstance(other, Strided) and (<Strided> other).v.dtype == CYOPS_BYTES:
        return from_buffer(numpy.asarray(x if x else b"\0"), None)
    return x


cdef object matrix_product(object a, object b):
    if not is_operand(a) or not is_operand(b):
        return NotImplemented
    return matmul_function(a, b)


cdef object power(object a, object b, object modulo):
    if modulo is not None:
        return NotImplemented
    if isinstance(a, Strided) and (type(b) is int or type(b) is float) and b == 2:
        return unary(CYOPS_OP_square, a, None)
    return binary(CYOPS_OP_pow, a, b, None)


cdef object unary_copy(Strided x):
    cdef Strided out = fresh_copy(x)
    if recording():
        record("copy", (x,), out, None)
    return out


cdef object quotient_and_rest(object a, object b):
    if not is_operand(a) or not is_operand(b):
        return NotImplemented
    return binary(CYOPS_OP_floor_divide, a, b, None), binary(CYOPS_OP_remainder, a, b, None)


cdef object rounded(Strided x, object ndigits):
    """`round(x, ndigits)`: halves to the even; digits after the point, or negative ones before it; the dtype stays."""
    if ndigits is not None and not hasattr(ndigits, "__index__"):
        raise TypeError(f"round: ndigits must be an integer; got {ndigits!r}")
    if not ndigits or (ndigits > 0 and not is_floating(x.v.dtype)):
        return unary(CYOPS_OP_round, x, None)
    if is_floating(x.v.dtype):
        there, back = CYOPS_OP_multiply, CYOPS_OP_divide
        if ndigits < 0:
            there, back = back, there
        scale = 10.0 ** abs(ndigits)
        return binary(back, unary(CYOPS_OP_round, binary(there, x, scale, None), None), scale, None)
    return alias(result_class(x, x), coerce_as(numpy.round(numpy.asarray(x), ndigits), x.v.dtype, x.v.itemsize))


cdef object invert(Strided x):
    if is_integer(x.v.dtype):
        return alias(result_class(x, x), coerce(numpy.asarray(numpy.invert(numpy.asarray(x)))))
    if x.v.dtype != CYOPS_BOOL:
        raise TypeError(f"invert: ~ is for bool and integer tensors; got dtype {x.dtype}")
    return unary(CYOPS_OP_logical_not, x, None)


cdef object logical(str name, int op, object a, object b):
    for operand in (a, b):
        if isinstance(operand, Strided) and (<Strided> operand).v.dtype != CYOPS_BOOL:
            return bitwise(name, a, b)
    return binary(op, a, b, None)


cdef dict BITWISE = {"and": numpy.bitwise_and, "or": numpy.bitwise_or, "xor": numpy.bitwise_xor,
                     "left_shift": numpy.left_shift, "right_shift": numpy.right_shift}


cdef object bitwise(str name, object a, object b):
    """The operators on bits, which NumPy computes on the same memory. TypeError for what has no bits."""
    cdef list arrays = []
    if not is_operand(a) or not is_operand(b):
        return NotImplemented
    for given in (a, b):
        given = given if type(given) is int or type(given) is bool else numpy.asarray(coerce(given))
        kind = "i" if type(given) is int else "b" if type(given) is bool else given.dtype.kind
        if kind not in "biu":
            raise TypeError(f"{name}: the operator is for bool and integer tensors; got dtype {given.dtype}")
        arrays.append(given)
    result = BITWISE[name](*arrays)
    return alias(result_class(a, b), coerce(numpy.asarray(result)))


cdef object in_place(int op, Strided x, object other):
    """`x op= other`: a new tensor where a tape tracks or holds `x`, else written into x's own memory."""
    if recording() and (x.trainable or x.base.holds > 0):
        return binary(op, x, other, None)
    return binary(op, x, other, x)


cdef object put(str op, Strided x, object result):
    """The result of `x op= other`, which was computed: as `in_place`."""
    if recording() and (x.trainable or x.base.holds > 0):
        return result
    return write_result(op, <Strided?> result, x)
