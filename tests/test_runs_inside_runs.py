"""A callback that evaluates, predicts or trains the model in training leaves the run around it as it was."""
import numpy as np
import pytest
from small_models import classifier, data

import cytensor as ct
from cytensor import callbacks, layers, metrics


class Listed(metrics.Metric):
    """A metric of one's own, whose state is a list."""

    def __init__(self, name="listed"):
        super().__init__(name=name)
        self.values = []

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.values.append(float(np.mean(np.asarray(y_pred) ** 2)))

    def result(self):
        return sum(self.values) / max(len(self.values), 1)

    def reset_state(self):
        self.values = []


class Summed(metrics.Metric):
    """A metric whose state is a variable that a metric inside shares out."""

    def __init__(self, name="summed"):
        super().__init__(name=name)
        self.total, self.inner = self.add_weight(name="total"), metrics.Mean()

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign_add(float(np.sum(np.asarray(y_pred)[:, 0])))
        self.inner.update_state(y_pred)

    def result(self):
        return self.total + self.inner.result()

    def reset_state(self):
        self.total.assign(0.0)
        self.inner.reset_state()


class Counting(layers.Layer):
    """A layer with a metric of its own, which every call moves."""

    def __init__(self):
        super().__init__()
        self.seen = metrics.Sum(name="seen")

    def call(self, x):
        self.seen.update_state(float(x.shape[0]))
        return x


def model_of_many_metrics():
    ct.set_seed(5)
    model = ct.Sequential([layers.Input((4,)), Counting(), layers.Dense(6, "relu"), layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy", Listed(), Summed()])
    return model


def train(what=None):
    x, y = data()
    watching = [] if what is None else [callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: what(model), on_epoch_end=lambda epoch, logs: what(model))]
    model = model_of_many_metrics()
    history = model.fit(x, y, epochs=3, verbose=0, validation_split=0.2, callbacks=watching)
    return model, history


def trains(model):
    """Train the model with a rate of 0, and stop that at its first batch."""
    rate, model.optimizer.learning_rate = float(model.optimizer.learning_rate), 0.0
    kept = [np.array(slot.numpy()) for slot in model.optimizer.variables], model.optimizer.calls
    stop = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: setattr(model, "stop_training", True))
    model.fit(*data(), verbose=0, callbacks=[stop])
    for slot, value in zip(model.optimizer.variables, kept[0], strict=True):
        slot[...] = value
    model.optimizer.calls, model.optimizer.learning_rate = kept[1], rate


INSIDE = {
    "evaluate": lambda model: model.evaluate(data()[0] * 3, data()[1], verbose=0),
    "evaluate in batches with a callback": lambda model: model.evaluate(
        *data(), 7, verbose=0, callbacks=[callbacks.Callback()]),
    "predict": lambda model: model.predict(data()[0], verbose=0),
    "predict a batch": lambda model: model.predict(data()[0][:3], verbose=0),
    "predict_on_batch": lambda model: model.predict_on_batch(data()[0]),
    "test_on_batch": lambda model: model.test_on_batch(*data()),
    "fit": trains,
}


@pytest.mark.parametrize("what", INSIDE.values(), ids=INSIDE)
def test_the_outer_run_does_not_notice(what):
    plain, expected = train()
    model, history = train(what)
    assert history.history == expected.history and model.history is history
    assert len(history.epoch) == 3 and not model.stop_training
    assert all(np.array_equal(a, b) for a, b in zip(plain.get_weights(), model.get_weights(), strict=True))


def test_what_is_inside_has_its_own_result():
    x, y = data()
    seen, model = [], classifier()
    model.fit(x, y, epochs=2, verbose=0, callbacks=[callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: batch == 1 and seen.append(
            (model.evaluate(x, y, verbose=0), float(np.mean(model.predict(x, verbose=0).argmax(axis=1) == y)))))])
    for (_, accuracy), counted in seen:
        assert accuracy == counted
    assert len(seen) == 2


def test_training_goes_on_as_if_none_had_been_inside():
    x, y = data()
    whole, parts = model_of_many_metrics(), model_of_many_metrics()
    whole.fit(x, y, epochs=3, verbose=0)
    inside = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: trains(parts))
    parts.fit(x, y, epochs=2, verbose=0, callbacks=[inside])
    parts.fit(x, y, epochs=3, initial_epoch=2, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(whole.get_weights(), parts.get_weights(), strict=True))


def test_a_prediction_of_one_batch_inside_prints_nothing(capsys):
    x, y = data()
    model = classifier()
    model.fit(x, y, epochs=2, verbose=0, callbacks=[callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: model.predict(x[:3]))])
    assert capsys.readouterr().out == ""


def test_an_error_inside_puts_the_outer_run_back_too():
    def fails(model):
        with pytest.raises(ValueError, match=r"must have the same number of samples|shape"):
            model.evaluate(np.ones((3, 5)), np.zeros(3), verbose=0)

    assert train(fails)[1].history == train()[1].history


def test_evaluation_and_prediction_stop_when_a_callback_says_so():
    x, y = data()
    model, seen = classifier(), []

    def stopping(hook, flag):
        def stop(batch, logs):
            seen.append(batch)
            setattr(model, flag, batch == 1)
        return [callbacks.LambdaCallback(**{hook: stop})]

    model.evaluate(x, y, 10, verbose=0, callbacks=stopping("on_test_batch_end", "stop_evaluating"))
    assert seen == [0, 1]
    first = model.predict(x, 10, verbose=0, callbacks=stopping("on_predict_batch_end", "stop_predicting"))
    assert seen == [0, 1, 0, 1] and first.shape == (20, 3)
    assert model.predict(x, 10, verbose=0).shape == (100, 3)               # the next run begins anew
    seen.clear()
    model.evaluate(x, y, 10, verbose=0, callbacks=[callbacks.LambdaCallback(
        on_test_begin=lambda logs: setattr(model, "stop_evaluating", True),
        on_test_batch_end=lambda batch, logs: seen.append(batch))])
    assert seen == [0]                                                     # behind the batch, as in Keras
    seen.clear()
    model.fit(x, y, epochs=2, verbose=0, validation_split=0.5, validation_batch_size=10,
              callbacks=stopping("on_test_batch_end", "stop_evaluating"))
    assert seen == [0, 1, 0, 1]                                            # of each validation, and training goes on
