"""One batch on this rank: the gradients of its parts on their way to the optimizers."""
import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cytensor.distribution.buckets import Buckets
from cytensor.distribution.reduction import Sum
from cytensor.parallel import Part, Streams, current
from cytensor.tensor import Tensor, Variable, asarray
from cytensor.types import Array

if TYPE_CHECKING:
    from cytensor.autodiff.tape import GradientTape
    from cytensor.distribution.data_parallel import DataParallel

Apply = Callable[[Sequence[Tensor | None], Sequence[Variable]], None]


class Step:
    """One batch: what this rank's parts hand to optimizers, until all are there.

    defers: whether an optimizer may change the weights only when the step ends, the sum being made meanwhile; overlaps:
    whether the gradients go from the tape to the optimizer as they are, so that the sum begins in the backward pass.
    """
    strategy: "DataParallel"
    parts: Sequence[Part]
    defers: bool

    def __init__(self, strategy: "DataParallel", parts: Sequence[Part], defers: bool = False,
                 overlaps: bool = False) -> None:
        self.strategy, self.parts, self.defers = strategy, parts, defers
        self.has_summed = False
        self._overlaps = overlaps and len(strategy.cut.mine) == 1 and strategy.shards is None
        self._buckets: tuple[Apply, Buckets] | None = None
        self._present: Array = np.empty(0)             # whether each variable of the buckets has a gradient here
        self._streams = Streams()
        self._done = 0                 # parts
        self._pending: list[tuple[Apply, Sum, Sequence[Variable]]] = []
        self._calls = 0                # of optimizers by the present part

    @contextlib.contextmanager
    def of(self, part: Part) -> Iterator[None]:
        """A block that computes one part."""
        outer = self.strategy._step, current.part, current.streams, current.gradients
        self.strategy._step, current.part, current.streams = self, part, self._streams
        current.gradients = self._gradients if self._overlaps else None
        self._calls = 0
        self._streams.put_back()
        try:
            yield
        finally:
            self.strategy._step, current.part, current.streams, current.gradients = outer
            self._done += 1

    def apply(self, apply: Apply, gradients: Sequence[Tensor | None], variables: Sequence[Variable]) -> None:
        """Take the gradients of one part; behind the last, the sum over all ranks goes to `apply`."""
        several, last = len(self.parts) > 1, self._done == len(self.parts) - 1
        self._calls += 1
        if self._buckets is not None:
            self._buckets = apply, self._buckets[1]
            return
        if self._calls > 1 and len(self.strategy.cut.mine) > 1:
            raise RuntimeError("DataParallel: a step that changes weights more than once needs a part a process; leave "
                               "shards out, or make it the number of processes")
        if not variables:
            apply(gradients, variables)
            return
        total = self._pending[0][1] if several and self._pending else self.strategy.new_sum(variables)
        if several and not self._pending:
            self._pending.append((apply, total, variables))
        part = current.part
        assert part is not None
        total.add(part, gradients)
        if not last:
            return
        total.start()
        if self.defers and not several:
            self._pending.append((apply, total, variables))
        elif not self.defers:
            self._pending.clear()
            apply(total.result(), variables)

    def _gradients(self, tape: "GradientTape", loss: Tensor, variables: Sequence[Variable]) -> list[Any]:
        """Those of this rank, times its share of the rows; their sum over all ranks has begun when they are returned.
        """
        part = current.part
        assert part is not None
        buckets = self.strategy.buckets_of(variables)
        share = None if part.weight == 1 else asarray(loss.dtype.type(part.weight))
        if part.weight:
            tape._ready = buckets.ready
        found: list[Any] = tape.gradient(loss, list(variables), share)
        self._present = np.array([gradient is not None for gradient in found], np.float64)
        buckets.complete(found if part.weight else [None] * len(found))
        self._buckets = _nothing, buckets
        return found

    def present(self) -> Array:
        """A flag for each gradient that is being summed, to be added up over all ranks for `end`."""
        return self._present

    def end(self, present: Array) -> None:
        """Change the weights by what is still being summed."""
        if self._buckets is not None:
            apply, buckets = self._buckets
            apply(buckets.result(present), buckets.variables)
        for apply, total, variables in self._pending:
            apply(total.result(), variables)
        self._pending.clear()


def _nothing(gradients: Sequence[Tensor | None], variables: Sequence[Variable]) -> None:
    """What stands for the optimizer until the gradients are handed to one."""
