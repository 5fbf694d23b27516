"""Metrics made of counts of right and wrong decisions: precision, recall, F-scores, areas under curves.

The counts are kept in float64 by NumPy on the tensors' own memory; they are no part of a gradient.
"""
import numpy as np

from cytensor import registry
from cytensor.losses import functions as loss_functions
from cytensor.metrics.base import Metric
from cytensor.tensor import asarray

EPSILON = 1e-7


def _divide(a, b):
    """a / b, and 0 where b is 0."""
    return np.divide(a, b, out=np.zeros(np.broadcast_shapes(np.shape(a), np.shape(b))), where=np.asarray(b) != 0)


def _flat(op, y_true, y_pred, sample_weight):
    """(targets as bool, predictions, weights), each flattened, from tensors (n, ...) of one shape."""
    y_true, y_pred = loss_functions.agree(op, y_true, y_pred)
    targets, scores = y_true.numpy() != 0, y_pred.numpy().astype(np.float64)
    weights = np.ones(())
    if sample_weight is not None:
        weights = np.asarray(sample_weight, np.float64)
        if weights.shape not in (scores.shape, scores.shape[:1], (*scores.shape[:1], 1)):
            raise ValueError(f"{op}: sample_weight must have the shape of y_pred or of its first axis; "
                             f"got sample_weight {weights.shape}, y_pred {scores.shape}")
        if weights.ndim < scores.ndim:
            weights = weights.reshape(weights.shape + (1,) * (scores.ndim - weights.ndim))
    return targets.ravel(), scores.ravel(), np.broadcast_to(weights, scores.shape).ravel()


class _Thresholded(Metric):
    """Counts of true and false, positives and negatives, for each threshold; a score above it counts as positive."""

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(dtype, name)
        self.thresholds = np.atleast_1d(np.asarray(0.5 if thresholds is None else thresholds, np.float64))
        if not ((self.thresholds >= 0) & (self.thresholds <= 1)).all():
            raise ValueError(f"{type(self).__name__}: thresholds must be between 0 and 1; got {thresholds}")
        self.is_single = thresholds is None or np.ndim(thresholds) == 0
        self.reset_state()

    def reset_state(self):
        super().reset_state()
        self.tp, self.fp, self.tn, self.fn = np.zeros((4, len(self.thresholds)))

    def count(self, targets, scores, weights):
        """Add decisions on `scores`, all three of shape (n,)."""
        order = np.argsort(scores, kind="stable")
        scores, positives, negatives = scores[order], (weights * targets)[order], (weights * ~targets)[order]
        at = np.searchsorted(scores, self.thresholds, side="right")       # scores[at:] lie above the threshold
        below_positives = np.concatenate([[0.0], np.cumsum(positives)])
        below_negatives = np.concatenate([[0.0], np.cumsum(negatives)])
        self.fn += below_positives[at]
        self.tn += below_negatives[at]
        self.tp += below_positives[-1] - below_positives[at]
        self.fp += below_negatives[-1] - below_negatives[at]

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.count(*_flat(self.name, y_true, y_pred, sample_weight))

    def values(self):
        """The metric for each threshold, (thresholds,)."""
        raise NotImplementedError

    def result(self):
        values = self.values()
        return asarray(np.asarray(values[0] if self.is_single else values, self.dtype))


class TruePositives(_Thresholded):
    """The (weighted) number of positives found."""
    direction = "max"

    def values(self):
        return self.tp


class FalsePositives(_Thresholded):
    """The (weighted) number of negatives taken for positives."""
    direction = "min"

    def values(self):
        return self.fp


class TrueNegatives(_Thresholded):
    """The (weighted) number of negatives found."""
    direction = "max"

    def values(self):
        return self.tn


class FalseNegatives(_Thresholded):
    """The (weighted) number of positives taken for negatives."""
    direction = "min"

    def values(self):
        return self.fn


class _Selective(_Thresholded):
    """Counts of one class, or of the k largest scores of each sample only."""

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        super().__init__(thresholds, name, dtype)
        self.has_threshold = thresholds is not None
        self.top_k, self.class_id = top_k, class_id

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = loss_functions.agree(self.name, y_true, y_pred)
        if self.top_k is not None:
            scores = y_pred.numpy().copy()
            rank = np.argsort(np.argsort(-scores, axis=-1, kind="stable"), axis=-1, kind="stable")
            # without a threshold of one's own, every one of the k counts as positive
            scores = scores if self.has_threshold else np.ones_like(scores)
            y_pred = asarray(np.where(rank < self.top_k, scores, -1.0).astype(np.float32))
        if self.class_id is not None:
            if not 0 <= self.class_id < y_pred.shape[-1]:
                raise ValueError(f"{self.name}: class_id must be in [0, {y_pred.shape[-1]}); got {self.class_id}")
            y_true, y_pred = y_true[..., self.class_id], y_pred[..., self.class_id]
        super().update_state(y_true, y_pred, sample_weight)


class Precision(_Selective):
    """The share of predicted positives that are positives: tp / (tp + fp).

    >>> metric = Precision(); metric.update_state([0, 1, 1, 1], [1., 0., 1., 1.]); round(float(metric.result()), 4)
    0.6667
    """
    direction = "max"

    def values(self):
        return _divide(self.tp, self.tp + self.fp)


class Recall(_Selective):
    """The share of positives that are predicted: tp / (tp + fn)."""
    direction = "max"

    def values(self):
        return _divide(self.tp, self.tp + self.fn)


class AUC(_Thresholded):
    """The area under the ROC curve, or with curve="PR" under precision over recall, from `num_thresholds` points.

    summation_method: "interpolation" (trapezoids; for PR the curve between points as Davis and Goadrich derive it),
    "minoring" (the lower end of each step) or "majoring" (the higher). Source of the PR form: Davis, Goadrich, "The
    relationship between precision-recall and ROC curves" (2006).
    """
    direction = "max"

    def __init__(self, num_thresholds=200, curve="ROC", summation_method="interpolation", name=None, dtype=None,
                 thresholds=None, from_logits=False):
        if curve not in ("ROC", "PR"):
            raise registry.unknown("curve", curve, ("ROC", "PR"))
        methods = ("interpolation", "minoring", "majoring")
        if summation_method not in methods:
            raise registry.unknown("summation_method", summation_method, methods)
        if thresholds is None:
            if num_thresholds < 2:
                raise ValueError(f"AUC: num_thresholds must be at least 2; got {num_thresholds}")
            thresholds = np.arange(1, num_thresholds - 1) / (num_thresholds - 1)
        super().__init__(np.sort(np.asarray(thresholds, np.float64)), name or "auc", dtype)
        self.thresholds = np.concatenate([[-EPSILON], self.thresholds, [1 + EPSILON]])
        self.curve, self.method, self.from_logits = curve, summation_method, from_logits
        self.is_single = True
        self.reset_state()

    def update_state(self, y_true, y_pred, sample_weight=None):
        targets, scores, weights = _flat(self.name, y_true, y_pred, sample_weight)
        if self.from_logits:
            scores = 1 / (1 + np.exp(-scores))
        if scores.size and not (scores.min() >= 0 and scores.max() <= 1):
            raise ValueError(f"{self.name}: predictions must be between 0 and 1; got {scores.min()} to {scores.max()}; "
                             f"logits go with from_logits=True")
        self.count(targets, scores, weights)

    def values(self):
        if self.curve == "PR" and self.method == "interpolation":
            return [self._between_points()]
        recall = _divide(self.tp, self.tp + self.fn)
        x, y = ((_divide(self.fp, self.fp + self.tn), recall) if self.curve == "ROC"
                else (recall, _divide(self.tp, self.tp + self.fp)))
        heights = {"interpolation": (y[:-1] + y[1:]) / 2, "minoring": np.minimum(y[:-1], y[1:]),
                   "majoring": np.maximum(y[:-1], y[1:])}[self.method]
        return [((x[:-1] - x[1:]) * heights).sum()]

    def _between_points(self):
        """Precision between two points, tp growing in proportion to tp + fp, integrated over recall."""
        total = self.tp + self.fp
        slope = _divide(self.tp[:-1] - self.tp[1:], np.maximum(total[:-1] - total[1:], 0))
        intercept = self.tp[1:] - slope * total[1:]
        both = (total[:-1] > 0) & (total[1:] > 0)
        ratio = np.where(both, _divide(total[:-1], total[1:]), 1.0)
        grown = slope * (self.tp[:-1] - self.tp[1:] + intercept * np.log(ratio))
        return _divide(grown, self.tp[1:] + self.fn[1:]).sum()


class FBetaScore(Metric):
    """(1 + beta^2) p r / (beta^2 p + r) with precision p and recall r; targets and predictions (n, c).

    threshold: scores above it are predictions; None takes the largest of each sample. average: None gives one score a
    class, "micro" counts all classes together, "macro" is their mean, "weighted" their mean by number of positives.
    """
    direction = "max"

    def __init__(self, average=None, beta=1.0, threshold=None, name="fbeta_score", dtype=None):
        super().__init__(dtype, name)
        if average not in (None, "micro", "macro", "weighted"):
            raise registry.unknown("average", average, ("micro", "macro", "weighted"))
        if not beta > 0:
            raise ValueError(f"{type(self).__name__}: beta must be positive; got {beta}")
        if threshold is not None and not 0 < threshold <= 1:
            raise ValueError(f"{type(self).__name__}: threshold must be in (0, 1]; got {threshold}")
        self.average, self.beta, self.threshold = average, float(beta), threshold
        self.reset_state()

    def reset_state(self):
        super().reset_state()
        self.tp = self.fp = self.fn = self.positives = 0.0

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = loss_functions.agree(self.name, y_true, y_pred)
        if y_pred.ndim != 2:
            raise ValueError(f"{self.name}: y_true and y_pred must be (n, classes); got {y_pred.shape}")
        targets, scores = y_true.numpy().astype(np.float64), y_pred.numpy()
        if self.threshold is None:
            chosen = (scores >= scores.max(axis=-1, keepdims=True)) & (np.abs(scores) > 1e-9)
        else:
            chosen = scores > self.threshold
        weights = 1.0 if sample_weight is None else np.asarray(sample_weight, np.float64).reshape(-1, 1)
        axis = None if self.average == "micro" else 0
        self.tp = self.tp + (chosen * targets * weights).sum(axis)
        self.fp = self.fp + (chosen * (1 - targets) * weights).sum(axis)
        self.fn = self.fn + (~chosen * targets * weights).sum(axis)
        self.positives = self.positives + (targets * weights).sum(axis)

    def result(self):
        precision = self.tp / (np.asarray(self.tp + self.fp) + EPSILON)
        recall = self.tp / (np.asarray(self.tp + self.fn) + EPSILON)
        square = self.beta ** 2
        score = (1 + square) * precision * recall / (square * precision + recall + EPSILON)
        if self.average == "macro":
            score = np.mean(score)
        elif self.average == "weighted":
            score = np.sum(score * self.positives) / (np.sum(self.positives) + EPSILON)
        return asarray(np.asarray(score, self.dtype))


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall. See FBetaScore."""

    def __init__(self, average=None, threshold=None, name="f1_score", dtype=None):
        super().__init__(average, 1.0, threshold, name, dtype)
