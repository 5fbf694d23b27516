"""Libraries to compare with, imported where they are installed; None stands for one that is not."""

import importlib
import os
import re
import subprocess
import sys
from importlib.metadata import distributions
from importlib.util import find_spec

from threadpoolctl import threadpool_info

from .processes import environment

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

    OpenBLAS tells the kernel by threadpoolctl; MKL and oneDNN inside PyTorch tell it alone in what they print.
    """
    found = {}
    for library in threadpool_info():
        if library["user_api"] == "blas" and "numpy" in library["filepath"]:
            name, version = library["internal_api"], library["version"] or "of an unknown version"
            kernel, threads = library.get("architecture", "kernel unknown"), library["num_threads"]
            found["NumPy"] = f"{name} {version}, {kernel}, threads: {threads}"
    if torch is not None:
        found |= _pytorch_kernels()
    return found


# A product of float32, and one of bfloat16, which is oneDNN's as convolutions are.
MULTIPLY = "import torch; x = torch.ones(64, 64); x @ x; x = x.to(torch.bfloat16); x @ x"


def _pytorch_kernels():
    """MKL's and oneDNN's own words for their versions and instruction sets, as far as PyTorch has them."""
    said = subprocess.run([sys.executable, "-c", MULTIPLY], env=environment(MKL_VERBOSE="1", ONEDNN_VERBOSE="1"),
                          capture_output=True, text=True).stdout
    found = {"PyTorch": "unknown"}
    if mkl := re.search(r"MKL_VERBOSE oneMKL (.*?) Product build .*? architecture (.*?),", said):
        # Where it names an extension it runs it. On processors that are not Intel's it names none and runs AVX2: with
        # MKL_CBWR=AVX2 and MKL_CBWR=AVX512 a product of 512 x 512 matrices took as long there, to the same bits.
        kernel = mkl[2] if "AVX" in mkl[2] else f"{mkl[2]}: no AVX-512, at most AVX2"
        found["PyTorch"] = f"MKL {mkl[1]}, for {kernel}, threads: {THREADS}"
    isa = re.search(r"onednn_verbose.*,cpu,isa:(.*)", said)
    if isa and (version := re.search(r"onednn_verbose.*info,oneDNN (v[\d.]+)", said)):
        found["PyTorch, convolutions and bfloat16"] = f"oneDNN {version[1]}, {isa[1]}, threads: {THREADS}"
    return found


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
