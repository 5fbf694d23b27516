"""Dtype policies: what layers compute in and keep, what training makes of it, and what files say."""
import pickle
import threading

import numpy as np
import pytest

import cytensor as ct
from cytensor import dtype_policies, layers, mixed_precision, ops
from cytensor.dtype_policies import DTypePolicy

MIXED = "mixed_bfloat16"
HALF = 2.0**-8                           # the unit roundoff of bfloat16


@pytest.fixture
def mixed():
    """The global policy is mixed_bfloat16."""
    mixed_precision.set_global_policy(MIXED)
    yield
    mixed_precision.set_global_policy("float32")


def data(samples=64, features=12, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(samples, features)).astype(np.float32)
    return x, np.tanh(x[:, :3].sum(-1, keepdims=True)).astype(np.float32)


# -- policies ---------------------------------------------------------------------------------------------------------
def test_a_policy_says_two_dtypes():
    policy = DTypePolicy(MIXED)
    assert (policy.name, policy.compute_dtype, policy.variable_dtype) == (MIXED, "bfloat16", "float32")
    assert repr(policy) == '<DTypePolicy "mixed_bfloat16">'
    for name in ("float32", "float64", "float16", "bfloat16"):
        plain = dtype_policies.get(name)
        assert plain.name == plain.compute_dtype == plain.variable_dtype == name
    assert DTypePolicy(MIXED) == policy != DTypePolicy("bfloat16") and len({policy, DTypePolicy(MIXED)}) == 1


def test_every_form_of_a_policy_is_understood():
    written = dtype_policies.serialize(DTypePolicy(MIXED))
    copies = DTypePolicy.from_config(DTypePolicy(MIXED).get_config()), pickle.loads(pickle.dumps(DTypePolicy(MIXED)))
    for form in (MIXED, DTypePolicy(MIXED), written, dtype_policies.deserialize(written), *copies):
        assert dtype_policies.get(form) == DTypePolicy(MIXED)
    assert dtype_policies.get(np.float64).name == dtype_policies.get(np.dtype("float64")).name == "float64"
    assert dtype_policies.get(ct.bfloat16).name == "bfloat16"
    assert mixed_precision.Policy is ct.keras.DTypePolicy is DTypePolicy


def test_names_are_kerass():
    keras = pytest.importorskip("keras")
    for name in ("float32", "bfloat16", MIXED):
        ours, theirs = DTypePolicy(name), keras.dtype_policies.DTypePolicy(name)
        assert (ours.name, ours.compute_dtype.name, ours.variable_dtype.name) == (
            theirs.name, theirs.compute_dtype, theirs.variable_dtype)
        written = keras.dtype_policies.serialize(theirs)
        assert dtype_policies.get(written) == ours and dtype_policies.serialize(ours)["config"] == {"name": name}
    assert set(mixed_precision.__all__) <= set(dir(keras.mixed_precision))


def test_policies_that_are_not_here_are_refused_with_the_reason():
    for make in (lambda: DTypePolicy("mixed_float16"), lambda: mixed_precision.set_global_policy("mixed_float16")):
        with pytest.raises(ValueError, match="unless the loss is scaled, and there is no LossScaleOptimizer"):
            make()
    with pytest.raises(ValueError, match=r"^Dense: dtype must not be 'mixed_float16'"):
        layers.Dense(1, dtype="mixed_float16")
    with pytest.raises(ValueError, match=r"must be a dtype or the policy 'mixed_bfloat16'; got 'int8_from_float32'"):
        DTypePolicy("int8_from_float32")
    with pytest.raises(TypeError, match=r"DTypePolicy: dtype must be one of .*bfloat16; got 'no'"):
        DTypePolicy("no")
    with pytest.raises(ValueError, match="policy must be a name, a dtype or a DTypePolicy; got None"):
        mixed_precision.set_global_policy(None)
    with pytest.raises(AttributeError, match="LossScaleOptimizer: nothing is computed in float16"):
        mixed_precision.LossScaleOptimizer  # noqa: B018 - the attribute itself


def test_the_global_policy_is_of_layers_made_from_then_on(mixed):
    before = layers.Dense(1, dtype="float32")
    made = []
    thread = threading.Thread(target=lambda: made.append(layers.Dense(1)))
    thread.start()
    thread.join()
    assert mixed_precision.global_policy() == mixed_precision.dtype_policy() == DTypePolicy(MIXED)
    assert made[0].dtype_policy.name == layers.Dense(1).dtype_policy.name == MIXED
    assert before.compute_dtype == before.dtype == np.float32
    mixed_precision.set_global_policy("float32")
    assert layers.Dense(1).dtype_policy.name == "float32" and made[0].dtype_policy.name == MIXED


def test_a_policy_may_be_set_until_the_layer_is_built():
    layer = layers.Dense(2)
    layer.dtype_policy = MIXED
    assert layer.compute_dtype == "bfloat16" and layer.get_config()["dtype"] == MIXED
    layer(np.ones((1, 3), np.float32))
    with pytest.raises(ValueError, match="dtype must be set before the layer is built"):
        layer.dtype_policy = "float32"


# -- layers -----------------------------------------------------------------------------------------------------------
CASES = {
    "Dense": (lambda: layers.Dense(5, "relu", bias_initializer="normal"), (4, 6)),
    "Conv1D": (lambda: layers.Conv1D(5, 3, activation="relu", bias_initializer="normal"), (2, 9, 4)),
    "Conv2D": (lambda: layers.Conv2D(4, 3, strides=2, padding="same"), (2, 7, 6, 3)),
    "Conv2DTranspose": (lambda: layers.Conv2DTranspose(3, 3, strides=2), (2, 4, 5, 3)),
    "DepthwiseConv2D": (lambda: layers.DepthwiseConv2D(3), (2, 6, 6, 3)),
    "SeparableConv1D": (lambda: layers.SeparableConv1D(4, 3), (2, 9, 3)),
    "Embedding": (lambda: layers.Embedding(9, 3), None),
    "BatchNormalization": (lambda: layers.BatchNormalization(), (8, 3)),
    "LayerNormalization": (lambda: layers.LayerNormalization(), (4, 6)),
    "PReLU": (lambda: layers.PReLU(alpha_initializer="normal"), (4, 6)),
    "Softmax": (lambda: layers.Softmax(), (4, 6)),
    "Dropout": (lambda: layers.Dropout(0.5, seed=1), (4, 6)),
    "GaussianNoise": (lambda: layers.GaussianNoise(0.5, seed=1), (4, 6)),
    "GaussianDropout": (lambda: layers.GaussianDropout(0.3, seed=1), (4, 6)),
    "Rescaling": (lambda: layers.Rescaling(0.5, 1.0), (4, 6)),
    "Flatten": (lambda: layers.Flatten(), (4, 2, 3)),
}


@pytest.mark.parametrize("name", CASES)
def test_layers_compute_in_bfloat16_with_float32_weights(name, mixed):
    make, shape = CASES[name]
    x = np.array([[1, 2], [8, 0]]) if shape is None else np.random.default_rng(0).normal(size=shape).astype(np.float32)
    ct.set_seed(3)
    layer = make()
    found = layer(x, training=True)
    assert found.dtype == "bfloat16" and all(weight.dtype == np.float32 for weight in layer.weights)
    mixed_precision.set_global_policy("float32")
    ct.set_seed(3)
    plain = make()
    expected = plain(x, training=True)
    scale = max(1.0, np.abs(np.asarray(expected)).max())
    assert expected.dtype == np.float32 and np.allclose(found, expected, rtol=4 * HALF, atol=8 * HALF * scale)
    if layer.weights and layer.trainable_weights:
        for one in (layer, plain):
            with ct.GradientTape() as tape:
                total = ops.sum(ops.square(one(x).astype("float32")))
            for gradient in tape.gradient(total, one.trainable_weights):
                assert gradient is None or gradient.dtype == np.float32


def test_merging_layers_give_bfloat16(mixed):
    a, b = np.float32([[1.0, 2.0]]), np.float32([[3.0, 5.0]])
    for layer, expected in ((layers.Add(), [[4, 7]]), (layers.Average(), [[2, 3.5]]), (layers.Maximum(), [[3, 5]]),
                            (layers.Concatenate(), [[1, 2, 3, 5]])):
        out = layer([a, b])
        assert out.dtype == "bfloat16" and out.tolist() == expected


def test_a_dense_layer_is_that_of_rounded_operands(mixed):
    """x, kernel and bias are rounded to bfloat16, the sum is float32, the result is rounded once."""
    x, _ = data(5, 300)
    layer = layers.Dense(7, bias_initializer="normal")
    found = layer(x)
    rounded = [np.asarray(ct.astype(part, "bfloat16"), np.float64) for part in (x, layer.kernel, layer.bias)]
    exact, terms = rounded[0] @ rounded[1] + rounded[2], np.abs(rounded[0]) @ np.abs(rounded[1])
    assert np.all(np.abs(np.asarray(found) - exact) <= HALF * np.abs(exact) + 600 * 2.0**-24 * (terms + 1))


def test_one_layer_may_have_another_policy():
    model = ct.Sequential([layers.Dense(8, "relu", dtype=MIXED), layers.Dense(2, "softmax", dtype="float32")])
    x, _ = data()
    assert model(x).dtype == np.float32 and model.layers[0](x).dtype == "bfloat16"
    assert model.predict(x, verbose=0).dtype == np.float32


def test_models_leave_their_inputs_to_their_layers(mixed):
    class Seen(layers.Layer):
        def call(self, x):
            self.seen = x.dtype
            return x

    exact, rounding = Seen(dtype="float32"), Seen()
    model = ct.Sequential([layers.Input((3,)), exact, rounding])
    model(np.ones((1, 3)))
    assert (exact.seen, rounding.seen) == (np.float32, "bfloat16") and model.dtype == np.float32


# -- training ---------------------------------------------------------------------------------------------------------
def trained(policy, epochs=20, **options):
    ct.set_seed(1)
    mixed_precision.set_global_policy(policy)
    try:
        model = ct.Sequential([layers.Dense(32, "relu"), layers.BatchNormalization(), layers.Dropout(0.1),
                               layers.Dense(1)])
    finally:
        mixed_precision.set_global_policy("float32")
    model.compile(ct.optimizers.Adam(0.01), "mse", metrics=["mae"], **options)
    x, y = data(256)
    return model, model.fit(x, y, epochs=epochs, batch_size=32, verbose=0, validation_split=0.25).history


def test_training_goes_as_in_float32():
    model, history = trained(MIXED)
    _, expected = trained("float32")
    assert history.keys() == expected.keys()
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert history["loss"][-1] == pytest.approx(expected["loss"][-1], rel=0.25)
    assert all(isinstance(value, float) for values in history.values() for value in values)
    assert all(weight.dtype == np.float32 for weight in model.weights)
    assert all(slot.dtype == np.float32 for slots in model.optimizer.slots.values() for slot in slots)


def test_training_is_the_same_bits_for_any_number_of_threads():
    with ct.set_num_threads(1):
        one = trained(MIXED, 2)[0].get_weights()
    with ct.set_num_threads(3):
        three = trained(MIXED, 2)[0].get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(one, three, strict=True))


def test_losses_of_bfloat16_are_computed_in_float32():
    rng = np.random.default_rng(2)
    logits, labels = ct.astype(rng.normal(size=(50, 10)), "bfloat16"), rng.integers(0, 10, 50)
    wide = np.asarray(logits, np.float64)
    exact = np.log(np.exp(wide).sum(-1)) - wide[np.arange(50), labels]
    loss = ct.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    assert loss.dtype == np.float32 and np.allclose(loss, exact, rtol=1e-5)
    assert np.allclose(ct.losses.sparse_categorical_crossentropy(labels, ops.softmax(logits)), exact, rtol=1e-5)
    squares = ct.losses.mean_squared_error(np.zeros((50, 10), np.float32), logits)
    assert squares.dtype == np.float32 and np.allclose(squares, (wide**2).mean(-1), rtol=1e-5)


@pytest.mark.slow
def test_mnist_is_learned_as_in_float32():
    (x, y), (x_test, y_test) = ct.datasets.mnist.load_data()
    x, x_test = (images.reshape(len(images), -1) / 255.0 for images in (x[:20000], x_test))
    accuracies = []
    for policy in ("float32", MIXED):
        ct.set_seed(0)
        model = ct.Sequential([layers.Dense(128, "relu", dtype=policy), layers.Dense(10, "softmax", dtype=policy)])
        model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(x.astype(np.float32), y[:20000], epochs=5, batch_size=128, verbose=0)
        accuracies.append(model.evaluate(x_test.astype(np.float32), y_test, verbose=0)[1])
    assert accuracies[0] > 0.94 and abs(accuracies[0] - accuracies[1]) < 0.0075, accuracies


def test_weights_of_bfloat16_alone_are_kept_and_not_trained():
    model = ct.Sequential([layers.Dense(2, dtype="bfloat16")])
    x, _ = data()
    assert model(x).dtype == "bfloat16" and model.weights[0].dtype == "bfloat16"
    values = [np.full(weight.shape, 1.5) for weight in model.weights]
    model.set_weights(values)
    assert np.array_equal(model.get_weights()[0], values[0])
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match="must be float32 or float64; got dtype bfloat16 at 0; keep float32 ones and "
                                        "compute with casts of them, as mixed_bfloat16 does"):
        model.fit(x, x[:, :2], verbose=0)


# -- files ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("now", ["float32", MIXED])
def test_a_file_brings_the_policy_back_whatever_the_global_one(tmp_path, now):
    for policy in ("float32", MIXED):
        model, _ = trained(policy, 1)
        path = tmp_path / f"{policy}.safetensors"
        model.save(path)
        mixed_precision.set_global_policy(now)
        try:
            loaded = ct.load_model(path)
            copied = ct.models.clone_model(model)
        finally:
            mixed_precision.set_global_policy("float32")
        for one in (loaded, copied):
            assert [layer.dtype_policy.name for layer in one.layers] == [policy] * 4
        x, y = data(64, seed=5)
        assert np.array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
        assert loaded.train_on_batch(x, y) == model.train_on_batch(x, y)


def test_configurations_say_the_policy():
    config = layers.Dense(2, dtype=MIXED).get_config()
    assert config["dtype"] == MIXED and layers.Dense.from_config(config).dtype_policy.name == MIXED
    policy = layers.Dense(2, dtype=DTypePolicy(MIXED))
    assert layers.Dense.from_config(policy.get_config()).dtype_policy.name == MIXED
    assert layers.Dense(2, dtype=dtype_policies.serialize(DTypePolicy(MIXED))).compute_dtype == "bfloat16"
    assert "dtype" not in layers.Dense(2).get_config()


def test_a_model_with_a_policy_as_an_object_is_saved(tmp_path):
    model = ct.Sequential([layers.Input((3,)), layers.Dense(2, dtype=DTypePolicy(MIXED))])
    model.save(tmp_path / "m.safetensors")
    assert ct.load_model(tmp_path / "m.safetensors").layers[0].dtype_policy == DTypePolicy(MIXED)


def test_a_graph_computes_by_the_policies_of_its_layers(tmp_path, mixed):
    inputs = ct.Input((6,))
    hidden = layers.Dense(8, "relu")(inputs)
    outputs = layers.Dense(2, dtype="float32")(layers.Add()([hidden, layers.Dense(8)(inputs)]))
    assert (inputs.dtype, hidden.dtype, outputs.dtype) == (np.float32, "bfloat16", np.float32)
    model = ct.Model(inputs, outputs)
    mixed_precision.set_global_policy("float32")
    model.compile("sgd", "mse")
    x, _ = data(32, 6)
    model.fit(x, x[:, :2], epochs=1, verbose=0)
    model.save(tmp_path / "m.safetensors")
    assert np.array_equal(ct.load_model(tmp_path / "m.safetensors").predict(x, verbose=0), model.predict(x, verbose=0))
