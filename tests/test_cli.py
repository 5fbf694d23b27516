"""The command line: what it prints, what it saves, and how it refuses wrong arguments and files."""

import re
import subprocess
import sys

import numpy as np
import pytest

import cytensor as ct
from cytensor import cli
from cytensor.cli import ascii_art
from cytensor.datasets import mnist

QUICK = ["--samples", "3000", "--epochs", "2", "--hidden", "64"]


def run(*arguments, capsys):
    """(exit code, standard output, standard error)."""
    try:
        code = cli.main(list(arguments))
    except SystemExit as end:
        code = end.code
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    """An .npz file of three separate clouds of points with four coordinates."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 600)
    x = rng.normal(size=(600, 4)) * 0.3 + np.eye(3, 4)[y] * 3
    path = tmp_path_factory.mktemp("data") / "points.npz"
    np.savez(path, x_train=x[:500], y_train=y[:500], x_test=x[500:], y_test=y[500:])
    return str(path)


def changed(source, path, **changes):
    """A copy of an .npz file with arrays replaced, or left out where the change is None."""
    arrays = {**np.load(source), **changes}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return str(path)


# Without a command, and help


def test_without_a_command_the_help_is_printed(capsys):
    code, out, _ = run(capsys=capsys)
    assert code == 0 and "Start with: cytensor train" in out


@pytest.mark.parametrize("command", [[], ["train"], ["predict"], ["demo"], ["bench"], ["info"]])
def test_help(command, capsys):
    code, out, _ = run(*command, "--help", capsys=capsys)
    assert code == 0 and out.startswith("usage: cytensor")
    if command == ["train"]:
        for option in ("data", "epochs", "batch-size", "model", "optimizer", "learning-rate", "hidden", "seed", "save",
                       "plot"):
            assert f"--{option} " in out
        assert out.count("(default: ") >= 8 and "SUPPRESS" not in out and "None" not in out


@pytest.mark.slow
def test_as_a_module_and_as_a_command():
    done = subprocess.run([sys.executable, "-m", "cytensor", "--version"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, f"cytensor {ct.__version__}\n")


def test_info(capsys):
    code, out, _ = run("info", capsys=capsys)
    assert code == 0
    for word in (
        ct.__version__,
        ct.isa,
        f"threads          {ct.get_num_threads()}",
        "float32",
        "bfloat16",
        "complex64",
        "mnist.npz",
        np.__version__,
    ):
        assert word in out


# train and predict


def test_train_on_digits_then_predict(tmp_path, capsys):
    path = str(tmp_path / "digits.safetensors")
    code, out, err = run("train", *QUICK, "--save", path, capsys=capsys)
    assert code == 0 and not err
    assert "3000 samples of shape (28, 28) to train on, 10000 to test with, 10 classes" in out
    assert re.search(r"Epoch 2/2.*24/24.* - accuracy: 0\.\d{4} - loss: ", out, re.DOTALL)
    accuracy = re.search(r"Test accuracy: (0\.\d{4}) \(loss 0\.\d{4}\)", out).group(1)
    assert float(accuracy) > 0.83
    shown = re.findall(r"(\d) \((\d+)%\)(?:, is (\d))?", out)
    assert len(shown) == 10
    labels = mnist.load_data()[1][1][:10].tolist()
    assert [int(true or guess) for guess, _, true in shown] == labels

    code, out, _ = run("predict", path, "--count", "3", capsys=capsys)
    assert code == 0
    assert f"Accuracy on 10000 samples: {accuracy}" in out
    assert len(re.findall(r"\d \(\d+%\)", out)) == 3


@pytest.mark.slow
def test_the_same_seed_gives_the_same_training(capsys):
    printed = [run("train", *QUICK, "--epochs", "1", "--seed", seed, capsys=capsys)[1] for seed in ("3", "3", "4")]
    results = [re.search(r"Test accuracy.*", text).group() for text in printed]
    assert results[0] == results[1] != results[2]


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
@pytest.mark.parametrize("hidden", [[], ["8"], ["16", "8"]], ids=["linear", "one layer", "two layers"])
def test_train_on_own_arrays(points, optimizer, hidden, capsys):
    rate = ["--learning-rate", "0.1" if optimizer == "sgd" else "0.01"]
    code, out, _ = run(
        *("train", "--data", points, "--optimizer", optimizer, "--hidden", *hidden),
        *("--batch-size", "20", "--epochs", "6", *rate),
        capsys=capsys,
    )
    assert code == 0 and "500 samples of shape (4,) to train on, 100 to test with, 3 classes" in out
    assert float(re.search(r"Test accuracy: (\d\.\d+)", out).group(1)) > 0.95
    assert re.search(r"sample +label +predicted +probability\n +0 ", out)


def test_predict_without_labels(points, tmp_path, capsys):
    model = str(tmp_path / "points.safetensors")
    assert run("train", "--data", points, "--epochs", "1", "--save", model, capsys=capsys)[0] == 0
    unlabelled = changed(points, tmp_path / "unlabelled.npz", y_test=None, x_train=None, y_train=None)
    code, out, _ = run("predict", model, "--data", unlabelled, capsys=capsys)
    assert code == 0 and "Accuracy" not in out and len(out.splitlines()) == 11


# Wrong arguments and files: one clear line, exit code 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fly"], "invalid choice: 'fly'"),
        (["train", "--epochs", "0"], "argument --epochs: must be a whole number from 1; got 0"),
        (["train", "--epochs", "two"], "argument --epochs: must be a whole number from 1; got two"),
        (["train", "--batch-size", "-5"], "argument --batch-size: must be a whole number from 1; got -5"),
        (["train", "--optimizer", "newton"], "invalid choice: 'newton' (choose from"),
        (["train", "--learning-rate", "0"], "argument --learning-rate: must be a number above 0; got 0"),
        (["train", "--learning-rate", "nan"], "must be a number above 0; got nan"),
        (["train", "--hidden", "0"], "argument --hidden: must be a whole number from 1; got 0"),
        (["train", "--seed", "-1"], "argument --seed: must be a whole number from 0; got -1"),
        (["train", "--save", "model.h5"], "argument --save: must end with .safetensors; got model.h5"),
        (["train", "--save", "/no/such/m.safetensors"], "argument --save: there is no folder /no/such"),
        (["train", "--data", "/no/such.npz"], "No such file or directory: '/no/such.npz'"),
        (["predict"], "the following arguments are required: MODEL.safetensors"),
        (["predict", "/no/such.safetensors"], "/no/such.safetensors"),
        (["info", "--verbose"], "unrecognized arguments: --verbose"),
    ],
)
def test_wrong_arguments(arguments, message, capsys):
    code, out, err = run(*arguments, capsys=capsys)
    assert code == 2 and message in err and "Traceback" not in err and not out


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_test": None}, "no array y_test"),
        ({"x_train": np.zeros((0, 4))}, "samples must be numbers of shape (n, ...), n > 0; got x_train float64 (0, 4)"),
        ({"x_train": np.zeros(500)}, "got x_train float64 (500,)"),
        ({"x_test": np.full((100, 4), "a")}, "got x_test <U1 (100, 4)"),
        ({"y_train": np.zeros(500)}, "labels must be integers from 0 of shape (500,)"),
        ({"y_train": np.full(500, -1)}, "labels must be integers from 0"),
        ({"y_train": np.zeros(499, int)}, "got y_train int64 (499,)"),
        ({"x_test": np.zeros((100, 5))}, "training and test samples must have one shape and dtype"),
        ({"x_test": np.zeros((100, 4), np.float32)}, "x_test float32 (100, 4)"),
    ],
)
def test_wrong_data(points, tmp_path, changes, message, capsys):
    path = changed(points, tmp_path / "wrong.npz", **changes)
    code, out, err = run("train", "--data", path, capsys=capsys)
    assert code == 2 and message in err and "wrong.npz" in err and not out
    assert err.startswith("cytensor train: error: ") and err.count("\n") == 1


def test_files_that_are_no_models_or_data(points, tmp_path, capsys):
    junk = tmp_path / "junk.safetensors"
    junk.write_bytes(b"this is no model")
    code, _, err = run("predict", str(junk), capsys=capsys)
    assert code == 2 and "junk.safetensors" in err and err.startswith("cytensor predict: error: ")
    code, _, err = run("train", "--data", str(junk), capsys=capsys)
    assert code == 2 and "junk.safetensors" in err


def test_a_model_for_other_data(points, tmp_path, capsys):
    model = str(tmp_path / "points.safetensors")
    run("train", "--data", points, "--epochs", "1", "--save", model, capsys=capsys)
    code, _, err = run("predict", model, "--data", "mnist", capsys=capsys)
    assert code == 2 and "(4," in err and "28" in err


def test_an_interrupted_training_ends_quietly(monkeypatch, capsys):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.networks, "build", interrupt)
    code, _, err = run("train", *QUICK, capsys=capsys)
    assert code == 130 and "interrupted" in err and "Traceback" not in err


# Pictures


def test_pictures_of_images():
    image = np.zeros((28, 28))
    image[:4, :2] = 255
    lines = ascii_art.as_text(image)
    assert len(lines) == 7 and {len(line) for line in lines} == {14}
    assert lines[0] == "@" + " " * 13 and "".join(lines[1:]).strip() == ""


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (7, 14), (8, 8), (28, 28), (100, 31)])
def test_pictures_of_any_size(shape):
    lines = ascii_art.as_text(np.random.default_rng(0).random(shape))
    assert 1 <= len(lines) <= 7 and 1 <= len(lines[0]) <= 14


def test_a_gallery_has_five_images_in_a_row():
    text = ascii_art.gallery(np.ones((7, 28, 28)), [f"image {i}" for i in range(7)])
    assert [line for line in text.splitlines() if "image" in line] == [
        "image 0        image 1        image 2        image 3        image 4",
        "image 5        image 6",
    ]


# Pictures


@pytest.mark.slow
def test_plots_are_drawn(points, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    curves, matrix, model = (str(tmp_path / name) for name in ("curves.png", "matrix.pdf", "m.safetensors"))
    code, out, _ = run("train", "--data", points, "--epochs", "2", "--save", model, "--plot", curves, capsys=capsys)
    assert code == 0 and f"Learning curves drawn: {curves}" in out and out.count("val_loss") == 2
    code, out, _ = run("predict", model, "--data", points, "--plot", matrix, capsys=capsys)
    assert code == 0 and f"Predictions drawn: {matrix}" in out
    for path, first in ((curves, b"\x89PNG"), (matrix, b"%PDF")):
        with open(path, "rb") as file:
            assert file.read(4) == first


def test_plots_are_refused_before_the_work(points, tmp_path, capsys, monkeypatch):
    pytest.importorskip("matplotlib")
    code, out, err = run("train", "--data", points, "--plot", "curves.txt", capsys=capsys)
    assert code == 2 and not out and "--plot: the file must end with one of ." in err and "got 'curves.txt'" in err
    code, out, err = run("train", "--data", points, "--plot", str(tmp_path / "no" / "c.png"), capsys=capsys)
    assert code == 2 and not out and "--plot: there is no folder" in err
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, out, err = run("train", "--data", points, "--plot", "curves.png", capsys=capsys)
    assert code == 2 and not out and 'pip install "cytensor[plot]"' in err
