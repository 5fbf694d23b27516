"""Rules of pooling, resizing, padding and rolling."""
from collections.abc import Sequence

import cyops
from cyops import Strided
from cytensor.autodiff.rules import define

# -- pooling ----------------------------------------------------------------------------------------------------------
# Each gradient is linear in d, and its own gradient is its adjoint.
define("max_pool", x=lambda d, indices, window: cyops.max_pool_gradient(d, indices, window))
define("max_pool_gradient", d=lambda d, indices, window: cyops.max_pool_chosen(d, indices, window))
define("max_pool_chosen", x=lambda d, indices, window: cyops.max_pool_gradient(d, indices, window))
define("average_pool", x=lambda d, window: cyops.average_pool_gradient(d, window))
define("average_pool_gradient", d=lambda d, window: cyops.average_pool_like(d, window))


def _pixels(shape: tuple[int, ...], data_format: str) -> tuple[int, ...]:
    """The height and width of images of a shape."""
    return shape[-3:-1] if data_format == "channels_last" else shape[-2:]


define(
    "resize",
    images=lambda d, images_shape, interpolation, antialias, data_format: cyops.resize_gradient(
        d, _pixels(images_shape, data_format), interpolation, antialias, data_format),
)
define(
    "resize_gradient",
    d=lambda d, d_shape, interpolation, antialias, data_format: cyops.resize(
        d, _pixels(d_shape, data_format), interpolation, antialias, data_format),
)


# -- padding ----------------------------------------------------------------------------------------------------------
def _pad_gradient(d: Strided, x_shape: tuple[int, ...], widths: Sequence[tuple[int, int]], mode: str) -> Strided:
    """The part that was x; where the padding holds elements of x too, added into these, axis by axis."""
    for axis in reversed(range(d.ndim)) if mode != "constant" else ():
        if sum(widths[axis]) > 0 and d.size > 0:
            positions = cyops.padded_positions(x_shape[axis], *widths[axis], mode)
            shape = (*d.shape[:axis], x_shape[axis], *d.shape[axis + 1:])
            d = cyops.take_gradient(d, positions, shape, axis)
    if d.shape == x_shape:
        return d
    return d[tuple(slice(before, before + n) for (before, _), n in zip(widths, x_shape, strict=True))]


define("pad", x=_pad_gradient)
define("roll", x=lambda d, shift: cyops.roll(d, [-by for by in shift], tuple(range(d.ndim))))
