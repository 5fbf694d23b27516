"""`tf.math`: the ops by TensorFlow's names, and the few that are only there."""
from collections.abc import Callable
from typing import Any

import numpy as np

from cytensor import ops
from cytensor.activations import log_sigmoid
from cytensor.keywords import accepting
from cytensor.nn import softplus, softsign
from cytensor.ops import *  # noqa: F403
from cytensor.plots.labels import confusion_matrix as _confusion_matrix
from cytensor.symbolic import deferrable
from cytensor.tensor import Tensor, asarray, operand
from cytensor.tensorflow.arrays import bincount
from cytensor.tensorflow.linalg import l2_normalize
from cytensor.types import ArrayLike, Axis, DTypeLike

is_nan: Callable[..., Tensor] = ops.isnan
is_inf: Callable[..., Tensor] = ops.isinf
is_finite: Callable[..., Tensor] = ops.isfinite
mod: Callable[..., Tensor] = ops.remainder
floormod: Callable[..., Tensor] = ops.remainder
floordiv: Callable[..., Tensor] = ops.floor_divide
truediv: Callable[..., Tensor] = ops.divide


@deferrable
@accepting({})
def rsqrt(x: ArrayLike) -> Tensor:
    """1 / sqrt(x)."""
    return ops.reciprocal(ops.sqrt(x))


@deferrable
@accepting({})
def squared_difference(x: ArrayLike, y: ArrayLike) -> Tensor:
    """(x - y)^2."""
    return ops.square(ops.subtract(x, y))


@deferrable
@accepting({})
def divide_no_nan(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x / y, and 0 where y is 0; there the gradient is 0 too.

    >>> divide_no_nan([1., 2.], [0., 4.]).tolist()
    [0.0, 0.5]
    """
    a, b = operand("divide_no_nan", x), operand("divide_no_nan", y)
    is_zero = b == 0
    return ops.where(is_zero, ops.zeros((), a.dtype), a / ops.where(is_zero, ops.ones((), b.dtype), b))


@deferrable
@accepting({})
def multiply_no_nan(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x * y, and 0 where y is 0, whatever x is."""
    a, b = operand("multiply_no_nan", x), operand("multiply_no_nan", y)
    return ops.where(b == 0, ops.zeros((), b.dtype), a * b)


@deferrable
@accepting({})
def xlogy(x: ArrayLike, y: ArrayLike) -> Tensor:
    """x log(y), and 0 where x is 0."""
    a, b = operand("xlogy", x), operand("xlogy", y)
    is_zero = a == 0
    return ops.where(is_zero, ops.zeros((), a.dtype), a * ops.log(ops.where(is_zero, ops.ones((), b.dtype), b)))


@accepting({})  # type: ignore[no-redef]
def logical_xor(x: ArrayLike, y: ArrayLike) -> Tensor:
    """Whether one of the two is true, but not both."""
    return ops.not_equal(operand("logical_xor", x).astype("bool"), operand("logical_xor", y).astype("bool"))


@accepting({"input_tensor": "input"})  # type: ignore[no-redef]
def count_nonzero(input: ArrayLike, axis: Axis = None, keepdims: bool = False, dtype: DTypeLike = "int64") -> Tensor:
    """How many elements are not 0, in all or along axes.

    >>> int(count_nonzero([0., 3., 4.]))
    2
    """
    return ops.sum(ops.not_equal(input, 0), axis=axis, keepdims=keepdims, dtype=dtype)


@accepting({})
def zero_fraction(value: ArrayLike) -> Tensor:
    """The share of zeros, float32."""
    return ops.mean(ops.equal(value, 0).astype("float32"))


@deferrable
@accepting({"input_tensor": "x"})
def reduce_euclidean_norm(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """sqrt(sum(x^2)) over all elements or along axes."""
    return ops.sqrt(ops.sum(ops.square(x), axis=axis, keepdims=keepdims))


@accepting({})
def in_top_k(targets: ArrayLike, predictions: ArrayLike, k: int) -> Tensor:
    """Whether the prediction (n, classes) of each target (n,) is among the k largest of its row: bool (n,)."""
    scores, classes = np.asarray(operand("in_top_k", predictions)), np.asarray(targets)
    of_targets = scores[np.arange(len(classes)), classes]
    return asarray((scores > of_targets[:, None]).sum(axis=1) < k)


@deferrable
@accepting({})
def unsorted_segment_sum(data: ArrayLike, segment_ids: ArrayLike, num_segments: int) -> Tensor:
    """The sums of the slabs of data (n, ...) that have one number in segment_ids (n,): (num_segments, ...).

    >>> unsorted_segment_sum([1., 2., 3.], [0, 1, 0], 2).tolist()
    [4.0, 2.0]
    """
    x = operand("unsorted_segment_sum", data)
    return ops.scatter_add(ops.zeros((num_segments, *x.shape[1:]), x.dtype), segment_ids, x, axis=0)


@accepting({})
def confusion_matrix(labels: ArrayLike, predictions: ArrayLike, num_classes: int | None = None,
                     dtype: DTypeLike = "int32") -> Tensor:
    """How often each class (row) was taken for each other (column): (num_classes, num_classes).

    >>> confusion_matrix([0, 1, 1], [0, 0, 1]).tolist()
    [[1, 0], [1, 1]]
    """
    true, guessed = np.asarray(labels), np.asarray(predictions)
    count = num_classes or int(np.maximum(true.max(initial=-1), guessed.max(initial=-1))) + 1
    return asarray(np.asarray(_confusion_matrix(true, guessed, count)).astype(dtype))


@deferrable
@accepting({})
def polyval(coeffs: Any, x: ArrayLike) -> Tensor:
    """The polynomial with the coefficients, the highest power first, at x."""
    result: Tensor = ops.zeros_like(x)
    for coefficient in coeffs:
        result = result * x + coefficient
    return result


__all__ = [
    "bincount", "confusion_matrix", "count_nonzero", "divide_no_nan", "floordiv", "floormod", "in_top_k", "is_finite",
    "is_inf", "is_nan", "l2_normalize", "log_sigmoid", "logical_xor", "mod", "multiply_no_nan", "polyval",
    "reduce_euclidean_norm", "rsqrt", "softplus", "softsign", "squared_difference", "truediv", "unsorted_segment_sum",
    "xlogy", "zero_fraction", *ops.__all__,
]
