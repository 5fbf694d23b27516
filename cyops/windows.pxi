# windows: tables of which elements each place of an axis looks at, and the call of the kernels that read them.
# Included by pooling.pyx and resizing.pyx.

cdef class Tables:
    """The tables of the axes of a call, which the kernels read."""
    cdef cyops_pool_axis[CYOPS_MAX_NDIM] axes
    cdef list held                          # what the tables point into

    def __cinit__(self):
        self.held = []
        memset(self.axes, 0, sizeof(self.axes))

    cdef void *hold(self, Py_ssize_t nbytes) except NULL:
        cdef bytearray memory = bytearray(max(nbytes, 1))
        self.held.append(memory)
        return <void *> <char *> memory


cdef int fold(str name, int op, Strided out, Strided x, Strided indices, Tables tables) except -1:
    cdef const cyops_view *index_view = &indices.v if indices is not None else NULL
    cdef const cyops_pool_axis *axes = tables.axes
    cdef const cyops_api *c = api()
    cdef int status
    if is_long(0.15 * (out.v.size + x.v.size)):
        with nogil:
            status = c.fold_windows(op, &out.v, &x.v, index_view, axes)
    else:
        status = c.fold_windows(op, &out.v, &x.v, index_view, axes)
    return check(name, status)
