"""What a tape recorded, as a graph: nodes with values, edges with derivatives, folded by layer. Nothing is drawn here.

Everything is read from the tape's own records, and every derivative is a walk back over them by the gradient rules.
"""
import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from cyops import Record, Strided, lead_back
from cytensor.autodiff.backward import backpropagate
from cytensor.autodiff.tape import GradientTape
from cytensor.layers import base
from cytensor.layers.base import Layer
from cytensor.tensor import Variable, asarray

FOLD_FROM = 25                 # records; more of them are folded by layer where the caller leaves it open
FEW, PATHS = 4, 3              # elements whose values are written out; paths whose products are
Inputs: TypeAlias = Any                # tensors in a list, by name in a dictionary, or a single one
Call: TypeAlias = tuple[Layer, int, int]        # of a layer: its first record, and the one behind its last


@dataclass
class Node:
    """A tensor of the graph: what is written on it, and how it came about."""
    name: str
    kind: str                                              # "input", "constant", "op" or "layer"
    op: str
    value: Any
    inputs: list[tuple[int, Any]] = field(default_factory=list)        # (place of a node, d value / d its value)
    operands: list[int] = field(default_factory=list)      # the places of the inputs as the op was called with them
    gradient: Any = None                                   # d target / d value, None where nothing leads back
    products: str = ""                                     # that, as products along the paths; scalars only


def graph_of(op: str, source: Any, inputs: Inputs, target: Any, fold: bool | None) -> list[Node]:
    """The nodes of a tape, or of a function at `inputs`, inputs before what is computed from them, the target last."""
    calls: list[Call] = []
    if isinstance(source, GradientTape):
        tape, names = source, _names_on_tape(op, inputs)
    elif callable(source):
        tape, names, target, calls = _run(op, source, inputs)
    else:
        raise TypeError(f"{op}: needs a GradientTape or a function; got {type(source).__name__}")
    records = _records(op, tape)
    target = records[-1].output if target is None else target
    records, places = _leading_to(op, records, target)
    known = {id(x) for record in records for x in (*record.inputs, record.output)}
    for x, name in names.values():
        if id(x) not in known and isinstance(source, GradientTape):
            raise ValueError(f"{op}: {name} of shape {x.shape} is not on the way to the target; name tensors that it "
                             "was computed from")
    with tape.stop_recording() if tape._recorder.is_active else contextlib.nullcontext():
        fold = len(records) >= FOLD_FROM if fold is None else fold
        nodes = _nodes(records, {key: name for key, (_, name) in names.items()})
        _differentiate(nodes, records, target)
        return _folded(nodes, records, places, calls) if fold else nodes


# -- what is asked ----------------------------------------------------------------------------------------------------
class _Calls:
    """What layers call while a function runs under a tape: notes which records are whose."""

    def __init__(self, tape: GradientTape) -> None:
        self.tape = tape
        self.found: list[Call] = []

    def enter(self) -> int:
        return len(self.tape._recorder.records)

    def output(self, layer: Layer, x: Any, result: Any, first: int) -> None:
        if not getattr(layer, "layers", None):             # of a model, its layers
            self.found.append((layer, first, len(self.tape._recorder.records)))


@contextlib.contextmanager
def _noting(calls: _Calls) -> Iterator[None]:
    outer = base._context.checker
    base._context.checker = calls
    try:
        yield
    finally:
        base._context.checker = outer


def _run(op: str, function: Callable[..., Any], inputs: Inputs) -> tuple[GradientTape, dict[int, Any], Any, list[Call]]:
    """A function run under a tape: the tape, its inputs' names, what it gave, and the layers it called."""
    if inputs is None:
        raise TypeError(f"{op}: a function needs inputs: its arguments in a list, or in a dictionary by name")
    by_name = dict(inputs) if isinstance(inputs, Mapping) else None
    given = list(by_name.values()) if by_name is not None else \
        list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    tensors = [x if isinstance(x, Strided) else asarray(x) for x in given]
    titles = list(by_name) if by_name is not None else _parameters(function, len(tensors))
    tape = GradientTape(persistent=True)
    for x in tensors:
        if x.dtype.kind == "f":
            tape.watch(x)
    calls = _Calls(tape)
    with tape, _noting(calls):
        result = function(**dict(zip(titles, tensors, strict=True))) if by_name is not None else function(*tensors)
    if not isinstance(result, Strided):
        raise TypeError(f"{op}: the function must give one tensor; got {type(result).__name__}")
    return tape, {id(x): (x, str(title)) for x, title in zip(tensors, titles, strict=True)}, result, calls.found


def _parameters(function: Callable[..., Any], count: int) -> list[str]:
    """The names of a function's parameters, as far as it tells them."""
    try:
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        names = [name for name, one in inspect.signature(function).parameters.items() if one.kind in kinds]
    except (TypeError, ValueError):
        names = []
    return [names[i] if i < len(names) else f"input {i}" for i in range(count)]


def _names_on_tape(op: str, inputs: Inputs) -> dict[int, Any]:
    """{id: (tensor, name)} of what the caller named."""
    if inputs is None:
        return {}
    if isinstance(inputs, Mapping):
        named = {str(name): x for name, x in inputs.items()}
    else:
        given = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        named = {f"input {i}": x for i, x in enumerate(given)}
    for name, x in named.items():
        if not isinstance(x, Strided):
            raise TypeError(f"{op}: {name} must be a tensor that the tape saw; got {type(x).__name__}")
    return {id(x): (x, name) for name, x in named.items()}


def _records(op: str, tape: GradientTape) -> list[Record]:
    if tape._is_used:
        raise ValueError(f"{op}: the tape's gradient was taken, which used its records up; make it with "
                         "GradientTape(persistent=True), or draw before")
    records = list(tape._recorder.records)
    if not records:
        raise ValueError(f"{op}: the tape recorded nothing; use a Variable, or watch a tensor, and compute from it "
                         "inside the tape")
    return records


def _leading_to(op: str, records: Sequence[Record], target: Any) -> tuple[list[Record], list[int]]:
    """The records that the target came about by, and their places among all."""
    if not isinstance(target, Strided):
        raise TypeError(f"{op}: target must be a tensor; got {type(target).__name__}")
    wanted, kept = {id(target)}, []
    for place in range(len(records) - 1, -1, -1):
        if id(records[place].output) in wanted:
            kept.append(place)
            wanted.update(id(x) for x in records[place].inputs if x is not None)
    if not kept:
        raise ValueError(f"{op}: the target of shape {target.shape} was not computed from watched tensors inside the "
                         "tape")
    return [records[place] for place in kept[::-1]], kept[::-1]


# -- nodes and derivatives --------------------------------------------------------------------------------------------
def _nodes(records: Sequence[Record], names: Mapping[int, str]) -> list[Node]:
    """A node for each tensor that is read, and each that is computed."""
    nodes: list[Node] = []
    place_of: dict[int, int] = {}
    for number, record in enumerate(records):
        for x in dict.fromkeys(map(_Identity, record.inputs)):
            if x.tensor is not None and id(x.tensor) not in place_of:
                place_of[id(x.tensor)] = len(nodes)
                nodes.append(_leaf(x.tensor, names))
        last = number == len(records) - 1
        name = names.get(id(record.output), "output" if last else f"v{number + 1}")
        inputs = [(place_of[key], None) for key in dict.fromkeys(id(x) for x in record.inputs if x is not None)]
        place_of[id(record.output)] = len(nodes)
        operands = [place_of[id(x)] for x in record.inputs if x is not None]
        nodes.append(Node(name, "op", record.op, record.output, inputs, operands))
    _tell_apart(nodes)
    return nodes


class _Identity:
    """A tensor that is told apart by identity."""

    def __init__(self, tensor: Any) -> None:
        self.tensor = tensor

    def __hash__(self) -> int:
        return id(self.tensor)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other.tensor is self.tensor


def _leaf(x: Any, names: Mapping[int, str]) -> Node:
    if id(x) in names:
        return Node(names[id(x)], "input", "", x)
    if isinstance(x, Variable):
        return Node(x.name if x.name and x.name != "Variable" else "variable", "input", "", x)
    return Node("constant", "constant", "", x)


def _tell_apart(nodes: Sequence[Node]) -> None:
    """Number the names that several nodes have."""
    seen: dict[str, int] = {}
    names = {node.name for node in nodes}
    for node in nodes:
        seen[node.name] = seen.get(node.name, 0) + 1
        if seen[node.name] > 1:
            fresh = f"{node.name} {seen[node.name]}"
            while fresh in names:
                fresh += "'"
            node.name = fresh
            names.add(fresh)


def _differentiate(nodes: list[Node], records: Sequence[Record], target: Any) -> None:
    """Fill in every edge's derivative, every node's gradient, and its products along the paths."""
    sources = [node.value for node in nodes if node.value.dtype.kind == "f"]
    found = backpropagate(list(records), [target], [None], sources, free=False)
    gradients = dict(zip(map(id, sources), found, strict=True))
    place_of = {id(node.value): place for place, node in enumerate(nodes)}
    leads = lead_back(list(records), [node.value for node in nodes if node.kind == "input"])
    for record, positions in zip(records, leads, strict=True):
        node = nodes[place_of[id(record.output)]]
        wanted = {id(record.inputs[i]) for i in positions or ()}
        node.inputs = [(place, _local(record, nodes[place].value) if id(nodes[place].value) in wanted else None)
                       for place, _ in node.inputs]
        if positions or node.kind == "input":
            node.gradient = gradients.get(id(node.value))
    for node in nodes:
        if node.kind == "input":
            node.gradient = gradients.get(id(node.value))
    _multiply_along_paths(nodes)


def _local(record: Record, x: Any) -> Any:
    """d output / d x of one op; of a tensor that is not a scalar, of the sum of the output."""
    return backpropagate([record], [record.output], [None], [x], free=False)[0]


def _multiply_along_paths(nodes: Sequence[Node]) -> None:
    if any(node.value.size != 1 for node in nodes):
        return
    paths: dict[int, list[list[str]]] = {len(nodes) - 1: [[]]}
    for place in range(len(nodes) - 1, -1, -1):
        node = nodes[place]
        if place in paths and 0 < len(paths[place]) <= PATHS and node.gradient is not None:
            node.products = " + ".join(" · ".join(path) for path in paths[place] if path)
        for before, derivative in node.inputs:
            if derivative is not None and place in paths:
                longer = [[*path, number(derivative)] for path in paths[place][:PATHS + 1]]
                paths.setdefault(before, []).extend(longer)


# -- folding ----------------------------------------------------------------------------------------------------------
def _folded(nodes: list[Node], records: Sequence[Record], places: Sequence[int],
            calls: Sequence[Call]) -> list[Node]:
    """The ops of one layer as one node; its weights and constants go into it."""
    owner = _by_layers(records, places, calls) if calls else _by_weights(records)
    of_output = {id(record.output): number for number, record in enumerate(records)}
    group_of, titles = {}, {}
    for place, node in enumerate(nodes):
        number = of_output.get(id(node.value))
        if number is not None:
            group_of[place], titles[owner[number][0]] = owner[number]
    readers: dict[int, set[Any]] = {}
    for place, node in enumerate(nodes):
        for before, _ in node.inputs:
            readers.setdefault(before, set()).add(group_of[place])
    for place, node in enumerate(nodes):       # what one layer alone reads, and nobody gave as an input of the graph
        if place not in group_of and len(readers.get(place, ())) == 1 and (
                isinstance(node.value, Variable) or node.kind == "constant"):
            group_of[place] = next(iter(readers[place]))
    return _one_a_group(nodes, group_of, titles)


def _by_layers(records: Sequence[Record], places: Sequence[int],
               calls: Sequence[Call]) -> list[tuple[Any, str]]:
    """For each record the outermost layer's call that it belongs to; itself where it belongs to none."""
    owner: list[tuple[Any, str]] = [(("op", number), "") for number in range(len(records))]
    for layer, first, stop in calls:           # inner calls end first, so the outer ones come later
        for number, place in enumerate(places):
            if first <= place < stop:
                owner[number] = (("layer", id(layer), first), f"{layer.name} ({type(layer).__name__})")
    return owner


def _by_weights(records: Sequence[Record]) -> list[tuple[Any, str]]:
    """An op that reads variables, and what alone follows it, are taken for a layer where no call was seen."""
    readers: dict[int, int] = {}
    for record in records:
        for x in dict.fromkeys(id(x) for x in record.inputs if x is not None):
            readers[x] = readers.get(x, 0) + 1
    made: dict[int, int] = {}
    owner: list[tuple[Any, str]] = []
    for number, record in enumerate(records):
        computed = [made[id(x)] for x in record.inputs if x is not None and id(x) in made]
        alone = [x for x in record.inputs if x is not None and id(x) in made and readers[id(x)] == 1]
        weights = any(isinstance(x, Variable) for x in record.inputs)
        follows = len(computed) == 1 == len(alone) and not (weights and owner[computed[0]][1] != record.op)
        owner.append(owner[computed[0]] if follows else (("op", number), record.op))
        made[id(record.output)] = number
    return owner


def _one_a_group(nodes: list[Node], group_of: Mapping[int, Any], titles: Mapping[Any, str]) -> list[Node]:
    """One node for each group, in the place of its last op."""
    last = {group: place for place, group in group_of.items() if nodes[place].kind == "op"}
    size = {group: sum(nodes[p].kind == "op" and g == group for p, g in group_of.items()) for group in last}
    new_place: dict[int, int] = {}
    made: list[Node] = []
    for place, node in enumerate(nodes):
        group = group_of.get(place)
        if group is not None and last[group] != place:
            continue
        new_place[place] = len(made)
        if group is None or (size[group] == 1 and not titles[group].endswith(")")):
            inside = {place} | {p for p, g in group_of.items() if g == group and group is not None}
        else:
            inside = {p for p, g in group_of.items() if g == group}
            node.kind, node.op = "layer", titles[group] if titles[group].endswith(")") else f"{size[group]} ops"
        before = dict.fromkeys(p for i in sorted(inside) for p, _ in nodes[i].inputs if p not in inside)
        kept = dict(node.inputs) if node.kind == "op" else {}
        moved = {p: new_place[last[group_of[p]] if p in group_of else p] for p in before}
        node.operands = [moved[p] for p in (node.operands if node.kind == "op" else before) if p in moved]
        node.inputs = [(moved[p], kept.get(p)) for p in before]
        node.products = ""
        made.append(node)
    return made


# -- in words ---------------------------------------------------------------------------------------------------------
def number(value: Any) -> str:
    """A number as it is written into the picture."""
    return f"{float(value):.4g}".replace("-", "−")


def written(value: Any) -> str:
    """A tensor in a few characters: its values where they are few, else its shape and its norm."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        return f"{value.dtype} {value.shape}"
    if array.size == 1:
        return number(array.item())
    if array.ndim == 1 and array.size <= FEW:
        return f"[{', '.join(map(number, array.tolist()))}]"
    return f"{array.shape} norm {number(np.linalg.norm(array.astype(np.float64)))}"
