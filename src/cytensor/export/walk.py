"""Through a model, from its inputs to its outputs: each call of a layer or function becomes nodes of ONNX.

What no table knows, a layer or model with a `call` of its own, is called on symbolic tensors and followed inside.
"""
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from cytensor import keywords, nested
from cytensor.export import masking
from cytensor.export.functions import FUNCTIONS
from cytensor.export.graph import OnnxGraph, Value
from cytensor.export.layers import rule_of
from cytensor.layers import InputLayer, Layer
from cytensor.models import Model, Sequential
from cytensor.models.graph import ordered
from cytensor.symbolic import Function, KerasTensor, Node
from cytensor.symbolic.nodes import replaced
from cytensor.tensor import Tensor
from cytensor.types import Nested

HALVES = ("float16", "bfloat16")


def of_layer(layer: Layer, x: Nested, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None) -> Nested:
    """What a layer gives for values x, in inference. ValueError, with its name, where ONNX has no form for it."""
    kwargs = {key: value for key, value in (kwargs or {}).items() if key not in ("training", "mask")}
    try:
        if type(layer) is Sequential:
            return _of_sequence(layer, x)
        if isinstance(layer, Model) and layer._graph is not None and type(layer).call is Model.call:
            graph = layer._graph
            known = dict(zip(map(id, graph.input_tensors), _flat(graph.inputs, x), strict=True))
            _run(graph.order.nodes, known)
            return _packed(graph, known)
        x = _each(lambda one: _taken(layer, one), x)
        rule = rule_of(layer)
        if rule is None or args or kwargs:
            return _followed(layer, x, args, kwargs)
        masking.require_form(layer, nested.flatten(x))
        result = rule(layer, x)
        result.shape = layer.compute_output_shape(_shapes(x))
        masked = masking.passed_on(layer, nested.flatten(x), result)
        if result.dtype.kind == layer.compute_dtype.kind == "f":
            result = result.graph.cast(result, layer.compute_dtype)
        return masking.with_mask(result, masked)
    except (TypeError, ValueError, KeyError, NotImplementedError, AttributeError) as error:
        if str(error).startswith("export: "):          # of a layer or function inside
            raise
        what = f"layer '{layer.name}' ({type(layer).__name__})"
        raise ValueError(f"export: {what} has no form in ONNX: {error}") from error


def _each(change: Callable[[Any], Any], structure: Nested) -> Any:
    """The structure with `change` of each leaf."""
    return nested.pack_like(structure, map(change, nested.flatten(structure)))


def _of_sequence(model: Sequential, x: Nested) -> Nested:
    for layer in model._layers:
        x = of_layer(layer, x)
    return x


def _flat(wanted: Nested, x: Nested) -> list[Value]:
    """The values in the order of a graph's inputs."""
    values: list[Value] = nested.flatten(x)
    if isinstance(x, dict) and not isinstance(wanted, dict):
        return [x[tensor.node.operation.name if tensor.node else tensor.name] for tensor in nested.flatten(wanted)]
    return values


def _packed(graph: Any, known: dict[int, Value]) -> Nested:
    values = [known[id(tensor)] for tensor in graph.output_tensors]
    return values[0] if graph.is_one else nested.pack_like(graph.outputs, values)


def _taken(layer: Layer, x: Any) -> Any:
    """A value in the dtype that a layer takes, as `Layer.__call__` does it."""
    if layer.compute_dtype.name in HALVES:
        raise TypeError(f"it computes in {layer.compute_dtype.name}; a model is exported in float32 or float64")
    if not isinstance(x, Value) or not (x.dtype.kind == "f" or layer.casts_integers) or layer.compute_dtype.kind != "f":
        return x
    return masking.with_mask(x.graph.cast(x, layer.compute_dtype), x.mask)


def _shapes(x: Nested) -> Any:
    return _each(lambda one: one.known_shape, x)


# -- graphs -----------------------------------------------------------------------------------------------------------
def _run(nodes: Sequence[Node], known: dict[int, Value]) -> None:
    """The calls of a graph; `known` has the values of its tensors by identity."""
    for node in nodes:
        if isinstance(node.operation, InputLayer) and not node.inputs:
            continue
        args, kwargs = (replaced(part, lambda tensor: known[id(tensor)]) for part in (node.args, node.kwargs))
        if isinstance(node.operation, Function):
            results = _of_function(node.operation, args, kwargs)
        elif args:
            results = of_layer(node.operation, args[0], args[1:], kwargs)
        else:
            results = of_layer(node.operation, kwargs.pop(next(iter(kwargs))), (), kwargs)
        for tensor, value in zip(node.tensors, nested.flatten(results), strict=True):
            value.shape = tensor.shape
            known[id(tensor)] = value


def _of_function(function: Function, args: Sequence[Any], kwargs: dict[str, Any]) -> Nested:
    """What a function of `ct.ops` gives; weights among its arguments become constants."""
    name = function.function.__name__
    graph = next(one for one in nested.flatten([list(args), kwargs]) if isinstance(one, Value)).graph
    if name not in FUNCTIONS:
        raise ValueError(f"export: the function {name} has no form in ONNX here; those that have are "
                       f"{', '.join(sorted(FUNCTIONS))}")
    words = keywords.synonyms(name)
    named = {words.get(key, key): value for key, value in kwargs.items() if words.get(key, key) is not None}
    try:
        bound = inspect.signature(function.function).bind(*args, **named)
        bound.arguments.update({key: _constant(graph, value) for key, value in bound.arguments.items()})
        return FUNCTIONS[name](*bound.args, **bound.kwargs)
    except (TypeError, ValueError) as error:
        raise ValueError(f"export: the function {name} has no form in ONNX with these arguments: {error}") from error


def _constant(graph: OnnxGraph, value: Any) -> Any:
    """A tensor among the arguments as a constant; all else as it is."""
    if isinstance(value, Tensor):
        return graph.weight(value, getattr(value, "name", "constant"))
    if isinstance(value, (list, tuple)) and any(isinstance(one, (Tensor, Value)) for one in value):
        return [_constant(graph, one) for one in value]
    return value


# -- calls of the user's own ------------------------------------------------------------------------------------------
def _followed(layer: Layer, x: Nested, args: Sequence[Any], kwargs: dict[str, Any]) -> Nested:
    """What a layer's own `call` makes of symbolic tensors, node by node."""
    values: dict[int, Value] = {}

    def symbol(value: Any) -> Any:
        if not isinstance(value, Value):
            return value
        tensor = KerasTensor(value.known_shape, value.dtype)
        values[id(tensor)] = value
        inputs.append(tensor)
        return tensor
    inputs: list[KerasTensor] = []
    given = _each(symbol, [x, list(args), kwargs])
    training = {"training": False} if layer._takes_training else {}
    outputs = layer.call(given[0], *given[1], **given[2], **training)
    tensors: list[Any] = nested.flatten(outputs)
    if not all(isinstance(tensor, KerasTensor) for tensor in tensors):
        raise TypeError("its call computes outside of layers and functions of ct.ops")
    nodes = ordered("export", inputs, tensors).nodes
    try:
        _run(nodes, values)
    finally:
        for node in nodes:                 # the layers inside forget that they were called for this
            if node in node.operation._nodes:
                node.operation._nodes.remove(node)
    results = [values[id(tensor)] for tensor in tensors]
    return results[0] if isinstance(outputs, KerasTensor) else nested.pack_like(outputs, results)
