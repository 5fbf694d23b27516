"""Peak resident memory: of training on MNIST for one epoch, and of one convolution or contraction beside what it reads
and writes. Each program in a process of its own."""

import subprocess
import sys

import pytest

from .peers import installed
from .processes import ROOT, environment
from .timing import summarise

WORKING = "Working memory, beside operands and result"
WORKS = {
    "conv": "convolution 3 x 3 of (32, 56, 56, 32) to 32, channels_last",
    "conv_first": "convolution 3 x 3 of (32, 32, 56, 56) to 32, channels_first",
    "contract": "contraction abcd,dbea->ce, (48, 40, 48, 40) and (40, 40, 64, 48)",
}


def megabytes(program, *arguments):
    command = [sys.executable, "-m", f"benchmarks.programs.{program}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment(), check=True)
    return int(done.stdout.split()[-1]) / 1e6


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_peak_memory_of_training(benchmark):
    mine = []
    benchmark.pedantic(lambda: mine.append(megabytes("peak_memory", "cytensor")), rounds=1)
    theirs = {"NumPy": [megabytes("peak_memory", "numpy")]}
    if installed("PyTorch"):
        theirs["PyTorch"] = [megabytes("peak_memory", "torch")]
    summarise(benchmark, "Peak memory", "cytensor train, one epoch of MNIST", mine, theirs, unit="MB")


@pytest.mark.skipif(sys.platform != "linux", reason="resets the peak in /proc")
@pytest.mark.parametrize("work", WORKS)
def test_working_memory(benchmark, work):
    """What packing takes, and a peer's copies."""
    mine = []
    benchmark.pedantic(lambda: mine.append(megabytes("working_memory", "cytensor", work)), rounds=1)
    theirs = {"NumPy": [megabytes("working_memory", "numpy", work)]} if work == "contract" else {}
    if installed("PyTorch"):
        theirs["PyTorch"] = [megabytes("working_memory", "torch", work)]
    summarise(benchmark, WORKING, WORKS[work], mine, theirs, unit="MB")
