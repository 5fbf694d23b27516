"""benchmarks/report.py: how figures, ratios and verdicts are worded. The benchmarks themselves are not run here."""

import runpy
from pathlib import Path

import pytest

REPORT = runpy.run_path(str(Path(__file__).parent.parent / "benchmarks" / "report.py"))


def row(target=None, against=None, **ratios):
    """A row as a benchmark keeps it: ours takes 2 ms, a peer as much as its ratio says."""
    peers = {name: {"median": 2e-3 * ratio, "best": 2e-3 * ratio, "ratio": ratio} for name, ratio in ratios.items()}
    ours = {"median": 2e-3, "best": 2e-3}
    return {"table": "T", "work": "w", "ours": ours, "peers": peers, "target": target, "against": against, "unit": "s"}


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.234e-9, "s", "1.23 ns"),
        (9.996e-7, "s", "1000 ns"),
        (0.5e-10, "s", "0.05 ns"),
        (2.5e-3, "s", "2.5 ms"),
        (3.8, "s", "3.8 s"),
        (105.6, "MB", "106 MB"),
        (0.97945, "", "0.9795"),
    ],
)
def test_figures(value, unit, text):
    assert REPORT["figure"](value, unit) == text


@pytest.mark.parametrize(("ratio", "text"), [(0.874, "0.87x"), (3.14159, "3.14x"), (41.6, "42x"), (31193.4, "31,193x")])
def test_ratios(ratio, text):
    assert REPORT["times"](ratio) == text


@pytest.mark.parametrize(
    ("kept", "text"),
    [
        (row(), ""),
        (row(2.0), ""),
        (row(2.0, NumPy=3.0, PyTorch=1.5), "2.00x the best: not reached (1.50x)"),
        (row(2.0, "NumPy", NumPy=3.0, PyTorch=1.5), "2.00x NumPy: reached"),
        (row(2.0, "JAX", NumPy=3.0), ""),
    ],
)
def test_verdicts(kept, text):
    assert REPORT["verdict"](kept) == text


def test_tables():
    rows = [row(NumPy=2.0), row(NumPy=8.0, PyTorch=1.0), row(NumPy=4.0)]
    assert REPORT["table"]("T", rows).splitlines() == [
        "## T",
        "",
        "|  | cytensor | NumPy | PyTorch |",
        "|---|--:|--:|--:|",
        "| w | 2 ms | 4 ms, 2.00x |  |",
        "| w | 2 ms | 16 ms, 8.00x | 2 ms, 1.00x |",
        "| w | 2 ms | 8 ms, 4.00x |  |",
        "| geometric mean |  | 4.00x | 1.00x |",
    ]


def test_the_page_names_the_run():
    run = {
        "datetime": "2026-11-22T12:00:00",
        "machine_info": {
            "cpu": {"brand_raw": "A processor", "count": 2},
            "processor": "",
            "machine": "x86_64",
            "system": "Linux",
            "python_version": "3.11.7",
            "run": {"threads": 2, "versions": {"NumPy": "2.4"}, "isa": "avx2", "missing": ["JAX"], "load": 0.25},
        },
        "benchmarks": [{"extra_info": row(NumPy=2.0)}],
    }
    page = REPORT["report"](run)
    for part in (
        "OMP_NUM_THREADS=2 pytest",
        "2026-11-22",
        "A processor, 2 logical",
        "avx2",
        "JAX",
        "0.2 processes",
        "## T",
    ):
        assert part in page
