"""What the loops call with each batch: the model's own steps, or those of the distribution that is set.

A distribution's batches are lists of the parts that this process computes; its steps run the model's on each of them
and give what one process would have given for the whole batch. Imported by trainer.py and the loops.
"""
from typing import TYPE_CHECKING, Any

from cytensor import parallel
from cytensor.data import batches as batching
from cytensor.data.parts import Rows
from cytensor.training.termination import Termination
from cytensor.types import Logs, Nested

if TYPE_CHECKING:
    from cytensor.callbacks import CallbackList
    from cytensor.training.evaluation import Batches
    from cytensor.training.trainer import Trainer


class Steps:
    """Those of a model on one process."""
    model: "Trainer"
    termination: Termination

    def __init__(self, model: "Trainer") -> None:
        self.model, self.termination = model, Termination()

    def train(self, data: Any) -> Logs:
        logs: Logs = self.model.train_step(data)
        return logs

    def test(self, data: Any) -> Logs:
        logs: Logs = self.model.test_step(data)
        return logs

    def predict(self, data: Any) -> Nested:
        return self.model.predict_step(data)

    def begin(self, batches: "Batches", calls: "CallbackList") -> None:
        """Called by `fit` before its first batch."""

    def terminates(self) -> bool:
        """Whether this process, or another one of the run, was asked to end; called behind each batch."""
        return self.termination.was_asked

    def meet(self) -> None:
        """Return when all processes of the run have come here."""

    def end_epoch(self, epoch: int) -> None:
        """Called by `fit` after each epoch, its validation and its callbacks, before a checkpoint is written."""

    def stops(self, calls: "CallbackList") -> bool:
        """Whether training is to stop behind this batch."""
        return self.model.stop_training

    def find_not_finite(self, data: Any, rows: Rows | None) -> str:
        """What `batches.find_not_finite` says of a batch."""
        return batching.find_not_finite(data, rows)


def steps_of(model: "Trainer", batches: "Batches | None" = None) -> Steps:
    """Those that the loops call for `model`; the batches are cut as they need it."""
    if parallel.distribution is None:
        return Steps(model)
    if batches is not None:
        batches.cut = parallel.distribution.parts
        if isinstance(batches, batching.IteratorBatches) and parallel.distribution.auto_shard_dataset:
            batches.shards = parallel.distribution.cut
    steps: Steps = parallel.distribution.steps(model)
    return steps
