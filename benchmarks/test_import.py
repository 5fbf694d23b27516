"""Import times, each in a fresh interpreter: seconds from before the import statement to after it."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from .peers import THREADS
from .processes import environment
from .timing import summarise

TIMED = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"
ROUNDS = 11
PEERS = {"NumPy": "numpy", "PyTorch": "torch", "JAX": "jax", "TensorFlow": "tensorflow", "scikit-learn": "sklearn"}


def seconds_to_import(module):
    command = [sys.executable, "-c", TIMED.format(module)]
    # An installed package has its bytecode beside it, so a checkout may write it in the first, untimed import.
    variables = environment(PYTHONDONTWRITEBYTECODE="")
    done = subprocess.run(command, env=variables, capture_output=True, text=True, cwd=os.sep, check=True)
    return float(done.stdout)


@pytest.mark.skipif(THREADS != 1, reason="importing has no threads")
@pytest.mark.parametrize("module", ["cytensor", "cyops"])
def test_import(benchmark, module):
    """In every round NumPy too; the others, which take seconds, once, beside the whole package."""
    seconds_to_import(module)
    theirs: dict[str, list] = {name: [] for name, peer in PEERS.items() if find_spec(peer)}
    if module == "cyops":
        theirs = {"NumPy": []}
    mine = []

    def one_round():
        mine.append(seconds_to_import(module))
        for name, seconds in theirs.items():
            if not seconds or name == "NumPy":
                seconds.append(seconds_to_import(PEERS[name]))

    benchmark.pedantic(one_round, rounds=ROUNDS)
    summarise(benchmark, "Import", f"import {module}", mine, theirs)
