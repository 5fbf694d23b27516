"""The kernels beside plain Python loops, on nested lists and on NumPy arrays."""

from collections.abc import Callable

import numpy as np
import pytest

import cytensor as ct

from . import naive
from .peers import THREADS

LOOPS = "loops on NumPy arrays"
LISTS = "loops on nested lists"

# Table row: the name in naive.py, ours, the shapes of the operands by size n.
WORK: dict[str, tuple[Callable, Callable]] = {
    "relu": (ct.relu, lambda n: [(n, 4 * n)]),
    "add": (ct.add, lambda n: [(n, 4 * n), (n, 4 * n)]),
    "add_vector": (ct.add, lambda n: [(n, 4 * n), (4 * n,)]),
    "dot": (ct.dot, lambda n: [(n * n,), (n * n,)]),
    "matrix_vector": (ct.matmul, lambda n: [(n, 4 * n), (4 * n,)]),
    "matmul": (ct.matmul, lambda n: [(n, n), (n, n)]),
}
SIZES = (8, 32, 128)


@pytest.mark.skipif(THREADS != 1, reason="measured with one thread")
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", WORK)
def test_naive(compare, name, size):
    ours, shapes = WORK[name]
    size = 256 if (name, size) == ("matmul", 128) else size
    arrays = [np.random.default_rng(size).normal(size=shape).astype(np.float32) for shape in shapes(size)]
    lists = [array.tolist() for array in arrays]
    tensors = [ct.asarray(array) for array in arrays]
    on_arrays, on_lists = getattr(naive, f"{name}_arrays"), getattr(naive, f"{name}_lists")
    compare(
        "Plain Python loops",
        f"{name} {' and '.join(str(shape) for shape in shapes(size))}",
        lambda: ours(*tensors),
        {LOOPS: lambda: on_arrays(*arrays), LISTS: lambda: on_lists(*lists)},
        rounds=3,
    )


@pytest.mark.parametrize("name", WORK)
def test_the_loops_compute_the_same(name):
    """A comparison of times means nothing if the results differ."""
    ours, shapes = WORK[name]
    arrays = [np.random.default_rng(7).normal(size=shape).astype(np.float32) for shape in shapes(6)]
    expected = ours(*(ct.asarray(array) for array in arrays)).numpy()
    np.testing.assert_allclose(getattr(naive, f"{name}_arrays")(*arrays), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(getattr(naive, f"{name}_lists")(*(a.tolist() for a in arrays)), expected, 1e-5, 1e-5)
