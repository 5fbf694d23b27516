"""Filling arrays from streams, for the readers of this package."""


from typing import Protocol

import numpy as np

from cytensor.types import Array

# The most that deflate can expand its input (zlib's technical notes give 1032:1).
DEFLATE_LIMIT = 1032
CHUNK = 1 << 20


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int, /) -> bytes: ...


def fill(flat: Array, stream: Readable) -> None:
    """Fill the one-dimensional array `flat` from `stream`, piece by piece so that no second copy is held.

    Raises EOFError where the stream ends early, ValueError where it goes on. Reaching its end is also what makes zip
    and gzip streams verify their checksums.
    """
    memory, done = flat.view(np.uint8).data, 0
    while done < len(memory):
        piece = stream.read(min(CHUNK, len(memory) - done))
        if not piece:
            raise EOFError(f"the data ends after {done} of {len(memory)} bytes")
        memory[done : done + len(piece)] = piece
        done += len(piece)
    if stream.read(1):
        raise ValueError(f"the data goes on after {done} bytes")
