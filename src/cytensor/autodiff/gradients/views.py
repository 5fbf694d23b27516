"""Rules of views: the adjoint of looking at memory is adding into it."""
from collections.abc import Callable, Sequence
from typing import Any

import cyops
from cyops import Strided, permute_dims, reshape
from cytensor.autodiff.rules import define


def _scatter(d: Strided, x_shape: tuple[int, ...], function: Callable[..., Strided], *args: Any) -> Strided:
    """The adjoint of a view: `d` added into zeros of `x_shape` where `function(x, *args)` looks at x."""
    shape, strides, offset = cyops.view_geometry(function, x_shape, *args)
    return cyops.scatter_view(d, x_shape, shape, strides, offset)


def inverse_permutation(axes: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


define("getitem", x=lambda d, x_shape, key: _scatter(d, x_shape, cyops.Strided.__getitem__, key))
define("reshape", x=lambda d, x_shape: reshape(d, x_shape))
define("permute_dims", x=lambda d, axes: permute_dims(d, inverse_permutation(axes)))
define("flip", x=lambda d, axis: cyops.flip(d, axis))
define("broadcast_to", x=lambda d: d)       # the walk sums over what was stretched
define(
    "diagonal",
    x=lambda d, x_shape, offset, axis1, axis2: _scatter(d, x_shape, cyops.diagonal, offset, axis1, axis2),
)
define(
    "sliding_window_view",
    x=lambda d, x_shape, window_shape, axis: _scatter(d, x_shape, cyops.sliding_window_view, window_shape, axis),
)
define(
    "scatter_view",
    # The strides are those of C order; `copy` would keep the order of d, which may be a transpose.
    x=lambda d, view_shape, strides, offset: cyops.as_strided(
        reshape(d, (-1,), copy=True), view_shape, strides, offset),
)


def _as_strided_gradient(d: Strided, x: Strided, shape: tuple[int, ...], strides: tuple[int, ...],
                         offset: int) -> Strided:
    """Through the storage: what `x` does not show has no gradient, what it shows often gets it in each place."""
    held = x.storage.nbytes // x.itemsize
    in_storage = cyops.scatter_view(d, (held,), shape, strides, offset)
    return cyops.as_strided(in_storage, x.shape, x.strides, x.offset)


define("as_strided", x=_as_strided_gradient)
