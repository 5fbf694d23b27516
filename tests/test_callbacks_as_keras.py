"""Callbacks do what Keras's do: the same scripted values of the logs, the same outcome.

The expected outcomes are Keras 3.15.1's; where Keras is installed, it is asked again.
"""
import csv
import os

import numpy as np
import pytest

import cytensor as ct

NAN = float("nan")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")      # Keras's own


def ours():
    return ct, ".safetensors", ".safetensors"


def theirs():
    keras = pytest.importorskip("keras", reason="Keras is not installed")
    return keras, ".keras", ".weights.h5"


sides = pytest.mark.parametrize("side", [ours, theirs], ids=["here", "Keras"])


def fit(library, values, callbacks, name="val_loss", batches=1, **options):
    """Train one weight; epoch e starts with the weight e + 1 and ends with the logs saying values[e]."""
    keras = library
    model = keras.Sequential([keras.layers.Input(shape=(1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss="mse", metrics=["mae"])

    class Script(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.set_weights([np.array([[epoch + 1.0]], np.float32)])

        def on_epoch_end(self, epoch, logs=None):
            logs[name] = values[epoch]

    x = np.zeros((batches, 1), np.float32)         # no gradient: the weight stays
    history = model.fit(x, x, epochs=len(values), batch_size=1, verbose=0, callbacks=[Script(), *callbacks], **options)
    return model, history


# values of val_loss, arguments of EarlyStopping -> epochs run, the epoch whose weight is left, best_epoch
STOPPING = [
    ([3, 2, 1, 1, 1, 1], {}, (4, 4, 2)),
    ([3, 2, 2.5, 2.4, 1, 1, 1], {"patience": 2}, (4, 4, 1)),
    ([3, 2, 2.5, 2.4, 1, 1, 1], {"patience": 2, "restore_best_weights": True}, (4, 2, 1)),
    ([3, 2.9, 2.8, 2.7, 2.6], {"patience": 2, "min_delta": 0.5}, (3, 3, 0)),
    ([1, 2, 3, 4], {"mode": "max", "patience": 1}, (4, 4, 3)),
    ([5, 4, 3, 2], {"baseline": 1.0, "patience": 2, "restore_best_weights": True}, (4, 4, 3)),
    ([5, 6, 7, 2], {"baseline": 1.0, "patience": 2, "restore_best_weights": True}, (2, 1, 0)),
    ([5, 0.5, 0.6, 0.7, 0.4], {"baseline": 1.0, "patience": 2}, (4, 4, 1)),
    ([1, 9, 8, 7, 7, 7, 7], {"start_from_epoch": 2, "patience": 1, "restore_best_weights": True}, (5, 4, 3)),
    ([1, 9, 8], {"start_from_epoch": 5, "restore_best_weights": True}, (3, 3, 0)),
    ([3, NAN, 2, NAN, NAN, 1], {"patience": 2, "restore_best_weights": True}, (5, 3, 2)),
    ([3, 2, 1], {"restore_best_weights": True}, (3, 3, 2)),
    ([1, 1, 1], {"patience": 0}, (2, 2, 0)),
]


@sides
def test_early_stopping(side):
    library, *_ = side()
    for values, options, expected in STOPPING:
        stopping = library.callbacks.EarlyStopping(**options)
        model, history = fit(library, values, [stopping])
        outcome = (len(history.epoch), int(model.get_weights()[0][0, 0]), stopping.best_epoch)
        assert outcome == expected, (values, options)


# values of val_loss, arguments of ReduceLROnPlateau -> the learning rate in the logs of each epoch; of a cooldown Keras
# counts the last epoch, so that 1 is the same as 0
PLATEAU = [
    ([3, 3, 3, 3, 3], {"patience": 2, "factor": 0.5}, [1, 1, 1, 0.5, 0.5]),
    ([3, 3, 3, 3, 3, 3, 3], {"patience": 1, "factor": 0.5, "cooldown": 0}, [1, 1, 0.5, 0.25, 0.125, 1/16, 1/32]),
    ([3, 3, 3, 3, 3, 3, 3], {"patience": 1, "factor": 0.5, "cooldown": 1}, {
        "here": [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125], "Keras": [1, 1, 0.5, 0.25, 0.125, 1/16, 1/32]}),
    ([3, 3, 3, 3, 3, 3], {"patience": 1, "factor": 0.5, "cooldown": 2}, {
        "here": [1, 1, 0.5, 0.5, 0.5, 0.25], "Keras": [1, 1, 0.5, 0.5, 0.25, 0.25]}),
    ([3, 3, 3, 2, 2, 2, 2], {"patience": 2, "factor": 0.5, "cooldown": 1}, {
        "here": [1, 1, 1, 0.5, 0.5, 0.5, 0.25], "Keras": [1, 1, 1, 0.5, 0.5, 0.5, 0.25]}),
    ([3, 2.99995, 2.9999, 2], {"patience": 1, "factor": 0.5}, [1, 1, 0.5, 0.25]),
    ([3, 3, 3, 3, 3, 3], {"patience": 1, "factor": 0.1, "min_lr": 0.05}, [1, 1, 0.1, 0.05, 0.05, 0.05]),
    ([1, 2, 3, 2, 2], {"mode": "max", "patience": 1, "factor": 0.5}, [1, 1, 1, 1, 0.5]),
]


@sides
def test_reduce_on_plateau(side):
    library, *_ = side()
    for values, options, expected in PLATEAU:
        if isinstance(expected, dict):
            expected = expected["here" if library is ct else "Keras"]
        _, history = fit(library, values, [library.callbacks.ReduceLROnPlateau(**options)])
        assert np.allclose(history.history["learning_rate"], expected, rtol=1e-6), (values, options)


@sides
def test_learning_rate_scheduler(side):
    library, *_ = side()
    for schedule, expected in ((lambda epoch, rate: rate * 0.5, [0.5, 0.25, 0.125]),
                               (lambda epoch: 1.0 / (epoch + 1), [1, 0.5, 1 / 3])):
        _, history = fit(library, [1, 1, 1], [library.callbacks.LearningRateScheduler(schedule)])
        assert np.allclose(history.history["learning_rate"], expected, rtol=1e-6)


# values of val_loss, arguments of ModelCheckpoint -> the files written
SAVING = [
    ([3, 2, 2.5, 1], {}, "m-{epoch:02d}-{val_loss:.2f}", ["m-01-3.00", "m-02-2.00", "m-03-2.50", "m-04-1.00"]),
    ([3, 2, 2.5, 1], {"save_best_only": True}, "m-{epoch}", ["m-1", "m-2", "m-4"]),
    ([3, 2, 2.5, 1], {"save_best_only": True, "initial_value_threshold": 2.2}, "m-{epoch}", ["m-2", "m-4"]),
    ([3, 2, 2.5, 4], {"save_best_only": True, "mode": "max"}, "m-{epoch}", ["m-1", "m-4"]),
    ([3, 2], {"save_freq": 2}, "{epoch}-{batch}", ["1-2", "2-1", "2-3"]),
    ([3, 2], {"save_freq": 4}, "sub/{epoch}-{batch}", ["sub/2-1"]),
]


@sides
def test_model_checkpoint(side, tmp_path):
    library, whole, weights = side()
    for case, (values, options, name, expected) in enumerate(SAVING):
        for only in (False, True):
            ending = weights if only else whole
            folder = tmp_path / f"{case}-{only}"
            folder.mkdir()
            saver = library.callbacks.ModelCheckpoint(str(folder / name) + ending, save_weights_only=only, **options)
            model, _ = fit(library, values, [saver], batches=3)
            found = sorted(str(path.relative_to(folder))[:-len(ending)].replace(os.sep, "/")
                           for path in folder.rglob("*" + ending))
            assert found == expected, (values, options)
            if only and "save_freq" not in options:
                model.load_weights(str(folder / expected[0]) + ending)
                assert int(model.get_weights()[0][0, 0]) == int(expected[0].split("-")[1])


@sides
def test_csv_logger(side, tmp_path):
    library, *_ = side()
    log = str(tmp_path / "log.csv")
    logger = library.callbacks.CSVLogger(log, separator=";")
    fit(library, [0.5, 0.25], [logger], name="loss")
    fit(library, [0.5, 0.25], [library.callbacks.CSVLogger(log, separator=";", append=True)], name="loss")
    with open(log, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter=";"))
    missing = [] if library is ct else ["NA", "NA"]                # Keras makes columns of a validation that never is
    titles = [] if library is ct else ["val_loss", "val_mae"]
    assert rows == [["epoch", "loss", "mae", *titles], *([["0", "0.5", "0.0", *missing],
                                                          ["1", "0.25", "0.0", *missing]] * 2)]
    fit(library, [[1.0, 2.0]], [library.callbacks.CSVLogger(log)], name="f1")
    with open(log, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    titles = [] if library is ct else ["val_f1", "val_loss", "val_mae"]
    assert rows == [["epoch", "f1", "loss", "mae", *titles], ["0", '"[1.0, 2.0]"', "0.0", "0.0", *["NA"] * len(titles)]]


def spy(library, seen):
    hooks = [f"on_{part}_{when}" for part in ("train", "epoch", "train_batch", "test", "test_batch", "predict",
                                              "predict_batch") for when in ("begin", "end")]

    class Spy(library.callbacks.Callback):
        pass

    for hook in hooks:
        if "epoch" in hook or "batch" in hook:
            setattr(Spy, hook, lambda self, index, logs=None, hook=hook: seen.append((hook, index, *sorted(logs))))
        else:
            setattr(Spy, hook, lambda self, logs=None, hook=hook: seen.append((hook, *sorted(logs))))
    return Spy()


@sides
def test_order_of_hooks_and_their_logs(side):
    library, *_ = side()
    seen = []
    watcher = spy(library, seen)
    x = np.zeros((2, 1), np.float32)
    model, _ = fit(library, [1, 1], [watcher], name="loss", batches=2, validation_data=(x, x), validation_freq=2)
    train = [(hook, batch, *(("loss", "mae") if hook.endswith("end") else ()))
             for batch in (0, 1) for hook in ("on_train_batch_begin", "on_train_batch_end")]
    test = [(hook.replace("train", "test"), *rest) for hook, *rest in train]
    test = [("on_test_begin",), *test, ("on_test_end", "loss", "mae")]
    everything = ("loss", "mae", "val_loss", "val_mae")
    assert seen == [("on_train_begin",), ("on_epoch_begin", 0), *train, ("on_epoch_end", 0, "loss", "mae"),
                    ("on_epoch_begin", 1), *train, *test, ("on_epoch_end", 1, *everything),
                    ("on_train_end", *everything)]
    assert watcher.params == {"verbose": 0, "epochs": 2, "steps": 2}
    seen.clear()
    model.evaluate(x, x, batch_size=1, verbose=0, callbacks=[watcher])
    assert seen == test and watcher.params == {"verbose": 0, "epochs": 1, "steps": 2}
    seen.clear()
    model.predict(x, batch_size=1, verbose=0, callbacks=[watcher])
    assert seen == [("on_predict_begin",), ("on_predict_batch_begin", 0), ("on_predict_batch_end", 0, "outputs"),
                    ("on_predict_batch_begin", 1), ("on_predict_batch_end", 1, "outputs"), ("on_predict_end",)]


@sides
def test_terminate_on_nan(side):
    library, *_ = side()
    seen = []
    x = np.full((3, 1), np.nan, np.float32)
    model = library.Sequential([library.layers.Input(shape=(1,)), library.layers.Dense(1)])
    model.compile("sgd", "mse")
    stop = library.callbacks.TerminateOnNaN()
    count = library.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    with pytest.warns() if library is ct else pytest.MonkeyPatch.context():
        history = model.fit(x, x, epochs=3, batch_size=1, verbose=0, callbacks=[stop, count])
    assert seen == [0] and history.epoch == [0] and model.stop_training
    with pytest.raises(RuntimeError, match=r"(?i)nan"), \
            pytest.warns() if library is ct else pytest.MonkeyPatch.context():
        model.fit(x, x, verbose=0, callbacks=[library.callbacks.TerminateOnNaN(raise_error=True)])


@sides
def test_which_way_is_better(side):
    library, *_ = side()
    x = np.zeros((2, 1), np.float32)
    for metric, rises in ((library.metrics.AUC(name="roc"), True), (library.metrics.R2Score(name="r"), True),
                          (library.metrics.MeanAbsoluteError(name="accurate"), False)):
        model = library.Sequential([library.layers.Input(shape=(1,)), library.layers.Dense(1, "sigmoid")])
        model.compile("sgd", "mse", metrics=[metric])
        stopping = library.callbacks.EarlyStopping(f"val_{metric.name}", patience=1, restore_best_weights=True)

        class Script(library.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None, name=metric.name):
                logs[f"val_{name}"] = float(epoch)

        history = model.fit(x, x, epochs=4, verbose=0, callbacks=[Script(), stopping])
        assert len(history.epoch) == (4 if rises else 2), metric.name
    with pytest.raises(ValueError, match="mode"):
        fit(library, [1, 2], [library.callbacks.EarlyStopping("oddity")], name="oddity")


@sides
def test_callback_list(side):
    """The list by hand, as in a loop of one's own."""
    library, *_ = side()
    seen = []
    calls = library.callbacks.CallbackList([spy(library, seen)], add_history=True, model=library.Sequential(),
                                           epochs=2, steps=1, verbose=0)
    calls.on_train_begin()
    for epoch in range(2):
        calls.on_epoch_begin(epoch)
        calls.on_train_batch_begin(0)
        calls.on_train_batch_end(0, {"loss": 1.0})
        calls.on_epoch_end(epoch, {"loss": float(epoch)})
    calls.on_train_end()
    epoch = [("on_train_batch_begin", 0), ("on_train_batch_end", 0, "loss")]
    assert seen == [("on_train_begin",), ("on_epoch_begin", 0), *epoch, ("on_epoch_end", 0, "loss"),
                    ("on_epoch_begin", 1), *epoch, ("on_epoch_end", 1, "loss"), ("on_train_end",)]
    assert calls._history.history if library is not ct else calls.history.history == {"loss": [0.0, 1.0]}
