# vectorcall: Function, the base of compiled classes whose instances stand for functions (PEP 590).
#
# Calls make no tuple or dict of arguments. A subclass has no cdef methods; each instance sets `vectorcall`, without
# which calling raises TypeError, and `enable_vectorcall` is called once for the class, when the module is imported. As
# with Python's own functions, x.f(y) calls f(x, y) without making an object for x.f.

cimport cython
from cpython.object cimport PyObject, PyTypeObject

from types import MethodType

cdef extern from *:
    """
    static void cyops_enable_vectorcall(PyTypeObject *type) {
        type->tp_vectorcall_offset = sizeof(PyObject);
        type->tp_call = PyVectorcall_Call;
        type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR;
        PyType_Modified(type);
    }
    """
    void enable_vectorcall "cyops_enable_vectorcall" (PyTypeObject *type)

cdef extern from "Python.h":
    ctypedef object (*vectorcallfunc)(object self, PyObject *const *args, size_t flagged, PyObject *names)
    Py_ssize_t PyVectorcall_NARGS(size_t flagged)
    object PyObject_Vectorcall(object function, PyObject *const *args, size_t flagged, PyObject *names)


@cython.binding(False)         # with it, Cython 3.3 lets Function.__reduce__(5) read a 5 as a Function
cdef class Function:
    """What a Python function tells of itself; it pickles by name. A subclass, whose own docstring would hide it, adds
    `__doc__`."""
    cdef vectorcallfunc vectorcall
    cdef str name
    cdef str module
    cdef str doc

    @property
    def __name__(self):
        return self.name

    @property
    def __qualname__(self):
        return self.name

    @property
    def __module__(self):
        return self.module

    def __get__(self, instance, owner):
        return self if instance is None else MethodType(self, instance)

    def __reduce__(self):
        return self.name
