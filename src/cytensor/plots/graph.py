"""`plot_graph` and `graph_text`: what a tape recorded, forward with values and backward with derivatives."""
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cytensor.plots import figures
from cytensor.plots.computation import Inputs, Node, graph_of, number, written
from cytensor.plots.diagram import INK, LARGEST, LINE, MARGIN, PAD, _text_width
from cytensor.plots.layered import Edge, Placed, place
from cytensor.types import Path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FILLS = {"input": "#fdf3d8", "constant": "#f8f9fb", "op": "#eceef1", "layer": "#dceaf8"}
DIRECTIONS = ("both", "forward", "backward")
MOST = 300                     # boxes of one picture
HEAD = 26                      # height of the title over each direction, in points


def plot_graph(source: Any, inputs: Inputs = None, *, target: Any = None, direction: str = "both",
               fold: bool | None = None, title: str | None = None, path: Path | None = None) -> "Figure":
    """Draw the computation that a tape recorded, or that a function makes of `inputs`; returns the figure.

    source: a GradientTape whose gradient was not taken or that is persistent, or a function of tensors that gives one.
    inputs: of a function its arguments, in a list or by name in a dictionary; of a tape the tensors that get a name in
    the picture, likewise. target: what was computed, by default the last tensor on the tape. direction: "forward"
    shows each value; "backward" the derivative on each edge and at each node d target / d value, of scalars as the
    product along the path too; "both" one above the other. Where an op's output is no scalar, an edge stands for the
    derivative of its sum. fold: whether the ops of a layer are one box; by default from 25 ops on. path: a file to
    write as well. The layout is Graphviz's where `dot` is installed, else grandalf's (extra `graph`).
    Raises TypeError for what is no tape or function, ValueError for a tape without records or that was used up, a
    target or tensor that is not on it, RuntimeError where a value was overwritten since, ImportError without
    matplotlib.

    >>> import cytensor as ct
    >>> w, b = ct.Variable(3.0), ct.Variable(1.0)
    >>> figure = ct.plots.plot_graph(lambda w, b: ct.abs(4.0 - (2.0 * w + b)), [w, b])
    >>> "d output / d w\\n= −1 · −1 · 1 · 2\\n= 2" in [text.get_text() for text in figure.axes[0].texts]
    True
    """
    op = "plot_graph"
    figures.load_matplotlib(op)
    if direction not in DIRECTIONS:
        raise ValueError(f"{op}: direction must be one of {', '.join(DIRECTIONS)}; got {direction!r}")
    nodes = graph_of(op, source, inputs, target, fold)
    if len(nodes) > MOST:
        raise ValueError(f"{op}: at most {MOST} boxes can be drawn; got {len(nodes)}; use fold=True, another target, "
                         "or graph_text")
    figure = figures.new_figure(op, 1, 1, layout="none")
    width_of = _text_width(figure)
    parts = []
    for each in ("forward", "backward") if direction == "both" else (direction,):
        captions = [_caption(node, nodes[-1].name, each) for node in nodes]
        edges = [Edge(before, number, _on_edge(node, nodes[before], derivative) if each == "backward" else "")
                 for number, node in enumerate(nodes) for before, derivative in node.inputs]
        sizes = [_size(text, width_of) for text in captions]
        labels = [(width_of(edge.label, figures.SMALL) + 8, LINE + 2.0) for edge in edges]
        parts.append((each, captions, sizes, edges, place(op, sizes, edges, labels)))
    _draw_parts(figure, nodes, parts, title)
    side = max(figure.get_size_inches())
    return figures.save(op, figure, path, min(150, LARGEST / side))


def graph_text(source: Any, inputs: Inputs = None, *, target: Any = None, fold: bool | None = None) -> str:
    """What `plot_graph` draws, as text for a terminal; needs no matplotlib. Arguments and errors are the same.

    >>> import cytensor as ct
    >>> w, b = ct.Variable(3.0), ct.Variable(1.0)
    >>> print(ct.plots.graph_text(lambda w, b: ct.abs(4.0 - (2.0 * w + b)), [w, b]))
    forward
      w                       = 3
      v1 = multiply(2, w)     = 6
      b                       = 1
      v2 = add(v1, b)         = 7
      v3 = subtract(4, v2)    = −3
      output = abs(v3)        = 3
    backward
      d output / d output     = 1
      d output / d v3         = −1
      d output / d v2         = −1 · −1 = 1
      d output / d b          = −1 · −1 · 1 = 1
      d output / d v1         = −1 · −1 · 1 = 1
      d output / d w          = −1 · −1 · 1 · 2 = 2
    """
    nodes = graph_of("graph_text", source, inputs, target, fold)
    last = nodes[-1].name
    lines = []
    for node in nodes:
        if _is_written_out(node):
            continue
        arguments = ", ".join(_argument(nodes[before]) for before in node.operands)
        lines.append((node.name if not node.op else f"{node.name} = {node.op}({arguments})", written(node.value)))
    back = []
    for node in nodes[::-1]:
        if node.gradient is not None:
            value = written(node.gradient)
            back.append((f"d {last} / d {node.name}",
                         f"{node.products} = {value}" if " " in node.products else value))
    wide = max(len(left) for left, _ in (*lines, *back)) + 4
    forward = [f"  {left:{wide}}= {right}" for left, right in lines]
    return "\n".join(["forward", *forward, "backward", *(f"  {left:{wide}}= {right}" for left, right in back)])


def _argument(node: Node) -> str:
    return written(node.value) if _is_written_out(node) else node.name


def _is_written_out(node: Node) -> bool:
    """Whether a node is a constant number, which stands where it is used."""
    return bool(node.kind == "constant" and node.value.size == 1)


def _on_edge(node: Node, before: Node, derivative: Any) -> str:
    """The derivative, where it is a number; else the shape of what goes back. Nothing where nothing does."""
    if derivative is not None and derivative.size == 1 == node.value.size:
        return number(derivative)
    goes_back = before.gradient is not None and (derivative is not None or node.kind == "layer")
    return f"{before.gradient.shape}" if goes_back else ""


# -- what is written, and how large it is -----------------------------------------------------------------------------
def _caption(node: Node, target: str, direction: str) -> tuple[str, str]:
    """The title of a box, and what stands below it."""
    title = figures.shorten(node.op or node.name, 32)
    if node.kind == "constant":
        title = "constant"
    named = node.op and not node.name.startswith("v")
    title = f"{figures.shorten(node.name, 32)}: {title}" if named else title
    if direction == "forward":
        return title, written(node.value)
    if node.gradient is None:
        return title, "no derivative"
    lines = [f"d {target} / d {node.name}"]
    if " " in node.products:
        lines.append(f"= {node.products}")
    return title, "\n".join([*lines, f"= {written(node.gradient)}"])


def _size(caption: tuple[str, str], width_of: Any) -> tuple[float, float]:
    lines = caption[1].split("\n")
    wide = max(width_of(caption[0], figures.LABEL, "bold"), *(width_of(line, figures.SMALL) for line in lines))
    return max(wide, 40) + 2 * PAD, LINE * (1 + len(lines)) + 1.5 * PAD


# -- drawing ----------------------------------------------------------------------------------------------------------
def _draw_parts(figure: "Figure", nodes: Sequence[Node], parts: Sequence[Any], title: str | None) -> None:
    """The directions one above the other, on a figure exactly as large as they are."""
    bounds = [_bounds(placed, sizes) for _, _, sizes, _, placed in parts]
    width = max(max(high[0] - low[0] for low, high in bounds), 150) + 2 * MARGIN
    height = sum(high[1] - low[1] + HEAD + 2 * MARGIN for low, high in bounds)
    figure.set_size_inches(width / 72, height / 72)
    top_title = figures.headline(figure, title) * 72
    figure.set_size_inches(width / 72, (height + top_title) / 72)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height + top_title))
    axes.set_axis_off()
    top = height
    for (direction, captions, sizes, edges, placed), (low, high) in zip(parts, bounds, strict=True):
        axes.text(MARGIN, top - HEAD / 2, direction, fontsize=figures.TITLE, va="center", fontweight="bold")
        base = top - HEAD - MARGIN - (high[1] - low[1])
        shift = (MARGIN - low[0], base - low[1])
        for place_, edge in enumerate(edges):
            _draw_edge(axes, edge, placed, place_, shift, direction == "backward")
        for node, caption, size, middle in zip(nodes, captions, sizes, placed.boxes, strict=True):
            _draw_box(axes, node.kind, caption, size, (middle[0] + shift[0], middle[1] + shift[1]))
        top = base - MARGIN


def _bounds(placed: Placed, sizes: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], tuple[float, float]]:
    corners = [(x + sign * w / 2, y + sign * h / 2)
               for (x, y), (w, h) in zip(placed.boxes, sizes, strict=True) for sign in (-1, 1)]
    corners += [point for route in placed.routes for point in route]
    corners += [(x + sign * 18, y + sign * LINE) for x, y in placed.labels for sign in (-1, 1)]
    return (min(x for x, _ in corners), min(y for _, y in corners)), \
        (max(x for x, _ in corners), max(y for _, y in corners))


def _draw_box(axes: "Axes", kind: str, caption: tuple[str, str], size: tuple[float, float],
              middle: tuple[float, float]) -> None:
    from matplotlib.patches import FancyBboxPatch

    (width, height), (x, y) = size, middle
    axes.add_patch(FancyBboxPatch((x - width / 2, y - height / 2), width, height,
                                  boxstyle="round,pad=0,rounding_size=5", facecolor=FILLS[kind],
                                  edgecolor=figures.GREY, linewidth=1.0, zorder=2))
    lines = caption[1].count("\n") + 1
    axes.text(x, y + LINE * lines / 2, caption[0], ha="center", va="center", color=INK, fontsize=figures.LABEL,
              fontweight="bold", parse_math=False, zorder=3)
    axes.text(x, y - LINE / 2, caption[1], ha="center", va="center", color=INK, fontsize=figures.SMALL,
              parse_math=False, zorder=3, linespacing=1.15)


def _draw_edge(axes: "Axes", edge: Edge, placed: Placed, place_: int, shift: tuple[float, float],
               backward: bool) -> None:
    """An arrow; backward it leads from what was computed to what it was computed from."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path as Line

    points = [(x + shift[0], y + shift[1]) for x, y in placed.routes[place_]]
    codes = [Line.MOVETO, *[Line.LINETO] * (len(points) - 1)]
    if placed.curved:                          # dot's curve, and the straight piece to the tip of the arrow
        codes = [Line.MOVETO, *[Line.CURVE4] * (len(points) - 2), Line.LINETO]
    leads = not backward or edge.label
    axes.add_patch(FancyArrowPatch(path=Line(points, codes), mutation_scale=11, linewidth=1.3, zorder=1,
                                   arrowstyle="-" if not leads else "<|-" if backward else "-|>",
                                   linestyle="-" if leads else ":",
                                   color=figures.ORANGE if backward and leads else figures.GREY))
    if edge.label:
        x, y = placed.labels[place_]
        axes.text(x + shift[0], y + shift[1], edge.label, ha="center", va="center", fontsize=figures.SMALL,
                  fontweight="bold", parse_math=False, zorder=4)
