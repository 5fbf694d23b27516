"""ActivityRegularization: a penalty on what passes through."""
from typing import Any

from cytensor import regularizers
from cytensor.layers.base import Layer
from cytensor.tensor import Tensor
from cytensor.types import Shape


class ActivityRegularization(Layer):
    """Its input; to the loss come l1 times the sum of the absolute values and l2 times that of the squares, each a mean
    over the samples.

    >>> layer = ActivityRegularization(l2=0.5)
    >>> layer([[1., 2.], [0., 0.]]).tolist(), float(layer.losses[0])
    ([[1.0, 2.0], [0.0, 0.0]], 1.25)
    """
    supports_masking: bool = True
    l1: float
    l2: float

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.l1, self.l2 = l1, l2

    def call(self, x: Tensor) -> Tensor:
        return x

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape
