"""`plot_model`: the layers of a model as boxes with arrows, drawn with matplotlib alone.

A model is first turned into blocks (what is written, what is inside), then every block is measured and placed, then
drawn. All lengths are points: the figure is exactly as large as its blocks.
"""
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cytensor.models import summary
from cytensor.plots import figures
from cytensor.types import Path, Shapes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cytensor.layers import Layer
    from cytensor.models import Model

GAP, PAD, LINE = 22, 8, 13             # between blocks (room for an arrow), inside them, height of a line of text
MARGIN = 10
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
    chained: bool = True               # whether arrows lead from each inner block to the next
    size: tuple[float, float] = (0.0, 0.0)


def plot_model(model: "Model", to_file: Path | None = "model.png", show_shapes: bool = False, show_dtype: bool = False,
               show_layer_names: bool = False, rankdir: str = "TB", expand_nested: bool = False, dpi: float = 200,
               show_layer_activations: bool = False, show_trainable: bool = False) -> "Figure":
    """Draw the layers of a model; returns the figure.

    to_file: the file to write, or None for none. show_...: what the boxes tell beside the type of the layer.
    rankdir: where the arrows lead, "TB" (down), "BT", "LR" or "RL". expand_nested: show the layers of models inside
    the model. A model with its own `call` shows its layers without arrows, since their order is known to the call
    alone. Raises TypeError for what is no model, ValueError for another rankdir or an unbuilt model without layers,
    ImportError without matplotlib.
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
    if type(model.build_shape) is tuple and outer.chained:
        shape = f"{model.build_shape}" if show_shapes else ""
        outer.inside.insert(0, Block("Input", [shape] if shape else [], "input"))
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
    chained = hasattr(model, "add")
    blocks = []
    for layer in model.layers:
        before = shape if chained else layer.build_shape
        shape = summary.output_shape(layer, before)
        if expand_nested and getattr(layer, "layers", None):
            blocks.append(_group(layer, before, shows, True))
        else:
            blocks.append(_layer(layer, before, shape, shows))
    name = figures.shorten(model.name, 40)
    return Block(f"{name} ({type(model).__name__})", [], "group", blocks, chained)


def _layer(layer: "Layer", before: Shapes, after: Shapes, shows: dict[str, bool]) -> Block:
    """One layer and what the arguments ask to know of it."""
    lines = [figures.shorten(layer.name, 40)] if shows["names"] else []
    activation = getattr(layer, "activation", None)
    if shows["activations"] and activation is not None:
        lines.append(f"activation {getattr(activation, '__name__', type(activation).__name__)}")
    if shows["shapes"]:
        lines.append(" → ".join("?" if shape is None else str(shape) for shape in (before, after)))
    if shows["dtype"]:
        lines.append(layer.dtype.name)
    if shows["trainable"] and layer.weights:
        lines.append("trainable" if layer.trainable else "not trainable")
    return Block(figures.shorten(type(layer).__name__, 40), lines, "weights" if layer.weights else "plain")


# -- how large it is --------------------------------------------------------------------------------------------------
def _text_width(figure: "Figure") -> Callable[..., float]:
    """A function (text, size, weight) -> its width in points."""
    from matplotlib.font_manager import FontProperties

    canvas: Any = figure.canvas            # Agg's, which has a renderer
    renderer = canvas.get_renderer()
    scale = 72 / figure.dpi

    def width(text: str, size: float, weight: str = "normal") -> float:
        font = FontProperties(size=size, weight=weight)
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
    wide, tall = ([inner.size[i] for inner in block.inside] for i in (0, 1))
    gaps = GAP * (len(block.inside) - 1)
    width, height = (sum(wide) + gaps, max(tall)) if sideways else (max(wide), sum(tall) + gaps)
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
    """Place the blocks of a group one after another, and join them by arrows where they are a chain."""
    width, height = block.size[0], block.size[1] - LINE - PAD / 2
    sideways = rankdir in ("LR", "RL")
    inner = block.inside if rankdir in ("LR", "BT") else block.inside[::-1]     # from the left, or from below
    at = (x if sideways else y) + PAD
    if sideways:               # centred along the row where the title is the widest part
        at += (width - 2 * PAD - sum(part.size[0] for part in inner) - GAP * (len(inner) - 1)) / 2
    ends = []                  # of the gaps between the blocks
    for part in inner:
        across = (height - part.size[1]) / 2 + y if sideways else (width - part.size[0]) / 2 + x
        left, lower = (at, across) if sideways else (across, at)
        _draw(axes, part, left, lower, rankdir)
        length = part.size[0 if sideways else 1]
        ends.append((at, at + length))
        at += length + GAP
    if not block.chained:
        return
    middle = y + height / 2 if sideways else x + width / 2
    for (_, before), (after, _) in itertools.pairwise(ends):
        start, stop = (before, after) if rankdir in ("LR", "BT") else (after, before)
        _arrow(axes, *(((start, middle), (stop, middle)) if sideways else ((middle, start), (middle, stop))))


def _arrow(axes: "Axes", start: tuple[float, float], stop: tuple[float, float]) -> None:
    axes.annotate("", stop, start, arrowprops={"arrowstyle": "-|>", "color": figures.GREY, "linewidth": 1.3,
                                               "shrinkA": 1, "shrinkB": 1, "mutation_scale": 11})
