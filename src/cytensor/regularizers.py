"""Regularizers: penalties on weights that are added to the loss."""
from collections.abc import Callable
from typing import Any

import numpy as np

from cytensor import norms, ops, registry
from cytensor.absent import explain
from cytensor.configurations import deserializer, serialize
from cytensor.halves import widened
from cytensor.tensor import Tensor, operand
from cytensor.types import Identifier

__all__ = ["deserialize", "serialize",
           "L1", "L1L2", "L2", "OrthogonalRegularizer", "Regularizer", "get", "l1", "l1_l2", "l2",
           "orthogonal_regularizer"]


def __dir__() -> list[str]:
    return [*__all__]


EPSILON = 1e-12                        # a vector shorter than this is not made longer


class Regularizer(registry.Configurable):
    """Base class: a function of a weight that returns a scalar."""

    def __call__(self, x: Tensor) -> Tensor | float:
        raise NotImplementedError(f"{type(self).__name__}: a regularizer must define __call__(self, x)")


class L1L2(Regularizer):
    """l1 * sum(|x|) + l2 * sum(x^2)."""
    l1: float
    l2: float

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1, self.l2 = float(l1), float(l2)

    def __call__(self, x: Tensor) -> Tensor | float:
        x = widened(x)
        penalty: Tensor | float = 0.0
        if self.l1:
            penalty = penalty + self.l1 * ops.sum(ops.abs(x))
        if self.l2:
            penalty = penalty + self.l2 * ops.sum(ops.square(x))
        return penalty


class L1(L1L2):
    """l1 * sum(|x|)."""

    def __init__(self, l1: float = 0.01) -> None:
        super().__init__(l1=l1)


class L2(L1L2):
    """l2 * sum(x^2)."""

    def __init__(self, l2: float = 0.01) -> None:
        super().__init__(l2=l2)


class OrthogonalRegularizer(Regularizer):
    """factor times the mean |cosine| between two rows of a matrix (r, c), or with mode="columns" two columns."""
    factor: float

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        if mode not in ("rows", "columns"):
            raise registry.unknown("mode", mode, ("rows", "columns"))
        self.factor, self.mode = float(factor), mode

    def __call__(self, x: Tensor) -> Tensor | float:
        x = widened(operand("OrthogonalRegularizer", x))
        if x.ndim != 2:
            raise ValueError(f"OrthogonalRegularizer: the weight must be a matrix; got shape {x.shape}")
        vectors = x if self.mode == "rows" else x.T
        size = vectors.shape[0]
        units = norms.unit(vectors, 1, EPSILON)
        cosines = ops.abs(units @ units.T) * (1.0 - np.eye(size, dtype=x.dtype))
        return self.factor * ops.sum(cosines) / max(1, size * (size - 1))


registry.register("regularizers", L1, L2, L1L2, OrthogonalRegularizer)
l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer


def get(identifier: Identifier) -> Any:
    """The regularizer that a name, configuration, class, instance or function means; None stays None."""
    return registry.lookup("regularizers", identifier, Regularizer)
deserialize: Callable[..., Any] = deserializer("regularizers")
explain(__name__)
