"""IDX files: the format in which the makers of MNIST published it, and others their data after them.

    byte 0, 1    zero
    byte 2       type code: 0x08 uint8, 0x09 int8, 0x0B int16, 0x0C int32, 0x0D float32, 0x0E float64
    byte 3       number of axes
    then         the length of each axis, four bytes big-endian
    then         the elements, big-endian, last axis fastest

Source: the description at the end of the MNIST page of LeCun, Cortes and Burges.
"""

import math
import os
import struct
from typing import Any

import numpy as np

from cytensor.checks import arguments, formats
from cytensor.datasets.streams import DEFLATE_LIMIT, Readable, fill
from cytensor.types import Array, Path

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MAX_AXES = 16
_GZIP_MAGIC = b"\x1f\x8b"


def load_idx(path: Path) -> Array:
    """Read an IDX file, gzipped or not, into a new NumPy array of native byte order.

    The shape and the dtype (uint8, int8, int16, int32, float32 or float64) are the file's. Whether it is gzipped is
    seen from its first bytes, not from its name.

    Raises OSError where the file cannot be opened, and ValueError naming it where it is no IDX file, has an unknown
    type code, is cut short or goes on after its data. The size that a header claims is compared with the size of the
    file before memory is taken.

    >>> import tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "labels-idx1-ubyte")
    >>> with open(path, "wb") as file:
    ...     _ = file.write(bytes([0, 0, 0x08, 1]) + (3).to_bytes(4, "big") + bytes([7, 2, 1]))
    >>> load_idx(path)
    array([7, 2, 1], dtype=uint8)
    """
    import gzip
    import zlib

    arguments.check_value("load_idx", "path", path)
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        zipped = file.read(2) == _GZIP_MAGIC
    # The decompressed size is not known before the end: its upper bound stands in for it.
    limit = size * DEFLATE_LIMIT if zipped else size
    try:
        with (gzip.open if zipped else open)(path, "rb") as stream:
            shape, dtype, header_size = _read_header(stream)
            count = math.prod(shape)
            claimed = header_size + count * dtype.itemsize
            if claimed > limit:
                raise ValueError(f"its header claims {dtype.name} {shape}, {claimed} bytes; the file has {size}")
            flat = np.empty(count, dtype)
            fill(flat, stream)
            array = flat.reshape(shape)
    except (ValueError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        kind = formats.named(path, formats.GZIP)
        raise ValueError(f"load_idx: cannot read {os.fspath(path)}: {error}" + f"; {kind}" * bool(kind)) from error
    return array.astype(dtype.newbyteorder("="), copy=False)


def _read_header(stream: Readable) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    """(shape, dtype, bytes read)."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise ValueError(
            f"an IDX file starts with two zero bytes, a type code and a number of axes; got {magic.hex()!r}"
        )
    code, ndim = magic[2], magic[3]
    if code not in _DTYPES:
        known = ", ".join(f"0x{known:02X} {np.dtype(name).name}" for known, name in _DTYPES.items())
        raise ValueError(f"unknown type code 0x{code:02X}; known are {known}")
    if not 1 <= ndim <= _MAX_AXES:
        raise ValueError(f"the number of axes must be 1 to {_MAX_AXES}; got {ndim}")
    lengths = stream.read(4 * ndim)
    if len(lengths) < 4 * ndim:
        raise EOFError(f"the header ends after {4 + len(lengths)} of {4 + 4 * ndim} bytes")
    return struct.unpack(f">{ndim}I", lengths), np.dtype(_DTYPES[code]), 4 + 4 * ndim
