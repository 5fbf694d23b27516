"""Files on the disk: interrupted at any line, killed, written twice, named for other formats, of other formats."""
import gzip
import hashlib
import io
import json
import os
import pickle
import signal
import subprocess
import sys
import warnings
import zipfile

import numpy as np
import pytest

from cytensor import datasets, layers, models
from cytensor.saving import files


def small():
    model = models.Sequential([layers.Input((3,)), layers.Dense(2)])
    model.compile("adam", "mse")
    return model


# -- interruptions ----------------------------------------------------------------------------------------------------
def interrupted_at(number, call):
    """Call, with a KeyboardInterrupt before the `number`-th line of files.py that runs; whether there were so many."""
    seen = 0

    def at_line(frame, event, _):
        nonlocal seen
        if event == "line":
            seen += 1
            if seen == number:
                raise KeyboardInterrupt
        return at_line

    def at_call(frame, event, _):
        return at_line if frame.f_code.co_filename == files.__file__ else None

    sys.settrace(at_call)
    try:
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(None)
    return seen >= number


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")      # a file that was not closed
def test_an_interrupt_at_any_line_leaves_the_old_file_or_the_new_one(tmp_path):
    path, model = tmp_path / "m.safetensors", small()
    model.save(path)
    old = path.read_bytes()
    model.set_weights([w + 1 for w in model.get_weights()])
    model.save(tmp_path / "new")
    new = (tmp_path / "new").read_bytes()
    os.remove(tmp_path / "new")
    number, found = 0, []
    while True:
        number += 1
        path.write_bytes(old)
        if not interrupted_at(number, lambda: model.save(path)):
            break
        found.append(path.read_bytes())
        assert found[-1] in (old, new) and os.listdir(tmp_path) == [path.name], number
    assert number > 30 and found[0] == old and found[-1] == new and path.read_bytes() == new


WRITER = """
import os, signal, sys, time
from cytensor import layers, models
model = models.Sequential([layers.Input((3,)), layers.Dense(2)])
def at_fsync(handle):
    if sys.argv[2] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    print("writing", flush=True)
    sys.stdin.readline()
os.fsync = at_fsync
model.save(sys.argv[1])
"""


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.slow
def test_what_a_killed_process_left_is_removed_by_the_next_save(tmp_path):
    path = tmp_path / "m.safetensors"
    for left in (1, 1):                # the second process removes what the first one left
        done = subprocess.run([sys.executable, "-c", WRITER, str(path), "kill"], timeout=60)
        assert done.returncode == -signal.SIGKILL and len(os.listdir(tmp_path)) == left
    small().save(path)
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.slow
def test_what_another_process_is_writing_is_left_alone(tmp_path):
    path = tmp_path / "m.safetensors"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path), "wait"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "writing\n"
        small().save(path)
        assert len(os.listdir(tmp_path)) == 2
        writer.communicate("go on\n\n\n", timeout=60)
    assert writer.returncode == 0 and os.listdir(tmp_path) == [path.name]
    models.load_model(path)


def test_a_leftover_of_a_process_with_the_same_number_is_no_hindrance(tmp_path):
    """As in a container, where the first process has the same number each time."""
    path = tmp_path / "m.safetensors"
    numbers, files._numbers = files._numbers, iter([0])
    try:
        (tmp_path / f"{os.path.basename(files._temporary_stem(str(path)))}{os.getpid()}-0.tmp").write_bytes(b"part")
        small().save(path)
    finally:
        files._numbers = numbers
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("name", ["m" * 250, "n" * 255, "ü" * 127, "a[b]*?" * 20])
def test_a_name_may_be_as_long_as_the_folder_takes(tmp_path, name):
    small().save(tmp_path / name)
    assert os.listdir(tmp_path) == [name] and models.load_model(tmp_path / name).count_params() == 8


def test_a_target_that_cannot_be_is_refused_before_the_training(tmp_path):
    from cytensor import callbacks
    x, y = np.zeros((4, 3)), np.zeros((4, 2))
    for path, error in ((tmp_path / "no" / "c.safetensors", FileNotFoundError), (tmp_path, ValueError)):
        model = small()
        with pytest.raises(error, match="save: "):
            model.fit(x, y, verbose=0, resume=path)
        assert model.optimizer.iterations == 0
    model = small()
    with pytest.raises(ValueError, match="must be the name of a file"):
        model.fit(x, y, verbose=0, callbacks=[callbacks.ModelCheckpoint(tmp_path)])
    assert model.optimizer.iterations == 0


def test_a_folder_that_allows_no_writing_is_refused_before_the_training(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)           # for root every folder allows it
    with pytest.raises(PermissionError, match=r"save: the folder .* must allow to write"):
        small().fit(np.zeros((4, 3)), np.zeros((4, 2)), verbose=0, resume=tmp_path / "c")


# -- the same bytes ---------------------------------------------------------------------------------------------------
SAVER = """
import sys
import numpy as np
from cytensor import layers, models, random
random.set_seed(1)
model = models.Sequential([layers.Input((3,)), layers.Dense(4), layers.Dropout(.5), layers.Dense(2)])
model.compile("adam", "mse", metrics=["mae", "mse"])
model.fit(np.ones((8, 3)), np.ones((8, 2)), verbose=0, resume=sys.argv[1] + "/checkpoint")
model.save(sys.argv[1] + "/model")
model.save_weights(sys.argv[1] + "/weights")
"""


@pytest.mark.slow
def test_the_same_model_gives_the_same_bytes(tmp_path):
    digests = set()
    for seed in ("1", "2", "3"):
        (tmp_path / seed).mkdir()
        subprocess.run([sys.executable, "-c", SAVER, str(tmp_path / seed)], check=True, timeout=60,
                       env={**os.environ, "PYTHONHASHSEED": seed})
        digests.add(tuple(hashlib.sha256((tmp_path / seed / name).read_bytes()).hexdigest()
                          for name in ("checkpoint", "model", "weights")))
    assert len(digests) == 1
    model = small()
    contents = set()
    for _ in range(8):
        model.save(tmp_path / "m")
        contents.add((tmp_path / "m").read_bytes())
    assert len(contents) == 1


def test_a_sorted_header_is_what_safetensors_reads(tmp_path):
    from safetensors import safe_open
    tensors = {"ü/b": np.arange(3.0), "a": np.int8([[1, 2]])}
    files.write_file(tmp_path / "f", tensors, {"z": "1", "kind": 'quoted " \\ \n ü'})
    content = (tmp_path / "f").read_bytes()
    size = int.from_bytes(content[:8], "little")
    assert size % 8 == 0 and list(json.loads(content[8:8 + size])["__metadata__"]) == ["format", "kind", "version", "z"]
    with safe_open(tmp_path / "f", framework="numpy") as file:
        assert file.metadata()["kind"] == 'quoted " \\ \n ü'
        for name, value in tensors.items():
            assert np.array_equal(file.get_tensor(name), value) and file.get_tensor(name).dtype == value.dtype


# -- what a file cannot name ------------------------------------------------------------------------------------------
class Undescribed(layers.Layer):
    """What it is made with no configuration could give again: a function without a name."""

    def __init__(self, function=lambda x: x):
        super().__init__()
        self.function = function

    def call(self, x):
        return self.function(x)


def test_a_model_that_cannot_be_described_keeps_its_weights(tmp_path):
    path = tmp_path / "m.safetensors"
    model = models.Sequential([Undescribed(), layers.Dense(2)])
    model(np.ones((1, 3)))
    with pytest.warns(UserWarning, match=r"holds the weights alone.*<lambda>.*register_serializable.*save_weights"):
        model.save(path)
    again = models.Sequential([Undescribed(), layers.Dense(2)])
    again(np.ones((1, 3)))
    again.load_weights(path)
    assert all(map(np.array_equal, model.get_weights(), again.get_weights()))
    with pytest.raises(ValueError, match=r"of kind weights; load_weights.*; it holds the weights alone.*<lambda>"):
        models.load_model(path)


@pytest.mark.parametrize("given", [{"loss": lambda t, p: (t - p) ** 2},
                                   {"loss": "mse", "metrics": [lambda t, p: t - p]}])
def test_a_model_with_a_loss_or_metric_that_has_no_name_is_saved_without_it(tmp_path, given):
    path, model = tmp_path / "m.safetensors", small()
    model.compile("adam", **given)
    model.fit(np.zeros((4, 3)), np.zeros((4, 2)), verbose=0)
    with pytest.warns(UserWarning, match=r"holds no more than the model.*register_serializable.*save_weights"):
        model.save(path)
    again = models.load_model(path)
    assert not again.compiled and all(map(np.array_equal, model.get_weights(), again.get_weights()))


def test_a_checkpoint_that_will_lack_something_says_so_before_the_training(tmp_path):
    from cytensor import callbacks
    path = tmp_path / "m.safetensors"
    for net, loss in ((models.Sequential([Undescribed(), layers.Dense(2)]), "mse"),
                      (small(), lambda t, p: (t - p) ** 2)):
        net.compile("sgd", loss)
        with pytest.raises(UserWarning, match=r"ModelCheckpoint: .*register_serializable.*save_weights_only=True"):
            net.fit(np.zeros((4, 3)), np.zeros((4, 2)), verbose=0, callbacks=[callbacks.ModelCheckpoint(path)])
        assert net.optimizer.iterations == 0 and not path.exists()
        net.fit(np.zeros((4, 3)), np.zeros((4, 2)), verbose=0,
                callbacks=[callbacks.ModelCheckpoint(path, save_weights_only=True)])
        net.fit(np.zeros((4, 3)), np.zeros((4, 2)), verbose=0, resume=tmp_path / "c")      # needs no description
        for name in (path, tmp_path / "c"):
            name.unlink()


def test_a_callback_whose_state_no_file_can_hold_is_named_before_the_training(tmp_path):
    from cytensor import callbacks

    class Counting(callbacks.Callback):
        def get_state(self):
            return {"seen": {1, 2}}

    model = small()
    with pytest.raises(TypeError, match=r"fit: resume needs states .* get_state of Counting must return numbers"):
        model.fit(np.zeros((4, 3)), np.zeros((4, 2)), verbose=0, callbacks=[Counting()], resume=tmp_path / "c")
    assert model.optimizer.iterations == 0


# -- other formats ----------------------------------------------------------------------------------------------------
def test_a_name_that_promises_another_format_is_warned_of_once(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_told", set())
    model = small()
    for name, save in (("m.keras", model.save), ("m.h5", model.save), ("m.weights.h5", model.save_weights),
                       ("m.pt", model.save)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            save(tmp_path / name)
            save(tmp_path / name)
        texts = [str(warning.message) for warning in caught]
        assert len(texts) == (name != "m.weights.h5") and all("was written as safetensors" in text for text in texts)
        assert all(warning.filename == __file__ for warning in caught)
    assert models.load_model(tmp_path / "m.keras").count_params() == 8
    model.load_weights(tmp_path / "m.weights.h5")
    model.save(tmp_path / "m.safetensors")
    model.save(tmp_path / "m")


def npz():
    content = io.BytesIO()
    np.savez(content, a=np.ones(2))
    return content.getvalue()


def zipped(*names):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return content.getvalue()


def npy():
    content = io.BytesIO()
    np.save(content, np.ones(2))
    return content.getvalue()


FORMATS = {
    "HDF5": b"\x89HDF\r\n\x1a\n" + b"\0" * 100, "a .keras file": zipped("config.json", "model.weights.h5"),
    ".npz": npz(), ".npy": npy(), "gzip": gzip.compress(b"x"), "pickle": pickle.dumps([1]),
    "PyTorch": zipped("a/data.pkl"), "picture": b"\x89PNG\r\n\x1a\n" + b"\0" * 20,
    "web page": b"<!DOCTYPE html><html>", "JSON": b'{"class_name": "Sequential"}',
    "Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
}


@pytest.mark.parametrize("word", FORMATS)
def test_a_file_of_another_format_is_named(tmp_path, word):
    path = tmp_path / "file"
    path.write_bytes(FORMATS[word])
    model = small()
    before = model.get_weights()
    loaders = [(models.load_model, "model"), (lambda p: model.fit(np.zeros((4, 3)), np.zeros((4, 2)), resume=p), "fit")]
    if word not in ("HDF5", "a .keras file"):
        loaders.append((model.load_weights, "weights"))
    if word != "gzip":
        loaders.append((datasets.load_idx, "idx"))
    if word != ".npz":
        loaders.append((datasets.mnist.load_data, "mnist"))
    for load, _ in loaders:
        with pytest.raises(ValueError) as caught:
            load(path)
        assert word in str(caught.value) and str(path) in str(caught.value) and "damaged" not in str(caught.value)
    assert all(map(np.array_equal, before, model.get_weights()))


def test_folders_and_checkpoints_of_tensorflow_are_named(tmp_path):
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"\x08\x01")
    (tmp_path / "ckpt.index").write_bytes(b"x")
    for load in (models.load_model, small().load_weights):
        with pytest.raises(ValueError, match="a folder of TensorFlow's SavedModel format; save it in Keras"):
            load(tmp_path / "saved")
        with pytest.raises(FileNotFoundError, match="there is a TensorFlow checkpoint of that name"):
            load(tmp_path / "ckpt")
