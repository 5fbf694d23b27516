"""float16 keeps numbers; what sums or squares them computes in float32. Compared with NumPy in float64."""
import numpy as np
import pytest

from cytensor import constraints, layers, ops, regularizers
from cytensor.autodiff.tape import GradientTape
from cytensor.tensor import Variable, asarray

HIGH = np.array([[1000., 2000., 3000.], [10., 60000., -60000.]], np.float16)
EPS = 2.0**-11                          # half a unit in the last place, relative


def test_layer_normalization_of_thousands():
    y = layers.LayerNormalization(dtype="float16")(HIGH)
    x = HIGH.astype(np.float64)
    expected = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-3)
    assert y.dtype == np.float16 and np.allclose(y, expected, rtol=2 * EPS, atol=2 * EPS)
    assert np.allclose(np.asarray(y)[0], [-1.2247, 0, 1.2247], atol=1e-3)


def test_batch_normalization_of_thousands():
    x = HIGH[:1].T.copy()
    layer = layers.BatchNormalization(momentum=0.0, dtype="float16")
    y = layer(x, training=True)
    assert y.dtype == np.float16 and np.allclose(y, [[-1.2247], [0], [1.2247]], atol=1e-3)
    assert float(layer.moving_variance[0]) == pytest.approx(2e6 / 3, rel=1e-6)        # above what float16 can hold
    assert np.allclose(layer(x), y, atol=1e-3) and layer(x).dtype == np.float16
    assert layer.gamma.dtype == np.float16


def test_unit_normalization_of_hundreds():
    y = layers.UnitNormalization(dtype="float16")(np.array([[300., 400.], [3e-4, 4e-4]], np.float16))
    assert y.dtype == np.float16 and np.allclose(y, [[0.6, 0.8]] * 2, rtol=1e-2) and np.allclose(y[0], [0.6, 0.8], 1e-3)


def test_normalization_of_thousands():
    x = HIGH[:1].T.copy()
    layer = layers.Normalization(dtype="float16")
    layer.adapt(x)
    assert np.allclose(layer(x), [[-1.2247], [0], [1.2247]], atol=1e-3) and layer(x).dtype == np.float16
    back = layers.Normalization(mean=2000., variance=2e6 / 3, invert=True, dtype="float16")
    assert np.allclose(back(layer(x)), x, rtol=1e-3)


def test_averages_of_numbers_near_the_end():
    x = np.array([60000., 2.], np.float16)
    y = layers.Average(dtype="float16")([x, x, x])
    assert y.dtype == np.float16 and y.numpy().tolist() == [60000.0, 2.0]


def test_penalties():
    w = Variable(np.full((20, 20), 300, np.float16))
    assert float(regularizers.L2(0.01)(w)) == pytest.approx(0.01 * 400 * 300**2, rel=1e-6)
    assert float(regularizers.L1(0.01)(w)) == pytest.approx(0.01 * 400 * 300, rel=1e-6)
    assert float(regularizers.OrthogonalRegularizer(1.0)(w)) == pytest.approx(1.0, rel=1e-3)
    with GradientTape() as tape:
        penalty = regularizers.L2(0.01)(w)
    gradient = tape.gradient(penalty, w)
    assert gradient.dtype == np.float16 and np.allclose(gradient, 0.02 * 300, rtol=EPS)


def test_constraints():
    w = Variable(np.array([[300.], [400.]], np.float16))
    for constraint, expected in ((constraints.MaxNorm(2), [[1.2], [1.6]]), (constraints.UnitNorm(), [[0.6], [0.8]]),
                                 (constraints.MinMaxNorm(0, 100), [[60], [80]]), (constraints.NonNeg(), w.numpy())):
        result = constraint(w)
        assert result.dtype == np.float16 and np.allclose(result, expected, rtol=2 * EPS), constraint


def test_gradients_of_normalised_thousands():
    x = asarray(HIGH)
    layer = layers.LayerNormalization(dtype="float16")
    other = layers.LayerNormalization(dtype="float64")
    weights = np.array([1., -2., 3.])
    gradients = []
    for one, data in ((layer, x), (other, asarray(HIGH.astype(np.float64)))):
        with GradientTape() as tape:
            tape.watch(data)
            total = ops.sum(one(data) * asarray(weights.astype(data.dtype)))
        gradients.append(tape.gradient(total, data))
    assert gradients[0].dtype == np.float16
    assert np.allclose(gradients[0], gradients[1], rtol=2e-3, atol=6e-8)               # the least that float16 can say


def test_counts_beyond_2048():
    counts = layers.CategoryEncoding(2, "count", dtype="float16")(np.zeros((1, 3000), int))
    assert counts.dtype == np.float16 and counts.numpy().tolist() == [[3000, 0]]
