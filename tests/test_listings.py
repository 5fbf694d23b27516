"""Listings written for tensorflow and tensorflow.keras run here with their import lines changed, and nothing else.

The listings are in listings/, in the style of introductory texts, with the import lines of TensorFlow. The test
replaces `tensorflow` by `cytensor` in those lines, runs the listing on a slice of MNIST, and looks at what it computed.
"""

import re
from pathlib import Path

import numpy as np
import pytest

import cytensor as ct
from cytensor.datasets import mnist

LISTINGS = Path(__file__).parent / "listings"
IMPORT = re.compile(r"^(import|from) tensorflow\b", re.MULTILINE)
SLICE = 3000


def close(value, expected, tolerance=1e-5):
    np.testing.assert_allclose(np.asarray(value), expected, rtol=tolerance, atol=tolerance)


def tensors(ran):
    close(ran["v"], [[3.5], [1.5], [1.5]])
    close(ran["e"], [[4, 4], [4, 4]])
    close(ran["total"], 16)
    close(ran["mean"], [2, 3])
    close(ran["largest"], 4)
    close(ran["rounded"], [[0, 1], [1, 2]])
    close(ran["below"], [[2.5, 2.5], [3, 4]])
    assert ran["rounded"].dtype == np.int32 and ran["x"].dtype == np.float32
    assert np.all(np.asarray(ran["uniform"]) >= -2) and np.all(np.asarray(ran["uniform"]) < -1)
    close(ran["slope"], 6)
    close(ran["slope_of_constant"], 6)
    close(ran["speed"], 19.6)
    close(ran["acceleration"], 9.8)
    close(ran["grad_W"], np.asarray(ran["batch"]).sum(axis=0)[:, None] * np.ones((1, 2)))
    close(ran["grad_shift"], [2, 2])
    assert isinstance(ran["as_array"], np.ndarray)


def linear_classifier(ran):
    assert ran["losses"][-1] < 0.05 < ran["losses"][0]
    assert ran["accuracy"] > 0.97
    assert ran["line"].shape == (100,)


def mnist_dense(ran):
    assert ran["test_acc"] > 0.8
    assert isinstance(ran["predictions"], np.ndarray) and ran["predictions"].shape == (10, 10)
    close(ran["predictions"].sum(axis=1), np.ones(10))
    assert len(ran["history"].history["accuracy"]) == 3
    assert ran["history"].history["loss"][0] > ran["history"].history["loss"][2]
    assert isinstance(ran["test_loss"], float)


def from_scratch(ran):
    assert 3 < ran["losses"][0] < 10
    assert len(ran["losses"]) == 3 * 24 and ran["losses"][-1] < 2.5
    assert ran["matches"].shape == (1000,) and 0 < ran["accuracy"] < 1


def own_layer(ran):
    assert ran["output_tensor"].shape == (2, 32)
    assert ran["number_of_weights"] == 6
    close(np.asarray(ran["probabilities"]).sum(axis=1), [1, 1])


def linear_keras(ran):
    assert ran["keys"] == ["binary_accuracy", "loss", "val_binary_accuracy", "val_loss"]
    assert ran["loss_and_metrics"][1] > 0.93
    assert ran["predictions"].shape == (600, 1)
    close(ran["history"].history["val_loss"][-1], ran["loss_and_metrics"][0], 1e-4)


def reviews(ran):
    assert ran["results"][1] > 0.9
    assert len(ran["loss_values"]) == len(ran["val_loss_values"]) == len(ran["epochs"]) == 8
    assert ran["likely"].shape == (1000, 1) and 0 <= ran["likely"].min() <= ran["likely"].max() <= 1


def newswires(ran):
    assert ran["accuracy"] > 0.9 and ran["sparse_accuracy"] > 0.9
    assert "hits" in ran["record"].history
    close(ran["sums"], np.ones(300))


def houses(ran):
    assert len(ran["all_scores"]) == 4
    assert ran["test_mae_score"] < 5 and ran["average"] < 5
    assert ran["predictions"].shape == (80, 1)


def custom_loop(ran):
    assert ran["history"][-1]["accuracy"] > ran["history"][0]["accuracy"] > 0.5
    assert ran["history"][-1]["loss"] < ran["history"][0]["loss"]
    assert ran["test_accuracy"] > 0.87


def own_parts(ran):
    history = ran["history"].history
    assert sorted(history) == ["loss", "mae", "size"] and history["loss"][-1] < 0.2 < history["loss"][0]
    assert abs(history["size"][-1] - ran["y_train"].mean()) < 0.5
    assert ran["last_kernel"].min() >= 0
    wrong = np.eye(3)[ran["kinds"]] - ran["probabilities"]
    close(ran["rmse"], np.sqrt(np.sum(wrong**2) / len(wrong)))
    assert 0 < float(ran["penalty"]) < 0.1
    assert ran["status"].startswith("mean_loss: 0.") and " - mean_absolute_error: 0." in ran["status"]


def callbacks(ran):
    assert ran["losses"].epochs == len(ran["history"].history["val_loss"]) <= 25
    assert len(ran["losses"].per_batch_losses) == ran["losses"].epochs * 40
    close(ran["best_loss"], min(ran["history"].history["val_loss"]), 1e-4)


def graph_model(ran):
    assert list(ran["history"].history) == ["department_accuracy", "department_loss", "loss", "priority_loss",
                                            "priority_mean_absolute_error"]
    named = ran["named_history"].history
    assert named["val_department_accuracy"][-1] > 0.6 and named["priority_loss"][-1] < 0.01
    close(ran["results"]["loss"], 2 * ran["results"]["priority_loss"] + ran["results"]["department_loss"])
    assert ran["priority_preds"].shape == (640, 1) and ran["department_preds"].shape == (640, 4)
    assert ran["shapes"] == [(None, 1), (None, 4), (None, 3)]
    close(ran["mixed_output"].sum(axis=1), np.ones(3))
    assert ran["codings"][-1] < ran["codings"][0] and len(ran["autoencoder"].weights) == 4


def digit_convnet(ran):
    history = ran["history"].history
    assert history["accuracy"][-1] > 0.75 > history["accuracy"][0] and ran["test_acc"] > 0.7
    assert [one.shape[1:] for one in ran["activations"]] == [(26, 26, 16), (13, 13, 16), (13, 13, 32), (6, 6, 32)]
    assert np.all(np.diff(ran["climbed"]) > 0)
    assert ran["heatmap"].shape == (6, 6) and ran["heatmap"].max() > 0
    close(ran["preds"], ran["model"].predict(ran["test_images"][:1], verbose=0), 1e-4)


def wide_and_deep(ran):
    assert ran["rmse_test"] < 0.6 and abs(ran["rmse_test"] - ran["mse_test"] ** 0.5) < 1e-4
    history = ran["two_history"].history
    assert {"loss", "RootMeanSquaredError", "val_loss", "val_RootMeanSquaredError"} <= set(history)
    assert history["loss"][-1] < history["loss"][0] / 2
    assert ran["y_pred_main"].shape == ran["y_pred_aux"].shape == (3, 1)


def deep_networks(ran):
    assert ran["moving"] == [("gamma", True), ("beta", True), ("moving_mean", False), ("moving_variance", False)]
    assert ran["history"].history["val_accuracy"][-1] > 0.8
    for before, after in zip(ran["frozen"], ran["still"], strict=True):
        np.testing.assert_array_equal(before, after)
    assert not np.array_equal(ran["frozen"][0], ran["model_B_on_A"].layers[2].get_weights()[0])
    assert ran["history_B"].history["val_accuracy"][-1] > 0.55
    close(ran["schedule_history"].history["learning_rate"], 0.05 * 0.1 ** (np.arange(3) / 5))
    close(ran["plateau_history"].history["learning_rate"], [0.05, 0.05, 0.025, 0.0125])
    assert np.linalg.norm(ran["scheduled"].layers[1].get_weights()[0], axis=0).max() < 2.0001
    close(ran["finder"].rates, 1e-4 * 1.2 ** np.arange(32), 1e-3)
    assert len(ran["finder"].losses) == 32 and ran["y_std"].max() > 0
    assert set(np.unique(ran["sampled"])) == {0.0, 2.0} and ran["sampled"].std(axis=0).max() > 0


def custom_training(ran):
    close(ran["v"], [[100, 42, 0], [8, 10, 200]])
    close(ran["w"], [[3, 4], [0, 0], [1, 2]])
    history = ran["history"].history
    assert history["loss"][-1] < history["loss"][0] and history["huber_metric"][-1] < history["huber_metric"][0]
    close(ran["loaded"].predict(ran["X_train"], verbose=0), ran["model"].predict(ran["X_train"], verbose=0))
    assert ran["loaded"].layers[0].get_config()["activation"] == "relu"
    assert min(weight.min() for weight in ran["model"].layers[-1].get_weights()[:1]) >= 0
    assert sorted(ran["regressor_history"].history) == ["loss", "reconstruction_error"]
    close(ran["gradients"], [36, 10])
    assert [[None if one is None else float(one) for one in row] for row in ran["hessians"]] == [[6, 2], [2, None]]
    close(ran["better"], [1000])
    close(ran["better_gradient"], [1])
    assert ran["epoch_losses"][-1] < ran["epoch_losses"][0] / 2
    close(ran["cubes"], [8, 8])


CHECKS = {
    check.__name__: check
    for check in (
        tensors,
        linear_classifier,
        mnist_dense,
        from_scratch,
        own_layer,
        linear_keras,
        reviews,
        newswires,
        houses,
        custom_loop,
        own_parts,
        callbacks,
        graph_model,
        digit_convnet,
        wide_and_deep,
        deep_networks,
        custom_training,
    )
}


def test_every_listing_has_a_check():
    assert {path.stem for path in LISTINGS.glob("*.py")} == set(CHECKS)


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:save. 'own_parts.keras' was written as safetensors", "ignore:gradient. source 1")
def test_listing(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)                # some write files
    original = (LISTINGS / f"{name}.py").read_text()
    source = IMPORT.sub(r"\1 cytensor", original)
    assert source != original and "tensorflow" not in source
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    part = (x_train[:SLICE], y_train[:SLICE]), (x_test[:1000], y_test[:1000])
    monkeypatch.setattr(mnist, "load_data", lambda path=None: part)
    ct.set_seed(1)
    ran = {"__name__": "__main__"}
    exec(compile(source, f"{name}.py", "exec"), ran)
    CHECKS[name](ran)
