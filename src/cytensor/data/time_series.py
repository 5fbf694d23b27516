"""Windows of a time series as batches: `timeseries_dataset_from_array`."""
from collections.abc import Iterator
from typing import Any

import numpy as np

from cytensor.data.iterators import PyDataset
from cytensor.tensor import asarray
from cytensor.types import Array


class TimeSeriesDataset(PyDataset):
    """Batches (windows, targets), or windows alone; the windows are read from the data where they lie."""

    def __init__(self, windows: Array, targets: Array | None, starts: Array, batch_size: int | None,
                 random: np.random.Generator | None) -> None:
        super().__init__()
        self._windows, self._targets, self._starts = windows, targets, starts
        self._batch_size, self._random = batch_size, random

    def __len__(self) -> int:
        return len(self._starts) if self._batch_size is None else -(-len(self._starts) // self._batch_size)

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(f"timeseries_dataset_from_array: there are {len(self)} batches; got {index}")
        size = self._batch_size
        starts = self._starts[index] if size is None else self._starts[index * size:(index + 1) * size]
        x = asarray(np.ascontiguousarray(self._windows[starts]))
        return x if self._targets is None else (x, asarray(np.array(self._targets[starts])))

    def __iter__(self) -> Iterator[Any]:
        self.on_epoch_begin()
        for index in range(len(self)):
            yield self[index]

    def on_epoch_begin(self) -> None:
        """Another order of the windows for each pass, where they are shuffled."""
        if self._random is not None:
            self._random.shuffle(self._starts)


def timeseries_dataset_from_array(data: Any, targets: Any, sequence_length: int, sequence_stride: int = 1,
                                  sampling_rate: int = 1, batch_size: int | None = 128, shuffle: bool = False,
                                  seed: int | None = None, start_index: int | None = None,
                                  end_index: int | None = None) -> TimeSeriesDataset:
    """Windows over consecutive steps of `data` as batches that `fit`, `evaluate`, `predict` and `for` take.

    data: (t, *s); window i has the steps i * sequence_stride + j * sampling_rate for j below sequence_length ->
    (batch, sequence_length, *s). targets: (t, ...), the one at a window's first step goes with it; None for batches of
    windows alone. batch_size: None for single windows. shuffle: in another order for each pass, drawn from `seed`.
    start_index, end_index: steps outside [start_index, end_index) are left out. A window is a view of the data until
    its batch is copied. ValueError for steps and indices that are out of range, TypeError for other than integers.

    >>> import numpy as np
    >>> for x, y in timeseries_dataset_from_array(np.arange(6.), np.arange(2., 6), sequence_length=2, batch_size=3):
    ...     print(x.tolist(), y.tolist())
    [[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]] [2.0, 3.0, 4.0]
    [[3.0, 4.0]] [5.0]
    """
    op = "timeseries_dataset_from_array"
    steps = np.asarray(data)
    if steps.ndim == 0:
        raise ValueError(f"{op}: data must have an axis of time; got shape ()")
    total = len(steps)
    for name, number, low, high in (
        ("sequence_length", sequence_length, 1, None), ("sequence_stride", sequence_stride, 1, total),
        ("sampling_rate", sampling_rate, 1, total), ("batch_size", 1 if batch_size is None else batch_size, 1, None),
        ("start_index", start_index or 0, 0, total), ("end_index", end_index or total, (start_index or 0) + 1,
                                                      total + 1),
    ):
        _check_integer(op, name, number, low, high)
    first, end = start_index or 0, end_index or total
    count = end - first - (sequence_length - 1) * sampling_rate
    goals = None if targets is None else np.asarray(targets)[first:end]
    if goals is not None:
        count = min(count, len(goals))
    starts = np.arange(0, max(count, 0), sequence_stride)
    span = (sequence_length - 1) * sampling_rate + 1
    part = steps[first:end]
    if count > 0:
        windows = np.lib.stride_tricks.sliding_window_view(part, span, axis=0)
        windows = np.moveaxis(windows, -1, 1)[:, ::sampling_rate]
    else:
        windows = np.empty((0, sequence_length, *steps.shape[1:]), steps.dtype)
    return TimeSeriesDataset(windows, goals, starts, batch_size, np.random.default_rng(seed) if shuffle else None)


def _check_integer(op: str, name: str, number: Any, low: int, high: int | None) -> None:
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)):
        raise TypeError(f"{op}: {name} must be an int; got {number!r}")
    if number < low or (high is not None and number >= high):
        limit = f"at least {low}" if high is None else f"in [{low}, {high})"
        raise ValueError(f"{op}: {name} must be {limit}; got {number}")
