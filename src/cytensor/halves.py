"""float16, which is for keeping numbers: sums and squares of it are computed in float32."""
from typing import Any

import numpy as np

from cytensor.tensor import Tensor, asarray
from cytensor.types import DTypeLike

HALF, SINGLE = np.dtype(np.float16), np.dtype(np.float32)


def widened(x: Tensor) -> Tensor:
    """x as a tensor, in float32 where it is float16, which ends at 65504 and counts whole numbers to 2048.

    >>> widened(np.ones(2, np.float16)).dtype
    dtype('float32')
    """
    x = x if isinstance(x, Tensor) else asarray(x)
    return x.astype(SINGLE) if x.dtype == HALF else x


def narrowed(x: Tensor, dtype: DTypeLike) -> Tensor:
    """x in `dtype`, where it is not already."""
    return x if x.dtype == dtype else x.astype(dtype)


def wide_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of statistics of values of `dtype`."""
    return SINGLE if dtype == HALF else dtype
