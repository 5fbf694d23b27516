"""GroupNormalization: zero mean and unit variance of each group of channels of each sample."""
from typing import Any

from cytensor import ops
from cytensor.halves import narrowed, widened
from cytensor.layers.axes import within
from cytensor.layers.normalization import Scaled
from cytensor.layers.settings import Setting
from cytensor.tensor import Tensor
from cytensor.types import Identifier, Shape


class GroupNormalization(Scaled):
    """Zero mean and unit variance over all but the samples, for each of `groups` groups of channels by itself.

    groups: must divide the channels; -1 makes each channel a group (instance normalization). axis: of the channels.
    gamma (c,), beta (c,). Source: Wu, He, "Group normalization" (2018).

    >>> GroupNormalization(2)([[[1., 3., 5., 9.]]]).numpy().round(2)
    array([[[-1.,  1., -1.,  1.]]], dtype=float32)
    """
    supports_masking: bool = True
    groups: Setting[int] = Setting(int, fixed=True)

    def __init__(self, groups: int = 32, axis: int = -1, epsilon: float = 1e-3, center: bool = True,
                 scale: bool = True, beta_initializer: Identifier = "zeros", gamma_initializer: Identifier = "ones",
                 beta_regularizer: Identifier = None, gamma_regularizer: Identifier = None,
                 beta_constraint: Identifier = None, gamma_constraint: Identifier = None, **kwargs: Any) -> None:
        super().__init__(axis, epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer,
                         gamma_regularizer, beta_constraint, gamma_constraint, **kwargs)
        self.groups = groups

    def build(self, input_shape: Shape) -> None:
        channels, _ = self._split(input_shape)
        self.add_scale((channels,))

    def _split(self, shape: Shape) -> tuple[int, int]:
        """(channels, groups) of an input; ValueError where the ones do not divide into the others."""
        axis, = within("GroupNormalization", self.axis, len(shape), lowest=1)
        channels = shape[axis]
        if channels is None:
            raise ValueError(f"GroupNormalization: axis must be one of features with a known length; got axis "
                             f"{self.axis}, input {tuple(shape)}")
        groups = channels if self.groups == -1 else self.groups
        if channels % groups or channels < groups:
            raise ValueError(f"GroupNormalization: the channels of the input must divide into groups; got groups "
                             f"{groups}, {channels} channels of input {tuple(shape)}")
        return channels, groups

    def call(self, x: Tensor) -> Tensor:
        channels, groups = self._split(x.shape)
        axis, = within("GroupNormalization", self.axis, x.ndim, lowest=1)
        wide = widened(x)
        split = wide.reshape((*x.shape[:axis], groups, channels // groups, *x.shape[axis + 1:]))
        others = tuple(i for i in range(1, x.ndim + 1) if i != axis)
        centred = split - ops.mean(split, axis=others, keepdims=True)
        variance = ops.mean(ops.square(centred), axis=others, keepdims=True)
        result = (centred / ops.sqrt(variance + self.epsilon)).reshape(x.shape)
        shape = tuple(n if i == axis else 1 for i, n in enumerate(x.shape))
        if self.gamma is not None:
            result = result * self.gamma.reshape(shape)
        return narrowed(result if self.beta is None else result + self.beta.reshape(shape), x.dtype)
