"""Matrix products: square, the shapes of a small network, thin ones, and operands that are views."""

import numpy as np
import pytest

import cytensor as ct

from .peers import torch

# (m, k, n): the ratio promised against the faster peer on one thread.
SHAPES = {
    (8, 8, 8): None,
    (32, 32, 32): None,
    (64, 64, 64): None,
    (128, 128, 128): None,
    (256, 256, 256): None,
    (512, 512, 512): 1.0,
    (1024, 1024, 1024): None,
    (128, 784, 512): None,
    (784, 128, 512): None,
    (128, 512, 10): None,
    (8, 1024, 4096): None,
    (4096, 1024, 8): None,
    (1, 784, 512): None,
}
LAYOUTS = {
    "contiguous": lambda a: a.copy(),
    "transposed": lambda a: a.T.copy().T,
    "sliced": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    "reversed": lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
    "broadcast": lambda a: np.broadcast_to(a[:1], a.shape),
}


def sides(a, b):
    """Ours and the peers', on the same memory."""
    x, y = ct.asarray(a), ct.asarray(b)
    theirs = {"NumPy": lambda: a @ b, "PyTorch": None}
    if torch and min(a.strides + b.strides) > 0:  # PyTorch has no negative strides
        p, q = torch.from_numpy(a), torch.from_numpy(b)
        theirs["PyTorch"] = lambda: p @ q
    return (lambda: x @ y), theirs


def matrices(m, k, n, dtype=np.float32):
    rng = np.random.default_rng(m + k + n)
    return rng.normal(size=(m, k)).astype(dtype), rng.normal(size=(k, n)).astype(dtype)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shapes(compare, shape):
    m, k, n = shape
    ours, theirs = sides(*matrices(m, k, n))
    compare("Matrix product, float32", f"({m}, {k}) x ({k}, {n})", ours, theirs, target=SHAPES[shape], against="NumPy")


@pytest.mark.parametrize("size", [64, 512])
def test_float64(compare, size):
    ours, theirs = sides(*matrices(size, size, size, np.float64))
    compare("Matrix product, float64", f"({size}, {size}) x ({size}, {size})", ours, theirs)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
def test_layouts(compare, layout):
    a, b = (LAYOUTS[layout](matrix) for matrix in matrices(512, 512, 512))
    compare("Matrix product of views, 512^3, float32", layout, *sides(a, b))


def test_batched(compare):
    rng = np.random.default_rng(3)
    a = rng.normal(size=(64, 32, 48)).astype(np.float32)
    b = rng.normal(size=(48, 40)).astype(np.float32)
    compare("Matrix product, float32", "(64, 32, 48) x (48, 40)", *sides(a, b))
