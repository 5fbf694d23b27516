"""Metrics that are the mean of a loss function over all samples."""
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from cytensor import ops, registry
from cytensor.losses import agreement, classes, functions
from cytensor.losses.classes import aligned_weights
from cytensor.metrics.base import FunctionMean, GrownMetric, Mean, weights_like
from cytensor.tensor import Tensor, Variable, asarray
from cytensor.types import ArrayLike, DTypeLike


class MeanSquaredError(FunctionMean):
    """The mean of (y_true - y_pred)^2."""
    direction: str | None = "min"
    function: Callable[..., Tensor] = staticmethod(functions.mean_squared_error)


class RootMeanSquaredError(Mean):
    """The square root of the mean of (y_true - y_pred)^2 over every element.

    >>> metric = RootMeanSquaredError(); metric.update_state([0., 0.], [3., 3.]); float(metric.result())
    3.0
    """
    direction: str | None = "min"

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: DTypeLike | None = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        y_true, y_pred = agreement.agree(self.name, y_true, y_pred)
        self.add(ops.square(y_true - y_pred), sample_weight)

    def value(self) -> float:
        return math.sqrt(super().value())


class R2Score(GrownMetric):
    """The share of the targets' variance that the predictions explain: 1 - sum((t - p)^2) / sum((t - mean(t))^2).

    y_true and y_pred: (n, k). class_aggregation: "uniform_average" or "variance_weighted_average" of the k scores, or
    None for all of them. num_regressors: corrects for that many free parameters where there are more values than these.
    Of targets that do not vary, the score is 1 where all are predicted exactly and else 0, as in scikit-learn.

    >>> metric = R2Score(); metric.update_state([[2.], [2.]], [[2.], [2.]]); float(metric.result())
    1.0
    """
    direction: str | None = "max"
    origin: Variable
    count: Variable
    sum: Variable
    squared_sum: Variable
    total_mse: Variable
    # Sums are of the targets' distances from the first: exactly 0 where they do not vary, and exact for large targets.
    state_names: tuple[str, ...] = ("origin", "count", "sum", "squared_sum", "total_mse")
    num_regressors: int
    samples: int

    def __init__(self, class_aggregation: str | None = "uniform_average", num_regressors: int = 0,
                 name: str | None = "r2_score", dtype: DTypeLike | None = None) -> None:
        super().__init__(dtype, name)
        known = ("uniform_average", "variance_weighted_average")
        if class_aggregation is not None and class_aggregation not in known:
            raise registry.unknown("class_aggregation", class_aggregation, known)
        if num_regressors < 0:
            raise ValueError(f"R2Score: num_regressors must not be negative; got {num_regressors}")
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.samples = 0

    def reset_state(self) -> None:
        super().reset_state()
        self.samples = 0

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        y_true, y_pred = agreement.agree(self.name, y_true, y_pred)
        if y_pred.ndim != 2:
            raise ValueError(f"{self.name}: y_true and y_pred must be (n, k); got {y_pred.shape}")
        targets, predictions = y_true.numpy().astype(np.float64), y_pred.numpy().astype(np.float64)
        if not targets.size:
            return
        weights = weights_like(self.name, sample_weight, targets)
        if not self.has_grown:
            self.grow(targets.shape[1:])
            self.origin.assign(targets[0])
        distances = targets - self.origin.numpy()
        self.samples += targets.size        # as Keras counts: every output by itself
        self.count.assign_add(weights.sum(0))
        self.sum.assign_add((distances * weights).sum(0))
        self.squared_sum.assign_add((distances ** 2 * weights).sum(0))
        self.total_mse.assign_add(((targets - predictions) ** 2 * weights).sum(0))

    def result(self) -> Tensor:
        if not self.samples:
            return asarray(np.asarray(0.0, self.dtype))
        count, total, squares, residual = (variable.numpy() for variable in (
            self.count, self.sum, self.squared_sum, self.total_mse))
        variance = squares - np.divide(total ** 2, count, out=np.zeros_like(count), where=count != 0)
        unexplained = (residual != 0).astype(np.float64)       # where there is nothing to explain
        scores = 1 - np.divide(residual, variance, out=unexplained, where=variance != 0)
        if self.class_aggregation == "uniform_average":
            scores = scores.mean()
        elif self.class_aggregation == "variance_weighted_average":
            scores = (scores * variance).sum() / variance.sum() if variance.any() else scores.mean()
        if self.num_regressors and self.samples > self.num_regressors + 1:
            scores = 1 - (1 - scores) * (self.samples - 1) / (self.samples - self.num_regressors - 1)
        return asarray(np.asarray(scores, self.dtype))


class MeanAbsoluteError(FunctionMean):
    """The mean of |y_true - y_pred|."""
    direction: str | None = "min"
    function: Callable[..., Tensor] = staticmethod(functions.mean_absolute_error)


class MeanAbsolutePercentageError(FunctionMean):
    """100 times the mean of |y_true - y_pred| / |y_true|."""
    direction: str | None = "min"
    function: Callable[..., Tensor] = staticmethod(functions.mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(FunctionMean):
    """The mean of (log(1 + y_true) - log(1 + y_pred))^2."""
    direction: str | None = "min"
    function: Callable[..., Tensor] = staticmethod(functions.mean_squared_logarithmic_error)


class LogCoshError(FunctionMean):
    """The mean of log(cosh(y_pred - y_true))."""
    direction: str | None = "min"
    function: Callable[..., Tensor] = staticmethod(functions.log_cosh)

    def __init__(self, name: str | None = "logcosh", dtype: DTypeLike | None = None) -> None:
        super().__init__(name, dtype)


class CosineSimilarity(Mean):
    """The mean cosine of the angle between y_true and y_pred: 1 where they point the same way."""
    direction: str | None = "max"

    def __init__(self, name: str | None = "cosine_similarity", dtype: DTypeLike | None = None, axis: int = -1) -> None:
        super().__init__(name, dtype)
        self.axis = axis

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        given = y_pred
        if self.axis == -1:
            y_true, y_pred = agreement.one_a_sample(self.name, y_true, y_pred)
        self.add_unmasked(given, -functions.cosine_similarity(y_true, y_pred, self.axis), sample_weight)


class KLDivergence(FunctionMean):
    """The mean of sum(y_true * log(y_true / y_pred))."""
    direction: str | None = "min"
    function: Callable[..., Tensor] = staticmethod(functions.kl_divergence)


class Poisson(FunctionMean):
    """The mean of y_pred - y_true * log(y_pred)."""
    direction: str | None = "min"
    function: Callable[..., Tensor] = staticmethod(functions.poisson)


class Hinge(FunctionMean):
    """The mean of max(1 - y_true * y_pred, 0)."""
    direction: str | None = "min"
    function: Callable[..., Tensor] = staticmethod(functions.hinge)


class SquaredHinge(FunctionMean):
    """The mean of max(1 - y_true * y_pred, 0)^2."""
    direction: str | None = "min"
    function: Callable[..., Tensor] = staticmethod(functions.squared_hinge)


class CategoricalHinge(FunctionMean):
    """The mean of max(largest wrong score - right score + 1, 0)."""
    direction: str | None = "min"
    function: Callable[..., Tensor] = staticmethod(functions.categorical_hinge)


class BinaryCrossentropy(FunctionMean):
    """The mean binary cross-entropy."""
    direction: str | None = "min"
    function: Callable[..., Tensor] = staticmethod(functions.binary_crossentropy)

    def __init__(self, name: str | None = "binary_crossentropy", dtype: DTypeLike | None = None,
                 from_logits: bool = False, label_smoothing: float = 0.0) -> None:
        super().__init__(name, dtype)
        self.settings.update(from_logits=from_logits, label_smoothing=label_smoothing)


class CategoricalCrossentropy(FunctionMean):
    """The mean cross-entropy against one-hot targets."""
    direction: str | None = "min"
    of_classes = True
    function: Callable[..., Tensor] = staticmethod(functions.categorical_crossentropy)

    def __init__(self, name: str | None = "categorical_crossentropy", dtype: DTypeLike | None = None,
                 from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1) -> None:
        super().__init__(name, dtype)
        self.settings.update(from_logits=from_logits, label_smoothing=label_smoothing, axis=axis)


class SparseCategoricalCrossentropy(FunctionMean):
    """The mean cross-entropy of integer labels.

    ignore_class: a label whose samples have the value 0 and, where there are sample weights, the weight 0, as in Keras.
    """
    direction: str | None = "min"
    function: Callable[..., Tensor] = staticmethod(functions.sparse_categorical_crossentropy)

    def __init__(self, name: str | None = "sparse_categorical_crossentropy", dtype: DTypeLike | None = None,
                 from_logits: bool = False, ignore_class: int | None = None, axis: int = -1) -> None:
        super().__init__(name, dtype)
        self.settings.update(from_logits=from_logits, ignore_class=ignore_class, axis=axis)

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        values = functions.sparse_categorical_crossentropy(y_true, y_pred, **self.settings)
        if sample_weight is not None and self.settings["ignore_class"] is not None:
            counted = ops.not_equal(asarray(y_true), self.settings["ignore_class"]).reshape(values.shape)
            sample_weight = aligned_weights(self.name, sample_weight, values) * counted.astype(values.dtype)
        self.add_unmasked(y_pred, values, sample_weight)


class ChosenCrossentropy(Mean):
    """What the strings "crossentropy" and "ce" mean: that which fits the shapes of a batch, as for losses."""
    direction: str | None = "min"

    def __init__(self, name: str | None = "crossentropy", dtype: DTypeLike | None = None) -> None:
        super().__init__(name, dtype)
        self.settings: dict[str, Any] = {"from_logits": False}

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        self.add_unmasked(y_pred, classes.ChosenCrossentropy(**self.settings).values(y_true, y_pred), sample_weight)
