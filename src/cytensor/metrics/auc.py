"""The area under a curve of right and wrong decisions over all thresholds."""
from collections.abc import Sequence
from typing import Any

import numpy as np

from cytensor import registry
from cytensor.checks.arguments import Rule
from cytensor.checks.schema import check
from cytensor.losses import agreement
from cytensor.metrics.confusion import EPSILON, _divide, _flat, _Thresholded
from cytensor.tensor import Variable
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
    Source of the PR form: Davis, Goadrich, "The relationship between precision-recall and ROC curves" (2006).

    >>> metric = AUC(); metric.update_state([0, 0, 1, 1], [0.5, 0.502, 0.501, 0.503]); float(metric.result())
    0.75
    """
    direction: str | None = "max"
    points: Array | None = None
    thresholds: Array
    num_thresholds: int
    from_logits: bool

    def __init__(self, num_thresholds: int | None = 200, curve: str = "ROC", summation_method: str = "interpolation",
                 name: str | None = None, dtype: DTypeLike | None = None,
                 thresholds: float | Sequence[float] | Array | None = None, from_logits: bool = False) -> None:
        if curve not in ("ROC", "PR"):
            raise registry.unknown("curve", curve, ("ROC", "PR"))
        if summation_method not in METHODS:
            raise registry.unknown("summation_method", summation_method, METHODS)
        is_exact = thresholds is None and num_thresholds in (None, DEFAULT_THRESHOLDS)
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
        # Distinct scores, ascending, and at each the weight of positives and of negatives; None: counts are kept.
        self.points = np.zeros((3, 0)) if is_exact else None
        self._make_counts()

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
        targets, scores, weights = _flat(self.name, y_true, y_pred, sample_weight)
        if self.points is not None:
            self.points = _merged(self.points, np.stack([scores, weights * targets, weights * ~targets]))
        else:
            with np.errstate(over="ignore"):
                self.add(targets, 1 / (1 + np.exp(-scores)) if self.from_logits else scores, weights)

    def check_state(self, state: Any, key: str) -> None:
        points = state.get("points") if isinstance(state, dict) else None
        if self.points is not None and points is not None:
            check(points, f"{key}.points", Rule("an array (3, scores) of float64", lambda value: isinstance(
                value, np.ndarray) and value.dtype == np.float64 and value.ndim == 2 and len(value) == 3))
            state = {**state, "points": self.points}
        super().check_state(state, key)

    def values(self) -> Sequence[float] | Array:
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
