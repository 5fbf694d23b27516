"""Models of one's own: what they override may take fewer arguments than the original, in fit and in evaluate."""
import numpy as np
import pytest

import cytensor as ct
from cytensor import layers

X = np.linspace(-1, 1, 24, dtype=np.float32).reshape(12, 2)
Y = X.sum(axis=1, keepdims=True)


class Line(ct.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1, kernel_initializer="zeros")

    def call(self, x):
        return self.dense(x)


def mean_square(y, y_pred):
    return ct.mean((y - y_pred) ** 2)


class WithoutTraining(Line):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
        return mean_square(y, y_pred)


class WithTraining(Line):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return super().compute_loss(x, y, y_pred, sample_weight, training)


class OnlyTwo(Line):
    def compute_loss(self, y, y_pred):
        return mean_square(y, y_pred)


class OtherNames(Line):
    def compute_loss(self, inputs, targets, outputs):
        return mean_square(targets, outputs)


class OtherOrder(Line):
    def compute_loss(self, y_pred, y, x, **others):
        assert set(others) == {"sample_weight", "training"} and x.shape[1] == 2
        return mean_square(y, y_pred)


class Any(Line):
    def compute_loss(self, *args, **kwargs):
        return super().compute_loss(*args, **kwargs)


class AnyByPosition(Line):
    def compute_loss(self, *args):
        return super().compute_loss(*args)


class NamedOnly(Line):
    def compute_loss(self, *, y, y_pred, x=None):
        return mean_square(y, y_pred)


class Static(Line):
    @staticmethod
    def compute_loss(x, y, y_pred):
        return mean_square(y, y_pred)


@pytest.mark.parametrize("cls", [WithoutTraining, WithTraining, OnlyTwo, OtherNames, OtherOrder, Any, AnyByPosition,
                                 NamedOnly, Static])
def test_compute_loss(cls):
    expected = float(np.mean(Y.astype(np.float64) ** 2))           # of a model that says 0
    model = cls()
    model.compile(ct.optimizers.SGD(0.0), "mse")
    history = model.fit(X, Y, batch_size=12, validation_data=(X, Y), verbose=0).history
    found = (history["loss"][0], history["val_loss"][0], model.evaluate(X, Y, verbose=0), model.train_on_batch(X, Y),
             model.test_on_batch(X, Y))
    assert np.allclose(found, expected, rtol=1e-6)


def test_a_function_in_place_of_the_method():
    model = Line()
    model.compile(ct.optimizers.SGD(0.0), "mse")
    model.compute_loss = lambda x, y, y_pred, sample_weight: mean_square(y, y_pred) * 0 + 5
    assert model.evaluate(X, Y, verbose=0) == 5 and model.train_on_batch(X, Y) == 5


@pytest.mark.parametrize("parameters", ["x, y, y_pred", "x, y, y_pred, sample_weight=None", "y, y_pred", "*args",
                                        "**kwargs", "inputs, targets"])
def test_compute_metrics(parameters):
    scope = {}
    exec(f"def compute_metrics(self, {parameters}):\n    return {{**self.get_metrics_result(), 'own': 7.0}}", scope)
    model = type("Own", (Line,), {"compute_metrics": scope["compute_metrics"]})()
    model.compile("sgd", "mse")
    history = model.fit(X, Y, validation_data=(X, Y), verbose=0).history
    assert history["own"] == history["val_own"] == [7.0]
    assert model.evaluate(X, Y, verbose=0, return_dict=True)["own"] == 7.0


@pytest.mark.parametrize(("step", "method"), [("train_step", "fit"), ("test_step", "evaluate"),
                                              ("train_step", "train_on_batch"), ("test_step", "test_on_batch")])
def test_the_step_that_returns_no_logs_is_named(step, method):
    model = type("Own", (Line,), {step: lambda self, data: 3.0})()
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match=f"^{step}: must return a dictionary of logs; got float"):
        getattr(model, method)(X, Y)


def test_what_stands_between_gradients_and_optimizer_can_be_replaced():
    """The seam for training on several processes."""
    class Halved(Line):
        def _update(self, gradients, weights):
            super()._update([gradient * 0.5 for gradient in gradients], weights)

    ends = []
    for cls, rate in ((Halved, 0.2), (Line, 0.1)):
        model = cls()
        model.compile(ct.optimizers.SGD(rate), "mse")
        model.fit(X, Y, epochs=3, batch_size=4, shuffle=False, verbose=0)
        ends.append(model.get_weights())
    assert all(np.allclose(a, b, rtol=1e-6) for a, b in zip(*ends, strict=True)) and ends[0][0].any()


def test_no_epochs_are_no_training():
    model = Line()
    model.compile("sgd", "mse")
    before = model.predict(X, verbose=0)
    seen = []
    watching = ct.callbacks.LambdaCallback(on_train_begin=lambda logs: seen.append("begin"),
                                           on_train_end=lambda logs: seen.append("end"))
    for options in ({"epochs": 0}, {"epochs": 2, "initial_epoch": 2}, {"epochs": 1, "initial_epoch": 3}):
        history = model.fit(X, Y, callbacks=[watching], **options)
        assert history.epoch == [] and history.history == {}
    assert seen == ["begin", "end"] * 3 and np.array_equal(before, model.predict(X, verbose=0))
    with pytest.raises(ValueError, match="fit: epochs must be an integer of at least 0; got -1"):
        model.fit(X, Y, epochs=-1)
