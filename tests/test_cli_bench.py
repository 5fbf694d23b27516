"""`cytensor bench`: its table, its picture, and that the libraries it sets side by side do the same."""
import re
import sys

import numpy as np
import pytest

from cytensor import cli
from cytensor.cli.bench import run, sides
from cytensor.cli.bench.works import WORKS


@pytest.mark.slow
def test_the_table_has_a_row_for_each_work(capsys, monkeypatch):
    monkeypatch.setattr(sides, "installed", lambda: [sides.cytensor(), sides.numpy()])
    assert cli.main(["bench", "--seconds", "0.001"]) == 0
    out = capsys.readouterr().out
    assert "another result" not in out and "NumPy" in out
    for work in WORKS:
        row = next(line for line in out.splitlines() if line.startswith(work.name))
        figures = re.findall(r"[\d.]+ (?:us|ms|s)\b", row.removeprefix(work.name))
        assert len(figures) == (1 if work.function == "conv" else 2)
        assert (work.function == "conv") != bool(re.search(r"\d\.\d\dx$", row))


@pytest.mark.slow
@pytest.mark.parametrize("make", [sides.numpy, sides.pytorch, sides.jax], ids=["NumPy", "PyTorch", "JAX"])
def test_every_side_does_the_same(make):
    """The result of cytensor within the work's tolerance, and for the step the same losses over several steps."""
    try:
        other = make()
    except ImportError as error:
        pytest.skip(f"{error.name} is not installed")
    ours = sides.cytensor()
    for work in WORKS:
        call, reference = other.call(work.function, work.arrays()), ours.call(work.function, work.arrays())
        if call is None:
            assert other.name == "NumPy" and work.function == "conv"
            continue
        for _ in range(3 if work.function == "step" else 1):
            expected, found = (np.asarray(one(), np.float64) for one in (reference, call))
            assert np.abs(found - expected).max() <= work.tolerance * np.abs(expected).max(), work.name
        if work.function == "step":
            assert expected < 30 and float(reference()) < expected      # it does train


@pytest.mark.slow
def test_a_side_with_another_result_is_named(capsys, monkeypatch):
    wrong = sides.numpy()
    wrong.functions["exp"] = lambda x: np.exp(x) * 1.001
    wrong.functions["sum"] = lambda x: np.float32("nan")
    wrong.functions["add"] = lambda a, b: (a + b)[:5]
    monkeypatch.setattr(sides, "installed", lambda: [sides.cytensor(), wrong])
    assert cli.main(["bench", "--seconds", "0.001"]) == 0
    found = re.findall(r"NumPy gives another result than cytensor for (.*?),", capsys.readouterr().out)
    assert found == ["a + b", "exp", "sum"]


def test_libraries_that_do_not_load_are_left_out(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "jax", None)
    assert [side.name for side in sides.installed()] == ["cytensor", "NumPy"]

    def broken():
        raise OSError("a shared library is missing")

    monkeypatch.setattr(sides, "pytorch", broken)
    assert [side.name for side in sides.installed()] == ["cytensor", "NumPy"]


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_picture(tmp_path, ending):
    pytest.importorskip("matplotlib")
    from cytensor.cli.bench import picture

    rows = [run.Row("relu", {"cytensor": 1e-3, "NumPy": 2.5e-3, "JAX": 0.5e-3}, []),
            run.Row("conv", {"cytensor": 2.0}, [])]
    path = tmp_path / f"picture.{ending}"
    figure = picture.draw(rows, ["cytensor", "NumPy", "JAX"], "a machine", str(path))
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    assert widths == [1, 1, 2.5, 0, 0.5, 0] and path.stat().st_size > 5000
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["relu\n1.00 ms", "conv\n2.00 s"]


def test_pictures_are_refused_before_the_work(capsys, monkeypatch):
    pytest.importorskip("matplotlib")
    assert cli.main(["bench", "--plot", "table.txt"]) == 2
    printed = capsys.readouterr()
    assert not printed.out and "--plot: the file must end with one of ." in printed.err
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert cli.main(["bench", "--plot", "table.png"]) == 2
    assert 'pip install "cytensor[plot]"' in capsys.readouterr().err


@pytest.mark.parametrize(("seconds", "text"), [(1.234e-3, "1.23 ms"), (0.5e-6, "0.50 us"), (12.34e-6, "12.3 us"),
                                               (123.4e-6, "123 us"), (2.0, "2.00 s")])
def test_durations_have_three_digits(seconds, text):
    assert run.duration(seconds) == text
