"""Gradient descent seen: the places it visits on a curve or over a surface, as a picture and as an animation.

The paths are the caller's; the heights along them and of the function around them are computed by the library's ops.
"""
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from cytensor.plots import animation, figures
from cytensor.tensor import asarray
from cytensor.types import Array, ArrayLike, Path

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation
    from matplotlib.figure import Figure

ALONG, ACROSS, LEVELS = 401, 121, 24           # places of a curve, along one side of a surface; lines of equal height
FRAMES, RESTING = 80, 12                       # of an animation, at most, and those at its end
MOST_PATHS = 6
# Told apart in any kind of colour vision, and in grey by their marks.
COLOURS, MARKS = (figures.ORANGE, figures.BLUE, figures.RED, "#5e3c99", "#1b9e77", figures.GREY), "osD^vP"


def plot_descent(function: Callable[..., Any], paths: Mapping[str, ArrayLike], *, surface: bool = False,
                 limits: tuple[float, float] | tuple[tuple[float, float], tuple[float, float]] | None = None,
                 title: str | None = None, path: Path | None = None) -> "Figure":
    """Draw the places that runs of gradient descent visit, over the function they go down; returns the figure.

    function: f(x) of one variable, or f(x, y) of two, on tensors elementwise. paths: for each run, by its name, the
    places in order: (steps,) on a curve, (steps, 2) over a surface, which is drawn by lines of equal height and, with
    `surface`, in space beside that. limits: (low, high) of x, or those of x and y; by default where the paths are. A
    path may leave them. At most 6 paths. path: a file to write as well. Raises ValueError for paths of other shapes or
    that are not finite, ImportError without matplotlib.

    >>> import cytensor as ct
    >>> figure = ct.plots.plot_descent(lambda x: x * x, {"rate 0.25": [2.0, 1.0, 0.5]})
    >>> figure.axes[0].lines[1].get_ydata().tolist()
    [4.0, 1.0, 0.25]
    """
    op = "plot_descent"
    figures.load_matplotlib(op)
    runs = _runs(op, paths)
    figure, _ = _draw(op, function, runs, surface, limits)
    figures.enlarge(figure, figures.headline(figure, title))
    return figures.save(op, figure, path)


def animate_descent(function: Callable[..., Any], paths: Mapping[str, ArrayLike], path: Path, *,
                    limits: tuple[float, float] | tuple[tuple[float, float], tuple[float, float]] | None = None,
                    title: str | None = None) -> "FuncAnimation":
    """Write an animation in which the paths of `plot_descent` grow step by step; returns matplotlib's animation.

    path: a file that ends with .gif or .html. Of many steps several are made at once. The other arguments, and the
    errors, are those of `plot_descent`; FileNotFoundError for a folder that is not there.
    """
    op = "animate_descent"
    animation.check_path(op, path)
    runs = _runs(op, paths)
    figure, lines = _draw(op, function, runs, False, limits)
    figures.enlarge(figure, figures.headline(figure, title))
    whole = [np.asarray(line.get_xydata()) for line in lines]
    longest = max(map(len, whole))
    frames = min(longest, FRAMES)

    def draw(frame: int) -> None:
        steps = longest if frame >= frames - 1 else 1 + frame * (longest - 1) // max(frames - 1, 1)
        for line, places in zip(lines, whole, strict=True):
            line.set_data(*places[:steps].T)

    return animation.save(op, figure, draw, frames + RESTING, path)


# -- what is computed -------------------------------------------------------------------------------------------------
def _runs(op: str, paths: Mapping[str, ArrayLike]) -> dict[str, Array]:
    """Each path as an array (steps, 1 or 2) of finite numbers."""
    if not isinstance(paths, Mapping) or not 1 <= len(paths) <= MOST_PATHS:
        got = f"{len(paths)}" if isinstance(paths, Mapping) else type(paths).__name__
        raise ValueError(f"{op}: paths must be a dictionary of 1 to {MOST_PATHS} names and places; got {got}")
    runs = {}
    for name, places in paths.items():
        array = np.asarray(places)
        if array.dtype.kind not in "iuf" or not (array.ndim == 1 or (array.ndim == 2 and array.shape[1] == 2)) \
                or not len(array) or not np.isfinite(array).all():
            raise ValueError(f"{op}: a path must be finite numbers (steps,) or (steps, 2); '{name}' is {array.dtype} "
                             f"{array.shape}")
        runs[str(name)] = array.astype(np.float64).reshape(len(array), -1)
    if len({run.shape[1] for run in runs.values()}) > 1:
        raise ValueError(f"{op}: all paths must be of one variable, or all of two")
    return runs


def _heights(op: str, function: Callable[..., Any], *places: Array) -> Array:
    """The function's values at places given by their coordinates."""
    heights = np.asarray(function(*(asarray(part) for part in places)))
    if heights.dtype.kind not in "iuf" or heights.shape != places[0].shape:
        raise ValueError(f"{op}: the function must give a number for each place; got {heights.dtype} {heights.shape} "
                         f"for {places[0].shape}")
    return heights.astype(np.float64)


def _range(op: str, given: Any, values: Array) -> tuple[float, float]:
    """What one axis shows."""
    if given is None:
        low, high = float(values.min()), float(values.max())
        room = 0.15 * (high - low) or 1.0
        return low - room, high + room
    pair = np.asarray(given)
    if pair.shape != (2,) or pair.dtype.kind not in "iuf" or not np.isfinite(pair).all() or not pair[0] < pair[1]:
        raise ValueError(f"{op}: limits must be (low, high), or two such of x and y; got {given!r}")
    return float(pair[0]), float(pair[1])


# -- how it is drawn --------------------------------------------------------------------------------------------------
def _draw(op: str, function: Callable[..., Any], runs: dict[str, Array], surface: bool,
          limits: Any) -> tuple["Figure", list[Any]]:
    """The figure, and the line of each path on its first axes."""
    if next(iter(runs.values())).shape[1] == 1:
        return _draw_curve(op, function, runs, limits)
    return _draw_surface(op, function, runs, surface, limits)


def _style(number: int) -> dict[str, Any]:
    return {"color": COLOURS[number], "marker": MARKS[number], "markersize": 3.5, "linewidth": 1.3}


def _draw_curve(op: str, function: Callable[..., Any], runs: dict[str, Array],
                limits: Any) -> tuple["Figure", list[Any]]:
    low, high = _range(op, limits, np.concatenate(list(runs.values())))
    x = np.linspace(low, high, ALONG)
    y = _heights(op, function, x)
    figure = figures.new_figure(op, 6.4, 4.2)
    axes: Any = figure.add_subplot()
    axes.plot(x, y, color=figures.GREY, linewidth=1.6)
    lines = [axes.plot(run[:, 0], _heights(op, function, run[:, 0]), label=name, **_style(number))[0]
             for number, (name, run) in enumerate(runs.items())]
    finite = y[np.isfinite(y)]
    room = 0.08 * float(np.ptp(finite)) or 1.0 if finite.size else 1.0
    bottom, top = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    axes.set(xlim=(low, high), ylim=(bottom - room, top + room), xlabel="x", ylabel="f(x)")
    _finish(figure, axes)
    return figure, lines


def _draw_surface(op: str, function: Callable[..., Any], runs: dict[str, Array], surface: bool,
                  limits: Any) -> tuple["Figure", list[Any]]:
    everything = np.concatenate(list(runs.values()))
    if limits is None:
        pairs: Any = (None, None)
    else:
        if np.shape(limits) not in ((2,), (2, 2)):
            raise ValueError(f"{op}: limits must be (low, high), or two such of x and y; got {limits!r}")
        pairs = (limits, limits) if np.ndim(limits[0]) == 0 else limits
    ranges = [_range(op, pair, everything[:, axis]) for axis, pair in enumerate(pairs)]
    x, y = np.meshgrid(*(np.linspace(low, high, ACROSS) for low, high in ranges))
    heights = _heights(op, function, x, y)
    figure = figures.new_figure(op, 9.6 if surface else 5.4, 4.8)
    axes: Any = figure.add_subplot(1, 2 if surface else 1, 1)
    shown = axes.contour(x, y, heights, LEVELS, cmap="cividis", linewidths=0.9)
    figure.colorbar(shown, ax=axes, label="f(x, y)", shrink=0.8)
    lines = [axes.plot(*run.T, label=name, **_style(number))[0] for number, (name, run) in enumerate(runs.items())]
    axes.set(xlim=ranges[0], ylim=ranges[1], xlabel="x", ylabel="y")
    _finish(figure, axes)
    if surface:
        space: Any = figure.add_subplot(1, 2, 2, projection="3d")
        space.plot_surface(x, y, heights, cmap="cividis", alpha=0.55, linewidth=0, rcount=60, ccount=60)
        for number, run in enumerate(runs.values()):
            space.plot(*run.T, _heights(op, function, *run.T), zorder=5, **_style(number))
        space.set(xlim=ranges[0], ylim=ranges[1], xlabel="x", ylabel="y", zlabel="f(x, y)")
        space.set_box_aspect(None, zoom=0.82)
        space.locator_params(nbins=4)
        space.tick_params(labelsize=figures.SMALL - 1.5)
    return figure, lines


def _finish(figure: "Figure", axes: Any) -> None:
    figures.bare(axes)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=figures.SMALL,
                  frameon=False)
