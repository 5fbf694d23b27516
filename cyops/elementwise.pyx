# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, binding=True
"""The elementwise functions: one callable for each row of csrc/elementwise/ops.h, and astype and copy.

The rows give the names, signatures, docstrings and examples; calls.pxi, inside cyops.strided, does the work. May be
imported by everything above cyops.strided.
"""
from cyops.ids cimport CYOPS_OP_clip, CYOPS_OP_maximum, CYOPS_OP_minimum
from cyops.strided cimport (
    Strided, alias, api, binary, check, coerce, cyops_api, dtype_code, empty_like, is_text, operand, record, recording,
    result_class, ternary, unary,
)

import numpy

from cyops.strided import elementwise_rows

DTYPES_OF_DOMAIN = {
    "ANY": "Any numeric dtype; the result has the promoted one.",
    "NUMBER": "Any numeric dtype, bools counting as int8; the result has the promoted one.",
    "SIGNED": "Any numeric dtype but bool; the result has the promoted one.",
    "FLOATING": "Floating dtypes; bools and integers are computed as float32. The result has the promoted dtype.",
    "PREDICATE": "Any numeric dtype. The result is bool.",
    "COMPARISON": "Any numeric dtype, or strings of one kind; out of range of the other's dtype, a Python integer "
                  "compares as it should. The result is bool.",
    "LOGICAL": "Any numeric dtype, nonzero counting as true. The result is bool.",
    "CHOICE": "A bool condition (nonzero counts as true) and any numeric dtype; the result has the promoted one.",
}


cdef tuple ROWS = elementwise_rows()
cdef tuple NAMES = tuple([row[0] for row in ROWS])


include "vectorcall.pxi"

cdef extern from "Python.h":
    PyObject *Py_None


cdef class Elementwise(Function):
    """An elementwise function: a row of the op table made callable, as NumPy's ufuncs are.

    Instances are made when cyops is imported; each pickles by name.

    >>> import cyops
    >>> cyops.add
    <elementwise function add(a, b)>
    """
    cdef int op
    cdef int inputs
    cdef readonly tuple parameters

    def __init__(self, int op, str name, tuple parameters, str doc):
        if name not in NAMES or NAMES.index(name) != op or len(parameters) != len(ROWS[op][1]):
            raise ValueError(f"{name}: not row {op} of the op table; use the functions of cyops")
        if self.vectorcall != NULL:
            raise TypeError(f"{self.name}: which function it is, is set once, when it is made")
        self.op = op
        self.name = name
        self.module = "cyops"
        self.parameters = parameters
        self.inputs = len(parameters)
        self.doc = doc
        self.vectorcall = call_elementwise

    def __repr__(self):
        return f"<elementwise function {self.name}({', '.join(self.parameters)})>"

    @property
    def __doc__(self):
        return self.doc

    @property
    def __signature__(self):
        from inspect import Parameter, Signature
        operands = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD,
                              default=None if self.op == CYOPS_OP_clip and name != "x" else Parameter.empty)
                    for name in self.parameters]
        return Signature([*operands, Parameter("out", Parameter.KEYWORD_ONLY, default=None)])


cdef object call_elementwise(object self, PyObject *const *args, size_t flagged, PyObject *names):
    cdef Elementwise function = <Elementwise> self
    cdef PyObject *operands[3]
    cdef PyObject *out = NULL
    cdef Strided target = None
    if names == NULL and PyVectorcall_NARGS(flagged) == function.inputs:
        operands[0] = args[0]
        operands[1] = args[1] if function.inputs > 1 else NULL
        operands[2] = args[2] if function.inputs > 2 else NULL
    else:
        bind(function, args, PyVectorcall_NARGS(flagged), names, operands, &out)
        if out != NULL and <object> out is not None:
            if not isinstance(<object> out, Strided):
                raise TypeError(f"{function.name}: out must be a tensor; got {type(<object> out).__name__}")
            target = <Strided> out
    if function.inputs == 2:
        result = binary(function.op, <object> operands[0], <object> operands[1], target)
    elif function.inputs == 1:
        result = unary(function.op, <object> operands[0], target)
    elif function.op == CYOPS_OP_clip and (operands[1] is Py_None or operands[2] is Py_None):
        result = clip_one_side(<object> operands[0], <object> operands[1], <object> operands[2], target)
    else:
        result = ternary(function.op, <object> operands[0], <object> operands[1], <object> operands[2], target)
    if result is NotImplemented:
        kinds = [type(<object> operands[i]).__name__ for i in range(function.inputs)]
        raise TypeError(f"{function.name}: needs tensors, arrays, numbers or lists; got {', '.join(kinds)}")
    return result


cdef object clip_one_side(object x, object least, object most, Strided out):
    """clip without a lower bound, an upper bound, or both: None stands for no bound."""
    if least is None and most is None:
        return copy(operand("clip", x)) if out is None else binary(CYOPS_OP_maximum, x, x, out)
    try:
        return binary(CYOPS_OP_maximum, x, least, out) if most is None else binary(CYOPS_OP_minimum, x, most, out)
    except (TypeError, ValueError, OverflowError) as error:
        raise type(error)("clip" + str(error).removeprefix("maximum").removeprefix("minimum")) from None


cdef int bind(Elementwise function, PyObject *const *args, Py_ssize_t count, PyObject *names, PyObject **operands,
              PyObject **out) except -1:
    """The operands in order and `out`, borrowed, from `count` positional arguments and those that `names` names."""
    cdef tuple keywords = <tuple> names if names != NULL else ()
    cdef bint is_wrong = count > function.inputs
    cdef Py_ssize_t i, place
    for i in range(3):
        operands[i] = args[i] if i < count and i < function.inputs else NULL
    for i in range(len(keywords)):
        name = keywords[i]
        place = function.parameters.index(name) if name in function.parameters else -1
        if name == "out":
            out[0] = args[count + i]
        elif place >= 0 and place >= count:
            operands[place] = args[count + i]
        else:
            is_wrong = True
    for i in range(function.inputs):
        if operands[i] == NULL and function.op == CYOPS_OP_clip and i > 0:
            operands[i] = Py_None
        if operands[i] == NULL:
            raise TypeError(f"{function.name}: argument {function.parameters[i]} is missing; the parameters are "
                            f"{', '.join(function.parameters)}, out=None")
    if is_wrong:
        raise TypeError(f"{function.name}: takes {', '.join(function.parameters)}, out=None; got {count} positional "
                        f"arguments and the keywords {sorted(keywords)}")
    return 0


enable_vectorcall(<PyTypeObject *> Elementwise)


cdef str docstring(str name, tuple parameters, str domain, str formula, str doc, str arguments, str result):
    axes = "(...)" if len(parameters) == 1 else "shapes that broadcast to (...)"
    notes = " Without min, max or both there is no such bound." if name == "clip" else ""
    return f"""{doc}

    {name}({', '.join(parameters)}) = {formula}, element by element: {', '.join(parameters)} of {axes}; the result is a
    new tensor (...), or `out`, which must have the shape of the result. {DTYPES_OF_DOMAIN[domain]}

    ValueError where shapes do not broadcast; TypeError for a dtype without this operation, or an `out` that cannot
    hold the result; OverflowError for a Python integer outside the range of the other operand's dtype.{notes}

    >>> import cyops
    >>> cyops.{name}({arguments}).tolist()
    {result}
    """


cdef tuple make_functions():
    functions = []
    for op, row in enumerate(ROWS):
        name, parameters, domain, formula, doc, arguments, result, _ = row
        text = docstring(name, parameters, domain, formula, doc, arguments, result)
        functions.append(Elementwise(op, name, parameters, text))
    return tuple(functions)


def astype(x, dtype, *, copy=True, device=None):
    """`x` in another dtype: (...) -> (...).

    Any pair of dtypes; a floating number is cut towards zero for an integer dtype, and gives an unspecified value where
    it does not fit. The result is a new tensor unless `copy` is False and x has the dtype already. Python's float means
    float32, int means int64. TypeError for an unknown dtype, ValueError for another `device` than "cpu".

    >>> import cyops
    >>> cyops.astype([1.9, -1.9], "int64").tolist()
    [1, -1]
    """
    cdef Strided source = operand("astype", x)
    cdef Strided out
    if device is not None and device != "cpu":
        raise ValueError(f"astype: there is one device, 'cpu'; got {device!r}")
    cdef Py_ssize_t itemsize = source.v.itemsize
    cdef int code = dtype_code("astype", dtype, &itemsize)
    if code == source.v.dtype and itemsize == source.v.itemsize and not copy:
        return source
    if code != source.v.dtype and (is_text(code) or is_text(source.v.dtype)):
        try:
            return alias(result_class(source, source), coerce(numpy.asarray(source).astype(dtype)))
        except ValueError as error:
            raise ValueError(f"astype: {error}") from None
    out = empty_like("astype", result_class(source, source), code, itemsize, source)
    convert("astype", out, source)
    return out


def copy(x):
    """A new tensor with the elements of `x`: (...) -> (...), any dtype, in the memory order of x.

    >>> import cyops
    >>> x = cyops.Strided([1., 2.])
    >>> cyops.shares_memory(cyops.copy(x), x)
    False
    """
    cdef Strided source = operand("copy", x)
    cdef Strided out = empty_like("copy", result_class(source, source), source.v.dtype, source.v.itemsize, source)
    convert("copy", out, source)
    return out


cdef int convert(str op, Strided out, Strided source) except -1:
    cdef int status
    cdef const cyops_api *c = api()
    with nogil:
        status = c.cast(&out.v, &source.v)
    check(op, status)
    if recording():
        record(op, (source,), out, None)
    return 0


ELEMENTWISE = make_functions()
globals().update({function.__name__: function for function in ELEMENTWISE})
FUNCTIONS = (*ELEMENTWISE, astype, copy)
