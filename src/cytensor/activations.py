"""Activation functions: elementwise maps from a tensor (...) to one of the same shape, and softmax over an axis.

Values and gradients at +-inf are the limits there, and NaN stays NaN. Where a chain of ops would meet inf - inf or
0 * inf on its way, the function is recorded as one op with a rule of its own.
"""
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

import cyops
from cyops import Strided
from cytensor import configurations, ops, registry
from cytensor.absent import explain
from cytensor.autodiff.rules import define
from cytensor.configurations import deserializer
from cytensor.symbolic import deferrable
from cytensor.tensor import Tensor, operand
from cytensor.types import ArrayLike, Identifier

__all__ = ["deserialize", "serialize",
           "celu", "elu", "exponential", "gelu", "get", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish",
           "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu",
           "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "squareplus", "swish", "tanh",
           "tanh_shrink", "threshold"]


def __dir__() -> list[str]:
    return [*__all__]


_T = TypeVar("_T")

SELU_ALPHA = 1.6732632423543772      # fixed point of zero mean and unit variance; Klambauer et al. (2017)
SELU_SCALE = 1.0507009873554805


# -- ops with rules of their own --------------------------------------------------------------------------------------
FAR = 1000.0         # exp(-FAR) is 0 in every dtype: beyond it sigmoids and normal densities are at their ends


def _floating(op: str, x: ArrayLike) -> Strided:
    x = x if isinstance(x, Strided) else operand(op, x)
    if x.dtype.kind not in "fiub":
        raise TypeError(f"{op}: needs numbers; got dtype {x.dtype}")
    return x if x.dtype.kind == "f" else cyops.astype(x, "float32")


def _as_one_op(op: str, formula: Callable[..., Strided]) -> Callable[..., Tensor]:
    """`formula`, of a floating tensor and numbers, as an op that tapes record under the name `op`."""
    def function(x: ArrayLike, **numbers: float) -> Any:
        x = _floating(op, x)
        values = formula(cyops.detach(x), **numbers)
        cyops.record_op(op, (x,), values, numbers)
        return values
    return function


def _largest(x: Strided) -> float:
    """The largest finite number of x's dtype; that of bfloat16, which NumPy does not know, in 7 bits."""
    return (2 - 2 ** -7) * 2.0 ** 127 if x.dtype == "bfloat16" else float(np.finfo(x.dtype).max)


def _near(x: Strided) -> Strided:
    """x within +-FAR: what a bounded slope is computed from, so that no inf meets a 0."""
    return cyops.clip(x, -FAR, FAR)


def _softplus_values(x: Strided) -> Strided:
    return cyops.relu(x) + cyops.log1p(cyops.exp(-cyops.abs(x)))


def _softsign_values(x: Strided) -> Strided:
    largest = _largest(x)
    finite = cyops.clip(x, -largest, largest)
    return finite / (1.0 + cyops.abs(finite))


def _silu_values(x: Strided) -> Strided:
    return cyops.maximum(x, -FAR) * cyops.sigmoid(x)


def _silu_slope(x: Strided) -> Strided:
    near, gate = _near(x), cyops.sigmoid(x)
    return gate * (1.0 + near * (1.0 - gate))


def _gelu_values(x: Strided) -> Strided:
    return 0.5 * cyops.maximum(x, -FAR) * (1.0 + cyops.erf(x * 0.7071067811865476))


def _gelu_slope(x: Strided) -> Strided:
    near = _near(x)
    density = cyops.exp(-0.5 * cyops.square(near)) * 0.3989422804014327         # 1 / sqrt(2 pi)
    return 0.5 * (1.0 + cyops.erf(x * 0.7071067811865476)) + near * density


def _gelu_bend(x: Strided) -> Strided:
    return cyops.tanh(0.7978845608028654 * (x + 0.044715 * cyops.pow(x, 3)))    # sqrt(2 / pi)


def _approximate_gelu_values(x: Strided) -> Strided:
    return 0.5 * cyops.maximum(x, -FAR) * (1.0 + _gelu_bend(x))


def _approximate_gelu_slope(x: Strided) -> Strided:
    near = cyops.clip(x, -50.0, 50.0)        # where tanh is at its ends, and no power overflows
    bend = _gelu_bend(near)
    inner = 0.7978845608028654 * (1.0 + 0.134145 * cyops.square(near))
    return 0.5 * (1.0 + bend) + 0.5 * near * (1.0 - cyops.square(bend)) * inner


def _mish_values(x: Strided) -> Strided:
    return cyops.maximum(x, -FAR) * cyops.tanh(_softplus_values(x))


def _mish_slope(x: Strided) -> Strided:
    near, gate = _near(x), cyops.tanh(softplus(x))
    return gate + near * (1.0 - cyops.square(gate)) * cyops.sigmoid(x)


def _squareplus_values(x: Strided, b: float) -> Strided:
    size = cyops.abs(x)
    root = cyops.maximum(size, cyops.sqrt(cyops.square(cyops.minimum(size, _squarable(x))) + b))
    return cyops.relu(x) + 0.5 * b / (size + root)           # no difference of large numbers where x is negative


def _squareplus_slope(x: Strided, b: float) -> Strided:
    near = cyops.clip(x, -_squarable(x), _squarable(x))
    return 0.5 * (1.0 + near / cyops.sqrt(cyops.square(near) + b))


def _squarable(x: Strided) -> float:
    """A number whose square x's dtype holds, and which is far from 0."""
    return 0.5 * math.sqrt(_largest(x))


define("softplus", x=lambda d, x: d * cyops.sigmoid(x))
define("softsign", x=lambda d, x: d * cyops.square(cyops.reciprocal(1.0 + cyops.abs(x))))
define("silu", x=lambda d, x: d * _silu_slope(x))
define("gelu", x=lambda d, x: d * _gelu_slope(x))
define("approximate_gelu", x=lambda d, x: d * _approximate_gelu_slope(x))
define("mish", x=lambda d, x: d * _mish_slope(x))
define("squareplus", x=lambda d, x, b: d * _squareplus_slope(x, b))
_softplus = _as_one_op("softplus", _softplus_values)
_softsign = _as_one_op("softsign", _softsign_values)
_silu = _as_one_op("silu", _silu_values)
_gelu = _as_one_op("gelu", _gelu_values)
_approximate_gelu = _as_one_op("approximate_gelu", _approximate_gelu_values)
_mish = _as_one_op("mish", _mish_values)
_squareplus = _as_one_op("squareplus", _squareplus_values)


# -- the functions ----------------------------------------------------------------------------------------------------
# `deferrable`: called on a symbolic tensor each is one step of a graph, and not the ops that it is made of.
def linear(x: _T) -> _T:
    """x itself."""
    return x


@deferrable
def relu(x: ArrayLike, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Tensor:
    """x where x > threshold, `negative_slope * (x - threshold)` elsewhere, at most `max_value`.

    >>> import cytensor as ct
    >>> relu(ct.constant([-1., 2.])).numpy()
    array([0., 2.], dtype=float32)
    """
    if not negative_slope and not threshold:
        result = ops.relu(x)
    else:
        below = negative_slope * ops.subtract(x, threshold) if negative_slope else 0.0
        result = ops.where(ops.less_equal(x, threshold), below, x)
    return result if max_value is None else ops.minimum(result, max_value)


@deferrable
def leaky_relu(x: ArrayLike, negative_slope: float = 0.2) -> Tensor:
    """x where x > 0, `negative_slope * x` elsewhere."""
    return relu(x, negative_slope=negative_slope)


@deferrable
def relu6(x: ArrayLike) -> Tensor:
    """min(max(x, 0), 6)."""
    return relu(x, max_value=6.0)


@deferrable
def elu(x: ArrayLike, alpha: float = 1.0) -> Tensor:
    """x where x > 0, `alpha * (exp(x) - 1)` elsewhere."""
    negative = ops.expm1(ops.minimum(x, 0.0))      # no exponential of a large value: the gradient stays finite
    return ops.where(ops.greater(x, 0.0), x, alpha * negative)


@deferrable
def selu(x: ArrayLike) -> Tensor:
    """`scale * elu(x, alpha)` with the constants that keep activations normalised."""
    return SELU_SCALE * elu(x, SELU_ALPHA)


@deferrable
def softplus(x: ArrayLike) -> Tensor:
    """log(1 + exp(x)), stable at both ends."""
    return _softplus(x)


@deferrable
def softsign(x: ArrayLike) -> Tensor:
    """x / (1 + |x|)."""
    return _softsign(x)


@deferrable
def silu(x: ArrayLike) -> Tensor:
    """x * sigmoid(x); also called swish."""
    return _silu(x)


swish = silu


@deferrable
def gelu(x: ArrayLike, approximate: bool = False) -> Tensor:
    """x times the normal distribution function of x; `approximate` uses its form with tanh.

    Source: Hendrycks, Gimpel, "Gaussian Error Linear Units" (2016).
    """
    return _approximate_gelu(x) if approximate else _gelu(x)


@deferrable
def sigmoid(x: ArrayLike) -> Tensor:
    """1 / (1 + exp(-x))."""
    return ops.sigmoid(x)


@deferrable
def hard_sigmoid(x: ArrayLike) -> Tensor:
    """min(max(x / 6 + 1/2, 0), 1)."""
    return ops.minimum(ops.maximum(ops.divide(x, 6.0) + 0.5, 0.0), 1.0)


@deferrable
def tanh(x: ArrayLike) -> Tensor:
    """The hyperbolic tangent."""
    return ops.tanh(x)


@deferrable
def celu(x: ArrayLike, alpha: float = 1.0) -> Tensor:
    """x where x > 0, `alpha * (exp(x / alpha) - 1)` elsewhere."""
    return ops.where(ops.greater(x, 0.0), x, alpha * ops.expm1(ops.minimum(x, 0.0) / alpha))


@deferrable
def mish(x: ArrayLike) -> Tensor:
    """x * tanh(softplus(x)). Source: Misra, "Mish: a self regularized non-monotonic activation function" (2019)."""
    return _mish(x)


@deferrable
def hard_silu(x: ArrayLike) -> Tensor:
    """x * hard_sigmoid(x); also called hard_swish."""
    return ops.maximum(x, -3.0) * hard_sigmoid(x)        # below -3 the second factor is 0, at -inf too


hard_swish = hard_silu


@deferrable
def hard_tanh(x: ArrayLike) -> Tensor:
    """x kept within [-1, 1]."""
    return ops.clip(x, -1.0, 1.0)


@deferrable
def log_sigmoid(x: ArrayLike) -> Tensor:
    """log(sigmoid(x)), stable at both ends."""
    return -softplus(ops.negative(x))


@deferrable
def squareplus(x: ArrayLike, b: float = 4) -> Tensor:
    """(x + sqrt(x^2 + b)) / 2."""
    return _squareplus(x, b=float(b)) if b else ops.relu(x)


@deferrable
def tanh_shrink(x: ArrayLike) -> Tensor:
    """x - tanh(x)."""
    return ops.subtract(x, ops.tanh(x))


@deferrable
def soft_shrink(x: ArrayLike, threshold: float = 0.5) -> Tensor:
    """x moved towards 0 by `threshold`, and 0 within it."""
    return ops.subtract(x, ops.clip(x, -threshold, threshold))


@deferrable
def hard_shrink(x: ArrayLike, threshold: float = 0.5) -> Tensor:
    """x, and 0 where |x| <= threshold."""
    return ops.where(ops.less_equal(ops.abs(x), threshold), 0.0, x)


@deferrable
def threshold(x: ArrayLike, threshold: float, default_value: float) -> Tensor:
    """x where x > threshold, `default_value` elsewhere."""
    return ops.where(ops.less_equal(x, threshold), default_value, x)


@deferrable
def exponential(x: ArrayLike) -> Tensor:
    """exp(x)."""
    return ops.exp(x)


@deferrable
def softmax(x: ArrayLike, axis: int | Sequence[int] = -1) -> Tensor:
    """exp(x) over its sum along `axis`. The result remembers x, so that a cross-entropy of it is stable.

    A -inf has probability 0. A row of nothing but -inf, or with +inf or NaN, has no distribution and gives NaN.
    """
    return ops.softmax(x, axis=axis)


@deferrable
def log_softmax(x: ArrayLike, axis: int | Sequence[int] = -1) -> Tensor:
    """The logarithm of softmax, stable; NaN for a row of nothing but -inf, or with +inf or NaN, as in `softmax`."""
    return ops.log_softmax(x, axis=axis)


registry.register("activations", *(globals()[name] for name in __all__ if name not in (
    "get", "deserialize", "serialize", "swish", "hard_swish")))
registry.register_alias("activations", silu, "swish")
registry.register_alias("activations", hard_silu, "hard_swish")


def get(identifier: Identifier) -> Callable[..., Any]:
    """The function that a name or function means; None gives `linear`."""
    return registry.lookup("activations", identifier) or linear
deserialize: Callable[..., Any] = deserializer("activations")


def serialize(activation: Callable[..., Any]) -> Any:
    """The name of a function of this module; of one's own a dictionary, as `deserialize` takes it.

    >>> serialize(relu), serialize(get("gelu"))
    ('relu', 'gelu')
    """
    config = configurations.serialize(activation)
    return config["config"] if isinstance(config, dict) and activation in globals().values() else config


explain(__name__)
