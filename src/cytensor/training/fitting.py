"""The loop over epochs that `fit` runs, and the rest of an epoch around its batches. Only trainer.py imports this."""
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from cytensor.callbacks import BackupAndRestore, Callback, CallbackList
from cytensor.data import batches as batching
from cytensor.layers.base import _context as layer_context
from cytensor.saving.checkpoint import Resume
from cytensor.training.evaluation import Batches, evaluate_batches
from cytensor.training.executions import Executions
from cytensor.training.numerics import warn_not_finite
from cytensor.training.return_values import as_floats
from cytensor.training.run import Parts
from cytensor.training.steps import Steps, steps_of
from cytensor.training.termination import EXIT_CODE, awaited
from cytensor.types import Logs, Path

if TYPE_CHECKING:
    from cytensor.models import Model
    from cytensor.training.trainer import Trainer


EpochNumbers: TypeAlias = list[int] | tuple[int, ...] | set[int]


class Epochs:
    """The epochs of one `fit`: train on all batches, validate where it is due, call the callbacks, write the file.

    batches: what is trained on. calls: the callbacks. validation: batches, or None; validation_freq: every how many
    epochs, or the epochs (from 1) that do. resume: what goes on from a file and writes it, or None.
    """
    model: "Trainer"
    batches: Batches
    calls: CallbackList
    validation: Batches | None
    validation_freq: int | EpochNumbers
    resume: Resume | None
    steps: Steps

    def __init__(self, model: "Trainer", batches: Batches, calls: CallbackList, validation: Batches | None,
                 validation_freq: int | EpochNumbers, resume: Resume | None) -> None:
        self.model, self.batches, self.calls = model, batches, calls
        self.validation, self.validation_freq, self.resume = validation, validation_freq, resume
        self.steps = steps_of(model, batches)

    def run(self, first: int, epochs: int) -> None:
        """Train from epoch `first` (from 0), or from where the file stands, to `epochs`."""
        with awaited(self.resume is not None) as self.steps.termination:
            self._run(first, epochs)

    def _run(self, first: int, epochs: int) -> None:
        model, calls, logs = self.model, self.calls, {}
        calls.call("on_train_begin", {})
        first = self.resume.start(first) if self.resume else first
        self.steps.begin(self.batches, calls)
        for epoch in range(first, epochs if not model.stop_training else first):
            model.reset_metrics()
            calls.call("on_epoch_begin", epoch, {})
            logs = self._train(epoch)
            model._shuffling.ended(epoch, self.batches)
            if self.validation is not None and self._is_due(epoch + 1):
                results = evaluate_batches(model, self.validation, calls)
                logs.update({f"val_{name}": value for name, value in sorted(results.items())})
            calls.call("on_epoch_end", epoch, logs)
            self.steps.end_epoch(epoch)
            if self.resume:
                self.resume.save(epoch)
            if model.stop_training or getattr(self.batches, "exhausted", False):
                break
        model.optimizer.finalize_variable_values(model.trainable_weights)
        calls.call("on_train_end", logs)

    def _train(self, epoch: int) -> Logs:
        """Train on the batches of one epoch, or on the rest of them; returns its logs."""
        model, batches, resume, steps = self.model, self.batches, self.resume, self.steps
        executions = Executions(self.calls, "train", model.steps_per_execution)
        done, logs = resume.enter() if resume else (0, {})
        run, checker = model._run, layer_context.checker
        run.parts = None                   # a callback may have frozen or thawed a layer
        try:
            for step, data in enumerate(batches.epoch(epoch, done), done):
                executions.begin(step)
                if checker is not None:
                    checker.rows = batches.rows
                logs = as_floats("train_step", steps.train(data))
                run.parts = run.parts or Parts(model)
                done = step + 1
                if not run.warned and not math.isfinite(logs.get("loss", 0.0)):
                    warn_not_finite(run, epoch, step, logs["loss"], steps.find_not_finite(data, batches.rows))
                run.has_trained = True
                if executions.end(step, logs) and steps.stops(self.calls):
                    break
                if resume:
                    resume.after_batch(epoch, done, logs)
                    if steps.terminates():
                        resume.save(epoch - 1, done, logs)
                        steps.meet()           # before the file is there, nobody's end may end the others
                        raise SystemExit(EXIT_CODE)
            executions.finish(logs)
        except Exception as error:
            error.add_note(f"in fit: epoch {epoch + 1}, batch {done + 1}")
            raise
        return dict(sorted(logs.items()))

    def _is_due(self, epoch: int) -> bool:
        freq = self.validation_freq
        return epoch in freq if isinstance(freq, (list, tuple, set)) else epoch % freq == 0


def validation_batches(validation_data: Any, batch_size: int | None, steps: int | None,
                       casts: Mapping[str, Any]) -> Batches | None:
    """The batches of `fit`'s validation_data, None for None; casts: how a batch of the model's is cast."""
    if validation_data is None:
        return None
    if batching.is_iterator(validation_data):
        parts = (validation_data, None, None)
    elif isinstance(validation_data, (tuple, list)) and 2 <= len(validation_data) <= 3:
        parts = (*validation_data, None)[:3]
    else:
        raise ValueError("fit: validation_data must be (x, y), (x, y, sample_weight) or an iterator of batches; "
                         f"got {type(validation_data).__name__}")
    return batching.make_batches("fit, validation_data", *parts, batch_size, steps=steps, **casts)


def resume_from(path: Path | None, model: "Trainer", batches: Batches, callbacks: list[Callback]) -> Resume | None:
    """The Resume that `fit(resume=path)` or a BackupAndRestore asks for, or None."""
    backup = next((callback for callback in callbacks if isinstance(callback, BackupAndRestore)), None)
    trained = cast("Model", model)
    if backup is not None:
        return Resume(path or backup.path, trained, batches, callbacks, backup.save_freq)
    return None if path is None else Resume(path, trained, batches, callbacks)
