"""The newcomer's path, measured: `python tests/newcomer.py` clones the repository, installs it as docs/index.md says,
and runs what that page shows, in an environment that has nothing else. Prints each command with its seconds.

The listings are taken from the page itself, so the path is that of the page: from a clone to a network that is trained,
saved and loaded again. pip fetches what the package requires, so the network's speed is in the first figures.
"""
import doctest
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = "docs/index.md"


def main():
    with tempfile.TemporaryDirectory() as place:
        clone, environment = Path(place) / "cytensor", Path(place) / "environment"
        python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
        timed("git clone", ["git", "clone", "--quiet", "--depth", "1", f"file://{ROOT}", str(clone)], place)
        timed("python -m venv", [sys.executable, "-m", "venv", str(environment)], place)
        timed("pip install .", [str(python), "-m", "pip", "install", "--quiet", "."], clone)
        page = (clone / PAGE).read_text(encoding="utf-8")
        for number, listing in enumerate(listings(page), 1):
            program = Path(place) / f"listing{number}.py"
            program.write_text(listing, encoding="utf-8")
            name = f"the page's listings to its {'first' if number == 1 else 'last'}"
            timed(name, [str(python), str(program)], place)
        for command in re.findall(r"^    (cytensor (?:train|predict) .*?)(?: {2,}#.*)?$", page, re.MULTILINE):
            timed(command, [str(python), "-m", *command.split()], place)


def listings(page):
    """The page's programs: its listings up to the first that trains, and all of them; what is shown is asserted."""
    programs, code = [], ""
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        for example in doctest.DocTestParser().get_examples(block):
            source = example.source.rstrip("\n")
            code += f"assert str({source}) == {example.want.strip()!r}\n" if example.want else f"{source}\n"
        programs.append(code)
    return [programs[0], programs[-1]]


def timed(name, command, folder):
    """Run a command; print how long it took, or end with what it said."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=clean())
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    print(f"| `{name}` | {time.perf_counter() - start:.1f} s |", flush=True)


def clean():
    """The environment without what points into this checkout."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}


if __name__ == "__main__":
    main()
