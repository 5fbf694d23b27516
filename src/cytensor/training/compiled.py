"""What `compile` is given for the output of a model that has one: the losses and metrics of Keras's lists and
dictionaries without these; and what it makes of it. Several: per_output.py. Only trainer.py imports this.
"""
import copy
from collections.abc import Sequence
from typing import Any

from cytensor import losses, nested, parallel, registry
from cytensor import metrics as metric_classes
from cytensor.losses import Loss
from cytensor.metrics.base import Mean, Metric
from cytensor.optimizers import Optimizer
from cytensor.tensor import Tensor
from cytensor.training.per_output import Layout, Outputs
from cytensor.types import ArrayLike, Identifier, Nested


def only(argument: str, value: Any, name: str | None) -> Any:
    """What a list of one entry, or a dictionary of one output's name, holds; anything else as it is.

    name: of the output; None where nobody knows. ValueError for more entries, or none, and for a loss by another name.

    >>> only("loss", {"digits": ["mse"]}, None)
    'mse'
    """
    while isinstance(value, (list, tuple)) or _is_by_name(value):
        if len(value) != 1 or (argument == "loss" and _is_by_name(value) and name is not None and name not in value):
            raise _refusal(argument, value, name)
        value = next(iter(value.values() if isinstance(value, dict) else value))
    return value


def all_of(argument: str, value: Any, name: str | None) -> list[Any]:
    """One flat list of everything in nested lists, and in a dictionary of one output's name; [] for None.

    >>> all_of("metrics", {"digits": ["accuracy", "mse"]}, None), all_of("metrics", [["accuracy"]], None)
    (['accuracy', 'mse'], ['accuracy'])
    """
    if value is None:
        return []
    if _is_by_name(value):
        if len(value) > 1:
            raise _refusal(argument, value, name)
        value = list(value.values())
    if not isinstance(value, (list, tuple)):
        return [value]
    return [item for part in value for item in all_of(argument, part, name)]


def _is_by_name(value: Any) -> bool:
    return isinstance(value, dict) and not registry.is_configuration(value)


def _refusal(argument: str, value: Any, name: str | None) -> ValueError:
    called = "" if name is None else f", {name!r}"
    got = ", ".join(map(repr, value)) if isinstance(value, dict) else repr(value)
    return ValueError(f"compile: {argument} must be for the model's one output{called}; got {got or 'nothing'}")


def _sole(value: Any) -> Any:
    """What a dictionary of one output holds; anything else as it is."""
    return next(iter(value.values())) if type(value) is dict and len(value) == 1 else value


class Output:
    """What `compile` was given for the one output of a model, and made of it."""
    given: dict[str, Any]
    loss_weight: Any
    metrics: list[tuple[Metric, bool]]

    def __init__(self, name: str | None = None, loss: Identifier | Sequence[Identifier] = None,
                 loss_weights: Any = None, metrics: Any = None, weighted_metrics: Any = None) -> None:
        self.given = {"loss": only("loss", loss, name),
                      "loss_weights": only("loss_weights", loss_weights, name),
                      "metrics": all_of("metrics", metrics, name),
                      "weighted_metrics": all_of("weighted_metrics", weighted_metrics, name)}
        self.loss: Loss | None = losses.classes.compiled(self.given["loss"])
        self.loss_weight = self.given["loss_weights"]
        # (metric, whether it uses the sample weights)
        self.metrics = metric_classes.compiled(self.given["metrics"], self.given["weighted_metrics"], self.loss)

    def weighted_loss(self, y: Nested, y_pred: Tensor, sample_weight: ArrayLike | None) -> Tensor:
        """The loss of a batch times its weight, a scalar."""
        assert self.loss is not None           # compute_loss has asked
        y, y_pred = _sole(y), _sole(y_pred)
        if y is None:
            raise ValueError(f"compute_loss: the loss '{self.loss.name}' needs targets; got y=None")
        if isinstance(y, (list, tuple, dict)) and isinstance(y_pred, Tensor):
            shapes = ", ".join(str(tuple(getattr(part, "shape", ()))) for part in nested.flatten(y))
            raise ValueError(f"compute_loss: y must be one array, for the model has one output; got {len(y)} arrays in "
                             f"a {type(y).__name__}, of shapes {shapes}")
        loss: Tensor = self.loss(y, y_pred, sample_weight)
        correction = parallel.correction(0)
        loss = loss if correction is None else loss * correction
        return loss if self.loss_weight is None else loss * self.loss_weight

    def update_metrics(self, y: Nested, y_pred: Nested, sample_weight: ArrayLike | None) -> None:
        """Let every metric see a batch."""
        if not self.metrics:
            return
        y, y_pred = _sole(y), _sole(y_pred)
        for metric, weighted in self.metrics:
            parallel.update_metric(metric, y, y_pred, sample_weight if weighted else None)


def made_of(layout: Layout | None, name: str | None, given: dict[str, Any]) -> "Output | Outputs":
    """What `compile` makes of its arguments. layout: of the outputs, None where only the model's `call` knows them."""
    if layout is None:
        is_several = (isinstance(given["loss"], (list, tuple)) and len(given["loss"]) > 1) or any(
            _is_of_several(given[argument]) for argument in ("loss", "metrics", "weighted_metrics"))
        return Outputs(None, given, False) if is_several and name is None else Output(name, **given)
    return Outputs(layout, given, True) if layout.count > 1 else Output(layout.names[0], **given)


def _is_of_several(value: Any) -> bool:
    """Whether an argument of `compile` has an entry for each of several outputs."""
    if _is_by_name(value):
        return len(value) > 1
    return isinstance(value, (list, tuple)) and len(value) > 1 and all(
        isinstance(part, (list, tuple)) for part in value)


class Compiled:
    """What `compile` was given and made of it. Without an optimizer: nothing yet."""
    given: dict[str, Any]
    loss_tracker: Mean | None
    steps_per_execution: int
    output: Output | Outputs

    def __init__(self, optimizer: Optimizer | None, output: Output | Outputs, steps_per_execution: int = 1) -> None:
        self.output, self.steps_per_execution = output, steps_per_execution
        self.given = {"optimizer": optimizer, **output.given}                 # as a file holds it
        if steps_per_execution != 1:
            self.given["steps_per_execution"] = steps_per_execution
        self.loss_tracker = None if optimizer is None else Mean(name="loss")      # over the epoch

    def track(self, loss: float, samples: int) -> None:
        """Take the loss of a batch into the mean of the epoch."""
        if self.loss_tracker is not None:
            self.loss_tracker.add(loss, samples)

    def output_of(self, y_pred: Nested) -> Output | Outputs:
        """What was compiled for predictions of this structure: a model's own `call` shows it only now."""
        output = self.output
        if isinstance(y_pred, (list, tuple, dict)) and isinstance(output, Output):
            layout = Layout(y_pred, None)
            if layout.count > 1:
                self.output = Outputs(layout, output.given, False)
        elif isinstance(output, Outputs) and output.layout is None and isinstance(y_pred, Tensor):
            self.output = Output(**output.given)       # it has one; what compile was given says so, or is refused
        return self.output

    @property
    def metrics(self) -> list[Metric]:
        """The mean loss, those of several outputs, and the metrics."""
        output = self.output
        trackers = [self.loss_tracker, *(output.trackers_in_order() if isinstance(output, Outputs) else [])]
        return [*(one for one in trackers if one is not None), *(metric for metric, _ in output.metrics)]

    def log_name(self, metric: Metric) -> str:
        """What logs call a metric: by its output's name, too, where there are several."""
        return self.output.log_name(metric) if isinstance(self.output, Outputs) else metric.name

    def with_loss(self, loss: Loss | None) -> "Compiled":
        """The same with another Loss; a model that is not compiled shares its own with all others."""
        changed = copy.copy(self)
        if isinstance(self.output, Outputs):
            changed.output = Outputs(self.output.layout, {**self.output.given, "loss": loss}, self.output.named)
        else:
            changed.output = copy.copy(self.output)
            changed.output.loss = loss
        return changed
