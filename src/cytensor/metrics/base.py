"""Metric and the means: state that batches update and that is read at the end of an epoch."""
import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

import numpy as np

from cytensor import initializers, ops, registry
from cytensor.checks.schema import check_like
from cytensor.dtypes import as_dtype
from cytensor.losses import agreement
from cytensor.losses.classes import Loss, aligned_weights
from cytensor.masks import MaskedTensor, fitting
from cytensor.tensor import Tensor, Variable, asarray, operand
from cytensor.types import Array, ArrayLike, DTypeLike, Identifier, replaceable


def _as_state(value: Any) -> Any:
    """A number or an array, as a checkpoint keeps it."""
    if isinstance(value, Variable):
        value = np.array(value.numpy())
        return value.item() if value.ndim == 0 else value
    return value.item() if isinstance(value, np.generic) else value


_BOOKKEEPING = {"_arguments", "_weights"}


def metrics_in(value: object) -> Iterator["Metric"]:
    """The metrics in an attribute's value: itself, or in lists and dictionaries, or what a loss keeps as attributes."""
    if isinstance(value, Metric):
        yield value
    elif isinstance(value, Loss):
        for name, inner in vars(value).items():
            if name not in _BOOKKEEPING:
                yield from metrics_in(inner)
    elif isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from metrics_in(item)


def _variables_in(value: object) -> Iterator[Variable]:
    if isinstance(value, Variable):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _variables_in(item)


class Metric(registry.Configurable):
    """Base class. Subclasses define `update_state(y_true, y_pred, sample_weight=None)` and `result()`.

    State is what `add_weight` makes, and every Variable and Metric kept as an attribute, or in lists and dictionaries:
    `variables` has all of it, `reset_state` puts all of it back to where it started, and a checkpoint has it.
    `update_state` gets targets (n,) and predictions (n, 1), either way round, both as (n, 1), other shapes as they are.

    >>> class Largest(Metric):
    ...     def __init__(self, name="largest"):
    ...         super().__init__(name=name)
    ...         self.top = self.add_weight(name="top", initializer="zeros")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.top.assign(ops.maximum(self.top, ops.max(y_pred)))
    ...     def result(self):
    ...         return self.top
    >>> metric = Largest(); metric.update_state(None, asarray([1., 3.])); float(metric.result())
    3.0
    """
    strict = False
    additive: bool = False             # whether the state is sums over batches: what shards of a batch have adds up
    direction: str | None = None       # "max" or "min", whichever is better; what callbacks ask that watch the metric
    name: str
    dtype: np.dtype[Any]
    _weights: list[tuple[Variable, Array]]               # each with its initial value

    def __init_subclass__(cls, **options: Any) -> None:
        """A class of the user's gets targets and predictions together."""
        super().__init_subclass__(**options)
        update = vars(cls).get("update_state")
        if update is not None and not cls.__module__.startswith("cytensor."):
            cls.update_state = _given_one_shape(update)      # type: ignore[method-assign]  # wraps the class's own

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls, *args, **kwargs)
        self._weights = []
        self.name = registry.spelled(cls.__name__)
        self.dtype = np.dtype(np.float32)
        return self

    def __init__(self, dtype: DTypeLike | None = None, name: str | None = None) -> None:
        if name is not None:
            self.name = name
        if dtype is not None:
            self.dtype = as_dtype(type(self).__name__, dtype, "f")

    def __setattr__(self, name: str, value: Any) -> None:
        """Note the Variables in a value, to whose present values `reset_state` returns."""
        if isinstance(value, (Variable, list, tuple, dict)) and name not in _BOOKKEEPING:
            for variable in _variables_in(value):
                self._note(variable, variable.numpy())
        super().__setattr__(name, value)

    def _note(self, variable: Variable, initial: ArrayLike) -> None:
        if all(variable is not known for known, _ in self._weights):
            self._weights.append((variable, np.array(initial)))

    def add_weight(self, shape: int | Sequence[int] = (), initializer: Identifier = "zeros",
                   dtype: DTypeLike | None = None, name: str | None = None) -> Variable:
        """A new Variable of the metric's state, not trainable."""
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        value = asarray(initializers.get(initializer)(shape, dtype=dtype or self.dtype))
        variable = Variable(value, trainable=False, name=name, dtype=dtype or self.dtype)
        self._note(variable, value.numpy())
        return variable

    add_variable = add_weight

    def _own(self) -> list[Variable]:
        """The variables of the metric without those of metrics inside it."""
        for name, value in vars(self).items():
            if name not in _BOOKKEEPING and isinstance(value, (list, dict)):
                for variable in _variables_in(value):
                    self._note(variable, np.zeros(variable.shape))       # appended later: it starts at 0, as in Keras
        return [variable for variable, _ in self._weights]

    def _inner(self) -> list["Metric"]:
        """The metrics that this one keeps as attributes, or in lists and dictionaries; each once."""
        found = (inner for name, value in vars(self).items() if name not in _BOOKKEEPING
                 for inner in metrics_in(value))
        return list({id(inner): inner for inner in found if inner is not self}.values())

    @property
    def variables(self) -> list[Variable]:
        """All of the state: the metric's own variables, then those of the metrics inside it."""
        return [*self._own(), *(variable for inner in self._inner() for variable in inner.variables)]

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(f"{type(self).__name__}: a metric must define update_state")

    def result(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: a metric must define result")

    def value(self) -> Any:
        """The result as a Python float, or a nested list of floats where it is not a scalar."""
        result = self.result()
        return float(result) if np.ndim(result) == 0 else np.asarray(result).tolist()

    def reset_state(self) -> None:
        """Forget every batch, here and in the metrics inside."""
        self._own()
        for variable, initial in self._weights:
            variable.assign(initial)
        for inner in self._inner():
            inner.reset_state()

    def reset_states(self) -> None:
        """The older name of `reset_state`."""
        self.reset_state()

    # -- checkpoints --------------------------------------------------------------------------------------------------
    def get_state(self) -> dict[str, Any]:
        """What the batches since `reset_state` have left, for a checkpoint: a dictionary of numbers and arrays."""
        state = {name: _as_state(value) for name, value in vars(self).items()
                 if isinstance(value, (int, float, np.ndarray, np.generic, Variable))}
        return {**state, "_weights": [np.array(variable.numpy()) for variable in self._unnamed()],
                "_metrics": [inner.get_state() for inner in self._inner()]}

    def _unnamed(self) -> list[Variable]:
        """The metric's own variables that are no attribute by themselves."""
        named = {id(value) for value in vars(self).values()}
        return [variable for variable in self._own() if id(variable) not in named]

    def check_state(self, state: Any, key: str) -> None:
        """Raise ValueError, with `key` in it, where `state` is nothing that `get_state` of such a metric returns."""
        present = self.get_state()
        if not isinstance(state, dict) or not present.keys() >= state.keys():
            given = ", ".join(map(repr, state)) if isinstance(state, dict) else type(state).__name__
            raise ValueError(f"{key} must be a dictionary of the metric's numbers; got {given}")
        missing = sorted(present.keys() - state.keys())
        if missing:
            raise ValueError(f"{key} must have every number of the metric; missing {', '.join(missing)}")
        inner, given = self._inner(), state["_metrics"]
        if not isinstance(given, list) or len(given) != len(inner):
            raise ValueError(f"{key}._metrics must be a list with the state of the {len(inner)} metrics inside")
        for i, (metric, one) in enumerate(zip(inner, given, strict=True)):
            metric.check_state(one, f"{key}._metrics[{i}] ({metric.name})")
        for name in state.keys() - {"_metrics"}:
            check_like(state[name], present[name], f"{key}.{name}")

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` returned."""
        for variable, value in zip(self._unnamed(), state["_weights"], strict=True):
            variable.assign(value)
        for inner, one in zip(self._inner(), state["_metrics"], strict=True):
            inner.set_state(one)
        own = vars(self)
        for name, value in state.items():
            if isinstance(own.get(name), Variable):
                own[name].assign(value)
            elif name not in ("_weights", "_metrics"):
                own[name] = value

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Update with a batch and return the result so far."""
        self.update_state(*args, **kwargs)
        return self.result()


def _given_one_shape(update: Callable[..., Any]) -> Callable[..., Any]:
    """`update_state` of a class of the user's, given targets and predictions of one shape."""
    parameters = list(inspect.signature(update).parameters.values())[1:]
    names = [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD][:2]
    if names[1:] == ["sample_weight"] or len(parameters) < 2:          # not of targets and predictions
        return update

    @functools.wraps(update)
    def update_state(self: Any, *args: Any, **kwargs: Any) -> Any:
        if len(args) > 1:
            return update(self, *_as_one_shape(self.name, *args[:2]), *args[2:], **kwargs)
        if len(names) == 2 and names[1] in kwargs and (args or names[0] in kwargs):
            y_true, kwargs[names[1]] = _as_one_shape(self.name, args[0] if args else kwargs[names[0]],
                                                     kwargs[names[1]])
            if not args:
                return update(self, **kwargs | {names[0]: y_true})
            args = (y_true,)
        return update(self, *args, **kwargs)
    return update_state


def _as_one_shape(op: str, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Arrays and lists of them brought together; anything else as it is."""
    are_arrays = all(isinstance(x, (list, tuple)) or getattr(x, "ndim", 0) for x in (y_true, y_pred))
    return agreement.as_one_shape(op, y_true, y_pred) if are_arrays else (y_true, y_pred)


def weights_like(op: str, sample_weight: ArrayLike | None, values: Array) -> Array:
    """The weight of each of the values, NumPy float64: 1, or that of its sample; sample_weight a number, (n,), (n, 1)
    or of the values' shape. ValueError for any other shape.
    """
    weights = np.asarray(1.0 if sample_weight is None else sample_weight, np.float64)
    if weights.shape not in ((), values.shape, values.shape[:1], (*values.shape[:1], 1)):
        raise ValueError(f"{op}: sample_weight must have the shape of y_pred or of its first axis; "
                         f"got sample_weight {weights.shape}, y_pred {values.shape}")
    if weights.ndim < values.ndim:
        weights = weights.reshape(weights.shape + (1,) * (values.ndim - weights.ndim))
    return np.broadcast_to(weights.reshape(values.shape) if weights.size == values.size else weights, values.shape)


class GrownMetric(Metric):
    """A metric whose state has the shape that the first batch decides."""
    state_names: tuple[str, ...] = ()

    @property
    def has_grown(self) -> bool:
        """Whether there was a batch since the last reset."""
        return bool(self._weights)

    def grow(self, shape: int | Sequence[int]) -> None:
        """Make the state, zeros in float64, where there is none yet."""
        if not self.has_grown:
            for name in self.state_names:
                setattr(self, name, self.add_weight(shape, "zeros", "float64", name))

    def _shrink(self) -> None:
        self._weights.clear()
        for name in self.state_names:
            vars(self).pop(name, None)

    def reset_state(self) -> None:
        self._shrink()
        super().reset_state()

    def get_state(self) -> dict[str, Any]:
        """As `Metric` says, with 0.0 for what there is not yet."""
        return {**dict.fromkeys(self.state_names, 0.0), **super().get_state()}

    def check_state(self, state: Any, key: str) -> None:
        given = {} if not isinstance(state, dict) else {name: state[name] for name in self.state_names if name in state}
        grown = {name: value.shape for name, value in given.items()
                 if isinstance(value, np.ndarray) and value.dtype == np.float64}
        if len(set(grown.values())) > 1 or any(len(shape) != 1 for shape in grown.values()) or len(grown) not in (
                0, len(given)):
            raise ValueError(f"{key} must have arrays of one shape, (outputs,); got {grown}")
        if grown:
            state = {**state, **{name: self.get_state()[name] for name in grown}}
        super().check_state(state, key)

    def set_state(self, state: dict[str, Any]) -> None:
        self._shrink()
        first = state[self.state_names[0]]
        if np.ndim(first) or any(state[name] for name in self.state_names):
            self.grow(np.shape(first))
            super().set_state(state)
        else:
            super().set_state({name: value for name, value in state.items() if name not in self.state_names})


class _Counted(Metric):
    """A total and a count in float64: adding up a million batches in float32 would lose digits."""
    additive: bool = True

    def __init__(self, name: str | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__(dtype, name)
        self.total: Variable = self.add_weight(name="total", dtype="float64")
        self.count: Variable = self.add_weight(name="count", dtype="float64")

    def add(self, values: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Take values (n, ...), each with weight 1 or its sample's."""
        if type(values) is float:
            weight = 1.0 if sample_weight is None else float(sample_weight)
            self._add(values * weight if weight else 0.0, weight)
            return
        values = operand(self.name, values)
        if values.dtype.kind not in "fb" or values.dtype == np.float16:
            values = values.astype("float64" if values.dtype.kind in "iu" else "float32")
        if sample_weight is None:
            self._add(float(ops.sum(values)), values.size)
            return
        values = values if values.dtype.kind == "f" else values.astype("float32")
        weights = ops.broadcast_to(aligned_weights(self.name, sample_weight, values), values.shape)
        self._add(float(ops.sum(values * weights)), float(ops.sum(weights)))

    def add_unmasked(self, y_pred: Any, values: Tensor, sample_weight: ArrayLike | None) -> None:
        """Take values but for those whose predictions are masked."""
        if type(y_pred) is MaskedTensor:
            counted = fitting(self.name, y_pred, values).astype("float64")
            sample_weight = counted if sample_weight is None else counted * aligned_weights(
                self.name, sample_weight, counted)
        self.add(values, sample_weight)

    def _add(self, total: float, count: float) -> None:
        self.total.assign(float(self.total) + total)
        self.count.assign(float(self.count) + count)

    def result(self) -> Tensor:
        return asarray(np.asarray(self.value(), self.dtype))


class Mean(_Counted):
    """The weighted mean of everything given to it; 0 before the first value.

    >>> mean = Mean(); mean.update_state([1., 2.]); mean.update_state(6.); float(mean.result())
    3.0
    """

    @replaceable
    def update_state(self, values: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        self.add(values, sample_weight)

    def value(self) -> float:
        count = float(self.count)
        return float(self.total) / count if count else 0.0


class Sum(_Counted):
    """The weighted sum of everything given to it."""

    def update_state(self, values: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        self.add(values, sample_weight)

    def value(self) -> float:
        return float(self.total)


class MeanMetricWrapper(Mean):
    """The mean of a function (y_true, y_pred) -> per-sample values, with fixed keyword arguments."""
    fn: Callable[..., Any]
    settings: dict[str, Any]

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: DTypeLike | None = None,
                 **kwargs: Any) -> None:
        super().__init__(name or getattr(fn, "__name__", None), dtype)
        self.fn, self.settings = fn, kwargs

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        function = functools.partial(self.fn, **self.settings)
        if (getattr(self.fn, "__module__", None) or "").startswith("cytensor."):
            values = function(y_true, y_pred)          # it brings them together itself
        else:
            values = agreement.call_agreed(self.name, function, y_true, y_pred)
        self.add_unmasked(y_pred, values, sample_weight)


class FunctionMean(Mean):
    """The mean of one function that the subclass names, called with `settings`."""
    function: Callable[..., Tensor]
    settings: dict[str, Any]
    of_classes = False                 # whether (n,) and (n,) are the classes of one sample, and not n samples

    def __init__(self, name: str | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__(name or type(self).function.__name__, dtype)
        self.settings = {}

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        given = y_pred
        if not self.of_classes:
            y_true, y_pred = agreement.one_a_sample(self.name, y_true, y_pred)
        values = type(self).function(y_true, y_pred, **self.settings)
        self.add_unmasked(given, values, sample_weight)
