"""The command line with one's own data: tables, arrays, pictures; interruptions and closed pipes."""
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import cytensor as ct
from cytensor import cli
from cytensor.cli import data, photos, tables
from cytensor.datasets import mnist

HEADER = "height,width,species\n"


def run(*arguments, capsys):
    """(exit code, standard output, standard error)."""
    try:
        code = cli.main(list(map(str, arguments)))
    except SystemExit as end:
        code = end.code
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def points(count=300):
    """Three separate clouds in columns of very different scales, and their labels."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, count)
    return (rng.normal(size=(count, 4)) * 0.3 + np.eye(3, 4)[y] * 3) * [1, 1000, 0.01, 1] + [0, 5000, 0, -3], y


# -- tables -----------------------------------------------------------------------------------------------------------
def table(tmp_path, text, name="data.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return tables.read(path)


@pytest.mark.parametrize("text", [
    "1,2,0\n3.5,-4e1,1\n", "a,b,label\n1,2,0\n3.5,-40,1\n", "1;2;0\n3.5;-40;1\n", "1\t2\t0\r\n3.5\t-40\t1\r\n",
    "\ufeffa,b,label\n1,2,0\n\n3.5,-40,1", '"a, b",b,label\n"1", 2 ,0\n3.5,-40,1\n', "1|2|0\n3.5|-40|1\n",
    ",a,b,label\n0,1,2,0\n1,3.5,-40,1\n", "a,1,label\n1,2,0\n3.5,-40,1\n"])
def test_numbers_and_labels_of_a_table(tmp_path, text):
    found = table(tmp_path, text)
    column = found.label_column()
    assert found.features(without=column).tolist() == [[1, 2], [3.5, -40]]
    assert found.features(without=column).dtype == np.float32
    labels, names = found.labels(column)
    assert labels.tolist() == [0, 1] and labels.dtype == np.int64 and names is None


def test_labels_may_be_words_and_stand_anywhere(tmp_path):
    text = "y,height\nsetosa,1\nvirginica,2\n\"a,\"\"b\",3\nsetosa,4\n"
    found = table(tmp_path, text)
    assert found.label_column() == 0 and found.labels(0)[0].tolist() == [1, 2, 0, 1]
    assert found.labels(0)[1] == ['a,"b', "setosa", "virginica"]
    assert found.features(without=0).ravel().tolist() == [1, 2, 3, 4]
    found = table(tmp_path, "1.5,setosa\n2.5,virginica\n")               # no header: there is a number in it
    assert found.names is None and found.labels(1)[1] == ["setosa", "virginica"]


def test_the_column_of_labels(tmp_path):
    found = table(tmp_path, "a,Target,b,3\n1,2,3,4\n")
    for label, place in ((None, 1), ("b", 2), ("1", 0), ("4", 3), ("-2", 2), ("3", 3)):      # a name comes first
        assert found.label_column(label) == place, label
    for label in ("0", "5", "c", "-5", "1.0"):
        with pytest.raises(ValueError, match=f"has no column '{label}'; known are a, Target, b, 3"):
            found.label_column(label)
    assert table(tmp_path, "1,2\n3,4\n").label_column() == 1
    assert tables.Columns("x.npy", np.ones((2, 3))).label_column("-3") == 0


@pytest.mark.parametrize(("text", "message"), [
    (HEADER + "1,2,a\n3,,b\n", "line 3, column 'width': the value is missing"),
    (HEADER + "1,2,a\nNA,4,b\n", "line 3, column 'height': the value is missing"),
    (HEADER + "1,2,a\n3,4,\n", "line 3, column 'species': the label is missing"),
    (HEADER + '1,2,a\n3,"4\n5",b\n6,?,c\n', r"line 4, column 'width': features must be finite numbers; got '4\\n5'"),
    (HEADER + "1,2,a\n3,tall,b\n", "line 3, column 'width': features must be finite numbers; got 'tall'"),
    (HEADER + "1,2,a\n3,inf,b\n", "line 3, column 'width': features must be finite numbers; got 'inf'"),
    ("1,2,0\n3,x,1\n", "line 2, column 2: features must be finite numbers; got 'x'"),
    (HEADER + "1,2,a\n3,4\n", "line 3: rows must have as many values as the first, 3; got 2"),
    (HEADER + "1,2,0.5\n3,4,1\n", "line 2, column 'species': labels must be whole numbers from 0, or words"),
    (HEADER + "1,2,0\n3,4,-1\n", "line 3, column 'species': labels must be whole numbers from 0"),
    (HEADER, "there must be a row of data; got none"), ("", "there must be a row of data; got none"),
    (HEADER.encode() + b"1,2,\xff\n", "cannot read .* as CSV text in UTF-8"),
    ("1\n2\n3\n", "must have a column of labels beside the features"), (HEADER + "1,2,a\n", "there must be samples to"),
])
def test_what_is_wrong_in_a_table_is_named_by_line_and_column(tmp_path, capsys, text, message):
    path = tmp_path / "data.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    code, out, err = run("train", "--data", path, capsys=capsys)
    assert code == 2 and not out and re.search(message, err) and "data.csv" in err and err.count("\n") == 1


def csv_text(x, y, names=None):
    lines = [",".join([*(f"{v:.6g}" for v in row), str(names[label] if names else label)])
             for row, label in zip(x, y, strict=True)]
    return "a,b,c,d,kind\n" + "\n".join(lines)


@pytest.mark.slow
def test_train_and_predict_on_tables(tmp_path, capsys):
    x, y = points()
    words = ["ash", "beech", "oak"]
    (tmp_path / "words.csv").write_text(csv_text(x, y, words))
    (tmp_path / "numbers.csv").write_text(csv_text(x, y))
    (tmp_path / "bare.csv").write_text("\n".join(line.rpartition(",")[0] for line in csv_text(x, y).splitlines()))
    np.save(tmp_path / "table.npy", np.c_[y, x])
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y[:, None])
    np.savez(tmp_path / "pair.npz", x=(x - x.mean(0)) / x.std(0), y=y)
    model = tmp_path / "m.safetensors"
    for given in (["pair.npz"], ["x.npy", "y.npy"], ["table.npy", "--label", "1"], ["numbers.csv"], ["words.csv"]):
        files = [name if name.startswith("-") or name == "1" else tmp_path / name for name in given]
        code, out, err = run("train", "--epochs", 12, "--batch-size", 8, "--hidden", 16, "--save", model, "--data",
                             *files, capsys=capsys)
        assert code == 0 and not err and "240 samples of shape (4,) to train on, 60 to test with, 3 classes" in out
        assert float(re.search(r"Test accuracy: (\d\.\d+)", out).group(1)) > 0.9, given
        assert ("3 classes: ash, beech, oak" in out) == ("words.csv" in given)
    for name, accuracy in (("words.csv", True), ("numbers.csv", True), ("bare.csv", False), ("x.npy", False)):
        code, out, _ = run("predict", model, "--data", tmp_path / name, "--count", 5, capsys=capsys)
        shown = re.search(r"Accuracy on 300 samples: (\d\.\d+)", out)
        assert code == 0 and (shown is not None and float(shown.group(1)) > 0.9) == accuracy
        assert re.search(r"sample +label +predicted +probability\n +0 ", out)
        assert [words.index(word) if word in words else int(word) for word in re.findall(
            r"^ +\d+ +\w* +(\w+) +0\.\d+|^ +\d+ +\w* +(\w+) +1\.0", out, re.MULTILINE)[0] if word] == [y[0]]
    code, _, err = run("predict", model, "--data", "mnist", capsys=capsys)
    assert code == 2 and "the model takes (4,), that is 4 features; mnist has (28, 28)" in err


def test_the_split_is_the_seeds(tmp_path):
    x, y = points(50)
    np.save(tmp_path / "t.npy", np.c_[x, y])
    first, again, other = (data.training([str(tmp_path / "t.npy")], seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first[0].x, again[0].x) and not np.array_equal(first[0].x, other[0].x)
    joined = np.vstack([part.x for part in first])
    assert len(first[1].x) == 10 and np.array_equal(np.sort(joined[:, 0]), np.sort(x[:, 0].astype(np.float32)))


def test_tables_of_pixels_are_pictures(tmp_path):
    (x, y), _ = mnist.load_data()
    text = "\n".join(",".join(map(str, [label, *image.ravel()])) for image, label in zip(x[:40], y[:40], strict=True))
    (tmp_path / "mnist.csv").write_text("label," + ",".join(f"pixel{i}" for i in range(784)) + "\n" + text)
    train, test = data.training([str(tmp_path / "mnist.csv")])
    assert train.x.dtype == np.uint8 and not train.table and len(test.x) == 8
    with_sum = {(int(a.sum()), int(b)) for a, b in zip(x[:40], y[:40], strict=True)}
    assert {(int(a.sum()), int(b)) for a, b in zip(train.x, train.y, strict=True)} < with_sum


@pytest.mark.parametrize(("content", "message"), [
    (b"\x89PNG\r\n\x1a\n" + b"\0" * 30, "it is a picture; accepted are 'mnist'; an .npz file .*cytensor predict MODEL"),
    (b"\x89HDF\r\n\x1a\n" + b"\0" * 30, "it is an HDF5 file, as Keras writes .h5; accepted are"),
    (b"PAR1" + b"\0" * 30, "it is a Parquet file; accepted are 'mnist'; an .npz file"),
    (b"\x01\x02\x03\x04" * 9, "its format is not known; accepted are"),
    (b"PK\3\4" + b"\0" * 30, "File is not a zip file"), (b"\x93NUMPY\1\0", "cannot read"),
    (b"\x93NUMPY\1\0\x76\0{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999,), }" + b" " * 50 + b"\n",
     "799999999992 bytes, but 0 are there"),
])
def test_data_of_other_formats_is_named(tmp_path, capsys, content, message):
    path = tmp_path / "data.bin"
    path.write_bytes(content)
    for command in (["train"], ["predict", model_of_four(tmp_path)]):
        code, _, err = run(*command, "--data", path, capsys=capsys)
        assert code == 2 and "data.bin" in err and re.search(message, err) and err.count("\n") == 1


def model_of_four(tmp_path):
    model = ct.Sequential([ct.layers.Input((4,)), ct.layers.Dense(3, "softmax")])
    model.save(tmp_path / "four.safetensors")
    return tmp_path / "four.safetensors"


def test_other_features_than_the_models(tmp_path, capsys):
    model = ct.Sequential([ct.layers.Input((28, 28)), ct.layers.Flatten(), ct.layers.Dense(10, "softmax")])
    model.save(tmp_path / "m.safetensors")
    np.save(tmp_path / "x.npy", np.ones((5000, 30)))
    job = ["predict", tmp_path / "m.safetensors", "--data"]
    code, _, err = run(*job, tmp_path / "x.npy", "--label", "1", capsys=capsys)
    assert code == 2 and "the model takes (28, 28) or 784 features; " in err and err.endswith("x.npy has 29\n")
    np.savez(tmp_path / "flat.npz", x_test=np.ones((5, 784)), y_test=np.zeros(5, int))
    assert run(*job, tmp_path / "flat.npz", capsys=capsys)[0] == 0
    two = ct.Sequential([ct.layers.Input((2,)), ct.layers.Dense(1, "sigmoid")])
    two.save(tmp_path / "two.safetensors")
    np.savez(tmp_path / "two.npz", x_test=np.array([[50., 50.], [-50., -50.]]), y_test=np.array([1, 0]))
    two.set_weights([np.ones((2, 1)), np.zeros(1)])
    two.save(tmp_path / "two.safetensors")
    code, out, _ = run("predict", tmp_path / "two.safetensors", "--data", tmp_path / "two.npz", capsys=capsys)
    assert code == 0 and "Accuracy on 2 samples: 1.0000" in out


# -- pictures ---------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A model of MNIST that was trained by the command."""
    path = tmp_path_factory.mktemp("model") / "digits.safetensors"
    assert cli.main(["train", "--samples", "12000", "--epochs", "2", "--hidden", "128", "--save", str(path)]) == 0
    return path


def test_pictures_of_ones_own(digits, tmp_path, capsys):
    image = pytest.importorskip("PIL.Image")
    (x, y) = mnist.load_data()[1]
    paths = []
    for i in range(4):
        black = image.fromarray(x[i])
        white = image.fromarray(255 - x[i])
        clear = image.merge("LA", [image.new("L", (28, 28), 0), black])       # black ink on nothing
        wide = image.new("RGB", (400, 280), (240, 235, 250))                  # on coloured paper
        wide.paste(image.merge("RGB", [white.resize((280, 280)).point(lambda v: v * 0.9)] * 3), (60, 0))
        for name, picture in (("same.png", black), ("paper.png", white), ("big.jpg", white.resize((300, 300))),
                              ("clear.png", clear.resize((56, 56))), ("wide.png", wide),
                              ("one.png", white.convert("1")), ("deep.png", image.fromarray(
                                  (255 - x[i].astype(np.uint16)) * 257)), ("small.png", white.resize((20, 20)))):
            picture.save(tmp_path / f"{i}-{name}")
            paths.append(tmp_path / f"{i}-{name}")
    code, out, err = run("predict", digits, *paths, capsys=capsys)
    assert code == 0 and not err
    found = dict(re.findall(r"^(\d-\S+) +(\d) +[01]\.\d{4}$", out, re.MULTILINE))
    assert {name: int(guess) for name, guess in found.items()} == {path.name: y[int(path.name[0])] for path in paths}


def test_a_picture_becomes_light_ink_on_black(tmp_path):
    image = pytest.importorskip("PIL.Image")
    model = ct.Sequential([ct.layers.Input((8, 8)), ct.layers.Flatten(), ct.layers.Rescaling(1 / 255)])
    paper = np.full((16, 16), 230, np.uint8)
    paper[4:8, 2:14] = 30                                          # ink; in eighths rows 2 and 3, columns 1 to 6
    expected = np.zeros((8, 8), np.uint8)
    expected[2:4, 1:7] = 255
    for pixels in (paper, 255 - paper):
        image.fromarray(pixels).save(tmp_path / "p.png")
        samples, pictures = photos.read([tmp_path / "p.png"], model)
        assert np.array_equal(pictures[0], expected) and np.array_equal(samples[0], expected)
    small = np.zeros((64, 80), np.uint8)                           # ink in a corner is brought to the middle
    small[50:60, 4:9] = 200
    image.fromarray(small).save(tmp_path / "s.png")
    _, pictures = photos.read([tmp_path / "s.png"], ct.Sequential([ct.layers.Input((14, 14)), ct.layers.Flatten()]))
    assert np.argwhere(pictures[0] == 255).min(axis=0).tolist() == [2, 4]
    assert np.argwhere(pictures[0] == 255).max(axis=0).tolist() == [11, 8] and (pictures[0] > 0).sum() == 50
    flat = ct.Sequential([ct.layers.Input((64,)), ct.layers.Dense(2)])             # scales nothing itself
    samples, _ = photos.read([tmp_path / "p.png"], flat)
    assert samples.shape == (1, 64) and np.array_equal(samples[0], expected.ravel() / np.float32(255))
    colours = ct.Sequential([ct.layers.Input((8, 8, 3)), ct.layers.Flatten()])
    samples, _ = photos.read([tmp_path / "p.png"] * 2, colours)
    assert samples.shape == (2, 8, 8, 3) and np.array_equal(samples[1, ..., 2] * 255, expected)


def test_what_is_no_picture(digits, tmp_path, capsys, monkeypatch):
    pytest.importorskip("PIL")
    (tmp_path / "data.csv").write_text("1,2\n")
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 20)
    np.save(tmp_path / "x.npy", np.ones(3))
    for arguments, message in (
            ([digits, tmp_path / "no.png"], "there is no picture .*no.png"),
            ([digits, tmp_path / "data.csv"], "data.csv is no picture that can be read: .*; data is named by --data"),
            ([digits, tmp_path / "cut.png"], "cut.png is no picture that can be read"),
            ([digits, tmp_path / "x.npy"], "it is an .npy file of one NumPy array"),
            ([digits, tmp_path], "there is no picture"),
            ([model_of_four(tmp_path), tmp_path / "cut.png"], r"the model takes samples of shape \(4,\), which are no"),
            ([digits, tmp_path / "cut.png", "--data", "mnist"], "either pictures or --data")):
        code, out, err = run("predict", *arguments, capsys=capsys)
        assert code == 2 and not out and re.search(message, err) and err.count("\n") == 1, message
    monkeypatch.setitem(sys.modules, "PIL", None)
    code, _, err = run("predict", digits, tmp_path / "cut.png", capsys=capsys)
    assert code == 2 and 'pip install "cytensor[image]"' in err


# -- interruptions ----------------------------------------------------------------------------------------------------
def started(*arguments):
    return subprocess.Popen([sys.executable, "-m", "cytensor", *map(str, arguments)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def interrupted_after(process, line):
    """(code, errors) of a process that is interrupted when it has printed a line that begins so."""
    while not process.stdout.readline().startswith(line):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    return process.returncode, err


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.slow
def test_an_interrupted_training_goes_on_from_its_file(tmp_path, capsys):
    path, model = tmp_path / "r.safetensors", tmp_path / "m.safetensors"
    job = ["train", "--samples", 3000, "--hidden", 16, "--resume", path, "--save", model]
    process = started(*job, "--epochs", 100000)
    while not path.exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    kept = re.search(r"interrupted; kept to the end of epoch (\d+) in .*r.safetensors; the same command goes on", err)
    assert process.returncode == 130 and kept and "Traceback" not in err and not model.exists()
    epochs = int(kept.group(1)) + 2
    code, out, _ = run(*job, "--epochs", epochs, capsys=capsys)
    assert code == 0 and f"Epoch {epochs}/{epochs}" in out and f"Epoch 1/{epochs}" not in out and model.exists()
    code, whole, _ = run("train", "--samples", 3000, "--hidden", 16, "--epochs", epochs, capsys=capsys)
    assert re.search("Test accuracy.*", out).group() == re.search("Test accuracy.*", whole).group()


def test_files_that_cannot_be_written_are_refused_before_the_training(tmp_path, capsys):
    (tmp_path / "folder.safetensors").mkdir()
    for option, path in (("--save", tmp_path / "folder.safetensors"), ("--resume", tmp_path),
                         ("--resume", tmp_path / "no" / "r")):
        code, out, err = run("train", option, path, capsys=capsys)
        assert code == 2 and not out and ("is a folder" in err or "there is no folder" in err)


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.slow
def test_an_interrupt_without_a_file_says_that_nothing_is_kept(tmp_path):
    process = started("train", "--epochs", 100000, "--samples", 2000, "--save", tmp_path / "m.safetensors")
    code, err = interrupted_after(process, "2000 samples")
    assert code == 130 and "interrupted; nothing is kept; with --resume FILE the same command" in err
    assert "Traceback" not in err and not os.listdir(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="needs pipes")
@pytest.mark.parametrize("arguments", [["info"], ["--help"], ["train", "--help"], ["predict"],
                                       ["train", "--samples", "2000", "--epochs", "50", "--hidden", "8"]])
@pytest.mark.slow
def test_a_closed_pipe_ends_the_command_quietly(digits, arguments):
    if arguments == ["predict"]:
        arguments = ["predict", digits]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([sys.executable, "-m", "cytensor", *map(str, arguments)], stdout=writing,
                          stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(writing)
    assert done.stderr == "" and (done.returncode == 141 or "--help" in arguments)


@pytest.mark.slow
def test_names_of_classes_in_any_letters(tmp_path):
    x, y = points(30)
    (tmp_path / "d.csv").write_text(csv_text(x, y, ["Ahorn", "Föhre", "柳"]), encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", "cytensor", "train", "--data", tmp_path / "d.csv", "--epochs", "1"],
                          capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}, timeout=60)
    assert done.returncode == 0 and b"F?hre" in done.stdout and not done.stderr
