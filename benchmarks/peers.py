"""Libraries to compare with, imported where they are installed; None stands for one that is not."""

import importlib
import os
from importlib.metadata import distributions
from importlib.util import find_spec

# Name: the module, and the distributions of which one brings it.
PEERS = {
    "PyTorch": ("torch", "torch"),
    "JAX": ("jax", "jax"),
    "TensorFlow": ("tensorflow", "tensorflow-cpu", "tensorflow"),
    "Keras": ("keras", "keras"),
    "scikit-learn": ("sklearn", "scikit-learn"),
}
THREADS = int(os.environ.get("OMP_NUM_THREADS", "1"))


def installed(name):
    """Whether the peer `name` is installed; nothing is imported."""
    return find_spec(PEERS[name][0]) is not None


def missing():
    """The names of the peers that are not installed."""
    return [name for name in PEERS if not installed(name)]


def versions():
    """Name and version of each installed peer."""
    found = {d.metadata["Name"].lower().replace("_", "-"): d.version for d in distributions()}
    return {
        name: next((found[d] for d in names if d in found), "?")
        for name, (_, *names) in PEERS.items()
        if installed(name)
    }


def optional(module):
    """The module, or None where it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


torch = optional("torch")
jax = optional("jax")
if torch is not None:
    torch.set_num_threads(THREADS)
