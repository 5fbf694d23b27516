"""One row per op: sample operands, an independent reference in NumPy, and how the operands may be drawn.

`test_ops.py` runs every row over every layout and dtype; `test_gradients.py` checks the gradient of every row that has
one. A row for an op that does not exist, or an op without a row, fails `test_completeness.py`.
"""
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import cyops
from cytensor import activations
from cytensor.composites import COMPOSITES
from cytensor.numpy_functions import NUMPY_FUNCTIONS


class Sample(NamedTuple):
    """How to call one op and what it must give.

    `draw(rng)` gives the floating operands as float64 arrays; `call(*tensors)` runs the op; `reference(*arrays)`
    evaluates it in float64. `terms` bounds, element by element, the sum of the absolute values the result is made of:
    the tolerance is `factor` * eps * terms.
    """

    draw: Callable
    call: Callable
    reference: Callable
    factor: float = 4.0
    terms: Callable | None = None
    has_gradient: bool = True


def normal(*shapes):
    return lambda rng: [rng.normal(size=shape) for shape in shapes]


def positive(*shapes):
    return lambda rng: [rng.uniform(0.5, 2.0, size=shape) for shape in shapes]


def distinct(*shapes):
    """Values no two of which are close, so that max and sorting have a gradient."""
    return lambda rng: [
        (rng.permutation(int(np.prod(shape))).reshape(shape) + 0.3) / max(np.prod(shape), 1) - 0.5 for shape in shapes
    ]


def apart_from_zero(*shapes):
    return lambda rng: [rng.uniform(0.3, 2.0, size=s) * rng.choice([-1.0, 1.0], size=s) for s in shapes]


def inside(*shapes):
    """Within (-1, 1), not close to its ends."""
    return lambda rng: [rng.uniform(-0.9, 0.9, size=s) for s in shapes]


def _pair(call, reference, draw=None, **options):
    return Sample(draw or normal((4, 5), (4, 5)), call, reference, **options)


def _single(call, reference, draw=None, **options):
    return Sample(draw or normal((4, 5)), call, reference, **options)


def _softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def _log_softmax(x, axis=-1):
    shifted = x - x.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


LABELS = np.array([1, 0, 4, 2])
ORDER = np.array([[4, 0, -1], [1, 1, 2], [0, 3, 2], [-5, 0, 1]])
INDICES = np.array([[2, 0], [3, 2]])
ELEMENTWISE = {
    "add": _pair(cyops.add, np.add, terms=lambda a, b: abs(a) + abs(b)),
    "subtract": _pair(cyops.subtract, np.subtract, terms=lambda a, b: abs(a) + abs(b)),
    "multiply": _pair(cyops.multiply, np.multiply),
    "divide": _pair(cyops.divide, np.divide, apart_from_zero((4, 5), (4, 5))),
    "floor_divide": _pair(cyops.floor_divide, np.floor_divide, positive((4, 5), (4, 5)), has_gradient=False),
    "remainder": _pair(cyops.remainder, np.remainder, positive((4, 5), (4, 5)), terms=lambda a, b: abs(a) + abs(b)),
    "pow": _pair(cyops.pow, np.power, positive((4, 5), (4, 5)), factor=16),
    "maximum": _pair(cyops.maximum, np.maximum),
    "minimum": _pair(cyops.minimum, np.minimum),
    "negative": _single(cyops.negative, np.negative),
    "abs": _single(cyops.abs, np.abs, apart_from_zero((4, 5))),
    "sign": _single(cyops.sign, np.sign, has_gradient=False),
    "square": _single(cyops.square, np.square),
    "reciprocal": _single(cyops.reciprocal, np.reciprocal, apart_from_zero((4, 5))),
    "floor": _single(cyops.floor, np.floor, has_gradient=False),
    "ceil": _single(cyops.ceil, np.ceil, has_gradient=False),
    "round": _single(cyops.round, np.round, has_gradient=False),
    "relu": _single(cyops.relu, lambda x: np.maximum(x, 0), apart_from_zero((4, 5))),
    "relu_gradient": _pair(
        cyops.relu_gradient, lambda d, out: np.where(out > 0, d, 0), apart_from_zero((4, 5), (4, 5))
    ),
    "clip": _single(lambda x: cyops.clip(x, -0.5, 0.5), lambda x: np.clip(x, -0.5, 0.5), distinct((4, 5))),
    "exp": _single(cyops.exp, np.exp),
    "expm1": _single(cyops.expm1, np.expm1),
    "log": _single(cyops.log, np.log, positive((4, 5)), terms=lambda x: 1 + abs(np.log(x))),
    "log1p": _single(cyops.log1p, np.log1p, positive((4, 5))),
    "sqrt": _single(cyops.sqrt, np.sqrt, positive((4, 5))),
    "tanh": _single(cyops.tanh, np.tanh),
    "sigmoid": _single(cyops.sigmoid, lambda x: 1 / (1 + np.exp(-x))),
    "erf": _single(cyops.erf, np.vectorize(math.erf)),
    "sin": _single(cyops.sin, np.sin),
    "cos": _single(cyops.cos, np.cos),
    "tan": _single(cyops.tan, np.tan, inside((4, 5))),
    "asin": _single(cyops.asin, np.arcsin, inside((4, 5))),
    "acos": _single(cyops.acos, np.arccos, inside((4, 5))),
    "atan": _single(cyops.atan, np.arctan),
    "atan2": _pair(cyops.atan2, np.arctan2, apart_from_zero((4, 5), (4, 5))),
    "sinh": _single(cyops.sinh, np.sinh),
    "cosh": _single(cyops.cosh, np.cosh),
    "asinh": _single(cyops.asinh, np.arcsinh),
    "acosh": _single(cyops.acosh, np.arccosh, lambda rng: [rng.uniform(1.2, 4.0, size=(4, 5))]),
    "atanh": _single(cyops.atanh, np.arctanh, inside((4, 5))),
    "where": _pair(
        lambda x, y: cyops.where(np.arange(20).reshape(4, 5) % 3 == 0, x, y),
        lambda x, y: np.where(np.arange(20).reshape(4, 5) % 3 == 0, x, y),
    ),
    "astype": _single(lambda x: cyops.astype(x, "float64"), lambda x: x),
    "copy": _single(cyops.copy, lambda x: x),
}
ELEMENTWISE |= {
    name: _pair(getattr(cyops, name), getattr(np, name), has_gradient=False)
    for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or")
}
ELEMENTWISE |= {
    name: _single(getattr(cyops, name), getattr(np, name), has_gradient=False)
    for name in ("isnan", "isinf", "isfinite", "logical_not")
}


def _windows(x):
    return np.lib.stride_tricks.sliding_window_view(x, (2, 3))


def _as_strided_reference(x):
    return np.stack([x.reshape(-1)[i : i + 6 : 2] for i in range(4)])


VIEWS = {
    "reshape": _single(lambda x: cyops.reshape(x, (2, -1)), lambda x: x.reshape(2, -1)),
    "view": _single(lambda x: cyops.view(cyops.copy(x)[:, :1], (2, 2)), lambda x: x[:, :1].reshape(2, 2)),
    "permute_dims": _single(
        lambda x: cyops.permute_dims(x, (2, 0, 1)), lambda x: x.transpose(2, 0, 1), normal((2, 3, 4))
    ),
    "matrix_transpose": _single(
        cyops.matrix_transpose, lambda x: np.swapaxes(x, -1, -2), normal((2, 3, 4))
    ),
    "expand_dims": _single(lambda x: cyops.expand_dims(x, 1), lambda x: x[:, None]),
    "squeeze": _single(cyops.squeeze, np.squeeze, normal((3, 1, 2, 1))),
    "flip": _single(lambda x: cyops.flip(x, 1), lambda x: x[:, ::-1]),
    "broadcast_to": _single(
        lambda x: cyops.broadcast_to(x, (2, 3, 4)), lambda x: np.broadcast_to(x, (2, 3, 4)), normal((3, 1))
    ),
    "diagonal": _single(lambda x: cyops.diagonal(x, 1), lambda x: np.diagonal(x, 1)),
    "sliding_window_view": _single(lambda x: cyops.sliding_window_view(x, (2, 3)), _windows),
    "as_strided": _single(
        lambda x: cyops.as_strided(cyops.reshape(x, -1, copy=True), (4, 3), (1, 2), 0), _as_strided_reference
    ),
}


def _absolute(function):
    return lambda *arrays: function(*[np.abs(a) for a in arrays])


PRODUCTS = {
    "matmul": _pair(
        cyops.matmul, np.matmul, normal((2, 4, 5), (5, 3)), terms=_absolute(np.matmul), factor=8
    ),
    "dot": _pair(cyops.dot, np.dot, normal((2, 3, 4), (5, 4, 2)), terms=_absolute(np.dot), factor=8),
    "tensordot": _pair(
        lambda a, b: cyops.tensordot(a, b, axes=((1, 2), (2, 0))),
        lambda a, b: np.tensordot(a, b, axes=((1, 2), (2, 0))),
        normal((2, 3, 4), (4, 5, 3)),
        terms=_absolute(lambda a, b: np.tensordot(a, b, axes=((1, 2), (2, 0)))),
        factor=8,
    ),
    "einsum": _pair(
        lambda a, b: cyops.einsum("iij,kj...->ki...", a, b),
        lambda a, b: np.einsum("iij,kj...->ki...", a, b),
        normal((3, 3, 4), (2, 4, 5)),
        terms=_absolute(lambda a, b: np.einsum("iij,kj...->ki...", a, b)),
        factor=8,
    ),
    "dense": Sample(
        normal((6, 5), (5, 3), (3,)),
        lambda x, kernel, bias: cyops.dense(x, kernel, bias, activation="relu"),
        lambda x, kernel, bias: np.maximum(x @ kernel + bias, 0),
        factor=8,
        terms=lambda x, kernel, bias: abs(x) @ abs(kernel) + abs(bias),
    ),
}


def _conv_reference(x, kernel, bias=None, strides=1, before=0, after=0, dilation=1, groups=1):
    """(n, s, s, c) and (k, k, c / groups, f) -> (n, o, o, f), by a sum over taps of a padded copy."""
    x = np.pad(x, ((0, 0), (before, after), (before, after), (0, 0)))
    extent = [dilation * (k - 1) + 1 for k in kernel.shape[:2]]
    lengths = [(n - e) // strides + 1 for n, e in zip(x.shape[1:3], extent, strict=True)]
    out = np.zeros((x.shape[0], *lengths, kernel.shape[-1]))
    split = x.reshape(*x.shape[:3], groups, -1)
    weights = kernel.reshape(*kernel.shape[:3], groups, -1)
    for i, j in np.ndindex(kernel.shape[:2]):
        rows = slice(i * dilation, i * dilation + (lengths[0] - 1) * strides + 1, strides)
        columns = slice(j * dilation, j * dilation + (lengths[1] - 1) * strides + 1, strides)
        out += np.einsum("nhwgc,cgf->nhwgf", split[:, rows, columns], weights[i, j]).reshape(out.shape)
    return out if bias is None else out + bias


def _conv_transpose_reference(x, kernel, bias):
    """Stride 2 and padding "valid": every element of x adds the kernel to the result, by loops."""
    n, h, w, _ = x.shape
    out = np.zeros((n, 2 * (h - 1) + max(kernel.shape[0], 2), 2 * (w - 1) + max(kernel.shape[1], 2), kernel.shape[2]))
    for i, j in np.ndindex(h, w):
        patch = np.einsum("nc,abfc->nabf", x[:, i, j], kernel)
        out[:, 2 * i : 2 * i + kernel.shape[0], 2 * j : 2 * j + kernel.shape[1]] += patch
    return out + bias


def _conv_kernel_gradient_reference(x, d):
    return np.stack([np.stack([np.einsum("nhwc,nhwf->cf", x[:, i : i + 3, j : j + 3], d) for j in range(2)])
                     for i in range(2)])


def _depthwise_reference(x, kernel):
    return _conv_reference(x, kernel.reshape(*kernel.shape[:2], 1, -1), groups=x.shape[-1])


CONVOLUTIONS = {
    "conv": Sample(
        normal((2, 6, 5, 4), (3, 2, 2, 6), (6,)),
        lambda x, kernel, bias: cyops.conv(x, kernel, bias, strides=2, padding=1, groups=2, activation="relu"),
        lambda x, kernel, bias: np.maximum(_conv_reference(x, kernel, bias, 2, 1, 1, 1, 2), 0),
        factor=8,
        terms=lambda x, kernel, bias: _conv_reference(abs(x), abs(kernel), abs(bias), 2, 1, 1, 1, 2),
    ),
    "conv_transpose": Sample(
        normal((2, 3, 2, 4), (3, 2, 5, 4), (5,)),
        lambda x, kernel, bias: cyops.conv_transpose(x, kernel, bias, strides=2),
        _conv_transpose_reference,
        factor=8,
        terms=lambda x, kernel, bias: _conv_transpose_reference(abs(x), abs(kernel), abs(bias)),
    ),
}
CONVOLUTION_GRADIENTS = {
    "conv_kernel_gradient": _pair(
        lambda x, d: cyops.conv_kernel_gradient(x, d, (2, 2, 3, 2), ((1, 1), (0, 0), (1, 1), 1, "channels_last")),
        _conv_kernel_gradient_reference,
        normal((2, 4, 4, 3), (2, 3, 3, 2)),
        factor=8,
        terms=_absolute(_conv_kernel_gradient_reference),
    ),
}


def _sum_terms(x):
    return np.abs(x).sum(axis=1)


REDUCTIONS = {
    "sum": _single(lambda x: cyops.sum(x, axis=1), lambda x: x.sum(axis=1), terms=_sum_terms),
    "mean": _single(lambda x: cyops.mean(x, axis=1), lambda x: x.mean(axis=1), terms=_sum_terms),
    "prod": _single(lambda x: cyops.prod(x, axis=1), lambda x: x.prod(axis=1), factor=16),
    "max": _single(lambda x: cyops.max(x, axis=1), lambda x: x.max(axis=1), distinct((4, 5))),
    "min": _single(lambda x: cyops.min(x, axis=(0, 1)), lambda x: x.min(axis=(0, 1)), distinct((4, 5))),
    "var": _single(lambda x: cyops.var(x, axis=0), lambda x: x.var(axis=0), factor=32),
    "std": _single(lambda x: cyops.std(x, axis=1, correction=1), lambda x: x.std(axis=1, ddof=1), factor=32),
    "argmax": _single(lambda x: cyops.argmax(x, axis=1), lambda x: x.argmax(axis=1), has_gradient=False),
    "argmin": _single(lambda x: cyops.argmin(x, axis=0), lambda x: x.argmin(axis=0), has_gradient=False),
    "any": _single(lambda x: cyops.any(x, axis=1), lambda x: x.any(axis=1), has_gradient=False),
    "all": _single(lambda x: cyops.all(x, axis=1), lambda x: x.all(axis=1), has_gradient=False),
}
ROWS = {
    "softmax": _single(cyops.softmax, _softmax, factor=32),
    "log_softmax": _single(cyops.log_softmax, _log_softmax, terms=lambda x: 1 + abs(_log_softmax(x)), factor=16),
    "softmax_cross_entropy": _single(
        lambda x: cyops.softmax_cross_entropy(x, LABELS),
        lambda x: -_log_softmax(x)[np.arange(4), LABELS],
        terms=lambda x: 1 + abs(x).max(axis=1),
        factor=16,
    ),
}


def _scatter_reference(x, updates):
    out = x.copy()
    np.add.at(out, INDICES, updates)
    return out


GATHER = {
    "take": _single(lambda x: cyops.take(x, INDICES, axis=0), lambda x: x.take(INDICES, axis=0)),
    "scatter_add": _pair(
        lambda x, updates: cyops.scatter_add(x, INDICES, updates, axis=0),
        _scatter_reference,
        normal((4, 5), (2, 2, 5)),
        terms=lambda x, updates: _scatter_reference(abs(x), abs(updates)),
    ),
    "one_hot": Sample(
        lambda rng: [], lambda: cyops.one_hot(LABELS, 5), lambda: np.eye(5)[LABELS], has_gradient=False
    ),
    "concat": _pair(
        lambda a, b: cyops.concat([a, b], axis=1), lambda a, b: np.concatenate([a, b], axis=1), normal((4, 5), (4, 2))
    ),
    "stack": _pair(lambda a, b: cyops.stack([a, b], axis=1), lambda a, b: np.stack([a, b], axis=1)),
}


def _take_gradient_reference(d):
    out = np.zeros((4, 5))
    np.add.at(out, INDICES, d)
    return out


def _scatter_view_reference(d):
    out = np.zeros((2, 6))
    for i in range(3):
        out.reshape(-1)[i + 1 : i + 5] += d[i]
    return out


def _windows_of(x):
    """(2, 5, 4, 3) -> the windows of 3 x 2 with strides (2, 2), the first row of which is padding."""
    padded = np.pad(x, ((0, 0), (1, 0), (0, 0), (0, 0)), constant_values=np.nan)
    return np.lib.stride_tricks.sliding_window_view(padded, (3, 2), (1, 2))[:, ::2, ::2]


WINDOW = {"pool_size": (3, 2), "strides": 2, "padding": ((1, 0), (0, 0))}
# As records have it: (channels_first, an axis: length, positions, taps, stride, before).
GEOMETRY = (False, ((5, 2, 3, 2, 1), (4, 2, 2, 2, 0)))
CHOSEN = np.random.default_rng(12).integers(2, 6, (2, 2, 2, 3)).astype(np.uint8)       # numbers, none in the padding


def _chosen(x):
    numbered = _windows_of(x).reshape(2, 2, 2, 3, 6)
    return np.take_along_axis(numbered, CHOSEN[..., None].astype(int), -1)[..., 0]


def _adjoint(function, d, shape):
    """The adjoint of a linear function of x in `shape`, at d: one column at a time."""
    units = np.eye(int(np.prod(shape))).reshape(-1, *shape)
    return np.array([np.sum(function(unit) * d) for unit in units]).reshape(shape)


def _mean_of_windows(x):
    return np.nanmean(_windows_of(x), axis=(-2, -1))


POOLING = {
    "max_pool": _single(
        lambda x: cyops.max_pool(x, **WINDOW), lambda x: np.nanmax(_windows_of(x), axis=(-2, -1)),
        distinct((2, 5, 4, 3)),
    ),
    "average_pool": _single(
        lambda x: cyops.average_pool(x, **WINDOW), _mean_of_windows, normal((2, 5, 4, 3)),
        terms=lambda x: _mean_of_windows(abs(x)),
    ),
}


def _resized(x):
    """(2, 3, 4, 2) -> (2, 5, 2, 2), bilinear."""
    def weights(length, places):
        centres = (np.arange(places)[:, None] + 0.5) * length / places
        found = np.maximum(1 - abs(np.arange(length) + 0.5 - centres), 0)
        return found / found.sum(1, keepdims=True)
    return np.einsum("nhwc,ih,jw->nijc", x, weights(3, 5), weights(4, 2))


SPATIAL = {
    "resize": _single(
        lambda x: cyops.resize(x, (5, 2)), _resized, normal((2, 3, 4, 2)), terms=lambda x: _resized(abs(x)),
    ),
    "pad": _single(
        lambda x: cyops.pad(x, ((1, 2), (3, 0)), "reflect"), lambda x: np.pad(x, ((1, 2), (3, 0)), "reflect"),
    ),
    "roll": _single(lambda x: cyops.roll(x, (1, -2), (0, 1)), lambda x: np.roll(x, (1, -2), (0, 1))),
}


def _batch_normalized(x, gamma, beta):
    return (x - x.mean(0)) / np.sqrt(x.var(0) + 0.1) * gamma + beta


# What is recorded under a name of its own without being a public op: the adjoints that the rules use.
RECORDED_ONLY = {
    "contract": _pair(
        lambda a, b: cyops.contract(a, (7, 4, 2), b, (2, 7, 3), (3, 7, 4)),
        lambda a, b: np.einsum("bik,kbj->jbi", a, b),
        lambda rng: [rng.normal(size=(3, 4, 5)), rng.normal(size=(5, 3, 2))],
        terms=_absolute(lambda a, b: np.einsum("bik,kbj->jbi", a, b)),
    ),
    "log2": _single(NUMPY_FUNCTIONS["log2"], np.log2, positive((4, 5))),
    "log10": _single(NUMPY_FUNCTIONS["log10"], np.log10, positive((4, 5))),
    "logaddexp": _pair(NUMPY_FUNCTIONS["logaddexp"], np.logaddexp, terms=lambda a, b: 1 + abs(a) + abs(b)),
    "hypot": _pair(NUMPY_FUNCTIONS["hypot"], np.hypot),
    "copysign": _pair(NUMPY_FUNCTIONS["copysign"], np.copysign, apart_from_zero((4, 5), (4, 5))),
    "running_sum": _single(
        lambda x: COMPOSITES["cumsum"](x), lambda x: np.cumsum(x), terms=lambda x: np.cumsum(abs(x))),
    "running_product": _single(
        lambda x: COMPOSITES["cumprod"](x, 0, reverse=True), lambda x: np.cumprod(x[::-1], axis=0)[::-1],
        lambda rng: [rng.normal(size=(4, 5)) * (rng.random((4, 5)) > 0.2)],
    ),
    "getitem": _single(lambda x: x[1:, ::-2], lambda x: x[1:, ::-2]),
    "take_gradient": _single(
        lambda d: cyops.take_gradient(d, INDICES, (4, 5), 0), _take_gradient_reference, normal((2, 2, 5)),
        terms=lambda d: _take_gradient_reference(abs(d)),
    ),
    "scatter_view": _single(
        lambda d: cyops.scatter_view(d, (2, 6), (3, 4), (1, 1), 1), _scatter_view_reference, normal((3, 4)),
        terms=lambda d: _scatter_view_reference(abs(d)),
    ),
    "max_pool_chosen": _single(
        lambda x: cyops.max_pool_chosen(x, cyops.Strided(CHOSEN), GEOMETRY), _chosen, normal((2, 5, 4, 3)),
    ),
    "max_pool_gradient": _single(
        lambda d: cyops.max_pool_gradient(d, cyops.Strided(CHOSEN), GEOMETRY),
        lambda d: _adjoint(_chosen, d, (2, 5, 4, 3)), normal((2, 2, 2, 3)),
        terms=lambda d: _adjoint(_chosen, abs(d), (2, 5, 4, 3)),
    ),
    "resize_gradient": _single(
        lambda d: cyops.resize_gradient(d, (3, 4)), lambda d: _adjoint(_resized, d, (2, 3, 4, 2)),
        normal((2, 5, 2, 2)), terms=lambda d: _adjoint(_resized, abs(d), (2, 3, 4, 2)),
    ),
    "batch_normalize": Sample(
        normal((9, 5), (5,), (5,)),
        lambda x, gamma, beta: cyops.batch_normalize(x, gamma, beta, epsilon=0.1)[0],
        _batch_normalized, factor=64,
        terms=lambda x, gamma, beta: abs(gamma) * (1 + abs(x).max()) / np.sqrt(x.var(0) + 0.1) + abs(beta),
    ),
    "average_pool_gradient": _single(
        lambda d: cyops.average_pool_gradient(d, GEOMETRY),
        lambda d: _adjoint(_mean_of_windows, d, (2, 5, 4, 3)), normal((2, 2, 2, 3)),
        terms=lambda d: _adjoint(_mean_of_windows, abs(d), (2, 5, 4, 3)),
    ),
    "softmax_cross_entropy_soft": _pair(
        cyops.softmax_cross_entropy,
        lambda z, t: -(t * _log_softmax(z)).sum(axis=1),
        lambda rng: [rng.normal(size=(4, 5)), rng.uniform(size=(4, 5))],
        terms=lambda z, t: (t * (1 + abs(_log_softmax(z)))).sum(axis=1),
        factor=16,
    ),
}
# Written from other ops: src/cytensor/composites.py.
COMPOSITE = {
    "cumsum": _single(lambda x: COMPOSITES["cumsum"](x, axis=1), lambda x: np.cumsum(x, axis=1),
                      terms=lambda x: np.cumsum(abs(x), axis=1)),
    "cumprod": _single(lambda x: COMPOSITES["cumprod"](x, axis=1), lambda x: np.cumprod(x, axis=1)),
    "sort": _single(lambda x: COMPOSITES["sort"](x, axis=0), lambda x: np.sort(x, axis=0), distinct((4, 5))),
    "argsort": _single(
        lambda x: COMPOSITES["argsort"](x, axis=0), lambda x: np.argsort(x, axis=0, kind="stable"), distinct((4, 5)),
        has_gradient=False,
    ),
    "top_k": _single(
        lambda x: COMPOSITES["top_k"](x, 3).values, lambda x: np.sort(x, axis=-1)[:, :-4:-1], distinct((4, 5))),
    "take_along_axis": _single(
        lambda x: COMPOSITES["take_along_axis"](x, ORDER, axis=1), lambda x: np.take_along_axis(x, ORDER, axis=1)),
    "median": _single(lambda x: COMPOSITES["median"](x, axis=0), lambda x: np.median(x, axis=0), distinct((4, 5))),
    "quantile": _single(
        lambda x: COMPOSITES["quantile"](x, [0.3, 0.9], axis=1), lambda x: np.quantile(x, [0.3, 0.9], axis=1),
        distinct((4, 5)), terms=lambda x: np.broadcast_to(abs(x).max(axis=1), (2, 4)),
    ),
    "split": _single(lambda x: COMPOSITES["split"](x, [1, 3], axis=1)[1], lambda x: np.split(x, [1, 3], axis=1)[1]),
    "repeat": _single(
        lambda x: COMPOSITES["repeat"](x, [0, 2, 1, 3], axis=0), lambda x: np.repeat(x, [0, 2, 1, 3], axis=0)),
    "norm": _single(
        lambda x: COMPOSITES["norm"](x, 3, axis=1), lambda x: np.linalg.norm(x, 3, axis=1), apart_from_zero((4, 5)),
        factor=16,
    ),
    "isclose": _pair(COMPOSITES["isclose"], np.isclose, has_gradient=False),
    "allclose": _single(lambda x: cyops.logical_and(x == x, COMPOSITES["allclose"](x, x)),
                        lambda x: np.ones(x.shape, bool), has_gradient=False),
    "inner": _pair(COMPOSITES["inner"], np.inner, normal((2, 3, 4), (5, 4)), terms=_absolute(np.inner), factor=8),
    "outer": _pair(COMPOSITES["outer"], np.outer, normal((2, 3), (4,))),
    "vecdot": _pair(
        COMPOSITES["vecdot"], lambda a, b: (a * b).sum(axis=-1), normal((3, 1, 4), (2, 4)),
        terms=_absolute(lambda a, b: (a * b).sum(axis=-1)), factor=8,
    ),
    "kron": _pair(COMPOSITES["kron"], np.kron, normal((2, 3), (4, 2))),
    "logsumexp": _single(
        lambda x: COMPOSITES["logsumexp"](x, axis=1),
        lambda x: np.log(np.exp(x - x.max(axis=1, keepdims=True)).sum(axis=1)) + x.max(axis=1),
        terms=lambda x: 1 + abs(x).max(axis=1),
        factor=16,
    ),
    "depthwise_conv": _pair(
        lambda x, kernel: COMPOSITES["depthwise_conv"](x, kernel),
        _depthwise_reference,
        normal((2, 5, 4, 3), (3, 2, 3, 2)),
        factor=8,
        terms=_absolute(_depthwise_reference),
    ),
    "separable_conv": Sample(
        normal((2, 5, 4, 3), (3, 2, 3, 2), (1, 1, 6, 4)),
        lambda x, depthwise, pointwise: COMPOSITES["separable_conv"](x, depthwise, pointwise),
        lambda x, depthwise, pointwise: _conv_reference(_depthwise_reference(x, depthwise), pointwise),
        factor=32,
        terms=_absolute(lambda x, depthwise, pointwise: _conv_reference(_depthwise_reference(x, depthwise), pointwise)),
    ),
}
# Activations that are recorded as one op each: src/cytensor/activations.py.
ACTIVATIONS = {
    "softplus": _single(activations.softplus, lambda x: np.logaddexp(0, x)),
    "softsign": _single(activations.softsign, lambda x: x / (1 + abs(x))),
    "silu": _single(activations.silu, lambda x: x / (1 + np.exp(-x)), terms=abs),
    "gelu": _single(activations.gelu, lambda x: 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))), terms=abs),
    "approximate_gelu": _single(
        lambda x: activations.gelu(x, approximate=True),
        lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
        terms=abs,
    ),
    "mish": _single(activations.mish, lambda x: x * np.tanh(np.logaddexp(0, x)), terms=abs),
    "squareplus": _single(activations.squareplus, lambda x: (x + np.sqrt(x * x + 4)) / 2),
}
RECORDED_ONLY |= ACTIVATIONS | CONVOLUTION_GRADIENTS
SAMPLES = {**RECORDED_ONLY, **ELEMENTWISE, **VIEWS, **PRODUCTS, **CONVOLUTIONS, **POOLING, **SPATIAL, **REDUCTIONS,
           **ROWS, **GATHER, **COMPOSITE}
