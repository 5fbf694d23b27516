"""The self-test of the kernels in C, which `make selftest` runs: it passes, and it fails where a kernel is wrong."""
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_every_kernel_agrees_with_plain_loops(tmp_path):
    sources = [str(path) for path in (*ROOT.glob("tests/selftest/*.c"), *ROOT.glob("cyops/csrc/*/*.c"))]
    includes = [f"-I{ROOT / folder}" for folder in ("cyops", "cyops/csrc", "tests/selftest")]
    flags = ["-std=c11", "-O1", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off", "-D_GNU_SOURCE=1"]
    subprocess.run(["cc", *flags, *includes, *sources, "-lm", "-pthread", "-o", tmp_path / "selftest"], check=True,
                   capture_output=True, timeout=900)
    run = subprocess.run([tmp_path / "selftest"], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0 and run.stdout.splitlines()[-1].startswith("0 failures of "), run.stdout[-2000:]


def test_every_area_of_kernels_is_in_it():
    areas = {path.parent.name for path in ROOT.glob("cyops/csrc/*/kernels.h")} - {"simd"}
    tested = "".join(path.read_text() for path in ROOT.glob("tests/selftest/*.c"))
    calls = {"elementwise": "cyops_elementwise(", "gemm": "cyops_contract(", "reduce": "cyops_reduce(",
             "rows": "cyops_rows(", "pool": "cyops_fold_windows(", "conv": "cyops_depthwise(",
             "normalize": "cyops_channel_normalize(", "update": "cyops_update("}
    assert areas == set(calls) and all(call in tested for call in calls.values())
