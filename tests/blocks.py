"""Blocks of cases in processes of their own, as many at a time as there are cores: what the fuzzers share.

A crash or a hang of one is seen from outside; each process writes the case it is at into a file, its trace.
"""
import concurrent.futures
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple


class Outcome(NamedTuple):
    """How a block ended: arguments, return code (None where it did not end in time), what it wrote, its last case."""

    arguments: tuple
    code: int | None
    output: str
    errors: str
    last: str


class Trace:
    """The file that names the case a process is at."""

    def __init__(self, path):
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)

    def note(self, text):
        os.pwrite(self.file, text.encode() + b"\0", 0)


def cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def run(module, blocks, seconds):
    """The Outcome of `python -m module *block trace` for each block, in the order in which they end."""
    with concurrent.futures.ThreadPoolExecutor(cores()) as pool:
        running = [pool.submit(_run_one, module, block, seconds) for block in blocks]
        try:
            for future in concurrent.futures.as_completed(running):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _run_one(module, block, seconds):
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace"
        trace.touch()
        command = [sys.executable, "-m", module, *map(str, block), str(trace)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, cwd=Path(__file__).parent)
            found = done.returncode, done.stdout, done.stderr[-3000:]
        except subprocess.TimeoutExpired:
            found = None, "", f"no end after {seconds} s"
        return Outcome(tuple(block), *found, trace.read_bytes().partition(b"\0")[0].decode())
