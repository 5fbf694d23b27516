"""Libraries to compare with, imported where they are installed; None stands for one that is not."""

import importlib
import os
from importlib.metadata import version
from importlib.util import find_spec

PEERS = {"PyTorch": "torch", "JAX": "jax", "Keras": "keras", "scikit-learn": "scikit_learn"}
THREADS = int(os.environ.get("OMP_NUM_THREADS", "1"))


def missing():
    """The names of the peers that are not installed."""
    return [name for name, module in PEERS.items() if find_spec(module.replace("scikit_learn", "sklearn")) is None]


def versions():
    """Name and version of each installed peer."""
    return {name: version(module) for name, module in PEERS.items() if name not in missing()}


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
