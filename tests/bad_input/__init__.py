"""Bad input over the whole public API: a row a line, `expression  ==>  what it gives`, for test_bad_input_table.py.

    operations.txt  tensors.txt  layers.txt  convolution.txt  losses.txt  optimizers.txt  training.txt  kernels.txt
                    the rows
    reasons.txt     the public names that have no row, and why

What a row gives is `Kind: text` for an exception, or `allowed: result`. A text that ends in `...` goes on with what is
not ours to say: a list of known names, or NumPy's own words. The names an expression may use are those of `names()`.
"""
import os
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

import cyops
import cytensor as ct
from cytensor import (
    activations,
    callbacks,
    constraints,
    datasets,
    distribution,
    dtype_policies,
    initializers,
    layers,
    losses,
    metrics,
    mixed_precision,
    models,
    nn,
    optimizers,
    plots,
    random,
    regularizers,
    saving,
    utils,
)
from cytensor.datasets import mnist

HERE = Path(__file__).parent
ARROW = "  ==>  "
MODULES = {
    "ct": ct, "cyops": cyops, "activations": activations, "callbacks": callbacks, "constraints": constraints,
    "datasets": datasets, "distribution": distribution, "dtype_policies": dtype_policies,
    "initializers": initializers, "layers": layers, "losses": losses, "metrics": metrics,
    "mixed_precision": mixed_precision, "models": models, "nn": nn, "optimizers": optimizers, "plots": plots,
    "random": random, "regularizers": regularizers, "saving": saving, "utils": utils,
    "schedules": optimizers.schedules,
}


class Row(NamedTuple):
    """One line of a table."""

    place: str
    expression: str
    expected: str


def rows(name):
    """The rows of one file."""
    found = []
    for number, line in enumerate((HERE / name).read_text().splitlines(), 1):
        if line and not line.startswith("#"):
            expression, _, expected = line.partition(ARROW)
            found.append(Row(f"{name}:{number}", expression, expected))
    return found


def files():
    """The names of the files with rows."""
    return sorted(path.name for path in HERE.glob("*.txt") if path.name != "reasons.txt")


def reasons():
    """{public name: why it has no row}."""
    pairs = (line.split(": ", 1) for line in (HERE / "reasons.txt").read_text().splitlines() if line)
    return dict(pairs)


def names():
    """What an expression may use, made anew for each."""
    random.set_seed(0)
    locked = np.zeros((2, 3), np.float32)
    locked.flags.writeable = False
    model = ct.Sequential([layers.Input((3,)), layers.Dense(2, activation="softmax")], name="model")
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return {
        **MODULES, "np": np, "mnist": mnist, "model": model, "plain": ct.Sequential([layers.Dense(2)], name="plain"),
        "x": ct.reshape(ct.arange(6, dtype="float32"), (2, 3)), "v": ct.Variable([1.0, 2.0, 3.0]),
        "ints": ct.asarray([[1, 2, 3]]), "flags": ct.asarray([True, False]), "text": ct.asarray(["a", "b"]),
        "empty": ct.zeros((0,)), "nan": ct.asarray([float("nan"), 1.0]), "base": ct.arange(4, dtype="float32"),
        "readonly": ct.asarray(locked), "X": np.zeros((4, 3), np.float32), "Y": np.array([0, 1, 1, 0]),
    }


def prepare(folder):
    """Work in a folder with a file that is no data and a folder, for expressions that name them."""
    os.chdir(folder)
    (Path(folder) / "folder").mkdir()
    (Path(folder) / "notes.txt").write_text("hello")


def outcome(expression, given):
    """What the expression gives, as the rows say it; a multi-line text in one line."""
    try:
        return "allowed: " + re.sub(r"\s+", " ", repr(eval(expression, dict(given))))
    except Exception as error:
        return f"{type(error).__name__}: {error}".replace("\n", "\\n")


def agrees(got, expected):
    """Whether an outcome is the expected one, which may end in `...`."""
    return got.startswith(expected[:-3]) if expected.endswith("...") else got == expected


def public_names():
    """{what: its names, `module.name`} of every public function and class; aliases and kernels belong together."""
    found = {}
    for label, module in MODULES.items():
        listed = getattr(module, "__all__", None) or [name for name in dir(module) if not name.startswith("_")]
        for name in listed:
            value = getattr(module, name)
            if not callable(value) or (module is cyops and not getattr(value, "__module__", "").startswith("cyops")):
                continue
            if module is cyops and getattr(getattr(ct, name, None), "__name__", None) == name:
                value = getattr(ct, name)              # made from this kernel, and calls it
            found.setdefault(value, set()).add(f"{label}.{name}")
    return found
