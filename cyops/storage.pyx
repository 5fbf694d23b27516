# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, binding=True
"""Storage: one-dimensional memory that tensors view.

It owns 64-byte aligned memory from the pool in csrc/runtime/memory.c, or borrows the memory of another object through
the buffer protocol. It knows its size in bytes, how often it was written (`version`), whether others may write it
unseen (`is_shared`) and whether it may be written, and nothing of shapes or dtypes: those belong to Strided.
"""
cimport cython
from cpython.buffer cimport (
    PyBUF_FULL, PyBUF_FULL_RO, PyBuffer_FillInfo, PyBuffer_Release, PyObject_GetBuffer,
)
from libc.stdint cimport uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

cdef extern from "csrc/runtime/memory.h":
    ctypedef struct cyops_memory_stats:
        size_t in_use
        size_t cached
        size_t peak
        size_t limit
        uint64_t allocations
        uint64_t reuses
    void *cyops_allocate(size_t nbytes) noexcept
    void cyops_release(void *data) noexcept
    void cyops_empty_cache() noexcept
    void cyops_set_cache_limit(size_t nbytes) noexcept
    cyops_memory_stats cyops_read_memory_stats() noexcept


@cython.final
@cython.no_gc
@cython.freelist(64)
cdef class Storage:
    """One-dimensional memory, owned or borrowed: what tensors are views of.

    `Storage(nbytes)` owns `nbytes` zeroed bytes, 64-byte aligned. Tensors make their own; call it only to lay several
    tensors out in one piece of memory by hand.

    >>> import cyops
    >>> storage = cyops.Storage(16)
    >>> storage.nbytes, storage.version, storage.is_readonly
    (16, 0, False)
    """

    def __init__(self, Py_ssize_t nbytes=0):
        if nbytes < 0:
            raise ValueError(f"Storage: nbytes must not be negative; got {nbytes}")
        if self.data != NULL:
            raise ValueError("Storage: its memory is set once, when it is made")
        take_memory(self, nbytes)
        memset(self.data, 0, nbytes)

    def __dealloc__(self):
        if self.lent != NULL:
            PyBuffer_Release(self.lent)
            free(self.lent)
        else:
            cyops_release(self.data)

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        PyBuffer_FillInfo(buffer, self, self.data, self.nbytes, self.is_readonly or self.holds > 0, flags)
        self.is_shared = self.is_shared or not buffer.readonly

    @property
    def is_owned(self):
        """Whether the memory is the pool's; False where it was borrowed from another object's buffer."""
        return self.lent == NULL

    def __repr__(self):
        kind = "owned" if self.lent == NULL else "borrowed"
        access = ", read-only" if self.is_readonly else ""
        return f"Storage({self.nbytes} bytes, {kind}{access}, version {self.version})"


cdef int take_memory(Storage storage, Py_ssize_t nbytes) except -1:
    storage.data = <char *> cyops_allocate(nbytes)
    if storage.data == NULL:
        raise MemoryError(f"cannot allocate {nbytes} bytes for a tensor")
    storage.nbytes = nbytes
    return 0


cdef Storage allocate(Py_ssize_t nbytes):
    """Owned memory with undefined contents; None where there is not so much, so that the caller says what it is for."""
    cdef Storage storage = Storage.__new__(Storage)
    storage.data = <char *> cyops_allocate(nbytes)
    if storage.data == NULL:
        return None
    storage.nbytes = nbytes
    return storage


cdef Storage borrow(object exporter, bint writable):
    """The memory that `exporter` lends, read-only unless `writable` and the exporter allows it.

    `data` and `nbytes` are left for the caller to set from the strides: see buffers.pxi.
    """
    cdef Storage storage = Storage.__new__(Storage)
    cdef Py_buffer *lent = <Py_buffer *> malloc(sizeof(Py_buffer))
    if lent == NULL:
        raise MemoryError()
    try:
        if not writable:
            PyObject_GetBuffer(exporter, lent, PyBUF_FULL_RO)
        else:
            try:
                PyObject_GetBuffer(exporter, lent, PyBUF_FULL)
            except (BufferError, ValueError):
                PyObject_GetBuffer(exporter, lent, PyBUF_FULL_RO)
    except BaseException:
        free(lent)
        raise
    storage.lent = lent
    storage.is_shared = True
    storage.is_readonly = lent.readonly or not writable
    return storage


def memory_stats():
    """What the tensor allocator holds, in bytes and counts.

    Returns a dict: `in_use` (bytes of live tensors), `cached` (bytes kept for reuse), `peak` (the largest `in_use` so
    far), `limit` (what `cached` never exceeds), `allocations` and `reuses` (counts since the process started).

    >>> import cyops
    >>> sorted(cyops.memory_stats())
    ['allocations', 'cached', 'in_use', 'limit', 'peak', 'reuses']
    """
    return cyops_read_memory_stats()


def empty_cache():
    """Gives the memory kept for reuse back to the operating system; live tensors stay as they are.

    >>> import cyops
    >>> cyops.empty_cache()
    >>> cyops.memory_stats()["cached"]
    0
    """
    cyops_empty_cache()


def set_cache_limit(nbytes):
    """Sets how many bytes of released memory the allocator keeps for reuse; 0 turns the cache off."""
    cdef Py_ssize_t limit
    try:
        limit = nbytes
    except TypeError:
        raise TypeError(f"set_cache_limit: nbytes must be an integer; got {nbytes!r}") from None
    except OverflowError:
        raise ValueError(f"set_cache_limit: nbytes must be from 0 to 2**63 - 1; got {nbytes}") from None
    if limit < 0:
        raise ValueError(f"set_cache_limit: nbytes must not be negative; got {limit}")
    cyops_set_cache_limit(limit)
