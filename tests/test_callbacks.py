"""Callbacks: when they are called, and what each of them does."""

import numpy as np
import pytest
from small_models import classifier, data

from cytensor import callbacks, optimizers
from cytensor.models import Sequential


def test_callbacks_are_called_in_order():
    x, y = data(60)
    calls = []

    class Spy(callbacks.Callback):
        def on_train_begin(self, logs=None):
            calls.append("train begin")
            assert self.params["epochs"] == 2 and self.params["steps"] == 2 and isinstance(self.model, Sequential)

        def on_epoch_begin(self, epoch, logs=None):
            calls.append(f"epoch {epoch}")

        def on_batch_end(self, batch, logs=None):
            calls.append(f"batch {batch}")
            assert set(logs) == {"loss", "accuracy"}

        def on_test_begin(self, logs=None):
            calls.append("test")

        def on_epoch_end(self, epoch, logs=None):
            calls.append(f"end {epoch}")
            assert "val_loss" in logs

        def on_train_end(self, logs=None):
            calls.append("train end")

    classifier().fit(x, y, epochs=2, verbose=0, callbacks=[Spy()], validation_data=(x, y))
    epoch = ["batch 0", "batch 1", "test"]
    assert calls == ["train begin", "epoch 0", *epoch, "end 0", "epoch 1", *epoch, "end 1", "train end"]
    with pytest.raises(TypeError, match="callbacks: each must be a Callback instance"):
        classifier().fit(x, y, callbacks=[Spy], verbose=0)


def test_early_stopping():
    x, y = data()
    stopping = callbacks.EarlyStopping(monitor="loss", patience=2, restore_best_weights=True)
    model = classifier(optimizers.SGD(0.0))
    history = model.fit(x, y, epochs=20, verbose=0, callbacks=[stopping])
    assert len(history.epoch) <= 5 and stopping.stopped_epoch == history.epoch[-1]
    with pytest.warns(UserWarning, match="EarlyStopping: the logs have no 'val_loss'; known are accuracy, loss"):
        model.fit(x, y, epochs=2, verbose=0, callbacks=[callbacks.EarlyStopping()])


def test_learning_rate_callbacks():
    x, y = data()
    model = classifier(optimizers.SGD(0.0))
    reduce = callbacks.ReduceLROnPlateau(monitor="accuracy", patience=1, factor=0.5)
    model.optimizer.learning_rate = 0.0
    model.fit(x, y, epochs=2, verbose=0, callbacks=[callbacks.LearningRateScheduler(lambda epoch: 0.5 ** epoch)])
    assert model.optimizer.learning_rate == 0.5
    model.optimizer.learning_rate = 1e-12
    rates = model.fit(x, y, epochs=4, verbose=0, shuffle=False, callbacks=[reduce]).history["learning_rate"]
    assert np.allclose(rates, [1e-12, 1e-12, 5e-13, 2.5e-13])


def test_checkpoint_and_csv(tmp_path):
    from cytensor.models import load_model
    x, y = data()
    model = classifier()
    model.fit(x, y, epochs=2, verbose=0, callbacks=[
        callbacks.ModelCheckpoint(tmp_path / "m-{epoch}.safetensors"), callbacks.CSVLogger(tmp_path / "log.csv")])
    assert np.array_equal(load_model(tmp_path / "m-2.safetensors").predict(x[:5]), model.predict(x[:5]))
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert lines[0] == "epoch,accuracy,loss" and len(lines) == 3 and lines[2].startswith("1,")


def test_lambda_callback_and_terminate_on_nan():
    x, y = data()
    seen = []
    classifier().fit(x, y, epochs=2, verbose=0,
                     callbacks=[callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))])
    assert seen == [0, 1]
    with pytest.raises(TypeError, match="LambdaCallback: unknown hook 'on_epoch'"):
        callbacks.LambdaCallback(on_epoch=print)
    with pytest.warns(RuntimeWarning):
        history = classifier().fit(x * np.nan, y, epochs=3, verbose=0, callbacks=[callbacks.TerminateOnNaN()])
    assert len(history.epoch) == 1
    with pytest.raises(TypeError, match="LambdaCallback: on_epoch_end must be a function; got 3"):
        callbacks.LambdaCallback(on_epoch_end=3)


@pytest.mark.parametrize("wrong", ["x", None])
def test_a_schedule_must_return_a_number(wrong):
    scheduler = callbacks.LearningRateScheduler(lambda epoch: wrong)
    with pytest.raises(TypeError, match=f"schedule must return a number; got {wrong!r} for epoch 0"):
        classifier().fit(*data(), verbose=0, callbacks=[scheduler])
