"""The table that `model.summary()` prints, in Keras's form: plain text, no colour; and the same for notebooks."""
import itertools
import math
import re
import shutil
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from cytensor import nested, notebook
from cytensor.layers.base import Layer
from cytensor.symbolic import Function, KerasTensor
from cytensor.tensor import Tensor
from cytensor.types import Shape, Shapes

if TYPE_CHECKING:
    from cytensor.models.graph import Graph
    from cytensor.models.model import Model

COLUMNS = (("Layer (type)", "left"), ("Output Shape", "left"), ("Param #", "right"))
POSITIONS = (0.45, 0.80, 1.0)
CONNECTED = ("Connected to", "left")       # of a graph that is no chain
POSITIONS_OF_CONNECTED = (0.3, 0.56, 0.74, 1.0)
WIDTH, WIDTH_OF_CONNECTED, WIDTH_OF_TRAINABLE = 88, 108, 12


def table(model: "Model", line_length: int | None = None, positions: Sequence[float] | None = None,
          expand_nested: bool = False, show_trainable: bool = False, layer_range: Sequence[str] | None = None) -> str:
    """The summary of a model as text; the arguments are `Model.summary`'s."""
    columns, rows = _cells(model, expand_nested, show_trainable, layer_range)
    widths = _widths(columns, line_length, positions, rows)
    lines = [f'Model: "{model.name}"', _rule("┏", "━", "┳", "┓", widths),
             *_row([title for title, _ in columns], "┃", widths, columns), _rule("┡", "━", "╇", "┩", widths)]
    for i, row in enumerate(rows):
        if i:
            lines.append(_rule("├", "─", "┼", "┤", widths))
        lines += _row(row, "│", widths, columns)
    lines.append(_rule("└", "─", "┴", "┘", widths))
    return "\n".join([*lines, *_totals(model)])


def html(model: "Model") -> str:
    """The summary of a model as notebooks show it."""
    columns, rows = _cells(model)
    cells = notebook.table([title for title, _ in columns], rows, right=[len(COLUMNS) - 1])
    totals = "<br>".join(escape(line.strip()) for line in _totals(model))
    return f"<div><b>{escape(type(model).__name__)}</b> {escape(model.name)}</div>{cells}<div>{totals}</div>"


def _cells(model: "Model", expand_nested: bool = False, show_trainable: bool = False,
           layer_range: Sequence[str] | None = None) -> tuple[list[tuple[str, str]], list[list[str]]]:
    """The columns, and the cells of each row."""
    graph = getattr(model, "_graph", None)
    layers, shapes = (model.layers, _shapes(model)) if graph is None else (graph.operations, _shapes(model))
    columns, connections = [*COLUMNS], [""] * len(layers)
    if graph is not None and not _is_chain(graph):
        columns, connections = [*COLUMNS, CONNECTED], [_connections(graph, one) for one in layers]
    show = _Show(expand_nested, show_trainable, CONNECTED in columns)
    columns += [("Trainable", "center")] * show_trainable
    first, last = _bounds(layers, layer_range)
    rows = [row for entry in list(zip(layers, shapes, connections, strict=True))[first:last]
            for row in _rows(*entry, show, 0)]
    return columns, rows


def _is_chain(graph: "Graph") -> bool:
    """Whether each operation of a graph is called once, and on what the one before it gave."""
    depths, nodes = graph.order.depths, graph.order.nodes
    return len(set(depths)) == len(depths) and all(len(node.inputs) <= 1 for node in nodes) and (
        len({id(node.operation) for node in nodes}) == len(nodes))


def _connections(graph: "Graph", operation: Any) -> str:
    """`dense[0][0], add[0][0]`: name, call and output of what an operation is called on."""
    found = [graph.place_of(tensor) for node in graph.nodes_of(operation) for tensor in node.inputs
             if operation not in graph.input_layers]
    return ", ".join(f"{name}[{call}][{output}]" for name, call, output in found) or "-"


def _bounds(layers: Sequence[Layer], layer_range: Sequence[str] | None) -> tuple[int, int]:
    """The first place and the one past the last of the layers whose names match the two patterns of layer_range."""
    if layer_range is None:
        return 0, len(layers)
    pair = isinstance(layer_range, (list, tuple)) and len(layer_range) == 2
    if not pair or not all(isinstance(pattern, str) for pattern in layer_range):
        raise ValueError(f"summary: layer_range must be two layers' names; got {layer_range!r}")
    starts, ends = ([place for place, layer in enumerate(layers) if re.match(pattern, layer.name)]
                    for pattern in layer_range)
    if not starts or not ends:
        raise ValueError(f"summary: layer_range must name layers of the model; got {layer_range!r}, "
                         f"layers {', '.join(layer.name for layer in layers)}")
    first, last = min(starts), max(ends)
    return (first, last + 1) if first <= last else (min(ends), max(starts) + 1)


# -- columns ----------------------------------------------------------------------------------------------------------
def _widths(columns: Sequence[tuple[str, str]], line_length: int | None, positions: Sequence[float] | None,
            rows: list[list[str]]) -> list[int]:
    """The widths of the columns: those of Keras, and wider where a cell needs it (Keras breaks the text there)."""
    shares, count = tuple(positions or POSITIONS), len(columns)
    longest, own = WIDTH, len(COLUMNS)
    if CONNECTED in columns:
        shares, longest, own = tuple(positions or POSITIONS_OF_CONNECTED), WIDTH_OF_CONNECTED, len(COLUMNS) + 1
    if count > own:
        shares, longest = (*(share * 0.9 for share in shares), 1.0), longest + WIDTH_OF_TRAINABLE
    if len(shares) < count:
        raise ValueError(f"summary: positions must be one for each of {own} columns; got {positions!r}")
    length = line_length or min(longest, shutil.get_terminal_size().columns - 4)
    ends = [int(share * length) for share in shares[:count]]
    widths = [end - start + 2 for start, end in zip([0, *ends], ends, strict=False)]
    if min(widths) < 6:
        raise ValueError(f"summary: columns must be 4 characters wide at least; got line_length {length}, "
                         f"positions {positions or POSITIONS}")
    widths = _fitted(widths, length - count - 1)
    cells = [[title for title, _ in columns], *rows]
    return [max(width, *(_longest(row[place], columns[place]) + 2 for row in cells))
            for place, width in enumerate(widths)]


def _longest(cell: str, column: tuple[str, str]) -> int:
    """How wide a cell is at least: connections are broken between two of them, as Keras does it."""
    return max(map(len, cell.split(" "))) if column == CONNECTED and cell != CONNECTED[0] else len(cell)


def _fitted(widths: list[int], total: int) -> list[int]:
    """Widths that sum up to `total`: all cut by the same, or each widened by its share."""
    spare, fitted = total - sum(widths), []
    for place, width in enumerate(widths):
        left = widths[place:]
        part = round(spare / len(left)) if spare < 0 else math.ceil(spare * width / sum(left))
        fitted.append(width + part)
        spare -= part
    return fitted


def _rule(left: str, fill: str, cross: str, right: str, widths: list[int]) -> str:
    return left + cross.join(fill * width for width in widths) + right


def _row(cells: Sequence[str], edge: str, widths: list[int], columns: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The lines of a row: one, or as many as its connections take."""
    align = {"left": str.ljust, "right": str.rjust, "center": str.center}
    broken = [textwrap.wrap(cell, width - 2, break_long_words=False, break_on_hyphens=False)
              if column == CONNECTED else [cell] for cell, width, column in zip(cells, widths, columns, strict=True)]
    for line in itertools.zip_longest(*broken, fillvalue=""):
        yield edge + edge.join(align[side](f" {cell} ", width) for cell, width, (_, side)
                               in zip(line, widths, columns, strict=True)) + edge


# -- rows -------------------------------------------------------------------------------------------------------------
class _Show(NamedTuple):
    """What rows show."""
    nested: bool
    trainable: bool
    connected: bool


def _rows(layer: Any, shape: Shapes, connections: str, show: _Show, depth: int) -> Iterator[list[str]]:
    """The cells of a layer, and where asked for of those inside it."""
    prefix = f"{'   ' * depth}└ " if depth else ""
    count = f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"
    kind = layer.kind if isinstance(layer, Function) else type(layer).__name__
    cells = [f"{prefix}{layer.name} ({kind})", "?" if shape is None else str(shape), count]
    if show.connected:
        cells.append(connections or "-")
    if show.trainable:
        cells.append(("Y" if layer.trainable else "N") if getattr(layer, "weights", ()) else "-")
    yield cells
    if show.nested:
        for inner, inner_shape in zip(_inside(layer), _shapes(layer), strict=True):
            yield from _rows(inner, inner_shape, "", show, depth + 1)


def _inside(model: Any) -> Sequence[Any]:
    """What a model consists of: of a graph its functions, too."""
    graph = getattr(model, "_graph", None)
    return getattr(model, "layers", ()) if graph is None else graph.operations


def _shapes(model: Any) -> list[Shapes]:
    """The output shape of each of `model.layers`; in a graph of each operation, as its last call gave it."""
    graph = getattr(model, "_graph", None)
    if graph is not None:
        return [shape_in(graph, one) for one in graph.operations]
    shape, found = getattr(model, "build_shape", None), []
    for layer in getattr(model, "layers", ()):
        shape = output_shape(layer, shape)
        found.append(shape)
    return found


def shape_in(graph: "Graph", operation: Any) -> Shapes:
    """What an operation of a graph gives, in its last call."""
    for tensor, layer in zip(graph.input_tensors, graph.input_layers, strict=True):
        if layer is operation:
            return tensor.shape
    outputs = graph.nodes_of(operation)[-1].outputs
    return outputs.shape if isinstance(outputs, KerasTensor) else nested.pack_like(
        outputs, [tensor.shape for tensor in nested.flatten(outputs)])


def output_shape(layer: Layer, input_shape: Shapes) -> Shape | None:
    """The layer's output shape: from the shape before it in a Sequential, else from what it was built for."""
    for shape in (input_shape, layer.build_shape):
        if layer.built and isinstance(shape, tuple):
            try:
                return tuple(layer.compute_output_shape(shape))
            except Exception:          # a subclass's call need not take zeros of this shape; the table says "?"
                continue
    return None


def _totals(model: Layer) -> Iterator[str]:
    trainable = sum(variable.size for variable in model.trainable_weights)
    others = sum(variable.size for variable in model.non_trainable_weights)
    optimizer = getattr(model, "optimizer", None)
    state = list(optimizer.variables) if optimizer is not None else []
    total = trainable + others + sum(tensor.size for tensor in state)
    yield f" Total params: {total:,} ({_size([*model.weights, *state])})"
    yield f" Trainable params: {trainable:,} ({_size(model.trainable_weights)})"
    yield f" Non-trainable params: {others:,} ({_size(model.non_trainable_weights)})"
    if state:
        yield f" Optimizer params: {sum(tensor.size for tensor in state):,} ({_size(state)})"


def _size(tensors: Iterable[Tensor]) -> str:
    """The memory of the tensors: `1.55 MB`."""
    count = float(sum(tensor.size * tensor.dtype.itemsize for tensor in tensors))
    unit = 0
    while count >= 1024 and unit < 4:
        count, unit = count / 1024, unit + 1
    return f"{count:.2f} {('B', 'KB', 'MB', 'GB', 'TB')[unit]}"
