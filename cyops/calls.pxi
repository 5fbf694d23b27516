# calls: the door of the elementwise ops, which Python's operators and the functions of elementwise.pyx share.
#
# It turns operands into views of one shape and one dtype, makes the output, calls C and tells the recorders. Python
# scalars are weak, as in NumPy 2: they take the dtype of the tensors beside them and need no tensor of their own.

cdef extern from "csrc/elementwise.h":
    enum: CYOPS_OP_COUNT, CYOPS_MAX_INPUTS
    ctypedef struct cyops_op_row:
        const char *name
        int inputs
        const char *parameters
        const char *domain
        const char *formula
        const char *doc
        const char *example_arguments
        const char *example_result
    const cyops_op_row *cyops_elementwise_ops

cdef enum:
    WITHOUT_GIL = 16384                     # elements from which releasing the GIL (45 ns) is lost in the work

cdef enum Domain:                           # see csrc/elementwise_ops.h
    ANY, NUMBER, SIGNED, FLOATING, PREDICATE, COMPARISON, LOGICAL, CHOICE

cdef enum Weakness:
    TENSOR, WEAK_BOOL, WEAK_INTEGER, WEAK_FLOAT

cdef struct Operand:
    cyops_view view                         # of the tensor, broadcast; or of `value`, without axes
    Weakness weakness
    char[8] value

cdef dict DOMAINS = {
    "ANY": ANY, "NUMBER": NUMBER, "SIGNED": SIGNED, "FLOATING": FLOATING, "PREDICATE": PREDICATE,
    "COMPARISON": COMPARISON, "LOGICAL": LOGICAL, "CHOICE": CHOICE,
}
cdef tuple OP_NAMES = tuple([cyops_elementwise_ops[op].name.decode() for op in range(CYOPS_OP_COUNT)])
cdef int[CYOPS_OP_COUNT] domain_of
cdef tuple INTEGER_RANGES = ((0, 1), *[
    (int(numpy.iinfo(dtype).min), int(numpy.iinfo(dtype).max)) for dtype in NUMERIC_DTYPES if dtype.kind in "iu"])


cdef int fill_domains() except -1:
    cdef int op
    for op in range(CYOPS_OP_COUNT):
        domain_of[op] = DOMAINS[cyops_elementwise_ops[op].domain.decode()]
    return 0


fill_domains()


def elementwise_rows():
    """The table of elementwise ops: (name, parameters, domain, formula, doc, example arguments, example result)."""
    cdef const cyops_op_row *row
    cdef list rows = []
    for op in range(CYOPS_OP_COUNT):
        row = &cyops_elementwise_ops[op]
        parameters = row.parameters.decode().strip("()").split(", ")
        rows.append((row.name.decode(), tuple(parameters), row.domain.decode(), row.formula.decode(), row.doc.decode(),
                     row.example_arguments.decode(), row.example_result.decode()))
    return tuple(rows)


# -- dtypes -----------------------------------------------------------------------------------------------------------
cdef int computing_dtype(int op, int dtype) except -1:
    """The dtype of the loop for operands of `dtype`; TypeError where the op's domain leaves it out."""
    cdef int domain = domain_of[op]
    if dtype >= CYOPS_BYTES:
        if domain != COMPARISON:
            raise TypeError(f"{OP_NAMES[op]}: strings can be compared, not computed with; convert them with astype")
        return dtype
    if domain == LOGICAL:
        return CYOPS_BOOL
    if dtype == CYOPS_FLOAT16:
        return CYOPS_FLOAT32
    if dtype == CYOPS_BOOL and domain == SIGNED:
        raise TypeError(f"{OP_NAMES[op]}: bools have no sign; use logical_not, not_equal, or astype to an integer")
    if dtype == CYOPS_BOOL and domain == NUMBER:
        return CYOPS_INT8
    if dtype < CYOPS_FLOAT16 and (domain == FLOATING or domain == PREDICATE):
        return CYOPS_FLOAT32
    return dtype


cdef int output_dtype(int op, int dtype, int computing) noexcept:
    cdef int domain = domain_of[op]
    if domain == COMPARISON or domain == LOGICAL or domain == PREDICATE:
        return CYOPS_BOOL
    return CYOPS_FLOAT16 if dtype == CYOPS_FLOAT16 else computing


cdef int common_dtype(int op, int count, const Operand *operands, list values) except -1:
    """What the operands promote to: tensors by the table, then weak scalars, which change the kind at most."""
    cdef int dtype = -1
    cdef int weakest = TENSOR
    cdef int i
    cdef int first = 1 if domain_of[op] == CHOICE else 0
    for i in range(first, count):
        if operands[i].weakness != TENSOR:
            weakest = max(weakest, operands[i].weakness)
        elif dtype < 0:
            dtype = operands[i].view.dtype
        elif dtype != operands[i].view.dtype:
            dtype = promote_operands(op, dtype, operands[i].view.dtype)
    if dtype >= CYOPS_BYTES and weakest != TENSOR:
        raise TypeError(f"{OP_NAMES[op]}: dtypes string and numeric do not combine; convert one with astype")
    if weakest == WEAK_FLOAT and dtype < CYOPS_FLOAT16:
        return CYOPS_FLOAT32
    if weakest == WEAK_INTEGER and dtype <= CYOPS_BOOL:
        return CYOPS_INT64
    if domain_of[op] == COMPARISON and CYOPS_BOOL < dtype < CYOPS_FLOAT16:
        for i in range(count):
            if operands[i].weakness == WEAK_INTEGER and not fits(values[i], dtype):
                values[i] = float("inf") if values[i] > 0 else -float("inf")
                return CYOPS_FLOAT64        # it compares as infinity does
    return CYOPS_BOOL if dtype < 0 else dtype


cdef int promote_operands(int op, int a, int b) except -1:
    try:
        return promote(a, b)
    except TypeError as error:
        raise TypeError(f"{OP_NAMES[op]}: {error}") from None


cdef bint fits(object value, int dtype):
    """Whether a Python integer is in the range of an integer dtype."""
    return INTEGER_RANGES[dtype][0] <= value <= INTEGER_RANGES[dtype][1]


cdef int set_value(int op, Operand *operand, object value, int dtype) except -1:
    """Stores a Python scalar as an element of `dtype` and points the operand's view at it."""
    cdef cyops_view *v = &operand.view
    v.data = operand.value
    v.size = 1
    v.dtype = dtype
    v.itemsize = ITEMSIZES[dtype]
    if dtype == CYOPS_FLOAT32:
        (<float *> v.data)[0] = real_value(value)
    elif dtype == CYOPS_FLOAT64:
        (<double *> v.data)[0] = real_value(value)
    elif dtype == CYOPS_BOOL:
        v.data[0] = value != 0
    elif not fits(value, dtype):
        raise OverflowError(f"{OP_NAMES[op]}: the integer {value} does not fit in {dtype_object(dtype, 0)}")
    elif dtype == CYOPS_UINT64:
        (<unsigned long long *> v.data)[0] = value
    else:
        (<long long *> v.data)[0] = value   # little end first: the low bytes are the number in a narrower dtype
    return 0


cdef double real_value(object value) except? -1:
    try:
        return value
    except OverflowError:
        return float("inf") if value > 0 else -float("inf")


# -- shapes and outputs -----------------------------------------------------------------------------------------------
cdef inline bint same_shape(const cyops_view *a, const cyops_view *b) noexcept:
    cdef int i
    if a.ndim != b.ndim:
        return False
    for i in range(a.ndim):
        if a.shape[i] != b.shape[i]:
            return False
    return True


cdef bint is_same_view(const cyops_view *a, const cyops_view *b) noexcept:
    cdef int i
    if a.data != b.data or a.itemsize != b.itemsize or not same_shape(a, b):
        return False
    for i in range(a.ndim):
        if a.strides[i] != b.strides[i]:
            return False
    return True


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


cdef Strided new_output(type cls, int dtype, int count, list tensors, const cyops_view *shaped):
    """A fresh output, in the memory order of the first operand that has its shape, else in C order."""
    cdef int i
    for i in range(count):
        if tensors[i] is not None and same_shape(shaped, &(<Strided> tensors[i]).v):
            return empty_like(cls, dtype, ITEMSIZES[dtype], <Strided> tensors[i])
    return empty(cls, dtype, ITEMSIZES[dtype], shaped.ndim, shaped.shape)


cdef bint can_hold(int to, int dtype) noexcept:
    """Whether out= of dtype `to` may take results of `dtype`: not where the kind would be lost (NumPy's same_kind)."""
    if is_floating(to) or to == dtype:
        return True
    if to == CYOPS_BOOL or is_floating(dtype):
        return False
    return dtype == CYOPS_BOOL or is_unsigned(dtype) or not is_unsigned(to)


cdef int check_output(int op, Strided out, int dtype, const cyops_view *shaped) except -1:
    if not same_shape(&out.v, shaped):
        raise ValueError(f"{OP_NAMES[op]}: out must have the shape of the result; got out {shape_of(out)}, "
                         f"result {view_shape(shaped)}")
    if out.v.dtype >= CYOPS_BYTES or not can_hold(out.v.dtype, dtype):
        raise TypeError(f"{OP_NAMES[op]}: out of dtype {out.dtype} cannot hold a result of dtype "
                        f"{dtype_object(dtype, 0)}; cast the result with astype")
    return 0


# -- the call ---------------------------------------------------------------------------------------------------------
cdef object binary(int op, object a, object b, Strided out):
    """a op b, for operators too: NotImplemented where an operand is nothing an op takes."""
    cdef const cyops_view *inputs[2]
    cdef Strided x
    cdef Strided result
    if out is None and isinstance(a, Strided) and isinstance(b, Strided):
        x = <Strided> a
        if x.v.dtype == (<Strided> b).v.dtype and x.v.dtype >= CYOPS_FLOAT32 and x.v.dtype <= CYOPS_FLOAT64 and (
                domain_of[op] != LOGICAL and same_shape(&x.v, &(<Strided> b).v)):
            result = same_shape_result(op, result_class(a, b), x)
            inputs[0] = &x.v
            inputs[1] = &(<Strided> b).v
            run(op, &result.v, inputs)
            if recording():
                record(OP_NAMES[op], (a, b), result, None)
            return result
    if not is_operand(a) or not is_operand(b):
        return NotImplemented
    return call(op, 2, [a, b], out)


cdef object unary(int op, object x, Strided out):
    cdef const cyops_view *inputs[1]
    cdef Strided result
    if out is None and isinstance(x, Strided) and domain_of[op] != LOGICAL and (
            CYOPS_FLOAT32 <= (<Strided> x).v.dtype <= CYOPS_FLOAT64):
        result = same_shape_result(op, result_class(x, x), <Strided> x)
        inputs[0] = &(<Strided> x).v
        run(op, &result.v, inputs)
        if recording():
            record(OP_NAMES[op], (x,), result, None)
        return result
    if not is_operand(x):
        return NotImplemented
    return call(op, 1, [x], out)


cdef object ternary(int op, object a, object b, object c, Strided out):
    if not is_operand(a) or not is_operand(b) or not is_operand(c):
        return NotImplemented
    return call(op, 3, [a, b, c], out)


cdef inline Strided same_shape_result(int op, type cls, Strided x):
    cdef int dtype = output_dtype(op, x.v.dtype, x.v.dtype)
    return empty_like(cls, dtype, ITEMSIZES[dtype], x)


cdef inline int run(int op, const cyops_view *out, const cyops_view **inputs) except -1:
    cdef int status
    if out.size < WITHOUT_GIL:
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
    for i in range(count):
        operands[i].view.ndim = 0
        operands[i].weakness = weakness_of(values[i])
        if operands[i].weakness == TENSOR:
            tensors[i] = coerce(values[i])
            operands[i].view = (<Strided> tensors[i]).v
            if cls is Strided:
                cls = result_class(tensors[i], None)
    dtype = common_dtype(op, count, operands, values)
    computing = computing_dtype(op, dtype)
    result_dtype = output_dtype(op, dtype, computing)
    common_shape(op, count, operands, &shaped)
    if out is None:
        result = new_output(cls, result_dtype, count, tensors, &shaped)
    else:
        check_output(op, out, result_dtype, &shaped)
        result = out
    compute(op, count, operands, values, tensors, computing, result_dtype, result, out is not None)
    if recording():
        record(OP_NAMES[op], record_inputs(count, operands, tensors), result, None)
    return result


cdef int compute(int op, int count, Operand *operands, list values, list tensors, int computing, int result_dtype,
                 Strided result, bint is_given) except -1:
    """Converts and broadcasts the operands and runs the loop into `result`, or into a tensor of the loop's dtype."""
    cdef const cyops_view *inputs[CYOPS_MAX_INPUTS]
    cdef list held = list(tensors)          # what the views point into
    cdef Strided target = result
    cdef Strided x
    cdef int i, wanted
    for i in range(count):
        wanted = CYOPS_BOOL if i == 0 and domain_of[op] == CHOICE else computing
        if tensors[i] is None:
            set_value(op, &operands[i], values[i], wanted)
        else:
            x = cast_to(<Strided> tensors[i], wanted)
            if is_given and overlaps(&x.v, &result.v) and not is_same_view(&x.v, &result.v):
                x = private_copy(x)
            held[i] = x
            operands[i].view = x.v
    if is_given:
        begin_write(OP_NAMES[op], result)
    wanted = computing if result_dtype == CYOPS_FLOAT16 else result_dtype
    if wanted != result.v.dtype:
        target = empty_like(Strided, wanted, ITEMSIZES[wanted], result)
    for i in range(count):
        broadcast_in_place(&operands[i].view, &target.v)
        inputs[i] = &operands[i].view
    run(op, &target.v, inputs)
    if target is not result:
        check(OP_NAMES[op], cyops_functions.cast(&result.v, &target.v))
    return 0


cdef Strided private_copy(Strided x):
    cdef Strided out = empty_like(Strided, x.v.dtype, x.v.itemsize, x)
    check("copy", cyops_functions.cast(&out.v, &x.v))
    return out


cdef void broadcast_in_place(cyops_view *x, const cyops_view *shaped) noexcept:
    cdef cyops_view source
    if not same_shape(x, shaped):
        source = x[0]
        broadcast_view(&source, shaped.ndim, shaped.shape, x)


cdef tuple record_inputs(int count, const Operand *operands, list tensors):
    """The operands as a record keeps them: a weak scalar as a tensor of shape ()."""
    cdef list inputs = list(tensors)
    cdef Strided scalar
    cdef int i
    for i in range(count):
        if inputs[i] is None:
            scalar = empty(Strided, operands[i].view.dtype, operands[i].view.itemsize, 0, NULL)
            memcpy(scalar.v.data, operands[i].value, scalar.v.itemsize)
            inputs[i] = scalar
    return tuple(inputs)
