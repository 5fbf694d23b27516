"""Metrics: results of Keras over two batches, weighted and not; names; own metrics; the choice of the accuracy."""
import numpy as np
import pytest
from golden import inputs, stored

from cytensor import metrics, ops
from cytensor.tensor import asarray


def test_results_equal_keras():
    for name, arguments, (plain, weighted) in stored.cases("metrics"):
        y_true, y_pred = inputs.targets_and_predictions(name, arguments)
        for expected, weights in ((plain, None), (weighted, inputs.weights(len(y_pred)))):
            metric = getattr(metrics, name)(**arguments)
            for part in (slice(0, 4), slice(4, None)):
                metric.update_state(y_true[part], y_pred[part], None if weights is None else weights[part])
            assert stored.close(metric.result(), expected, 64), (name, arguments, weights is None)
            metric.reset_state()
            fresh = getattr(metrics, name)(**arguments)
            assert np.array_equal(metric.result(), fresh.result()), name


def test_mean_and_sum():
    mean, total = metrics.Mean(), metrics.Sum()
    assert float(mean.result()) == 0.0
    for metric in (mean, total):
        metric.update_state([1.0, 3.0])
        metric.update_state(5.0, sample_weight=2.0)
    assert float(mean.result()) == 3.5 and float(total.result()) == 14.0
    assert f"{mean.result():.2f}" == "3.50"
    assert np.isclose(float(mean(7.0)), 21.0 / 5)
    mean.reset_state()
    assert float(mean.result()) == 0.0
    # A float32 sum would stop growing at 2^24.
    for _ in range(3):
        total.update_state(np.float32(2 ** 24))
        total.update_state(1.0)
    assert total.value() == 14.0 + 3 * (2 ** 24 + 1)


def test_accuracy_is_chosen_by_shape():
    source = np.random.default_rng(0)
    for true_shape, pred_shape, expected in (
            ((5,), (5, 3), "sparse_categorical_accuracy"), ((5, 1), (5, 3), "sparse_categorical_accuracy"),
            ((5, 3), (5, 3), "categorical_accuracy"), ((5,), (5, 1), "binary_accuracy"),
            ((5, 1), (5, 1), "binary_accuracy"), ((5,), (5,), "binary_accuracy")):
        y_true, y_pred = source.integers(0, 2, true_shape), source.random(pred_shape).astype(np.float32)
        metric = metrics.get("acc")
        metric.update_state(y_true, y_pred)
        values = np.asarray(getattr(metrics, expected)(y_true, y_pred))
        assert metric.name == "acc" and np.isclose(metric.value(), values.mean()), (true_shape, pred_shape)


def test_names():
    assert type(metrics.get("mse")) is metrics.MeanSquaredError and metrics.get("mse").name == "mse"
    assert type(metrics.get("sparse_categorical_accuracy")) is metrics.SparseCategoricalAccuracy
    assert type(metrics.get(metrics.Mean)) is metrics.Mean
    largest = metrics.get(lambda t, p: ops.max(p, axis=-1))
    largest.update_state([[0.0]], [[3.0, 5.0]])
    assert float(largest.result()) == 5.0
    with pytest.raises(ValueError, match=r"metric: unknown name 'acuracy'.*did you mean 'accuracy'"):
        metrics.get("acuracy")
    with pytest.raises(TypeError, match="metric: expected"):
        metrics.get(3)


def test_own_metric_with_state():
    class Errors(metrics.Metric):
        def __init__(self, name="errors", **kwargs):
            super().__init__(name=name, **kwargs)
            self.total = self.add_weight(name="total", initializer="zeros")
            self.samples = self.add_weight(name="samples", initializer="zeros", dtype="int32")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.total.assign_add(ops.sum(ops.square(asarray(y_true) - asarray(y_pred))))
            self.samples.assign_add(len(y_true))

        def result(self):
            return ops.sqrt(self.total / ops.cast(self.samples, "float32"))

    metric = Errors()
    metric.update_state([1.0, 2.0], [1.0, 4.0])
    metric.update_state([1.0, 2.0], [1.0, 4.0])
    assert np.isclose(metric.value(), np.sqrt(2))
    metric.reset_state()
    assert int(metric.samples) == 0
    assert len(metric.variables) == 2


def test_shapes_never_broadcast():
    for metric in (metrics.MeanSquaredError(), metrics.Accuracy(), metrics.BinaryAccuracy(),
                   metrics.RootMeanSquaredError()):
        with pytest.raises(ValueError, match="must have the same shape"):
            metric.update_state(np.zeros((3, 2), np.float32), np.zeros(3, np.float32))
    for metric in (metrics.SparseCategoricalAccuracy(), metrics.SparseTopKCategoricalAccuracy()):
        with pytest.raises(ValueError, match="y_true must have the shape of y_pred without its last axis"):
            metric.update_state(np.zeros(2, np.int64), np.zeros((3, 4), np.float32))
    with pytest.raises(ValueError, match=r"labels must be in \[0, 4\)"):
        metrics.SparseTopKCategoricalAccuracy().update_state([4], np.zeros((1, 4), np.float32))
    with pytest.raises(ValueError, match="threshold must be between 0 and 1"):
        metrics.BinaryAccuracy(threshold=2)


def test_functions_of_losses_are_metrics_too():
    rng = np.random.default_rng(5)
    y, p = rng.normal(size=(6, 3)), rng.normal(size=(6, 3))
    error = np.abs(y - p)
    expected = np.where(error <= 1, error**2 / 2, error - 0.5).mean()
    metric = metrics.get("huber")
    metric.update_state(y.astype("float32"), p.astype("float32"))
    assert metric.name == "huber"
    np.testing.assert_allclose(float(metric.result()), expected, rtol=1e-5)
    np.testing.assert_allclose(metrics.mean_squared_error(y, p).numpy(), ((y - p) ** 2).mean(-1), rtol=1e-6)
