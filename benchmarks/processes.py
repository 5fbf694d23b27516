"""A competitor in a process of its own, which takes its turns like the others (see Side in timing.py)."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
# With OPENBLAS_CORETYPE=Haswell in the environment NumPy's product of 512 x 512 matrices runs AVX2 on an AVX-512 CPU.
CAPS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def uncap(variables):
    """Remove from a dict of environment variables what caps a peer's kernels. Such are read when NumPy loads."""
    for name in CAPS:
        variables.pop(name, None)


def environment(**more):
    """The environment of a child: this process's, uncapped; a relative PYTHONPATH means the same in any folder."""
    path = os.environ.get("PYTHONPATH", "")
    absolute = os.pathsep.join(os.path.abspath(part) for part in path.split(os.pathsep) if part)
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), absolute]), **more}
    uncap(variables)
    return variables


class Process:
    """A program of benchmarks/programs, started and warmed up; `turn` adds the seconds of one more turn to `seconds`.

    Threads and processors are limited by what the child inherits: the environment and the affinity set in conftest.py.
    """

    def __init__(self, program, *arguments, **variables):
        self.seconds = []
        self.child = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.programs.{program}", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(**variables),
        )
        self._expect("ready")

    def _line(self):
        assert self.child.stdout is not None       # a pipe
        return self.child.stdout.readline().strip()

    def _expect(self, line):
        got = self._line()
        if got != line:
            errors = self.child.communicate()[1]
            raise RuntimeError(f"benchmarks: the process said {got!r} instead of {line!r}; its errors:\n{errors}")

    def turn(self):
        print(file=self.child.stdin, flush=True)
        self.seconds.append(float(self._line()))
        self._expect("ready")

    def close(self):
        self.child.communicate()
