"""Names of Keras that are not here: the reason, wherever they are asked for, and the same as in docs/keras.md."""
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cytensor as ct
from cytensor import keras
from cytensor.absent import ABSENT

PAGE = Path(__file__).parent.parent / "docs" / "keras.md"


def raised(statement, kind):
    with pytest.raises(kind) as caught:
        exec(statement, {"ct": ct})
    assert type(caught.value) is kind
    return str(caught.value)


@pytest.mark.parametrize(("module", "name", "reason"), [
    ("layers", "GRU", "recurrence, attention: not there yet"), ("layers", "LSTM", "not there yet"),
    ("layers", "ConvLSTM2D", "not there yet"),
    ("layers", "TextVectorization", "done before training"), ("layers", "RandomFlip", "done before training"),
    ("losses", "Dice", "for sequences, retrieval and segmentation"),
    ("metrics", "PrecisionAtRecall", "to be computed from predictions"),
    ("optimizers", "Ftrl", "for large models"), ("callbacks", "RemoteMonitor", "sends to a server"),
    ("initializers", "STFT", "for audio"), ("activations", "glu", "attention"),
    ("utils", "text_dataset_from_directory", "done before training"),
    ("data", "Dataset", "arrays, a generator or a PyDataset"),
    ("models", "Functional", "Model(inputs, outputs), and from_config of the class"),
])
def test_the_reason_is_given(module, name, reason):
    named = raised(f"ct.{module}.{name}", AttributeError)
    assert named.startswith(f"module 'cytensor.{module}' has no attribute '{name}'; ") and named.endswith(reason)
    assert raised(f"from cytensor.{module} import {name}", ImportError) == named
    if module != "data":
        assert raised(f"from cytensor.keras.{module} import {name}", ImportError) == named
    assert not hasattr(importlib.import_module(f"cytensor.{module}"), name)


def test_names_of_the_package_itself():
    assert raised("ct.signal", AttributeError).endswith("do it before training")
    assert raised("from cytensor import distribute", ImportError).endswith(
        "ct.distribution trains on several processes")
    assert raised("from cytensor.keras import applications", ImportError).endswith("for other models than are here")


def test_other_names_get_the_nearest():
    assert raised("ct.layers.Dese", AttributeError) == (
        "module 'cytensor.layers' has no attribute 'Dese'; did you mean 'Dense'?")
    assert raised("from cytensor.optimizers import Adamm", ImportError).endswith("did you mean 'Adam'?")
    assert raised("ct.layers.Zebra", AttributeError).endswith("docs/keras.md lists what there is")
    assert raised("ct.layers._private", AttributeError) == "module 'cytensor.layers' has no attribute '_private'"


@pytest.mark.slow
def test_a_script_that_imports_what_is_absent():
    done = subprocess.run([sys.executable, "-c", "from cytensor.keras.layers import Dense, LSTM"], check=False,
                          capture_output=True, text=True)
    assert "ImportError: module 'cytensor.layers' has no attribute 'LSTM'; recurrence" in done.stderr
    assert subprocess.run([sys.executable, "-c", "from cytensor.layers import *; Dense; import cytensor.layers as l; "
                           "getattr(l, 'LSTM', None)"], check=False, capture_output=True).returncode == 0


def test_nothing_listed_is_there():
    for area, groups in ABSENT.items():
        module = ct if not area else importlib.import_module(f"cytensor.{area}")
        present = {*module.__all__, *(keras.ops.__all__ if area == "ops" else ())}
        for group in groups:
            assert not present & set(group.names.split()), (area, group.label)
            assert group.reason and group.label and group.names


def test_the_docs_say_the_same():
    cells = {}
    for line in PAGE.read_text(encoding="utf-8").split("| Of | Left out")[0].splitlines():
        parts = [part.strip() for part in line.split("|")[1:-1]]
        if len(parts) == 3 and re.fullmatch(r"`[\w.]+`", parts[0]):
            cells[parts[0].strip("`")] = parts[2]
    assert {area: "; ".join(map(str, groups)) for area, groups in ABSENT.items() if area not in ("", "data")} == cells


class Halves(ct.layers.Layer):
    @property
    def half(self):
        return self.missing / 2

    @property
    def export(self):
        return self.missing

    def call(self, x):
        return x


@pytest.mark.parametrize(("make", "name", "reason"), [
    (ct.Sequential, "quantize", "models run here as they are; save writes them to a file"),
    (ct.Model, "predict_classes", "predict(x).argmax(axis=-1), or predict(x) > 0.5 for one probability"),
    (ct.Sequential, "fit_generator", "fit, evaluate and predict take generators"),
    (lambda: ct.layers.Dense(1), "get_output_at", "input and output are those of the first call on a symbolic tensor"),
])
def test_methods_that_are_absent(make, name, reason):
    found = make()
    assert not hasattr(found, name)
    with pytest.raises(AttributeError, match=re.escape(
            f"'{type(found).__name__}' object has no attribute '{name}'; {reason}") + "$"):
        getattr(found, name)


def test_other_errors_of_attributes_stay_what_they_are():
    for name in ("missing", "half", "export"):
        with pytest.raises(AttributeError, match=r"'Halves' object has no attribute 'missing'$"):
            getattr(Halves(), name)
    with pytest.raises(AttributeError, match="has no attribute '__array__'"):
        Halves().__array__()
