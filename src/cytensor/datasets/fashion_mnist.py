"""Fashion-MNIST: pictures of clothes in the form of MNIST."""
from cytensor.datasets import download
from cytensor.datasets.idx import load_idx
from cytensor.types import Array

__all__ = ["load_data"]

FOLDER = "fashion-mnist"
FILES = {                        # with the MD5 that their makers publish
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}


def __dir__() -> list[str]:
    return [*__all__]


def load_data() -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Load 60000 pictures of clothes to train on, 10000 to test with, and their labels.

    Returns `(x_train, y_train), (x_test, y_test)`, new NumPy arrays of uint8: x (n, 28, 28), y (n,) from 0 to 9, for
    T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag and ankle boot. Downloaded once (download.py).

    FileNotFoundError where the files are nowhere and cannot be downloaded, ValueError where one is damaged.

    Source: Xiao, Rasul, Vollgraf, "Fashion-MNIST" (2017); MIT licence.
    """
    paths = [download.fetch("fashion_mnist.load_data", f"{FOLDER}/{name}", download.KERAS_FILES + name, checksum,
                            others=(name,)) for name, checksum in FILES.items()]
    x_train, y_train, x_test, y_test = map(load_idx, paths)
    for x, y, path in ((x_train, y_train, paths[0]), (x_test, y_test, paths[2])):
        if x.shape != (len(y), 28, 28) or x.dtype != "u1" or y.ndim != 1:
            raise ValueError(f"fashion_mnist.load_data: images must be uint8 (n, 28, 28), with n labels, in {path}; "
                             f"got {x.dtype} {x.shape} and labels {y.shape}")
    return (x_train, y_train), (x_test, y_test)
