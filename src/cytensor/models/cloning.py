"""Models of the same architecture with other layers: what `clone_model(clone_function=, input_tensors=)` makes."""
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cytensor import nested
from cytensor.layers import Input, InputLayer, Layer
from cytensor.models.graph import Graph
from cytensor.symbolic import Function
from cytensor.symbolic.nodes import replaced
from cytensor.types import Nested

if TYPE_CHECKING:
    from cytensor.models.model import Model


def copied(layer: Any) -> Any:
    """A layer like another, with weights of its own; a function is itself."""
    return type(layer).from_config(layer.get_config()) if isinstance(layer, Layer) else layer


def of_graph(graph: Graph, clone_function: Callable[[Any], Any], inputs: Nested) -> tuple[Nested, Nested]:
    """(inputs, outputs) of the same calls on other layers.

    clone_function: gives for each layer the one in its place. inputs: symbolic tensors in place of the graph's, or None
    for new ones. TypeError for what is no layer, ValueError for another number of inputs.
    """
    given = [Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=layer.name if layer.named_by_user else None)
             for tensor, layer in zip(graph.input_tensors, graph.input_layers, strict=True)] if inputs is None else (
                 nested.flatten(inputs))
    if len(given) != len(graph.input_tensors):
        raise ValueError(f"clone_model: input_tensors must be {len(graph.input_tensors)}; got {len(given)}")
    tensors = {id(old): new for old, new in zip(graph.input_tensors, given, strict=True)}
    clones: dict[int, Any] = {}
    for node in graph.order.nodes:
        if isinstance(node.operation, InputLayer) or id(node.tensors[0]) in tensors:
            continue
        clone = clones.get(id(node.operation))
        if clone is None:
            clone = clones[id(node.operation)] = _clone(node.operation, clone_function)
        args, kwargs = (replaced(part, lambda tensor: tensors[id(tensor)]) for part in (node.args, node.kwargs))
        results = nested.flatten(clone(*args, **kwargs))
        tensors.update({id(old): new for old, new in zip(node.tensors, results, strict=True)})
    outputs = replaced(graph.outputs, lambda tensor: tensors[id(tensor)])
    return (inputs if inputs is not None else nested.pack_like(graph.inputs, given)), outputs


def _clone(operation: Any, clone_function: Callable[[Any], Any]) -> Any:
    if isinstance(operation, Function):
        return operation.function
    clone = clone_function(operation)
    if not isinstance(clone, Layer):
        raise TypeError(f"clone_model: clone_function must return a layer for '{operation.name}'; got {clone!r}")
    return clone


def of_stack(layers: Sequence[Layer], clone_function: Callable[[Any], Any]) -> list[Layer]:
    """The clones of a Sequential's layers, its Input as it is."""
    return [copied(layer) if isinstance(layer, InputLayer) else _clone(layer, clone_function) for layer in layers]


def cloned(model: "Model", clone_function: Callable[[Any], Any] | None, input_tensors: Nested) -> "Model":
    """A new model with fresh layers; see `clone_model`."""
    from cytensor.models.model import Model
    from cytensor.models.sequential import Sequential

    make = clone_function or copied
    if isinstance(model, Sequential) and input_tensors is None:
        return Sequential(of_stack(model._layers, make), name=model.name if model.named_by_user else None)
    if not isinstance(model, Sequential) and model._graph is None:
        raise ValueError(f"clone_model: clone_function and input_tensors are for Sequential and Model(inputs, "
                         f"outputs); got '{model.name}', of class {type(model).__name__}")
    inputs, outputs = of_graph(model._graph_for("graph"), make, input_tensors)
    return Model(inputs, outputs, name=model.name if model.named_by_user else None)


