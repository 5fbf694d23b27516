"""The child's half of benchmarks/processes.py: wait for a turn, do the work, report the seconds it took.

Import it first: from then on the program's own prints go nowhere, and standard output belongs to the parent.
"""

import os
import sys
import time

from benchmarks.timing import SLOW

CHANNEL, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: SIM115 - open as long as the process


def tell(line):
    print(line, file=CHANNEL, flush=True)


def wait():
    """Return when the parent gives the next turn; end this process when there is none left."""
    tell("ready")
    if not sys.stdin.readline():
        os._exit(0)


def serve(work):
    """Time one call of `work` in each turn, after one that warms up, which a call of more than SLOW does not need."""
    work()
    slow = seconds_of(work) > SLOW
    while True:
        wait()
        if not slow:
            work()
        tell(seconds_of(work))


def seconds_of(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
