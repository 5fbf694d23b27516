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

from . import peers  # noqa: E402
from .timing import IDLE, ROUNDS, Side, summarise  # noqa: E402


def pytest_terminal_summary(terminalreporter):
    missing = ", ".join(peers.missing())
    if missing:
        terminalreporter.write_line(f"peers that are not installed, their columns skipped: {missing}")


def pytest_benchmark_update_machine_info(config, machine_info):
    """Add to the JSON what a reader needs to repeat the run."""
    versions = {"cytensor": cytensor.__version__, "NumPy": numpy.__version__} | peers.versions()
    machine_info["run"] = {"threads": THREADS, "versions": versions, "missing": peers.missing()}


@pytest.fixture
def compare(benchmark):
    """compare(table, work, ours, theirs, ...): time a piece of work beside the peers that do the same.

    `ours` and the values of the dict `theirs` are functions without arguments, or statements to run with the names in
    `names`; None stands for a peer that is not installed. Everybody runs once to warm up, then `rounds` times: each
    peer in turn and ours last, each after an idle pause. pytest-benchmark's own figures are of batches of our calls;
    what `summarise` keeps (see there for `target` and `against`) is seconds a call.
    """

    def run(table, work, ours, theirs, *, names=None, rounds=ROUNDS, target=None, against=None):
        sides = {name: Side(code, names) for name, code in theirs.items() if code is not None}
        mine = Side(ours, names)

        def turn_of_the_peers():
            for side in sides.values():
                side.turn()
            time.sleep(IDLE)

        benchmark.pedantic(mine.batch, setup=turn_of_the_peers, rounds=rounds)
        if benchmark.stats:  # None under --benchmark-disable
            seconds = [batch / mine.calls for batch in benchmark.stats.stats.data]
            theirs = {name: side.seconds for name, side in sides.items()}
            summarise(benchmark, table, work, seconds, theirs, target=target, against=against)

    return run
