# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, binding=True
"""Batch normalization in one pass over memory for the statistics and one for the result, and its gradients likewise.

The layer is cytensor/layers/normalization.py; what a plain form in other ops gives, these give. May be imported by
everything above cyops.strided.
"""
from cyops.strided cimport (
    CYOPS_FLOAT32, CYOPS_FLOAT64, CYOPS_NO_KERNEL, Strided, api, cast_to, check, computing_dtype, contiguous, cyops_api,
    empty, empty_like, is_floating, normalize_axis, operand, record, recording, require_real, result_class, same_shape,
    shape_of,
)

from libc.math cimport sqrt


cdef double *numbers_of(Strided x) noexcept:
    return <double *> x.v.data


cdef Strided one_each(str op, Py_ssize_t channels):
    """Room for a double of each channel."""
    return empty(op, Strided, CYOPS_FLOAT64, sizeof(double), 1, &channels)


cdef Strided in_doubles(str op, str what, Strided given, Py_ssize_t channels):
    if given.v.ndim != 1 or given.v.shape[0] != channels:
        raise ValueError(f"{op}: {what} must have one number for each of {channels} channels; got {shape_of(given)}")
    require_real(op, given.v.dtype, given.v.itemsize)
    return contiguous(cast_to(given, CYOPS_FLOAT64))


cdef Strided weight_of(str op, str what, object given, Py_ssize_t channels):
    return None if given is None else in_doubles(op, what, operand(op, given), channels)


# -- the kernels ------------------------------------------------------------------------------------------------------
cdef int moments(str op, Strided x, int axis, Strided mean, Strided variance) except -1:
    cdef const cyops_api *c = api()
    cdef double *first = numbers_of(mean)
    cdef double *second = numbers_of(variance)
    cdef int status
    with nogil:
        status = c.channel_moments(&x.v, axis, first, second)
    if status == CYOPS_NO_KERNEL:
        return moments(op, contiguous(x), axis, mean, variance)
    return check(op, status)


cdef Strided normalized(str op, type cls, Strided x, Strided d, int axis, Strided mean, Strided slope, Strided factor,
                        Strided offset):
    """(x - mean) * slope + d * factor + offset, in the order of x in memory."""
    cdef Strided out = empty_like(op, cls, x.v.dtype, x.v.itemsize, x)
    cdef const cyops_api *c = api()
    cdef double *numbers[4]
    cdef int status
    numbers[0], numbers[1], numbers[3] = numbers_of(mean), numbers_of(slope), numbers_of(offset)
    numbers[2] = numbers_of(factor) if factor is not None else NULL
    if d is None:
        with nogil:
            status = c.channel_normalize(&out.v, &x.v, NULL, axis, numbers[0], numbers[1], NULL, numbers[3])
    else:
        with nogil:
            status = c.channel_normalize(&out.v, &x.v, &d.v, axis, numbers[0], numbers[1], numbers[2], numbers[3])
    if status == CYOPS_NO_KERNEL:
        return normalized(op, cls, contiguous(x), None if d is None else contiguous(d), axis, mean, slope, factor,
                          offset)
    check(op, status)
    return out


cdef int sums(str op, Strided d, Strided x, int axis, Strided mean, Strided of_d, Strided of_products) except -1:
    cdef const cyops_api *c = api()
    cdef double *numbers[3]
    cdef int status
    numbers[0], numbers[1], numbers[2] = numbers_of(mean), numbers_of(of_d), numbers_of(of_products)
    with nogil:
        status = c.channel_sums(&d.v, &x.v, axis, numbers[0], numbers[1], numbers[2])
    if status == CYOPS_NO_KERNEL:
        return sums(op, contiguous(d), contiguous(x), axis, mean, of_d, of_products)
    return check(op, status)


# -- the ops ----------------------------------------------------------------------------------------------------------
def batch_normalize(x, gamma=None, beta=None, axis=-1, double epsilon=1e-3):
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta of each channel, with the batch's mean and variance.

    x: (..., c, ...), the channels along `axis`, floating or what float32 holds; gamma, beta: (c,), or None for 1 and
    0 -> (the result (..., c, ...), mean (c,), variance (c,)), the population's. Statistics are joined in double
    precision. A tape records the result alone. ValueError where there is no element, or weights do not fit; IndexError
    for an axis out of range; TypeError for strings.

    >>> import cyops
    >>> y, mean, variance = cyops.batch_normalize([[1.], [3.]], epsilon=0)
    >>> y.tolist(), mean.tolist(), variance.tolist()
    ([[-1.0], [1.0]], [2.0], [1.0])
    """
    cdef str op = "batch_normalize"
    cdef Strided a = operand(op, x)
    cdef int which = normalize_axis(op, axis, a.v.ndim)
    cdef Py_ssize_t channels = a.v.shape[which], i
    cdef Strided scale = weight_of(op, "gamma", gamma, channels)
    cdef Strided offset = weight_of(op, "beta", beta, channels)
    cdef Strided mean = one_each(op, channels), variance = one_each(op, channels)
    cdef Strided slope = one_each(op, channels), shift = one_each(op, channels)
    require_real(op, a.v.dtype, a.v.itemsize)
    if a.v.size == 0:
        raise ValueError(f"{op}: needs an element of each channel; got x {shape_of(a)}")
    cdef Strided ready = cast_to(a, computing_dtype(a.v.dtype) if is_floating(a.v.dtype) else CYOPS_FLOAT32)
    moments(op, ready, which, mean, variance)
    for i in range(channels):
        numbers_of(slope)[i] = (numbers_of(scale)[i] if scale is not None else 1) / sqrt(
            numbers_of(variance)[i] + epsilon)
        numbers_of(shift)[i] = numbers_of(offset)[i] if offset is not None else 0
    cdef Strided out = normalized(op, result_class(a, a), ready, None, which, mean, slope, None, shift)
    if is_floating(a.v.dtype):
        out = cast_to(out, a.v.dtype)
    if recording():
        inputs = (a, None if gamma is None else operand(op, gamma), None if beta is None else operand(op, beta))
        record(op, inputs, out, {"axis": which, "epsilon": epsilon, "moments": (mean, variance)})
    return out, cast_to(mean, ready.v.dtype), cast_to(variance, ready.v.dtype)


def batch_normalize_gradients(d, x, moments, gamma=None, axis=-1, double epsilon=1e-3):
    """The gradients for x, gamma and beta of a `batch_normalize`, given that for its result.

    d, x: (..., c, ...) of one shape; moments: as its record has them -> ((..., c, ...), (c,), (c,)). Not recorded by
    tapes. ValueError where shapes differ.

    >>> import cyops
    >>> moments = (cyops.Strided([2.], "float64"), cyops.Strided([1.], "float64"))
    >>> [one.tolist() for one in cyops.batch_normalize_gradients([[1.], [2.]], [[1.], [3.]], moments, epsilon=0)]
    [[[0.0], [0.0]], [1.0], [3.0]]
    """
    cdef str op = "batch_normalize_gradients"
    cdef Strided given = operand(op, d), a = operand(op, x)
    cdef int which = normalize_axis(op, axis, a.v.ndim)
    cdef Py_ssize_t channels = a.v.shape[which], i
    cdef Strided of_d, of_products, slope, factor, offset
    cdef double deviation, weight, count
    require_real(op, given.v.dtype, given.v.itemsize)
    require_real(op, a.v.dtype, a.v.itemsize)
    if not same_shape(&given.v, &a.v) or a.v.size == 0:
        raise ValueError(f"{op}: d must have the shape of x, and an element; got d {shape_of(given)}, x {shape_of(a)}")
    cdef int dtype = computing_dtype(a.v.dtype) if is_floating(a.v.dtype) else CYOPS_FLOAT32
    cdef Strided ready = cast_to(a, dtype), ready_d = cast_to(given, dtype)
    mean, variance = [in_doubles(op, "moments", operand(op, one), channels) for one in moments]
    cdef Strided middle = <Strided> mean, spread = <Strided> variance
    cdef Strided scale = weight_of(op, "gamma", gamma, channels)
    of_d, of_products, slope = one_each(op, channels), one_each(op, channels), one_each(op, channels)
    factor, offset = one_each(op, channels), one_each(op, channels)
    sums(op, ready_d, ready, which, middle, of_d, of_products)
    count = <double> a.v.size / channels
    for i in range(channels):
        deviation = 1 / sqrt(numbers_of(spread)[i] + epsilon)
        weight = (numbers_of(scale)[i] if scale is not None else 1) * deviation
        numbers_of(factor)[i] = weight
        numbers_of(slope)[i] = -weight * deviation * deviation * (numbers_of(of_products)[i] / count)
        numbers_of(offset)[i] = -weight * (numbers_of(of_d)[i] / count)
        numbers_of(of_products)[i] *= deviation
    cdef type cls = result_class(given, a)
    cdef Strided dx = normalized(op, cls, ready, ready_d, which, middle, slope, factor, offset)
    return (cast_to(dx, a.v.dtype) if is_floating(a.v.dtype) else dx, cast_to(of_products, dtype),
            cast_to(of_d, dtype))
