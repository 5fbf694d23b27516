"""Batches: what `fit`, `evaluate` and `predict` are given, cut into batches of tensors.

    parts.py       x, y and sample_weight of a batch, and the inputs in x
    arrays.py      batches of arrays in memory
    iterators.py   batches that a generator, an iterator or a PyDataset makes
"""
from collections.abc import Sequence
from typing import Any

import numpy as np

from cytensor.data.arrays import ArrayBatches
from cytensor.data.iterators import IteratorBatches, PyDataset
from cytensor.data.parts import (
    as_inputs,
    count_samples,
    find_not_finite,
    is_iterator,
    named_inputs,
    pack_x_y_sample_weight,
    unpack_x_y_sample_weight,
)
from cytensor.types import DTypeLike

__all__ = ["ArrayBatches", "IteratorBatches", "PyDataset", "as_inputs", "count_samples", "find_not_finite",
           "is_iterator", "make_batches", "named_inputs", "pack_x_y_sample_weight", "unpack_x_y_sample_weight"]


def make_batches(op: str, x: Any, y: Any = None, sample_weight: Any = None, batch_size: int | None = None, *,
                 shuffle: bool | str = False, steps: int | None = None, first_epoch: int = 0,
                 class_weight: dict[Any, Any] | None = None, dtype: DTypeLike = np.float32,
                 casts_integers: bool = False, several: bool = False,
                 outputs: Sequence[str] | None = ()) -> ArrayBatches | IteratorBatches:
    """ArrayBatches or IteratorBatches over the data; `op` is the caller's name in errors.

    batch_size: of arrays; None for what makes `steps` batches of them, or 32. steps: the batches of an epoch; None for
    all. first_epoch: the number of the epoch that begins at the head of the data. dtype: of the model, to which floats
    are cast; integer inputs are cast too where casts_integers. several: whether the model may take several inputs, x
    then being a tuple, dictionary or list of arrays. outputs: the names of the model's, none for one that has one, None
    where its `call` alone knows them.
    """
    if is_iterator(x):
        if y is not None or sample_weight is not None:
            raise ValueError(f"{op}: x yields whole batches, so y and sample_weight must not be given besides")
        return IteratorBatches(op, x, steps, first_epoch, class_weight, dtype, casts_integers, several,
                               outputs)
    if x is None:
        raise ValueError(f"{op}: x must be given; got None")
    return ArrayBatches(op, as_inputs(op, x, several), y, sample_weight, batch_size, shuffle, steps, first_epoch,
                        class_weight, dtype, casts_integers, outputs)
