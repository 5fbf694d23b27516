"""What a user meets before reading anything: names in dir(), reprs, the word of another library."""
import importlib
import pickle
import re
import subprocess
import sys
import types

import numpy as np
import pytest

import cytensor as ct
from cytensor import callbacks, layers

PUBLIC = ["activations", "callbacks", "constraints", "datasets", "datasets.boston_housing",
          "datasets.california_housing", "datasets.cifar10", "datasets.cifar100", "datasets.fashion_mnist",
          "datasets.imdb", "datasets.mnist", "datasets.reuters",
          "distribution", "dtype_policies", "fft", "initializers", "keras", "layers", "linalg",
          "losses", "metrics", "mixed_precision", "models", "nn", "optimizers",
          "optimizers.schedules", "plots",
          "random", "regularizers", "saving", "utils"]


def test_dir_shows_what_the_package_offers_and_no_inner_module():
    names = dir(ct)
    assert set(names) == {*ct.__all__, "sklearn", "__version__"}
    modules = {name for name in names if name != "sklearn" and isinstance(getattr(ct, name), types.ModuleType)}
    assert modules <= {*PUBLIC, "ops", "math", "cross_entropy"}


@pytest.mark.parametrize("name", PUBLIC)
def test_dir_of_a_public_module_shows_what_it_offers(name):
    module = importlib.import_module(f"cytensor.{name}")
    names = dir(module)
    assert names == sorted(module.__all__) and len(set(names)) == len(names)
    for entry in names:
        assert not isinstance(getattr(module, entry), types.ModuleType) or f"{name}.{entry}" in PUBLIC or \
            name in ("keras", "optimizers")
    assert not {"np", "registry", "base", "sys", "math"} & set(names)


def test_names_that_are_public_elsewhere_are_not_lost():
    for path in ("initializers.glorot_uniform", "regularizers.l2", "constraints.max_norm", "optimizers.schedules",
                 "keras.layers", "layers.Dense", "utils.to_categorical"):
        module, _, name = path.rpartition(".")
        assert name in dir(importlib.import_module(f"cytensor.{module}"))


def test_tensor_is_the_word_of_pytorch():
    source = np.array([1, 2])
    x = ct.tensor(source, dtype="float32")
    source[0] = 9
    assert isinstance(x, ct.Tensor) and x.numpy().tolist() == [1, 2] and x.dtype == np.float32
    assert ct.tensor([[1., 2.]]).shape == (1, 2)
    module = importlib.import_module("cytensor.tensor")
    assert module.Tensor is ct.Tensor and callable(ct.tensor)
    assert pickle.loads(pickle.dumps(x)).numpy().tolist() == [1, 2]
    code = "import cytensor.tensor, cytensor.layers, cytensor as ct; print(ct.tensor([3]).item())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "3\n"


def trained():
    model = ct.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model.fit(np.zeros((4, 2)), np.zeros((4, 1)), epochs=3, verbose=0)


def test_a_history_shows_its_epochs_and_last_values():
    history = trained()
    history.history = {"loss": [0.5, 0.25], "val_loss": [2.0]}
    assert repr(history) == "<History of 3 epochs, loss 0.25, val_loss 2>"
    assert repr(callbacks.History()) == "<History of 0 epochs>"
    history.history = {"recall": [[0.5, 0.5]]}
    assert repr(history) == "<History of 3 epochs, recall>"


def schedule(epoch):
    return 0.1


class Mine(callbacks.Callback):
    pass


class Keeping(callbacks.Callback):
    def __init__(self, path, *, often=1):
        self.path = path


@pytest.mark.parametrize(("callback", "text"), [
    (callbacks.EarlyStopping("loss", patience=3), "<EarlyStopping monitor='loss', patience=3>"),
    (callbacks.ModelCheckpoint("a.safetensors", save_best_only=True),
     "<ModelCheckpoint filepath='a.safetensors', save_best_only=True>"),
    (callbacks.LearningRateScheduler(schedule), "<LearningRateScheduler schedule=schedule>"),
    (callbacks.LambdaCallback(on_epoch_end=print), "<LambdaCallback on_epoch_end=print>"),
    (callbacks.TerminateOnNaN(), "<TerminateOnNaN>"), (Mine(), "<Mine>"),
    (Keeping("x", often=2), "<Keeping path='x', often=2>"),
    (callbacks.CallbackList([Mine(), callbacks.History()]), "<CallbackList [<Mine>, <History of 0 epochs>]>"),
])
def test_a_callback_shows_what_it_was_made_with(callback, text):
    assert repr(callback) == text


def test_what_else_has_a_state_shows_it():
    with ct.GradientTape(persistent=True) as tape:
        x = ct.Variable(2.)
        y = x * x
        assert repr(tape) == "<GradientTape recording, 1 records, persistent>"
    assert repr(tape) == "<GradientTape not recording, 1 records, persistent>"
    tape.gradient(y, x)
    with ct.GradientTape() as tape:
        y = x * x
    tape.gradient(y, x)
    assert re.fullmatch(r"<GradientTape used, \d records>", repr(tape))

    class Data(ct.utils.PyDataset):
        def __len__(self):
            return 7

    assert repr(Data()) == "<Data of 7 batches>" and repr(ct.utils.PyDataset()) == "<PyDataset>"
