"""Kills each rank at random moments of a training and goes on with another number of ranks: KILLS times each.

`python -m ranks.kill_ranks` in tests/ prints the longest time that the others took to end, and whether the
weights came out the same. FUZZ_SEED repeats a run.
"""
import contextlib
import os
import random
import re
import signal
import sys
import tempfile
import time

from ranks import run, started

RANKS, SHARDS = 3, 6


def kill(path, rank, ranks, after):
    """Seconds from the SIGKILL of a rank, so many seconds after all have begun, to the end of mpiexec."""
    process = started(["-m", "ranks.safety", "nothing", path, SHARDS], ranks)
    found = {}
    while len(found) < ranks:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        for match in re.finditer(r"rank (\d+) is process (\d+)", line):
            found[int(match[1])] = int(match[2])
    time.sleep(after)
    start = time.monotonic()
    with contextlib.suppress(ProcessLookupError):      # it was done already
        os.kill(found[rank], signal.SIGKILL)
    try:
        process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return time.monotonic() - start


def main():
    seed = int(os.environ.get("FUZZ_SEED", random.randrange(10**6)))
    kills, source = int(os.environ.get("KILLS", 20)), random.Random(seed)
    print(f"FUZZ_SEED={seed} KILLS={kills}", flush=True)
    longest, wrong = 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        expected = [one.tobytes() for one in run("safety:resumed", 1, SHARDS, os.path.join(folder, "whole"))[0]]
        for number in range(kills * RANKS):
            path = os.path.join(folder, f"run-{number}")
            longest = max(longest, kill(path, number % RANKS, RANKS, source.uniform(0, 2.0)))
            results = run("safety:resumed", source.choice((1, 2, 3)), SHARDS, path)
            wrong += any([one.tobytes() for one in result] != expected for result in results)
    print(f"{kills * RANKS} kills of {RANKS} ranks: all ended within {longest:.1f} s; {wrong} with other weights")
    return int(wrong > 0 or longest >= 10)


if __name__ == "__main__":
    sys.exit(main())
