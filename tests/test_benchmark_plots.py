"""benchmarks/plots.py: which figures are drawn, and that no two names touch."""

import sys
from itertools import pairwise
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
sys.path.insert(0, str(Path(__file__).parent.parent))
from benchmarks import plots


def row(table, work, ours, **peers):
    theirs = {name: {"median": seconds, "ratio": seconds / ours} for name, seconds in peers.items()}
    return {"extra_info": {"table": table, "work": work, "ours": {"median": ours}, "peers": theirs}}


def run(threads):
    """Two sizes of each kind, and rows that belong into no plot."""
    rows = [
        row("Ops by size", "add, 10", 1e-7, NumPy=2e-7),
        row("Ops by size", "add, 1e3", 1e-6, NumPy=2e-6, PyTorch=3e-6),
        row("Ops by size", "add, 1e6", 1e-3, NumPy=1e-3, PyTorch=0.5e-3),
        row("Ops by size", "sum, 1e3", 1e-6, NumPy=2.01e-6),
        row("Ops by size", "sum, 1e6", 1e-3, NumPy=0.5e-3),
        row("Ops by size", "tanh, 1e6", 1e-3, NumPy=1e-3),
        row("Matrix product of squares, float32", "(10, 10) x (10, 10)", 1e-6, NumPy=2e-6),
        row("Matrix product of squares, float32", "(100, 100) x (100, 100)", 1e-4, NumPy=1e-4),
        row("Limits of the machine", "fused multiply-adds, float32", 50.0),
        row("Limits of the machine", "memcpy, 120 bytes in use", 10.0),
        row("Limits of the machine", "memcpy, 12000 bytes in use", 30.0),
        row("Limits of the machine", "memcpy, 12000000 bytes in use", 20.0),
        row("Import", "import cytensor", 0.1, NumPy=0.1),
    ]
    facts = {"threads": threads, "caches": {"L1": 49152, "L2": 10**9}}
    return {"machine_info": {"run": facts}, "benchmarks": rows}


def flat(curves):
    """Each curve's points, rounded."""
    return {name: [(x, round(y, 6)) for x, y in points] for name, points in curves.items()}


def test_rates_of_additions_count_the_bytes_read_and_written():
    assert flat(plots.additions(run(1))) == {
        "cytensor": [(12e3, 12.0), (12e6, 12.0)],
        "NumPy": [(12e3, 6.0), (12e6, 12.0)],
        "PyTorch": [(12e3, 4.0), (12e6, 24.0)],
        "roof": [(12e3, 30.0), (12e6, 20.0)],
    }


def test_rates_of_products_count_two_operations_a_term():
    assert flat(plots.products(run(1))) == {
        "cytensor": [(10, 2.0), (100, 20.0)],
        "NumPy": [(10, 1.0), (100, 20.0)],
        "roof": [(10, 50.0), (100, 50.0)],
    }


def test_ratios_are_those_of_the_faster_peer():
    assert flat(plots.ratios(run(1))) == {"add": [(1e3, 2.0), (1e6, 0.5)], "sum": [(1e3, 2.01), (1e6, 0.5)]}


@pytest.mark.parametrize("draw", [plots.draw_additions, plots.draw_products, plots.draw_ratios])
@pytest.mark.parametrize("threads", [(1,), (1, 2)])
@pytest.mark.slow
def test_no_two_names_touch(draw, threads):
    """The two curves of the ratios end in the same point."""
    figure = draw({count: run(count) for count in threads})
    figure.draw_without_rendering()
    assert len(figure.axes) == len(threads)
    for axes in figure.axes:
        names = [text for text in axes.texts if text.xyann[0] > 1]
        boxes = sorted((text.get_window_extent() for text in names), key=lambda box: box.y0)
        assert len(boxes) >= 2
        assert all(below.y1 <= above.y0 + 1 for below, above in pairwise(boxes))


@pytest.mark.slow
def test_the_files_are_small_and_transparent(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(plots, "FOLDER", tmp_path)
    monkeypatch.setattr(plots, "read_runs", lambda sources: {1: run(1), 2: run(2)})
    plots.main()
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["elementwise.svg", "gemm.svg", "ratios.svg"]
    for name in files:
        text = (tmp_path / name).read_text()
        assert len(text) < 100_000 and "fill: #ffffff" not in text and ">1 thread</text>" in text


@pytest.mark.parametrize(("value", "text"), [(12e3, "12 KB"), (3.4e8, "340 MB"), (2e9, "2 GB")])
def test_bytes(value, text):
    assert plots.in_bytes(value) == text


def test_numbers():
    assert (plots.plain(2048), plots.plain(0.5), plots.power(1e10)) == ("2,048", "0.5", "10¹⁰")
