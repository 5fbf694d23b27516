"""benchmarks/report.py: how figures, ratios and verdicts are worded. The benchmarks themselves are not run here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))
from benchmarks import processes, report
from benchmarks.targets import ACCURACY, TARGETS, Target


def row(work="w", ours=2e-3, unit="s", **ratios):
    """A row as a benchmark keeps it: ours takes 2 ms, a peer as much as its ratio says."""
    peers = {name: {"median": ours * ratio, "best": ours * ratio, "ratio": ratio} for name, ratio in ratios.items()}
    ours = {"median": ours, "best": ours}
    return {"table": "T", "work": work, "name": "cytensor", "ours": ours, "peers": peers, "unit": unit}


def run(threads, *rows, missing=()):
    """What pytest-benchmark writes, as far as the report reads it."""
    facts = {
        "threads": threads,
        "versions": {"NumPy": "2.4"},
        "isa": "avx2",
        "missing": list(missing),
        "load": 0.25,
        "caches": {"L1": 48 * 2**10, "L2": 2**21},
        "blas": {"NumPy": "openblas 0.3, SkylakeX, threads: 2"},
    }
    machine = {
        "cpu": {"brand_raw": "A processor", "count": 2},
        "processor": "",
        "machine": "x86_64",
        "system": "Linux",
        "python_version": "3.11.7",
        "run": facts,
    }
    return {
        "datetime": "2026-11-22T12:00:00",
        "machine_info": machine,
        "benchmarks": [{"extra_info": one, "fullname": "benchmarks/test_w.py::test_w[x]"} for one in rows],
    }


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.234e-9, "s", "1.23 ns"),
        (9.996e-7, "s", "1000 ns"),
        (0.5e-10, "s", "0.05 ns"),
        (2.5e-3, "s", "2.5 ms"),
        (3.8, "s", "3.8 s"),
        (105.6, "MB", "106 MB"),
        (1234.5, "MB", "1,234 MB"),
        (1.28, "MB", "1.3 MB"),
        (0.0041, "MB", "0.0041 MB"),
        (0.97945, "", "0.9795"),
    ],
)
def test_figures(value, unit, text):
    assert report.figure(value, unit) == text


@pytest.mark.parametrize(("ratio", "text"), [(0.874, "0.87x"), (3.14159, "3.14x"), (41.6, "42x"), (31193.4, "31,193x")])
def test_ratios(ratio, text):
    assert report.times(ratio) == text


def test_a_table_of_one_run():
    rows = [row("a", NumPy=2.0), row("b", NumPy=8.0, PyTorch=1.0, JAX=2.0), row("c", NumPy=4.0, PyTorch=4.0)]
    assert report.table("T", {1: rows}).splitlines() == [
        "## T",
        "",
        "|  | cytensor | NumPy | PyTorch | JAX |",
        "|---|--:|--:|--:|--:|",
        "| a | 2 ms | 4 ms, 2.00x |  |  |",
        "| b | 2 ms | 16 ms, 8.00x | 2 ms, 1.00x | 4 ms, 2.00x |",
        "| c | 2 ms | 8 ms, 4.00x | 8 ms, 4.00x |  |",
        "| geometric mean |  | 4.00x | 2.00x |  |",
    ]


def test_a_table_of_two_runs_joins_the_rows_of_one_work():
    runs = {1: [row("a", NumPy=2.0), row("b", NumPy=1.0)], 2: [row("b", ours=1e-3, NumPy=3.0)]}
    assert report.table("T", runs).splitlines() == [
        "## T",
        "",
        "|  | cytensor, 1 thread | NumPy, 1 thread | cytensor, 2 threads | NumPy, 2 threads |",
        "|---|--:|--:|--:|--:|",
        "| a | 2 ms | 4 ms, 2.00x |  |  |",
        "| b | 2 ms | 2 ms, 1.00x | 1 ms | 3 ms, 3.00x |",
    ]


BOTH = ("NumPy", "PyTorch")
ROWS = {("T", one["work"]): one for one in (row("a", NumPy=3.0, PyTorch=1.5), row("b", NumPy=6.0), row("m", 150, "MB"))}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (Target("w", BOTH, 2.0, [("T", "a")]), ("1.50x", False)),
        (Target("w", ("NumPy",), 2.0, [("T", "a")]), ("3.00x", True)),
        (Target("w", ("NumPy",), 3.0, [("T", "a")]), ("3.00x", True)),
        (Target("w", ("JAX",), 2.0, [("T", "a")]), None),
        (Target("w", BOTH, 2.0, [("T", "another")]), None),
        (Target("w", BOTH, 2.0, [("T", "a"), ("T", "b")]), ("1.50x at a", False)),
        (Target("w", BOTH, 2.0, [("T", "a"), ("T", "b")], "mean"), ("3.00x", True)),
        (Target("w", (), None, [("T", "m")], most=160), ("150 MB", True)),
        (Target("w", (), None, [("T", "m")], most=149), ("150 MB", False)),
        (Target("w", (), None, [("T", "another")], most=160), None),
    ],
)
def test_outcomes(target, expected):
    assert report.outcome(target, ROWS) == expected


def test_targets_are_judged_by_the_figure_with_most_threads():
    target = Target("w", ("NumPy",), 2.0, [("T", "w")])
    page, warnings = report.targets_table({1: [row(NumPy=3.0)], 2: [row(NumPy=1.0)]}, [target], {target.key: "memory"})
    assert page.splitlines()[-1] == "| w | NumPy | 2.00x | 3.00x | 1.00x | **not reached** | memory |"
    assert warnings == []
    page, warnings = report.targets_table({1: [row(NumPy=1.0)], 2: [row(NumPy=3.0)]}, [target], {})
    assert page.splitlines()[-1] == "| w | NumPy | 2.00x | 1.00x | 3.00x | reached |  |"
    assert warnings == []


def test_a_target_that_was_not_measured_is_neither_reached_nor_missed():
    page, warnings = report.targets_table({1: []}, [Target("w", ("NumPy",), 2.0, [("T", "w")])], {})
    assert page.splitlines()[-1] == "| w | NumPy | 2.00x |  | not measured |  |"
    assert warnings == ["targets.py: 'w / NumPy' was not measured"]


def test_a_target_of_one_thread_is_judged_by_that_run():
    target = Target("w", ("NumPy",), 2.0, [("T", "w")], threads=1)
    page, warnings = report.targets_table({1: [row(NumPy=3.0)], 2: [row(NumPy=1.0)]}, [target], {})
    assert page.splitlines()[-1] == "| w, with 1 thread | NumPy | 2.00x | 3.00x | 1.00x | reached |  |"
    assert warnings == []
    page, warnings = report.targets_table({1: [row(NumPy=1.0)], 2: [row(NumPy=3.0)]}, [target], {target.key: "memory"})
    assert page.splitlines()[-1] == "| w, with 1 thread | NumPy | 2.00x | 1.00x | 3.00x | **not reached** | memory |"
    assert warnings == []


def test_targets_have_keys_of_their_own():
    assert len({target.key for target in TARGETS}) == len(TARGETS)


def test_the_figures_of_the_readme():
    accuracy = row("convnet", 0.9912, "") | {"table": ACCURACY}
    runs = {1: run(1, row("w", NumPy=3.0)), 2: run(2, row("w", NumPy=2.0), accuracy)}
    targets = [Target("seen", ("NumPy",), 2.0, [("T", "w")]), Target("other", ("NumPy",), 2.0, [("T", "w")])]
    found = report.figures(runs, targets, ("seen",))
    assert found.startswith("A processor, avx2, 2026-11-22;")
    assert found.splitlines()[-2:] == ["| seen | NumPy | 3.00x | 2.00x |", f"| {ACCURACY}: convnet |  |  | 0.9912 |"]
    readme = report.with_figures(f"before\n{report.BEGIN}old\n{report.END}after\n", runs)
    assert readme.startswith(f"before\n{report.BEGIN}\nA processor")
    assert readme.endswith(f"\n{report.END}after\n") and "old" not in readme


def test_the_readme_has_a_place_for_its_figures():
    readme = report.README.read_text()
    assert 0 <= readme.find(report.BEGIN) < readme.find(report.END)


def test_peers_are_not_capped(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    assert "OPENBLAS_CORETYPE" not in processes.environment(OPENBLAS_L2_SIZE="512", KERAS_BACKEND="jax")
    program = "import os, benchmarks.programs; print(sorted(os.environ.keys() & set(benchmarks.processes.CAPS)))"
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, cwd=processes.ROOT, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_warnings_about_reasons():
    target = Target("w", ("NumPy",), 2.0, [("T", "w")])
    assert report.targets_table({1: [row(NumPy=1.0)]}, [target], {})[1] == [
        "reasons.py: the target 'w / NumPy' is missed and has no reason"
    ]
    page, warnings = report.targets_table({1: [row(NumPy=2.0)]}, [target], {"w / NumPy": "x", "v / NumPy": "y"})
    assert warnings == [
        "reasons.py: there is no target 'v / NumPy'",
        "reasons.py: the target 'w / NumPy' is reached, its reason is stale",
    ]
    assert page.endswith("| reached |  |")


def test_the_keys_of_the_targets_differ():
    keys = [target.key for target in TARGETS]
    assert len(set(keys)) == len(keys)


def test_the_page_names_the_runs():
    page, _ = report.report({1: run(1, row(NumPy=2.0)), 2: run(2, row(NumPy=2.0), missing=["JAX"])}, [], {})
    for part in (
        "OMP_NUM_THREADS=1 pytest",
        "OMP_NUM_THREADS=2 pytest",
        "2026-11-22",
        "A processor, 2 logical",
        "L1 48 KiB, L2 2 MiB",
        "1 and 2",
        "avx2",
        "| what multiplies matrices for NumPy | openblas 0.3, SkylakeX, threads: 2 |",
        "0.2 processes, 0.2 processes",
        "## T\n\n`pytest benchmarks/test_w.py`\n\n|  | cytensor, 1 thread |",
    ):
        assert part in page
    assert "not installed" not in page
    assert "| peers not installed, so not here | JAX |" in report.report({2: run(2, missing=["JAX"])}, [], {})[0]


def test_runs_are_read_by_rising_number_of_threads(tmp_path):
    for name, threads in (("a.json", 2), ("b.json", 1)):
        (tmp_path / name).write_text(json.dumps(run(threads)))
    assert list(report.read_runs([tmp_path / "a.json", tmp_path / "b.json"])) == [1, 2]
