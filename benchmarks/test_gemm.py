"""Matrix products: square, the shapes of a small network, thin ones, and operands that are views."""

import numpy as np
import pytest

import cytensor as ct

from .peers import torch

SQUARES = (8, 16, 32, 64, 128, 256, 512, 1024, 2048)
# (m, k, n)
SHAPES = (
    (128, 784, 512),
    (784, 128, 512),
    (128, 512, 10),
    (8, 1024, 4096),
    (4096, 1024, 8),
    (1, 784, 512),
)
BFLOAT16 = ((512, 512, 512), (1024, 1024, 1024), (128, 784, 512), (784, 128, 512), (32, 784, 512), (1, 784, 512))
LAYOUTS = {
    "transposed": lambda a: a.T.copy().T,
    "sliced": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    "reversed": lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
    "broadcast": lambda a: np.broadcast_to(a[:1], a.shape),
}


def sides(a, b):
    """Ours and the peers', on the same memory."""
    x, y = ct.asarray(a), ct.asarray(b)
    theirs = {"NumPy": lambda: a @ b, "PyTorch": None}
    if torch and min(a.strides + b.strides) >= 0:  # PyTorch has no negative strides
        p, q = torch.from_numpy(a), torch.from_numpy(b)
        theirs["PyTorch"] = lambda: p @ q
    return (lambda: x @ y), theirs


def matrices(m, k, n, dtype=np.float32):
    rng = np.random.default_rng(m + k + n)
    return rng.normal(size=(m, k)).astype(dtype), rng.normal(size=(k, n)).astype(dtype)


def shown(m, k, n):
    return f"({m}, {k}) x ({k}, {n})"


@pytest.mark.parametrize("size", SQUARES)
def test_squares(compare, size):
    shape = size, size, size
    compare("Matrix product of squares, float32", shown(*shape), *sides(*matrices(*shape)))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shapes(compare, shape):
    compare("Matrix product, float32", shown(*shape), *sides(*matrices(*shape)))


@pytest.mark.parametrize("size", [64, 512])
def test_float64(compare, size):
    shape = size, size, size
    compare("Matrix product, float64", shown(*shape), *sides(*matrices(*shape, np.float64)))


@pytest.mark.parametrize("shape", BFLOAT16, ids=str)
def test_bfloat16(compare, shape):
    """Beside our own product of float32 and PyTorch's of bfloat16."""
    a, b = matrices(*shape)
    x, y = ct.asarray(a), ct.asarray(b)
    p, q = ct.astype(x, "bfloat16"), ct.astype(y, "bfloat16")
    theirs = {"cytensor, float32": lambda: x @ y, "PyTorch": None}
    if torch:
        s, t = torch.from_numpy(a).bfloat16(), torch.from_numpy(b).bfloat16()
        theirs["PyTorch"] = lambda: s @ t
    compare("Matrix product, bfloat16", shown(*shape), lambda: p @ q, theirs)


@pytest.mark.parametrize("shape", [(512, 512, 512), (128, 784, 512)], ids=str)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
def test_layouts(compare, layout, shape):
    """Both operands laid out so; beside our own product of contiguous ones with the same values."""
    a, b = (LAYOUTS[layout](matrix) for matrix in matrices(*shape))
    ours, theirs = sides(a, b)
    contiguous, _ = sides(np.ascontiguousarray(a), np.ascontiguousarray(b))
    theirs = {"cytensor, contiguous": contiguous} | theirs
    compare("Matrix product of views, float32", f"{shown(*shape)}, {layout}", ours, theirs)


def test_batched(compare):
    rng = np.random.default_rng(3)
    a = rng.normal(size=(64, 32, 48)).astype(np.float32)
    b = rng.normal(size=(48, 40)).astype(np.float32)
    compare("Matrix product, float32", "(64, 32, 48) x (48, 40)", *sides(a, b))
