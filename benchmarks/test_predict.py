"""Prediction with 784-512-10, NumPy arrays in and out: one row, where only the overhead counts, and ten thousand."""

import numpy as np
import pytest

import cytensor as ct
from cytensor import layers

from .peers import installed, torch

INPUTS, HIDDEN, CLASSES = 784, 512, 10


def predict_in_pytorch(x):
    """A call of the module, as PyTorch has no `predict`."""
    if torch is None:
        return None
    module = torch.nn.Sequential(
        torch.nn.Linear(INPUTS, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, CLASSES), torch.nn.Softmax(1)
    )

    def predict():
        with torch.no_grad():
            return module(torch.from_numpy(x)).numpy()

    return predict


@pytest.mark.parametrize("rows", [1, 10_000])
def test_predict(compare, process, rows):
    x = np.random.default_rng(0).random((rows, INPUTS), np.float32)
    model = ct.Sequential([layers.Dense(HIDDEN, activation="relu"), layers.Dense(CLASSES, activation="softmax")])
    model(ct.asarray(x[:1]))
    theirs = {"PyTorch, no_grad": predict_in_pytorch(x)}
    for name, backend in (("TensorFlow", "tensorflow"), ("JAX", "jax")):
        if installed("Keras") and installed(name):
            theirs[f"Keras on {name}"] = process("predict", rows, KERAS_BACKEND=backend)
    compare(
        "Inference 784-512-10, NumPy in and out",
        f"predict, {rows} {'row' if rows == 1 else 'rows'}",
        lambda: model.predict(x, verbose=0),
        theirs,
    )
