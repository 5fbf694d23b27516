"""What fit takes: lists, tensors, doubles, mapped files, bytes, generators and iterables."""

import numpy as np
import pytest
from small_models import classifier, data

from cytensor.models import Model
from cytensor.tensor import asarray


def test_lists_tensors_doubles_and_mapped_files(tmp_path):
    x, y = data()
    expected = classifier().fit(x, y, verbose=0, shuffle=True).history["loss"]
    mapped = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", x.dtype, x.shape)
    mapped[:] = x
    mapped.flush()
    for source in (x.tolist(), asarray(x), x.astype(np.float64), np.asfortranarray(x),
                   np.load(tmp_path / "x.npy", mmap_mode="r")):
        assert np.array_equal(classifier().fit(source, y, verbose=0).history["loss"], expected), type(source)
    assert np.array_equal(classifier().fit(x, y.tolist(), verbose=0).history["loss"], expected)


def test_bytes_are_cast_as_they_are_gathered():
    x = (np.arange(400) % 256).astype(np.uint8).reshape(100, 4)
    y = data()[1]
    a = classifier().fit(x, y, verbose=0).history["loss"]
    assert np.array_equal(a, classifier().fit(x.astype(np.float32), y, verbose=0).history["loss"])


def test_batches_do_not_change_when_kept():
    kept = []

    class Keeper(Model):
        def call(self, x):
            return x

        def train_step(self, data):
            kept.append((data[0], data[0].numpy().copy()))
            return {"loss": 0.0}

    model = Keeper()
    model.compile(loss="mse")
    model.fit(np.random.default_rng(0).random((64, 5)), np.zeros(64), batch_size=8, epochs=3, verbose=0)
    assert len(kept) == 24 and all(np.array_equal(batch, copy) for batch, copy in kept)


def test_generators_and_iterables():
    x, y = data()

    def batches(endless):
        while True:
            for start in range(0, 100, 25):
                yield x[start:start + 25], y[start:start + 25]
            if not endless:
                return

    expected = classifier().fit(x, y, batch_size=25, shuffle=False, verbose=0, epochs=2).history["loss"]
    history = classifier().fit(batches(True), steps_per_epoch=4, epochs=2, verbose=0).history["loss"]
    assert np.array_equal(history, expected)
    again = [(x[i:i + 25], y[i:i + 25]) for i in range(0, 100, 25)]

    class Dataset:
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return again[i]

    assert np.array_equal(classifier().fit(Dataset(), epochs=2, verbose=0).history["loss"], expected)
    model = classifier()
    assert np.allclose(model.evaluate(batches(False), verbose=0), model.evaluate(x, y, batch_size=25, verbose=0))
    assert np.allclose(model.predict((part for part, _ in again), verbose=0), model.predict(x, verbose=0))
    with pytest.warns(UserWarning, match="the data ended after 0 batches of epoch 2, at least one batch expected"):
        assert len(model.fit(batches(False), epochs=3, verbose=0).epoch) == 2
    with pytest.warns(UserWarning, match="the data ended after 4 batches of epoch 1, 6 steps expected"):
        model.fit(batches(False), steps_per_epoch=6, epochs=2, verbose=0)


def test_generators_that_yield_the_wrong_thing():
    x, y = data()
    for bad, message in ((lambda: iter([(x, y, y, y)]), "a batch must be x, .* got a tuple of 4 as batch 1"),
                         (lambda: iter([[x, y]]), "a batch must be x, .* got a list of 2 as batch 1"),
                         (lambda: iter([(x, y[:3])]), "fit, batch 1: all data must have the same number of samples")):
        with pytest.raises(ValueError, match=message):
            classifier().fit(bad(), verbose=0)
    with pytest.raises(ValueError, match="x yields whole batches, so y and sample_weight must not be given"):
        classifier().fit(iter([(x, y)]), y, verbose=0)
