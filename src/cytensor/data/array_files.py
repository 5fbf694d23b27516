"""Rows of arrays in files: .npy, memory-mapped arrays and tensors in safetensors, read where they lie.

The file is read and not mapped: pages of a mapping would count to the process until the system takes them back. A file
that vanishes or is cut off meanwhile is an OSError that names it.
"""
import json
import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from cytensor.types import Array

# The dtypes of safetensors that NumPy has.
SAFETENSORS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1",
               "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1", "BOOL": "|b1"}


class ArrayFile:
    """An array (rows, ...) that lies in a file from `begin` on, in C order."""
    path: str
    begin: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __init__(self, path: str, begin: int, shape: Sequence[int], dtype: Any) -> None:
        self.path, self.begin, self.shape, self.dtype = path, begin, tuple(shape), np.dtype(dtype)
        if not self.shape:
            raise ValueError(f"dataset_from_files: '{path}' must have a first axis of samples; its array is a scalar")
        if self.dtype.kind not in "fiub":
            raise TypeError(f"dataset_from_files: '{path}' must hold numbers; got dtype {self.dtype}")
        size = os.path.getsize(path)
        if size < begin + self.row_bytes * self.rows:
            raise ValueError(f"dataset_from_files: '{path}' is truncated; {self.rows} rows of {self.row_bytes} bytes "
                             f"end at byte {begin + self.row_bytes * self.rows}, and it has {size}")

    @property
    def rows(self) -> int:
        """The length of the first axis."""
        return self.shape[0]

    @property
    def row_bytes(self) -> int:
        """The size of a row."""
        return math.prod(self.shape[1:]) * self.dtype.itemsize

    def read_into(self, start: int, out: Array) -> None:
        """Fill `out` with the rows from `start` on, in the file's dtype."""
        wanted = out.size * self.dtype.itemsize
        view = out.reshape(-1).view(np.uint8).data
        with open(self.path, "rb", buffering=0) as file:
            file.seek(self.begin + start * self.row_bytes)
            done = 0
            while done < wanted:
                count = file.readinto(view[done:])
                if not count:
                    raise OSError(f"dataset_from_files: '{self.path}' ended at row {start + done // self.row_bytes} of "
                                  f"{self.rows}; it was truncated while it was read")
                done += count


def of_npy(path: str) -> ArrayFile:
    """The array in an .npy file."""
    with open(path, "rb") as file:
        try:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, is_fortran, dtype = read(file)
        except ValueError as error:
            raise ValueError(f"dataset_from_files: '{path}' must be an .npy file; {error}") from None
        if is_fortran and len(shape) > 1:
            raise ValueError(f"dataset_from_files: '{path}' must have its rows one behind the other (C order); it has "
                             f"Fortran order: numpy.save(path, numpy.ascontiguousarray(array))")
        if dtype.hasobject:
            raise TypeError(f"dataset_from_files: '{path}' must hold numbers; got dtype {dtype}")
        return ArrayFile(path, file.tell(), shape, dtype)


def of_memmap(array: Any) -> ArrayFile:
    """The file behind a memory-mapped array, as numpy.memmap or numpy.load(path, mmap_mode="r") gives."""
    if array.filename is None or not array.flags.c_contiguous or array.ctypes.data % 1:
        raise ValueError(f"dataset_from_files: a memory-mapped array must be whole rows of a file; got one of shape "
                         f"{array.shape} and strides {array.strides}")
    base: Any = array
    while isinstance(base.base, np.memmap):
        base = base.base
    return ArrayFile(os.fspath(array.filename), base.offset + array.ctypes.data - base.ctypes.data, array.shape,
                     array.dtype)


def of_safetensors(path: str) -> dict[str, ArrayFile]:
    """{name: tensor} of a safetensors file; those of dtypes that NumPy has not are left out."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        try:
            header: Any = json.loads(file.read(length)) if length <= size else None
            entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
            return {name: ArrayFile(path, 8 + length + entry["data_offsets"][0], entry["shape"],
                                    SAFETENSORS[entry["dtype"]])
                    for name, entry in entries.items() if entry["dtype"] in SAFETENSORS and entry["shape"]}
        except (AttributeError, KeyError, TypeError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise ValueError(f"dataset_from_files: '{path}' must be a safetensors file; its header is damaged "
                             f"({type(error).__name__})") from None
