"""UpSampling1D, 2D, 3D: spatial axes some times as long. No weights."""
from collections.abc import Sequence
from typing import Any

from cytensor import ops, registry
from cytensor.layers import spatial
from cytensor.layers.pooling import Spatial, of_axes
from cytensor.layers.settings import Setting
from cytensor.tensor import Tensor
from cytensor.types import Shape


class UpSampling(Spatial):
    """What UpSampling1D, 2D and 3D share: every element `size` times, by a view with stride 0 that is copied once."""
    size: Setting[tuple[int, ...]] = of_axes("size")

    def __init__(self, size: int | Sequence[int], data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size, self.data_format = size, data_format

    def call(self, x: Tensor) -> Tensor:
        x = self.known(x)
        first = 1 if self.data_format == "channels_last" else 2
        shape, stretched, result = list(x.shape), list(x.shape), list(x.shape)
        for i in reversed(range(first, first + self.rank)):
            times = self.size[i - first]
            shape.insert(i + 1, 1)
            stretched.insert(i + 1, times)
            result[i] *= times
        return ops.broadcast_to(x.reshape(shape), stretched).reshape(result)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        channels, lengths = spatial.split_shape(type(self).__name__, input_shape, self.rank, self.data_format)
        outputs = [None if length is None else length * size for length, size in zip(lengths, self.size, strict=True)]
        return spatial.join_shape(input_shape[0], channels, outputs, self.data_format)


class UpSampling1D(UpSampling):
    """Each step `size` times: (n, steps, c) -> (n, size * steps, c).

    >>> UpSampling1D(2)([[[1.], [2.]]]).numpy().ravel()
    array([1., 1., 2., 2.], dtype=float32)
    """
    rank = 1

    def __init__(self, size: int | Sequence[int] = 2, **kwargs: Any) -> None:
        super().__init__(size, **kwargs)


def _as_interpolation(interpolation: str) -> str:
    name = interpolation.lower() if isinstance(interpolation, str) else interpolation
    if name not in ("nearest", "bilinear"):
        raise registry.unknown("UpSampling2D: interpolation", interpolation, ("bilinear", "nearest"))
    return name


class UpSampling2D(UpSampling):
    """Larger pictures: (n, height, width, c) -> (n, size[0] * height, size[1] * width, c).

    interpolation: "nearest", each pixel over again, or "bilinear", as `ct.resize` weighs them.

    >>> UpSampling2D((2, 3))(ops.ones((2, 4, 4, 3))).shape
    (2, 8, 12, 3)
    """
    rank = 2
    interpolation: Setting[str] = Setting(_as_interpolation)

    def __init__(self, size: int | Sequence[int] = (2, 2), data_format: str | None = None,
                 interpolation: str = "nearest", **kwargs: Any) -> None:
        super().__init__(size, data_format, **kwargs)
        self.interpolation = interpolation

    def call(self, x: Tensor) -> Tensor:
        if self.interpolation == "nearest":
            return super().call(x)
        x = self.known(x)
        _, lengths = spatial.split_shape("UpSampling2D", x.shape, 2, self.data_format)
        size = [length * times for length, times in zip(lengths, self.size, strict=True) if length is not None]
        return ops.resize(x, size, self.interpolation, data_format=self.data_format)


class UpSampling3D(UpSampling):
    """Larger volumes: (n, depth, height, width, c) -> (n, size[0] * depth, size[1] * height, size[2] * width, c).

    >>> UpSampling3D()(ops.ones((2, 2, 3, 4, 1))).shape
    (2, 4, 6, 8, 1)
    """
    rank = 3

    def __init__(self, size: int | Sequence[int] = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(size, data_format, **kwargs)
