"""What a file may make the program hold: a damaged or hostile number in it would otherwise fill the memory.

While a file is read, whatever makes arrays of a length that the file names spends them here first. There is as much as
the file has numbers itself, and some for what a model has and no file holds: the thresholds of a metric, one sample on
its way through the layers. Outside of `limited_to` nothing is counted.
"""
import contextlib
import math
import threading
from collections.abc import Iterator, Sequence

BESIDES = 2**20


class _Left(threading.local):
    numbers: int | None = None


_left = _Left()


@contextlib.contextmanager
def limited_to(numbers: int) -> Iterator[None]:
    """Within the block, arrays may together have no more than so many numbers, and BESIDES."""
    outer, _left.numbers = _left.numbers, numbers + BESIDES
    try:
        yield
    finally:
        _left.numbers = outer


def is_limited() -> bool:
    """Whether a file is being read."""
    return _left.numbers is not None


def spend(what: str, shape: Sequence[int | None], holder: str = "what it describes") -> None:
    """Take an array of `shape` out of the budget, where there is one; ValueError where not so much is left."""
    if _left.numbers is None:
        return
    _left.numbers -= math.prod(n for n in shape if n is not None)
    if _left.numbers < 0:
        raise ValueError(f"{what}: the file must have as many numbers as {holder}; got shape {tuple(shape)}")
