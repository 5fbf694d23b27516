# calls: the door of the elementwise ops, which Python's operators and the functions of elementwise.pyx share.
#
# It turns operands into views of one shape and one dtype, makes the output, calls C and tells the recorders. Python
# scalars are weak, as in NumPy 2: they take the dtype of the tensors beside them and need no tensor of their own.

include "operands.pxi"

# -- shapes and outputs -----------------------------------------------------------------------------------------------
cdef bint is_same_view(const cyops_view *a, const cyops_view *b) noexcept:
    cdef int i
    if a.data != b.data or a.itemsize != b.itemsize or not same_shape(a, b):
        return False
    for i in range(a.ndim):
        if a.strides[i] != b.strides[i]:
            return False
    return True


cdef bint overlaps_otherwise(const cyops_view *out, const cyops_view *x) noexcept:
    """Whether writing `out` element by element would change an `x` that is still to be read."""
    return overlaps(out, x) and not is_same_view(out, x)


cdef int common_shape(int op, int count, const Operand *operands, cyops_view *shaped) except -1:
    """The shape the operands broadcast to, into `shaped`, of which nothing else is set."""
    cdef Py_ssize_t[CYOPS_MAX_NDIM] shape
    cdef int i
    shaped.ndim = 0
    for i in range(count):
        if operands[i].weakness == TENSOR and not same_shape(shaped, &operands[i].view):
            shaped.ndim = broadcast_shapes(OP_NAMES[op], shaped, &operands[i].view, shape)
            memcpy(shaped.shape, shape, shaped.ndim * sizeof(Py_ssize_t))
    return 0


cdef Strided new_output(int op, type cls, int dtype, int count, list tensors, const cyops_view *shaped):
    """A fresh output, in the memory order of the first operand that has its shape, else in C order."""
    cdef int i
    for i in range(count):
        if tensors[i] is not None and same_shape(shaped, &(<Strided> tensors[i]).v):
            return empty_like(OP_NAMES[op], cls, dtype, itemsize_of(dtype), <Strided> tensors[i])
    return empty(OP_NAMES[op], cls, dtype, itemsize_of(dtype), shaped.ndim, shaped.shape)


cdef Strided checked_out(str op, object out, int ndim, const Py_ssize_t *shape, int dtype):
    """The one rule for out=: a tensor of the result's shape whose dtype can hold the result's (NumPy's same_kind)."""
    cdef Strided given
    cdef int i
    if not isinstance(out, Strided):
        raise TypeError(f"{op}: out must be a tensor; got {type(out).__name__}")
    given = <Strided> out
    for i in range(ndim if given.v.ndim == ndim else 1):
        if given.v.ndim != ndim or given.v.shape[i] != shape[i]:
            raise ValueError(f"{op}: out must have the shape of the result; got out {shape_of(given)}, "
                             f"result {tuple_of(shape, ndim)}")
    if not can_hold(given.v.dtype, dtype):
        raise TypeError(f"{op}: out of dtype {given.dtype} cannot hold a result of dtype {dtype_object(dtype, 0)}; "
                        "cast the result with astype")
    return given


cdef Strided write_result(str op, Strided result, object out):
    """`result` itself, or copied into `out`, whatever of it `out` overlaps."""
    cdef Strided given
    if out is None:
        return result
    given = checked_out(op, out, result.v.ndim, result.v.shape, result.v.dtype)
    begin_write(op, given)
    check(op, cyops_functions.cast(&given.v, &result.v))
    return given


# -- the call ---------------------------------------------------------------------------------------------------------
# Most calls are of operands of one dtype, which is the loop's, the last ones perhaps Python numbers. They take a short
# way that makes no Python object but the result; everything else goes through `call`.

cdef inline bint is_weak(int op, object value, int dtype):
    """Whether a Python number takes the dtype of a tensor beside it, which computes in itself."""
    if type(value) is float:
        return is_floating(dtype)
    return type(value) is int and dtype != CYOPS_BOOL and (
        is_floating(dtype) or domain_of[op] != COMPARISON or fits(value, dtype))


cdef object binary(int op, object a, object b, Strided out):
    """a op b, for operators too: NotImplemented where an operand is nothing an op takes."""
    cdef Operand scalar
    cdef const cyops_view *v
    if isinstance(a, Strided) and computes_in_itself[op][(<Strided> a).v.dtype]:
        v = &(<Strided> a).v
        if isinstance(b, Strided):
            if (<Strided> b).v.dtype == v.dtype:
                return short_binary(op, a, b, v, &(<Strided> b).v, out)
        elif is_weak(op, b, v.dtype):
            scalar.view.ndim = 0
            set_value(op, &scalar, b, v.dtype)
            return short_binary(op, a, b, v, &scalar.view, out)
    elif isinstance(b, Strided) and computes_in_itself[op][(<Strided> b).v.dtype] and is_weak(
            op, a, (<Strided> b).v.dtype):
        scalar.view.ndim = 0
        set_value(op, &scalar, a, (<Strided> b).v.dtype)
        return short_binary(op, a, b, &scalar.view, &(<Strided> b).v, out)
    a, b = text_operand(a, b), text_operand(b, a)
    if not is_operand(a) or not is_operand(b):
        return NotImplemented
    return call(op, 2, [a, b], out)


cdef object short_binary(int op, object a, object b, const cyops_view *v, const cyops_view *w, Strided out):
    """The operands with their views, of which one may be a number's, without axes."""
    cdef const cyops_view *inputs[2]
    cdef cyops_view left, right, shaped
    cdef int dtype = output_dtype(op, v.dtype, v.dtype)
    cdef Strided result = out
    inputs[0] = v
    inputs[1] = w
    if w.ndim == 0 or same_shape(v, w):
        shaped.ndim = v.ndim
        memcpy(shaped.shape, v.shape, v.ndim * sizeof(Py_ssize_t))
    else:
        shaped.ndim = broadcast_shapes(OP_NAMES[op], v, w, shaped.shape)
    if out is not None:
        if out.v.dtype != dtype or not same_shape(&out.v, &shaped) or (
                overlaps_otherwise(&out.v, v) or overlaps_otherwise(&out.v, w)):
            return call(op, 2, [a, b], out)
        begin_write(OP_NAMES[op], out)
    elif isinstance(a, Strided) and same_shape(v, &shaped):
        result = empty_like(OP_NAMES[op], result_class(a, b), dtype, itemsize_of(dtype), <Strided> a)
    elif isinstance(b, Strided) and same_shape(w, &shaped):
        result = empty_like(OP_NAMES[op], result_class(a, b), dtype, itemsize_of(dtype), <Strided> b)
    else:
        result = empty(OP_NAMES[op], result_class(a, b), dtype, itemsize_of(dtype), shaped.ndim, shaped.shape)
    if not same_shape(v, &shaped):
        broadcast_view(v, shaped.ndim, shaped.shape, &left)
        inputs[0] = &left
    if not same_shape(w, &shaped):
        broadcast_view(w, shaped.ndim, shaped.shape, &right)
        inputs[1] = &right
    run(op, &result.v, inputs, w.ndim == 0)
    if recording():
        record_operands(op, (recorded(a, v), recorded(b, w)), result)
    return result


cdef object unary(int op, object x, Strided out):
    cdef const cyops_view *inputs[1]
    cdef Strided result
    cdef int dtype
    if out is None and isinstance(x, Strided) and computes_in_itself[op][(<Strided> x).v.dtype]:
        inputs[0] = &(<Strided> x).v
        dtype = output_dtype(op, inputs[0].dtype, inputs[0].dtype)
        result = empty_like(OP_NAMES[op], result_class(x, x), dtype, itemsize_of(dtype), <Strided> x)
        run(op, &result.v, inputs)
        if recording():
            record(OP_NAMES[op], (x,), result, None)
        return result
    if not is_operand(x):
        return NotImplemented
    return call(op, 1, [x], out)


cdef object ternary(int op, object a, object b, object c, Strided out):
    cdef Strided result = short_ternary(op, <Strided> a, b, c) if out is None and isinstance(a, Strided) else None
    if result is not None:
        return result
    if not is_operand(a) or not is_operand(b) or not is_operand(c):
        return NotImplemented
    return call(op, 3, [a, b, c], out)


cdef Strided short_ternary(int op, Strided a, object b, object c):
    """The result where the tensors have one shape and, but for a condition, one dtype; None where `call` is needed."""
    cdef Operand scalars[2]
    cdef const cyops_view *inputs[3]
    cdef Strided x = a
    cdef Strided result
    cdef type cls
    if domain_of[op] == CHOICE:
        x = <Strided> b if isinstance(b, Strided) else <Strided> c if isinstance(c, Strided) else None
        if x is None or a.v.dtype != CYOPS_BOOL or not same_shape(&a.v, &x.v):
            return None
    if not computes_in_itself[op][x.v.dtype]:
        return None
    inputs[0] = &a.v
    inputs[1] = short_operand(op, b, x, &scalars[0])
    inputs[2] = short_operand(op, c, x, &scalars[1])
    if inputs[1] == NULL or inputs[2] == NULL:
        return None
    cls = result_class(a, b)
    result = empty_like(OP_NAMES[op], cls if cls is not Strided else result_class(c, None), x.v.dtype, x.v.itemsize, a)
    run(op, &result.v, inputs)
    if recording():
        record_operands(op, (a, recorded(b, inputs[1]), recorded(c, inputs[2])), result)
    return result


cdef const cyops_view *short_operand(int op, object value, Strided x, Operand *scalar) except? NULL:
    """The view of an operand in the dtype and shape of `x`, of a Python number's in `scalar`; NULL of any other."""
    if isinstance(value, Strided):
        return &(<Strided> value).v if (<Strided> value).v.dtype == x.v.dtype and same_shape(
            &(<Strided> value).v, &x.v) else NULL
    if not is_weak(op, value, x.v.dtype):
        return NULL
    scalar.view.ndim = 0
    set_value(op, scalar, value, x.v.dtype)
    broadcast_in_place(&scalar.view, &x.v)
    return &scalar.view


cdef inline int run(int op, const cyops_view *out, const cyops_view **inputs, bint by_number=False) except -1:
    """`by_number`: the last operand has shape (), not merely strides 0; some powers then have loops of their own."""
    cdef int status
    if op == CYOPS_OP_pow and by_number:
        with nogil:
            status = cyops_functions.power(out, inputs)
    elif not is_long(1.2 * out.size):
        status = cyops_functions.elementwise(op, out, inputs)
    else:
        with nogil:
            status = cyops_functions.elementwise(op, out, inputs)
    return check(OP_NAMES[op], status)


cdef Weakness weakness_of(object value):
    """Python's own numbers are weak; NumPy's scalars count as arrays."""
    if type(value) is float:
        return WEAK_FLOAT
    if type(value) is int:
        return WEAK_INTEGER
    return WEAK_BOOL if type(value) is bool else TENSOR


cdef object call(int op, int count, list values, Strided out):
    """The general case: any operands, any out."""
    cdef Operand operands[CYOPS_MAX_INPUTS]
    cdef cyops_view shaped
    cdef list tensors = [None] * count
    cdef type cls = Strided
    cdef int i, dtype, computing, result_dtype
    cdef Strided result
    cdef object beside = None               # a tensor, for the dtype of lists of Python's numbers
    for value in values:
        if isinstance(value, Strided) and (<Strided> value).v.dtype == CYOPS_FLOAT64:
            beside = value
    for i in range(count):
        operands[i].view.ndim = 0
        operands[i].weakness = weakness_of(values[i])
        if operands[i].weakness == TENSOR:
            tensors[i] = operand_beside(OP_NAMES[op], values[i], beside)
            operands[i].view = (<Strided> tensors[i]).v
            if cls is Strided:
                cls = result_class(tensors[i], None)
    dtype = common_dtype(op, count, operands, values)
    if is_complex(dtype) and op != CYOPS_OP_equal and op != CYOPS_OP_not_equal and OP_NAMES[op] in COMPLEX_UFUNCS:
        return complex_result(op, cls, [given if tensors[i] is None else numpy.asarray(tensors[i])
                                        for i, given in enumerate(values)], out)
    computing = loop_dtype(op, dtype)
    result_dtype = output_dtype(op, dtype, computing)
    common_shape(op, count, operands, &shaped)
    if out is None:
        result = new_output(op, cls, result_dtype, count, tensors, &shaped)
    else:
        result = checked_out(OP_NAMES[op], out, shaped.ndim, shaped.shape, result_dtype)
    compute(op, count, operands, values, tensors, computing, result_dtype, result, out is not None)
    if recording():
        record_operands(op, tuple([recorded(tensors[i], &operands[i].view) for i in range(count)]), result)
    return result


cdef Strided complex_result(int op, type cls, list arrays, Strided out):
    """Complex numbers have no loops here: NumPy computes on the same memory, and no tape records it."""
    with numpy.errstate(all="ignore"):
        result = coerce(numpy.asarray(COMPLEX_UFUNCS[OP_NAMES[op]](*arrays)))
    return write_result(OP_NAMES[op], alias(cls, result), out)


cdef int compute(int op, int count, Operand *operands, list values, list tensors, int computing, int result_dtype,
                 Strided result, bint is_given) except -1:
    """Converts and broadcasts the operands and runs the loop into `result`, or into a tensor of the loop's dtype."""
    cdef const cyops_view *inputs[CYOPS_MAX_INPUTS]
    cdef list held = list(tensors)          # what the views point into
    cdef Strided target = result
    cdef Strided x
    cdef int i, wanted
    cdef bint by_number
    for i in range(count):
        wanted = CYOPS_BOOL if i == 0 and domain_of[op] == CHOICE else computing
        if tensors[i] is None:
            set_value(op, &operands[i], values[i], wanted)
        else:
            x = cast_to(<Strided> tensors[i], wanted)
            if is_given and overlaps_otherwise(&result.v, &x.v):
                x = fresh_copy(x)
            held[i] = x
            operands[i].view = x.v
    if is_given:
        begin_write(OP_NAMES[op], result)
    wanted = computing_dtype(result_dtype)
    if wanted != result.v.dtype:
        target = empty_like(OP_NAMES[op], Strided, wanted, itemsize_of(wanted), result)
    by_number = operands[count - 1].view.ndim == 0
    for i in range(count):
        broadcast_in_place(&operands[i].view, &target.v)
        inputs[i] = &operands[i].view
    run(op, &target.v, inputs, by_number)
    if target is not result:
        check(OP_NAMES[op], cyops_functions.cast(&result.v, &target.v))
    return 0


cdef void broadcast_in_place(cyops_view *x, const cyops_view *shaped) noexcept:
    cdef cyops_view source
    if not same_shape(x, shaped):
        source = x[0]
        broadcast_view(&source, shaped.ndim, shaped.shape, x)


cdef Strided recorded(object x, const cyops_view *v):
    """An operand as a record keeps it: a Python number as a tensor of shape ()."""
    cdef Strided scalar
    if isinstance(x, Strided):
        return <Strided> x
    scalar = empty("asarray", Strided, v.dtype, v.itemsize, 0, NULL)
    memcpy(scalar.v.data, v.data, v.itemsize)
    return scalar


cdef int record_operands(int op, tuple inputs, Strided result) except -1:
    """The gradient of a sum or difference asks for no value; that of any other op of several operands may."""
    if op == CYOPS_OP_add or op == CYOPS_OP_subtract:
        return record(OP_NAMES[op], inputs, result, None)
    return record_values(OP_NAMES[op], inputs, result, None)
