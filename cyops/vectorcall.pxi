# vectorcall: calls without a tuple or dict of arguments, for the instances of a compiled class (PEP 590).
#
# The class has `cdef vectorcallfunc vectorcall` as its first field and no cdef methods; each instance sets it. Where it
# is not set, calling raises TypeError. `enable_vectorcall` is called once, when the module is imported. As with Python's
# own functions, x.f(y) calls f(x, y) without making an object for x.f.

from cpython.object cimport PyObject, PyTypeObject

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
