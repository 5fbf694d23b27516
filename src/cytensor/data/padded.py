"""Sequences of several lengths as rows of one array: `pad_sequences`."""
from collections.abc import Sequence
from typing import Any

import numpy as np

from cytensor.types import Array, DTypeLike


def pad_sequences(sequences: Sequence[Sequence[Any]], maxlen: int | None = None, dtype: DTypeLike = "int32",
                  padding: str = "pre", truncating: str = "pre", value: Any = 0.0) -> Array:
    """Sequences as rows of one NumPy array, the shorter filled with `value`, the longer cut.

    sequences: n lists, tuples or arrays of numbers (or of slices of one shape s) -> (n, maxlen, *s). maxlen: None for
    the longest. padding, truncating: "pre" or "post", on which side; those before make recurrent networks end with what
    was said last. ValueError for a part that has no length, slices of other shapes, and text in an array of numbers.

    >>> pad_sequences([[1, 2, 3], [4]], maxlen=2)
    array([[2, 3],
           [0, 4]], dtype=int32)
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in ("pre", "post"):
            raise ValueError(f"pad_sequences: {name} must be 'pre' or 'post'; got {side!r}")
    if maxlen is not None and (isinstance(maxlen, bool) or not isinstance(maxlen, (int, np.integer)) or maxlen < 0):
        raise ValueError(f"pad_sequences: maxlen must be None or an int of at least 0; got {maxlen!r}")
    if not hasattr(sequences, "__len__"):
        raise ValueError(f"pad_sequences: sequences must have a length; got {type(sequences).__name__}")
    for i, one in enumerate(sequences):
        if not hasattr(one, "__len__"):
            raise ValueError(f"pad_sequences: each of the sequences must have a length; got {one!r} at {i}")
    longest = max(map(len, sequences), default=0) if maxlen is None else maxlen
    slices = next((np.asarray(one).shape[1:] for one in sequences if len(one)), ())
    kind = np.dtype(dtype)
    if isinstance(value, str) and kind.kind not in "OUS":
        raise ValueError(f"pad_sequences: dtype must hold text for the value {value!r}, as object does; got {kind}")
    rows = np.full((len(sequences), longest, *slices), value, kind)
    for i, one in enumerate(sequences):
        kept = one[max(len(one) - longest, 0):] if truncating == "pre" else one[:longest]
        if len(kept) == 0:
            continue
        part = np.asarray(kept, kind)
        if part.shape[1:] != slices:
            raise ValueError(f"pad_sequences: slices must have one shape; got {slices}, and {part.shape[1:]} at {i}")
        if padding == "pre":
            rows[i, longest - len(part):] = part
        else:
            rows[i, :len(part)] = part
    return rows
