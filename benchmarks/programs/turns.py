"""The child's half of benchmarks/processes.py: wait for a turn, do the work, report the seconds it took.

Import it first: from then on the program's own prints go nowhere, and standard output belongs to the parent.
"""

import os
import sys
import time

CHANNEL, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: SIM115 - open as long as the process


def tell(line):
    print(line, file=CHANNEL, flush=True)


def wait():
    """Return when the parent gives the next turn; end this process when there is none left."""
    tell("ready")
    if not sys.stdin.readline():
        os._exit(0)


def serve(work):
    """Time one call of `work` in each turn, after one that warms up."""
    work()
    while True:
        wait()
        start = time.perf_counter()
        work()
        tell(time.perf_counter() - start)
