"""Every loss and every metric that is the mean of one, against float64 NumPy: shapes, dtypes, weights, no samples."""
import numpy as np
import pytest
from loss_references import CLASSES, LOSSES, METRICS, values

from cytensor import losses, metrics
from cytensor.tape import GradientTape
from cytensor.tensor import asarray

EPS = np.finfo(np.float32).eps
EVERY = pytest.mark.parametrize("name", LOSSES)
EVERY_CLASS = pytest.mark.parametrize("name", CLASSES)


def drawn(name, shape, seed=0):
    source = np.random.default_rng(seed)
    reference, of_predictions, of_targets = LOSSES[name]
    return reference, values(source, of_targets, shape), values(source, of_predictions, shape)


def close(found, expected, of=np.float32, factor=64):
    """Whether values agree to so many roundings of their dtype, of the terms, which here are at least about 1."""
    found, expected = np.asarray(found, np.float64), np.asarray(expected)
    return found.shape == expected.shape and bool(
        (np.abs(found - expected) <= factor * np.finfo(of).eps * np.maximum(1, np.abs(expected))).all())


def test_the_references_name_every_loss():
    functions = {name for name in losses.__all__ if name.islower() and name not in ("get", "serialize", "deserialize")}
    classes = {name for name in losses.__all__ if not name.islower()} - {"Loss"}
    assert functions - {"sparse_categorical_crossentropy"} == set(LOSSES)
    assert classes - {"SparseCategoricalCrossentropy"} == set(CLASSES)


@EVERY
@pytest.mark.parametrize("shape", [(5, 3), (1, 4), (2, 3, 4), (6, 1)])
def test_functions_give_values_per_sample(name, shape):
    for dtype in (np.float32, np.float64):
        reference, t, p = drawn(name, shape)
        t, p = t.astype(dtype), p.astype(dtype)
        found = getattr(losses, name)(t, p)
        expected = reference(t.astype(np.float64), p.astype(np.float64))
        assert found.dtype == dtype and close(found, expected, dtype), dtype
        assert np.array_equal(losses.get(name)(t, p), found)


@EVERY
def test_halves_are_computed_in_float32(name):
    reference, t, p = drawn(name, (5, 3))
    t, p = t.astype(np.float16), p.astype(np.float16)
    found = getattr(losses, name)(t, p)
    assert found.dtype == np.float32
    assert close(found, reference(t.astype(np.float64), p.astype(np.float64)))


@pytest.mark.parametrize("name", ["MeanSquaredError", "SquaredHinge", "LogCosh", "MeanAbsoluteError", "Huber"])
def test_halves_beyond_the_squares_of_halves(name):
    """300^2 is more than a half can hold."""
    t, p = np.full((4, 2), -1, np.float16), np.full((4, 2), 300, np.float16)
    expected = LOSSES[CLASSES[name]][0](t.astype(np.float64), p.astype(np.float64)).mean()
    assert close(getattr(losses, name)()(t, p), expected)
    assert getattr(losses, name)(dtype="float64")(t, p).dtype == np.float64
    halved = getattr(losses, name)(dtype="float16")(t / 16, p / 16)
    assert halved.dtype == np.float16


@EVERY
def test_targets_may_be_integers_and_bools(name):
    reference, t, p = drawn(name, (5, 3))
    t, p = (t > 0.5), p.astype(np.float32)
    t[:, 0] = True
    expected = reference(t.astype(np.float64), p.astype(np.float64))
    for dtype in (np.bool_, np.int8, np.uint8, np.int64, np.float64):
        assert close(getattr(losses, name)(t.astype(dtype), p), expected, factor=2 ** 10), dtype


@EVERY_CLASS
def test_one_value_a_sample_either_way_round(name):
    """(n,) and (n, 1) mean the same, with weights of any shape that fits; the rest follows from the values."""
    if name == "CategoricalCrossentropy":
        pytest.skip("(n,) and (n,) are the classes of one sample, as in Keras")
    reference, t, p = drawn(CLASSES[name], (7, 1), 1)
    expected = reference(t, p)
    weights = np.random.default_rng(2).integers(1, 17, 7) / 8       # exact in float32, which lists become
    loss, plain = getattr(losses, name)(), getattr(losses, name)(reduction="none")
    for y_true in (t, t[:, 0]):
        for y_pred in (p, p[:, 0]):
            assert close(plain(y_true, y_pred), expected, np.float64)
            assert close(loss(y_true, y_pred), expected.mean(), np.float64)
            for given in (weights, weights[:, None], weights.tolist()):
                assert close(loss(y_true, y_pred, sample_weight=given), (expected * weights).mean(), np.float64)
            for given in (2.0, 2, np.float32(2)):
                assert close(loss(y_true, y_pred, sample_weight=given), 2 * expected.mean(), np.float64)


@EVERY_CLASS
def test_weights_that_sum_to_nothing_and_empty_batches(name):
    reference, t, p = drawn(CLASSES[name], (4, 3))
    for reduction in ("sum", "mean", "mean_with_sample_weight", "sum_over_batch_size"):
        loss = getattr(losses, name)(reduction=reduction)
        assert float(loss(t, p, sample_weight=np.zeros(4))) == 0.0, reduction
        assert float(loss(t[:0], p[:0])) == 0.0, reduction
        assert float(loss(t[:0], p[:0], sample_weight=np.zeros(0))) == 0.0, reduction
    weighted = getattr(losses, name)(reduction="mean_with_sample_weight")
    expected = reference(t, p)
    for weights in (np.array([1e-9, 0, 2e-9, 0]), np.full(4, 1e-12), np.arange(4.0)):
        assert close(weighted(t, p, sample_weight=weights), (expected * weights).sum() / weights.sum(), np.float64)
    assert close(weighted(t, p, sample_weight=3.0), expected.mean(), np.float64)
    assert getattr(losses, name)(reduction="none")(t[:0], p[:0]).shape == (0,)


@EVERY_CLASS
def test_dtype_is_what_a_loss_computes_in(name):
    reference, t, p = drawn(CLASSES[name], (5, 3))
    single = p.astype(np.float32)
    found = getattr(losses, name)(dtype="float64")(t, single)
    assert found.dtype == np.float64 and close(found, reference(t, single.astype(np.float64)).mean(), np.float64)
    assert getattr(losses, name)(dtype="float32")(t, p).dtype == np.float32
    assert getattr(losses, name)()(t, p).dtype == np.float64
    for wrong in ("int32", "bool"):
        with pytest.raises(TypeError, match=f"{name}: dtype must be one of float16, float32, float64"):
            getattr(losses, name)(dtype=wrong)


@EVERY
def test_a_nan_of_the_predictions_is_in_the_value_of_its_sample_alone(name):
    if name == "kl_divergence":
        pytest.skip("a NaN is clipped like any other prediction")
    _, t, p = drawn(name, (4, 3))
    p[2, 1] = np.nan
    found = getattr(losses, name)(t, p).numpy()
    assert np.isnan(found).tolist() == [False, False, True, False]


@pytest.mark.parametrize("name", METRICS)
def test_metrics_are_means_over_batches(name):
    function = METRICS[name]
    reference, t, p = drawn(function, (9, 1), 3)
    expected = reference(t, p)
    weights = np.random.default_rng(4).uniform(0, 2, 9)
    sign = -1 if name == "CosineSimilarity" else 1                # Keras: as a metric it is not negated
    for y_true, y_pred in ((t, p), (t[:, 0], p), (t, p[:, 0]), (t[:, 0], p[:, 0])):
        if name == "CategoricalCrossentropy" and y_true.shape == y_pred.shape == (9,):
            continue                   # the classes of one sample
        for given, mean in ((None, expected.mean()), (weights, (expected * weights).sum() / weights.sum()),
                            (weights[:, None], (expected * weights).sum() / weights.sum()), (2.0, expected.mean()),
                            (np.zeros(9), 0.0)):
            metric = getattr(metrics, name)()
            for part in (slice(0, 4), slice(4, 4), slice(4, None)):
                metric.update_state(y_true[part], y_pred[part], given[part] if np.ndim(given) else given)
            assert close(metric.result(), sign * mean), (y_true.shape, y_pred.shape, given)
    halves = getattr(metrics, name)()
    halves.update_state(t.astype(np.float16), p.astype(np.float16))
    assert close(halves.result(), sign * reference(t.astype(np.float16).astype(float), p.astype(np.float16).astype(
        float)).mean())


def test_gradients_at_halves_have_the_dtype_of_the_predictions():
    p = asarray(np.array([[3.0], [300.0]], np.float16))
    with GradientTape() as tape:
        tape.watch(p)
        loss = losses.MeanSquaredError()([[1.0], [0.0]], p)
    gradient = tape.gradient(loss, p)
    assert gradient.dtype == np.float16 and gradient.numpy().tolist() == [[2.0], [300.0]]
    assert float(loss) == (4 + 90000) / 2
