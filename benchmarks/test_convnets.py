"""One training step of convolutional networks, by `train_on_batch` of arrays: forward, loss, backward, update by Adam.

PyTorch's in either memory format, with the foreach optimizer, and Keras's on JAX in a process of its own.
"""

import pytest

import cytensor as ct

from .networks import NETWORKS, step_as_keras, step_in_pytorch
from .peers import installed, torch

TABLE = "Training step of convolutional networks, float32"
# The works by the networks' names.
WORKS = {
    "convnet": "Conv 32, pool, Conv 64, pool, Conv 128, Flatten, Dense 10 on 64 x 28 x 28 x 1",
    "separable": "Conv 32 + BN, Separable 64 + BN, pool, Conv 128, global mean on 64 x 32 x 32 x 3",
    "series": "Conv1D(32, 5), global mean on 256 x 120 x 14",
}


@pytest.mark.parametrize("name", WORKS)
def test_training_step(compare, process, name):
    theirs = {}
    if torch:
        theirs["PyTorch"] = step_in_pytorch(torch, name)
        if len(NETWORKS[name][1]) == 4:                     # a memory format of images alone
            theirs["PyTorch, channels_last"] = step_in_pytorch(torch, name, channels_last=True)
    if installed("Keras") and installed("JAX"):
        theirs["Keras on JAX"] = process("train_step", name, KERAS_BACKEND="jax")
    compare(TABLE, WORKS[name], step_as_keras(ct, name), theirs, rounds=9)
