"""Gradients of all shards made one: the sum of each shard's, times the share of the batch's rows that it has.

All gradients of a step lie behind each other in one array a dtype, so that small ones do not each cost a message. With
them goes a flag for each, for one that no shard has is None and not zero. In which order the shards are added: MPI's,
or with a fixed number of shards that of tree.py.
"""
import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from cytensor.data.cutting import Cut
from cytensor.distribution.mpi import Processes
from cytensor.distribution.tree import Growing, Node, added, nodes_within
from cytensor.parallel import Part
from cytensor.tensor import Tensor, Variable, asarray
from cytensor.types import Array

BUCKET = 1 << 20                       # elements of one message of MPI's own sum; not tuned


class Place(NamedTuple):
    """Where the gradient of a variable lies: in the array of which dtype, and from where to where."""
    dtype: np.dtype[Any]
    start: int
    stop: int


class Layout:
    """The places of the gradients of `variables`, and how long the array of each dtype is."""
    variables: list[Variable]
    flags_in: np.dtype[Any]

    def __init__(self, variables: Sequence[Variable]) -> None:
        self.variables = list(variables)
        self.places: list[Place] = []
        self.lengths: dict[np.dtype[Any], int] = {}
        for variable in variables:
            dtype = np.dtype(np.float64 if variable.dtype == np.float64 else np.float32)      # MPI adds no halves
            start = self.lengths.get(dtype, 0)
            self.lengths[dtype] = start + variable.size
            self.places.append(Place(dtype, start, start + variable.size))
        self.flags_in = next(iter(self.lengths))
        self.lengths[self.flags_in] += len(self.variables)

    def is_for(self, variables: Sequence[Variable]) -> bool:
        return len(variables) == len(self.variables) and all(
            one is other for one, other in zip(variables, self.variables, strict=True))

    def filled(self, values: Sequence[Tensor | None], weight: float) -> dict[np.dtype[Any], Array]:
        """The arrays of one shard's values times its weight."""
        arrays = {dtype: np.empty(length, dtype) for dtype, length in self.lengths.items()}
        flags = arrays[self.flags_in][-len(self.variables):]
        for i, (value, (dtype, start, stop)) in enumerate(zip(values, self.places, strict=True)):
            flags[i] = value is not None
            out = arrays[dtype][start:stop]
            if value is None or weight == 0:
                out[:] = 0
            else:
                value = value if value.dtype == dtype else value.astype(dtype)
                np.multiply(value.numpy(), dtype.type(weight), out=out.reshape(value.shape))
        return arrays

    def tensors(self, arrays: dict[np.dtype[Any], Array]) -> list[Tensor | None]:
        """The values in arrays as `filled` makes them, None for those that no shard had: views where they can be."""
        flags = arrays[self.flags_in][-len(self.variables):]
        found: list[Tensor | None] = []
        for variable, flag, (dtype, start, stop) in zip(self.variables, flags, self.places, strict=True):
            value = asarray(arrays[dtype][start:stop].reshape(variable.shape), copy=False)
            value = value if value.dtype == variable.dtype else value.astype(variable.dtype)
            found.append(None if flag == 0 else value)
        return found


class Sum:
    """The sum over all shards of one list of values: `add` each of this rank's, then `start`, then `result`."""
    processes: Processes
    cut: Cut
    layout: Layout
    fixed: bool

    def __init__(self, processes: Processes, cut: Cut, layout: Layout, fixed: bool) -> None:
        """fixed: whether the order of the sum is the tree's, and not MPI's."""
        self.processes, self.cut, self.layout, self.fixed = processes, cut, layout, fixed
        self._growing = {dtype: Growing(cut.shards, cut.mine[0], cut.mine[-1] + 1) for dtype in layout.lengths}
        self._arrays: dict[np.dtype[Any], Array] = {}
        self._requests: list[Any] = []
        self._added: set[int] = set()
        self._total = 0

    def add(self, part: Part, values: Sequence[Tensor | None]) -> None:
        """Take the values of one of this rank's shards."""
        self._total = part.total
        arrays = self.layout.filled(values, part.weight)
        if not self.fixed:
            self._arrays = arrays
            return
        self._added.add(part.index)
        for dtype, growing in self._growing.items():
            growing.add(part.index, arrays[dtype] if part.weight else None)

    def start(self) -> None:
        """Begin with the exchange: nothing is added behind it."""
        if self.fixed:
            for index in set(self.cut.mine) - self._added:
                for growing in self._growing.values():
                    growing.add(index, None)
        elif self.processes.size > 1:
            self._requests = [self.processes.start_sum(array[start:start + BUCKET])
                              for array in self._arrays.values() for start in range(0, array.size, BUCKET)]

    def result(self) -> list[Tensor | None]:
        """The sums, the same on every rank."""
        if self.fixed:
            self._arrays = {dtype: self._in_tree(growing, dtype) for dtype, growing in self._growing.items()}
        for request in self._requests:
            self.processes.wait(request)
        return self.layout.tensors(self._arrays)

    # -- the fixed order ----------------------------------------------------------------------------------------------
    def _in_tree(self, growing: Growing, dtype: np.dtype[Any]) -> Array:
        """Each rank computes a slice of the sum from the nodes of all, then everybody gets all slices."""
        whole = (0, self.cut.shards)
        if self.processes.size == 1:
            return _present(added(whole, growing.known))
        length, ranks = self.layout.lengths[dtype], self.processes.size
        edges = [length * rank // ranks for rank in range(ranks + 1)]
        sizes = [stop - start for start, stop in itertools.pairwise(edges)]
        nodes = [self._nodes_of(rank) for rank in range(ranks)]
        mine = [_present(growing.known[node]) for node in nodes[self.cut.rank]]
        empty = np.empty(0, dtype)
        pieces = [np.concatenate([empty, *(values[start:stop] for values in mine)])
                  for start, stop in itertools.pairwise(edges)]
        size = sizes[self.cut.rank]
        arrived = self.processes.exchange(pieces, [len(theirs) * size for theirs in nodes])
        known: dict[Node, Array | None] = {(index, index + 1): None for index in range(self.cut.shards)}
        for theirs, values in zip(nodes, arrived, strict=True):
            known.update(zip(theirs, values.reshape(len(theirs), size), strict=True))
        out = np.empty(length, dtype)
        self.processes.join(_present(added(whole, known)), sizes, out)
        return out

    def _nodes_of(self, rank: int) -> list[Node]:
        """The nodes that a rank has computed: those with rows in them."""
        counts, each = self.cut.counts(self._total), self.cut.shards // self.cut.ranks
        return [node for node in nodes_within((0, self.cut.shards), rank * each, (rank + 1) * each)
                if sum(counts[node[0]:node[1]])]


def _present(values: Array | None) -> Array:
    assert values is not None          # a batch has rows, and a node that is sent has some of them
    return values
