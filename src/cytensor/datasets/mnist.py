"""The MNIST handwritten digits. The data and its own licence are in data/ beside this file."""

import os

import numpy as np

from cytensor.checks import arguments
from cytensor.types import Array, Path

__all__ = ["load_data"]


def __dir__() -> list[str]:
    return [*__all__]


PACKAGED = os.path.join(os.path.dirname(__file__), "data", "mnist.npz")
SIDE = 28


def load_data(path: Path | None = None) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Load 70000 images of handwritten digits and their labels.

    Returns `(x_train, y_train), (x_test, y_test)`, new NumPy arrays of uint8: images x (n, 28, 28) with 0 for paper and
    255 for ink, labels y (n,) from 0 to 9. The packaged data has 60000 images to train on and 10000 to test with.

    `path`: None or "mnist.npz" for the packaged data; otherwise an .npz file with the arrays x_train, y_train, x_test
    and y_test in the form above.

    Raises FileNotFoundError where there is no such file, ValueError naming the file where it is damaged, misses an
    array, or holds one of another shape or dtype. Objects are never unpickled.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, y_train[:5].tolist()
    ((60000, 28, 28), [5, 0, 4, 1, 9])

    Source: LeCun, Cortes, Burges; CC BY-SA 3.0 (data/LICENSE-mnist.txt).
    """
    from cytensor.datasets import archive  # here, because zipfile takes longer to import than the rest of the package

    if path is not None:
        arguments.check_value("load_data", "path", path)
    file = PACKAGED if path is None or path == "mnist.npz" else os.fspath(path)
    arrays = archive.read(file, ("x_train", "y_train", "x_test", "y_test"), "mnist.load_data")
    for part in ("train", "test"):
        _check(arrays[f"x_{part}"], arrays[f"y_{part}"], part, file)
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


def _check(x: Array, y: Array, part: str, file: str) -> None:
    """Raise ValueError unless x is (n, 28, 28) and y is (n,), both of uint8."""
    if x.dtype == y.dtype == np.uint8 and y.ndim == 1 and x.shape == (*y.shape, SIDE, SIDE):
        return
    raise ValueError(
        f"mnist.load_data: images must be uint8 (n, {SIDE}, {SIDE}) and labels uint8 (n,) in {file}; "
        f"got x_{part} {x.dtype} {x.shape}, y_{part} {y.dtype} {y.shape}"
    )
