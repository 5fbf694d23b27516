"""Layers that make one tensor of several; each also as a function: add([a, b])."""
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cytensor import ops
from cytensor.checks.shapes import broadcast, is_shape
from cytensor.halves import narrowed, widened
from cytensor.layers.axes import within
from cytensor.layers.base import Layer
from cytensor.layers.settings import Setting
from cytensor.tensor import Tensor
from cytensor.types import ArrayLike, Nested, Shape


class _Merge(Layer):
    """Takes a list of tensors and combines them two by two."""
    supports_masking: bool = True

    if TYPE_CHECKING:                      # one tensor, where another layer may give several
        def __call__(self, x: Nested, *args: Any, training: bool | None = None, **kwargs: Any) -> Tensor: ...

    def _as_input(self, x: Nested) -> Any:
        return x                           # checked in call, one by one

    def call(self, inputs: Any) -> Tensor:
        result, *others = self.checked(inputs)
        for other in others:
            result = self.combine(result, other)
        return result

    def checked(self, inputs: Any) -> list[Tensor]:
        if not isinstance(inputs, (list, tuple)) or not inputs:
            got = "an empty one" if isinstance(inputs, (list, tuple)) else type(inputs).__name__
            raise ValueError(f"{type(self).__name__}: a list of tensors is expected; got {got}")
        return [narrowed(x, self.compute_dtype) for x in map(ops.convert_to_tensor, inputs)]

    def combine(self, a: Tensor, b: Tensor) -> Tensor:
        raise NotImplementedError

    def compute_mask(self, inputs: Nested, previous_mask: Nested) -> Nested:
        """Where any of the inputs is data; None unless all have a mask."""
        if previous_mask is None or any(mask is None for mask in previous_mask):
            return None
        return functools.reduce(ops.logical_or, previous_mask)

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        return broadcast(type(self).__name__, self._several(input_shape))

    def _several(self, shapes: Any) -> Sequence[Shape]:
        """The shapes of several inputs; ValueError for one."""
        if not isinstance(shapes, (list, tuple)) or not shapes or not all(map(is_shape, shapes)):
            raise ValueError(f"{type(self).__name__}: a list of tensors is expected; got {shapes}")
        return shapes


class Add(_Merge):
    """The sum of its inputs.

    >>> add([[1.], [2.]]).numpy()
    array([3.], dtype=float32)
    """

    def combine(self, a: Tensor, b: Tensor) -> Tensor:
        return a + b


class Subtract(_Merge):
    """The first input minus the second."""

    def checked(self, inputs: Any) -> list[Tensor]:
        if isinstance(inputs, (list, tuple)) and len(inputs) != 2:
            raise ValueError(f"Subtract: two inputs are expected; got {len(inputs)}")
        return super().checked(inputs)

    def combine(self, a: Tensor, b: Tensor) -> Tensor:
        return a - b

    def _several(self, shapes: Any) -> Sequence[Shape]:
        if isinstance(shapes, (list, tuple)) and len(shapes) != 2:
            raise ValueError(f"Subtract: two inputs are expected; got {len(shapes)}")
        return super()._several(shapes)


class Multiply(_Merge):
    """The product of its inputs, elementwise."""

    def combine(self, a: Tensor, b: Tensor) -> Tensor:
        return a * b


class Average(_Merge):
    """The mean of its inputs, elementwise."""

    def call(self, inputs: Any) -> Tensor:
        first, *others = map(widened, self.checked(inputs))
        return (sum(others, start=first) / float(len(others) + 1)).astype(self.compute_dtype)


class Maximum(_Merge):
    """The largest of its inputs, elementwise."""

    def combine(self, a: Tensor, b: Tensor) -> Tensor:
        return ops.maximum(a, b)


class Minimum(_Merge):
    """The smallest of its inputs, elementwise."""

    def combine(self, a: Tensor, b: Tensor) -> Tensor:
        return ops.minimum(a, b)


class Concatenate(_Merge):
    """Its inputs side by side along `axis`."""
    axis: Setting[int] = Setting()

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any) -> Tensor:
        tensors = self.checked(inputs)
        return ops.concat(tensors, axis=within("Concatenate", self.axis, tensors[0].ndim)[0])

    def compute_mask(self, inputs: Nested, previous_mask: Nested) -> Nested:
        """Where, at one place, all features of the inputs are data; an input without a mask is data everywhere."""
        if previous_mask is None or all(mask is None for mask in previous_mask):
            return None
        tensors = self.checked(inputs)
        parts = [ops.ones(x.shape, dtype="bool") if mask is None else
                 ops.broadcast_to(mask.reshape(mask.shape + (1,) * (x.ndim - mask.ndim)), x.shape)
                 for x, mask in zip(tensors, previous_mask, strict=True)]
        joined = ops.concat(parts, axis=within("Concatenate", self.axis, tensors[0].ndim)[0])
        return ops.all(joined, axis=-1)

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        shapes = self._several(input_shape)
        joined = list(shapes[0])
        axis, = within("Concatenate", self.axis, len(joined))
        for shape in shapes[1:]:
            if len(shape) != len(joined) or any(
                    place != axis and None not in (n, m) and n != m
                    for place, (n, m) in enumerate(zip(joined, shape, strict=True))):
                raise ValueError(f"Concatenate: shapes must be the same but for axis {self.axis}; got "
                                 f"{', '.join(map(str, shapes))}")
        lengths = [n for n in (shape[axis] for shape in shapes) if n is not None]
        joined[axis] = sum(lengths) if len(lengths) == len(shapes) else None
        return tuple(joined)


def add(inputs: Sequence[ArrayLike]) -> Tensor:
    """The sum of a list of tensors."""
    return Add()(inputs)


def subtract(inputs: Sequence[ArrayLike]) -> Tensor:
    """The first of two tensors minus the second."""
    return Subtract()(inputs)


def multiply(inputs: Sequence[ArrayLike]) -> Tensor:
    """The product of a list of tensors, elementwise."""
    return Multiply()(inputs)


def average(inputs: Sequence[ArrayLike]) -> Tensor:
    """The mean of a list of tensors, elementwise."""
    return Average()(inputs)


def maximum(inputs: Sequence[ArrayLike]) -> Tensor:
    """The largest of a list of tensors, elementwise."""
    return Maximum()(inputs)


def minimum(inputs: Sequence[ArrayLike]) -> Tensor:
    """The smallest of a list of tensors, elementwise."""
    return Minimum()(inputs)


def concatenate(inputs: Sequence[ArrayLike], axis: int = -1) -> Tensor:
    """A list of tensors side by side along `axis`."""
    return Concatenate(axis)(inputs)
