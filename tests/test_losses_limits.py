"""Losses at the edges: infinite logits and errors, halves, labels that are no classes."""
import math

import numpy as np
import pytest
from loss_references import LOSSES

from cytensor import losses, metrics, ops
from cytensor.tape import GradientTape
from cytensor.tensor import asarray

INF = math.inf


def with_gradient(function, t, p):
    p = asarray(np.asarray(p, np.float32))
    with GradientTape() as tape:
        tape.watch(p)
        values = function(np.asarray(t), p)
    return values.numpy(), tape.gradient(values, p).numpy()


def test_infinite_logits_of_yes_and_no():
    logits = [[INF], [-INF], [-INF], [INF], [INF], [-INF]]
    found, gradient = with_gradient(lambda t, p: losses.binary_crossentropy(t, p, from_logits=True),
                                    [[1.0], [0.0], [1.0], [0.0], [0.25], [0.25]], logits)
    assert found.tolist() == [0, 0, INF, INF, INF, INF]
    assert gradient[:, 0].tolist() == [0, 0, -1, 1, 0.75, -0.25]            # sigmoid(z) - t
    found, gradient = with_gradient(lambda t, p: losses.binary_crossentropy(t, p, from_logits=True),
                                    [[1.0, 0.0], [0.0, 1.0]], [[INF, 2.0], [0.0, 1.0]])
    assert np.allclose(found, [np.logaddexp(0, 2) / 2, (np.log(2) + np.logaddexp(0, -1)) / 2], rtol=1e-6)
    assert np.allclose(gradient, [[0, 1 / (1 + np.exp(-2)) / 2], [0.25, (1 / (1 + np.exp(-1)) - 1) / 2]], rtol=1e-6)
    found, gradient = with_gradient(lambda t, p: losses.binary_focal_crossentropy(t, p, from_logits=True),
                                    [[1.0], [0.0], [1.0], [0.0]], logits[:4])
    assert found.tolist() == [0, 0, INF, INF] and np.isfinite(gradient).all()


def test_the_gradient_of_yes_and_no_is_the_derivative():
    z, t = np.linspace(-6, 6, 13)[:, None], np.linspace(0, 1, 13)[:, None]
    x, y = asarray(z), asarray(t)
    with GradientTape() as outer:
        outer.watch([x, y])
        with GradientTape() as tape:
            tape.watch([x, y])
            values = losses.binary_crossentropy(y, x, from_logits=True)
        of_logits, of_targets = tape.gradient(values, [x, y])
    p = 1 / (1 + np.exp(-z))
    assert np.allclose(values, (np.logaddexp(0, z) - z * t)[:, 0], rtol=1e-12)
    assert np.allclose(of_logits, p - t, rtol=1e-12, atol=1e-15) and np.allclose(of_targets, -z)
    away = np.abs(z) > 0              # at 0 the formula has a corner in each of its terms
    assert np.allclose(outer.gradient(of_logits, x).numpy()[away], (p * (1 - p))[away], rtol=1e-12)


@pytest.mark.parametrize("sparse", [True, False])
def test_infinite_logits_of_classes(sparse):
    labels = [0, 1, 0, 1, 2, 0, 0]
    logits = [[INF, 0, 0], [INF, 0, 0], [-INF, 0, 0], [-INF, 0, 0], [-INF, -INF, 0], [-INF] * 3, [0, -INF, 0]]
    expected = [0, INF, INF, math.log(2), 0, math.nan, math.log(2)]
    function = losses.sparse_categorical_crossentropy if sparse else losses.categorical_crossentropy
    targets = labels if sparse else np.eye(3, dtype=np.float32)[labels]
    found, gradient = with_gradient(lambda t, p: function(t, p, from_logits=True), targets, logits)
    assert np.allclose(found, expected, equal_nan=True, rtol=1e-6)
    assert np.isfinite(gradient).all()
    assert np.allclose(gradient[3], [0, -0.5, 0.5]) and np.allclose(gradient[6], [-0.5, 0, 0.5])
    masked = [2, 3, 4, 6]
    found, gradient = with_gradient(lambda t, p: function(t, ops.softmax(p)), np.asarray(targets)[masked],
                                    np.asarray(logits)[masked])
    assert np.allclose(found, np.asarray(expected)[masked], rtol=1e-6)
    assert np.allclose(gradient[1], [0, -0.5, 0.5]) and np.isfinite(gradient[1:]).all()


def test_infinite_scores_of_margins():
    assert with_gradient(losses.categorical_hinge, np.eye(3)[[0, 1, 2]], [[1, -INF, 0], [1, -INF, 0], [INF, 0, 0]]
                         )[0].tolist() == [0, INF, INF]
    for name in ("hinge", "squared_hinge"):
        found, gradient = with_gradient(getattr(losses, name), [[1.0], [1.0], [0.0]], [[INF], [-INF], [INF]])
        assert found.tolist() == [0, INF, INF] and not np.isnan(gradient).any()


@pytest.mark.parametrize(("name", "slope"), [("huber", 1), ("log_cosh", 1), ("mean_absolute_error", 1)])
def test_infinite_errors(name, slope):
    found, gradient = with_gradient(getattr(losses, name), [[1.0], [1.0], [0.0]], [[INF], [-INF], [1e30]])
    assert found.tolist() == [INF, INF, pytest.approx(1e30)]
    assert gradient[:, 0].tolist() == [slope, -slope, slope]


def test_other_infinities():
    assert with_gradient(losses.poisson, [[2.0]], [[INF]])[0].tolist() == [INF]
    assert with_gradient(losses.mean_squared_logarithmic_error, [[0.0]], [[-INF]])[0].tolist() == [0.0]
    large = with_gradient(losses.cosine_similarity, [[3e25, 4e25]], [[4e30, 3e30]])
    assert np.allclose(large[0], -0.96) and np.isfinite(large[1]).all()


def test_log_cosh_of_small_errors():
    """cosh of 1e-4 rounds to 1 in float32."""
    for dtype, errors in ((np.float32, [1e-4, 3e-3, 0.1, 0.999, 1.0, 1.001, 5.0, 50.0, 1e4]),
                          (np.float64, [1e-8, 1e-4, 0.5, 1.0, 700.0, 1e4])):
        e = np.array(errors, dtype)[:, None]
        wide = e.astype(np.longdouble)
        expected = np.where(wide < 20, np.log1p(2 * np.sinh(np.minimum(wide, 20) / 2) ** 2), wide - np.log(2))[:, 0]
        assert np.allclose(losses.log_cosh(0 * e, -e).numpy(), expected.astype(float), rtol=8 * np.finfo(dtype).eps)
    slopes = with_gradient(losses.log_cosh, [[0.0]] * 3, [[0.0], [-0.5], [2.0]])[1][:, 0]
    assert np.allclose(slopes, np.tanh([0.0, -0.5, 2.0]), rtol=1e-6)


@pytest.mark.parametrize("name", ["categorical_crossentropy", "sparse_categorical_crossentropy"])
def test_a_softmax_of_halves_remembers_its_logits(name):
    """A probability of exp(-20) is no half; its logarithm is -20."""
    logits = asarray(np.array([[0, 20, -3], [1, 2, 3]], np.float16))
    targets = [0, 2] if name[0] == "s" else np.eye(3, dtype=np.float32)[[0, 2]]
    with GradientTape() as tape:
        tape.watch(logits)
        values = getattr(losses, name)(targets, ops.softmax(logits))
        loss = ops.sum(values)
    z = logits.numpy().astype(float)
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    assert values.dtype == np.float32 and np.allclose(values, -np.log(p[[0, 1], [0, 2]]), rtol=1e-6)
    gradient = tape.gradient(loss, logits)
    assert gradient.dtype == np.float16 and np.allclose(gradient, p - np.eye(3)[[0, 2]], atol=1e-3)
    found = getattr(losses, name)(targets, logits, from_logits=True)
    assert found.dtype == np.float32 and np.allclose(found, -np.log(p[[0, 1], [0, 2]]), rtol=1e-6)


# -- labels -----------------------------------------------------------------------------------------------------------
OF_SHARES = [losses.binary_crossentropy, losses.binary_focal_crossentropy, losses.BinaryCrossentropy(),
             losses.BinaryCrossentropy(from_logits=True), losses.BinaryFocalCrossentropy(), losses.compiled("ce"),
             *(getattr(metrics, name)() for name in (
                 "BinaryCrossentropy", "BinaryAccuracy", "AUC", "Precision", "Recall", "TruePositives",
                 "TrueNegatives", "FalsePositives", "FalseNegatives")), metrics.get("accuracy"), metrics.get("ce"),
             metrics.binary_accuracy]


@pytest.mark.parametrize("function", OF_SHARES, ids=lambda function: getattr(function, "__name__", repr(function)))
def test_targets_of_yes_and_no_lie_between_0_and_1(function):
    predictions = np.full((3, 1), 0.5, np.float32)
    for bad, said in (([-1, 1, 1], "-1"), ([0, 2, 1], "2"), ([0, 1, np.nan], "nan"), ([0, 1, 1.001], "1.001")):
        for y_true in (np.array(bad), np.array(bad)[:, None]):
            with pytest.raises(ValueError, match=rf"targets must be between 0 and 1; got {said}[.0]* at position \d"):
                function(y_true, predictions)
    for good in ([0, 1, 1], [False, True, True], np.array([0, 1, 1], np.uint8), [0.0, 0.25, 1.0]):
        function(good, predictions)


@pytest.mark.parametrize("name", ["Precision", "Recall", "TruePositives", "TrueNegatives", "FalsePositives",
                                  "FalseNegatives", "AUC"])
def test_counts_refuse_logits(name):
    for bad in ([0.5, 1.5], [-0.1, 0.2], [np.nan, 0.5], [math.inf, 0]):
        with pytest.raises(ValueError, match=rf"predictions must be between 0 and 1; got {bad[bad[0] == 0.5]}"):
            getattr(metrics, name)().update_state([0, 1], bad)
    getattr(metrics, name)().update_state([0, 1], [0.0, 1.0])


def test_the_largest_scores_may_be_logits():
    scores = np.array([[3.0, -5.0, 1.0], [-2.0, -1.0, -9.0]], np.float32)
    for name, expected in (("Precision", 0.5), ("Recall", 0.5)):
        metric = getattr(metrics, name)(top_k=1)
        metric.update_state([[1, 0, 0], [1, 0, 0]], scores)
        assert float(metric.result()) == expected, name
        with pytest.raises(ValueError, match=r"predictions must be between 0 and 1; got 3\.0"):
            getattr(metrics, name)(top_k=1, thresholds=0.5).update_state([[1, 0, 0], [1, 0, 0]], scores)


OF_LABELS = [losses.sparse_categorical_crossentropy, losses.SparseCategoricalCrossentropy(),
             losses.SparseCategoricalCrossentropy(from_logits=True), losses.compiled("ce"),
             metrics.SparseCategoricalAccuracy(), metrics.SparseTopKCategoricalAccuracy(),
             metrics.SparseCategoricalCrossentropy(), metrics.get("accuracy"), metrics.get("ce"),
             lambda t, p: losses.sparse_categorical_crossentropy(t, ops.softmax(asarray(p)))]


@pytest.mark.parametrize("function", OF_LABELS)
def test_labels_are_classes(function):
    predictions = np.full((3, 4), 0.25, np.float32)
    for bad in ([0, 1, 4], [0, -1, 2], [0, 1, 10**12], np.array([0, 255, 1], np.uint8), [0.0, 4.0, 1.0]):
        with pytest.raises(ValueError, match=r"labels must (be|lie) in \[0, 4\); got "):
            function(bad, predictions)
    for bad in ([0, 1, 1.5], [0, np.nan, 2], [0, 1, np.inf], [0, 1, 1e30]):
        with pytest.raises(TypeError, match=r"labels must be integers; got .* at position [12]"):
            function(bad, predictions)
    for good in ([0, 1, 3], [[0], [1], [3]], [0.0, 1.0, 3.0], np.array([0, 1, 1], bool)):
        function(good, predictions)


def test_a_class_that_is_ignored_may_be_any_and_all_may_be():
    for ignored in (-1, 255):
        loss = losses.SparseCategoricalCrossentropy(ignore_class=ignored)
        p = np.array([[0.5, 0.5], [0.25, 0.75], [0.9, 0.1]], np.float32)
        assert float(loss([ignored] * 3, p)) == 0.0
        assert np.isclose(float(loss([0, ignored, ignored], p)), math.log(2))
        assert np.isclose(float(loss([0, ignored, ignored], p, sample_weight=2.0)), 2 * math.log(2))
        with pytest.raises(ValueError, match=r"labels must be in \[0, 2\); got -2 at position 2"):
            loss([0, ignored, -2], p)


def test_soft_labels_are_legal():
    t, p = np.array([[0.3], [0.9]]), np.array([[0.4], [0.6]])
    assert np.allclose(losses.binary_crossentropy(t, p), LOSSES["binary_crossentropy"][0](t, p), rtol=1e-12)
