"""What `compile` is given for each output of a model, where the model has one: the losses and metrics of Keras's
lists and dictionaries without these; and what it makes of it. Only trainer.py imports this.
"""
import copy
from collections.abc import Sequence
from typing import Any

from cytensor import losses, registry
from cytensor import metrics as metric_classes
from cytensor.losses import Loss
from cytensor.metrics.base import Mean, Metric
from cytensor.optimizers import Optimizer
from cytensor.tensor import Tensor
from cytensor.types import ArrayLike, Identifier, Nested


def only(argument: str, value: Any, name: str | None) -> Any:
    """What a list of one entry, or a dictionary of one output's name, holds; anything else as it is.

    name: of the output, for the message; None where nobody knows. ValueError for more entries, or none.

    >>> only("loss", {"digits": ["mse"]}, None)
    'mse'
    """
    while isinstance(value, (list, tuple)) or _is_by_name(value):
        if len(value) != 1:
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


class Output:
    """What `compile` was given for one output of a model, and made of it. A model of several would have several."""
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
        if y is None:
            raise ValueError(f"compute_loss: the loss '{self.loss.name}' needs targets; got y=None")
        loss: Tensor = self.loss(y, y_pred, sample_weight)
        return loss if self.loss_weight is None else loss * self.loss_weight

    def update_metrics(self, y: Nested, y_pred: Nested, sample_weight: ArrayLike | None) -> None:
        """Let every metric see a batch."""
        for metric, weighted in self.metrics:
            metric.update_state(y, y_pred, sample_weight if weighted else None)


class Compiled:
    """What `compile` was given and made of it. Without an optimizer: nothing yet."""
    given: dict[str, Any]
    loss_tracker: Mean | None

    def __init__(self, optimizer: Optimizer | None, output: Output) -> None:
        self.output = output
        self.given = {"optimizer": optimizer, **output.given}                 # as a file holds it
        self.loss_tracker = None if optimizer is None else Mean(name="loss")      # over the epoch

    def track(self, loss: float, samples: int) -> None:
        """Take the loss of a batch into the mean of the epoch."""
        if self.loss_tracker is not None:
            self.loss_tracker.add(loss, samples)

    def with_loss(self, loss: Loss | None) -> "Compiled":
        """The same with another Loss; a model that is not compiled shares its own with all others."""
        changed = copy.copy(self)
        changed.output = copy.copy(self.output)
        changed.output.loss = loss
        return changed
