"""CIFAR-10: small colour pictures of ten kinds of things."""
import numpy as np

from cytensor.datasets import cifar
from cytensor.types import Array

__all__ = ["load_data"]

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
BATCHES = tuple(f"data_batch_{i}" for i in range(1, 6))


def __dir__() -> list[str]:
    return [*__all__]


def load_data() -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Load 50000 pictures to train on, 10000 to test with, and their labels.

    Returns `(x_train, y_train), (x_test, y_test)`, new NumPy arrays of uint8: x (n, 32, 32, 3), y (n, 1) from 0 to 9,
    for airplane, automobile, bird, cat, deer, dog, frog, horse, ship and truck. Downloaded once (download.py).

    FileNotFoundError where the files are nowhere and cannot be downloaded, ValueError where one is damaged.

    Source: Krizhevsky, "Learning multiple layers of features from tiny images" (2009).
    """
    batches = (*BATCHES, "test_batch")
    *train, test = cifar.read("cifar10.load_data", "cifar-10-batches-py", batches, "labels", URL, SHA256)
    x_train, y_train = (np.concatenate(parts) for parts in zip(*train, strict=True))
    return (x_train, y_train), test
