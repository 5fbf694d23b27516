"""Damaged state in files that safetensors can read: an error that names file and part, and nothing has changed."""
import copy
import json
import os
import re

import numpy as np
import pytest
from small_models import Interrupt, Interrupted

from cytensor import callbacks, layers, metrics, optimizers, random, saving
from cytensor.models import Sequential, load_model

GONE = object()
JUNK = (GONE, None, True, -1, 0, 10**18, 10**30, 10**400, 2.5, float("nan"), float("inf"), "", "x", [], [1], [None], {},
        {"a": 1}, {"tensor": "x"}, {"tensor": 3})


def fresh(seed=4):
    random.set_seed(seed)
    model = Sequential([layers.Input((4,)), layers.Dense(6, "relu"), layers.Dropout(0.3), layers.BatchNormalization(),
                        layers.Dense(1, activation="sigmoid")])
    model.compile(optimizers.Adam(0.01, use_ema=True), "binary_crossentropy",
                  metrics=["accuracy", metrics.AUC(num_thresholds=5), metrics.R2Score(),
                           metrics.F1Score(threshold=0.5)])
    return model


def fit(model, path, after=10**9):
    source = np.random.default_rng(3)
    x, y = source.standard_normal((40, 4)).astype(np.float32), source.integers(0, 2, (40, 1)).astype(np.float32)
    watching = [callbacks.BackupAndRestore(path.parent, save_freq=1, delete_checkpoint=False),
                callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True),
                callbacks.ReduceLROnPlateau("loss"), callbacks.CSVLogger(path.parent.with_suffix(".csv")),
                callbacks.ModelCheckpoint(path.parent.with_suffix(".m"), "loss", save_best_only=True), Interrupt(after)]
    return model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=watching)


@pytest.fixture
def interrupted(tmp_path, monkeypatch):
    """(path, tensors, metadata) of a checkpoint of the middle of the second epoch."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)          # hundreds of files follow
    path = tmp_path / "backup" / "latest.safetensors"
    with pytest.raises(Interrupted):
        fit(fresh(), path, 8)
    return path, *saving.models.read_file(path)


def state_of(model):
    tensors = [*model.get_weights(), *(tensor.numpy() for tensor in model.optimizer.variables)]
    return [*(tensor.tobytes() for tensor in tensors), model.optimizer.calls, float(model.optimizer.learning_rate),
            *(layer.generator and random.generator_state(layer.generator) for layer in model.layers
              if hasattr(layer, "generator")), random.get_state()["seed"], random.get_state()["generator"]]


def refusal(path, tensors, metadata, document):
    """The words with which `fit` refuses the altered file, or None where it can be gone on from."""
    text = document if isinstance(document, str) else json.dumps(document)
    saving.models.write_file(path, tensors, {**metadata, "document": text})
    model = fresh(77)
    before = state_of(model)
    try:
        fit(model, path)
    except ValueError as error:
        assert str(path) in str(error) and state_of(model) == before, error
        return str(error)
    return None


def places_in(value, at=()):
    """The path of every part of a document."""
    if at:
        yield at
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places_in(inner, (*at, key))


def altered(document, at, value):
    """A copy of the document with the part `at` replaced or removed."""
    result = inner = copy.deepcopy(document)
    for key in at[:-1]:
        inner = inner[key]
    if value is GONE:
        del inner[at[-1]]
    else:
        inner[at[-1]] = value
    return result


@pytest.mark.parametrize(("at", "value", "message"), [
    (("optimizer_calls",), GONE, "document.* must be build_shape, .*; missing optimizer_calls, surplus none"),
    (("optimizer_calls",), 1.5, r"optimizer_calls must be an integer of at least 0 and below 2\*\*53; got 1.5"),
    (("learning_rate",), -1, "learning_rate must be null or a number that is not negative; got -1"),
    (("build_shape",), ["x"], "build_shape must be null or a shape or a structure of shapes; got .'x'."),
    (("random", "generator", "buffer_pos"), -2, "random.generator.buffer_pos must be an integer from 0 to 4; got -2"),
    (("random", "generator", "state", "key"), [1], r"random.generator.state.key must be a list of 2 integers .* \[1\]"),
    (("random", "seed"), "x", "random.seed must be an integer of at least 0; got 'x'"),
    (("noise", "dropout", "uinteger"), 2**32, r"noise.dropout.uinteger must be .* below 2\*\*32; got 4294967296"),
    (("noise", "elsewhere"), {}, "noise must have paths of layers with noise; got 'elsewhere'"),
    (("progress", "metrics", 0), GONE, "progress.metrics must have the state of the 5 metrics of the model; got 4"),
    (("progress", "metrics", 0, "total"), "x", r"progress.metrics\[0\] \(loss\).total must be a number; got 'x'"),
    (("progress", "metrics", 0, "total"), {"tensor": "progress/callbacks/1/best_weights/1"},
     r"progress.metrics\[0\] \(loss\).total must be a number; got array"),
    (("progress", "metrics", 0, "value"), 3, r"progress.metrics\[0\] \(loss\) must be a dictionary of the metric's"),
    (("progress", "metrics", 0, "count"), GONE, r"\(loss\) must have every number of the metric; missing count"),
    (("progress", "callbacks", 1, "wait"), "x", r"progress.callbacks\[1\] \(EarlyStopping\).wait must be an integer"),
    (("progress", "callbacks", 1, "best_weights"), [], r"\(EarlyStopping\).best_weights must be a list of 8; got \[\]"),
    (("progress", "callbacks", 3, "rows"), 10**12, r"\(CSVLogger\).rows must be at most the \d+ rows of "),
    (("progress", "callbacks", 1, "on_epoch_end"), 1, r"\(EarlyStopping\)\.\* must be .*, surplus on_epoch_end"),
    (("progress", "callbacks", 0), GONE, "kinds must be one for each of the 6 progress.callbacks; got 7"),
    (("progress", "batch"), 10**9, "progress.batch must be at most the 5 steps of an epoch; got 1000000000"),
    (("progress", "read"), 10**9, "progress.read must be at most progress.seen, 7; got 1000000000"),
    (("progress", "read"), 1, "progress.read must be 0 for data that is not read on; got 1"),
    (("progress", "logs", "loss"), None, "progress.logs must be a dictionary of numbers and lists of numbers; got "),
    (("progress", "logs"), {"a": {"tensor": "lost"}}, "it must have the array 'lost'"),
    (("progress", "shuffle"), [1, 2], r"progress.shuffle must be null or a seed, a name and a position; got \[1, 2\]"),
])
def test_damage_is_named(interrupted, at, value, message):
    path, tensors, metadata = interrupted
    said = refusal(path, tensors, metadata, altered(json.loads(metadata["document"]), at, value))
    assert said and re.search(message, said), said


def test_documents_that_are_none(interrupted):
    path, tensors, metadata = interrupted
    for text, message in (("{", "document must be JSON"), ("[" * 10**5, "nested too deeply"),
                          ("3", "document must be a dictionary"), ('{"a": 1, "a": 2}', "a name was given twice"),
                          ("1" * 5000, "document must be JSON")):
        assert message in refusal(path, tensors, metadata, text)


@pytest.mark.filterwarnings("ignore:resume. the callbacks", "ignore:fit. the loss became")
@pytest.mark.slow
def test_altered_at_random(interrupted):
    """Some 400 of the single changes there are: refused, or of a value that the run could have had."""
    path, tensors, metadata = interrupted
    document, source = json.loads(metadata["document"]), np.random.default_rng(0)
    places, refused = list(places_in(document)), 0
    for at in (places[i] for i in source.permutation(len(places))):
        for value in source.choice(np.array(JUNK, object), 2, replace=False):
            refused += refusal(path, tensors, metadata, altered(document, at, value)) is not None
    assert refused > 1.5 * len(places)


@pytest.mark.slow
def test_tensors_altered(interrupted):
    path, tensors, metadata = interrupted
    for name, value in tensors.items():
        others = {key: other for key, other in tensors.items() if key != name}
        for wrong in ({}, {name: np.zeros((*value.shape, 2), value.dtype)}, {name: np.zeros(value.shape, np.int32)},
                      {f"{name}x": value}):
            assert refusal(path, {**others, **wrong}, metadata, metadata["document"]), (name, wrong)


@pytest.mark.slow
def test_models_altered(tmp_path, monkeypatch):
    """`load_model` refuses with a ValueError that names the file, or gives a model."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    path = tmp_path / "m.safetensors"
    model = fresh()
    with pytest.raises(Interrupted):
        fit(model, tmp_path / "backup" / "latest.safetensors", 3)
    model.save(path)
    tensors, metadata = saving.models.read_file(path)
    document, source = json.loads(metadata["document"]), np.random.default_rng(1)
    for at in places_in(document):
        for value in source.choice(np.array(JUNK, object), 4, replace=False):
            saving.models.write_file(path, tensors, {**metadata, "document": json.dumps(altered(document, at, value))})
            try:
                load_model(path)
            except ValueError as error:
                assert str(path) in str(error), (at, value)
    units = ("model", "config", "layers", 1, "config", "units")
    for at, value, message in ((("optimizer_calls",), -1, "optimizer_calls must be an integer of at least 0"),
                               (("noise", "dropout", "state"), [], "noise.dropout.state must be a dictionary; got"),
                               (units, 10**9, "the file must have as many numbers as the weights; got shape")):
        saving.models.write_file(path, tensors, {**metadata, "document": json.dumps(altered(document, at, value))})
        with pytest.raises(ValueError, match=message):
            load_model(path)


@pytest.mark.parametrize("activation", [
    {"function": "losses.mean_squared_error"}, {"function": "metrics.binary_accuracy"},
    {"class": "metrics.Mean", "config": {}}, {"class": "losses.Hinge"}, {"class": "initializers.Zeros", "config": {}},
    {"class": "regularizers.L2", "config": {}},
], ids=str)
def test_a_model_file_cannot_name_what_is_no_activation(tmp_path, activation):
    """It would be built, and fail at the first prediction. What is refused leaves the random state as it was."""
    path = tmp_path / "m.safetensors"
    fresh().save(path)
    tensors, metadata = saving.models.read_file(path)
    document = metadata["document"].replace('"relu"', json.dumps(activation))
    assert document != metadata["document"]
    saving.models.write_file(path, tensors, {**metadata, "document": document})
    random.set_seed(5)
    random.normal((3,))
    before = random.get_state()
    with pytest.raises(ValueError, match=r"activation: a function \(tensor -> tensor\) is expected; got "):
        load_model(path)
    assert random.get_state() == before


def test_what_is_called_with_one_tensor_may_be_an_activation():
    class Halve(layers.Layer):
        def call(self, x):
            return 0.5 * x

    for activation in (lambda x: 0.5 * x, Halve(), layers.Rescaling(0.5)):
        dense = layers.Dense(2, activation=activation, kernel_initializer="ones")
        assert dense(np.ones((1, 4), np.float32)).tolist() == [[2.0, 2.0]]
