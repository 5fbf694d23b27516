"""Node: one call of a layer or function on symbolic tensors, as a graph has it. And what is called: operations.

An operation is a Layer or a Function; it has a name, is callable, and lists its calls in `_nodes`.
"""
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from cytensor import nested, registry
from cytensor.symbolic.tensors import KerasTensor
from cytensor.types import Nested


class Operation(Protocol):
    """What a graph calls: a Layer or a Function."""
    _nodes: "list[Node]"

    @property
    def name(self) -> str: ...

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

    def _rename(self, name: str) -> None: ...


class Function:
    """A function in a graph: the op `function`, which files name, under a name of its own."""
    built: bool = True
    named_by_user: bool = False
    function: Callable[..., Any]
    name: str
    _nodes: "list[Node]"

    def __init__(self, function: Callable[..., Any], name: str | None = None) -> None:
        self.function, self._nodes = function, list[Node]()
        self.name = name or registry.auto_name(SPELLINGS.get(function.__name__, function.__name__))

    @property
    def kind(self) -> str:
        """As a class would be called: Add, GetItem."""
        name = SPELLINGS.get(self.function.__name__, self.function.__name__)
        return "".join(part[:1].upper() + part[1:] for part in name.split("_"))

    def _rename(self, name: str) -> None:
        self.name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def count_params(self) -> int:
        return 0

    def __reduce__(self) -> tuple[Any, ...]:
        return Function, (self.function, self.name)          # a copy stands in no graph

    def __repr__(self) -> str:
        return f"<Function {self.name}>"


# What Keras calls the ops behind the operators and functions that have another name here.
SPELLINGS = {"divide": "true_divide", "pow": "power", "abs": "absolute", "concat": "concatenate",
             "permute_dims": "transpose", "astype": "cast", "remainder": "mod"}


class Node:
    """A call: `operation(*args, **kwargs)`, in whose arguments symbolic tensors stand, and what it gives.

    inputs: the symbolic tensors among the arguments, in order. outputs: a KerasTensor, or a structure of them.
    """
    __slots__ = ("args", "index", "inputs", "kwargs", "operation", "outputs", "tensors")

    operation: Any                     # an Operation
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    inputs: list[KerasTensor]
    outputs: Nested
    tensors: list[KerasTensor]         # those in the outputs
    index: int                         # among the calls of the operation

    def __init__(self, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Nested) -> None:
        self.operation, self.args, self.kwargs, self.outputs = operation, args, kwargs, outputs
        self.inputs = list(symbolic_in((args, kwargs)))
        self.tensors = nested.flatten(outputs)
        self.index = len(operation._nodes)
        operation._nodes.append(self)
        for place, tensor in enumerate(self.tensors):
            tensor.node, tensor.place = self, place

    def input_structure(self) -> Nested:
        """What the operation was called with first: a tensor, or a structure of several."""
        return self.args[0] if self.args else self.inputs[0]

    def __repr__(self) -> str:
        return f"<Node {self.operation.name}[{self.index}]>"


def symbolic_in(structure: Any) -> Iterator[KerasTensor]:
    """The KerasTensors in lists, tuples and dictionaries, in their order."""
    if type(structure) is KerasTensor:
        yield structure
    elif isinstance(structure, (list, tuple)):
        for part in structure:
            yield from symbolic_in(part)
    elif isinstance(structure, dict):
        for part in structure.values():
            yield from symbolic_in(part)
    elif type(structure) is slice:
        yield from symbolic_in((structure.start, structure.stop, structure.step))


def is_symbolic(*structures: Any) -> bool:
    """Whether there is a KerasTensor in any of these."""
    return next(symbolic_in(structures), None) is not None


def replaced(structure: Any, leaf: Callable[[KerasTensor], Any]) -> Any:
    """Lists, tuples, dictionaries and slices with `leaf` of each KerasTensor in them."""
    if type(structure) is KerasTensor:
        return leaf(structure)
    if isinstance(structure, (list, tuple)):
        return nested.rebuilt(structure, [replaced(part, leaf) for part in structure])
    if isinstance(structure, dict):
        return nested.rebuilt(structure, [replaced(part, leaf) for part in structure.values()])
    if type(structure) is slice:
        return slice(*(replaced(part, leaf) for part in (structure.start, structure.stop, structure.step)))
    return structure
