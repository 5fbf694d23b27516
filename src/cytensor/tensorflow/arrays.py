"""TensorFlow's functions of whole arrays that have no name in the Array API standard, or another meaning there.

Each is written from the ops, so it has their gradients.
"""
import builtins
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from cytensor import nested, ops
from cytensor.keywords import accepting
from cytensor.symbolic import deferrable
from cytensor.tensor import Tensor, asarray, operand
from cytensor.types import Array, ArrayLike, DTypeLike, Nested

__all__ = ["bincount", "executing_eagerly", "fill", "histogram_fixed_width", "map_fn", "meshgrid", "print", "reverse",
           "searchsorted", "slice", "strided_slice", "tile", "unique", "unstack"]


def integers(op: str, given: ArrayLike) -> Array:
    """Integers as a NumPy array of int64."""
    values = np.asarray(given)
    if values.size and values.dtype.kind not in "iu":
        raise TypeError(f"{op}: integers are expected; got dtype {values.dtype}")
    return values.astype(np.int64)


def lengths_of(op: str, given: ArrayLike) -> list[int]:
    return [int(n) for n in np.atleast_1d(integers(op, given))]


# -- copies and parts -------------------------------------------------------------------------------------------------
@deferrable
@accepting({})
def tile(input: ArrayLike, multiples: Sequence[int]) -> Tensor:
    """`input` side by side, multiples[i] times along axis i: shape (n, ...) -> (n * multiples[0], ...).

    ValueError unless there is one number for each axis, none of them negative.

    >>> tile([[1., 2.]], [2, 2]).tolist()
    [[1.0, 2.0, 1.0, 2.0], [1.0, 2.0, 1.0, 2.0]]
    """
    x, times = operand("tile", input), lengths_of("tile", multiples)
    if len(times) != x.ndim or builtins.any(n < 0 for n in times):
        raise ValueError(f"tile: multiples must have a number of at least 0 for each of the {x.ndim} axes; got {times}")
    apart = ops.reshape(x, [n for length in x.shape for n in (1, length)])
    spread = ops.broadcast_to(apart, [n for pair in builtins.zip(times, x.shape, strict=True) for n in pair])
    return ops.reshape(spread, [n * length for n, length in builtins.zip(times, x.shape, strict=True)])


@accepting({})
def fill(dims: Sequence[int], value: ArrayLike) -> Tensor:
    """A tensor of shape `dims` with one value, in the value's dtype.

    >>> fill([2], 3.).tolist()
    [3.0, 3.0]
    """
    return ops.full(tuple(lengths_of("fill", dims)) if np.size(dims) else (), value)


@deferrable
@accepting({})
def unstack(value: ArrayLike, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """The slices along an axis, each without it, in a list: views. ValueError where there are not `num` of them.

    >>> [x.tolist() for x in unstack([[1., 2.], [3., 4.]])]
    [[1.0, 2.0], [3.0, 4.0]]
    """
    x = operand("unstack", value)
    if x.ndim == 0 or not -x.ndim <= axis < x.ndim:
        raise ValueError(f"unstack: axis must be one of the {x.ndim} axes; got {axis}")
    axis %= x.ndim
    if num is not None and num != x.shape[axis]:
        raise ValueError(f"unstack: num must be the length {x.shape[axis]} of axis {axis}; got {num}")
    before = (builtins.slice(None),) * axis
    return [x[(*before, i)] for i in builtins.range(x.shape[axis])]


@deferrable
@accepting({})
def reverse(tensor: ArrayLike, axis: int | Sequence[int]) -> Tensor:
    """The elements in the other order along the axes: a view.

    >>> reverse([1., 2.], axis=[0]).tolist()
    [2.0, 1.0]
    """
    return ops.flip(tensor, axis=tuple(lengths_of("reverse", axis)))


@deferrable
@accepting({})
def slice(input_: ArrayLike, begin: Sequence[int], size: Sequence[int]) -> Tensor:
    """The part that begins at `begin` and has `size` elements along each axis, -1 for all that follow: a view.

    >>> slice([[1., 2., 3.], [4., 5., 6.]], [0, 1], [-1, 2]).tolist()
    [[2.0, 3.0], [5.0, 6.0]]
    """
    x, first, lengths = operand("slice", input_), lengths_of("slice", begin), lengths_of("slice", size)
    if not len(first) == len(lengths) == x.ndim:
        raise ValueError(f"slice: begin and size must have one number for each of the {x.ndim} axes; got {first}, "
                         f"{lengths}")
    ends = [n if count == -1 else start + count
            for start, count, n in builtins.zip(first, lengths, x.shape, strict=True)]
    for start, end, n in builtins.zip(first, ends, x.shape, strict=True):
        if not 0 <= start <= end <= n:
            raise ValueError(f"slice: begin and size must stay in the shape {x.shape}; got {first}, {lengths}")
    return x[tuple(map(builtins.slice, first, ends))]


@deferrable
@accepting({})
def strided_slice(input_: ArrayLike, begin: Sequence[int], end: Sequence[int], strides: Sequence[int] | None = None,
                  begin_mask: int = 0, end_mask: int = 0, ellipsis_mask: int = 0, new_axis_mask: int = 0,
                  shrink_axis_mask: int = 0) -> Tensor:
    """`input_[begin[0]:end[0]:strides[0], ...]`: a view. Bit i of the masks is of entry i: from the first, to the last,
    an ellipsis, a new axis, or a single element without its axis.

    >>> strided_slice([1., 2., 3., 4.], [0], [4], [2]).tolist()
    [1.0, 3.0]
    """
    first, last = lengths_of("strided_slice", begin), lengths_of("strided_slice", end)
    steps = [1] * len(first) if strides is None else lengths_of("strided_slice", strides)
    if not len(first) == len(last) == len(steps):
        raise ValueError(f"strided_slice: begin, end and strides must be equally long; got {first}, {last}, {steps}")
    key: list[Any] = []
    for i, (start, stop, step) in enumerate(builtins.zip(first, last, steps, strict=True)):
        bit = 1 << i
        key.append(Ellipsis if ellipsis_mask & bit else None if new_axis_mask & bit else start
                   if shrink_axis_mask & bit else builtins.slice(None if begin_mask & bit else start,
                                                                 None if end_mask & bit else stop, step))
    return operand("strided_slice", input_)[tuple(key)]


@accepting({})
def meshgrid(*args: ArrayLike, indexing: str = "xy") -> list[Tensor]:
    """Vectors of n, m, ... numbers as the coordinates of a grid, a tensor for each: (m, n, ...), or (n, m, ...) for
    indexing="ij".

    >>> [x.tolist() for x in meshgrid([1, 2], [3, 4, 5])]
    [[[1, 2], [1, 2], [1, 2]], [[3, 3], [4, 4], [5, 5]]]
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing must be 'xy' or 'ij'; got {indexing!r}")
    vectors = [operand("meshgrid", x) for x in args]
    for x in vectors:
        if x.ndim > 1:
            raise ValueError(f"meshgrid: vectors are expected; got shape {x.shape}")
    order = [1, 0, *builtins.range(2, len(vectors))] if indexing == "xy" and len(vectors) > 1 else [
        *builtins.range(len(vectors))]
    shape = [vectors[i].size for i in order]
    places = [[-1 if order[k] == i else 1 for k in builtins.range(len(order))] for i in builtins.range(len(vectors))]
    return [ops.broadcast_to(ops.reshape(x, place), shape) for x, place in builtins.zip(vectors, places, strict=True)]


# -- the rest ---------------------------------------------------------------------------------------------------------
def map_fn(fn: Callable[..., Any], elems: Nested, dtype: Any = None, parallel_iterations: Any = None,
           back_prop: bool = True, swap_memory: bool = False, infer_shape: bool = True, name: str | None = None,
           fn_output_signature: Any = None) -> Nested:
    """What `fn` gives for each slab along the first axis, stacked. elems: a tensor, or a structure of several of one
    length, which fn is given slab by slab in the same structure. It runs in Python, and tapes see it.

    >>> map_fn(lambda x: x * x, [1., 2.]).tolist()
    [1.0, 4.0]
    """
    is_one = not isinstance(elems, (list, tuple, dict)) or (isinstance(elems, list) and not builtins.any(
        isinstance(x, Tensor) or np.ndim(x) for x in elems))
    leaves = [operand("map_fn", x) for x in ([elems] if is_one else nested.flatten(elems))]
    if len({x.shape[:1] for x in leaves}) != 1 or not leaves[0].ndim or not leaves[0].shape[0]:
        raise ValueError(f"map_fn: elems must have a first axis of one length of at least 1; got "
                         f"{[x.shape for x in leaves]}")
    given = [[x[i] for x in leaves] for i in builtins.range(leaves[0].shape[0])]
    results = [fn(parts[0] if is_one else nested.pack_like(elems, parts)) for parts in given]
    if not isinstance(results[0], (list, tuple, dict)):
        return ops.stack([asarray(x) for x in results])
    stacked = [ops.stack([asarray(x) for x in column])
               for column in builtins.zip(*map(nested.flatten, results), strict=True)]
    return nested.pack_like(results[0], stacked)


class Unique(NamedTuple):
    """The different values and, for each element, which of them it is."""

    y: Tensor
    idx: Tensor


def unique(x: ArrayLike, out_idx: DTypeLike = "int32", name: str | None = None) -> Unique:
    """The different values of a vector in the order in which they come first, and the place of each element among them.

    >>> y, idx = unique([5, 1, 5])
    >>> y.tolist(), idx.tolist()
    ([5, 1], [0, 1, 0])
    """
    values = np.asarray(operand("unique", x))
    if values.ndim != 1:
        raise ValueError(f"unique: x must be a vector; got shape {values.shape}")
    found, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    order = np.argsort(first)
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    return Unique(asarray(found[order]), asarray(places[inverse].astype(out_idx)))


def bincount(arr: ArrayLike, weights: ArrayLike | None = None, minlength: int | None = None,
             maxlength: int | None = None, dtype: DTypeLike = "int32", name: str | None = None) -> Tensor:
    """How often 0, 1, 2, ... occur, or the sums of their weights: a vector.

    >>> bincount([0, 2, 2]).tolist()
    [1, 0, 2]
    """
    values = integers("bincount", arr).ravel()
    if (values < 0).any():
        raise ValueError(f"bincount: integers of at least 0 are expected; got {values.min()}")
    own = None if weights is None else np.asarray(weights).ravel()
    counts = np.bincount(values, own, minlength or 0)[:maxlength]
    return asarray(counts.astype(dtype if own is None else own.dtype))


def searchsorted(sorted_sequence: ArrayLike, values: ArrayLike, side: str = "left", out_type: DTypeLike = "int32",
                 name: str | None = None) -> Tensor:
    """Where values would stand in a sorted vector, or row by row in a matrix of sorted rows: int32.

    >>> searchsorted([1., 3., 5.], [3., 4.]).tolist()
    [1, 2]
    """
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: side must be 'left' or 'right'; got {side!r}")
    rows, wanted = np.asarray(sorted_sequence), np.asarray(values)
    if rows.ndim <= 1:
        return asarray(np.asarray(np.searchsorted(rows, wanted, side), out_type))        # type: ignore[call-overload]
    if rows.shape[:-1] != wanted.shape[:-1]:
        raise ValueError(f"searchsorted: rows must go with rows; got {rows.shape}, {wanted.shape}")
    found = [np.searchsorted(row, some, side)                                            # type: ignore[call-overload]
             for row, some in builtins.zip(rows.reshape(-1, rows.shape[-1]), wanted.reshape(-1, wanted.shape[-1]),
                                           strict=True)]
    return asarray(np.array(found, out_type).reshape(wanted.shape))


def histogram_fixed_width(values: ArrayLike, value_range: Sequence[float], nbins: int = 100,
                          dtype: DTypeLike = "int32", name: str | None = None) -> Tensor:
    """How many values fall into each of `nbins` equal parts of a range; those outside count in the first or last.

    >>> histogram_fixed_width([-1., 0., 1.5, 9.], [0., 5.], nbins=5).tolist()
    [2, 1, 0, 0, 1]
    """
    low, high = (float(n) for n in value_range)
    if not low < high or nbins < 1:
        raise ValueError(f"histogram_fixed_width: value_range must ascend and nbins be at least 1; got {low}, {high}, "
                         f"{nbins}")
    places = np.floor((np.asarray(values, np.float64) - low) / (high - low) * nbins).ravel()
    return asarray(np.bincount(np.clip(places, 0, nbins - 1).astype(np.int64), minlength=nbins).astype(dtype))


def print(*inputs: Any, **options: Any) -> None:
    """Python's `print`, tensors as their values; sep and end as there, output_stream (sys.stderr) for its file."""
    import sys

    stream = options.pop("output_stream", sys.stderr)
    options.pop("summarize", None)
    options.pop("name", None)
    builtins.print(*(np.asarray(x) if isinstance(x, Tensor) else x for x in inputs), file=stream, **options)


def executing_eagerly() -> bool:
    """True: every operation runs at once."""
    return True
