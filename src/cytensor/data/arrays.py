"""Batches of arrays in memory.

A batch is gathered, cast and copied in one pass over memory; without shuffling it is a view where no cast is needed.
Where an epoch has fewer steps than the data has batches, the next one goes on where it stopped, and the data is started
over when it has ended. Where an epoch begins, and in which order, depends on the seed and its number alone, so that a
resumed run meets the same batches.
"""
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import cyops
from cytensor import nested, random
from cytensor.checks import arguments
from cytensor.data.parts import Rows, first_not_finite, named_inputs
from cytensor.data.sources import as_targets, as_weights
from cytensor.parallel import Part
from cytensor.tensor import Tensor, as_tensor, asarray
from cytensor.types import Array, DTypeLike, Nested
from cytensor.user_warnings import warn


class ArrayBatches:
    """Batches of arrays held in memory (or mapped into it).

    `steps` is the number of batches that an epoch is to have, `samples` that of the rows; `rows` are the numbers of
    those in the batch that came last. With `shuffle`, `key` says by which stream: its seed, name and position. Where
    `cut` is set, a batch is a list of this process's parts of it, each with its data.
    """
    op: str
    shuffle: bool | str
    first_epoch: int
    wanted: int | None
    steps: int
    read: int = 0                      # arrays can be read again: nothing to skip when training is resumed
    key: tuple[int, str, int] | None = None
    cut: Callable[[int], list[Part]] | None = None

    def __init__(self, op: str, x: Nested, y: Any, sample_weight: Any, batch_size: int | None, shuffle: bool | str,
                 steps: int | None, first_epoch: int, class_weight: dict[Any, Any] | None, dtype: DTypeLike,
                 casts_integers: bool, outputs: Sequence[str] | None = ()) -> None:
        self.op, self.shuffle, self.first_epoch = op, shuffle, first_epoch
        inputs = named_inputs(x)
        self.samples: int = inputs[0][1].shape[0]
        self.y: Nested = None if y is None else as_targets(op, y, outputs)
        self.weights: Nested = None if sample_weight is None else as_weights(op, sample_weight, self.samples)
        targets, weights = _named(self.y, "y"), _named(self.weights, "sample_weight")
        given = [*inputs, *targets, *weights]
        if any(tensor.shape[0] != self.samples for _, tensor in given):
            lengths = ", ".join(f"{name} {tensor.shape[0]}" for name, tensor in given)
            raise ValueError(f"{op}: all data must have the same number of samples; got {lengths}")
        if self.samples == 0:
            raise ValueError(f"{op}: there must be at least one sample; got x of shape {given[0][1].shape}")
        for name, tensor in weights:
            if not np.isfinite(tensor.numpy()).all():
                raise ValueError(f"{op}: {name} must be finite numbers; got {first_not_finite(tensor)}")
        if class_weight is not None:
            self.weights = weights_of_classes(op, class_weight, self.y, self.weights, outputs)
            weights = _named(self.weights, "sample_weight")
        if self.weights is not None and self.y is None:
            raise ValueError(f"{op}: sample_weight needs y")
        # As in Keras.
        self.batch_size: int = int(batch_size or (math.ceil(self.samples / steps) if steps else 32))
        self.length: int = math.ceil(self.samples / self.batch_size)      # the batches of one pass over the data
        self.wanted, self.steps = steps, steps or self.length
        dtype = np.dtype(dtype)
        # Of x, y and the weights: how a batch of each is put together; None where all are plain tensors.
        whole = [part for part in (x, self.y, self.weights) if part is not None]
        self._structures: list[Nested] | None = None if all(isinstance(part, Tensor) for part in whole) else whole
        self._parts = [(part, batch_dtype(part, dtype, casts_integers)) for _, part in inputs]
        self._parts += [(part, _target_dtype(part, dtype)) for _, part in (*targets, *weights)]
        self.rows: Rows = range(0)

    def go_on(self, first_epoch: int, read: int) -> None:
        """Belong to a training that began with `first_epoch`."""
        self.first_epoch = first_epoch

    def _order(self, number: int) -> Array:
        """The rows in the order of a pass over the data: any, or with shuffle="batch" each batch in itself."""
        assert self.key is not None        # `fit` gives it to what it shuffles
        seed, name, position = self.key
        source = random.generator(seed, f"{name}/{number}", position)
        if self.shuffle != "batch":
            return source.permutation(self.samples)
        starts = range(0, self.samples, self.batch_size)
        return np.concatenate([start + source.permutation(min(self.batch_size, self.samples - start))
                               for start in starts])

    def start_of(self, epoch: int) -> tuple[int, int]:
        """(number of the pass over the data, batches of it that are done) where an epoch begins.

        As in Keras, the last epoch of a pass is shorter where `steps` does not divide the number of batches.
        """
        done, within = divmod(epoch - self.first_epoch, math.ceil(self.length / self.steps))
        return self.first_epoch + done, within * self.steps

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Any]:
        """An iterator over the batches of one epoch from the `first`: x, (x,) of several, (x, y) or (x, y, weights)."""
        size = self.batch_size
        number, done = self.start_of(epoch)
        last = min(done + self.steps, self.length)
        order = self._order(number) if self.shuffle else None
        for start in range((done + first) * size, last * size, size):
            rows = None if order is None else order[start:start + size]
            self.rows = range(start, min(start + size, self.samples)) if rows is None else rows
            if self.cut is None:
                yield self._batch(start, size, rows)
            else:
                yield [(part, self._batch(start + part.first, part.count,
                                          None if rows is None else rows[part.first:part.first + part.count]))
                       for part in self.cut(len(self.rows))]
        if last - done < self.steps:
            warn_of_end(self.op, epoch, last - done, f"{self.steps} steps", "the next epoch starts over")

    def _batch(self, start: int, size: int, rows: Rows | None) -> Any:
        batch = [take_batch(part, dtype, start, size, rows) for part, dtype in self._parts]
        if self._structures is None:
            return batch[0] if len(batch) == 1 else tuple(batch)
        return tuple(_packed(self._structures, batch))

    def close(self) -> None:
        """Nothing to do: arrays belong to the caller."""


def batch_dtype(tensor: Tensor, dtype: DTypeLike, casts_integers: bool) -> DTypeLike:
    """The dtype of a batch: the model's for floats; integers stay, or take it too where the model casts them."""
    return dtype if tensor.dtype.kind == "f" or casts_integers else tensor.dtype


def _target_dtype(tensor: Tensor, dtype: DTypeLike) -> DTypeLike:
    """Labels are read as int64, other targets in the model's dtype."""
    return dtype if tensor.dtype.kind == "f" else np.dtype(np.int64)


def take_batch(source: Tensor, dtype: DTypeLike, start: int, size: int, rows: Rows | None = None) -> Tensor:
    """Rows of `source` in `dtype`: those numbered `rows`, in one pass; or `size` from `start`, a view if it can be."""
    if rows is not None:
        return as_tensor(cyops.gather_rows(source, rows, dtype=dtype))
    batch = source if start == 0 and size >= source.shape[0] else source[start:start + size]
    return batch if batch.dtype == dtype else batch.astype(dtype)


def _named(structure: Nested, name: str) -> list[tuple[str, Any]]:
    """(name, tensor) of each tensor in y or sample_weight; none for None."""
    return [(one, tensor) for one, tensor in named_inputs(structure, name) if tensor is not None]


def _packed(structures: list[Nested], tensors: list[Tensor]) -> list[Nested]:
    """The tensors of a batch in the structures of x, y and the weights, in which None stays."""
    left = iter(tensors)
    return [nested.pack_like(structure, [None if leaf is None else next(left) for leaf in nested.flatten(structure)])
            for structure in structures]


def weights_of_classes(op: str, class_weight: Any, y: Nested, sample_weight: Nested = None,
                       outputs: Sequence[str] | None = ()) -> Nested:
    """The weight of each sample's class, times its own weight; y integer labels or one-hot.

    Of several outputs, class_weight is a dictionary by their names of such of one.
    """
    if y is None:
        raise ValueError(f"{op}: class_weight needs y")
    if isinstance(y, Tensor):
        named = isinstance(class_weight, dict) and len(class_weight) == 1 and outputs and outputs[0] in class_weight
        return _weights_of_one(op, class_weight[outputs[0]] if named and outputs else class_weight, y, sample_weight)
    names = list(y) if isinstance(y, dict) else list(outputs or ())
    if not isinstance(class_weight, dict) or not class_weight or not all(
            isinstance(part, dict) for part in class_weight.values()) or class_weight.keys() - set(names) or (
            len(names) != len(y)):
        raise ValueError(f"{op}: class_weight must be a dictionary by the names of the outputs, "
                         f"{', '.join(map(repr, names))}, of the weights of the classes of one; got {class_weight!r}")
    parts = dict(zip(names, y.values() if isinstance(y, dict) else y, strict=True))
    if sample_weight is None or isinstance(sample_weight, Tensor):
        own = dict.fromkeys(names, sample_weight)
    else:
        own = sample_weight if isinstance(sample_weight, dict) else dict(zip(names, sample_weight, strict=True))
    weights = [_weights_of_one(f"{op}, output '{name}'", class_weight[name], part, own.get(name))
               if name in class_weight else own.get(name) for name, part in parts.items()]
    return nested.rebuilt(y, weights)


def _weights_of_one(op: str, class_weight: Any, y: Tensor, sample_weight: Tensor | None = None) -> Tensor:
    """The weight of each sample's class, times its own weight, for one output."""
    if not isinstance(class_weight, dict) or not all(
            arguments.is_integer(label) and arguments.is_number(weight) and weight >= 0
            for label, weight in class_weight.items()):
        raise TypeError(f"{op}: class_weight must be a dictionary of classes, integers, and their weights, numbers "
                        f"that are not negative; got {class_weight!r}")
    labels = y.numpy()
    if not np.isfinite(labels).all():
        raise ValueError(f"{op}: class_weight needs a class for each sample; got {first_not_finite(y)}")
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


def warn_of_end(op: str, epoch: int, count: int, expected: str, consequence: str) -> None:
    """Warn that an epoch found less data than was asked for; what follows from it is said of training alone."""
    place = f" of epoch {epoch + 1}" if op == "fit" else ""
    follows = f"; {consequence}" if op == "fit" else ""
    warn(f"{op}: the data ended after {count} batches{place}, {expected} expected{follows}")
