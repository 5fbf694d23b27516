"""The ops that everything else is made of, from ten elements to more than the caches hold; results are allocated."""

import numpy as np
import pytest

from .cases import CASES, CORE, Case
from .peers import torch
from .test_ops import sides

TABLE = "Ops by size"
SIZES = (10, 1_000, 100_000, 1_000_000, 10_000_000, 30_000_000)
# Addition has more of them, because its rate is drawn over the size.
ADDENDS = tuple(sorted({*SIZES, 100, 3_000, 10_000, 30_000, 300_000, 3_000_000}))
BIAS = 500


def with_bias(n, rng):
    """A matrix (n / 500, 500) and a vector (500,)."""
    return [rng.normal(size=shape).astype(np.float32) for shape in ((n // BIAS, BIAS), (BIAS,))]


def shown(size):
    """A size as people write it: 10, 1e3, 3e7."""
    mantissa, exponent = f"{size:.0e}".split("e")
    return str(size) if size < 1000 else f"{mantissa}e{int(exponent)}"


BIAS_ADD = Case(with_bias, np.add, torch and torch.add, lambda ct, x, bias: ct.add(x, bias))
ROWS = [(name, CASES[name], size) for name in CORE for size in (ADDENDS if name == "add" else SIZES)]
ROWS += [("bias add", BIAS_ADD, size) for size in SIZES if size > BIAS]


@pytest.mark.parametrize(("name", "case", "size"), ROWS, ids=[f"{name}-{size}" for name, _, size in ROWS])
def test_by_size(compare, name, case, size):
    arrays = case.operands(size, np.random.default_rng(0))
    compare(TABLE, f"{name}, {shown(size)}", *sides(name, case, arrays), rounds=5)
