"""What the machine is and what it can do at most: its caches, and rates measured by a small C program.

The rates are the roofs in the plots: how many floating-point operations a second fused multiply-adds reach, and how
many bytes a second memcpy reads and writes.
"""

import ctypes
import os
import shlex
import subprocess
import tempfile
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).with_name("rates.c")
FLAGS = ["-O3", "-march=native", "-ffp-contract=fast", "-shared", "-fPIC", "-pthread"]


def caches():
    """A dict from the name of each cache of data, 'L1', to its bytes; empty where the system does not tell."""
    found = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        if kind != "Instruction":
            found[f"L{level}"] = int(size.removesuffix("K")) * 1024
    return found


@cache
def rates():
    """The C functions `fma_rate(threads)`, flop/s, and `copy_rate(bytes, threads)`, B/s; None without a C compiler."""
    with tempfile.TemporaryDirectory() as folder:
        library = os.path.join(folder, "rates.so")
        try:
            subprocess.run([*shlex.split(os.environ.get("CC", "cc")), *FLAGS, str(SOURCE), "-o", library], check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        functions = ctypes.CDLL(library)
    functions.fma_rate.restype = functions.copy_rate.restype = ctypes.c_double
    functions.copy_rate.argtypes = [ctypes.c_size_t, ctypes.c_int]
    return functions
