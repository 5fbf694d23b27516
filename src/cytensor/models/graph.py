"""Graph: the calls between some symbolic tensors and others, in order, compiled into a flat list that is run.

What a model adds to it stands in functional.py; how files describe it in describing.py.
"""
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from cytensor import nested, registry
from cytensor.layers import InputLayer, Layer
from cytensor.symbolic import Function, KerasTensor, Node
from cytensor.symbolic.nodes import replaced
from cytensor.types import Nested

# One call of the list: what is called; the slots that it reads, one, a list of them as one argument, or a function of
# all slots that gives (args, kwargs); the slot, or those of several outputs, that it writes.
Read = int | tuple[int, ...] | Callable[[list[Any]], tuple[Any, Any]]
Step = tuple[Callable[..., Any], Read, int | tuple[int, ...]]


class Order(NamedTuple):
    """The nodes of a graph in an order in which they can be run, and its operations from the inputs to the outputs."""
    nodes: list[Node]
    operations: list[Any]
    depths: list[int]              # of the nodes: 0 where nothing follows


class Graph:
    """What leads from `inputs` to `outputs`, structures of KerasTensors.

    op: the name of the model, for errors. ValueError where an output needs what is not among the inputs, or two layers
    were given one name; TypeError for what is no symbolic tensor.
    """

    inputs: Nested
    outputs: Nested
    input_tensors: list[KerasTensor]
    output_tensors: list[KerasTensor]
    input_layers: list[InputLayer]     # for each input the Input that it is, or one that stands where a graph was cut
    operations: list[Any]              # layers and functions
    layers: list[Layer]
    order: Order
    steps: list[Step]
    slots: int
    is_one: bool                       # whether there is one output, which no list or a list of one holds

    def __init__(self, op: str, inputs: Nested, outputs: Nested) -> None:
        self.inputs, self.outputs = inputs, outputs
        self.input_tensors = _tensors(op, "inputs", inputs)
        self.output_tensors = _tensors(op, "outputs", outputs)
        if len(set(map(id, self.input_tensors))) < len(self.input_tensors):
            raise ValueError(f"{op}: inputs must differ; got {[tensor.name for tensor in self.input_tensors]}")
        self.input_layers = [_input_layer(tensor) for tensor in self.input_tensors]
        self.order = ordered(op, self.input_tensors, self.output_tensors)
        layers = [layer for layer in self.input_layers if layer not in self.order.operations]
        self.operations = [*layers, *self.order.operations]
        self.layers = [one for one in self.operations if isinstance(one, Layer)]
        _name_apart(op, self.operations)
        self.steps, self.slots, results = compiled(self.order.nodes, self.input_tensors, self.output_tensors)
        self.is_one = isinstance(outputs, KerasTensor) or (
            isinstance(outputs, (list, tuple)) and len(outputs) == 1 and isinstance(outputs[0], KerasTensor))
        self._results: int | list[int] = results[0] if self.is_one else results

    @property
    def output_names(self) -> list[str]:
        """The names of the layers and functions that give the outputs, in the order of `nested.flatten`."""
        return [self.owner_of(tensor).name for tensor in self.output_tensors]

    def owner_of(self, tensor: KerasTensor) -> Any:
        """The operation that gives a tensor; the Input for one where the graph was cut."""
        for own, layer in zip(self.input_tensors, self.input_layers, strict=True):
            if own is tensor:
                return layer
        assert tensor.node is not None
        return tensor.node.operation

    def place_of(self, tensor: KerasTensor) -> tuple[str, int, int]:
        """(name of the operation, number of its call, number of the output) of a tensor, as Keras writes them."""
        owner, node = self.owner_of(tensor), tensor.node
        if node is None or owner is not node.operation:
            return owner.name, 0, 0
        return owner.name, node.index, tensor.place

    def nodes_of(self, operation: Any) -> list[Node]:
        """The calls of an operation that are in the graph, in the order in which they were made."""
        found = [node for node in self.order.nodes if node.operation is operation]
        return sorted(found, key=lambda node: node.index)

    def run(self, values: Sequence[Any]) -> Nested:
        """The outputs for one value for each input."""
        slots = [*values, *(None,) * (self.slots - len(values))]
        call: Any = None
        try:
            for call, read, write in self.steps:
                if type(read) is int:
                    result = call(slots[read])
                elif type(read) is tuple:
                    result = call([slots[slot] for slot in read])
                else:
                    args, kwargs = read(slots)             # type: ignore[operator]  # mypy does not narrow `type(x) is`
                    result = call(*args, **kwargs)
                if type(write) is int:
                    slots[write] = result
                else:
                    for slot, value in zip(write, nested.flatten(result), strict=True):   # type: ignore[arg-type]
                        slots[slot] = value
        except Exception as error:
            if not isinstance(call, Layer):                # layers say so themselves
                error.add_note(f"in function '{getattr(call, '__name__', call)}' of the graph")
            raise
        results = self._results
        return slots[results] if isinstance(results, int) else nested.pack_like(
            self.outputs, [slots[slot] for slot in results])


def _tensors(op: str, what: str, structure: Nested) -> list[KerasTensor]:
    leaves: list[Any] = nested.flatten(structure)
    if not leaves:
        raise ValueError(f"{op}: {what} must be symbolic tensors, as Input gives them; got {structure!r}")
    for leaf in leaves:
        if type(leaf) is not KerasTensor:
            hint = f"; the layer's output is '{leaf.name}(...)'" if isinstance(leaf, Layer) else ""
            raise TypeError(f"{op}: {what} must be symbolic tensors, as Input gives them; got {leaf!r} "
                            f"({type(leaf).__name__}){hint}")
    return leaves


def _input_layer(tensor: KerasTensor) -> InputLayer:
    """The Input that a tensor is; or a new one in its place, where the graph is cut there."""
    if tensor.node is not None and isinstance(tensor.node.operation, InputLayer):
        return tensor.node.operation
    layer = InputLayer(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name.replace("/", "_"))
    layer.named_by_user = False
    return layer


def _name_apart(op: str, operations: Sequence[Any]) -> None:
    """Give other names to those that share a made-up one; ValueError where the user gave one name to two."""
    taken: dict[str, int] = {}
    for one in operations:
        if one.named_by_user:
            if one.name in taken:
                raise ValueError(f"{op}: names must differ; got two layers '{one.name}'")
            taken[one.name] = 0
    for one in operations:
        if not one.named_by_user:
            name = registry.unused_name(one.name, taken)
            if name != one.name:
                one._rename(name)


# -- order ------------------------------------------------------------------------------------------------------------
def ordered(op: str, inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor]) -> Order:
    """The nodes between inputs and outputs so that each comes behind those it needs.

    Operations are listed as Keras does it: by how many calls lie between them and the outputs at most, then as they
    are met from the outputs on.
    """
    given = set(map(id, inputs))
    nodes: list[Node] = []
    state: dict[Node, bool] = {}           # whether a node is done; one that is only begun leads to itself
    met: dict[int, int] = {}               # of operations
    for output in outputs:
        if id(output) in given and not _is_input(output):
            continue
        stack: list[tuple[Node, int]] = [(_node_of(op, output, output), 0)]
        while stack:
            node, place = stack.pop()
            if place == 0:
                if state.get(node):
                    continue
                if node in state:
                    raise ValueError(f"{op}: a graph must have no cycle; got one through '{node.operation.name}'")
                state[node] = False
                met.setdefault(id(node.operation), len(met))
            needed = node.inputs
            while place < len(needed) and (id(needed[place]) in given and not _is_input(needed[place])):
                place += 1
            if place < len(needed):
                stack += [(node, place + 1), (_node_of(op, needed[place], output), 0)]
            else:
                state[node] = True
                nodes.append(node)
                if not node.inputs and id(node.tensors[0]) not in given:
                    raise _unconnected(op, output, node, inputs)
    return Order(nodes, *_by_depth(nodes, met))


def _is_input(tensor: KerasTensor) -> bool:
    return tensor.node is not None and isinstance(tensor.node.operation, InputLayer)


def _node_of(op: str, tensor: KerasTensor, output: KerasTensor) -> Node:
    if tensor.node is None:
        raise ValueError(f"{op}: outputs must be connected to the inputs; got '{output.name}' of shape {output.shape}, "
                         f"which needs '{tensor.name}', a KerasTensor that no Input and no layer gave")
    return tensor.node


def _unconnected(op: str, output: KerasTensor, node: Node, inputs: Sequence[KerasTensor]) -> ValueError:
    owner, *given = [tensor.name if tensor.node is None else tensor.node.operation.name for tensor in (output, *inputs)]
    return ValueError(f"{op}: outputs must be connected to the inputs; got the output of '{owner}', which needs "
                      f"'{node.operation.name}', and inputs {given}")


def _by_depth(nodes: list[Node], met: dict[int, int]) -> tuple[list[Any], list[int]]:
    """(operations from the inputs to the outputs, the depth of each node)."""
    within = set(nodes)
    of_node: dict[Node, int] = {}
    of_operation: dict[int, int] = {}
    operations: dict[int, Any] = {}
    for node in reversed(nodes):
        key = id(node.operation)
        depth = max(of_node.get(node, 0), of_operation.get(key, 0))
        of_node[node] = of_operation[key] = depth
        operations[key] = node.operation
        for tensor in node.inputs:
            if tensor.node in within:
                of_node[tensor.node] = max(depth + 1, of_node.get(tensor.node, 0))
    order = sorted(operations, key=lambda key: (-of_operation[key], met[key]))
    return [operations[key] for key in order], [of_node[node] for node in nodes]


# -- compiling --------------------------------------------------------------------------------------------------------
def compiled(nodes: Sequence[Node], inputs: Sequence[KerasTensor],
             outputs: Sequence[KerasTensor]) -> tuple[list[Step], int, list[int]]:
    """(the calls, how many slots they need, the slots of the outputs).

    A slot serves again once no later call reads it, so that a value lives no longer than in a Sequential.
    """
    last: dict[int, int] = {}
    for time, node in enumerate(nodes):
        for tensor in node.inputs:
            last[id(tensor)] = time
    kept = {id(tensor) for tensor in outputs}
    slots = {id(tensor): slot for slot, tensor in enumerate(inputs)}
    count, free, steps = len(inputs), list[int](), list[Step]()
    for time, node in enumerate(nodes):
        if not node.inputs:                # an Input
            continue
        read = _read(node, slots)
        free += [slots[id(tensor)] for tensor in {id(one): one for one in node.inputs}.values()
                 if last[id(tensor)] == time and id(tensor) not in kept]
        write = []
        for tensor in node.tensors:
            if not free:
                free.append(count)
                count += 1
            slot = free.pop()
            write.append(slot)
            if id(tensor) in slots or not (id(tensor) in last or id(tensor) in kept):
                free.append(slot)          # nobody reads it: the graph was cut there, or goes on from another output
            else:
                slots[id(tensor)] = slot
        is_one = isinstance(node.outputs, KerasTensor)
        call = node.operation.function if isinstance(node.operation, Function) else node.operation
        steps.append((call, read, write[0] if is_one else tuple(write)))
    return steps, count, [slots[id(tensor)] for tensor in outputs]


def _read(node: Node, slots: dict[int, int]) -> Read:
    """How the arguments of a call come out of the slots."""
    if len(node.args) == 1 and not node.kwargs:
        arg = node.args[0]
        if type(arg) is KerasTensor:
            return slots[id(arg)]
        if type(arg) is list and all(type(part) is KerasTensor for part in arg):
            return tuple(slots[id(part)] for part in arg)
    places = {id(tensor): slots[id(tensor)] for tensor in node.inputs}
    if not node.kwargs and all(type(arg) is KerasTensor for arg in node.args):
        pair = tuple(places[id(arg)] for arg in node.args)
        return lambda values: ([values[slot] for slot in pair], {})
    args, kwargs = node.args, node.kwargs
    return lambda values: (replaced(args, lambda tensor: values[places[id(tensor)]]),
                           replaced(kwargs, lambda tensor: values[places[id(tensor)]]))
