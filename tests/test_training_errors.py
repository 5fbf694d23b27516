"""fit, evaluate and compile given what they cannot use: each a named error, and nothing changed."""
import re
import warnings

import numpy as np
import pytest
from small_models import classifier, data

import cytensor as ct
from cytensor import layers, ops
from cytensor.models import Model


def test_nan_loss_is_warned_of_once():
    x, y = data()
    x = x.copy()
    x[40] = np.nan
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        classifier().fit(x, y, batch_size=16, epochs=3, shuffle=False, verbose=0)
    messages = [str(warning.message) for warning in caught if issubclass(warning.category, RuntimeWarning)]
    assert caught[-1].filename == __file__
    assert len(messages) == 1 and "the loss became nan at epoch 1, batch 3" in messages[0]


@pytest.mark.parametrize(("arguments", "error", "message"), [
    ({"y": np.zeros(99, int)}, ValueError, "fit: all data must have the same number of samples; got x 100, y 99"),
    ({"x": np.zeros((0, 4)), "y": np.zeros(0, int)}, ValueError,
     r"there must be at least one sample; got x of shape \(0, 4\)"),
    ({"x": None}, ValueError, "fit: x must be given; got None"),
    ({"y": None}, ValueError, "the loss 'sparse_categorical_crossentropy' needs targets; got y=None"),
    ({"x": 3.0}, ValueError, "x must have a first axis of samples; got a scalar"),
    ({"sample_weight": np.zeros(3)}, ValueError, "same number of samples; got x 100, y 100, sample_weight 3"),
    ({"validation_split": 0.999}, ValueError, "validation_split must leave samples on both sides"),
    ({"validation_data": 3}, ValueError, "validation_data must be"),
    ({"class_weight": "balanced"}, TypeError, "fit: class_weight must be a dictionary .*; got 'balanced'"),
    ({"class_weight": {0: 1, 1: "a", 2: 1}}, TypeError, "fit: class_weight must be a dictionary of classes"),
    ({"sample_weight": [1] * 99 + [np.nan]}, ValueError,
     "fit: sample_weight must be finite numbers; got nan for sample 99"),
    ({"batch_size": 0}, ValueError, "fit: batch_size must be an integer of at least 1; got 0"),
    ({"epochs": "3"}, TypeError, "fit: epochs must be an integer of at least 0; got '3'"),
    ({"initial_epoch": -1}, ValueError, "fit: initial_epoch must be an integer of at least 0; got -1"),
    ({"steps_per_epoch": 0}, ValueError, "fit: steps_per_epoch must be an integer of at least 1; got 0"),
    ({"validation_steps": 0}, ValueError, "fit: validation_steps must be an integer of at least 1; got 0"),
    ({"validation_batch_size": 1.5}, ValueError, "fit: validation_batch_size must be an integer of at least 1; "),
    ({"validation_split": 1.5}, ValueError, r"fit: validation_split must be in \[0, 1\); got 1.5"),
    ({"validation_split": "a"}, TypeError, r"fit: validation_split must be in \[0, 1\); got 'a'"),
    ({"validation_freq": None}, TypeError, "fit: validation_freq must be an integer of at least 1, or a list of such"),
    ({"validation_freq": []}, ValueError, r"fit: validation_freq must be an integer .*; got \[\]"),
    ({"validation_freq": 0}, ValueError, "fit: validation_freq must be an integer .*; got 0"),
    ({"verbose": 7}, ValueError, "fit: verbose must be 'auto', 0, 1 or 2; got 7"),
    ({"verbose": "loud"}, ValueError, "fit: verbose must be 'auto', 0, 1 or 2; got 'loud'"),
    ({"shuffle": "batches"}, ValueError, "fit: shuffle must be True, False or 'batch'; got 'batches'"),
    ({"check_numerics": "x"}, TypeError, "fit: check_numerics must be True or False; got 'x'"),
    ({"resume": 3}, TypeError, "fit: resume must be a path; got 3"),
])
def test_bad_arguments_of_fit(arguments, error, message):
    x, y = data()
    model = classifier()
    model(x)
    before = model.get_weights()
    with pytest.raises(error, match=message):
        model.fit(**{"x": x, "y": y, "verbose": 0, **arguments})
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_errors_inside_fit_name_epoch_and_batch():
    x, y = data()
    y = y.copy()
    y[70] = 3
    model = classifier()
    with pytest.raises(ValueError, match="label") as caught:
        model.fit(x, y, batch_size=32, shuffle=False, verbose=0)
    assert caught.value.__notes__[-1] == "in fit: epoch 1, batch 3"
    with pytest.raises(ValueError, match="dense") as caught:
        model.fit(x[:, :2], y, verbose=0)
    assert "in layer 'dense' (Dense), input of shape (32, 2)" in caught.value.__notes__
    with pytest.raises(ValueError, match="label") as caught:
        model.evaluate(x, y, verbose=0)
    assert caught.value.__notes__[-1] == "in evaluate: batch 3"


def test_errors_of_a_generator_name_the_batch_it_was_making():
    x, y = data()

    def batches():
        yield x[:10], y[:10]
        yield x[:10], y[:10]
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone") as caught:
        classifier().fit(batches(), verbose=0)
    assert caught.value.__notes__ == ["in fit: epoch 1, batch 3"]


def test_before_compile():
    x, y = data()
    model = classifier(compiled=False)
    for call in (lambda: model.fit(x, y), lambda: model.evaluate(x, y), lambda: model.train_on_batch(x, y)):
        with pytest.raises(RuntimeError, match=r"the model must be compiled first; call model.compile"):
            call()
    assert model.predict(x[:2]).shape == (2, 3)
    for arguments, message in (({"optimizer": "addam"}, "unknown name 'addam'.*did you mean 'adam'"),
                               ({"loss": "mean_squared"}, "loss: unknown name 'mean_squared'"),
                               ({"metrics": ["accurasy"]}, "metric: unknown name 'accurasy'.*did you mean 'accuracy'")):
        with pytest.raises(ValueError, match=message):
            model.compile(**arguments)
    assert not model.compiled
    for arguments, message in (({"optimizer": None}, "compile: optimizer must be a name, an Optimizer, .*; got None"),
                               ({"metrics": [None]}, r"compile: metrics must be a list .*; got \[None\]")):
        with pytest.raises(TypeError, match=message):
            model.compile(**arguments)
    model.compile("sgd")
    with pytest.raises(ValueError, match="there is nothing to minimise; give compile a loss"):
        model.fit(x, y, verbose=0)


def test_a_model_that_cannot_learn_says_so():
    class Constant(Model):
        def __init__(self, head):
            super().__init__()
            self.head = head

        def call(self, x):
            return ops.stop_gradient(self.head(x))

    x = np.zeros((4, 1))
    model = Constant(layers.Flatten())
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="fit: model 'constant' has no trainable weights"):
        model.fit(x, x, verbose=0)
    model = Constant(layers.Dense(1))
    model.compile("sgd", "mse")
    with (pytest.raises(ValueError, match="at least one variable must have a gradient; got None for all 2"),
          warnings.catch_warnings()):
        warnings.simplefilter("ignore")
        model.fit(x, x, verbose=0)


class Scores(ct.Model):
    def __init__(self):
        super().__init__()
        self.inner = ct.layers.Dense(10)

    def call(self, x):
        return self.inner(x)


@pytest.mark.parametrize(("taken", "given", "hint"), [
    ((4,), (5,), ""), ((784,), (28, 28), "; a Flatten layer in front makes them that"), ((784,), (28, 29), ""),
])
@pytest.mark.parametrize("make", [Scores, lambda: ct.Sequential([ct.layers.Dense(10)])])
def test_samples_of_another_shape_than_the_model_takes(make, taken, given, hint):
    model = make()
    model.build((None, *taken))
    model.compile("sgd", "mse")
    x, y = np.ones((100, *given), np.float32), np.ones((100, 10), np.float32)
    message = re.escape(f"; the model takes samples of shape {taken}, and these are of shape {given}{hint}") + r"(\n|$)"
    for call in (lambda: model.fit(x, y, verbose=0), lambda: model.evaluate(x, y, verbose=0), lambda: model(x),
                 lambda: model.predict(x, verbose=0), lambda: model.train_on_batch(x, y),
                 lambda: model.predict_on_batch(x), lambda: ct.Sequential([model])(x)):
        with pytest.raises(ValueError, match=message):
            call()
