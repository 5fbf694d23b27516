"""Arrays from .npz files (zip archives of .npy members) that need not be trusted.

A member's header says how much memory it wants, and a zip entry says how long its member is; either may lie. So the
header is compared with the entry, and the entry with what its compressed bytes can hold, before an array is made.
Pickled objects are refused. Not for model files: those are safetensors (saving/). Importing this module loads
zipfile, so it is imported where it is used.
"""

import contextlib
import math
import tokenize
import zipfile
import zlib

import numpy as np

from cytensor.datasets.streams import CHUNK, DEFLATE_LIMIT, fill

_DAMAGED = (ValueError, EOFError, OSError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError)
_READABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read(path, names, caller):
    """Read the arrays `names` of the .npz file at `path` into a dict of new NumPy arrays.

    `caller` is the function whose name starts the error messages. Raises OSError where the file cannot be opened,
    ValueError naming it where it is not an .npz file, is damaged or cut short, lacks one of the names or holds objects.
    """
    with _opened(path, caller) as archive:
        members = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}
        missing = [name for name in names if name not in members]
        if missing:
            raise ValueError(f"no array {', '.join(missing)}; it holds {', '.join(members) or 'nothing'}")
        return {name: _read_member(archive, members[name]) for name in names}


def names_in(path, caller):
    """The names of the arrays in the .npz file at `path`, unread. Raises as `read` does."""
    with _opened(path, caller) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist()]


@contextlib.contextmanager
def _opened(path, caller):
    """The archive; within the block whatever a damaged one makes the readers raise is a ValueError that names it.

    That includes OSError: an entry may lie about where it starts, and the file cannot be read there.
    """
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                yield archive
        except _DAMAGED as error:
            raise ValueError(f"{caller}: cannot read {path}: {error or type(error).__name__}") from error


def _read_member(archive, entry):
    """One member as an array: header, checks, and only then memory."""
    if entry.compress_type not in _READABLE:
        raise ValueError(f"{entry.filename} is compressed in a way that .npz files do not use")
    if entry.file_size > entry.compress_size * DEFLATE_LIMIT + CHUNK:
        raise ValueError(f"{entry.filename} claims {entry.file_size} bytes from {entry.compress_size} compressed ones")
    with archive.open(entry) as member:
        shape, fortran, dtype = _read_header(member)
        if dtype.hasobject:
            raise ValueError(f"{entry.filename} holds Python objects, which are never unpickled")
        present, claimed = entry.file_size - member.tell(), math.prod(shape) * dtype.itemsize
        if claimed != present:
            raise ValueError(f"{entry.filename} is {dtype} {shape}, {claimed} bytes, but {present} are there")
        flat = np.empty(math.prod(shape), dtype)
        fill(flat, member)
    return flat.reshape(shape, order="F" if fortran else "C")


def _read_header(member):
    """(shape, fortran_order, dtype) from the head of a .npy stream."""
    version = np.lib.format.read_magic(member)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if read is not None:
        try:
            return read(member)
        except (SyntaxError, TypeError, RecursionError, tokenize.TokenError) as error:      # NumPy parses it as Python
            raise ValueError(f"the head of an array cannot be parsed: {error}") from error
    raise ValueError(f"the .npy format version {version[0]}.{version[1]} is for structured arrays, not tensors")
