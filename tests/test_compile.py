"""What `compile` takes: names, lists and dictionaries of one output, weights of the loss. Numbers are Keras's."""
import os

import numpy as np
import pytest

import cytensor as ct
from cytensor.models import load_model

SPARSE = "sparse_categorical_crossentropy"
RNG = np.random.default_rng(3)
X, WEIGHTS = RNG.standard_normal((8, 3), np.float32), RNG.random(8, np.float32)
LABELS = np.array([0, 1, 2, 1, 0, 2, 1, 1])
KERNEL, BIAS = RNG.standard_normal((3, 3), np.float32), RNG.standard_normal(3, np.float32)


def keras():
    os.environ.setdefault("KERAS_BACKEND", "jax")
    return pytest.importorskip("keras", reason="Keras is not installed")


def results(library, y=LABELS, **compiled):
    """What a dense softmax layer gives after `compile(**compiled)`, by name."""
    layers = library.layers
    model = library.Sequential([layers.Input((3,)), layers.Dense(3, "softmax", name="classes")])
    model.set_weights([KERNEL, BIAS])
    model.compile("sgd", **compiled)
    return model.evaluate(X, y, sample_weight=WEIGHTS, verbose=0, return_dict=True)


def expected_loss():
    logits = X.astype(float) @ KERNEL + BIAS
    own = logits[np.arange(8), LABELS]
    return float(np.mean((np.log(np.exp(logits).sum(1)) - own) * WEIGHTS))


@pytest.mark.parametrize("loss", [SPARSE, [SPARSE], (SPARSE,), [[SPARSE]], {"classes": SPARSE}])
@pytest.mark.parametrize(("weight", "factor"), [(None, 1), (2.0, 2), ([0.5], 0.5), ({"classes": 3.0}, 3)])
def test_loss_of_one_output(loss, weight, factor):
    found = results(ct, loss=loss, loss_weights=weight)
    assert found == {"loss": pytest.approx(factor * expected_loss(), rel=1e-6)}


# what metrics and weighted_metrics say -> the names of the results, as Keras 3.15.1 names them
METRICS = [
    (["accuracy"], None, ["accuracy"]),
    ([["accuracy"]], None, ["accuracy"]),
    ({"classes": ["accuracy"]}, [], ["accuracy"]),
    ({"classes": "acc"}, None, ["acc"]),
    ([["accuracy"], ["acc"]], None, ["accuracy", "acc"]),
    (["accuracy", "accuracy"], None, ["accuracy", "accuracy_1"]),
    (["accuracy"], [["accuracy"]], ["accuracy", "weighted_accuracy"]),
    (None, {"classes": ["accuracy"]}, ["accuracy"]),
]


@pytest.mark.parametrize(("plain", "weighted", "names"), METRICS)
def test_metrics_of_one_output(plain, weighted, names):
    found = results(ct, loss=SPARSE, metrics=plain, weighted_metrics=weighted)
    right = (X @ KERNEL + BIAS).argmax(1) == LABELS
    assert list(found) == ["loss", *names]
    for name in names:
        takes_weights = name.startswith("weighted") or plain is None
        share = np.average(right, weights=WEIGHTS if takes_weights else None)
        assert found[name] == pytest.approx(share, rel=1e-6)


@pytest.mark.parametrize(("plain", "weighted", "names"), METRICS)
def test_metrics_of_one_output_in_keras(plain, weighted, names):
    theirs = results(keras(), loss=SPARSE, metrics=plain, weighted_metrics=weighted)
    assert results(ct, loss=SPARSE, metrics=plain, weighted_metrics=weighted) == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize("name", ["crossentropy", "ce"])
def test_crossentropy_is_chosen_by_shape(name, tmp_path):
    rows, columns = np.eye(3, dtype=np.float32)[LABELS], LABELS[:, None]
    for y, full in ((LABELS, SPARSE), (columns, SPARSE), (rows, "categorical_crossentropy")):
        assert results(ct, y, loss=name) == results(ct, y, loss=full)
    model = ct.Sequential([ct.layers.Input((3,)), ct.layers.Dense(1, "sigmoid")])
    found = []
    for loss in (name, "binary_crossentropy"):
        model.compile("sgd", loss)
        found.append(model.evaluate(X, LABELS % 2, verbose=0))
    assert found[0] == found[1]
    model.compile("sgd", name)
    model.save(tmp_path / "m.safetensors")
    assert load_model(tmp_path / "m.safetensors").evaluate(X, LABELS % 2, verbose=0) == found[0]


def test_crossentropy_is_chosen_as_in_keras():
    for y in (LABELS, np.eye(3, dtype=np.float32)[LABELS]):
        assert results(ct, y, loss="crossentropy") == pytest.approx(results(keras(), y, loss="crossentropy"), rel=1e-6)


def test_what_was_compiled_is_saved(tmp_path):
    model = ct.Sequential([ct.layers.Input((3,)), ct.layers.Dense(3, "softmax", name="classes")])
    model.compile("sgd", loss={"classes": SPARSE}, loss_weights=[2.0], metrics={"classes": ["accuracy"]})
    model.save(tmp_path / "m.safetensors")
    loaded = load_model(tmp_path / "m.safetensors")
    assert loaded.evaluate(X, LABELS, verbose=0) == model.evaluate(X, LABELS, verbose=0)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"loss": ["mse", "mae"]}, r"compile: loss must be for the model's one output, 'classes'; got \['mse', 'mae'\]"),
    ({"loss": {"a": "mse", "b": "mae"}}, "compile: loss must be for the model's one output, 'classes'; got 'a', 'b'"),
    ({"loss": {"clases": "mse"}}, "compile: loss must be for the model's one output, 'classes'; got 'clases'"),
    ({"loss": []}, r"compile: loss must be for the model's one output, 'classes'; got \[\]"),
    ({"loss": {}}, "compile: loss must be for the model's one output, 'classes'; got nothing"),
    ({"metrics": {"a": "mse", "b": "mae"}}, "metrics must be for the model's one output, 'classes'; got 'a', 'b'"),
    ({"weighted_metrics": {"a": "mse", "b": "mae"}}, "compile: weighted_metrics must be for the model's one output"),
    ({"loss_weights": [1.0, 2.0]}, r"compile: loss_weights must be for the model's one output.*got \[1.0, 2.0\]"),
    ({"loss_weights": "2"}, "compile: loss_weights must be a number, for the model's one output; got '2'"),
    ({"metrics": [None]}, r"compile: metrics must be a list of names, Metrics and functions; got \[None\]"),
])
def test_more_than_one_output(arguments, message):
    model = ct.Sequential([ct.layers.Input((3,)), ct.layers.Dense(3, "softmax", name="classes")])
    with pytest.raises((ValueError, TypeError), match=message):
        model.compile("sgd", **{"loss": "mse", **arguments})
    assert not model.compiled


def test_outputs_of_a_subclass_have_no_names():
    class Own(ct.Model):
        def call(self, x):
            return x

    model = Own()
    model.compile("sgd", {"a": "mse", "b": "mse"})             # the call may give these two
    with pytest.raises(ValueError, match="compile: loss must be for the model's one output; got 'a', 'b'"):
        model.evaluate(X, X, verbose=0)


# -- the loss in one place --------------------------------------------------------------------------------------------
def test_a_loss_set_after_compile_is_minimised_and_belongs_to_one_model():
    first, second, third = (ct.Sequential([ct.layers.Input((1,)), ct.layers.Dense(1, kernel_initializer="ones")])
                            for _ in range(3))
    assert first.loss is None and not first.compiled
    first.loss = ct.losses.MeanAbsoluteError()                 # of a model that is not compiled: no other has it
    assert second.loss is None and not first.compiled
    for model in (first, second):
        model.compile("sgd", "mse")
    first.loss = ct.losses.MeanAbsoluteError()
    x, y = np.array([[1.0], [4.0]]), np.array([[0.0], [1.0]])  # errors of 1 and 3
    assert [model.evaluate(x, y, verbose=0) for model in (first, second)] == [2.0, 5.0]
    assert third.loss is None and not third.compiled


def test_the_weight_of_the_loss_scales_the_gradient():
    ends = []
    for weight in (None, 0.5):
        model = ct.Sequential([ct.layers.Input((1,)), ct.layers.Dense(1, kernel_initializer="zeros", use_bias=False)])
        model.compile(ct.optimizers.SGD(1.0), "mse", loss_weights=weight)
        model.train_on_batch([[1.0]], [[1.0]])                 # the gradient is -2
        ends.append(model.get_weights()[0].item())
    assert ends == [2.0, 1.0]
