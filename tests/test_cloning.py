"""clone_model with other layers and inputs; paths of weights; TensorFlow's names for errors and specifications."""
import copy
import pickle

import numpy as np
import pytest

import cytensor as ct
from cytensor import layers
from cytensor.models import clone_model


def graph():
    entry, other = layers.Input((4,), name="entry"), layers.Input((4,))
    shared = layers.Dense(3, activation="tanh", name="shared")
    a, b = shared(entry), shared(other)
    return ct.Model([entry, other], {"sum": a + b * 2.0, "head": layers.Dense(2)(layers.Concatenate()([a, b]))})


def test_a_function_gives_each_layer():
    model, seen = graph(), []

    def wider(layer):
        seen.append(layer.name)
        config = layer.get_config()
        return type(layer).from_config({**config, "units": 5} if layer.name == "shared" else config)

    clone = clone_model(model, clone_function=wider)
    assert len(seen) == len(set(seen)) == 3                # a shared layer is asked for once
    assert clone.get_layer("shared").kernel.shape == (4, 5)
    x = np.ones((2, 4), "f4")
    found = clone.predict([x, x], verbose=0)
    kernel, bias = clone.get_layer("shared").get_weights()
    np.testing.assert_allclose(found["sum"], 3 * np.tanh(x @ kernel + bias), rtol=1e-6)
    assert found["head"].shape == (2, 2)
    same = clone_model(model, clone_function=lambda layer: layer)
    assert same.get_layer("shared") is model.get_layer("shared")


def test_other_inputs():
    model = graph()
    inner = layers.Dense(4)(layers.Input((7,), name="wide"))
    clone = clone_model(model, input_tensors=[inner, layers.Input((4,))])
    assert clone.inputs[0].shape == (None, 4) and clone.get_layer("shared") is not model.get_layer("shared")
    stack = ct.Sequential([layers.Input((4,)), layers.Dense(3, name="one"), layers.Dropout(0.5)])
    again = clone_model(stack, clone_function=lambda layer: layers.Dropout(0.1) if isinstance(
        layer, layers.Dropout) else type(layer).from_config(layer.get_config()))
    assert isinstance(again, ct.Sequential) and again.layers[1].rate == 0.1 and again.built
    moved = clone_model(stack, input_tensors=layers.Input((4,), name="new"))
    assert moved.inputs[0].name == "new" and moved.output_shape == (None, 3)


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: clone_model(graph(), clone_function=lambda layer: 3), TypeError, "return a layer for 'shared'; got 3"),
    (lambda: clone_model(graph(), input_tensors=[layers.Input((4,))]), ValueError, "input_tensors must be 2; got 1"),
    (lambda: clone_model(graph(), input_tensors=[layers.Input((5,)), layers.Input((4,))]), ValueError, "4|5"),
    (lambda: clone_model(Own(), clone_function=lambda layer: layer), ValueError, "of class Own"),
])
def test_what_cannot_be_cloned(call, error, message):
    with pytest.raises(error, match=message):
        call()


class Own(ct.Model):
    def call(self, x):
        return x


def test_paths_of_weights():
    model = ct.Sequential([layers.Input((4,)), layers.Dense(3), layers.Dense(2, name="head"), layers.Dense(1)])
    assert [weight.path for weight in model.weights] == [
        f"{layer.name}/{name}" for layer in model.layers for name in ("kernel", "bias")]
    assert model.weights[2].path == "head/kernel"
    assert ct.Variable(1.0, name="own").path == "own"
    model.layers[0].name = "first"                         # a name given later, and copies
    paths = [weight.path for weight in model.weights]
    assert paths[:2] == ["first/kernel", "first/bias"]
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert [weight.path for weight in other.weights] == paths


def test_names_of_tensorflow():
    with pytest.raises(ct.errors.InvalidArgumentError):
        ct.reshape(ct.ones(3), (2, 2))
    with pytest.raises(ct.errors.InvalidArgumentError):
        ct.constant([1.0, 2.0])[5]

    @ct.function(input_signature=[ct.TensorSpec(shape=(None, 2), dtype=ct.float32)], jit_compile=True)
    def double(x):
        return x * 2

    np.testing.assert_array_equal(double(ct.ones((1, 2))), [[2, 2]])
    spec = ct.TensorSpec([None, 2], ct.int32, name="x")
    assert spec.shape.as_list() == [None, 2] and spec == ct.TensorSpec((None, 2), "int32", "x")
    assert len({spec, ct.TensorSpec((None, 2), "int32", "x")}) == 1


@pytest.mark.parametrize("statement", ["import cytensor.keras.applications",
                                       "from cytensor.keras.applications import VGG16",
                                       "from cytensor.keras.applications.xception import preprocess_input"])
def test_pretrained_networks_say_why_not(statement):
    with pytest.raises(ImportError, match=r"a pretrained network is built by hand.*for other models than are here"):
        exec(statement, {})
