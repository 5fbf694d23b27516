"""`plot_model`: the layers of a model as boxes with arrows, drawn with matplotlib alone.

A model is first turned into blocks (what is written, what is inside, in which rows), then every block is measured and
placed, then drawn. A chain has rows of one; a graph has those together in a row from which the way to the outputs is
equally long. All lengths are points: the figure is exactly as large as its blocks.
"""
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cytensor.layers.shaping import InputLayer
from cytensor.models import summary
from cytensor.plots import figures, glyphs
from cytensor.symbolic import Function
from cytensor.types import Path, Shapes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cytensor.models import Model
    from cytensor.models.graph import Graph

GAP, PAD, LINE = 22, 8, 13             # between blocks (room for an arrow), inside them, height of a line of text
MARGIN, LANE = 10, 12                  # around everything; for arrows past a row, beside it
LARGEST = 30_000                       # pixels along one side of a picture
DIRECTIONS = ("TB", "BT", "LR", "RL")
FILLS = {"input": "#fdf3d8", "weights": "#dceaf8", "plain": "#eceef1", "group": "#f8f9fb"}
INK = "#1f2a36"


@dataclass
class Block:
    """A layer, or a group of blocks drawn around what is inside it."""
    title: str
    lines: list[str]
    kind: str
    inside: "list[Block]" = field(default_factory=list)
    rows: list[list[int]] = field(default_factory=list)        # places in `inside`, from the inputs to the outputs
    arrows: list[tuple[int, int]] = field(default_factory=list)        # from one place to another
    size: tuple[float, float] = (0.0, 0.0)


def plot_model(model: "Model", to_file: Path | None = "model.png", show_shapes: bool = False, show_dtype: bool = False,
               show_layer_names: bool = False, rankdir: str = "TB", expand_nested: bool = False, dpi: float = 200,
               show_layer_activations: bool = False, show_trainable: bool = False) -> "Figure":
    """Draw the layers of a model; returns the figure.

    to_file: the file to write, or None for none. show_...: what the boxes tell beside the type of the layer. rankdir:
    where the arrows lead, "TB" (down), "BT", "LR" or "RL". expand_nested: show the layers of models inside the model. A
    model with its own `call` shows its layers without arrows, since their order is known to the call alone. Of a graph
    the functions are shown, too. Raises TypeError for what is no model, ValueError for another rankdir or an unbuilt
    model without layers, ImportError without matplotlib.
    """
    op = "plot_model"
    figures.load_matplotlib(op)
    if not hasattr(model, "summary"):
        raise TypeError(f"{op}: model must be a Model; got {type(model).__name__}")
    if rankdir not in DIRECTIONS:
        raise ValueError(f"{op}: rankdir must be one of {', '.join(DIRECTIONS)}; got {rankdir!r}")
    if not model.layers:
        raise ValueError(f"{op}: there must be at least one layer; '{model.name}' has none")
    shows = {"shapes": show_shapes, "dtype": show_dtype, "names": show_layer_names,
             "activations": show_layer_activations, "trainable": show_trainable}
    outer = _group(model, model.build_shape, shows, expand_nested)
    if type(model.build_shape) is tuple and hasattr(model, "add"):
        shape = f"{model.build_shape}" if show_shapes else ""
        outer = _chain(outer, [Block("Input", [shape] if shape else [], "input"), *outer.inside], True)
    figure = figures.new_figure(op, 1, 1, layout="none")
    _measure(outer, _text_width(figure), rankdir in ("LR", "RL"))
    width, height = (length + 2 * MARGIN for length in outer.size)
    figure.set_size_inches(width / 72, height / 72)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))
    axes.set_axis_off()
    _draw(axes, outer, MARGIN, MARGIN, rankdir)
    return figures.save(op, figure, to_file, min(dpi, LARGEST * 72 / max(width, height)))


# -- what to show -----------------------------------------------------------------------------------------------------
def _group(model: Any, shape: Shapes, shows: dict[str, bool], expand_nested: bool) -> Block:
    """A model and its layers."""
    graph = getattr(model, "_graph", None)
    title = f"{figures.shorten(model.name, 40)} ({type(model).__name__})"
    if graph is not None:
        return _of_graph(title, graph, shows, expand_nested)
    chained = hasattr(model, "add")
    blocks = []
    for layer in model.layers:
        before = shape if chained else layer.build_shape
        shape = summary.output_shape(layer, before)
        blocks.append(_layer_or_group(layer, before, shape, shows, expand_nested))
    return _chain(Block(title, [], "group"), blocks, chained)


def _chain(group: Block, blocks: list[Block], chained: bool) -> Block:
    """A group of blocks one behind the other, with arrows between them where they are chained."""
    count = len(blocks)
    return Block(group.title, group.lines, "group", blocks, [[place] for place in range(count)],
                 [(place, place + 1) for place in range(count - 1)] if chained else [])


def _of_graph(title: str, graph: "Graph", shows: dict[str, bool], expand_nested: bool) -> Block:
    """The operations of a graph, in rows by how far they are from the outputs."""
    operations = graph.operations
    places = {id(one): place for place, one in enumerate(operations)}
    depths: dict[int, int] = dict.fromkeys(range(len(operations)), 0)
    arrows: dict[tuple[int, int], None] = {}
    for node, depth in zip(graph.order.nodes, graph.order.depths, strict=True):
        place = places[id(node.operation)]
        depths[place] = max(depths[place], depth)
        for tensor in node.inputs if node.operation not in graph.input_layers else ():
            arrows[places[id(graph.owner_of(tensor))], place] = None
    for start, stop in arrows:             # an input where the graph was cut has no node of its own
        depths[start] = max(depths[start], depths[stop] + (start != stop))
    rows: dict[int, list[int]] = {}
    for place, depth in depths.items():
        rows.setdefault(-depth, []).append(place)
    blocks = [_layer_or_group(one, *_shapes_around(graph, one), shows, expand_nested) for one in operations]
    return Block(title, [], "group", blocks, [rows[depth] for depth in sorted(rows)],
                 [arrow for arrow in arrows if arrow[0] != arrow[1]])


def _shapes_around(graph: "Graph", operation: Any) -> tuple[Shapes, Shapes]:
    """What an operation of a graph takes and gives, in its last call."""
    after = summary.shape_in(graph, operation)
    if operation in graph.input_layers:
        return after, after
    shapes = [tensor.shape for tensor in graph.nodes_of(operation)[-1].inputs]
    return shapes if len(shapes) > 1 else shapes[0], after


def _layer_or_group(layer: Any, before: Shapes, after: Shapes, shows: dict[str, bool], expand_nested: bool) -> Block:
    if expand_nested and getattr(layer, "layers", None):
        return _group(layer, before, shows, True)
    return _layer(layer, before, after, shows)


def _layer(layer: Any, before: Shapes, after: Shapes, shows: dict[str, bool]) -> Block:
    """One layer, or a function of a graph, and what the arguments ask to know of it."""
    lines = [figures.shorten(layer.name, 40)] if shows["names"] else []
    activation = getattr(layer, "activation", None)
    if shows["activations"] and activation is not None:
        lines.append(f"activation {getattr(activation, '__name__', type(activation).__name__)}")
    if shows["shapes"]:
        lines.append(" → ".join("?" if shape is None else str(shape) for shape in (before, after)))
    if isinstance(layer, Function):
        return Block(figures.shorten(layer.kind, 40), lines, "plain")
    if shows["dtype"]:
        lines.append(layer.dtype.name)
    if shows["trainable"] and layer.weights:
        lines.append("trainable" if layer.trainable else "not trainable")
    kind = "input" if isinstance(layer, InputLayer) else "weights" if layer.weights else "plain"
    return Block(figures.shorten(type(layer).__name__, 40), lines, kind)


# -- how large it is --------------------------------------------------------------------------------------------------
def _text_width(figure: "Figure") -> Callable[..., float]:
    """A function (text, size, weight) -> its width in points."""
    from matplotlib.font_manager import FontProperties

    canvas: Any = figure.canvas            # Agg's, which has a renderer
    renderer = canvas.get_renderer()
    scale = 72 / figure.dpi

    def width(text: str, size: float, weight: str = "normal") -> float:
        font = FontProperties(size=size, weight=weight)
        font.set_family(glyphs.families(text, font.get_family()))
        return float(renderer.get_text_width_height_descent(text, font, ismath=False)[0] * scale)
    return width


def _measure(block: Block, text_width: Callable[..., float], sideways: bool) -> None:
    """Set the size of a block and of those inside it."""
    widest = max([text_width(block.title, figures.LABEL, "bold"),
                  *(text_width(line, figures.SMALL) for line in block.lines)]) + 2 * PAD
    if not block.inside:
        block.size = (max(widest, 70), LINE * (1 + len(block.lines)) + 1.5 * PAD)
        return
    for inner in block.inside:
        _measure(inner, text_width, sideways)
    flow = 0 if sideways else 1            # along which the rows follow one another
    rows = [[block.inside[place].size for place in row] for row in block.rows]
    along = sum(max(size[flow] for size in row) for row in rows) + GAP * (len(rows) - 1)
    across = max(sum(size[1 - flow] for size in row) + GAP * (len(row) - 1) for row in rows)
    across += 2 * LANE * bool(_long_arrows(block))
    width, height = (along, across) if sideways else (across, along)
    block.size = (max(width + 2 * PAD, widest), height + 2 * PAD + LINE + PAD / 2)


# -- drawing ----------------------------------------------------------------------------------------------------------
def _draw(axes: "Axes", block: Block, x: float, y: float, rankdir: str) -> None:
    """Draw a block with its lower left corner at (x, y), and what is inside it."""
    from matplotlib.patches import FancyBboxPatch

    width, height = block.size
    group = bool(block.inside)
    axes.add_patch(FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0,rounding_size=5",
                                  facecolor=FILLS[block.kind], edgecolor=figures.GREY,
                                  linewidth=1.0, linestyle="--" if group else "-"))
    top = y + height - PAD * 0.75 - LINE / 2
    for i, text in enumerate([block.title, *block.lines]):
        axes.text(x + width / 2, top - i * LINE, text, ha="center", va="center", color=INK, parse_math=False,
                  fontsize=figures.SMALL if i else figures.LABEL, fontweight="normal" if i else "bold")
    if group:
        _draw_inside(axes, block, x, y, rankdir)


def _draw_inside(axes: "Axes", block: Block, x: float, y: float, rankdir: str) -> None:
    """Place the blocks of a group row by row, and draw its arrows."""
    sideways = rankdir in ("LR", "RL")
    flow = 0 if sideways else 1
    space = (block.size[0], block.size[1] - LINE - PAD / 2)
    heights = [max(block.inside[place].size[flow] for place in row) for row in block.rows]
    at = (space[flow] - sum(heights) - GAP * (len(heights) - 1)) / 2
    corners: dict[int, tuple[float, float]] = {}
    for row, height in zip(block.rows, heights, strict=True):
        sizes = [block.inside[place].size for place in row]
        across = (space[1 - flow] - sum(size[1 - flow] for size in sizes) - GAP * (len(row) - 1)) / 2
        for place, size in zip(row if flow else row[::-1], sizes if flow else sizes[::-1], strict=True):
            before = at + (height - size[flow]) / 2
            along = before if rankdir in ("LR", "BT") else space[flow] - before - size[flow]
            corners[place] = (x + along, y + across) if sideways else (x + across, y + along)
            _draw(axes, block.inside[place], *corners[place], rankdir)
            across += size[1 - flow] + GAP
        at += height + GAP
    around = _long_arrows(block)
    for start, stop in block.arrows:
        if (start, stop) not in around:
            _arrow(axes, [_end(corners[place], block.inside[place].size, rankdir, leaves)
                          for place, leaves in ((start, True), (stop, False))])
    for number, arrow in enumerate(around):
        _arrow(axes, _way_around(block, corners, arrow, 1 - flow, LANE * (0.5 + number / len(around) / 2)))


def _long_arrows(block: Block) -> list[tuple[int, int]]:
    """Those that go past a row."""
    row_of = {place: number for number, row in enumerate(block.rows) for place in row}
    return [(start, stop) for start, stop in block.arrows if row_of[stop] - row_of[start] > 1]


def _way_around(block: Block, corners: dict[int, tuple[float, float]], arrow: tuple[int, int], across: int,
                lane: float) -> list[tuple[float, float]]:
    """From the side of one block past the rows between to the side of another, `lane` points beside the widest."""
    row_of = {place: number for number, row in enumerate(block.rows) for place in row}
    between = [place for place, row in row_of.items() if row_of[arrow[0]] <= row <= row_of[arrow[1]]]
    edge = max(corners[place][across] + block.inside[place].size[across] for place in between) + lane
    ends = []
    for place in arrow:
        middle = [corner + length / 2 for corner, length in zip(corners[place], block.inside[place].size, strict=True)]
        middle[across] = corners[place][across] + block.inside[place].size[across]
        ends.append((middle[0], middle[1]))
    turns = [tuple(edge if axis == across else end[axis] for axis in (0, 1)) for end in ends]
    return [ends[0], (turns[0][0], turns[0][1]), (turns[1][0], turns[1][1]), ends[1]]


def _end(corner: tuple[float, float], size: tuple[float, float], rankdir: str, leaves: bool) -> tuple[float, float]:
    """The middle of the side of a block that an arrow leaves, or comes to."""
    far = leaves == (rankdir in ("LR", "BT"))
    if rankdir in ("LR", "RL"):
        return corner[0] + far * size[0], corner[1] + size[1] / 2
    return corner[0] + size[0] / 2, corner[1] + far * size[1]


def _arrow(axes: "Axes", points: Sequence[tuple[float, float]]) -> None:
    """An arrow along straight lines between points."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path as Line

    style: dict[str, Any] = {"arrowstyle": "-|>", "color": figures.GREY, "linewidth": 1.3, "mutation_scale": 11}
    if len(points) == 2:
        axes.add_patch(FancyArrowPatch(points[0], points[1], shrinkA=1, shrinkB=1, **style))
    else:
        axes.add_patch(FancyArrowPatch(path=Line(list(points)), **style))
