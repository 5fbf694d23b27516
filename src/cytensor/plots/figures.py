"""What every plot needs: matplotlib loaded late, a figure that shows itself in notebooks, saving, and the colours.

Backgrounds and the colour of plain text are the user's (matplotlib's rcParams); the colours below read well on both
light and dark ones.
"""
import functools
import io
import os
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING

from cytensor.plots import glyphs
from cytensor.saving.files import write_bytes
from cytensor.types import Path

if TYPE_CHECKING:
    from types import ModuleType

    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase
    from matplotlib.figure import Figure


BLUE, ORANGE, RED, GREY = "#3b7dc4", "#e08214", "#d6403a", "#8a8f98"
TITLE, LABEL, SMALL = 11, 9.5, 8.5             # sizes of text, in points


def load_matplotlib(op: str) -> "ModuleType":
    """matplotlib itself; ImportError with the command that installs it where it is missing."""
    try:
        import matplotlib
        import matplotlib.figure
    except ImportError as error:
        raise ImportError(f"{op}: drawing needs matplotlib, which is not installed; "
                          f'install it with: pip install "cytensor[plot]"') from error
    return matplotlib


@functools.cache
def _figure_class() -> "Callable[..., Figure]":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    class Plot(Figure):
        """A matplotlib figure that belongs to no window; in a notebook the last line of a cell shows it."""

        def draw(self, renderer: "RendererBase") -> None:
            glyphs.complete(self)
            super().draw(renderer)

        def _repr_png_(self) -> bytes:
            content = io.BytesIO()
            self.savefig(content, format="png", dpi=110)
            return content.getvalue()

    # Makes the canvas of a new figure; only this class, so no other figure of the process is concerned.
    return lambda **options: FigureCanvasAgg(Plot(**options)).figure


def new_figure(op: str, width: float, height: float, layout: str = "constrained") -> "Figure":
    """An empty figure of that size in inches."""
    load_matplotlib(op)
    return _figure_class()(figsize=(width, height), layout=layout)


def check_path(op: str, path: Path) -> None:
    """Raise unless a figure can be written to `path`: ValueError for its ending, FileNotFoundError for its folder."""
    load_matplotlib(op)
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"{op}: the path must be a string or a Path; got {path!r}")
    path = os.fspath(path)
    known = FigureCanvasAgg.get_supported_filetypes()
    ending = os.path.splitext(path)[1][1:].lower()
    if ending not in known:
        raise ValueError(f"{op}: the file must end with one of .{', .'.join(sorted(known))}; got '{path}'")
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"{op}: there is no folder '{folder}'")


def save(op: str, figure: "Figure", path: Path | None, dpi: float = 150) -> "Figure":
    """Write the figure where a path is given, complete or not at all; returns the figure."""
    if path is not None:
        check_path(op, path)
        content = io.BytesIO()
        figure.savefig(content, format=os.path.splitext(path)[1][1:].lower(), dpi=dpi)
        write_bytes(os.fspath(path), content.getbuffer())
    return figure


def headline(figure: "Figure", text: object) -> float:
    """A title over the whole figure, broken where it is longer than that is wide; returns its height in inches."""
    if not text:
        return 0.0
    lines = textwrap.wrap(str(text), max(int(figure.get_figwidth() / 0.095), 10))
    figure.suptitle("\n".join(lines), fontsize=TITLE + 1, parse_math=False)
    return 0.2 * len(lines) + 0.1


def enlarge(figure: "Figure", height: float) -> None:
    """Make a figure higher by that many inches."""
    figure.set_figheight(figure.get_figheight() + height)


def bare(axes: "Axes") -> None:
    """Take away the upper and right edge, and lighten the rest."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(labelsize=SMALL, color=GREY)


def shorten(text: object, longest: int = 24) -> str:
    """`text`, its middle left out where it is longer than `longest` characters."""
    text = str(text)
    if len(text) <= longest:
        return text
    head = (longest - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (longest - 1 - head):]}"
