"""What `compile` is given for several outputs of a model, and makes of it: a loss and metrics for each.

compiled.py imports this, and has the one output that most models have.
"""
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cytensor import losses, nested, parallel, registry
from cytensor import metrics as metric_classes
from cytensor.losses import Loss
from cytensor.metrics import Metric
from cytensor.metrics.base import Mean
from cytensor.tensor import Tensor
from cytensor.types import Nested


class Layout:
    """How the outputs of a model are arranged, and what they are called.

    structure: any, such as the outputs themselves. names: of the layers that give them, in the order of
    `nested.flatten`; None where nobody knows, as of a model with its own `call`.
    """
    keys: list[Any] | None             # of a flat dictionary of outputs
    names: list[str]                   # by which logs, losses and targets name the outputs
    paths: list[str]                   # the same with the places inside nested structures

    structure: Nested
    count: int
    is_list: bool                      # whether the outputs are a flat list or tuple
    order: Sequence[int]               # as they are listed: the keys of a dictionary in the order in which it has them

    def __init__(self, structure: Nested, names: Sequence[str] | None) -> None:
        self.structure = structure
        self.count = len(nested.flatten(structure))
        is_flat = isinstance(structure, (list, tuple, dict)) and len(structure) == self.count
        self.keys = sorted(structure) if isinstance(structure, dict) and is_flat else None
        self.is_list = isinstance(structure, (list, tuple)) and is_flat
        own = list(names) if names is not None else [f"output_{place + 1}" for place in range(self.count)]
        self.names = [str(key) for key in self.keys] if self.keys is not None else own
        self.paths = self.names if is_flat else list(_paths(structure, iter(own), ()))
        self.order = range(self.count) if self.keys is None else [self.keys.index(key) for key in structure]

    def split(self, op: str, what: str, value: Any, is_leaf: Callable[[Any], bool], allows_missing: bool,
              is_part: Callable[[Any], bool] | None = None) -> list[Any]:
        """The part of a value for each output; None for one that a dictionary leaves out where that is allowed.

        is_leaf: whether a value is no structure; is_part: whether it may stand for one output, by default the same.
        ValueError, naming the outputs, for a value of another structure.
        """
        if isinstance(value, dict) and not is_leaf(value) and (self.keys is not None or self.is_list):
            unknown = [key for key in value if str(key) not in self.names]
            missing = [name for name in self.names if name not in map(str, value)]
            if unknown or (missing and not allows_missing):
                raise self.refusal(op, what, value, "; None is for one without" if missing and not unknown else "")
            by_name = {str(key): part for key, part in value.items()}
            return [by_name.get(name) for name in self.names]
        if self.is_list and isinstance(value, (list, tuple)) and not is_leaf(value):
            if len(value) != self.count:
                raise self.refusal(op, what, value)
            return list(value)
        if self.keys is not None and isinstance(value, (list, tuple)) and not is_leaf(value):
            raise self.refusal(op, what, value)
        return list(self._inside(op, what, value, self.structure, value, is_part or is_leaf))

    def _inside(self, op: str, what: str, whole: Any, structure: Nested, value: Any,
                is_leaf: Callable[[Any], bool]) -> Iterator[Any]:
        """The parts of a value that is nested as the outputs are."""
        if isinstance(structure, dict) and isinstance(value, dict) and value.keys() == structure.keys():
            for key in sorted(structure):
                yield from self._inside(op, what, whole, structure[key], value[key], is_leaf)
        elif isinstance(structure, (list, tuple)) and isinstance(value, (list, tuple)) and len(
                value) == len(structure):
            for part, own in zip(structure, value, strict=True):
                yield from self._inside(op, what, whole, part, own, is_leaf)
        elif not isinstance(structure, (list, tuple, dict)) and (value is None or is_leaf(value)):
            yield value
        else:
            raise self.refusal(op, what, whole)

    def refusal(self, op: str, what: str, value: Any, hint: str = "") -> ValueError:
        names = ", ".join(map(repr, self.names if self.keys is not None or self.is_list else self.paths))
        how = "in a dictionary" if self.keys is not None else "in a list, or by these names" if self.is_list else (
            "nested as they are")
        return ValueError(f"{op}: {what} must be one for each of the model's {self.count} outputs, {names}, {how}; got "
                          f"{_short(value)}{hint}")


def _paths(structure: Nested, names: Iterator[str], path: tuple[Any, ...]) -> Iterator[str]:
    """`r/add`: the keys on the way to an output; in place of its number in a list the name of its layer."""
    if isinstance(structure, dict):
        for key in sorted(structure):
            yield from _paths(structure[key], names, (*path, key))
    elif isinstance(structure, (list, tuple)):
        for place, part in enumerate(structure):
            yield from _paths(part, names, (*path, place))
    else:
        name = next(names)
        last = (name,) if not path or isinstance(path[-1], int) else (path[-1],)
        yield "/".join(map(str, (*path[:-1], *last)))


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return f"a dictionary with {', '.join(map(repr, value)) or 'nothing'}"
    if isinstance(value, (list, tuple)):
        return f"a {type(value).__name__} of {len(value)}"
    return f"one of shape {tuple(value.shape)}" if hasattr(value, "shape") else repr(value)


def _is_identifier(value: Any) -> bool:
    """Whether this is a loss or metric, and no structure of them."""
    return not isinstance(value, (list, tuple)) and (not isinstance(value, dict) or registry.is_configuration(value))


class Outputs:
    """What `compile` was given for the outputs of a model of several, as `Output` has it for one.

    layout: None where the model has to be called first; then the rest is made of the first predictions. named: whether
    the layout has the names of layers.
    """

    given: dict[str, Any]
    named: bool
    layout: Layout | None
    losses: list[Loss | None]
    weights: list[float | None]
    trackers: list[Mean | None]        # of the losses, where there are several
    metrics: list[tuple[Metric, bool]]
    log_names: list[tuple[Metric, str]]        # what logs call each metric

    def __init__(self, layout: Layout | None, given: dict[str, Any], named: bool) -> None:
        self.given, self.named = given, named
        self.losses, self.weights, self.trackers, self.metrics, self.log_names = [], [], [], [], []
        self._of_output: list[list[tuple[Metric, bool]]] = []
        self._places: list[int] = []                   # the outputs in the order in which their losses are listed
        self.layout = layout
        if layout is not None:
            self._make(layout)

    @property
    def loss(self) -> Any:
        """What was given as the loss; None where no output has one."""
        return self.given["loss"] if self.layout is None or any(self.losses) else None

    # -- what compile was given ---------------------------------------------------------------------------------------
    def _make(self, layout: Layout) -> None:
        self.layout, given = layout, self.given
        items = [_only(item) for item in self._losses(layout, given["loss"])]
        self.losses = [losses.classes.compiled(item) for item in items]
        self.weights = self._loss_weights(layout, given["loss_weights"])
        self._places = self._order_of_losses(layout)
        count = sum(loss is not None for loss in self.losses)
        names = self._loss_names(layout, items)
        self.trackers = [Mean(name=f"{name}_loss") if count > 1 and loss is not None else None
                         for name, loss in zip(names, self.losses, strict=True)]
        pairs = [self._metrics(layout, argument, given[argument]) for argument in ("metrics", "weighted_metrics")]
        self._of_output = [metric_classes.compiled(plain, weighted, loss)
                           for plain, weighted, loss in zip(*pairs, self.losses, strict=True)]
        self._name_metrics(layout)

    def _losses(self, layout: Layout, loss: Any) -> list[Any]:
        if loss is None or _is_identifier(loss):
            return [loss] * layout.count
        return layout.split("compile", "loss", loss, _is_identifier, allows_missing=layout.keys is not None)

    def _loss_weights(self, layout: Layout, weights: Any) -> list[float | None]:
        if weights is None:
            return [None] * layout.count
        parts = layout.split("compile", "loss_weights", weights, lambda item: isinstance(item, (int, float)), True)
        for part in parts:
            if part is not None and (isinstance(part, bool) or not isinstance(part, (int, float))):
                raise TypeError(f"compile: loss_weights must be numbers; got {part!r}")
        return parts

    def _order_of_losses(self, layout: Layout) -> list[int]:
        """The outputs in the order in which their losses are added and listed: of a dictionary of outputs that of the
        losses', as in Keras."""
        loss = self.given["loss"]
        if isinstance(loss, dict) and not _is_identifier(loss) and layout.keys is not None:
            return [layout.names.index(str(key)) for key in loss]
        return list(layout.order)

    def _loss_names(self, layout: Layout, items: list[Any]) -> list[str]:
        """Of models with their own `call` whose outputs have no keys, the losses give the names, as in Keras."""
        if not self.named and layout.keys is None and layout.is_list:
            return [item if isinstance(item, str) else loss.name if loss is not None else name
                    for name, item, loss in zip(layout.names, items, self.losses, strict=True)]
        return layout.paths

    def _metrics(self, layout: Layout, argument: str, value: Any) -> list[list[Any]]:
        if value is None or value == []:
            return [[] for _ in range(layout.count)]
        if _is_identifier(value):
            raise TypeError(f"compile: {argument} must be a list or a dictionary; got {value!r}")
        parts = layout.split("compile", argument, value, _is_identifier, allows_missing=True, is_part=_are_metrics)
        return [[] if part is None else _flat(part) for part in parts]

    def _name_metrics(self, layout: Layout) -> None:
        """`head_accuracy`: the output's name before the metric's, where it has one."""
        taken: dict[str, int] = {"loss": 0, **{tracker.name: 0 for tracker in self.trackers if tracker is not None}}
        named = self.named or layout.keys is not None
        found: list[tuple[str, tuple[Metric, bool]]] = []
        for place in layout.order:
            for metric, weighted in self._of_output[place]:
                name = f"{layout.names[place]}_{metric.name}" if named else metric.name
                found.append((registry.unused_name(name, taken), (metric, weighted)))
        found.sort(key=lambda entry: entry[0])         # Keras lists them so
        self.metrics = [pair for _, pair in found]
        self.log_names = [(metric, name) for name, (metric, _) in found]

    def log_name(self, metric: Metric) -> str:
        """What logs call a metric: `head_accuracy`."""
        return next((name for one, name in self.log_names if one is metric), metric.name)

    def trackers_in_order(self) -> list[Mean]:
        """Those of the losses, in the order in which they are added."""
        return [tracker for place in self._places if (tracker := self.trackers[place]) is not None]

    # -- a batch ------------------------------------------------------------------------------------------------------
    def _ready(self, y_pred: Nested) -> Layout:
        if self.layout is None:
            self._make(Layout(y_pred, None))
        assert self.layout is not None
        return self.layout

    def weighted_loss(self, y: Nested, y_pred: Nested, sample_weight: Any) -> Tensor:
        """The sum of the losses of a batch, each times its weight: a scalar."""
        layout = self._ready(y_pred)
        predictions = nested.flatten(y_pred)
        targets, weights = self.targets(layout, y), self.sample_weights(layout, sample_weight)
        total: Any = None
        for place in self._places:
            loss, tracker, weight = self.losses[place], self.trackers[place], self.weights[place]
            if loss is None:
                continue
            if targets[place] is None:
                raise ValueError(f"compute_loss: the loss '{loss.name}' of output '{layout.paths[place]}' needs "
                                 f"targets; got none")
            try:
                value = loss(targets[place], predictions[place], weights[place])
            except Exception as error:
                error.add_note(f"in the loss of output '{layout.paths[place]}'")
                raise
            correction = parallel.correction(place)
            value = value if correction is None else value * correction
            if tracker is not None:
                tracker.add(float(value), predictions[place].shape[0] if predictions[place].ndim else 1)
            value = value if weight is None else value * weight
            total = value if total is None else total + value
        if total is None:
            raise ValueError("compute_loss: there is nothing to minimise; give compile a loss for one output at least")
        result: Tensor = total
        return result

    def targets(self, layout: Layout, y: Nested) -> list[Any]:
        """The targets of each output. A list may leave out those of outputs without a loss."""
        wanted = [place for place, loss in enumerate(self.losses) if loss is not None]
        if y is None:
            return [None] * layout.count
        if layout.is_list and isinstance(y, (list, tuple)) and len(y) != layout.count and len(y) == len(wanted):
            parts: list[Any] = [None] * layout.count
            for place, part in zip(wanted, y, strict=True):
                parts[place] = part
            return parts
        if layout.count - len(wanted) == layout.count - 1 and hasattr(y, "shape"):
            return [y if place in wanted else None for place in range(layout.count)]
        return layout.split("compute_loss", "y", y, _is_array, allows_missing=len(wanted) < layout.count)

    def sample_weights(self, layout: Layout, sample_weight: Any) -> list[Any]:
        """The weights of the samples for each output; one array is for all of them."""
        if sample_weight is None or _is_array(sample_weight):
            return [sample_weight] * layout.count
        return layout.split("compute_loss", "sample_weight", sample_weight, _is_array, allows_missing=True)

    def update_metrics(self, y: Nested, y_pred: Nested, sample_weight: Any) -> None:
        """Let the metrics of every output see a batch."""
        layout = self._ready(y_pred)
        if not self.metrics:
            return
        predictions = nested.flatten(y_pred)
        targets, weights = self.targets(layout, y), self.sample_weights(layout, sample_weight)
        for place, pairs in enumerate(self._of_output):
            for metric, weighted in pairs:
                if targets[place] is None:
                    raise ValueError(f"compute_metrics: the metric '{metric.name}' of output '{layout.paths[place]}' "
                                     f"needs targets; got none")
                parallel.update_metric(metric, targets[place], predictions[place],
                                       weights[place] if weighted else None)


def _is_array(value: Any) -> bool:
    return hasattr(value, "shape")


def _are_metrics(value: Any) -> bool:
    """Whether this is what `metrics` says of one output: a metric, or a list of them."""
    return _is_identifier(value) or isinstance(value, (list, tuple))


def _only(item: Any) -> Any:
    """The loss in a list of one."""
    while isinstance(item, (list, tuple)) and len(item) == 1:
        item = item[0]
    return item


def _flat(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        return [item for part in value for item in _flat(part)]
    return [value]
