"""Batches that somebody else makes: the base class of the user's own, and what reads generators and sequences."""
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cytensor.data.arrays import ArrayBatches, warn_of_end
from cytensor.data.cutting import Cut
from cytensor.data.file_datasets import FileDataset
from cytensor.data.parts import Rows, as_inputs, count_samples, unpack_x_y_sample_weight
from cytensor.parallel import Part
from cytensor.types import DTypeLike


class PyDataset:
    """Base class for data of one's own that `fit`, `evaluate` and `predict` take: define `__len__` and `__getitem__`.

    `dataset[i]` is batch i, a tuple or list (x, y) or (x, y, sample_weight); the batches come in their order. Hooks are
    called around every epoch, for instance to shuffle. The arguments are accepted for Keras's sake and change nothing:
    batches are made one at a time, in the thread that trains.

    >>> import numpy as np
    >>> class Pairs(PyDataset):
    ...     def __len__(self):
    ...         return 3
    ...     def __getitem__(self, i):
    ...         return np.full((2, 1), i), np.full((2, 1), 2 * i)
    >>> len(Pairs())
    3
    """

    workers: int
    use_multiprocessing: bool
    max_queue_size: int

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self.workers, self.use_multiprocessing, self.max_queue_size = workers, use_multiprocessing, max_queue_size

    def __repr__(self) -> str:
        try:
            return f"<{type(self).__name__} of {self.num_batches} batches>"
        except Exception:              # one that is not made yet, or whose methods are missing
            return f"<{type(self).__name__}>"

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__}: a PyDataset must define __len__, the number of batches")

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: a PyDataset must define __getitem__(index), one batch")

    def __iter__(self) -> Iterator[Any]:
        """The batches in their order, as many as `num_batches` says; without end where that is None."""
        return _started(self, 0, _length(self))

    @property
    def num_batches(self) -> int | None:
        """The number of batches an epoch; may be defined in place of `__len__`, and as None for data without end."""
        return len(self)

    def on_epoch_begin(self) -> None:
        """Before the first batch of an epoch."""

    def on_epoch_end(self) -> None:
        """After its last batch."""


class IteratorBatches:
    """Batches made by somebody else: a generator, an iterator, an iterable, or a sequence of batches.

    A generator is read on from epoch to epoch, and training ends with it. Anything that can be started again is started
    again: at each epoch, or where `steps` are given, when it has ended. `steps` is None until an epoch has shown it.
    `read` counts the batches taken since the start, so that resumed training can skip as many.
    """
    op: str
    source: Any
    wanted: int | None
    several: bool
    first_epoch: int
    class_weight: dict[Any, Any] | None
    dtype: DTypeLike
    casts_integers: bool
    outputs: Sequence[str] | None
    samples: int | None = None
    rows: Rows | None = None
    key: tuple[int, str, int] | None = None
    cut: Callable[[int], list[Part]] | None = None     # as ArrayBatches has it
    shards: Cut | None = None          # by which a FileDataset reads its parts, and nothing else

    def __init__(self, op: str, source: Any, steps: int | None, first_epoch: int, class_weight: dict[Any, Any] | None,
                 dtype: DTypeLike, casts_integers: bool, several: bool,
                 outputs: Sequence[str] | None = ()) -> None:
        self.op, self.source, self.wanted, self.several = op, source, steps, several
        self.first_epoch, self.class_weight = first_epoch, class_weight
        self.dtype, self.casts_integers, self.outputs = dtype, casts_integers, outputs
        self.length: int | None = _length(source)
        self.steps: int | None = steps or self.length
        self.is_generator: bool = hasattr(source, "__next__")
        self.iterator: Iterator[Any] | None = source if self.is_generator else None
        self.exhausted: bool = False
        self.read: int = 0

    def skip(self, count: int) -> None:
        """Leave out the next `count` batches, which an interrupted run has seen."""
        self.read = count
        if self.is_generator and self.iterator is not None:
            self.read = sum(1 for _ in itertools.islice(self.iterator, count))

    def go_on(self, first_epoch: int, read: int) -> None:
        """Belong to a training that began with `first_epoch` and has read so many batches."""
        if not self.is_generator:
            self.first_epoch, self.read = first_epoch, read

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Any]:
        """An iterator over the batches of one epoch from the `first`; warns where the data ends too early."""
        self._tell("on_epoch_begin")
        if isinstance(self.source, FileDataset) and self.op == "fit":
            self.source.set_epoch(epoch)
        if not self.is_generator and (self.wanted is None or (epoch == self.first_epoch and not first)):
            self.iterator, self.read = None, first
        count = first
        while self.wanted is None or count < self.wanted:
            try:
                data = self._next(starts=count == 0)
            except StopIteration:
                break
            count += 1
            self.read += 1
            yield self._batch(data, count)
        if (self.wanted is not None and count < self.wanted) or count == 0:
            self._end_early(epoch, count)
        elif self.wanted is not None and self.read == self.length:
            self._start_over()
        self.steps = self.wanted or count
        self._tell("on_epoch_end")

    def _next(self, starts: bool) -> Any:
        """The next batch; the first of an epoch starts over what ended with the epoch before."""
        if self.iterator is None:
            self.iterator = _started(self.source, self.read, self.length, self.shards)
        try:
            return next(self.iterator)
        except StopIteration:
            if not starts or self.is_generator or not self.read:
                raise
        self._start_over()
        return self._next(starts)

    def _start_over(self) -> None:
        if not self.is_generator:
            self.iterator, self.read = None, 0

    def _end_early(self, epoch: int, count: int) -> None:
        """Warn that an epoch is short; training ends with a generator. Raise where there was no batch to begin with."""
        if count == 0 and (self.op != "fit" or not self.read):
            again = f" after {self.read}; give data that can be read again, or a longer generator" if self.read else ""
            raise ValueError(f"{self.op}: there must be at least one batch; got none{again}")
        self.exhausted = self.is_generator
        self._start_over()
        warn_of_end(self.op, epoch, count, f"{self.wanted} steps" if self.wanted else "at least one batch",
                     "training stops here; a generator must yield batches for every epoch" if self.exhausted
                     else "the next epoch starts over")

    def _tell(self, hook: str) -> None:
        """Call a hook of a PyDataset."""
        if isinstance(self.source, PyDataset):
            getattr(self.source, hook)()

    def _batch(self, data: Any, count: int) -> Any:
        if self.shards is not None and isinstance(self.source, FileDataset):
            return [(part, self._whole(batch, count, None)) for part, batch in data]
        return self._whole(data, count, self.cut)

    def _whole(self, data: Any, count: int, cut: Callable[[int], list[Part]] | None) -> Any:
        if isinstance(data, list) and (isinstance(self.source, PyDataset) or _is_of_torch(self.source)):
            data = tuple(data)         # as Keras takes it
        if isinstance(data, list) or (isinstance(data, tuple) and not 1 <= len(data) <= 3):
            raise ValueError(f"{self.op}: a batch must be x, (x, y) or (x, y, sample_weight), a tuple; got a "
                             f"{type(data).__name__} of {len(data)} as batch {count}")
        x, y, weights = unpack_x_y_sample_weight(data)
        op = f"{self.op}, batch {count}"
        x = as_inputs(op, x, self.several)
        batches = ArrayBatches(op, x, y, weights, max(1, count_samples(x)), False, None, 0, self.class_weight,
                               self.dtype, self.casts_integers, self.outputs)
        batches.cut = cut
        return next(batches.epoch(0))

    def close(self) -> None:
        """Let a generator run its clean-up."""
        close = getattr(self.iterator, "close", None)
        if close is not None:
            close()


def _length(source: Any) -> int | None:
    """The number of batches of a source; None where it does not know, or is without end."""
    try:
        return source.num_batches if isinstance(source, PyDataset) else len(source)
    except TypeError:
        return None


def _is_of_torch(source: object) -> bool:
    """Whether this is a DataLoader of PyTorch, whose batches are lists."""
    return type(source).__module__.startswith("torch.utils.data")


def _started(source: Any, read: int, length: int | None, shards: Cut | None = None) -> Iterator[Any]:
    """An iterator over the batches of a source behind the first `read`, which one with numbers is not asked for."""
    if shards is not None and isinstance(source, FileDataset):
        return itertools.islice(source.read(shards), read, None)
    if getattr(type(source), "__iter__", PyDataset.__iter__) is not PyDataset.__iter__:
        return itertools.islice(iter(source), read, None)
    return (source[i] for i in (itertools.count(read) if length is None else range(read, length)))
