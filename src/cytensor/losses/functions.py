"""Loss functions: per-sample values of a distance between targets and predictions. classes.py has the reduced classes.

Every function takes (y_true, y_pred) of equal shape (n, ..., k) and returns (n, ...), the last axis averaged or summed;
targets (n,) and predictions (n, 1), either way round, are brought together. Nothing else broadcasts. The values have
the dtype of the predictions, and float32 where that is a half or no floating one. At infinities they are the limit
where there is one.
"""
import math

import numpy as np

import cyops
from cytensor import norms, ops
from cytensor.losses import cross_entropy
from cytensor.losses.agreement import agree, as_floating, as_labels, check_classes, check_shares, warn_of_softmax
from cytensor.tensor import Tensor
from cytensor.types import ArrayLike

EPSILON = 1e-7       # probabilities are kept this far from 0 and 1, as in Keras


# -- cross-entropies --------------------------------------------------------------------------------------------------
def sparse_categorical_crossentropy(y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False,
                                    ignore_class: int | None = None, axis: int = -1) -> Tensor:
    """-log of the predicted probability of each label: y_true integer (n, ...), y_pred (n, ..., c) -> (n, ...).

    from_logits: y_pred are logits, not probabilities. ignore_class: a label whose samples give 0.
    Raises ValueError for a label outside [0, c).

    >>> round(float(sparse_categorical_crossentropy([1], [[0.5, 0.5]])[0]), 4)
    0.6931
    """
    op = "sparse_categorical_crossentropy"
    y_pred = _last(op, as_floating(op, y_pred), axis)
    labels = as_labels(op, y_true, y_pred)
    warn_of_softmax(op, y_pred, from_logits)
    if not from_logits and cyops.logits_behind(y_pred) is None:      # no softmax: scaled to sum to 1, as in Keras
        y_pred = y_pred / ops.sum(y_pred, axis=-1, keepdims=True)
    counted = None if ignore_class is None else ops.not_equal(labels, ignore_class)
    labels = labels if counted is None else ops.where(counted, labels, 0)
    if cyops.logits_behind(y_pred) is None and not from_logits:      # elsewhere the kernel looks
        check_classes(op, labels, y_pred.shape[-1])
    losses = cross_entropy.sparse_categorical_crossentropy(labels, y_pred, from_logits)
    losses = losses if losses.dtype.itemsize > 2 else losses.astype("float32")
    return losses if counted is None else ops.where(counted, losses, 0.0)


def categorical_crossentropy(y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False,
                             label_smoothing: float = 0.0, axis: int = -1) -> Tensor:
    """-sum(y_true * log(y_pred)) over the last axis: (n, ..., c), (n, ..., c) -> (n, ...).

    label_smoothing: the share of each target that is spread evenly over the classes.
    """
    op = "categorical_crossentropy"
    y_true, y_pred = agree(op, y_true, y_pred, keeps_softmax=True)
    y_true, y_pred = _last(op, y_true, axis), _last(op, y_pred, axis)
    warn_of_softmax(op, y_pred, from_logits)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / y_true.shape[-1]
    return cross_entropy.categorical_crossentropy(y_true, y_pred, from_logits)


def binary_crossentropy(y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False, label_smoothing: float = 0.0,
                        axis: int = -1) -> Tensor:
    """-(y log p + (1 - y) log(1 - p)), averaged over the last axis: (n, ..., k), (n, ..., k) -> (n, ...).

    Raises ValueError for a target outside [0, 1].
    """
    op = "binary_crossentropy"
    y_true, y_pred = _binary(op, y_true, y_pred, from_logits, label_smoothing, axis)
    return ops.mean(cross_entropy.binary_crossentropy(y_true, y_pred, from_logits), axis=-1)


def _binary(op: str, y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool, label_smoothing: float,
            axis: int) -> tuple[Tensor, Tensor]:
    """Targets, smoothed, and predictions of a binary cross-entropy, checked and with the classes last."""
    if isinstance(y_pred, Tensor):
        warn_of_softmax(op, y_pred, from_logits)
    y_true, y_pred = agree(op, y_true, y_pred)
    check_shares(op, y_true)
    y_true, y_pred = _last(op, y_true, axis), _last(op, y_pred, axis)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return y_true, y_pred


def binary_focal_crossentropy(y_true: ArrayLike, y_pred: ArrayLike, apply_class_balancing: bool = False,
                              alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False,
                              label_smoothing: float = 0.0, axis: int = -1) -> Tensor:
    """Binary cross-entropy times (1 - p)^gamma, p the probability of what is true: easy samples count little.

    apply_class_balancing: times alpha for targets of 1 and 1 - alpha for targets of 0, too. Source: Lin et al., "Focal
    loss for dense object detection" (2017).
    """
    op = "binary_focal_crossentropy"
    y_true, y_pred = _binary(op, y_true, y_pred, from_logits, label_smoothing, axis)
    if from_logits:
        y_pred = cross_entropy.bounded(y_pred)
    values = cross_entropy.binary_crossentropy(y_true, y_pred, from_logits)
    probability = ops.sigmoid(y_pred) if from_logits else y_pred
    right = y_true * probability + (1.0 - y_true) * (1.0 - probability)
    values = cross_entropy.unbounded(ops.pow(1.0 - right, gamma) * values)
    if apply_class_balancing:
        values = (y_true * alpha + (1.0 - y_true) * (1.0 - alpha)) * values
    return ops.mean(values, axis=-1)


def categorical_focal_crossentropy(y_true: ArrayLike, y_pred: ArrayLike, alpha: float = 0.25, gamma: float = 2.0,
                                   from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1) -> Tensor:
    """-sum(alpha * (1 - p)^gamma * y_true * log(p)) over the last axis. Source: Lin et al. (2017)."""
    op = "categorical_focal_crossentropy"
    y_true, y_pred = agree(op, y_true, y_pred)
    y_true, y_pred = _last(op, y_true, axis), _last(op, y_pred, axis)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / y_true.shape[-1]
    probability = ops.softmax(cross_entropy.bounded(y_pred), axis=-1) if from_logits else y_pred
    probability = probability / ops.sum(probability, axis=-1, keepdims=True)
    probability = ops.clip(probability, EPSILON, 1.0 - EPSILON)
    return -ops.sum(alpha * ops.pow(1.0 - probability, gamma) * y_true * ops.log(probability), axis=-1)


def _last(op: str, x: Tensor, axis: int) -> Tensor:
    """x with the axis of classes moved to the end."""
    if axis in (-1, x.ndim - 1):
        return x
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"{op}: axis must be in [{-x.ndim}, {x.ndim}); got {axis}")
    order = [i for i in range(x.ndim) if i != axis % x.ndim]
    return ops.permute_dims(x, (*order, axis % x.ndim))


# -- regression -------------------------------------------------------------------------------------------------------
def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> Tensor:
    """mean((y_true - y_pred)^2) over the last axis.

    >>> mean_squared_error([[0., 1.]], [[1., 3.]]).numpy()
    array([2.5], dtype=float32)
    """
    y_true, y_pred = agree("mean_squared_error", y_true, y_pred)
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


def mean_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> Tensor:
    """mean(|y_true - y_pred|) over the last axis."""
    y_true, y_pred = agree("mean_absolute_error", y_true, y_pred)
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


def mean_absolute_percentage_error(y_true: ArrayLike, y_pred: ArrayLike) -> Tensor:
    """100 * mean(|y_true - y_pred| / |y_true|) over the last axis, with |y_true| at least 1e-7."""
    y_true, y_pred = agree("mean_absolute_percentage_error", y_true, y_pred)
    y_true = _finite(y_true)                       # the limit is 100, for inf / inf is NaN
    return 100.0 * ops.mean(ops.abs((y_true - y_pred) / ops.maximum(ops.abs(y_true), EPSILON)), axis=-1)


def mean_squared_logarithmic_error(y_true: ArrayLike, y_pred: ArrayLike) -> Tensor:
    """mean((log(1 + y_true) - log(1 + y_pred))^2) over the last axis, values at least 1e-7."""
    y_true, y_pred = agree("mean_squared_logarithmic_error", y_true, y_pred)
    wanted = ops.log(ops.maximum(y_true, EPSILON) + 1.0)
    errors = ops.square(wanted - ops.log(ops.maximum(_finite(y_pred), EPSILON) + 1.0))
    beyond = ops.equal(y_pred, math.inf)           # where the error is infinite and its slope 0
    return ops.mean(ops.where(beyond, ops.square(wanted - math.inf), errors), axis=-1)


def _finite(x: Tensor) -> Tensor:
    """x with the largest finite numbers in place of infinities; NaN stays."""
    limit = float(np.finfo(x.dtype).max)
    return ops.clip(x, -limit, limit)


def huber(y_true: ArrayLike, y_pred: ArrayLike, delta: float = 1.0) -> Tensor:
    """Quadratic up to |error| = delta, linear beyond; mean over the last axis. Source: Huber (1964)."""
    y_true, y_pred = agree("huber", y_true, y_pred)
    error = y_pred - y_true
    size = ops.abs(error)
    within = ops.minimum(size, delta)              # the error up to delta, so that no square is of an infinity
    return ops.mean(0.5 * ops.square(within) + delta * (size - within), axis=-1)


def log_cosh(y_true: ArrayLike, y_pred: ArrayLike) -> Tensor:
    """mean(log(cosh(y_pred - y_true))) over the last axis, to the last digits for large errors and for small ones."""
    y_true, y_pred = agree("log_cosh", y_true, y_pred)
    error = y_pred - y_true
    size = ops.abs(error)
    rise = ops.expm1(ops.clip(error, -1.0, 1.0))               # cosh(x) - 1 = (exp(x) - 1)^2 / (2 exp(x))
    near = ops.log1p(ops.square(rise) / (2.0 * (1.0 + rise)))
    far = size + ops.log1p(ops.exp(-2.0 * size)) - 0.6931471805599453
    return ops.mean(ops.where(ops.less(size, 1.0), near, far), axis=-1)


# -- margins ----------------------------------------------------------------------------------------------------------
def _signs(y_true: Tensor) -> Tensor:
    """Targets 0 and 1 as -1 and 1; others as they are."""
    values = y_true.numpy()
    return 2.0 * y_true - 1.0 if ((values == 0) | (values == 1)).all() else y_true


def hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Tensor:
    """mean(max(1 - y_true * y_pred, 0)) over the last axis; targets -1 and 1, or 0 and 1."""
    y_true, y_pred = agree("hinge", y_true, y_pred)
    return ops.mean(ops.maximum(1.0 - _signs(y_true) * y_pred, 0.0), axis=-1)


def squared_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Tensor:
    """mean(max(1 - y_true * y_pred, 0)^2) over the last axis; targets -1 and 1, or 0 and 1."""
    y_true, y_pred = agree("squared_hinge", y_true, y_pred)
    return ops.mean(ops.square(ops.maximum(1.0 - _signs(y_true) * y_pred, 0.0)), axis=-1)


def categorical_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Tensor:
    """max(largest score of a wrong class - score of the right one + 1, 0); targets one-hot."""
    y_true, y_pred = agree("categorical_hinge", y_true, y_pred)
    right = ops.sum(_share(y_true, y_pred), axis=-1)
    wrong = ops.max(_share(1.0 - y_true, y_pred), axis=-1)
    return ops.maximum(wrong - right + 1.0, 0.0)


def _share(weight: Tensor, x: Tensor) -> Tensor:
    """weight * x, and 0 where the weight is 0: a score of minus infinity rules a class out."""
    return ops.where(ops.equal(weight, 0.0), 0.0, weight * x)


# -- distributions and directions -------------------------------------------------------------------------------------
def kl_divergence(y_true: ArrayLike, y_pred: ArrayLike) -> Tensor:
    """sum(y_true * log(y_true / y_pred)) over the last axis, both kept within [1e-7, 1]."""
    y_true, y_pred = agree("kl_divergence", y_true, y_pred)
    y_true, y_pred = ops.clip(y_true, EPSILON, 1.0), ops.clip(y_pred, EPSILON, 1.0)
    return ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)


def poisson(y_true: ArrayLike, y_pred: ArrayLike) -> Tensor:
    """mean(y_pred - y_true * log(y_pred)) over the last axis."""
    y_true, y_pred = agree("poisson", y_true, y_pred)
    values = y_pred - y_true * ops.log(y_pred + EPSILON)
    return ops.mean(ops.where(ops.equal(y_pred, math.inf), y_pred, values), axis=-1)       # p outgrows log p


def cosine_similarity(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> Tensor:
    """Minus the cosine of the angle between y_true and y_pred along `axis`: -1 where they point the same way."""
    y_true, y_pred = agree("cosine_similarity", y_true, y_pred)
    return -ops.sum(norms.unit(y_true, axis) * norms.unit(y_pred, axis), axis=axis)
