"""`keras.ops` that are one formula of the ops: a table, from which the functions are made, with the ops' gradients.

BY_NUMPY are those of whole numbers, orders and shapes, which have no gradient: NumPy's functions on a view.
"""
import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from cytensor import ops, registry
from cytensor.keywords import accepting
from cytensor.symbolic import deferrable
from cytensor.tensor import Tensor, asarray, operand

LN2: float = math.log(2)
LN10: float = math.log(10)


def made(name: str, formula: Callable[..., Any]) -> Callable[..., Any]:
    """A formula as a public function: under its name, in graphs of symbolic tensors, and known to files."""
    formula.__name__ = formula.__qualname__ = name
    formula.__module__ = "cytensor.keras.ops"
    formula.__doc__ = formula.__doc__ or f"`keras.ops.{name}`, with Keras's arguments."
    function = deferrable(formula)
    registry.register_for_files("ops", function)
    return accepting({})(function)


def _x(name: str, x: Any) -> Tensor:
    return operand(name, x)


def _floating(name: str, x: Any) -> Tensor:
    x = operand(name, x)
    return x if x.dtype.kind in "fc" else ops.astype(x, "float32")


def _hypot(x1: Any, x2: Any) -> Any:
    a, b = ops.abs(_floating("hypot", x1)), ops.abs(_floating("hypot", x2))
    large, small = ops.maximum(a, b), ops.minimum(a, b)
    ratio = small / ops.where(large == 0, ops.ones((), large.dtype), large)
    return ops.where(ops.isinf(large), large, large * ops.sqrt(1 + ops.square(ratio)))


def _logaddexp(x1: Any, x2: Any) -> Any:
    a, b = _floating("logaddexp", x1), _floating("logaddexp", x2)
    return ops.logsumexp(ops.stack([*_together(a, b)]), axis=0)


def _together(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    shape = np.broadcast_shapes(a.shape, b.shape)
    return ops.broadcast_to(a, shape), ops.broadcast_to(b, shape)


def _either(op: Callable[..., Any]) -> Callable[..., Tensor]:
    """`fmax` or `fmin`: the other one where one is NaN."""
    def formula(x1: Any, x2: Any) -> Tensor:
        a, b = _floating("fmax", x1), _floating("fmax", x2)
        return ops.where(ops.isnan(a), b, ops.where(ops.isnan(b), a, op(a, b)))
    return formula


def _nan_to_num(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    x = _x("nan_to_num", x)
    if x.dtype.kind != "f":
        return x
    largest = float(np.finfo(np.float32 if x.itemsize < 4 else str(x.dtype.name)).max)
    if str(x.dtype.name) == "float16":
        largest = 65504.0
    x = ops.where(ops.isnan(x), ops.full((), nan, x.dtype), x)
    x = ops.where(x == math.inf, ops.full((), largest if posinf is None else posinf, x.dtype), x)
    return ops.where(x == -math.inf, ops.full((), -largest if neginf is None else neginf, x.dtype), x)


def _heaviside(x1: Any, x2: Any) -> Tensor:
    a, b = _floating("heaviside", x1), _floating("heaviside", x2)
    step = ops.astype(a > 0, a.dtype)
    return ops.where(ops.isnan(a), a, ops.where(a == 0, b, step))


def _sinc(x: Any) -> Any:
    x = _floating("sinc", x)
    angle = ops.where(x == 0, ops.ones((), x.dtype), x * math.pi)
    return ops.where(x == 0, ops.ones((), x.dtype), ops.sin(angle) / angle)


def _without_nan(name: str, function: Callable[..., Any], instead: float) -> Callable[..., Tensor]:
    """A reduction that passes over NaN, as if `instead` stood there."""
    def formula(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        x = _floating(name, x)
        filled = ops.where(ops.isnan(x), ops.full((), instead, x.dtype), x)
        result = function(filled, axis=axis, keepdims=keepdims)
        if math.isinf(instead):
            empty = ops.all(ops.isnan(x), axis=axis, keepdims=keepdims)
            return ops.where(empty, ops.full((), math.nan, x.dtype), result)
        return result
    return formula


def _nanmean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = _floating("nanmean", x)
    there = ops.logical_not(ops.isnan(x))
    total = ops.sum(ops.where(there, x, ops.zeros((), x.dtype)), axis=axis, keepdims=keepdims)
    return total / ops.astype(ops.sum(ops.astype(there, "int64"), axis=axis, keepdims=keepdims), x.dtype)


def _nanvar(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = _floating("nanvar", x)
    return _nanmean(ops.square(x - _nanmean(x, axis, True)), axis, keepdims)


def _average(x: Any, axis: int | None = None, weights: Any = None) -> Any:
    x = _floating("average", x)
    if weights is None:
        return ops.mean(x, axis=axis)
    weights = ops.astype(_x("average", weights), x.dtype)
    if weights.shape != x.shape:
        if axis is None or weights.shape != (x.shape[axis],):
            raise ValueError(f"average: weights must have the shape of x, or its length along axis; "
                             f"got {weights.shape} for {x.shape}")
        weights = ops.reshape(weights, [-1 if i == axis % x.ndim else 1 for i in range(x.ndim)])
    return ops.sum(x * weights, axis=axis) / ops.sum(ops.broadcast_to(weights, x.shape), axis=axis)


FORMULAS: dict[str, Callable[..., Any]] = {
    "cbrt": lambda x: ops.sign(x) * ops.pow(ops.abs(_floating("cbrt", x)), 1 / 3),
    "log2": lambda x: ops.log(x) / LN2,
    "log10": lambda x: ops.log(x) / LN10,
    "exp2": lambda x: ops.pow(2.0, _floating("exp2", x)),
    "deg2rad": lambda x: _floating("deg2rad", x) * (math.pi / 180),
    "rad2deg": lambda x: _floating("rad2deg", x) * (180 / math.pi),
    "rsqrt": lambda x: ops.reciprocal(ops.sqrt(x)),
    "fabs": lambda x: ops.abs(_floating("fabs", x)),
    "trunc": lambda x: ops.where(_x("trunc", x) < 0, ops.ceil(x), ops.floor(x)),
    "fmod": lambda x1, x2: ops.sign(x1) * ops.remainder(ops.abs(x1), ops.abs(x2)),
    "hypot": _hypot, "logaddexp": _logaddexp,
    "logaddexp2": lambda x1, x2: _logaddexp(_floating("logaddexp2", x1) * LN2, _floating("logaddexp2", x2) * LN2) / LN2,
    "ldexp": lambda x1, x2: _floating("ldexp", x1) * ops.pow(2.0, _floating("ldexp", x2)),
    "fmax": _either(ops.maximum), "fmin": _either(ops.minimum),
    "nan_to_num": _nan_to_num, "heaviside": _heaviside, "sinc": _sinc,
    "isposinf": lambda x: _floating("isposinf", x) == math.inf,
    "isneginf": lambda x: _floating("isneginf", x) == -math.inf,
    "logical_xor": lambda x1, x2: ops.not_equal(ops.astype(x1, "bool"), ops.astype(x2, "bool")),
    "ptp": lambda x, axis=None, keepdims=False: ops.max(x, axis=axis, keepdims=keepdims)
    - ops.min(x, axis=axis, keepdims=keepdims),
    "percentile": lambda x, q, axis=None, method="linear", keepdims=False: ops.quantile(
        x, np.asarray(q) / 100, axis=axis, method=method, keepdims=keepdims),
    "count_nonzero": lambda x, axis=None: ops.sum(ops.astype(_x("count_nonzero", x) != 0, "int32"), axis=axis),
    "nansum": _without_nan("nansum", ops.sum, 0.0), "nanprod": _without_nan("nanprod", ops.prod, 1.0),
    "nanmax": _without_nan("nanmax", ops.max, -math.inf), "nanmin": _without_nan("nanmin", ops.min, math.inf),
    "nanmean": _nanmean, "nanvar": _nanvar,
    "nanstd": lambda x, axis=None, keepdims=False: ops.sqrt(_nanvar(x, axis, keepdims)),
    "average": _average,
    "vdot": lambda x1, x2: ops.dot(ops.reshape(x1, -1), ops.reshape(x2, -1)),
    "psnr": lambda x1, x2, max_val: 10 * ops.log(max_val**2 / ops.mean(ops.square(ops.subtract(x1, x2)))) / LN10,
    "saturate_cast": lambda x, dtype: _saturated(x, dtype),
}


def _saturated(x: Any, dtype: Any) -> Tensor:
    kind = np.dtype(str(getattr(dtype, "name", dtype)))
    if kind.kind not in "iu":
        return ops.astype(x, dtype)
    bounds = np.iinfo(kind)
    return ops.astype(ops.clip(x, bounds.min, bounds.max), dtype)


BY_NUMPY: dict[str, str] = {
    **{name: name for name in ["argpartition", "bartlett", "bincount", "bitwise_and", "bitwise_or", "bitwise_xor",
          "bitwise_not", "bitwise_invert", "blackman", "corrcoef", "correlate", "digitize", "gcd", "hamming",
          "hanning", "histogram", "isin", "kaiser", "lcm", "nextafter", "nonzero", "searchsorted", "signbit",
          "unravel_index"]},
    "bitwise_left_shift": "left_shift", "bitwise_right_shift": "right_shift",
    "left_shift": "left_shift", "right_shift": "right_shift", "nanargmax": "nanargmax", "nanargmin": "nanargmin",
}
# Their parameters, in Keras's words; the values go to NumPy in this order.
_SIGNATURES: dict[str, str] = {
    "argpartition": "x kth axis=-1", "bartlett": "x", "blackman": "x", "hamming": "x", "hanning": "x",
    "kaiser": "x beta", "corrcoef": "x", "correlate": "x1 x2 mode='valid'", "digitize": "x bins",
    "histogram": "x bins=10 range=None", "isin": "x1 x2 assume_unique=False invert=False", "nonzero": "x",
    "bincount": "x weights=None minlength=0", "searchsorted": "sorted_sequence values side='left'", "signbit": "x",
    "unravel_index": "indices shape", "bitwise_not": "x", "bitwise_invert": "x", "left_shift": "x y",
    "right_shift": "x y", "bitwise_left_shift": "x y", "bitwise_right_shift": "x y", "bitwise_and": "x y",
    "bitwise_or": "x y", "bitwise_xor": "x y", "nanargmax": "x axis=None keepdims=False",
    "nanargmin": "x axis=None keepdims=False",
}


def _parameters(words: str) -> inspect.Signature:
    parameters = []
    for word in words.split():
        name, _, default = word.partition("=")
        value: Any = inspect.Parameter.empty
        if default:
            value = {"None": None, "False": False}[default] if default[0] in "NF" else (
                default[1:-1] if default[0] == "'" else int(default))
        parameters.append(inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=value))
    return inspect.Signature(parameters)


def _result(values: Any) -> Any:
    if isinstance(values, tuple):
        return tuple(map(_result, values))
    return asarray(np.asarray(values, np.float32) if _is_double(values) else values)


def _is_double(values: Any) -> bool:
    return not isinstance(values, np.ndarray) and np.asarray(values).dtype == np.float64


def by_numpy(name: str) -> Callable[..., Any]:
    """NumPy's function of that name on tensors: without a gradient."""
    function: Any = getattr(np, {"bitwise_invert": "bitwise_not"}.get(name, BY_NUMPY[name]))
    signature = _parameters(_SIGNATURES.get(name, "x1 x2"))
    positional_only = len(signature.parameters)

    def formula(*args: Any, **named: Any) -> Any:
        bound = signature.bind(*args, **named)
        bound.apply_defaults()
        given = [np.asarray(value) if isinstance(value, Tensor) else value for value in bound.arguments.values()]
        if name in ("bartlett", "blackman", "hamming", "hanning", "kaiser"):
            given[0] = int(given[0])
            return asarray(function(*given).astype(np.float32))
        words = list(signature.parameters)
        options = {word: value for word, value in zip(words, given, strict=True)
                   if word in ("keepdims", "invert", "assume_unique", "side", "mode", "minlength", "weights", "range")}
        rest = given[:positional_only - len(options)]
        return _result(function(*rest, **options))
    formula.__signature__ = signature  # type: ignore[attr-defined]
    formula.__doc__ = f"`keras.ops.{name}`, computed by NumPy: without a gradient."
    return made(name, formula)


FUNCTIONS: dict[str, Any] = {**{name: made(name, formula) for name, formula in FORMULAS.items()},
             **{name: by_numpy(name) for name in BY_NUMPY}}
