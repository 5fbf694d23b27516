"""What a model knows while `fit`, `evaluate` or `predict` runs, and how a run inside another leaves that one as it was.

A callback may evaluate, predict or even train the model that is being trained. The metrics of the run around it, its
flags, its history and its order of samples then stay what they were. Imported by trainer.py and the loops.
"""
import contextlib
import copy
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from cytensor.metrics import Metric
from cytensor.metrics.base import metrics_in
from cytensor.tensor import Tensor, Variable
from cytensor.types import Array

if TYPE_CHECKING:
    from cytensor.layers import Layer
    from cytensor.training.trainer import Trainer

# (attributes, [(variable, its value)], [(metric inside, its snapshot)])
Snapshot: TypeAlias = tuple[dict[str, Any], list[tuple[Variable, Array]], list[tuple[Metric, Any]]]


class Run:
    """The run that a model is in. A copy of the model, made by a callback, is in none."""
    parts: "Parts | None" = None               # what a step needs of the model, once the first batch has built it
    bad_weights: list[str] | None = None       # not finite before the first loss that was not; None until then
    has_trained = False                # a batch
    warned = False                     # whether of a loss that is not finite

    def __reduce__(self) -> "tuple[Callable[[], Run], tuple[()]]":
        return _no_run, ()


IDLE = Run()                           # stands for no run


def _no_run() -> "Run":
    return IDLE


class Parts:
    """What a step needs of the model, looked up once and not at every batch."""
    weights: list[Variable]
    layers: "list[Layer]"
    metrics: list[Metric]

    def __init__(self, model: "Trainer") -> None:
        self.weights = model.trainable_weights
        self.layers = model.flattened()
        self.metrics = metrics_beside(model, self.layers)

    @classmethod
    def of(cls, model: "Trainer") -> "Parts | None":
        """The parts of a model whose layers all have their weights; None where a first batch has to make some."""
        parts = cls(model)
        return parts if all(layer.built for layer in parts.layers) else None


@contextlib.contextmanager
def running(model: "Trainer", *names: str) -> "Iterator[Run]":
    """Within the block the model runs; names: the attributes that belong to the run.

    Where a callback of another run calls this one, the metrics and those attributes are put back behind the block.
    """
    outer = model._run
    restore = _kept(model, names) if outer is not IDLE else contextlib.nullcontext
    model._run = Run()
    try:
        yield model._run
    finally:
        model._run = outer
        restore()


def _kept(model: "Trainer", names: Sequence[str]) -> Callable[[], None]:
    """A function that puts metrics and attributes back to what they are now."""
    attributes = {name: getattr(model, name) for name in names}
    metrics = [(metric, _snapshot(metric)) for metric in model.metrics]
    place = model._shuffling.place()

    def restore() -> None:
        for metric, snapshot in metrics:
            _put_back(metric, *snapshot)
        model._shuffling.put_back(place)
        for name, value in attributes.items():
            setattr(model, name, value)
    return restore


# -- metrics ----------------------------------------------------------------------------------------------------------
def metrics_beside(model: "Trainer", layers: "Sequence[Layer]") -> list[Metric]:
    """The metrics beside the compiled ones: those that the loss and the layers keep, as attributes or in lists and
    dictionaries.
    """
    inside = [metric for layer in layers for value in vars(layer).values() for metric in metrics_in(value)]
    return [*metrics_in(model.loss), *inside]


def _snapshot(metric: Metric) -> Snapshot:
    """(attributes, [(variable, its value)], [(metric inside, its snapshot)]): what changes with a batch is copied."""
    own = {name: _copied(value) for name, value in vars(metric).items()}
    held = [*metric.variables, *(value for value in own.values() if isinstance(value, Variable))]
    inside = [inner for value in own.values() for inner in metrics_in(value)]
    return (own, [(variable, np.array(variable.numpy())) for variable in held],
            [(inner, _snapshot(inner)) for inner in inside])


def _copied(value: Any) -> Any:
    """A copy of what may be changed in place, but for variables: others may hold these."""
    changes = isinstance(value, (list, dict, set, np.ndarray)) or type(value) is Tensor
    return copy.copy(value) if changes else value


def _put_back(metric: Metric, own: dict[str, Any], variables: list[tuple[Variable, Array]],
              inside: list[tuple[Metric, Any]]) -> None:
    vars(metric).clear()
    vars(metric).update(own)
    for variable, value in variables:
        variable.assign(value)
    for inner, snapshot in inside:
        _put_back(inner, *snapshot)
