# dlpack: memory lent to other libraries by the DLPack protocol, as capsules of both kinds, without and with a version.
# What is borrowed from them: dlpack_in.pxi.
#
# https://dmlc.github.io/dlpack/latest/python_spec.html. A capsule holds the tensor that it was made of, and so its
# memory, until the consumer calls the deleter; where nobody consumes it, the capsule's destructor calls it.

from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_IsValid, PyCapsule_New
from cpython.ref cimport Py_DECREF
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    DLPACK_CPU = 1
    DLPACK_SIGNED = 0
    DLPACK_UNSIGNED = 1
    DLPACK_FLOATING = 2
    DLPACK_BFLOAT = 4
    DLPACK_COMPLEX = 5
    DLPACK_BOOL = 6
    DLPACK_READ_ONLY = 1                    # flags
    DLPACK_COPIED = 2

cdef struct dlpack_tensor:
    void *data
    int32_t device_type
    int32_t device_id
    int32_t ndim
    uint8_t kind
    uint8_t bits
    uint16_t lanes
    int64_t *shape
    int64_t *strides
    uint64_t byte_offset

cdef struct dlpack_unversioned:
    dlpack_tensor tensor
    void *owner
    void (*deleter)(dlpack_unversioned *) noexcept

cdef struct dlpack_versioned:
    uint32_t major
    uint32_t minor
    void *owner
    void (*deleter)(dlpack_versioned *) noexcept
    uint64_t flags
    dlpack_tensor tensor


# -- the end of what was lent -----------------------------------------------------------------------------------------
cdef void delete_unversioned(dlpack_unversioned *lent) noexcept with gil:       # in any thread of the consumer's
    Py_DECREF(<object> lent.owner)
    free(lent)


cdef void delete_versioned(dlpack_versioned *lent) noexcept with gil:
    Py_DECREF(<object> lent.owner)
    free(lent)


cdef void drop_capsule(object capsule) noexcept:
    """The capsule's destructor. A consumer renames what it has taken over."""
    if PyCapsule_IsValid(capsule, "dltensor"):
        delete_unversioned(<dlpack_unversioned *> PyCapsule_GetPointer(capsule, "dltensor"))
    elif PyCapsule_IsValid(capsule, "dltensor_versioned"):
        delete_versioned(<dlpack_versioned *> PyCapsule_GetPointer(capsule, "dltensor_versioned"))


cdef int dlpack_kind(int dtype) noexcept:
    """DLPack's type code; with the bits of an element it names a dtype."""
    if dtype == CYOPS_BOOL:
        return DLPACK_BOOL
    if dtype == CYOPS_BFLOAT16:
        return DLPACK_BFLOAT
    if is_complex(dtype):
        return DLPACK_COMPLEX
    if is_floating(dtype):
        return DLPACK_FLOATING
    return DLPACK_SIGNED if CYOPS_INT8 <= dtype <= CYOPS_INT64 else DLPACK_UNSIGNED


# -- lending ----------------------------------------------------------------------------------------------------------
cdef void describe(Strided x, dlpack_tensor *out, int64_t *lengths) noexcept:
    """`lengths` is room for shape and strides."""
    cdef int i
    out.data = x.v.data
    out.device_type = DLPACK_CPU
    out.device_id = 0
    out.ndim = x.v.ndim
    out.kind = <uint8_t> dlpack_kind(x.v.dtype)
    out.bits = <uint8_t> (8 * x.v.itemsize)
    out.lanes = 1
    out.byte_offset = 0
    out.shape = lengths
    out.strides = lengths + x.v.ndim
    for i in range(x.v.ndim):
        out.shape[i] = x.v.shape[i]
        out.strides[i] = x.v.strides[i] if x.v.shape[i] > 1 and x.v.size > 0 else 1     # not all take a stride of 0


cdef object versioned_capsule(Strided x, uint64_t flags):
    cdef dlpack_versioned *lent = <dlpack_versioned *> malloc(
        sizeof(dlpack_versioned) + 2 * x.v.ndim * sizeof(int64_t))
    if lent == NULL:
        raise MemoryError()
    lent.major, lent.minor = 1, 0
    lent.flags = flags
    describe(x, &lent.tensor, <int64_t *> (lent + 1))
    lent.deleter = delete_versioned
    lent.owner = <void *> x
    Py_INCREF(x)
    try:
        return PyCapsule_New(lent, "dltensor_versioned", drop_capsule)
    except BaseException:
        delete_versioned(lent)
        raise


cdef object unversioned_capsule(Strided x):
    cdef dlpack_unversioned *lent = <dlpack_unversioned *> malloc(
        sizeof(dlpack_unversioned) + 2 * x.v.ndim * sizeof(int64_t))
    if lent == NULL:
        raise MemoryError()
    describe(x, &lent.tensor, <int64_t *> (lent + 1))
    lent.deleter = delete_unversioned
    lent.owner = <void *> x
    Py_INCREF(x)
    try:
        return PyCapsule_New(lent, "dltensor", drop_capsule)
    except BaseException:
        delete_unversioned(lent)
        raise


cdef bint goes_backwards(const cyops_view *v) noexcept:
    cdef int i
    for i in range(v.ndim):
        if v.strides[i] < 0:
            return True
    return False


cdef Strided contiguous_copy(Strided x):
    cdef Strided out = empty("__dlpack__", Strided, x.v.dtype, x.v.itemsize, x.v.ndim, x.v.shape)
    check("__dlpack__", cyops_functions.cast(&out.v, &x.v))
    return out


cdef object lend(Strided x, object stream, object max_version, object dl_device, object copy):
    """What `__dlpack__` returns: see there."""
    cdef bint is_readonly = x.base.is_readonly or x.base.holds > 0 or repeats_elements(&x.v)
    cdef Py_ssize_t version = 0 if max_version is None else read_integer("__dlpack__", "max_version", max_version[0])
    if stream is not None:
        raise BufferError(f"__dlpack__: a CPU has no streams; stream must be None; got {stream!r}")
    if dl_device is not None and tuple(dl_device) != (DLPACK_CPU, 0):
        raise BufferError(f"__dlpack__: the memory is the CPU's, device (1, 0); got dl_device {dl_device!r}")
    if is_text(x.v.dtype):
        raise BufferError(f"__dlpack__: DLPack has no strings; got dtype {x.dtype}")
    if goes_backwards(&x.v) and copy is not None and not copy:
        raise BufferError("__dlpack__: consumers take no negative strides, and copy=False forbids the copy")
    cdef bint must_copy = copy or goes_backwards(&x.v)      # PyTorch 2.13 ends the process at a negative stride
    if must_copy:
        x, is_readonly = contiguous_copy(x), False
    if version >= 1:
        return versioned_capsule(x, (DLPACK_READ_ONLY if is_readonly else 0) | (DLPACK_COPIED if must_copy else 0))
    if is_readonly:                         # which a capsule without a version cannot say
        raise BufferError("__dlpack__: this memory is read-only, recorded by an active tape, or shared between "
                          "elements; ask for max_version=(1, 0) or copy=True")
    return unversioned_capsule(x)
