"""Interrupted and resumed training equals uninterrupted training, bit for bit."""
import os

import numpy as np
import pytest

from cytensor import callbacks, layers, optimizers, random
from cytensor.models import Sequential


def data():
    source = np.random.default_rng(3)
    x = source.standard_normal((90, 4)).astype(np.float32)
    return x, source.integers(0, 3, 90)


def fresh(seed=4):
    random.set_seed(seed)
    model = Sequential([layers.Dense(8, "relu"), layers.Dropout(0.3), layers.BatchNormalization(),
                        layers.GaussianNoise(0.1), layers.Dense(3, activation="softmax")])
    model.compile(optimizers.Adam(optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)),
                  "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class Interrupted(Exception):
    pass


class Interrupt(callbacks.Callback):
    """Fails at a batch of an epoch, as a killed process would: nothing is tidied up."""

    def __init__(self, epoch=None, batch=0):
        self.at, self.now = (epoch, batch), 0

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.now, batch) == self.at:
            raise Interrupted


def run(model, interrupt, path=None):
    stopping = callbacks.EarlyStopping("val_loss", patience=3, restore_best_weights=True)
    history = model.fit(*data(), epochs=6, batch_size=16, validation_split=0.1, verbose=0, resume=path,
                        callbacks=[stopping, interrupt])
    return history.history, model.get_weights(), model.optimizer.iterations


@pytest.mark.filterwarnings("ignore:fit. validation_split")
def test_resumed_equals_uninterrupted(tmp_path):
    expected = run(fresh(), Interrupt())
    for epoch, batch in ((0, 2), (1, 0), (3, 5)):
        path = tmp_path / f"{epoch}.safetensors"
        with pytest.raises(Interrupted):
            run(fresh(), Interrupt(epoch, batch), path)
        # a new process would have another seed and other weights; when nothing was written yet it starts afresh
        result = run(fresh(4 if epoch == 0 else 77), Interrupt(), path)
        assert result[0] == expected[0] and result[2] == expected[2], (epoch, batch)
        assert all(np.array_equal(a, b) for a, b in zip(result[1], expected[1], strict=True))


@pytest.mark.filterwarnings("ignore:fit. validation_split")
def test_interrupted_while_saving(tmp_path, monkeypatch):
    path = tmp_path / "c.safetensors"
    expected = run(fresh(), Interrupt())
    replace, count = os.replace, [0]

    def fails_the_third_time(source, target):
        count[0] += 1
        if count[0] == 3:
            raise Interrupted
        replace(source, target)

    monkeypatch.setattr(os, "replace", fails_the_third_time)
    with pytest.raises(Interrupted):
        run(fresh(), Interrupt(), path)
    result = run(fresh(77), Interrupt(), path)
    assert result[0] == expected[0]
    assert all(np.array_equal(a, b) for a, b in zip(result[1], expected[1], strict=True))


def test_backup_and_restore(tmp_path):
    backup = callbacks.BackupAndRestore(tmp_path / "backup")
    x, y = data()
    expected = fresh().fit(x, y, epochs=4, verbose=0).history
    with pytest.raises(Interrupted):
        fresh().fit(x, y, epochs=4, verbose=0, callbacks=[backup, Interrupt(2)])
    assert os.path.exists(backup.path)
    assert fresh(77).fit(x, y, epochs=4, verbose=0, callbacks=[backup, Interrupt()]).history == expected
    assert not os.path.exists(backup.path)


def test_a_finished_run_is_not_repeated(tmp_path):
    path = tmp_path / "c.safetensors"
    x, y = data()
    first = fresh()
    history = first.fit(x, y, epochs=2, verbose=0, resume=path).history
    again = fresh(77)
    assert again.fit(x, y, epochs=2, verbose=0, resume=path).history == history
    assert all(np.array_equal(a, b) for a, b in zip(first.get_weights(), again.get_weights(), strict=True))
    assert len(again.fit(x, y, epochs=3, verbose=0, resume=path).epoch) == 3


def test_a_rate_cannot_take_the_place_of_a_schedule(tmp_path):
    x = np.arange(8.0).reshape(8, 1)
    model = Sequential([layers.Input((1,)), layers.Dense(1)])
    model.compile(optimizers.SGD(0.01), "mse")
    model.fit(x, x, verbose=0, resume=tmp_path / "file")
    other = Sequential([layers.Input((1,)), layers.Dense(1)])
    other.compile(optimizers.SGD(optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)), "mse")
    before = other.get_weights()
    with pytest.raises(ValueError, match=r"learning_rate must be null, for the model's optimizer has a schedule; got "):
        other.fit(x, x, epochs=2, verbose=0, resume=tmp_path / "file")
    assert all(np.array_equal(a, b) for a, b in zip(before, other.get_weights(), strict=True))
    assert other.optimizer.calls == 0


def test_foreign_files(tmp_path):
    x, y = data()
    path = tmp_path / "c.safetensors"
    path.write_bytes(b"junk")
    with pytest.raises(ValueError, match="is not a readable safetensors file"):
        fresh().fit(x, y, verbose=0, resume=path)
    model = fresh()
    model.fit(x, y, verbose=0)
    model.save(path)
    with pytest.raises(ValueError, match="must be a checkpoint; it is of kind model"):
        fresh().fit(x, y, verbose=0, resume=path)
    path.unlink()
    fresh().fit(x, y, verbose=0, resume=path)
    fresh().fit(x, y, verbose=0, resume=path, callbacks=[callbacks.TerminateOnNaN()])
    other = Sequential([layers.Dense(5), layers.Dense(3)])
    other.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="must have the weights of the model; missing"):
        other.fit(x, y, verbose=0, resume=path)
