"""Prices of houses in California in 1990."""
from cytensor.datasets import housing
from cytensor.types import Array, Path

__all__ = ["load_data"]

SHA256 = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
SMALL = 600


def __dir__() -> list[str]:
    return [*__all__]


def load_data(version: str = "large", path: Path = "california_housing.npz", test_split: float = 0.2,
              seed: int = 113) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Load 20640 rows of 8 features of districts, and the median price of a house there in dollars.

    Returns `(x_train, y_train), (x_test, y_test)`, new NumPy arrays: x (n, 8), y (n,); the last share `test_split` of
    the rows, in the order that `seed` gives, is to test with. version: "large", or "small" for the first 600 rows.
    path: a file of one's own with x and y.

    FileNotFoundError where the file is nowhere and cannot be downloaded, ValueError where it is damaged.

    Source: Pace and Barry, "Sparse spatial autoregressions" (1997).
    """
    if version not in ("small", "large"):
        raise ValueError(f"california_housing.load_data: version must be 'small' or 'large'; got {version!r}")
    x, y = housing.read("california_housing.load_data", "california_housing.npz", SHA256, path, 8, test_split)
    if version == "small":
        x, y = x[:SMALL], y[:SMALL]
    return housing.split(x, y, test_split, seed)
