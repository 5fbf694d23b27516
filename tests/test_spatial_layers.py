"""Layers over spatial axes that have no weights, and GroupNormalization: values, shapes, files, and beside Keras."""
import os

import numpy as np
import pytest

import cyops
import cytensor as ct

L = ct.layers
RNG = np.random.default_rng(0)
SHAPES = {1: (2, 7, 3), 2: (2, 6, 7, 3), 3: (2, 4, 5, 6, 3)}
# (class, arguments): the number of spatial axes is the digit in the name.
ROWS = [
    *[(f"{kind}{n}D", options) for kind in ("MaxPooling", "AveragePooling", "MaxPool", "AvgPool") for n in (1, 2, 3)
      for options in ({"pool_size": 2}, {"pool_size": 3, "strides": 2, "padding": "same"},
                      {"pool_size": 2, "strides": 1})],
    *[(f"MaxPooling{n}D", {}) for n in (1, 2, 3)],
    *[(f"Global{kind}{n}D", options) for kind in ("MaxPooling", "AveragePooling", "MaxPool", "AvgPool")
      for n in (1, 2, 3) for options in ({}, {"keepdims": True})],
    *[(f"{kind}{n}D", {}) for kind in ("ZeroPadding", "Cropping", "UpSampling") for n in (1, 2, 3)],
    ("ZeroPadding1D", {"padding": (2, 0)}), ("ZeroPadding2D", {"padding": ((1, 0), (2, 3))}),
    ("ZeroPadding2D", {"padding": (1, 2)}), ("ZeroPadding3D", {"padding": 2}),
    ("Cropping1D", {"cropping": 2}), ("Cropping2D", {"cropping": ((1, 0), (2, 3))}),
    ("Cropping2D", {"cropping": (1, 2)}),
    ("Cropping3D", {"cropping": ((1, 0), (0, 2), (1, 1))}), ("UpSampling1D", {"size": 3}),
    ("UpSampling2D", {"size": (2, 3)}), ("UpSampling2D", {"size": 2, "interpolation": "bilinear"}),
    ("UpSampling3D", {"size": (1, 2, 3)}),
]


def rank_of(name):
    return int(name[-2])


def made(library, name, options, x):
    return np.asarray(getattr(library.layers, name)(**options)(x))


@pytest.mark.parametrize("name, options", ROWS)
def test_as_keras(name, options):
    os.environ.setdefault("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras", reason="Keras is not installed")
    x = RNG.normal(size=SHAPES[rank_of(name)]).astype(np.float32)
    np.testing.assert_allclose(made(ct, name, options, x), made(keras, name, options, x), rtol=1e-5, atol=1e-5)
    ours, theirs = getattr(L, name)(**options), getattr(keras.layers, name)(**options)
    assert ours.compute_output_shape((None, *x.shape[1:])) == tuple(theirs.compute_output_shape((None, *x.shape[1:])))
    assert ours.name.rstrip("_0123456789") == theirs.name.rstrip("_0123456789")


@pytest.mark.parametrize("name, options", ROWS)
def test_channels_first_is_the_same_in_another_order(name, options):
    x = RNG.normal(size=SHAPES[rank_of(name)]).astype(np.float32)
    expected = made(ct, name, options, x)
    if name == "UpSampling1D":
        return
    got = made(ct, name, {**options, "data_format": "channels_first"}, np.moveaxis(x, -1, 1))
    np.testing.assert_array_equal(got, np.moveaxis(expected, -1, 1) if expected.ndim > 2 else expected)


@pytest.mark.parametrize("name, options", ROWS)
def test_shapes_files_and_copies(name, options, tmp_path):
    shape = SHAPES[rank_of(name)]
    x = RNG.normal(size=shape).astype(np.float32)
    layer = getattr(L, name)(input_shape=shape[1:], **options)
    model = ct.Sequential([layer])
    expected = model(x).numpy()
    assert layer.compute_output_shape(shape) == expected.shape == model.predict(x, verbose=0).shape
    assert layer.compute_output_shape((None, *shape[1:])) == (None, *expected.shape[1:])
    model.save(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(ct.models.load_model(tmp_path / "model.safetensors")(x), expected)
    np.testing.assert_array_equal(type(layer).from_config(layer.get_config())(x), expected)
    assert layer.compute_output_shape((0, *shape[1:])) == (0, *expected.shape[1:])
    assert layer(np.zeros((0, *shape[1:]), np.float32)).shape == (0, *expected.shape[1:])


def test_gradients_reach_the_input():
    for name, options in ROWS:
        v = ct.Variable(RNG.normal(size=SHAPES[rank_of(name)]))
        with ct.GradientTape() as tape:
            y = ct.sum(getattr(L, name)(dtype="float64", **options)(v))
        gradient = tape.gradient(y, v).numpy()
        # every layer here is homogeneous: the directional derivative along x is the value
        np.testing.assert_allclose(np.sum(gradient * v.numpy()), float(y), rtol=1e-10, atol=1e-9, err_msg=name)


def test_cropping_is_a_view_and_refuses_to_leave_nothing():
    x = ct.ones((1, 4, 4, 1))
    assert cyops.shares_storage(L.Cropping2D(1)(x), x)
    with pytest.raises(ValueError, match="Cropping2D: cropping must leave something"):
        L.Cropping2D(2)(x)
    with pytest.raises(ValueError, match="Cropping2D: cropping must leave something"):
        L.Cropping2D(((4, 0), (0, 0))).compute_output_shape((None, 4, 4, 1))


@pytest.mark.parametrize("build, error, text", [
    (lambda: L.ZeroPadding1D(-1), ValueError, "ZeroPadding1D: padding must be an integer or a pair"),
    (lambda: L.ZeroPadding1D((1, 2, 3)), ValueError, "ZeroPadding1D: padding must be"),
    (lambda: L.ZeroPadding2D("a"), TypeError, "ZeroPadding2D: padding must be an integer"),
    (lambda: L.ZeroPadding2D((1, 2, 3)), ValueError, "ZeroPadding2D: padding must be"),
    (lambda: L.ZeroPadding3D()(np.zeros((1, 2, 2, 1))), ValueError, "ZeroPadding3D: the input must be"),
    (lambda: L.Cropping1D(1.5), TypeError, "Cropping1D: cropping must be"),
    (lambda: L.UpSampling2D(0), ValueError, "UpSampling2D: size must be"),
    (lambda: L.UpSampling2D(2, interpolation="bicubic"), ValueError, "UpSampling2D: interpolation: unknown name"),
    (lambda: L.SpatialDropout2D(0.5)(np.ones((2, 3), np.float32), training=True), ValueError, "SpatialDropout2D: the"),
    (lambda: L.SpatialDropout1D(2), ValueError, "SpatialDropout1D: rate must be"),
    (lambda: L.GroupNormalization(3)(np.ones((2, 4), np.float32)), ValueError, "must divide into groups"),
    (lambda: L.GroupNormalization(0), ValueError, "GroupNormalization: groups must be"),
    (lambda: L.GroupNormalization(2, axis=0)(np.ones((2, 4), np.float32)), ValueError, "axis must be one of features"),
])
def test_what_is_refused(build, error, text):
    with pytest.raises(error) as caught:
        build()
    assert text in str(caught.value)


# -- SpatialDropout ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_spatial_dropout_drops_whole_channels(n, data_format):
    if n == 1 and data_format == "channels_first":
        return
    options = {} if n == 1 else {"data_format": data_format}
    layer = getattr(L, f"SpatialDropout{n}D")(0.25, seed=3, **options)
    shape = (40, *(3,) * n, 50) if data_format == "channels_last" else (40, 50, *(3,) * n)
    x = np.ones(shape, np.float32)
    np.testing.assert_array_equal(layer(x, training=False), x)
    y = layer(x, training=True).numpy()
    spatial = tuple(range(1, n + 1)) if data_format == "channels_last" else tuple(range(2, n + 2))
    assert np.all(y.min(axis=spatial) == y.max(axis=spatial))
    assert set(np.unique(y)) == {0, np.float32(1) / np.float32(0.75)}
    assert 0.2 < np.mean(y == 0) < 0.3
    again = type(layer).from_config(layer.get_config())
    np.testing.assert_array_equal(again(x, training=True), y)


# -- GroupNormalization -----------------------------------------------------------------------------------------------
def grouped(x, groups, axis, epsilon=1e-3):
    x = np.moveaxis(x.astype(np.float64), axis, -1)
    split = x.reshape(*x.shape[:-1], groups, -1)
    axes = (*range(1, x.ndim - 1), x.ndim)
    out = (split - split.mean(axes, keepdims=True)) / np.sqrt(split.var(axes, keepdims=True) + epsilon)
    return np.moveaxis(out.reshape(x.shape), -1, axis)


@pytest.mark.parametrize("shape, groups, axis", [
    ((3, 8), 4, -1), ((3, 5, 6), 3, -1), ((2, 4, 5, 8), 2, -1), ((2, 6, 4, 5), 3, 1), ((2, 3, 6, 5), -1, 2)])
def test_group_normalization(shape, groups, axis, tmp_path):
    x = RNG.normal(3, 2, size=shape).astype(np.float32)
    layer = L.GroupNormalization(groups, axis=axis, input_shape=shape[1:])
    count = shape[axis] if groups == -1 else groups
    np.testing.assert_allclose(layer(x), grouped(x, count, axis), rtol=1e-4, atol=1e-5)
    gamma, beta = RNG.normal(size=(2, shape[axis])).astype(np.float32)
    layer.set_weights([gamma, beta])
    broadcast = tuple(n if i == axis % len(shape) else 1 for i, n in enumerate(shape))
    expected = grouped(x, count, axis) * gamma.reshape(broadcast) + beta.reshape(broadcast)
    np.testing.assert_allclose(layer(x), expected, rtol=1e-4, atol=1e-5)
    model = ct.Sequential([layer])
    model(x)
    model.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(ct.models.load_model(tmp_path / "m.safetensors")(x), layer(x))


def test_group_normalization_as_keras():
    os.environ.setdefault("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras", reason="Keras is not installed")
    x = RNG.normal(size=(2, 4, 5, 8)).astype(np.float32)
    for options in ({"groups": 4}, {"groups": 2, "axis": 1, "epsilon": 0.1, "center": False},
                    {"groups": -1, "scale": False}):
        ours, theirs = L.GroupNormalization(**options), keras.layers.GroupNormalization(**options)
        np.testing.assert_allclose(ours(x), theirs(x), rtol=1e-4, atol=1e-5)
        assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
