"""What makes data of lists, series, pictures and files: beside Keras where it is installed, else by hand."""
import functools
import hashlib
import http.server
import io
import os
import tarfile
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

import cytensor as ct
from cytensor import keras
from cytensor.keras.preprocessing.sequence import pad_sequences
from cytensor.keras.utils import get_file, image_dataset_from_directory, timeseries_dataset_from_array


# -- sequences --------------------------------------------------------------------------------------------------------
def test_padding_on_either_side():
    rows = [[1, 2, 3], [4], []]
    assert pad_sequences(rows).tolist() == [[1, 2, 3], [0, 0, 4], [0, 0, 0]]
    assert pad_sequences(rows, padding="post", value=9).tolist() == [[1, 2, 3], [4, 9, 9], [9, 9, 9]]
    assert pad_sequences(rows, 2).tolist() == [[2, 3], [0, 4], [0, 0]]
    assert pad_sequences(rows, 2, truncating="post").tolist() == [[1, 2], [0, 4], [0, 0]]
    assert pad_sequences(rows).dtype == "int32" and pad_sequences(rows, dtype="float32").dtype == "float32"
    assert pad_sequences([]).shape == (0, 0) and pad_sequences([[]], 3).tolist() == [[0, 0, 0]]
    assert pad_sequences([[[1, 2]], [[3, 4], [5, 6]]]).tolist() == [[[0, 0], [1, 2]], [[3, 4], [5, 6]]]
    assert pad_sequences([["a"], ["b", "c"]], dtype=object, value="").tolist() == [["", "a"], ["b", "c"]]


def test_padding_as_keras():
    theirs = pytest.importorskip("keras").utils.pad_sequences
    rng = np.random.default_rng(0)
    for _ in range(100):
        rows = [rng.integers(0, 9, rng.integers(0, 7)).tolist() for _ in range(rng.integers(1, 6))]
        given = {"maxlen": rng.choice([None, 1, 3, 5]), "padding": rng.choice(["pre", "post"]),
                 "truncating": rng.choice(["pre", "post"]), "dtype": str(rng.choice(["int32", "float32"]))}
        ours, wanted = pad_sequences(rows, **given), theirs(rows, **given)
        assert ours.dtype == wanted.dtype and np.array_equal(ours, wanted), (rows, given)


@pytest.mark.parametrize(("arguments", "message"), [
    (([[1]], -1), "maxlen must be None or an int"), (([1, 2],), "must have a length; got 1 at 0"),
    ((3,), "sequences must have a length"), (([[1]], None, "int32", "left"), "padding must be 'pre' or 'post'"),
    (([[1]], None, "int32", "pre", "end"), "truncating must be"),
    (([["a"]], 1, "int32", "pre", "pre", "b"), "hold text"),
    (([[[1, 2]], [[1]]],), "slices must have one shape"),
])
def test_padding_refuses(arguments, message):
    with pytest.raises(ValueError, match=f"pad_sequences: .*{message}"):
        pad_sequences(*arguments)


# -- time series ------------------------------------------------------------------------------------------------------
def windows_by_hand(data, targets, length, stride, rate, first, end):
    count = end - first - (length - 1) * rate
    count = count if targets is None else min(count, len(targets[first:end]))
    starts = range(first, first + max(count, 0), stride)
    x = [data[[start + j * rate for j in range(length)]] for start in starts]
    return x, None if targets is None else [targets[start] for start in starts]


def test_windows_and_their_targets():
    rng = np.random.default_rng(1)
    for _ in range(100):
        steps = int(rng.integers(6, 40))
        data, targets = rng.random((steps, 2)).astype("float32"), rng.random(steps)
        targets = None if rng.random() < 0.3 else targets[: rng.integers(1, steps + 1)]
        first, end = sorted(rng.choice(np.arange(1, steps), 2, replace=False).tolist())
        length, stride, rate, size = (int(rng.integers(1, n)) for n in (6, 4, 4, 9))
        dataset = timeseries_dataset_from_array(data, targets, length, stride, rate, size, start_index=first,
                                                end_index=end)
        x, y = windows_by_hand(data, targets, length, stride, rate, first, end)
        assert len(dataset) == -(-len(x) // size)
        batches = list(dataset)
        found = [batch if targets is None else batch[0] for batch in batches]
        assert [len(part) for part in found[:-1]] == [size] * (len(found) - 1)
        assert all(map(np.array_equal, x, [window for part in found for window in part.numpy()]))
        if targets is not None:
            assert y == [value for batch in batches for value in batch[1].numpy()]


def test_windows_as_keras():
    keras3 = pytest.importorskip("keras")
    pytest.importorskip("tensorflow")
    data, targets = np.arange(30.0).reshape(15, 2), np.arange(15)
    for given in ({"sequence_length": 4}, {"sequence_length": 3, "sampling_rate": 2, "batch_size": 4},
                  {"sequence_length": 2, "sequence_stride": 3, "start_index": 2, "end_index": 13},
                  {"sequence_length": 4, "batch_size": None}):
        for goals in (None, targets):
            ours = list(timeseries_dataset_from_array(data, goals, **given))
            theirs = list(keras3.utils.timeseries_dataset_from_array(data, goals, **given))
            for mine, its in zip(ours, theirs, strict=True):
                for one, other in zip(*((b if isinstance(b, tuple) else (b,)) for b in (mine, its)), strict=True):
                    assert np.array_equal(np.asarray(one), np.asarray(other))


def test_shuffled_windows_are_the_same_ones_and_train_a_model():
    data = np.arange(50, dtype="float32")[:, None]
    dataset = timeseries_dataset_from_array(data, data[5:], 5, batch_size=8, shuffle=True, seed=3)
    passes = [[float(v) for _, y in dataset for v in y.numpy().ravel()] for _ in range(2)]
    assert passes[0] != passes[1] and sorted(passes[0]) == sorted(passes[1]) == data[5:, 0].tolist()
    model = keras.Sequential([keras.Input((5, 1)), keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with np.errstate(all="ignore"):
        history = model.fit(dataset, epochs=1, verbose=0).history
    assert len(history["loss"]) == 1 and model.predict(dataset, verbose=0).shape == (45, 1)


@pytest.mark.parametrize(("arguments", "error"), [
    ({"sequence_length": 0}, ValueError), ({"sequence_length": 2.0}, TypeError),
    ({"sequence_length": 2, "sequence_stride": 0}, ValueError),
    ({"sequence_length": 2, "sampling_rate": 9}, ValueError),
    ({"sequence_length": 2, "start_index": 9}, ValueError), ({"sequence_length": 2, "end_index": 10}, ValueError),
    ({"sequence_length": 2, "batch_size": 0}, ValueError),
])
def test_windows_refuse(arguments, error):
    with pytest.raises(error, match=r"timeseries_dataset_from_array: .* must be"):
        timeseries_dataset_from_array(np.arange(9), None, **arguments)


# -- pictures ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def folder(tmp_path):
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(2)
    for name, count in (("cats", 6), ("dogs", 4)):
        (tmp_path / name).mkdir()
        for i in range(count):
            image.fromarray(rng.integers(0, 256, (7 + i, 9, 3), dtype="uint8")).save(tmp_path / name / f"{i}.png")
    (tmp_path / "dogs" / "notes.txt").write_text("no picture")
    return tmp_path


def test_a_picture_and_back(folder, tmp_path):
    path = folder / "cats" / "0.png"
    picture = keras.utils.load_img(path)
    pixels = keras.utils.img_to_array(picture)
    assert pixels.shape == (7, 9, 3) and pixels.dtype == "float32"
    assert keras.utils.img_to_array(picture, "channels_first").shape == (3, 7, 9)
    assert keras.utils.img_to_array(keras.utils.load_img(path, "grayscale", (4, 5))).shape == (4, 5, 1)
    assert keras.utils.load_img(path, "rgba", (4, 4), "bilinear", keep_aspect_ratio=True).size == (4, 4)
    assert np.array_equal(np.asarray(keras.utils.array_to_img(pixels, scale=False)), pixels)
    stretched = np.asarray(keras.utils.array_to_img(pixels / 255 - 3))
    assert stretched.min() == 0 and stretched.max() == 255
    for name in ("a.png", "a.jpg"):
        keras.utils.save_img(tmp_path / name, np.concatenate([pixels, pixels[..., :1]], axis=-1))
    assert keras.utils.load_img(tmp_path / "a.jpg").size == (9, 7)
    assert keras.utils.load_img(io.BytesIO(path.read_bytes())).size == (9, 7)
    for call, message in ((lambda: keras.utils.load_img(path, "cmyk"), "color_mode"),
                          (lambda: keras.utils.load_img(path, target_size=(0, 3)), "target_size"),
                          (lambda: keras.utils.load_img(path, target_size=(3, 3), interpolation="x"), "interpolation"),
                          (lambda: keras.utils.img_to_array(np.zeros(3)), "img must be a picture"),
                          (lambda: keras.utils.array_to_img(np.zeros((2, 2, 2))), "1, 3 or 4 channels"),
                          (lambda: keras.utils.img_to_array(picture, "last"), "data_format")):
        with pytest.raises(ValueError, match=message):
            call()


def test_folders_of_pictures(folder, capsys):
    dataset = image_dataset_from_directory(folder, image_size=(8, 6), batch_size=4, shuffle=False)
    assert "Found 10 files belonging to 2 classes." in capsys.readouterr().out
    assert dataset.class_names == ["cats", "dogs"] and len(dataset) == 3 and len(dataset.file_paths) == 10
    batches = list(dataset)
    assert [x.shape for x, _ in batches] == [(4, 8, 6, 3)] * 2 + [(2, 8, 6, 3)]
    assert [label for _, y in batches for label in y.tolist()] == [0] * 6 + [1] * 4
    assert batches[0][0].dtype == "float32" and batches[0][1].dtype == "int32"
    first = ct.resize(keras.utils.img_to_array(keras.utils.load_img(folder / "cats" / "0.png")), (8, 6))
    np.testing.assert_array_equal(batches[0][0].numpy()[0], first.numpy())
    kinds = {"binary": ((4, 1), "float32"), "categorical": ((4, 2), "float32"), "int": ((4,), "int32")}
    for mode, (shape, dtype) in kinds.items():
        _, y = dataset_of(folder, label_mode=mode)[0]
        assert y.shape == shape and y.dtype == dtype
    assert dataset_of(folder, label_mode=None)[0].shape == (4, 8, 6, 3)
    assert dataset_of(folder, data_format="channels_first", color_mode="grayscale")[0][0].shape == (4, 1, 8, 6)
    for how in ("crop_to_aspect_ratio", "pad_to_aspect_ratio"):
        assert dataset_of(folder, **{how: True})[0][0].shape == (4, 8, 6, 3)


def dataset_of(folder, **given):
    return image_dataset_from_directory(folder, image_size=(8, 6), batch_size=4, verbose=False, **given)


def test_parts_of_a_folder(folder):
    training, validation = dataset_of(folder, validation_split=0.3, subset="both", seed=1)
    assert (len(training.file_paths), len(validation.file_paths)) == (7, 3)
    assert set(training.file_paths) | set(validation.file_paths) == set(dataset_of(folder).file_paths)
    alone = [dataset_of(folder, validation_split=0.3, subset=part, seed=1) for part in ("training", "validation")]
    assert [part.file_paths for part in alone] == [training.file_paths, validation.file_paths]
    for path, label in zip(validation.file_paths, np.concatenate([y.numpy() for _, y in validation]), strict=True):
        assert os.path.basename(os.path.dirname(path)) == ["cats", "dogs"][label]
    seen = [[label for _, y in training for label in y.tolist()] for _ in range(4)]
    assert len({tuple(labels) for labels in seen}) > 1 and len({sum(labels) for labels in seen}) == 1
    given = dataset_of(folder, labels=list(range(10)), shuffle=False)
    assert [label for _, y in given for label in y.tolist()] == list(range(10))


@pytest.mark.parametrize(("given", "message"), [
    ({"labels": "none"}, "labels must be"), ({"label_mode": "x"}, "label_mode must be"),
    ({"subset": "both"}, "together"),
    ({"validation_split": 1.5, "subset": "both"}, "between 0 and 1"), ({"labels": [1]}, "one for each of the 10"),
    ({"validation_split": 0.5, "subset": "training"}, "seed"), ({"class_names": ["cats", "cows"]}, "class_names"),
    ({"color_mode": "hsv"}, "color_mode"), ({"interpolation": "area"}, "interpolation"),
    ({"validation_split": 0.01, "subset": "both"}, "must have pictures"),
])
def test_folders_refuse(folder, given, message):
    with pytest.raises(ValueError, match=f"image_dataset_from_directory: .*{message}"):
        dataset_of(folder, **given)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        dataset_of(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="must have pictures"):
        dataset_of(tmp_path, labels=None)


def test_folders_as_keras(folder):
    keras3 = pytest.importorskip("keras")
    pytest.importorskip("tensorflow")
    for given in ({}, {"label_mode": "categorical"}, {"color_mode": "grayscale"}, {"interpolation": "nearest"}):
        ours = dataset_of(folder, shuffle=False, **given)
        theirs = keras3.utils.image_dataset_from_directory(folder, image_size=(8, 6), batch_size=4, verbose=False,
                                                           shuffle=False, **given)
        for (x, y), (u, v) in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(np.asarray(x), np.asarray(u), atol=1.0 if "color_mode" in given else 1e-3)
            assert np.array_equal(np.asarray(y), np.asarray(v))


# -- files from the network -------------------------------------------------------------------------------------------
@pytest.fixture
def server(tmp_path):
    """A folder that a server gives, its URL, and what it was asked for."""
    pytest.importorskip("pooch")
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            asked.append(self.path)

    place = tmp_path / "served"
    place.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(place)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield place, f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.slow
def test_a_file_is_downloaded_once_and_checked(server, tmp_path):
    place, url, asked = server
    (place / "data.csv").write_text("1,2")
    sha = hashlib.sha256(b"1,2").hexdigest()
    cache = tmp_path / "cache"
    path = get_file("mine.csv", f"{url}/data.csv", cache_dir=cache, file_hash=sha)
    assert path == str(cache / "datasets" / "mine.csv") and Path(path).read_text() == "1,2" and len(asked) == 1
    assert get_file("mine.csv", f"{url}/data.csv", cache_dir=cache) == path and len(asked) == 1
    assert get_file(origin=f"{url}/data.csv?x=1", cache_dir=cache, cache_subdir="d") == str(cache / "d" / "data.csv")
    (place / "data.csv").write_text("3,4")
    assert Path(get_file("mine.csv", f"{url}/data.csv", cache_dir=cache)).read_text() == "1,2"
    assert Path(get_file("mine.csv", f"{url}/data.csv", cache_dir=cache, force_download=True)).read_text() == "3,4"
    with pytest.raises(ValueError, match=r"get_file: what came from .* must have the hash given"):
        get_file("mine.csv", f"{url}/data.csv", cache_dir=cache, file_hash=sha)
    md5 = hashlib.md5(b"3,4").hexdigest()
    assert get_file("other.csv", f"{url}/data.csv", cache_dir=cache, md5_hash=md5)
    with pytest.raises(FileNotFoundError, match="could not be downloaded from"):
        get_file(origin=f"{url}/missing.csv", cache_dir=cache)


@pytest.mark.slow
def test_archives_are_unpacked(server, tmp_path):
    place, url, _ = server
    with tarfile.open(place / "a.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("inner/x.txt")
        member.size = 2
        archive.addfile(member, io.BytesIO(b"ok"))
    with zipfile.ZipFile(place / "b.zip", "w") as archive:
        archive.writestr("y.txt", "fine")
    (place / "c.txt").write_text("none")
    cache = tmp_path / "cache"
    folder = get_file("a.tar.gz", f"{url}/a.tar.gz", cache_dir=cache, untar=True)
    assert folder == str(cache / "datasets" / "a_extracted") and Path(f"{folder}/inner/x.txt").read_text() == "ok"
    folder = get_file(origin=f"{url}/b.zip", cache_dir=cache, extract=True)
    assert folder == str(cache / "datasets" / "b.zip") and Path(f"{folder}/y.txt").read_text() == "fine"
    with pytest.raises(ValueError, match="must be an archive"):
        get_file("c.txt", f"{url}/c.txt", cache_dir=cache, extract=True)


@pytest.mark.parametrize(("given", "message"), [
    ({}, "origin must be the URL"), ({"origin": "http://x/"}, "fname must be"), ({"origin": 3}, "origin must be"),
    ({"origin": "http://x/a", "fname": "a/b"}, "fname must be"),
    ({"origin": "http://x/a", "file_hash": "12"}, "file_hash"),
    ({"origin": "http://x/a", "hash_algorithm": "crc"}, "hash_algorithm"),
    ({"origin": "http://x/a", "archive_format": "rar"}, "archive_format"),
])
def test_get_file_refuses(given, message, tmp_path):
    with pytest.raises(ValueError, match=f"get_file: .*{message}"):
        get_file(cache_dir=tmp_path, **given)
