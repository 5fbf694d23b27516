"""Metrics that are the mean of a loss function over all samples."""
import math

from cytensor import loss_functions as functions
from cytensor import ops
from cytensor.metrics.base import FunctionMean, Mean


class MeanSquaredError(FunctionMean):
    """The mean of (y_true - y_pred)^2."""
    function = staticmethod(functions.mean_squared_error)


class RootMeanSquaredError(Mean):
    """The square root of the mean of (y_true - y_pred)^2 over every element.

    >>> metric = RootMeanSquaredError(); metric.update_state([0., 0.], [3., 3.]); float(metric.result())
    3.0
    """

    def __init__(self, name="root_mean_squared_error", dtype=None):
        super().__init__(name, dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = functions.agree(self.name, y_true, y_pred)
        self.add(ops.square(y_true - y_pred), sample_weight)

    def value(self):
        return math.sqrt(super().value())


class MeanAbsoluteError(FunctionMean):
    """The mean of |y_true - y_pred|."""
    function = staticmethod(functions.mean_absolute_error)


class MeanAbsolutePercentageError(FunctionMean):
    """100 times the mean of |y_true - y_pred| / |y_true|."""
    function = staticmethod(functions.mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(FunctionMean):
    """The mean of (log(1 + y_true) - log(1 + y_pred))^2."""
    function = staticmethod(functions.mean_squared_logarithmic_error)


class LogCoshError(FunctionMean):
    """The mean of log(cosh(y_pred - y_true))."""
    function = staticmethod(functions.log_cosh)

    def __init__(self, name="logcosh", dtype=None):
        super().__init__(name, dtype)


class CosineSimilarity(Mean):
    """The mean cosine of the angle between y_true and y_pred: 1 where they point the same way."""

    def __init__(self, name="cosine_similarity", dtype=None, axis=-1):
        super().__init__(name, dtype)
        self.axis = axis

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.add(-functions.cosine_similarity(y_true, y_pred, self.axis), sample_weight)


class KLDivergence(FunctionMean):
    """The mean of sum(y_true * log(y_true / y_pred))."""
    function = staticmethod(functions.kl_divergence)


class Poisson(FunctionMean):
    """The mean of y_pred - y_true * log(y_pred)."""
    function = staticmethod(functions.poisson)


class Hinge(FunctionMean):
    """The mean of max(1 - y_true * y_pred, 0)."""
    function = staticmethod(functions.hinge)


class SquaredHinge(FunctionMean):
    """The mean of max(1 - y_true * y_pred, 0)^2."""
    function = staticmethod(functions.squared_hinge)


class CategoricalHinge(FunctionMean):
    """The mean of max(largest wrong score - right score + 1, 0)."""
    function = staticmethod(functions.categorical_hinge)


class BinaryCrossentropy(FunctionMean):
    """The mean binary cross-entropy."""
    function = staticmethod(functions.binary_crossentropy)

    def __init__(self, name="binary_crossentropy", dtype=None, from_logits=False, label_smoothing=0.0):
        super().__init__(name, dtype)
        self.settings = {"from_logits": from_logits, "label_smoothing": label_smoothing}


class CategoricalCrossentropy(FunctionMean):
    """The mean cross-entropy against one-hot targets."""
    function = staticmethod(functions.categorical_crossentropy)

    def __init__(self, name="categorical_crossentropy", dtype=None, from_logits=False, label_smoothing=0.0, axis=-1):
        super().__init__(name, dtype)
        self.settings = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}


class SparseCategoricalCrossentropy(FunctionMean):
    """The mean cross-entropy of integer labels."""
    function = staticmethod(functions.sparse_categorical_crossentropy)

    def __init__(self, name="sparse_categorical_crossentropy", dtype=None, from_logits=False, axis=-1):
        super().__init__(name, dtype)
        self.settings = {"from_logits": from_logits, "axis": axis}
