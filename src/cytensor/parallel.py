"""What the layers below know of training on several processes: whether any is set up, and which rows this thread has.

`cytensor.distribution` fills it in; what is below reads it and imports nothing of it. Where no distribution is set
everything here is None.
"""
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cytensor.types import Array


@dataclass(frozen=True, slots=True)
class Part:
    """A shard of a batch as one rank computes it.

    index: the number of the shard. start, stop, total: which of the whole batch's rows it has. first, count: where they
    are in the batch that this process reads. weight: their share of the whole; 0 for a row that only keeps a rank
    without rows of its own in step with the others.
    """
    index: int
    start: int
    stop: int
    total: int
    first: int
    count: int
    weight: float


class _Current(threading.local):
    """What this thread computes."""
    part: Part | None = None
    corrections: list[float] | None = None     # for each output, what its loss is multiplied by; None for 1
    gradients: Callable[..., list[Any]] | None = None      # `Trainer` asks it in place of the tape
    streams: "Streams | None" = None           # of random numbers, drawn from in the present batch
    deferred: list[tuple[Any, tuple[Any, Any, Any]]] | None = None     # metrics that wait for the whole batch


current: _Current = _Current()
distribution: Any = None               # what `distribution.set_distribution` was given


def is_follower() -> bool:
    """Whether another process writes the files and draws the progress bar."""
    return distribution is not None and distribution.rank > 0


def of_first(value: Any) -> Any:
    """What the first of several processes has for a value; the value itself where there is but one."""
    return value if distribution is None else distribution.processes.broadcast(value)


def correction(place: int) -> float | None:
    """What the loss of an output is multiplied by, so that the shards' losses add up to the batch's; None for 1."""
    return None if current.corrections is None else current.corrections[place]


def update_metric(metric: Any, y_true: Any, y_pred: Any, sample_weight: Any) -> None:
    """Let a metric see a batch; one whose state is no sum sees it once the rows of all shards are there."""
    if current.deferred is None or metric.additive:
        metric.update_state(y_true, y_pred, sample_weight)
    else:
        current.deferred.append((metric, (y_true, y_pred, sample_weight)))


class Streams:
    """Where the streams of random numbers stood before a batch: each of its shards draws from there."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[np.random.Generator, Any]] = {}

    def note(self, source: np.random.Generator) -> None:
        """Called before each draw."""
        if id(source) not in self._before:
            self._before[id(source)] = source, source.bit_generator.state

    def put_back(self) -> None:
        """Called before each shard."""
        for source, state in self._before.values():
            source.bit_generator.state = state


def drawn(source: np.random.Generator, shape: tuple[int, ...], draw: Callable[[tuple[int, ...]], Array],
          has_rows: bool = True) -> Array:
    """Random numbers of `shape` that `draw` takes from `source`: of a shard those that its rows have in the whole
    batch, and the stream then stands where the whole batch would have left it.

    has_rows: whether the first axis is of rows, or of several entries for each row; else all shards have the same.
    """
    part = current.part
    if current.streams is not None:
        current.streams.note(source)
    if part is None or part.total == part.count or not has_rows or not shape or shape[0] % part.count:
        return draw(shape)
    each = shape[0] // part.count
    return draw((part.total * each, *shape[1:]))[part.start * each:(part.start + part.count) * each]
