"""`ct.nn`: TensorFlow's home of the activations and of the cross-entropies on logits."""
from cytensor.activations import elu, gelu, relu6, selu, silu, softplus, softsign, swish
from cytensor.activations import leaky_relu as _leaky_relu
from cytensor.losses import cross_entropy
from cytensor.ops import log_softmax, relu, sigmoid, softmax, softmax_cross_entropy, tanh
from cytensor.symbolic import deferrable
from cytensor.tensor import Tensor, operand
from cytensor.types import ArrayLike


@deferrable
def leaky_relu(features: ArrayLike, alpha: float = 0.2) -> Tensor:
    """x where x > 0, `alpha * x` elsewhere."""
    return _leaky_relu(operand("leaky_relu", features), alpha)


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


__all__ = ["bias_add", "elu", "gelu", "leaky_relu", "log_softmax", "relu", "relu6", "selu", "sigmoid",
           "sigmoid_cross_entropy_with_logits", "silu", "softmax", "softmax_cross_entropy_with_logits", "softplus",
           "softsign", "sparse_softmax_cross_entropy_with_logits", "swish", "tanh"]


def __dir__() -> list[str]:
    return [*__all__]
