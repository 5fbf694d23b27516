"""`ct.nn`: TensorFlow's home of the activations, of the cross-entropies on logits, and of convolution and pooling."""
from collections.abc import Callable, Sequence
from typing import Any

from cytensor import activations, ops, registry
from cytensor.keywords import accepting
from cytensor.losses import cross_entropy
from cytensor.ops import log_softmax, relu, sigmoid, softmax, softmax_cross_entropy, tanh
from cytensor.random import uniform
from cytensor.symbolic import KerasTensor, deferrable
from cytensor.tensor import Tensor, operand
from cytensor.types import ArrayLike

elu: Callable[..., Tensor]
gelu: Callable[..., Tensor]
relu6: Callable[..., Tensor]
selu: Callable[..., Tensor]
silu: Callable[..., Tensor]
softplus: Callable[..., Tensor]
softsign: Callable[..., Tensor]
elu, gelu, relu6, selu, silu, softplus, softsign = (accepting({"features": "x"})(function) for function in (
    activations.elu, activations.gelu, activations.relu6, activations.selu, activations.silu, activations.softplus,
    activations.softsign))
swish: Callable[..., Tensor] = silu


@deferrable
@accepting({})
def leaky_relu(features: ArrayLike, alpha: float = 0.2) -> Tensor:
    """x where x > 0, `alpha * x` elsewhere."""
    return activations.leaky_relu(operand("leaky_relu", features), alpha)


def sparse_softmax_cross_entropy_with_logits(labels: ArrayLike, logits: ArrayLike) -> Tensor:
    """-log softmax(logits)[label] per sample: labels (n...,) integer, logits (n..., c) -> (n...,)."""
    return softmax_cross_entropy(logits, labels)


def softmax_cross_entropy_with_logits(labels: ArrayLike, logits: ArrayLike) -> Tensor:
    """-sum(labels * log softmax(logits)) per sample: labels (n..., c) floating, logits (n..., c) -> (n...,)."""
    return softmax_cross_entropy(logits, labels)


def sigmoid_cross_entropy_with_logits(labels: ArrayLike, logits: ArrayLike) -> Tensor:
    """-(t log sigmoid(z) + (1 - t) log(1 - sigmoid(z))) for each element: labels t and logits z of one shape.

    ValueError where the shapes differ.

    >>> import cytensor as ct
    >>> ct.nn.sigmoid_cross_entropy_with_logits([1., 0.], [1000., 1000.]).tolist()
    [0.0, 1000.0]
    """
    labels, logits = (operand("sigmoid_cross_entropy_with_logits", x) for x in (labels, logits))
    if labels.shape != logits.shape:
        raise ValueError(f"sigmoid_cross_entropy_with_logits: labels and logits must have the same shape; got labels "
                         f"{labels.shape}, logits {logits.shape}")
    return cross_entropy.binary_crossentropy(labels.astype(logits.dtype), logits, from_logits=True)


def bias_add(value: Tensor, bias: ArrayLike) -> Tensor:
    """value (..., n) + bias (n,) -> (..., n)."""
    return value + bias


def _spatial(op: str, numbers: Any, count: int, data_format: str) -> Any:
    """Strides or windows as TensorFlow has them, one number, one for each spatial axis, or one for each axis, as those
    of the spatial axes. ValueError where samples or channels are strided."""
    if isinstance(numbers, int):
        return numbers
    given = tuple(numbers)
    if len(given) == count + 2:
        first = 1 if data_format == "channels_last" else 2
        if any(n != 1 for i, n in enumerate(given) if not first <= i < first + count):
            raise ValueError(f"{op}: samples and channels have windows and strides of 1; got {list(given)}")
        given = given[first:first + count]
    return given[0] if len(given) == 1 else given


def _format(op: str, data_format: str | None) -> str:
    if data_format is None or data_format.upper() in ("NWC", "NHWC", "NDHWC"):
        return "channels_last"
    if data_format.upper() in ("NCW", "NCHW", "NCDHW"):
        return "channels_first"
    raise ValueError(f"{op}: data_format must be such as 'NHWC' or 'NCHW'; got {data_format!r}")


def _check_axes(op: str, x: ArrayLike, count: int) -> None:
    if not isinstance(x, KerasTensor) and operand(op, x).ndim != count + 2:
        raise ValueError(f"{op}: input must have samples, channels and {count} spatial axes; got shape "
                         f"{operand(op, x).shape}")


def _convolution(name: str, count: int) -> Callable[..., Tensor]:
    @deferrable
    @accepting({})
    def convolution(input: ArrayLike, filters: ArrayLike, strides: int | Sequence[int] = 1,
                    padding: str | Sequence[Any] = "VALID", data_format: str | None = None,
                    dilations: int | Sequence[int] | None = None) -> Tensor:
        order = _format(name, data_format)
        _check_axes(name, input, count)
        sides = padding.lower() if isinstance(padding, str) else _spatial(name, padding, count, order)
        return ops.conv(input, filters, strides=_spatial(name, strides, count, order), padding=sides,
                        dilation_rate=_spatial(name, 1 if dilations is None else dilations, count, order),
                        data_format=order)

    convolution.__name__ = convolution.__qualname__ = name
    convolution.__doc__ = (f"`ct.conv` in TensorFlow's words: input (n, {count} spatial axes, c), filters (k..., c, "
                           f"f), padding 'VALID', 'SAME' or pairs, strides one number, {count}, or one for each axis.")
    return convolution


conv1d: Callable[..., Tensor]
conv2d: Callable[..., Tensor]
conv3d: Callable[..., Tensor]
conv1d, conv2d, conv3d = (_convolution(f"conv{count}d", count) for count in (1, 2, 3))


def _pooling(name: str, count: int, pool: Callable[..., Tensor]) -> Callable[..., Tensor]:
    @deferrable
    @accepting({"value": "input"})
    def pooling(input: ArrayLike, ksize: int | Sequence[int], strides: int | Sequence[int], padding: str,
                data_format: str | None = None) -> Tensor:
        order = _format(name, data_format)
        _check_axes(name, input, count)
        return pool(input, _spatial(name, ksize, count, order), _spatial(name, strides, count, order), padding.lower(),
                    order)

    pooling.__name__ = pooling.__qualname__ = name
    pooling.__doc__ = (f"`ct.{pool.__name__}` in TensorFlow's words: input (n, {count} spatial axes, c), ksize and "
                       f"strides each one number, {count}, or one for each axis, padding 'VALID' or 'SAME'.")
    return pooling


max_pool1d: Callable[..., Tensor]
max_pool2d: Callable[..., Tensor]
max_pool3d: Callable[..., Tensor]
avg_pool1d: Callable[..., Tensor]
avg_pool2d: Callable[..., Tensor]
avg_pool3d: Callable[..., Tensor]
max_pool1d, max_pool2d, max_pool3d = (_pooling(f"max_pool{n}d", n, ops.max_pool) for n in (1, 2, 3))
avg_pool1d, avg_pool2d, avg_pool3d = (_pooling(f"avg_pool{n}d", n, ops.average_pool) for n in (1, 2, 3))
max_pool: Callable[..., Tensor] = max_pool2d
avg_pool: Callable[..., Tensor] = avg_pool2d


@deferrable
@accepting({"shift": None})
def moments(x: ArrayLike, axes: int | Sequence[int], keepdims: bool = False) -> tuple[Tensor, Tensor]:
    """(mean, variance) along axes.

    >>> [float(part) for part in moments([1., 3.], axes=[0])]
    [2.0, 1.0]
    """
    axis = axes if isinstance(axes, int) else tuple(axes)
    return ops.mean(x, axis=axis, keepdims=keepdims), ops.var(x, axis=axis, keepdims=keepdims)


@deferrable
@accepting({})
def batch_normalization(x: ArrayLike, mean: ArrayLike, variance: ArrayLike, offset: ArrayLike | None,
                        scale: ArrayLike | None, variance_epsilon: float) -> Tensor:
    """(x - mean) / sqrt(variance + variance_epsilon) * scale + offset; None for 0 and 1."""
    result = (operand("batch_normalization", x) - mean) / ops.sqrt(ops.add(variance, variance_epsilon))
    result = result if scale is None else result * scale
    return result if offset is None else result + offset


@accepting({})
def dropout(x: ArrayLike, rate: float, noise_shape: Sequence[int] | None = None, seed: int | None = None) -> Tensor:
    """x with a share of `rate` of its elements 0 and the others divided by 1 - rate."""
    values = operand("dropout", x)
    if not 0 <= rate < 1:
        raise ValueError(f"dropout: rate must lie in [0, 1); got {rate!r}")
    drawn = uniform(values.shape if noise_shape is None else noise_shape, seed=seed)
    return ops.where(ops.greater_equal(drawn, rate), values / (1 - rate), ops.zeros((), values.dtype))


@deferrable
@accepting({})
def l2_loss(t: ArrayLike) -> Tensor:
    """sum(t^2) / 2.

    >>> float(l2_loss([3., 4.]))
    12.5
    """
    return ops.sum(ops.square(t)) / 2


@deferrable
@accepting({"max_norm": None})
def embedding_lookup(params: ArrayLike, ids: ArrayLike) -> Tensor:
    """The rows of a table at the positions: (n, d), (*s) -> (*s, d)."""
    return ops.take(params, ids, axis=0)


__all__ = ["avg_pool", "avg_pool1d", "avg_pool2d", "avg_pool3d", "batch_normalization", "bias_add", "conv1d", "conv2d",
           "conv3d", "dropout", "elu", "embedding_lookup", "gelu", "l2_loss", "leaky_relu", "log_softmax", "max_pool",
           "max_pool1d", "max_pool2d", "max_pool3d", "moments", "relu", "relu6", "selu", "sigmoid",
           "sigmoid_cross_entropy_with_logits", "silu", "softmax", "softmax_cross_entropy_with_logits", "softplus",
           "softsign", "sparse_softmax_cross_entropy_with_logits", "swish", "tanh"]


registry.register_for_files("nn", *(globals()[name] for name in __all__ if globals()[name].__module__ == __name__))


def __dir__() -> list[str]:
    return [*__all__]
