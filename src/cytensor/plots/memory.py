"""`show_layout`: the cells of a tensor's memory, which of them the tensor shows, and in which order.

The cells are those of the tensor's storage, in the order of their addresses; where an element lies is told by offset
and strides alone, so slices, steps, transposes, broadcasts and windows are all drawn by the same few lines.
"""
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from cyops import Strided, as_strided
from cytensor.plots import figures
from cytensor.types import Array, Path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CELL = 0.46                    # side of one cell, in inches
MOST_CELLS, MOST_ELEMENTS, MOST_AXES = 1024, 1024, 4
ORDERS = 2                     # so many elements of one cell are numbered
DARK_BELOW = 0.55              # the brightness of a fill from which its text is dark
INK, PAPER = "#1f2a36", "#ffffff"


def show_layout(tensor: Strided, *, columns: int = 16, title: str | None = None, path: Path | None = None) -> "Figure":
    """Draw the memory behind a tensor and the tensor beside it; returns the figure.

    tensor: of at most 4 axes, 1024 elements and 1024 cells of memory. Above, every cell of its storage with the value
    in it and its place; a cell that the tensor shows is filled, the darker the earlier, and says below which elements
    it is, counted in the tensor's own order. Below, the tensor: axes from the last back are columns, rows, then columns
    and rows of such matrices; each element has the fill of its cell and the place in memory it comes from. columns:
    cells in a row of the memory. path: a file to write as well. Raises TypeError for what is no tensor, ValueError for
    more axes, elements or cells than that, ImportError without matplotlib.

    >>> import cytensor as ct
    >>> x = ct.arange(12).reshape((3, 4))
    >>> figure = ct.plots.show_layout(x[1:, ::-2])
    >>> figure.axes[0].get_title(loc="left")
    'memory: 12 cells of int64'
    """
    op = "show_layout"
    figures.load_matplotlib(op)
    if not isinstance(tensor, Strided):
        raise TypeError(f"{op}: needs a tensor; got {type(tensor).__name__}; make one with asarray")
    if isinstance(columns, bool) or not isinstance(columns, (int, np.integer)) or not 1 <= columns <= 64:
        raise ValueError(f"{op}: columns must be an int in [1, 64]; got {columns!r}")
    cells = tensor.storage.nbytes // tensor.dtype.itemsize
    if tensor.ndim > MOST_AXES or tensor.size > MOST_ELEMENTS or cells > MOST_CELLS:
        raise ValueError(f"{op}: at most {MOST_AXES} axes, {MOST_ELEMENTS} elements and {MOST_CELLS} cells of memory "
                         f"can be drawn; got shape {tensor.shape} on {cells} cells; take a slice and copy it")
    places = places_of(tensor)
    values = np.asarray(as_strided(tensor, (cells,), (1,), 0))
    columns = min(int(columns), max(cells, 1))
    rows = max(math.ceil(cells / columns), 1)
    corners, extent = _corners(places.shape)
    width = max(columns * CELL, extent[1] * CELL, 4.2) + 0.3
    figure = figures.new_figure(op, width, (rows + max(extent[0], 1)) * CELL * 1.15 + 1.2)
    upper, lower = figure.subplots(2, 1, height_ratios=(rows * 1.15, max(extent[0], 1) * 1.15))
    fills = _fills(places, cells)
    _title(upper, f"memory: {cells} cells of {tensor.dtype}")
    _draw_memory(upper, places, values, columns, fills)
    _title(lower, f"tensor: shape {tensor.shape}, strides {tensor.strides}, offset {tensor.offset}")
    _draw_elements(lower, places, values, corners, extent, fills)
    figures.enlarge(figure, figures.headline(figure, title))
    return figures.save(op, figure, path)


def places_of(tensor: Strided) -> Array:
    """In which cell of its storage each element lies: an array of the tensor's shape."""
    places = np.full(tensor.shape, tensor.offset, np.int64)
    for axis, (length, stride) in enumerate(zip(tensor.shape, tensor.strides, strict=True)):
        along = np.arange(length, dtype=np.int64) * stride
        places += along.reshape([-1 if other == axis else 1 for other in range(tensor.ndim)])
    return places


def _corners(shape: tuple[int, ...]) -> tuple[Array, tuple[float, float]]:
    """Where each element is drawn, (row, column) in cells from the upper left, and how far all of them reach."""
    outer_rows, outer_columns, rows, columns = (1,) * (MOST_AXES - len(shape)) + shape
    i, j, k, m = np.indices((outer_rows, outer_columns, rows, columns))
    apart = 0.6                # between two matrices
    corners = np.stack([i * (rows + apart) + k, j * (columns + apart) + m], -1).reshape(-1, 2)
    return corners, (outer_rows * (rows + apart) - apart, outer_columns * (columns + apart) - apart)


def _fills(places: Array, cells: int) -> list[Any]:
    """The colour of each cell: darker the earlier it is visited first; None where it never is."""
    from matplotlib import colormaps

    first: dict[int, int] = {}
    for order, place in enumerate(places.ravel().tolist()):
        first.setdefault(place, order)
    last = max(first.values(), default=0) or 1
    return [colormaps["cividis"](0.1 + 0.85 * first[cell] / last) if cell in first else None for cell in range(cells)]


def _ink(fill: Any) -> Any:
    """A colour for text that can be read on a fill; the user's own on none."""
    if fill is None:
        return figures.GREY
    return INK if np.dot(fill[:3], (0.299, 0.587, 0.114)) > DARK_BELOW else PAPER


def _title(axes: "Axes", text: str) -> None:
    axes.set_title(text, fontsize=figures.LABEL, loc="left", parse_math=False)
    axes.set_axis_off()
    axes.set_aspect("equal")


def _cell(axes: "Axes", row: float, column: float, value: str, fill: Any, above: str, below: str = "") -> None:
    """One square with its value, something small above that and below."""
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((column, -row - 1), 1, 1, facecolor="none" if fill is None else fill,
                             edgecolor=figures.GREY, linewidth=0.8))
    ink = _ink(fill)
    middle = column + 0.5
    axes.text(middle, -row - 0.5, value, ha="center", va="center", fontsize=figures.SMALL, color=ink, parse_math=False)
    for text, height in ((above, 0.17), (below, 0.84)):
        if text:
            axes.text(middle, -row - height, text, ha="center", va="center", fontsize=5.5, color=ink, parse_math=False)


def _draw_memory(axes: "Axes", places: Array, values: Array, columns: int, fills: list[Any]) -> None:
    orders: dict[int, list[int]] = {}
    for order, place in enumerate(places.ravel().tolist()):
        orders.setdefault(place, []).append(order)
    for place, value in enumerate(values):
        shown = orders.get(place, [])
        below = " ".join(f"#{order}" for order in shown[:ORDERS]) if len(shown) < 2 else \
            "#" + ",".join(map(str, shown[:ORDERS])) + ("…" if len(shown) > ORDERS else "")
        _cell(axes, place // columns, place % columns, _short(value), fills[place], str(place), below)
    axes.set(xlim=(-0.1, columns + 0.1), ylim=(-math.ceil(len(values) / columns) - 0.1, 0.1))


def _draw_elements(axes: "Axes", places: Array, values: Array, corners: Array, extent: tuple[float, float],
                   fills: list[Any]) -> None:
    for (row, column), place in zip(corners, places.ravel().tolist(), strict=True):
        _cell(axes, row, column, _short(values[place]), fills[place], f"@{place}")
    if not places.size:
        axes.text(0, -0.5, "no elements", fontsize=figures.SMALL, va="center")
    axes.set(xlim=(-0.1, max(extent[1], 4) + 0.1), ylim=(-max(extent[0], 1) - 0.1, 0.1))


def _short(value: Any) -> str:
    """A value in at most five characters or so."""
    if isinstance(value, (bool, np.bool_)):
        return "T" if value else "F"
    if isinstance(value, (complex, np.complexfloating)):
        return f"{value:.0f}"
    text = str(value) if isinstance(value, (int, np.integer)) else f"{float(value):.4g}"
    return (text if len(text) <= 5 else f"{float(value):.1e}").replace("-", "−")
