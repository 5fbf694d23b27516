"""Labels and predictions as class numbers, and the matrix that counts them against each other. No drawing here."""
import numpy as np

from cytensor.types import Array, ArrayLike

__all__ = ["class_numbers", "confusion_matrix"]


def class_numbers(op: str, name: str, values: ArrayLike) -> Array:
    """Class numbers (n,) int64 from integers (n,) or (n, 1), or from one-hot rows or probabilities (n, classes).

    One column of floats between 0 and 1, as a sigmoid gives it, means two classes, cut at one half.
    """
    values = np.asarray(values)
    if values.dtype.kind not in "biuf" or values.ndim not in (1, 2) or values.size == 0:
        raise ValueError(f"{op}: {name} must be class numbers (n,), or one-hot rows or probabilities (n, classes); "
                         f"got {values.dtype} {values.shape}")
    if values.ndim == 2 and values.shape[1] > 1:
        numbers: Array = values.argmax(axis=1)
        return numbers
    values = values.reshape(-1)
    if values.dtype.kind == "f" and not (values == np.rint(values)).all():
        if not ((values >= 0) & (values <= 1)).all():
            raise ValueError(f"{op}: {name} must be whole numbers, or probabilities in [0, 1]; got "
                             f"values from {values.min():g} to {values.max():g}")
        return (values > 0.5).astype(np.int64)
    if values.min() < 0:
        raise ValueError(f"{op}: {name} must not be negative; got {values.min():g}")
    return values.astype(np.int64)


def confusion_matrix(labels: ArrayLike, predictions: ArrayLike, num_classes: int | None = None) -> Array:
    """How often each class was taken for each: row i, column j counts samples of class i predicted as class j.

    labels, predictions: class numbers (n,), or one-hot rows or probabilities (n, classes) -> NumPy int64
    (num_classes, num_classes); num_classes is by default as many as occur. ValueError where the lengths differ or a
    number is not below `num_classes`.

    >>> import cytensor as ct
    >>> ct.utils.confusion_matrix([0, 1, 1, 2], [0, 1, 2, 2])
    array([[1, 0, 0],
           [0, 1, 1],
           [0, 0, 1]])
    """
    op = "confusion_matrix"
    columns = [np.shape(part)[1] for part in (labels, predictions) if np.ndim(part) == 2 and np.shape(part)[1] > 1]
    labels = class_numbers(op, "labels", labels)
    predictions = class_numbers(op, "predictions", predictions)
    if len(labels) != len(predictions):
        raise ValueError(f"{op}: there must be one prediction for each label; got labels ({len(labels)},), "
                         f"predictions ({len(predictions)},)")
    largest = int(max(labels.max(), predictions.max()))
    classes = max([largest + 1, *columns]) if num_classes is None else int(num_classes)
    if largest >= classes:
        raise ValueError(f"{op}: class numbers must be below num_classes {classes}; got {largest}")
    return np.bincount(labels * classes + predictions, minlength=classes * classes).reshape(classes, classes)
