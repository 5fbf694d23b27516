# dlpack_in: memory borrowed from other libraries by the DLPack protocol. What is lent to them: dlpack.pxi.
#
# A capsule is read and checked whole before it is taken over, so that one which is refused stays its maker's. What was
# taken over lives in a `Borrowed`, which lends it on by the buffer protocol: a Storage knows no second kind of lender.

from cpython.buffer cimport PyBuffer_FillInfo
from cpython.pycapsule cimport PyCapsule_CheckExact, PyCapsule_GetName, PyCapsule_SetName
from libc.stdint cimport INT64_MAX

cdef dict CODE_OF_DLPACK = {(dlpack_kind(code), 8 * itemsize_of(code)): code for code in NUMERIC_CODES}
cdef dict DLPACK_DEVICES = {1: "CPU", 2: "CUDA", 3: "CUDA host", 4: "OpenCL", 7: "Vulkan", 8: "Metal", 10: "ROCm",
                            11: "ROCm host", 13: "CUDA managed", 14: "oneAPI", 15: "WebGPU", 16: "Hexagon"}


@cython.final
@cython.no_gc
@cython.internal
cdef class Borrowed:
    """What a capsule held: its maker's deleter is called when the last tensor on the memory is gone."""
    cdef dlpack_unversioned *unversioned
    cdef dlpack_versioned *versioned
    cdef char *data
    cdef Py_ssize_t nbytes
    cdef bint is_readonly

    def __dealloc__(self):
        if self.versioned != NULL and self.versioned.deleter != NULL:
            self.versioned.deleter(self.versioned)
        if self.unversioned != NULL and self.unversioned.deleter != NULL:
            self.unversioned.deleter(self.unversioned)

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        PyBuffer_FillInfo(buffer, self, self.data, self.nbytes, self.is_readonly, flags)


def from_dlpack(x, /, *, device=None, copy=None):
    """The memory of another library's array, by the DLPack protocol, as a Strided.

    x: an array with `__dlpack__` and `__dlpack_device__`, or a capsule, which may be used once. A view of the same
    memory, which it keeps alive; `copy=True` always copies, `copy=False` never. Read-only where the maker says so, and
    where it gives a capsule without a version, which cannot say. device: "cpu" asks a maker on another device for a
    copy.

    TypeError for what does not take part in the protocol; BufferError for another device, vectors as elements, dtypes
    that have no place here and versions of the protocol to come; ValueError for another `device`, and for a capsule
    that was used before (Array API standard, `from_dlpack`).

    >>> import cyops, numpy
    >>> cyops.from_dlpack(numpy.arange(3.0)).tolist()
    [0.0, 1.0, 2.0]
    """
    if device is not None and device != "cpu":
        raise ValueError(f"from_dlpack: device must be 'cpu' or None; got {device!r}")
    if copy is not None and not isinstance(copy, bool):
        raise TypeError(f"from_dlpack: copy must be True, False or None; got {copy!r}")
    cdef bint was_copied = False
    cdef object capsule = x if PyCapsule_CheckExact(x) else capsule_of(x, device, copy)
    cdef Strided out = consume(capsule, &was_copied)
    return fresh_copy(out) if copy is True and not was_copied else out


cdef object capsule_of(object x, object device, object copy):
    if isinstance(x, type) or not hasattr(x, "__dlpack__") or not hasattr(x, "__dlpack_device__"):
        raise TypeError(f"from_dlpack: x must have the methods __dlpack__ and __dlpack_device__, or be a capsule; got "
                        f"{type(x).__name__}")
    place = x.__dlpack_device__()
    if not isinstance(place, tuple) or len(place) != 2 or not all([isinstance(part, int) for part in place]):
        raise TypeError(f"from_dlpack: __dlpack_device__ must return (device type, id); got {place!r}")
    options = {"max_version": (1, 0)}
    if copy is not None:
        options["copy"] = copy
    if place[0] != DLPACK_CPU:
        if device is None or copy is False:
            raise BufferError(f"from_dlpack: x must be in the CPU's memory; it is on device {named_device(place[0])}; "
                              "device='cpu' asks its library for a copy")
        options["dl_device"] = (DLPACK_CPU, 0)
    try:
        return x.__dlpack__(**options)
    except TypeError:                       # of before 2023, when the method took a stream alone
        if place[0] != DLPACK_CPU:
            raise
        return x.__dlpack__()


cdef str named_device(object device):
    return f"{int(device)} ({DLPACK_DEVICES.get(int(device), 'unknown')})"


cdef Strided consume(object capsule, bint *was_copied):
    """A tensor on the memory of a capsule, which is renamed as the protocol asks for."""
    cdef Strided out = allocate_object(Strided)
    cdef Borrowed lender = Borrowed.__new__(Borrowed)
    cdef dlpack_versioned *versioned = NULL
    cdef dlpack_unversioned *unversioned = NULL
    cdef const dlpack_tensor *lent
    cdef const char *low
    cdef const char *high
    if PyCapsule_IsValid(capsule, "dltensor_versioned"):
        versioned = <dlpack_versioned *> PyCapsule_GetPointer(capsule, "dltensor_versioned")
        if versioned.major != 1:
            raise BufferError(f"from_dlpack: version 1 of the protocol is understood; got a capsule of version "
                              f"{versioned.major}.{versioned.minor}")
        lent = &versioned.tensor
        lender.is_readonly = versioned.flags & DLPACK_READ_ONLY != 0
        was_copied[0] = versioned.flags & DLPACK_COPIED != 0
    elif PyCapsule_IsValid(capsule, "dltensor"):
        unversioned = <dlpack_unversioned *> PyCapsule_GetPointer(capsule, "dltensor")
        lent = &unversioned.tensor
        lender.is_readonly = True           # JAX and NumPy 1 lend arrays so that must not be written
    else:
        raise wrong_capsule(capsule)
    read_geometry(&out.v, lent)
    extent(&out.v, &low, &high)
    lender.data, lender.nbytes = <char *> low, high - low
    PyCapsule_SetName(capsule, "used_dltensor_versioned" if versioned != NULL else "used_dltensor")
    lender.versioned, lender.unversioned = versioned, unversioned
    out.base = borrow(lender, True)
    out.base.data, out.base.nbytes = lender.data, lender.nbytes
    return out


cdef object wrong_capsule(object capsule):
    """The error for what is neither kind of capsule."""
    if not PyCapsule_CheckExact(capsule):
        return TypeError(f"from_dlpack: __dlpack__ must return a capsule; got {type(capsule).__name__}")
    cdef const char *name = PyCapsule_GetName(capsule)
    text = "" if name == NULL else (<bytes> name).decode("utf-8", "replace")
    if text.startswith("used_dltensor"):
        return ValueError("from_dlpack: a capsule may be used once, and this one was used before; ask the array for "
                          "another by __dlpack__()")
    return ValueError(f"from_dlpack: a capsule must be named 'dltensor' or 'dltensor_versioned'; got {text!r}")


cdef int read_geometry(cyops_view *v, const dlpack_tensor *lent) except -1:
    """Checks all that a capsule says; nothing in it is believed to be sensible."""
    cdef int i
    if lent.device_type != DLPACK_CPU:
        raise BufferError("from_dlpack: the memory must be the CPU's; it is on device "
                          f"{named_device(lent.device_type)}")
    if lent.lanes != 1:
        raise BufferError(f"from_dlpack: elements must be numbers; got vectors of {lent.lanes} lanes")
    code = CODE_OF_DLPACK.get((lent.kind, lent.bits))
    if code is None:
        raise BufferError(f"from_dlpack: there is no dtype here for DLPack's type code {lent.kind} with {lent.bits} "
                          "bits; convert it in its own library first")
    if not 0 <= lent.ndim <= CYOPS_MAX_NDIM or lent.ndim > 0 and lent.shape == NULL:
        raise BufferError(f"from_dlpack: at most {CYOPS_MAX_NDIM} axes; got {lent.ndim}")
    v.dtype, v.itemsize, v.ndim = code, itemsize_of(code), lent.ndim
    for i in range(v.ndim):
        if lent.shape[i] < 0:
            raise BufferError(f"from_dlpack: lengths must not be negative; got {lent.shape[i]} for axis {i}")
        v.shape[i] = lent.shape[i]
    v.size = count_elements("from_dlpack", v.ndim, v.shape, v.itemsize)
    set_c_strides(v)
    if lent.strides != NULL and v.size > 0:
        read_strides(v, lent)
    v.data = <char *> lent.data + lent.byte_offset
    if v.size == 0:
        v.data = <char *> lent.data
    elif lent.data == NULL:
        raise BufferError(f"from_dlpack: there is no memory behind {v.size} elements")
    elif <uintptr_t> v.data % <uintptr_t> v.itemsize != 0:
        raise BufferError(f"from_dlpack: elements must lie at multiples of {v.itemsize} bytes")
    return 0


cdef int read_strides(cyops_view *v, const dlpack_tensor *lent) except -1:
    cdef int64_t room = INT64_MAX // v.itemsize
    cdef int64_t step
    cdef int i
    for i in range(v.ndim):
        if v.shape[i] <= 1:
            continue
        step = lent.strides[i]
        if step < -INT64_MAX or (step if step >= 0 else -step) > room // (v.shape[i] - 1):
            raise BufferError(f"from_dlpack: a stride of {step} over axis {i} leaves the address space")
        room -= (step if step >= 0 else -step) * (v.shape[i] - 1)
        v.strides[i] = step
    return 0
