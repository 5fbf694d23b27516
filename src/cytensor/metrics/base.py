"""Metric and the means: state that batches update and that is read at the end of an epoch."""
from collections.abc import Callable
from typing import Any

import numpy as np

from cytensor import initializers, ops, registry
from cytensor.checks.schema import check_like
from cytensor.dtypes import as_dtype
from cytensor.losses.classes import aligned_weights
from cytensor.tensor import Tensor, Variable, asarray


class Metric(registry.Configurable):
    """Base class. Subclasses define `update_state(y_true, y_pred, sample_weight=None)` and `result()`.

    State made with `add_weight` starts at its initializer's value and returns there in `reset_state`.

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
    grows = True                       # whether its numbers become arrays, one for each output, with the first batch
    strict = False
    direction: str | None = None       # "max" or "min", whichever is better; what callbacks ask that watch the metric

    def __new__(cls, *args, **kwargs):
        self = super().__new__(cls, *args, **kwargs)
        self._weights = []             # (variable, its initial value)
        self.name = registry.snake_case(cls.__name__)
        self.dtype = np.dtype(np.float32)
        return self

    def __init__(self, dtype=None, name=None):
        if name is not None:
            self.name = name
        if dtype is not None:
            self.dtype = as_dtype(type(self).__name__, dtype, "f")

    def add_weight(self, shape=(), initializer="zeros", dtype=None, name=None):
        """A new Variable of the metric's state, not trainable."""
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        value = asarray(initializers.get(initializer)(shape, dtype=dtype or self.dtype))
        variable = Variable(value, trainable=False, name=name, dtype=dtype or self.dtype)
        self._weights.append((variable, np.array(value.numpy())))
        return variable

    add_variable = add_weight

    @property
    def variables(self):
        """The state made with `add_weight`."""
        return [variable for variable, _ in self._weights]

    def update_state(self, *args, **kwargs):
        raise NotImplementedError(f"{type(self).__name__}: a metric must define update_state")

    def result(self):
        raise NotImplementedError(f"{type(self).__name__}: a metric must define result")

    def value(self):
        """The result as a Python float, or a nested list of floats where it is not a scalar."""
        result = self.result()
        return float(result) if np.ndim(result) == 0 else np.asarray(result).tolist()

    def reset_state(self):
        """Forget every batch."""
        for variable, initial in self._weights:
            variable.assign(initial)

    def reset_states(self):
        """The older name of `reset_state`."""
        self.reset_state()

    def get_state(self):
        """What the batches since `reset_state` have left, for a checkpoint: a dictionary of numbers and arrays."""
        state = {name: value.item() if isinstance(value, np.generic) else value
                 for name, value in vars(self).items() if isinstance(value, (int, float, np.ndarray, np.generic))}
        return {**state, "_weights": [np.array(variable.numpy()) for variable in self.variables]}

    def check_state(self, state, key):
        """Raise ValueError, with `key` in it, where `state` is nothing that `get_state` of such a metric returns."""
        own = vars(self)
        if not isinstance(state, dict) or "_weights" not in state or not own.keys() >= state.keys():
            given = ", ".join(map(repr, state)) if isinstance(state, dict) else type(state).__name__
            raise ValueError(f"{key} must be a dictionary of the metric's numbers; got {given}")
        missing = sorted(self.get_state().keys() - state.keys())
        if missing:
            raise ValueError(f"{key} must have every number of the metric; missing {', '.join(missing)}")
        present = {**own, "_weights": [variable.numpy() for variable in self.variables]}
        grown = {name: value.shape for name, value in state.items() if isinstance(value, np.ndarray)
                 and value.dtype.kind == "f" and isinstance(present[name], float) and self.grows}
        if len(set(grown.values())) > 1 or any(len(shape) != 1 for shape in grown.values()):
            raise ValueError(f"{key} must have arrays of one shape, (outputs,); got {grown}")
        for name, value in state.items():
            if name not in grown:
                check_like(value, present[name], f"{key}.{name}")

    def set_state(self, state):
        """Go on from what `get_state` returned."""
        for variable, value in zip(self.variables, state["_weights"], strict=True):
            variable.assign(value)
        vars(self).update({name: value for name, value in state.items() if name != "_weights"})

    def __call__(self, *args, **kwargs):
        """Update with a batch and return the result so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}>"


class _Counted(Metric):
    """A total and a count, kept as Python floats: adding up a million batches in float32 would lose digits."""
    grows = False

    def __init__(self, name=None, dtype=None):
        super().__init__(dtype, name)
        self.total = self.count = 0.0

    def add(self, values, sample_weight=None):
        """Take values (n, ...), each with weight 1 or its sample's."""
        if type(values) is float:
            weight = 1.0 if sample_weight is None else float(sample_weight)
            self.total += values * weight
            self.count += weight
            return
        values = values if isinstance(values, Tensor) else asarray(values)
        if values.dtype.kind not in "fb":
            values = values.astype(self.dtype)
        if sample_weight is None:
            self.total += float(ops.sum(values))
            self.count += values.size
            return
        values = values if values.dtype.kind == "f" else values.astype(self.dtype)
        weights = ops.broadcast_to(aligned_weights(self.name, sample_weight, values), values.shape)
        self.total += float(ops.sum(values * weights))
        self.count += float(ops.sum(weights))

    def reset_state(self):
        super().reset_state()
        self.total = self.count = 0.0

    def result(self):
        return asarray(np.asarray(self.value(), self.dtype))


class Mean(_Counted):
    """The weighted mean of everything given to it; 0 before the first value.

    >>> mean = Mean(); mean.update_state([1., 2.]); mean.update_state(6.); float(mean.result())
    3.0
    """

    def update_state(self, values, sample_weight=None):
        self.add(values, sample_weight)

    def value(self):
        return self.total / self.count if self.count else 0.0


class Sum(_Counted):
    """The weighted sum of everything given to it."""

    def update_state(self, values, sample_weight=None):
        self.add(values, sample_weight)

    def value(self):
        return self.total


class MeanMetricWrapper(Mean):
    """The mean of a function (y_true, y_pred) -> per-sample values, with fixed keyword arguments."""

    def __init__(self, fn, name=None, dtype=None, **kwargs):
        super().__init__(name or getattr(fn, "__name__", None), dtype)
        self.fn, self.settings = fn, kwargs

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.add(self.fn(y_true, y_pred, **self.settings), sample_weight)


class FunctionMean(Mean):
    """The mean of one function that the subclass names, called with `settings`."""
    function: Callable[..., Any]

    def __init__(self, name=None, dtype=None):
        super().__init__(name or type(self).function.__name__, dtype)
        self.settings = {}

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.add(type(self).function(y_true, y_pred, **self.settings), sample_weight)
