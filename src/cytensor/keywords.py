"""What parameters are called in TensorFlow, in Keras and in NumPy where they are called otherwise here.

One table: our function, then {their name: ours}; None for what changes nothing; a function (args, named, value) ->
(args, named) for what is more than another name. ops.py hands it to the functions; their own names cost nothing.
"""
import functools
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])
Call: TypeAlias = tuple[list[Any], dict[str, Any]]


def _swapped(position: int, name: str) -> Any:
    """`transpose_a`, `transpose_b`: the operand with its last two axes swapped."""
    def change(args: list[Any], named: dict[str, Any], value: bool) -> Call:
        from cytensor.tensor import operand
        if not value or (position >= len(args) and name not in named):
            return args, named
        if position < len(args):
            return [*args[:position], operand("matmul", args[position]).mT, *args[position + 1:]], named
        return args, {**named, name: operand("matmul", named[name]).mT}
    return change


def _output_type(args: list[Any], named: dict[str, Any], value: Any) -> Call:
    """`output_type` of argmax: int64 alone, as the positions are."""
    if value is not None and str(getattr(value, "name", value)) not in ("int64", "int32"):
        raise ValueError(f"argmax: output_type must be int64 or int32; got {value!r}")
    return args, named


def _direction(args: list[Any], named: dict[str, Any], value: Any) -> Call:
    if value not in ("ASCENDING", "DESCENDING"):
        raise ValueError(f"sort: direction must be 'ASCENDING' or 'DESCENDING'; got {value!r}")
    return args, {**named, "descending": value == "DESCENDING"}


_TWO = {"x": "a", "y": "b", "x1": "a", "x2": "b"}
_REDUCED = {"input_tensor": "x", "input": "x", "a": "x"}
_POSITION = {"input": "x", "a": "x", "dimension": "axis", "output_type": _output_type}
_ACTIVATED = {"features": "x", "logits": "x"}
KEYWORDS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("add", "subtract", "multiply", "divide", "pow", "maximum", "minimum", "equal", "not_equal", "less",
                     "less_equal", "greater", "greater_equal", "logical_and", "logical_or", "floor_divide",
                     "remainder", "dot"), _TWO),
    **dict.fromkeys(("sum", "mean", "max", "min", "prod", "var", "std", "any", "all", "logsumexp", "median"), _REDUCED),
    **dict.fromkeys(("argmax", "argmin"), _POSITION),
    "matmul": {**_TWO, "transpose_a": _swapped(0, "a"), "transpose_b": _swapped(1, "b"),
               "adjoint_a": _swapped(0, "a"), "adjoint_b": _swapped(1, "b")},
    "clip": {"t": "x", "a": "x", "clip_value_min": "min", "clip_value_max": "max", "x_min": "min", "x_max": "max",
             "a_min": "min", "a_max": "max"},
    "concat": {"values": "tensors", "xs": "tensors", "arrays": "tensors"},
    "stack": {"values": "tensors", "x": "tensors", "arrays": "tensors"},
    "reshape": {"tensor": "x", "newshape": "shape", "a": "x"},
    "squeeze": {"input": "x", "a": "x"}, "expand_dims": {"input": "x", "a": "x"},
    "broadcast_to": {"input": "x", "array": "x"},
    "take": {"params": "x", "a": "x"}, "tensordot": {"x1": "a", "x2": "b"},
    "arange": {"limit": "stop", "delta": "step"},
    "astype": {"tensor": "x"}, "copy": {"input": "x", "a": "x"},
    "roll": {"input": "x", "a": "x"}, "flip": {"m": "x"}, "repeat": {"input": "x", "a": "x"},
    "cumsum": {"a": "x"}, "cumprod": {"a": "x"}, "sort": {"values": "x", "a": "x", "direction": _direction},
    "argsort": {"values": "x", "a": "x", "direction": _direction}, "top_k": {"input": "x"},
    "split": {"value": "x", "ary": "x"}, "pad": {"tensor": "x", "paddings": "pad_width", "array": "x"},
    "norm": {"tensor": "x"}, "eye": {"num_rows": "n_rows", "num_columns": "n_cols", "N": "n_rows", "M": "n_cols"},
    "full": {"dims": "shape", "value": "fill_value"},
    **dict.fromkeys(("relu", "softmax", "log_softmax"), _ACTIVATED),
    "permute_dims": {"a": "x", "perm": "axes"},
    "einsum": {"equation": "subscripts"},
}


def synonyms(name: str) -> dict[str, Any]:
    """What the function of that name takes beside its own; `name=`, which labels a graph, everywhere."""
    return {"name": None, **KEYWORDS.get(name, {})}


def accepting(words: dict[str, str | None]) -> Callable[[F], F]:
    """Decorator for what is written in Python: the function takes these words too, and `name`."""
    words = {"name": None, **words}

    def decorate(written: F) -> F:
        @functools.wraps(written)
        def accepts(*args: Any, **named: Any) -> Any:
            if named and not named.keys().isdisjoint(words):
                named = {words.get(word, word) or "": value for word, value in named.items()}
                named.pop("", None)
            return written(*args, **named)
        return cast(F, accepts)
    return decorate
