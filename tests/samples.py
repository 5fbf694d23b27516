"""One row per op: sample operands, an independent reference in NumPy, and how the operands may be drawn.

`test_ops.py` runs every row over every layout and dtype; `test_gradients.py` checks the gradient of every row that has
one. A row for an op that does not exist, or an op without a row, fails `test_completeness.py`.
"""
import math

import numpy as np
from drawing import Sample, absolute, apart_from_zero, distinct, inside, normal, pair, positive, single
from spatial_samples import CONVOLUTION_GRADIENTS, CONVOLUTIONS, POOLING, SPATIAL, SPATIAL_COMPOSITES, SPATIAL_GRADIENTS

import cyops
from cytensor import activations
from cytensor.composites import COMPOSITES
from cytensor.numpy_functions import NUMPY_FUNCTIONS


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
    "add": pair(cyops.add, np.add, terms=lambda a, b: abs(a) + abs(b)),
    "subtract": pair(cyops.subtract, np.subtract, terms=lambda a, b: abs(a) + abs(b)),
    "multiply": pair(cyops.multiply, np.multiply),
    "divide": pair(cyops.divide, np.divide, apart_from_zero((4, 5), (4, 5))),
    "floor_divide": pair(cyops.floor_divide, np.floor_divide, positive((4, 5), (4, 5)), has_gradient=False),
    "remainder": pair(cyops.remainder, np.remainder, positive((4, 5), (4, 5)), terms=lambda a, b: abs(a) + abs(b)),
    "pow": pair(cyops.pow, np.power, positive((4, 5), (4, 5)), factor=16),
    "maximum": pair(cyops.maximum, np.maximum),
    "minimum": pair(cyops.minimum, np.minimum),
    "negative": single(cyops.negative, np.negative),
    "abs": single(cyops.abs, np.abs, apart_from_zero((4, 5))),
    "sign": single(cyops.sign, np.sign, has_gradient=False),
    "square": single(cyops.square, np.square),
    "reciprocal": single(cyops.reciprocal, np.reciprocal, apart_from_zero((4, 5))),
    "floor": single(cyops.floor, np.floor, has_gradient=False),
    "ceil": single(cyops.ceil, np.ceil, has_gradient=False),
    "round": single(cyops.round, np.round, has_gradient=False),
    "relu": single(cyops.relu, lambda x: np.maximum(x, 0), apart_from_zero((4, 5))),
    "relu_gradient": pair(
        cyops.relu_gradient, lambda d, out: np.where(out > 0, d, 0), apart_from_zero((4, 5), (4, 5))
    ),
    "clip": single(lambda x: cyops.clip(x, -0.5, 0.5), lambda x: np.clip(x, -0.5, 0.5), distinct((4, 5))),
    "exp": single(cyops.exp, np.exp),
    "expm1": single(cyops.expm1, np.expm1),
    "log": single(cyops.log, np.log, positive((4, 5)), terms=lambda x: 1 + abs(np.log(x))),
    "log1p": single(cyops.log1p, np.log1p, positive((4, 5))),
    "sqrt": single(cyops.sqrt, np.sqrt, positive((4, 5))),
    "tanh": single(cyops.tanh, np.tanh),
    "sigmoid": single(cyops.sigmoid, lambda x: 1 / (1 + np.exp(-x))),
    "erf": single(cyops.erf, np.vectorize(math.erf)),
    "sin": single(cyops.sin, np.sin),
    "cos": single(cyops.cos, np.cos),
    "tan": single(cyops.tan, np.tan, inside((4, 5))),
    "asin": single(cyops.asin, np.arcsin, inside((4, 5))),
    "acos": single(cyops.acos, np.arccos, inside((4, 5))),
    "atan": single(cyops.atan, np.arctan),
    "atan2": pair(cyops.atan2, np.arctan2, apart_from_zero((4, 5), (4, 5))),
    "sinh": single(cyops.sinh, np.sinh),
    "cosh": single(cyops.cosh, np.cosh),
    "asinh": single(cyops.asinh, np.arcsinh),
    "acosh": single(cyops.acosh, np.arccosh, lambda rng: [rng.uniform(1.2, 4.0, size=(4, 5))]),
    "atanh": single(cyops.atanh, np.arctanh, inside((4, 5))),
    "where": pair(
        lambda x, y: cyops.where(np.arange(20).reshape(4, 5) % 3 == 0, x, y),
        lambda x, y: np.where(np.arange(20).reshape(4, 5) % 3 == 0, x, y),
    ),
    "astype": single(lambda x: cyops.astype(x, "float64"), lambda x: x),
    "copy": single(cyops.copy, lambda x: x),
}
ELEMENTWISE |= {
    name: pair(getattr(cyops, name), getattr(np, name), has_gradient=False)
    for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or")
}
ELEMENTWISE |= {
    name: single(getattr(cyops, name), getattr(np, name), has_gradient=False)
    for name in ("isnan", "isinf", "isfinite", "logical_not")
}


def _windows(x):
    return np.lib.stride_tricks.sliding_window_view(x, (2, 3))


def _as_strided_reference(x):
    return np.stack([x.reshape(-1)[i : i + 6 : 2] for i in range(4)])


VIEWS = {
    "reshape": single(lambda x: cyops.reshape(x, (2, -1)), lambda x: x.reshape(2, -1)),
    "view": single(lambda x: cyops.view(cyops.copy(x)[:, :1], (2, 2)), lambda x: x[:, :1].reshape(2, 2)),
    "permute_dims": single(
        lambda x: cyops.permute_dims(x, (2, 0, 1)), lambda x: x.transpose(2, 0, 1), normal((2, 3, 4))
    ),
    "matrix_transpose": single(
        cyops.matrix_transpose, lambda x: np.swapaxes(x, -1, -2), normal((2, 3, 4))
    ),
    "expand_dims": single(lambda x: cyops.expand_dims(x, 1), lambda x: x[:, None]),
    "squeeze": single(cyops.squeeze, np.squeeze, normal((3, 1, 2, 1))),
    "flip": single(lambda x: cyops.flip(x, 1), lambda x: x[:, ::-1]),
    "broadcast_to": single(
        lambda x: cyops.broadcast_to(x, (2, 3, 4)), lambda x: np.broadcast_to(x, (2, 3, 4)), normal((3, 1))
    ),
    "diagonal": single(lambda x: cyops.diagonal(x, 1), lambda x: np.diagonal(x, 1)),
    "sliding_window_view": single(lambda x: cyops.sliding_window_view(x, (2, 3)), _windows),
    "as_strided": single(
        lambda x: cyops.as_strided(cyops.reshape(x, -1, copy=True), (4, 3), (1, 2), 0), _as_strided_reference
    ),
}


PRODUCTS = {
    "matmul": pair(
        cyops.matmul, np.matmul, normal((2, 4, 5), (5, 3)), terms=absolute(np.matmul), factor=8
    ),
    "dot": pair(cyops.dot, np.dot, normal((2, 3, 4), (5, 4, 2)), terms=absolute(np.dot), factor=8),
    "tensordot": pair(
        lambda a, b: cyops.tensordot(a, b, axes=((1, 2), (2, 0))),
        lambda a, b: np.tensordot(a, b, axes=((1, 2), (2, 0))),
        normal((2, 3, 4), (4, 5, 3)),
        terms=absolute(lambda a, b: np.tensordot(a, b, axes=((1, 2), (2, 0)))),
        factor=8,
    ),
    "einsum": pair(
        lambda a, b: cyops.einsum("iij,kj...->ki...", a, b),
        lambda a, b: np.einsum("iij,kj...->ki...", a, b),
        normal((3, 3, 4), (2, 4, 5)),
        terms=absolute(lambda a, b: np.einsum("iij,kj...->ki...", a, b)),
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


def _sum_terms(x):
    return np.abs(x).sum(axis=1)


REDUCTIONS = {
    "sum": single(lambda x: cyops.sum(x, axis=1), lambda x: x.sum(axis=1), terms=_sum_terms),
    "mean": single(lambda x: cyops.mean(x, axis=1), lambda x: x.mean(axis=1), terms=_sum_terms),
    "prod": single(lambda x: cyops.prod(x, axis=1), lambda x: x.prod(axis=1), factor=16),
    "max": single(lambda x: cyops.max(x, axis=1), lambda x: x.max(axis=1), distinct((4, 5))),
    "min": single(lambda x: cyops.min(x, axis=(0, 1)), lambda x: x.min(axis=(0, 1)), distinct((4, 5))),
    "var": single(lambda x: cyops.var(x, axis=0), lambda x: x.var(axis=0), factor=32),
    "std": single(lambda x: cyops.std(x, axis=1, correction=1), lambda x: x.std(axis=1, ddof=1), factor=32),
    "argmax": single(lambda x: cyops.argmax(x, axis=1), lambda x: x.argmax(axis=1), has_gradient=False),
    "argmin": single(lambda x: cyops.argmin(x, axis=0), lambda x: x.argmin(axis=0), has_gradient=False),
    "any": single(lambda x: cyops.any(x, axis=1), lambda x: x.any(axis=1), has_gradient=False),
    "all": single(lambda x: cyops.all(x, axis=1), lambda x: x.all(axis=1), has_gradient=False),
}
ROWS = {
    "softmax": single(cyops.softmax, _softmax, factor=32),
    "log_softmax": single(cyops.log_softmax, _log_softmax, terms=lambda x: 1 + abs(_log_softmax(x)), factor=16),
    "softmax_cross_entropy": single(
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
    "take": single(lambda x: cyops.take(x, INDICES, axis=0), lambda x: x.take(INDICES, axis=0)),
    "scatter_add": pair(
        lambda x, updates: cyops.scatter_add(x, INDICES, updates, axis=0),
        _scatter_reference,
        normal((4, 5), (2, 2, 5)),
        terms=lambda x, updates: _scatter_reference(abs(x), abs(updates)),
    ),
    "one_hot": Sample(
        lambda rng: [], lambda: cyops.one_hot(LABELS, 5), lambda: np.eye(5)[LABELS], has_gradient=False
    ),
    "concat": pair(
        lambda a, b: cyops.concat([a, b], axis=1), lambda a, b: np.concatenate([a, b], axis=1), normal((4, 5), (4, 2))
    ),
    "stack": pair(lambda a, b: cyops.stack([a, b], axis=1), lambda a, b: np.stack([a, b], axis=1)),
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


# What is recorded under a name of its own without being a public op: the adjoints that the rules use.
RECORDED_ONLY = {
    "contract": pair(
        lambda a, b: cyops.contract(a, (7, 4, 2), b, (2, 7, 3), (3, 7, 4)),
        lambda a, b: np.einsum("bik,kbj->jbi", a, b),
        lambda rng: [rng.normal(size=(3, 4, 5)), rng.normal(size=(5, 3, 2))],
        terms=absolute(lambda a, b: np.einsum("bik,kbj->jbi", a, b)),
    ),
    "log2": single(NUMPY_FUNCTIONS["log2"], np.log2, positive((4, 5))),
    "log10": single(NUMPY_FUNCTIONS["log10"], np.log10, positive((4, 5))),
    "logaddexp": pair(NUMPY_FUNCTIONS["logaddexp"], np.logaddexp, terms=lambda a, b: 1 + abs(a) + abs(b)),
    "hypot": pair(NUMPY_FUNCTIONS["hypot"], np.hypot),
    "copysign": pair(NUMPY_FUNCTIONS["copysign"], np.copysign, apart_from_zero((4, 5), (4, 5))),
    "running_sum": single(
        lambda x: COMPOSITES["cumsum"](x), lambda x: np.cumsum(x), terms=lambda x: np.cumsum(abs(x))),
    "running_product": single(
        lambda x: COMPOSITES["cumprod"](x, 0, reverse=True), lambda x: np.cumprod(x[::-1], axis=0)[::-1],
        lambda rng: [rng.normal(size=(4, 5)) * (rng.random((4, 5)) > 0.2)],
    ),
    "getitem": single(lambda x: x[1:, ::-2], lambda x: x[1:, ::-2]),
    "take_gradient": single(
        lambda d: cyops.take_gradient(d, INDICES, (4, 5), 0), _take_gradient_reference, normal((2, 2, 5)),
        terms=lambda d: _take_gradient_reference(abs(d)),
    ),
    "scatter_view": single(
        lambda d: cyops.scatter_view(d, (2, 6), (3, 4), (1, 1), 1), _scatter_view_reference, normal((3, 4)),
        terms=lambda d: _scatter_view_reference(abs(d)),
    ),
    "softmax_cross_entropy_soft": pair(
        cyops.softmax_cross_entropy,
        lambda z, t: -(t * _log_softmax(z)).sum(axis=1),
        lambda rng: [rng.normal(size=(4, 5)), rng.uniform(size=(4, 5))],
        terms=lambda z, t: (t * (1 + abs(_log_softmax(z)))).sum(axis=1),
        factor=16,
    ),
}
# Written from other ops: src/cytensor/composites.py.
COMPOSITE = {
    "cumulative_sum": single(
        lambda x: COMPOSITES["cumulative_sum"](x, axis=1, include_initial=True),
        lambda x: np.cumulative_sum(x, axis=1, include_initial=True),
        terms=lambda x: np.cumulative_sum(abs(x), axis=1, include_initial=True)),
    "cumulative_prod": single(
        lambda x: COMPOSITES["cumulative_prod"](x, axis=1), lambda x: np.cumprod(x, axis=1), normal((3, 4))),
    "cumsum": single(lambda x: COMPOSITES["cumsum"](x, axis=1), lambda x: np.cumsum(x, axis=1),
                      terms=lambda x: np.cumsum(abs(x), axis=1)),
    "cumprod": single(lambda x: COMPOSITES["cumprod"](x, axis=1), lambda x: np.cumprod(x, axis=1)),
    "sort": single(lambda x: COMPOSITES["sort"](x, axis=0), lambda x: np.sort(x, axis=0), distinct((4, 5))),
    "argsort": single(
        lambda x: COMPOSITES["argsort"](x, axis=0), lambda x: np.argsort(x, axis=0, kind="stable"), distinct((4, 5)),
        has_gradient=False,
    ),
    "top_k": single(
        lambda x: COMPOSITES["top_k"](x, 3).values, lambda x: np.sort(x, axis=-1)[:, :-4:-1], distinct((4, 5))),
    "take_along_axis": single(
        lambda x: COMPOSITES["take_along_axis"](x, ORDER, axis=1), lambda x: np.take_along_axis(x, ORDER, axis=1)),
    "median": single(lambda x: COMPOSITES["median"](x, axis=0), lambda x: np.median(x, axis=0), distinct((4, 5))),
    "quantile": single(
        lambda x: COMPOSITES["quantile"](x, [0.3, 0.9], axis=1), lambda x: np.quantile(x, [0.3, 0.9], axis=1),
        distinct((4, 5)), terms=lambda x: np.broadcast_to(abs(x).max(axis=1), (2, 4)),
    ),
    "split": single(lambda x: COMPOSITES["split"](x, [1, 3], axis=1)[1], lambda x: np.split(x, [1, 3], axis=1)[1]),
    "repeat": single(
        lambda x: COMPOSITES["repeat"](x, [0, 2, 1, 3], axis=0), lambda x: np.repeat(x, [0, 2, 1, 3], axis=0)),
    "norm": single(
        lambda x: COMPOSITES["norm"](x, 3, axis=1), lambda x: np.linalg.norm(x, 3, axis=1), apart_from_zero((4, 5)),
        factor=16,
    ),
    "isclose": pair(COMPOSITES["isclose"], np.isclose, has_gradient=False),
    "allclose": single(lambda x: cyops.logical_and(x == x, COMPOSITES["allclose"](x, x)),
                        lambda x: np.ones(x.shape, bool), has_gradient=False),
    "inner": pair(COMPOSITES["inner"], np.inner, normal((2, 3, 4), (5, 4)), terms=absolute(np.inner), factor=8),
    "outer": pair(COMPOSITES["outer"], np.outer, normal((2, 3), (4,))),
    "vecdot": pair(
        COMPOSITES["vecdot"], lambda a, b: (a * b).sum(axis=-1), normal((3, 1, 4), (2, 4)),
        terms=absolute(lambda a, b: (a * b).sum(axis=-1)), factor=8,
    ),
    "kron": pair(COMPOSITES["kron"], np.kron, normal((2, 3), (4, 2))),
    "logsumexp": single(
        lambda x: COMPOSITES["logsumexp"](x, axis=1),
        lambda x: np.log(np.exp(x - x.max(axis=1, keepdims=True)).sum(axis=1)) + x.max(axis=1),
        terms=lambda x: 1 + abs(x).max(axis=1),
        factor=16,
    ),
}
# Activations that are recorded as one op each: src/cytensor/activations.py.
ACTIVATIONS = {
    "softplus": single(activations.softplus, lambda x: np.logaddexp(0, x)),
    "softsign": single(activations.softsign, lambda x: x / (1 + abs(x))),
    "silu": single(activations.silu, lambda x: x / (1 + np.exp(-x)), terms=abs),
    "gelu": single(activations.gelu, lambda x: 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))), terms=abs),
    "approximate_gelu": single(
        lambda x: activations.gelu(x, approximate=True),
        lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
        terms=abs,
    ),
    "mish": single(activations.mish, lambda x: x * np.tanh(np.logaddexp(0, x)), terms=abs),
    "squareplus": single(activations.squareplus, lambda x: (x + np.sqrt(x * x + 4)) / 2),
}
RECORDED_ONLY |= ACTIVATIONS | CONVOLUTION_GRADIENTS | SPATIAL_GRADIENTS
SAMPLES = {**RECORDED_ONLY, **ELEMENTWISE, **VIEWS, **PRODUCTS, **CONVOLUTIONS, **POOLING, **SPATIAL, **REDUCTIONS,
           **ROWS, **GATHER, **COMPOSITE, **SPATIAL_COMPOSITES}
