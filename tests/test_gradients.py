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


def hessian(function, x):
    """The gradient of a scalar function, and the gradient of each of its elements, by nested tapes."""
    x = ct.constant(x, "float64")
    with ct.GradientTape(persistent=True) as outer:
        outer.watch(x)
        with ct.GradientTape() as inner:
            inner.watch(x)
            y = function(x)
        first = inner.gradient(y, x)
        parts = [ct.reshape(first, (-1,))[i] for i in range(x.size)]
    rows = [outer.gradient(part, x, unconnected_gradients="zero").numpy().reshape(-1) for part in parts]
    return first.numpy().reshape(-1), np.array(rows)


def product_without(values, *left_out):
    return np.prod([value for i, value in enumerate(values) if i not in left_out])


@pytest.mark.parametrize("values", [
    [0.0, 2.0, 3.0], [2.0, 0.0, 0.0, 5.0], [0.0, 0.0, 0.0], [2.0], [0.0], [2.0, 3.0, 5.0, 7.0, 0.5],
    [1e-200, 1e-200, 1e300],
])
def test_the_gradient_and_hessian_of_a_product_are_the_products_of_the_others(values):
    first, second = hessian(ct.prod, values)
    places = range(len(values))
    np.testing.assert_allclose(first, [product_without(values, i) for i in places], rtol=1e-13)
    np.testing.assert_allclose(
        second, [[product_without(values, i, j) if i != j else 0.0 for j in places] for i in places], rtol=1e-13)


@pytest.mark.parametrize("keepdims", [False, True])
def test_the_hessian_of_products_along_axes(keepdims):
    values = np.array([[[0.0, 2.0], [3.0, 4.0]], [[5.0, 0.0], [6.0, 7.0]]])
    for axis in (0, -1, (0, 2), (2, 0), (1,), None):
        axes = tuple(range(3)) if axis is None else tuple(i % 3 for i in np.atleast_1d(axis))
        first, second = hessian(lambda x, axis=axis: ct.sum(ct.prod(x, axis=axis, keepdims=keepdims)), values)
        places = list(np.ndindex(values.shape))
        for i, place in enumerate(places):
            group = [other for other in places if all(place[k] == other[k] for k in range(3) if k not in axes)]
            rest = [other for other in group if other != place]
            assert first[i] == np.prod([values[other] for other in rest])
            for j, other in enumerate(places):
                expected = np.prod([values[k] for k in rest if k != other]) if other in rest else 0.0
                assert second[i, j] == expected, (axis, place, other)


def test_the_gradient_of_a_product_with_an_infinite_factor_or_without_factors():
    first = gradient_of(ct.prod, [np.inf, 2.0, 3.0])
    np.testing.assert_array_equal(first, [6.0, np.inf, np.inf])
    assert gradient_of(lambda x: ct.sum(ct.prod(x, axis=0)), np.zeros((0, 3))).shape == (0, 3)
    assert gradient_of(ct.prod, 5.0) == 1.0
    half = ct.Variable(np.full(3, 50.0), dtype="float16")       # whose product of two is rounded once
    with ct.GradientTape() as tape:
        y = ct.prod(half) * 1e-3
    np.testing.assert_allclose(tape.gradient(y, half).numpy(), [2.5] * 3, rtol=1e-2)


def gradient_of(function, value):
    x = ct.Variable(value)
    with ct.GradientTape() as tape:
        y = function(x)
    return tape.gradient(y, x).numpy()


def test_equal_extremes_share_the_gradient_evenly():
    values = [[7.0, 1.0, 7.0], [1.0, 1.0, 7.0]]
    for function, extreme in ((ct.max, 7.0), (ct.min, 1.0), (ct.reduce_max, 7.0), (ct.reduce_min, 1.0)):
        hit = np.array(values) == extreme
        np.testing.assert_allclose(gradient_of(function, values), hit / 3, rtol=1e-7)
        along = gradient_of(lambda x, f=function: ct.sum(f(x, axis=1) * ct.constant([1.0, 4.0])), values)
        np.testing.assert_allclose(along, hit / hit.sum(1, keepdims=True) * [[1.0], [4.0]], rtol=1e-7)
    np.testing.assert_allclose(gradient_of(lambda x: ct.max(x, keepdims=True), values),
                               (np.array(values) == 7.0) / 3, rtol=1e-7)


def test_of_two_equal_operands_the_first_has_the_gradient_of_maximum_and_minimum():
    for function, expected in ((ct.maximum, [0.0, 1.0, 1.0]), (ct.minimum, [1.0, 1.0, 0.0])):
        a, b = ct.Variable([1.0, 2.0, 3.0]), ct.Variable([2.0, 2.0, 2.0])
        with ct.GradientTape() as tape:
            y = function(a, b)
        of_a, of_b = tape.gradient(y, [a, b])
        np.testing.assert_array_equal(of_a.numpy(), expected)
        np.testing.assert_array_equal(of_b.numpy(), 1 - np.array(expected))


@pytest.mark.parametrize("view", [
    lambda x: x.T[...], lambda x: x.T[:, 1:], lambda x: x.T[::-1, ::2], lambda x: ct.diagonal(x.T),
    lambda x: ct.sliding_window_view(x.T, 2, axis=0), lambda x: x.T[1], lambda x: ct.flip(x, 0).T[1:],
], ids=range(7))
def test_second_derivatives_through_a_view_of_a_transpose(view):
    """Of sum(w * v^3), v = view(x): the Hessian times a direction is view's adjoint of 6 v w view(direction)."""
    rng = np.random.default_rng(2)
    x, direction = ct.asarray(rng.normal(size=(3, 4))), rng.normal(size=(3, 4))
    w = rng.normal(size=view(x).shape)
    with ct.GradientTape() as outer:
        outer.watch(x)
        with ct.GradientTape() as tape:
            tape.watch(x)
            y = ct.sum(w * view(x) * view(x) * view(x))
        along = ct.sum(tape.gradient(y, x) * direction)
    places = np.asarray(view(ct.asarray(np.arange(12).reshape(3, 4))))
    expected = np.zeros(12)
    np.add.at(expected, places, 6 * w * np.ravel(x.numpy())[places] * np.ravel(direction)[places])
    np.testing.assert_allclose(outer.gradient(along, x), expected.reshape(3, 4), rtol=1e-12, atol=1e-12)
