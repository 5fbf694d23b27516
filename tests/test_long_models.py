"""Models of thousands of layers: what is done for each is done once, counted in calls; and what a file may ask for."""
import json
import sys

import numpy as np
import pytest

from cytensor import layers, metrics, saving
from cytensor.layers.naming import named_weights
from cytensor.models import Model, Sequential, load_model
from cytensor.registry import unused_name
from cytensor.saving.models import read_file, write_file


def calls(function):
    """How many functions a call of `function` calls, compiled ones too: its cost, without a clock."""
    count = 0

    def profile(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count


def built(count):
    model = Sequential([layers.Input((2,)), *(layers.Dense(2) for _ in range(count))])
    model.compile("adam", "mse")
    model.train_on_batch(np.ones((1, 2)), np.ones((1, 2)))
    return model


def added(count):
    model = Sequential([layers.Input((2,))])
    for _ in range(count):
        model.add(layers.Dense(2))
    return model


def nested(count):
    pairs = (Sequential([layers.Dense(2), layers.Dense(2)]) for _ in range(count // 2))
    return Sequential([layers.Input((2,)), *pairs])


class Listed(Model):
    def __init__(self, count):
        super().__init__()
        self.all = [layers.Dense(2) for _ in range(count)]

    def call(self, x):
        for layer in self.all:
            x = layer(x)
        return x


def called(count):
    Listed(count)(np.ones((1, 2)))


@pytest.mark.parametrize("make", [built, added, nested, called])
@pytest.mark.slow
def test_making_costs_as_much_a_layer_whatever_their_number(make):
    make(4)
    few, many = calls(lambda: make(100)), calls(lambda: make(400))
    assert 3 < many / few < 4.5, (few, many)


def test_adding_the_last_of_many_costs_as_much_as_the_first():
    model = added(300)
    first, last = calls(lambda: added(2)) - calls(lambda: added(1)), calls(lambda: model.add(layers.Dense(2)))
    assert last < first + 20, (first, last)
    unbuilt = Sequential([layers.Dense(2) for _ in range(300)])
    assert calls(lambda: unbuilt.add(layers.Dense(2))) < first
    named = Sequential([layers.Dense(2, name=f"layer{i}") for i in range(300)])
    assert calls(lambda: named.add(layers.Dense(2, name="last"))) < first


USES = {
    "weights": lambda model, path: model.weights, "trainable": lambda model, path: model.trainable_weights,
    "losses": lambda model, path: model.losses, "flattened": lambda model, path: model.flattened(),
    "paths": lambda model, path: named_weights(model), "shape": lambda model, path: model.output_shape,
    "summary": lambda model, path: model.summary(print_fn=str), "json": lambda model, path: model.to_json(),
    "call": lambda model, path: model(np.ones((1, 2))), "freeze": lambda model, path: setattr(model, "trainable", True),
    "save": lambda model, path: model.save(path), "load": lambda model, path: load_model(path),
    "load_weights": lambda model, path: model.load_weights(path),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.slow
def test_using_costs_as_much_a_layer_whatever_their_number(use, tmp_path):
    costs = []
    for count in (50, 200):
        model = built(count)
        path = tmp_path / f"{count}.safetensors"
        model.save(path)
        USES[use](model, path)
        costs.append(calls(lambda model=model, path=path: USES[use](model, path)))
    assert costs[1] / costs[0] < 4.5, costs


def test_layers_that_share_layers_are_met_once():
    """As many paths lead to the innermost layer as there are Fibonacci numbers: 10**12 for 60 levels."""
    class Two(layers.Layer):
        def __init__(self, first, second):
            super().__init__()
            self.first, self.second = first, second

        def call(self, x):
            return x

    inner, outer = layers.Dense(1), layers.Dense(1)
    inner.build((None, 1))
    outer.build((None, 1))
    for _ in range(60):
        inner, outer = outer, Two(inner, outer)
    assert len(outer.flattened()) == 62 and len(outer.weights) == len(outer.trainable_weights) == 4
    assert len(named_weights(outer)) == 4 and saving.models.noise_of(outer) == {}


def test_no_name_is_tried_twice():
    class Counted(dict):
        tried = 0

        def __contains__(self, name):
            self.tried += 1
            return super().__contains__(name)

    taken = Counted()
    names = [unused_name("dense", taken) for _ in range(1000)]
    assert names[:3] == ["dense", "dense_1", "dense_2"] and names[-1] == "dense_999" and taken.tried < 2100


def test_names_stay_as_they_were():
    model = Sequential([layers.Dense(2), layers.Dense(2), layers.Dense(2, name="dense_1")])
    assert [layer.name for layer in model.layers] == ["dense", "dense_2", "dense_1"]
    model.add(layers.Dense(2))
    assert model.layers[-1].name == "dense_3"
    model.add(layers.Dense(2, name="dense_2"))                       # the one that nobody named gives way
    assert [layer.name for layer in model.layers] == ["dense", "dense_3", "dense_1", "dense_4", "dense_2"]
    model.pop()
    model.add(layers.Dense(2))
    assert len({layer.name for layer in model.layers}) == 5
    with pytest.raises(ValueError, match="names must differ; there is a layer 'dense_1' already"):
        model.add(layers.Flatten(name="dense_1"))
    assert len(model.layers) == 5


# -- a layer in two places --------------------------------------------------------------------------------------------
def test_a_layer_twice_is_one_layer(tmp_path):
    shared = layers.Dense(3)
    model = Sequential([layers.Input((3,)), shared, layers.ReLU(), shared])
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
    kernel, bias = model.get_weights()
    assert model.count_params() == 12 and model.output_shape == (None, 3)
    assert [layer.name for layer in model.layers] == ["dense", "re_lu", "dense"]
    assert np.allclose(model(x), np.maximum(x @ kernel + bias, 0) @ kernel + bias, atol=1e-5)
    model.fit(x, x, epochs=2, verbose=0)
    model.save(tmp_path / "m.safetensors")
    again = load_model(tmp_path / "m.safetensors")
    assert again.layers[0] is again.layers[2] and len(again.weights) == 2
    for other in (again, model):
        other.fit(x, x, epochs=2, shuffle=False, verbose=0)
    assert np.array_equal(again(x), model(x))
    later = Sequential([layers.Dense(3)])
    later.build((None, 3))
    later.add(later.layers[0])
    assert later.count_params() == 12 and later(x).shape == (4, 3)


def test_a_wrong_order_in_a_file_is_refused(tmp_path):
    shared = layers.Dense(3)
    model = Sequential([layers.Input((3,)), shared, shared])
    for order in ([0, 1, 5], [0, 1, -1], [0, "x"], [0, True]):
        text = json.loads(model.to_json())
        text["model"]["config"]["order"] = order
        with pytest.raises(ValueError, match="order must be places in the 2 layers"):
            saving.model_from_json(json.dumps(text))


# -- what a file may ask for ------------------------------------------------------------------------------------------
@saving.register_serializable("long")
class Encodes(Model):
    """Called on zeros while it is loaded."""

    def __init__(self, tokens=4, times=2):
        super().__init__()
        self.encode, self.repeat = layers.CategoryEncoding(tokens), layers.RepeatVector(times)
        self.flatten, self.dense = layers.Flatten(), layers.Dense(1)
        self.times = times

    def call(self, x):
        encoded = self.encode(x)
        return self.dense(encoded[:, :2]) + 0.0 * self.flatten(self.repeat(encoded))[:, :1]


def altered(path, old, new):
    """Write one number of a file's description anew."""
    tensors, metadata = read_file(path)
    assert old in metadata["document"], metadata["document"]
    write_file(path, tensors, {**metadata, "document": metadata["document"].replace(old, new)})


@pytest.mark.parametrize(("old", "new", "message"), [
    ('"num_thresholds": 5', '"num_thresholds": 100000000', r"AUC: num_thresholds: the file must have as many numbers"),
    ('"units": 1', '"units": 1000000000', "weight 'kernel': the file must have as many numbers as the weights"),
    ('"tokens": 4', '"tokens": 1000000000', "layer 'category_encoding': the file must have as many numbers"),
    ('"times": 2', '"times": 1000000000', "layer 'repeat_vector': the file must have as many numbers"),
    ('"build_shape": [null, 3]', '"build_shape": [null, 1000000000000]', "the file must have as many numbers"),
])
def test_a_number_in_a_file_does_not_fill_the_memory(old, new, message, tmp_path):
    path = tmp_path / "m.safetensors"
    model = Encodes() if old.split('"')[1] in ("tokens", "times", "build_shape") else Sequential([layers.Dense(1)])
    model(np.zeros((1, 3)))
    model.compile("sgd", "binary_crossentropy", metrics=[metrics.AUC(num_thresholds=5)])
    model.save(path)
    assert load_model(path).count_params() == model.count_params()
    altered(path, old, new)
    with pytest.raises(ValueError, match=message) as caught:
        load_model(path)
    assert str(path) in str(caught.value)


@pytest.mark.slow
def test_programs_ask_for_what_they_like():
    assert len(metrics.AUC(num_thresholds=2**21).thresholds) == 2**21
    assert layers.CategoryEncoding(2**21)(np.zeros((1, 1), int)).shape == (1, 2**21)
