"""Data to train on: MNIST, which comes with the package, Keras's other sets, and a reader for IDX files.

    mnist.py     mnist.load_data(): the packaged digits, or another file of the same form
    fashion_mnist.py, cifar10.py, cifar100.py, imdb.py, reuters.py, boston_housing.py, california_housing.py
                 load_data() of each; cifar.py, sequences.py and housing.py are what some of them share
    download.py  where their files are looked for, and how they are downloaded; needs the extra `data`
    pickles.py   what some of these files hold, read without running code
    idx.py       load_idx(): one array from an IDX file, gzipped or not
    archive.py   .npz files read with every size checked before memory is taken; used by mnist.py and the command line
    streams.py   the loop that fills an array from a stream
    data/        mnist.npz and its licence

Nothing needs the network but a first load_data() of what is not in the package, and nothing is read from disk until a
function is called.
"""

from cytensor.datasets import (
    boston_housing,
    california_housing,
    cifar10,
    cifar100,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
)
from cytensor.datasets.idx import load_idx

__all__ = ["boston_housing", "california_housing", "cifar10", "cifar100", "fashion_mnist", "imdb", "load_idx", "mnist",
           "reuters"]


def __dir__() -> list[str]:
    return [*__all__]
