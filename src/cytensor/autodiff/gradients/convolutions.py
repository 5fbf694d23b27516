"""Rules of convolutions: each gradient is a member of the same family."""
from collections.abc import Sequence
from typing import Any

import cyops
from cyops import Strided, relu_gradient
from cytensor.autodiff.rules import define


def _sum_over_places(d: Strided, window: tuple[Any, ...]) -> Strided:
    """The gradient of a bias: over all axes but that of the channels."""
    channels = d.ndim - 1 if window[-1] == "channels_last" else 1
    return cyops.sum(d, axis=tuple([axis for axis in range(d.ndim) if axis != channels]))


def _masked(d: Strided, out: Strided, activation: str | None) -> Strided:
    return relu_gradient(d, out) if activation == "relu" else d


def _conv_gradients(positions: tuple[int, ...], known: Sequence[Strided | None], d: Strided, x: Any = None,
                    kernel: Any = None, out: Any = None, activation: str | None = None, x_shape: Any = None,
                    kernel_shape: Any = None, window: Any = None) -> list[Strided]:
    """One call for the mask, the bias and both contractions; what is not named is not wanted."""
    found: Any = cyops.conv_backward(d, x_shape, kernel_shape, window, x=x, kernel=kernel,
                                     y=out if activation == "relu" else None, bias=2 in positions)
    return [found[i] for i in positions]


define(
    "conv",
    joint=_conv_gradients,
    before=_masked,
    x=lambda d, kernel, x_shape, kernel_shape, window: cyops.conv_input_gradient(d, kernel, x_shape, window),
    kernel=lambda d, x, x_shape, kernel_shape, window: cyops.conv_kernel_gradient(x, d, kernel_shape, window),
    bias=lambda d, x_shape, kernel_shape, window: _sum_over_places(d, window),
)
define(
    "conv_transpose",
    before=_masked,
    x=lambda d, kernel, x_shape, window: cyops.conv_with_shape(d, kernel, x_shape, window),
    kernel=lambda d, x, kernel_shape, window: cyops.conv_kernel_gradient(d, x, kernel_shape, window),
    bias=lambda d, window: _sum_over_places(d, window),
)
define(
    "conv_kernel_gradient",
    x=lambda d, y, x_shape, window: cyops.conv_input_gradient(y, d, x_shape, window),
    y=lambda d, x, y_shape, window: cyops.conv_with_shape(x, d, y_shape, window),
)
