"""Checkpoints inside an epoch: resumed training goes on at the batch, bit for bit, also after SIGKILL in a save."""
import os
import shutil
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from cytensor import callbacks, layers, metrics, optimizers, random
from cytensor.models import Sequential


class Interrupted(Exception):
    pass


class Interrupt(callbacks.Callback):
    """Fails after a number of batches of all epochs."""

    def __init__(self, after=None):
        self.left = after

    def on_train_batch_end(self, batch, logs=None):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Interrupted


def data():
    source = np.random.default_rng(3)
    return source.standard_normal((52, 4)).astype(np.float32), source.integers(0, 2, 52)


def fresh(seed=4):
    """A model with everything that has a state: noise, averages, accumulated gradients, metrics of every kind."""
    random.set_seed(seed)
    model = Sequential([layers.Input((4,)), layers.Dense(8, "relu"), layers.Dropout(0.3), layers.BatchNormalization(),
                        layers.Dense(1, activation="sigmoid")])
    model.compile(optimizers.Adam(0.01, use_ema=True, gradient_accumulation_steps=3), "binary_crossentropy",
                  metrics=["accuracy", metrics.AUC(), metrics.Precision(), metrics.R2Score(),
                           metrics.F1Score(threshold=0.5)])
    return model


def run(model, folder, interrupt=None, every=2, log=None, batches=None, keep=False):
    """A fit of 3 epochs of 7 batches; returns what it shows: history, weights, steps, and the lines of the log."""
    watching = [callbacks.BackupAndRestore(folder, save_freq=every, delete_checkpoint=not keep),
                callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9),
                callbacks.EarlyStopping("loss", patience=9), Interrupt(interrupt)]
    if log:
        watching.append(callbacks.CSVLogger(log))
    x, y = data()
    how = {"x": x, "y": y[:, None].astype(np.float32), "batch_size": 8} if batches is None else {
        "x": batches(x, y[:, None].astype(np.float32)), "steps_per_epoch": 7}
    history = model.fit(**how, epochs=3, verbose=0, callbacks=watching)
    return history.history, model.get_weights(), model.optimizer.calls, log and log.read_text()


def check_same(result, expected):
    assert result[0] == expected[0] and result[2:] == expected[2:]
    assert all(np.array_equal(a, b) for a, b in zip(result[1], expected[1], strict=True))


@pytest.mark.slow
def test_resumed_in_an_epoch_equals_uninterrupted(tmp_path):
    expected = run(fresh(), tmp_path / "none", log=tmp_path / "none.csv")
    assert expected[2] == 21 and not (tmp_path / "none").exists()
    for after in (3, 7, 8, 14, 20):                # every file is of another place: batch 2, 7 (the end), 1, 6, 5
        folder, log = tmp_path / str(after), tmp_path / f"{after}.csv"
        with pytest.raises(Interrupted):
            run(fresh(), folder, after, log=log)
        check_same(run(fresh(77), folder, log=log), expected)
        assert not folder.exists()


@pytest.mark.slow
def test_interrupted_again_and_again(tmp_path):
    expected = run(fresh(), tmp_path / "none")
    seed = 4
    for _ in range(20):
        try:
            result = run(fresh(seed), tmp_path / "b", 3, every=1)
            break
        except Interrupted:
            seed += 70                             # a new process knows nothing of the old one
    check_same(result, expected)


def test_resume_of_a_file_taken_inside_an_epoch(tmp_path):
    """fit(resume=) of the file that BackupAndRestore wrote."""
    x, y = data()
    rows = {"x": x, "y": y[:, None].astype(np.float32), "batch_size": 8, "epochs": 3, "verbose": 0}
    expected, model = fresh().fit(**rows).history, fresh()
    backup = callbacks.BackupAndRestore(tmp_path, save_freq=4)
    with pytest.raises(Interrupted):
        model.fit(**rows, callbacks=[backup, Interrupt(12)])
    for others in ([], [callbacks.Callback(), callbacks.Callback()]):
        copy = shutil.copy(backup.path, tmp_path / "copy")
        assert fresh(77).fit(**rows, resume=copy, callbacks=others).history == expected


@pytest.mark.slow
def test_generators_and_iterables_are_read_on(tmp_path):
    class Again:
        """Can be started again, so every epoch has the same batches."""

        def __init__(self, x, y):
            self.x, self.y = x, y

        def __iter__(self):
            return (batch for batch in once(self.x, self.y, 1))

    def once(x, y, epochs=3):
        for epoch in range(epochs):
            for start in range(0, 52, 8):
                yield x[start:start + 8] + epoch, y[start:start + 8]

    for name, batches in (("generator", once), ("iterable", Again)):
        expected = run(fresh(), tmp_path / "none", batches=batches)
        for after in (4, 9):
            with pytest.raises(Interrupted):
                run(fresh(), tmp_path / name, after, batches=batches)
            check_same(run(fresh(77), tmp_path / name, batches=batches), expected)


SCRIPT = """
import os, signal, sys
sys.path.insert(0, {tests!r})
import test_checkpoint_batches as test
from cytensor import saving
place, count = {place!r}, [0]
real = getattr(os, place)

def killed_at_the_fifth(*args):
    count[0] += 1
    if count[0] == 5 and {kill}:
        if place == "fsync":                       # a part of the file has reached the disk
            os.ftruncate(args[0], 1000)
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*args)

setattr(os, place, killed_at_the_fifth)
result = test.run(test.fresh({seed}), {folder!r}, every=2)
import pickle
pickle.dump(result, open({folder!r} + ".pickle", "wb"))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize("place", ["fsync", "replace"])
@pytest.mark.slow
def test_killed_in_the_middle_of_a_save(tmp_path, place):
    import pickle

    expected = run(fresh(), tmp_path / "none")
    folder = str(tmp_path / "backup")
    codes = []
    for kill, seed in ((True, 4), (False, 77)):
        code = SCRIPT.format(tests=os.path.dirname(__file__), place=place, kill=kill, seed=seed, folder=folder)
        codes.append(subprocess.run([sys.executable, "-c", textwrap.dedent(code)], timeout=120).returncode)
        if kill:
            assert any(name.startswith(".latest") for name in os.listdir(folder))      # what was being written
    assert codes == [-signal.SIGKILL, 0]
    with open(folder + ".pickle", "rb") as file:
        check_same(pickle.load(file), expected)
    assert not os.path.exists(folder)


def test_save_freq_is_checked(tmp_path):
    for callback in (callbacks.BackupAndRestore, callbacks.ModelCheckpoint):
        for wrong in (0, -1, True, 1.5, "batch"):
            with pytest.raises(ValueError, match=f"{callback.__name__}: save_freq must be 'epoch' or a positive int"):
                callback(tmp_path, save_freq=wrong)
    with pytest.raises(ValueError, match="backup_dir must name a folder"):
        callbacks.BackupAndRestore("")
