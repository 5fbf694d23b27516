# operands: the table of elementwise ops in Cython, and the dtypes that operands, Python numbers among them, compute in.

cdef extern from "csrc/elementwise/elementwise.h":
    ctypedef struct cyops_op_row:
        const char *name
        int inputs
        const char *parameters
        const char *domain
        double ulps[4]
        const char *formula
        const char *doc
        const char *example_arguments
        const char *example_result
    const cyops_op_row *cyops_elementwise_ops

cdef enum Domain:                           # see csrc/elementwise/ops.h
    ANY, NUMBER, SIGNED, FLOATING, PREDICATE, COMPARISON, LOGICAL, CHOICE

cdef enum Weakness:
    TENSOR, WEAK_BOOL, WEAK_INTEGER, WEAK_FLOAT

cdef struct Operand:
    cyops_view view                         # of the tensor, broadcast; or of `value`, without axes
    Weakness weakness
    double value[2]                         # of any dtype; doubles because that aligns it for all, two for complex128

cdef dict DOMAINS = {
    "ANY": ANY, "NUMBER": NUMBER, "SIGNED": SIGNED, "FLOATING": FLOATING, "PREDICATE": PREDICATE,
    "COMPARISON": COMPARISON, "LOGICAL": LOGICAL, "CHOICE": CHOICE,
}
# NumPy's functions for the ops that are defined for complex numbers too.
cdef dict COMPLEX_UFUNCS = {
    "add": numpy.add, "subtract": numpy.subtract, "multiply": numpy.multiply, "divide": numpy.divide,
    "pow": numpy.power, "negative": numpy.negative, "square": numpy.square, "sqrt": numpy.sqrt,
    "reciprocal": numpy.reciprocal, "abs": numpy.abs, "sign": numpy.sign, "exp": numpy.exp, "expm1": numpy.expm1,
    "log": numpy.log, "log1p": numpy.log1p, "sin": numpy.sin, "cos": numpy.cos, "tan": numpy.tan,
    "sinh": numpy.sinh, "cosh": numpy.cosh, "tanh": numpy.tanh, "asin": numpy.asin, "acos": numpy.acos,
    "atan": numpy.atan, "asinh": numpy.asinh, "acosh": numpy.acosh, "atanh": numpy.atanh, "round": numpy.rint,
    "isnan": numpy.isnan, "isinf": numpy.isinf, "isfinite": numpy.isfinite, "where": numpy.where,
}
cdef tuple OP_NAMES = tuple([cyops_elementwise_ops[op].name.decode() for op in range(CYOPS_OP_COUNT)])
cdef int[CYOPS_OP_COUNT] domain_of
cdef bint[CYOPS_OP_COUNT][CYOPS_DTYPE_COUNT] computes_in_itself
cdef list INTEGER_RANGES = [None] * CYOPS_DTYPE_COUNT            # (smallest, largest) by code
INTEGER_RANGES[CYOPS_BOOL] = (0, 1)
for code in NUMERIC_CODES:
    if is_integer(code):
        INTEGER_RANGES[code] = (int(numpy.iinfo(DTYPE_OBJECTS[code]).min), int(numpy.iinfo(DTYPE_OBJECTS[code]).max))
del code


cdef int fill_domains() except -1:
    cdef int op, dtype
    for op in range(CYOPS_OP_COUNT):
        domain_of[op] = DOMAINS[cyops_elementwise_ops[op].domain.decode()]
        for dtype in range(<int> CYOPS_DTYPE_COUNT):
            computes_in_itself[op][dtype] = has_loop(op, dtype)
    return 0


cdef bint has_loop(int op, int dtype) noexcept:
    """Whether the op computes operands of `dtype` in that dtype; not of one that it refuses."""
    cdef int domain = domain_of[op]
    if is_text(dtype) or is_complex(dtype):
        return False
    if domain == LOGICAL or computing_dtype(dtype) != dtype:
        return domain == LOGICAL and dtype == CYOPS_BOOL
    if dtype == CYOPS_BOOL:
        return domain == ANY or domain == COMPARISON or domain == CHOICE
    return is_floating(dtype) or domain != FLOATING and domain != PREDICATE


fill_domains()


def elementwise_rows():
    """The table of elementwise ops: (name, parameters, domain, formula, doc, example arguments, example result,
    error bounds in ULP as in csrc/elementwise/ops.h)."""
    cdef const cyops_op_row *row
    cdef list rows = []
    for op in range(CYOPS_OP_COUNT):
        row = &cyops_elementwise_ops[op]
        parameters = row.parameters.decode().strip("()").split(", ")
        rows.append((row.name.decode(), tuple(parameters), row.domain.decode(), row.formula.decode(), row.doc.decode(),
                     row.example_arguments.decode(), row.example_result.decode(),
                     (row.ulps[0], row.ulps[1], row.ulps[2], row.ulps[3])))
    return tuple(rows)


# -- dtypes -----------------------------------------------------------------------------------------------------------
cdef int loop_dtype(int op, int dtype) except -1:
    """The dtype of the loop for operands of `dtype`; TypeError where the op's domain leaves it out."""
    cdef int domain = domain_of[op]
    if is_text(dtype):
        if domain != COMPARISON:
            raise TypeError(f"{OP_NAMES[op]}: strings can be compared, not computed with; convert them with astype")
        return dtype
    if is_complex(dtype) and op != CYOPS_OP_equal and op != CYOPS_OP_not_equal:
        require_real(OP_NAMES[op], dtype, 0)
    if domain == LOGICAL:
        return CYOPS_BOOL
    if dtype == CYOPS_BOOL and domain == SIGNED:
        raise TypeError(f"{OP_NAMES[op]}: bools have no sign; use logical_not, not_equal, or astype to an integer")
    if dtype == CYOPS_BOOL and domain == NUMBER:
        return CYOPS_INT8
    if not is_floating(dtype) and (domain == FLOATING or domain == PREDICATE):
        return CYOPS_FLOAT32
    return computing_dtype(dtype)


cdef int output_dtype(int op, int dtype, int computing) noexcept:
    cdef int domain = domain_of[op]
    if domain == COMPARISON or domain == LOGICAL or domain == PREDICATE:
        return CYOPS_BOOL
    return dtype if is_floating(dtype) else computing


cdef int common_dtype(int op, int count, const Operand *operands, list values) except -1:
    """What the operands promote to: tensors by the table, then weak scalars, which change the kind at most."""
    cdef int dtype = -1
    cdef int weakest = TENSOR
    cdef int i
    cdef int first = 1 if domain_of[op] == CHOICE else 0
    for i in range(first, count):
        if operands[i].weakness != TENSOR:
            weakest = max(weakest, <int> operands[i].weakness)
        elif dtype < 0:
            dtype = operands[i].view.dtype
        elif dtype != operands[i].view.dtype:
            dtype = promote_operands(op, dtype, operands[i].view.dtype)
    if dtype < 0:
        return (CYOPS_BOOL, CYOPS_BOOL, CYOPS_INT64, CYOPS_FLOAT32)[weakest]
    if is_text(dtype) and weakest != TENSOR:
        raise TypeError(f"{OP_NAMES[op]}: dtypes string and numeric do not combine; convert one with astype")
    if weakest == WEAK_FLOAT and not is_floating(dtype) and not is_complex(dtype):
        return CYOPS_FLOAT32
    if weakest == WEAK_INTEGER and dtype == CYOPS_BOOL:
        return CYOPS_INT64
    if domain_of[op] == COMPARISON and is_integer(dtype):
        for i in range(count):
            if operands[i].weakness == WEAK_INTEGER and not fits(values[i], dtype):
                values[i] = float("inf") if values[i] > 0 else -float("inf")
                return CYOPS_FLOAT64        # it compares as infinity does
    return dtype


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
    v.data = <char *> &operand.value[0]
    v.size = 1
    v.dtype = dtype
    v.itemsize = itemsize_of(dtype)
    if dtype == CYOPS_FLOAT32:
        (<float *> v.data)[0] = real_value(value)
    elif dtype == CYOPS_FLOAT64:
        (<double *> v.data)[0] = real_value(value)
    elif dtype == CYOPS_COMPLEX64:
        (<float *> v.data)[0] = real_value(value)
        (<float *> v.data)[1] = 0
    elif dtype == CYOPS_COMPLEX128:
        (<double *> v.data)[0] = real_value(value)
        (<double *> v.data)[1] = 0
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
