"""Operations as a beginner writes them, loop by loop, beside the library's kernels: the same numbers, and how long.

relu, add, a matrix plus a vector, and the dot products of vectors, of a matrix and a vector, and of matrices, as Python
loops over NumPy arrays. The script checks that both give the same, and writes a table and a picture of the times.
"""

import argparse
import platform
import time
from datetime import date
from pathlib import Path

import numpy as np

import cytensor as ct


def naive_relu(x):
    x = x.copy()
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            x[i, j] = max(x[i, j], 0)
    return x


def naive_add(x, y):
    x = x.copy()
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            x[i, j] += y[i, j]
    return x


def naive_matrix_plus_vector(x, y):
    x = x.copy()
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            x[i, j] += y[j]
    return x


def naive_vector_dot(x, y):
    z = 0.0
    for i in range(x.shape[0]):
        z += x[i] * y[i]
    return z


def naive_matrix_vector_dot(x, y):
    z = np.zeros(x.shape[0])
    for i in range(x.shape[0]):
        z[i] = naive_vector_dot(x[i], y)
    return z


def naive_matrix_dot(x, y):
    z = np.zeros((x.shape[0], y.shape[1]))
    for i in range(x.shape[0]):
        for j in range(y.shape[1]):
            z[i, j] = naive_vector_dot(x[i], y[:, j])
    return z


# What it is called, the loops, the library's op, the shapes of its operands for a size n.
OPERATIONS = (
    ("relu", naive_relu, lambda x: ct.maximum(x, 0.0), lambda n: [(n, n)]),
    ("matrix + matrix", naive_add, lambda x, y: x + y, lambda n: [(n, n), (n, n)]),
    ("matrix + vector", naive_matrix_plus_vector, lambda x, y: x + y, lambda n: [(n, n), (n,)]),
    ("vector · vector", naive_vector_dot, lambda x, y: x @ y, lambda n: [(n * n,), (n * n,)]),
    ("matrix · vector", naive_matrix_vector_dot, lambda x, y: x @ y, lambda n: [(n, n), (n,)]),
    ("matrix · matrix", naive_matrix_dot, lambda x, y: x @ y, lambda n: [(n, n), (n, n)]),
)


def best_time(function, operands, seconds=0.2):
    """The shortest of several calls, in seconds; at least one."""
    times: list[float] = []
    start = time.perf_counter()
    while not times or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        function(*operands)
        times.append(time.perf_counter() - before)
    return min(times)


def measure(size, seed=0):
    """For each operation (name, seconds of the loops, seconds of the kernel); AssertionError where they differ."""
    random = np.random.default_rng(seed)
    rows = []
    for name, loops, kernel, shapes in OPERATIONS:
        arrays = [random.normal(size=shape) for shape in shapes(size)]
        tensors = [ct.asarray(array) for array in arrays]
        np.testing.assert_allclose(np.asarray(kernel(*tensors)), loops(*arrays), rtol=1e-9, atol=1e-9)
        rows.append((name, best_time(loops, arrays), best_time(kernel, tensors)))
    return rows


def draw(rows, size, path):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.6, 3.4), layout="constrained")
    axes = figure.add_subplot()
    names = [name for name, _, _ in rows]
    ratios = [slow / fast for _, slow, fast in rows]
    bars = axes.barh(names, ratios, color="#3b7dc4")
    axes.bar_label(bars, [f" {ratio:,.0f}" for ratio in ratios], fontsize=9)
    axes.set(xscale="log", xlim=(1, max(ratios) * 4))
    axes.set_xlabel("times as long (log scale)")
    axes.set_title(f"Python loops beside the kernels, {size} x {size} float64", fontsize=11, loc="left")
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=200, help="rows and columns of the matrices (200)")
    parser.add_argument("--picture", type=Path, help="a file for the picture, such as loops.svg; needs matplotlib")
    options = parser.parse_args()
    rows = measure(options.size)
    print(f"{date.today()}, {platform.machine()}, {ct.isa}, {ct.get_num_threads()} threads, Python "
          f"{platform.python_version()}, {options.size} x {options.size} float64\n")
    print("| operation | loops | kernel | times as long |")
    print("|---|---|---|---|")
    for name, slow, fast in rows:
        print(f"| {name} | {slow * 1e3:,.3g} ms | {fast * 1e6:,.3g} µs | {slow / fast:,.0f} |")
    if options.picture:
        draw(rows, options.size, options.picture)


if __name__ == "__main__":
    main()
