"""Functions and operators on KerasTensors: each call becomes a node, which names the function and holds no code.

FUNCTIONS are those that a graph may hold, all of them known to files by name: every op of `ct.ops` that computes from
tensors, indexing, and what the package itself marks as `deferrable`.
"""
import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import numpy as np

import cyops
from cytensor import ops, registry
from cytensor.symbolic import shapes
from cytensor.symbolic.nodes import Function, Node, is_symbolic
from cytensor.symbolic.tensors import KerasTensor
from cytensor.tensor import METHODS, Tensor, operand
from cytensor.types import Nested

F = TypeVar("F", bound=Callable[..., Any])
FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: function for name, function in ops.FUNCTIONS.items() if name not in ops.CREATION}
registry.register_for_files("ops", *FUNCTIONS.values())


def recorded(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Nested:
    """What a function gives for symbolic tensors among its arguments: KerasTensors, behind a new node."""
    name = function.__name__
    if kwargs.get("out") is not None:
        raise TypeError(f"{name}: out must not be given for symbolic tensors, which have no memory")
    _require_constants(name, (args, kwargs))
    function = ops.FUNCTIONS.get(name, function) if name in FUNCTIONS else function
    outputs = shapes.outputs_of(name, function, args, kwargs)
    Node(Function(function), args, kwargs, outputs)
    return outputs


def _require_constants(name: str, structure: Any) -> None:
    """Raise for a symbolic tensor in a place where none can be: deep inside an array of objects."""
    for part in structure.values() if isinstance(structure, dict) else structure:
        if isinstance(part, (list, tuple, dict)):
            _require_constants(name, part)
        elif isinstance(part, np.ndarray) and part.dtype.kind == "O":
            raise TypeError(f"{name}: symbolic tensors go in lists, not in NumPy arrays of objects")


def deferrable(function: F) -> F:
    """Decorator of a function of the package that takes tensors: called on KerasTensors it is one node of a graph."""
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if type(args[0] if args else None) is KerasTensor or is_symbolic(args, kwargs):
            return recorded(wrapper, args, kwargs)
        return function(*args, **kwargs)
    return cast(F, wrapper)


@deferrable
def get_item(x: Any, key: Any) -> Tensor:
    """x[key]: what indexing a KerasTensor becomes in a graph."""
    return operand("get_item", x)[key]


registry.register_for_files("ops", get_item)
FUNCTIONS["get_item"] = get_item


# -- operators and methods of KerasTensor -----------------------------------------------------------------------------
def _getitem(self: KerasTensor, key: Any) -> Nested:
    return get_item(self, key)


def _operator(name: str, reflected: bool) -> Callable[..., Any]:
    function = ops.FUNCTIONS[name]

    def apply(self: KerasTensor, other: Any) -> Any:
        if isinstance(other, (np.ndarray, np.generic)):
            other = operand(name, other)
        return function(other, self) if reflected else function(self, other)
    return apply


def _method(name: str) -> Callable[..., Any]:
    function = ops.FUNCTIONS[name]

    def apply(self: KerasTensor, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)
    apply.__name__, apply.__doc__ = name, f"`ct.{name}` of this tensor."
    return apply


def _reshape(self: KerasTensor, *shape: Any) -> Any:
    """`ct.reshape` of this tensor, to a shape or lengths."""
    only: Sequence[int] | int = shape[0] if len(shape) == 1 else shape
    return ops.FUNCTIONS["reshape"](self, only)


BINARY = {"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
          "mod": "remainder", "pow": "pow", "matmul": "matmul"}
COMPARED = {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}
UNARY = {"neg": "negative", "abs": "abs", "invert": "logical_not"}

for _name, _op in BINARY.items():
    setattr(KerasTensor, f"__{_name}__", _operator(_op, False))
    setattr(KerasTensor, f"__r{_name}__", _operator(_op, True))
for _name, _op in COMPARED.items():
    setattr(KerasTensor, f"__{_name}__", _operator(_op, False))
for _name, _op in UNARY.items():
    setattr(KerasTensor, f"__{_name}__", _method(_op))
for _name in METHODS:
    if _name in FUNCTIONS:
        setattr(KerasTensor, _name, _method(_name))
for _name, _attribute in {"__getitem__": _getitem, "reshape": _reshape,
                          "T": property(lambda self: ops.FUNCTIONS["permute_dims"](self))}.items():
    setattr(KerasTensor, _name, _attribute)
cyops.defer(KerasTensor, recorded)
