"""Constraints: maps that bring a weight back into an allowed set after each training step."""
from collections.abc import Callable
from typing import Any

from cytensor import norms, ops, registry
from cytensor.absent import explain
from cytensor.configurations import deserializer, serialize
from cytensor.halves import narrowed, widened
from cytensor.tensor import Tensor
from cytensor.types import Axis, Identifier

__all__ = ["deserialize", "serialize",
           "Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "get", "max_norm", "min_max_norm",
           "non_neg", "unit_norm"]


def __dir__() -> list[str]:
    return [*__all__]


EPSILON = 1e-7       # added to norms before dividing, as Keras does


class Constraint(registry.Configurable):
    """Base class: a function from a weight to a tensor of the same shape; as it is, the weight itself."""

    def __call__(self, w: Tensor) -> Tensor:
        return w


class NonNeg(Constraint):
    """Negative elements become 0."""

    def __call__(self, w: Tensor) -> Tensor:
        return ops.relu(w)


class MaxNorm(Constraint):
    """Columns (norms taken along `axis`) longer than `max_value` are shortened to it."""
    max_value: float
    axis: Axis

    def __init__(self, max_value: float = 2, axis: Axis = 0) -> None:
        self.max_value, self.axis = max_value, registry.fresh(axis)

    def __call__(self, w: Tensor) -> Tensor:
        lengths = _lengths(w, self.axis)
        return _like(w, w * (ops.clip(lengths, 0.0, self.max_value) / (EPSILON + lengths)))


class UnitNorm(Constraint):
    """Columns (norms taken along `axis`) get length 1."""
    axis: Axis

    def __init__(self, axis: Axis = 0) -> None:
        self.axis = registry.fresh(axis)

    def __call__(self, w: Tensor) -> Tensor:
        return _like(w, w / (EPSILON + _lengths(w, self.axis)))


class MinMaxNorm(Constraint):
    """Norms along `axis` move into [min_value, max_value], by the share `rate` of the way."""
    min_value: float
    max_value: float
    rate: float
    axis: Axis

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Axis = 0) -> None:
        self.min_value, self.max_value, self.rate = min_value, max_value, rate
        self.axis = registry.fresh(axis)

    def __call__(self, w: Tensor) -> Tensor:
        lengths = _lengths(w, self.axis)
        wanted = self.rate * ops.clip(lengths, self.min_value, self.max_value) + (1 - self.rate) * lengths
        return _like(w, w * (wanted / (EPSILON + lengths)))


def _like(w: Tensor, values: Tensor) -> Tensor:
    """The values in the dtype of w, where it has one."""
    return narrowed(values, getattr(w, "dtype", values.dtype))


def _lengths(w: Tensor, axis: Axis) -> Tensor:
    """The lengths along one axis or several of them, in float32 where w is of float16."""
    return norms.length(widened(w), tuple(axis) if isinstance(axis, (list, tuple)) else axis)


registry.register_for_files("constraints", Constraint)
registry.register("constraints", NonNeg, MaxNorm, UnitNorm, MinMaxNorm)
max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm


def get(identifier: Identifier) -> Any:
    """The constraint that a name, configuration, class, instance or function means; None stays None."""
    return registry.lookup("constraints", identifier, Constraint)
deserialize: Callable[..., Any] = deserializer("constraints")
explain(__name__)
