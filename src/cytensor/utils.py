"""`keras.utils`: the small helpers that textbook listings use."""
import numpy as np

from cytensor.random import set_seed as set_random_seed


def to_categorical(x, num_classes=None):
    """Integer labels as one-hot rows.

    x: integers, any shape (n...,), a last axis of length 1 is dropped -> NumPy float64 (n..., num_classes); the largest
    label plus one when `num_classes` is None. ValueError for a label outside [0, num_classes).

    >>> import cytensor as ct
    >>> ct.utils.to_categorical([2, 0], 3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    labels = np.asarray(x)
    if labels.dtype.kind not in "iub":
        raise TypeError(f"to_categorical: labels must be integers; got dtype {labels.dtype}")
    labels = labels.astype(np.int64)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if num_classes is None:
        num_classes = int(labels.max(initial=-1)) + 1
    wrong = labels[(labels < 0) | (labels >= num_classes)]
    if wrong.size:
        raise ValueError(f"to_categorical: labels must lie in [0, {num_classes}); got {wrong.flat[0]}")
    return np.eye(num_classes)[labels]


__all__ = ["set_random_seed", "to_categorical"]
