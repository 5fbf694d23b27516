"""What a function does to the plane: points, or a grid and the unit square, before and after it.

The function is called with tensors, so what is drawn is what the library's own ops gave.
"""
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from cyops import Strided
from cytensor.plots import figures
from cytensor.tensor import Tensor, asarray
from cytensor.types import Array, ArrayLike, Path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL = 3.4                    # side of one pair of axes, in inches
ALONG = 129                    # places along one line of the grid, so that a bend in it is seen
MOST_LINES = 201
SQUARE = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], np.float32)

# A vector (2,) is added, a matrix (2, 2) multiplies, (2, 3) does both, and a function does what it does.
Transform: TypeAlias = Callable[[Tensor], Any] | ArrayLike


def transform_points(points: ArrayLike, transform: Transform, labels: ArrayLike | None = None, *,
                     title: str | None = None, path: Path | None = None) -> "Figure":
    """Draw points before and after a transform, side by side on the same scale; returns the figure.

    points: (n, 2) or (n, 3). transform: a function from a tensor (n, d) to one (n, 2 or 3), such as a layer; or a
    vector (d,), which is added, a matrix A (d, d), which makes A x of each point x, or an affine map (d, d + 1), whose
    last column is added to that. labels: class numbers (n,), for the colours. path: a file to write as well.
    Raises ValueError for points or results of another shape or that are not finite, ImportError without matplotlib.

    >>> import cytensor as ct
    >>> figure = ct.plots.transform_points([[1., 0.], [0., 1.]], [[0., -1.], [1., 0.]])
    >>> figure.axes[1].collections[0].get_offsets().tolist()
    [[0.0, 1.0], [-1.0, 0.0]]
    """
    op = "transform_points"
    figures.load_matplotlib(op)
    before = as_points(op, "points", points)
    after = apply(op, transform, before)
    colours = point_colours(op, labels, len(before))
    figure = figures.new_figure(op, 2 * PANEL, PANEL)
    limits = _limits(before, after)
    for place, (name, shown) in enumerate((("before", before), ("after", after))):
        axes = new_axes(figure, (1, 2, place + 1), shown.shape[1], name, limits)
        axes.scatter(*shown.T, s=14, c=colours, linewidths=0, rasterized=len(shown) > 5000)
    figures.enlarge(figure, figures.headline(figure, title))
    return figures.save(op, figure, path)


def transform_grid(transform: Transform, *, extent: float = 2.0, lines: int = 9, points: ArrayLike | None = None,
                   title: str | None = None, path: Path | None = None) -> "Figure":
    """Draw a grid of the plane and the unit square before and after a transform; returns the figure.

    transform: as `transform_points` takes it, from (n, 2) to (n, 2). extent: the grid covers [-extent, extent] along
    both axes. lines: how many along each. points: (n, 2), drawn as well. path: a file to write as well. The title of
    the second pair of axes says how many times as large the unit square became. Raises ValueError for results of
    another shape or that are not finite, ImportError without matplotlib.

    >>> import cytensor as ct
    >>> figure = ct.plots.transform_grid([[2., 0.], [0., 3.]])
    >>> figure.axes[1].get_title(loc="left")
    'after: area of the square × 6'
    """
    op = "transform_grid"
    figures.load_matplotlib(op)
    if isinstance(extent, bool) or not isinstance(extent, (int, float, np.number)) or not 0 < extent < np.inf:
        raise ValueError(f"{op}: extent must be a positive number; got {extent!r}")
    if isinstance(lines, bool) or not isinstance(lines, (int, np.integer)) or not 2 <= lines <= MOST_LINES:
        raise ValueError(f"{op}: lines must be an int in [2, {MOST_LINES}]; got {lines!r}")
    grid = _grid(float(extent), int(lines))
    square = np.concatenate([_between(SQUARE[i], SQUARE[i + 1]) for i in range(4)])
    marks = np.zeros((0, 2), np.float32) if points is None else as_points(op, "points", points, (2,))
    before = [grid.reshape(-1, 2), square, marks]
    after = [apply(op, transform, part, (2,)) if len(part) else part for part in before]
    limits = _limits(*before, *after)
    figure = figures.new_figure(op, 2 * PANEL, PANEL)
    grown = _area(after[1]) / _area(before[1])
    for place, (name, parts) in enumerate((("before", before), (f"after: area of the square × {grown:.3g}", after))):
        axes = new_axes(figure, (1, 2, place + 1), 2, name, limits)
        _draw_grid(axes, parts[0].reshape(grid.shape), parts[1], parts[2])
    figures.enlarge(figure, figures.headline(figure, title))
    return figures.save(op, figure, path)


# -- what is computed -------------------------------------------------------------------------------------------------
def as_points(op: str, name: str, values: ArrayLike, dimensions: Sequence[int] = (2, 3)) -> Array:
    """`values` as a floating array (n, d) of finite numbers."""
    array = np.asarray(values)
    wanted = " or ".join(f"(n, {d})" for d in dimensions)
    if array.dtype.kind not in "biuf" or array.ndim != 2 or array.shape[1] not in dimensions or not len(array):
        raise ValueError(f"{op}: {name} must be numbers {wanted}, n at least 1; got {array.dtype} {array.shape}")
    array = array if array.dtype.kind == "f" else array.astype(np.float32)
    if not np.isfinite(array).all():
        raise ValueError(f"{op}: {name} must be finite; got {np.count_nonzero(~np.isfinite(array))} that are not")
    return array


def apply(op: str, transform: Transform, points: Array, dimensions: Sequence[int] = (2, 3)) -> Array:
    """The points (n, d) after the transform, computed by the library's ops."""
    x = asarray(points)
    if callable(transform) and not isinstance(transform, Strided):
        after = as_points(op, "the transform's result", transform(x), dimensions)
    else:
        after = as_points(op, "the transform's result", _affine(op, transform, x, points.shape[1]), dimensions)
    if len(after) != len(points):
        raise ValueError(f"{op}: the transform must give a point for each; got {after.shape} for {points.shape}")
    return after


def _affine(op: str, transform: ArrayLike, x: Tensor, d: int) -> Tensor:
    array = np.asarray(transform)
    if array.dtype.kind not in "biuf" or array.shape not in ((d,), (d, d), (d, d + 1)):
        raise ValueError(f"{op}: transform must be a function, a vector ({d},), a matrix ({d}, {d}) or an affine map "
                         f"({d}, {d + 1}); got {array.dtype} {array.shape}")
    given = asarray(array, dtype=x.dtype)
    if array.ndim == 1:
        return x + given
    moved = x @ given[:, :d].T
    return moved if array.size == d * d else moved + given[:, d]


def _between(start: Array, stop: Array) -> Array:
    steps = np.linspace(0, 1, ALONG, dtype=np.float32)[:, None]
    between: Array = start + steps * (stop - start)
    return between


def _grid(extent: float, lines: int) -> Array:
    """(2 * lines, ALONG, 2): the lines x = constant, then those y = constant."""
    fixed, along = np.meshgrid(np.linspace(-extent, extent, lines), np.linspace(-extent, extent, ALONG), indexing="ij")
    return np.concatenate([np.stack([fixed, along], -1), np.stack([along, fixed], -1)]).astype(np.float32)


def _area(outline: Array) -> float:
    """Of what lies inside a closed outline (n, 2), by the shoelace formula; without the sign of its direction."""
    x, y = outline.astype(np.float64).T
    return abs(float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))) / 2


# -- how it is drawn --------------------------------------------------------------------------------------------------
def _limits(*parts: Array) -> tuple[float, float]:
    """What both pairs of axes show: so much of both directions that everything is seen, 0 in the middle."""
    reach = max(float(np.abs(part).max()) for part in parts if part.size)
    return -1.08 * (reach or 1.0), 1.08 * (reach or 1.0)


def new_axes(figure: "Figure", place: tuple[int, int, int], dimensions: int, title: str,
             limits: tuple[float, float]) -> Any:
    """Axes for points of 2 or 3 dimensions, of the same scale in each direction."""
    options: dict[str, Any] = {"projection": "3d"} if dimensions == 3 else {}
    axes: Any = figure.add_subplot(*place, **options)
    axes.set_title(title, fontsize=figures.LABEL, loc="left", parse_math=False)
    axes.set(xlim=limits, ylim=limits, xlabel="$x_0$", ylabel="$x_1$")
    if dimensions == 3:
        axes.set(zlim=limits, zlabel="$x_2$")
        axes.set_box_aspect((1, 1, 1), zoom=0.85)
        axes.tick_params(labelsize=figures.SMALL - 1.5)
        axes.locator_params(nbins=4)
    else:
        axes.set_aspect("equal")
        figures.bare(axes)
    return axes


def point_colours(op: str, labels: ArrayLike | None, count: int) -> Any:
    """A colour for each point: by class, or one for all."""
    if labels is None:
        return figures.BLUE
    from cytensor.plots.labels import class_numbers

    numbers = class_numbers(op, "labels", labels)
    if len(numbers) != count:
        raise ValueError(f"{op}: there must be one label for each point; got {len(numbers)} for {count}")
    palette = np.array([figures.BLUE, figures.ORANGE, figures.GREY, figures.RED])
    return palette[numbers % len(palette)]


def _draw_grid(axes: "Axes", grid: Array, square: Array, points: Array) -> None:
    half = len(grid) // 2
    for number, line in enumerate(grid):
        axes.plot(*line.T, color=figures.BLUE if number < half else figures.GREY, linewidth=0.9, alpha=0.8)
    axes.fill(*square.T, facecolor=figures.ORANGE, edgecolor=figures.ORANGE, alpha=0.45, linewidth=1.5)
    if len(points):
        axes.scatter(points[:, 0], points[:, 1], s=22, c=figures.RED, linewidths=0, zorder=3)
