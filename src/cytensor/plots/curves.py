"""Learning curves: what `history.plot()` draws, one pair of axes for each quantity of the logs."""
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from cytensor.plots import figures
from cytensor.types import Array, Path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cytensor.callbacks import History

COLUMNS = 3
SIZE = (4.3, 2.9)              # of one pair of axes, in inches
HEIGHT = 2.0 * 72              # of its drawing area in points, about; labels are kept apart by it
LOG_FROM = 100                 # the ratio of largest to smallest value from which the axis is logarithmic
DOTS_UP_TO = 30                # epochs that are still marked one by one


# What it shows, its colour, the epochs (n,), the values (n,) or (n, parts).
Line: TypeAlias = tuple[str, str, Array, Array]


def plot_history(history: "History", path: Path | None = None, quantities: str | Sequence[str] | None = None,
                 title: str | None = None, validation_name: str = "validation") -> "Figure":
    """Draw the logs of training over the epochs, counted from 1: one pair of axes for each quantity.

    history: a History. path: a file to write as well. quantities: the names to draw, in that order; by default the
    loss, the metrics, then the learning rate. Values of validation share the axes of their quantity; a quantity whose
    values span a factor of 100 gets a logarithmic axis; where a value is not finite the line has a gap. Returns the
    figure. Raises ValueError for an empty history or an unknown name, ImportError without matplotlib.
    """
    op = "history.plot"
    if not hasattr(history, "history"):
        raise TypeError(f"{op}: history must be the History that fit returns; got {type(history).__name__}")
    figures.load_matplotlib(op)
    names = _quantities(op, history.history, quantities)
    columns = min(COLUMNS, len(names))
    rows = math.ceil(len(names) / columns)
    figure = figures.new_figure(op, SIZE[0] * columns + 0.5, SIZE[1] * rows)
    for place, name in enumerate(names):
        axes = figure.add_subplot(rows, columns, place + 1)
        _draw_quantity(axes, history, name, validation_name)
    figures.enlarge(figure, figures.headline(figure, title))
    return figures.save(op, figure, path)


def _quantities(op: str, logs: Mapping[str, Any], wanted: str | Sequence[str] | None) -> list[str]:
    """The names to draw; those of validation belong to the ones without `val_`."""
    names = dict.fromkeys(name.removeprefix("val_") for name in logs)
    if not names:
        raise ValueError(f"{op}: there must be at least one epoch; got an empty history")
    if wanted is None:
        order = {"loss": -1, "learning_rate": 1}
        return sorted(names, key=lambda name: order.get(name, 0))
    wanted = [wanted] if isinstance(wanted, str) else list(wanted)
    unknown = [name for name in wanted if name not in names]
    if unknown or not wanted:
        raise ValueError(f"{op}: quantities must be names of {', '.join(names)}; got {wanted}")
    return wanted


def _draw_quantity(axes: "Axes", history: "History", name: str, validation_name: str) -> None:
    lines = []                 # (what, colour, epochs, values)
    for key, what, colour in ((name, "training", figures.BLUE), (f"val_{name}", validation_name, figures.ORANGE)):
        if key in history.history:
            lines.append((what, colour, *_series(history, key)))
    for _, colour, epochs, values in lines:
        marker = "o" if len(epochs) <= DOTS_UP_TO else None
        axes.plot(epochs, values, color=colour, marker=marker, markersize=3.5, linewidth=1.6)
    everything = np.concatenate([values.ravel() for *_, values in lines])
    everything = everything[np.isfinite(everything)]
    logarithmic = everything.size > 0 and 0 < everything.min() * LOG_FROM <= everything.max()
    if logarithmic:
        axes.set_yscale("log")
    scale = " (log scale)" if logarithmic else ""
    axes.set_title(figures.shorten(name.replace("_", " "), 40 - len(scale)) + scale, fontsize=figures.TITLE, loc="left",
                   parse_math=False)
    axes.set_xlabel("epoch", fontsize=figures.LABEL)
    axes.margins(y=0.08)
    _number_epochs(axes, max(int(epochs[-1]) for _, _, epochs, _ in lines))
    figures.bare(axes)
    axes.grid(axis="y", color=figures.GREY, alpha=0.25, linewidth=0.6)
    _label_ends(axes, lines)


def _series(history: "History", key: str) -> tuple[Array, Array]:
    """(epochs from 1, values (epochs,) or (epochs, parts)) of one name of the logs, nan where not finite."""
    values = np.array([np.asarray(value, np.float64) for value in history.history[key]])
    epochs = np.array(history.epochs_of(key)) + 1
    return epochs, np.where(np.isfinite(values), values, np.nan)


def _number_epochs(axes: "Axes", last: int) -> None:
    """The first epoch and round numbers below the axis, and room around a single epoch."""
    step = next(digit * power for power in (10 ** i for i in range(20)) for digit in (1, 2, 5)
                if last <= 7 * digit * power)
    axes.set_xticks(([1] if step > 2 else []) + list(range(step, last + 1, step)))
    room = 0.5 if last == 1 else 0.03 * (last - 1)
    axes.set_xlim(1 - room, last + room)


def _label_ends(axes: "Axes", lines: list[Line]) -> None:
    """Name each line right of its end, with its last value, instead of in a legend."""
    low, high = axes.get_ylim()
    to_points = axes.transScale.transform
    scale = HEIGHT / (to_points((1, high))[1] - to_points((1, low))[1])
    labels = []                # (height above the lower edge in points, text, colour, value)
    for what, colour, _, values in lines:
        ends = [column[np.isfinite(column)][-1:] for column in np.atleast_2d(values.T)]
        ends = [float(end[0]) for end in ends if len(end)]
        if ends:
            middle = float(np.mean(ends))
            text = f"{middle:.4g}" if len(ends) == 1 else f"mean {middle:.4g}"
            text = f"{what}\n{text}" if len(lines) > 1 else text
            height = (to_points((1, middle))[1] - to_points((1, low))[1]) * scale
            labels.append((height, text, colour, middle))
    apart = 2.6 * figures.SMALL
    shifts = [0.0] * len(labels)
    if len(labels) == 2 and abs(labels[0][0] - labels[1][0]) < apart:
        push = (apart - abs(labels[0][0] - labels[1][0])) / 2
        shifts = [push, -push] if labels[0][0] >= labels[1][0] else [-push, push]
    for shift, (_, text, colour, value) in zip(shifts, labels, strict=True):
        axes.annotate(text, (1, value), xycoords=("axes fraction", "data"), xytext=(5, shift),
                      textcoords="offset points", color=colour, fontsize=figures.SMALL, va="center",
                      annotation_clip=False, parse_math=False)
