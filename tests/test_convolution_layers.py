"""The layers of convolution: shapes, weights, files, settings; and the same numbers as Keras where it is installed."""
import itertools
import os

import numpy as np
import pytest

import cytensor as ct
from cytensor import layers

CASES = [
    ("Conv1D", (4, 3), {"strides": 2, "padding": "same"}, (2, 7, 3)),
    ("Conv1D", (4, 3), {"padding": "causal", "dilation_rate": 2, "activation": "tanh"}, (2, 7, 3)),
    ("Conv1D", (4, 3), {"strides": 3}, (2, 7, 3)),
    ("Conv2D", (4, 3), {"activation": "relu"}, (2, 8, 7, 3)),
    ("Conv2D", (4, (3, 2)), {"strides": (2, 1), "padding": "same", "use_bias": False}, (2, 8, 7, 3)),
    ("Conv2D", (6, 3), {"groups": 3, "dilation_rate": 2, "padding": "same"}, (2, 8, 7, 3)),
    ("Conv2D", (6, 9), {"padding": "same"}, (2, 4, 3, 1)),
    ("Conv3D", (4, 2), {"strides": 2, "padding": "same"}, (2, 4, 5, 3, 2)),
    ("Conv3D", (4, (1, 2, 3)), {"activation": "relu"}, (2, 4, 5, 3, 2)),
    ("Conv1DTranspose", (4, 3), {"strides": 2, "padding": "same"}, (2, 5, 3)),
    ("Conv1DTranspose", (4, 2), {"strides": 3, "activation": "relu"}, (2, 5, 3)),
    ("Conv2DTranspose", (4, 3), {"strides": 2, "padding": "same"}, (2, 4, 5, 3)),
    ("Conv2DTranspose", (4, 3), {"strides": 2, "padding": "same", "output_padding": 1}, (2, 4, 5, 3)),
    ("Conv2DTranspose", (4, (2, 4)), {"strides": (3, 2)}, (2, 4, 5, 3)),
    ("Conv2DTranspose", (4, 3), {"dilation_rate": 2}, (2, 4, 5, 3)),
    ("Conv3DTranspose", (4, 2), {"strides": 2}, (2, 2, 3, 2, 3)),
    ("DepthwiseConv1D", (3,), {"depth_multiplier": 2, "padding": "same"}, (2, 7, 3)),
    ("DepthwiseConv2D", (3,), {"strides": 2, "activation": "relu"}, (2, 8, 8, 3)),
    ("DepthwiseConv2D", (3,), {"dilation_rate": 2, "depth_multiplier": 3}, (2, 8, 7, 3)),
    ("SeparableConv1D", (4, 3), {"padding": "same"}, (2, 7, 3)),
    ("SeparableConv2D", (4, 3), {"strides": 2, "depth_multiplier": 2, "activation": "relu"}, (2, 8, 8, 3)),
]
RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def keras():
    os.environ.setdefault("KERAS_BACKEND", "jax")
    return pytest.importorskip("keras", reason="Keras is not installed")


def first(x):
    return np.moveaxis(x, -1, 1)


def made(library, kind, args, options, **more):
    return getattr(library.layers, kind)(*args, **options, **more)


@pytest.mark.parametrize(("name", "args", "options", "shape"), CASES)
def test_the_same_as_keras(keras, name, args, options, shape):
    """Weight names and shapes, the output, its shape, and the gradients of all weights and of the input."""
    import jax

    x = RNG.normal(size=shape).astype("float32")
    here, there = made(ct, name, args, options), made(keras, name, args, options)
    here.build((None, *shape[1:]))
    there.build((None, *shape[1:]))
    assert [(w.name, w.shape) for w in here.weights] == [(w.name, tuple(w.shape)) for w in there.weights]
    values = [RNG.normal(size=w.shape).astype("float32") for w in here.weights]
    here.set_weights(values)
    there.set_weights(values)
    v = ct.Variable(x)
    with ct.GradientTape() as tape:
        out = here(v)
        total = ct.sum(ct.square(out))
    found = tape.gradient(total, [v, *here.weights])
    expected = np.asarray(there(x))
    np.testing.assert_allclose(out.numpy(), expected, atol=2e-5 * abs(expected).max())
    assert here.compute_output_shape((None, *shape[1:])) == tuple(there.compute_output_shape((None, *shape[1:])))
    assert out.shape[1:] == here.compute_output_shape((None, *shape[1:]))[1:]

    def loss(x, weights):
        result, _ = there.stateless_call(weights, [], x)
        return (result ** 2).sum()

    by_x, by_weights = jax.grad(loss, argnums=(0, 1))(x, [np.asarray(w) for w in values])
    for mine, its in zip(found, [by_x, *by_weights], strict=True):
        np.testing.assert_allclose(mine.numpy(), np.asarray(its), atol=5e-5 * abs(np.asarray(its)).max())


@pytest.mark.parametrize(("name", "args", "options", "shape"), CASES)
def test_channels_first_is_the_same_with_axes_moved(name, args, options, shape):
    x = RNG.normal(size=shape).astype("float32")
    last, other = made(ct, name, args, options), made(ct, name, args, options, data_format="channels_first")
    expected = last(x)
    other.build((None, *first(x).shape[1:]))
    other.set_weights(last.get_weights())
    np.testing.assert_allclose(other(first(x)).numpy(), first(expected.numpy()), atol=1e-5)
    assert other.compute_output_shape((None, *first(x).shape[1:]))[1:] == first(expected.numpy()).shape[1:]


@pytest.mark.parametrize(("name", "args", "options", "shape"), CASES)
def test_saved_and_loaded(tmp_path, name, args, options, shape):
    model = ct.Sequential([layers.Input(shape[1:]), made(ct, name, args, options, name="one"), layers.Flatten()])
    model.save(tmp_path / "model.safetensors")
    loaded = ct.models.load_model(tmp_path / "model.safetensors")
    x = RNG.normal(size=shape).astype("float32")
    assert np.array_equal(model.predict(x, verbose=0), loaded.predict(x, verbose=0))
    listed, config = ({key: list(value) if isinstance(value, tuple) else value for key, value in each.items()}
                      for each in (loaded.layers[0].get_config(), model.layers[0].get_config()))
    assert listed == config


@pytest.mark.filterwarnings("ignore::DeprecationWarning")      # Keras's own
@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_weights_from_files_of_keras(keras, tmp_path, suffix):
    pytest.importorskip("h5py", reason="h5py is not installed")

    def stack(library):
        parts = library.layers
        return library.Sequential([parts.Input((12, 12, 3)), parts.Conv2D(4, 3), parts.Conv2D(5, 2, strides=2),
                                   parts.DepthwiseConv2D(2), parts.SeparableConv2D(6, 2),
                                   parts.Conv2DTranspose(2, 3, strides=2), parts.Flatten(), parts.Dense(2)])

    theirs, ours = stack(keras), stack(ct)
    path = tmp_path / f"model{suffix}"
    (theirs.save_weights if suffix == ".weights.h5" else theirs.save)(path)
    ours.load_weights(path)
    x = RNG.normal(size=(2, 12, 12, 3)).astype("float32")
    np.testing.assert_allclose(ours.predict(x, verbose=0), np.asarray(theirs(x)), atol=1e-4)


def test_initial_values_count_the_receptive_field():
    """Glorot's limit with fans that are channels times taps."""
    for layer, shape, fans in (
        (layers.Conv2D(32, 3), (None, 9, 9, 16), (9 * 16, 9 * 32)), (layers.Conv1D(8, 5), (None, 9, 4), (20, 40)),
        (layers.Conv2DTranspose(32, 3), (None, 9, 9, 16), (9 * 32, 9 * 16)),
        (layers.DepthwiseConv2D(3), (None, 9, 9, 64), (9 * 64, 9)),
    ):
        layer.build(shape)
        limit = np.sqrt(6 / sum(fans))
        largest = abs(layer.kernel.numpy()).max()
        assert 0.9 * limit < largest <= limit
        assert not layer.bias.numpy().any()


def test_aliases_are_the_same_classes():
    for name in ("Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose",
                 "SeparableConv1D", "SeparableConv2D"):
        assert getattr(layers, name.replace("Conv", "Convolution")) is getattr(layers, name)


def test_settings_may_be_changed_and_are_checked():
    layer = layers.Conv2D(4, 3, input_shape=(8, 8, 1))
    layer(np.ones((1, 8, 8, 1)))
    layer.strides, layer.padding = 2, "SAME"
    assert layer.strides == (2, 2) and layer(np.ones((1, 8, 8, 1))).shape == (1, 4, 4, 4)
    assert layer.get_config()["padding"] == "SAME"
    with pytest.raises(ValueError, match="strides and dilation_rate must not both be more than 1"):
        layer.dilation_rate = 2
    with pytest.raises(ValueError, match="kernel_size must be set before the layer is built"):
        layer.kernel_size = 5
    with pytest.raises(ValueError, match="padding must be 'valid' or 'same'; got 'full'"):
        layer.padding = "full"


def test_errors_in_a_model_name_the_layer_and_its_input():
    model = ct.Sequential([layers.Conv2D(4, 3, name="edges"), layers.Conv2D(4, 7, name="parts")])
    with pytest.raises(ValueError, match="kernel_size") as caught:
        model(np.ones((2, 8, 8, 1), "float32"))
    assert any("layer 'parts' (Conv2D), input of shape (None, 6, 6, 4)" in note for note in caught.value.__notes__)
    model.layers[0](np.ones((2, 8, 8, 1), "float32"))
    with pytest.raises(ValueError, match="channels of x") as caught:
        model.layers[0](np.ones((2, 8, 8, 3), "float32"))
    assert any("layer 'edges'" in note for note in caught.value.__notes__)


def test_integers_and_pictures_without_an_axis_of_channels():
    model = ct.Sequential([layers.Input((6, 6, 1)), layers.Conv2D(2, 3)])
    pictures = RNG.integers(0, 255, (4, 6, 6), dtype=np.uint8)
    assert np.array_equal(model(pictures).numpy(), model(pictures[..., None].astype("float32")).numpy())


def test_it_learns():
    """Which of two directions stripes have, which no position says by itself."""
    rng = np.random.default_rng(0)
    ct.random.set_seed(1)
    stripes = np.where(np.arange(8) % 2, 1.0, -1.0) * np.ones((8, 8))
    labels = rng.integers(0, 2, 256)
    x = np.where(labels[:, None, None] == 1, stripes, stripes.T) * rng.choice([-1, 1], (256, 1, 1))
    x = (x + 0.3 * rng.normal(size=x.shape)).astype("float32")[..., None]
    model = ct.Sequential([layers.Conv2D(8, 3, activation="relu"), layers.Conv2D(8, 3, strides=2, activation="relu"),
                           layers.Flatten(), layers.Dense(2)])
    model.compile("adam", ct.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    history = model.fit(x, labels, epochs=5, batch_size=32, verbose=0)
    assert history.history["accuracy"][-1] > 0.95


@pytest.mark.parametrize("threads", [1, 2])
def test_a_step_has_the_same_bits_for_any_number_of_threads(threads):
    before = ct.get_num_threads() if hasattr(ct, "get_num_threads") else None
    import cyops

    def step(count):
        cyops.set_num_threads(count)
        ct.random.set_seed(2)
        model = ct.Sequential([layers.Conv2D(16, 3, activation="relu"), layers.DepthwiseConv2D(3), layers.Flatten(),
                               layers.Dense(3, activation="softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy")
        rng = np.random.default_rng(0)
        model.fit(rng.normal(size=(64, 14, 14, 3)).astype("float32"), rng.integers(0, 3, 64), epochs=1, verbose=0)
        return [w.tobytes() for w in model.get_weights()]

    count = before or cyops.get_num_threads()
    try:
        assert step(threads) == step(3)
    finally:
        cyops.set_num_threads(count)


def test_lengths_of_layers_are_those_of_the_ops():
    for padding, stride, taps, dilation, more in itertools.product(("valid", "same"), (1, 2, 3), (1, 2, 3, 5), (1, 2),
                                                                   (None, 0, 1)):
        if (stride > 1 and dilation > 1) or (more or 0) >= stride:
            continue
        layer = layers.Conv1DTranspose(2, taps, stride, padding, more, dilation_rate=dilation)
        for steps in (1, 2, 5):
            assert layer(np.ones((1, steps, 3))).shape[1] == layer.compute_output_shape((None, steps, 3))[1]
