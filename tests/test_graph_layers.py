"""Lambda, Dot, RMSNormalization, AlphaDropout, ActivityRegularization: beside NumPy, in graphs, and as Keras."""
import os

import numpy as np
import pytest

import cytensor as ct
from cytensor import Model, layers
from cytensor.layers import Input

RNG = np.random.default_rng(5)


def floats(*shape):
    return RNG.standard_normal(shape).astype("f4")


# axes, the shapes of a and b, and the same in NumPy
DOTS = [
    (1, (4, 3), (4, 3), "nk,nk->n"), (-1, (4, 3), (4, 3), "nk,nk->n"), ((1, 2), (4, 3, 5), (4, 6, 3), "nka,nbk->nab"),
    (2, (4, 3, 5), (4, 6, 5), "nak,nbk->nab"), ((2, 1), (4, 3, 5), (4, 5), "nak,nk->na"),
    ((-1, -2), (2, 3, 4, 5), (2, 5, 3), "nabk,nkc->nabc"), (1, (0, 3), (0, 3), "nk,nk->n"),
]


@pytest.mark.parametrize(("axes", "first", "second", "formula"), DOTS)
def test_dot_is_a_product_along_an_axis_of_each(axes, first, second, formula):
    a, b = floats(*first), floats(*second)
    expected = np.einsum(formula, a.astype(float), b.astype(float))
    bound = np.einsum(formula, abs(a), abs(b)) * 8 * np.finfo("f4").eps
    if expected.ndim == 1:
        expected, bound = expected[:, None], bound[:, None]
    found = layers.Dot(axes)([a, b]).numpy()
    assert found.shape == expected.shape and np.all(abs(found - expected) <= bound)
    x, y = Input(first[1:]), Input(second[1:])
    model = Model([x, y], layers.Dot(axes)([x, y]))
    assert model.output_shape == (None, *expected.shape[1:])
    assert np.array_equal(model([a, b]).numpy(), found)
    assert np.array_equal(layers.dot([a, b], axes=axes).numpy(), found)


def test_dot_of_unit_vectors_is_their_cosine():
    a, b = floats(5, 4), floats(5, 4)
    cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    np.testing.assert_allclose(layers.Dot(1, normalize=True)([a, b]).numpy()[:, 0], cosine, rtol=1e-5)


@pytest.mark.parametrize("axis", [-1, 1, (1, 2)])
def test_rms_normalization(axis):
    x = floats(3, 4, 5)
    layer = layers.RMSNormalization(axis, epsilon=1e-5)
    axes = (axis,) if isinstance(axis, int) else axis
    layer.build(x.shape)
    scale = RNG.random(layer.scale.shape).astype("f4")
    layer.set_weights([scale])
    wide = x.astype(float)
    shape = [n if i in {a % 3 for a in axes} else 1 for i, n in enumerate(x.shape)]
    expected = wide / np.sqrt((wide ** 2).mean(axes, keepdims=True) + 1e-5) * scale.reshape(shape)
    np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-5)
    again = layers.RMSNormalization.from_config(layer.get_config())
    assert again.axis == layer.axis and again.epsilon == 1e-5


def test_rms_normalization_has_gradients():
    layer, x = layers.RMSNormalization(), ct.Variable(floats(3, 4))
    with ct.GradientTape() as tape:
        loss = ct.sum(layer(x) * ct.asarray(np.arange(12, dtype="f4").reshape(3, 4)))
    dx, dscale = tape.gradient(loss, [x, layer.scale])
    step = 1e-3
    for i, j in ((0, 0), (2, 3)):
        moved = [x.numpy() for _ in range(2)]
        moved[0][i, j] += step
        moved[1][i, j] -= step
        values = [float(ct.sum(layer(one) * np.arange(12, dtype="f4").reshape(3, 4))) for one in moved]
        assert dx.numpy()[i, j] == pytest.approx((values[0] - values[1]) / step / 2, abs=2e-2)
    assert dscale.shape == (4,)


def test_alpha_dropout_keeps_mean_and_variance():
    layer = layers.AlphaDropout(0.3, seed=3)
    x = floats(400, 300)
    found = layer(x, training=True).numpy()
    assert abs(found.mean()) < 0.02 and abs(found.std() - 1) < 0.02
    low, factor = found.min(), np.float32(((1 - 0.3) * (1 + 0.3 * 1.7580993408473766 ** 2)) ** -0.5)
    assert abs((np.isclose(found, -1.7580993408473766 * factor * (1 - 0.3), rtol=1e-5)).mean() - 0.3) < 0.01 and low < 0
    assert np.array_equal(layer(x).numpy(), x) and np.array_equal(layer(x, training=False).numpy(), x)
    assert layers.AlphaDropout(0.5, noise_shape=(None, 1), seed=1)(x, training=True).shape == x.shape


def test_activity_regularization_joins_the_loss_of_a_graph():
    x = Input((3,))
    hidden = layers.Dense(2, use_bias=False, name="d")(x)
    model = Model(x, layers.ActivityRegularization(l1=0.5, l2=0.25)(hidden))
    values, targets = floats(4, 3), floats(4, 2)
    model.compile("sgd", "mse")
    out = values.astype(float) @ model.get_layer("d").get_weights()[0]
    expected = ((out - targets) ** 2).mean() + (0.5 * abs(out).sum() + 0.25 * (out ** 2).sum()) / 4
    assert model.evaluate(values, targets, verbose=0) == pytest.approx(expected, rel=1e-5)
    again = ct.models.clone_model(model)
    assert again.layers[-1].l1 == 0.5 and again.layers[-1].l2 == 0.25


@ct.saving.register_serializable("test_graph_layers")
def doubled(x, by=2.0):
    return x * by


def test_lambda_in_memory_and_in_files(tmp_path):
    x = Input((3,), name="x")
    h = layers.Dense(3, name="d")(x)
    named = Model(x, layers.Lambda(doubled, arguments={"by": 3.0})(h))
    free = Model(x, layers.Lambda(lambda t: t * 3.0)(h))
    values = floats(2, 3)
    assert np.array_equal(named(values).numpy(), free(values).numpy()) and free.output_shape == (None, 3)
    named.save(tmp_path / "named.safetensors")
    assert np.array_equal(ct.load_model(tmp_path / "named.safetensors")(values).numpy(), named(values).numpy())
    with pytest.warns(UserWarning, match="holds the weights alone, for the model cannot be described.*<lambda>"):
        free.save(tmp_path / "free.safetensors")
    with pytest.raises(ValueError, match="must hold a model"):
        ct.load_model(tmp_path / "free.safetensors")
    fresh = Model(x, layers.Lambda(lambda t: t * 3.0)(layers.Dense(3, name="d")(x)))
    fresh.load_weights(tmp_path / "free.safetensors")
    assert np.array_equal(fresh(values).numpy(), free(values).numpy())


def test_lambda_shapes_and_training():
    seen = []
    x = Input((None, 4))
    inner = layers.Lambda(lambda t: ct.sum(t, axis=1))
    assert inner(x).shape == (None, 4)
    assert layers.Lambda(lambda t: t[:, 0], output_shape=(4,))(x).shape == (None, 4)
    assert layers.Lambda(lambda t: t[:, 0], output_shape=lambda shape: (shape[0], 4))(x).shape == (None, 4)
    layer = layers.Lambda(lambda t, training: seen.append(training) or t)
    layer(floats(2, 3))
    layer(floats(2, 3), training=True)
    assert seen == [False, True]
    pair = layers.Lambda(lambda parts: parts[0] + parts[1])([x, x])
    assert pair.shape == (None, None, 4)


def test_as_keras():
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    keras = pytest.importorskip("keras", minversion="3.10")
    a, b = floats(3, 4, 5), floats(3, 6, 4)
    for axes, parts in (((1, 2), (a, b)), (1, (a[:, :, 0], b[:, 0])), (-1, (a[..., :4], b))):
        for normalize in (False, True):
            ours = layers.Dot(axes, normalize=normalize)(list(parts)).numpy()
            theirs = np.asarray(keras.layers.Dot(axes, normalize=normalize)(list(parts)))
            assert ours.shape == theirs.shape
            np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-6)
    np.testing.assert_allclose(layers.RMSNormalization(epsilon=1e-3)(a).numpy(),
                               np.asarray(keras.layers.RMSNormalization(epsilon=1e-3)(a)), rtol=1e-5)
    ours, theirs = layers.ActivityRegularization(0.1, 0.2), keras.layers.ActivityRegularization(0.1, 0.2)
    ours(a), theirs(a)
    assert float(ours.losses[0]) == pytest.approx(float(theirs.losses[0]), rel=1e-5)
