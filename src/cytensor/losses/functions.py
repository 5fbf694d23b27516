"""Loss functions: per-sample values of a distance between targets and predictions. classes.py has the reduced classes.

Every function takes (y_true, y_pred) of equal shape (n, ..., k) and returns (n, ...), the last axis averaged or summed;
targets (n,) and predictions (n, 1), either way round, are brought together. Nothing else broadcasts.
"""
import numpy as np

from cytensor import ops
from cytensor.losses import cross_entropy
from cytensor.tensor import Tensor, asarray

EPSILON = 1e-7       # probabilities are kept this far from 0 and 1, as in Keras


# -- the door ---------------------------------------------------------------------------------------------------------
def as_floating(y_pred):
    """y_pred as a floating tensor."""
    y_pred = y_pred if isinstance(y_pred, Tensor) else asarray(y_pred)
    return y_pred if y_pred.dtype.kind == "f" else y_pred.astype("float32")


def agree(op, y_true, y_pred):
    """(y_true, y_pred) as tensors of one floating dtype and one shape; raises ValueError where shapes differ."""
    y_pred = as_floating(y_pred)
    y_true = asarray(y_true)
    if y_true.dtype != y_pred.dtype:
        y_true = y_true.astype(y_pred.dtype)
    return same_shape(op, y_true, y_pred)


def same_shape(op, y_true, y_pred):
    """The two with (n,) reshaped to (n, 1) where the other one is that; raises ValueError for any other difference."""
    a, b = y_true.shape, y_pred.shape
    if a == b:
        return y_true, y_pred
    if len(a) == 1 and b == (a[0], 1):
        return y_true.reshape(b), y_pred
    if len(b) == 1 and a == (b[0], 1):
        return y_true, y_pred.reshape(a)
    hint = ""
    if len(a) == len(b) - 1 and a == b[:-1]:
        hint = "; integer class labels go with sparse_categorical_crossentropy and sparse_categorical_accuracy"
    raise ValueError(f"{op}: y_true and y_pred must have the same shape; got y_true {a}, y_pred {b}{hint}")


def kind_of_targets(true_shape, pred_shape):
    """"binary", "sparse" or "categorical": what "accuracy" and "crossentropy" mean for targets and predictions.

    Binary for one prediction a sample; sparse for targets with an axis less, or a last axis of 1; else categorical.
    """
    if len(pred_shape) < 2 or pred_shape[-1] == 1:
        return "binary"
    return "sparse" if len(true_shape) < len(pred_shape) or true_shape[-1] == 1 else "categorical"


def as_labels(op, y_true, y_pred):
    """y_true as integer labels of y_pred's shape without its last axis, which (n, 1) loses."""
    y_true = y_true if isinstance(y_true, Tensor) else asarray(y_true)
    expected = y_pred.shape[:-1]
    if y_pred.ndim < 2:
        raise ValueError(f"{op}: y_pred must have a last axis of classes; got y_true {y_true.shape}, "
                         f"y_pred {y_pred.shape}; one probability per sample goes with binary_crossentropy")
    if y_true.shape != expected:
        if y_true.shape != (*expected, 1):
            hint = "; one-hot targets go with categorical_crossentropy" if y_true.shape == y_pred.shape else ""
            raise ValueError(f"{op}: y_true must have the shape of y_pred without its last axis; "
                             f"got y_true {y_true.shape}, y_pred {y_pred.shape}{hint}")
        y_true = y_true.reshape(expected)
    if y_true.dtype.kind in "iu":
        return y_true
    labels = y_true.astype("int64")
    if y_true.dtype.kind != "b" and not bool(ops.equal(labels.astype(y_true.dtype), y_true).numpy().all()):
        place = tuple(np.argwhere(y_true.numpy() != labels.numpy())[0].tolist())
        raise TypeError(f"{op}: labels must be integers; got {y_true.numpy()[place]} at position "
                        f"{place[0] if len(place) == 1 else place}")
    return labels


# -- cross-entropies --------------------------------------------------------------------------------------------------
def sparse_categorical_crossentropy(y_true, y_pred, from_logits=False, ignore_class=None, axis=-1):
    """-log of the predicted probability of each label: y_true integer (n, ...), y_pred (n, ..., c) -> (n, ...).

    from_logits: y_pred are logits, not probabilities. ignore_class: a label whose samples give 0.
    Raises ValueError for a label outside [0, c).

    >>> round(float(sparse_categorical_crossentropy([1], [[0.5, 0.5]])[0]), 4)
    0.6931
    """
    op = "sparse_categorical_crossentropy"
    y_pred = _last(op, as_floating(y_pred), axis)
    labels = as_labels(op, y_true, y_pred)
    if not from_logits and y_pred.origin is None:        # not known to be a softmax: scaled to sum to 1, as in Keras
        y_pred = y_pred / ops.sum(y_pred, axis=-1, keepdims=True)
    if ignore_class is None:
        return cross_entropy.sparse_categorical_crossentropy(labels, y_pred, from_logits)
    counted = ops.not_equal(labels, ignore_class)
    losses = cross_entropy.sparse_categorical_crossentropy(ops.where(counted, labels, 0), y_pred, from_logits)
    return ops.where(counted, losses, 0.0)


def categorical_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """-sum(y_true * log(y_pred)) over the last axis: (n, ..., c), (n, ..., c) -> (n, ...).

    label_smoothing: the share of each target that is spread evenly over the classes.
    """
    op = "categorical_crossentropy"
    y_true, y_pred = agree(op, y_true, y_pred)
    y_true, y_pred = _last(op, y_true, axis), _last(op, y_pred, axis)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / y_true.shape[-1]
    return cross_entropy.categorical_crossentropy(y_true, y_pred, from_logits)


def binary_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """-(y log p + (1 - y) log(1 - p)), averaged over the last axis: (n, ..., k), (n, ..., k) -> (n, ...)."""
    op = "binary_crossentropy"
    y_true, y_pred = agree(op, y_true, y_pred)
    y_true, y_pred = _last(op, y_true, axis), _last(op, y_pred, axis)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return ops.mean(cross_entropy.binary_crossentropy(y_true, y_pred, from_logits), axis=-1)


def binary_focal_crossentropy(y_true, y_pred, apply_class_balancing=False, alpha=0.25, gamma=2.0, from_logits=False,
                              label_smoothing=0.0, axis=-1):
    """Binary cross-entropy times (1 - p)^gamma, p the probability of what is true: easy samples count little.

    apply_class_balancing: times alpha for targets of 1 and 1 - alpha for targets of 0, too. Source: Lin et al., "Focal
    loss for dense object detection" (2017).
    """
    op = "binary_focal_crossentropy"
    y_true, y_pred = agree(op, y_true, y_pred)
    y_true, y_pred = _last(op, y_true, axis), _last(op, y_pred, axis)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    values = cross_entropy.binary_crossentropy(y_true, y_pred, from_logits)
    probability = ops.sigmoid(y_pred) if from_logits else y_pred
    right = y_true * probability + (1.0 - y_true) * (1.0 - probability)
    values = ops.pow(1.0 - right, gamma) * values
    if apply_class_balancing:
        values = (y_true * alpha + (1.0 - y_true) * (1.0 - alpha)) * values
    return ops.mean(values, axis=-1)


def categorical_focal_crossentropy(y_true, y_pred, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0,
                                   axis=-1):
    """-sum(alpha * (1 - p)^gamma * y_true * log(p)) over the last axis. Source: Lin et al. (2017)."""
    op = "categorical_focal_crossentropy"
    y_true, y_pred = agree(op, y_true, y_pred)
    y_true, y_pred = _last(op, y_true, axis), _last(op, y_pred, axis)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / y_true.shape[-1]
    probability = ops.softmax(y_pred, axis=-1) if from_logits else y_pred
    probability = probability / ops.sum(probability, axis=-1, keepdims=True)
    probability = ops.clip(probability, EPSILON, 1.0 - EPSILON)
    return -ops.sum(alpha * ops.pow(1.0 - probability, gamma) * y_true * ops.log(probability), axis=-1)


def _last(op, x, axis):
    """x with the axis of classes moved to the end."""
    if axis in (-1, x.ndim - 1):
        return x
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"{op}: axis must be in [{-x.ndim}, {x.ndim}); got {axis}")
    order = [i for i in range(x.ndim) if i != axis % x.ndim]
    return ops.permute_dims(x, (*order, axis % x.ndim))


# -- regression -------------------------------------------------------------------------------------------------------
def mean_squared_error(y_true, y_pred):
    """mean((y_true - y_pred)^2) over the last axis.

    >>> mean_squared_error([[0., 1.]], [[1., 3.]]).numpy()
    array([2.5], dtype=float32)
    """
    y_true, y_pred = agree("mean_squared_error", y_true, y_pred)
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


def mean_absolute_error(y_true, y_pred):
    """mean(|y_true - y_pred|) over the last axis."""
    y_true, y_pred = agree("mean_absolute_error", y_true, y_pred)
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


def mean_absolute_percentage_error(y_true, y_pred):
    """100 * mean(|y_true - y_pred| / |y_true|) over the last axis, with |y_true| at least 1e-7."""
    y_true, y_pred = agree("mean_absolute_percentage_error", y_true, y_pred)
    return 100.0 * ops.mean(ops.abs((y_true - y_pred) / ops.maximum(ops.abs(y_true), EPSILON)), axis=-1)


def mean_squared_logarithmic_error(y_true, y_pred):
    """mean((log(1 + y_true) - log(1 + y_pred))^2) over the last axis, values at least 1e-7."""
    y_true, y_pred = agree("mean_squared_logarithmic_error", y_true, y_pred)
    difference = ops.log(ops.maximum(y_true, EPSILON) + 1.0) - ops.log(ops.maximum(y_pred, EPSILON) + 1.0)
    return ops.mean(ops.square(difference), axis=-1)


def huber(y_true, y_pred, delta=1.0):
    """Quadratic up to |error| = delta, linear beyond; mean over the last axis. Source: Huber (1964)."""
    y_true, y_pred = agree("huber", y_true, y_pred)
    error = y_pred - y_true
    size = ops.abs(error)
    loss = ops.where(ops.less_equal(size, delta), 0.5 * ops.square(error), delta * size - 0.5 * delta * delta)
    return ops.mean(loss, axis=-1)


def log_cosh(y_true, y_pred):
    """mean(log(cosh(y_pred - y_true))) over the last axis, stable for large errors."""
    y_true, y_pred = agree("log_cosh", y_true, y_pred)
    size = ops.abs(y_pred - y_true)
    return ops.mean(size + ops.log1p(ops.exp(-2.0 * size)) - 0.6931471805599453, axis=-1)


# -- margins ----------------------------------------------------------------------------------------------------------
def _signs(y_true):
    """Targets 0 and 1 as -1 and 1; others as they are."""
    values = y_true.numpy()
    return 2.0 * y_true - 1.0 if ((values == 0) | (values == 1)).all() else y_true


def hinge(y_true, y_pred):
    """mean(max(1 - y_true * y_pred, 0)) over the last axis; targets -1 and 1, or 0 and 1."""
    y_true, y_pred = agree("hinge", y_true, y_pred)
    return ops.mean(ops.maximum(1.0 - _signs(y_true) * y_pred, 0.0), axis=-1)


def squared_hinge(y_true, y_pred):
    """mean(max(1 - y_true * y_pred, 0)^2) over the last axis; targets -1 and 1, or 0 and 1."""
    y_true, y_pred = agree("squared_hinge", y_true, y_pred)
    return ops.mean(ops.square(ops.maximum(1.0 - _signs(y_true) * y_pred, 0.0)), axis=-1)


def categorical_hinge(y_true, y_pred):
    """max(largest score of a wrong class - score of the right one + 1, 0); targets one-hot."""
    y_true, y_pred = agree("categorical_hinge", y_true, y_pred)
    right = ops.sum(y_true * y_pred, axis=-1)
    wrong = ops.max((1.0 - y_true) * y_pred, axis=-1)
    return ops.maximum(wrong - right + 1.0, 0.0)


# -- distributions and directions -------------------------------------------------------------------------------------
def kl_divergence(y_true, y_pred):
    """sum(y_true * log(y_true / y_pred)) over the last axis, both kept within [1e-7, 1]."""
    y_true, y_pred = agree("kl_divergence", y_true, y_pred)
    y_true, y_pred = ops.clip(y_true, EPSILON, 1.0), ops.clip(y_pred, EPSILON, 1.0)
    return ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)


def poisson(y_true, y_pred):
    """mean(y_pred - y_true * log(y_pred)) over the last axis."""
    y_true, y_pred = agree("poisson", y_true, y_pred)
    return ops.mean(y_pred - y_true * ops.log(y_pred + EPSILON), axis=-1)


def cosine_similarity(y_true, y_pred, axis=-1):
    """Minus the cosine of the angle between y_true and y_pred along `axis`: -1 where they point the same way."""
    y_true, y_pred = agree("cosine_similarity", y_true, y_pred)
    return -ops.sum(_unit(y_true, axis) * _unit(y_pred, axis), axis=axis)


def _unit(x, axis):
    return x / ops.sqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), 1e-12))
