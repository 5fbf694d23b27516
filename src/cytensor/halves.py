"""float16, which is for keeping numbers: sums and squares of it are computed in float32."""
from typing import Any

import numpy as np

from cytensor.tensor import Tensor
from cytensor.types import DTypeLike

HALF, SINGLE = np.dtype(np.float16), np.dtype(np.float32)

def widened(x: Tensor) -> Tensor:
    """x in float32 where it is float16, which ends at 65504 and counts whole numbers to 2048; anything else as it is,
    lists and what is no tensor included, which the next op takes or refuses by its own name.

    >>> from cytensor.tensor import asarray
    >>> widened(asarray(np.ones(2, np.float16))).dtype
    dtype('float32')
    """
    return x.astype(SINGLE) if getattr(x, "dtype", None) == HALF else x


def narrowed(x: Tensor, dtype: DTypeLike) -> Tensor:
    """x in `dtype`, where it is not already."""
    return x if x.dtype == dtype else x.astype(dtype)


def wide_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of statistics of values of `dtype`."""
    return SINGLE if dtype == HALF else dtype
