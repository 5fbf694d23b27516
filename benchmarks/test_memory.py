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
# Not getrusage: its maximum goes back to before the program was started, to the process that started it.
REPORT = "\nprint([line for line in open('/proc/self/status') if 'VmHWM' in line][0].split()[1])"


def peak_megabytes(program):
    command = [sys.executable, "-c", program + REPORT]
    done = subprocess.run(command, capture_output=True, text=True, cwd=os.sep, check=True)
    return int(done.stdout.split()[-1]) * 1024 / 1e6


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_peak_memory_of_training(benchmark):
    mine = []
    benchmark.pedantic(lambda: mine.append(peak_megabytes(OURS)), rounds=1)
    theirs = {"PyTorch": [peak_megabytes(PYTORCH)]} if torch else {}
    summarise(benchmark, "Peak memory", "one epoch of MNIST, batch 128", mine, theirs, unit="MB")
