"""The dtypes, as NumPy's objects: `ct.float32` is `np.dtype("float32")`. bfloat16, which NumPy lacks, is cyops's."""
from typing import Any

import numpy as np

from cyops import bfloat16, dtype_rows
from cytensor.types import DTypeLike

bool_: np.dtype[np.bool_] = np.dtype("bool")
int8: np.dtype[np.int8] = np.dtype("int8")
int16: np.dtype[np.int16] = np.dtype("int16")
int32: np.dtype[np.int32] = np.dtype("int32")
int64: np.dtype[np.int64] = np.dtype("int64")
uint8: np.dtype[np.uint8] = np.dtype("uint8")
uint16: np.dtype[np.uint16] = np.dtype("uint16")
uint32: np.dtype[np.uint32] = np.dtype("uint32")
uint64: np.dtype[np.uint64] = np.dtype("uint64")
float16: np.dtype[np.float16] = np.dtype("float16")
float32: np.dtype[np.float32] = np.dtype("float32")
float64: np.dtype[np.float64] = np.dtype("float64")

complex64: np.dtype[np.complex64] = np.dtype("complex64")
complex128: np.dtype[np.complex128] = np.dtype("complex128")

NUMBERS = tuple(np.dtype(name) for name, *_ in dtype_rows() if name != "bfloat16")


def as_dtype(op: str, dtype: DTypeLike | None, kinds: str = "biuf", with_bfloat16: bool = False) -> np.dtype[Any]:
    """NumPy's object for anything that names a dtype; TypeError, with the caller `op`, for one not of `kinds`.

    with_bfloat16: whether bfloat16, for which NumPy has no object, is one of them.
    """
    if with_bfloat16 and bfloat16 == dtype:
        return bfloat16
    try:
        resolved = np.dtype(dtype)
    except TypeError:
        resolved = None
    known = [one for one in NUMBERS if one.kind in kinds]
    if resolved is None or resolved not in known:     # NumPy's dtypes equal None
        names = [one.name for one in known] + ["bfloat16"] * with_bfloat16
        raise TypeError(f"{op}: dtype must be one of {', '.join(names)}; got {dtype!r}")
    return resolved


__all__ = [
    "bfloat16", "bool_", "complex128", "complex64", "float16", "float32", "float64", "int8", "int16", "int32", "int64",
    "uint8", "uint16", "uint32", "uint64",
]
