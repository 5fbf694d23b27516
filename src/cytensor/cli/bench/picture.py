"""The table as a picture: a bar for each library and work, its time divided by cytensor's."""
from typing import TYPE_CHECKING

from cytensor.plots import figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cytensor.cli.bench.run import Row

# Blue, orange, green and purple of Okabe and Ito (2008), told apart by colour-blind readers too.
COLOURS = {"cytensor": "#0072b2", "NumPy": "#e69f00", "PyTorch": "#009e73", "JAX": "#cc79a7"}
OP = "cytensor bench"
BAR = 0.2                          # inches


def draw(rows: "list[Row]", names: list[str], subtitle: str, path: str) -> "Figure":
    """Bars of time relative to cytensor's, the work's time of cytensor in its label; shorter is faster."""
    from cytensor.cli.bench.run import duration

    height = BAR * (len(names) + 1) * len(rows)
    figure = figures.new_figure(OP, 8.5, height + 1.5)
    axes = figure.add_subplot()
    longest = max(seconds / row.seconds["cytensor"] for row in rows for seconds in row.seconds.values())
    for place, name in enumerate(names):
        ratios = [row.seconds.get(name, 0.0) / row.seconds["cytensor"] for row in rows]
        at = [row * (len(names) + 1) + place for row in range(len(rows))]
        bars = axes.barh(at, ratios, height=0.9, color=COLOURS.get(name, figures.GREY), label=name)
        axes.bar_label(bars, [f" {ratio:.2f}" if ratio else " has none" for ratio in ratios], fontsize=figures.SMALL)
    middle = (len(names) - 1) / 2
    labels = [f"{row.work}\n{duration(row.seconds['cytensor'])}" for row in rows]
    axes.set_yticks([row * (len(names) + 1) + middle for row in range(len(rows))], labels)
    axes.margins(y=0.01)
    axes.set_xlim(0, longest * 1.12)
    axes.set_xlabel("time, cytensor's = 1; shorter is faster", fontsize=figures.LABEL)
    axes.invert_yaxis()
    figures.bare(axes)
    axes.tick_params(axis="y", length=0)
    figure.suptitle(f"Beside cytensor, on this machine\n{subtitle}", fontsize=figures.TITLE)
    figure.legend(loc="outside lower center", ncols=len(names), frameon=False, fontsize=figures.LABEL)
    return figures.save(OP, figure, path)
