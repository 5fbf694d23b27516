"""Layers that move elements and compute nothing: Input, Flatten, Reshape... All give views where strides allow it."""
import math
from collections.abc import Sequence
from typing import Any

from cytensor import ops, registry
from cytensor.layers.base import Layer
from cytensor.layers.building import as_shape
from cytensor.layers.settings import Setting
from cytensor.layers.symbolic import computed
from cytensor.symbolic.nodes import Node
from cytensor.symbolic.tensors import KerasTensor
from cytensor.tensor import Tensor
from cytensor.types import DTypeLike, Shape


class InputLayer(Layer):
    """States the shape of a model's input, so that the model is built at once. Gives its input back.

    batch_shape: the shape with the batch axis, (batch_size, *shape). Whatever batch_size is, a model takes any number
    of samples.
    """
    keeps_dtype = True
    input_shape: Shape
    batch_shape: Shape
    _rounds_inputs = False        # the layers after it do, each by its own policy

    def __init__(self, shape: int | Sequence[int | None] | None = None, batch_size: int | None = None,
                 dtype: DTypeLike | None = None, *, batch_shape: Sequence[int | None] | None = None,
                 name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, dtype=dtype, **kwargs)
        if batch_shape is not None:
            if shape is not None or batch_size is not None:
                raise ValueError(f"Input: give either batch_shape or shape and batch_size; got batch_shape "
                                 f"{batch_shape}, shape {shape}, batch_size {batch_size}")
            batch_shape = as_shape("Input", batch_shape)
            batch_size, shape = (None, None) if not batch_shape else (batch_shape[0], batch_shape[1:])
        if shape is None and self.input_shape is None:
            raise ValueError("Input: shape must be given, without the batch axis; e.g. Input(shape=(784,))")
        if shape is not None:
            self.input_shape = (None, *as_shape("Input", shape))
        self.batch_shape = (batch_size, *self.input_shape[1:])

    @computed
    def output(self) -> KerasTensor:
        """The symbolic tensor that this layer stands for."""
        if not self._nodes:
            self._enter()
        tensor: KerasTensor = self._nodes[0].outputs
        return tensor

    input = output

    def _enter(self) -> None:
        """Take a name of its own, and stand in a graph."""
        self._take_number()
        name = self.name if self.named_by_user else None
        self.build(self.batch_shape)
        Node(self, (), {}, KerasTensor(self.batch_shape, self.dtype, name=name))

    def call(self, x: Tensor) -> Tensor:
        return x

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape


def Input(shape: int | Sequence[int | None] | None = None, batch_size: int | None = None,
          dtype: DTypeLike | None = None, *, batch_shape: Sequence[int | None] | None = None,
          name: str | None = None) -> KerasTensor:
    """A symbolic tensor for the data that a model will be given: layers are called on it, and models made of that.

    shape: of one sample, without the axis of samples; None for a length that is known with the data. The first entry
    of a Sequential, too. Whatever batch_size is, a model takes any number of samples.

    >>> from cytensor.models import Model
    >>> x = Input(shape=(784,), name="pixels")
    >>> x.shape
    (None, 784)
    >>> Model(x, Flatten()(x) * 2.).output_shape
    (None, 784)
    """
    return InputLayer(shape, batch_size, dtype, batch_shape=batch_shape, name=name).output


class Flatten(Layer):
    """(n, ...) -> (n, product of the others); (n,) -> (n, 1).

    data_format: with "channels_first", axis 1 becomes the last one before; None is "channels_last".

    >>> Flatten()([[[1., 2.], [3., 4.]]]).numpy()
    array([[1., 2., 3., 4.]], dtype=float32)
    """
    casts_integers = True
    takes_several = False

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if data_format not in (None, "channels_first", "channels_last"):
            raise registry.unknown("data_format", data_format, ("channels_first", "channels_last"))
        self.data_format = data_format or "channels_last"

    def call(self, x: Tensor) -> Tensor:
        if x.ndim == 0:
            raise ValueError("Flatten: the input must have an axis of samples; got shape ()")
        if self.data_format == "channels_first" and x.ndim > 2:
            x = ops.permute_dims(x, (0, *range(2, x.ndim), 1))
        return x.reshape((x.shape[0], math.prod(x.shape[1:])))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        known = [n for n in input_shape[1:] if n is not None]
        return (input_shape[0], math.prod(known) if len(known) == len(input_shape) - 1 else None)


def _as_target(shape: Sequence[int]) -> tuple[int, ...]:
    lengths = tuple(int(n) for n in shape)
    if any(n < -1 for n in lengths) or lengths.count(-1) > 1:
        raise ValueError(f"Reshape: lengths must not be negative, but for one -1; got {lengths}")
    return lengths


class Reshape(Layer):
    """(n, ...) -> (n, *target_shape); one length may be -1.

    >>> Reshape((2, 2))([[1., 2., 3., 4.]]).shape
    (1, 2, 2)
    """
    keeps_dtype = True
    takes_several = False

    target_shape: Setting[tuple[int, ...]] = Setting(_as_target)

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = target_shape

    def call(self, x: Tensor) -> Tensor:
        return x.reshape((x.shape[0], *self._sizes(x.shape[1:])))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        lengths = tuple(n for n in input_shape[1:] if n is not None)
        if len(lengths) < len(input_shape) - 1:            # how many elements there are is known with the data
            return (input_shape[0], *(None if n == -1 else n for n in self.target_shape))
        return (input_shape[0], *self._sizes(lengths))

    def _sizes(self, lengths: tuple[int, ...]) -> tuple[int, ...]:
        size = math.prod(lengths)
        known = math.prod(n for n in self.target_shape if n != -1)
        if size != known and (-1 not in self.target_shape or not known or size % known):
            raise ValueError(f"Reshape: the number of elements of a sample must stay the same; got {lengths}, "
                             f"target_shape {self.target_shape}")
        return tuple(size // known if n == -1 else n for n in self.target_shape)


def _as_dims(dims: Sequence[int]) -> tuple[int, ...]:
    axes = tuple(int(axis) for axis in dims)
    if sorted(axes) != list(range(1, len(axes) + 1)):
        raise ValueError(f"Permute: dims must have each of 1 to {len(axes)} once; got {axes}")
    return axes


class Permute(Layer):
    """The axes of each sample in another order; dims counts them from 1. A view.

    >>> Permute((2, 1))([[[1., 2., 3.]]]).shape
    (1, 3, 1)
    """
    keeps_dtype = True
    takes_several = False

    dims: Setting[tuple[int, ...]] = Setting(_as_dims)

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = dims

    def call(self, x: Tensor) -> Tensor:
        self._require_axes(x.shape)
        return ops.permute_dims(x, (0, *self.dims))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        self._require_axes(input_shape)
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))

    def _require_axes(self, shape: Shape) -> None:
        if len(shape) != len(self.dims) + 1:
            raise ValueError(f"Permute: dims must name every axis of the input but the first; got {self.dims}, "
                             f"input {tuple(shape)}")


class RepeatVector(Layer):
    """(n, k) -> (n, times, k): each sample `times` times over. A view with stride 0.

    >>> RepeatVector(2)([[1., 2.]]).numpy().tolist()
    [[[1.0, 2.0], [1.0, 2.0]]]
    """
    keeps_dtype = True
    takes_several = False
    n: Setting[int] = Setting()

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = n

    def call(self, x: Tensor) -> Tensor:
        if x.ndim != 2:
            raise ValueError(f"RepeatVector: the input must be (samples, features); got {x.shape}")
        return ops.broadcast_to(ops.expand_dims(x, 1), (x.shape[0], self.n, x.shape[1]))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], self.n, input_shape[1])


class Identity(Layer):
    """Its input."""
    supports_masking: bool = True
    keeps_dtype = True

    def call(self, x: Tensor) -> Tensor:
        return x

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape
