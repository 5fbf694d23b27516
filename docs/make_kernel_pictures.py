"""Writes the pictures of how_fast.md into docs/plots: `python docs/make_kernel_pictures.py`. Needs matplotlib.

Packing: a panel of a matrix whose rows lie far apart becomes one stretch of memory. The micro-kernel: a tile of the
result that stays in registers, and what one step loads for it. Colours are of Okabe and Ito (2008), told apart by
colour-blind readers too, and every colour has its own place and label.
"""
from pathlib import Path

FOLDER = Path(__file__).parent / "plots"
BLUE, ORANGE, GREEN, PAPER, LINE, INK = "#0072b2", "#e69f00", "#009e73", "#ffffff", "#9aa0a8", "#1f2a36"
ROWS, VECTORS, LANES = 14, 2, 16   # of the AVX-512 tile, float32
STYLE = {"svg.hashsalt": "cytensor", "svg.fonttype": "none", "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"]}


def main(folder=FOLDER):
    import matplotlib

    with matplotlib.rc_context(STYLE):
        for name, draw in (("packing", packing), ("micro_kernel", micro_kernel)):
            figure = draw()
            figure.savefig(Path(folder) / f"{name}.svg", metadata={"Date": None}, facecolor=PAPER)


def new_figure(width, height, title, across, down):
    """A figure of one picture with its y axis downwards, in units of cells."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlim=(-0.2, across), ylim=(down, -0.2), aspect="equal")
    axes.set_axis_off()
    axes.set_title(title, loc="left", fontsize=12, color=INK)
    return figure, axes


def cell(axes, x, y, text="", colour=PAPER, ink=INK, width=1.0, height=1.0):
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((x, y), width, height, facecolor=colour, edgecolor=LINE, linewidth=0.8))
    axes.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=8.5, color=ink)


def words(axes, x, y, text, size=9.5, **options):
    axes.text(x, y, text, fontsize=size, color=INK, va="center", **options)


def arrow(axes, start, end):
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.2})


def packing(rows=4, depth=6, across=9, height=6):
    """A panel of 4 rows, at its place in the matrix and packed."""
    figure, axes = new_figure(9.2, 5.2, "Packing: a panel of A, in the order in which it will be read", 24.2, 12)
    shades = ["#cfe6f5", "#a3d0ec", "#77bae2", "#4ba4d9", "#2f8ec6", BLUE]
    words(axes, 0, 0.6, "A in memory: rows lie far apart,\nor columns do, or windows overlap")
    for i in range(height):
        for k in range(across):
            inside = 1 <= i <= rows and k < depth
            ink = PAPER if inside and k > 4 else INK
            cell(axes, k, 2 + i, f"{i - 1},{k}" if inside else "", shades[k] if inside else PAPER, ink)
    words(axes, 0, 8.7, "a panel: as many rows as a tile has\n(here 4), up to 384 columns")
    arrow(axes, (9.4, 5), (10.8, 5))
    words(axes, 11.2, 1.7, "packed: column after column, so that each step\nof the kernel reads the next few numbers")
    for k in range(depth):
        for i in range(rows):
            x = 11.2 + (k % 3) * 4 + i
            cell(axes, x, 3.4 + (k // 3) * 1.6, f"{i},{k}", shades[k], PAPER if k > 4 else INK)
    for k in range(depth):
        words(axes, 13.2 + (k % 3) * 4, 4.75 + (k // 3) * 1.6, f"step k = {k}", 8, ha="center")
    words(axes, 11.2, 8.0, "14 rows of 384 float32 are 21 KB: the panel stays in\n"
          "the first cache while it meets every column of B")
    words(axes, 0, 11, "Whatever the strides of A, only this copy knows them. The kernel behind it is the same for a "
          "transposed matrix,\nfor every second column, and for the windows of a convolution.")
    return figure


def micro_kernel():
    """The tile of 14 rows and two vectors, and what a step loads."""
    figure, axes = new_figure(9.2, 6.4, "The micro-kernel: a tile of C that stays in 28 registers", 25, 19.4)
    left, top = 5.4, 3.4
    words(axes, left, 0.5, "one row of B: two vectors of 16 numbers")
    for j in range(VECTORS):
        cell(axes, left + 6.2 * j, 1.4, f"B[k, {16 * j}…{16 * j + 15}]", ORANGE, INK, 6)
    words(axes, 0, 2.5, "one column of A:\n14 numbers, each\nrepeated in a vector")
    for i in range(ROWS):
        cell(axes, 2.4, top + 1.1 * i, f"A[{i}, k]", BLUE, PAPER, 2.2)
        for j in range(VECTORS):
            cell(axes, left + 6.2 * j, top + 1.1 * i, f"C[{i}, {16 * j}…{16 * j + 15}]", "#bfe5d8", INK, 6)
    arrow(axes, (4.65, top + 0.5), (left - 0.05, top + 0.5))
    arrow(axes, (left + 3, 2.45), (left + 3, top - 0.05))
    arrow(axes, (left + 9.2, 2.45), (left + 9.2, top - 0.05))
    for y, text in ((4.4, "in each step k:"), (6.2, "46 numbers are loaded,\n32 of B and 14 of A"),
                    (8.8, "448 multiply-adds, in\n28 instructions:\nC[i, …] += A[i, k] · B[k, …]"),
                    (12.2, "after the last step the tile\nis written to C, once")):
        words(axes, 18.4, y, text)
    words(axes, 18.4, 15.2, "32 registers: 28 for C,\n4 for A and B")
    return figure


if __name__ == "__main__":
    main()
