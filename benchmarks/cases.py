"""What to run for each op of cyops: its operands, and the same work in NumPy and PyTorch. One row an op.

test_ops.py times every row but those in CORE, which test_sizes.py times. A row's functions get the operands as tensors
of the library at hand; where ours is not named, it is the op itself.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .operands import (
    above_one,
    dense_layer,
    floats,
    inside,
    labels,
    matrix,
    pictures,
    pictures_by_channel,
    pictures_to_grow,
    pictures_to_pool,
    pictures_to_separate,
    positive,
    positive_base,
    square_matrices,
    truths,
    vectors,
    with_condition,
    with_labels,
    with_order,
    with_rows,
    with_updates,
)
from .peer_functions import (
    numpy_conv,
    numpy_conv_transpose,
    numpy_cross_entropy,
    numpy_dense,
    numpy_depthwise,
    numpy_log_softmax,
    numpy_logsumexp,
    numpy_one_hot,
    numpy_pool,
    numpy_scatter_add,
    numpy_softmax,
    torch_conv,
    torch_conv_transpose,
    torch_depthwise,
    torch_separable,
)
from .peers import torch

# The ops that everything else is made of, timed at more sizes than the others.
CORE = ("add", "multiply", "relu", "exp", "tanh", "sigmoid", "copy", "sum", "max")


class Case(NamedTuple):
    """operands(n, rng) gives NumPy arrays with about n elements in all; the functions take those operands."""

    operands: Callable
    numpy: Callable
    torch: Callable | None = None
    ours: Callable | None = None
    sizes: tuple[int, ...] = (1_000, 1_000_000)


def same_name(name, operands, other=None):
    """A row for an op that NumPy calls by `name` and PyTorch by `other` or the same name."""
    return Case(operands, getattr(np, name), getattr(torch, other or name, None))


def axis_last(numpy, pytorch, ours=None):
    return Case(matrix, numpy, pytorch and (lambda x: pytorch(x, -1)), ours)


PRODUCT_SIZES = (4_096, 262_144)
F = torch.nn.functional if torch else None

CASES = {
    **{name: same_name(name, floats(2)) for name in ("add", "subtract", "multiply", "divide", "maximum", "minimum")},
    **{name: same_name(name, floats(2)) for name in ("floor_divide", "remainder")},
    **{name: same_name(name, floats()) for name in ("negative", "abs", "sign", "square", "reciprocal")},
    **{name: same_name(name, floats()) for name in ("floor", "ceil", "round", "exp", "expm1", "tanh")},
    **{name: same_name(name, positive) for name in ("log", "log1p", "sqrt")},
    **{name: same_name(name, floats(2)) for name in ("not_equal", "less", "less_equal", "greater", "greater_equal")},
    **{name: same_name(name, floats()) for name in ("isnan", "isinf", "isfinite")},
    **{name: same_name(name, truths()) for name in ("logical_and", "logical_or")},
    **{name: same_name(name, floats()) for name in ("sin", "cos", "tan", "sinh", "cosh")},
    **{name: same_name(f"arc{name[1:]}", inside, name) for name in ("asin", "acos", "atan", "asinh", "atanh")},
    "acosh": same_name("arccosh", above_one, "acosh"),
    "atan2": same_name("arctan2", floats(2), "atan2"),
    "equal": same_name("equal", floats(2), "eq"),
    "logical_not": same_name("logical_not", truths(1)),
    "pow": same_name("power", positive_base, "pow"),
    "relu": Case(floats(), lambda x: np.maximum(x, 0), torch and torch.relu),
    "relu_gradient": Case(
        floats(2),
        lambda d, y: np.where(y > 0, d, 0),
        torch and (lambda d, y: torch.ops.aten.threshold_backward(d, y, 0)),
    ),
    "sigmoid": Case(floats(), lambda x: 1 / (1 + np.exp(-x)), torch and torch.sigmoid),
    # NumPy has none; this is what Python has.
    "erf": Case(floats(), lambda x: np.array([math.erf(value) for value in x], x.dtype), torch and torch.erf),
    "clip": Case(
        floats(),
        lambda x: np.clip(x, -1, 1),
        torch and (lambda x: torch.clamp(x, -1, 1)),
        lambda ct, x: ct.clip(x, -1.0, 1.0),
    ),
    "where": same_name("where", with_condition),
    "astype": Case(
        floats(),
        lambda x: x.astype(np.float64),
        torch and (lambda x: x.to(torch.float64)),
        lambda ct, x: ct.astype(x, "float64"),
    ),
    "copy": Case(
        floats(),
        lambda x: x.copy(),  # np.copy and torch.clone would keep the order of a transpose
        torch and (lambda x: x.clone(memory_format=torch.contiguous_format)),
    ),
    # Products
    "matmul": Case(square_matrices, np.matmul, torch and torch.matmul, sizes=PRODUCT_SIZES),
    "dot": Case(floats(2), np.dot, torch and torch.dot),
    "tensordot": Case(
        square_matrices,
        lambda a, b: np.tensordot(a, b, 1),
        torch and (lambda a, b: torch.tensordot(a, b, 1)),
        lambda ct, a, b: ct.tensordot(a, b, 1),
        PRODUCT_SIZES,
    ),
    "einsum": Case(
        square_matrices,
        lambda a, b: np.einsum("ij,kj->ki", a, b, optimize=True),
        torch and (lambda a, b: torch.einsum("ij,kj->ki", a, b)),
        lambda ct, a, b: ct.einsum("ij,kj->ki", a, b),
        PRODUCT_SIZES,
    ),
    "inner": same_name("inner", square_matrices)._replace(sizes=PRODUCT_SIZES),
    "outer": Case(vectors, np.outer, torch and torch.outer),
    "vecdot": Case(
        lambda n, rng: matrix(n, rng) * 2, np.vecdot, torch and (lambda a, b: torch.linalg.vecdot(a, b))
    ),
    "kron": Case(vectors, np.kron, torch and torch.kron),
    "conv": Case(pictures, numpy_conv, torch and torch_conv),
    "conv_transpose": Case(pictures_to_grow, numpy_conv_transpose, torch and torch_conv_transpose),
    "dense": Case(
        dense_layer,
        numpy_dense,
        torch and (lambda x, kernel, bias: torch.relu(torch.addmm(bias, x, kernel))),
        lambda ct, x, kernel, bias: ct.dense(x, kernel, bias, activation="relu"),
        PRODUCT_SIZES,
    ),
    # Pooling
    **{
        f"{name}_pool": Case(
            pictures_to_pool,
            numpy_pool(reduce),
            F and (lambda x, pool=pool: getattr(F, pool)(x.permute(0, 3, 1, 2), 2)),
            lambda ct, x, name=name: getattr(ct, f"{name}_pool")(x, 2),
        )
        for name, reduce, pool in (("max", np.max, "max_pool2d"), ("average", np.mean, "avg_pool2d"))
    },
    "resize": Case(
        pictures_to_pool,
        lambda x: x.repeat(2, axis=1).repeat(2, axis=2),
        F and (lambda x: F.interpolate(x.permute(0, 3, 1, 2), (52, 52), mode="nearest")),
        lambda ct, x: ct.resize(x, (52, 52), "nearest"),
    ),
    "pad": Case(
        matrix, lambda x: np.pad(x, 1), F and (lambda x: F.pad(x, (1, 1, 1, 1))), lambda ct, x: ct.pad(x, 1)
    ),
    "roll": Case(
        matrix, lambda x: np.roll(x, 3, 1), torch and (lambda x: torch.roll(x, 3, 1)), lambda ct, x: ct.roll(x, 3, 1)
    ),
    # Reductions
    **{
        name: same_name(name, floats())
        for name in ("sum", "mean", "max", "min", "prod", "argmax", "argmin", "var", "std")
    },
    **{name: same_name(name, truths(1)) for name in ("any", "all")},
    # Rows
    "softmax": axis_last(numpy_softmax, torch and torch.softmax),
    "log_softmax": axis_last(numpy_log_softmax, torch and torch.log_softmax),
    "softmax_cross_entropy": Case(
        with_labels, numpy_cross_entropy, F and (lambda x, y: F.cross_entropy(x, y, reduction="none"))
    ),
    # Written from other ops
    "depthwise_conv": Case(pictures_by_channel, numpy_depthwise, torch and torch_depthwise),
    "separable_conv": Case(
        pictures_to_separate, lambda x, kernel, pointwise: numpy_depthwise(x, kernel) @ pointwise[0, 0],
        torch and torch_separable
    ),
    "logsumexp": Case(
        matrix,
        numpy_logsumexp,
        torch and (lambda x: torch.logsumexp(x, -1)),
        lambda ct, x: ct.logsumexp(x, axis=-1),
    ),
    "cumulative_sum": axis_last(lambda x: np.cumsum(x, -1), torch and torch.cumsum,
                                lambda ct, x: ct.cumulative_sum(x, axis=-1)),
    "cumulative_prod": axis_last(lambda x: np.cumprod(x, -1), torch and torch.cumprod,
                                 lambda ct, x: ct.cumulative_prod(x, axis=-1)),
    "cumsum": axis_last(lambda x: np.cumsum(x, -1), torch and torch.cumsum, lambda ct, x: ct.cumsum(x, -1)),
    "cumprod": axis_last(lambda x: np.cumprod(x, -1), torch and torch.cumprod, lambda ct, x: ct.cumprod(x, -1)),
    "sort": axis_last(
        lambda x: np.sort(x, kind="stable"), torch and (lambda x, axis: torch.sort(x, dim=axis, stable=True).values)
    ),
    "argsort": axis_last(
        lambda x: np.argsort(x, kind="stable"), torch and (lambda x, axis: torch.argsort(x, dim=axis, stable=True))
    ),
    "top_k": Case(
        matrix,
        lambda x: np.partition(x, -5)[:, -5:],
        torch and (lambda x: torch.topk(x, 5).values),
        lambda ct, x: ct.top_k(x, 5),
    ),
    "take_along_axis": Case(
        with_order,
        lambda x, order: np.take_along_axis(x, order, -1),
        torch and (lambda x, order: torch.gather(x, -1, order)),
    ),
    "median": Case(matrix, lambda x: np.median(x), None),  # of an even number PyTorch's is the lower one
    "quantile": Case(
        matrix,
        lambda x: np.quantile(x, 0.9, -1),
        torch and (lambda x: torch.quantile(x, 0.9, -1)),
        lambda ct, x: ct.quantile(x, 0.9, -1),
    ),
    "repeat": Case(
        matrix,
        lambda x: np.repeat(x, 3, 0),
        torch and (lambda x: x.repeat_interleave(3, 0)),
        lambda ct, x: ct.repeat(x, 3, 0),
    ),
    "norm": axis_last(
        lambda x: np.linalg.norm(x, axis=-1), torch and (lambda x, axis: torch.linalg.vector_norm(x, dim=axis)),
        lambda ct, x: ct.norm(x, axis=-1),
    ),
    "isclose": same_name("isclose", floats(2)),
    "allclose": same_name("allclose", floats(2)),
    # Gathering
    "take": Case(
        with_rows,
        lambda x, rows: np.take(x, rows, axis=0),
        torch and (lambda x, rows: x.index_select(0, rows)),
        lambda ct, x, rows: ct.take(x, rows, axis=0),
    ),
    "scatter_add": Case(
        with_updates, numpy_scatter_add, torch and (lambda x, rows, updates: x.index_add(0, rows, updates))
    ),
    "one_hot": Case(
        labels, numpy_one_hot, F and (lambda y: F.one_hot(y, 10).to(torch.float32)), lambda ct, y: ct.one_hot(y, 10)
    ),
    "concat": Case(
        lambda n, rng: matrix(n, rng) * 2,
        lambda a, b: np.concatenate([a, b]),
        torch and (lambda a, b: torch.cat([a, b])),
        lambda ct, a, b: ct.concat([a, b]),
    ),
    "stack": Case(
        lambda n, rng: matrix(n, rng) * 2,
        lambda a, b: np.stack([a, b]),
        torch and (lambda a, b: torch.stack([a, b])),
        lambda ct, a, b: ct.stack([a, b]),
    ),
}


def view_case(numpy, pytorch, ours):
    """Views cost the same at every size: one is enough."""
    return Case(matrix, numpy, torch and pytorch, ours, sizes=(1_000,))


CASES |= {
    "reshape": view_case(lambda x: x.reshape(-1), lambda x: x.reshape(-1), lambda ct, x: ct.reshape(x, (-1,))),
    "view": view_case(lambda x: x.reshape(-1), lambda x: x.view(-1), lambda ct, x: ct.view(x, (-1,))),
    "permute_dims": view_case(np.transpose, lambda x: x.permute(1, 0), lambda ct, x: ct.permute_dims(x)),
    "matrix_transpose": view_case(np.transpose, lambda x: x.mT, lambda ct, x: ct.matrix_transpose(x)),
    "split": view_case(lambda x: np.split(x, 2), lambda x: x.tensor_split(2), lambda ct, x: ct.split(x, 2)),
    "expand_dims": view_case(lambda x: x[None], lambda x: x.unsqueeze(0), lambda ct, x: ct.expand_dims(x, 0)),
    "squeeze": view_case(np.squeeze, lambda x: x.squeeze(), lambda ct, x: ct.squeeze(x)),
    "flip": view_case(lambda x: x[::-1], None, lambda ct, x: ct.flip(x, axis=0)),
    "broadcast_to": view_case(
        lambda x: np.broadcast_to(x, (5, *x.shape)),
        lambda x: x.expand(5, -1, -1),
        lambda ct, x: ct.broadcast_to(x, (5, *x.shape)),
    ),
    "diagonal": view_case(np.diagonal, lambda x: torch.diagonal(x), lambda ct, x: ct.diagonal(x)),
    "sliding_window_view": view_case(
        lambda x: np.lib.stride_tricks.sliding_window_view(x, 3, 1),
        lambda x: x.unfold(1, 3, 1),
        lambda ct, x: ct.sliding_window_view(x, 3, axis=1),
    ),
    "as_strided": view_case(
        lambda x: np.lib.stride_tricks.as_strided(x, (4, 4), (4, 4)),
        lambda x: torch.as_strided(x, (4, 4), (1, 1)),
        lambda ct, x: ct.as_strided(x, (4, 4), (1, 1)),
    ),
}
