"""A warning points at the user's line, through whichever method it arises."""
import sys
import warnings

import numpy as np
import pytest
from small_models import Interrupted

import cytensor as ct
from cytensor import callbacks, layers
from cytensor.saving import files

X, Y = np.ones((8, 2), np.float32), np.ones((8, 1), np.float32)
BAD = np.where(np.arange(16).reshape(8, 2) == 7, np.nan, X).astype(np.float32)


def line(rate=0.01):
    model = ct.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile(ct.optimizers.SGD(rate), "mse")
    return model


def frozen():
    model = line()
    model.trainable = False
    return model


class Own(ct.Model):
    """One whose step and call are the user's, and call ours."""

    def __init__(self):
        super().__init__()
        self.dense, self.unused = layers.Dense(1), layers.Dense(1)

    def call(self, x):
        self.unused(x)
        return self.dense(x)


def own():
    model = Own()
    model.compile("sgd", "mse")
    return model


def saved(folder):
    model = line()
    model.save_weights(folder / "w")
    return folder / "w"


def saved_as_keras_does(folder, method):
    """What writes a file whose ending is another format's; each ending is warned of once."""
    files._told.clear()
    return getattr(line(), method)


def undescribable():
    """A model that is compiled with what no file can name."""
    model = line()
    model.compile("sgd", lambda y, y_pred: ct.mean(ct.square(y - y_pred), axis=-1))
    return model


CASES = {                              # each warns on its own line of this file
    "a loss that is NaN": lambda folder: line().fit(BAD, Y, verbose=0),
    "the end of a generator": lambda folder: line().fit(iter([(X, Y)]), steps_per_epoch=2, verbose=0),
    "the end in evaluate": lambda folder: line().evaluate(iter([(X, Y)]), steps=2, verbose=0),
    "the end in predict": lambda folder: line().predict(iter([(X,)]), steps=2, verbose=0),
    "the end of arrays": lambda folder: line().fit(X, Y, steps_per_epoch=9, batch_size=4, verbose=0),
    "no weights in fit": lambda folder: frozen().fit(X, Y, verbose=0),
    "no weights in train_on_batch": lambda folder: frozen().train_on_batch(X, Y),
    "classes missing": lambda folder: line().fit(X, np.arange(8), validation_split=0.5, verbose=0),
    "no gradient in fit": lambda folder: own().fit(X, Y, verbose=0),
    "no gradient in train_on_batch": lambda folder: own().train_on_batch(X, Y),
    "a value that the logs lack": lambda folder: line().fit(X, Y, verbose=0, callbacks=[callbacks.EarlyStopping()]),
    "weights that do not fit": lambda folder: ct.Sequential([layers.Input((3,)), layers.Dense(1)]).load_weights(
        saved(folder), skip_mismatch=True),
    "the ending of a model's file": lambda folder: saved_as_keras_does(folder, "save")(folder / "m.keras"),
    "the ending of a file of weights": lambda folder: saved_as_keras_does(folder, "save_weights")(folder / "m.h5"),
    "the ending in save_model": lambda folder: files._told.clear() or ct.models.save_model(line(), folder / "m.h5"),
    "the ending in a callback": lambda folder: files._told.clear() or line().fit(
        X, Y, verbose=0, callbacks=[callbacks.ModelCheckpoint(folder / "m.h5")]),
    "a checkpoint that lacks the loss": lambda folder: undescribable().fit(
        X, Y, verbose=0, epochs=0, callbacks=[callbacks.ModelCheckpoint(folder / "m.safetensors")]),
    "features that never vary": lambda folder: layers.Normalization().adapt(X),
}


def caught(function, *arguments):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        function(*arguments)
    return found


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_warnings_point_here(case, tmp_path):
    found = caught(case, tmp_path)
    first = case.__code__.co_firstlineno
    assert len(found) >= 1
    for warning in found:
        assert warning.filename == __file__ and first <= warning.lineno <= first + 1, str(warning.message)


def test_a_warning_of_a_call_in_a_callback_points_at_the_callback():
    def end(epoch, logs):
        model.evaluate(iter([(X, Y)]), steps=2, verbose=0)

    model = line()
    found = caught(lambda: model.fit(X, Y, verbose=0, callbacks=[callbacks.LambdaCallback(on_epoch_end=end)]))
    assert [(one.filename, one.lineno) for one in found] == [(__file__, end.__code__.co_firstlineno + 1)]


# -- what the warning of a loss that is not finite says ---------------------------------------------------------------
def message_of(function):
    found = [str(one.message) for one in caught(function) if one.category is RuntimeWarning]
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize("options", [
    {"shuffle": False}, {"shuffle": True}, {"shuffle": "batch"}, {"shuffle": False, "steps_per_epoch": 3, "epochs": 2},
    {"shuffle": True, "validation_split": 0.2}, {"shuffle": True, "class_weight": {1: 2.0}}])
@pytest.mark.parametrize(("name", "row", "value"), [("x", 7, "nan"), ("x", 29, "inf"), ("y", 12, "nan")])
def test_the_row_of_the_callers_data_is_named(options, name, row, value):
    if name == "y" and "class_weight" in options:
        pytest.skip("refused before")
    ct.set_seed(row)
    data = {"x": np.ones((40, 2), np.float32), "y": np.ones((40, 1), np.float32)}
    data[name][row, -1] = float(value)
    said = message_of(lambda: line().fit(**data, batch_size=8, verbose=0, **options))
    assert said.endswith(f"in the batch {name} is {value} for sample {row}"), said
    with pytest.raises(FloatingPointError, match=rf"in samples \[{row}\]"):
        line().fit(**data, batch_size=8, verbose=0, check_numerics=True, **options)


def test_samples_of_batches_made_by_others_are_numbered_in_the_batch():
    batches = [(X, Y), (BAD, Y)]
    said = message_of(lambda: line().fit(iter(batches), verbose=0))
    assert said.endswith("batch 2; in the batch x is nan for sample 3")


def test_weights_that_were_not_finite_before_are_blamed():
    model = line()
    model.set_weights([np.full((2, 1), np.nan), np.zeros(1)])
    for data, first in ((X, 0), (BAD, 0), (X, 2)):
        assert message_of(lambda d=data, e=first: model.fit(d, Y, verbose=0, initial_epoch=e, epochs=3)).endswith(
            f"epoch {first + 1}, batch 1; the weights dense/kernel were not finite already before this batch; make the "
            "model anew, or load weights that are")
        model.set_weights([np.full((2, 1), np.nan), np.zeros(1)])


def test_after_a_divergence_the_weights_are_blamed_and_not_the_rate():
    model = line(1e30)
    first = message_of(lambda: model.fit(X * 100, Y, epochs=4, verbose=0))
    assert first.endswith("a smaller learning rate, or inputs of a smaller scale, may help")
    again = message_of(lambda: model.fit(X, Y, verbose=0))
    assert "the weights dense/kernel, dense/bias were not finite already before this batch" in again
    assert "learning rate" not in again


def test_weights_spoilt_by_a_step_of_this_training_are_named():
    class Spoils(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                self.model.set_weights([np.full((2, 1), np.inf), np.zeros(1)])

    said = message_of(lambda: line().fit(X, Y, batch_size=2, verbose=0, callbacks=[Spoils()]))
    assert "batch 3; the weights dense/kernel were not finite already before this batch; a smaller learning" in said


# -- callbacks of a resumed run that are others than the first run's --------------------------------------------------
class Interrupting(callbacks.Callback):
    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise Interrupted


def resumed(folder, first, second):
    """The warnings of a run that goes on with the callbacks `second` where one with `first` was interrupted."""
    with pytest.raises(Interrupted):
        line().fit(X, Y, epochs=5, verbose=0, callbacks=[callbacks.BackupAndRestore(folder), *first, Interrupting(3)])
    return [str(one.message) for one in caught(lambda: line().fit(
        X, Y, epochs=5, verbose=0, callbacks=[*second, callbacks.BackupAndRestore(folder)]))]


def test_kerass_example_goes_on(tmp_path):
    """A callback that interrupts, in the first run only."""
    backup = callbacks.BackupAndRestore(tmp_path)
    model = line()
    with pytest.raises(Interrupted):
        model.fit(X, Y, epochs=10, batch_size=1, verbose=0, callbacks=[backup, Interrupting(4)])
    assert len(model.history.history["loss"]) == 4
    history = model.fit(X, Y, epochs=10, batch_size=1, verbose=0, callbacks=[backup])
    assert history.epoch == list(range(10))


def test_callbacks_are_matched_by_kind_and_order(tmp_path):
    first = [callbacks.EarlyStopping("loss", patience=9, mode="max"), callbacks.ReduceLROnPlateau("loss"),
             callbacks.EarlyStopping("loss", patience=9)]
    second = [callbacks.EarlyStopping("loss", patience=9, mode="max"), callbacks.LambdaCallback(),
              callbacks.EarlyStopping("loss", patience=9), callbacks.ReduceLROnPlateau("loss")]
    assert resumed(tmp_path, first, second) == []
    assert second[0].wait == 4 and second[2].wait == 0                     # of five epochs, the loss falling


def test_what_does_not_match_is_named(tmp_path):
    first = [callbacks.EarlyStopping("loss", patience=9, mode="max"), callbacks.ReduceLROnPlateau("loss")]
    second = [callbacks.ModelCheckpoint(tmp_path / "m.safetensors", "loss"), callbacks.EarlyStopping(
        "loss", patience=9, mode="max"), callbacks.EarlyStopping("loss", patience=9, mode="max")]
    assert resumed(tmp_path / "backup", first, second) == [
        "resume: the callbacks are not those of the first run; ModelCheckpoint, EarlyStopping start anew, and what the "
        "file knows of ReduceLROnPlateau is not used"]
    assert (second[1].wait, second[2].wait) == (4, 1)


def test_the_folder_of_the_package_is_what_is_skipped():
    assert sys.modules["cytensor.user_warnings"].FOLDER.rstrip("/\\").endswith("cytensor")
