"""The compiled batch normalization against float64, over layouts, and its gradients against the plain form."""
import numpy as np
import pytest
from layouts import LAYOUTS, values_of

import cyops
import cytensor as ct

SHAPES = [((9, 5), -1), ((1, 7), 1), ((6, 1), 1), ((4, 3, 5, 33), -1), ((4, 33, 5, 3), 1), ((2, 6, 70, 71), 1),
          ((1, 3, 90, 100), 1), ((700, 2), -1), ((3, 1, 4), 1), ((2, 3, 1, 1), 1),
          ((64, 9, 9, 130), -1), ((5, 4, 3), 0)]


def reference(x, gamma, beta, axis, epsilon=1e-3):
    others = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
    shape = [n if i == axis % x.ndim else 1 for i, n in enumerate(x.shape)]
    mean, variance = x.mean(others, keepdims=True), x.var(others, keepdims=True)
    deviation = np.sqrt(variance + epsilon)
    normal = (x - mean) / deviation
    return normal * gamma.reshape(shape) + beta.reshape(shape), normal, mean.ravel(), variance.ravel(), deviation, shape


def gradients(d, x, gamma, axis):
    _, normal, _, _, deviation, shape = reference(x, gamma, gamma, axis)
    others = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
    g = d * gamma.reshape(shape)
    dx = (g - g.mean(others, keepdims=True) - normal * (g * normal).mean(others, keepdims=True)) / deviation
    return dx, (d * normal).sum(others), d.sum(others)


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_and_gradients_over_layouts(dtype, layout):
    rng = np.random.default_rng(0)
    eps = np.finfo(dtype).eps
    for shape, axis in SHAPES:
        x = LAYOUTS[layout](rng.normal(2, 3, size=shape).astype(dtype))
        d = LAYOUTS[layout](rng.normal(size=shape).astype(dtype))
        gamma, beta = rng.uniform(0.5, 2, size=(2, shape[axis])).astype(dtype)
        wide = values_of(x).astype(np.float64)
        out, mean, variance = cyops.batch_normalize(x, gamma, beta, axis)
        expected, _, means, variances, deviation, _ = reference(wide, gamma.astype(float), beta.astype(float), axis)
        largest = abs(wide).max()
        np.testing.assert_allclose(mean, means, rtol=64 * eps, atol=64 * eps * largest)
        np.testing.assert_allclose(variance, variances, rtol=256 * eps, atol=64 * eps * largest)
        np.testing.assert_allclose(out, expected, rtol=64 * eps, atol=128 * eps * (largest / deviation.min() + 2))
        moments = (cyops.Strided(means), cyops.Strided(variances))
        found = cyops.batch_normalize_gradients(d, x, moments, gamma, axis)
        wanted = gradients(values_of(d).astype(float), wide, gamma.astype(float), axis)
        for got, want in zip(found, wanted, strict=True):
            scale = abs(want).max() + np.sqrt(wide.size) / deviation.min()
            np.testing.assert_allclose(got, want, rtol=256 * eps, atol=256 * eps * scale)


def test_a_large_mean_costs_no_digits_of_the_variance():
    # a tile sums up to 8192 / 3 squares in float32
    x = (np.random.default_rng(1).normal(size=(5000, 3)) + 1e4).astype(np.float32)
    _, mean, variance = cyops.batch_normalize(x)
    np.testing.assert_allclose(variance, x.astype(np.float64).var(0), rtol=5e-5)
    np.testing.assert_allclose(mean, x.astype(np.float64).mean(0), rtol=1e-7)


def test_the_bits_do_not_depend_on_threads():
    x = np.random.default_rng(2).normal(size=(16, 20, 20, 24)).astype(np.float32)
    threads = cyops.get_num_threads()

    def bits():
        found = []
        for axis in (-1, 1):
            out, mean, variance = cyops.batch_normalize(x, axis=axis)
            moments = (cyops.astype(mean, "float64"), cyops.astype(variance, "float64"))
            found += [values_of(one).tobytes() for one in (
                out, mean, variance, *cyops.batch_normalize_gradients(out, x, moments, axis=axis))]
        return found

    try:
        cyops.set_num_threads(1)
        alone = bits()
        cyops.set_num_threads(4)
        assert bits() == alone
    finally:
        cyops.set_num_threads(threads)


def test_nan_stays_in_its_channel():
    x = np.ones((4, 3), np.float32)
    x[1, 1] = np.nan
    out = values_of(cyops.batch_normalize(x)[0])
    assert np.isnan(out[:, 1]).all() and not np.isnan(out[:, [0, 2]]).any()


def test_the_layer_in_half_precision_and_with_an_empty_batch():
    layer = ct.layers.BatchNormalization(dtype="float16")
    assert layer(np.ones((4, 3), np.float16), training=True).dtype == "float16"
    v = ct.Variable(np.zeros((0, 3), np.float32))
    layer = ct.layers.BatchNormalization()
    with ct.GradientTape() as tape, np.errstate(all="ignore"):
        y = layer(v, training=True)
    assert y.shape == tape.gradient(y, v).shape == (0, 3)


@pytest.mark.parametrize("call, error, text", [
    (lambda: cyops.batch_normalize(np.zeros((0, 3))), ValueError, "batch_normalize: needs an element of each channel"),
    (lambda: cyops.batch_normalize(np.zeros((2, 3)), np.ones(2)), ValueError, "gamma must have one number for each"),
    (lambda: cyops.batch_normalize(np.zeros((2, 3)), axis=2), IndexError, "batch_normalize: axis 2 is out of range"),
    (lambda: cyops.batch_normalize(np.zeros((2, 3), "S1")), TypeError, "batch_normalize: needs numbers"),
    (lambda: cyops.batch_normalize_gradients(np.zeros((2, 2)), np.zeros((2, 3)), (np.ones(3), np.ones(3))), ValueError,
     "d must have the shape of x"),
])
def test_what_is_refused(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert text in str(caught.value)
