"""Losses and metrics of one's own: functions and subclasses get targets and predictions of one shape; hints."""
import warnings

import numpy as np
import pytest

from cytensor import layers, losses, metrics, ops, optimizers
from cytensor.models import Sequential
from cytensor.tensor import asarray

RNG = np.random.default_rng(0)
Y, P = RNG.standard_normal(6).astype(np.float32), RNG.standard_normal(6).astype(np.float32)
ONES = [(Y, P[:, None]), (Y[:, None], P), (Y[:, None], P[:, None]), (Y, P), (Y.tolist(), P[:, None].tolist())]


def squares(y_true, y_pred):
    return (y_true - y_pred) ** 2


class Squares(losses.Loss):
    def call(self, y_true, y_pred):
        return squares(y_true, y_pred)


class Replaced(losses.MeanSquaredError):
    """Of the package's class, with a `call` of its own."""

    def call(self, y_true, y_pred):
        return squares(y_true, y_pred)


class MeanSquare(metrics.Metric):
    def __init__(self, name="mean_square", **kwargs):
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight(name="total")
        self.samples = self.add_weight(name="samples")

    def update_state(self, y_true, y_pred, sample_weight=None):
        values = squares(y_true, y_pred)
        self.total.assign_add(ops.sum(values))
        self.samples.assign_add(values.size)

    def result(self):
        return self.total / self.samples


class Forwarding(MeanSquare):
    def update_state(self, *args, **kwargs):
        super().update_state(*args, **kwargs)


class MeanOf(metrics.Mean):
    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(squares(y_true, y_pred), sample_weight)


@pytest.mark.parametrize("make", [
    lambda: losses.compiled(squares), Squares, Replaced, lambda: losses.compiled(lambda t, p: ops.mean(squares(t, p))),
    lambda: metrics.get(squares), lambda: metrics.MeanMetricWrapper(squares), MeanSquare, MeanOf, Forwarding])
def test_one_value_a_sample(make):
    for y_true, y_pred in ONES:
        assert np.isclose(float(make()(y_true, y_pred)), np.mean((Y - P) ** 2), rtol=1e-5), np.shape(y_true)
        for found in (make()(y_true=y_true, y_pred=y_pred), make()(y_true, y_pred=y_pred)):
            assert np.isclose(float(found), np.mean((Y - P) ** 2), rtol=1e-5), np.shape(y_true)


@pytest.mark.parametrize("make", [lambda: losses.compiled(squares), Squares])
def test_weights_of_one_value_a_sample(make):
    weights = np.arange(6, dtype=np.float32)
    for y_true, y_pred in ONES:
        for given in (weights, weights[:, None]):
            assert np.isclose(float(make()(y_true, y_pred, sample_weight=given)), np.mean((Y - P) ** 2 * weights))
    for metric in (metrics.get(squares), MeanOf()):
        metric.update_state(Y, P[:, None], sample_weight=weights)
        assert np.isclose(float(metric.result()), np.average((Y - P) ** 2, weights=weights), rtol=1e-5)


def test_a_function_learns_as_the_loss_of_its_name():
    x = RNG.standard_normal((64, 3)).astype(np.float32)
    y = x @ np.array([1.0, -2.0, 0.5], np.float32)
    found = []
    for loss in ("mse", squares, Squares(), lambda t, p: ops.mean(ops.square(t - p), axis=-1)):
        model = Sequential([layers.Input((3,)), layers.Dense(1)])
        model.set_weights([np.zeros((3, 1), np.float32), np.zeros(1, np.float32)])
        model.compile(optimizers.SGD(0.1), loss, metrics=[squares, MeanSquare()], weighted_metrics=[squares])
        logs = model.fit(x, y, epochs=20, batch_size=16, shuffle=False, verbose=0).history
        found.append(logs["loss"])
        assert np.allclose(logs["squares"], logs["mean_square"], rtol=1e-5)
        assert np.allclose(logs["weighted_squares"], logs["squares"])
    assert found[0][-1] < 0.05 and all(np.allclose(found[0], other, rtol=1e-4) for other in found[1:])


@pytest.mark.parametrize("crossing", [
    lambda t, p: (t - p[:, 0]) ** 2, lambda t, p: ops.mean((t - p[:, 0]) ** 2), lambda t, p: ops.mean(
        ops.square(ops.squeeze(p) - t)), lambda t, p: (t[:, None] - p) ** 2,
    lambda t, p: ops.mean(ops.abs(t[:, None] - p)), lambda t, p: ops.max(t * ops.reshape(p, (-1,)))])
def test_samples_against_samples_are_an_error(crossing):
    for y_true, y_pred in ((Y, P[:, None]), (Y[:, None], P)):
        for call in (losses.compiled(crossing), metrics.get(crossing), metrics.MeanMetricWrapper(crossing)):
            with pytest.raises(ValueError, match=r"must keep samples apart.*y_true \(6, 1\), y_pred \(6, 1\), together "
                                                 r"\(6, 6"):
                call(y_true, y_pred)


def test_as_many_samples_as_classes_are_an_error_where_they_broadcast():
    square = RNG.random((4, 4)).astype(np.float32)
    for y_true in (np.arange(4), np.arange(4.0)):
        with pytest.raises(ValueError, match=r"must keep samples apart.*got y_true \(4,\), y_pred \(4, 4\)"):
            losses.compiled(squares)(y_true, square)
    with pytest.raises(ValueError, match="must keep samples apart"):
        losses.compiled(squares)(RNG.random((4, 4)), RNG.random((4, 4, 1)))


def test_functions_of_labels_get_labels():
    for samples in (4, 5):                                             # as many as classes, and not
        p = RNG.dirichlet(np.ones(4), samples).astype(np.float32)
        labels = RNG.integers(0, 4, samples)
        expected = -np.log(p[np.arange(samples), labels]).mean()
        for function in (losses.sparse_categorical_crossentropy,
                         lambda t, p: losses.sparse_categorical_crossentropy(t, p),
                         lambda t, p: -ops.sum(ops.one_hot(t, 4) * ops.log(p), axis=-1),
                         lambda t, p: ops.mean(losses.SparseCategoricalCrossentropy()(t, p))):
            for call in (losses.compiled(function), metrics.get(function)):
                assert np.isclose(float(call(labels, p)), expected, rtol=1e-5)
        found = losses.compiled(lambda t, p: asarray(p.numpy()[np.arange(len(t)), t.numpy()]))(labels, p)
        assert np.isclose(float(found), p[np.arange(samples), labels].mean())


def test_functions_may_broadcast_within_a_sample():
    """Several quantiles of one target; targets with a second column that the function takes apart."""
    several = RNG.random((5, 3)).astype(np.float32)
    t = RNG.random((5, 1)).astype(np.float32)
    assert np.isclose(float(losses.compiled(squares)(t, several)), np.mean((t - several) ** 2))
    packed = RNG.random((5, 2)).astype(np.float32)
    found = losses.compiled(lambda t, p: t[:, 1:] * (t[:, :1] - p) ** 2)(packed, several[:, :1])
    assert np.isclose(float(found), np.mean(packed[:, 1:] * (packed[:, :1] - several[:, :1]) ** 2))
    pairs = losses.compiled(lambda t, p: ops.mean((p - ops.permute_dims(p, (1, 0))) ** 2))(Y, P[:, None])
    assert np.isclose(float(pairs), np.mean((P[:, None] - P) ** 2), rtol=1e-5)      # of predictions alone


def test_targets_of_functions_have_the_dtype_of_the_predictions():
    """uint8 labels of 0 minus 1 are 255, and True is no number."""
    labels = np.array([0, 1, 1])
    p = np.array([[0.25], [0.5], [1.0]], np.float32)
    for dtype in (np.uint8, np.int64, np.bool_, np.float64):
        for call in (losses.compiled(lambda t, p: ops.abs(2 * t - 1 - p)),
                     metrics.get(lambda t, p: ops.abs(2 * t - 1 - p))):
            assert np.isclose(float(call(labels.astype(dtype), p)), np.mean([1.25, 0.5, 0.0])), dtype
    halves = np.array([[300.0]], np.float16)
    assert float(losses.compiled(squares)([[0.0]], halves)) == 90000.0
    assert float(metrics.get(squares)([0.0], halves)) == 90000.0
    assert losses.compiled(squares)([[0.0]], halves).dtype == np.float32


def test_a_dtype_is_what_a_loss_of_ones_own_computes_in():
    seen = []

    class Noting(losses.Loss):
        def call(self, y_true, y_pred):
            seen.append((y_true.dtype, y_pred.dtype))
            return squares(y_true, y_pred)

    assert Noting(dtype="float64")([1], np.float32([2])).dtype == np.float64
    assert Noting(dtype="float16")([1], np.float32([2])).dtype == np.float16
    assert Noting()([1], np.float32([2])).dtype == np.float32
    assert [np.dtype(p).name for _, p in seen] == ["float64", "float32", "float32"]
    assert all(t == p for t, p in seen)


def test_names_of_functions_mean_functions():
    t, p = np.zeros((2, 2), np.float32), np.array([[1, 2], [3, 4]], np.float32)
    for name in ("mse", "MSE", "mean_squared_error"):
        assert losses.get(name) is losses.mean_squared_error
    assert losses.get("mse")(t, p).tolist() == [2.5, 12.5]
    assert losses.get("huber") is losses.huber and losses.get("bce") is losses.binary_crossentropy
    assert losses.get("sparse_categorical_crossentropy") is losses.sparse_categorical_crossentropy
    assert type(losses.get("MeanSquaredError")) is losses.MeanSquaredError
    assert losses.get(squares) is squares and losses.get(None) is None
    assert type(losses.compiled("mse")) is losses.MeanSquaredError


def test_metrics_of_something_else_get_it_as_it_is():
    seen = []

    class Noting(metrics.Metric):
        def update_state(self, first, second=None, **options):
            seen.append((first, second, options))

        def result(self):
            return 0.0

    for call in ((2.5, 3), ("a", "b"), (None, None), ({"a": 1}, {"b": 2})):
        Noting().update_state(*call)
        assert seen[-1] == (*call, {})
    Noting().update_state(2.5, extra=1)
    assert seen[-1] == (2.5, None, {"extra": 1})
    Noting().update_state([1.0, 2.0], [[1.0], [2.0]], extra=1)
    assert [x.shape for x in seen[-1][:2]] == [(2, 1)] * 2 and seen[-1][2] == {"extra": 1}


# -- metrics inside ---------------------------------------------------------------------------------------------------
def test_metrics_of_a_loss_and_of_a_layer_are_the_models():
    class Counting(losses.Loss):
        def __init__(self):
            super().__init__()
            self.inner = [metrics.Mean(name="largest_error")]

        def call(self, y_true, y_pred):
            self.inner[0].update_state(ops.max(ops.abs(y_true - y_pred)))
            return squares(y_true, y_pred)

    model = Sequential([layers.Input((1,)), layers.Dense(1)])
    model.compile("sgd", Counting())
    logs = model.fit(np.ones((8, 1)), np.zeros(8), epochs=2, batch_size=4, verbose=0).history
    assert model.metrics_names == ["loss", "largest_error"] and len(logs["largest_error"]) == 2
    assert float(model.loss.inner[0].count) == 2                        # batches of the last epoch


# -- hints ------------------------------------------------------------------------------------------------------------
def warned(activation, loss, units):
    model = Sequential([layers.Input((3,)), layers.Dense(units, activation=activation)])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.compile("sgd", loss)
        model.train_on_batch(np.ones((2, 3)), np.array([0, 1]))
    assert all(one.filename == __file__ for one in caught)
    return {str(one.message) for one in caught}


@pytest.mark.parametrize(("activation", "loss", "units", "message"), [
    ("softmax", "binary_crossentropy", 1, "a softmax over one value, which is always 1; activation='sigmoid' is meant"),
    ("softmax", losses.BinaryFocalCrossentropy(), 1, "a softmax over one value, which is always 1"),
    ("softmax", losses.SparseCategoricalCrossentropy(from_logits=True), 2, "are a softmax and from_logits=True takes"),
    ("sigmoid", losses.BinaryCrossentropy(from_logits=True), 1, "ends in a sigmoid and 'binary_crossentropy' has from"),
    ("sigmoid", losses.BinaryFocalCrossentropy(from_logits=True), 1, "ends in a sigmoid and"),
    ("sigmoid", "binary_crossentropy", 1, None), ("softmax", "sparse_categorical_crossentropy", 2, None),
    (None, losses.BinaryCrossentropy(from_logits=True), 1, None),
])
def test_outputs_that_the_loss_cannot_mean(activation, loss, units, message):
    found = warned(activation, loss, units)
    assert (not found) if message is None else (len(found) == 1 and message in found.pop())


def test_a_forgotten_flatten_is_named():
    for call, shape in ((losses.sparse_categorical_crossentropy, (3, 28, 10)), (metrics.get("acc"), (3, 28, 10)),
                        (losses.mean_squared_error, (3, 28, 1)), (losses.BinaryCrossentropy(), (3, 5, 1))):
        with pytest.raises(ValueError, match=r"the axes \(\d+, \d+\) of each sample: is a Flatten layer missing"):
            call(np.zeros(3, np.int64), np.full(shape, 0.5, np.float32))


def test_the_loss_for_the_labels_is_named():
    p = np.full((3, 4), 0.25, np.float32)
    for labels in ([0, 1, 2], [[0], [1], [2]]):
        with pytest.raises(ValueError, match="integer class labels go with sparse_categorical_crossentropy"):
            losses.CategoricalCrossentropy()(labels, p)
    with pytest.raises(ValueError, match="one-hot targets go with categorical_crossentropy"):
        losses.SparseCategoricalCrossentropy()(np.eye(4)[:3], p)


def test_reprs_say_what_is_held():
    for made, said in ((losses.Huber(2.0), "<Huber name=huber_loss, delta=2.0>"),
                       (losses.MeanSquaredError(), "<MeanSquaredError name=mean_squared_error>"),
                       (losses.MeanAbsoluteError("sum", dtype="float64"),
                        "<MeanAbsoluteError name=mean_absolute_error, reduction='sum', dtype='float64'>"),
                       (metrics.AUC(curve="PR"), "<AUC name=auc, curve='PR'>"), (metrics.Mean("m"), "<Mean name=m>"),
                       (Squares(), "<Squares name=squares>"), (MeanSquare(), "<MeanSquare name=mean_square>")):
        assert repr(made) == said
    assert "squares" in repr(losses.compiled(squares)) and "squares" in repr(metrics.get(squares))
