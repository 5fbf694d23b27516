"""Classes and functions of the program's own: in files, strings, scopes and copies; nothing else comes by a file."""
import threading

import numpy as np
import pytest

import cytensor as ct
from cytensor import keras
from cytensor.keras import layers
from cytensor.keras.models import Model, Sequential, clone_model, load_model, model_from_json
from cytensor.keras.utils import custom_object_scope, get_custom_objects


class Block(layers.Layer):
    def __init__(self, units=4, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.units, self.activation = units, keras.activations.get(activation)

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="glorot_uniform", name="w")

    def call(self, x):
        return self.activation(x @ self.w)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def twice(x):
    return x * 2.0


def half_error(y_true, y_pred):
    return ct.mean((y_true - y_pred) ** 2, axis=-1) / 2


class Scaled(keras.losses.Loss):
    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, y_true, y_pred):
        return self.factor * ct.mean((y_true - y_pred) ** 2, axis=-1)


class Net(Model):
    def __init__(self, width=8, **kwargs):
        super().__init__(**kwargs)
        self.inner, self.last = Block(width, "relu"), layers.Dense(1, activation=twice)

    def call(self, x):
        return self.last(self.inner(x))


OWN = {"Block": Block, "twice": twice, "half_error": half_error, "Scaled": Scaled, "Net": Net}


def sequential():
    return Sequential([layers.Input((3,)), Block(5), layers.Dense(1, activation=twice)])


def functional():
    x = keras.Input((3,))
    return Model(x, layers.Dense(1, activation=twice)(Block(5, "tanh")(x)))


@pytest.fixture
def data():
    x = np.random.default_rng(0).random((16, 3)).astype("float32")
    return x, x.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("make", [sequential, functional, lambda: Net(6)], ids=["sequential", "functional", "subclass"])
@pytest.mark.parametrize("loss", [half_error, Scaled(3.0)], ids=["function", "class"])
def test_a_model_with_parts_of_ones_own_comes_back_and_trains_on(make, loss, data, tmp_path):
    path, model = tmp_path / "m.safetensors", make()
    model.compile("adam", loss)
    model.fit(*data, epochs=2, verbose=0, shuffle=False)
    model.save(path)
    with pytest.raises(ValueError, match=r"load_model: .*unknown name .*custom_objects=\{.*register_serializable"):
        load_model(path)
    again = load_model(path, custom_objects=OWN)
    with custom_object_scope(OWN):
        third = load_model(path)
    for other in (again, third):
        assert np.array_equal(model.predict(data[0], verbose=0), other.predict(data[0], verbose=0))
    losses = [net.fit(*data, verbose=0, shuffle=False).history["loss"] for net in (model, again, third)]
    assert losses[0] == losses[1] == losses[2]


def test_a_file_is_closed_to_all_but_what_it_is_given(data, tmp_path):
    path = tmp_path / "m.safetensors"
    sequential().save(path)
    for some in ({}, {"Block": Block}, {"twice": twice}, {"block": Block, "twice": twice}):
        with pytest.raises(ValueError, match="unknown name"):
            load_model(path, custom_objects=some)
    with pytest.raises(ValueError, match="unknown name 'Block'"):       # a function is no class
        load_model(path, custom_objects={"Block": twice, "twice": twice})
    with pytest.raises(TypeError, match="custom_objects: a dictionary"):
        load_model(path, False)
    with pytest.raises(TypeError, match="custom_objects: a dictionary"):
        load_model(path, custom_objects={"Block": 3})


def test_what_has_no_name_is_left_out_with_a_warning(tmp_path, data):
    model = Sequential([layers.Input((3,)), layers.Dense(1, activation=lambda x: x)])
    with pytest.warns(UserWarning, match="holds the weights alone.*<lambda>"):
        model.save(tmp_path / "m.safetensors")
    with pytest.raises(TypeError, match=r"every part of a model must be registered .* ct.saving.register_serializable"):
        model.to_json()


@pytest.mark.parametrize("make", [sequential, functional, lambda: Net(6)], ids=["sequential", "functional", "subclass"])
def test_copies_and_descriptions(make, data):
    model = make()
    model(data[0])
    copy = clone_model(model)
    assert type(copy) is type(model) and copy.count_params() == model.count_params()
    copy.set_weights(model.get_weights())
    assert np.array_equal(copy(data[0]), model(data[0]))
    again = model_from_json(model.to_json(), custom_objects=OWN)
    again(data[0])
    again.set_weights(model.get_weights())
    assert np.array_equal(again(data[0]), model(data[0]))
    assert type(type(model).from_config(model.get_config(), custom_objects=OWN)) is type(model)


def test_two_parts_of_one_name_cannot_be_told_apart():
    def other():
        class Block(layers.Layer):
            def call(self, x):
                return x
        return Block()

    with pytest.raises(ValueError, match="two names; got 'Block'"):
        clone_model(Sequential([layers.Input((3,)), Block(), other()]))


def test_names_in_strings():
    with pytest.raises(ValueError, match="activation: unknown name 'twice'"):
        layers.Dense(1, activation="twice")
    with custom_object_scope({"twice": twice, "half": half_error}):
        assert layers.Dense(1, activation="twice").activation is twice
        assert keras.losses.get("half") is half_error
        with custom_object_scope({"twice": half_error}):               # the innermost first
            assert layers.Dense(1, activation="twice").activation is half_error
        assert layers.Dense(1, activation="twice").activation is twice
    get_custom_objects().update(OWN)
    try:
        assert layers.Dense(1, activation="twice").activation is twice
    finally:
        for name in OWN:
            del get_custom_objects()[name]
    with pytest.raises(ValueError, match="unknown name"):
        layers.Dense(1, activation="twice")


def test_a_scope_is_of_one_thread_and_ends_with_an_error():
    found = []
    with custom_object_scope({"twice": twice}):
        thread = threading.Thread(target=lambda: found.append(keras.saving.get_registered_object("twice")))
        thread.start()
        thread.join()
    assert found == [None]
    with pytest.raises(KeyError), custom_object_scope({"twice": twice}):
        raise KeyError
    assert keras.saving.get_registered_object("twice") is None


def test_registered_names():
    @keras.saving.register_keras_serializable(package="test_custom_objects", name="thrice")
    def triple(x):
        return x * 3.0

    name = "test_custom_objects>thrice"
    assert keras.saving.get_registered_name(triple) == name and keras.saving.get_registered_name(twice) == "twice"
    assert keras.saving.get_registered_object(name) is triple
    assert keras.saving.get_registered_object("a", {"a": twice}) is keras.saving.get_registered_object("a", None,
                                                                                                      {"a": twice})
    assert layers.Activation(name).activation is triple and get_custom_objects()[name] is triple
    assert keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(triple)) is triple


PARTS = [layers.Dense(3, activation="relu", kernel_regularizer=keras.regularizers.L1L2(0.1, 0.2), name="d"),
         layers.Conv2D(4, 3, padding="same"), keras.optimizers.Adam(0.01, beta_1=0.8),
         keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)),
         keras.losses.Huber(2.0), keras.initializers.RandomNormal(stddev=0.5, seed=3), keras.constraints.MaxNorm(1.5),
         keras.metrics.TopKCategoricalAccuracy(2)]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: type(part).__name__)
def test_parts_in_keras_words_and_back(part):
    described = keras.saving.serialize_keras_object(part)
    assert set(described) == {"module", "class_name", "config", "registered_name"}
    again = keras.saving.deserialize_keras_object(described)
    assert type(again) is type(part) and keras.saving.serialize_keras_object(again) == described


@pytest.mark.parametrize(("get", "given", "name", "value"), [
    (keras.optimizers.get, {"class_name": "Adam", "config": {"learning_rate": 0.5}}, "learning_rate", 0.5),
    (keras.optimizers.get, {"class_name": "adam", "config": {"beta_1": 0.5}}, "beta_1", 0.5),
    (keras.losses.get, {"class_name": "Huber", "config": {"delta": 2.0}}, "delta", 2.0),
    (keras.metrics.get, {"class_name": "TopKCategoricalAccuracy", "config": {"k": 2}}, "k", 2),
    (keras.initializers.get, {"class_name": "Constant", "config": {"value": 2.0}}, "value", 2.0),
    (keras.regularizers.get, {"class_name": "L2", "config": {"l2": 0.5}}, "l2", 0.5),
    (keras.constraints.get, {"class_name": "MaxNorm", "config": {"max_value": 3.0}}, "max_value", 3.0),
])
def test_get_takes_a_configuration(get, given, name, value):
    assert float(get(given).get_config()[name]) == value


LAYERS = {"Dense": {"units": 3, "activation": "relu"}, "Conv2D": {"filters": 2, "kernel_size": 3},
          "Dropout": {"rate": 0.25}, "LayerNormalization": {"epsilon": 0.5}, "BatchNormalization": {"momentum": 0.5},
          "Flatten": {}, "MaxPooling2D": {"pool_size": 3}, "Embedding": {"input_dim": 4, "output_dim": 2}}


@pytest.mark.parametrize(("module", "name", "arguments"), [
    *(("layers", name, arguments) for name, arguments in LAYERS.items()),
    ("optimizers", "Adam", {"beta_1": 0.5}), ("optimizers", "SGD", {"momentum": 0.5}), ("optimizers", "RMSprop", {}),
    ("losses", "Huber", {}), ("losses", "SparseCategoricalCrossentropy", {"from_logits": True}),
    ("initializers", "GlorotUniform", {}), ("regularizers", "L1L2", {"l1": 0.5, "l2": 0.25}),
])
def test_what_keras_wrote_down_is_read(module, name, arguments):
    theirs = pytest.importorskip("keras")
    described = theirs.saving.serialize_keras_object(getattr(getattr(theirs, module), name)(**arguments))
    ours = keras.saving.deserialize_keras_object(described)
    made = getattr(getattr(keras, module), name)(**arguments)
    assert type(ours) is type(made)
    for key in arguments:
        assert ours.get_config()[key] == made.get_config()[key] or (key in ("kernel_size", "pool_size", "activation"))
