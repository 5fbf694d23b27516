"""Writes programs.json: the numbers that the programs of tests/keras_programs.py give in Keras.

    KERAS_BACKEND=jax PYTHONPATH=tests python tests/golden/make_programs.py
"""
import json
from pathlib import Path

import keras
from keras_programs import PROGRAMS, numbers

stored = {program.__name__: numbers(program, keras) for program in PROGRAMS}
path = Path(__file__).parent / "programs.json"
path.write_text(json.dumps({"keras": keras.__version__, "programs": stored}) + "\n")
print(f"wrote {path} with Keras {keras.__version__} on {keras.backend.backend()}")
