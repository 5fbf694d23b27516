"""Intersection over union, and areas under curves for several labels: by their definitions, and as Keras."""
import numpy as np
import pytest

import cytensor as ct
from cytensor import metrics

RNG = np.random.default_rng(5)


def by_definition(true, found, classes, weights=None):
    """One class after the other, by sets of places; NaN for a class that is nowhere."""
    weights = np.ones(true.shape) if weights is None else weights
    with np.errstate(invalid="ignore"):
        return np.array([(weights * ((true == c) & (found == c))).sum() / (weights * ((true == c) | (found == c))).sum()
                         for c in classes])


def test_iou_by_its_definition():
    true, found = RNG.integers(0, 4, (2, 3, 5, 6)), RNG.integers(0, 4, (2, 3, 5, 6))
    weights = RNG.uniform(size=true.shape)
    for given in (None, weights):
        metric, mean = metrics.IoU(4, [0, 2]), metrics.MeanIoU(4)
        for part in range(2):                              # two batches
            for one in (metric, mean):
                one.update_state(true[part], found[part], None if given is None else given[part])
        np.testing.assert_allclose(float(metric.result()), by_definition(true, found, (0, 2), given).mean(), rtol=1e-6)
        np.testing.assert_allclose(float(mean.result()), by_definition(true, found, range(4), given).mean(), rtol=1e-6)


def test_classes_that_are_nowhere_and_those_that_do_not_count():
    metric = metrics.MeanIoU(5)
    assert float(metric.result()) == 0.0
    metric.update_state([0, 1, 1], [0, 1, 0])
    np.testing.assert_allclose(float(metric.result()), (1 / 2 + 1 / 2) / 2)
    ignoring = metrics.MeanIoU(3, ignore_class=255)
    ignoring.update_state([0, 255, 2, 255], [0, 1, 1, 2])
    np.testing.assert_allclose(float(ignoring.result()), (1 + 0 + 0) / 3)
    metric.reset_state()
    assert float(metric.result()) == 0.0


def test_one_hot_and_scores():
    true, scores = RNG.integers(0, 3, (4, 6)), RNG.uniform(size=(4, 6, 3)).astype("f4")
    expected = by_definition(true, scores.argmax(-1), range(3)).mean()
    one_hot = np.eye(3)[true]
    for metric, y in ((metrics.OneHotMeanIoU(3), one_hot), (metrics.OneHotIoU(3, [0, 1, 2]), one_hot),
                      (metrics.MeanIoU(3, sparse_y_pred=False), true)):
        metric.update_state(y, scores)
        np.testing.assert_allclose(float(metric.result()), expected, rtol=1e-6)
    first = metrics.OneHotIoU(3, [1], axis=1)
    first.update_state(np.moveaxis(one_hot, -1, 1), np.moveaxis(scores, -1, 1))
    np.testing.assert_allclose(float(first.result()), by_definition(true, scores.argmax(-1), [1])[0], rtol=1e-6)
    binary, edge = metrics.BinaryIoU(threshold=0.25), np.array([0.0, 0.25, 0.3])
    binary.update_state([0, 1, 0], edge)                   # the threshold itself is class 1
    np.testing.assert_allclose(float(binary.result()), (1 / 2 + 1 / 2) / 2)


def test_in_fit_and_in_files(tmp_path):
    x, y = RNG.normal(size=(40, 4)).astype("f4"), RNG.integers(0, 3, 40)
    model = ct.Sequential([ct.layers.Input((4,)), ct.layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=[metrics.MeanIoU(3, sparse_y_pred=False)])
    history = model.fit(x, y, verbose=0).history
    assert 0 <= history["mean_io_u"][-1] <= 1
    model.save(tmp_path / "m.safetensors")
    loaded = ct.models.load_model(tmp_path / "m.safetensors")
    assert loaded.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)


@pytest.mark.parametrize("curve", ["ROC", "PR"])
def test_areas_of_several_labels(curve):
    true, scores = RNG.integers(0, 2, (30, 3)), RNG.uniform(size=(30, 3))
    each = []
    for label in range(3):
        one = metrics.AUC(curve=curve)
        one.update_state(true[:, label], scores[:, label])
        each.append(float(one.result()))
    for weights in (None, [1.0, 0.0, 3.0]):
        metric = metrics.AUC(curve=curve, multi_label=True, num_labels=3 if weights else None, label_weights=weights)
        metric.update_state(true[:11], scores[:11])
        metric.update_state(true[11:], scores[11:])
        np.testing.assert_allclose(float(metric.result()), np.average(each, weights=weights), rtol=1e-6)
    metric, again = (metrics.AUC(curve=curve, multi_label=True) for _ in range(2))
    metric.update_state(true, scores)
    again.check_state(metric.get_state(), "metric")
    again.set_state(metric.get_state())
    np.testing.assert_allclose(float(again.result()), np.mean(each), rtol=1e-6)
    again.reset_state()
    assert float(again.result()) == 0.0


def test_label_weights_of_one_area():
    true, scores, weights = RNG.integers(0, 2, (30, 3)), RNG.uniform(size=(30, 3)), np.array([1.0, 2.0, 0.5])
    metric = metrics.AUC(label_weights=weights)
    metric.update_state(true, scores)
    single = metrics.AUC()
    single.update_state(true.ravel(), scores.ravel(), np.broadcast_to(weights, (30, 3)).ravel())
    assert float(metric.result()) == float(single.result())



def test_wrong_labels_are_named():
    with pytest.raises(ValueError, match="y_true must be classes in \\[0, 3\\); got 3; ignore_class"):
        metrics.MeanIoU(3).update_state([0, 3], [0, 1])
    with pytest.raises(ValueError, match="y_pred must be classes in \\[0, 3\\); got -1"):
        metrics.MeanIoU(3).update_state([0, 2], [0, -1])
    with pytest.raises(ValueError, match="same shape"):
        metrics.MeanIoU(3).update_state([0, 2, 1], [0, 1])
    with pytest.raises(ValueError, match=r"must be class numbers; got 0\.5"):
        metrics.MeanIoU(3).update_state([0], [0.5])
    with pytest.raises(ValueError, match="3 classes along axis -1"):
        metrics.OneHotMeanIoU(3).update_state([[0, 1]], [[0, 1]])
    with pytest.raises(ValueError, match=r"y_pred must be \(n, 2\)"):
        metrics.AUC(multi_label=True, num_labels=2).update_state([[0, 1, 1]], [[0.5, 0.2, 0.1]])


def test_as_keras():
    keras = pytest.importorskip("keras")
    true, scores = RNG.integers(0, 3, (2, 4, 5)), RNG.uniform(size=(2, 4, 5, 3)).astype("f4")
    cases = [("IoU", {"num_classes": 3, "target_class_ids": [0, 2], "sparse_y_pred": False}, true, scores),
             ("MeanIoU", {"num_classes": 3, "ignore_class": 1, "sparse_y_pred": False}, true, scores),
             ("OneHotIoU", {"num_classes": 3, "target_class_ids": [1]}, np.eye(3, dtype="f4")[true], scores),
             ("OneHotMeanIoU", {"num_classes": 3}, np.eye(3, dtype="f4")[true], scores),
             ("BinaryIoU", {"threshold": 0.4}, true % 2, scores[..., 0]),
             ("AUC", {"multi_label": True, "thresholds": [0.1, 0.4, 0.7]}, true.reshape(-1, 2) % 2,
              scores[..., 0].reshape(-1, 2)),
             ("AUC", {"multi_label": True, "num_labels": 2, "label_weights": [1.0, 3.0], "thresholds": [0.3, 0.6]},
              true.reshape(-1, 2) % 2, scores[..., 0].reshape(-1, 2))]
    for name, given, y, p in cases:
        ours, theirs = getattr(metrics, name)(**given), getattr(keras.metrics, name)(**given)
        for metric in (ours, theirs):
            metric.update_state(y, p)
        np.testing.assert_allclose(float(ours.result()), float(theirs.result()), rtol=1e-5, err_msg=name)
