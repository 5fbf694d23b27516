"""SpatialDropout1D, 2D, 3D: dropout of whole channels."""
from typing import Any

from cytensor.layers import spatial
from cytensor.layers.noise import Noise, dropped
from cytensor.layers.settings import Setting
from cytensor.tensor import Tensor
from cytensor.types import DTypeLike


class SpatialDropout(Noise):
    """What the three share: a mask with one draw for each channel of each sample."""
    rank: int                           # the number of spatial axes
    rate: Setting[float] = Setting(float)
    data_format: Setting[str] = Setting(
        lambda layer, value: spatial.as_data_format(type(layer).__name__, value), of_layer=True, optional=True)

    def __init__(self, rate: float, data_format: str | None = None, seed: int | None = None, name: str | None = None,
                 dtype: DTypeLike | None = None, **kwargs: Any) -> None:
        super().__init__(seed, name=name, dtype=dtype, **kwargs)
        self.rate, self.data_format = rate, data_format

    def call(self, x: Tensor, training: bool | None = False) -> Tensor:
        return dropped(self, x, self._mask_shape) if training else x

    def _mask_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        channels, _ = spatial.split_shape(type(self).__name__, shape, self.rank, self.data_format)
        return tuple(n or 0 for n in spatial.join_shape(shape[0], channels, (1,) * self.rank, self.data_format))


class SpatialDropout1D(SpatialDropout):
    """While training, zeroes whole channels of a sample with probability `rate`: (n, steps, c) -> the same.

    Source: Tompson et al., "Efficient object localization using convolutional networks" (2015).

    >>> SpatialDropout1D(0.5).compute_output_shape((None, 5, 3))
    (None, 5, 3)
    """
    rank = 1

    def __init__(self, rate: float, seed: int | None = None, name: str | None = None, dtype: DTypeLike | None = None,
                 **kwargs: Any) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype, **kwargs)


class SpatialDropout2D(SpatialDropout):
    """While training, zeroes whole channels of a picture with probability `rate`: (n, height, width, c) -> the same.

    Source: as `SpatialDropout1D`.

    >>> SpatialDropout2D(0.5, "channels_first").data_format
    'channels_first'
    """
    rank = 2


class SpatialDropout3D(SpatialDropout):
    """While training, zeroes whole channels of a volume with probability `rate`; see `SpatialDropout1D`.

    >>> SpatialDropout3D(0.5).rate
    0.5
    """
    rank = 3
