"""The kernel tests once more on every instruction set this machine has, each in a process of its own."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

import cyops

FOLDER = Path(__file__).parent
FILES = ["test_ops.py", "test_gradients.py", "test_views.py", "test_elementwise.py", "test_cast.py", "test_rows.py"]


@pytest.mark.parametrize("isa", ["generic", "avx2", "avx512"])
@pytest.mark.slow
def test_every_path(isa):
    if isa == cyops.isa.removesuffix("_bf16"):       # which has the same kernels but for bfloat16
        pytest.skip(f"{isa} is the path of this process: every other test runs on it")
    if isa not in cyops.available_isas():
        pytest.skip(f"this CPU has no {isa}")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *(str(FOLDER / name) for name in FILES)],
        env={**os.environ, "CYOPS_ISA": isa}, capture_output=True, text=True, cwd=FOLDER.parent,
    )
    assert run.returncode == 0, run.stdout[-4000:]
