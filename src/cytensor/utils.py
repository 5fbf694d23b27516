"""`keras.utils`: the small helpers that textbook listings use, and the plots."""
from typing import Any

import numpy as np

from cytensor import registry
from cytensor.absent import explain
from cytensor.callbacks.progress import Progbar
from cytensor.custom_objects import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
)
from cytensor.custom_objects import register_serializable as register_keras_serializable
from cytensor.data.batches import PyDataset, pack_x_y_sample_weight, unpack_x_y_sample_weight
from cytensor.data.file_datasets import FileDataset, dataset_from_files
from cytensor.data.image_files import array_to_img, img_to_array, load_img, save_img
from cytensor.data.image_folders import image_dataset_from_directory
from cytensor.data.padded import pad_sequences
from cytensor.data.remote import get_file
from cytensor.data.time_series import timeseries_dataset_from_array
from cytensor.plots import plot_confusion_matrix, plot_model, show_images
from cytensor.plots.labels import confusion_matrix
from cytensor.random import set_seed as set_random_seed
from cytensor.saving.objects import deserialize_keras_object, serialize_keras_object
from cytensor.tensor import Tensor, asarray
from cytensor.types import Array, ArrayLike


def to_categorical(x: ArrayLike, num_classes: int | None = None) -> Array:
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
    rows: Array = np.eye(num_classes)[labels]
    return rows


def normalize(x: ArrayLike, axis: int = -1, order: float = 2) -> Array | Tensor:
    """x divided by its norm along an axis; where the norm is 0 it stays as it is.

    x: floats, any shape -> a copy of the same shape, a NumPy array for an array and a Tensor for a Tensor.
    order: of the norm, as in `numpy.linalg.norm`.

    >>> import numpy as np
    >>> normalize(np.array([[3., 4.], [0., 0.]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    values = np.asarray(x)
    if values.ndim == 0 or values.dtype.kind not in "biuf":
        raise ValueError(f"normalize: x must be numbers with at least one axis; got {values.dtype} {values.shape}")
    try:
        norm = np.linalg.norm(values, order, axis, keepdims=True)
    except (ValueError, TypeError) as error:
        raise type(error)(f"normalize: order must be one of numpy.linalg.norm, and axis one of x; got order {order!r}, "
                          f"axis {axis!r}, x {values.shape}") from error
    result = values / np.where(norm == 0, 1, norm).astype(norm.dtype)
    return asarray(result) if isinstance(x, Tensor) else result


def split_dataset(dataset: Any, left_size: float | None = None, right_size: float | None = None, shuffle: bool = False,
                  seed: int | None = None) -> tuple[Any, Any]:
    """Cut arrays into a left and a right part along their first axis; returns (left, right).

    dataset: an array (n, ...), or a tuple or list of arrays of one length n, of which each part has the same form.
    left_size, right_size: numbers of samples, or shares between 0 and 1, from the start and from the end; one given,
    the other part is what is left.
    shuffle: draw the samples of both parts at random, reproducibly with `seed`. NumPy arrays; views where unshuffled.

    >>> import numpy as np
    >>> left, right = split_dataset(np.arange(5), left_size=0.6)
    >>> left, right
    (array([0, 1, 2]), array([3, 4]))
    """
    parts = [np.asarray(part) for part in (dataset if isinstance(dataset, (tuple, list)) else (dataset,))]
    lengths = [part.shape[0] if part.ndim else 0 for part in parts]
    if not parts or min(lengths) == 0 or len(set(lengths)) > 1:
        raise ValueError(f"split_dataset: arrays must have one number of samples, above 0; got {lengths}")
    left, right = _sizes(lengths[0], left_size, right_size)
    order = None
    if shuffle:
        from cytensor.random import _source
        order = _source(seed).permutation(lengths[0])

    def take(rows: slice) -> Any:
        taken = [part[rows] if order is None else part[order[rows]] for part in parts]
        return type(dataset)(taken) if isinstance(dataset, (tuple, list)) else taken[0]
    return take(slice(left)), take(slice(lengths[0] - right, None))


def _sizes(samples: int, left: float | None, right: float | None) -> tuple[int, int]:
    """The numbers of samples of both parts."""
    sizes: list[int | None] = []
    for name, size in (("left_size", left), ("right_size", right)):
        whole = isinstance(size, (int, np.integer)) and not isinstance(size, bool)
        if size is not None and not (whole and 0 < size <= samples) and not (
                isinstance(size, (float, np.floating)) and 0 < size < 1):
            raise ValueError(f"split_dataset: {name} must be an int in [1, {samples}], or a share between 0 and 1; "
                             f"got {size!r}")
        sizes.append(None if size is None else int(size) if whole else round(size * samples))
    first, second = sizes
    if first is None and second is None:
        raise ValueError("split_dataset: give left_size, right_size or both; got neither")
    left = first if first is not None else samples - (second or 0)
    right = second if second is not None else samples - left
    if left + right > samples or min(left, right) < 1:
        raise ValueError(f"split_dataset: both parts need at least one of the {samples} samples; "
                         f"got {left} and {right}")
    return left, right


def clear_session(free_memory: bool = True) -> None:
    """Let the names made up for layers and symbolic tensors start again: dense, dense_1.

    free_memory: accepted for Keras's sake; there is no other global state of models to forget.
    """
    registry.reset_names()


Sequence = PyDataset                   # its older name

__all__ = ["CustomObjectScope", "FileDataset", "Progbar", "PyDataset", "Sequence", "array_to_img", "clear_session",
           "confusion_matrix", "custom_object_scope", "dataset_from_files", "deserialize_keras_object",
           "get_custom_objects", "get_file", "get_registered_name", "get_registered_object",
           "image_dataset_from_directory", "img_to_array", "load_img", "normalize", "pack_x_y_sample_weight",
           "pad_sequences", "plot_confusion_matrix", "plot_model", "register_keras_serializable", "save_img",
           "serialize_keras_object", "set_random_seed", "show_images", "split_dataset",
           "timeseries_dataset_from_array", "to_categorical", "unpack_x_y_sample_weight"]


def __dir__() -> list[str]:
    return [*__all__]


explain(__name__)
