"""Metrics made of counts of right and wrong decisions: precision, recall, F-scores. auc.py has the areas under curves.

The counts are kept in float64 by NumPy on the tensors' own memory; they are no part of a gradient.
"""
from collections.abc import Sequence

import numpy as np

from cytensor import registry
from cytensor.losses import agreement
from cytensor.metrics.base import GrownMetric, Metric, weights_like
from cytensor.tensor import Tensor, Variable, asarray
from cytensor.types import Array, ArrayLike, DTypeLike

EPSILON = 1e-7


def _divide(a: Array | float, b: Array | float) -> Array:
    """a / b, and 0 where b is 0."""
    return np.divide(a, b, out=np.zeros(np.broadcast_shapes(np.shape(a), np.shape(b))), where=np.asarray(b) != 0)


def _flat(op: str, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None) -> tuple[Array, Array, Array]:
    """(targets as bool, predictions, weights), each flattened, from tensors (n, ...) of one shape.

    ValueError for a target outside [0, 1].
    """
    y_true, y_pred = agreement.agree(op, y_true, y_pred)
    agreement.check_shares(op, y_true, "the positives are 1 and the negatives 0")
    targets, scores = y_true.numpy() != 0, y_pred.numpy().astype(np.float64)
    return targets.ravel(), scores.ravel(), weights_like(op, sample_weight, scores).ravel()


class _Thresholded(Metric):
    """Counts of true and false, positives and negatives, for each threshold; a score above it counts as positive.

    Predictions must lie in [0, 1], as the thresholds do: ValueError for others, which may be logits.
    """
    additive: bool = True
    true_positives: Variable
    false_positives: Variable
    true_negatives: Variable
    false_negatives: Variable
    counts: tuple[str, ...] = ("true_positives", "false_positives", "true_negatives", "false_negatives")
    thresholds: Array
    is_single: bool

    def __init__(self, thresholds: float | Sequence[float] | Array | None = None, name: str | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(dtype, name)
        self.thresholds = np.atleast_1d(np.array(0.5 if thresholds is None else thresholds, np.float64))
        if not ((self.thresholds >= 0) & (self.thresholds <= 1)).all():
            raise ValueError(f"{type(self).__name__}: thresholds must be between 0 and 1; got {thresholds}")
        self.is_single = thresholds is None or np.ndim(thresholds) == 0
        self._make_counts()

    def _make_counts(self) -> None:
        self._weights.clear()
        for count in self.counts:
            setattr(self, count, self.add_weight(self.thresholds.shape, "zeros", "float64", count))

    def add(self, targets: Array, scores: Array, weights: Array) -> None:
        """Count the decisions on `scores`, all three of shape (n,)."""
        order = np.argsort(scores, kind="stable")
        scores, positives, negatives = scores[order], (weights * targets)[order], (weights * ~targets)[order]
        at = np.searchsorted(scores, self.thresholds, side="right")       # scores[at:] lie above the threshold
        below_positives = np.concatenate([[0.0], np.cumsum(positives)])
        below_negatives = np.concatenate([[0.0], np.cumsum(negatives)])
        found = {"false_negatives": below_positives[at], "true_negatives": below_negatives[at],
                 "true_positives": below_positives[-1] - below_positives[at],
                 "false_positives": below_negatives[-1] - below_negatives[at]}
        for count in self.counts:
            getattr(self, count).assign_add(found[count])

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        y_pred = agreement.as_floating(self.name, y_pred)
        agreement.check_probabilities(self.name, y_pred, "; apply a sigmoid or softmax to logits first")
        self.add(*_flat(self.name, y_true, y_pred, sample_weight))

    def values(self) -> Sequence[float] | Array:
        """The metric for each threshold, (thresholds,)."""
        raise NotImplementedError

    def result(self) -> Tensor:
        values = self.values()
        return asarray(np.asarray(values[0] if self.is_single else values, self.dtype))


class TruePositives(_Thresholded):
    """The (weighted) number of positives found."""
    direction: str | None = "max"
    counts: tuple[str, ...] = ("true_positives",)

    def values(self) -> Array:
        return self.true_positives.numpy()


class FalsePositives(_Thresholded):
    """The (weighted) number of negatives taken for positives."""
    direction: str | None = "min"
    counts: tuple[str, ...] = ("false_positives",)

    def values(self) -> Array:
        return self.false_positives.numpy()


class TrueNegatives(_Thresholded):
    """The (weighted) number of negatives found."""
    direction: str | None = "max"
    counts: tuple[str, ...] = ("true_negatives",)

    def values(self) -> Array:
        return self.true_negatives.numpy()


class FalseNegatives(_Thresholded):
    """The (weighted) number of positives taken for negatives."""
    direction: str | None = "min"
    counts: tuple[str, ...] = ("false_negatives",)

    def values(self) -> Array:
        return self.false_negatives.numpy()


class _Selective(_Thresholded):
    """Counts of one class, or of the k largest scores of each sample only."""
    has_threshold: bool
    top_k: int | None
    class_id: int | None

    def __init__(self, thresholds: float | Sequence[float] | Array | None = None, top_k: int | None = None,
                 class_id: int | None = None, name: str | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__(thresholds, name, dtype)
        self.has_threshold = thresholds is not None
        self.top_k, self.class_id = top_k, class_id

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        y_true, y_pred = agreement.agree(self.name, y_true, y_pred)
        if self.top_k is None or self.has_threshold:       # else the largest count, whatever they are
            agreement.check_probabilities(self.name, y_pred, "; apply a sigmoid or softmax to logits first")
        if self.top_k is not None:
            scores = y_pred.numpy()
            rank = np.argsort(np.argsort(-scores, axis=-1, kind="stable"), axis=-1, kind="stable")
            # without a threshold of one's own, every one of the k counts as positive
            scores = scores if self.has_threshold else np.ones_like(scores)
            y_pred = asarray(np.where(rank < self.top_k, scores, -1.0).astype(scores.dtype))
        if self.class_id is not None:
            if not 0 <= self.class_id < y_pred.shape[-1]:
                raise ValueError(f"{self.name}: class_id must be in [0, {y_pred.shape[-1]}); got {self.class_id}")
            y_true, y_pred = y_true[..., self.class_id], y_pred[..., self.class_id]
            if sample_weight is not None and np.ndim(sample_weight) == 2 and np.shape(sample_weight)[-1] == 1:
                sample_weight = np.asarray(sample_weight)[:, 0]
        self.add(*_flat(self.name, y_true, y_pred, sample_weight))


class Precision(_Selective):
    """The share of predicted positives that are positives: tp / (tp + fp).

    >>> metric = Precision(); metric.update_state([0, 1, 1, 1], [1., 0., 1., 1.]); round(float(metric.result()), 4)
    0.6667
    """
    direction: str | None = "max"
    counts: tuple[str, ...] = ("true_positives", "false_positives")

    def values(self) -> Array:
        found, wrong = self.true_positives.numpy(), self.false_positives.numpy()
        return _divide(found, found + wrong)


class Recall(_Selective):
    """The share of positives that are predicted: tp / (tp + fn)."""
    direction: str | None = "max"
    counts: tuple[str, ...] = ("true_positives", "false_negatives")

    def values(self) -> Array:
        found, missed = self.true_positives.numpy(), self.false_negatives.numpy()
        return _divide(found, found + missed)


class FBetaScore(GrownMetric):
    """(1 + beta^2) p r / (beta^2 p + r) with precision p and recall r; targets and predictions (n, c).

    threshold: scores above it are predictions; None takes the largest of each sample. average: None gives one score a
    class, "micro" counts all classes together, "macro" is their mean, "weighted" their mean by number of positives.
    """
    direction: str | None = "max"
    true_positives: Variable
    false_positives: Variable
    false_negatives: Variable
    positives: Variable
    state_names: tuple[str, ...] = ("true_positives", "false_positives", "false_negatives", "positives")
    beta: float
    threshold: float | None

    def __init__(self, average: str | None = None, beta: float = 1.0, threshold: float | None = None,
                 name: str | None = "fbeta_score", dtype: DTypeLike | None = None) -> None:
        super().__init__(dtype, name)
        if average not in (None, "micro", "macro", "weighted"):
            raise registry.unknown("average", average, ("micro", "macro", "weighted"))
        if not beta > 0:
            raise ValueError(f"{type(self).__name__}: beta must be positive; got {beta}")
        if threshold is not None and not 0 < threshold <= 1:
            raise ValueError(f"{type(self).__name__}: threshold must be in (0, 1]; got {threshold}")
        self.average, self.beta, self.threshold = average, float(beta), threshold

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        y_true, y_pred = agreement.agree(self.name, y_true, y_pred)
        if y_pred.ndim != 2:
            raise ValueError(f"{self.name}: y_true and y_pred must be (n, classes); got {y_pred.shape}")
        agreement.check_shares(self.name, y_true, "the classes of a sample are 1, the others 0")
        if self.threshold is not None:
            agreement.check_probabilities(self.name, y_pred, "; apply a sigmoid or softmax to logits first")
        targets, scores = y_true.numpy().astype(np.float64), y_pred.numpy()
        if not targets.size:
            return
        if self.threshold is None:
            chosen = (scores >= scores.max(axis=-1, keepdims=True)) & (np.abs(scores) > 1e-9)
        else:
            chosen = scores > self.threshold
        weights = weights_like(self.name, sample_weight, targets)
        axis = None if self.average == "micro" else 0
        self.grow(() if self.average == "micro" else targets.shape[1:])
        self.true_positives.assign_add((chosen * targets * weights).sum(axis))
        self.false_positives.assign_add((chosen * (1 - targets) * weights).sum(axis))
        self.false_negatives.assign_add((~chosen * targets * weights).sum(axis))
        self.positives.assign_add((targets * weights).sum(axis))

    def result(self) -> Tensor:
        if not self.has_grown:
            return asarray(np.asarray(0.0, self.dtype))
        found, wrong, missed, positives = (getattr(self, name).numpy() for name in self.state_names)
        precision = found / (found + wrong + EPSILON)
        recall = found / (found + missed + EPSILON)
        square = self.beta ** 2
        score = (1 + square) * precision * recall / (square * precision + recall + EPSILON)
        if self.average == "macro":
            score = np.mean(score)
        elif self.average == "weighted":
            score = np.sum(score * positives) / (np.sum(positives) + EPSILON)
        return asarray(np.asarray(score, self.dtype))


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall. See FBetaScore."""

    def __init__(self, average: str | None = None, threshold: float | None = None, name: str | None = "f1_score",
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)
