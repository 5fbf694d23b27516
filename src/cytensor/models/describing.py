"""A graph as data: for files and copies, its operations, and for each their calls with references to other calls.

    {"layers": [{"name", "layer" or "function", "inbound_nodes": [{"args", "kwargs"}]}],
     "input_layers": ..., "output_layers": ...}

A reference is {"keras_tensor": [name, call, output]}, counted within the graph. What JSON has no word for is written as
{"tuple": [...]}, {"slice": [...]}, {"ellipsis": true}, {"array": [...], "dtype"} and {"dtype": name}.
"""
import copyreg
from collections.abc import Callable
from typing import Any

import numpy as np

from cytensor import nested
from cytensor.checks import arguments, schema
from cytensor.checks.arguments import Rule
from cytensor.dtypes import as_dtype, bfloat16
from cytensor.layers import InputLayer, Layer
from cytensor.models.graph import Graph
from cytensor.symbolic import Function, KerasTensor, Node
from cytensor.symbolic.nodes import replaced
from cytensor.symbolic.shapes import spend_numbers
from cytensor.tensor import Tensor, Variable, asarray
from cytensor.types import Config, Nested

Reference = tuple[str, int, int]


# -- writing ----------------------------------------------------------------------------------------------------------
def described(graph: Graph) -> Config:
    """The graph as a dictionary, its layers as objects; TypeError for a constant that no file can hold."""
    places = _places(graph)

    def leaf(value: Any) -> Any:
        return _encoded(value, places)
    entries = []
    for operation in graph.operations:
        kind = "function" if isinstance(operation, Function) else "layer"
        nodes = [] if isinstance(operation, InputLayer) else graph.nodes_of(operation)
        entries.append({"name": operation.name, kind: operation.function if kind == "function" else operation,
                        "inbound_nodes": [{"args": [leaf(arg) for arg in node.args],
                                           "kwargs": {key: leaf(value) for key, value in node.kwargs.items()}}
                                          for node in nodes]})
    return {"layers": entries, "input_layers": leaf(graph.inputs), "output_layers": leaf(graph.outputs)}


def _places(graph: Graph) -> dict[int, Reference]:
    """The reference of each tensor of a graph, by its id."""
    places = {id(tensor): (operation.name, number, place) for operation in graph.operations
              for number, node in enumerate(graph.nodes_of(operation)) for place, tensor in enumerate(node.tensors)}
    for tensor, layer in zip(graph.input_tensors, graph.input_layers, strict=True):
        places[id(tensor)] = (layer.name, 0, 0)
    return places


def _encoded(value: Any, places: dict[int, Reference]) -> Any:
    def inner(part: Any) -> Any:
        return _encoded(part, places)
    if isinstance(value, KerasTensor):
        return {"keras_tensor": list(places[id(value)])}
    if isinstance(value, Variable):
        raise TypeError("save: a Variable in a graph belongs to no layer, so no file can hold it; make it a weight of "
                        "a Layer of one's own")
    if isinstance(value, (Tensor, np.ndarray, np.generic)):
        array = np.asarray(value)
        return {"array": array.tolist(), "dtype": array.dtype.name}
    if isinstance(value, np.dtype) or value is bfloat16:
        return {"dtype": value.name}
    if isinstance(value, slice):
        return {"slice": [inner(part) for part in (value.start, value.stop, value.step)]}
    if value is Ellipsis:
        return {"ellipsis": True}
    if isinstance(value, tuple):
        return {"tuple": [inner(part) for part in value]}
    if isinstance(value, list):
        return [inner(part) for part in value]
    if isinstance(value, dict):
        return {"items": [[key, inner(part)] for key, part in value.items()]}
    return value


# -- reading ----------------------------------------------------------------------------------------------------------
def rebuilt(config: Config) -> tuple[Nested, Nested]:
    """(inputs, outputs) of a graph that was `described`, made anew by calling its layers; ValueError for what is none.
    """
    schema.check(config.get("layers"), "layers", Rule("a list", lambda value: isinstance(value, list)))
    operations, waiting = {}, []
    tensors: dict[Reference, KerasTensor] = {}
    for entry in config["layers"]:
        operation = _operation(entry)
        name = entry["name"]
        if name in operations:
            raise ValueError(f"layers must have names that differ; got two '{name}'")
        operations[name] = operation
        if isinstance(operation, InputLayer):
            tensors[name, 0, 0] = operation.output
        waiting += [(name, number, call) for number, call in enumerate(entry["inbound_nodes"])]
    while waiting:
        left = [call for call in waiting if not _is_called(operations, *call, tensors)]
        if len(left) == len(waiting):
            raise ValueError(f"a graph must have no cycle, and no call on what is not in it; got such a call of "
                             f"'{left[0][0]}'")
        waiting = left
    return _decoded(config["input_layers"], tensors), _decoded(config["output_layers"], tensors)


def _operation(entry: Any) -> Any:
    """The layer or function of an entry, under its name there."""
    schema.check(entry, "layers", schema.DICTIONARY)
    layer, function, name = entry.get("layer"), entry.get("function"), entry.get("name")
    if not isinstance(name, str) or not isinstance(entry.get("inbound_nodes"), list) or not (
            isinstance(layer, Layer) or callable(function)):
        raise ValueError(f"layers must have a name, a layer or a function, and inbound_nodes; got {sorted(entry)}")
    if layer is None:
        return Function(function, name)
    if layer._nodes:                       # one of a model that lives: the description is for another
        layer = type(layer).from_config(layer.get_config())
    layer._rename(name)
    if isinstance(layer, InputLayer):
        layer._enter()
        layer._rename(name)
    return layer


def _is_called(operations: dict[str, Any], name: str, number: int, call: Any, tensors: dict[Reference, KerasTensor]
               ) -> bool:
    """Make one call of a graph, once what it needs is there; returns whether it was."""
    operation = operations[name]
    if number and (name, number - 1, 0) not in tensors:
        return False                       # the calls of a layer keep their order
    try:
        args = tuple(_decoded(arg, tensors) for arg in call["args"])
        kwargs = {key: _decoded(value, tensors) for key, value in call["kwargs"].items()}
    except _NotYet:
        return False
    before = operation.name
    if isinstance(operation, Function):
        spend_numbers(name, (args, kwargs))
        outputs = operation.function(*args, **kwargs)
        node = _node_behind(outputs)
        node.operation = operation
        node.index = len(operation._nodes)
        operation._nodes.append(node)
    else:
        outputs = operation(*args, **kwargs)
        operation._rename(before)
    for place, tensor in enumerate(nested.flatten(outputs)):
        tensors[name, number, place] = tensor
    return True


def _node_behind(outputs: Nested) -> Node:
    first = nested.flatten(outputs)[0]
    if not isinstance(first, KerasTensor) or first.node is None:
        raise ValueError("a function in a graph must be called on symbolic tensors")
    return first.node


class _NotYet(Exception):
    """A reference to a call that was not made yet."""


def _decoded(value: Any, tensors: dict[Reference, KerasTensor]) -> Any:
    if isinstance(value, list):
        return [_decoded(part, tensors) for part in value]
    if not isinstance(value, dict):
        return value
    keys = set(value)
    if keys == {"keras_tensor"}:
        return _referred(value["keras_tensor"], tensors)
    if keys == {"array", "dtype"}:
        return asarray(np.asarray(value["array"], np.dtype(value["dtype"])))
    if keys == {"dtype"}:
        return as_dtype("dtype", value["dtype"], with_bfloat16=True)
    if keys == {"ellipsis"}:
        return Ellipsis
    if keys == {"slice"} or keys == {"tuple"}:
        parts = [_decoded(part, tensors) for part in next(iter(value.values()))]
        return tuple(parts) if keys == {"tuple"} else slice(*parts)
    if keys == {"items"}:
        return {key: _decoded(part, tensors) for key, part in value["items"]}
    raise ValueError(f"arguments in a graph must be written as this version does; got {sorted(keys)}")


def _referred(reference: Any, tensors: dict[Reference, KerasTensor]) -> KerasTensor:
    if not (isinstance(reference, (list, tuple)) and len(reference) == 3 and isinstance(reference[0], str)
            and all(map(arguments.is_integer, reference[1:]))):
        raise ValueError(f"keras_tensor must be the name of a layer and two integers; got {reference!r}")
    found = tensors.get((reference[0], reference[1], reference[2]))
    if found is None:
        raise _NotYet
    return found


# -- copies -----------------------------------------------------------------------------------------------------------
class _Place:
    """Stands for a tensor in a copy of a graph: the number of its call and output, or of an input."""

    def __init__(self, node: int, place: int) -> None:
        self.node, self.place = node, place


def state_of(graph: Graph) -> dict[str, Any]:
    """The graph as flat lists without nodes, which copy and pickle walk without going deep."""
    nodes = graph.order.nodes
    numbers = {id(tensor): (number, place) for number, node in enumerate(nodes)
               for place, tensor in enumerate(node.tensors)}
    numbers |= {id(tensor): (-1, place) for place, tensor in enumerate(graph.input_tensors)}

    def flat(structure: Any) -> Any:
        return replaced(structure, lambda tensor: _Place(*numbers[id(tensor)]))
    calls = [(node.operation, flat(node.args), flat(node.kwargs), node.outputs) for node in nodes]
    return {"inputs": graph.inputs, "layers": graph.input_layers, "structure": flat(graph.inputs),
            "outputs": flat(graph.outputs), "calls": calls}


def from_state(state: dict[str, Any]) -> Graph:
    """The graph of `state_of`, whose operations have been copied, with nodes of its own."""
    inputs: list[KerasTensor] = nested.flatten(state["inputs"])
    made: list[list[KerasTensor]] = []

    def full(structure: Any) -> Any:
        return _placed(structure, lambda at: inputs[at.place] if at.node < 0 else made[at.node][at.place])
    for tensor, layer in zip(inputs, state["layers"], strict=True):
        if not layer._nodes:
            Node(layer, (), {}, tensor)
    for operation, args, kwargs, outputs in state["calls"]:
        if isinstance(operation, InputLayer):
            made.append(operation._nodes[0].tensors)
        else:
            made.append(Node(operation, full(args), full(kwargs), outputs).tensors)
    return Graph("Model", state["inputs"], full(state["outputs"]))


def _placed(structure: Any, leaf: Callable[[_Place], Any]) -> Any:
    if isinstance(structure, _Place):
        return leaf(structure)
    if isinstance(structure, (list, tuple)):
        return nested.rebuilt(structure, [_placed(part, leaf) for part in structure])
    if isinstance(structure, dict):
        return nested.rebuilt(structure, [_placed(part, leaf) for part in structure.values()])
    if isinstance(structure, slice):
        return slice(*(_placed(part, leaf) for part in (structure.start, structure.stop, structure.step)))
    return structure


copyreg.pickle(Graph, lambda graph: (from_state, (state_of(graph),)))
