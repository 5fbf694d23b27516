"""Cross-entropies per sample, stable and fused where the predictions are known to be a softmax.

These are ops: shapes and labels are checked by functions.py and by the kernels. A softmax output remembers its logits
(`origin`); while both are unchanged (`cyops.logits_behind`) the value is computed from the logits, so that it neither
overflows nor needs clipping, and the tape's walk goes to them in one step (fusion.py). Probabilities of unknown origin
are clipped to [1e-7, 1 - 1e-7], as in Keras.
"""
import math
from typing import cast

import numpy as np

import cyops
from cyops import Strided
from cytensor import ops
from cytensor.autodiff.fusion import past_softmax
from cytensor.autodiff.rules import define
from cytensor.tensor import Tensor

EPSILON = 1e-7


def sparse_categorical_crossentropy(labels: Tensor, y_pred: Tensor, from_logits: bool = False) -> Tensor:
    """-log of the probability predicted for each label.

    labels: integer (n...,); y_pred: floating (n..., c), probabilities or logits -> (n...,). ValueError for a label
    outside [0, c).

    >>> import cytensor as ct
    >>> ct.cross_entropy.sparse_categorical_crossentropy(ct.asarray([1]), ct.zeros((1, 2)), from_logits=True)
    <Tensor shape=(1,) dtype=float32: [0.6931472]>
    """
    if from_logits:
        return _of_logits(y_pred, labels)
    logits = cyops.logits_behind(y_pred)
    if logits is not None:
        return _of_softmax(y_pred, logits, labels)
    targets = ops.one_hot(labels, y_pred.shape[-1], dtype=y_pred.dtype)
    return -ops.sum(targets * ops.log(ops.clip(y_pred, EPSILON, 1 - EPSILON)), axis=-1)


def categorical_crossentropy(targets: Tensor, y_pred: Tensor, from_logits: bool = False) -> Tensor:
    """-sum(targets * log(probability)) over the last axis.

    targets: floating (n..., c), one-hot or soft; y_pred: (n..., c), probabilities or logits -> (n...,). Probabilities
    are scaled to sum to 1, as in Keras.
    """
    if from_logits:
        return _of_logits(y_pred, targets)
    logits = cyops.logits_behind(y_pred)
    if logits is not None:
        return _of_softmax(y_pred, logits, targets)
    y_pred = y_pred / ops.sum(y_pred, axis=-1, keepdims=True)
    return -ops.sum(targets * ops.log(ops.clip(y_pred, EPSILON, 1 - EPSILON)), axis=-1)


def binary_crossentropy(targets: Tensor, y_pred: Tensor, from_logits: bool = False) -> Tensor:
    """-(t log p + (1 - t) log(1 - p)) for each element; from logits z as |z| u + log(1 + exp(-|z|)).

    u is what the target gives to the other side of the logit: 1 - t where z > 0, else t. An infinite logit costs
    nothing where that is 0, else infinity. targets and y_pred: floating, of one shape -> the same shape.
    """
    if from_logits:
        against = ops.where(ops.greater(y_pred, 0.0), 1 - targets, targets)
        least = ops.minimum(y_pred, -y_pred)        # -|z|, with slope 1 at 0, where training may start
        nothing = ops.logical_and(ops.equal(against, 0.0), ops.equal(least, -math.inf))
        return ops.log1p(ops.exp(least)) - ops.where(nothing, 0.0, least) * against
    y_pred = ops.clip(y_pred, EPSILON, 1 - EPSILON)
    return -(targets * ops.log(y_pred) + (1 - targets) * ops.log(1 - y_pred))


def _of_logits(logits: Tensor, targets: Tensor) -> Tensor:
    """`softmax_cross_entropy`; infinite logits, where they make a loss that is not finite, as the limit of large ones.
    """
    losses = ops.softmax_cross_entropy(logits, targets)
    if math.isfinite(ops.sum(cyops.detach(losses))):
        return losses
    return _limits(logits, ops.softmax_cross_entropy(bounded(logits), targets))


def bounded(logits: Strided) -> Tensor:
    """Logits with large finite ones in the place of infinite ones; the difference of two is finite."""
    largest = _largest(logits)
    return ops.where(ops.equal(logits, math.inf), largest, ops.where(ops.equal(logits, -math.inf), -largest, logits))


def unbounded(losses: Strided) -> Tensor:
    """Losses of `bounded` logits with infinity in the place of what only these make."""
    return ops.where(ops.greater(losses, _largest(losses) / 1e6), math.inf, losses)


def _largest(x: Strided) -> float:
    return float(np.finfo(x.dtype).max) / 4


def _limits(logits: Strided, losses: Strided) -> Tensor:
    """Losses of `bounded` logits as those of the logits; NaN where every class is ruled out, for want of a limit."""
    is_excluded = ops.equal(ops.max(logits, axis=-1), -math.inf)
    return ops.where(is_excluded, math.nan, unbounded(losses))


def _of_softmax(probabilities: Tensor, logits: Strided, targets: Tensor) -> Tensor:
    """The loss from the logits, in float32 where these are halves, recorded on the probabilities."""
    z = cyops.detach(logits)
    z = cyops.astype(z, "float32") if z.dtype.itemsize == 2 else z
    losses, gradient = cyops.softmax_cross_entropy_with_gradient(z, targets)
    if not math.isfinite(ops.sum(losses)):
        losses, gradient = cyops.softmax_cross_entropy_with_gradient(bounded(z), targets)
        losses = _limits(z, losses)
    if z.dtype != logits.dtype:
        gradient = cyops.astype(gradient, logits.dtype)
    cyops.record_op("cross_entropy_of_softmax", (probabilities, targets), losses, {"saved_gradient": gradient})
    return cast(Tensor, losses)                  # of the class of the logits


def _plain_gradient(d: Tensor, probabilities: Tensor, targets: Tensor) -> Tensor:
    """-d * t / p: the rule on the probabilities, for a softmax that has other uses or an outer tape."""
    if targets.ndim < probabilities.ndim:
        targets = ops.one_hot(targets, probabilities.shape[-1], dtype=probabilities.dtype)
    return -ops.expand_dims(d, -1) * targets / ops.clip(probabilities, EPSILON, 1)


define(
    "cross_entropy_of_softmax",
    shortcut=past_softmax,
    probabilities=_plain_gradient,
    targets=lambda d, probabilities: -ops.expand_dims(d, -1) * ops.log(ops.clip(probabilities, EPSILON, 1)),
)
