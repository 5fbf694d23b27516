"""What the two sets of house prices share: rows shuffled by a seed, the last of them to test with."""
import numpy as np

from cytensor.checks import arguments
from cytensor.datasets import download
from cytensor.types import Array, Path


def read(caller: str, name: str, checksum: str, path: Path, features: int, test_split: float) -> tuple[Array, Array]:
    """(x (n, features), y (n,)) of an .npz file, floating; ValueError for a share to test with that is none."""
    from cytensor.datasets import archive

    if not arguments.is_number(test_split) or not 0 <= test_split < 1:
        raise ValueError(f"{caller}: test_split must be at least 0 and below 1; got {test_split!r}")
    file = download.fetch(caller, name, download.KERAS_FILES + name, checksum, path)
    found = archive.read(file, ("x", "y"), caller)
    x, y = found["x"], found["y"]
    if x.shape != (*y.shape, features) or y.ndim != 1 or x.dtype.kind != "f" or y.dtype.kind not in "fiu":
        raise ValueError(f"{caller}: x must be floating (n, {features}) and y (n,) in {file}; got x {x.dtype} "
                         f"{x.shape}, y {y.dtype} {y.shape}")
    return x, y


def split(x: Array, y: Array, test_split: float, seed: int) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """`(x_train, y_train), (x_test, y_test)`: the rows in the order that Keras's seed gives them, cut at a share."""
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    cut = int(len(x) * (1 - test_split))
    x, y = x[order], y[order]
    return (x[:cut].copy(), y[:cut].copy()), (x[cut:].copy(), y[cut:].copy())
