"""What each activation function becomes in ONNX: a table, function -> (value, **its arguments) -> value."""
from collections.abc import Callable, Sequence
from typing import Any

from cytensor import activations
from cytensor.export.graph import Value

Rule = Callable[..., Value]


def _relu(x: Value, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Value:
    op = x.graph.op
    if not negative_slope and not threshold:
        result = op("Relu", x)
    else:
        is_above = op("Greater", x, threshold, dtype="bool")
        result = op("Where", is_above, x, (x - threshold) * negative_slope, dtype=x.dtype)
    return result if max_value is None else op("Min", result, max_value)


def _clipped(x: Value, least: float, most: float) -> Value:
    return x.graph.op("Min", x.graph.op("Max", x, least), most)


def _elu(x: Value, alpha: float = 1.0) -> Value:
    return x.graph.op("Elu", x, alpha=float(alpha))


def _gelu(x: Value, approximate: bool = False) -> Value:
    op = x.graph.op
    if approximate:
        bend = op("Tanh", (x + x * x * x * 0.044715) * 0.7978845608028654)
        return x * 0.5 * (bend + 1.0)
    return x * 0.5 * (op("Erf", x * 0.7071067811865476) + 1.0)


def _hard_sigmoid(x: Value) -> Value:
    return _clipped(x / 6.0 + 0.5, 0.0, 1.0)


def softmax(x: Value, axis: int | Sequence[int] = -1) -> Value:
    """Softmax along an axis or several."""
    if isinstance(axis, (tuple, list)) and len(axis) > 1:
        axes = x.graph.integers(*axis)
        shifted = x.graph.op("Exp", x - x.graph.op("ReduceMax", x, axes, keepdims=1))
        return shifted / x.graph.op("ReduceSum", shifted, axes, keepdims=1)
    return x.graph.op("Softmax", x, axis=int(axis if isinstance(axis, int) else axis[0]))


def log_softmax(x: Value, axis: int | Sequence[int] = -1) -> Value:
    """The logarithm of softmax."""
    if isinstance(axis, (tuple, list)) and len(axis) > 1:
        return x.graph.op("Log", softmax(x, axis))
    return x.graph.op("LogSoftmax", x, axis=int(axis if isinstance(axis, int) else axis[0]))


def _softplus(x: Value) -> Value:
    return x.graph.op("Softplus", x)


def _squareplus(x: Value, b: float = 4) -> Value:
    return (x + x.graph.op("Sqrt", x * x + b)) * 0.5


def _where_small(x: Value, limit: float, inside: Any, outside: Any) -> Value:
    is_small = x.graph.op("LessOrEqual", abs(x), limit, dtype="bool")
    return x.graph.op("Where", is_small, inside, outside, dtype=x.dtype)


def _zeros(x: Value) -> Value:
    return x.graph.constant(0, x.dtype)


def _threshold(x: Value, threshold: float, default_value: float) -> Value:
    is_above = x.graph.op("Greater", x, threshold, dtype="bool")
    return x.graph.op("Where", is_above, x, x.graph.constant(default_value, x.dtype), dtype=x.dtype)


RULES: dict[str, Rule] = {
    "linear": lambda x: x,
    "relu": _relu,
    "leaky_relu": lambda x, negative_slope=0.2: _relu(x, negative_slope),
    "relu6": lambda x: _relu(x, max_value=6.0),
    "elu": _elu,
    "celu": lambda x, alpha=1.0: x.graph.op("Celu", x, alpha=float(alpha)),
    "selu": lambda x: x.graph.op("Selu", x, alpha=activations.SELU_ALPHA, gamma=activations.SELU_SCALE),
    "softplus": _softplus,
    "softsign": lambda x: x / (abs(x) + 1.0),
    "silu": lambda x: x * x.graph.op("Sigmoid", x),
    "gelu": _gelu,
    "sigmoid": lambda x: x.graph.op("Sigmoid", x),
    "hard_sigmoid": _hard_sigmoid,
    "tanh": lambda x: x.graph.op("Tanh", x),
    "mish": lambda x: x * x.graph.op("Tanh", _softplus(x)),
    "hard_silu": lambda x: x * _hard_sigmoid(x),
    "hard_tanh": lambda x: _clipped(x, -1.0, 1.0),
    "log_sigmoid": lambda x: -_softplus(-x),
    "squareplus": _squareplus,
    "tanh_shrink": lambda x: x - x.graph.op("Tanh", x),
    "soft_shrink": lambda x, threshold=0.5: x - _clipped(x, -threshold, threshold),
    "hard_shrink": lambda x, threshold=0.5: _where_small(x, threshold, _zeros(x), x),
    "threshold": _threshold,
    "exponential": lambda x: x.graph.op("Exp", x),
    "softmax": softmax,
    "log_softmax": log_softmax,
}


def activated(x: Value, function: Any) -> Value:
    """`function(x)`, an activation of a layer; TypeError for one that is not of the package."""
    name = getattr(function, "__name__", "")
    if name not in RULES or getattr(activations, name, None) is not function:
        raise TypeError(f"the activation {name or function!r} is not one of ct.activations")
    result = RULES[name](x)
    result.shape = x.shape
    return result
