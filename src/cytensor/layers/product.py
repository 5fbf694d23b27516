"""Dot: the products of the samples of two inputs along an axis of each."""
from collections.abc import Sequence
from typing import Any

from cytensor import norms, ops
from cytensor.checks.arguments import is_integer
from cytensor.halves import narrowed, widened
from cytensor.layers.axes import within
from cytensor.layers.merging import _Merge
from cytensor.layers.settings import Setting
from cytensor.tensor import Tensor
from cytensor.types import ArrayLike, Nested, Shape

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _as_axes(axes: Any) -> int | tuple[int, int]:
    pair = axes if isinstance(axes, (list, tuple)) else (axes, axes)
    if len(pair) != 2 or not all(map(is_integer, pair)):
        raise ValueError(f"Dot: axes must be an integer, or one for each of the two inputs; got {axes!r}")
    return int(axes) if is_integer(axes) else (int(pair[0]), int(pair[1]))


class Dot(_Merge):
    """The products of two tensors of samples along an axis of each: (n, a..., k), (n, b..., k) -> (n, a..., b...).

    axes: the axis k in both, or one for each; not that of samples. (n, k), (n, k) gives (n, 1). normalize: divide each
    by its length along k first, which gives their cosine. ValueError where the lengths differ.

    >>> dot([[[1., 2.]], [[3., 4.]]], axes=1).numpy()
    array([[11.]], dtype=float32)
    """
    axes: Setting[int | tuple[int, int]] = Setting(_as_axes)
    normalize: Setting[bool] = Setting()

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axes, self.normalize = axes, normalize

    def call(self, inputs: Any) -> Tensor:
        a, b = self._pair(self.checked(inputs))
        along = self._along([a.shape, b.shape])
        if self.normalize:
            a, b = (narrowed(norms.unit(widened(x), (axis,)), x.dtype) for x, axis in zip((a, b), along, strict=True))
        labels = [[*LETTERS[:a.ndim]], [LETTERS[0], *LETTERS[a.ndim:a.ndim + b.ndim - 1]]]
        labels[1][along[1]] = labels[0][along[0]]
        result = [*(labels[0][:along[0]] + labels[0][along[0] + 1:]),
                  *(labels[1][1:along[1]] + labels[1][along[1] + 1:])]
        product = ops.einsum(f"{''.join(labels[0])},{''.join(labels[1])}->{''.join(result)}", a, b)
        return ops.expand_dims(product, 1) if product.ndim == 1 else product

    def compute_mask(self, inputs: Nested, previous_mask: Nested) -> Nested:
        """None: places of the result are pairs of places."""
        return None

    def _pair(self, parts: Sequence[Any]) -> Sequence[Any]:
        if len(parts) != 2:
            raise ValueError(f"Dot: two inputs are expected; got {len(parts)}")
        return parts

    def _along(self, shapes: Sequence[Shape]) -> tuple[int, int]:
        """The axis in each shape; ValueError where there is none, or the lengths differ."""
        pair = self.axes if isinstance(self.axes, tuple) else (self.axes, self.axes)
        first, second = (within("Dot", axis, len(shape), lowest=1)[0] for axis, shape in zip(pair, shapes, strict=True))
        lengths = shapes[0][first], shapes[1][second]
        if None not in lengths and lengths[0] != lengths[1]:
            raise ValueError(f"Dot: the axes must have one length; got {lengths[0]} and {lengths[1]}, of shapes "
                             f"{shapes[0]} and {shapes[1]}, axes {self.axes}")
        return first, second

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        a, b = self._pair(self._several(input_shape))
        first, second = self._along([a, b])
        shape = (*a[:first], *a[first + 1:], *b[1:second], *b[second + 1:])
        return shape if len(shape) > 1 else (*shape, 1)


def dot(inputs: Sequence[ArrayLike], axes: int | Sequence[int] = -1, normalize: bool = False) -> Tensor:
    """The products of two tensors of samples along an axis of each."""
    return Dot(axes, normalize)(inputs)
