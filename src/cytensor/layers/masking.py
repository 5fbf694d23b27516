"""Masking: says which time steps are padding."""
from typing import Any

from cytensor import ops
from cytensor.layers.base import Layer
from cytensor.layers.settings import Setting
from cytensor.masks import masked
from cytensor.tensor import Tensor
from cytensor.types import Shape


class Masking(Layer):
    """Steps all of whose features are `mask_value` are padding: zeros, with a mask: (n, ..., features) -> the same.

    The mask, (n, ...), goes along through layers that support masking; losses and the means of metrics leave out what
    it does, and own layers take it by an argument `mask` of their `call`.

    >>> steps = [[[1., 2.], [0., 3.], [0., 0.]]]
    >>> Masking()(steps)._keras_mask.numpy()
    array([[ True,  True, False]])
    """
    supports_masking: bool = True
    takes_several = False
    mask_value: Setting[float] = Setting()

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Tensor:
        """True for steps with a feature other than `mask_value`."""
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, x: Tensor) -> Tensor:
        mask = self.compute_mask(x)
        return masked(ops.where(ops.expand_dims(mask, -1), x, 0), mask)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape
