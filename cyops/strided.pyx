# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, binding=True
# cython: auto_pickle=False
"""Strided: a view (offset, shape, strides, dtype) onto a Storage, with Python's operators and indexing.

This extension links every C kernel and is the one the others cimport from. Its parts:
    dtypes.pxi     dtype codes, NumPy's dtype objects, promotion
    shapes.pxi     axes, broadcasting, contiguity, extents
    making.pxi     fresh tensors, aliases, copies, casts
    coercion.pxi   anything array-like as a tensor
    buffers.pxi    the buffer protocol, both ways
    dlpack.pxi     memory lent by the DLPack protocol
    dlpack_in.pxi  memory borrowed by it
    recorder.pxi   the door through which every op tells an active recorder what it did
    calls.pxi      the elementwise calls that the operators make
    indexing.pxi   x[key] and x[key] = value
Reshaping and the other views are in views.pyx; Tensor, its Python subclass, is in the package cytensor.
"""
cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.object cimport PyObject, PyTypeObject, newfunc
from cpython.sequence cimport PySequence_Check, PySequence_GetItem
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from cyops.ids cimport *
from cyops.storage cimport Storage, allocate, borrow

import numpy

from cyops.bfloat16 import bfloat16

cdef extern from "csrc/base/api.h":
    const cyops_api cyops_functions


cdef const cyops_api *api() noexcept:
    return &cyops_functions


include "dtypes.pxi"
include "shapes.pxi"
include "recorder.pxi"


# Without binding: with it, Cython 3.3 lets Class.method(5) read a 5 as an object of the class.
@cython.no_gc
@cython.binding(False)
@cython.embedsignature(True)
@cython.embedsignature.format("clinic")
cdef class Strided:
    """A tensor: a view (offset, shape, strides) onto one-dimensional storage.

    `Strided(data, dtype=None)` takes anything array-like. Memory that offers the buffer protocol (a NumPy array, a
    bytearray, an mmap) is viewed, not copied; numbers and nested lists become fresh storage, with float32 for Python
    floats and int64 for ints. Strides and offset count elements, as in PyTorch; an axis of length 0 or 1 has stride 0,
    because no step is ever taken along it. At most 16 axes.

    Indexing with integers, slices (any step), None and Ellipsis gives a view; indexing with an array of integers or
    bools copies. The operators broadcast. Raises TypeError for a dtype that has no place here, ValueError for a ragged
    list or more than 16 axes.

    >>> import cyops
    >>> x = cyops.Strided([[1., 2., 3.], [4., 5., 6.]])
    >>> x.shape, x.strides, x.dtype
    ((2, 3), (3, 1), dtype('float32'))
    >>> reversed_columns = x[:, ::-1]
    >>> reversed_columns.offset, reversed_columns.strides
    (2, (3, -1))
    >>> reversed_columns.storage is x.storage
    True
    """

    def __cinit__(self):
        # What `__new__` alone gives must be harmless: an empty float32 vector.
        self.v.dtype = CYOPS_FLOAT32
        self.v.itemsize = 4
        self.v.ndim = 1
        self.base = nothing

    def __init__(self, data, dtype=None):
        # `__new__` has filled it: see new_with_data in making.pxi.
        if not self.awaits_init:
            raise TypeError(f"{type(self).__name__}: its data is set once, when it is made")
        self.awaits_init = False

    # -- geometry -----------------------------------------------------------------------------------------------------
    @property
    def shape(self):
        """The length of each axis, a tuple."""
        return shape_of(self) if type(self) is Strided else public_shape(self)

    @property
    def strides(self):
        """How many elements of storage one step along each axis is; 0 for an axis of length 0 or 1."""
        return tuple_of(self.v.strides, self.v.ndim)

    @property
    def offset(self):
        """Where element (0, ..., 0) lies in the storage, in elements."""
        return (self.v.data - self.base.data) // self.v.itemsize if self.v.itemsize > 0 else 0

    @property
    def ndim(self):
        """The number of axes."""
        return self.v.ndim

    @property
    def size(self):
        """The number of elements."""
        return self.v.size

    @property
    def itemsize(self):
        """Bytes per element."""
        return self.v.itemsize

    @property
    def nbytes(self):
        """Bytes of all elements, whether or not they share memory."""
        return self.v.size * self.v.itemsize

    @property
    def dtype(self):
        """NumPy's dtype object."""
        return dtype_object(self.v.dtype, self.v.itemsize)

    @property
    def storage(self):
        """The one-dimensional memory this tensor views."""
        return self.base

    @property
    def is_contiguous(self):
        """Whether the elements lie in C order without gaps."""
        return is_c_contiguous(&self.v)

    @property
    def is_view(self):
        """Whether the storage holds more than this tensor's elements in C order."""
        return self.v.size * self.v.itemsize != self.base.nbytes or not is_c_contiguous(&self.v)

    @property
    def T(self):
        """The axes in reverse order; a view."""
        return reversed_dims(self)

    @property
    def mT(self):
        """The last two axes swapped; a view."""
        return matrix_transposed(self)

    def __len__(self):
        if self.v.ndim == 0:
            raise TypeError(f"len: a {type(self).__name__} of shape () has no length")
        return self.v.shape[0]

    # -- values -------------------------------------------------------------------------------------------------------
    def item(self):
        """The only element as a Python number, bool, str or bytes; ValueError where there is more than one."""
        return only_element(self)

    def tolist(self):
        """The elements as nested lists of Python values, as NumPy's `tolist`."""
        return numpy.asarray(self).tolist()

    def __bool__(self):
        if self.v.size != 1:
            raise ValueError(f"bool: the truth of a tensor needs exactly one element; got shape {shape_of(self)}; "
                             "use any() or all()")
        return bool(element_at(&self.v, self.v.data))

    def __float__(self):
        return float(only_element(self))

    def __int__(self):
        return int(only_element(self))

    def __complex__(self):
        return complex(only_element(self))

    def __index__(self):
        if self.v.ndim != 0 or not is_integer(self.v.dtype):
            raise TypeError(f"only an integer tensor of shape () is an index; got {self.dtype} of shape "
                            f"{shape_of(self)}")
        return element_at(&self.v, self.v.data)

    def __repr__(self):
        layout = "" if is_c_contiguous(&self.v) else f", offset={self.offset}, strides={self.strides}"
        return f"{type(self).__name__}(shape={shape_of(self)}, dtype={self.dtype}{layout})\n{numpy.asarray(self)}"

    def __reduce__(self):
        values = numpy.array(self)
        return rebuild, (type(self), values) if values.dtype == self.dtype else (type(self), values, self.dtype)

    # -- indexing and the buffer protocol -----------------------------------------------------------------------------
    def __getitem__(self, key):
        return get_item(self, key)

    def __setitem__(self, key, value):
        set_item(self, key, value)

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        export_buffer(self, buffer, flags)

    def __releasebuffer__(self, Py_buffer *buffer):
        free(buffer.internal)

    def __array__(self, dtype=None, *, copy=None):
        return as_numpy(self, dtype, copy)

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        """The memory as a DLPack capsule, which keeps it alive: what `numpy.from_dlpack` and `torch.from_dlpack` call.

        A view of the same memory, or of a copy where `copy` is true or a stride is negative. Read-only memory (and
        that which an active tape has recorded, or which several elements share) needs a consumer that takes
        `max_version` (1, 0), to be marked so. BufferError without it, for strings, for a `stream` and for another
        device.
        """
        return lend(self, stream, max_version, dl_device, copy)

    def __dlpack_device__(self):
        """DLPack's name for the CPU: (1, 0)."""
        return DLPACK_CPU, 0

    # -- operators: the ops of csrc/elementwise/ops.h, and matmul ------------------------------------------------------
    def __add__(self, other): return binary(CYOPS_OP_add, self, other, None)
    def __radd__(self, other): return binary(CYOPS_OP_add, other, self, None)
    def __sub__(self, other): return binary(CYOPS_OP_subtract, self, other, None)
    def __rsub__(self, other): return binary(CYOPS_OP_subtract, other, self, None)
    def __mul__(self, other): return binary(CYOPS_OP_multiply, self, other, None)
    def __rmul__(self, other): return binary(CYOPS_OP_multiply, other, self, None)
    def __truediv__(self, other): return binary(CYOPS_OP_divide, self, other, None)
    def __rtruediv__(self, other): return binary(CYOPS_OP_divide, other, self, None)
    def __floordiv__(self, other): return binary(CYOPS_OP_floor_divide, self, other, None)
    def __rfloordiv__(self, other): return binary(CYOPS_OP_floor_divide, other, self, None)
    def __mod__(self, other): return binary(CYOPS_OP_remainder, self, other, None)
    def __rmod__(self, other): return binary(CYOPS_OP_remainder, other, self, None)
    def __divmod__(self, other): return quotient_and_rest(self, other)
    def __rdivmod__(self, other): return quotient_and_rest(other, self)
    def __round__(self, ndigits=None): return rounded(self, ndigits)
    def __pow__(self, other, modulo): return power(self, other, modulo)
    def __rpow__(self, other, modulo): return power(other, self, modulo)
    def __matmul__(self, other): return matrix_product(self, other)
    def __rmatmul__(self, other): return matrix_product(other, self)
    def __neg__(self): return unary(CYOPS_OP_negative, self, None)
    def __abs__(self): return unary(CYOPS_OP_abs, self, None)
    def __pos__(self): return unary_copy(self)
    def __invert__(self): return invert(self)
    def __and__(self, other): return logical("and", CYOPS_OP_logical_and, self, other)
    def __rand__(self, other): return logical("and", CYOPS_OP_logical_and, other, self)
    def __or__(self, other): return logical("or", CYOPS_OP_logical_or, self, other)
    def __ror__(self, other): return logical("or", CYOPS_OP_logical_or, other, self)
    def __xor__(self, other): return bitwise("xor", self, other)
    def __rxor__(self, other): return bitwise("xor", other, self)
    def __lshift__(self, other): return bitwise("left_shift", self, other)
    def __rlshift__(self, other): return bitwise("left_shift", other, self)
    def __rshift__(self, other): return bitwise("right_shift", self, other)
    def __rrshift__(self, other): return bitwise("right_shift", other, self)
    def __eq__(self, other): return binary(CYOPS_OP_equal, self, other, None)
    def __ne__(self, other): return binary(CYOPS_OP_not_equal, self, other, None)
    def __lt__(self, other): return binary(CYOPS_OP_less, self, other, None)
    def __le__(self, other): return binary(CYOPS_OP_less_equal, self, other, None)
    def __gt__(self, other): return binary(CYOPS_OP_greater, self, other, None)
    def __ge__(self, other): return binary(CYOPS_OP_greater_equal, self, other, None)
    def __iadd__(self, other): return in_place(CYOPS_OP_add, self, other)
    def __isub__(self, other): return in_place(CYOPS_OP_subtract, self, other)
    def __imul__(self, other): return in_place(CYOPS_OP_multiply, self, other)
    def __itruediv__(self, other): return in_place(CYOPS_OP_divide, self, other)
    def __ifloordiv__(self, other): return in_place(CYOPS_OP_floor_divide, self, other)
    def __imod__(self, other): return in_place(CYOPS_OP_remainder, self, other)
    def __ipow__(self, other): return in_place(CYOPS_OP_pow, self, other)
    def __imatmul__(self, other): return put("matmul", self, self @ other)
    def __iand__(self, other): return put("and", self, self & other)
    def __ior__(self, other): return put("or", self, self | other)
    def __ixor__(self, other): return put("xor", self, self ^ other)
    def __ilshift__(self, other): return put("left_shift", self, self << other)
    def __irshift__(self, other): return put("right_shift", self, self >> other)
    __hash__ = None


include "making.pxi"
include "coercion.pxi"
include "buffers.pxi"
include "dlpack.pxi"
include "dlpack_in.pxi"
include "calls.pxi"
include "operators.pxi"
include "indexing.pxi"
