"""The README and the pages of docs/: their code runs, what they name exists, their lines are short."""

import doctest
import re
from pathlib import Path

import pytest

import cytensor as ct
from cytensor.datasets import mnist

ROOT = Path(__file__).parent.parent
PAGES = [*(ROOT / name for name in ("README.md", "README.ko.md", "CHANGELOG.md", "CONTRIBUTING.md",
                                       "SECURITY.md")),
         *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def ids(path):
    return path.name


# Those of CONTRIBUTING.md are of code that does not exist yet: test_contributing.py runs them.
@pytest.mark.slow
@pytest.mark.parametrize("path", [path for path in PAGES if path.name != "CONTRIBUTING.md"], ids=ids)
def test_examples_with_prompts_print_what_they_say(path):
    registered = dict(ct.saving.get_custom_objects())
    ct.saving.get_custom_objects().clear()         # nor is what other tests registered part of a page
    try:
        failures = doctest.testfile(str(path), module_relative=False).failed
    finally:                           # what a page registers is no part of the next one
        ct.saving.get_custom_objects().clear()
        ct.saving.get_custom_objects().update(registered)
    assert failures == 0


def test_the_ten_lines_of_the_readme(monkeypatch, capsys):
    """On a part of the data, one epoch instead of five."""
    blocks = [block for block in BLOCK.findall((ROOT / "README.md").read_text()) if ">>>" not in block]
    assert len(blocks) == 1 and len([line for line in blocks[0].splitlines() if line]) == 10
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    part = (x_train[:6000], y_train[:6000]), (x_test, y_test)
    monkeypatch.setattr(mnist, "load_data", lambda path=None: part)
    ct.set_seed(0)
    ran = {"__name__": "__main__"}
    exec(blocks[0].replace("epochs=5", "epochs=1"), ran)
    assert ran["accuracy"] > 0.87 and ran["loss"] < 0.5
    assert capsys.readouterr().out.endswith(f"test accuracy {ran['accuracy']:.4f}\n")


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
        assert target.startswith("https://") or (path.parent / target).exists(), target


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_files_and_make_targets_that_are_named_exist(path):
    text = path.read_text()
    for name in re.findall(r"`((?:cyops|src|tests|benchmarks|examples|docs)/[^`\s]*)`", text):
        assert list(ROOT.glob(name)), f"{path.name} names {name}"
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for target in re.findall(r"(?:^    |`)make ([a-z-]+)", text, re.MULTILINE):
        assert target in targets, f"{path.name} names make {target}"


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_files_named_by_the_end_of_their_path_exist(path):
    """As `runtime/caches.c` and `pool.c` are in a table that named their folder before."""
    files = [f"/{file.relative_to(ROOT)}" for folder in ("cyops", "src", "tests", "benchmarks", "examples", "docs")
             for file in (ROOT / folder).rglob("*.*")]
    for name in re.findall(r"`((?:\w+/)*\w+\.(?:py|pyi|pyx|pxi|pxd|c|h))`", path.read_text()):
        assert (ROOT / name).exists() or any(file.endswith(f"/{name}") for file in files), f"{path.name} names {name}"


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_lines_are_short(path):
    """Rows of tables cannot be wrapped."""
    lines = enumerate(path.read_text().splitlines(), 1)
    assert not [number for number, line in lines if len(line) > 120 and not line.startswith("|")]
