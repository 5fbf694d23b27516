"""Bytes on disk of a package and of all that it needs, as installed, without compiled Python files."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution

import pytest

from .peers import THREADS, optional
from .processes import ROOT
from .timing import summarise

requirements = optional("packaging.requirements")
# What a wheel of ours holds; see [tool.setuptools.package-data] in pyproject.toml.
OURS = ("src/cytensor/**/*.py*", "src/cytensor/**/data/*", "cyops/*.py", "cyops/*.pyi", "cyops/*.pxd", "cyops/*.so",
        "cyops/csrc/*/*.h")  # fmt: skip
PEERS = {
    "NumPy": ["numpy"],
    "PyTorch": ["torch"],
    "JAX": ["jax"],
    "Keras on JAX": ["keras", "jax"],
    "Keras on TensorFlow": ["keras", "tensorflow-cpu"],
    "scikit-learn": ["scikit-learn"],
}


def needed(names):
    """The distributions `names` and all that they require here, each once; extras are not followed."""
    found, todo = {}, list(names)
    while todo:
        name = re.sub("[-_.]+", "-", todo.pop()).lower()
        if name not in found:
            found[name] = distribution(name)
            wanted = map(requirements.Requirement, found[name].requires or [])
            todo += [one.name for one in wanted if not one.marker or one.marker.evaluate({"extra": ""})]
    return found.values()


def megabytes(paths):
    return sum(path.stat().st_size for path in paths if path.is_file() and path.suffix != ".pyc") / 1e6


def installed_megabytes(names):
    return megabytes(path.locate() for found in needed(names) for path in found.files or [])


@pytest.mark.skipif(requirements is None, reason="needs packaging")
@pytest.mark.skipif(THREADS != 1, reason="has no threads")
def test_installed_size(benchmark):
    ours = megabytes({path for pattern in OURS for path in ROOT.glob(pattern)})
    depends = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = [requirements.Requirement(line).name for line in depends]
    theirs = {}
    for name, wanted in PEERS.items():
        try:
            theirs[name] = [installed_megabytes(wanted)]
        except PackageNotFoundError:
            continue
    mine = benchmark.pedantic(lambda: [ours + installed_megabytes(names)], rounds=1)
    table = "Installed size, with everything required"
    summarise(benchmark, table, f"all together; cytensor itself {ours:.0f} MB", mine, theirs, unit="MB")
