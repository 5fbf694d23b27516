# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, binding=True
"""Row operations: softmax, log_softmax, softmax cross-entropy, and their gradients in one pass each.

A row is what is normalised together. Every function subtracts the row's largest element first, so that nothing
overflows; a row with +inf or NaN, or with nothing but -inf, gives NaN. May be imported by everything above
cyops.strided.
"""
from cyops.ids cimport *
from cyops.strided cimport (
    CYOPS_BOOL, CYOPS_FLOAT32, CYOPS_MAX_NDIM, CYOPS_OUT_OF_RANGE, Strided, api, cast_to, check, computing_dtype,
    cyops_api, cyops_view, empty, empty_like, fresh_copy, is_floating, is_long, is_text, normalize_axes, normalize_axis,
    operand, promote, record, record_values, recording, require_real, result_class, shape_of,
)

from libc.string cimport memcmp, memset

import math

import numpy


cdef int row_dtype(str op, Strided x) except -1:
    """float32 for integers and halves; strings are refused."""
    require_real(op, x.v.dtype, x.v.itemsize)
    return computing_dtype(x.v.dtype) if is_floating(x.v.dtype) else CYOPS_FLOAT32


cdef Strided along_rows(str op, int which, Strided a, Strided b, int axis):
    """`which` of a and, for gradients, b; in the axis order of a."""
    cdef Strided out = empty_like(op, result_class(a, b), a.v.dtype, a.v.itemsize, a)
    cdef const cyops_view *inputs[2]
    cdef const cyops_api *c = api()
    cdef int status
    inputs[0] = &a.v
    inputs[1] = &b.v if b is not None else NULL
    if is_long(a.v.size):
        with nogil:
            status = c.rows(which, &out.v, inputs, axis)
    else:
        status = c.rows(which, &out.v, inputs, axis)
    check(op, status)
    return out


# -- softmax ----------------------------------------------------------------------------------------------------------
cdef object over_axes(object function, Strided x, tuple axes):
    """The function over several axes at once: over the last one of a view, or copy, in which they are one.

    Made of ops that a tape knows.
    """
    from cyops.reshaping import reshape
    from cyops.views import permute_dims

    cdef tuple kept = tuple([i for i in range(x.v.ndim) if i not in axes])
    cdef tuple order = kept + axes
    moved = permute_dims(x, order)
    rows = reshape(moved, (*[x.v.shape[i] for i in kept], math.prod([x.v.shape[i] for i in axes])))
    return permute_dims(reshape(function(rows, -1), moved.shape), tuple([order.index(i) for i in range(x.v.ndim)]))


cdef tuple several_axes(str op, object axis, int ndim):
    """The axes that a tuple or list names, in rising order."""
    cdef char chosen[CYOPS_MAX_NDIM]
    cdef int i
    normalize_axes(op, axis, ndim, chosen)
    axes = tuple([i for i in range(ndim) if chosen[i]])
    if len(axes) == 0:
        raise ValueError(f"{op}: needs an axis or more; got {axis!r}")
    return axes


cdef Strided normalised(str op, int which, object x, object axis):
    cdef Strided a = operand(op, x)
    if isinstance(axis, (tuple, list)):
        axes = several_axes(op, axis, a.v.ndim)
        if len(axes) > 1:
            return over_axes(softmax if which == CYOPS_ROWS_SOFTMAX else log_softmax, a, axes)
        axis = axes[0]
    cdef int dtype = row_dtype(op, a)
    cdef int which_axis = normalize_axis(op, axis, a.v.ndim)
    cdef Strided out = along_rows(op, which, cast_to(a, dtype), None, which_axis)
    if is_floating(a.v.dtype):
        out = cast_to(out, a.v.dtype)
    if which == CYOPS_ROWS_SOFTMAX:
        out.origin = (a, a.base.version, which_axis, out.base.version)
    if recording():
        record(op, (a,), out, {"axis": which_axis})
    return out


def softmax(x, axis=-1):
    """exp(x) / sum(exp(x)) along `axis`, or over all axes of a tuple together: positive numbers that add up to 1.

    (..., c, ...) -> the same shape; floating dtypes stay, integers give float32. A -inf gives 0; a row of nothing but
    -inf, or with +inf or NaN, has no distribution and gives NaN. The result remembers x, so that a cross-entropy of it
    can be computed from the logits. IndexError for an axis out of range, TypeError for strings.

    >>> import cyops
    >>> cyops.softmax([[0., 0.], [10000., -10000.]]).tolist()
    [[0.5, 0.5], [1.0, 0.0]]
    """
    return normalised("softmax", CYOPS_ROWS_SOFTMAX, x, axis)


def log_softmax(x, axis=-1):
    """x - log(sum(exp(x))) along `axis`, or several: the logarithm of softmax, without its loss of small probabilities.

    (..., c, ...) -> the same shape; dtypes and errors as in `softmax`. A -inf stays -inf; a row of nothing but -inf, or
    with +inf or NaN, gives NaN.

    >>> import cyops
    >>> cyops.log_softmax([10000., -10000.]).tolist()
    [0.0, -20000.0]
    """
    return normalised("log_softmax", CYOPS_ROWS_LOG_SOFTMAX, x, axis)


cdef Strided normalised_gradient(str op, int which, object d, object out, object axis):
    cdef Strided a = operand(op, d)
    cdef Strided b = operand(op, out)
    cdef int dtype = promote(row_dtype(op, a), row_dtype(op, b))
    if not starts_with(a, b, a.v.ndim):
        raise ValueError(f"{op}: d must have the shape of out; got d {shape_of(a)}, out {shape_of(b)}")
    return along_rows(op, which, cast_to(a, dtype), cast_to(b, dtype), normalize_axis(op, axis, a.v.ndim))


def softmax_gradient(d, out, axis=-1):
    """The gradient for x of `out = softmax(x, axis)`, given that for out: out * (d - sum(d * out)).

    d and out: (..., c, ...) of one shape -> the same shape. Not recorded by tapes. ValueError where shapes differ.

    >>> import cyops
    >>> cyops.softmax_gradient([1., 0.], [0.5, 0.5]).tolist()
    [0.25, -0.25]
    """
    return normalised_gradient("softmax_gradient", CYOPS_ROWS_SOFTMAX_GRADIENT, d, out, axis)


def log_softmax_gradient(d, out, axis=-1):
    """The gradient for x of `out = log_softmax(x, axis)`, given that for out: d - exp(out) * sum(d).

    d and out: (..., c, ...) of one shape -> the same shape. Not recorded by tapes. ValueError where shapes differ.

    >>> import cyops
    >>> cyops.log_softmax_gradient([1., 0.], cyops.log_softmax([0., 0.])).tolist()
    [0.5, -0.5]
    """
    return normalised_gradient("log_softmax_gradient", CYOPS_ROWS_LOG_SOFTMAX_GRADIENT, d, out, axis)


def logits_behind(Strided p not None):
    """The logits whose softmax over the last axis `p` still is; None where there are none.

    p: (..., c) -> the very tensor (..., c) that softmax was called with. Neither may have been written since. Where
    code outside may have done so unseen (memory shared with NumPy, say), the softmax is computed again and compared.

    >>> import cyops
    >>> z = cyops.Strided([0., 1.])
    >>> p = cyops.softmax(z)
    >>> cyops.logits_behind(p) is z
    True
    >>> p[0] = 0.5
    >>> cyops.logits_behind(p)
    """
    cdef Strided logits, again
    if p.origin is None:
        return None
    logits, version, axis, own_version = p.origin
    if axis != logits.v.ndim - 1 or logits.base.version != version or p.base.version != own_version:
        return None
    if logits.base.is_shared or p.base.is_shared:
        again = cast_to(along_rows("softmax", CYOPS_ROWS_SOFTMAX, cast_to(logits, row_dtype("softmax", logits)),
                                   None, axis), p.v.dtype)
        if memcmp(again.v.data, p.v.data, p.v.size * p.v.itemsize) != 0:      # one order of axes: both are fresh
            return None
    return logits


# -- cross-entropy ----------------------------------------------------------------------------------------------------
cdef bint starts_with(Strided x, Strided beginning, int ndim) noexcept:
    """Whether the shape of `beginning` is the first `ndim` lengths of that of x."""
    cdef int i
    if beginning.v.ndim != ndim:
        return False
    for i in range(ndim):
        if x.v.shape[i] != beginning.v.shape[i]:
            return False
    return True


cdef int check_targets(str op, Strided logits, Strided targets) except -1:
    """Returns 1 for labels (one integer a row), 0 for distributions (a number a class)."""
    cdef int last = logits.v.ndim - 1
    if last < 0:
        raise ValueError(f"{op}: logits need an axis of classes; got shape ()")
    if is_floating(targets.v.dtype):
        if starts_with(logits, targets, last + 1):
            return 0
        if starts_with(logits, targets, last):
            raise TypeError(f"{op}: labels must be integers; got dtype {targets.dtype}; cast them with astype")
        raise ValueError(f"{op}: floating targets must have the shape of logits; got targets {shape_of(targets)}, "
                         f"logits {shape_of(logits)}")
    if is_text(targets.v.dtype) or targets.v.dtype == CYOPS_BOOL:
        raise TypeError(f"{op}: labels must be integers; got dtype {targets.dtype}")
    if not starts_with(logits, targets, last):
        raise ValueError(f"{op}: labels must have the shape of logits without its last axis; got labels "
                         f"{shape_of(targets)}, logits {shape_of(logits)}")
    return 1


cdef object label_error(str op, Strided labels, Py_ssize_t position, Py_ssize_t classes):
    value = numpy.asarray(labels).reshape(-1)[position]
    where = position if labels.v.ndim == 1 else tuple(map(int, numpy.unravel_index(position, shape_of(labels))))
    return ValueError(f"{op}: labels must lie in [0, {classes}); got {value} at position {where}")


cdef Strided cross_entropy(str op, Strided logits, Strided targets, bint has_labels, Strided gradient, double scale):
    """The losses; the gradient is filled unless it is None. logits and floating targets have one computing dtype."""
    cdef int axis = logits.v.ndim - 1
    cdef Strided losses = empty(op, result_class(logits, targets), logits.v.dtype, logits.v.itemsize, axis,
                                logits.v.shape)
    cdef const cyops_view *gradient_view = &gradient.v if gradient is not None else NULL
    cdef const cyops_api *c = api()
    cdef Py_ssize_t position = 0
    cdef int status
    if has_labels:
        if is_long(logits.v.size):
            with nogil:
                status = c.cross_entropy(&losses.v, gradient_view, &logits.v, &targets.v, scale, &position)
        else:
            status = c.cross_entropy(&losses.v, gradient_view, &logits.v, &targets.v, scale, &position)
        if status == CYOPS_OUT_OF_RANGE:
            raise label_error(op, targets, position, logits.v.shape[axis])
    elif logits.v.size == 0:
        memset(losses.v.data, 0, losses.v.size * losses.v.itemsize)
        return losses
    elif is_long(logits.v.size):
        with nogil:
            status = c.cross_entropy_targets(&losses.v, gradient_view, &logits.v, &targets.v, scale)
    else:
        status = c.cross_entropy_targets(&losses.v, gradient_view, &logits.v, &targets.v, scale)
    check(op, status)
    return losses


def softmax_cross_entropy(logits, labels):
    """-log(softmax(logits)) at the label of each row, or its mean under a distribution over the classes.

    logits: floating (..., c); labels: integer (...,), each in [0, c), or floating (..., c) -> losses (...,) in the
    dtype of logits (integers and halves compute in float32). log(sum(exp)) is never taken of a small difference, so
    that logits of +-1e4 are safe. A logit of -inf is a class that cannot be: it costs nothing, and infinity where it is
    the label; a row of nothing but -inf, or with +inf or NaN, gives NaN. While a tape records, the gradient
    softmax - one-hot is computed in the same pass. ValueError for a label outside [0, c) and for shapes that differ,
    TypeError for labels that are not integers.

    >>> import cyops
    >>> cyops.softmax_cross_entropy([[0., 0.], [10000., 0.]], [1, 0]).tolist()
    [0.6931471824645996, 0.0]
    """
    cdef Strided z = operand("softmax_cross_entropy", logits)
    cdef Strided t = operand("softmax_cross_entropy", labels)
    cdef str op = "softmax_cross_entropy"
    cdef int dtype = row_dtype(op, z)
    cdef bint has_labels = check_targets(op, z, t)
    cdef bint is_recording = recording()
    cdef Strided ready = cast_to(z, dtype)
    cdef Strided gradient = empty_like(op, Strided, dtype, ready.v.itemsize, ready) if is_recording else None
    cdef Strided losses = cross_entropy(op, ready, t if has_labels else cast_to(t, dtype), has_labels, gradient, 1)
    if is_floating(z.v.dtype):
        losses = cast_to(losses, z.v.dtype)
    if is_recording and has_labels:
        record(op, (z,), losses, {"labels": fresh_copy(t), "saved_gradient": gradient})
    elif is_recording:
        record_values("softmax_cross_entropy_soft", (z, t), losses, {"saved_gradient": gradient})
    return losses


def softmax_cross_entropy_with_gradient(logits, labels, scale=None):
    """`softmax_cross_entropy` and its gradient for logits, in one call and one pass, without a tape.

    logits: floating (..., c); labels as in `softmax_cross_entropy` -> (losses (...,), gradient (..., c)). The gradient
    is multiplied by `scale` (1 when it is None; 1 / rows gives that of the mean loss). Not recorded by tapes. Errors as
    in `softmax_cross_entropy`.

    >>> import cyops
    >>> losses, gradient = cyops.softmax_cross_entropy_with_gradient([[0., 0.]], [1])
    >>> gradient.tolist()
    [[0.5, -0.5]]
    """
    cdef Strided z = operand("softmax_cross_entropy_with_gradient", logits)
    cdef Strided t = operand("softmax_cross_entropy_with_gradient", labels)
    cdef str op = "softmax_cross_entropy"
    cdef int dtype = row_dtype(op, z)
    cdef bint has_labels = check_targets(op, z, t)
    cdef Strided ready = cast_to(z, dtype)
    cdef Strided gradient = empty_like(op, result_class(z, t), dtype, ready.v.itemsize, ready)
    cdef Strided losses = cross_entropy(op, ready, t if has_labels else cast_to(t, dtype), has_labels, gradient,
                                        1 if scale is None else scale)
    if is_floating(z.v.dtype):
        return cast_to(losses, z.v.dtype), cast_to(gradient, z.v.dtype)
    return losses, gradient


# The ops; the others here are what gradient rules are made of.
FUNCTIONS = (softmax, log_softmax, softmax_cross_entropy)
