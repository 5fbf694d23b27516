"""Pickled arrays and lists, as CIFAR's makers and Keras have published some data, read without running any code.

A pickle may name any function to be called. Here it may name what arrays are made of, and nothing else.
"""
import codecs
import io
import pickle
from typing import IO, Any

import numpy as np

from cytensor.types import Array

_FAULTS = (pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError,
           UnicodeError, MemoryError, ImportError)


def load(stream: IO[bytes], encoding: str = "ASCII") -> Any:
    """What the pickle in `stream` holds: arrays, lists, dictionaries, numbers and text. ValueError for anything else.

    encoding: of the strings of Python 2, "bytes" to keep them so.
    """
    try:
        return _DataOnly(stream, encoding=encoding).load()
    except _FAULTS as error:
        raise ValueError(f"its pickle cannot be read: {error}") from None


def object_array(stream: IO[bytes]) -> Array:
    """The array of Python objects after the header of a .npy stream."""
    found = load(io.BytesIO(stream.read()))
    if not isinstance(found, np.ndarray):
        raise ValueError(f"its pickle must hold an array; it holds {type(found).__name__}")
    return found


def _empty_array(*_: Any) -> Array:
    """What NumPy's own begins with; its size comes with the state, which is as long as it says."""
    return np.ndarray.__new__(np.ndarray, (0,), "b")


def _encoded(text: str, encoding: str = "latin1") -> bytes:
    """How pickles of Python 3 in a protocol of Python 2 hold bytes."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"bytes must be latin1; got {encoding!r}")
    return codecs.encode(text, "latin1")


def _from_bytes(content: bytes, dtype: Any, shape: tuple[int, ...], order: Any) -> Array:
    """An array in protocol 5; NumPy makes none of objects here."""
    return np.frombuffer(content, dtype).reshape(shape, order=order).copy(order="K")


_KNOWN = {("numpy", "ndarray"): np.ndarray, ("numpy", "dtype"): np.dtype, ("_codecs", "encode"): _encoded}
_KNOWN |= {(f"numpy.{core}.multiarray", "_reconstruct"): _empty_array for core in ("core", "_core")}
_KNOWN |= {(f"numpy.{core}.numeric", "_frombuffer"): _from_bytes for core in ("core", "_core")}


class _DataOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which data does not need")
        return _KNOWN[module, name]
