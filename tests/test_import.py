"""Importing stays light, and the docstrings' examples run."""
import doctest
import importlib
import importlib.util
import pkgutil
import subprocess
import sys

import pytest

import cyops
import cytensor

FORBIDDEN = ["tqdm", "safetensors", "matplotlib", "sklearn", "torch", "tensorflow", "jax", "pandas", "scipy"]


def test_import_loads_numpy_and_the_extensions_only():
    code = f"import cytensor, sys; print([m for m in {FORBIDDEN} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_modules_that_are_named_later_are_loaded_later():
    names = ("linalg", "fft", "layers", "export", "models")
    code = (f"import cytensor, sys; print([m for m in {names} if f'cytensor.{{m}}' in sys.modules], "
            "cytensor.linalg.inv([[2.]]).tolist())")
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[] [[0.5]]"


def test_cyops_knows_nothing_of_cytensor():
    code = "import cyops, sys; print('cytensor' in sys.modules, type(cyops.add([1.], [2.])).__name__)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "Strided"]


def test_an_unknown_instruction_set_is_named():
    import os

    found = subprocess.run([sys.executable, "-c", "import cyops"], capture_output=True, text=True,
                           env={**os.environ, "CYOPS_ISA": "sse9"})
    assert "CYOPS_ISA must be generic, neon, avx2, avx512 or avx512_bf16; got 'sse9'" in found.stderr


def test_a_sub_interpreter_is_refused():
    name = next(one for one in ("_interpreters", "_xxsubinterpreters") if importlib.util.find_spec(one))
    run = "exec" if name == "_interpreters" else "run_string"
    inside = "try: import cyops\nexcept ImportError as error: print(error)"
    program = f"import {name} as interpreters; interpreters.{run}(interpreters.create(), {inside!r})"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.startswith("cyops: this is a sub-interpreter")


def test_python_without_its_lock_is_refused():
    program = "import sys; sys._is_gil_enabled = lambda: False; import cyops"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "ImportError: cyops: the extensions need the global interpreter lock" in found.stderr


MODULES = [cyops.__name__, *(f"cyops.{m.name}" for m in pkgutil.iter_modules(cyops.__path__)),
           *(m.name for m in pkgutil.walk_packages(cytensor.__path__, "cytensor.")
             if not m.name.endswith(("__main__", "keras.applications")))]          # one that runs, one that refuses


@pytest.mark.parametrize("name", ["cytensor", *MODULES])
def test_examples_in_docstrings_run(name):
    module = importlib.import_module(name)
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert result.failed == 0


@pytest.mark.parametrize("name", sorted(cyops.OPS))
def test_the_example_of_every_op_runs_and_exists(name):
    doc = cyops.OPS[name].doc
    examples = doctest.DocTestParser().get_doctest(doc, {}, name, None, None)
    assert examples.examples, f"{name} has no example"
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    assert runner.run(examples).failed == 0
    import cytensor as ct

    derived = doctest.DocTestParser().get_doctest(getattr(ct, name).__doc__, {}, name, None, None)
    assert runner.run(derived).failed == 0
