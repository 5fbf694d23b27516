"""One pass over batches without training: what `evaluate` and `predict` run, and `fit` to validate.

Imported by trainer.py and fitting.py.
"""
from typing import TYPE_CHECKING, TypeAlias

from cytensor.callbacks import CallbackList
from cytensor.callbacks.callback_list import Callbacks
from cytensor.callbacks.progress import Progress
from cytensor.data.batches import ArrayBatches, IteratorBatches
from cytensor.training.executions import Executions
from cytensor.training.return_values import as_arrays, as_floats, joined
from cytensor.training.run import Parts
from cytensor.training.steps import steps_of
from cytensor.types import Logs, Nested

if TYPE_CHECKING:
    from cytensor.training.trainer import Trainer


Batches: TypeAlias = ArrayBatches | IteratorBatches


def calls_of_pass(model: "Trainer", batches: Batches, callbacks: Callbacks, verbose: int,
                  progress: Progress) -> CallbackList:
    """The callbacks of one pass over `batches`, the progress behind the user's where it is to be seen."""
    given = [] if callbacks is None else callbacks if isinstance(callbacks, (list, tuple)) else [callbacks]
    return CallbackList([*given, *([progress] if verbose else [])], model=model, epochs=1, steps=batches.steps,
                        verbose=verbose)


def evaluate_batches(model: "Trainer", batches: Batches, calls: CallbackList) -> Logs:
    """The logs behind the last batch: the mean loss and the metrics, floats by name."""
    model.reset_metrics()
    model.stop_evaluating = False
    calls.call("on_test_begin", {})
    executions = Executions(calls, "test", model.steps_per_execution)
    done, logs = 0, {}
    run, steps = model._run, steps_of(model, batches)
    try:
        for step, data in enumerate(batches.epoch(0)):
            executions.begin(step)
            logs = as_floats("test_step", steps.test(data))
            run.parts = run.parts or Parts(model)
            done = step + 1
            if executions.end(step, logs) and model.stop_evaluating:
                break
        executions.finish(logs)
    except Exception as error:
        error.add_note(f"in evaluate: batch {done + 1}")
        raise
    calls.call("on_test_end", dict(sorted(logs.items())))
    return logs


def predict_batches(model: "Trainer", batches: Batches, calls: CallbackList) -> list[Nested]:
    """The outputs of each batch, as arrays."""
    model.stop_predicting = False
    calls.call("on_predict_begin", {})
    executions = Executions(calls, "predict", model.steps_per_execution)
    outputs: list[Nested] = []
    steps = steps_of(model, batches)
    first = 0                          # of the outputs of the execution
    for step, data in enumerate(batches.epoch(0)):
        executions.begin(step)
        outputs.append(as_arrays(steps.predict(data)))
        if executions.ends_with(step):
            executions.finish({"outputs": joined(outputs[first:])})
            first = len(outputs)
            if model.stop_predicting:
                break
    if first < len(outputs):
        executions.finish({"outputs": joined(outputs[first:])})
    calls.call("on_predict_end", {})
    return outputs
