"""The fuzzers find faults: each is given a planted one, and what it prints shows the fault by itself.

What they find in the library itself is for `make fuzz`, `make fuzz-files` and `make kill`, which .ci/run runs as well.
"""
import os
import pickle
import random
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("hypothesis")
import blocks
import kill
from fuzz import programs
from fuzz.__main__ import SHARES, all_blocks, run_block
from fuzz_files.__main__ import FORMATS, fault_of, mutated, open_format, program

import cytensor as ct
from cytensor.autodiff import rules

HERE = Path(__file__).parent


def found_by(subject, cases=4000):
    """The text of the case that fails, or None."""
    try:
        run_block(subject, 3, cases)
    except programs.Failed as failure:
        return str(failure).partition("\n")[2]
    return None


def plant(monkeypatch, name, function):
    monkeypatch.setattr(programs.namespace()["ct"], name, function)


@pytest.mark.parametrize("subject", SHARES)
@pytest.mark.slow
def test_without_a_fault_nothing_is_found(subject):
    assert found_by(subject, 150) is None


def test_a_value_that_is_a_few_roundings_off_is_found(monkeypatch):
    real = ct.tanh
    plant(monkeypatch, "tanh", lambda x, out=None: real(x, out=out) * (1 + 8 * 1.2e-7))
    assert "ct.tanh" in found_by("values")


@pytest.mark.slow
def test_a_reduction_that_forgets_an_axis_is_found(monkeypatch):
    real = ct.prod
    plant(monkeypatch, "prod", lambda x, axis=None, keepdims=False: real(
        x, axis=axis[:1] if isinstance(axis, tuple) else axis, keepdims=keepdims))
    assert "ct.prod" in found_by("values")


@pytest.mark.parametrize("subject", ["gradients", "chains"])
@pytest.mark.slow
def test_a_gradient_rule_that_is_wrong_is_found(monkeypatch, subject):
    right = rules.RULES["erf"]
    wrong = right._replace(derivatives=(rules._derivative(lambda d, x: d * ct.exp(-ct.square(x)) * 1.128379167),))
    monkeypatch.setitem(rules.RULES, "erf", wrong)
    assert "m.erf" in found_by(subject)


@pytest.mark.slow
def test_a_view_that_is_a_copy_is_found(monkeypatch):
    real = ct.flip
    plant(monkeypatch, "flip", lambda x, axis=None: ct.copy(real(x, axis=axis)))
    assert "ct.flip" in found_by("views")


@pytest.mark.slow
def test_the_printed_program_runs_by_itself(monkeypatch, tmp_path):
    real = ct.maximum
    plant(monkeypatch, "maximum", lambda a, b, out=None: real(b, a, out=out) + 1)
    text = programs.program(found_by("values"))
    path, planted = tmp_path / "case.py", tmp_path / "planted.py"
    path.write_text(text)
    planted.write_text(f"import cytensor\nreal = cytensor.maximum\ncytensor.maximum = lambda a, b, out=None: "
                       f"real(b, a, out=out) + 1\n{text}")
    codes = [subprocess.run([sys.executable, file], capture_output=True, cwd=tmp_path).returncode
             for file in (path, planted)]
    assert codes == [0, 1]


def test_blocks_have_the_cases_asked_for():
    for cases in (3, 1000, 100_000):
        assert abs(sum(block[2] for block in all_blocks(1, cases)) - cases) <= 1
    seeds = [block[1] for block in all_blocks(1, 100_000) if block[0] == "values"]
    assert len(set(seeds)) == len(seeds) > 1


@pytest.mark.skipif(not hasattr(os, "pwrite"), reason="needs pwrite")
def test_a_block_that_crashes_names_its_case(tmp_path, monkeypatch):
    (tmp_path / "crashing.py").write_text(
        "import os, sys, blocks\nblocks.Trace(sys.argv[-1]).note('the case')\nos.abort()\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(HERE)]))
    outcome, = blocks.run("crashing", [("a", 1)], 30)
    assert outcome.code != 0 and outcome.last == "the case" and outcome.arguments == ("a", 1)


# -- files ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", FORMATS)
def test_the_sound_file_loads_and_damage_is_repeatable(tmp_path, kind):
    form = open_format(kind, tmp_path)
    form.path.write_bytes(form.sound)
    assert fault_of(form) is None
    assert len({mutated(form, 1, number) for number in range(20)}) > 15
    assert mutated(form, 1, 7) == mutated(form, 1, 7)
    compile(program(kind, 1, 7), "<printed>", "exec")


def test_loads_that_go_wrong_are_found(tmp_path):
    form = open_format("idx", tmp_path)
    for wrong, says in ((KeyError("x"), "KeyError"), (ValueError("who?"), "does not name the file"),
                        (MemoryError(), "MemoryError")):
        form.load = lambda wrong=wrong: (_ for _ in ()).throw(wrong)
        assert says in fault_of(form)
    form.load = lambda: (_ for _ in ()).throw(ValueError(f"no file: {form.path}"))
    assert fault_of(form) is True


# -- kills ------------------------------------------------------------------------------------------------------------
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.slow
def test_two_runs_are_the_same_and_one_that_differs_in_a_bit_is_not(tmp_path):
    results = []
    for name in ("first", "second"):
        (folder := tmp_path / name).mkdir()
        kill.run(folder, random.Random(name))
        results.append(pickle.loads((folder / "result").read_bytes()))
    assert all(kill.same(results[0][key], results[1][key]) for key in results[0])
    results[1]["weights"][0].flat[0] += 1e-7
    assert not kill.same(results[0]["weights"], results[1]["weights"])
