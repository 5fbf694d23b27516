"""fit, evaluate, predict: results and own steps. Data: test_training_data.py; bad input: test_training_errors.py."""
import gc
import warnings

import numpy as np
import pytest
from golden import inputs, stored
from small_models import classifier, data, line_model

import cyops
from cytensor import callbacks, layers, losses, metrics, ops, optimizers, random, regularizers
from cytensor.autodiff.tape import GradientTape
from cytensor.data import unpack_x_y_sample_weight
from cytensor.models import Model, Sequential
from cytensor.tensor import asarray


# -- results ----------------------------------------------------------------------------------------------------------
def test_learns():
    x, y = data(400)
    model = classifier(optimizers.Adam(0.01))
    history = model.fit(x, y, epochs=20, batch_size=32, verbose=0)
    assert history.epoch == list(range(20)) and set(history.history) == {"accuracy", "loss"}
    assert history.history["accuracy"][-1] > 0.93 > history.history["accuracy"][0]
    assert history is model.history
    loss, accuracy = model.evaluate(x, y, verbose=0)
    assert type(loss) is float and type(accuracy) is float and accuracy > 0.93
    assert np.isclose(accuracy, (model.predict(x, verbose=0).argmax(1) == y).mean())
    assert model.evaluate(x, y, verbose=0, return_dict=True) == {"loss": loss, "accuracy": accuracy}


def as_keras_counts(metric):
    """The AUC of the thresholds that Keras has: by itself ours takes every score for one."""
    return metrics.AUC(thresholds=np.arange(1, 199) / 199, name=metric) if metric == "AUC" else metric


def test_traces_equal_keras():
    """20 steps: each rounds a few hundred times, and the errors travel through the weights to the next step."""
    for optimizer, arguments, expected in stored.cases("training"):
        x, y, activation, units = inputs.training_data(arguments["loss"])
        model = Sequential([layers.Input((5,)), layers.Dense(8, "relu"), layers.Dense(units, activation)])
        model.set_weights(inputs.training_weights(units))
        model.compile(optimizer, **arguments | {"metrics": list(map(as_keras_counts, arguments.get("metrics", [])))})
        history = model.fit(x, y, batch_size=4, epochs=4, shuffle=False, verbose=0,
                            validation_data=(x[:6], y[:6])).history
        assert set(history) == set(expected["history"]), (optimizer, arguments)
        for name, values in expected["history"].items():
            assert stored.close(history[name], values, 400), (optimizer, arguments, name)
        for actual, values in zip(model.get_weights(), expected["weights"], strict=True):
            assert stored.close(actual, values, 1000), (optimizer, arguments)
        assert stored.close(model.predict(x), expected["predictions"], 1000), (optimizer, arguments)


def test_one_epoch_equals_the_steps_by_hand():
    x = np.array([[1.0], [2.0], [3.0], [4.0], [5.0]], np.float32)
    y = 3 * x + 1
    model = line_model(0.01)
    history = model.fit(x, y, batch_size=2, shuffle=False, verbose=0)
    w = b = np.float64(0)
    total = 0.0
    for part in (slice(0, 2), slice(2, 4), slice(4, 5)):
        error = w * x[part].astype(np.float64) + b - y[part]
        total += (error ** 2).sum()
        w, b = w - 0.01 * 2 * (error * x[part]).mean(), b - 0.01 * 2 * error.mean()
    assert np.allclose([model.layers[0].kernel.numpy().item(), model.layers[0].bias.numpy().item()], [w, b], rtol=1e-6)
    assert np.isclose(history.history["loss"][0], total / 5, rtol=1e-6)      # weighted by the size of each batch


def test_same_seed_same_bits():
    x, y = data()

    def run():
        model = classifier()
        model.fit(x, y, epochs=3, batch_size=8, verbose=0)
        return model.get_weights()

    for a, b in zip(run(), run(), strict=True):
        assert np.array_equal(a, b)


def test_shuffling_visits_every_sample_once():
    seen = []

    class Recorder(Model):
        def call(self, x):
            return x

        def train_step(self, data):
            seen.extend(data[0].numpy()[:, 0].astype(int).tolist())
            return {"loss": 0.0}

    model = Recorder()
    model.compile(loss="mse")
    x = np.arange(10, dtype=np.float32)[:, None]
    model.fit(x, x, batch_size=3, epochs=2, verbose=0)
    assert sorted(seen[:10]) == sorted(seen[10:]) == list(range(10))
    assert seen[:10] != list(range(10)) and seen[:10] != seen[10:]
    seen.clear()
    model.fit(x, x, batch_size=3, shuffle=False, verbose=0)
    assert seen == list(range(10))


def test_validation():
    x, y = data()
    model = classifier()
    history = model.fit(x, y, epochs=3, validation_split=0.2, validation_freq=2, verbose=0).history
    assert list(history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert len(history["loss"]) == 3 and len(history["val_loss"]) == 1
    history = model.fit(x[:80], y[:80], validation_data=(x[80:], y[80:]), epochs=2, verbose=0).history
    last = [history["val_loss"][-1], history["val_accuracy"][-1]]
    assert np.allclose(last, model.evaluate(x[80:], y[80:], verbose=0))
    order = np.argsort(y)
    with pytest.warns(UserWarning, match="validation_split takes the last 20 samples, which lack the classes"):
        model.fit(x[order], y[order], validation_split=0.2, verbose=0)


def test_sample_and_class_weights():
    x = np.array([[1.0], [1.0]], np.float32)
    y = np.array([[0.0], [1.0]], np.float32)
    model = line_model()
    model.fit(x, y, sample_weight=np.array([0.0, 2.0]), verbose=0, shuffle=False)
    # gradient of mean(w * (p - y)^2) at p = 0: mean(0, 2 * 2 * -1) = -2, for weight and bias
    assert np.allclose(np.concatenate([v.ravel() for v in model.get_weights()]), 0.2)
    labels = np.array([0, 1])
    model = Sequential([layers.Dense(2, kernel_initializer="zeros", input_shape=(1,))])
    model.compile(optimizers.SGD(1.0), losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"],
                  weighted_metrics=["accuracy"])
    history = model.fit(x, labels, class_weight={0: 1.0, 1: 0.0}, verbose=0).history
    assert np.isclose(history["loss"][0], np.log(2) / 2)
    assert model.layers[0].bias.numpy().tolist() == [0.25, -0.25]
    with pytest.raises(ValueError, match=r"class_weight must have every class of y; got .*, without \[1\]"):
        model.fit(x, labels, class_weight={0: 1.0}, verbose=0)


def test_metrics_of_every_kind():
    x, y = data()
    model = classifier(compiled=False)
    model.compile("sgd", losses.sparse_categorical_crossentropy,
                  metrics=["acc", metrics.SparseCategoricalAccuracy(name="mine"), metrics.sparse_categorical_accuracy,
                           metrics.SparseTopKCategoricalAccuracy(k=2)])
    result = model.evaluate(x, y, verbose=0, return_dict=True)
    assert result["acc"] == result["mine"] == result["sparse_categorical_accuracy"]
    assert result["acc"] <= result["sparse_top_k_categorical_accuracy"]
    assert model.metrics_names == ["loss", "acc", "mine", "sparse_categorical_accuracy",
                                   "sparse_top_k_categorical_accuracy"]


def test_targets_of_one_column_and_one_axis_agree():
    x, y = data()
    for targets in (y, y[:, None], y.astype(np.uint8), y.astype(np.float64)):
        assert np.isclose(classifier().evaluate(x, targets, verbose=0)[0], classifier().evaluate(x, y, verbose=0)[0])
    binary = Sequential([layers.Dense(1, activation="sigmoid", kernel_initializer="ones", input_shape=(4,))])
    binary.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    assert np.allclose(binary.evaluate(x, y > 0, verbose=0), binary.evaluate(x, (y > 0)[:, None], verbose=0))


# -- predict ----------------------------------------------------------------------------------------------------------
def test_predict():
    x, _ = data()
    model = classifier()
    assert type(model.predict(x[:3])) is np.ndarray and model.predict(x[:3]).shape == (3, 3)
    whole = model(x).numpy()
    for size in (1, 7, 32, 100, 1000):
        assert np.allclose(model.predict(x, batch_size=size, verbose=0), whole, atol=1e-6)
    assert np.allclose(model.predict_on_batch(x), whole, atol=1e-6)
    with pytest.raises(ValueError, match="predict: there must be at least one sample"):
        model.predict(x[:0])


def test_predict_of_one_row_costs_little_more_than_a_call():
    import time
    x, _ = data()
    row = asarray(x[:1])
    model = classifier()
    model(row)

    def best(function):
        times = []
        for _ in range(200):
            start = time.perf_counter()
            function()
            times.append(time.perf_counter() - start)
        return min(times)

    assert best(lambda: model.predict(row)) < 2 * best(lambda: model(row)) + 5e-6


@pytest.mark.slow
def test_memory_stays_flat():
    x, y = data()
    kept = classifier()

    def work(times):
        for _ in range(times):
            model = classifier()
            model.fit(x, y, verbose=0, validation_split=0.2)
            kept.fit(x, y, verbose=0)
            for _ in range(50):
                kept.predict(x[:3])
        del model
        gc.collect()
        return cyops.memory_stats()["in_use"]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        work(2)
        assert work(3) == work(20)


# -- own steps and models ---------------------------------------------------------------------------------------------
def test_own_train_step():
    tracker = metrics.Mean(name="loss")

    class Mine(Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)
            self.loss_fn = losses.SparseCategoricalCrossentropy(from_logits=True)

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            inputs, targets = data
            with GradientTape() as tape:
                loss = self.loss_fn(targets, self(inputs, training=True))
            gradients = tape.gradient(loss, self.trainable_weights)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
            tracker.update_state(loss)
            return {"loss": tracker.result()}

        @property
        def metrics(self):
            return [tracker]

    x, y = data()
    model = Mine()
    model.compile(optimizers.Adam(0.05))
    history = model.fit(x, y, epochs=5, verbose=0).history["loss"]
    assert history[-1] < history[0] and type(history[0]) is float
    assert unpack_x_y_sample_weight((1, 2)) == (1, 2, None)


def test_own_train_step_with_the_compiled_loss_and_metrics():
    class Mine(Sequential):
        def train_step(self, data):
            x, y = data
            with GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(y=y, y_pred=y_pred)
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply(gradients, self.trainable_variables)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred)
            return {metric.name: metric.result() for metric in self.metrics}

    x, y = data(96)
    models = [classifier(), Mine(classifier().layers)]
    models[1].compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    histories = []
    for model in models:
        random.set_seed(3)
        histories.append(model.fit(x, y, verbose=0).history)
    assert np.allclose(list(histories[0].values()), list(histories[1].values()))


def test_single_batches():
    x, y = data()
    model = classifier()
    loss, accuracy = model.train_on_batch(x, y)
    assert np.isclose(loss, classifier().evaluate(x, y, verbose=0)[0], rtol=1e-5) and 0 <= accuracy <= 1
    model.reset_metrics()
    assert np.allclose(model.test_on_batch(x, y), model.evaluate(x, y, batch_size=100, verbose=0))
    assert set(model.test_on_batch(x, y, return_dict=True)) == {"loss", "accuracy"}


def test_frozen_layers_stay():
    x, y = data()
    model = classifier()
    model(x)
    model.layers[0].trainable = False
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    after = model.get_weights()
    assert np.array_equal(before[0], after[0]) and not np.array_equal(before[2], after[2])


def test_a_callback_may_thaw_a_layer():
    x, y = data()
    model = classifier()
    model(x)
    model.layers[0].trainable = False
    kernels = []

    class Thaw(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            kernels.append(model.layers[0].kernel.numpy())
            model.layers[0].trainable = epoch == 1

    model.fit(x, y, epochs=3, verbose=0, callbacks=[Thaw()])
    assert np.array_equal(kernels[0], kernels[1]) and not np.array_equal(kernels[1], kernels[2])


def test_regularizers_and_constraints_in_fit():
    x, y = data()
    model = Sequential([layers.Dense(3, kernel_regularizer="l2", kernel_constraint="non_neg", input_shape=(4,))])
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.SGD(0.5), loss)
    value = model.evaluate(x, y, batch_size=100, verbose=0)
    assert np.isclose(value, float(loss(y, model(x))) + 0.01 * (model.get_weights()[0] ** 2).sum(), rtol=1e-5)
    model.fit(x, y, verbose=0)
    assert (model.get_weights()[0] >= 0).all()


class Rebuilding(Model):
    """Keeps metrics as an attribute and in a list."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1, kernel_initializer="ones")
        self.size = metrics.Mean(name="size")
        self.more = [metrics.Mean(name="twice")]

    def call(self, x):
        y = self.dense(x)
        self.size(y.mean())
        self.more[0].update_state(2.0 * y.mean())
        return y


def test_a_layer_called_twice_adds_two_penalties():
    """The values are those of Keras 3.15: 0.1 * sum(y ** 2) / 4 for y of 3, and of 9."""
    class Twice(Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3, kernel_initializer="ones", activity_regularizer=regularizers.L2(0.1))
            self.inside = Sequential([Own()])

        def call(self, x):
            return self.inside(self.dense(self.dense(x)))

    class Own(layers.Layer):           # called on zeros while the model is built, which must not count
        def call(self, x):
            self.add_loss(ops.sum(x[:1, :1]) + 1.0)
            return x

    model = Twice()
    for _ in range(2):
        model(np.ones((4, 3)))
        np.testing.assert_allclose([float(loss) for loss in model.losses], [2.7, 24.3, 10.0], rtol=1e-6)


def test_metrics_kept_as_attributes_are_shown_and_reset():
    """As in Keras 3: `Model.metrics` holds them after the compiled ones."""
    x, y = np.ones((8, 3), np.float32), np.ones((8, 1), np.float32)
    model = Rebuilding()
    model.compile(optimizers.SGD(0.0), "mse", metrics=["mae"])
    history = model.fit(x, y, epochs=2, verbose=0, validation_data=(2 * x, y)).history
    assert [metric.name for metric in model.metrics] == ["loss", "mae", "size", "twice"]
    assert history["size"] == [3, 3] and history["twice"] == [6, 6]
    assert history["val_size"] == [6, 6] and history["val_mae"] == [5, 5]
    model.compile(optimizers.SGD(0.0), "mse", metrics=[model.size])
    assert [metric.name for metric in model.metrics] == ["loss", "size", "twice"]      # each once
