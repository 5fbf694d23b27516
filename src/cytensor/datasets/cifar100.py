"""CIFAR-100: small colour pictures of a hundred kinds of things in twenty groups."""
from cytensor.datasets import cifar
from cytensor.types import Array

__all__ = ["load_data"]

URL = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
SHA256 = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"


def __dir__() -> list[str]:
    return [*__all__]


def load_data(label_mode: str = "fine") -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Load 50000 pictures to train on, 10000 to test with, and their labels.

    Returns `(x_train, y_train), (x_test, y_test)`, new NumPy arrays of uint8: x (n, 32, 32, 3), y (n, 1) from 0 to 99,
    or from 0 to 19 where label_mode is "coarse". Downloaded once (download.py).

    FileNotFoundError where the files are nowhere and cannot be downloaded, ValueError where one is damaged and for
    another label_mode.

    Source: Krizhevsky, "Learning multiple layers of features from tiny images" (2009).
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(f"cifar100.load_data: label_mode must be 'fine' or 'coarse'; got {label_mode!r}")
    train, test = cifar.read("cifar100.load_data", "cifar-100-python", ("train", "test"), f"{label_mode}_labels", URL,
                             SHA256)
    return train, test
