"""Training models of several outputs: what `compile` and `fit` take for each, and what logs are called, as in Keras."""
import copy
import os
import pickle

import numpy as np
import pytest

import cytensor as ct
from cytensor import Model, layers
from cytensor.layers import Input

RNG = np.random.default_rng(7)
X, N = (RNG.random((32, 4), dtype="f4") for _ in range(2))
A = RNG.random((32, 1), dtype="f4")
LABELS = RNG.integers(0, 3, 32)
B = np.eye(3, dtype="f4")[LABELS]
W, V = (RNG.random(32, dtype="f4") for _ in range(2))
CE = "categorical_crossentropy"
WEIGHTS = [RNG.standard_normal(shape).astype("f4") * 0.5 for shape in ((8, 6), (6,), (6, 1), (1,), (6, 3), (3,))]


def built(library, kind):
    """A model of two inputs with the outputs `pri` and `dep`, arranged in one of several ways."""
    layers, keras_input, model = library.layers, library.layers.Input, library.models.Model
    x, n = keras_input((4,), name="x"), keras_input((4,), name="n")
    h = layers.Dense(6, activation="tanh", name="h")(layers.Concatenate(name="c")([x, n]))
    a = layers.Dense(1, name="pri")(h)
    b = layers.Dense(3, activation="softmax", name="dep")(h)
    outputs = {"list": [a, b], "dict": {"P": a, "D": b}, "same": [a, a], "one": [b], "onedict": {"q": b},
               "nested": {"q": b, "r": [a, layers.Add(name="plus")([a, a])]}}[kind]
    made = model([x, n], outputs)
    for name, pair in (("h", WEIGHTS[:2]), ("pri", WEIGHTS[2:4]), ("dep", WEIGHTS[4:])):
        if any(layer.name == name for layer in made.layers):
            made.get_layer(name).set_weights(pair)
    return made


def trained(library, kind, y, compiled, **options):
    """Everything that training and evaluation say, under the names that they say it."""
    model = built(library, kind)
    model.compile(library.optimizers.SGD(0.1), **compiled)
    history = model.fit([X, N], y, epochs=2, verbose=0, batch_size=8, shuffle=False, **options).history
    weights = {"sample_weight": options["sample_weight"]} if "sample_weight" in options else {}
    return {"history": {key: [float(value) for value in values] for key, values in sorted(history.items())},
            "evaluate": np.asarray(model.evaluate([X, N], y, batch_size=8, verbose=0, **weights), float).tolist(),
            "dict": {key: float(value) for key, value in sorted(
                model.evaluate([X, N], y, batch_size=8, verbose=0, return_dict=True, **weights).items())},
            "batch": {key: float(value) for key, value in sorted(
                model.train_on_batch([X, N], y, return_dict=True, **weights).items())},
            "test": np.asarray(model.test_on_batch([X, N], y, **weights), float).tolist()}


CASES = {
    "one loss for all": ("list", [A, B], {"loss": "mse"}, {}),
    "lists": ("list", [A, B], {"loss": ["mse", CE], "metrics": [["mae"], ["accuracy"]]}, {}),
    "tuples": ("list", (A, B), {"loss": ("mse", CE), "metrics": (["mae"], ["accuracy"])}, {}),
    "by name": ("list", {"pri": A, "dep": B},
                {"loss": {"pri": "mse", "dep": CE}, "loss_weights": {"pri": 1.0, "dep": 0.2},
                 "metrics": {"pri": ["mae", "mse"], "dep": "accuracy"}}, {}),
    "names in another order": ("list", [A, B], {"loss": {"dep": CE, "pri": "mse"}}, {}),
    "weights in a list": ("list", [A, B], {"loss": ["mse", CE], "loss_weights": [1.0, 0.5]}, {}),
    "metrics of one": ("list", [A, B], {"loss": "mse", "metrics": {"dep": ["accuracy"]}}, {}),
    "a metric each": ("list", [A, B], {"loss": "mse", "metrics": ["mae", "mse"]}, {}),
    "no loss for one": ("list", [A, B], {"loss": ["mse", None]}, {}),
    "no target for one": ("list", [A], {"loss": ["mse", None]}, {}),
    "None by name": ("list", [A, B], {"loss": {"pri": "mse", "dep": None}}, {}),
    "a dictionary": ("dict", {"P": A, "D": B},
                     {"loss": {"P": "mse", "D": CE}, "metrics": {"P": ["mae"], "D": ["acc"]}}, {}),
    "a dictionary and one loss": ("dict", {"P": A, "D": B}, {"loss": "mse"}, {}),
    "a dictionary and a part": ("dict", {"P": A, "D": B}, {"loss": {"P": "mse"}}, {}),
    "an output twice": ("same", [A, A], {"loss": "mse", "metrics": [["mae"], ["mae"]]}, {}),
    "one in a list": ("one", B, {"loss": CE, "metrics": ["accuracy"]}, {}),
    "one in a dictionary": ("onedict", {"q": B}, {"loss": {"q": CE}, "metrics": {"q": ["accuracy"]}}, {}),
    "nested": ("nested", {"q": B, "r": [A, A]}, {"loss": "mse"}, {}),
    "nested losses": ("nested", {"q": B, "r": [A, A]}, {"loss": {"q": CE, "r": ["mse", "mae"]},
                                                        "metrics": {"q": "accuracy", "r": ["mae", "mse"]}}, {}),
    "weights of all": ("list", [A, B], {"loss": ["mse", CE], "weighted_metrics": [["mae"], ["accuracy"]]},
                       {"sample_weight": W}),
    "weights of each": ("list", [A, B], {"loss": ["mse", CE], "weighted_metrics": [["mae"], ["accuracy"]],
                                         "metrics": [["mae"], []]}, {"sample_weight": [W, V]}),
    "weights by key": ("dict", {"P": A, "D": B}, {"loss": {"P": "mse", "D": CE}}, {"sample_weight": {"P": W, "D": V}}),
    "validation": ("list", [A, B], {"loss": ["mse", CE], "metrics": [["mae"], ["accuracy"]]},
                   {"validation_data": ([X, N], [A, B])}),
    "validation split": ("list", [A, B], {"loss": ["mse", CE], "metrics": [["mae"], ["accuracy"]]},
                         {"validation_split": 0.25}),
}


# Outputs without a loss leave weights without a gradient, as both libraries say.
pytestmark = pytest.mark.filterwarnings("ignore:gradient:UserWarning", "ignore:.*no gradient for:UserWarning",
                                        "ignore:Gradients do not:UserWarning", "ignore:In loss:SyntaxWarning")


@pytest.mark.parametrize("name", CASES)
def test_names_and_numbers_are_those_of_keras(name):
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    keras = pytest.importorskip("keras", minversion="3.10")
    kind, y, compiled, options = CASES[name]
    ours, theirs = trained(ct, kind, y, compiled, **options), trained(keras, kind, y, compiled, **options)
    assert ours.keys() == theirs.keys()
    for part in ours:
        one, other = ours[part], theirs[part]
        if name == "an output twice" and isinstance(one, list):
            continue                       # Keras lists the loss of both, under one name
        if isinstance(one, dict):
            assert list(one) == list(other), part
            one, other = list(one.values()), list(other.values())
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=1e-6, err_msg=part)


@pytest.mark.parametrize("name", CASES)
def test_the_loss_is_the_weighted_sum_of_what_numpy_finds(name):
    kind, y, compiled, options = CASES[name]
    found = trained(ct, kind, y, compiled, **options)
    losses = {key: values for key, values in found["history"].items()
              if key.endswith("_loss") and not key.startswith("val_")}
    weights = compiled.get("loss_weights")
    if weights is None and len(losses) > 1 and name != "an output twice":
        np.testing.assert_allclose(sum(map(np.asarray, losses.values())), found["history"]["loss"], rtol=1e-6)
    elif name == "by name":
        expected = np.asarray(losses["pri_loss"]) + 0.2 * np.asarray(losses["dep_loss"])
        np.testing.assert_allclose(found["history"]["loss"], expected, rtol=1e-6)
    assert list(found["history"]) == sorted(found["history"])


def test_values_by_hand():
    model = built(ct, "list")
    model.compile("sgd", loss=["mse", "sparse_categorical_crossentropy"], loss_weights=[2.0, 0.5],
                  metrics=[["mae"], ["accuracy"]])
    found = model.evaluate([X, N], [A, LABELS], verbose=0, return_dict=True, sample_weight=[W, None])
    w = [weight.astype(float) for weight in WEIGHTS]
    h = np.tanh(np.concatenate([X, N], 1) @ w[0] + w[1])
    a, logits = h @ w[2] + w[3], h @ w[4] + w[5]
    cost = np.log(np.exp(logits).sum(1)) - logits[np.arange(32), LABELS]
    pri, dep = float(np.mean((a - A)[:, 0] ** 2 * W)), float(np.mean(cost))
    assert found == {"loss": pytest.approx(2 * pri + 0.5 * dep, rel=1e-5), "pri_loss": pytest.approx(pri, rel=1e-5),
                     "dep_loss": pytest.approx(dep, rel=1e-5),
                     "pri_mae": pytest.approx(float(np.mean(abs(a - A))), rel=1e-5),
                     "dep_accuracy": pytest.approx(float(np.mean(logits.argmax(1) == LABELS)))}


def test_gradients_are_those_of_the_sum():
    model = built(ct, "list")
    model.compile(ct.optimizers.SGD(1.0), loss=["mse", CE], loss_weights=[0.5, 2.0])
    before = model.get_weights()
    with ct.GradientTape() as tape:
        a, b = model([X, N])
        loss = 0.5 * ct.mean(ct.square(a - A)) + 2.0 * ct.mean(-ct.sum(B * ct.log(b), axis=1))
    gradients = tape.gradient(loss, model.trainable_weights)
    model.train_on_batch([X, N], [A, B])
    for old, new, gradient in zip(before, model.get_weights(), gradients, strict=True):
        np.testing.assert_allclose(old - new, gradient.numpy(), rtol=1e-4, atol=1e-6)


def test_targets_weights_and_classes_by_the_names_of_outputs():
    def loss_of(y, **options):
        model = built(ct, "list")
        model.compile("sgd", loss={"pri": "mse", "dep": "sparse_categorical_crossentropy"})
        return model.train_on_batch([X, N], y, return_dict=True, **options)
    plain = loss_of([A, LABELS], sample_weight=[W, V])
    assert plain == loss_of({"dep": LABELS, "pri": A}, sample_weight={"pri": W, "dep": V})
    assert plain == loss_of((A, LABELS), sample_weight={"dep": V, "pri": W})
    classes = {0: 0.5, 1: 2.0, 2: 3.0}
    own = np.array([classes[label] for label in LABELS], "f4")
    assert loss_of([A, LABELS], class_weight={"dep": classes}) == loss_of([A, LABELS], sample_weight=[None, own])
    both = loss_of({"pri": A, "dep": LABELS}, class_weight={"dep": classes}, sample_weight={"pri": W, "dep": V})
    assert both == loss_of([A, LABELS], sample_weight=[W, own * V])


def test_generators_and_data_sets_of_several_outputs():
    def batches():
        for start in range(0, 32, 8):
            rows = slice(start, start + 8)
            yield {"x": X[rows], "n": N[rows]}, {"pri": A[rows], "dep": B[rows]}
    whole, parts = built(ct, "list"), built(ct, "list")
    for model in (whole, parts):
        model.compile("sgd", loss={"pri": "mse", "dep": CE}, metrics={"dep": "accuracy"})
    one = whole.fit([X, N], [A, B], batch_size=8, shuffle=False, verbose=0).history
    assert one == parts.fit(batches(), verbose=0).history
    assert whole.evaluate([X, N], [A, B], batch_size=8, verbose=0) == parts.evaluate(batches(), verbose=0)


def test_outputs_of_a_models_own_call():
    class Two(Model):
        def __init__(self, keyed):
            super().__init__()
            self.a, self.b, self.keyed = layers.Dense(1), layers.Dense(3, activation="softmax"), keyed

        def call(self, x):
            first, second = self.a(x), self.b(x)
            return {"p": first, "q": second} if self.keyed else (first, second)
    for compiled, names in (({"loss": "mse"}, ["loss", "p_loss", "q_loss"]),
                            ({"loss": {"p": "mse", "q": CE}, "metrics": {"p": ["mae"], "q": ["accuracy"]}},
                             ["loss", "p_loss", "p_mae", "q_accuracy", "q_loss"])):
        model = Two(True)
        model.compile("sgd", **compiled)
        history = model.fit(X, {"p": A, "q": B}, verbose=0).history
        assert list(history) == names
        assert model.predict(X, verbose=0)["q"].shape == (32, 3)
    model = Two(False)
    model.compile("sgd", loss=["mse", CE], metrics=[["mae"], ["accuracy"]])
    history = model.fit(X, (A, B), verbose=0, validation_split=0.25).history
    assert list(history) == ["accuracy", "categorical_crossentropy_loss", "loss", "mae", "mse_loss", "val_accuracy",
                             "val_categorical_crossentropy_loss", "val_loss", "val_mae", "val_mse_loss"]
    assert type(model.predict(X, verbose=0)) is tuple


def test_steps_of_the_users_own_see_what_was_given():
    seen = []

    class Own(Model):
        def train_step(self, data):
            (x, n), y = data
            seen.append(sorted(y))
            with ct.GradientTape() as tape:
                loss = self.compute_loss(None, y, self([x, n], training=True))
            self.optimizer.apply_gradients(zip(tape.gradient(loss, self.trainable_weights), self.trainable_weights,
                                               strict=True))
            return {"loss": loss}

    base = built(ct, "list")
    model = Own(base.inputs, base.outputs)
    model.compile("sgd", loss={"pri": "mse", "dep": CE})
    history = model.fit((X, N), {"pri": A, "dep": B}, batch_size=16, verbose=0).history
    assert seen == [["dep", "pri"]] * 2 and list(history) == ["loss"]


def test_a_file_keeps_how_several_outputs_were_compiled(tmp_path):
    model = built(ct, "list")
    model.compile("adam", loss={"pri": "mse", "dep": CE}, loss_weights=[1.0, 0.3], metrics={"dep": ["accuracy"]})
    model.fit([X, N], [A, B], epochs=1, verbose=0)
    model.save(tmp_path / "model.safetensors")
    again = ct.load_model(tmp_path / "model.safetensors")
    assert again.evaluate([X, N], [A, B], verbose=0, return_dict=True) == model.evaluate(
        [X, N], [A, B], verbose=0, return_dict=True)
    one = model.fit([X, N], [A, B], epochs=2, verbose=0).history
    assert again.fit([X, N], [A, B], epochs=2, verbose=0).history == one


@pytest.mark.parametrize("way", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_keep_the_names_of_logs(way):
    model = built(ct, "list")
    model.compile("adam", loss=["mse", CE], metrics=[["mae"], ["accuracy"]])
    again = way(model)
    expected = model.fit([X, N], [A, B], verbose=0).history
    assert sorted(expected) == ["dep_accuracy", "dep_loss", "loss", "pri_loss", "pri_mae"]
    assert again.fit([X, N], [A, B], verbose=0).history == expected
    assert again.metrics_names == model.metrics_names == ["loss", "pri_loss", "dep_loss", "dep_accuracy", "pri_mae"]


def test_numbers_that_are_none_are_found():
    model = built(ct, "list")
    model.compile("sgd", loss=["mse", CE])
    targets = A.copy()
    targets[3] = np.nan
    with pytest.raises(FloatingPointError, match="check_numerics: forward, loss"):
        model.fit([X, N], [targets, B], verbose=0, check_numerics=True)
    with pytest.warns(RuntimeWarning, match=r"y\[0\] is nan for sample 3"):
        model.fit([X, N], [targets, B], verbose=0, shuffle=False)


def test_resumed_training_is_that_of_one_run(tmp_path):
    def history(epochs, **options):
        ct.set_seed(3)
        model = built(ct, "dict")
        model.compile("rmsprop", loss={"P": "mse", "D": CE}, metrics={"D": ["accuracy"]})
        return model.fit([X, N], {"P": A, "D": B}, epochs=epochs, batch_size=8, verbose=0, **options).history
    whole = history(4)
    history(2, resume=tmp_path / "run.safetensors")
    assert history(4, resume=tmp_path / "run.safetensors") == whole


def refusals():
    both = {"loss": ["mse", CE]}
    return [
        ({"loss": ["mse"]}, [A, B], {}, ValueError, "compile: loss must be one for each of the model's 2 outputs, "
                                                    "'pri', 'dep', in a list, or by these names; got a list of 1"),
        ({"loss": ["mse"] * 3}, [A, B], {}, ValueError, "loss must be one for each.*got a list of 3"),
        ({"loss": {"pri": "mse"}}, [A, B], {}, ValueError, "got a dictionary with 'pri'; None is for one without"),
        ({"loss": {"pri": "mse", "tail": CE}}, [A, B], {}, ValueError, "got a dictionary with 'pri', 'tail'"),
        ({"loss": [None, None]}, [A, B], {}, ValueError, "there is nothing to minimise"),
        ({**both, "loss_weights": [1.0]}, [A, B], {}, ValueError, "loss_weights must be one for each"),
        ({**both, "loss_weights": 0.5}, [A, B], {}, ValueError, "loss_weights must be one for each.*got 0.5"),
        ({**both, "loss_weights": ["a", 1.0]}, [A, B], {}, TypeError, "loss_weights must be numbers; got 'a'"),
        ({**both, "metrics": ["mae"]}, [A, B], {}, ValueError, "metrics must be one for each.*got a list of 1"),
        ({**both, "metrics": {"tail": ["mae"]}}, [A, B], {}, ValueError, "metrics must be one for each"),
        ({**both, "metrics": "mae"}, [A, B], {}, TypeError, "metrics must be a list or a dictionary; got 'mae'"),
        (both, A, {}, ValueError, r"compute_loss: y must be one for each.*got one of shape \(32, 1\)"),
        (both, [A], {}, ValueError, "compute_loss: y must be one for each"),
        (both, [A, B, A], {}, ValueError, "y must be one for each.*got a list of 3"),
        (both, {"pri": A}, {}, ValueError, "y must be one for each.*got a dictionary with 'pri'"),
        (both, {"pri": A, "tail": B}, {}, ValueError, "y must be one for each.*got a dictionary with 'pri', 'tail'"),
        (both, None, {}, ValueError, "the loss 'mse' of output 'pri' needs targets; got none|mean_squared_error"),
        (both, [A, B[:5]], {}, ValueError, r"the same number of samples; got .*y\[0\] 32, y\[1\] 5"),
        (both, [A, ["a"] * 32], {}, (TypeError, ValueError), r"y"),
        (both, [A, LABELS], {}, ValueError, "y_true and y_pred must have the same shape"),
        (both, [A, B], {"sample_weight": [W]}, ValueError, "sample_weight must be one for each"),
        (both, [A, B], {"sample_weight": [W, W[:3]]}, ValueError, r"sample_weight\[1\] 3"),
        (both, [A, B], {"sample_weight": {"tail": W}}, ValueError, "sample_weight must be one for each"),
        (both, [A, B], {"sample_weight": [W, np.full(32, np.nan)]}, ValueError, r"sample_weight\[1\] must be finite"),
        (both, [A, B], {"class_weight": {0: 1.0}}, ValueError, "class_weight must be a dictionary by the names"),
        (both, [A, B], {"class_weight": {"tail": {0: 1.0}}}, ValueError, "class_weight must be a dictionary by the"),
        (both, [A, B], {"class_weight": {"dep": {0: 1.0}}}, ValueError, "output 'dep': class_weight must have every"),
    ]


@pytest.mark.parametrize("number", range(27))
def test_bad_input_is_named_and_nothing_is_trained(number):
    rows = refusals()
    assert len(rows) == 27
    compiled, y, options, error, message = rows[number]
    model = built(ct, "list")
    before = model.get_weights()
    with pytest.raises(error, match=message):
        model.compile("sgd", **compiled)
        model.fit([X, N], y, verbose=0, **options)
    assert all(np.array_equal(one, other) for one, other in zip(before, model.get_weights(), strict=True))
    model.compile("sgd", loss=["mse", CE])
    model.fit([X, N], [A, B], verbose=0)


def test_inputs_by_name_and_in_a_dictionary():
    model = built(ct, "list")
    model.compile("sgd", "mse")
    expected = model.predict([X, N], verbose=0)
    for x in ({"x": X, "n": N}, {"n": N, "x": X, "other": A}, (X, N)):
        for one, other in zip(model.predict(x, verbose=0), expected, strict=True):
            assert np.array_equal(one, other)
    x, n = Input((4,), name="x"), Input((4,), name="n")
    keyed = Model({"x": x, "n": n}, model([x, n])[0])
    assert np.array_equal(keyed.predict({"n": N, "x": X}, verbose=0), expected[0])
    with pytest.warns(UserWarning, match="data was given for 'other', which the model does not take"):
        keyed.predict({"n": N, "x": X, "other": A}, verbose=0)
    with pytest.raises(ValueError, match="the inputs are a dictionary with the keys 'x', 'n'; got a list of 2"):
        keyed.predict([X, N], verbose=0)
