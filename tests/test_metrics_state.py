"""The state of metrics: all of it listed, reset and kept in files, that of metrics inside included; and the counts."""
import copy
import pickle

import numpy as np
import pytest

from cytensor import callbacks, layers, losses, metrics, ops
from cytensor.models import Sequential
from cytensor.tensor import Variable

T, P = np.array([1.0, 2.0, 4.0, 3.0]), np.array([1.5, 1.0, 4.0, 1.0])
NAMES = [name for name in metrics.__all__ if name[0].isupper() and name not in ("Metric", "MeanMetricWrapper")]
NEEDED = {"IoU": (3, [0, 2]), "MeanIoU": (3,), "OneHotIoU": (3, [1]), "OneHotMeanIoU": (3,)}  # without a default


class Holder(metrics.Metric):
    """Metrics and Variables in every place where they may be kept."""

    def __init__(self, name="holder"):
        super().__init__(name=name)
        self.mean = metrics.Mean()
        self.several = [metrics.Sum(), (metrics.Mean(), metrics.MeanSquaredError())]
        self.named = {"auc": metrics.AUC(num_thresholds=5), "deep": Deep()}
        self.top = Variable(-1.0, trainable=False)
        self.listed = [Variable([2.0, 3.0])]
        self.loss = Noting()
        self.calls = 0

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.mean.update_state(y_true)
        self.several[0].update_state(y_true)
        self.several[1][0].update_state(y_pred)
        self.several[1][1].update_state(y_true, y_pred)
        self.named["auc"].update_state([0, 1], [0.2, 0.8])
        self.named["deep"].update_state(y_pred)
        self.top.assign(ops.maximum(self.top, ops.max(y_pred)))
        self.listed[0].assign_add([1.0, 1.0])
        self.loss(y_true, y_pred)

    def result(self):
        return self.mean.result()


class Deep(metrics.Metric):
    def __init__(self):
        super().__init__()
        self.inner = metrics.R2Score()

    def update_state(self, values):
        self.inner.update_state(ops.reshape(values, (-1, 1)), ops.reshape(values, (-1, 1)) * 0.5)

    def result(self):
        return self.inner.result()


class Noting(losses.Loss):
    def __init__(self):
        super().__init__()
        self.seen = metrics.Sum()

    def call(self, y_true, y_pred):
        self.seen.update_state(y_pred)
        return y_pred


def state_of(metric):
    return [variable.numpy().tolist() for variable in metric.variables]


def test_metrics_inside_a_metric_are_reset():
    metric = Holder()
    fresh = state_of(metric)
    metric.update_state(T, P)
    first = state_of(metric)
    metric.reset_state()
    assert state_of(metric) == fresh and float(metric.top) == -1.0 and metric.listed[0].numpy().tolist() == [2.0, 3.0]
    metric.update_state(T * 3, P)
    assert float(metric.result()) == np.mean(T * 3)
    metric.reset_states()
    metric.update_state(T, P)
    assert state_of(metric) == first and float(metric.loss.seen.result()) == P.sum()


def test_metrics_inside_are_forgotten_at_every_epoch():
    class Mine(metrics.Metric):
        def __init__(self):
            super().__init__(name="mine")
            self.kept = {"mean": [metrics.Mean()]}

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.kept["mean"][0].update_state(y_true)

        def result(self):
            return self.kept["mean"][0].result()

    model = Sequential([layers.Input((1,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[Mine()])
    model.evaluate(np.ones((4, 1)), np.full(4, 10.0), verbose=0)
    assert model.evaluate(np.ones((4, 1)), np.full(4, 2.0), verbose=0)[1] == 2.0


def test_variables_are_all_of_the_state():
    metric = Holder()
    metric.update_state(T, P)
    # top, listed; mean 2, sum 2, mean 2, mse 2, auc 4, r2 5, the loss's sum 2
    assert len(metric.variables) == 2 + 2 + 2 + 2 + 2 + 4 + 5 + 2
    assert len({id(variable) for variable in metric.variables}) == 21
    for name, count in (("Mean", 2), ("Sum", 2), ("MeanSquaredError", 2), ("SparseCategoricalAccuracy", 2),
                        ("Precision", 2), ("Recall", 2), ("TruePositives", 1), ("AUC", 4)):
        assert len(getattr(metrics, name)().variables) == count, name
    precision = metrics.Precision()
    precision.update_state([1, 0, 1], [0.9, 0.8, 0.1])
    assert [variable.numpy().tolist() for variable in precision.variables] == [[1.0], [1.0]]
    for variable in precision.variables:
        variable.assign(np.zeros(1))
    assert float(precision.result()) == 0.0
    auc = metrics.AUC()
    auc.update_state([1, 0, 1], [0.9, 0.8, 0.1])
    keras = metrics.AUC(thresholds=np.arange(1, 199) / 199)
    keras.update_state([1, 0, 1], [0.9, 0.8, 0.1])
    assert all(np.array_equal(one, other) for one, other in zip(auc.variables, keras.variables, strict=True))


def made(name):
    return getattr(metrics, name)(*NEEDED.get(name, ()))


def updated(name):
    metric = made(name)
    source = np.random.default_rng(len(name))
    arguments = [source.uniform(0.1, 0.9, (6, 3)).astype(np.float32)]
    if name in ("IoU", "MeanIoU"):
        arguments = [source.integers(0, 3, 6), source.integers(0, 3, 6)]
    elif name.startswith("Sparse"):
        arguments = [source.integers(0, 3, 6), *arguments]
    elif name not in ("Mean", "Sum"):
        arguments = [np.eye(3, dtype=np.float32)[source.integers(0, 3, 6)], *arguments]
    metric.update_state(*arguments)
    return metric, arguments


@pytest.mark.parametrize("name", NAMES)
def test_state_goes_into_a_file_and_back(name):
    metric, arguments = updated(name)
    before = metric.value()
    other = made(name)
    other.check_state(metric.get_state(), name)
    other.set_state(metric.get_state())
    assert other.value() == before
    alike, after = [metric, other, copy.deepcopy(metric), pickle.loads(pickle.dumps(metric))], []
    for one in alike:
        one.update_state(*arguments)
        after.append(one.value())
        one.reset_state()
        assert one.value() == made(name).value()
    assert after == after[:1] * 4


def test_state_of_metrics_inside_goes_into_a_file_and_back():
    metric, other = Holder(), Holder()
    metric.update_state(T, P)
    other.check_state(metric.get_state(), "holder")
    other.set_state(metric.get_state())
    assert state_of(other) == state_of(metric)
    for broken in ({"_metrics": []}, {"_weights": []}, {"top": "x"}, {"surplus": 1}, {"_metrics": None}):
        with pytest.raises(ValueError, match="holder"):
            other.check_state({**metric.get_state(), **broken}, "holder")


class Interrupted(Exception):
    pass


def test_interrupted_training_keeps_the_state_of_metrics_inside(tmp_path):
    class Stop(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == self.at:
                raise Interrupted

        at = 2

    x, y = np.random.default_rng(0).random((12, 2)), np.arange(12) % 2

    def fitted(at):
        model = Sequential([layers.Input((2,)), layers.Dense(1, "sigmoid")])
        model.set_weights([np.ones((2, 1), np.float32), np.zeros(1, np.float32)])
        model.compile("sgd", "binary_crossentropy", metrics=[Holder(), metrics.AUC(), "accuracy"])
        stop = Stop()
        stop.at = at
        backup = callbacks.BackupAndRestore(tmp_path / "backup", save_freq=1, delete_checkpoint=False)
        return model.fit(x, y, batch_size=2, epochs=1, shuffle=False, verbose=0, callbacks=[backup, stop]).history

    with pytest.raises(Interrupted):
        fitted(3)
    resumed = fitted(-1)
    (tmp_path / "backup" / "latest.safetensors").unlink()
    assert fitted(-1) == resumed


# -- what the counts say ----------------------------------------------------------------------------------------------
def exact_auc(labels, scores, weights=None):
    """The weight of pairs in the right order, ties as half."""
    labels, weights = np.asarray(labels, bool), np.ones(len(scores)) if weights is None else np.asarray(weights, float)
    a, b = np.asarray(scores)[labels][:, None], np.asarray(scores)[~labels][None, :]
    pairs = weights[labels][:, None] * weights[~labels][None, :]
    return (((a > b) + 0.5 * (a == b)) * pairs).sum() / pairs.sum()


def test_auc_of_scores_close_together():
    source = np.random.default_rng(3)
    for width in (1.0, 2e-3, 1e-5):
        labels = source.integers(0, 2, 300)
        scores = (0.5 + width * np.clip(source.normal(0.1 * labels, 0.2, 300), -0.5, 0.5)).astype(np.float32)
        weights = source.uniform(0, 2, 300)
        for given in (None, weights):
            metric = metrics.AUC()
            for part in (slice(0, 10), slice(10, 11), slice(11, None)):
                metric.update_state(labels[part], scores[part], None if given is None else given[part])
            assert np.isclose(float(metric.result()), exact_auc(labels, scores, given), rtol=1e-6), width
    plain = metrics.AUC()
    plain.update_state([0, 0, 1, 1], [0.5, 0.5005, 0.501, 0.5015])
    assert float(plain.result()) == 1.0
    grid = metrics.AUC(num_thresholds=201)                             # Keras's way: equal between two thresholds
    grid.update_state([0, 0, 1, 1], [0.5005, 0.501, 0.5015, 0.502])
    assert float(grid.result()) == 0.5


def test_auc_of_logits_is_that_of_their_order():
    labels, logits = np.array([0, 1, 0, 1]), np.array([50.0, 60.0, -90.0, np.inf])
    metric = metrics.AUC(from_logits=True)
    metric.update_state(labels, logits)
    assert float(metric.result()) == 1.0
    with pytest.raises(ValueError, match="predictions must not be NaN"):
        metric.update_state(labels, [np.nan, 0, 0, 0])


def test_auc_of_more_scores_than_are_kept():
    source = np.random.default_rng(5)
    labels = source.integers(0, 2, 200_000)
    scores = 1 / (1 + np.exp(-source.normal(labels, 1.0)))
    metric = metrics.AUC()
    for part in np.split(np.arange(200_000), 40):
        metric.update_state(labels[part], scores[part])
    order = np.argsort(scores)
    ranks = np.empty(len(order))
    ranks[order] = np.arange(1, len(order) + 1)
    positives = labels.sum()
    expected = (ranks[labels == 1].sum() - positives * (positives + 1) / 2) / (positives * (len(labels) - positives))
    assert metric.points.shape[1] <= 2 ** 13
    assert abs(float(metric.result()) - expected) < 1e-4


def test_auc_of_thresholds_of_ones_own():
    for given in ({"num_thresholds": None, "thresholds": [0.3, 0.6]}, {"thresholds": np.array([0.6, 0.3])}):
        metric = metrics.AUC(**given)
        metric.update_state([0, 0, 1, 1], [0.1, 0.5, 0.4, 0.9])
        assert float(metric.result()) == 0.875                         # 0.5 and 0.4 are between the same two
    assert metrics.AUC(num_thresholds=None).num_thresholds == 200
    with pytest.raises(TypeError, match="AUC: num_thresholds must be None or an integer"):
        metrics.AUC(num_thresholds="a")


@pytest.mark.parametrize("name", ["AUC", "Precision", "Recall", "TruePositives", "FalsePositives", "F1Score",
                                  "R2Score"])
def test_a_scalar_weight_is_that_of_every_sample(name):
    source = np.random.default_rng(1)
    t, p = source.integers(0, 2, (8, 1)), source.random((8, 1))
    every, one = getattr(metrics, name)(), getattr(metrics, name)()
    every.update_state(t, p, sample_weight=np.full(8, 2.0))
    one.update_state(t, p, sample_weight=2)
    assert every.value() == one.value()
    column = getattr(metrics, name)()
    column.update_state(t, p, sample_weight=np.full((8, 1), 2.0))
    assert column.value() == one.value()
    with pytest.raises(ValueError, match=r"sample_weight must have the shape of y_pred or of its first axis"):
        column.update_state(t, p, sample_weight=np.ones(3))
    nothing, empty = getattr(metrics, name)(), getattr(metrics, name)()
    nothing.update_state(t, p, sample_weight=np.zeros(8))
    assert np.isfinite(nothing.value()).all()
    empty.update_state(t[:0], p[:0])
    assert empty.value() == getattr(metrics, name)().value()


def test_r2_of_targets_that_do_not_vary():
    for value in (0.1, 1e9, -3.0):
        exact, wrong = metrics.R2Score(), metrics.R2Score()
        exact.update_state(np.full((3, 1), value), np.full((3, 1), value))
        wrong.update_state(np.full((3, 1), value), np.full((3, 1), value + 1))
        assert float(exact.result()) == 1.0 and float(wrong.result()) == 0.0, value
    for average, expected in (("uniform_average", 0.5), ("variance_weighted_average", 0.5), (None, [1.0, 0.0])):
        metric = metrics.R2Score(average)
        metric.update_state([[2.0, 5.0], [2.0, 5.0]], [[2.0, 5.5], [2.0, 5.0]])
        assert np.array_equal(metric.result(), np.float32(expected)), average


def test_r2_of_large_targets_keeps_its_digits():
    source = np.random.default_rng(2)
    t = 1e8 + source.standard_normal((50, 2))
    p = t + 0.3 * source.standard_normal((50, 2))
    metric = metrics.R2Score(dtype="float64")
    for part in (slice(0, 20), slice(20, None)):
        metric.update_state(t[part], p[part])
    expected = (1 - ((t - p) ** 2).sum(0) / ((t - t.mean(0)) ** 2).sum(0)).mean()
    assert np.isclose(float(metric.result()), expected, rtol=1e-7)


def test_strings_of_compile_read_predictions_as_the_loss_does():
    z = np.array([[0.25], [-0.25], [2.0], [-3.0]], np.float32)
    y = np.array([1, 0, 0, 0])
    model = Sequential([layers.Input((1,)), layers.Dense(1, use_bias=False)])
    model.set_weights([np.ones((1, 1), np.float32)])
    for loss in (losses.BinaryCrossentropy(from_logits=True), losses.BinaryFocalCrossentropy(from_logits=True)):
        model.compile("sgd", loss, metrics=["accuracy", "binary_accuracy", "AUC", "crossentropy", "binary_crossentropy",
                                            metrics.BinaryAccuracy(name="as_made")], weighted_metrics=["acc"])
        found = model.evaluate(z, y, verbose=0, return_dict=True)
        assert found["accuracy"] == found["binary_accuracy"] == found["acc"] == 0.75
        assert found["as_made"] == 0.5 and found["AUC"] == pytest.approx(2 / 3)
        expected = np.mean(np.logaddexp(0, z) - z * y[:, None])
        assert found["crossentropy"] == pytest.approx(expected) == found["binary_crossentropy"]
    model.compile("sgd", "mse", metrics=["accuracy"])
    assert model.evaluate(z, y, verbose=0, return_dict=True)["accuracy"] == 0.5


def test_accuracy_leaves_out_the_class_that_the_loss_ignores():
    x, y = np.eye(3, dtype=np.float32)[[0, 1, 2, 0]], np.array([0, -1, 1, -1])
    model = Sequential([layers.Input((3,)), layers.Activation("softmax")])
    model.compile("sgd", losses.SparseCategoricalCrossentropy(ignore_class=-1), metrics=["accuracy"],
                  weighted_metrics=["acc"])
    found = model.evaluate(x, y, verbose=0, return_dict=True, sample_weight=np.array([3.0, 1.0, 1.0, 1.0]))
    assert found["accuracy"] == 0.5 and found["acc"] == 0.75


def test_ties_at_the_edge_of_the_k_largest_count_as_inside():
    metric = metrics.SparseTopKCategoricalAccuracy(k=1)
    metric.update_state([0, 1, 2], np.full((3, 3), 0.2, np.float32))
    assert float(metric.result()) == 1.0
