"""Every way the same values can lie in memory: what each operand of a kernel test goes through."""
import numpy as np

import cyops


def contiguous(values):
    return cyops.Strided(np.array(values, order="C"))


def offset(values):
    """A block inside a larger array, every axis with elements before and after it."""
    padded = np.full([n + 3 for n in values.shape], _filler(values.dtype), values.dtype)
    inner = padded[(..., *(slice(1, n + 1) for n in values.shape))]
    inner[...] = values
    return cyops.Strided(padded)[tuple(slice(1, n + 1) for n in values.shape)]


def transposed(values):
    """The axes in the opposite order in memory."""
    return cyops.permute_dims(cyops.Strided(np.array(values.T, order="C")))


def sliced(values):
    """Every second element along each axis."""
    spread = np.full([2 * n for n in values.shape], _filler(values.dtype), values.dtype)
    spread[tuple(slice(None, None, 2) for _ in values.shape)] = values
    return cyops.Strided(spread)[tuple(slice(None, None, 2) for _ in values.shape)]


def reversed_axes(values):
    """Every axis walked backward."""
    return cyops.flip(cyops.Strided(np.array(np.flip(values), order="C")))


def stretched(values):
    """Stride 0 along the first axis; the values are those of its first index."""
    if values.ndim == 0 or values.shape[0] == 0:
        return contiguous(values)
    return cyops.broadcast_to(cyops.Strided(np.array(values[:1], order="C")), values.shape)


def _filler(dtype):
    """What must never be read: NaN, or a large number."""
    return np.nan if np.dtype(dtype).kind == "f" else (True if np.dtype(dtype).kind == "b" else 99)


LAYOUTS = {
    "contiguous": contiguous, "offset": offset, "transposed": transposed, "sliced": sliced, "reversed": reversed_axes,
    "stretched": stretched,
}


def values_of(x):
    """What a tensor holds, as a contiguous NumPy array of its own."""
    return np.array(np.asarray(x))
