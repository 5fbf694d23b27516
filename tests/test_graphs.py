"""Models that are graphs: what they compute, and what of them is saved and copied. Refusals: test_graphs_refused.py."""
import copy
import pickle

import numpy as np
import pytest

import cytensor as ct
from cytensor import Model, Sequential, layers, ops
from cytensor.layers import Input

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def fresh():
    ct.utils.clear_session()
    ct.set_seed(0)


def arrays(*shapes):
    return [RNG.standard_normal(shape).astype("f4") for shape in shapes]


def forked():
    """Two inputs, a shared layer, a residual, a model inside, functions, and two outputs in a dictionary."""
    left, right = Input((4,), name="left"), Input((4,), name="right")
    shared = layers.Dense(3, activation="tanh", name="shared")
    a, b = shared(left), shared(right)
    total = a + b * 2.0 + a[:, ::-1]
    inside = Input((3,))
    inner = Model(inside, layers.Dense(3)(inside) + inside, name="inner")
    joined = layers.Concatenate()([inner(total), ops.maximum(a, b)])
    return Model([left, right], {"flag": layers.Dense(1, activation="sigmoid", name="head")(joined),
                                 "rest": ops.reshape(joined, (-1, 2, 3))})


def by_hand(model, left, right):
    """The same in NumPy."""
    w = model.get_layer("shared").get_weights()
    a, b = np.tanh(left @ w[0] + w[1]), np.tanh(right @ w[0] + w[1])
    total = a + 2 * b + a[:, ::-1]
    v = model.get_layer("inner").get_weights()
    joined = np.concatenate([total @ v[0] + v[1] + total, np.maximum(a, b)], axis=1)
    h = model.get_layer("head").get_weights()
    return {"flag": 1 / (1 + np.exp(-(joined @ h[0] + h[1]))), "rest": joined.reshape(-1, 2, 3)}


def check(found, expected):
    assert list(found) == list(expected)
    for key, value in expected.items():
        np.testing.assert_allclose(np.asarray(found[key]), value, rtol=2e-6, atol=2e-6)


# -- what they compute ------------------------------------------------------------------------------------------------
def test_a_graph_computes_what_its_parts_do():
    model = forked()
    left, right = arrays((5, 4), (5, 4))
    expected = by_hand(model, left, right)
    for x in ([left, right], (left, right), {"left": left, "right": right}, [left.tolist(), ct.asarray(right)]):
        check(model(x), expected)
    check(model.predict([left, right], verbose=0), expected)
    check(model.predict({"right": right, "left": left}, batch_size=2, verbose=0), expected)
    check(model.predict_on_batch([left, right]), expected)


def test_gradients_go_through_a_graph():
    model = forked()
    left, right = (ct.asarray(x) for x in arrays((5, 4), (5, 4)))
    shared, inner, head = (model.get_layer(name) for name in ("shared", "inner", "head"))

    def direct():
        a, b = shared(left), shared(right)
        total = a + b * 2.0 + a[:, ::-1]
        dense = inner.layers[1]
        return head(ops.concat([dense(total) + total, ops.maximum(a, b)], axis=1))
    found = []
    for compute in (lambda: model([left, right])["flag"], direct):
        with ct.GradientTape() as tape:
            loss = ops.sum(ops.square(compute()))
        found.append(tape.gradient(loss, model.weights))
    for one, other in zip(*found, strict=True):
        assert one is not None and np.array_equal(one.numpy(), other.numpy())


def test_a_slot_that_serves_again_overwrites_nothing_that_is_read_later():
    x = Input((2,))
    a = x * 2.0
    b = a + 1.0
    c = b * a
    d = c - x
    model = Model(x, [d, b, x, ops.stack([a, b, c, d], axis=1)])
    value = arrays((3, 2))[0]
    first = value * 2
    second, third = first + 1, (first + 1) * first
    found = model(value)
    for one, other in zip(found, [third - value, second, value, np.stack([first, second, third, third - value], 1)],
                          strict=True):
        np.testing.assert_allclose(one.numpy(), other, rtol=1e-6)
    assert model._graph.slots < 7


def test_training_makes_the_same_steps_as_the_sequential():
    x, y = RNG.standard_normal((64, 6)).astype("f4"), RNG.integers(0, 3, 64)
    histories, weights = [], []
    for is_graph in (False, True):
        ct.set_seed(4)
        stack = [layers.Dense(8, activation="relu"), layers.Dropout(0.3, seed=1), layers.Dense(3, activation="softmax")]
        if is_graph:
            tensor = entry = Input((6,))
            for layer in stack:
                tensor = layer(tensor)
            model = Model(entry, tensor)
            assert [layer.name for layer in model.layers][1:] == ["dense_2", "dropout_1", "dense_3"]
            for layer in stack:
                layer._name = layer._name.replace("_2", "").replace("_3", "_1")     # initial values follow the name
            model.set_weights(weights)
        else:
            model = Sequential([Input((6,)), *stack])
            weights = model.get_weights()
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        histories.append(model.fit(x, y, epochs=3, batch_size=16, verbose=0, validation_split=0.25).history)
    assert histories[0] == histories[1]


def test_layers_with_several_outputs_and_nested_structures():
    class Halves(layers.Layer):
        def call(self, x):
            return {"low": x[:, :2], "high": (x[:, 2:], ops.sum(x, axis=1))}

    x = Input((4,))
    parts = Halves()(x)
    assert parts["low"].shape == (None, 2) and [part.shape for part in parts["high"]] == [(None, 2), (None,)]
    model = Model(x, [parts["high"][1], {"both": [parts["low"], parts["high"][0]]}])
    value = arrays((3, 4))[0]
    total, both = model(value)
    np.testing.assert_allclose(total.numpy(), value.sum(1), rtol=1e-5)
    assert np.array_equal(both["both"][0], value[:, :2]) and np.array_equal(both["both"][1], value[:, 2:])
    predicted = model.predict(value, verbose=0)
    assert type(predicted) is list and predicted[1]["both"][1].shape == (3, 2)


def test_a_layer_called_with_further_tensors():
    class Scale(layers.Layer):
        def call(self, x, by, shift=None, training=None):
            return x * by + (0.0 if shift is None else shift)

    x, by, shift = Input((3,)), Input((1,)), Input((3,))
    out = Scale()(x, by, shift=shift, training=False)
    assert out.shape == (None, 3)
    values = arrays((2, 3), (2, 1), (2, 3))
    np.testing.assert_allclose(Model([x, by, shift], out)(values).numpy(), values[0] * values[1] + values[2], rtol=1e-6)


def test_dropout_with_training_said_at_the_call():
    x = Input((50,))
    model = Model(x, [layers.Dropout(0.5, seed=1)(x, training=True), layers.Dropout(0.5, seed=1)(x)])
    ones = np.ones((4, 50), "f4")
    always, never = model.predict(ones, verbose=0)
    assert 0.2 < (always == 0).mean() < 0.8 and (never == 1).all()


def test_integers_and_inputs_that_nothing_reads():
    words, unused = Input((3,), dtype="int32", name="words"), Input((2,), name="unused")
    floats = Input((3,), name="floats")
    table = layers.Embedding(5, 2)
    model = Model([words, unused, floats], [table(words), table(floats), layers.Flatten()(words), words + 1])
    assert [output.dtype for output in model.outputs] == ["float32", "float32", "float32", "int32"]
    found = model([np.array([[0, 4, 2]]), np.zeros((1, 2)), np.array([[0.0, 4.0, 2.0]])])
    assert np.array_equal(found[0].numpy(), found[1].numpy()) and found[3].tolist() == [[1, 5, 3]]
    assert [output.dtype for output in found] == ["float32", "float32", "float32", "int32"]
    assert len(model.layers) == 5 and len(pickle.loads(pickle.dumps(model)).layers) == 5


def test_graphs_of_bfloat16(tmp_path):
    x = Input((4,))
    half = layers.Dense(3, dtype="mixed_bfloat16")(x)
    model = Model(x, [half, ops.concat([half, half], axis=1), ops.cast(x, ct.bfloat16), ops.cast(half, "float32")])
    dtypes = ["bfloat16", "bfloat16", "bfloat16", "float32"]
    assert [str(output.dtype) for output in model.outputs] == dtypes or [
        output.dtype.name for output in model.outputs] == dtypes
    model.save(tmp_path / "model.safetensors")
    value = arrays((2, 4))[0]
    for one, other in zip(ct.load_model(tmp_path / "model.safetensors")(value), model(value), strict=True):
        assert one.dtype == other.dtype and np.array_equal(ops.cast(one, "float32"), ops.cast(other, "float32"))


# -- parts ------------------------------------------------------------------------------------------------------------
def test_inner_tensors_make_models_of_their_own():
    model = forked()
    left, right = arrays((5, 4), (5, 4))
    features = Model(model.input, model.get_layer("shared").output)
    w = model.get_layer("shared").get_weights()
    np.testing.assert_allclose(features.predict([left, right], verbose=0), np.tanh(left @ w[0] + w[1]), rtol=1e-5)
    assert features.get_layer("shared") is model.get_layer("shared")
    inner = model.get_layer("inner")
    tensor = model.get_layer("concatenate").output
    tail = Model(tensor, model.output["flag"])             # cut in the middle
    joined = by_hand(model, left, right)["rest"].reshape(-1, 6)
    np.testing.assert_allclose(tail(joined).numpy(), by_hand(model, left, right)["flag"], rtol=1e-5)
    assert [type(layer).__name__ for layer in tail.layers] == ["InputLayer", "Dense"] and inner.built
    again = pickle.loads(pickle.dumps(tail))
    assert np.array_equal(again(joined).numpy(), tail(joined).numpy())


def test_a_sequential_is_a_graph_that_is_a_chain():
    model = Sequential([Input((4,), name="entry"), layers.Dense(3, activation="relu"), layers.Dense(2)])
    assert model.inputs[0].name == "entry" and model.outputs[0].shape == model.output_shape == (None, 2)
    x = arrays((5, 4))[0]
    for one in (model, copy.deepcopy(model)):
        every = Model(inputs=one.inputs, outputs=[layer.output for layer in one.layers])
        hidden, last = every(x)
        assert np.array_equal(last.numpy(), one(x).numpy()) and hidden.shape == (5, 3)
    model.pop()
    model.add(layers.Dense(7))
    assert model.outputs[0].shape == (None, 7)
    assert np.array_equal(Model(model.input, model.output)(x).numpy(), model(x).numpy())
    late = Sequential([layers.Dense(2)])
    with pytest.raises(AttributeError, match="Sequential 'sequential' has no inputs before it is built; let it begin"):
        _ = late.inputs
    late(x)
    assert late.input.shape == (None, 4)


def test_models_inside_models():
    pixels = Input((6,))
    encoder = Model(pixels, layers.Dense(2)(layers.Dense(4, activation="relu")(pixels)), name="encoder")
    decoder = Sequential([layers.Dense(4, activation="relu"), layers.Dense(6)], name="decoder")
    whole = Model(encoder.input, decoder(encoder.output), name="autoencoder")
    stacked = Sequential([encoder, decoder])
    x = arrays((3, 6))[0]
    assert np.array_equal(whole(x).numpy(), stacked(x).numpy())
    assert [layer.name for layer in whole.layers] == ["input_layer", "dense_1", "dense", "decoder"]
    other = Input((6,))
    assert np.array_equal(Model(other, decoder(encoder(other)))(x).numpy(), whole(x).numpy())
    assert len(whole.weights) == 8


def test_subclasses_of_graphs():
    class Scorer(Model):
        def __init__(self, units=3):
            x = Input((4,))
            super().__init__(x, layers.Dense(units)(x), name="scorer")
            self.units, self.extra = units, layers.Dense(1)

        def call(self, x, training=None):
            return self.extra(super().call(x, training=training))

    model = Scorer(5)
    assert model(arrays((2, 4))[0]).shape == (2, 1) and len(model.weights) == 4
    assert model.inputs[0].shape == (None, 4) and model.get_config() == {"units": 5}
    model.compile("sgd", "mse")
    model.fit(*arrays((8, 4), (8, 1)), verbose=0)
    assert [weight.shape for weight in copy.deepcopy(model).weights] == [weight.shape for weight in model.weights]


def test_attributes_of_the_names_of_properties_stay_the_users():
    class Two(Model):
        def __init__(self):
            super().__init__()
            self.input, self.output, self.outputs = layers.Dense(2), layers.Dense(1), [3]

        def call(self, x):
            return self.output(self.input(x))

    model = Two()
    assert model(np.ones((2, 2), "f4")).shape == (2, 1) and len(model.weights) == 4 and model.outputs == [3]


# -- files and copies -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("way", ["deepcopy", "pickle", "file", "json", "config", "clone"])
def test_what_is_copied_and_saved_computes_the_same(way, tmp_path):
    model = forked()
    if way == "file":
        model.save(tmp_path / "model.safetensors")
    again = {"deepcopy": lambda: copy.deepcopy(model), "pickle": lambda: pickle.loads(pickle.dumps(model)),
             "file": lambda: ct.load_model(tmp_path / "model.safetensors"),
             "json": lambda: ct.models.model_from_json(model.to_json()),
             "config": lambda: type(model).from_config(model.get_config()),
             "clone": lambda: ct.models.clone_model(model)}[way]()
    assert [one.name for one in again._graph.operations] == [one.name for one in model._graph.operations]
    assert again.name == model.name and type(again) is type(model)
    assert not {id(weight) for weight in again.weights} & {id(weight) for weight in model.weights}
    if way in ("json", "config", "clone"):
        again.set_weights(model.get_weights())
    left, right = arrays((5, 4), (5, 4))
    for key, value in model([left, right]).items():
        assert np.array_equal(again([left, right])[key].numpy(), value.numpy())
    again.compile("sgd", "mse")


def test_every_kind_of_argument_is_saved(tmp_path):
    x = Input((4, 3))
    parts = [x[:, 0], x[:, ..., 1:3:2][:, 0], x[:, [0, 2]][:, 1], ops.sum(x, axis=(1,)),
             ops.concat([x, x], axis=2)[:, 1],
             ops.where(x[:, 1] > 0.0, x[:, 1], np.arange(3, dtype="f4")), ops.astype(x[:, 2], np.dtype("int32")),
             ct.activations.gelu(x[:, 0], approximate=True), ops.clip(x[:, 3], -1.0, 1.0), 1.0 - x[:, 0]]
    model = Model(x, parts)
    model.save(tmp_path / "model.safetensors")
    value = arrays((5, 4, 3))[0]
    for one, other in zip(ct.load_model(tmp_path / "model.safetensors")(value), model(value), strict=True):
        assert np.array_equal(one.numpy(), other.numpy()) and one.dtype == other.dtype


def test_a_deep_graph_is_built_run_copied_and_saved(tmp_path):
    x = tensor = Input((2,))
    for _ in range(1500):
        tensor = tensor + 1.0
    model = Model(x, tensor)
    value = np.zeros((1, 2), "f4")
    for one in (model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert one(value).tolist() == [[1500.0, 1500.0]]


def test_a_registered_function_of_the_users_own_is_no_part_of_the_closed_list(tmp_path):
    document = ct.models.clone_model(forked()).to_json()
    for name in ("os.system", "ops.nothing", "builtins.eval"):
        with pytest.raises(ValueError, match="unknown name"):
            ct.models.model_from_json(document.replace("ops.add", name))


def test_damaged_descriptions_are_refused():
    x = Input((3,), name="x")
    text = Model(x, layers.Dense(2, name="d")(x)).to_json()
    for found, put, message in (('["x", 0, 0]', '["d", 0, 0]', "no cycle"), ('["x", 0, 0]', '["y", 0, 0]', "no cycle"),
                                ('["x", 0, 0]', '[3, 0, 0]', "must be the name of a layer and two integers"),
                                ('"inbound_nodes"', '"nodes"', "layers must have a name"),
                                ('"keras_tensor"', '"strange"', "must be written as this version does")):
        assert found in text
        with pytest.raises(ValueError, match=message):
            ct.models.model_from_json(text.replace(found, put))
