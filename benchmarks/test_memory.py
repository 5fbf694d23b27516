"""Peak resident memory of training on MNIST for one epoch, each program in a process of its own."""

import os
import subprocess
import sys

import pytest

from .peers import torch
from .timing import summarise

OURS = "from cytensor.cli import main; main(['train', '--epochs', '1'])"
PYTORCH = """
import torch
from cytensor.datasets import mnist
(x, y), _ = mnist.load_data()
x = torch.from_numpy(x.reshape(60000, 784).astype("float32") / 255)
y = torch.from_numpy(y.astype("int64"))
model = torch.nn.Sequential(torch.nn.Linear(784, 512), torch.nn.ReLU(), torch.nn.Linear(512, 10))
optimizer = torch.optim.RMSprop(model.parameters(), 1e-3, alpha=0.9)
for rows in torch.randperm(60000).split(128):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
    optimizer.step()
"""
REPORT = "\nimport resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"


def peak_megabytes(program):
    done = subprocess.run(
        [sys.executable, "-c", program + REPORT], capture_output=True, text=True, cwd=os.sep, check=True
    )
    unit = 1 if sys.platform == "darwin" else 1024
    return int(done.stdout.split()[-1]) * unit / 1e6


@pytest.mark.skipif(sys.platform == "win32", reason="resource usage is counted otherwise")
def test_peak_memory_of_training(benchmark):
    mine = []
    benchmark.pedantic(lambda: mine.append(peak_megabytes(OURS)), rounds=1)
    theirs = {"PyTorch": [peak_megabytes(PYTORCH)]} if torch else {}
    summarise(benchmark, "Peak memory", "one epoch of MNIST, batch 128", mine, theirs, unit="MB")
