"""float16 and bfloat16, which are for keeping numbers: sums and squares of them are computed in float32."""
from typing import Any

import numpy as np

from cytensor.tensor import Tensor
from cytensor.types import DTypeLike

SINGLE = np.dtype(np.float32)


def widened(x: Tensor) -> Tensor:
    """x in float32 where it is a half: float16 ends at 65504 and counts whole numbers to 2048; anything else as it is,
    lists and what is no tensor included, which the next op takes or refuses by its own name.

    >>> widened(np.ones(2, np.float16)).dtype
    dtype('float32')
    """
    return x.astype(SINGLE) if is_half(getattr(x, "dtype", None)) else x


def is_half(dtype: Any) -> bool:
    """Whether a dtype, or None for what has none, is float16 or bfloat16."""
    return dtype is not None and dtype.kind == "f" and bool(dtype.itemsize < 4)


def narrowed(x: Tensor, dtype: DTypeLike) -> Tensor:
    """x in `dtype`, where it is not already."""
    return x if x.dtype == dtype else x.astype(dtype)


def wide_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of statistics of values of `dtype`."""
    return SINGLE if is_half(dtype) else dtype


def in_numpy(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """`dtype`, and float32 for bfloat16, which NumPy lacks: of arrays on their way to a tensor of `dtype`."""
    return dtype if isinstance(dtype, np.dtype) else SINGLE
