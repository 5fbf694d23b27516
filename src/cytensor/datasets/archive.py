"""Arrays from .npz files (zip archives of .npy members) and .npy files that need not be trusted.

A member's header says how much memory it wants, and a zip entry says how long its member is; either may lie. So the
header is compared with the entry, and the entry with what its compressed bytes can hold, before an array is made.
Pickled objects are refused, but for a caller that reads data alone out of them (pickles.py). Not for model files: those
are safetensors (saving/). Importing this module loads zipfile, so it is imported where it is used.
"""

import contextlib
import math
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any

import numpy as np

from cytensor.checks import formats
from cytensor.datasets.streams import CHUNK, DEFLATE_LIMIT, fill
from cytensor.types import Array, Path

Unpickler = Callable[[IO[bytes]], Array]
_DAMAGED = (ValueError, EOFError, OSError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError)
_READABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read(path: Path, names: Sequence[str], caller: str, unpickle: Unpickler | None = None) -> dict[str, Array]:
    """Read the arrays `names` of the .npz file at `path` into a dict of new NumPy arrays.

    `caller` is the function whose name starts the error messages. `unpickle` makes an array of the rest of a stream
    that holds Python objects (pickles.py); without it they are refused. Raises OSError where the file cannot be opened,
    ValueError naming it where it is not an .npz file, is damaged or cut short or lacks one of the names.
    """
    with _opened(path, caller) as archive:
        members = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}
        missing = [name for name in names if name not in members]
        if missing:
            raise ValueError(f"no array {', '.join(missing)}; it holds {', '.join(members) or 'nothing'}")
        return {name: _read_member(archive, members[name], unpickle) for name in names}


def names_in(path: Path, caller: str) -> list[str]:
    """The names of the arrays in the .npz file at `path`, unread. Raises as `read` does."""
    with _opened(path, caller) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist()]


@contextlib.contextmanager
def _opened(path: Path, caller: str) -> Iterator[zipfile.ZipFile]:
    """The archive; within the block whatever a damaged one makes the readers raise is a ValueError that names it.

    That includes OSError: an entry may lie about where it starts, and the file cannot be read there.
    """
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                yield archive
        except _DAMAGED as error:
            raise _unreadable(path, caller, error, formats.NPZ, formats.ZIP) from error


def read_npy(path: Path, caller: str) -> Array:
    """The array of an .npy file, new, with the same checks and errors as those of an archive."""
    try:
        with open(path, "rb") as file:
            return _read_stream(file, os.path.getsize(path), os.fspath(path))
    except (ValueError, EOFError) as error:
        raise _unreadable(path, caller, error, formats.NPY) from error


def _unreadable(path: Path, caller: str, error: BaseException, *wanted: formats.Format) -> ValueError:
    """The error for a file that is damaged, or in none of the formats that were wanted: it says what it is then."""
    why = formats.named(path, *wanted) or str(error) or type(error).__name__
    return ValueError(f"{caller}: cannot read {path}: {why}")


def _read_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, unpickle: Unpickler | None) -> Array:
    """One member as an array: header, checks, and only then memory."""
    if entry.compress_type not in _READABLE:
        raise ValueError(f"{entry.filename} is compressed in a way that .npz files do not use")
    if entry.file_size > entry.compress_size * DEFLATE_LIMIT + CHUNK:
        raise ValueError(f"{entry.filename} claims {entry.file_size} bytes from {entry.compress_size} compressed ones")
    with archive.open(entry) as member:
        return _read_stream(member, entry.file_size, entry.filename, unpickle)


def _read_stream(stream: IO[bytes], size: int, name: str, unpickle: Unpickler | None = None) -> Array:
    """The array in a .npy stream of `size` bytes."""
    shape, fortran, dtype = _read_header(stream)
    if dtype.hasobject and unpickle is not None:
        return unpickle(stream)
    if dtype.hasobject:
        raise ValueError(f"{name} holds Python objects, which are never unpickled")
    present, claimed = size - stream.tell(), math.prod(shape) * dtype.itemsize
    if claimed != present:
        raise ValueError(f"{name} is {dtype} {shape}, {claimed} bytes, but {present} are there")
    flat = np.empty(math.prod(shape), dtype)
    fill(flat, stream)
    return flat.reshape(shape, order="F" if fortran else "C")


def _read_header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """(shape, fortran_order, dtype) from the head of a .npy stream."""
    version = np.lib.format.read_magic(member)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"the .npy format version {version[0]}.{version[1]} is for structured arrays, not tensors")
    try:
        return readers[version](member)
    except Exception as error:         # NumPy parses it as Python does, and lets the parser's own errors through
        raise ValueError(f"its header is damaged: {error}") from None
