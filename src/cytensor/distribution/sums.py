"""What metrics and logs of the shards give for the whole batch.

Metrics whose state is sums (`Metric.additive`) see each shard alone, and what each adds is summed in the order of the
shards, in float64. Any other is given the targets and predictions of all shards, on every rank.
"""
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from cytensor import nested
from cytensor.distribution.mpi import Processes
from cytensor.metrics import Metric
from cytensor.parallel import Part
from cytensor.tensor import asarray
from cytensor.types import Array, Nested


class Increments:
    """What shards add to the state of metrics. `begin` and `end` each shard, then `take` the sum of all."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[Metric, list[Array]]] = {}      # as it was before the first shard

    def begin(self, metrics: Iterable[Metric]) -> None:
        """Note the state of the metrics and set it to zero."""
        for metric in metrics:
            if metric.additive:
                variables = metric.variables
                if id(metric) not in self._before:
                    self._before[id(metric)] = metric, [np.array(variable.numpy()) for variable in variables]
                for variable in variables:
                    variable.assign(np.zeros(variable.shape, variable.dtype))

    def end(self, metrics: Iterable[Metric]) -> Array:
        """What the shard has added, one behind the other: also to metrics that it was the first to make."""
        added = []
        for metric in metrics:
            if metric.additive:
                variables = metric.variables
                self._before.setdefault(id(metric), (metric, [np.zeros(one.shape) for one in variables]))
                added += [np.array(variable.numpy(), np.float64).ravel() for variable in variables]
        return np.concatenate([np.empty(0), *added])

    def take(self, total: Array) -> list[Metric]:
        """Add the sum of all shards to the states as they were; returns the metrics that nothing was added to."""
        at, untouched = 0, []
        for metric, before in self._before.values():
            first = at
            for variable, old in zip(metric.variables, before, strict=True):
                variable.assign((old + total[at:at + variable.size].reshape(variable.shape)).astype(variable.dtype))
                at += variable.size
            if not total[first:at].any():
                untouched.append(metric)
        return untouched


class Deferred:
    """The batches of metrics that wait for the rows of all shards."""

    def __init__(self) -> None:
        self._metrics: list[Metric] = []
        self._shards: list[list[Any]] = []             # of this rank: for each metric its targets, predictions, weights

    def take(self, part: Part, waiting: Sequence[tuple[Metric, tuple[Nested, Nested, Nested]]]) -> None:
        """Note what one shard gave to its metrics."""
        self._metrics = [metric for metric, _ in waiting]
        if part.weight:
            self._shards.append([given for _, given in waiting])

    def update(self, processes: Processes) -> None:
        """Give every metric the whole batch."""
        if not self._metrics:
            return
        known: dict[int, Any] = {}     # most metrics share targets and predictions: each goes on its way once
        mine = [[tuple(known.setdefault(id(one), _arrays(one)) for one in given) for given in shard]
                for shard in self._shards]
        shards = [shard for rank in processes.gather(mine) for shard in rank]
        for place, metric in enumerate(self._metrics):
            metric.update_state(*(_joined([shard[place][i] for shard in shards]) for i in range(3)))


def _arrays(structure: Nested) -> Nested:
    leaves = nested.flatten(structure)
    return nested.pack_like(structure, [None if leaf is None else np.asarray(leaf) for leaf in leaves])


def _joined(parts: list[Nested]) -> Nested:
    """The structures of all shards as one, its arrays joined along the samples, as tensors."""
    leaves = zip(*map(nested.flatten, parts), strict=True)
    return nested.pack_like(parts[0], [None if leaf[0] is None else asarray(np.concatenate(leaf)) for leaf in leaves])
