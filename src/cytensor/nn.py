"""`ct.nn`: TensorFlow's home of the activations and of the cross-entropy on logits."""
from cytensor.ops import FUNCTIONS

relu = FUNCTIONS["relu"]
sigmoid = FUNCTIONS["sigmoid"]
tanh = FUNCTIONS["tanh"]
softmax = FUNCTIONS["softmax"]
log_softmax = FUNCTIONS["log_softmax"]


def sparse_softmax_cross_entropy_with_logits(labels, logits):
    """-log softmax(logits)[label] per sample: labels (n...,) integer, logits (n..., c) -> (n...,)."""
    return FUNCTIONS["softmax_cross_entropy"](logits, labels)


def softmax_cross_entropy_with_logits(labels, logits):
    """-sum(labels * log softmax(logits)) per sample: labels (n..., c) floating, logits (n..., c) -> (n...,)."""
    return FUNCTIONS["softmax_cross_entropy"](logits, labels)


def bias_add(value, bias):
    """value (..., n) + bias (n,) -> (..., n)."""
    return value + bias


__all__ = ["bias_add", "log_softmax", "relu", "sigmoid", "softmax", "softmax_cross_entropy_with_logits",
           "sparse_softmax_cross_entropy_with_logits", "tanh"]
