"""Every gradient rule against finite differences in float64: first and second order, along random directions.

For f: R^n -> R and a direction v, (f(x + h v) - f(x - h v)) / 2h equals v . grad f(x) up to O(h^2); the second order
check does the same with g(x) = u . grad f(x), which nested tapes differentiate.
"""
import numpy as np
import pytest
from layouts import LAYOUTS
from samples import SAMPLES

import cytensor as ct

STEP = 1e-5
DIFFERENTIABLE = sorted(name for name, sample in SAMPLES.items() if sample.has_gradient)


def scalar(sample, operands, weights):
    """The op's result as one number: weighted, and bent by tanh so that linear ops have a second derivative too."""
    return ct.sum(ct.tanh(sample.call(*operands)) * weights)


def value_at(sample, arrays, weights):
    return float(scalar(sample, [ct.asarray(a) for a in arrays], weights))


def gradients_at(sample, arrays, weights, layout="contiguous"):
    operands = [ct.Tensor(LAYOUTS[layout](a)) for a in arrays]
    with ct.GradientTape() as tape:
        tape.watch(operands)
        y = scalar(sample, operands, weights)
    found = tape.gradient(y, operands, unconnected_gradients="zero")
    return [np.array(g.numpy()) for g in found]


def directional_gradient(sample, arrays, weights, directions):
    """u . grad f at x, and the gradient of that for each operand, by nested tapes."""
    operands = [ct.asarray(np.array(a)) for a in arrays]
    with ct.GradientTape() as outer:
        outer.watch(operands)
        with ct.GradientTape() as inner:
            inner.watch(operands)
            y = scalar(sample, operands, weights)
        first = inner.gradient(y, operands, unconnected_gradients="zero")
        along = sum((ct.sum(g * u) for g, u in zip(first, directions, strict=True)), ct.asarray(0.0, "float64"))
    second = outer.gradient(along, operands, unconnected_gradients="zero")
    return float(along), [np.array(g.numpy()) for g in second]


def setup(name, seed):
    rng = np.random.default_rng(seed)
    sample = SAMPLES[name]
    arrays = sample.draw(rng)
    weights = rng.uniform(0.5, 1.5, size=sample.call(*[ct.asarray(a) for a in arrays]).shape)
    directions = [rng.normal(size=a.shape) for a in arrays]
    return sample, arrays, weights, directions


def moved(arrays, directions, h):
    return [a + h * v for a, v in zip(arrays, directions, strict=True)]


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_first_order(name):
    for seed in range(3):
        sample, arrays, weights, directions = setup(name, seed)
        plus = value_at(sample, moved(arrays, directions, STEP), weights)
        minus = value_at(sample, moved(arrays, directions, -STEP), weights)
        gradients = gradients_at(sample, arrays, weights)
        slope = sum(np.sum(g * v) for g, v in zip(gradients, directions, strict=True))
        assert slope == pytest.approx((plus - minus) / (2 * STEP), rel=1e-6, abs=1e-7), name


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_second_order(name):
    sample, arrays, weights, directions = setup(name, 5)
    rng = np.random.default_rng(9)
    other = [rng.normal(size=a.shape) for a in arrays]
    plus, _ = directional_gradient(sample, moved(arrays, other, STEP), weights, directions)
    minus, _ = directional_gradient(sample, moved(arrays, other, -STEP), weights, directions)
    _, second = directional_gradient(sample, arrays, weights, directions)
    slope = sum(np.sum(g * v) for g, v in zip(second, other, strict=True))
    assert slope == pytest.approx((plus - minus) / (2 * STEP), rel=1e-5, abs=1e-6), name


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_the_gradient_does_not_depend_on_the_layout(name):
    sample, arrays, weights, _ = setup(name, 1)
    expected = gradients_at(sample, arrays, weights)
    for layout in ("offset", "transposed", "sliced", "reversed"):
        for got, want in zip(gradients_at(sample, arrays, weights, layout), expected, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-13, err_msg=f"{name} {layout}")
