"""Every op of cyops beside NumPy and PyTorch, at a small and a large size; some of them on views."""

import numpy as np
import pytest

import cyops
import cytensor as ct

from .cases import CASES
from .peers import torch

LAYOUTS = {
    "transposed": lambda x: x.T,
    "every second column": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "reversed": lambda x: x[::-1, ::-1],
    "one row, broadcast": lambda x: np.broadcast_to(x[:1], x.shape),
}
ON_VIEWS = ("add", "relu", "exp", "copy", "sum", "max", "softmax")


def test_every_op_has_a_row():
    missing = sorted(set(cyops.OPS) - set(CASES))
    assert not missing, f"benchmarks/cases.py has no row for {', '.join(missing)}"
    surplus = sorted(set(CASES) - set(cyops.OPS))
    assert not surplus, f"benchmarks/cases.py has rows for {', '.join(surplus)}, which are no ops"


def sides(name, arrays):
    """Ours, and a dict of the peers' functions, on the same memory."""
    case = CASES[name]
    tensors = [ct.asarray(array) for array in arrays]
    op = getattr(ct, name)
    theirs = {"NumPy": lambda: case.numpy(*arrays), "PyTorch": None}
    if case.torch and all(min(array.strides) >= 0 for array in arrays):  # PyTorch has no negative strides
        peer = [torch.from_numpy(array) for array in arrays]
        theirs["PyTorch"] = lambda: case.torch(*peer)
    return (lambda: case.ours(ct, *tensors)) if case.ours else (lambda: op(*tensors)), theirs


@pytest.mark.parametrize(
    ("name", "size"), [(name, size) for name, case in CASES.items() for size in case.sizes], ids=str
)
def test_op(compare, name, size):
    arrays = CASES[name].operands(size, np.random.default_rng(0))
    shapes = " ".join(str(array.shape) for array in arrays)
    table = "Views" if len(CASES[name].sizes) == 1 else "Ops"
    compare(table, f"{name} {shapes}", *sides(name, arrays), rounds=3)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", ON_VIEWS)
@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
def test_on_views(compare, name, layout):
    rng = np.random.default_rng(0)
    arrays = [LAYOUTS[layout](rng.normal(size=(1000, 1000)).astype(np.float32)) for _ in range(1 + (name == "add"))]
    compare("Ops on views of (1000, 1000)", f"{name}, {layout}", *sides(name, arrays), rounds=3)
