"""Storage: one-dimensional memory, owned or borrowed. See storage.pyx."""

cdef class Storage:
    cdef char *data                       # 64-byte aligned when owned
    cdef Py_buffer *lent                  # the buffer this memory was borrowed from, or NULL when it is owned
    cdef readonly Py_ssize_t nbytes
    cdef readonly unsigned long long version   # raised by every write
    cdef readonly bint is_readonly
    cdef readonly bint is_shared          # whether code outside may write it without raising `version`; stays True
    cdef Py_ssize_t holds                 # how many records of active recorders name a tensor on this storage


cdef Storage allocate(Py_ssize_t nbytes)
cdef Storage borrow(object exporter, bint writable)
