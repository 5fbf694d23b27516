"""Peak resident memory of training on MNIST for one epoch, each program in a process of its own."""

import subprocess
import sys

import pytest

from .peers import installed
from .processes import ROOT, environment
from .timing import summarise


def peak_megabytes(library):
    command = [sys.executable, "-m", "benchmarks.programs.peak_memory", library]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment(), check=True)
    return int(done.stdout.split()[-1]) / 1e6


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_peak_memory_of_training(benchmark):
    mine = []
    benchmark.pedantic(lambda: mine.append(peak_megabytes("cytensor")), rounds=1)
    theirs = {"NumPy": [peak_megabytes("numpy")]}
    if installed("PyTorch"):
        theirs["PyTorch"] = [peak_megabytes("torch")]
    summarise(benchmark, "Peak memory", "cytensor train, one epoch of MNIST", mine, theirs, unit="MB")
