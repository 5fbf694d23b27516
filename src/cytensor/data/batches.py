"""Batches: what `fit`, `evaluate` and `predict` are given, cut into batches of tensors.

A batch is gathered, cast and copied in one pass over memory; without shuffling it is a view where no cast is needed.
Where an epoch has fewer steps than the data has batches, the next one goes on where it stopped, and the data is started
over when it has ended. Where an epoch begins, and in which order, depends on the seed and its number alone, so that a
resumed run meets the same batches.
"""
import itertools
import math

import numpy as np

import cyops
from cytensor import nested, random
from cytensor.checks import arguments
from cytensor.data.sources import as_source, as_target, as_weights, is_sparse
from cytensor.tensor import Tensor, asarray
from cytensor.user_warnings import warn

__all__ = ["pack_x_y_sample_weight", "unpack_x_y_sample_weight"]


def unpack_x_y_sample_weight(data):
    """(x, y, sample_weight) from a batch: x, (x,), (x, y) or (x, y, sample_weight); None for what is missing."""
    if not isinstance(data, (tuple, list)):
        return data, None, None
    if 1 <= len(data) <= 3:
        return (*data, *(None,) * (3 - len(data)))
    raise ValueError(f"a batch must be x, (x, y) or (x, y, sample_weight); got {len(data)} parts")


def pack_x_y_sample_weight(x, y=None, sample_weight=None):
    """The shortest batch that `unpack_x_y_sample_weight` reads back."""
    if y is None:
        return x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def make_batches(op, x, y=None, sample_weight=None, batch_size=None, *, shuffle=False, steps=None, first_epoch=0,
                 class_weight=None, dtype=np.float32, casts_integers=False, several=False):
    """ArrayBatches or IteratorBatches over the data; `op` is the caller's name in errors.

    batch_size: of arrays; None for what makes `steps` batches of them, or 32. steps: the batches of an epoch; None for
    all. first_epoch: the number of the epoch that begins at the head of the data. dtype: of the model, to which floats
    are cast; integer inputs are cast too where casts_integers. several: whether the model may take several inputs, x
    then being a tuple, dictionary or list of arrays.
    """
    if is_iterator(x):
        if y is not None or sample_weight is not None:
            raise ValueError(f"{op}: x yields whole batches, so y and sample_weight must not be given besides")
        return IteratorBatches(op, x, steps, first_epoch, class_weight, dtype, casts_integers, several)
    if x is None:
        raise ValueError(f"{op}: x must be given; got None")
    return ArrayBatches(op, as_inputs(op, x, several), y, sample_weight, batch_size, shuffle, steps, first_epoch,
                        class_weight, dtype, casts_integers)


def is_iterator(x):
    """Whether x yields batches (a generator, an iterator, a dataset) and is not data itself."""
    if x is None or isinstance(x, (np.ndarray, Tensor, list, tuple, dict, str, bytes)) or hasattr(x, "__array__"):
        return False
    if is_sparse(x):
        return False
    return hasattr(x, "__next__") or hasattr(x, "__iter__") or (hasattr(x, "__getitem__") and hasattr(x, "__len__"))


def as_inputs(op, x, several, name="x"):
    """x as a tensor, or where there may be several inputs and x is such, a structure like x of tensors."""
    if not several or not _is_structure(x):
        return as_source(op, name, x)
    parts = x.items() if isinstance(x, dict) else enumerate(x)
    return nested.rebuilt(x, [as_inputs(op, value, True, f"{name}[{key!r}]") for key, value in parts])


def _is_structure(x):
    """Whether x is several inputs. A list of numbers or of lists of them is one, and so is a tuple of numbers."""
    if isinstance(x, Tensor) or not isinstance(x, (tuple, dict, list)) or not x:
        return False
    if isinstance(x, list):
        return all(_is_structure(item) or (np.ndim(item) > 0 and hasattr(item, "shape")) for item in x)
    return isinstance(x, dict) or any(isinstance(item, (list, tuple, dict)) or hasattr(item, "shape") for item in x)


def named_inputs(x, name="x"):
    """(name, tensor) of each input, in the order in which `nested` packs them."""
    if isinstance(x, dict):
        return [one for key in sorted(x) for one in named_inputs(x[key], f"{name}[{key!r}]")]
    if isinstance(x, (tuple, list)):
        return [one for i, value in enumerate(x) for one in named_inputs(value, f"{name}[{i}]")]
    return [(name, x)]


def count_samples(x):
    """The length of the first axis of an input, or of the first of several."""
    return x.shape[0] if hasattr(x, "shape") else len(named_inputs(x)[0][1])


def batch_dtype(tensor, dtype, casts_integers):
    """The dtype of a batch: the model's for floats; integers stay, or take it too where the model casts them."""
    return dtype if tensor.dtype.kind == "f" or casts_integers else tensor.dtype


def _warn_of_end(op, epoch, count, expected, consequence):
    """Warn that an epoch found less data than was asked for; what follows from it is said of training alone."""
    place = f" of epoch {epoch + 1}" if op == "fit" else ""
    follows = f"; {consequence}" if op == "fit" else ""
    warn(f"{op}: the data ended after {count} batches{place}, {expected} expected{follows}")


class ArrayBatches:
    """Batches of arrays held in memory (or mapped into it).

    `steps` is the number of batches that an epoch is to have, `samples` that of the rows; `rows` are the numbers of
    those in the batch that came last. With `shuffle`, `key` says by which stream: its seed, name and position.
    """
    read = 0                           # arrays can be read again: nothing to skip when training is resumed
    key = None

    def __init__(self, op, x, y, sample_weight, batch_size, shuffle, steps, first_epoch, class_weight, dtype,
                 casts_integers):
        self.op, self.shuffle, self.first_epoch = op, shuffle, first_epoch
        inputs = named_inputs(x)
        self.samples = inputs[0][1].shape[0]
        given = inputs + ([] if y is None else [("y", as_target(op, y))])
        if sample_weight is not None:
            given.append(("sample_weight", as_weights(op, sample_weight, self.samples)))
        if any(tensor.shape[0] != self.samples for _, tensor in given):
            lengths = ", ".join(f"{name} {tensor.shape[0]}" for name, tensor in given)
            raise ValueError(f"{op}: all data must have the same number of samples; got {lengths}")
        if self.samples == 0:
            raise ValueError(f"{op}: there must be at least one sample; got x of shape {given[0][1].shape}")
        parts = dict(given)
        self.y, self.weights = parts.get("y"), parts.get("sample_weight")
        if self.weights is not None and not np.isfinite(self.weights.numpy()).all():
            raise ValueError(f"{op}: sample_weight must be finite numbers; got {_first_not_finite(self.weights)}")
        if class_weight is not None:
            self.weights = weights_of_classes(op, class_weight, self.y, self.weights)
        if self.weights is not None and self.y is None:
            raise ValueError(f"{op}: sample_weight needs y")
        self.batch_size = int(batch_size or (math.ceil(self.samples / steps) if steps else 32))      # as in Keras
        self.length = math.ceil(self.samples / self.batch_size)           # the batches of one pass over the data
        self.wanted, self.steps = steps, steps or self.length
        dtype = np.dtype(dtype)
        self._structure, self._inputs = (None, 1) if isinstance(x, Tensor) else (x, len(inputs))
        self._parts = [(part, batch_dtype(part, dtype, casts_integers)) for _, part in inputs]
        self._parts += [(part, _target_dtype(part, dtype)) for part in (self.y, self.weights) if part is not None]
        self.rows = range(0)

    def go_on(self, first_epoch, read):
        """Belong to a training that began with `first_epoch`."""
        self.first_epoch = first_epoch

    def _order(self, number):
        """The rows in the order of a pass over the data: any, or with shuffle="batch" each batch in itself."""
        seed, name, position = self.key
        source = random.generator(seed, f"{name}/{number}", position)
        if self.shuffle != "batch":
            return source.permutation(self.samples)
        starts = range(0, self.samples, self.batch_size)
        return np.concatenate([start + source.permutation(min(self.batch_size, self.samples - start))
                               for start in starts])

    def start_of(self, epoch):
        """(number of the pass over the data, batches of it that are done) where an epoch begins.

        As in Keras, the last epoch of a pass is shorter where `steps` does not divide the number of batches.
        """
        done, within = divmod(epoch - self.first_epoch, math.ceil(self.length / self.steps))
        return self.first_epoch + done, within * self.steps

    def epoch(self, epoch, first=0):
        """An iterator over the batches of one epoch from the `first`: x, (x,) of several, (x, y) or (x, y, weights)."""
        size = self.batch_size
        number, done = self.start_of(epoch)
        last = min(done + self.steps, self.length)
        order = self._order(number) if self.shuffle else None
        for start in range((done + first) * size, last * size, size):
            rows = None if order is None else order[start:start + size]
            self.rows = range(start, min(start + size, self.samples)) if rows is None else rows
            batch = [take_batch(part, dtype, start, size, rows) for part, dtype in self._parts]
            if self._structure is not None:
                batch[:self._inputs] = [nested.pack_like(self._structure, batch[:self._inputs])]
            yield batch[0] if self._structure is None and len(batch) == 1 else tuple(batch)
        if last - done < self.steps:
            _warn_of_end(self.op, epoch, last - done, f"{self.steps} steps", "the next epoch starts over")

    def close(self):
        """Nothing to do: arrays belong to the caller."""


def find_not_finite(data, rows=None):
    """`y is nan for sample 3` where a batch has a number that is none; an empty string where it has not.

    rows: the numbers of the batch's samples in the caller's data, where they are known.
    """
    x, y, sample_weight = unpack_x_y_sample_weight(data)
    for name, part in (*named_inputs(x), ("y", y), ("sample_weight", sample_weight)):
        if isinstance(part, Tensor) and part.dtype.kind == "f" and not np.isfinite(part.numpy()).all():
            return f"{name} is {_first_not_finite(part, rows)}"
    return ""


def _first_not_finite(tensor, rows=None):
    """`nan for sample 3`."""
    values = tensor.numpy()
    at = np.argwhere(~np.isfinite(values))[0]
    return f"{values[tuple(at)]} for sample {at[0] if rows is None else rows[at[0]]}"


def _target_dtype(tensor, dtype):
    """Labels are read as int64, other targets in the model's dtype."""
    return dtype if tensor.dtype.kind == "f" else np.dtype(np.int64)


def take_batch(source, dtype, start, size, rows=None):
    """Rows of `source` in `dtype`: those numbered `rows`, in one pass; or `size` from `start`, a view if it can be."""
    if rows is not None:
        return cyops.gather_rows(source, rows, dtype=dtype)
    batch = source if start == 0 and size >= source.shape[0] else source[start:start + size]
    return batch if batch.dtype == dtype else batch.astype(dtype)


def weights_of_classes(op, class_weight, y, sample_weight=None):
    """The weight of each sample's class, times its own weight; y integer labels or one-hot."""
    if y is None:
        raise ValueError(f"{op}: class_weight needs y")
    if not isinstance(class_weight, dict) or not all(
            arguments.is_integer(label) and arguments.is_number(weight) and weight >= 0
            for label, weight in class_weight.items()):
        raise TypeError(f"{op}: class_weight must be a dictionary of classes, integers, and their weights, numbers "
                        f"that are not negative; got {class_weight!r}")
    labels = y.numpy()
    if not np.isfinite(labels).all():
        raise ValueError(f"{op}: class_weight needs a class for each sample; got {_first_not_finite(y)}")
    labels = labels.argmax(axis=-1) if labels.ndim > 1 and labels.shape[-1] > 1 else labels.reshape(-1)
    if len(labels) != y.shape[0]:
        raise ValueError(f"{op}: class_weight needs one class a sample; got y of shape {y.shape}")
    classes, which = np.unique(labels, return_inverse=True)
    if not (classes == np.rint(classes)).all():
        wrong = classes[classes != np.rint(classes)][0]
        raise ValueError(f"{op}: class_weight needs classes, integers; got {wrong} in y")
    known = {int(label): weight for label, weight in class_weight.items()}
    missing = sorted({int(label) for label in classes} - known.keys())
    if missing:
        raise ValueError(f"{op}: class_weight must have every class of y; got {class_weight!r}, without {missing}")
    weights = np.array([known[int(label)] for label in classes], np.float32)[which]
    return asarray(weights if sample_weight is None else weights * sample_weight.numpy().reshape(-1))


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

    def __init__(self, workers=1, use_multiprocessing=False, max_queue_size=10):
        self.workers, self.use_multiprocessing, self.max_queue_size = workers, use_multiprocessing, max_queue_size

    def __repr__(self):
        try:
            return f"<{type(self).__name__} of {self.num_batches} batches>"
        except Exception:              # one that is not made yet, or whose methods are missing
            return f"<{type(self).__name__}>"

    def __len__(self):
        raise NotImplementedError(f"{type(self).__name__}: a PyDataset must define __len__, the number of batches")

    def __getitem__(self, index):
        raise NotImplementedError(f"{type(self).__name__}: a PyDataset must define __getitem__(index), one batch")

    def __iter__(self):
        """The batches in their order, as many as `num_batches` says; without end where that is None."""
        return _started(self, 0, _length(self))

    @property
    def num_batches(self):
        """The number of batches an epoch; may be defined in place of `__len__`, and as None for data without end."""
        return len(self)

    def on_epoch_begin(self):
        """Before the first batch of an epoch."""

    def on_epoch_end(self):
        """After its last batch."""


class IteratorBatches:
    """Batches made by somebody else: a generator, an iterator, an iterable, or a sequence of batches.

    A generator is read on from epoch to epoch, and training ends with it. Anything that can be started again is started
    again: at each epoch, or where `steps` are given, when it has ended. `steps` is None until an epoch has shown it.
    `read` counts the batches taken since the start, so that resumed training can skip as many.
    """
    samples = rows = key = None

    def __init__(self, op, source, steps, first_epoch, class_weight, dtype, casts_integers, several):
        self.op, self.source, self.wanted, self.several = op, source, steps, several
        self.first_epoch, self.class_weight = first_epoch, class_weight
        self.dtype, self.casts_integers = dtype, casts_integers
        self.length = _length(source)
        self.steps = steps or self.length
        self.is_generator = hasattr(source, "__next__")
        self.iterator = source if self.is_generator else None
        self.exhausted = False
        self.read = 0

    def skip(self, count):
        """Leave out the next `count` batches, which an interrupted run has seen."""
        self.read = count
        if self.is_generator:
            self.read = sum(1 for _ in itertools.islice(self.iterator, count))

    def go_on(self, first_epoch, read):
        """Belong to a training that began with `first_epoch` and has read so many batches."""
        if not self.is_generator:
            self.first_epoch, self.read = first_epoch, read

    def epoch(self, epoch, first=0):
        """An iterator over the batches of one epoch from the `first`; warns where the data ends too early."""
        self._tell("on_epoch_begin")
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

    def _next(self, starts):
        """The next batch; the first of an epoch starts over what ended with the epoch before."""
        if self.iterator is None:
            self.iterator = _started(self.source, self.read, self.length)
        try:
            return next(self.iterator)
        except StopIteration:
            if not starts or self.is_generator or not self.read:
                raise
        self._start_over()
        return self._next(starts)

    def _start_over(self):
        if not self.is_generator:
            self.iterator, self.read = None, 0

    def _end_early(self, epoch, count):
        """Warn that an epoch is short; training ends with a generator. Raise where there was no batch to begin with."""
        if count == 0 and (self.op != "fit" or not self.read):
            again = f" after {self.read}; give data that can be read again, or a longer generator" if self.read else ""
            raise ValueError(f"{self.op}: there must be at least one batch; got none{again}")
        self.exhausted = self.is_generator
        self._start_over()
        _warn_of_end(self.op, epoch, count, f"{self.wanted} steps" if self.wanted else "at least one batch",
                     "training stops here; a generator must yield batches for every epoch" if self.exhausted
                     else "the next epoch starts over")

    def _tell(self, hook):
        """Call a hook of a PyDataset."""
        if isinstance(self.source, PyDataset):
            getattr(self.source, hook)()

    def _batch(self, data, count):
        if isinstance(data, list) and (isinstance(self.source, PyDataset) or _is_of_torch(self.source)):
            data = tuple(data)         # as Keras takes it
        if isinstance(data, list) or (isinstance(data, tuple) and not 1 <= len(data) <= 3):
            raise ValueError(f"{self.op}: a batch must be x, (x, y) or (x, y, sample_weight), a tuple; got a "
                             f"{type(data).__name__} of {len(data)} as batch {count}")
        x, y, weights = unpack_x_y_sample_weight(data)
        op = f"{self.op}, batch {count}"
        x = as_inputs(op, x, self.several)
        batches = ArrayBatches(op, x, y, weights, max(1, count_samples(x)), False, None, 0, self.class_weight,
                               self.dtype, self.casts_integers)
        return next(batches.epoch(0))

    def close(self):
        """Let a generator run its clean-up."""
        if hasattr(self.iterator, "close"):
            self.iterator.close()


def _length(source):
    """The number of batches of a source; None where it does not know, or is without end."""
    try:
        return source.num_batches if isinstance(source, PyDataset) else len(source)
    except TypeError:
        return None


def _is_of_torch(source):
    """Whether this is a DataLoader of PyTorch, whose batches are lists."""
    return type(source).__module__.startswith("torch.utils.data")


def _started(source, read, length):
    """An iterator over the batches of a source behind the first `read`, which one with numbers is not asked for."""
    if getattr(type(source), "__iter__", PyDataset.__iter__) is not PyDataset.__iter__:
        return itertools.islice(iter(source), read, None)
    return (source[i] for i in (itertools.count(read) if length is None else range(read, length)))
