"""`cytensor train --model convnet`: on digits, on images of one's own in every form, and what it refuses."""

import re

import numpy as np
import pytest

import cytensor as ct
from cytensor import cli
from cytensor.datasets import mnist

QUICK = ["--model", "convnet", "--samples", "6000", "--epochs", "2", "--batch-size", "64"]


def run(*arguments, capsys):
    """(exit code, standard output, standard error)."""
    try:
        code = cli.main(list(map(str, arguments)))
    except SystemExit as end:
        code = end.code
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def of_stripes(shape, path):
    """An .npz of images, bytes, with stripes across or down."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 300)
    height, width, *channels = shape
    down, across = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    x = np.where(y[:, None, None] == 0, down % 4 < 2, across % 4 < 2) * 200.0 + rng.normal(20, 5, (300, height, width))
    x = np.repeat(x[..., None], channels[0], axis=-1) if channels else x
    np.savez(path, x=x.clip(0, 255).astype(np.uint8), y=y)
    return path


@pytest.mark.slow
def test_digits(tmp_path, capsys):
    path = tmp_path / "digits.safetensors"
    code, out, err = run("train", *QUICK, "--save", path, capsys=capsys)
    assert code == 0 and not err
    assert "6000 samples of shape (28, 28, 1) to train on, 10000 to test with, 10 classes" in out
    accuracy = re.search(r"Test accuracy: (0\.\d{4}) \(loss 0\.\d{4}\)", out).group(1)
    assert float(accuracy) > 0.88
    assert len(re.findall(r"(\d) \((\d+)%\)(?:, is (\d))?", out)) == 10        # drawn as images

    code, out, _ = run("predict", path, "--count", "3", capsys=capsys)
    assert code == 0 and f"Accuracy on 10000 samples: {accuracy}" in out
    model = ct.models.load_model(path)
    (x, y) = mnist.load_data()[1]
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    assert f"{model.evaluate(x[..., None], y, verbose=0)[1]:.4f}" == accuracy
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["Rescaling", "Conv2D", "MaxPooling2D", "Conv2D", "MaxPooling2D", "Conv2D", "Flatten", "Dense"]


@pytest.mark.slow
def test_predictions_are_drawn_and_pictures_read(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    image = pytest.importorskip("PIL.Image")
    path, plot, curves = (tmp_path / name for name in ("digits.safetensors", "seen.png", "curves.png"))
    assert run("train", *QUICK, "--save", path, "--plot", curves, capsys=capsys)[0] == 0
    assert run("predict", path, "--plot", plot, capsys=capsys)[0] == 0
    assert curves.stat().st_size > 1000 and plot.stat().st_size > 1000
    x, y = mnist.load_data()[1]
    image.fromarray(255 - x[0]).resize((100, 100)).save(tmp_path / "seven.png")
    code, out, _ = run("predict", path, tmp_path / "seven.png", capsys=capsys)
    assert code == 0 and re.search(rf"seven\.png +{y[0]} ", out)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(20, 24), (20, 24, 1), (20, 24, 3)], ids=str)
@pytest.mark.parametrize("hidden", [[], ["--hidden", "8"]], ids=["no hidden", "a hidden layer"])
def test_images_of_ones_own(shape, hidden, tmp_path, capsys):
    data, model = of_stripes(shape, tmp_path / "stripes.npz"), tmp_path / "stripes.safetensors"
    arguments = ["--data", data, "--batch-size", "20", "--epochs", "3", "--save", model, *hidden]
    code, out, err = run("train", "--model", "convnet", *arguments, capsys=capsys)
    assert code == 0 and not err
    channels = shape[2] if len(shape) > 2 else 1
    assert f"240 samples of shape (20, 24, {channels})" in out
    assert float(re.search(r"Test accuracy: (\d\.\d+)", out).group(1)) > 0.95
    code, out, _ = run("predict", model, "--data", data, capsys=capsys)
    assert code == 0 and float(re.search(r"Accuracy on 300 samples: (\d\.\d+)", out).group(1)) > 0.95


def test_rows_of_pixels_are_square_images(tmp_path, capsys):
    with np.load(of_stripes((20, 20), tmp_path / "stripes.npz")) as arrays:
        table = np.column_stack([arrays["x"].reshape(300, 400), arrays["y"]])
    np.save(tmp_path / "rows.npy", table)
    arguments = ["--data", tmp_path / "rows.npy", "--batch-size", "20", "--epochs", "2"]
    code, out, _ = run("train", "--model", "convnet", *arguments, capsys=capsys)
    assert code == 0 and "samples of shape (20, 20, 1)" in out
    assert float(re.search(r"Test accuracy: (\d\.\d+)", out).group(1)) > 0.95


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((4,), "samples must be images, (height, width) or (height, width, channels); got samples of shape (4,)"),
        ((401,), "got samples of shape (401,)"),
        ((2, 20, 20, 3), "got samples of shape (2, 20, 20, 3)"),
        ((17, 40), "images must be at least 18 x 18; got 17 x 40"),
        ((8, 8, 3), "got 8 x 8"),
    ],
    ids=str,
)
def test_what_is_no_image_is_refused(shape, message, tmp_path, capsys):
    np.savez(tmp_path / "x.npz", x=np.ones((10, *shape)), y=np.arange(10) % 2)
    code, out, err = run("train", "--model", "convnet", "--data", tmp_path / "x.npz", capsys=capsys)
    assert code == 2 and not out
    assert err.startswith("cytensor train: error: --model convnet: ") and message in err and err.count("\n") == 1


@pytest.mark.parametrize(("schedule", "last"), [([], 0.0), (["--schedule", "constant"], 0.02)], ids=["fall", "stay"])
def test_the_rate_falls_along_a_cosine(schedule, last, tmp_path, capsys):
    data, path = of_stripes((18, 18), tmp_path / "stripes.npz"), tmp_path / "stripes.safetensors"
    arguments = ["--data", data, "--batch-size", "64", "--epochs", "2", "--learning-rate", "0.02", "--save", path]
    assert run("train", "--model", "convnet", *arguments, *schedule, capsys=capsys)[0] == 0
    assert float(ct.models.load_model(path).optimizer.learning_rate) == pytest.approx(last, abs=1e-9)


def test_an_interrupted_convnet_goes_on_to_the_same_end(tmp_path, monkeypatch, capsys):
    job = ["train", "--model", "convnet", "--data", of_stripes((18, 18), tmp_path / "stripes.npz"), "--epochs", "3"]
    whole = run(*job, capsys=capsys)[1]
    ends = ct.callbacks.History.on_epoch_end

    def interrupted(self, epoch, logs=None):
        ends(self, epoch, logs)
        if epoch == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(ct.callbacks.History, "on_epoch_end", interrupted)
    assert run(*job, "--resume", tmp_path / "run.safetensors", capsys=capsys)[0] == 130
    monkeypatch.undo()
    code, rest, _ = run(*job, "--resume", tmp_path / "run.safetensors", capsys=capsys)
    assert code == 0 and "Epoch 1/3" not in rest
    assert re.search("Test accuracy.*", rest).group() == re.search("Test accuracy.*", whole).group()


def test_unknown_networks_are_refused(capsys):
    code, _, err = run("train", "--model", "transformer", capsys=capsys)
    assert code == 2 and "argument --model: invalid choice: 'transformer'" in err


def test_info_and_help_name_the_networks(capsys):
    assert re.search(r"networks +dense, convnet", run("info", capsys=capsys)[1])
    out = run("train", "--help", capsys=capsys)[1]
    assert "--model {dense,convnet}" in out and "(default: dense)" in " ".join(out.split())
