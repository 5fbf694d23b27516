"""Layers that shape, activate, connect and add noise: values. The base class: test_layer_base.py."""

import numpy as np
import pytest
from golden import inputs, stored

import cyops
from cytensor import activations, layers, ops
from cytensor.autodiff.tape import GradientTape
from cytensor.tensor import asarray


def x_of(*shape):
    return np.sin(np.arange(np.prod(shape, dtype=int))).astype(np.float32).reshape(shape)


# -- activations ------------------------------------------------------------------------------------------------------
def test_activations_equal_keras():
    for name, arguments, expected in stored.cases("activations"):
        x = asarray(inputs.activation_inputs())
        with GradientTape() as tape:
            tape.watch(x)
            values = getattr(activations, name)(x, **arguments)
            total = ops.sum(values * inputs.activation_weights())
        assert stored.close(values, expected["values"], 32), (name, arguments)
        assert stored.close(tape.gradient(total, x), expected["gradient"], 32), (name, arguments)


def test_activations_at_extremes():
    x = asarray(np.array([-1e4, -100.0, 0.0, 100.0, 1e4], np.float32))
    for name in ("elu", "selu", "softplus", "softsign", "silu", "gelu", "sigmoid", "tanh", "softmax"):
        with GradientTape() as tape:
            tape.watch(x)
            total = ops.sum(getattr(activations, name)(x))
        assert np.isfinite(float(total)) and np.isfinite(tape.gradient(total, x).numpy()).all(), name


def test_slopes_at_zero():
    for name, slope in (("softplus", 0.5), ("silu", 0.5), ("gelu", 0.5), ("sigmoid", 0.25), ("tanh", 1.0),
                        ("softsign", 1.0)):
        x = asarray(np.zeros(1, np.float32))
        with GradientTape() as tape:
            tape.watch(x)
            y = getattr(activations, name)(x)
        assert np.isclose(tape.gradient(y, x).numpy(), slope), name


def test_activations_take_lists_and_arrays_as_they_take_tensors():
    values = [[-2.5, -0.25], [0.5, 4.0]]
    arguments = {"relu": {"negative_slope": 0.5, "threshold": 0.25},
                 "threshold": {"threshold": 0.1, "default_value": 7.0}}
    for name in set(activations.__all__) - {"get", "linear", "serialize", "deserialize"}:
        function, options = getattr(activations, name), arguments.get(name, {})
        expected = function(asarray(values), **options).numpy()
        assert np.array_equal(function(values, **options).numpy(), expected), name
        assert np.array_equal(function(np.array(values, np.float32), **options).numpy(), expected), name


def test_activation_names():
    assert activations.get(None) is activations.linear and activations.get("relu") is activations.relu
    assert activations.get("swish") is activations.silu
    with pytest.raises(ValueError, match=r"activation: unknown name 'rellu'; known are .*; did you mean 'relu'"):
        layers.Dense(3, activation="rellu")


# -- dense ------------------------------------------------------------------------------------------------------------
def test_dense_values():
    for activation, function in ((None, lambda z: z), ("relu", lambda z: np.maximum(z, 0)), ("tanh", np.tanh)):
        for shape in ((5, 3), (2, 5, 3)):
            layer = layers.Dense(4, activation=activation, bias_initializer="ones")
            x = x_of(*shape)
            layer.build((None, 3))
            layer.built = True
            expected = function(x.astype(np.float64) @ layer.kernel.numpy() + 1)
            assert np.allclose(layer(x), expected, atol=1e-6), (activation, shape)
    layer = layers.Dense(2, use_bias=False)
    assert layer(x_of(4, 3)).shape == (4, 2) and layer.bias is None and len(layer.weights) == 1


def test_dense_casts_its_input():
    layer = layers.Dense(2, kernel_initializer="ones")
    for dtype in (np.float64, np.uint8, np.int64, np.float16, bool):
        assert layer(np.ones((1, 3), dtype)).dtype == np.float32
    assert layers.Dense(2, dtype="float64")(np.ones((1, 3))).dtype == np.float64
    assert layer([[1, 2, 3]]).numpy().tolist() == [[6.0, 6.0]]


def test_shaping():
    x = x_of(2, 3, 4)
    assert np.array_equal(layers.Flatten()(x), x.reshape(2, 12))
    assert layers.Flatten()(x_of(5)).shape == (5, 1)
    assert layers.Flatten()(np.zeros((0, 3, 4), np.float32)).shape == (0, 12)
    assert np.array_equal(layers.Reshape((4, -1))(x), x.reshape(2, 4, 3))
    assert layers.Reshape((4, -1)).compute_output_shape((None, 3, 4)) == (None, 4, 3)
    with pytest.raises(ValueError, match=r"elements of a sample must stay the same; got \(3, 4\), target_shape"):
        layers.Reshape((5,))(x)
    # views: nothing is copied
    source = asarray(x)
    assert cyops.shares_memory(layers.Flatten()(source), source)


def test_activation_layers():
    x = x_of(3, 4)
    for layer, expected in ((layers.Activation("relu"), np.maximum(x, 0)),
                            (layers.ReLU(max_value=0.5), np.clip(x, 0, 0.5)),
                            (layers.LeakyReLU(0.1), np.where(x > 0, x, 0.1 * x)),
                            (layers.ELU(), np.where(x > 0, x, np.expm1(x))),
                            (layers.Softmax(), np.exp(x) / np.exp(x).sum(-1, keepdims=True)),
                            (layers.Rescaling(0.5, 1.0), x * 0.5 + 1)):
        assert np.allclose(layer(x), expected, atol=1e-6), layer
        assert layer.compute_output_shape((None, 4)) == (None, 4)


def test_more_shaping():
    x = x_of(2, 3, 4)
    permuted = layers.Permute((2, 1))(x)
    assert np.array_equal(permuted, x.transpose(0, 2, 1)) and not permuted.is_contiguous
    assert layers.Permute((2, 1)).compute_output_shape((None, 3, 4)) == (None, 4, 3)
    repeated = layers.RepeatVector(5)(x[:, 0])
    assert np.array_equal(repeated, np.repeat(x[:, :1], 5, axis=1)) and repeated.strides[1] == 0
    assert np.array_equal(layers.Identity()(x), x)
    for make, message in ((lambda: layers.Permute((1, 3)), "dims must have each of 1 to 2 once"),
                          (lambda: layers.RepeatVector(0), "n must be an integer of at least 1; got 0"),
                          (lambda: layers.RepeatVector(2)(x), "the input must be .samples, features.")):
        with pytest.raises(ValueError, match=message):
            make()


def test_an_unknown_length_stays_unknown_where_it_decides_another():
    for layer, shape, expected in (
            (layers.Flatten(), (None, None, 4), (None, None)),
            (layers.Reshape((2, -1)), (None, None, 4), (None, 2, None)),
            (layers.Reshape((2, 6)), (None, 3, None), (None, 2, 6)),
            (layers.Permute((2, 1)), (None, None, 4), (None, 4, None)),
            (layers.RepeatVector(3), (None, None), (None, 3, None)),
            (layers.Concatenate(axis=1), [(None, None, 4), (None, 3, 4)], (None, None, 4)),
            (layers.CategoryEncoding(5, "one_hot"), (None, None, 1), (None, None, 5)),
            (layers.Embedding(5, 2), (None, None), (None, None, 2)),
            (layers.Dense(7), (None, None, 4), (None, None, 7))):
        assert layer.compute_output_shape(shape) == expected, layer
    assert layers.Reshape((2, -1))(x_of(2, 3, 4)).shape == (2, 2, 6)     # and with data it is known


def test_prelu_and_unit_normalization():
    x = x_of(3, 4, 5)
    layer = layers.PReLU(alpha_initializer="ones", shared_axes=[1])
    assert layer(x).shape == x.shape and layer.alpha.shape == (1, 5) and np.allclose(layer(x), x)
    layer.alpha.assign(np.full((1, 5), 0.25))
    assert np.allclose(layer(x), np.where(x > 0, x, 0.25 * x))
    assert np.allclose(np.linalg.norm(layers.UnitNormalization()(x), axis=-1), 1, atol=1e-6)
    assert not np.asarray(layers.UnitNormalization()(np.zeros((2, 3)))).any()


def test_category_encoding():
    x = np.array([[0, 2, 2], [3, 3, 3]])
    assert np.array_equal(layers.CategoryEncoding(4)(x), [[1, 0, 1, 0], [0, 0, 0, 1]])
    assert np.array_equal(layers.CategoryEncoding(4, "count")(x), [[1, 0, 2, 0], [0, 0, 0, 3]])
    assert np.array_equal(layers.CategoryEncoding(4, "one_hot")(x), np.eye(4)[x])
    assert np.array_equal(layers.CategoryEncoding(4, "one_hot")(x[:, :1]), np.eye(4)[x[:, 0]])
    with pytest.raises(ValueError, match=r"indices must lie in \[0, 3\)"):
        layers.CategoryEncoding(3)(x)


# -- noise ------------------------------------------------------------------------------------------------------------
def test_dropout():
    x = np.ones((100, 100), np.float32)
    layer = layers.Dropout(0.25)
    assert np.array_equal(layer(x), x) and np.array_equal(layer(x, training=False), x)
    y = layer(x, training=True).numpy()
    assert set(np.unique(y)) == {0, np.float32(1 / 0.75)} and abs((y == 0).mean() - 0.25) < 0.02
    assert not np.array_equal(y, layer(x, training=True))
    rows = layers.Dropout(0.5, noise_shape=(None, 1))(x, training=True).numpy()
    assert (rows == rows[:, :1]).all() and 0 < (rows[:, 0] == 0).sum() < 100
    assert np.array_equal(layers.Dropout(0.5, seed=3)(x, training=True), layers.Dropout(0.5, seed=3)(x, training=True))
    assert not np.asarray(layers.Dropout(1.0)(x, training=True)).any()
    with pytest.raises(ValueError, match=r"Dropout: rate must be between 0 and 1; got 1.5"):
        layers.Dropout(1.5)
    with pytest.raises(ValueError, match=r"^Dropout: noise_shape must have one entry for each axis of the input; got "
                                         r"\(None,\) for an input of shape "):
        layers.Dropout(0.5, noise_shape=(None,))(x, training=True)


def test_gaussian_dropout():
    x = np.ones((100, 100), np.float32)
    layer = layers.GaussianDropout(0.2)
    assert np.array_equal(layer(x), x)
    y = layer(x, training=True).numpy()
    assert abs(y.mean() - 1) < 0.02 and abs(y.std() - 0.5) < 0.02


def test_gaussian_noise():
    x = np.zeros((100, 100), np.float32)
    layer = layers.GaussianNoise(2.0)
    assert not np.asarray(layer(x)).any()
    assert abs(layer(x, training=True).numpy().std() - 2) < 0.1
