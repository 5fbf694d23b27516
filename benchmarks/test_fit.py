"""Whole epochs of MNIST, each competitor in a process of its own: `fit`, and the training loop of the textbooks.

Wall time of an epoch after the first, by the program's own clock.
"""

import pytest

from .peers import installed

ROUNDS = 3
NAMES = {"adam": "Adam", "sgd": "SGD"}
# Name: the module behind it, Keras's backend, options of `compile`. On TensorFlow, XLA and several steps a call are
# faster than the defaults; on JAX the defaults are as fast as anything.
KERAS = {
    "Keras on TensorFlow": ("TensorFlow", "tensorflow", []),
    "Keras on TensorFlow (XLA)": ("TensorFlow", "tensorflow", ["jit_compile=True", "steps_per_execution=32"]),
    "Keras on JAX": ("JAX", "jax", []),
}


def test_fit_rmsprop(compare, process):
    theirs = {
        name: process("fit", "keras", "rmsprop", *options, KERAS_BACKEND=backend)
        for name, (module, backend, options) in KERAS.items()
        if installed("Keras") and installed(module)
    }
    ours = process("fit", "cytensor", "rmsprop")
    compare("fit, an epoch of MNIST", "784-512-10, batch 128, RMSprop", ours, theirs, rounds=ROUNDS)


@pytest.mark.parametrize("optimizer", NAMES)
def test_fit_beside_scikit_learn(compare, process, optimizer):
    theirs = {"scikit-learn": process("fit_sklearn", optimizer) if installed("scikit-learn") else None}
    ours = process("fit", "cytensor", optimizer)
    compare(
        "fit, an epoch of MNIST, beside scikit-learn",
        f"784-512-10, batch 128, {NAMES[optimizer]}",
        ours,
        theirs,
        rounds=ROUNDS,
    )


def test_textbook_loop(compare, process):
    """examples/mnist_from_scratch.py: layers, batches and plain gradient descent by hand."""
    modules = {"TensorFlow": "tensorflow", "PyTorch": "torch"}
    theirs = {f"{name}, eager": process("textbook", module) for name, module in modules.items() if installed(name)}
    ours = process("textbook", "cytensor")
    compare("Textbook loop, an epoch of MNIST", "784-512-10, batch 128", ours, theirs, rounds=ROUNDS)
