"""Prices of houses around Boston in the 1970s."""
from cytensor.datasets import housing
from cytensor.types import Array, Path

__all__ = ["load_data"]

SHA256 = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"


def __dir__() -> list[str]:
    return [*__all__]


def load_data(path: Path = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> tuple[
        tuple[Array, Array], tuple[Array, Array]]:
    """Load 506 rows of 13 features of suburbs, and the median price of a house there in thousands of dollars.

    Returns `(x_train, y_train), (x_test, y_test)`, new NumPy arrays of float64: x (n, 13), y (n,); the last share
    `test_split` of the rows, in the order that `seed` gives, is to test with. path: a file of one's own with x and y.
    One of the features was made to speak of races; for anything but history take `california_housing`.

    FileNotFoundError where the file is nowhere and cannot be downloaded, ValueError where it is damaged.

    Source: Harrison and Rubinfeld, "Hedonic housing prices and the demand for clean air" (1978).
    """
    x, y = housing.read("boston_housing.load_data", "boston_housing.npz", SHA256, path, 13, test_split)
    return housing.split(x, y, test_split, seed)
