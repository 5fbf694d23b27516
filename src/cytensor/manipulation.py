"""Functions of the Array API standard made of ops, so that their gradients are those of the parts, and searches.

Those of elements (real, imag, conj, positive), of shapes (tile, unstack, moveaxis, broadcast_arrays, meshgrid, tril,
triu, diff), and without a gradient nonzero, count_nonzero, searchsorted and unique_*. Imports cyops and composites.py;
ops.py derives the public functions.
"""
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import cyops
from cyops import Strided
from cytensor.composites import as_operand, axes_of, axis_of, operands
from cytensor.types import ArrayLike, Axis

MADE_OF_OPS: dict[str, Callable[..., Any]] = {}


def _public(function: Callable[..., Any]) -> Callable[..., Any]:
    MADE_OF_OPS[function.__name__] = function
    return function


# -- parts of complex numbers -----------------------------------------------------------------------------------------
def _number(op: str, x: ArrayLike) -> Strided:
    """A copy of a tensor of numbers."""
    tensor, = operands(op, x)
    if tensor.dtype.kind in "SU":
        raise TypeError(f"{op}: needs numbers; got dtype {tensor.dtype}")
    return cyops.copy(tensor)


@_public
def positive(x: ArrayLike, /) -> Strided:
    """+x: a copy. TypeError for strings.

    >>> import cytensor as ct
    >>> ct.positive([1., -1.]).tolist()
    [1.0, -1.0]
    """
    return _number("positive", x)


@_public
def conj(x: ArrayLike, /) -> Strided:
    """The complex conjugate; of real numbers a copy.

    >>> import cytensor as ct
    >>> ct.conj([1 + 2j]).tolist()
    [(1-2j)]
    """
    tensor = _number("conj", x)
    return Strided(np.conj(np.asarray(tensor))) if tensor.dtype.kind == "c" else tensor


@_public
def real(x: ArrayLike, /) -> Strided:
    """The real parts: float32 of complex64, float64 of complex128, and of real numbers a copy.

    >>> import cytensor as ct
    >>> ct.real([1 + 2j]).tolist()
    [1.0]
    """
    tensor = _number("real", x)
    return Strided(np.real(np.asarray(tensor)).copy()) if tensor.dtype.kind == "c" else tensor


@_public
def imag(x: ArrayLike, /) -> Strided:
    """The imaginary parts: float32 of complex64, float64 of complex128, and of real numbers zeros.

    >>> import cytensor as ct
    >>> ct.imag([1 + 2j]).tolist()
    [2.0]
    """
    tensor = _number("imag", x)
    if tensor.dtype.kind != "c":
        return cyops.zeros(tensor.shape, tensor.dtype)
    return Strided(np.imag(np.asarray(tensor)).copy())


# -- shapes -----------------------------------------------------------------------------------------------------------
@_public
def moveaxis(x: ArrayLike, source: Axis, destination: Axis, /) -> Strided:
    """The axes `source` moved to the places `destination`, the others in their order; a view.

    >>> import cytensor as ct
    >>> ct.moveaxis(ct.ones((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    tensor = as_operand(x)
    start, end = axes_of("moveaxis", source, tensor.ndim), axes_of("moveaxis", destination, tensor.ndim)
    if len(start) != len(end):
        raise ValueError(f"moveaxis: source and destination must have equal lengths; got {source} and {destination}")
    order = [axis for axis in range(tensor.ndim) if axis not in start]
    for place, axis in sorted(zip(end, start, strict=True)):
        order.insert(place, axis)
    return cyops.permute_dims(tensor, tuple(order))


@_public
def tile(x: ArrayLike, repetitions: int | Sequence[int], /) -> Strided:
    """The tensor set side by side, so often along each axis: `numpy.tile`.

    x: (n...); repetitions: one count an axis, the last of them for the last axis; missing ones are 1. A copy.
    ValueError for a negative count.

    >>> import cytensor as ct
    >>> ct.tile([1, 2], (2, 2)).tolist()
    [[1, 2, 1, 2], [1, 2, 1, 2]]
    """
    tensor = as_operand(x)
    try:
        counts = (repetitions,) if hasattr(repetitions, "__index__") else tuple(repetitions)
        counts = tuple(int(count.__index__()) for count in counts)
    except (TypeError, AttributeError):
        raise TypeError(f"tile: repetitions must be integers; got {repetitions!r}") from None
    if any(count < 0 for count in counts):
        raise ValueError(f"tile: repetitions must not be negative; got {repetitions!r}")
    ndim = max(tensor.ndim, len(counts))
    counts = (1,) * (ndim - len(counts)) + counts
    lengths = (1,) * (ndim - tensor.ndim) + tensor.shape
    apart = cyops.reshape(tensor, tuple(n for length in lengths for n in (1, length)))
    pairs = list(zip(counts, lengths, strict=True))
    spread = cyops.broadcast_to(apart, tuple(n for pair in pairs for n in pair))
    return cyops.copy(cyops.reshape(spread, tuple(count * length for count, length in pairs)))


@_public
def unstack(x: ArrayLike, /, *, axis: int = 0) -> tuple[Strided, ...]:
    """The slices along `axis`, a tuple of views without that axis.

    >>> import cytensor as ct
    >>> [part.tolist() for part in ct.unstack([[1, 2], [3, 4]], axis=1)]
    [[1, 3], [2, 4]]
    """
    tensor = as_operand(x)
    head = (slice(None),) * axis_of("unstack", axis, tensor.ndim)
    return tuple(tensor[(*head, i)] for i in range(tensor.shape[len(head)]))


@_public
def broadcast_arrays(*arrays: ArrayLike) -> tuple[Strided, ...]:
    """The tensors broadcast to one shape, as views. ValueError where they do not broadcast.

    >>> import cytensor as ct
    >>> [x.shape for x in ct.broadcast_arrays([1, 2], [[1], [2]])]
    [(2, 2), (2, 2)]
    """
    tensors = operands("broadcast_arrays", *arrays)
    try:
        shape = np.broadcast_shapes(*(x.shape for x in tensors))
    except ValueError:
        raise ValueError(f"broadcast_arrays: shapes {', '.join(str(x.shape) for x in tensors)} do not broadcast"
                         ) from None
    return tuple(cyops.broadcast_to(x, shape) for x in tensors)


@_public
def meshgrid(*arrays: ArrayLike, indexing: str = "xy") -> tuple[Strided, ...]:
    """Coordinate matrices of coordinate vectors, as views: "xy" has the first two axes swapped, "ij" has not.

    >>> import cytensor as ct
    >>> [x.shape for x in ct.meshgrid([1, 2, 3], [1, 2])]
    [(2, 3), (2, 3)]
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing must be 'xy' or 'ij'; got {indexing!r}")
    tensors = operands("meshgrid", *arrays)
    if any(x.ndim > 1 for x in tensors):
        raise ValueError(f"meshgrid: needs vectors; got shapes {', '.join(str(x.shape) for x in tensors)}")
    places = list(range(len(tensors)))
    if indexing == "xy" and len(places) > 1:
        places[:2] = [1, 0]
    apart = [cyops.reshape(x, [-1 if i == place else 1 for i in range(len(tensors))])
             for x, place in zip(tensors, places, strict=True)]
    found: tuple[Strided, ...] = broadcast_arrays(*apart)
    return found


def _triangle(op: str, x: ArrayLike, k: int, is_lower: bool) -> Strided:
    tensor = as_operand(x)
    if tensor.ndim < 2:
        raise ValueError(f"{op}: needs matrices, at least two axes; got shape {tensor.shape}")
    mask = np.tri(tensor.shape[-2], tensor.shape[-1], k if is_lower else k - 1, dtype=bool)
    return cyops.where(Strided(mask if is_lower else ~mask), tensor, cyops.zeros((), tensor.dtype))


@_public
def tril(x: ArrayLike, /, *, k: int = 0) -> Strided:
    """The lower triangles of matrices (..., m, n), zeros above diagonal `k`. ValueError for fewer than two axes.

    >>> import cytensor as ct
    >>> ct.tril([[1, 2], [3, 4]]).tolist()
    [[1, 0], [3, 4]]
    """
    return _triangle("tril", x, k, is_lower=True)


@_public
def triu(x: ArrayLike, /, *, k: int = 0) -> Strided:
    """The upper triangles of matrices (..., m, n), zeros below diagonal `k`. ValueError for fewer than two axes.

    >>> import cytensor as ct
    >>> ct.triu([[1, 2], [3, 4]]).tolist()
    [[1, 2], [0, 4]]
    """
    return _triangle("triu", x, k, is_lower=False)


@_public
def diff(x: ArrayLike, /, *, axis: int = -1, n: int = 1, prepend: ArrayLike | None = None,
         append: ArrayLike | None = None) -> Strided:
    """The differences of neighbours along `axis`, taken `n` times; of bools whether they differ.

    prepend, append: what stands before and after x along `axis`. ValueError for a negative `n`.

    >>> import cytensor as ct
    >>> ct.diff([1, 4, 9]).tolist()
    [3, 5]
    """
    tensor = as_operand(x)
    axis = axis_of("diff", axis, tensor.ndim)
    if not hasattr(n, "__index__") or n < 0:
        raise ValueError(f"diff: n must be an integer of at least 0; got {n!r}")
    parts = [as_operand(part) for part in (prepend, tensor, append) if part is not None]
    tensor = cyops.concat(parts, axis=axis) if len(parts) > 1 else tensor
    head = (slice(None),) * axis
    for _ in range(n):
        after, before = tensor[(*head, slice(1, None))], tensor[(*head, slice(None, -1))]
        tensor = cyops.not_equal(after, before) if tensor.dtype.kind == "b" else cyops.subtract(after, before)
    return tensor


# -- searches, which have no gradient ---------------------------------------------------------------------------------
@_public
def nonzero(x: ArrayLike, /) -> tuple[Strided, ...]:
    """The positions of the elements that are not zero, int64, one vector for each axis. ValueError for shape ().

    >>> import cytensor as ct
    >>> ct.nonzero([0, 3, 4])[0].tolist()
    [1, 2]
    """
    tensor = as_operand(x)
    if tensor.ndim == 0:
        raise ValueError("nonzero: a tensor of shape () has no axes")
    return tuple(Strided(np.ascontiguousarray(part)) for part in np.nonzero(np.asarray(tensor)))


@_public
def count_nonzero(x: ArrayLike, /, *, axis: Axis = None, keepdims: bool = False) -> Strided:
    """How many elements along `axis` are not zero, int64.

    >>> import cytensor as ct
    >>> ct.count_nonzero([[0, 1], [2, 3]], axis=0).tolist()
    [1, 2]
    """
    tensor = as_operand(x)
    axes = axes_of("count_nonzero", axis, tensor.ndim)
    return Strided(np.asarray(np.count_nonzero(np.asarray(tensor), axis=axes, keepdims=keepdims), np.int64))


@_public
def searchsorted(x1: ArrayLike, x2: ArrayLike, /, *, side: str = "left", sorter: ArrayLike | None = None) -> Strided:
    """Where each of `x2` would stand in the sorted vector `x1`, int64: `numpy.searchsorted`.

    side: "left" before equal elements, "right" behind them; sorter: the positions that sort x1. ValueError where x1 is
    no vector.

    >>> import cytensor as ct
    >>> ct.searchsorted([1, 3, 5], [3, 4]).tolist()
    [1, 2]
    """
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: side must be 'left' or 'right'; got {side!r}")
    a, b = operands("searchsorted", x1, x2)
    if a.ndim != 1:
        raise ValueError(f"searchsorted: x1 must be a vector; got shape {a.shape}")
    order = None if sorter is None else np.asarray(as_operand(sorter))
    return Strided(np.asarray(np.searchsorted(np.asarray(a), np.asarray(b), side=side, sorter=order), np.int64))  # type: ignore[call-overload]


class UniqueAll(NamedTuple):
    """What `unique_all` gives."""

    values: Strided
    indices: Strided
    inverse_indices: Strided
    counts: Strided


class UniqueCounts(NamedTuple):
    """What `unique_counts` gives."""

    values: Strided
    counts: Strided


class UniqueInverse(NamedTuple):
    """What `unique_inverse` gives."""

    values: Strided
    inverse_indices: Strided


def _unique(op: str, x: ArrayLike) -> UniqueAll:
    """NumPy's answer; each NaN is an element of its own, and 0 and -0 are equal, as the standard has it."""
    tensor, = operands(op, x)
    values, indices, inverse, counts = (np.ascontiguousarray(part) for part in np.unique_all(np.asarray(tensor)))
    return UniqueAll(Strided(values), Strided(indices), Strided(inverse.reshape(tensor.shape)), Strided(counts))


@_public
def unique_all(x: ArrayLike, /) -> UniqueAll:
    """The distinct elements, sorted, where each first stands, which of them each element is, and how often.

    (values, indices, inverse_indices, counts), a named tuple; the last three int64. Each NaN is distinct.

    >>> import cytensor as ct
    >>> ct.unique_all([3, 1, 3]).counts.tolist()
    [1, 2]
    """
    return _unique("unique_all", x)


@_public
def unique_counts(x: ArrayLike, /) -> UniqueCounts:
    """The distinct elements, sorted, and how often each stands there: (values, counts), a named tuple.

    >>> import cytensor as ct
    >>> ct.unique_counts([3, 1, 3]).values.tolist()
    [1, 3]
    """
    found = _unique("unique_counts", x)
    return UniqueCounts(found.values, found.counts)


@_public
def unique_inverse(x: ArrayLike, /) -> UniqueInverse:
    """The distinct elements, sorted, and which of them each element is: (values, inverse_indices), a named tuple.

    >>> import cytensor as ct
    >>> ct.unique_inverse([3, 1, 3]).inverse_indices.tolist()
    [1, 0, 1]
    """
    found = _unique("unique_inverse", x)
    return UniqueInverse(found.values, found.inverse_indices)


@_public
def unique_values(x: ArrayLike, /) -> Strided:
    """The distinct elements, sorted; each NaN is distinct.

    >>> import cytensor as ct
    >>> ct.unique_values([3, 1, 3]).tolist()
    [1, 3]
    """
    return _unique("unique_values", x).values
