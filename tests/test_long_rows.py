"""What rows of a million classes add up: the error grows with the logarithm of their length, on each instruction set.

Run as a program, this file checks the instruction set that CYOPS_ISA names; the test does so once for each. Equal terms
are the hardest: added one after the other, they are all rounded the same way, and come out 1000 to 150,000 eps off.
"""
import math
import os
import subprocess
import sys

import numpy as np
import pytest

import cyops

CLASSES = 1_000_001
MOST = 64               # eps; the largest seen was 24
DTYPES = ("float32", "float64")


def errors(dtype):
    """Name and error of each sum of a long row, in eps: relative to the sum, absolute for its logarithm."""
    eps = np.finfo(dtype).eps
    x, d, y = (np.full(CLASSES, value, dtype) for value in (-0.1, 0.1, 0.7))
    x[0] = d[0] = 0
    y[0] = 1
    wide_x, wide_d = x.astype(np.float64), d.astype(np.float64)
    total = math.fsum(np.exp(wide_x).tolist())

    def relative(value, expected):
        return abs(float(value) / expected - 1) / eps

    yield "softmax", relative(cyops.softmax(x)[0], 1 / total)
    yield "log_softmax", abs(float(cyops.log_softmax(x)[0]) + math.log(total)) / eps
    yield "labels", abs(float(cyops.softmax_cross_entropy(x[None], [0])[0]) - math.log(total)) / eps
    dot = math.fsum((wide_d * y.astype(np.float64)).tolist())
    yield "softmax_gradient", relative(-cyops.softmax_gradient(d, y)[0], dot)
    yield "log_softmax_gradient", relative(-cyops.log_softmax_gradient(d, np.zeros_like(y))[0],
                                           math.fsum(wide_d.tolist()))
    for name in ("targets", "targets, a class ruled out"):
        if name != "targets":
            total -= math.exp(wide_x[5])
            x[5], d[5], wide_x[5], wide_d[5] = -math.inf, 0, 0, 0
        loss = math.log(total) * math.fsum(wide_d.tolist()) - math.fsum((wide_d * wide_x).tolist())
        yield name, relative(cyops.softmax_cross_entropy(x[None], d[None])[0], loss)


def failures():
    found = ((dtype, name, error) for dtype in DTYPES for name, error in errors(dtype))
    return [f"{dtype} {name}: {error:.0f} eps" for dtype, name, error in found if not error <= MOST]


@pytest.mark.slow
@pytest.mark.parametrize("isa", ["generic", "avx2", "avx512"])
def test_sums_of_long_rows(isa):
    if isa not in cyops.available_isas():
        pytest.skip(f"this processor has no {isa}")
    run = subprocess.run([sys.executable, __file__], env={**os.environ, "CYOPS_ISA": isa}, capture_output=True,
                         text=True)
    assert run.returncode == 0, run.stdout + run.stderr


if __name__ == "__main__":
    sys.exit("\n".join(failures()) or 0)
