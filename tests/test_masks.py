"""Masks: who makes them, who passes them on, and who leaves out what they mask. As in Keras, compared where it is."""
import copy
import pickle
import warnings

import numpy as np
import pytest

import cytensor as ct
from cytensor import layers, losses, metrics
from cytensor.masks import mask_of, masked

RNG = np.random.default_rng(3)
STEPS = RNG.normal(size=(3, 4, 2)).astype("f4")
STEPS[0, 2:] = STEPS[2, 3:] = 0.0
MASK = np.array([[1, 1, 0, 0], [1, 1, 1, 1], [1, 1, 1, 0]], bool)
PASSING = ["Dense", "Activation", "ReLU", "LeakyReLU", "ELU", "PReLU", "Dropout", "GaussianNoise", "GaussianDropout",
           "AlphaDropout", "SpatialDropout1D", "LayerNormalization", "BatchNormalization", "UnitNormalization",
           "Identity", "Rescaling", "ActivityRegularization", "GroupNormalization"]
GIVEN = {"Dense": (3,), "Activation": ("relu",), "Dropout": (0.5,), "GaussianNoise": (0.1,), "GaussianDropout": (0.1,),
         "AlphaDropout": (0.1,), "SpatialDropout1D": (0.1,), "Rescaling": (2.0,), "GroupNormalization": (2,)}


def equal(mask, expected):
    np.testing.assert_array_equal(np.asarray(mask), expected)


def test_masking_and_embedding_make_masks():
    out = layers.Masking()(STEPS)
    equal(mask_of(out), MASK)
    equal(out, STEPS)
    changed = layers.Masking(mask_value=-1.0)(np.where(MASK[..., None], STEPS, -1))
    equal(mask_of(changed), MASK)
    equal(changed, np.where(MASK[..., None], STEPS, 0))    # what is masked becomes 0
    embedded = layers.Embedding(10, 4, mask_zero=True)(np.array([[3, 0, 2], [0, 0, 1]]))
    equal(mask_of(embedded), [[1, 0, 1], [0, 0, 1]])
    assert mask_of(layers.Embedding(10, 4)(np.array([[3, 0, 2]]))) is None
    assert isinstance(out, ct.Tensor) and mask_of(out + 1) is None and mask_of(out[:]) is None


@pytest.mark.parametrize("name", PASSING)
def test_layers_pass_masks_on(name):
    layer = getattr(layers, name)(*GIVEN.get(name, ()))
    for training in (False, True):
        equal(mask_of(layer(layers.Masking()(STEPS), training=training)), MASK)
    assert layer.supports_masking and mask_of(layer(STEPS)) is None


def test_layers_without_support_drop_them_with_a_word():
    with pytest.warns(UserWarning, match="layer 'flatten.*' .Flatten.: the input has a mask, which this layer drops"):
        assert mask_of(layers.Flatten()(layers.Masking()(STEPS))) is None


def test_layers_of_several_inputs():
    first, second = layers.Masking()(STEPS), layers.Masking()(STEPS[:, ::-1].copy())
    other = MASK[:, ::-1]
    equal(mask_of(layers.Add()([first, second])), MASK | other)
    assert mask_of(layers.Add()([first, STEPS])) is None
    equal(mask_of(layers.Concatenate()([first, second])), MASK & other)
    equal(mask_of(layers.Concatenate(axis=1)([first, second])), np.concatenate([MASK, other], axis=1))
    equal(mask_of(layers.Concatenate()([first, STEPS])), MASK)
    assert mask_of(layers.Dot(axes=2)([first, second])) is None


def test_means_leave_out_what_is_masked():
    pooled = layers.GlobalAveragePooling1D()(layers.Masking()(STEPS))
    expected = np.stack([STEPS[i][MASK[i]].mean(0) for i in range(3)])
    np.testing.assert_allclose(pooled, expected, rtol=1e-6)
    assert mask_of(pooled) is None
    first = layers.GlobalAveragePooling1D("channels_first", keepdims=True)
    np.testing.assert_allclose(first(STEPS.transpose(0, 2, 1), mask=MASK)[..., 0], expected, rtol=1e-6)
    normal = layers.BatchNormalization(epsilon=0.0, momentum=0.0)
    out = np.asarray(normal(layers.Masking()(STEPS), training=True))[MASK]
    np.testing.assert_allclose(out.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(out.std(0), 1, rtol=1e-5)
    np.testing.assert_allclose(normal.moving_mean, STEPS[MASK].mean(0), rtol=1e-5)


def test_softmax_of_what_counts():
    out = np.asarray(layers.Softmax()(STEPS[..., 0], mask=MASK))
    for row, mask, x in zip(out, MASK, STEPS[..., 0], strict=True):
        np.testing.assert_allclose(row[mask], np.exp(x[mask]) / np.exp(x[mask]).sum(), rtol=1e-6)
        assert not row[~mask].any()
    with pytest.raises(ValueError, match="must broadcast"):
        layers.Softmax()(STEPS[..., 0], mask=MASK[:, :3])


class Sum(layers.Layer):
    """The sum over the steps that count."""

    def call(self, x, mask=None):
        return ct.sum(x if mask is None else x * mask[..., None].astype(x.dtype), axis=1)


class Halved(layers.Layer):
    def call(self, x):
        return x[:, ::2]

    def compute_mask(self, inputs, mask=None):
        return None if mask is None else mask[:, ::2]


def test_own_layers():
    np.testing.assert_allclose(Sum()(masked(ct.asarray(np.ones_like(STEPS)), MASK)), MASK.sum(1)[:, None] * np.ones(2))
    np.testing.assert_allclose(Sum()(np.ones_like(STEPS), mask=ct.asarray(MASK)), MASK.sum(1)[:, None] * np.ones(2))
    equal(mask_of(Halved()(layers.Masking()(STEPS))), MASK[:, ::2])
    assert Halved().supports_masking and not Sum().supports_masking

    class Passing(layers.Layer):
        def __init__(self):
            super().__init__()
            self.supports_masking = True

        def call(self, x):
            return x * 2.0

    equal(mask_of(Passing()(layers.Masking()(STEPS))), MASK)
    lambdas = layers.Lambda(lambda x: x + 1.0, mask=lambda inputs, mask: ct.logical_not(mask))
    equal(mask_of(lambdas(layers.Masking()(STEPS))), ~MASK)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "none", "mean_with_sample_weight"])
@pytest.mark.parametrize("weights", [None, np.array([1.0, 2.0, 0.5], "f4"), RNG.uniform(size=(3, 4)).astype("f4")])
def test_losses_leave_out_what_is_masked(reduction, weights):
    y, p = RNG.normal(size=(2, 3, 4, 2)).astype("f4")
    p[~MASK] = np.nan                                      # may be anything
    found = losses.MeanSquaredError(reduction=reduction)(y, masked(ct.asarray(p), MASK), weights)
    each = np.where(MASK, np.square(y - p).mean(-1), 0)
    scale = np.ones((3, 4)) if weights is None else np.broadcast_to(weights.reshape(3, -1), (3, 4))
    expected = each * scale
    if reduction == "sum_over_batch_size":
        expected = expected.sum() / MASK.sum()
    elif reduction == "sum":
        expected = expected.sum()
    elif reduction == "mean_with_sample_weight":
        expected = expected.sum() / (scale * MASK).sum()
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_metrics_leave_out_what_is_masked():
    y, p = RNG.integers(0, 3, (3, 4)), RNG.uniform(size=(3, 4, 3)).astype("f4")
    right = y == p.argmax(-1)
    for make in (metrics.SparseCategoricalAccuracy, lambda: metrics.get("accuracy")):
        metric = make()
        metric.update_state(y, masked(ct.asarray(p), MASK))
        np.testing.assert_allclose(float(metric.result()), right[MASK].mean(), rtol=1e-6)
        metric.reset_state()
        metric.update_state(y, masked(ct.asarray(p), MASK), np.array([1.0, 0.0, 3.0]))
        weights = np.array([1, 0, 3.0])[:, None] * MASK
        np.testing.assert_allclose(float(metric.result()), (right * weights).sum() / weights.sum(), rtol=1e-6)
    with pytest.raises(ValueError, match="mean_squared_error: the mask of the predictions must have one element"):
        losses.MeanSquaredError()(np.ones((3, 4)), masked(ct.ones((3, 4)), MASK))


def model_of(library, kind):
    """The same model twice: embedded integers or masked steps, through dense layers, to a value a step or a sample."""
    lib = library.layers
    if kind == "steps":
        return library.Sequential([lib.Input((4, 2)), lib.Masking(), lib.Dense(5, activation="tanh"), lib.Dropout(0.0),
                                   lib.Dense(3, activation="softmax")])
    entry = lib.Input((4,), dtype="int32")
    embedded = lib.Embedding(6, 3, mask_zero=True)(entry)
    mean = lib.GlobalAveragePooling1D()(lib.LayerNormalization()(embedded))
    return library.Model(entry, lib.Dense(3, activation="softmax")(mean))


@pytest.mark.parametrize("kind", ["steps", "words"])
def test_models_train_by_what_counts(kind, tmp_path):
    """What is masked changes neither loss nor weights."""
    def trained(noise):
        ct.utils.clear_session()
        ct.set_seed(4)
        model = model_of(ct, kind)
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        x = STEPS if kind == "steps" else np.where(MASK, RNG_WORDS, 0)
        y = np.array([0, 1, 2]) if kind == "words" else np.where(MASK, TARGETS, noise)
        return model, x, model.fit(x, y, epochs=3, verbose=0, shuffle=False).history
    (one, x, first), (other, _, second) = trained(0), trained(2)
    assert first == second
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    one.save(tmp_path / "m.safetensors")
    loaded = ct.models.load_model(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), one.predict(x, verbose=0))
    np.testing.assert_array_equal(copy.deepcopy(one).predict(x, verbose=0), one.predict(x, verbose=0))


RNG_WORDS, TARGETS = RNG.integers(1, 6, (3, 4)), RNG.integers(0, 3, (3, 4))


def test_gradients_go_through_masks():
    kernel = ct.Variable(np.ones((2, 1), "f4"))
    with ct.GradientTape() as tape:
        out = masked(ct.matmul(ct.asarray(STEPS), kernel), MASK)
        loss = losses.MeanSquaredError()(np.zeros((3, 4, 1)), out)
    error = (STEPS @ np.ones((2, 1)))[MASK]
    expected = 2 * (STEPS[MASK] * error).sum(0)[:, None] / MASK.sum()
    np.testing.assert_allclose(tape.gradient(loss, kernel), expected, rtol=1e-5)


def test_copies_and_wrong_shapes():
    out = layers.Masking()(STEPS)
    for other in (copy.copy(out), copy.deepcopy(out), pickle.loads(pickle.dumps(out))):
        equal(mask_of(other), MASK)
        equal(other, STEPS)
    with pytest.raises(ValueError, match="its shape must be the leading lengths"):
        masked(ct.ones((3, 4)), np.ones((4,), bool))
    with pytest.raises(TypeError, match="mask_value must be a finite number"):
        layers.Masking(mask_value="x")


@pytest.mark.parametrize("kind", ["steps", "words"])
def test_as_keras(kind):
    keras = pytest.importorskip("keras")
    ours, theirs = model_of(ct, kind), model_of(keras, kind)
    theirs.set_weights(ours.get_weights())
    x = STEPS if kind == "steps" else np.where(MASK, RNG_WORDS, 0).astype("int32")
    y = TARGETS if kind == "steps" else np.array([0, 1, 2])
    weights = np.array([1.0, 2.0, 0.5], "f4")
    for model in (ours, theirs):
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], weighted_metrics=["accuracy"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for given in ({}, {"sample_weight": weights if kind == "words" else MASK * weights[:, None]}):
            found = [model.evaluate(x, y, verbose=0, return_dict=True, **given) for model in (ours, theirs)]
            assert found[0].keys() == found[1].keys()
            for name, value in found[0].items():
                np.testing.assert_allclose(value, found[1][name], rtol=2e-5, err_msg=name)
        for model in (ours, theirs):
            model.fit(x, y, epochs=3, verbose=0, shuffle=False)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    for name in PASSING:
        mine, other = (getattr(library, name)(*GIVEN.get(name, ())) for library in (layers, keras.layers))
        assert mine.supports_masking == other.supports_masking, name
