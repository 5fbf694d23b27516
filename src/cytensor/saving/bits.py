"""bfloat16 on its way to files and back: NumPy has no such dtype, so arrays of its bits go in its place."""
from typing import Any

import numpy as np

import cyops
from cytensor.tensor import Tensor, asarray
from cytensor.types import Array

FILE_NAME = next(file_name for name, file_name, *_ in cyops.dtype_rows() if name == "bfloat16")


def bits_of(x: Any) -> Array:
    """The bits of a bfloat16 tensor of any strides, as a C-ordered array of uint16: the upper halves of float32."""
    wide = np.ascontiguousarray(x, np.float32).reshape(x.shape)
    return np.asarray(wide.view(np.uint32) >> 16, np.uint16)


def of_bits(bits: Array) -> Tensor:
    """The bfloat16 tensor of such bits."""
    wide = np.asarray(np.asarray(bits, np.uint32) << 16)
    return asarray(wide.view(np.float32)).astype("bfloat16")
