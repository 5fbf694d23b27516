"""Intersection over union, the measure of segmentation: how far predicted and true places cover each other."""
from collections.abc import Sequence

import numpy as np

from cytensor.metrics.base import Metric, weights_like
from cytensor.metrics.confusion import _divide
from cytensor.tensor import Tensor, Variable, asarray
from cytensor.types import Array, ArrayLike, DTypeLike


class IoU(Metric):
    """The mean over `target_class_ids` of tp / (tp + fp + fn), from a matrix of counts (num_classes, num_classes).

    Targets and predictions are class numbers of one shape (n, ...); where sparse_y_true or sparse_y_pred is False they
    have one number a class along `axis`, of which the largest counts. Classes that neither targets nor predictions
    have are left out of the mean, and it is 0 where there are none. ignore_class: a class of the targets whose places
    do not count, such as 255 for unlabelled ones. Weights are counted in float64, where Keras cuts them to integers.
    ValueError for another class outside [0, num_classes), which Keras passes over.
    Source: Everingham et al., "The Pascal Visual Object Classes (VOC) Challenge" (2010), section 4.3.

    >>> metric = IoU(num_classes=2, target_class_ids=[0]); metric.update_state([0, 0, 1, 1], [0, 1, 0, 1])
    >>> round(float(metric.result()), 4)
    0.3333
    """
    direction: str | None = "max"
    total_cm: Variable
    num_classes: int
    target_class_ids: list[int]
    ignore_class: int | None
    axis: int
    sparse_y_true: bool
    sparse_y_pred: bool

    def __init__(self, num_classes: int, target_class_ids: Sequence[int], name: str | None = None,
                 dtype: DTypeLike | None = None, ignore_class: int | None = None, sparse_y_true: bool = True,
                 sparse_y_pred: bool = True, axis: int = -1) -> None:
        # Keras's metric has dtype int, in which it counts; the result is a float there too.
        super().__init__(None if dtype is not None and np.dtype(dtype).kind in "iu" else dtype, name)
        self.num_classes, self.target_class_ids = num_classes, [int(number) for number in target_class_ids]
        if not all(0 <= number < num_classes for number in self.target_class_ids):
            raise ValueError(f"{type(self).__name__}: target_class_ids must be in [0, {num_classes}); "
                             f"got {self.target_class_ids}")
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        self.total_cm = self.add_weight((num_classes, num_classes), "zeros", "float64", "total_confusion_matrix")

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Count a batch; rows of the matrix are targets, columns predictions."""
        targets = self._classes("y_true", y_true, self.sparse_y_true)
        found = self._classes("y_pred", y_pred, self.sparse_y_pred)
        if targets.size != found.size or targets.shape[:1] != found.shape[:1]:
            raise ValueError(f"{self.name}: y_true and y_pred must have the same shape; got y_true {targets.shape}, "
                             f"y_pred {found.shape}")
        weights = weights_like(self.name, sample_weight, targets).ravel()
        targets, found = targets.ravel(), found.ravel()
        if self.ignore_class is not None:
            counted = targets != self.ignore_class
            targets, found, weights = targets[counted], found[counted], weights[counted]
        for what, classes in (("y_true", targets), ("y_pred", found)):
            self._check(what, classes)
        counts = np.bincount(targets * self.num_classes + found, weights, self.num_classes ** 2)
        self.total_cm.assign_add(counts.reshape(self.num_classes, self.num_classes))

    def _classes(self, what: str, values: ArrayLike, is_sparse: bool) -> Array:
        given: Array = asarray(values).numpy()
        if not is_sparse:
            place = self.axis + given.ndim if self.axis < 0 else self.axis
            if not 0 <= place < given.ndim or given.shape[place] != self.num_classes:
                raise ValueError(f"{self.name}: {what} must have {self.num_classes} classes along axis {self.axis}; "
                                 f"got {given.shape}")
            chosen: Array = given.argmax(place)
            return chosen
        classes: Array = given.astype(np.int64)
        if given.dtype.kind == "f" and (classes != given).any():
            raise ValueError(f"{self.name}: {what} must be class numbers; got {given[classes != given][0]}, and "
                             f"probabilities go with sparse_{what}=False")
        return classes

    def _check(self, what: str, classes: Array) -> None:
        wrong = (classes < 0) | (classes >= self.num_classes)
        if wrong.any():
            raise ValueError(f"{self.name}: {what} must be classes in [0, {self.num_classes}); got "
                             f"{classes[wrong][0]}; ignore_class leaves one class of y_true out")

    def result(self) -> Tensor:
        matrix = self.total_cm.numpy()
        both = np.diag(matrix)[self.target_class_ids]
        either = (matrix.sum(axis=0) + matrix.sum(axis=1))[self.target_class_ids] - both
        mean = _divide(_divide(both, either).sum(), float((either > 0).sum()))
        return asarray(np.asarray(mean, self.dtype))


class BinaryIoU(IoU):
    """IoU of two classes, from scores: those of at least `threshold` are class 1.

    Targets (0 or 1) and predictions of one shape. See IoU.

    >>> metric = BinaryIoU(threshold=0.3); metric.update_state([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])
    >>> round(float(metric.result()), 4)
    0.3333
    """
    threshold: float

    def __init__(self, target_class_ids: Sequence[int] = (0, 1), threshold: float = 0.5, name: str | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Count a batch."""
        scores = asarray(y_pred).numpy()
        if np.isnan(scores).any():
            raise ValueError(f"{self.name}: predictions must not be NaN")
        super().update_state(y_true, scores >= self.threshold, sample_weight)


class MeanIoU(IoU):
    """IoU, the mean over all classes.

    >>> metric = MeanIoU(num_classes=2); metric.update_state([0, 0, 1, 1], [0, 1, 0, 1])
    >>> round(float(metric.result()), 4)
    0.3333
    """

    def __init__(self, num_classes: int, name: str | None = None, dtype: DTypeLike | None = None,
                 ignore_class: int | None = None, sparse_y_true: bool = True, sparse_y_pred: bool = True,
                 axis: int = -1) -> None:
        super().__init__(num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_true, sparse_y_pred,
                         axis)


class OneHotIoU(IoU):
    """IoU of targets, and unless sparse_y_pred of predictions, with one number a class along `axis`.

    >>> metric = OneHotIoU(num_classes=2, target_class_ids=[1])
    >>> metric.update_state([[1, 0], [0, 1]], [[0.3, 0.7], [0.2, 0.8]]); float(metric.result())
    0.5
    """

    def __init__(self, num_classes: int, target_class_ids: Sequence[int], name: str | None = None,
                 dtype: DTypeLike | None = None, ignore_class: int | None = None, sparse_y_pred: bool = False,
                 axis: int = -1) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)


class OneHotMeanIoU(MeanIoU):
    """OneHotIoU, the mean over all classes.

    >>> metric = OneHotMeanIoU(num_classes=2)
    >>> metric.update_state([[1, 0], [0, 1]], [[0.3, 0.7], [0.2, 0.8]]); float(metric.result())
    0.25
    """

    def __init__(self, num_classes: int, name: str | None = None, dtype: DTypeLike | None = None,
                 ignore_class: int | None = None, sparse_y_pred: bool = False, axis: int = -1) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)
