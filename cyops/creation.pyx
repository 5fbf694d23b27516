# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, binding=True
"""Fresh tensors: filled with one value, or with numbers in steps. May be imported by everything above cyops.strided."""
from cyops.strided cimport (
    CYOPS_MAX_NDIM, CYOPS_STR, Strided, api, broadcast_view, check, coerce, coerce_as, count_elements, cyops_view,
    dtype_code, dtype_object, empty as new_empty, read_integer, read_shape,
)

from libc.string cimport memset

cdef extern from *:
    const Py_ssize_t PY_SSIZE_T_MAX

import numpy


cdef int check_device(str op, object device) except -1:
    if device is not None and device != "cpu":
        raise ValueError(f"{op}: there is one device, 'cpu'; got {device!r}")
    return 0


def empty(shape, dtype="float32", *, device=None):
    """A C-ordered tensor of `shape` with undefined contents.

    ValueError for a negative length or more bytes than memory can address, MemoryError where there are not so many.

    >>> import cyops
    >>> cyops.empty((2, 3)).shape
    (2, 3)
    """
    check_device("empty", device)
    return fresh("empty", shape, "float32" if dtype is None else dtype)


cdef Strided fresh(str op, object shape, object dtype):
    """Undefined contents; errors name `op`. 'S' and 'U' without a width hold one character."""
    cdef Py_ssize_t lengths[CYOPS_MAX_NDIM]
    cdef Py_ssize_t itemsize = 0
    cdef int code = dtype_code(op, dtype, &itemsize)
    cdef int ndim = read_shape(op, shape, lengths)
    if itemsize == 0:
        itemsize = 4 if code == CYOPS_STR else 1
    return new_empty(op, Strided, code, itemsize, ndim, lengths)


cdef object numpy_dtype(str op, object dtype):
    """NumPy's object for anything that names a dtype here; TypeError where nothing does."""
    cdef Py_ssize_t itemsize = 0
    cdef int code = dtype_code(op, dtype, &itemsize)
    return dtype_object(code, itemsize)


cdef Strided filled(str op, object shape, object fill_value, object dtype):
    cdef Strided value = coerce(fill_value) if dtype is None else None
    cdef Strided out = fresh(op, shape, value.dtype if dtype is None else dtype)
    cdef cyops_view stretched
    if dtype is not None:
        try:
            value = coerce_as(fill_value, out.v.dtype, out.v.itemsize)
        except OverflowError:
            raise OverflowError(f"{op}: the number {fill_value} does not fit in {out.dtype}") from None
    if value.v.ndim != 0:
        raise ValueError(f"{op}: fill_value must be a scalar; got shape {value.shape}")
    broadcast_view(&value.v, out.v.ndim, out.v.shape, &stretched)
    check(op, api().cast(&out.v, &stretched))
    return out


def full(shape, fill_value, dtype=None, *, device=None):
    """A C-ordered tensor of `shape` with every element `fill_value`.

    dtype: the value's own when None (float32 for a Python float, int64 for an int).

    >>> import cyops
    >>> cyops.full((2,), 7).tolist()
    [7, 7]
    """
    check_device("full", device)
    return filled("full", shape, fill_value, dtype)


def zeros(shape, dtype="float32", *, device=None):
    """A C-ordered tensor of zeros; of empty strings for a dtype of strings.

    >>> import cyops
    >>> cyops.zeros(3).tolist()
    [0.0, 0.0, 0.0]
    """
    check_device("zeros", device)
    cdef Strided out = fresh("zeros", shape, "float32" if dtype is None else dtype)
    memset(out.v.data, 0, out.v.size * out.v.itemsize)
    return out


def ones(shape, dtype="float32", *, device=None):
    """A C-ordered tensor of ones.

    >>> import cyops
    >>> cyops.ones((1, 2)).tolist()
    [[1.0, 1.0]]
    """
    check_device("ones", device)
    return filled("ones", shape, 1, "float32" if dtype is None else dtype)


cdef object for_numpy(str op, str name, object value, bint takes_complex=False):
    """A number as NumPy takes it; TypeError, which names the argument, for anything else."""
    if isinstance(value, (int, float, numpy.integer, numpy.floating)):
        return value
    if takes_complex and isinstance(value, (complex, numpy.complexfloating)):
        return value
    if getattr(value, "shape", None) == () and getattr(getattr(value, "dtype", None), "kind", "O") in "biuf":
        return numpy.asarray(coerce(value))
    raise TypeError(f"{op}: {name} must be a number; got {value!r}"[:200])


def arange(start, stop=None, step=1, dtype=None, *, device=None):
    """The numbers start, start + step, ... below `stop` (from 0 to `start` when it is the only one).

    dtype: int64 when all three are integers, else float32 (Array API standard, `arange`). ValueError when step is 0.

    >>> import cyops
    >>> cyops.arange(3).tolist(), cyops.arange(0., 1., 0.5).tolist()
    ([0, 1, 2], [0.0, 0.5])
    """
    check_device("arange", device)
    if stop is None:
        start, stop = 0, start
    start, stop = for_numpy("arange", "start", start), for_numpy("arange", "stop", stop)
    step = for_numpy("arange", "step", step)
    if step == 0:
        raise ValueError("arange: step must not be 0")
    is_integral = all([isinstance(value, (int, numpy.integer)) for value in (start, stop, step)])
    try:
        if is_integral and (int(stop) - int(start)) // int(step) > PY_SSIZE_T_MAX // 8:
            raise ValueError                    # of some of these NumPy makes an array of no numbers
        values = numpy.arange(start, stop, step)
    except ValueError:                          # NumPy's "array is too big"
        raise ValueError(f"arange: from {start} to {stop} there are more numbers than memory can address") from None
    default = "int64" if is_integral else "float32"
    return coerce(values.astype(default if dtype is None else numpy_dtype("arange", dtype)))


def linspace(start, stop, num, dtype=None, endpoint=True, *, device=None):
    """`num` evenly spaced numbers from `start` to `stop`, the last one included unless `endpoint` is False.

    dtype: float32, complex64 where an end is complex, unless it names another.

    >>> import cyops
    >>> cyops.linspace(0, 1, 3).tolist()
    [0.0, 0.5, 1.0]
    """
    check_device("linspace", device)
    cdef Py_ssize_t count = read_integer("linspace", "num", num)
    if count < 0:
        raise ValueError(f"linspace: num must not be negative; got {count}")
    count_elements("linspace", 1, &count, 8)
    start, stop = for_numpy("linspace", "start", start, True), for_numpy("linspace", "stop", stop, True)
    numbers = numpy.linspace(start, stop, count, endpoint=endpoint)
    if dtype is None:
        dtype = "complex64" if numbers.dtype.kind == "c" else "float32"
    elif numbers.dtype.kind == "c" and numpy_dtype("linspace", dtype).kind != "c":
        raise TypeError(f"linspace: between complex numbers the dtype must be complex; got {dtype}")
    return coerce(numbers.astype(numpy_dtype("linspace", dtype)))


def eye(n_rows, n_cols=None, k=0, dtype="float32", *, device=None):
    """Ones on the k-th diagonal of a matrix of zeros.

    >>> import cyops
    >>> cyops.eye(2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    check_device("eye", device)
    cdef Py_ssize_t[2] shape = [read_integer("eye", "n_rows", n_rows), 0]
    cdef Py_ssize_t diagonal = read_integer("eye", "k", k)
    shape[1] = shape[0] if n_cols is None else read_integer("eye", "n_cols", n_cols)
    count_elements("eye", 2, shape, 8)
    diagonal = max(min(diagonal, shape[1]), -shape[0])       # beyond a corner there is no diagonal, however far
    made_of = numpy_dtype("eye", "float32" if dtype is None else dtype)
    return coerce(numpy.eye(shape[0], shape[1], diagonal, dtype=made_of))
