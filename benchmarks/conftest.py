"""The `compare` fixture: our code and its peers, timed in turns in one run, the ratios kept beside the times.

Threads: every library obeys OMP_NUM_THREADS, which is 1 here unless it is set.
"""

import os
import sys
import time

THREADS = int(os.environ.setdefault("OMP_NUM_THREADS", "1"))
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(THREADS)
# These variables are read when NumPy loads, so a NumPy loaded before them would run with other threads.
if "numpy" in sys.modules:
    raise RuntimeError("benchmarks: NumPy was loaded before its number of threads was set; run `pytest benchmarks`")

import numpy  # noqa: E402
import pytest  # noqa: E402

import cytensor  # noqa: E402

from . import peers, report  # noqa: E402
from .timing import IDLE, ROUNDS, Side, summarise  # noqa: E402

# How busy the machine was with other work before this run began.
LOAD = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
ROWS = []  # one for each benchmark that ran, as `summarise` kept it


def pytest_terminal_summary(terminalreporter):
    for title, rows in report.by_table(ROWS).items():
        terminalreporter.write_line("\n" + report.table(title, rows))
    missing = ", ".join(peers.missing())
    if missing:
        terminalreporter.write_line(f"peers that are not installed, their columns skipped: {missing}")


def pytest_benchmark_update_machine_info(config, machine_info):
    """Add to the JSON what a reader needs to repeat the run."""
    versions = {"cytensor": cytensor.__version__, "NumPy": numpy.__version__} | peers.versions()
    machine_info["run"] = {
        "threads": THREADS,
        "versions": versions,
        "isa": cytensor.isa,
        "missing": peers.missing(),
        "load": LOAD,
    }


@pytest.fixture(autouse=True)
def keep_row(request):
    """Keep what each benchmark summarised, for the tables at the end."""
    benchmark = request.getfixturevalue("benchmark") if "benchmark" in request.fixturenames else None
    yield
    if benchmark and benchmark.extra_info:
        ROWS.append(benchmark.extra_info)


@pytest.fixture
def compare(benchmark):
    """compare(table, work, ours, theirs, ...): time a piece of work beside the peers that do the same.

    `ours` and the values of the dict `theirs` are functions without arguments, or statements to run with the names in
    `names`; None stands for a peer that is not installed. Everybody runs once to warm up, then `rounds` times: each
    peer in turn and ours last, each after an idle pause. All figures are seconds a call: pytest-benchmark's of ours,
    and those that `summarise` keeps of both (see there for `target` and `against`).
    """

    def run(table, work, ours, theirs, *, names=None, rounds=ROUNDS, target=None, against=None):
        sides = {name: Side(code, names) for name, code in theirs.items() if code is not None}
        mine = Side(ours, names)

        def turn_of_the_peers():
            for side in sides.values():
                side.turn()
            time.sleep(IDLE)

        benchmark.group = table
        benchmark.pedantic(mine.batch, setup=turn_of_the_peers, rounds=rounds)
        if benchmark.stats:  # None under --benchmark-disable
            seconds = benchmark.stats.stats.data
            seconds[:] = [batch / mine.calls for batch in seconds]
            theirs = {name: side.seconds for name, side in sides.items()}
            summarise(benchmark, table, work, seconds, theirs, target=target, against=against)

    return run
