"""Every op of cyops beside NumPy and PyTorch, at a small and a large size; some of them on views.

The ops in CORE are in test_sizes.py. tests/test_completeness.py fails when an op has no row.
"""

from typing import Any

import numpy as np
import pytest

import cytensor as ct

from .cases import CASES, CORE, Case
from .peers import torch

LAYOUTS = {
    "contiguous": lambda x: x,
    "transposed": lambda x: x.T,
    "every second column": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "reversed": lambda x: x[::-1, ::-1],
    "one row, broadcast": lambda x: np.broadcast_to(x[:1], x.shape),
}
VIEWS = "Ops on views"
ON_VIEWS = ("add", "relu", "exp", "copy", "sum", "max", "softmax")
ROWS = [(name, size) for name, case in CASES.items() if name not in CORE for size in case.sizes]


def sides(name, case, arrays):
    """Ours, and a dict of the peers' functions, on the same memory."""
    tensors = [ct.asarray(array) for array in arrays]
    op: Any = getattr(ct, name, None)
    theirs = {"NumPy": lambda: case.numpy(*arrays), "PyTorch": None}
    if case.torch and all(min(array.strides, default=0) >= 0 for array in arrays):  # PyTorch has no negative strides
        peer = [torch.from_numpy(array) for array in arrays]
        function = case.torch
        theirs["PyTorch"] = lambda: function(*peer)
    return (lambda: case.ours(ct, *tensors)) if case.ours else (lambda: op(*tensors)), theirs


@pytest.mark.parametrize(("name", "size"), ROWS, ids=str)
def test_op(compare, name, size):
    case = CASES[name]
    arrays = case.operands(size, np.random.default_rng(0))
    shapes = " ".join(str(array.shape) for array in arrays)
    table = "Views" if len(case.sizes) == 1 else "Ops"
    compare(table, f"{name} {shapes}", *sides(name, case, arrays), rounds=3)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", ON_VIEWS)
@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
def test_on_views(compare, name, layout):
    rng = np.random.default_rng(0)
    arrays = [LAYOUTS[layout](rng.normal(size=(1000, 1000)).astype(np.float32)) for _ in range(1 + (name == "add"))]
    compare(VIEWS, f"{name}, (1000, 1000), {layout}", *sides(name, CASES[name], arrays), rounds=3)


@pytest.mark.parametrize("axis", [-1, 0])
def test_sum_along_an_axis(compare, axis):
    x = np.random.default_rng(0).normal(size=(4096, 2048)).astype(np.float32)
    along = Case(
        lambda n, rng: [x],
        lambda x: x.sum(axis=axis),
        torch and (lambda x: x.sum(axis)),
        lambda ct, x: ct.sum(x, axis=axis),
    )
    compare("Ops", f"sum (4096, 2048), {'last' if axis else 'first'} axis", *sides("sum", along, [x]))


def test_copy_of_a_transpose(compare):
    array = np.random.default_rng(0).normal(size=(4096, 2048)).astype(np.float32).T
    compare(VIEWS, "copy of a (4096, 2048) transpose", *sides("copy", CASES["copy"], [array]))
