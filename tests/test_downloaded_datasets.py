"""The data sets that are downloaded: files in their real form, written small by these tests, where they are looked for
and what is said without network. Keras's own functions give the same, where it is installed."""
import gzip
import hashlib
import io
import json
import os
import pickle
import struct
import subprocess
import sys
import tarfile

import numpy as np
import pytest

from cytensor.datasets import (
    boston_housing,
    california_housing,
    cifar10,
    cifar100,
    download,
    fashion_mnist,
    imdb,
    pickles,
    reuters,
)

RNG = np.random.default_rng(0)
REVIEWS = [[1, 5, 9, 2], [3], [7, 7, 1, 1, 1, 2], [4, 8], [6, 2, 30], [2, 2]]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Keras's cache, empty."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv(download.FOLDER, raising=False)
    (tmp_path / "datasets").mkdir()
    return tmp_path / "datasets"


@pytest.fixture
def offline(monkeypatch):
    """No network: what pooch would fetch does not come."""
    def refuse(url, known_hash, fname, path, **options):
        raise OSError(f"no route to {url}\nand more")

    monkeypatch.setitem(sys.modules, "pooch", type(sys)("pooch"))
    sys.modules["pooch"].retrieve = refuse


# -- files in their real form -----------------------------------------------------------------------------------------
def write_idx(path, array):
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    with gzip.open(path, "wb") as file:
        file.write(head + array.tobytes())


def write_fashion(folder):
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {"train-images-idx3": RNG.integers(0, 256, (5, 28, 28)), "train-labels-idx1": np.arange(5),
              "t10k-images-idx3": RNG.integers(0, 256, (3, 28, 28)), "t10k-labels-idx1": np.arange(3)}
    for name, array in arrays.items():
        write_idx(folder / f"{name}-ubyte.gz", array.astype(np.uint8))
    return [array.astype(np.uint8) for array in arrays.values()]


def cifar_batch(n, labels, protocol=2):
    """As the makers pickled it: keys are the strings of Python 2, labels a list."""
    data = RNG.integers(0, 256, (n, 3072)).astype(np.uint8)
    content = {b"data": data, b"filenames": [b"a.png"] * n} | {
        key.encode(): RNG.integers(0, 10, n).tolist() for key in labels}
    return content, pickle.dumps(content, protocol)


def write_archive(path, inner, batches):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in {"readme.html": b"text", **batches}.items():
            entry = tarfile.TarInfo(f"{inner}/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def object_array(lists):
    found = np.empty(len(lists), object)
    found[:] = lists
    return found


def write_imdb(path):
    np.savez(path, x_train=object_array(REVIEWS), y_train=np.array([1, 0, 1, 0, 1, 0]),
             x_test=object_array(REVIEWS[:3]), y_test=np.array([0, 1, 1]))


# -- images -----------------------------------------------------------------------------------------------------------
def test_fashion_mnist(cache):
    x_train, y_train, x_test, y_test = write_fashion(cache / "fashion-mnist")
    found = fashion_mnist.load_data()
    for part, expected in zip((*found[0], *found[1]), (x_train, y_train, x_test, y_test), strict=True):
        assert part.dtype == np.uint8 and np.array_equal(part, expected)
    write_idx(cache / "fashion-mnist" / "t10k-labels-idx1-ubyte.gz", np.arange(4, dtype=np.uint8))
    with pytest.raises(ValueError, match=r"with n labels, in .*t10k-images"):
        fashion_mnist.load_data()


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("name", ["cifar-10-python.tar.gz", "cifar-10-batches-py-target_archive"])
def test_cifar10_from_its_archive(cache, name, protocol):
    batches = {f"data_batch_{i}": cifar_batch(4, ["labels"], protocol) for i in range(1, 6)}
    batches["test_batch"] = cifar_batch(3, ["labels"], protocol)
    write_archive(cache / name, "cifar-10-batches-py", {key: text for key, (_, text) in batches.items()})
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    assert x_train.shape == (20, 32, 32, 3) and y_train.shape == (20, 1) and x_train.dtype == y_train.dtype == np.uint8
    third = batches["data_batch_3"][0]
    assert x_train[8, 5, 7, 2] == third[b"data"][0, 2 * 1024 + 5 * 32 + 7]
    assert y_train[8:12, 0].tolist() == third[b"labels"]
    assert np.array_equal(x_test.transpose(0, 3, 1, 2).reshape(3, -1), batches["test_batch"][0][b"data"])
    assert y_test[:, 0].tolist() == batches["test_batch"][0][b"labels"]


@pytest.mark.parametrize("place", ["cifar-100-python-target/cifar-100-python", "cifar-100-python"])
def test_cifar100_unpacked_by_keras(cache, place):
    folder = cache / place
    folder.mkdir(parents=True)
    content = {}
    for name in ("train", "test"):
        content[name], text = cifar_batch(4, ["fine_labels", "coarse_labels"])
        (folder / name).write_bytes(text)
    for mode in ("fine", "coarse"):
        (x_train, y_train), (_, y_test) = cifar100.load_data(mode)
        assert x_train.shape == (4, 32, 32, 3)
        assert y_train[:, 0].tolist() == content["train"][f"{mode}_labels".encode()]
        assert y_test[:, 0].tolist() == content["test"][f"{mode}_labels".encode()]
    with pytest.raises(ValueError, match="label_mode must be 'fine' or 'coarse'; got 'both'"):
        cifar100.load_data("both")


def test_damaged_batches_are_named(cache):
    path = cache / "cifar-100-python.tar.gz"
    good = cifar_batch(2, ["fine_labels"])[1]
    narrow = pickle.dumps({b"data": np.zeros((2, 7), np.uint8), b"fine_labels": [1, 2]})
    for train, text in ((b"nonsense", "its pickle cannot be read"), (narrow, "pictures must be uint8"),
                        (pickle.dumps({b"data": 1}), "must have data and fine"), (None, "it has no train")):
        batches = {"test": good} | ({} if train is None else {"train": train})
        write_archive(path, "cifar-100-python", batches)
        with pytest.raises(ValueError, match=f"cifar100.load_data: cannot read .*: .*{text}"):
            cifar100.load_data()
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"cifar100.load_data: cannot read"):
        cifar100.load_data()


# -- pickles ----------------------------------------------------------------------------------------------------------
class Hostile:
    def __reduce__(self):
        return os.system, ("echo run > hostile",)


def test_pickles_run_nothing(cache, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for text in (pickle.dumps(Hostile()), pickle.dumps([Hostile()], 0), b"cbuiltins\neval\n(S'1'\ntR.",
                 b"c_codecs\nencode\n(Vabc\nVrot13\ntR."):
        with pytest.raises(ValueError, match=r"cannot be read: (it names .*, which data does not need|bytes must)"):
            pickles.load(io.BytesIO(text))
    np.savez(cache / "reuters.npz", x=object_array([[1], Hostile()]), y=np.arange(2))
    with pytest.raises(ValueError, match="which data does not need"):
        reuters.load_data()
    assert not (tmp_path / "hostile").exists()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_data_are_read(protocol):
    for value in ([[1, 2], [3]], {"a": b"x", "b": 2.5}, np.arange(6.0).reshape(2, 3), object_array(REVIEWS),
                  np.asfortranarray(np.arange(6).reshape(2, 3))):
        text = pickle.dumps(value, protocol)
        found = pickles.load(io.BytesIO(text))
        assert type(found) is type(value)
        assert np.array_equal(found, value) if isinstance(value, np.ndarray) else found == value
        for end in range(0, len(text) - 1, 7):
            with pytest.raises(ValueError, match="its pickle cannot be read"):
                pickles.load(io.BytesIO(text[:end]))


# -- texts ------------------------------------------------------------------------------------------------------------
def shuffled(lists, labels, generator):
    order = np.arange(len(lists))
    generator.shuffle(order)
    return [lists[i] for i in order], [labels[i] for i in order]


def test_imdb(cache):
    write_imdb(cache / "imdb.npz")
    generator = np.random.RandomState(113)
    train, labels = shuffled(REVIEWS, [1, 0, 1, 0, 1, 0], generator)
    test, test_labels = shuffled(REVIEWS[:3], [0, 1, 1], generator)
    (x_train, y_train), (x_test, y_test) = imdb.load_data()
    most = 33                                        # Keras leaves out the largest number where num_words is None
    expected = [[1] + [2 if word + 3 >= most else word + 3 for word in text] for text in train]
    assert x_train.dtype == object and list(x_train) == expected and y_train.tolist() == labels
    assert list(x_test) == [[1] + [word + 3 for word in text] for text in test] and y_test.tolist() == test_labels
    assert all(type(word) is int for word in x_train[0])


@pytest.mark.parametrize(("options", "change"), [
    ({"num_words": 8}, lambda text: [w if w < 8 else 2 for w in [1] + [w + 3 for w in text]]),
    ({"num_words": 8, "oov_char": None}, lambda text: [w for w in [1] + [w + 3 for w in text] if w < 8]),
    ({"num_words": 9, "skip_top": 5, "start_char": 6}, lambda text: [
        w if 5 <= w < 9 else 2 for w in [6] + [w + 3 for w in text]]),
    ({"num_words": 9, "start_char": None, "index_from": 0}, lambda text: [w if w < 9 else 2 for w in text]),
    ({"num_words": 99, "maxlen": 4}, lambda text: None if len(text) >= 3 else [1] + [w + 3 for w in text]),
])
def test_words_are_cut_down_as_keras_does(cache, options, change):
    write_imdb(cache / "imdb.npz")
    train, _ = shuffled(REVIEWS, [0] * 6, np.random.RandomState(113))
    found = list(imdb.load_data(**options)[0][0])
    assert found == [text for text in map(change, train) if text is not None]


def test_reuters_and_the_indices(cache):
    np.savez(cache / "reuters.npz", x=object_array(REVIEWS), y=np.arange(6))
    wires, topics = shuffled(REVIEWS, list(range(6)), np.random.RandomState(113))
    (x_train, y_train), (x_test, y_test) = reuters.load_data(num_words=99, test_split=0.5)
    assert list(x_train) + list(x_test) == [[1] + [word + 3 for word in text] for text in wires]
    assert y_train.tolist() + y_test.tolist() == topics and len(y_test) == 3
    assert len(reuters.get_label_names()) == 46 and reuters.get_label_names()[3] == "earn"
    for module, name in ((imdb, "imdb_word_index.json"), (reuters, "reuters_word_index.json")):
        (cache / name).write_text(json.dumps({"the": 1, "naïve": 2}), encoding="utf-8")
        assert module.get_word_index() == {"the": 1, "naïve": 2}
        for bad in ("[1]", "{", '{"the": "one"}'):
            (cache / name).write_text(bad)
            with pytest.raises(ValueError, match="get_word_index: cannot read"):
                module.get_word_index()


def test_arguments_that_leave_nothing_or_are_none(cache):
    write_imdb(cache / "imdb.npz")
    with pytest.raises(ValueError, match=r"imdb.load_data: maxlen must leave some texts; got 1, and none is shorter"):
        imdb.load_data(maxlen=1)
    with pytest.raises(TypeError, match=r"imdb.load_data: num_words must be an integer; got 'all'"):
        imdb.load_data(num_words="all")
    with pytest.raises(ValueError, match=r"reuters.load_data: test_split must be a share, from 0 to 1; got 2"):
        reuters.load_data(test_split=2)
    np.savez(cache / "imdb.npz", x_train=np.arange(3), y_train=np.arange(3), x_test=object_array([[1], "a"]),
             y_test=np.arange(2))
    with pytest.raises(ValueError, match="x_test must be a list of lists of words"):
        imdb.load_data()


# -- houses -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("module", "name", "features"), [(boston_housing, "boston_housing.npz", 13),
                                                          (california_housing, "california_housing.npz", 8)])
def test_houses(cache, module, name, features):
    x, y = RNG.normal(size=(700, features)), RNG.normal(size=700)
    np.savez(cache / name, x=x, y=y)
    (x_train, y_train), (x_test, y_test) = module.load_data()
    order = np.arange(700)
    np.random.RandomState(113).shuffle(order)
    assert np.array_equal(np.concatenate([x_train, x_test]), x[order]) and len(x_test) == 140
    assert np.array_equal(np.concatenate([y_train, y_test]), y[order]) and x_train.base is None
    assert len(module.load_data(test_split=0.5, seed=1)[0][0]) == 350
    with pytest.raises(ValueError, match="test_split must be at least 0 and below 1; got 1"):
        module.load_data(test_split=1)
    np.savez(cache / name, x=x[:, 1:], y=y)
    with pytest.raises(ValueError, match=rf"x must be floating \(n, {features}\) and y \(n,\)"):
        module.load_data()


def test_the_small_california(cache):
    x, y = RNG.normal(size=(700, 8)).astype(np.float32), RNG.normal(size=700)
    np.savez(cache / "california_housing.npz", x=x, y=y)
    (x_train, _), (x_test, _) = california_housing.load_data("small")
    assert len(x_train) + len(x_test) == 600 and x_train.dtype == np.float32
    with pytest.raises(ValueError, match="version must be 'small' or 'large'; got 'tiny'"):
        california_housing.load_data("tiny")


# -- where files are looked for ---------------------------------------------------------------------------------------
def houses(path, value):
    np.savez(path, x=np.full((10, 8), float(value)), y=np.zeros(10))


def first(**options):
    return california_housing.load_data(**options)[0][0][0, 0]


def test_the_order_of_places(cache, tmp_path, monkeypatch, offline):
    own = tmp_path / "own"
    own.mkdir()
    houses(cache / "california_housing.npz", 1)
    houses(own / "california_housing.npz", 2)
    houses(tmp_path / "mine.npz", 3)
    houses(cache / "other.npz", 4)
    assert first() == 1 and first(path=str(tmp_path / "mine.npz")) == first(path=tmp_path / "mine.npz") == 3
    assert first(path="other.npz") == 4
    monkeypatch.setenv(download.FOLDER, str(own))
    assert first() == 2
    with pytest.raises(FileNotFoundError, match=r"there is no file '/nowhere/x.npz'; without path= it is downloaded"):
        first(path="/nowhere/x.npz")
    with pytest.raises(TypeError, match="path must be a path; got 3"):
        first(path=3)


def test_without_network_the_error_says_which_file_to_put_where(cache, offline):
    with pytest.raises(FileNotFoundError) as caught:
        california_housing.load_data()
    text, target = str(caught.value), cache / "california_housing.npz"
    url = download.KERAS_FILES + "california_housing.npz"
    assert text.startswith(f"california_housing.load_data: there is no file '{target}', and it could not be downloaded "
                           f"(no route to {url}); put the file of {url} there")
    assert "CYTENSOR_DATASETS" in text and "and more" not in text
    with pytest.raises(FileNotFoundError, match="cifar-10-batches-py-target_archive"):
        cifar10.load_data()


def test_without_pooch_the_error_names_the_extra(cache, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    for load in (fashion_mnist.load_data, imdb.load_data, reuters.get_word_index, boston_housing.load_data):
        with pytest.raises(FileNotFoundError, match=r'there is no file .*pip install "cytensor\[data\]"'):
            load()


def test_what_is_downloaded_is_checked_and_kept(cache, tmp_path, monkeypatch):
    """By pooch itself, from a file of this machine in place of the network."""
    pooch = pytest.importorskip("pooch")
    houses(tmp_path / "served.npz", 5)
    content = (tmp_path / "served.npz").read_bytes()

    def copied(url, output_file, *_):
        assert url == download.KERAS_FILES + "california_housing.npz"
        with open(output_file, "wb") as file:
            file.write(content)

    monkeypatch.setattr(pooch.core, "choose_downloader", lambda url, progressbar=False: copied)
    monkeypatch.setattr(california_housing, "SHA256", hashlib.sha256(content).hexdigest())
    assert first() == 5 and (cache / "california_housing.npz").read_bytes() == content
    content = b"another"
    assert first() == 5                                                 # it is there
    (cache / "california_housing.npz").unlink()
    with pytest.raises(FileNotFoundError, match=r"could not be downloaded .*does not match the known hash"):
        first()
    assert not (cache / "california_housing.npz").exists()


def test_keras_names_lead_to_them():
    from cytensor.keras.datasets import cifar10 as by_keras
    from cytensor.keras.datasets.imdb import load_data

    assert by_keras is cifar10 and load_data is imdb.load_data


def test_importing_them_loads_no_network_code():
    code = ("import sys; from cytensor.datasets import cifar10, imdb, reuters; "
            "print(*{'ssl', 'socket', 'http', 'tarfile', 'pooch', 'json.tool'} & set(sys.modules))")
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == ""
