"""einsum: equations that networks are written with, and contractions of operands whose axes lie in any order.

The latter stand in targets.py, with their sources; the peers transpose, multiply and transpose.
"""

import numpy as np
import pytest

import cytensor as ct

from .peers import torch
from .targets import CONTRACTIONS, PERMUTED

EQUATIONS = {
    "ij,jk->ik": [(8, 8), (8, 8)],
    "bij,bjk->bik": [(64, 32, 48), (64, 48, 40)],
    "bi,oij,bj->bo": [(64, 48), (32, 48, 40), (64, 40)],
    "bhqd,bhkd->bhqk": [(8, 4, 64, 32), (8, 4, 64, 32)],
    "ii": [(512, 512)],
    "i,j->ij": [(1000,), (1000,)],
    "bi,bi->b": [(1024, 256), (1024, 256)],
    "ij,jk,kl->il": [(512, 32), (32, 512), (512, 16)],
}


def operands(shapes):
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape).astype(np.float32) for shape in shapes]


def sides(equation, arrays):
    """Ours and the peers', on the same memory; NumPy may choose its path."""
    tensors = [ct.asarray(array) for array in arrays]
    path = np.einsum_path(equation, *arrays, optimize="greedy")[0]
    theirs = {"NumPy": lambda: np.einsum(equation, *arrays, optimize=path), "PyTorch": None}
    if torch:
        peer = [torch.from_numpy(array) for array in arrays]
        theirs["PyTorch"] = lambda: torch.einsum(equation, *peer)
    return (lambda: ct.einsum(equation, *tensors)), theirs


def shown(equation, shapes):
    return f"{equation}, {' '.join(map(str, shapes))}"


@pytest.mark.parametrize("equation", EQUATIONS)
def test_einsum(compare, equation):
    shapes = EQUATIONS[equation]
    compare("einsum, float32", shown(equation, shapes), *sides(equation, operands(shapes)))


@pytest.mark.parametrize("equation", CONTRACTIONS)
def test_contraction_of_permuted_operands(compare, equation):
    shapes = CONTRACTIONS[equation]
    compare(PERMUTED, shown(equation, shapes), *sides(equation, operands(shapes)))
