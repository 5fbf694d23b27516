# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, binding=True
"""Copies that put elements elsewhere: pad, roll. Blocks are copied where they lie, whatever their strides.

May be imported by everything above cyops.strided.
"""
from cyops.strided cimport (
    CYOPS_MAX_NDIM, Strided, api, check, coerce_as, cyops_view, empty, empty_like,
    normalize_axis, operand, order_like, read_integer, record, recording, result_class, shape_of,
)

import numpy

MODES = ("constant", "edge", "reflect", "symmetric", "wrap")

cdef extern from *:
    const Py_ssize_t PY_SSIZE_T_MAX


# -- blocks -----------------------------------------------------------------------------------------------------------
cdef void narrow(cyops_view *v, int axis, Py_ssize_t first, Py_ssize_t length, Py_ssize_t step) noexcept:
    """The view of `length` elements along an axis, from `first` on, so many steps apart."""
    v.data += first * v.strides[axis] * v.itemsize
    v.size = v.size // v.shape[axis] * length if v.shape[axis] > 0 else 0
    v.shape[axis] = length
    v.strides[axis] = v.strides[axis] * step if length > 1 else 0


cdef int copy_block(str op, const cyops_view *out, const cyops_view *x) except -1:
    return check(op, api().cast(out, x)) if out.size > 0 else 0


# -- pad --------------------------------------------------------------------------------------------------------------
cdef bint is_deeper(object given, int levels) except -1:
    """Whether lists and tuples are nested deeper: of one that holds itself, NumPy would unfold 2^64 elements."""
    if not isinstance(given, (list, tuple)):
        return False
    return levels == 0 or any([is_deeper(one, levels - 1) for one in given])


cdef object pairs(str what, object given, int ndim, bint whole):
    """An array (ndim, 2) from a number, a pair for every axis, or a pair for each, as NumPy takes them."""
    try:
        if is_deeper(given, 2):
            raise ValueError
        numbers = numpy.asarray(given)
        if whole and (numbers.dtype.kind not in "iu" or numbers.dtype == bool):
            raise TypeError
        return numpy.broadcast_to(numbers, (ndim, 2))
    except (TypeError, ValueError, OverflowError):
        kind = "an integer" if whole else "a number"
        raise (TypeError if not hasattr(given, "__len__") else ValueError)(
            f"pad: {what} must be {kind}, a pair (before, after), or a pair for each of {ndim} axes; got {given!r}"
        ) from None


cdef list widths_of(object pad_width, Strided x):
    """[(before, after), ...] of every axis."""
    if isinstance(pad_width, dict):
        named = {normalize_axis("pad", axis, x.v.ndim): width for axis, width in pad_width.items()}
        pad_width = [pairs("pad_width", named.get(axis, 0), 1, True)[0] for axis in range(x.v.ndim)]
        pad_width = numpy.array(pad_width).reshape(x.v.ndim, 2)
    widths = [tuple(map(int, pair)) for pair in pairs("pad_width", pad_width, x.v.ndim, True)]
    if any([width < 0 for pair in widths for width in pair]):
        raise ValueError(f"pad: pad_width must not be negative; got {pad_width!r}")
    return widths


def padded_positions(Py_ssize_t length, Py_ssize_t before, Py_ssize_t after, str mode):
    """Which element of an axis each place of the padded axis holds: (before + length + after,) integers.

    mode: "edge", "reflect", "symmetric" or "wrap".

    >>> import cyops
    >>> cyops.padded_positions(3, 2, 1, "reflect").tolist()
    [2, 1, 0, 1, 2, 1]
    """
    places = numpy.arange(-before, length + after)
    if mode == "edge" or mode == "reflect" and length == 1:
        return numpy.clip(places, 0, length - 1)
    if mode == "wrap":
        return places % length
    period = 2 * length if mode == "symmetric" else 2 * length - 2
    back = 2 * length - 1 if mode == "symmetric" else 2 * length - 2
    places %= period
    return numpy.where(places < length, places, back - places)


cdef int fill_axis(Strided out, const cyops_view *region, int axis, Py_ssize_t before, Py_ssize_t length,
                   object positions, Py_ssize_t begin, Py_ssize_t end) except -1:
    """Copies into the places [begin, end) of an axis what `positions` says of them, in runs of one direction."""
    cdef Py_ssize_t first = begin, last, step
    cdef cyops_view target, source
    held = positions.tolist()
    while first < end:
        last = first + 1
        step = held[last] - held[first] if last < end else 0
        while last < end and held[last] - held[last - 1] == step:
            last += 1
        target = source = region[0]
        narrow(&target, axis, first, last - first, 1)
        narrow(&source, axis, before + <Py_ssize_t> held[first], last - first, step)
        copy_block("pad", &target, &source)
        first = last
    return 0


cdef int fill_constant(Strided out, const cyops_view *region, int axis, Py_ssize_t first, Py_ssize_t length,
                       object value) except -1:
    cdef cyops_view target = region[0], source
    cdef Strided number = coerce_as(value, out.v.dtype, out.v.itemsize)
    cdef int i
    narrow(&target, axis, first, length, 1)
    source = target
    source.data = number.v.data
    for i in range(source.ndim):
        source.strides[i] = 0
    return copy_block("pad", &target, &source)


def pad(x, pad_width, mode="constant", constant_values=0):
    """x with elements put before and after its axes.

    x: (n, ...) of any dtype; pad_width: an integer, a pair (before, after), a pair for each axis, or a dictionary of
    such by axis -> (before + n + after, ...), a copy. mode, in any case: "constant", `constant_values`, one number
    (None for 0) or as pad_width; "edge", the outermost element; "reflect", mirrored at the outermost element;
    "symmetric", mirrored behind it; "wrap", the other end. Only x has a gradient. ValueError for an unknown mode,
    negative widths and for mirrors of an empty axis, TypeError for widths that are not integers.

    >>> import cyops
    >>> cyops.pad([1, 2, 3], (1, 2)).tolist(), cyops.pad([1, 2, 3], 2, "reflect").tolist()
    ([0, 1, 2, 3, 0, 0], [3, 2, 1, 2, 3, 2, 1])
    """
    cdef Strided a = operand("pad", x)
    cdef Strided out
    cdef cyops_view region
    cdef Py_ssize_t[CYOPS_MAX_NDIM] shape
    cdef Py_ssize_t before, after, length
    cdef int axis
    kind = mode.lower() if isinstance(mode, str) else mode
    if kind not in MODES:
        raise ValueError(f"pad: mode must be one of {', '.join(map(repr, MODES))}; got {mode!r}")
    cdef list widths = widths_of(pad_width, a)
    for axis in range(a.v.ndim):
        if max(widths[axis]) > PY_SSIZE_T_MAX // 4:
            raise ValueError(f"pad: pad_width is longer than a machine word counts; got {pad_width!r}")
        shape[axis] = a.v.shape[axis] + <Py_ssize_t> widths[axis][0] + <Py_ssize_t> widths[axis][1]
        if kind != "constant" and a.v.shape[axis] == 0 and shape[axis] > 0:
            raise ValueError(f"pad: mode {kind!r} needs an element along axis {axis}; got x {shape_of(a)}")
    values = pairs("constant_values", 0 if constant_values is None else constant_values, a.v.ndim, False)
    out = empty("pad", result_class(a, a), a.v.dtype, a.v.itemsize, a.v.ndim, shape)
    order_like(&out.v, &a.v)
    region = out.v
    for axis in range(a.v.ndim):
        before, after = widths[axis]
        narrow(&region, axis, before, a.v.shape[axis], 1)
    copy_block("pad", &region, &a.v)
    for axis in range(a.v.ndim):                     # `region` holds axes before this one whole, the others within
        before, after = widths[axis]
        length = a.v.shape[axis]
        region.data -= before * out.v.strides[axis] * out.v.itemsize
        region.size = region.size // length * out.v.shape[axis] if length > 0 else size_of(&region, axis, &out.v)
        region.shape[axis], region.strides[axis] = out.v.shape[axis], out.v.strides[axis]
        if kind == "constant":
            fill_constant(out, &region, axis, 0, before, values[axis][0])
            fill_constant(out, &region, axis, before + length, after, values[axis][1])
        elif before + after > 0:
            positions = padded_positions(length, before, after, kind)
            fill_axis(out, &region, axis, before, length, positions, 0, before)
            fill_axis(out, &region, axis, before, length, positions, before + length, out.v.shape[axis])
    if recording():
        record("pad", (a,), out, {"widths": tuple(widths), "mode": kind})
    return out


cdef Py_ssize_t size_of(const cyops_view *region, int axis, const cyops_view *out) noexcept:
    """The elements of a region whose axis has become as long as that of `out`."""
    cdef Py_ssize_t size = out.shape[axis]
    cdef int i
    for i in range(region.ndim):
        if i != axis:
            size *= region.shape[i]
    return size


# -- roll -------------------------------------------------------------------------------------------------------------
def roll(x, shift, axis=None):
    """The elements moved along axes; those beyond the end come in again at the beginning.

    x: any shape and dtype; shift: an integer, or one for each axis; axis: one or several, which may be named twice;
    None rolls the elements in C order -> x's shape, a copy. IndexError for an axis out of range, TypeError for shifts
    that are not integers, ValueError where there are several of both, in different numbers.

    >>> import cyops
    >>> cyops.roll([1, 2, 3, 4], 1).tolist(), cyops.roll([[1, 2], [3, 4]], (1, 1), axis=(0, 1)).tolist()
    ([4, 1, 2, 3], [[4, 3], [2, 1]])
    """
    from cyops.reshaping import reshape

    cdef Strided a = operand("roll", x)
    cdef Strided out
    cdef list shifts
    cdef int i
    if axis is None:
        return reshape(roll(reshape(a, (-1,)), shift if not hasattr(shift, "__len__") else sum(shift), 0), shape_of(a))
    axes = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    given = tuple(shift) if isinstance(shift, (tuple, list)) or getattr(shift, "ndim", 0) == 1 else (shift,)
    if len(axes) != len(given) and 1 not in (len(axes), len(given)):
        raise ValueError(f"roll: needs a shift for each axis; got shift {shift!r}, axis {axis!r}")
    axes, given = axes * (len(given) if len(axes) == 1 else 1), given * (len(axes) if len(given) == 1 else 1)
    shifts = [0] * a.v.ndim
    for one, by in zip(axes, given):
        i = normalize_axis("roll", one, a.v.ndim)
        shifts[i] = (shifts[i] + read_integer("roll", "shift", by)) % max(a.v.shape[i], 1)
    out = empty_like("roll", result_class(a, a), a.v.dtype, a.v.itemsize, a)
    roll_from(&out.v, &a.v, shifts, 0)
    if recording():
        record("roll", (a,), out, {"shift": tuple(shifts)})
    return out


cdef int roll_from(const cyops_view *out, const cyops_view *x, list shifts, int axis) except -1:
    """Copies x with the axes from `axis` on rolled: in two parts along the first of them that moves."""
    cdef cyops_view target, source
    cdef Py_ssize_t by, length
    while axis < x.ndim and shifts[axis] == 0:
        axis += 1
    if axis == x.ndim:
        return copy_block("roll", out, x)
    by, length = shifts[axis], x.shape[axis]
    target, source = out[0], x[0]
    narrow(&target, axis, by, length - by, 1)
    narrow(&source, axis, 0, length - by, 1)
    roll_from(&target, &source, shifts, axis + 1)
    target, source = out[0], x[0]
    narrow(&target, axis, 0, by, 1)
    narrow(&source, axis, length - by, by, 1)
    return roll_from(&target, &source, shifts, axis + 1)


FUNCTIONS = (pad, roll)
