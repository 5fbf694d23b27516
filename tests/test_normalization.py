"""Normalising, embedding and merging layers, against NumPy in float64."""
import numpy as np
import pytest

from cytensor import layers, ops, optimizers
from cytensor.autodiff.tape import GradientTape
from cytensor.models import Sequential
from cytensor.tensor import asarray


def x_of(*shape):
    return (3 * np.sin(np.arange(np.prod(shape, dtype=int))) + 1).astype(np.float32).reshape(shape)


def test_batch_normalization():
    x = x_of(50, 4)
    layer = layers.BatchNormalization(momentum=0.9)
    assert np.allclose(layer(x), x / np.sqrt(1.001), atol=1e-5)             # moving averages still 0 and 1
    y = layer(x, training=True).numpy()
    mean, variance = x.astype(np.float64).mean(0), x.astype(np.float64).var(0)
    assert np.allclose(y, (x - mean) / np.sqrt(variance + 1e-3), atol=1e-5)
    assert np.allclose(layer.moving_mean.numpy(), 0.1 * mean, atol=1e-6)
    assert np.allclose(layer.moving_variance.numpy(), 0.9 + 0.1 * variance, atol=1e-5)
    assert [v.name for v in layer.weights] == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert len(layer.trainable_weights) == 2
    layer.trainable = False
    before = layer.moving_mean.numpy()
    layer(x, training=True)
    assert np.array_equal(before, layer.moving_mean.numpy())


def test_batch_normalization_of_images():
    x = x_of(6, 3, 5, 4)
    for axis in (-1, 1):
        others = tuple(i for i in range(4) if i != axis % 4)
        mean, variance = x.mean(others, keepdims=True), x.var(others, keepdims=True)
        y = layers.BatchNormalization(axis=axis)(x, training=True)
        assert np.allclose(y, (x - mean) / np.sqrt(variance + 1e-3), atol=1e-5)


def test_batch_normalization_gradient():
    x, w = asarray(x_of(7, 3).astype(np.float64)), x_of(7, 3)[::-1].astype(np.float64)
    layer = layers.BatchNormalization(dtype="float64")
    with GradientTape() as tape:
        tape.watch(x)
        total = ops.sum(layer(x, training=True) * w)
    gradient = tape.gradient(total, x).numpy()
    for i, j in ((0, 0), (3, 2), (6, 1)):
        step = np.zeros((7, 3))
        step[i, j] = 1e-6
        values = [float(ops.sum(layer(asarray(x.numpy() + s), training=True) * w)) for s in (step, -step)]
        assert np.isclose(gradient[i, j], (values[0] - values[1]) / 2e-6, rtol=1e-5, atol=1e-7)


def test_layer_normalization():
    x = x_of(5, 3, 4)
    for axis in (-1, [1, 2]):
        axes = tuple(np.atleast_1d(axis))
        mean, variance = x.mean(axes, keepdims=True, dtype=np.float64), x.astype(np.float64).var(axes, keepdims=True)
        layer = layers.LayerNormalization(axis=axis)
        assert np.allclose(layer(x), (x - mean) / np.sqrt(variance + 1e-3), atol=1e-5)
        assert layer.gamma.shape == ((4,) if axis == -1 else (3, 4))


def test_normalization():
    x = x_of(3000, 3) * np.array([1, 10, 100], np.float32)
    layer = layers.Normalization()
    layer.adapt(x)
    y = layer(x).numpy()
    assert np.allclose(y.mean(0), 0, atol=1e-5) and np.allclose(y.std(0), 1, atol=1e-5)
    back = layers.Normalization(mean=layer.mean.numpy(), variance=layer.variance.numpy(), invert=True)
    assert np.allclose(back(y), x, rtol=1e-4, atol=1e-3)
    assert np.allclose(layers.Normalization(mean=3.0, variance=4.0)(np.array([[5.0, 1.0]])), [[1, -1]])
    whole = layers.Normalization(axis=None)
    whole.adapt(x)
    assert whole.mean.shape == (1, 1) and np.isclose(whole.mean.numpy().item(), x.mean(dtype=np.float64), rtol=1e-5)
    assert layer.trainable_weights == [] and layer.count_params() == 6


def test_normalization_of_bad_data():
    x = x_of(20, 3)
    x[:, 1] = 7
    layer = layers.Normalization()
    with pytest.warns(UserWarning, match="adapt: 1 of 3 features never vary; layer 'normalization' maps them to 0"):
        layer.adapt(x)
    assert not layer(x).numpy()[:, 1].any() and np.isfinite(layer(x).numpy()).all()
    x[3, 2] = np.nan
    with pytest.raises(ValueError, match="adapt: data must be finite; got NaN or infinity"):
        layer.adapt(x)
    with pytest.raises(ValueError, match="adapt: data must have samples"):
        layer.adapt(x[:0])
    with pytest.raises(ValueError, match="give mean and variance both or neither"):
        layers.Normalization(mean=1.0)
    with pytest.raises(ValueError, match="BatchNormalization: axis must be one of features"):
        layers.BatchNormalization(axis=3)(x)


def test_embedding():
    layer = layers.Embedding(10, 4)
    x = np.array([[1, 2, 9], [0, 1, 1]])
    assert np.array_equal(layer(x), layer.embeddings.numpy()[x])
    assert layer(x.astype(np.uint8)).shape == (2, 3, 4) and layer.compute_output_shape((None, 3)) == (None, 3, 4)
    with GradientTape() as tape:
        total = ops.sum(layer(x))
    counts = np.bincount(x.ravel(), minlength=10)
    assert np.array_equal(tape.gradient(total, layer.embeddings), np.tile(counts[:, None], (1, 4)))
    for bad in ([[10]], [[-1]]):
        with pytest.raises((ValueError, IndexError)):
            layer(np.array(bad))
    with pytest.raises(ValueError, match="input_dim must be an integer of at least 1; got 0"):
        layers.Embedding(0, 4)


def test_embedding_in_a_model():
    model = Sequential([layers.Embedding(5, 8), layers.Flatten(), layers.Dense(2, activation="softmax")])
    model.compile(optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    x = np.random.default_rng(0).integers(0, 5, (200, 3))
    assert model.fit(x, (x[:, 0] > 2).astype(int), epochs=10, verbose=0).history["accuracy"][-1] > 0.95


def test_merging():
    a, b, c = x_of(2, 3), x_of(2, 3)[::-1].copy(), x_of(2, 3) * 2
    for function, cls, expected in ((layers.add, layers.Add, a + b + c), (layers.multiply, layers.Multiply, a * b * c),
                                    (layers.average, layers.Average, (a + b + c) / 3),
                                    (layers.maximum, layers.Maximum, np.maximum(np.maximum(a, b), c)),
                                    (layers.minimum, layers.Minimum, np.minimum(np.minimum(a, b), c)),
                                    (layers.concatenate, layers.Concatenate, np.concatenate([a, b, c], -1))):
        assert np.allclose(function([a, b, c]), expected, atol=1e-5)
        assert np.allclose(cls()([a, b, c]), expected, atol=1e-5)
    assert np.allclose(layers.subtract([a, b]), a - b)
    assert layers.concatenate([a, b], axis=0).shape == (4, 3)
    with pytest.raises(ValueError, match="Subtract: two inputs are expected; got 3"):
        layers.subtract([a, b, c])
    with pytest.raises(ValueError, match="Add: a list of tensors is expected"):
        layers.Add()(asarray(a))


def adapted(layer, data):
    with pytest.warns(UserWarning, match="never vary"):
        layer.adapt(data)
    return layer


def test_a_feature_that_never_varied_gives_0_whatever_it_is_later():
    """As its warning says: Keras divides by 1e-7 there."""
    source = np.random.default_rng(0)
    for value in (3.0, 0.1, 1e-8, -1e20, 0.0):
        for make in (lambda x: x, lambda x: x.astype(np.float32), lambda x: list(np.array_split(x, 7)), iter):
            x = np.stack([np.full(100, value), source.normal(5, 2, 100)], axis=1)
            data = (x[i:i + 9] for i in range(0, 100, 9)) if make is iter else make(x)
            layer = adapted(layers.Normalization(), data)
            y = layer([[value, 5.0], [value + 1, 7.0], [-1e6, 5.0]]).numpy()
            assert y[:, 0].tolist() == [0, 0, 0], value
            assert np.allclose(y[:, 1], (np.array([5.0, 7.0, 5.0]) - x[:, 1].mean()) / x[:, 1].std(), atol=1e-5)
    assert np.asarray(layers.Normalization(mean=[2.0], variance=[0.0])([[5.0]])).tolist() == [[0.0]]


def test_the_inverse_of_a_feature_that_never_varied_is_its_mean():
    layer = layers.Normalization(mean=[2.0, 1.0], variance=[0.0, 4.0], invert=True)
    assert layer([[0.0, 0.5], [9.0, -1.0]]).numpy().tolist() == [[2.0, 2.0], [2.0, -1.0]]


def test_small_and_large_features_keep_their_statistics():
    source = np.random.default_rng(0)
    x = source.normal([1e8, 1e-8, 0], [1e-2, 1e-9, 1e15], (1000, 3))
    layer = layers.Normalization(dtype="float64")
    layer.adapt(iter(np.array_split(x, 13)))
    assert np.allclose(layer.mean, x.mean(0), rtol=1e-10, atol=0) and np.allclose(layer.variance, x.var(0), rtol=1e-6)
    with pytest.raises(ValueError, match="the variance must be a number that float32 can hold; got 1e\\+60"):
        layers.Normalization().adapt(np.array([[1e30], [-1e30]]))


def test_adapting_again_forgets_what_was_before():
    layer = layers.Normalization()
    layer.adapt(np.array([[1.0], [3.0]]))
    layer.adapt(np.array([[10.0], [30.0]]))
    assert float(layer.mean) == 20 and float(layer.variance) == 100 and len(layer.weights) == 2
