"""Gradients summed over all ranks while the backward pass still finds those of earlier layers.

As soon as the tape knows all gradients of a bucket, MPI begins to add them up, without waiting; the pass goes on, and
each further gradient gives MPI a moment to move what is on its way. Small gradients share a message; one of DIRECT
elements or more is a bucket by itself, and MPI reads and writes it where it lies. Buckets go in the same order on all
ranks, from the last variable to the first, which is how the pass finds them.
"""
from collections.abc import Sequence
from typing import Any

import numpy as np

from cytensor.distribution.mpi import Processes
from cytensor.tensor import Tensor, Variable, asarray
from cytensor.types import Array

# In elements: small gradients are gathered into one message, and what is large need not be copied. Neither is tuned.
BUCKET = 1 << 18
DIRECT = 1 << 14


class Buckets:
    """The sums of the gradients of `variables`, again for each step: `ready` or `complete`, then `result`."""
    processes: Processes
    variables: list[Variable]
    groups: list[list[int]]

    def __init__(self, processes: Processes, variables: Sequence[Variable]) -> None:
        self.processes, self.variables = processes, list(variables)
        self.groups = _groups(self.variables)
        self._dtypes = [_summed_in(variable) for variable in self.variables]
        self._arrays: list[Array | None] = [None] * len(self.groups)       # of groups that share a message, kept
        self.begin()

    def is_for(self, variables: Sequence[Variable]) -> bool:
        """Whether these are the variables, in their order."""
        return len(variables) == len(self.variables) and all(
            one is other for one, other in zip(variables, self.variables, strict=True))

    def begin(self) -> None:
        """Forget the last step."""
        self._found: dict[int, tuple[Any, bool]] = {}
        self._sums: dict[int, Any] = {}
        self._requests: list[Any] = []
        self._next = 0                 # group to be sent

    def ready(self, place: int, gradient: Any, is_owned: bool) -> None:
        """Take the gradient of one variable. is_owned: whether nothing else sees its memory, so that the sum may
        replace it there.
        """
        self._found[place] = gradient, is_owned
        while self._next < len(self.groups) and all(one in self._found for one in self.groups[self._next]):
            self._send()
        if self._requests:
            self._requests[-1].Test()          # MPI moves what is on its way only while it is called

    def complete(self, gradients: Sequence[Tensor | None]) -> None:
        """Send what `ready` was not told of; zeros for what there is not on this rank."""
        for place, gradient in enumerate(gradients):
            self._found.setdefault(place, (gradient, False))
        while self._next < len(self.groups):
            self._send()

    def result(self, present: Array) -> list[Tensor | None]:
        """The sums, views of memory that the next step writes; None where `present` is 0."""
        for request in self._requests:
            self.processes.wait(request)
        found = [self._sums[place] for place in range(len(self.variables))]
        self.begin()
        return [None if flag == 0 else value if value.dtype == variable.dtype else value.astype(variable.dtype)
                for variable, value, flag in zip(self.variables, found, present, strict=True)]

    def _send(self) -> None:
        group, number = self.groups[self._next], self._next
        self._next += 1
        if len(group) == 1 and (array := self._direct(group[0])) is not None:
            self._sums[group[0]] = self._found[group[0]][0]
        else:
            array = self._gathered(group, number)
        if self.processes.size > 1:
            self._requests.append(self.processes.start_sum(array))

    def _direct(self, place: int) -> Array | None:
        """A gradient as MPI can add it up where it lies, None where it cannot."""
        gradient, is_owned = self._found[place]
        if not is_owned or gradient is None or gradient.dtype != self._dtypes[place]:
            return None
        array: Array = gradient.numpy()
        return array if array.flags.c_contiguous and array.flags.writeable else None

    def _gathered(self, group: list[int], number: int) -> Array:
        """The gradients of a group in one array."""
        array, at = self._arrays[number], 0
        if array is None:
            array = np.empty(sum(self.variables[place].size for place in group), self._dtypes[group[0]])
            self._arrays[number] = array
        for place in group:
            gradient, stop = self._found[place][0], at + self.variables[place].size
            view = array[at:stop].reshape(self.variables[place].shape)
            if gradient is None:
                view[...] = 0
            else:
                view[...] = gradient.numpy() if gradient.dtype == array.dtype else gradient.astype(array.dtype).numpy()
            self._sums[place] = asarray(view, copy=False)
            at = stop
        return array


def _summed_in(variable: Variable) -> np.dtype[Any]:
    """The dtype in which MPI adds: it knows no halves."""
    return np.dtype(np.float64 if variable.dtype == np.float64 else np.float32)


def _groups(variables: Sequence[Variable]) -> list[list[int]]:
    """The places of the variables of each bucket, the last first."""
    groups: list[list[int]] = []
    size = 0
    for place in range(len(variables) - 1, -1, -1):
        one = variables[place]
        joins = groups and size + one.size <= BUCKET and one.size < DIRECT and (
            _summed_in(variables[groups[-1][0]]) == _summed_in(one))
        if joins:
            groups[-1].append(place)
            size += one.size
        else:
            groups.append([place])
            size = BUCKET if one.size >= DIRECT else one.size              # a large one is alone
    return groups
