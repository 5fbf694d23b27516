"""Euclidean lengths of numbers whose squares leave the dtype: clipping, constraints, unit vectors."""
import math

import numpy as np
import pytest

import cytensor as ct
from cytensor import constraints, layers, losses, norms, optimizers, regularizers


def moved(optimizer, *values, dtype="float32"):
    """What one step of SGD with learning rate 1 takes away from weights of 0, given these gradients."""
    variables = [ct.Variable(np.zeros(len(value), dtype)) for value in values]
    optimizer.apply_gradients([(ct.constant(value, dtype), v) for value, v in zip(values, variables, strict=True)])
    return [-variable.numpy() for variable in variables]


class Plain(optimizers.Optimizer):
    """A rule without a kernel, which gets gradients clipped beforehand."""

    def update_step(self, gradient, variable, learning_rate):
        variable.assign_sub(learning_rate * gradient)


@pytest.mark.parametrize("kind", [optimizers.SGD, Plain])
@pytest.mark.parametrize(("size", "dtype"), [(10.0, "float32"), (1e25, "float32"), (3e37, "float32"),
                                             (1e200, "float64")])
def test_clipping_by_norm_keeps_the_direction_of_huge_gradients(kind, size, dtype):
    found, = moved(kind(1.0, clipnorm=2.0), [3 * size, 0.0, -4 * size], dtype=dtype)
    np.testing.assert_allclose(found, [1.2, 0.0, -1.6], rtol=1e-6)
    a, b = moved(kind(1.0, global_clipnorm=1.3), [0.3 * size, 0.4 * size], [-1.2 * size], dtype=dtype)
    np.testing.assert_allclose(np.concatenate([a, b]), [0.3, 0.4, -1.2], rtol=1e-6)


def test_small_gradients_are_not_clipped_and_half_precision_has_its_norm_in_float32():
    found, = moved(optimizers.SGD(1.0, clipnorm=2.0), [0.6, -0.8])
    np.testing.assert_array_equal(found, np.array([0.6, -0.8], np.float32))
    for value in ([300.0, 400.0], [6e4, 8.0], [3e-4, 4e-4]):
        half = ct.constant(value, "float16")
        assert norms.joint_length([half]) == pytest.approx(np.linalg.norm(half.numpy().astype(float)), rel=1e-6)
    many = ct.constant(np.full(70000, 3.0), "float16")         # whose sum of squares is beyond float16
    assert norms.joint_length([many]) == pytest.approx(3 * math.sqrt(70000), rel=1e-6)
    assert norms.joint_length([]) == 0 and norms.joint_length([ct.zeros((0,)), ct.constant([3e30, 4e30])]) == (
        pytest.approx(5e30, rel=1e-6))


def test_lengths_of_infinite_and_nan_vectors_are_infinite_and_nan():
    assert norms.joint_length([ct.constant([1.0, math.inf])]) == math.inf
    assert math.isnan(norms.joint_length([ct.constant([1.0, math.nan])]))


@pytest.mark.parametrize("size", [1.0, 1e25, 1e37])
def test_constraints_of_huge_weights(size):
    w = ct.constant([[3 * size, 0.0], [4 * size, 0.0]])
    column = np.array([[0.6, 0.0], [0.8, 0.0]])
    np.testing.assert_allclose(constraints.UnitNorm()(w).numpy(), column, rtol=1e-6)
    np.testing.assert_allclose(constraints.MaxNorm(2.0)(w).numpy(), 2 * column, rtol=1e-6)
    np.testing.assert_allclose(constraints.MinMaxNorm(0.5, 2.0)(w).numpy(), 2 * column, rtol=1e-6)


@pytest.mark.parametrize("size", [1.0, 1e-5, 1e25, 1e37])
def test_unit_vectors_of_any_size_and_their_gradient(size):
    x = ct.constant([[3 * size, 4 * size], [0.0, 0.0]])
    np.testing.assert_allclose(layers.UnitNormalization()(x).numpy(), [[0.6, 0.8], [0, 0]], rtol=1e-5)
    with ct.GradientTape() as tape:
        tape.watch(x)
        y = ct.sum(norms.unit(x) * ct.constant([1.0, 0.0]))
    # d(x / |x|)_0 = (1 - 0.36, -0.48) / |x|; a vector of 0 is divided by 1e-6
    np.testing.assert_allclose(tape.gradient(y, x).numpy()[0] * np.float32(size), [0.64 / 5, -0.48 / 5], rtol=1e-4)
    found = losses.CosineSimilarity()(ct.constant([[3.0, 4.0]]), x[:1])
    assert float(found) == pytest.approx(-1.0, rel=1e-5)
    penalty = regularizers.OrthogonalRegularizer(1.0)(ct.constant([[3 * size, 4 * size], [4 * size, 3 * size]]))
    assert float(penalty) == pytest.approx(0.96, rel=1e-5)     # the cosine of the two rows


def test_constraints_and_penalties_of_lists_and_arrays():
    for made in ([[3.0, 1.0], [4.0, 0.0]], np.array([[3.0, 1.0], [4.0, 0.0]], np.float32)):
        assert regularizers.L2(0.5)(made).item() == 13.0 and regularizers.L1(0.5)(made).item() == 4.0
        assert regularizers.OrthogonalRegularizer(1.0)(made).item() == pytest.approx(3 / math.sqrt(10), rel=1e-6)
        for constraint in (constraints.UnitNorm(), constraints.MaxNorm(1.0), constraints.MinMaxNorm(1.0, 1.0)):
            assert np.allclose(constraint(made).numpy(), [[0.6, 1.0], [0.8, 0.0]], rtol=1e-6)
