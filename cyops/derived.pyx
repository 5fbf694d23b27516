# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, binding=True
"""Derived: a function of cyops under the name of another package, its results being of that package's class.

May be imported by everything above cyops.strided.
"""
from cyops.strided cimport Strided, alias

include "vectorcall.pxi"


cdef class Derived(Function):
    """`kernel` as a function of `module`: a plain Strided that it returns becomes a `cls` on the same memory.

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
    result = PyObject_Vectorcall(function.kernel, args, flagged, names)
    if type(result) is not Strided:
        return result
    out = alias(function.result_class, <Strided> result)
    out.origin = (<Strided> result).origin
    return out


enable_vectorcall(<PyTypeObject *> Derived)
