"""Numbers that say which: rows of a table, classes."""
import numpy as np

from cytensor import ops
from cytensor.tensor import Tensor
from cytensor.types import Array


def as_indices(what: str, x: Tensor, count: int) -> Tensor:
    """A tensor of integers in [0, count), any shape, as int64 where it is of floats, which must be whole numbers.

    ValueError for a number that is not whole, or lies outside; TypeError for a dtype that is neither integer nor float.

    >>> from cytensor.tensor import asarray
    >>> as_indices("Embedding", asarray([2., 0.]), 3).numpy()
    array([2, 0])
    """
    if x.dtype.kind not in "iuf":
        raise TypeError(f"{what}: integers are expected; got dtype {x.dtype}")
    if not x.size:
        return x.astype("int64")
    if x.dtype.kind == "f":
        values = np.asarray(x)
        wrong = values[~(np.floor(values) == values) | np.isinf(values)]       # NaN equals nothing
        if wrong.size:
            raise ValueError(f"{what}: indices must be whole numbers; got {wrong.flat[0]}")
        _refuse(what, count, values[(values < 0) | (values >= count)])
        return x.astype("int64")
    if ops.min(x).item() < 0 or ops.max(x).item() >= count:
        values = np.asarray(x)
        _refuse(what, count, values[(values < 0) | (values >= count)])
    return x


def _refuse(what: str, count: int, wrong: Array) -> None:
    if wrong.size:
        raise ValueError(f"{what}: indices must lie in [0, {count}); got {wrong.flat[0]}")
