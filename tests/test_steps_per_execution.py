"""compile(steps_per_execution=): when callbacks hear of batches, as in Keras 3.15.1; the steps stay the same."""
import io

import numpy as np
import pytest
from small_models import classifier, data

from cytensor import callbacks, models
from cytensor.callbacks.progress import TrainProgress


class Heard(callbacks.Callback):
    """Writes down every batch hook it is called by."""

    def __init__(self):
        self.calls = []

    def _note(self, *call):
        self.calls.append(call)

    def on_train_batch_begin(self, batch, logs=None): self._note("train begin", batch)
    def on_train_batch_end(self, batch, logs=None): self._note("train end", batch)
    def on_test_batch_begin(self, batch, logs=None): self._note("test begin", batch)
    def on_test_batch_end(self, batch, logs=None): self._note("test end", batch)
    def on_predict_batch_begin(self, batch, logs=None): self._note("predict begin", batch)
    def on_predict_batch_end(self, batch, logs=None): self._note("predict end", batch, logs["outputs"].shape)


def compiled(steps_per_execution):
    return classifier("sgd", steps_per_execution=steps_per_execution)


def test_callbacks_hear_of_executions():
    model, (x, y) = compiled(3), data(32)
    heard = Heard()
    model.fit(x, y, batch_size=4, verbose=0, callbacks=[heard])           # 8 batches
    assert heard.calls == [("train begin", 0), ("train end", 2), ("train begin", 3), ("train end", 5),
                           ("train begin", 6), ("train end", 8)]
    heard.calls.clear()
    model.evaluate(x, y, batch_size=8, verbose=0, callbacks=[heard])      # 4
    assert heard.calls == [("test begin", 0), ("test end", 2), ("test begin", 3), ("test end", 5)]
    heard.calls.clear()
    classes = model(x).shape[-1]
    whole = model.predict(x, batch_size=8, verbose=0, callbacks=[heard])
    assert heard.calls == [("predict begin", 0), ("predict end", 2, (24, classes)),
                           ("predict begin", 3), ("predict end", 5, (8, classes))]
    assert whole.shape == (32, classes)


@pytest.mark.parametrize("data_kind", ["arrays", "generator", "steps_per_epoch"])
def test_the_steps_are_those_of_single_ones(data_kind):
    results = []
    for size in (1, 3):
        model, (x, y) = compiled(size), data(40)
        if data_kind == "generator":
            history = model.fit(((x[i:i + 4], y[i:i + 4]) for i in range(0, 40, 4)), verbose=0)
        else:
            steps = {"steps_per_epoch": 5} if data_kind == "steps_per_epoch" else {}
            history = model.fit(x, y, batch_size=4, epochs=2, verbose=0, **steps)
        results.append((history.history, model.get_weights()))
    assert results[0][0] == results[1][0]
    for one, other in zip(results[0][1], results[1][1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_stop_waits_for_the_end_of_the_execution():
    model, (x, y) = compiled(3), data(32)
    heard = Heard()

    class Stopping(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True

    model.fit(x, y, batch_size=4, verbose=0, callbacks=[Stopping(), heard])
    assert heard.calls == [("train begin", 0), ("train end", 2)]
    assert model.optimizer.iterations == 3


def test_files_are_written_by_batches_not_by_calls(tmp_path):
    """With 3 batches a call, every fourth batch is reached at the sixth, and again six later, as in Keras."""
    model, (x, y) = compiled(3), data(48)
    model.fit(x, y, batch_size=4, verbose=0,                          # 12 batches
              callbacks=[callbacks.ModelCheckpoint(tmp_path / "{batch}.safetensors", save_freq=4)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["12.safetensors", "6.safetensors"]


def test_it_is_saved_and_shown(tmp_path):
    model, (x, y) = compiled(5), data(16)
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "m.safetensors")
    assert models.load_model(tmp_path / "m.safetensors").steps_per_execution == 5
    assert compiled(1).steps_per_execution == 1
    bar = TrainProgress(1, 8, 1, file=io.StringIO())
    bar.begin()
    bar.step(8, {})                     # the number of an execution that had fewer batches
    assert bar.done == 8


@pytest.mark.parametrize("wrong", [0, -1, 2.5, "two"])
def test_wrong_numbers_are_named(wrong):
    with pytest.raises((ValueError, TypeError), match="steps_per_execution"):
        compiled(wrong)


def test_as_keras():
    keras = pytest.importorskip("keras")
    x, y = data(32)
    calls = []
    for library, layers in ((keras, keras.layers), (None, None)):
        if library is None:
            model, base = compiled(3), callbacks.Callback
        else:
            model = keras.Sequential([layers.Input(x.shape[1:]), layers.Dense(3, activation="softmax")])
            model.compile("sgd", "sparse_categorical_crossentropy", steps_per_execution=3)
            base = keras.callbacks.Callback

        class Noting(base):
            found = []                     # noqa: RUF012  # of the class, made anew for each library

            def on_train_batch_begin(self, batch, logs=None): type(self).found.append(("begin", batch))
            def on_train_batch_end(self, batch, logs=None): type(self).found.append(("end", batch))
            def on_test_batch_end(self, batch, logs=None): type(self).found.append(("test", batch))
        model.fit(np.asarray(x), np.asarray(y), batch_size=4, epochs=2, verbose=0, callbacks=[Noting()],
                  validation_data=(np.asarray(x), np.asarray(y)), validation_batch_size=8)
        calls.append(Noting.found)
    assert calls[0] == calls[1]
