"""Losses: values, reductions and gradients of Keras; shapes that must agree; labels that must be classes."""
import numpy as np
import pytest
from golden import inputs, stored

from cytensor import losses, ops
from cytensor.autodiff.tape import GradientTape
from cytensor.tensor import asarray


def test_values_and_gradients_equal_keras():
    for name, arguments, expected in stored.cases("losses"):
        y_true, y_pred = inputs.targets_and_predictions(name, arguments)
        loss, plain = getattr(losses, name)(**arguments), getattr(losses, name)(reduction="none", **arguments)
        assert stored.close(plain(y_true, y_pred), expected["values"], 64), (name, arguments)
        weighted = loss(y_true, y_pred, sample_weight=inputs.weights(len(y_pred)))
        assert stored.close(weighted, expected["weighted"], 64), (name, arguments)
        y_pred = asarray(y_pred)
        with GradientTape() as tape:
            tape.watch(y_pred)
            value = loss(y_true, y_pred)
        assert stored.close(value, expected["reduced"], 64), (name, arguments)
        scale = np.abs(expected["gradient"]).max()
        assert stored.close(tape.gradient(value, y_pred), expected["gradient"], 64, scale), (name, arguments)


def test_reductions():
    y_true, y_pred = np.zeros((4, 2), np.float32), np.arange(8, dtype=np.float32).reshape(4, 2)
    values = (y_pred ** 2).mean(axis=1)
    weights = np.array([1, 0, 2, 1], np.float32)
    expected = {"none": values * weights, None: values * weights, "sum": (values * weights).sum(),
                "sum_over_batch_size": (values * weights).mean(), "mean": (values * weights).mean(),
                "mean_with_sample_weight": (values * weights).sum() / weights.sum()}
    for reduction, value in expected.items():
        loss = losses.MeanSquaredError(reduction=reduction)
        assert np.allclose(loss(y_true, y_pred, sample_weight=weights), value, rtol=1e-6), reduction
    with pytest.raises(ValueError, match=r"reduction: unknown name 'meen'; known are .*; did you mean 'mean'"):
        losses.MeanSquaredError(reduction="meen")


def test_one_value_a_sample_agrees_either_way_round():
    a, b = np.array([1, 2, 4], np.float32), np.array([0, 2, 1], np.float32)
    expected = np.array([1, 0, 9], np.float32)
    for y_true in (a, a[:, None]):
        for y_pred in (b, b[:, None]):
            assert np.array_equal(losses.MeanSquaredError(reduction="none")(y_true, y_pred), expected)
            assert np.isclose(float(losses.MeanSquaredError()(y_true, y_pred)), 10 / 3)
    assert np.array_equal(losses.mean_squared_error(a, b[:, None]), expected)


def test_sample_weights_of_one_value_a_sample():
    loss = losses.MeanSquaredError()
    assert np.isclose(float(loss([1.0, 2.0], [0.0, 0.0], sample_weight=[1.0, 0.0])), 0.5)
    assert np.isclose(float(loss([1.0, 2.0], [0.0, 0.0], sample_weight=[[1.0], [0.0]])), 0.5)


@pytest.mark.parametrize("name", ["mean_squared_error", "mean_absolute_error", "binary_crossentropy", "huber", "hinge",
                                  "categorical_crossentropy", "poisson", "kl_divergence", "cosine_similarity"])
def test_never_broadcasts(name):
    function = getattr(losses, name)
    for a, b in (((3,), (3, 3)), ((1, 3), (3, 3)), ((3, 1), (3, 3)), ((3, 3), (3,)), ((2, 3), (3, 2)), ((), (3,)),
                 ((1,), (3,)), ((4, 3), (4, 3, 1))):
        with pytest.raises(ValueError, match="must have the same shape; got y_true") as caught:
            function(np.ones(a, np.float32), np.ones(b, np.float32))
        assert str(a) in str(caught.value) and str(b) in str(caught.value)


def test_wrong_labels():
    p = np.full((3, 4), 0.25, np.float32)
    for loss in (losses.SparseCategoricalCrossentropy(), losses.SparseCategoricalCrossentropy(from_logits=True)):
        for bad in ([0, 1, 4], [0, -1, 2], [0, 1, 10 ** 12]):
            with pytest.raises(ValueError, match=r"label|indices must lie"):
                loss(bad, p)
        with pytest.raises(TypeError, match=r"labels must be integers; got 1\.5 at position 1"):
            loss([0.0, 1.5, 2.0], p)
        with pytest.raises(ValueError, match=r"y_true must have the shape of y_pred without its last axis; "
                                             r"got y_true \(2,\), y_pred \(3, 4\)"):
            loss([0, 1], p)
        with pytest.raises(ValueError, match="one-hot targets go with categorical_crossentropy"):
            loss(np.eye(4, dtype=np.float32)[:3], p)
        with pytest.raises(ValueError, match="one probability per sample goes with binary_crossentropy"):
            loss([0, 1, 1], p[:, 0])
        assert np.allclose(float(loss([0.0, 1.0, 2.0], p)), np.log(4))
        assert np.allclose(float(loss(np.array([[0], [1], [2]], np.uint8), p)), np.log(4))


def test_softmax_output_is_stable_and_clipped_elsewhere():
    logits = asarray(np.array([[1e4, 0.0], [-1e4, 0.0]], np.float32))
    loss = losses.SparseCategoricalCrossentropy(reduction="none")
    assert np.allclose(loss([1, 0], ops.softmax(logits)), [1e4, 1e4])
    assert np.allclose(loss([1, 0], ops.softmax(logits).numpy()), -np.log(1e-7), rtol=1e-5)
    assert np.isfinite(np.asarray(losses.binary_crossentropy([[0.0], [1.0]], [[1.0], [0.0]]))).all()


def test_binary_crossentropy_at_logits_of_zero():
    z = asarray(np.zeros((1, 2), np.float32))
    with GradientTape() as tape:
        tape.watch(z)
        loss = losses.binary_crossentropy([[0.0, 1.0]], z, from_logits=True)
    assert tape.gradient(loss, z).numpy().tolist() == [[0.25, -0.25]]


def test_names_functions_and_own_losses():
    for name, cls in (("mse", losses.MeanSquaredError), ("MSE", losses.MeanSquaredError),
                      ("mae", losses.MeanAbsoluteError),
                      ("sparse_categorical_crossentropy", losses.SparseCategoricalCrossentropy),
                      ("SparseCategoricalCrossentropy", losses.SparseCategoricalCrossentropy),
                      ("kl_divergence", losses.KLDivergence), ("huber", losses.Huber)):
        assert type(losses.compiled(name)) is cls
    y_true, y_pred = np.zeros((2, 2), np.float32), np.ones((2, 2), np.float32)
    assert float(losses.compiled(losses.mean_squared_error)(y_true, y_pred)) == 1.0

    class Largest(losses.Loss):
        def call(self, y_true, y_pred):
            return ops.max(ops.abs(y_true - y_pred), axis=-1)

    assert float(Largest()(y_true, y_pred)) == 1.0
    assert float(losses.compiled(lambda t, p: ops.sum(p - t, axis=-1))(y_true, y_pred)) == 2.0
    with pytest.raises(ValueError, match=r"loss: unknown name 'mean_square_error'.*did you mean 'mean_squared_error'"):
        losses.get("mean_square_error")
    with pytest.raises(ValueError, match="loss: unknown name") as caught:
        losses.get("wrapped_function")
    assert "wrapped" not in str(caught.value).split("known are")[1]
    with pytest.raises(TypeError, match=r"loss: expected a name, a Loss or a function; got 3 \(int\)"):
        losses.get(3)
    with pytest.raises(ValueError, match="label_smoothing must be between 0 and 1; got 2"):
        losses.CategoricalCrossentropy(label_smoothing=2)


def test_sample_weight_of_another_shape():
    with pytest.raises(ValueError, match=r"sample_weight must have the shape of the per-sample values or of their "
                                         r"leading axes; got sample_weight \(3,\), values \(2,\)"):
        losses.MeanSquaredError()(np.zeros((2, 2)), np.zeros((2, 2)), sample_weight=np.ones(3))
