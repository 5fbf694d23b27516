"""Models that are graphs: what is refused, by name, and what is called as Keras calls it."""
import os

import numpy as np
import pytest

import cytensor as ct
from cytensor import Model, Sequential, layers, ops
from cytensor.keras import KerasTensor
from cytensor.layers import Input


@pytest.fixture(autouse=True)
def fresh():
    ct.utils.clear_session()
    ct.set_seed(0)


# -- what is refused --------------------------------------------------------------------------------------------------
def refused():
    x, y = Input((4,), name="x"), Input((3,), name="y")
    dense = layers.Dense(2, name="dense")
    out = dense(x)
    model = Model([x, y], [out, y], name="model")
    one = Model(x, out, name="one")
    return [
        (lambda: Model(y, out), ValueError, r"Model: outputs must be connected to the inputs; got the output of "
                                            r"'dense', which needs 'x', and inputs \['y'\]"),
        (lambda: Model(Input((3,)), out), ValueError, r"which needs 'x', and inputs \['input_layer"),
        (lambda: Model(x, dense), TypeError, "outputs must be symbolic tensors.*; the layer's output is 'dense"),
        (lambda: Model(x, np.ones(3)), TypeError, "outputs must be symbolic tensors"),
        (lambda: Model([], out), ValueError, "inputs must be symbolic tensors, as Input gives them; got"),
        (lambda: Model([x, x], out), ValueError, r"inputs must differ; got \['x', 'x'\]"),
        (lambda: Model(x), TypeError, "a model is made of inputs and outputs.*; got no outputs"),
        (lambda: Model([layers.Dense(2)]), TypeError, "got no outputs; a list of layers makes a Sequential"),
        (lambda: Model(x, out, "name", 3), TypeError, "the arguments are inputs, outputs and name"),
        (lambda: Model(KerasTensor((None, 4)), out), ValueError, "outputs must be connected"),
        (lambda: Model(x, KerasTensor((None, 4))), ValueError, "which needs 'keras_tensor_.', a KerasTensor that no"),
        (lambda: Model(x, layers.Dense(2, name="dense")(out)), ValueError, "names must differ; got two layers 'dense'"),
        (lambda: dense(y), ValueError, r"got x \(2, 3\), kernel \(4, 2\)\nin layer 'dense'"),
        (lambda: one(np.ones((2, 5))), ValueError, r"'one': the input 'x' must have shape \(None, 4\); got \(2, 5\)"),
        (lambda: one.predict(np.ones((2, 5)), verbose=0), ValueError, r"'x' must have shape \(None, 4\); got \(2, 5\)"),
        (lambda: one(Input((5,))), ValueError, r"'one': the input 'x' must have shape \(None, 4\); got \(None, 5\)"),
        (lambda: model(np.ones((2, 4))), ValueError, r"2 inputs are expected, 'x', 'y', in a list; got one of shape"),
        (lambda: model([np.ones((2, 4))]), ValueError, "2 inputs are expected, 'x', 'y', in a list; got a list of 1"),
        (lambda: model([np.ones((2, 4))] * 3), ValueError, "in a list; got a list of 3"),
        (lambda: model({"x": np.ones((2, 4))}), ValueError, "with the keys 'x', without 'y'"),
        (lambda: model([np.ones((2, 4)), None]), ValueError, "got None for 'y'"),
        (lambda: one([np.ones((2, 4)), np.ones((2, 4))]), ValueError, "one input is expected, 'x' of shape"),
        (lambda: layers.Add()([x, y]), ValueError, r"\(None, 4\), \(None, 3\)"),
        (lambda: layers.Concatenate(axis=1)([Input((2, 3)), Input((2, 4))]), ValueError, r"\(None, 2, 4\)"),
        (lambda: x + y, ValueError, r"add: shapes must broadcast; got \(None, 4\), \(None, 3\)"),
        (lambda: x @ y, ValueError, "matmul: last axis of a must equal"),
        (lambda: layers.Dense(2)([x, y]), ValueError, "Dense: one tensor is expected; got a list of 2"),
        (lambda: Sequential([out]), ValueError, "only layers can be added, and an Input at the head"),
        (lambda: np.asarray(x), ValueError, "KerasTensor 'x' of shape .* stands for values that come with the data"),
        (lambda: float(x), ValueError, "cannot become a number"),
        (lambda: bool(x), TypeError, "is neither true nor false"),
        (lambda: [*x], TypeError, "cannot be iterated over"),
        (lambda: len(x), TypeError, "has no length"),
        (lambda: x.numpy(), AttributeError, "so no numpy"),
        (lambda: ct.asarray(x), ValueError, "cannot become an array"),
        (lambda: ct.GradientTape().watch(x), TypeError, "watch: only tensors can be watched; got KerasTensor"),
        (lambda: ct.ones(3)[x], ValueError, "cannot become an array"),
        (lambda: one.predict(x), ValueError, "cannot become an array"),
        (lambda: ops.sum(x, out=ct.ones(())), TypeError, "out must not be given for symbolic tensors"),
        (lambda: layers.Dense(2).output, AttributeError, "layer 'dense' has no output yet"),
        (lambda: Model().inputs, AttributeError, "Model 'model' has no inputs: only a model that is a graph has"),
    ]


@pytest.mark.parametrize("number", range(41))
def test_bad_input_is_named(number):
    rows = refused()
    assert len(rows) == 41
    make, error, message = rows[number]
    with pytest.raises(error, match=message):
        make()


def test_a_tape_records_nothing_of_a_graph_that_is_made():
    weight = ct.Variable(2.0)
    with ct.GradientTape() as tape:
        x = Input((3,))
        assert (x * weight).shape == (None, 3)
        loss = weight * 3.0
    assert float(tape.gradient(loss, weight)) == 3.0


# -- as Keras ---------------------------------------------------------------------------------------------------------
PROGRAM = """
i = Input((4,))
enc_in = Input((4,), name="e_in"); enc = Model(enc_in, layers.Dense(4, name="e_d")(enc_in), name="enc")
sh = layers.Dense(4, name="sh")
a = sh(i); b = sh(a); c = enc(b); d = enc(c)
m = Model(i, layers.Add()([a, d]))
m.summary(line_length=110)
m.summary(line_length=110, expand_nested=True)
Model(i, [b, c]).summary(line_length=100)
x1 = Input((3,), name="x1"); x2 = Input((3,), name="x2")
Model([x1, x2], x1 + x2).summary()
chain = Model(x1, ops.relu(layers.Dense(2)(layers.Dense(3)(x1))) * 2)
chain.summary()
y = layers.Dense(3)(x2)
w = ops.concatenate([x1, y, y * 2.0, y / 2.0, y[:, :3], -y, abs(y), y ** 2, 1 - y, ops.relu(y),
                     ops.sum(y, axis=-1, keepdims=True) + y, ops.reshape(y, (-1, 3)), ops.maximum(y, 0.5)])
last = Model([x1, x2], {"w": w, "y": y})
last.summary(show_trainable=True, line_length=130)
for model in (m, enc, chain, last, Model(m.input, m.get_layer("sh").output)):
    print(model.name, [layer.name for layer in model.layers], model.output_names, model.input_shape, model.output_shape,
          [tuple(t.shape) for t in model.inputs], [tuple(t.shape) for t in model.outputs], type(model).__name__)
    config = model.get_config()
    print(sorted(config), [layer["name"] for layer in config["layers"]])
"""


def test_names_shapes_and_summaries_are_those_of_keras(capsys, monkeypatch):
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    keras = pytest.importorskip("keras", minversion="3.10")
    monkeypatch.setenv("COLUMNS", "200")
    texts = []
    for space in ({"Input": Input, "layers": layers, "Model": Model, "ops": ops},
                  {"Input": keras.Input, "layers": keras.layers, "Model": keras.Model, "ops": keras.ops}):
        keras.backend.clear_session()
        capsys.readouterr()
        exec(PROGRAM, space)
        texts.append([line.rstrip() for line in capsys.readouterr().out.splitlines() if line.strip()])
    assert len(texts[0]) > 100 and texts[0] == texts[1]
