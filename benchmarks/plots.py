"""Draw the plots of RESULTS.md and the README from the JSON of benchmark runs. Needs matplotlib:

python -m benchmarks.plots [results-1.json results-2.json ...]

The background is transparent and every colour is legible on white and on near black, since a page may have either.
"""

import re
import sys
from itertools import pairwise
from math import log, log10
from types import MappingProxyType

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from .report import HERE, read_runs
from .targets import in_threads

FOLDER = HERE.parent / "docs" / "plots"
INK, FAINT = "#7d8590", "#7d859055"
COLOURS = {"cytensor": "#e5534b", "NumPy": "#4184e4", "PyTorch": "#2f9e51", "roof": INK}
RATIOS = ("add", "bias add", "relu", "exp", "sum", "max", "copy")
SIZES = (1e3, 1e5, 1e6, 1e7, 3e7)
PALETTE = ["#e5534b", "#4184e4", "#2f9e51", "#a371f7", "#c9881b", "#1a9ba1", "#d15fa8"]
STYLE: dict = {
    "svg.hashsalt": "cytensor",  # the same file for the same figures
    "svg.fonttype": "none",
    "font.size": 10,
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.8,
    "lines.markersize": 3.5,
    "axes.titlesize": 10,
}


# Figures of the runs


def rows_of(run, table):
    """The rows of one table, by their work."""
    rows = (benchmark["extra_info"] for benchmark in run["benchmarks"])
    return {row["work"]: row for row in rows if row["table"] == table}


def rates(row, amount):
    """A dict from each side's name to `amount` / its median seconds / 1e9."""
    sides = {"cytensor": row["ours"]} | row["peers"]
    return {name: amount / side["median"] / 1e9 for name, side in sides.items()}


def by_name(points):
    """A dict from a name to the (x, y) of its curve, from pairs of x and a dict from names to y."""
    found: dict = {}
    for x, ys in sorted(points, key=lambda point: point[0]):
        for name, y in ys.items():
            found.setdefault(name, []).append((x, y))
    return found


def additions(run):
    """GB/s of a + b over the bytes in use, two arrays read and one written, each side; and memcpy's."""
    points = []
    for work, row in rows_of(run, "Ops by size").items():
        name, size = work.split(", ")
        if name == "add" and float(size) >= 1000:
            points.append((12 * float(size), rates(row, 12 * float(size))))
    for work, row in rows_of(run, "Limits of the machine").items():
        found = re.match(r"memcpy, (\d+) bytes", work)
        if found and int(found[1]) >= 12_000:
            points.append((int(found[1]), {"roof": row["ours"]["median"]}))
    return by_name(points)


def products(run):
    """Gflop/s of square matrix products over their size, each side; and the peak of fused multiply-adds."""
    points = []
    for work, row in rows_of(run, "Matrix product of squares, float32").items():
        size = int(work.removeprefix("(").partition(",")[0])
        points.append((size, rates(row, 2 * size**3)))
    peak = rows_of(run, "Limits of the machine").get("fused multiply-adds, float32")
    if peak:
        points += [(size, {"roof": peak["ours"]["median"]}) for size, _ in list(points)]
    return by_name(points)


def ratios(run):
    """How many times as long the faster of NumPy and PyTorch takes, by number of elements, for each op."""
    points = []
    for work, row in rows_of(run, "Ops by size").items():
        name, size = work.split(", ")
        if name in RATIOS and row["peers"] and float(size) in SIZES:
            points.append((float(size), {name: min(peer["ratio"] for peer in row["peers"].values())}))
    return by_name(points)


# Drawing


def label_ends(axes, curves, names, colours):
    """Each curve's name beside its right end; names that would touch move apart."""
    gap = 13 / (axes.get_window_extent().height * 72 / axes.figure.dpi)
    low, high = (log(limit) for limit in axes.get_ylim())
    labels = [[(log(points[-1][1]) - low) / (high - low), name] for name, points in curves.items()]
    labels.sort()
    for _ in range(100):
        for below, above in pairwise(labels):
            push = max(0, gap - (above[0] - below[0])) / 2
            below[0] -= push
            above[0] += push
    for y, name in labels:
        where = {"xycoords": "axes fraction", "va": "center", "annotation_clip": False}
        axes.annotate(names.get(name, name), (1.02, y), color=colours[name], **where)


def panels(runs, title, figures, colours, names=MappingProxyType({}), decorate=None, **axes_settings):
    """One picture with a panel for each number of threads, all to one scale, of the curves that figures(run) gives.

    `decorate(axes, run)` draws what lies behind the curves; `names` are those that differ from the curves' keys.
    """
    figure = Figure((4.6 * len(runs) + 0.4, 3.6), layout="constrained")
    row = figure.subplots(1, len(runs), sharey=True, squeeze=False)
    figure.suptitle(title, fontsize=12)
    found = {threads: figures(run) for threads, run in runs.items()}
    for axes, (threads, curves) in zip(row[0], found.items(), strict=True):
        axes.set(xscale="log", yscale="log", title=in_threads(threads), **axes_settings)
        axes.patch.set_alpha(0)
        axes.label_outer()
        for name, points in curves.items():
            style = {"linestyle": "--", "linewidth": 1.2} if name == "roof" else {"marker": "o"}
            axes.plot(*zip(*points, strict=True), color=colours[name], zorder=3 if name == "cytensor" else 2, **style)
        axes.minorticks_off()
    for axes, (threads, run) in zip(row[0], runs.items(), strict=True):
        if decorate:
            decorate(axes, run)
        label_ends(axes, found[threads], names, colours)
    return figure


def plain(value, _=None):
    """A number without an exponent: 0.5, 2, 1,000."""
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def power(value, _=None):
    """A power of ten: 10⁶."""
    return "10" + str(round(log10(value))).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def in_bytes(value, _=None):
    """12 KB, 3 MB."""
    size, unit = next((size, unit) for size, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB"), (1, "B")) if value >= size)
    return f"{value / size:.0f} {unit}"


def y_ticks(axes, values):
    low, high = axes.get_ylim()
    axes.set_yticks([value for value in values if low <= value <= high])
    axes.yaxis.set_major_formatter(FuncFormatter(plain))


def draw_additions(runs):
    def decorate(axes, run):
        y_ticks(axes, (5, 10, 20, 50, 100, 200, 500))
        axes.set_xticks([1e4, 1e5, 1e6, 1e7, 1e8])
        axes.xaxis.set_major_formatter(FuncFormatter(in_bytes))
        low, high = axes.get_xlim()
        for name, size in run["machine_info"]["run"]["caches"].items():
            if low < size < high:
                axes.axvline(size, color=FAINT, linewidth=1, zorder=0)
                axes.annotate(f" {name}", (size, 0.01), xycoords=("data", "axes fraction"), ha="right", fontsize=9)

    title = "a + b, float32, allocating the result: rate over the memory in use"
    labels = {"xlabel": "bytes of both operands and the result", "ylabel": "GB/s read and written"}
    return panels(runs, title, additions, COLOURS, {"roof": "memcpy"}, decorate, **labels)


def draw_products(runs):
    def decorate(axes, run):
        y_ticks(axes, (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000))
        axes.set_xticks([8, 32, 128, 512, 2048])
        axes.xaxis.set_major_formatter(FuncFormatter(plain))

    title = "Product of two n x n matrices, float32: rate over n"
    labels = {"xlabel": "n", "ylabel": "GFLOP/s"}
    return panels(runs, title, products, COLOURS, {"roof": "peak of FMA"}, decorate, **labels)


def draw_ratios(runs):
    def decorate(axes, run):
        y_ticks(axes, (0.2, 0.5, 1, 2, 5, 10, 20))
        axes.xaxis.set_major_formatter(FuncFormatter(power))
        axes.axhline(1, color=INK, linewidth=1, zorder=0)

    title = "Time of the faster of NumPy and PyTorch / time of cytensor, float32"
    labels = {"xlabel": "elements", "ylabel": "ratio, above 1: cytensor is faster"}
    return panels(runs, title, ratios, dict(zip(RATIOS, PALETTE, strict=True)), decorate=decorate, **labels)


def save(figure, name):
    figure.patch.set_alpha(0)
    FOLDER.mkdir(exist_ok=True)
    figure.savefig(FOLDER / name, metadata={"Date": None})
    print(f"written to {FOLDER / name}")


def main(*sources):
    runs = read_runs(sources)
    for draw, name in ((draw_additions, "elementwise"), (draw_products, "gemm"), (draw_ratios, "ratios")):
        with matplotlib.rc_context(STYLE):
            save(draw(runs), f"{name}.svg")


if __name__ == "__main__":
    main(*sys.argv[1:])
