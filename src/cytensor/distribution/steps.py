"""What `fit`, `evaluate` and `predict` call for each batch on several processes."""
import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cytensor.data import batches as batching
from cytensor.data.parts import Rows
from cytensor.distribution.corrections import corrections
from cytensor.distribution.handshake import compare, description
from cytensor.distribution.step import Step
from cytensor.distribution.sums import Deferred, Increments
from cytensor.optimizers import Optimizer
from cytensor.parallel import Part, current
from cytensor.tensor import Variable, asarray
from cytensor.training.return_values import as_arrays, as_floats, joined
from cytensor.training.steps import Steps
from cytensor.training.trainer import Trainer
from cytensor.types import Array, Logs, Nested

if TYPE_CHECKING:
    from cytensor.callbacks import CallbackList
    from cytensor.distribution.data_parallel import DataParallel
    from cytensor.training.evaluation import Batches

Parts = Sequence[tuple[Part, Any]]     # this rank's of a batch, each with its data


class DistributedSteps(Steps):
    """Those of a model whose batches are cut among all ranks. Every rank gets the same logs."""
    strategy: "DataParallel"

    def __init__(self, strategy: "DataParallel", model: Trainer) -> None:
        super().__init__(model)
        self.strategy = strategy
        self._somebody_was_asked = False
        self._parts, self._known = model._run.parts, list[Variable]()
        self._asks_all = False         # whether a callback may stop one rank alone in the middle of an epoch

    def begin(self, batches: "Batches", calls: "CallbackList") -> None:
        compare(self.strategy.processes, description(self.model, batches, self.strategy, calls.params.get("epochs")))
        self._share_weights()
        self._asks_all = any(not type(callback).__module__.startswith("cytensor.") for callback in calls.callbacks) or (
            any(getattr(method, "__module__", "").split(".")[0] != "cytensor"
                for method in calls.methods["on_train_batch_end"]))
        self._asks_all = any(self.strategy.processes.gather(self._asks_all))

    def _check_weights(self, epoch: int) -> None:
        """RuntimeError where the ranks have come to different weights, which no sum of theirs explains."""
        processes, weights = self.strategy.processes, self.model.weights
        found = processes.gather(hash_of([weight.numpy() for weight in weights]))
        if len(set(found)) == 1:
            return
        each = processes.gather([hash_of([weight.numpy()]) for weight in weights])
        name, hashes = next((weight.name, row) for weight, row in zip(weights, zip(*each, strict=True), strict=True)
                            if len(set(row)) > 1)
        others = [str(rank) for rank, value in enumerate(hashes) if value != hashes[0]]
        raise RuntimeError(f"DataParallel: the weights must be the same on all ranks; behind epoch {epoch + 1} "
                           f"'{name}' on rank {', '.join(others)} differs from that on rank 0")

    def _share_weights(self) -> None:
        """All ranks begin with the weights of rank 0, as with PyTorch's DistributedDataParallel."""
        processes, model = self.strategy.processes, self.model
        mine = [weight.numpy() for weight in model.weights] if model.built else []
        if len(set(processes.gather(hash_of(mine)))) > 1:
            for weight, value in zip(model.weights, processes.broadcast(mine), strict=True):
                weight.assign(value)

    def train(self, data: Parts) -> Logs:
        model = self.model
        plain = self._is_plain()
        overlaps = plain and type(model)._update is Trainer._update and type(model.optimizer).apply is Optimizer.apply
        step = Step(self.strategy, [part for part, _ in data], plain, overlaps)
        averaged = Averaged(self.strategy, self._moving)

        def one(part: Part, batch: Any) -> Logs:
            averaged.begin()
            with step.of(part):
                logs = as_floats("train_step", model.train_step(batch))
            averaged.end(part)
            return logs
        results = self._on_each(data, one)
        logs = self._together(results, "train_step", step)
        averaged.finish()
        return logs

    def test(self, data: Parts) -> Logs:
        def one(part: Part, batch: Any) -> Logs:
            outer, current.part = current.part, part
            try:
                return as_floats("test_step", self.model.test_step(batch))
            finally:
                current.part = outer
        return self._together(self._on_each(data, one), "test_step")

    def predict(self, data: Parts) -> Nested:
        mine: list[tuple[float, Nested]] = []
        for part, batch in data:
            outputs = as_arrays(self.model.predict_step(batch))
            if part.weight or not mine:
                mine.append((part.weight, outputs))
        everyone = [one for theirs in self.strategy.processes.gather(mine) for one in theirs]
        return joined([outputs for weight, outputs in everyone if weight])

    def stops(self, calls: "CallbackList") -> bool:
        if self._asks_all:
            self.model.stop_training = any(self.strategy.processes.gather(bool(self.model.stop_training)))
        return self.model.stop_training

    def terminates(self) -> bool:
        return self._somebody_was_asked

    def meet(self) -> None:
        self.strategy.barrier()

    def end_epoch(self, epoch: int) -> None:
        self._check_weights(epoch)
        self.model.stop_training = any(self.strategy.processes.gather(bool(self.model.stop_training)))

    def find_not_finite(self, data: Parts, rows: Rows | None) -> str:
        found = (batching.find_not_finite(batch, None if rows is None else rows[part.first:part.first + part.count])
                 for part, batch in data)
        return next(filter(None, (text for theirs in self.strategy.processes.gather(list(found)) for text in theirs)),
                    "")

    def _is_plain(self) -> bool:
        """Whether the model trains by the `train_step` of this package."""
        return type(self.model).train_step is Trainer.train_step and "train_step" not in vars(self.model)

    def _moving(self) -> list[Variable]:
        """The weights that steps change without a gradient, looked up once for what the run knows of the model."""
        parts = self.model._run.parts
        if parts is None or parts is not self._parts:
            self._parts = parts
            self._known = [one for one in self.model.non_trainable_weights
                           if not one.trainable and one.dtype.kind == "f"]
        return self._known

    # -- the parts of a batch -----------------------------------------------------------------------------------------
    def _on_each(self, data: Parts, one: Any) -> list[tuple[Part, Logs, Array]]:
        """For each part its logs and what its metrics add, the others having seen the whole batch."""
        model, factors = self.model, corrections(self.model, data, self.strategy.gather_shards)
        self._increments, self._deferred = Increments(), Deferred()
        results = []
        for place, (part, batch) in enumerate(data):
            self._increments.begin(model.metrics)
            outer = current.corrections, current.deferred
            current.corrections, current.deferred = None if factors is None else factors[place], []
            try:
                logs = one(part, batch)
                self._deferred.take(part, current.deferred)
            finally:
                current.corrections, current.deferred = outer
            results.append((part, logs, self._increments.end(model.metrics)))
        return results

    def _together(self, results: list[tuple[Part, Logs, Array]], name: str, step: Step | None = None) -> Logs:
        """The logs of the whole batch: the values of metrics over all, of anything else the mean over the rows."""
        model = self.model
        # Two small things go along: whether this process was asked to end, and which gradients there are.
        asked, present = float(self.termination.was_asked), np.empty(0) if step is None else step.present()
        rows = [(part, np.array([asked, *present, *(_number(value) * part.weight for value in logs.values()), *added]))
                for part, logs, added in results]
        total = self.strategy.gather_shards(rows).sum(axis=0)
        self._somebody_was_asked, present, total = bool(total[0]), *np.split(total[1:], [len(present)])
        if step is not None:
            step.end(present)
        first = results[0][1]
        untouched = {model._compiled.log_name(metric) for metric in self._increments.take(total[len(first):])}
        self._deferred.update(self.strategy.processes)
        known = as_floats(name, model.get_metrics_result())
        if name == "train_step" and not self._is_plain():
            known = {key: value for key, value in known.items() if key not in untouched}
        return {key: known.get(key, float(value)) if isinstance(logged, (int, float)) else known.get(key, logged)
                for (key, logged), value in zip(first.items(), total, strict=False)}


class Averaged:
    """Weights that a step changes without a gradient, such as moving averages: of all shards the mean over the rows.

    Each shard starts from the same values, and what they become is averaged as gradients are summed.
    """
    strategy: "DataParallel"

    def __init__(self, strategy: "DataParallel", moving: Callable[[], list[Variable]]) -> None:
        """moving: gives the weights; there may be more behind the first batch."""
        self.strategy, self._variables = strategy, moving
        self._before: list[tuple[Variable, Array]] = []
        self._sum: Any = None

    def begin(self) -> None:
        """Put the weights to what they were before the first shard."""
        if not self._before:
            self._before = [(one, np.array(one.numpy())) for one in self._variables()]
        else:
            for variable, value in self._before:
                variable.assign(value)

    def end(self, part: Part) -> None:
        """Take what one shard has made of them."""
        variables = self._variables()          # also those that the first batch has made
        if not variables:
            return
        if self._sum is None:
            self._sum = self.strategy.new_sum(variables)
        self._sum.add(part, [asarray(np.array(one.numpy()), one.dtype) for one in variables])

    def finish(self) -> None:
        """Let the weights have the mean of all shards."""
        if self._sum is None:
            return
        variables = self._variables()
        self._sum.start()
        for variable, value in zip(variables, self._sum.result(), strict=True):
            variable.assign(value)


def hash_of(arrays: Sequence[Array]) -> str:
    """Other for arrays of other bits."""
    digest = hashlib.blake2b(digest_size=16)
    for array in arrays:
        digest.update(np.ascontiguousarray(array).view(np.uint8).data if array.size else b"")
    return digest.hexdigest()


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
