"""Euclidean lengths that no square overflows: what clips gradients, constrains weights and makes unit vectors.

Computed plainly first, which is exact enough for nearly every tensor; where a square left its dtype, once more with the
elements divided by the largest. May be imported by everything above ops.py.
"""
import math
from collections.abc import Iterable

from cytensor import ops
from cytensor.halves import widened
from cytensor.tensor import Tensor
from cytensor.types import Axis


def length(x: Tensor, axis: Axis = None) -> Tensor:
    """sqrt(sum(x^2)) along `axis`, which stays with length 1: (..., n, ...) -> (..., 1, ...)."""
    total = ops.sum(ops.square(x), axis=axis, keepdims=True)
    if _is_finite(total):
        return ops.sqrt(total)
    scale = _scale(x, axis)
    return scale * ops.sqrt(ops.sum(ops.square(x / scale), axis=axis, keepdims=True))


def unit(x: Tensor, axis: Axis = -1, least: float = 1e-6) -> Tensor:
    """x divided by its length along `axis`; a length below `least` counts as `least`."""
    total = ops.sum(ops.square(x), axis=axis, keepdims=True)
    if not _is_finite(total):
        x = x / _scale(x, axis)
        total = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return x / ops.sqrt(ops.maximum(total, least ** 2))


def joint_length(tensors: Iterable[Tensor]) -> float:
    """The length of several tensors taken as one vector, a float."""
    tensors = [widened(x) for x in tensors]
    total = sum(float(ops.sum(ops.square(x))) for x in tensors)
    if math.isfinite(total):
        return math.sqrt(total)
    largest = max(float(ops.max(ops.abs(x))) for x in tensors if x.size > 0)
    if not math.isfinite(largest):
        return largest
    return largest * math.sqrt(sum(float(ops.sum(ops.square(x / largest))) for x in tensors))


def _is_finite(total: Tensor) -> bool:
    return bool(ops.all(ops.isfinite(total)))


def _scale(x: Tensor, axis: Axis) -> Tensor:
    """The largest absolute value along `axis`, a constant for every tape; 1 where none is larger."""
    return ops.maximum(ops.max(ops.abs(ops.stop_gradient(x)), axis=axis, keepdims=True), 1.0)
