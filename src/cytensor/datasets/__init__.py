"""Data to train on: MNIST, which comes with the package, and a reader for files in its makers' IDX format.

    mnist.py     mnist.load_data(): the packaged digits, or another file of the same form
    idx.py       load_idx(): one array from an IDX file, gzipped or not
    archive.py   .npz files read with every size checked before memory is taken; used by mnist.py and the command line
    streams.py   the loop that fills an array from a stream
    data/        mnist.npz and its licence

Nothing here needs the network, and nothing is read from disk until a function is called.
"""

from cytensor.datasets import mnist
from cytensor.datasets.idx import load_idx

__all__ = ["load_idx", "mnist"]


def __dir__() -> list[str]:
    return [*__all__]
