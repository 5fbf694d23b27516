"""Pooling: the largest or the mean of each window, and of each channel as a whole. No weights."""
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from cytensor import ops
from cytensor.layers import spatial
from cytensor.layers.base import Layer
from cytensor.layers.inputs import in_known_rank
from cytensor.layers.settings import Setting
from cytensor.tensor import Tensor, asarray
from cytensor.types import Nested, Shape


class Spatial(Layer):
    """What layers share that have samples, channels and `rank` spatial axes, and no weights."""
    takes_several = False
    rank: int                           # the number of spatial axes
    data_format: Setting[str] = Setting(
        lambda layer, value: spatial.as_data_format(type(layer).__name__, value), of_layer=True, optional=True)

    def known(self, x: Tensor) -> Tensor:
        """x, where it has the axes that the layer is for; ValueError where it has not."""
        if x.ndim != self.rank + 2:
            x = in_known_rank(x, self.input_shape)
            spatial.split_shape(type(self).__name__, x.shape, self.rank, self.data_format)
        return x


def of_axes(name: str) -> Setting[tuple[int, ...]]:
    """A Setting of an integer of at least 1, or one for each spatial axis."""
    return Setting(lambda layer, value: spatial.as_spatial(type(layer).__name__, value, layer.rank, name),
                   of_layer=True)


class Pooling(Spatial):
    """What MaxPooling and AveragePooling share; strides None stands for pool_size."""
    op: Callable[..., Tensor]
    pool_size: Setting[tuple[int, ...]] = of_axes("pool_size")
    strides: Setting[tuple[int, ...]] = of_axes("strides")
    padding: Setting[str] = Setting(lambda layer, value: spatial.as_padding(type(layer).__name__, value), of_layer=True)

    def __init__(self, pool_size: int | Sequence[int], strides: int | Sequence[int] | None = None,
                 padding: str = "valid", data_format: str | None = None, name: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size, self.strides = pool_size, pool_size if strides is None else strides
        self.padding, self.data_format = padding, data_format

    def call(self, x: Tensor) -> Tensor:
        x = self.known(x)
        self.compute_output_shape(x.shape)       # raises where a window has no room, by the layer's name
        return type(self).op(x, self.pool_size, self.strides, self.padding, self.data_format)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        what = type(self).__name__
        channels, lengths = spatial.split_shape(what, input_shape, self.rank, self.data_format)
        windows = zip(lengths, self.pool_size, self.strides, strict=True)
        outputs = [spatial.named_output_length(length, size, stride, 1, self.padding)
                   for length, size, stride in windows]
        spatial.require_room(what, lengths, outputs, f"pool_size {self.pool_size}")
        return spatial.join_shape(input_shape[0], channels, outputs, self.data_format)


class MaxPooling1D(Pooling):
    """The largest of each window along time: (n, steps, c) -> (n, steps', c). Arguments as in Keras.

    steps' is (steps - pool_size) // strides + 1, and ceil(steps / strides) for padding "same", whose padding is never
    the largest. The gradient goes to the first of equal elements; a NaN is the largest: see `ct.max_pool`.

    >>> MaxPooling1D()([[[1.], [3.], [2.], [0.]]]).numpy().ravel()
    array([3., 2.], dtype=float32)
    """
    rank = 1
    op: Callable[..., Tensor] = staticmethod(ops.max_pool)

    def __init__(self, pool_size: int | Sequence[int] = 2, strides: int | Sequence[int] | None = None,
                 padding: str = "valid", data_format: str | None = None, name: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class MaxPooling2D(Pooling):
    """The largest of each window of pictures: (n, height, width, c) -> (n, height', width', c); see `MaxPooling1D`.

    data_format "channels_first": (n, c, height, width).

    >>> MaxPooling2D()(ops.ones((2, 7, 6, 3))).shape
    (2, 3, 3, 3)
    """
    rank = 2
    op: Callable[..., Tensor] = staticmethod(ops.max_pool)

    def __init__(self, pool_size: int | Sequence[int] = (2, 2), strides: int | Sequence[int] | None = None,
                 padding: str = "valid", data_format: str | None = None, name: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class MaxPooling3D(Pooling):
    """The largest of each window of volumes: (n, depth, height, width, c) -> likewise; see `MaxPooling1D`.

    >>> MaxPooling3D(padding="same")(ops.ones((2, 3, 4, 5, 1))).shape
    (2, 2, 2, 3, 1)
    """
    rank = 3
    op: Callable[..., Tensor] = staticmethod(ops.max_pool)

    def __init__(self, pool_size: int | Sequence[int] = (2, 2, 2), strides: int | Sequence[int] | None = None,
                 padding: str = "valid", data_format: str | None = None, name: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class AveragePooling1D(Pooling):
    """The mean of each window along time: (n, steps, c) -> (n, steps', c). Arguments as in Keras.

    steps' is (steps - pool_size) // strides + 1, and ceil(steps / strides) for padding "same", whose padding is not
    counted.

    >>> AveragePooling1D(2)([[[1.], [3.], [2.], [0.]]]).numpy().ravel()
    array([2., 1.], dtype=float32)
    """
    rank = 1
    op: Callable[..., Tensor] = staticmethod(ops.average_pool)


class AveragePooling2D(Pooling):
    """The mean of each window of pictures: (n, height, width, c) -> (n, height', width', c); see `AveragePooling1D`.

    data_format "channels_first": (n, c, height, width).

    >>> AveragePooling2D(2, strides=1, data_format="channels_first")(ops.ones((2, 3, 4, 4))).shape
    (2, 3, 3, 3)
    """
    rank = 2
    op: Callable[..., Tensor] = staticmethod(ops.average_pool)


class AveragePooling3D(Pooling):
    """The mean of each window of volumes: (n, depth, height, width, c) -> likewise; see `AveragePooling1D`.

    >>> AveragePooling3D(2)(ops.ones((2, 4, 4, 4, 1))).shape
    (2, 2, 2, 2, 1)
    """
    rank = 3
    op: Callable[..., Tensor] = staticmethod(ops.average_pool)


class GlobalPooling(Spatial):
    """What GlobalMaxPooling and GlobalAveragePooling share: a reduction over the spatial axes."""
    op: Callable[..., Tensor]
    keepdims: Setting[bool] = Setting(bool)

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format, self.keepdims = data_format, keepdims

    def call(self, x: Tensor) -> Tensor:
        x = self.known(x)
        first = 1 if self.data_format == "channels_last" else 2
        return type(self).op(x, axis=tuple(range(first, first + self.rank)), keepdims=self.keepdims)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        channels, _ = spatial.split_shape(type(self).__name__, input_shape, self.rank, self.data_format)
        if not self.keepdims:
            return (input_shape[0], channels)
        return spatial.join_shape(input_shape[0], channels, (1,) * self.rank, self.data_format)


class GlobalMaxPooling1D(GlobalPooling):
    """The largest of each channel over time: (n, steps, c) -> (n, c), with keepdims (n, 1, c).

    Equal elements share the gradient, as those of `ct.max`.

    >>> GlobalMaxPooling1D()([[[1., 5.], [3., 4.]]]).numpy()
    array([[3., 5.]], dtype=float32)
    """
    rank = 1
    op: Callable[..., Tensor] = staticmethod(ops.max)


class GlobalMaxPooling2D(GlobalPooling):
    """The largest of each channel of pictures: (n, height, width, c) -> (n, c), with keepdims (n, 1, 1, c).

    >>> GlobalMaxPooling2D(keepdims=True)(ops.ones((2, 4, 4, 3))).shape
    (2, 1, 1, 3)
    """
    rank = 2
    op: Callable[..., Tensor] = staticmethod(ops.max)


class GlobalMaxPooling3D(GlobalPooling):
    """The largest of each channel of volumes: (n, depth, height, width, c) -> (n, c), with keepdims (n, 1, 1, 1, c).

    >>> GlobalMaxPooling3D()(ops.ones((2, 4, 4, 4, 3))).shape
    (2, 3)
    """
    rank = 3
    op: Callable[..., Tensor] = staticmethod(ops.max)


class GlobalAveragePooling1D(GlobalPooling):
    """The mean of each channel over time: (n, steps, c) -> (n, c), with keepdims (n, 1, c).

    >>> GlobalAveragePooling1D()([[[1., 5.], [3., 4.]]]).numpy()
    array([[2. , 4.5]], dtype=float32)
    """
    supports_masking: bool = True
    rank = 1
    op: Callable[..., Tensor] = staticmethod(ops.mean)

    def call(self, x: Tensor, mask: Any = None) -> Tensor:
        if mask is None:
            return super().call(x)
        last, steps = (2, 1) if self.data_format == "channels_last" else (1, 2)
        counted = ops.expand_dims(asarray(mask), last)
        total = ops.sum(ops.where(counted, self.known(x), 0), axis=steps, keepdims=self.keepdims)
        return total / ops.sum(counted.astype(total.dtype), axis=steps, keepdims=self.keepdims)

    def compute_mask(self, inputs: Nested, previous_mask: Nested) -> Nested:
        """None: there are no steps left."""
        return None


class GlobalAveragePooling2D(GlobalPooling):
    """The mean of each channel of pictures: (n, height, width, c) -> (n, c), with keepdims (n, 1, 1, c).

    >>> GlobalAveragePooling2D()(ops.ones((2, 4, 4, 3))).shape
    (2, 3)
    """
    rank = 2
    op: Callable[..., Tensor] = staticmethod(ops.mean)


class GlobalAveragePooling3D(GlobalPooling):
    """The mean of each channel of volumes: (n, depth, height, width, c) -> (n, c), with keepdims (n, 1, 1, 1, c).

    >>> GlobalAveragePooling3D("channels_first")(ops.ones((2, 3, 4, 4, 4))).shape
    (2, 3)
    """
    rank = 3
    op: Callable[..., Tensor] = staticmethod(ops.mean)


MaxPool1D: TypeAlias = MaxPooling1D
MaxPool2D: TypeAlias = MaxPooling2D
MaxPool3D: TypeAlias = MaxPooling3D
AvgPool1D: TypeAlias = AveragePooling1D
AvgPool2D: TypeAlias = AveragePooling2D
AvgPool3D: TypeAlias = AveragePooling3D
GlobalMaxPool1D: TypeAlias = GlobalMaxPooling1D
GlobalMaxPool2D: TypeAlias = GlobalMaxPooling2D
GlobalMaxPool3D: TypeAlias = GlobalMaxPooling3D
GlobalAvgPool1D: TypeAlias = GlobalAveragePooling1D
GlobalAvgPool2D: TypeAlias = GlobalAveragePooling2D
GlobalAvgPool3D: TypeAlias = GlobalAveragePooling3D
