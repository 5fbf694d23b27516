"""The command itself: measures every work side by side, compares the results, prints the table and draws it."""
import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import cytensor as ct
from cytensor.cli.bench import sides
from cytensor.cli.bench.works import WORKS, Work

SLICE = 0.005                      # seconds for which one side is measured before it is the next one's turn
WIDE = 46                          # of the column of works


class Row(NamedTuple):
    """Seconds by side, and those sides whose result is another than cytensor's."""
    work: str
    seconds: dict[str, float]
    differing: list[str]


def bench(options: argparse.Namespace) -> None:
    """cytensor bench"""
    found = sides.installed()
    names = [side.name for side in found]
    print(f"{machine()}\n{', '.join(f'{side.name} {side.version}' for side in found)}\n")
    print(f"{'':{WIDE}}" + "".join(f"{name:>12}" for name in names) + f"{'times':>8}")
    rows = []
    for work in WORKS:
        rows.append(measured(work, found, options.seconds))
        print(line(rows[-1], names), flush=True)
    print("\ntimes: how many times as long as cytensor the fastest of the others takes; the shortest of the calls "
          f"within {options.seconds:g} s\neach, by turns. Threads of NumPy's BLAS and of JAX are their own: "
          "OMP_NUM_THREADS sets most of them.")
    for row in rows:
        for name in row.differing:
            print(f"{name} gives another result than cytensor for {row.work}")
    if options.plot:
        from cytensor.cli.bench import picture

        picture.draw(rows, names, machine(), options.plot)
        print(f"Drawn: {options.plot}")


def machine() -> str:
    """What the figures hold for, in a line."""
    threads = ct.get_num_threads()
    return (f"{processor()}, {ct.isa}, {threads} thread{'s' if threads > 1 else ''}, {os.cpu_count()} cores, "
            f"Python {platform.python_version()}")


def processor() -> str:
    """The name of the processor, or of its kind where the system does not say it."""
    if sys.platform == "linux":
        try:
            with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
                for entry in file:
                    if entry.startswith("model name"):
                        return entry.partition(":")[2].strip()
        except OSError:
            pass
    return platform.processor() or platform.machine()


def measured(work: Work, found: list[sides.Side], seconds: float) -> Row:
    """The row of one work: the first results compared, then the sides by turns for `seconds` each."""
    calls = {side.name: call for side in found if (call := side.call(work.function, work.arrays()))}
    results = {name: np.asarray(call(), np.float64) for name, call in calls.items()}
    ours = results["cytensor"]
    allowed = work.tolerance * float(np.abs(ours).max())
    differing = [name for name, result in results.items()
                 if result.shape != ours.shape or not np.abs(result - ours).max() <= allowed]
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(max(2, round(seconds / SLICE))):
        for name, call in calls.items():
            best[name] = min(best[name], shortest(call))
    return Row(work.name, best, differing)


def shortest(call: Callable[[], Any]) -> float:
    """The shortest of several calls within SLICE, in seconds; one call and more."""
    least, start = float("inf"), time.perf_counter()
    while True:
        before = time.perf_counter()
        call()
        after = time.perf_counter()
        least = min(least, after - before)
        if after - start >= SLICE:
            return least


def times(row: Row) -> float | None:
    """How many times as long the fastest of the others takes; None without others."""
    others = [seconds for name, seconds in row.seconds.items() if name != "cytensor"]
    return min(others) / row.seconds["cytensor"] if others else None


def line(row: Row, names: list[str]) -> str:
    """A row of the table."""
    cells = "".join(f"{duration(row.seconds[name]) if name in row.seconds else '':>12}" for name in names)
    ratio = times(row)
    return f"{row.work:{WIDE}}{cells}" + (f"{ratio:>7.2f}x" if ratio else "")


def duration(seconds: float) -> str:
    """`1.23 ms`, to three digits."""
    for scale, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "us")):
        if seconds * scale >= 1 or unit == "us":
            value = seconds * scale
            return f"{value:.{max(0, 2 - int(np.log10(max(value, 1))))}f} {unit}"
    raise AssertionError
