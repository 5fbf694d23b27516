# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, binding=True
# cython: auto_pickle=False
"""Images of another height and width: resize. Pixels are areas: their centres lie at half numbers.

Each place of the result weighs a few neighbours along each axis, which is a table of windows (csrc/pool/pool.h); the
gradient is the same table the other way round. May be imported by everything above cyops.strided.
"""
from cyops.ids cimport *
from cyops.strided cimport (
    CYOPS_FLOAT32, CYOPS_MAX_NDIM, Strided, api, cast_to, check, computing_dtype, cyops_api, cyops_view,
    cyops_pool_window, cyops_pool_axis, empty, is_floating, is_long, operand, order_like, read_integers, record,
    recording, require_real, result_class, shape_of,
)

from libc.string cimport memset

from functools import lru_cache
from math import gcd

import numpy

include "windows.pxi"

METHODS = ("bilinear", "nearest")


# -- tables -----------------------------------------------------------------------------------------------------------
@lru_cache(64)
def weights_of(Py_ssize_t length, Py_ssize_t places, str method, bint antialias):
    """(first, weights) of an axis: the elements that each place looks at begin at first[i], and weigh weights[i].

    Place i lies at (i + 1/2) * length / places - 1/2. All is computed from whole numbers, so that places in the same
    position between two elements have the same weights, bit for bit.
    """
    i = numpy.arange(places, dtype=object if max(length, places) > 1 << 30 else numpy.int64)
    if method == "nearest":
        return ((2 * i + 1) * length // (2 * places)).astype(numpy.int64), numpy.ones((places, 1))
    above = (2 * i + 1) * length - places                    # the place, times 2 * places
    whole, part = above // (2 * places), (above % (2 * places)).astype(float) / (2 * places)
    scale = max(<double> length / <double> places, 1.0) if antialias else 1.0
    reach = int(numpy.ceil(scale))
    steps = numpy.arange(-reach, reach + 2)
    weights = numpy.maximum(1 - numpy.abs(steps - part[:, None]) / scale, 0)
    first = whole.astype(numpy.int64) - reach
    weights[(first[:, None] + steps + reach < 0) | (first[:, None] + steps + reach >= length)] = 0
    return first, weights / weights.sum(1, keepdims=True)


@lru_cache(64)
def windows_of(Py_ssize_t length, Py_ssize_t places, str method, bint antialias, bint back):
    """(first, taps, beginning, weights) for each place, or with `back` for each element the places that look at it."""
    first, weights = weights_of(length, places, method, antialias)
    place, tap = numpy.nonzero(weights)
    element, values = first[place] + tap, weights[place, tap]
    if back:
        order = numpy.argsort(element, kind="stable")
        place, element, values = element[order], place[order], values[order]
    rows = length if back else places
    taps = numpy.bincount(place, minlength=rows)
    beginning = numpy.cumsum(taps) - taps
    starts = numpy.zeros(rows, numpy.int64)
    starts[taps > 0] = element[beginning[taps > 0]]
    return starts, taps, beginning, numpy.ascontiguousarray(values, dtype=float)


cdef int add_axis(Tables tables, int axis, Py_ssize_t length, Py_ssize_t places, str method, bint antialias,
                  bint back) except -1:
    """The table of an axis of `length` elements of the image and `places` of the resized one."""
    first, taps, beginning, values = windows_of(length, places, method, antialias, back)
    cdef Py_ssize_t i, at, rows = len(first), common = gcd(length, places)
    cdef cyops_pool_window *windows = <cyops_pool_window *> tables.hold(rows * sizeof(cyops_pool_window))
    cdef double[::1] weights = values
    cdef cyops_pool_axis *table = &tables.axes[axis]
    tables.held.append(values)
    for i in range(rows):
        windows[i].first, windows[i].taps, windows[i].number = first[i], taps[i], 0
        windows[i].weights = NULL
        if windows[i].taps > 0:
            at = beginning[i]
            windows[i].weights = &weights[at]
    table.windows, table.number_step, table.numbers = windows, 1, 1
    table.step, table.advance = (length if back else places) // common, (places if back else length) // common
    api().find_runs(windows, rows, table.step, table.advance)
    return 0


# -- resize -----------------------------------------------------------------------------------------------------------
cdef int first_axis(str op, Strided x, object data_format) except -1:
    """The axis of the height of an image, or of several."""
    if data_format != "channels_last" and data_format != "channels_first":
        raise ValueError(f'{op}: data_format must be "channels_last" or "channels_first"; got {data_format!r}')
    if not 3 <= x.v.ndim <= 4:
        raise ValueError(f"{op}: needs an image (height, width, channels), or several (n, height, width, channels), or "
                         f"with the channels first; got shape {shape_of(x)}")
    return x.v.ndim - 3 + (data_format == "channels_first")


cdef Strided resized(str op, object x, object size, object interpolation, object antialias, object data_format,
                     bint back):
    cdef Strided a = operand(op, x)
    cdef Strided ready = a, out
    cdef Py_ssize_t[CYOPS_MAX_NDIM] shape, lengths
    cdef int first = first_axis(op, a, data_format), i
    cdef Tables tables = Tables()
    require_real(op, a.v.dtype, a.v.itemsize)
    method = interpolation.lower() if isinstance(interpolation, str) else interpolation
    if method not in METHODS:
        raise ValueError(f"{op}: interpolation must be 'bilinear' or 'nearest'; got {interpolation!r}")
    if read_integers(op, "size", size, lengths) != 2 or lengths[0] < 1 or lengths[1] < 1:
        raise ValueError(f"{op}: size must be (height, width), both at least 1; got {size!r}")
    is_exact = method == "nearest" and not back                 # no arithmetic: any dtype
    if is_floating(a.v.dtype):
        ready = cast_to(a, computing_dtype(a.v.dtype))
    elif not is_exact:
        ready = cast_to(a, CYOPS_FLOAT32)
    for i in range(a.v.ndim):
        shape[i] = a.v.shape[i]
    for i in range(2):
        if a.v.shape[first + i] == 0:
            raise ValueError(f"{op}: an image must have a pixel; got shape {shape_of(a)}")
        shape[first + i] = lengths[i]
    out = empty(op, result_class(a, a), ready.v.dtype, ready.v.itemsize, a.v.ndim, shape)
    order_like(&out.v, &a.v)
    for i in range(2 if out.v.size + a.v.size > 0 else 0):
        if back:
            add_axis(tables, first + i, lengths[i], a.v.shape[first + i], method, bool(antialias), True)
        else:
            add_axis(tables, first + i, a.v.shape[first + i], lengths[i], method, bool(antialias), False)
    fold(op, CYOPS_POOL_LARGEST if is_exact else CYOPS_POOL_WEIGHTED, out, ready, None, tables)
    out = cast_to(out, a.v.dtype) if is_floating(a.v.dtype) else out
    if recording():
        record(op, (a,), out, {"interpolation": method, "antialias": bool(antialias), "data_format": data_format})
    return out


def resize(images, size, interpolation="bilinear", antialias=False, data_format="channels_last"):
    """Images of another size, as tf.image.resize and keras.ops.image.resize make them, with half-pixel centres.

    images: (n, h, w, c) or (h, w, c), for "channels_first" (n, c, h, w) or (c, h, w); size: (height, width) ->
    (n, height, width, c), a copy. interpolation: "nearest" gives the pixel that the centre lies in, in the dtype of the
    images; "bilinear" weighs the two nearest along each axis, floating dtypes stay and integers give float32.
    antialias: where an image becomes smaller, bilinear weighs all pixels that a pixel of the result covers. ValueError
    for an unknown interpolation, a size below 1 and images without pixels; TypeError for strings.

    >>> import cyops
    >>> cyops.resize([[[0.], [4.]]], (1, 4)).tolist()
    [[[0.0], [1.0], [3.0], [4.0]]]
    """
    return resized("resize", images, size, interpolation, antialias, data_format, False)


def resize_gradient(d, size, interpolation="bilinear", antialias=False, data_format="channels_last"):
    """The gradient for the images, of `size`, of a `resize`, given that for its result. Its own is `resize` again.

    >>> import cyops
    >>> cyops.resize_gradient([[[1.], [0.], [0.], [1.]]], (1, 2)).tolist()
    [[[1.0], [1.0]]]
    """
    return resized("resize_gradient", d, size, interpolation, antialias, data_format, True)


FUNCTIONS = (resize,)
