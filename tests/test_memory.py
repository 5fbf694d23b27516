"""Memory over many fits and predicts, and with data far larger than it: flat. The long form is soak.py."""
import sys

import numpy as np
import pytest
from soak import resident, soak

import cytensor as ct
from cytensor import layers


@pytest.mark.slow
def test_many_fits_and_predicts_leave_nothing_behind():
    megabytes, tensors, objects = soak(30, 1000)
    assert megabytes < 4 and tensors <= 0 and objects < 300


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs sparse files and /proc")
@pytest.mark.slow
def test_mapped_arrays_larger_than_memory_are_read_batch_by_batch(tmp_path):
    """4 GB of images in a file that takes no space: what is not a batch is never held."""
    path = tmp_path / "images.dat"
    x = np.memmap(path, np.float32, "w+", shape=(1_000_000, 1000))
    x[:400:2] = 1
    y = np.zeros(1_000_000, np.uint8)
    y[:400:2] = 1
    model = ct.Sequential([layers.Dense(4, "relu"), layers.Dense(2, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x[:64], y[:64], verbose=0)
    before = resident()
    model.fit(x, y, batch_size=100, steps_per_epoch=20, verbose=0)
    model.fit(x, y, batch_size=100, steps_per_epoch=20, verbose=0, shuffle=False, validation_data=(x[-900:], y[-900:]))
    model.fit(x[:400], y[:400], batch_size=100, validation_split=0.5, verbose=0)
    assert model.evaluate(x[:4000], y[:4000], verbose=0)[1] > 0.7
    assert model.predict(x[:8000], verbose=0).shape == (8000, 2)
    assert model.predict(x, batch_size=100, steps=30, verbose=0).shape == (3000, 2)
    assert resident() - before < 40
