"""ZeroPadding1D, 2D, 3D and Cropping1D, 2D, 3D: spatial axes made longer by zeros, and shorter. No weights."""
import operator
from collections.abc import Sequence
from typing import Any, TypeAlias

from cytensor import ops
from cytensor.layers import spatial
from cytensor.layers.pooling import Spatial
from cytensor.layers.settings import Setting
from cytensor.tensor import Tensor
from cytensor.types import Shape

Sides: TypeAlias = tuple[tuple[int, int], ...]         # (before, after) of each spatial axis


def _integer(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError
    return operator.index(value)


def as_sides(op: str, value: Any, n: int, name: str) -> Sides:
    """(before, after) for each of n spatial axes, from what Keras takes: an integer for all sides, an integer or a pair
    for each axis; of one axis also its pair.

    >>> as_sides("ZeroPadding2D", (1, (2, 3)), 2, "padding"), as_sides("ZeroPadding1D", (1, 2), 1, "padding")
    (((1, 1), (2, 3)), ((1, 2),))
    """
    kind = "an integer or a pair (before, after)" if n == 1 else (
        f"an integer, or for each of {n} axes an integer or a pair (before, after)")
    try:
        if hasattr(value, "__index__"):
            sides = [[_integer(value)] * 2] * n
        elif n == 1:
            sides = [list(map(_integer, value))]
        else:
            sides = [[_integer(one)] * 2 if hasattr(one, "__index__") else list(map(_integer, one)) for one in value]
    except TypeError:
        raise TypeError(f"{op}: {name} must be {kind}; got {value!r}") from None
    if len(sides) != n or any(len(pair) != 2 or min(pair) < 0 for pair in sides):
        raise ValueError(f"{op}: {name} must be {kind}, none negative; got {value!r}")
    return tuple((pair[0], pair[1]) for pair in sides)


def _sides(name: str) -> Setting[Sides]:
    return Setting(lambda layer, value: as_sides(type(layer).__name__, value, layer.rank, name), of_layer=True)


def _over_axes(sides: Sides, data_format: str) -> Sides:
    """The sides of every axis, none for samples and channels."""
    none = ((0, 0),)
    return none + sides + none if data_format == "channels_last" else none + none + sides


class ZeroPadding(Spatial):
    """What ZeroPadding1D, 2D and 3D share."""
    padding: Setting[Sides] = _sides("padding")

    def __init__(self, padding: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.padding, self.data_format = padding, data_format

    def call(self, x: Tensor) -> Tensor:
        return ops.pad(self.known(x), _over_axes(self.padding, self.data_format))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        channels, lengths = spatial.split_shape(type(self).__name__, input_shape, self.rank, self.data_format)
        outputs = [None if length is None else length + sum(pair)
                   for length, pair in zip(lengths, self.padding, strict=True)]
        return spatial.join_shape(input_shape[0], channels, outputs, self.data_format)


class ZeroPadding1D(ZeroPadding):
    """Zeros before and after: (n, steps, c) -> (n, before + steps + after, c). padding: an integer, or a pair.

    >>> ZeroPadding1D((1, 0))([[[1.], [2.]]]).numpy().ravel()
    array([0., 1., 2.], dtype=float32)
    """
    rank = 1

    def __init__(self, padding: int | Sequence[int] = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding2D(ZeroPadding):
    """Zeros around pictures: (n, height, width, c) -> (n, height', width', c).

    padding: an integer for all sides, or for height and width an integer or a pair (before, after).

    >>> ZeroPadding2D(((1, 0), 2))(ops.ones((2, 4, 4, 3))).shape
    (2, 5, 8, 3)
    """
    rank = 2

    def __init__(self, padding: int | Sequence[int | Sequence[int]] = (1, 1), data_format: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding3D(ZeroPadding):
    """Zeros around volumes: (n, depth, height, width, c) -> likewise; padding as in `ZeroPadding2D`.

    >>> ZeroPadding3D()(ops.ones((2, 4, 4, 4, 1))).shape
    (2, 6, 6, 6, 1)
    """
    rank = 3

    def __init__(self, padding: int | Sequence[int | Sequence[int]] = ((1, 1), (1, 1), (1, 1)),
                 data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)


class Cropping(Spatial):
    """What Cropping1D, 2D and 3D share."""
    cropping: Setting[Sides] = _sides("cropping")

    def __init__(self, cropping: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cropping, self.data_format = cropping, data_format

    def call(self, x: Tensor) -> Tensor:
        x = self.known(x)
        self.compute_output_shape(x.shape)          # raises where nothing would be left
        sides = _over_axes(self.cropping, self.data_format)
        return x[tuple(slice(before, n - after) for n, (before, after) in zip(x.shape, sides, strict=True))]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        what = type(self).__name__
        channels, lengths = spatial.split_shape(what, input_shape, self.rank, self.data_format)
        if any(length is not None and sum(pair) >= length
               for length, pair in zip(lengths, self.cropping, strict=True)):
            raise ValueError(f"{what}: cropping must leave something of each spatial axis; got cropping "
                             f"{self.cropping}, input {tuple(input_shape)}")
        outputs = [None if length is None else length - sum(pair)
                   for length, pair in zip(lengths, self.cropping, strict=True)]
        return spatial.join_shape(input_shape[0], channels, outputs, self.data_format)


class Cropping1D(Cropping):
    """What is left without the first and the last: (n, steps, c) -> (n, steps', c), a view.

    >>> Cropping1D((1, 0))([[[1.], [2.], [3.]]]).numpy().ravel()
    array([2., 3.], dtype=float32)
    """
    rank = 1

    def __init__(self, cropping: int | Sequence[int] = (1, 1), data_format: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)


class Cropping2D(Cropping):
    """Pictures without their margins: (n, height, width, c) -> (n, height', width', c), a view.

    cropping: an integer for all sides, or for height and width an integer or a pair (before, after).

    >>> Cropping2D(((1, 0), 1))(ops.ones((2, 4, 4, 3))).shape
    (2, 3, 2, 3)
    """
    rank = 2

    def __init__(self, cropping: int | Sequence[int | Sequence[int]] = ((0, 0), (0, 0)),
                 data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(Cropping):
    """Volumes without their margins: (n, depth, height, width, c) -> likewise, a view; cropping as in `Cropping2D`.

    >>> Cropping3D()(ops.ones((2, 4, 4, 4, 1))).shape
    (2, 2, 2, 2, 1)
    """
    rank = 3

    def __init__(self, cropping: int | Sequence[int | Sequence[int]] = ((1, 1), (1, 1), (1, 1)),
                 data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)
