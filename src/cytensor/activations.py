"""Activation functions: elementwise maps from a tensor (...) to one of the same shape, and softmax over an axis."""
from cytensor import ops, registry

__all__ = ["celu", "elu", "exponential", "gelu", "get", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish",
           "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu",
           "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "squareplus", "swish", "tanh",
           "tanh_shrink", "threshold"]
__dir__ = __all__.copy

SELU_ALPHA = 1.6732632423543772      # fixed point of zero mean and unit variance; Klambauer et al. (2017)
SELU_SCALE = 1.0507009873554805


def linear(x):
    """x itself."""
    return x


def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    """x where x > threshold, `negative_slope * (x - threshold)` elsewhere, at most `max_value`.

    >>> import cytensor as ct
    >>> relu(ct.constant([-1., 2.])).numpy()
    array([0., 2.], dtype=float32)
    """
    if not negative_slope and not threshold:
        result = ops.relu(x)
    else:
        above = ops.greater(x, threshold)
        result = ops.where(above, x, negative_slope * (x - threshold))
    return result if max_value is None else ops.minimum(result, max_value)


def leaky_relu(x, negative_slope=0.2):
    """x where x > 0, `negative_slope * x` elsewhere."""
    return relu(x, negative_slope=negative_slope)


def relu6(x):
    """min(max(x, 0), 6)."""
    return relu(x, max_value=6.0)


def elu(x, alpha=1.0):
    """x where x > 0, `alpha * (exp(x) - 1)` elsewhere."""
    negative = ops.expm1(ops.minimum(x, 0.0))      # no exponential of a large value: the gradient stays finite
    return ops.where(ops.greater(x, 0.0), x, alpha * negative)


def selu(x):
    """`scale * elu(x, alpha)` with the constants that keep activations normalised."""
    return SELU_SCALE * elu(x, SELU_ALPHA)


def softplus(x):
    """log(1 + exp(x)), stable at both ends."""
    size = ops.abs(x)
    return 0.5 * (x + size) + ops.log1p(ops.exp(-size))        # max(x, 0) in a form with the right slope at 0


def softsign(x):
    """x / (1 + |x|)."""
    return x / (1.0 + ops.abs(x))


def silu(x):
    """x * sigmoid(x); also called swish."""
    return x * ops.sigmoid(x)


swish = silu


def gelu(x, approximate=False):
    """x times the normal distribution function of x; `approximate` uses its form with tanh.

    Source: Hendrycks, Gimpel, "Gaussian Error Linear Units" (2016).
    """
    if approximate:
        return 0.5 * x * (1.0 + ops.tanh(0.7978845608028654 * (x + 0.044715 * ops.pow(x, 3))))
    return 0.5 * x * (1.0 + ops.erf(x * 0.7071067811865476))


def sigmoid(x):
    """1 / (1 + exp(-x))."""
    return ops.sigmoid(x)


def hard_sigmoid(x):
    """min(max(x / 6 + 1/2, 0), 1)."""
    return ops.minimum(ops.maximum(x / 6.0 + 0.5, 0.0), 1.0)


def tanh(x):
    """The hyperbolic tangent."""
    return ops.tanh(x)


def celu(x, alpha=1.0):
    """x where x > 0, `alpha * (exp(x / alpha) - 1)` elsewhere."""
    return ops.where(ops.greater(x, 0.0), x, alpha * ops.expm1(ops.minimum(x, 0.0) / alpha))


def mish(x):
    """x * tanh(softplus(x)). Source: Misra, "Mish: a self regularized non-monotonic activation function" (2019)."""
    return x * ops.tanh(softplus(x))


def hard_silu(x):
    """x * hard_sigmoid(x); also called hard_swish."""
    return x * hard_sigmoid(x)


hard_swish = hard_silu


def hard_tanh(x):
    """x kept within [-1, 1]."""
    return ops.clip(x, -1.0, 1.0)


def log_sigmoid(x):
    """log(sigmoid(x)), stable at both ends."""
    return -softplus(-x)


def squareplus(x, b=4):
    """(x + sqrt(x^2 + b)) / 2."""
    return 0.5 * (x + ops.sqrt(ops.square(x) + float(b)))


def tanh_shrink(x):
    """x - tanh(x)."""
    return x - ops.tanh(x)


def soft_shrink(x, threshold=0.5):
    """x moved towards 0 by `threshold`, and 0 within it."""
    return x - ops.clip(x, -threshold, threshold)


def hard_shrink(x, threshold=0.5):
    """x, and 0 where |x| <= threshold."""
    return ops.where(ops.greater(ops.abs(x), threshold), x, 0.0)


def threshold(x, threshold, default_value):
    """x where x > threshold, `default_value` elsewhere."""
    return ops.where(ops.greater(x, threshold), x, default_value)


def exponential(x):
    """exp(x)."""
    return ops.exp(x)


def softmax(x, axis=-1):
    """exp(x) over its sum along `axis`. The result remembers x, so that a cross-entropy of it is stable."""
    return ops.softmax(x, axis=axis)


def log_softmax(x, axis=-1):
    """The logarithm of softmax, stable."""
    return ops.log_softmax(x, axis=axis)


registry.register("activations", *(globals()[name] for name in __all__ if name not in ("get", "swish", "hard_swish")))
registry.register_alias("activations", silu, "swish")
registry.register_alias("activations", hard_silu, "hard_swish")


def get(identifier):
    """The function that a name or function means; None gives `linear`."""
    return registry.lookup("activations", identifier) or linear
