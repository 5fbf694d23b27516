"""The data that the command line trains and predicts with: MNIST, .npz, .npy and .csv files, as checked arrays."""
import os
from typing import NamedTuple

import numpy as np

from cytensor.checks import formats
from cytensor.cli import tables
from cytensor.datasets import archive, mnist
from cytensor.types import Array

SPLIT = ("x_train", "y_train", "x_test", "y_test")
ACCEPTED = ("accepted are 'mnist'; an .npz file with x_train, y_train, x_test, y_test or with x, y; a .csv file; an "
            ".npy file of numbers in columns; or two .npy files, samples and labels")
TEST_SHARE = 5                     # one of so many samples is kept for the test where a file has no test data
PIXELS = 64                        # from so many columns of bytes on a row is taken for a picture


class Samples(NamedTuple):
    """x (n, ...), y (n,) or None; what the labels are called, None where by their numbers; whether x are the columns of
    a table, each of a scale of its own."""
    x: Array
    y: Array | None = None
    names: list[str] | None = None
    table: bool = False

    @property
    def labels(self) -> Array:
        """y, where it is known that there are labels."""
        assert self.y is not None
        return self.y


def kind_of(path: str) -> str:
    """"npz", "npy" or "csv", by what is in the file; ValueError that says what it is otherwise."""
    if not os.path.exists(path):
        raise FileNotFoundError(f"--data: No such file or directory: '{path}'")
    kind = formats.of(path)
    if kind in (formats.NPZ, formats.ZIP):
        return "npz"
    if kind is formats.NPY:
        return "npy"
    if kind is formats.TEXT or (kind in (None, formats.EMPTY) and str(path).lower().endswith((".csv", ".tsv"))):
        return "csv"
    what = f"it is {kind.name}" if kind else "its format is not known"
    hint = "; cytensor predict MODEL.safetensors PICTURE... predicts pictures" if kind is formats.PICTURE else ""
    raise ValueError(f"--data: cannot read {path}: {what}; {ACCEPTED}{hint}")


def training(sources: list[str], label: str | None = None, samples: int | None = None,
             seed: int = 0) -> tuple[Samples, Samples]:
    """(training, test): Samples of both parts. Without test data in the file, a part drawn by `seed` is kept for it."""
    source = " ".join(sources)
    if sources == ["mnist"]:
        (x, y), (x_test, y_test) = mnist.load_data()
        train, test = Samples(x, y), Samples(x_test, y_test)
    elif len(sources) == 1 and kind_of(sources[0]) == "npz" and "x" not in archive.names_in(source, "--data"):
        x, y, x_test, y_test = archive.read(source, SPLIT, "--data").values()
        train, test = Samples(x, y), Samples(x_test, y_test)
    else:
        train, test = _cut(_whole(sources, label), source, seed)
    train = train._replace(x=train.x[:samples], y=train.labels[:samples])
    check_samples(source, "train", train)
    check_samples(source, "test", test)
    if train.x.shape[1:] != test.x.shape[1:] or train.x.dtype != test.x.dtype:
        raise ValueError(f"--data: training and test samples must have one shape and dtype; got x_train "
                         f"{train.x.dtype} {train.x.shape}, x_test {test.x.dtype} {test.x.shape} in {source}")
    return train, test


def to_predict(sources: list[str], features: tuple[int, ...], label: str | None = None) -> Samples:
    """The Samples to predict, for a model that takes samples of shape `features`; y is None where there are none."""
    if sources == ["mnist"]:
        samples = Samples(*mnist.load_data()[1])
    elif len(sources) == 1 and kind_of(sources[0]) == "npz":
        held = archive.names_in(sources[0], "--data")
        names = ("x", "y") if "x" in held else ("x_test", "y_test")
        arrays = archive.read(sources[0], [name for name in names if name in held or name == names[0]], "--data")
        samples = Samples(arrays[names[0]], arrays.get(names[1]))
    else:
        samples = _whole(sources, label, int(np.prod(features)))
    check_samples(" ".join(sources), "test", samples)
    return samples._replace(x=as_features(samples.x, features, " ".join(sources)))


def as_features(x: Array, features: tuple[int, ...], source: str) -> Array:
    """x with each sample in the shape `features`; ValueError where they have another number of values."""
    if x.shape[1:] == features:
        return x
    if int(np.prod(x.shape[1:])) != int(np.prod(features)):
        count = f"{int(np.prod(features))} features"
        takes = f"{features} or {count}" if len(features) > 1 else f"{features}, that is {count}"
        has = x.shape[1] if x.ndim == 2 else x.shape[1:]
        raise ValueError(f"--data: the model takes {takes}; {source} has {has}")
    return x.reshape(len(x), *features)


def _whole(sources: list[str], label: str | None, features: int | None = None) -> Samples:
    """The Samples of a file with features and labels, or of two files, features and labels.

    features: the number of columns that a file without labels has, where there may be such.
    """
    if len(sources) > 2:
        raise ValueError(f"--data: one file is expected, or two with samples and labels; got {len(sources)}")
    if len(sources) == 2:
        if label is not None:
            raise ValueError("--label: the labels are in the second file of --data already")
        x = _features(sources[0])
        return Samples(x, *_labels(sources[1]), x.ndim == 2)
    path = sources[0]
    if kind_of(path) == "npz":
        arrays = archive.read(path, ("x", "y"), "--data")
        return Samples(arrays["x"], arrays["y"])
    if features is not None and kind_of(path) == "npy":
        array = archive.read_npy(path, "--data")
        if array.ndim != 2 or array.shape[1] == features:
            return Samples(array)
    table = _columns(path)
    if features == table.width and label is None:
        return Samples(table.features())
    if table.width < 2:
        raise ValueError(f"--data: {path} must have a column of labels beside the features; it has one column")
    column = table.label_column(label)
    return Samples(table.features(without=column), *table.labels(column), True)


def _columns(path: str) -> tables.Columns:
    """The table in a .csv or .npy file."""
    if kind_of(path) == "csv":
        return tables.read(path)
    array = archive.read_npy(path, "--data")
    if array.ndim != 2 or array.dtype.kind not in "biuf" or not array.size:
        raise ValueError(f"--data: {path} alone must have rows and columns of numbers, one of labels; got "
                         f"{array.dtype} {array.shape}; labels in another file come after it: --data x.npy y.npy")
    return tables.Columns(path, array)


def _features(path: str) -> Array:
    return tables.read(path).features() if kind_of(path) == "csv" else archive.read_npy(path, "--data")


def _labels(path: str) -> tuple[Array, list[str] | None]:
    """(labels, names) of a file that has nothing else."""
    if kind_of(path) == "csv":
        table = tables.read(path)
        if table.width > 1:
            raise ValueError(f"--data: {path} must have one column, of labels; it has {table.width}")
        return table.labels(0)
    array = archive.read_npy(path, "--data")
    return (array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array), None


def _scaled(samples: Samples) -> Samples:
    """A table as bytes where it has those of pictures, which the model scales as one; as float32 otherwise."""
    x = samples.x
    if not samples.table:
        return samples
    pixels = x.shape[1] >= PIXELS and x.min() >= 0 and 1 < x.max() <= 255 and np.array_equal(x, np.floor(x))
    return samples._replace(x=x.astype(np.uint8 if pixels else np.float32), table=not pixels)


def _cut(samples: Samples, source: str, seed: int) -> tuple[Samples, Samples]:
    """Training and test part, drawn by the seed."""
    check_samples(source, "train", samples)
    count = len(samples.x)
    if count < 2:
        raise ValueError(f"--data: there must be samples to train and to test with; {source} has {count}")
    x, _, names, table = scaled = _scaled(samples)
    y = scaled.labels
    order = np.random.default_rng(seed).permutation(count)
    test, train = np.split(order, [max(1, count // TEST_SHARE)])
    return Samples(x[train], y[train], names, table), Samples(x[test], y[test], names, table)


def check_samples(source: str, part: str, samples: Samples) -> None:
    """Raise ValueError unless x is (n, ...) numbers with n > 0, and y None or (n,) whole numbers from 0."""
    x, y = samples.x, samples.y
    if x.ndim < 2 or x.size == 0 or x.dtype.kind not in "biuf":
        raise ValueError(
            f"--data: samples must be numbers of shape (n, ...), n > 0; got x_{part} {x.dtype} {x.shape} in {source}"
        )
    if y is not None and (y.dtype.kind not in "iu" or y.shape != (len(x),) or y.min() < 0):
        raise ValueError(
            f"--data: labels must be integers from 0 of shape ({len(x)},), one for each sample; "
            f"got y_{part} {y.dtype} {y.shape} in {source}"
        )
