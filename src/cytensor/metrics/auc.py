"""The area under a curve of right and wrong decisions over all thresholds."""
from collections.abc import Sequence
from typing import Any

import numpy as np

from cytensor import registry
from cytensor.checks.arguments import Rule
from cytensor.checks.schema import check
from cytensor.losses import agreement
from cytensor.metrics.base import weights_like
from cytensor.metrics.confusion import EPSILON, _divide, _flat, _Thresholded
from cytensor.tensor import Tensor, Variable
from cytensor.types import Array, ArrayLike, DTypeLike

DEFAULT_THRESHOLDS = 200
CAPACITY = 1 << 13           # distinct scores kept as they are; with more they become half as many groups of one weight
METHODS = ("interpolation", "minoring", "majoring")


class AUC(_Thresholded):
    """The area under the ROC curve, or with curve="PR" under precision over recall.

    num_thresholds: with 200, the default, or None, every distinct score is a threshold, so that scores close together
    count too (beyond 8192 distinct ones, 4096 groups of equal weight are kept); with another number, so many evenly
    spaced ones, between which Keras takes the scores for equal. thresholds: one's own, instead, in [0, 1].
    summation_method: "interpolation" (trapezoids; for PR the curve between points as Davis and Goadrich derive it),
    "minoring" (the lower end of each step) or "majoring" (the higher). from_logits: predictions need not lie in [0, 1].
    multi_label: predictions (n, labels) with an area for each label, of which `result` is the mean, weighted by
    label_weights; num_labels: how many, else the first batch says. Without multi_label all scores are of one area, and
    label_weights weights them by their column.
    Source of the PR form: Davis, Goadrich, "The relationship between precision-recall and ROC curves" (2006).

    >>> metric = AUC(); metric.update_state([0, 0, 1, 1], [0.5, 0.502, 0.501, 0.503]); float(metric.result())
    0.75
    """
    direction: str | None = "max"
    points: Array | None = None
    additive: bool
    thresholds: Array
    num_thresholds: int
    from_logits: bool
    multi_label: bool
    label_weights: Array | None
    labels: "list[AUC]"

    def __init__(self, num_thresholds: int | None = 200, curve: str = "ROC", summation_method: str = "interpolation",
                 name: str | None = None, dtype: DTypeLike | None = None,
                 thresholds: float | Sequence[float] | Array | None = None, multi_label: bool = False,
                 num_labels: int | None = None, label_weights: Sequence[float] | Array | None = None,
                 from_logits: bool = False) -> None:
        if curve not in ("ROC", "PR"):
            raise registry.unknown("curve", curve, ("ROC", "PR"))
        if summation_method not in METHODS:
            raise registry.unknown("summation_method", summation_method, METHODS)
        is_exact = multi_label or (thresholds is None and num_thresholds in (None, DEFAULT_THRESHOLDS))
        if thresholds is None:
            count = DEFAULT_THRESHOLDS if num_thresholds is None else num_thresholds
            if count < 2:
                raise ValueError(f"AUC: num_thresholds must be at least 2; got {count}")
            thresholds = np.arange(1, count - 1) / (count - 1)
        super().__init__(np.sort(np.asarray(thresholds, np.float64)), name or "auc", dtype)
        self.thresholds = np.concatenate([[-EPSILON], self.thresholds, [1 + EPSILON]])
        self.num_thresholds = len(self.thresholds)
        self.curve, self.method, self.from_logits = curve, summation_method, from_logits
        self.is_single = True
        self.multi_label = multi_label
        self.label_weights = None if label_weights is None else np.asarray(label_weights, np.float64)
        self.labels: list[AUC] = []                # an area for each label
        self._check_labels(num_labels)
        if multi_label and num_labels is not None:
            self._grow_to(num_labels)
        # Distinct scores, ascending, and at each the weight of positives and of negatives; None: counts are kept.
        self.points = np.zeros((3, 0)) if is_exact else None
        self.additive = not is_exact
        self._make_counts()

    def _check_labels(self, num_labels: int | None) -> None:
        weights = self.label_weights
        if num_labels is not None and not self.multi_label:
            raise ValueError(f"AUC: num_labels goes with multi_label=True; got num_labels={num_labels} without it")
        if weights is not None and (weights.ndim != 1 or not weights.size or not (weights >= 0).all()):
            raise ValueError(f"AUC: label_weights must be numbers of at least 0, one for each label; got {weights}")
        if num_labels is not None and weights is not None and len(weights) != num_labels:
            raise ValueError(f"AUC: label_weights must be {num_labels}, one for each label; got {len(weights)}")

    def _grow_to(self, labels: int) -> None:
        config = {**self.get_config(), "multi_label": False, "num_labels": None, "label_weights": None}
        self.labels = [AUC(**{**config, "name": f"{self.name}_{number}"}) for number in range(labels)]

    def _make_counts(self) -> None:
        self._weights.clear()
        if self.points is None:
            super()._make_counts()

    def reset_state(self) -> None:
        super().reset_state()
        if self.points is not None:
            self.points = np.zeros((3, 0))

    @property
    def variables(self) -> list[Variable]:
        """The counts for each of `thresholds`; without thresholds of one's own as they are at this moment."""
        if self.multi_label:
            return [variable for label in self.labels for variable in label.variables]
        if self.points is None:
            return super().variables
        scores = 1 / (1 + np.exp(-self.points[0])) if self.from_logits else self.points[0]
        counts = _curve(self.points, np.searchsorted(scores, self.thresholds, side="right"))
        return [Variable(count, trainable=False, name=name) for name, count in zip(self.counts, counts, strict=True)]

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        y_pred = agreement.as_floating(self.name, y_pred)
        if not self.from_logits:
            agreement.check_probabilities(self.name, y_pred, "; logits go with from_logits=True")
        elif np.isnan(y_pred.numpy()).any():
            raise ValueError(f"{self.name}: predictions must not be NaN")
        if self.multi_label:
            self._update_labels(y_true, y_pred, sample_weight)
            return
        if self.label_weights is not None:
            self._check_columns(y_pred)
            sample_weight = weights_like(self.name, sample_weight, y_pred.numpy()) * self.label_weights
        targets, scores, weights = _flat(self.name, y_true, y_pred, sample_weight)
        if self.points is not None:
            self.points = _merged(self.points, np.stack([scores, weights * targets, weights * ~targets]))
        else:
            with np.errstate(over="ignore"):
                self.add(targets, 1 / (1 + np.exp(-scores)) if self.from_logits else scores, weights)

    def _check_columns(self, y_pred: Tensor) -> None:
        labels = len(self.labels) or (None if self.label_weights is None else len(self.label_weights))
        if y_pred.ndim != 2 or (labels is not None and y_pred.shape[1] != labels):
            raise ValueError(f"{self.name}: y_pred must be (n, {labels or 'labels'}); got {y_pred.shape}")

    def _update_labels(self, y_true: ArrayLike, y_pred: Tensor, sample_weight: ArrayLike | None) -> None:
        y_true, y_pred = agreement.agree(self.name, y_true, y_pred)
        self._check_columns(y_pred)
        if not self.labels:
            self._grow_to(y_pred.shape[1])
        weights = weights_like(self.name, sample_weight, y_pred.numpy())
        for number, label in enumerate(self.labels):
            label.from_logits = self.from_logits
            label.update_state(y_true[:, number], y_pred[:, number], weights[:, number])

    def check_state(self, state: Any, key: str) -> None:
        if self.multi_label and not self.labels and isinstance(state, dict) and isinstance(state.get("_metrics"), list):
            self._grow_to(len(state["_metrics"]))
        points = state.get("points") if isinstance(state, dict) else None
        if self.points is not None and points is not None:
            check(points, f"{key}.points", Rule("an array (3, scores) of float64", lambda value: isinstance(
                value, np.ndarray) and value.dtype == np.float64 and value.ndim == 2 and len(value) == 3))
            state = {**state, "points": self.points}
        super().check_state(state, key)

    def values(self) -> Sequence[float] | Array:
        if self.multi_label:
            areas = np.array([label.values()[0] for label in self.labels])
            weights = np.ones(len(areas)) if self.label_weights is None else self.label_weights
            return [float(_divide((areas * weights).sum(), weights.sum())) if areas.size else 0.0]
        tp, fp, tn, fn = (_curve(self.points, np.arange(self.points.shape[1] + 1)) if self.points is not None
                          else (getattr(self, count).numpy() for count in self.counts))
        if self.curve == "PR" and self.method == "interpolation":
            return [_between_points(tp, fp, fn)]
        recall = _divide(tp, tp + fn)
        x, y = ((_divide(fp, fp + tn), recall) if self.curve == "ROC" else (recall, _divide(tp, tp + fp)))
        heights = {"interpolation": (y[:-1] + y[1:]) / 2, "minoring": np.minimum(y[:-1], y[1:]),
                   "majoring": np.maximum(y[:-1], y[1:])}[self.method]
        return [((x[:-1] - x[1:]) * heights).sum()]


def _curve(points: Array, below: Array) -> tuple[Array, Array, Array, Array]:
    """The four counts where so many of the points, for each threshold, lie below it."""
    positives, negatives = (np.concatenate([[0.0], np.cumsum(part)]) for part in points[1:])
    return (positives[-1] - positives[below], negatives[-1] - negatives[below], negatives[below], positives[below])


def _between_points(tp: Array, fp: Array, fn: Array) -> float:
    """Precision between two points, tp growing in proportion to tp + fp, integrated over recall."""
    total = tp + fp
    slope = _divide(tp[:-1] - tp[1:], np.maximum(total[:-1] - total[1:], 0))
    intercept = tp[1:] - slope * total[1:]
    both = (total[:-1] > 0) & (total[1:] > 0)
    ratio = np.where(both, _divide(total[:-1], total[1:]), 1.0)
    grown = slope * (tp[:-1] - tp[1:] + intercept * np.log(ratio))
    return float(_divide(grown, tp[1:] + fn[1:]).sum())


def _merged(points: Array, more: Array) -> Array:
    """Points with more of them, (3, n) each, equal scores joined; groups of equal weight where they become too many."""
    both = np.concatenate([points, more], axis=1)
    both = both[:, np.argsort(both[0], kind="stable")]
    if not both.size:
        return both
    both = _joined(both, both[0])
    if both.shape[1] <= CAPACITY:
        return both
    weight = np.cumsum(both[1] + both[2])
    return _joined(both, np.floor(weight / weight[-1] * (CAPACITY // 2)))


def _joined(points: Array, groups: Array) -> Array:
    """Points in order with neighbours of one group as one point, at the first score of the group."""
    first = np.flatnonzero(np.concatenate([[True], groups[1:] != groups[:-1]]))
    return np.concatenate([points[:1, first], np.add.reduceat(points[1:], first, axis=1)])
