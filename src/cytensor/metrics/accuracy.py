"""Accuracies: the share of predictions that are right, for each way of writing down what right means."""
from collections.abc import Callable

import numpy as np

from cytensor import ops
from cytensor.checks import arguments
from cytensor.losses import agreement
from cytensor.losses.classes import aligned_weights
from cytensor.metrics.base import FunctionMean, Mean
from cytensor.tensor import Tensor, asarray, operand
from cytensor.types import ArrayLike, DTypeLike


def accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Tensor:
    """Whether y_true equals y_pred, elementwise: two tensors of one shape -> bool of that shape."""
    op = "accuracy"
    y_true, y_pred = agreement.same_shape(op, operand(op, y_true), operand(op, y_pred))
    return ops.equal(y_true, y_pred)


def binary_accuracy(y_true: ArrayLike, y_pred: ArrayLike, threshold: float = 0.5) -> Tensor:
    """Whether `y_pred > threshold` is what y_true (0 or 1) says, elementwise.

    A soft target, between 0 and 1, is never equal, as in Keras. ValueError for a target outside [0, 1].
    """
    y_true, y_pred = agreement.same_shape("binary_accuracy", operand("binary_accuracy", y_true),
                                          agreement.as_floating("binary_accuracy", y_pred))
    agreement.check_shares("binary_accuracy", y_true, "hinge takes 0 and 1 for -1 and 1; for numbers there is "
                                                      "'mean_absolute_error'")
    return ops.equal(y_true.astype(y_pred.dtype), ops.greater(y_pred, threshold).astype(y_pred.dtype))


def categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Tensor:
    """Whether the largest entries of y_true and y_pred (n, ..., c) are at the same place -> (n, ...)."""
    op = "categorical_accuracy"
    y_true, y_pred = agreement.same_shape(op, operand(op, y_true), operand(op, y_pred))
    return ops.equal(ops.argmax(y_true, axis=-1), ops.argmax(y_pred, axis=-1))


def sparse_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Tensor:
    """Whether the largest entry of y_pred (n, ..., c) is at the place y_true (n, ...) -> (n, ...).

    ValueError for a label outside [0, c).

    >>> sparse_categorical_accuracy([1, 1], [[0.2, 0.8], [0.9, 0.1]]).numpy()
    array([ True, False])
    """
    y_pred = operand("sparse_categorical_accuracy", y_pred)
    labels = agreement.as_labels("sparse_categorical_accuracy", y_true, y_pred)
    agreement.check_classes("sparse_categorical_accuracy", labels, y_pred.shape[-1])
    return ops.equal(labels, ops.argmax(y_pred, axis=-1))


def sparse_top_k_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike, k: int = 5,
                                      from_sorted_ids: bool = False) -> Tensor:
    """Whether the label is among the k largest predictions; a tie at the edge counts as inside, as in Keras.

    That is, a label counts where fewer than k predictions are larger than its own: where all are equal, each does.
    from_sorted_ids: y_pred (n, ..., m) holds classes, the best first, and not a score for each class.
    """
    arguments.check_value("sparse_top_k_categorical_accuracy", "k", k)
    y_pred = operand("sparse_top_k_categorical_accuracy", y_pred)
    if from_sorted_ids:
        labels = agreement.as_labels("sparse_top_k_categorical_accuracy", y_true, y_pred)
        return ops.any(ops.equal(y_pred[..., :k], ops.expand_dims(labels, -1).astype(y_pred.dtype)), axis=-1)
    labels = agreement.as_labels("sparse_top_k_categorical_accuracy", y_true, y_pred)
    agreement.check_classes("sparse_top_k_categorical_accuracy", labels, y_pred.shape[-1])
    scores = y_pred.numpy()
    own = np.take_along_axis(scores, labels.numpy()[..., None].astype(np.int64), axis=-1)
    return asarray(((scores > own).sum(axis=-1) < k) & np.isfinite(own[..., 0]))


def top_k_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike, k: int = 5) -> Tensor:
    """As `sparse_top_k_categorical_accuracy`, the label being the largest entry of y_true (n, ..., c)."""
    op = "top_k_categorical_accuracy"
    arguments.check_value(op, "k", k)
    y_true, y_pred = agreement.same_shape(op, operand(op, y_true), operand(op, y_pred))
    return sparse_top_k_categorical_accuracy(ops.argmax(y_true, axis=-1), y_pred, k)


_BY_KIND = {"sparse": sparse_categorical_accuracy, "categorical": categorical_accuracy}


class ChosenAccuracy(Mean):
    """What the string "accuracy" means: the binary, sparse or categorical one, as the shapes of a batch ask for.

    Beside a loss that takes logits, `compile` sets `from_logits`: a binary prediction is then cut at 0. Beside one that
    ignores a class, it sets `ignore_class`: samples of that label do not count.
    """
    direction: str | None = "max"
    from_logits = False
    ignore_class = None

    def __init__(self, name: str | None = "accuracy", dtype: DTypeLike | None = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        y_true, y_pred = operand(self.name, y_true), operand(self.name, y_pred)
        kind = agreement.kind_of_targets(y_true.shape, y_pred.shape)
        if kind == "binary":
            values = binary_accuracy(y_true, y_pred, 0.0 if self.from_logits else 0.5)
            self.add_unmasked(y_pred, values, sample_weight)
        elif kind == "sparse" and self.ignore_class is not None:
            counted = ops.not_equal(y_true, self.ignore_class)
            values = sparse_categorical_accuracy(ops.where(counted, y_true, 0), y_pred).astype("float32")
            weights = 1.0 if sample_weight is None else aligned_weights(self.name, sample_weight, values)
            self.add_unmasked(y_pred, values, weights * counted.reshape(values.shape).astype(values.dtype))
        else:
            self.add_unmasked(y_pred, _BY_KIND[kind](y_true, y_pred), sample_weight)


class Accuracy(FunctionMean):
    """The share of elements where y_true equals y_pred."""
    direction: str | None = "max"
    function: Callable[..., Tensor] = staticmethod(accuracy)


class BinaryAccuracy(FunctionMean):
    """The share of elements where `y_pred > threshold` is what y_true (0 or 1) says."""
    direction: str | None = "max"
    function: Callable[..., Tensor] = staticmethod(binary_accuracy)

    def __init__(self, name: str | None = "binary_accuracy", dtype: DTypeLike | None = None,
                 threshold: float = 0.5) -> None:
        super().__init__(name, dtype)
        if not 0 <= threshold <= 1:
            raise ValueError(f"BinaryAccuracy: threshold must be between 0 and 1; got {threshold}")
        self.settings["threshold"] = threshold


class CategoricalAccuracy(FunctionMean):
    """The share of samples whose largest prediction is at the largest target."""
    direction: str | None = "max"
    of_classes = True
    function: Callable[..., Tensor] = staticmethod(categorical_accuracy)


class SparseCategoricalAccuracy(FunctionMean):
    """The share of samples whose largest prediction is at the integer label.

    >>> metric = SparseCategoricalAccuracy()
    >>> metric.update_state([1, 1], [[0.2, 0.8], [0.9, 0.1]]); float(metric.result())
    0.5
    """
    direction: str | None = "max"
    function: Callable[..., Tensor] = staticmethod(sparse_categorical_accuracy)


class TopKCategoricalAccuracy(FunctionMean):
    """The share of samples whose class (one-hot) is among the k largest predictions."""
    direction: str | None = "max"
    of_classes = True
    function: Callable[..., Tensor] = staticmethod(top_k_categorical_accuracy)

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy",
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(name, dtype)
        self.settings["k"] = k


class SparseTopKCategoricalAccuracy(FunctionMean):
    """The share of samples whose integer label is among the k largest predictions, or k first classes."""
    direction: str | None = "max"
    function: Callable[..., Tensor] = staticmethod(sparse_top_k_categorical_accuracy)

    def __init__(self, k: int = 5, name: str | None = "sparse_top_k_categorical_accuracy",
                 dtype: DTypeLike | None = None, from_sorted_ids: bool = False) -> None:
        super().__init__(name, dtype)
        self.settings.update(k=k, from_sorted_ids=from_sorted_ids)
