"""`mpiexec -n N python -m ranks.child module:function ARGUMENTS RESULTS`: calls it and writes what it returns."""
import importlib
import pickle
import sys
import warnings
from pathlib import Path

program, given, results = sys.argv[1:]
module, name = program.split(":")
warnings.simplefilter("error")
value = getattr(importlib.import_module(f"ranks.{module}"), name)(*pickle.loads(Path(given).read_bytes()))

from mpi4py import MPI  # noqa: E402   # after the program, which is what has to load it

Path(f"{results}-{MPI.COMM_WORLD.Get_rank()}").write_bytes(pickle.dumps(value))
