"""The order of the samples goes with the model: copies and files train on as the original would have."""
import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
from small_models import Interrupt, Interrupted, data

import cytensor as ct
from cytensor import layers
from cytensor.models import load_model

OPTIONS = {"batch_size": 8, "verbose": 0}


def model_with_noise(seed=3):
    ct.set_seed(seed)
    model = ct.Sequential([layers.Input((4,)), layers.Dense(6, "relu"), layers.Dropout(0.3), layers.GaussianNoise(0.1),
                           layers.GaussianDropout(0.1), layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def fit(model, epochs, first=0, **options):
    model.fit(*data(), epochs=epochs, initial_epoch=first, **OPTIONS, **options)
    return model


def are_equal(a, b):
    return all(np.array_equal(one, other) for one, other in zip(a.get_weights(), b.get_weights(), strict=True))


def by_file(model, folder):
    model.save(folder / "m.safetensors")
    return load_model(folder / "m.safetensors")


COPIES = {"a file": by_file, "pickle": lambda model, folder: pickle.loads(pickle.dumps(model)),
          "deepcopy": lambda model, folder: copy.deepcopy(model),
          "a copy of a copy": lambda model, folder: pickle.loads(pickle.dumps(by_file(model, folder)))}


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("before", [0, 1, 2])
def test_a_copy_trains_as_the_original(copied, before, tmp_path):
    model = model_with_noise()
    for _ in range(before):
        fit(model, 1)
    other = copied(model, tmp_path)
    between = ct.Sequential([layers.Dropout(0.5), layers.Dense(3, "softmax")])     # does not matter
    between.compile("sgd", "sparse_categorical_crossentropy")
    fit(between, 1)
    assert are_equal(fit(fit(model, 2), 1), fit(fit(other, 2), 1))


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.slow
def test_a_copy_in_another_process_trains_as_the_original(before, tmp_path):
    model = model_with_noise()
    for _ in range(before):
        fit(model, 2)
    model.save(tmp_path / "m.safetensors")
    (tmp_path / "m.pickle").write_bytes(pickle.dumps(model))
    np.savez(tmp_path / "data.npz", *data())
    code = """
import pickle, sys, numpy as np, cytensor as ct
folder = sys.argv[1]
x, y = np.load(folder + "/data.npz").values()
for model in (ct.models.load_model(folder + "/m.safetensors"), pickle.load(open(folder + "/m.pickle", "rb"))):
    model.fit(x, y, epochs=2, batch_size=8, verbose=0)
    print(b"".join(weight.tobytes() for weight in model.get_weights()).hex())
"""
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    expected = b"".join(weight.tobytes() for weight in fit(model, 2).get_weights()).hex()
    assert run.stdout.split() == [expected, expected]


@pytest.mark.parametrize("steps", [None, 5, 7, 20])
def test_training_in_parts_is_training_at_once(steps, tmp_path):
    """Of 13 batches a pass: the parts begin inside of a pass where an epoch has fewer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cytensor.data.arrays.warn", lambda message: None)          # of the end of the data
        whole = fit(model_with_noise(), 4, steps_per_epoch=steps)
        parts = fit(fit(model_with_noise(), 1, steps_per_epoch=steps), 2, 1, steps_per_epoch=steps)
        assert are_equal(fit(by_file(parts, tmp_path), 4, 2, steps_per_epoch=steps), whole)
        assert are_equal(fit(parts, 4, 2, steps_per_epoch=steps), whole)


class Batches(ct.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, i):
        x, y = data()
        return x[10 * i:10 * i + 10], y[10 * i:10 * i + 10]


@pytest.mark.parametrize("steps", [None, 2, 3])
@pytest.mark.filterwarnings("ignore:fit. the data ended")
def test_datasets_are_read_on(steps):
    whole, parts = model_with_noise(), model_with_noise()
    whole.fit(Batches(), epochs=4, steps_per_epoch=steps, verbose=0)
    for first in (0, 1, 3):
        parts.fit(Batches(), epochs={0: 1, 1: 3, 3: 4}[first], initial_epoch=first, steps_per_epoch=steps, verbose=0)
    assert are_equal(whole, parts)


def orders(model, epochs, first=0):
    """The samples of each epoch, in the order in which they were seen."""
    seen = []
    call = type(model).call
    x = np.arange(12, dtype=np.float32)[:, None]
    type(model).call = lambda self, x: (seen.extend(x.numpy()[:, 0].astype(int).tolist()), call(self, x))[1]
    try:
        model.fit(x, x, epochs=epochs, initial_epoch=first, batch_size=5, verbose=0)
    finally:
        type(model).call = call
    return [seen[start:start + 12] for start in range(0, len(seen), 12)]


class Line(ct.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)

    def call(self, x):
        return self.dense(x)


def line():
    model = Line()
    model.compile("sgd", "mse")
    return model


def test_every_epoch_and_every_training_has_an_order_of_its_own():
    ct.set_seed(1)
    model = line()
    seen = orders(model, 3) + orders(model, 3)
    assert len({tuple(order) for order in seen}) == 6 and all(sorted(order) == list(range(12)) for order in seen)


def test_an_epoch_of_a_training_has_one_order():
    ct.set_seed(1)
    model = line()
    first, second = orders(model, 4), orders(model, 4)
    assert orders(model, 4, 2) == second[2:] and orders(model, 3, 1) == second[1:3] and first != second


def test_set_seed_and_scope_start_the_order_anew():
    model = line()
    ct.set_seed(1)
    first, second = orders(model, 2), orders(model, 2)
    for expected in (first, second):
        if expected is first:
            ct.set_seed(1)
        assert orders(model, 2) == expected
    with ct.random.scope(1):
        assert orders(model, 2) == first
    ct.set_seed(2)
    assert orders(model, 2) != first
    ct.set_seed(1)
    copied = copy.deepcopy(model)
    assert orders(copied, 2) == orders(model, 2) == first


def test_set_seed_starts_noise_anew():
    x = np.ones((4, 50), np.float32)
    for layer in (layers.Dropout(0.5), layers.GaussianNoise(1.0), layers.GaussianDropout(0.5)):
        layer(x, training=True)
        ct.set_seed(6)
        first = layer(x, training=True).numpy()
        assert not np.array_equal(layer(x, training=True).numpy(), first)
        ct.set_seed(6)
        assert np.array_equal(layer(x, training=True).numpy(), first)
    layer = layers.Dropout(0.5, seed=1)            # one's own seed is not the process's
    first = layer(x, training=True).numpy()
    ct.set_seed(6)
    assert not np.array_equal(layer(x, training=True).numpy(), first)


def test_models_of_one_seed_train_alike_in_any_order():
    first, second = model_with_noise(), model_with_noise()
    built = model_with_noise(5)
    built.set_weights(first.get_weights())
    ct.set_seed(3)                                 # it counts for all that trains from here on
    assert are_equal(fit(built, 2), fit(second, 2)) and are_equal(fit(first, 2), second)


def test_a_file_without_the_order_is_loaded(tmp_path):
    """As earlier versions wrote it."""
    import json

    from cytensor.saving import models as saving
    model = fit(model_with_noise(), 1)
    model.save(tmp_path / "m")
    tensors, metadata = saving.read_file(tmp_path / "m")
    document = json.loads(metadata["document"])
    del document["shuffling"]
    saving.write_file(tmp_path / "m", tensors, {**metadata, "document": json.dumps(document)})
    assert are_equal(model, load_model(tmp_path / "m"))
    document["shuffling"] = {"seed": -1}
    saving.write_file(tmp_path / "m", tensors, {**metadata, "document": json.dumps(document)})
    with pytest.raises(ValueError, match=r"load_model: .* is damaged or of another model: shuffling"):
        load_model(tmp_path / "m")


def test_a_resumed_training_goes_on_in_later_fits(tmp_path):
    path = tmp_path / "checkpoint"
    expected = fit(fit(model_with_noise(), 3), 2)
    with pytest.raises(Interrupted):
        fit(model_with_noise(), 3, resume=path, callbacks=[Interrupt(30)])
    assert are_equal(fit(fit(model_with_noise(77), 3, resume=path), 2), expected)
