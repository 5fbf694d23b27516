"""Every example runs as a user runs it, and prints the figures that it promises."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(name, *arguments, warnings="error"):
    """What the example prints; its errors, and unless others are asked for its warnings, fail the test."""
    command = [sys.executable, "-W", warnings, str(EXAMPLES / name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=EXAMPLES)
    assert done.returncode == 0, done.stderr
    return done.stdout


def number(text, pattern):
    """The number that the pattern's one group finds in the text."""
    found = re.search(pattern, text)
    assert found, f"no {pattern!r} in:\n{text}"
    return float(found.group(1).replace(",", ""))


def test_every_example_is_tested():
    assert {path.name for path in EXAMPLES.glob("*.py")} == {
        "data_kinds.py",
        "descent.py",
        "geometry.py",
        "mnist.py",
        "mnist_convnet.py",
        "mnist_from_scratch.py",
        "naive_loops.py",
        "optimization.py",
        "search_on_clusters.py",
        "views.py",
    }


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
@pytest.mark.slow
def test_help_explains_the_example(path):
    assert "--" in run(path.name, "--help") and path.read_text().startswith('"""')


@pytest.mark.slow
def test_mnist():
    source = (EXAMPLES / "mnist.py").read_text()
    assert len(source.splitlines()) < 20
    printed = run("mnist.py", "--epochs", "1", "--samples", "12000")
    assert number(printed, r"test accuracy (\S+)") > 0.87
    assert number(printed, r"test loss (\S+),") < 0.45


@pytest.mark.slow
def test_mnist_convnet():
    printed = run("mnist_convnet.py", "--epochs", "1", "--samples", "6000")
    assert number(printed, r"test accuracy (\S+)") > 0.85
    assert "104,202" in printed                # 320 + 18,496 + 73,856 + 11,530 parameters


@pytest.mark.slow
def test_mnist_from_scratch():
    """The first half epoch, where the figures are known: a crude start, then 2.2 at batch 100."""
    printed = run("mnist_from_scratch.py", "--epochs", "1", "--samples", "25728")
    assert 3 < number(printed, r"loss at batch 0: (\S+)") < 10
    assert 1.9 < number(printed, r"loss at batch 100: (\S+)") < 2.5
    assert number(printed, r"mean loss of the last epoch: (\S+)") < 2.6
    assert number(printed, r"test accuracy: (\S+)") > 0.25


@pytest.mark.slow
def test_views():
    printed = run("views.py", "--samples", "100000")
    for rank in range(6):
        assert f"rank {rank}," in printed
    for dtype in ("bool", "int8", "uint64", "float16", "float32", "float64"):
        assert re.search(rf"{dtype} +\d bytes", printed)
    assert printed.count("shares memory\n") == 12 and "COPIED" not in printed
    # Facts about views: batch 3 of 128 begins at 3 * 128 * 784, a centre crop at row 7, column 7.
    assert re.search(r"batch 3 of 128 .* offset +301056 strides \(784, 28, 1\)", printed)
    assert re.search(r"centre crops, 14 x 14 .*\(60000, 14, 14\) +offset +203 strides \(784, 28, 1\)", printed)
    assert re.search(r"last image first .* offset 47039216 strides \(-784, 28, 1\)", printed)
    assert "after corner[0, 0] = 99, images[0, 0, 0] = 99" in printed
    assert number(printed, r"memory:.* (\S+) times") > 3
    assert number(printed, r"times two:.* (\S+) times") > 3


def test_optimization():
    printed = run("optimization.py", "--hidden", "16")
    plain, pushed = printed.split("momentum 0.9")
    assert re.search(r"small steps, .*still on its way", plain)
    assert re.search(r"medium steps, .*in the shallow valley, x = 1.43", plain)
    assert re.search(r"large steps, .*still jumping", plain)
    assert re.search(r"medium steps, .*in the deep valley, x = -1.6", pushed)
    assert re.search(r"large steps, .*ran away", pushed)
    assert number(printed, r"largest difference (\S+)") < 1e-8
    assert number(printed, r"the tape is (\S+) times faster") > 10


@pytest.mark.slow
def test_geometry(tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    pytest.importorskip("PIL", reason="pillow is not installed")
    printed = run("geometry.py", "--folder", str(tmp_path))
    assert re.search(r"move +the corner \(1, 1\) goes to \[2\.0, 1\.5\]", printed)
    assert number(printed, r"differ from one by (\S+)") < 1e-6
    assert number(printed, r"trained: accuracy (\S+);") > 0.99
    assert number(printed, r"one plane parts (\S+) of the points before") < 0.8
    assert number(printed, r"points before, (\S+) after") > 0.99
    names = {path.name for path in tmp_path.iterdir()}
    assert {"unfold.gif", "unfold_4.png", "rotate_grid.png", "dense_relu_points.png"} <= names and len(names) == 19


@pytest.mark.slow
def test_data_kinds(tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    printed = run("data_kinds.py", "--folder", str(tmp_path))
    assert printed.count("a view from offset") == 6 and "COPY" not in printed
    assert re.search(r"channels last +shape \(6, 32, 32, 3\), strides \(3072, 96, 3, 1\)", printed)
    assert re.search(r"channels first +shape \(6, 3, 32, 32\), strides \(3072, 1, 96, 3\), the same memory", printed)
    # 60 s of 4 frames of 256 x 144 pixels with 3 channels are 26,542,080 bytes of uint8.
    assert "26,542,080 numbers" in printed and "26.5 MB of uint8, 106.2 MB of float32" in printed
    assert re.search(r"Video: rank 5, uint8, 331,776 bytes", printed)
    assert len(list(tmp_path.glob("*.png"))) == 6


@pytest.mark.slow
def test_descent(tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    printed = run("descent.py", "--folder", str(tmp_path), "--animation", "none")
    assert 1.5 < number(printed, r"rate 0\.002 .* ends at (\S+)") < 2.2          # still on its way
    assert abs(number(printed, r"rate 0\.05 .* ends at (\S+)") - 1.43) < 0.01     # in the local minimum
    assert abs(number(printed, r"momentum 0\.9 .* ends at (\S+)") + 1.64) < 0.2   # in the deep one
    whole, one = (re.search(rf"batch of {batch} .* ends at \[(\S+), (\S+)\]", printed) for batch in (128, 1))
    # The line of least squares through the points of seed 0, by NumPy.
    random = np.random.default_rng(0)
    x = random.uniform(-1.5, 1.5, 128)
    best = np.polyfit(x, 1.5 * x - 0.5 + random.normal(0, 0.6, 128), 1)
    off = [np.abs(np.array(found.groups(), float) - best).max() for found in (whole, one)]
    assert off[0] < 0.01 < off[1]
    assert len(list(tmp_path.glob("*.png"))) == 4


@pytest.mark.slow
def test_naive_loops(tmp_path):
    """That loops and kernels give the same is checked inside; the table has a row for each."""
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    printed = run("naive_loops.py", "--size", "40", "--picture", str(tmp_path / "loops.svg"))
    rows = re.findall(r"^\| (.+?) \| \S+ ms \| \S+ µs \| (\S+) \|$", printed, re.MULTILINE)
    assert [name for name, _ in rows] == ["relu", "matrix + matrix", "matrix + vector", "vector · vector",
                                          "matrix · vector", "matrix · matrix"]
    assert (tmp_path / "loops.svg").stat().st_size > 5000
    loops = runpy.run_path(str(EXAMPLES / "naive_loops.py"))
    x, y = np.arange(6.0).reshape(2, 3) - 2, np.arange(12.0).reshape(3, 4)
    np.testing.assert_allclose(loops["naive_matrix_dot"](x, y), x @ y)
    np.testing.assert_allclose(loops["naive_relu"](x), np.maximum(x, 0))
    np.testing.assert_allclose(loops["naive_matrix_plus_vector"](y, y[0]), y + y[0])


@pytest.mark.parametrize("wrong", [["--epochs", "none"], ["--colour", "red"]])
def test_wrong_arguments_are_explained(wrong):
    command = [sys.executable, str(EXAMPLES / "mnist.py"), *wrong]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "usage: mnist.py" in done.stderr
