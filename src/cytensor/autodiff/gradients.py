"""One gradient rule per op, named by argument, written with differentiable ops so that tapes nest.

`rules.py` says what the parameters of a rule may be called. Sources: the standard derivatives; for softmax
cross-entropy Bishop, "Pattern Recognition and Machine Learning" (2006), equation 4.109.
"""
from collections.abc import Callable, Sequence
from typing import Any, TypeGuard

import cyops
from cyops import (
    Strided,
    astype,
    dense,
    expand_dims,
    floor_divide,
    is_recording,
    log,
    matmul,
    one_hot,
    permute_dims,
    relu_gradient,
    reshape,
    softmax,
    take,
    where,
)
from cytensor.autodiff.rules import define, define_no_gradient, define_variadic

# -- elementwise ------------------------------------------------------------------------------------------------------
define("add", a=lambda d: d, b=lambda d: d)
define("subtract", a=lambda d: d, b=lambda d: -d)
define("multiply", a=lambda d, b: d * b, b=lambda d, a: d * a)
define("divide", a=lambda d, b: d / b, b=lambda d, b, out: -d * out / b)
define("remainder", a=lambda d: d, b=lambda d, a, b: -d * floor_divide(a, b))
define("maximum", a=lambda d, a, b: where(a >= b, d, 0), b=lambda d, a, b: where(a < b, d, 0))
define("minimum", a=lambda d, a, b: where(a <= b, d, 0), b=lambda d, a, b: where(a > b, d, 0))
define("negative", x=lambda d: -d)
define("abs", x=lambda d, x: d * cyops.sign(x))
define("square", x=lambda d, x: d * x * 2)
define("reciprocal", x=lambda d, out: -d * out * out)
define("relu", x=lambda d, out: relu_gradient(d, out))
define("exp", x=lambda d, out: d * out)
define("expm1", x=lambda d, out: d * (out + 1))
define("log", x=lambda d, x: d / x)
define("log1p", x=lambda d, x: d / (x + 1))
define("sqrt", x=lambda d, out: d * 0.5 / out)
define("tanh", x=lambda d, out: d * (1 - out * out))
define("sigmoid", x=lambda d, out: d * out * (1 - out))
define("sin", x=lambda d, x: d * cyops.cos(x))
define("cos", x=lambda d, x: -d * cyops.sin(x))
define("tan", x=lambda d, out: d * (1 + out * out))
define("asin", x=lambda d, x: d / cyops.sqrt((1 - x) * (1 + x)))
define("acos", x=lambda d, x: -d / cyops.sqrt((1 - x) * (1 + x)))
define("atan", x=lambda d, x: d / (1 + x * x))
define("atan2", y=lambda d, y, x: d * x / (x * x + y * y), x=lambda d, y, x: -d * y / (x * x + y * y))
define("sinh", x=lambda d, x: d * cyops.cosh(x))
define("cosh", x=lambda d, x: d * cyops.sinh(x))
define("asinh", x=lambda d, x: d / cyops.sqrt(x * x + 1))
define("acosh", x=lambda d, x: d / cyops.sqrt((x - 1) * (x + 1)))
define("atanh", x=lambda d, x: d / ((1 - x) * (1 + x)))
define("erf", x=lambda d, x: d * cyops.exp(-cyops.square(x)) * 1.1283791670955126)     # 2 / sqrt(pi)


def _base_gradient(d: Strided, a: Strided, b: Strided) -> Strided:
    """d * b * a^(b - 1), and 0 for b = 0 also where a is 0 or infinite."""
    if b.ndim == 0 and b.item() != 0:       # one exponent for all, which most powers have
        return d * b * a ** (b - 1)
    return d * b * a ** where(cyops.logical_and(a == 0, b == 0), 1, b - 1)


def _exponent_gradient(d: Strided, a: Strided, out: Strided) -> Strided:
    """d * a^b * log(a), and 0 where a^b is 0 or a is not positive."""
    is_curved = cyops.logical_and(a > 0, out != 0)
    return where(is_curved, d * out * log(where(is_curved, a, 1)), 0)


define("pow", a=_base_gradient, b=_exponent_gradient)
define(
    "where",
    condition=None,
    x=lambda d, condition: where(condition, d, 0),
    y=lambda d, condition: where(condition, 0, d),
)
define(
    "clip",
    x=lambda d, x, min, max: where(cyops.logical_and(x >= min, x <= max), d, 0),
    min=lambda d, x, min: where(x < min, d, 0),
    max=lambda d, x, max: where(x > max, d, 0),
)
define("astype", x=lambda d: d)             # the walk casts to the dtype of the input
define("copy", x=lambda d: d)
define_no_gradient(
    "floor_divide", "sign", "floor", "ceil", "round", "equal", "not_equal", "less", "less_equal", "greater",
    "greater_equal", "isnan", "isinf", "isfinite", "logical_not", "logical_and", "logical_or",
)


# -- views ------------------------------------------------------------------------------------------------------------
def _scatter(d: Strided, x_shape: tuple[int, ...], function: Callable[..., Strided], *args: Any) -> Strided:
    """The adjoint of a view: `d` added into zeros of `x_shape` where `function(x, *args)` looks at x."""
    shape, strides, offset = cyops.view_geometry(function, x_shape, *args)
    return cyops.scatter_view(d, x_shape, shape, strides, offset)


def _inverse(axes: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


define("getitem", x=lambda d, x_shape, key: _scatter(d, x_shape, cyops.Strided.__getitem__, key))
define("reshape", x=lambda d, x_shape: reshape(d, x_shape))
define("permute_dims", x=lambda d, axes: permute_dims(d, _inverse(axes)))
define("flip", x=lambda d, axis: cyops.flip(d, axis))
define("broadcast_to", x=lambda d: d)       # the walk sums over what was stretched
define(
    "diagonal",
    x=lambda d, x_shape, offset, axis1, axis2: _scatter(d, x_shape, cyops.diagonal, offset, axis1, axis2),
)
define(
    "sliding_window_view",
    x=lambda d, x_shape, window_shape, axis: _scatter(d, x_shape, cyops.sliding_window_view, window_shape, axis),
)
define(
    "scatter_view",
    # The strides are those of C order; `copy` would keep the order of d, which may be a transpose.
    x=lambda d, view_shape, strides, offset: cyops.as_strided(
        reshape(d, (-1,), copy=True), view_shape, strides, offset),
)


def _as_strided_gradient(d: Strided, x: Strided, shape: tuple[int, ...], strides: tuple[int, ...],
                         offset: int) -> Strided:
    """Through the storage: what `x` does not show has no gradient, what it shows often gets it in each place."""
    held = x.storage.nbytes // x.itemsize
    in_storage = cyops.scatter_view(d, (held,), shape, strides, offset)
    return cyops.as_strided(in_storage, x.shape, x.strides, x.offset)


define("as_strided", x=_as_strided_gradient)


# -- products ---------------------------------------------------------------------------------------------------------
def _rows(x: Strided) -> Strided:
    """(..., n) -> (rows, n)."""
    return reshape(x, (-1, x.shape[-1])) if x.ndim != 2 else x


def _matmul_gradient(d: Strided, a: Strided, b: Strided, wanted: int) -> Strided:
    """The gradient of matmul for `a` (wanted 0) or `b` (wanted 1), vectors as matrices of one row or column."""
    if a.ndim == 1 and b.ndim == 1:
        return d * (b, a)[wanted]
    if a.ndim >= 2 and b.ndim == 2 and wanted == 1:
        return matmul(_rows(a).mT, _rows(d))
    rows = expand_dims(a, 0) if a.ndim == 1 else a
    columns = expand_dims(b, -1) if b.ndim == 1 else b
    if a.ndim == 1:
        d = expand_dims(d, -2)
    if b.ndim == 1:
        d = expand_dims(d, -1)
    if wanted == 0:
        gradient = matmul(d, columns.mT)
        return gradient[..., 0, :] if a.ndim == 1 else gradient
    gradient = matmul(rows.mT, d)
    return gradient[..., 0] if b.ndim == 1 else gradient


def _tensordot_gradient(d: Strided, a: Strided, b: Strided, axes: tuple[Sequence[int], Sequence[int]],
                        wanted: int) -> Strided:
    """The gradient of tensordot for `a` (wanted 0) or `b` (wanted 1): contract d with the other one's free axes."""
    mine, other = (a, b) if wanted == 0 else (b, a)
    my_axes, other_axes = axes if wanted == 0 else axes[::-1]
    free = [axis for axis in range(other.ndim) if axis not in other_axes]
    kept = [axis for axis in range(mine.ndim) if axis not in my_axes]
    d_axes = list(range(d.ndim - len(free), d.ndim)) if wanted == 0 else list(range(len(free)))
    gradient = cyops.tensordot(d, other, axes=(d_axes, free))
    # gradient has mine's free axes, then the contracted ones in the order they have in `other`
    contracted = sorted(range(len(other_axes)), key=lambda i: other_axes[i])
    order = kept + [my_axes[i] for i in contracted]
    return permute_dims(gradient, _inverse(order))


def _dot_axes(a: Strided, b: Strided) -> tuple[tuple[int], tuple[int]]:
    return (a.ndim - 1,), (max(b.ndim - 2, 0),)


def _dot_gradient(d: Strided, a: Strided, b: Strided, wanted: int) -> Strided:
    if a.ndim == 0 or b.ndim == 0:
        return d * (b, a)[wanted]
    return _tensordot_gradient(d, a, b, _dot_axes(a, b), wanted)


def _suits(known: Strided | None, *operands: Strided) -> TypeGuard[Strided]:
    """Whether a product of these can be added to `known` while it is computed."""
    if known is None or known.itemsize < 4 or known.strides != (known.shape[-1], 1):
        return False
    return all(x.dtype == known.dtype for x in operands)


def _matmul_gradients(positions: tuple[int, ...], known: Sequence[Strided | None], d: Strided, a: Any = None,
                      b: Any = None) -> list[Strided]:
    """Those of `_matmul_gradient`; a matrix b that other products have used too is added to in place."""
    gradients = []
    for wanted, gradient in zip(positions, known, strict=True):
        if wanted == 1 and a.ndim > 1 and _suits(gradient, d, a):
            gradients.append(cyops.add_matmul(gradient, _rows(a).mT, _rows(d)))
        else:
            gradients.append(_matmul_gradient(d, a, b, wanted))
    return gradients


def _dense_gradients(positions: tuple[int, ...], known: Sequence[Strided | None], d: Strided, x: Any = None,
                     kernel: Any = None, out: Any = None, activation: str | None = None) -> list[Strided]:
    """One pass for the mask, the bias and the products; what is not named is not wanted."""
    add_to = known[positions.index(1)] if 1 in positions else None
    found: Any = cyops.dense_backward(
        d, x, kernel, out if activation == "relu" else None, bias=2 in positions,
        kernel_gradient=add_to if _suits(add_to, d, x) else None,
    )
    return [found[i] for i in positions]


define(
    "matmul",
    joint=_matmul_gradients,
    a=lambda d, a, b: _matmul_gradient(d, a, b, 0),
    b=lambda d, a, b: _matmul_gradient(d, a, b, 1),
)
define("dot", a=lambda d, a, b: _dot_gradient(d, a, b, 0), b=lambda d, a, b: _dot_gradient(d, a, b, 1))
define(
    "tensordot",
    a=lambda d, a, b, axes: _tensordot_gradient(d, a, b, axes, 0),
    b=lambda d, a, b, axes: _tensordot_gradient(d, a, b, axes, 1),
)
define(
    "contract",
    a=lambda d, b, axes_a, axes_b, axes_out: cyops.contract(d, axes_out, b, axes_b, axes_a),
    b=lambda d, a, axes_a, axes_b, axes_out: cyops.contract(a, axes_a, d, axes_out, axes_b),
)
define(
    "dense",
    joint=_dense_gradients,
    before=lambda d, out, activation: relu_gradient(d, out) if activation == "relu" else d,
    x=lambda d, kernel: dense(d, kernel.mT),
    kernel=lambda d, x: matmul(_rows(x).mT, _rows(d)),
    bias=lambda d: cyops.sum(_rows(d), axis=0),
)
define("relu_gradient", d=lambda d, y: relu_gradient(d, y), y=None)


# -- convolutions: each gradient is a member of the same family -------------------------------------------------------
def _sum_over_places(d: Strided, window: tuple[Any, ...]) -> Strided:
    """The gradient of a bias: over all axes but that of the channels."""
    channels = d.ndim - 1 if window[-1] == "channels_last" else 1
    return cyops.sum(d, axis=tuple([axis for axis in range(d.ndim) if axis != channels]))


def _masked(d: Strided, out: Strided, activation: str | None) -> Strided:
    return relu_gradient(d, out) if activation == "relu" else d


def _conv_gradients(positions: tuple[int, ...], known: Sequence[Strided | None], d: Strided, x: Any = None,
                    kernel: Any = None, out: Any = None, activation: str | None = None, x_shape: Any = None,
                    kernel_shape: Any = None, window: Any = None) -> list[Strided]:
    """One call for the mask, the bias and both contractions; what is not named is not wanted."""
    found: Any = cyops.conv_backward(d, x_shape, kernel_shape, window, x=x, kernel=kernel,
                                     y=out if activation == "relu" else None, bias=2 in positions)
    return [found[i] for i in positions]


define(
    "conv",
    joint=_conv_gradients,
    before=_masked,
    x=lambda d, kernel, x_shape, kernel_shape, window: cyops.conv_input_gradient(d, kernel, x_shape, window),
    kernel=lambda d, x, x_shape, kernel_shape, window: cyops.conv_kernel_gradient(x, d, kernel_shape, window),
    bias=lambda d, x_shape, kernel_shape, window: _sum_over_places(d, window),
)
define(
    "conv_transpose",
    before=_masked,
    x=lambda d, kernel, x_shape, window: cyops.conv_with_shape(d, kernel, x_shape, window),
    kernel=lambda d, x, kernel_shape, window: cyops.conv_kernel_gradient(d, x, kernel_shape, window),
    bias=lambda d, window: _sum_over_places(d, window),
)
define(
    "conv_kernel_gradient",
    x=lambda d, y, x_shape, window: cyops.conv_input_gradient(y, d, x_shape, window),
    y=lambda d, x, y_shape, window: cyops.conv_with_shape(x, d, y_shape, window),
)


# -- reductions -------------------------------------------------------------------------------------------------------
def _spread(d: Strided, x_shape: tuple[int, ...], axis: tuple[int, ...] | None, keepdims: bool) -> Strided:
    """A reduction's `d` with its reduced axes back, as length 1: ready to broadcast against x."""
    if keepdims or axis is None:            # a scalar broadcasts as it is
        return d
    return reshape(d, tuple([1 if i in axis else n for i, n in enumerate(x_shape)]))


def _reduced_count(x_shape: tuple[int, ...], axis: tuple[int, ...] | None) -> int:
    count = 1
    for i in range(len(x_shape)) if axis is None else axis:
        count *= x_shape[i]
    return count


def _extreme_gradient(d: Strided, x: Strided, out: Strided, axis: tuple[int, ...] | None, keepdims: bool) -> Strided:
    """Shared evenly between equal extremes."""
    hit = astype(x == _spread(out, x.shape, axis, keepdims), d.dtype)
    return hit * _spread(d, x.shape, axis, keepdims) / cyops.sum(hit, axis=axis, keepdims=True)


def _product_gradient(d: Strided, x: Strided, axis: tuple[int, ...] | None, keepdims: bool) -> Strided:
    """d times the product of the others, which no division finds: there may be zeros and infinities among them."""
    axes = tuple(range(x.ndim)) if axis is None else axis
    order = (*[i for i in range(x.ndim) if i not in axes], *axes)
    moved = permute_dims(x, order)
    rows = reshape(moved, (*moved.shape[: x.ndim - len(axes)], _reduced_count(x.shape, axes)))
    if rows.itemsize < 4:                   # a half: each product would be rounded
        rows = astype(rows, "float32")
    others = _product_before(rows) * cyops.flip(_product_before(cyops.flip(rows, -1)), -1)
    return _spread(d, x.shape, axis, keepdims) * permute_dims(reshape(others, moved.shape), _inverse(order))


def _product_before(rows: Strided) -> Strided:
    """(..., n) -> (..., n): at each place the product of what stands before it, by doubling the reach."""
    count = rows.shape[-1]
    if rows.size == 0:
        return rows
    products = cyops.concat([cyops.ones((*rows.shape[:-1], 1), rows.dtype), rows[..., :-1]], axis=-1)
    reach = 1
    while reach < count:
        products = cyops.concat([products[..., :reach], products[..., reach:] * products[..., :-reach]], axis=-1)
        reach *= 2
    return products


def _centred(x: Strided, axis: tuple[int, ...] | None) -> Strided:
    return x - cyops.mean(x, axis=axis, keepdims=True)


def _deviation_gradient(d: Strided, x: Strided, out: Strided, axis: tuple[int, ...] | None, correction: float,
                        keepdims: bool) -> Strided:
    """Of elements that are all equal, where the deviation has a corner, 0: the mean of its slopes."""
    share = where(out == 0, 0, d / where(out == 0, 1, out))
    return _spread(share, x.shape, axis, keepdims) * _centred(x, axis) / (
        _reduced_count(x.shape, axis) - correction)


define("sum", x=lambda d, x_shape, axis, keepdims: _spread(d, x_shape, axis, keepdims))       # the walk stretches it
define("mean", x=lambda d, x_shape, axis, keepdims: _spread(d / _reduced_count(x_shape, axis), x_shape, axis, keepdims))
define("max", x=_extreme_gradient)
define("min", x=_extreme_gradient)
define("prod", x=_product_gradient)
define(
    "var",
    x=lambda d, x, axis, correction, keepdims: _spread(d, x.shape, axis, keepdims)
    * _centred(x, axis) * 2 / (_reduced_count(x.shape, axis) - correction),
)
define("std", x=_deviation_gradient)
define_no_gradient("argmax", "argmin", "any", "all", "one_hot")


# -- rows -------------------------------------------------------------------------------------------------------------
def _softmax_gradient(d: Strided, out: Strided, axis: int) -> Strided:
    if is_recording():
        return out * (d - cyops.sum(d * out, axis=axis, keepdims=True))
    return cyops.softmax_gradient(d, out, axis)


def _log_softmax_gradient(d: Strided, out: Strided, axis: int) -> Strided:
    if is_recording():
        return d - cyops.exp(out) * cyops.sum(d, axis=axis, keepdims=True)
    return cyops.log_softmax_gradient(d, out, axis)


def _cross_entropy_gradient(d: Strided, logits: Strided, labels: Strided, saved_gradient: Strided) -> Strided:
    """d per sample times p - onehot; the saved one, unless an outer tape must see how it came about."""
    d = expand_dims(d, -1)
    if not is_recording():
        return d * saved_gradient
    targets = one_hot(labels, logits.shape[-1], dtype=logits.dtype)
    return d * (softmax(logits) - targets)


def _soft_cross_entropy_gradient(d: Strided, logits: Strided, targets: Strided, saved_gradient: Strided) -> Strided:
    d = expand_dims(d, -1)
    if not is_recording():
        return d * saved_gradient
    return d * (softmax(logits) * cyops.sum(targets, axis=-1, keepdims=True) - targets)


define("softmax", x=_softmax_gradient)
define("log_softmax", x=_log_softmax_gradient)
define("softmax_cross_entropy", logits=_cross_entropy_gradient)
define(
    "softmax_cross_entropy_soft",
    logits=_soft_cross_entropy_gradient,
    targets=lambda d, logits: -expand_dims(d, -1) * cyops.log_softmax(logits),
)


# -- pooling ----------------------------------------------------------------------------------------------------------
# Each gradient is linear in d, and its own gradient is its adjoint.
define("max_pool", x=lambda d, indices, window: cyops.max_pool_gradient(d, indices, window))
define("max_pool_gradient", d=lambda d, indices, window: cyops.max_pool_chosen(d, indices, window))
define("max_pool_chosen", x=lambda d, indices, window: cyops.max_pool_gradient(d, indices, window))
define("average_pool", x=lambda d, window: cyops.average_pool_gradient(d, window))
define("average_pool_gradient", d=lambda d, window: cyops.average_pool_like(d, window))


def _pixels(shape: tuple[int, ...], data_format: str) -> tuple[int, ...]:
    """The height and width of images of a shape."""
    return shape[-3:-1] if data_format == "channels_last" else shape[-2:]


define(
    "resize",
    images=lambda d, images_shape, interpolation, antialias, data_format: cyops.resize_gradient(
        d, _pixels(images_shape, data_format), interpolation, antialias, data_format),
)
define(
    "resize_gradient",
    d=lambda d, d_shape, interpolation, antialias, data_format: cyops.resize(
        d, _pixels(d_shape, data_format), interpolation, antialias, data_format),
)


# -- padding ----------------------------------------------------------------------------------------------------------
def _pad_gradient(d: Strided, x_shape: tuple[int, ...], widths: Sequence[tuple[int, int]], mode: str) -> Strided:
    """The part that was x; where the padding holds elements of x too, added into these, axis by axis."""
    for axis in reversed(range(d.ndim)) if mode != "constant" else ():
        if sum(widths[axis]) > 0 and d.size > 0:
            positions = cyops.padded_positions(x_shape[axis], *widths[axis], mode)
            shape = (*d.shape[:axis], x_shape[axis], *d.shape[axis + 1:])
            d = cyops.take_gradient(d, positions, shape, axis)
    if d.shape == x_shape:
        return d
    return d[tuple(slice(before, before + n) for (before, _), n in zip(widths, x_shape, strict=True))]


define("pad", x=_pad_gradient)
define("roll", x=lambda d, shift: cyops.roll(d, [-by for by in shift], tuple(range(d.ndim))))


# -- normalization ----------------------------------------------------------------------------------------------------
def _others(x: Strided, axis: int) -> tuple[int, ...]:
    return tuple(i for i in range(x.ndim) if i != axis)


def _normal(x: Strided, axis: int, epsilon: float) -> tuple[Strided, Strided]:
    """((x - mean) / deviation, 1 / deviation) of each channel."""
    centred = x - cyops.mean(x, axis=_others(x, axis), keepdims=True)
    variance = cyops.mean(cyops.square(centred), axis=_others(x, axis), keepdims=True)
    inverse = cyops.reciprocal(cyops.sqrt(variance + epsilon))
    return centred * inverse, inverse


def _normalized_gradient(d: Strided, x: Strided, gamma: Strided | None, axis: int, epsilon: float) -> Strided:
    others, (normal, inverse) = _others(x, axis), _normal(x, axis, epsilon)
    if gamma is not None:
        d = d * reshape(gamma, tuple(n if i == axis else 1 for i, n in enumerate(x.shape)))
    mean = cyops.mean(d, axis=others, keepdims=True)
    return inverse * (d - mean - normal * cyops.mean(d * normal, axis=others, keepdims=True))


def _batch_normalize_gradients(positions: tuple[int, ...], known: Sequence[Strided | None], d: Strided,
                               x: Any = None, gamma: Any = None, axis: int = -1, epsilon: float = 0.0,
                               moments: Any = None) -> list[Strided]:
    """Those of the plain forms, in one pass for the sums and one for the result."""
    found = cyops.batch_normalize_gradients(d, x, moments, gamma, axis, epsilon)
    return [found[i] for i in positions]


define(
    "batch_normalize",
    joint=_batch_normalize_gradients,
    x=lambda d, x, gamma, axis, epsilon, moments: _normalized_gradient(d, x, gamma, axis, epsilon),
    gamma=lambda d, x, gamma, axis, epsilon, moments: cyops.sum(
        d * _normal(x, axis, epsilon)[0], axis=_others(x, axis)),
    beta=lambda d, x, gamma, axis, epsilon, moments: cyops.sum(d, axis=_others(x, axis)),
)


# -- gathering --------------------------------------------------------------------------------------------------------
define("take", x=lambda d, x_shape, indices, axis: cyops.take_gradient(d, indices, x_shape, axis))
define("take_gradient", d=lambda d, indices, axis: take(d, indices, axis=axis))
define(
    "scatter_add",
    x=lambda d: d,
    updates=lambda d, indices, axis: take(d, indices, axis=axis),
)


def _concat_gradient(d: Strided, index: int, inputs: Sequence[Strided], axis: int) -> Strided:
    start = sum(x.shape[axis] for x in inputs[:index])
    return d[(slice(None),) * axis + (slice(start, start + inputs[index].shape[axis]),)]


define_variadic("concat", _concat_gradient)
define_variadic("stack", lambda d, index, axis: d[(slice(None),) * axis + (index,)])
