"""Libraries to compare with, imported where they are installed; None stands for one that is not."""

import importlib
import os
import re
import subprocess
import sys
from importlib.metadata import distributions
from importlib.util import find_spec

from threadpoolctl import threadpool_info

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


def blas_kernels():
    """What multiplies matrices for NumPy and PyTorch: library, kernel and threads, by the name of the peer.

    OpenBLAS tells the kernel by threadpoolctl; MKL inside PyTorch tells it alone in what it prints of a call.
    """
    found = {}
    for library in threadpool_info():
        if library["user_api"] == "blas" and "numpy" in library["filepath"]:
            name, version = library["internal_api"], library["version"] or "of an unknown version"
            kernel, threads = library.get("architecture", "kernel unknown"), library["num_threads"]
            found["NumPy"] = f"{name} {version}, {kernel}, threads: {threads}"
    if torch is not None:
        found["PyTorch"] = _mkl_kernel() or "unknown"
    return found


def _mkl_kernel():
    """MKL's own words for its version and instruction set, and None where PyTorch multiplies by another library."""
    program = "import torch; x = torch.ones(64, 64); x @ x"
    said = subprocess.run([sys.executable, "-c", program], env=os.environ | {"MKL_VERBOSE": "1"}, capture_output=True,
                          text=True).stdout
    words = re.search(r"MKL_VERBOSE oneMKL (.*?) Product build .*? architecture (.*?),", said)
    return f"MKL {words[1]}, for {words[2]}, threads: {THREADS}" if words else None


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
