# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, binding=True
"""Derived: a function of cyops under the name of another package, its results being of that package's class.

May be imported by everything above cyops.strided.
"""
cimport cython
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE

from cyops.strided cimport Strided, alias

include "vectorcall.pxi"

# What stands for tensors that do not exist yet, and what a call with one of them among its arguments is handed to.
cdef type placeholder = None
cdef object handed_to = None


def defer(type cls not None, function not None):
    """Hands every call of a Derived that has an instance of `cls` among its arguments, or in a list or tuple there, to
    `function(derived, args, kwargs)`, whose result is that of the call. TypeError for what cannot be called."""
    if not callable(function):
        raise TypeError(f"defer: function must be a function; got {function!r}")
    global placeholder, handed_to
    placeholder, handed_to = cls, function


cdef bint stands_for(PyObject *x):
    """Whether an argument is a placeholder, or a list or tuple with one."""
    cdef Py_ssize_t i
    if type(<object> x) is placeholder:
        return True
    if type(<object> x) is list:
        for i in range(PyList_GET_SIZE(<object> x)):
            if type(<object> PyList_GET_ITEM(<object> x, i)) is placeholder:
                return True
    elif type(<object> x) is tuple:
        for i in range(PyTuple_GET_SIZE(<object> x)):
            if type(<object> PyTuple_GET_ITEM(<object> x, i)) is placeholder:
                return True
    return False


cdef object deferred(object function, PyObject *const *args, size_t flagged, PyObject *names):
    """The call as `handed_to` has it."""
    cdef Py_ssize_t i, count = PyVectorcall_NARGS(flagged)
    cdef list positional = [<object> args[i] for i in range(count)]
    cdef dict named = {}
    if names != NULL:
        for i in range(len(<object> names)):
            named[(<object> names)[i]] = <object> args[count + i]
    return handed_to(function, tuple(positional), named)


cdef class Derived(Function):
    """`kernel` as a function of `module`: a plain Strided that it returns, also in a list or tuple, becomes a `cls` on
    the same memory.

    It has the kernel's signature, the docstring given, and pickles by name.

    >>> import cyops
    >>> class Mine(cyops.Strided):
    ...     pass
    >>> exp = cyops.Derived(cyops.exp, Mine, "exp", "mine", "e to the x.")
    >>> type(exp([0.])).__name__
    'Mine'
    """
    cdef object kernel
    cdef type result_class
    cdef dict synonyms                  # of parameters: None where there are none

    def __init__(self, kernel, type result_class not None, str name not None, str module not None, str doc):
        if not issubclass(result_class, Strided):
            raise TypeError(f"Derived: needs a subclass of Strided; got {result_class!r}")
        if self.vectorcall != NULL:
            raise TypeError(f"{self.name}: which function it is, is set once, when it is made")
        self.kernel = kernel
        self.result_class = result_class
        self.name = name
        self.module = module
        self.doc = doc
        self.vectorcall = call_derived

    # Without binding: with it, Cython 3.3 lets Derived.accept(5, {}) write into a 5.
    @cython.binding(False)
    def accept(self, dict synonyms not None):
        """Takes further names of parameters: {name: the kernel's, None for one that is of no account, or a function
        (args, named, value) -> (args, named) that makes of the value what the kernel takes}.

        >>> import cyops
        >>> exp = cyops.Derived(cyops.exp, cyops.Strided, "exp", "mine", "e to the x.")
        >>> exp.accept({"exponent": "x", "name": None})
        >>> exp(exponent=[0.], name="unused").tolist()
        [1.0]
        """
        self.synonyms = synonyms

    @property
    def __doc__(self):
        return self.doc

    @property
    def __wrapped__(self):
        return self.kernel                  # inspect.signature looks there

    def __repr__(self):
        return f"<function {self.module}.{self.name}>"


cdef object call_derived(object self, PyObject *const *args, size_t flagged, PyObject *names):
    cdef Derived function = <Derived> self
    cdef Py_ssize_t i
    if placeholder is not None:
        for i in range(PyVectorcall_NARGS(flagged) + (0 if names == NULL else len(<object> names))):
            if stands_for(args[i]):
                return deferred(self, args, flagged, names)
    if names != NULL and function.synonyms is not None and has_synonym(function.synonyms, <tuple> <object> names):
        result = call_translated(function, args, flagged, <tuple> <object> names)
    else:
        result = PyObject_Vectorcall(function.kernel, args, flagged, names)
    if type(result) is Strided:
        return as_result(function, <Strided> result)
    if isinstance(result, (list, tuple)):
        parts = [as_result(function, <Strided> part) if type(part) is Strided else part for part in result]
        if isinstance(result, list):
            return parts
        return type(result)(*parts) if hasattr(result, "_fields") else tuple(parts)
    return result


cdef bint has_synonym(dict synonyms, tuple names) except -1:
    for name in names:
        if name in synonyms:
            return True
    return False


cdef object call_translated(Derived function, PyObject *const *args, size_t flagged, tuple names):
    """The kernel's result for a call in another package's words. TypeError where two of them mean one parameter."""
    cdef Py_ssize_t i, count = PyVectorcall_NARGS(flagged)
    cdef list positional = [<object> args[i] for i in range(count)]
    cdef dict named = {}
    cdef list changes = []
    for i in range(len(names)):
        name, value = names[i], <object> args[count + i]
        meaning = function.synonyms.get(name, name)
        if callable(meaning):
            changes.append((meaning, value))
        elif meaning is not None:
            if meaning in named:
                raise TypeError(f"{function.name}: parameter {meaning} was given twice, by two of its names")
            named[meaning] = value
    for change, value in changes:
        positional, named = change(positional, named, value)
    return function.kernel(*positional, **named)


cdef Strided as_result(Derived function, Strided result):
    cdef Strided out = alias(function.result_class, result)
    out.origin = result.origin
    return out


enable_vectorcall(<PyTypeObject *> Derived)
