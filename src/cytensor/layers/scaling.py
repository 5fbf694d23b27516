"""Layers that bring data to a common scale."""
from collections.abc import Sequence
from typing import Any

from cytensor.layers.base import Layer
from cytensor.layers.settings import Setting
from cytensor.tensor import Tensor
from cytensor.types import Array, Shape


class Rescaling(Layer):
    """x * scale + offset; e.g. Rescaling(1 / 255) for images of bytes.

    >>> Rescaling(0.5, offset=1.0)([2, 4]).numpy()
    array([2., 3.], dtype=float32)
    """
    supports_masking: bool = True
    casts_integers = True
    takes_several = False
    scale: Setting[float | Sequence[float] | Array] = Setting()
    offset: Setting[float | Sequence[float] | Array] = Setting()

    def __init__(self, scale: float | Sequence[float] | Array, offset: float | Sequence[float] | Array = 0.0,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale, self.offset = scale, offset

    def call(self, x: Tensor) -> Tensor:
        x = x * self.scale
        return x + self.offset if self.offset else x

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape
