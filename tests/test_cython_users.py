"""An extension of a user's own that cimports cyops, compiled outside the checkout against what the wheel installs."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "interoperability.md"

pytest.importorskip("Cython")
pytest.importorskip("setuptools")


def run(*command, cwd, **environment):
    done = subprocess.run([sys.executable, *command], cwd=cwd, env={**os.environ, **environment}, capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def blocks(heading, language):
    """The blocks of code in a section of the page that users read."""
    section = DOCUMENT.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [part.partition("```")[0] for part in section.split(f"```{language}\n")[1:]]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with nothing but what the wheel has."""
    folder = tmp_path_factory.mktemp("wheel")
    run("setup.py", "--quiet", "bdist_wheel", "--dist-dir", str(folder), "--bdist-dir", str(folder / "parts"), cwd=ROOT)
    [wheel] = folder.glob("*.whl")
    shutil.unpack_archive(wheel, folder / "site", "zip")
    return folder / "site"


@pytest.mark.slow
def test_the_extension_of_the_page_compiles_and_runs(installed, tmp_path):
    [extension], [setup, program] = blocks("Cython", "cython"), blocks("Cython", "python")
    (tmp_path / "total.pyx").write_text(extension)
    (tmp_path / "setup.py").write_text(setup)
    path = os.pathsep.join([str(installed), str(tmp_path)])
    assert Path(run("-c", "import cyops; print(cyops.__file__)", cwd=tmp_path, PYTHONPATH=path).strip()).is_relative_to(
        installed)
    run("setup.py", "--quiet", "build_ext", "--inplace", cwd=tmp_path, PYTHONPATH=path)
    assert run("-c", program, cwd=tmp_path, PYTHONPATH=path) == "18.0\n"
