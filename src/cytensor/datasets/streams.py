"""Filling arrays from streams, for the readers of this package."""

import numpy as np

# The most that deflate can expand its input (zlib's technical notes give 1032:1).
DEFLATE_LIMIT = 1032
CHUNK = 1 << 20


def fill(flat, stream):
    """Fill the one-dimensional array `flat` from `stream`, piece by piece so that no second copy is held.

    Raises EOFError where the stream ends early, ValueError where it goes on. Reaching its end is also what makes zip
    and gzip streams verify their checksums.
    """
    memory, done = memoryview(flat.view(np.uint8)), 0
    while done < len(memory):
        piece = stream.read(min(CHUNK, len(memory) - done))
        if not piece:
            raise EOFError(f"the data ends after {done} of {len(memory)} bytes")
        memory[done : done + len(piece)] = piece
        done += len(piece)
    if stream.read(1):
        raise ValueError(f"the data goes on after {done} bytes")
