"""Whole programs give Keras's numbers: the stored ones, and where Keras is installed those that it gives now."""
import json
import os
from pathlib import Path

import numpy as np
import pytest
from keras_programs import PROGRAMS, numbers

import cytensor as ct

STORED = json.loads((Path(__file__).parent / "golden" / "programs.json").read_text())["programs"]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")     # Keras's own


def compare(found, expected):
    """Equal to float32's rounding over the steps that the programs take."""
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert np.shape(found[name]) == np.shape(values), name
        assert np.allclose(found[name], values, rtol=2e-5, atol=2e-6), (name, found[name], values)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_numbers_are_those_stored(program):
    compare(numbers(program, ct), STORED[program.__name__])


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_stored_numbers_are_what_keras_gives(program):
    os.environ.setdefault("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras", reason="Keras is not installed")
    compare(numbers(program, keras), STORED[program.__name__])
