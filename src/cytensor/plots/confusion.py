"""`plot_confusion_matrix`: which classes are taken for which, as a coloured table."""
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from cytensor.plots import figures
from cytensor.plots.images import class_texts
from cytensor.plots.labels import confusion_matrix
from cytensor.types import Array, ArrayLike, Path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

NUMBERS_UP_TO = 25             # classes for which the counts are written into the cells
NAMES_UP_TO = 40               # and for which every class is named at the edges


def plot_confusion_matrix(labels: ArrayLike, predictions: ArrayLike | None = None,
                          class_names: Sequence[str] | None = None, *, normalize: bool = False,
                          title: str | None = None, path: Path | None = None) -> "Figure":
    """Draw how often each class was taken for each; returns the figure.

    labels, predictions: class numbers (n,), or one-hot rows or probabilities (n, classes); or labels alone, a matrix
    of `confusion_matrix`. Colours are shares of the true class, so that rare classes are seen; the cells hold counts,
    or with `normalize` the shares in percent. class_names: what to write for each class. path: a file to write as well.
    Raises as `confusion_matrix` does, and ImportError without matplotlib.
    """
    op = "plot_confusion_matrix"
    figures.load_matplotlib(op)
    matrix = as_matrix(op, labels, predictions)
    names = class_texts(op, len(matrix), class_names)
    side, edge = side_of(matrix), edge_of(names)
    figure = figures.new_figure(op, side + edge + 1.6, side + edge + 0.9)
    draw_confusion(figure, matrix, names, normalize)
    figures.enlarge(figure, figures.headline(figure, title))
    return figures.save(op, figure, path)


def as_matrix(op: str, labels: ArrayLike, predictions: ArrayLike | None) -> Array:
    """The matrix of counts, (classes, classes) int64."""
    if predictions is not None:
        return confusion_matrix(labels, predictions)
    matrix = np.asarray(labels)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.size == 0 or matrix.dtype.kind not in "iu":
        raise ValueError(f"{op}: without predictions, labels must be a square matrix of counts; "
                         f"got {matrix.dtype} {matrix.shape}")
    return matrix


def side_of(matrix: Array) -> float:
    """The width of the coloured square in inches: cells wide enough for their numbers."""
    digits = len(f"{matrix.max():,}")
    cell = max(0.3, 0.095 * digits + 0.1) if len(matrix) <= NUMBERS_UP_TO else 0.17
    return float(np.clip(cell * len(matrix), 2.5, 12.0))


def edge_of(names: Sequence[str]) -> float:
    """The room that the names of the classes take, in inches."""
    return 0.08 * max(map(len, names)) if len(names) <= NAMES_UP_TO else 0.3


def draw_confusion(figure: "Figure | SubFigure", matrix: Array, names: Sequence[str], normalize: bool = False) -> None:
    """The table with its colour bar, on an empty figure or part of one."""
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    samples = matrix.sum(axis=1, keepdims=True)
    shares = matrix / np.maximum(samples, 1)
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if len(matrix) <= NUMBERS_UP_TO:
        _write_numbers(axes, matrix, shares, normalize)
    if len(matrix) <= NAMES_UP_TO:
        upright = max(map(len, names)) > side_of(matrix) / len(matrix) / 0.085     # wider than a cell
        axes.set_xticks(range(len(names)), names, rotation=90 if upright else 0, parse_math=False)
        axes.set_yticks(range(len(names)), names, parse_math=False)
    else:
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(integer=True, nbins=10))
    axes.tick_params(labelsize=figures.SMALL, length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted class", fontsize=figures.LABEL)
    axes.set_ylabel("true class", fontsize=figures.LABEL)
    axes.set_title(_outcome(matrix), fontsize=figures.TITLE)
    bar = figure.colorbar(image, ax=axes, shrink=0.75, pad=0.02, format=PercentFormatter(1.0))
    bar.set_label("share of the true class", fontsize=figures.LABEL)
    bar.ax.tick_params(labelsize=figures.SMALL, length=0)
    bar.outline.set_visible(False)


def _write_numbers(axes: "Axes", matrix: Array, shares: Array, normalize: bool) -> None:
    """The count of each cell, or its share of the row in percent; nothing where nothing was counted."""
    for row, column in np.argwhere(matrix):
        share = shares[row, column]
        text = f"{100 * share:.0f} %" if normalize else f"{matrix[row, column]:,}"
        axes.text(column, row, text, ha="center", va="center", fontsize=figures.SMALL,
                  color="white" if share > 0.55 else "#20303f")


def _outcome(matrix: Array) -> str:
    total = int(matrix.sum())
    right = np.trace(matrix) / max(total, 1)
    plural = "sample" if total == 1 else "samples"
    return f"{right:.1%} of {total:,} {plural} right"
