"""Rules of batch normalization."""
from collections.abc import Sequence
from typing import Any

import cyops
from cyops import Strided, reshape
from cytensor.autodiff.rules import define


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
