"""The `compare` fixture: our code and its peers, timed in turns in one run, the ratios kept beside the times.

Threads: OMP_NUM_THREADS, 1 unless it is set, counts for every library. The environment variables below are what
NumPy's BLAS, PyTorch and TensorFlow read; XLA, which reads none, makes as many threads as the process may use
processors, so the process is bound to that many, and with it the processes that it starts.

Peers run at their best: variables that cap the kernels of a BLAS are removed, here and from the processes started, and
the kernel that ran is recorded.
"""

import os
import sys

from .processes import Process, uncap

THREADS = int(os.environ.setdefault("OMP_NUM_THREADS", "1"))
for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ[variable] = str(THREADS)
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
uncap(os.environ)
# These variables are read when NumPy loads, so a NumPy loaded before them would run with other threads.
if "numpy" in sys.modules:
    raise RuntimeError("benchmarks: NumPy was loaded before its number of threads was set; run `pytest benchmarks`")
if hasattr(os, "sched_setaffinity"):
    # The last ones: the first processor is where most systems handle interrupts.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-THREADS:])

import numpy  # noqa: E402
import pytest  # noqa: E402

import cytensor  # noqa: E402

from . import machine, peers, report  # noqa: E402
from .targets import TARGETS  # noqa: E402
from .timing import ROUNDS, Side, idle, summarise  # noqa: E402

# How busy the machine was with other work before this run began.
LOAD = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
PROMISED = {row for target in TARGETS for row in target.rows}
ROWS: list = []  # one for each benchmark that ran, as `summarise` kept it


def pytest_addoption(parser):
    parser.addoption("--rounds", type=int, help="turns of each side, instead of what each benchmark asks for")
    parser.addoption("--promised", action="store_true", help="only what targets.py promises something of")


def pytest_terminal_summary(terminalreporter):
    for title, rows in report.by_table(ROWS).items():
        terminalreporter.write_line("\n" + report.table(title, {THREADS: rows}))
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
        "blas": peers.blas_kernels(),
        "load": LOAD,
        "caches": machine.caches(),
    }


def pytest_benchmark_update_json(config, benchmarks, output_json):
    """Keep what report.py and plots.py read, and nothing of who ran it where: the files are committed."""
    machine_info = output_json["machine_info"]
    processor = {name: machine_info["cpu"].get(name) for name in ("brand_raw", "count")}
    kept = ("processor", "machine", "system", "python_version", "run")
    output_json["machine_info"] = {"cpu": processor, **{name: machine_info[name] for name in kept}}
    output_json["benchmarks"] = [
        {name: one[name] for name in ("fullname", "extra_info")} for one in output_json["benchmarks"]
    ]
    output_json.pop("commit_info", None)


@pytest.fixture(autouse=True)
def keep_row(request):
    """Keep what each benchmark summarised, for the tables at the end."""
    benchmark = request.getfixturevalue("benchmark") if "benchmark" in request.fixturenames else None
    yield
    if benchmark and benchmark.extra_info:
        ROWS.append(benchmark.extra_info)


@pytest.fixture
def process():
    """process(program, ...): a Process that ends with the test."""
    started = []

    def start(*arguments, **variables):
        started.append(Process(*arguments, **variables))
        return started[-1]

    yield start
    for child in started:
        child.close()


@pytest.fixture
def compare(benchmark, request):
    """compare(table, work, ours, theirs): time a piece of work beside the peers that do the same.

    `ours` and the values of the dict `theirs` are functions without arguments, statements to run with the names in
    `names`, or a Process; None stands for a peer that is not installed. Everybody runs once to warm up, then `rounds`
    times: each peer in turn and ours last, each after an idle pause. All figures are seconds a call: pytest-benchmark's
    of ours, and those that `summarise` keeps of both.
    """

    def run(table, work, ours, theirs, *, names=None, rounds=ROUNDS):
        if request.config.getoption("promised") and (table, work) not in PROMISED:
            pytest.skip("nothing is promised of it")

        def side_of(code):
            return code if isinstance(code, Process) else Side(code, names)

        sides = {name: side_of(code) for name, code in theirs.items() if code is not None}
        mine = side_of(ours)

        def turn_of_the_peers():
            for side in sides.values():
                idle()
                side.turn()
            idle()

        benchmark.group = table
        benchmark.pedantic(mine.turn, setup=turn_of_the_peers, rounds=request.config.getoption("rounds") or rounds)
        if benchmark.stats:  # None under --benchmark-disable
            # What the clock around a turn showed gives way to what the side measured inside it.
            benchmark.stats.stats.data[:] = mine.seconds
            summarise(benchmark, table, work, mine.seconds, {name: side.seconds for name, side in sides.items()})

    return run
