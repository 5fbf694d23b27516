"""CONTRIBUTING.md's three recipes for an op, followed to the letter in a copy of the repository."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PLACE = r"at the end|(?:above|below|replacing) `([^\n]+)`"
STEP = re.compile(rf"^In `([^`]+)`, ({PLACE}):\n\n```\w+\n(.*?)```$", re.M | re.S)
COPIED = ("cyops", "src", "tests", "benchmarks", "setup.py", "pyproject.toml", "README.md", "LICENSE")
OPS = ("squared_difference", "rsqrt", "swapaxes")


def followed(text, where, anchor, code):
    """`text` with `code` put where a step of the page says."""
    if where == "at the end":
        return text + code
    assert text.count(anchor) == 1, anchor
    if where.startswith("replacing"):
        return text.replace(anchor, code.rstrip("\n"))
    lines = text.splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if anchor in line) + where.startswith("below")
    return "".join(lines[:at]) + code + "".join(lines[at:])


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The repository with the three ops added and compiled; what was compiled before is taken along."""
    folder = tmp_path_factory.mktemp("copy")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)
    for objects in (ROOT / "build").glob("objects-*"):
        shutil.copytree(objects, folder / "build" / objects.name)
    steps = STEP.findall((ROOT / "CONTRIBUTING.md").read_text())
    assert len(steps) == 13
    for file, where, anchor, code in steps:
        path = folder / file
        path.write_text(followed(path.read_text(), where, anchor, code))
    run(folder, "setup.py", "--quiet", "build_ext", "--inplace")
    run(folder, "tests/stubs.py")
    return folder


def run(folder, *arguments):
    path = os.pathsep.join([str(folder / "src"), str(folder)])
    done = subprocess.run([sys.executable, *arguments], cwd=folder, env=os.environ | {"PYTHONPATH": path},
                          capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.mark.slow
def test_the_recipes_give_ops_that_pass_every_test_of_an_op(copy):
    files = [f"tests/test_{name}.py" for name in ("completeness", "stubs", "ops", "gradients")]
    wanted = " or ".join(("completeness", "stubs", *OPS))
    report = run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files, "-k", wanted)
    assert re.search(r"\d+ passed", report) and "failed" not in report


@pytest.mark.slow
def test_their_functions_are_public_and_their_examples_run(copy):
    program = (
        "import doctest, cytensor as ct\n"
        f"names = {OPS!r}\n"
        "examples = [test for name in names for test in doctest.DocTestFinder().find(getattr(ct, name), name,"
        " globs={})]\n"
        "runner = doctest.DocTestRunner()\n"
        "print(ct.__file__, [runner.run(test) for test in examples], runner.failures, runner.tries)\n"
        "print(ct.ones((2, 3)).swapaxes(0, 1).shape, ct.rsqrt(4.).item())\n"
    )
    said = run(copy, "-c", program)
    assert str(copy) in said and "0 6" in said and "(3, 2) 0.5" in said
