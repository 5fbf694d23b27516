"""Whether a reader of types knows every name that the packages offer: `python tests/verify_types.py`, in `make lint`.

mypy checks that what is annotated fits; pyright's --verifytypes that nothing public is left to be inferred, which each
reader does in its own way; mypy's stubtest that the stubs say what runs. The classes of cytensor.sklearn are not
counted: what they derive from, scikit-learn's, has no types. Then the examples, as a user's editor reads them.
"""
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
UNTYPED = ("cytensor.sklearn.",)           # derived from classes without types
# A method is the function, whose first parameter has a name of its own; nobody writes it.
SELF = 'stub parameter "self" differs from runtime parameter'
# The packages as they lie here: an editable install is found by running code, which pyright does not.
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}


def pyright(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True)


def unknown(package: str) -> list[str]:
    """A line for each exported name of a package whose type is not stated, and why."""
    output = pyright("--verifytypes", package, "--ignoreexternal", "--outputjson").stdout
    report = json.loads(output)["typeCompleteness"]
    assert report["exportedSymbolCounts"]["withKnownType"] > 100, "pyright has not found the package"
    return [f"{symbol['name']}: {symbol['diagnostics'][0]['message'] if symbol['diagnostics'] else 'unknown'}"
            for symbol in report["symbols"]
            if symbol["isExported"] and not symbol["isTypeKnown"] and not symbol["name"].startswith(UNTYPED)]


def inconsistent() -> list[str]:
    """What mypy.stubtest finds where the stubs of derived functions and of Tensor differ from what runs."""
    command = [sys.executable, "-m", "mypy.stubtest", "cytensor.ops", "cytensor.tensor", "--concise",
               "--mypy-config-file", str(ROOT / "tests" / "stubtest.ini")]
    lines = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.splitlines()
    return [line for line in lines if SELF not in line]


def main() -> int:
    found = [*unknown("cyops"), *unknown("cytensor"), *inconsistent()]
    examples = pyright("examples")
    for line in (*found, *([] if examples.returncode == 0 else [examples.stdout + examples.stderr])):
        print(line)
    return bool(found or examples.returncode)


if __name__ == "__main__":
    sys.exit(main())
