"""DataParallel: the same model on every process, each with its share of the rows of every batch."""
import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cytensor import nested, parallel, random
from cytensor.autodiff.custom import custom_gradient
from cytensor.data import batches as batching
from cytensor.data.cutting import Cut
from cytensor.distribution.buckets import Buckets
from cytensor.distribution.mpi import Processes
from cytensor.distribution.reduction import Layout, Sum
from cytensor.distribution.step import Apply, Step
from cytensor.distribution.threads import share_cores
from cytensor.distribution.uncaught import end_all_on_error
from cytensor.parallel import Part, current
from cytensor.tensor import Tensor, Variable, asarray
from cytensor.types import Array, Nested
from cytensor.user_warnings import warn

if TYPE_CHECKING:
    from cytensor.autodiff.tape import GradientTape
    from cytensor.distribution.steps import DistributedSteps
    from cytensor.training.trainer import Trainer

LAYOUTS = 8                            # lists of variables whose layout is kept: one for each optimizer of a model


class DataParallel:
    """Training of one model on all processes that `mpiexec -n N` started, each computing a part of every batch.

    Set it once with `set_distribution`, or for a block with `scope()`; `fit`, `evaluate`, `predict` and optimizers then
    work on all processes together. Every process runs the same program with the same data, and `batch_size` is that of
    all together: each reads and computes its own rows of every batch, and the gradients are summed over all rows before
    each step, so that N processes do what one does, to the rounding of a sum in another order.

    shards: into how many parts each batch is cut, a multiple of the number of processes. Each part's gradient is
    computed by itself and the parts are added in an order that depends on `shards` alone: the weights are then the
    same, bit for bit, for every number of processes that divides it. None: a part a process, added in MPI's order.
    auto_shard_dataset: False where the processes have different data, each its own part of every batch: `batch_size`
    is then that of each. timeout: seconds after which ranks that did not come to an exchange are named and the run
    ends. threads: of each process; None for the cores of the machine divided by its processes, unless OMP_NUM_THREADS
    or CYOPS_NUM_THREADS says otherwise.

    `rank` is the number of this process, `size` how many they are. ImportError without mpi4py or an MPI library,
    RuntimeError where mpiexec is of another MPI than mpi4py has loaded; a warning where nothing like mpiexec has
    started the program. Named after `keras.distribution.DataParallel`.

    >>> from cytensor.distribution import DataParallel                           # doctest: +SKIP
    >>> strategy = DataParallel(shards=4)                                        # doctest: +SKIP
    """
    rank: int
    size: int
    shards: int | None
    auto_shard_dataset: bool
    processes: Processes
    cut: Cut

    def __init__(self, shards: int | None = None, auto_shard_dataset: bool = True, timeout: float = 600.0,
                 threads: int | None = None) -> None:
        _check(shards, auto_shard_dataset, timeout, threads)
        self.processes = Processes(timeout)
        self.rank, self.size = self.processes.rank, self.processes.size
        self.shards, self.auto_shard_dataset = shards, auto_shard_dataset
        self.cut = Cut(self.rank, self.size, shards)
        if not self.processes.was_launched:
            warn("DataParallel: this program was not started by mpiexec, so it is the only process; start it as "
                 "`mpiexec -n 4 python program.py`")
        self.threads: int = share_cores(self.processes, threads)
        end_all_on_error(self.processes)
        self._layouts: list[Layout] = []
        self._buckets: list[Buckets] = []
        self._step: Step | None = None

    def __repr__(self) -> str:
        shards = "" if self.shards is None else f", shards={self.shards}"
        return f"<DataParallel rank {self.rank} of {self.size}{shards}>"

    # -- being set ----------------------------------------------------------------------------------------------------
    def enter(self) -> None:
        """Become the distribution of this process. All take over the random state of rank 0."""
        random.replace_state(random.checked_state(self.processes.broadcast(random.get_state())))
        parallel.distribution = self

    @contextlib.contextmanager
    def scope(self) -> Iterator["DataParallel"]:
        """A block in which this is the distribution."""
        outer = parallel.distribution
        self.enter()
        try:
            yield self
        finally:
            parallel.distribution = outer

    # -- loops of one's own -------------------------------------------------------------------------------------------
    def split(self, batch: Nested) -> Iterator[Any]:
        """This process's parts of a batch that all have as a whole: one, or with `shards` several.

        batch: an array or tensor, or a structure of them, with the samples along the first axis; the parts are in the
        same structure. Compute the gradients of each part's mean loss and hand them to `optimizer.apply_gradients`,
        which sums over all parts of all processes, each by its share of the rows, and changes the weights behind the
        last.
        """
        total = batching.count_samples(batch)
        if not total:
            raise ValueError("split: there must be at least one sample; got a batch of none")
        step = Step(self, self.parts(total))
        for part in step.parts:
            with step.of(part):
                yield _rows(batch, part.first, part.first + part.count)

    def gradient(self, tape: "GradientTape", target: Nested, sources: Sequence[Variable]) -> list[Tensor | None]:
        """What `tape.gradient` gives for the rows of all processes: their sum, each by its share of the rows.

        target: the mean loss over this process's rows. Within `split` the shares are those of the batch; outside it all
        processes count the same. To be applied with `optimizer.apply_gradients`. RuntimeError where `shards` asks for
        several parts a process: `split` and `apply_gradients` go through those.
        """
        if len(self.cut.mine) > 1:
            raise RuntimeError(f"gradient: with shards={self.shards} a process has several parts of a batch; loop over "
                               f"split(batch) and call optimizer.apply_gradients with the gradients of each")
        found: list[Tensor | None] = self._sum(tape.gradient(target, sources), sources, self._part())
        if self._step is not None:
            self._step.has_summed = True
        return found

    def all_reduce(self, value: Any, op: str = "sum") -> Any:
        """The sum, mean, least or greatest of a number or array over all processes: float64, the same on each."""
        reductions: dict[str, Any] = {"sum": np.sum, "mean": np.mean, "min": np.min, "max": np.max}
        if op not in reductions:
            raise ValueError(f"all_reduce: op must be 'sum', 'mean', 'min' or 'max'; got {op!r}")
        result = reductions[op](self.processes.gather_numbers(np.asarray(value, np.float64)), axis=0)
        return float(result) if np.ndim(result) == 0 else result

    def barrier(self) -> None:
        """Return when all processes have come here."""
        self.processes.gather_numbers(np.zeros(1))

    # -- what the package calls ---------------------------------------------------------------------------------------
    def steps(self, model: "Trainer") -> "DistributedSteps":
        """What `fit`, `evaluate` and `predict` call for each batch."""
        from cytensor.distribution.steps import DistributedSteps
        return DistributedSteps(self, model)

    def parts(self, total: int) -> list[Part]:
        """This rank's parts of a batch of so many rows."""
        if self.auto_shard_dataset:
            return self.cut.parts(total)
        counts = self.processes.gather_numbers(np.array([float(total)]))[:, 0].astype(int).tolist()
        start, whole = sum(counts[:self.rank]), sum(counts)
        return [Part(self.rank, start, start + total, whole, 0, total, total / whole)]

    def apply(self, apply: Apply, gradients: Sequence[Tensor | None], variables: Sequence[Variable]) -> None:
        """Hand the gradients of all processes to `apply`, now or when the rest of the step is done."""
        step = self._step
        if step is None:
            part = self._part()
            apply(self._sum(gradients, variables, part), variables)
        elif step.has_summed:
            apply(gradients, variables)
        else:
            step.apply(apply, gradients, variables)

    def gather_shards(self, rows: Sequence[tuple[Part, Array]]) -> Array:
        """The numbers of each of all shards, (shards, n), from those of this rank's; zeros for shards without rows."""
        mine = np.zeros((len(self.cut.mine), len(rows[0][1])))
        for part, row in rows:
            if part.weight:
                mine[part.index - self.cut.mine[0]] = row
        return self.processes.gather_numbers(mine).reshape(self.cut.shards, -1)

    def sum_over_shards(self, x: Tensor) -> Tensor:
        """The sum of a tensor over all shards of the batch, each by its share of the rows, with its gradient."""
        part = current.part
        assert part is not None        # it is called within a step
        if len(self.cut.mine) > 1:
            raise RuntimeError(f"DataParallel: BatchNormalization(synchronized=True) needs a part a process; got "
                               f"shards={self.shards} and {self.size} processes")

        @custom_gradient
        def summed(x: Tensor) -> Any:
            def gradient(d: Tensor) -> Tensor:
                # The loss of each shard counts by its share: already in d, or when the gradients are summed.
                if current.gradients is None:
                    return self._over_shards(part, d)
                return self._over_shards(part, d, 1.0) * part.weight
            return self._over_shards(part, x), gradient
        result: Tensor = summed(x)
        return result

    def _over_shards(self, part: Part, x: Tensor, weight: float | None = None) -> Tensor:
        weight = part.weight if weight is None else weight
        rows = self.gather_shards([(part, np.asarray(x, np.float64).ravel() * weight)])
        return asarray(rows.sum(axis=0).reshape(x.shape), x.dtype)

    def new_sum(self, variables: Sequence[Variable]) -> Sum:
        """What adds up values of these variables over all shards."""
        return Sum(self.processes, self.cut, self._layout(variables), self.shards is not None)

    def buckets_of(self, variables: Sequence[Variable]) -> Buckets:
        """What adds up gradients of these variables while the backward pass goes on."""
        for buckets in self._buckets:
            if buckets.is_for(variables):
                return buckets
        self._layout(variables)                # which compares those of all ranks
        self._buckets = [*self._buckets[-LAYOUTS + 1:], Buckets(self.processes, variables)]
        return self._buckets[-1]

    def _sum(self, values: Sequence[Tensor | None], variables: Sequence[Variable], part: Part) -> list[Tensor | None]:
        if not variables:
            return []
        total = self.new_sum(variables)
        total.add(part, values)
        total.start()
        return total.result()

    def _part(self) -> Part:
        """The part that this thread computes; outside of any batch all ranks count the same."""
        return current.part or Part(self.cut.mine[0], self.rank, self.rank + 1, self.size, 0, 1, 1 / self.size)

    def _layout(self, variables: Sequence[Variable]) -> Layout:
        for layout in self._layouts:
            if layout.is_for(variables):
                return layout
        layout = Layout(variables)
        self._check_layout(layout)
        self._layouts = [*self._layouts[-LAYOUTS + 1:], layout]
        return layout

    def _check_layout(self, layout: Layout) -> None:
        """Raise where the processes would add up gradients of different variables."""
        mine = [(one.name, tuple(one.shape), str(one.dtype)) for one in layout.variables]
        for rank, theirs in enumerate(self.processes.gather(mine)):
            if theirs != mine:
                wrong = next((f"{one} and {other}" for one, other in zip(theirs, mine, strict=False) if one != other),
                             f"{len(theirs)} and {len(mine)} variables")
                raise ValueError(f"DataParallel: the gradients of all ranks must be of the same variables; rank {rank} "
                                 f"and rank {self.rank} have {wrong}")


def _rows(batch: Nested, start: int, stop: int) -> Nested:
    return nested.pack_like(batch, [None if leaf is None else leaf[start:stop] for leaf in nested.flatten(batch)])


def _check(shards: Any, auto_shard_dataset: Any, timeout: Any, threads: Any) -> None:
    """TypeError and ValueError for arguments that cannot be."""
    for name, value in (("shards", shards), ("threads", threads)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, np.integer))):
            raise TypeError(f"DataParallel: {name} must be a positive integer or None; got {value!r}")
        if value is not None and value < 1:
            raise ValueError(f"DataParallel: {name} must be a positive integer or None; got {value!r}")
    if not isinstance(auto_shard_dataset, bool):
        raise TypeError(f"DataParallel: auto_shard_dataset must be True or False; got {auto_shard_dataset!r}")
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float, np.number)):
        raise TypeError(f"DataParallel: timeout must be a positive number of seconds; got {timeout!r}")
    if not timeout > 0:
        raise ValueError(f"DataParallel: timeout must be a positive number of seconds; got {timeout!r}")
    if shards is not None and not auto_shard_dataset:
        raise ValueError("DataParallel: shards needs auto_shard_dataset=True, for without it the parts are what each "
                         f"process reads; got shards={shards}")
