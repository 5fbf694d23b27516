"""Every public name of the installed Keras: here, or refused with a reason that docs/keras.md gives too."""
import importlib
import os
from pathlib import Path

import pytest

from cytensor import keras
from cytensor.absent import ABSENT, EVERYWHERE

PAGE = Path(__file__).parent.parent / "docs" / "keras.md"
AREAS = ["", "activations", "backend", "callbacks", "constraints", "datasets", "dtype_policies", "initializers",
         "layers", "losses", "metrics", "mixed_precision", "models", "ops", "ops.linalg", "ops.nn", "ops.numpy",
         "optimizers", "optimizers.schedules", "preprocessing", "random", "regularizers", "saving", "utils"]


def reason(area, name):
    """The group that lists the name, as the error finds it."""
    area = {"preprocessing": "utils"}.get(area, area.partition(".")[0] if area.startswith("ops") else area)
    return next((group for group in (*ABSENT.get(area, ()), *EVERYWHERE) if name in group.names.split()), None)


@pytest.mark.slow
@pytest.mark.parametrize("area", AREAS)
def test_every_name_is_here_or_has_a_reason(area):
    os.environ.setdefault("KERAS_BACKEND", "torch")
    theirs = pytest.importorskip("keras")
    ours = keras
    for part in filter(None, area.split(".")):
        theirs = getattr(theirs, part)
        ours = getattr(ours, part)
    names = [name for name in dir(theirs) if not name.startswith("_") and name != "src"]
    missing = [name for name in names if not hasattr(ours, name) and reason(area, name) is None]
    assert names and not missing


def test_the_page_gives_the_reasons_of_the_top_level():
    text = PAGE.read_text(encoding="utf-8")
    for group in ABSENT[""]:
        assert f"| {group.label} | {group.reason} |" in text


@pytest.mark.parametrize(("statement", "reason"), [
    ("from cytensor.keras import applications", "for other models than are here"),
    ("from cytensor.keras import quantizers", "for other models than are here"),
    ("from cytensor.keras.ops import fft", "NumPy's, before training"),
    ("from cytensor.keras.random import gamma", "NumPy's generators draw them"),
    ("from cytensor.keras.utils import audio_dataset_from_directory", "done before training"),
    ("from cytensor.keras.preprocessing import text_dataset_from_directory", "done before training"),
])
def test_what_is_missing_says_why(statement, reason):
    with pytest.raises(ImportError) as caught:
        exec(statement, {})
    assert str(caught.value).endswith(reason)


def test_modules_of_keras_are_reached_by_import():
    for name in ("ops", "config", "random", "saving", "mixed_precision", "backend"):
        assert importlib.import_module(f"cytensor.keras.{name}") is getattr(keras, name)
    assert tuple(map(int, keras.__version__.split(".")[:2])) >= (3, 0) and keras.version() == keras.__version__


def test_variables_as_in_keras():
    v = keras.Variable(initializer="zeros", shape=(2, 3), dtype="float64", trainable=False, name="v")
    assert v.shape == (2, 3) and v.dtype.name == "float64" and not v.trainable and v.name == "v"
    assert keras.Variable("ones", (2,)).numpy().tolist() == [1.0, 1.0]
    assert keras.Variable(initializer=[1.0, 2.0]).numpy().tolist() == [1.0, 2.0]
    assert keras.Variable(initializer=keras.initializers.Constant(3.0), shape=()).numpy() == 3.0
    with pytest.raises(ValueError, match="values must have the given shape"):
        keras.Variable(initializer=[1.0, 2.0], shape=(3,))


def test_seed_generators():
    seeds = keras.random.SeedGenerator(7)
    first, second = (keras.random.normal((4,), seed=seeds).numpy().tolist() for _ in range(2))
    again = keras.random.normal((4,), seed=keras.random.SeedGenerator(7)).numpy().tolist()
    assert first != second and first == again
    kept = keras.random.dropout([1.0] * 50, 0.5, seed=seeds).numpy()
    assert set(kept.tolist()) == {0.0, 2.0}


def test_dtypes_of_the_backend():
    backend = keras.backend
    assert backend.result_type("int32", "float32") == "float32" and backend.standardize_dtype(None) == "float32"
    assert backend.is_float_dtype("bfloat16") and backend.is_int_dtype("uint8") and not backend.is_int_dtype("bool")
    assert backend.is_keras_tensor(keras.Input((2,))) and backend.backend() == "cytensor"
    assert backend.get_uid("names_test") == 1 and backend.get_uid("names_test") == 2
    assert keras.config.floatx() == "float32" and keras.config.dtype_policy().name == "float32"
