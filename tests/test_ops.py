"""Every op equals its NumPy reference over the whole cross of layouts and floating dtypes, on every instruction set.

This file runs the cross in this process, on the instruction set it has; test_isa.py repeats it in a subprocess for
each of the others.
"""
import itertools

import numpy as np
import pytest
from layouts import LAYOUTS, values_of
from samples import SAMPLES

import cyops

EPS = {"float32": np.finfo(np.float32).eps, "float64": np.finfo(np.float64).eps}


def tolerance(sample, dtype, arrays, expected):
    terms = np.abs(expected) if sample.terms is None else sample.terms(*arrays)
    return sample.factor * EPS[dtype] * (np.broadcast_to(terms, np.shape(expected)) + np.finfo(dtype).tiny)


def check(name, sample, dtype, chosen):
    """One call of one op: operands in the layouts named, the result against float64."""
    drawn = sample.draw(np.random.default_rng(7))
    operands = [LAYOUTS[layout](values.astype(dtype)) for layout, values in zip(chosen, drawn, strict=True)]
    arrays = [values_of(x).astype(np.float64) for x in operands]
    before = [values_of(x) for x in operands]
    result = sample.call(*operands)
    with np.errstate(all="ignore"):
        expected = np.asarray(sample.reference(*arrays))
    got = values_of(result)
    assert got.shape == expected.shape, (name, chosen, got.shape, expected.shape)
    if got.dtype.kind != "f":
        assert np.array_equal(got, expected), (name, dtype, chosen)
        return
    error = np.abs(got.astype(np.float64) - expected)
    allowed = tolerance(sample, dtype, arrays, expected)
    assert np.all((error <= allowed) | (got == expected)), (name, dtype, chosen, error.max())
    for x, values in zip(operands, before, strict=True):
        assert np.array_equal(values_of(x), values), (name, "changed an operand")


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_forward_over_all_layouts(name):
    sample = SAMPLES[name]
    count = len(sample.draw(np.random.default_rng(0)))
    layouts = list(itertools.product(LAYOUTS, repeat=min(count, 2)))
    for dtype in ("float32", "float64"):
        for chosen in layouts:
            check(name, sample, dtype, chosen + ("sliced",) * (count - len(chosen)))


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_call_is_reproducible_and_gives_a_tensor_of_its_own_class(name):
    import cytensor as ct

    sample = SAMPLES[name]
    drawn = [x.astype(np.float32) for x in sample.draw(np.random.default_rng(3))]
    first = sample.call(*[cyops.Strided(x) for x in drawn])
    assert type(first) is cyops.Strided
    if drawn:
        again = sample.call(*[ct.Tensor(x) for x in drawn])
        assert type(again) is ct.Tensor
        assert values_of(first).tobytes() == values_of(again).tobytes()
