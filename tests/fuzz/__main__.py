"""`python -m fuzz`: FUZZ_CASES cases (100000) of all subjects from FUZZ_SEED (a new one each time, printed).

The first failure ends the run, and a program that reproduces it is printed.
"""
import importlib
import os
import random
import sys
import time

import blocks
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

from fuzz.programs import Failed, Runner, program

SHARES = {"values": 0.4, "gradients": 0.25, "views": 0.2, "chains": 0.15}
BLOCK = 2500
SECONDS = 600                    # of a block; it needs ten or twenty


def run_block(subject, seed, cases, trace=None):
    """Run so many cases; Failed with the text of the smallest one that Hypothesis finds, where one does not hold."""
    strategy, runner = importlib.import_module(f"fuzz.{subject}").CASES, Runner(trace)
    while runner.count < cases:                    # a space that was searched through ends early
        @seeded(seed + runner.count)
        @settings(max_examples=cases - runner.count, deadline=None, database=None, print_blob=False,
                  report_multiple_bugs=False, suppress_health_check=list(HealthCheck),
                  phases=[Phase.generate, Phase.shrink])
        @given(strategy)
        def run(body):
            runner.run(body)

        run()
    return runner.count


def work(subject, seed, cases, trace):
    """What a process of its own does: print the count, or the case that failed and give 1."""
    try:
        print(run_block(subject, int(seed), int(cases), trace))
    except Failed as failure:
        print(failure)
        return 1
    return 0


def all_blocks(seed, cases):
    """(subject, seed, cases) of all blocks, the subjects in turn."""
    found = []
    for subject, share in SHARES.items():
        wanted = round(cases * share)
        for number, first in enumerate(range(0, wanted, BLOCK)):
            found.append((number, subject, (seed * 1000 + number) * 10**6, min(BLOCK, wanted - first)))
    return [block for _, *block in sorted(found)]


def main(seed, cases):
    began, counts = time.perf_counter(), dict.fromkeys(SHARES, 0)
    print(f"FUZZ_SEED={seed} FUZZ_CASES={cases}", flush=True)
    for done in blocks.run("fuzz", all_blocks(seed, cases), SECONDS):
        if done.code != 0:
            reason, _, body = done.output.partition("\n") if done.code == 1 and done.output else ("", "", done.last)
            print(f"{program(body)}\n\n# FAILED: {reason or f'{done.arguments[0]}, code {done.code}; {done.errors}'}")
            print(f"# FUZZ_SEED={seed} FUZZ_CASES={cases}")
            return 1
        counts[done.arguments[0]] += int(done.output.split()[-1])
    print(f"{sum(counts.values())} cases, none wrong, in {time.perf_counter() - began:.0f} s: "
          f"{', '.join(f'{count} {subject}' for subject, count in counts.items())}")
    return 0


if __name__ == "__main__":
    sys.exit(work(*sys.argv[1:]) if len(sys.argv) > 1 else main(
        int(os.environ.get("FUZZ_SEED") or random.randrange(10**6)), int(os.environ.get("FUZZ_CASES") or 100_000)))
