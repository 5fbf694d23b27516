"""Moving pictures: a GIF by pillow or a page of HTML, both by matplotlib's own writers; and points that move in one."""
import os
import tempfile
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cytensor.plots import figures, transforms
from cytensor.types import Array, ArrayLike, Path

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation
    from matplotlib.figure import Figure

PER_SECOND = 20
BETWEEN, RESTING = 14, 8       # frames from one stage to the next, and those in which a stage rests
ENDINGS = (".gif", ".html")


def animate_points(stages: Sequence[ArrayLike], path: Path, labels: ArrayLike | None = None,
                   names: Sequence[str] | None = None, *, turn: float = 0.0) -> "FuncAnimation":
    """Write an animation in which points go from one stage to the next; returns matplotlib's animation.

    stages: of each stage the points (n, 2) or (n, 3), such as the outputs of the layers of a network. Between two
    stages each point goes straight. path: a file that ends with .gif or .html. labels: class numbers (n,), for the
    colours. names: a title for each stage. turn: degrees by which the picture of (n, 3) turns from stage to stage.
    Raises ValueError for stages of different shapes, FileNotFoundError for a folder that is not there, ImportError
    without matplotlib.
    """
    op = "animate_points"
    check_path(op, path)
    points = [transforms.as_points(op, f"stage {number}", stage) for number, stage in enumerate(stages)]
    if len(points) < 2 or len({stage.shape for stage in points}) > 1:
        raise ValueError(f"{op}: there must be two stages or more of one shape; got "
                         f"{', '.join(str(stage.shape) for stage in points) or 'none'}")
    if names is not None and len(names) != len(points):
        raise ValueError(f"{op}: there must be one name for each stage; got {len(names)} for {len(points)}")
    titles = [str(name) for name in names] if names is not None else [f"stage {i}" for i in range(len(points))]
    figure = figures.new_figure(op, 4.2, 4.4)
    axes = transforms.new_axes(figure, (1, 1, 1), points[0].shape[1], titles[0], (-1, 1))
    drawn = axes.scatter(*points[0].T, s=14, c=transforms.point_colours(op, labels, len(points[0])), linewidths=0)

    def draw(frame: int) -> None:
        stage, share = moment(frame, len(points))
        now, reach = _between(points, stage, share)
        if now.shape[1] == 3:
            drawn._offsets3d = tuple(now.T)            # there is no public way to move points in space
            axes.view_init(elev=28, azim=-60 + turn * (stage + share))
            axes.set_zlim(-reach, reach)
        else:
            drawn.set_offsets(now)
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach))
        axes.set_title(titles[stage + (share > 0.5)], fontsize=figures.LABEL, loc="left", parse_math=False)

    return save(op, figure, draw, (BETWEEN + RESTING) * (len(points) - 1) + RESTING, path)


def moment(frame: int, stages: int) -> tuple[int, float]:
    """The stage that a frame leaves, and which share of the way to the next one is behind it."""
    stage, within = divmod(frame, BETWEEN + RESTING)
    if stage >= stages - 1:
        return stages - 1, 0.0
    return stage, max(0, within - RESTING + 1) / BETWEEN


def _between(points: Sequence[Array], stage: int, share: float) -> tuple[Array, float]:
    """The points on their way, and how far the axes reach."""
    start, stop = points[stage], points[min(stage + 1, len(points) - 1)]
    reach = [1.08 * (float(np.abs(part).max()) or 1.0) for part in (start, stop)]
    return start + share * (stop - start), reach[0] + share * (reach[1] - reach[0])


def check_path(op: str, path: Path) -> None:
    """Raise unless an animation can be written to `path`."""
    figures.load_matplotlib(op)
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"{op}: the path must be a string or a Path; got {path!r}")
    if os.path.splitext(os.fspath(path))[1].lower() not in ENDINGS:
        raise ValueError(f"{op}: the file must end with .gif or .html; got '{os.fspath(path)}'")
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"{op}: there is no folder '{folder}'")


def save(op: str, figure: "Figure", draw: Callable[[int], None], frames: int, path: Path) -> "FuncAnimation":
    """Call `draw` for each frame and write all of them, complete or not at all."""
    from matplotlib.animation import FuncAnimation, HTMLWriter, PillowWriter

    check_path(op, path)
    path = os.path.abspath(path)
    ending = os.path.splitext(path)[1].lower()
    writer: Any = PillowWriter(fps=PER_SECOND) if ending == ".gif" else HTMLWriter(fps=PER_SECOND, embed_frames=True)

    def step(frame: int) -> tuple[()]:
        draw(frame)
        return ()

    animation = FuncAnimation(figure, step, frames=frames, interval=1000 / PER_SECOND, blit=False)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as folder:
        unfinished = os.path.join(folder, f"animation{ending}")
        animation.save(unfinished, writer=writer, dpi=90)
        os.replace(unfinished, path)
    return animation
