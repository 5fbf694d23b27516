"""What the machine can do at most: the roofs under which the plots show everybody's kernels."""

import pytest

from . import machine
from .peers import THREADS
from .test_sizes import ADDENDS
from .timing import summarise

TABLE = "Limits of the machine"


@pytest.fixture(scope="module")
def rates():
    return machine.rates() or pytest.skip("needs a C compiler")


def test_fused_multiply_adds(benchmark, rates):
    got = []
    benchmark.pedantic(lambda: got.append(rates.fma_rate(THREADS) / 1e9), rounds=3)
    summarise(benchmark, TABLE, "fused multiply-adds, float32", [max(got)], {}, unit="GFLOP/s", name="machine")


@pytest.mark.parametrize("size", ADDENDS)
def test_memcpy(benchmark, rates, size):
    """With the same bytes in use as an addition of `size` floats: three arrays of four bytes an element."""
    in_use = 12 * size
    got = []
    benchmark.pedantic(lambda: got.append(rates.copy_rate(in_use // 2, THREADS) / 1e9), rounds=1)
    summarise(benchmark, TABLE, f"memcpy, {in_use} bytes in use", got, {}, unit="GB/s", name="machine")
