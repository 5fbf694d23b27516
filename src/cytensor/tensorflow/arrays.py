"""TensorFlow's functions of whole arrays that have no name in the Array API standard, or another meaning there.

Each is written from the ops, so it has their gradients.
"""
import builtins
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from cytensor import nested, ops
from cytensor.keywords import accepting
from cytensor.symbolic import deferrable
from cytensor.tensor import Tensor, asarray, operand
from cytensor.types import Array, ArrayLike, DTypeLike, Nested

__all__ = ["bincount", "boolean_mask", "executing_eagerly", "fill", "gather", "gather_nd", "histogram_fixed_width",
           "map_fn", "meshgrid", "print", "reverse", "scatter_nd", "searchsorted", "slice", "strided_slice",
           "tensor_scatter_nd_add", "tensor_scatter_nd_update", "tile", "unique", "unstack"]


def _integers(op: str, given: ArrayLike) -> Array:
    """Integers as a NumPy array of int64."""
    values = np.asarray(given)
    if values.size and values.dtype.kind not in "iu":
        raise TypeError(f"{op}: integers are expected; got dtype {values.dtype}")
    return values.astype(np.int64)


def _lengths(op: str, given: ArrayLike) -> list[int]:
    return [int(n) for n in np.atleast_1d(_integers(op, given))]


# -- copies and parts -------------------------------------------------------------------------------------------------
@deferrable
@accepting({})
def tile(input: ArrayLike, multiples: Sequence[int]) -> Tensor:
    """`input` side by side, multiples[i] times along axis i: shape (n, ...) -> (n * multiples[0], ...).

    ValueError unless there is one number for each axis, none of them negative.

    >>> tile([[1., 2.]], [2, 2]).tolist()
    [[1.0, 2.0, 1.0, 2.0], [1.0, 2.0, 1.0, 2.0]]
    """
    x, times = operand("tile", input), _lengths("tile", multiples)
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
    return ops.full(tuple(_lengths("fill", dims)) if np.size(dims) else (), value)


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
    return ops.flip(tensor, axis=tuple(_lengths("reverse", axis)))


@deferrable
@accepting({})
def slice(input_: ArrayLike, begin: Sequence[int], size: Sequence[int]) -> Tensor:
    """The part that begins at `begin` and has `size` elements along each axis, -1 for all that follow: a view.

    >>> slice([[1., 2., 3.], [4., 5., 6.]], [0, 1], [-1, 2]).tolist()
    [[2.0, 3.0], [5.0, 6.0]]
    """
    x, first, lengths = operand("slice", input_), _lengths("slice", begin), _lengths("slice", size)
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
    first, last = _lengths("strided_slice", begin), _lengths("strided_slice", end)
    steps = [1] * len(first) if strides is None else _lengths("strided_slice", strides)
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


# -- by position ------------------------------------------------------------------------------------------------------
@deferrable
@accepting({"validate_indices": None})
def gather(params: ArrayLike, indices: ArrayLike, axis: int | None = None, batch_dims: int = 0) -> Tensor:
    """The slabs of `params` at the positions of an axis; of the first after `batch_dims` where `axis` is None.

    params: (*batch, ..., n, ...), indices: (*batch, *s) -> (*batch, ..., *s, ...), a copy. Not `ct.take`, which takes
    from all elements where no axis is given, as NumPy's does. IndexError for an index outside [-n, n).

    >>> gather([[1., 2.], [3., 4.]], [1, 1]).tolist()
    [[3.0, 4.0], [3.0, 4.0]]
    >>> gather([[1., 2.], [3., 4.]], [[1], [0]], batch_dims=1).tolist()
    [[2.0], [3.0]]
    """
    x, places = operand("gather", params), operand("gather", indices)
    batch = batch_dims if batch_dims >= 0 else batch_dims + places.ndim
    axis = batch if axis is None else axis + x.ndim if axis < 0 else axis
    if not 0 <= batch <= builtins.min(axis, places.ndim) or axis >= x.ndim:
        raise ValueError(f"gather: axis must be one of the {x.ndim} axes, behind the batch_dims; got axis {axis}, "
                         f"batch_dims {batch_dims}")
    if batch == 0:
        return ops.take(x, places, axis=axis)
    if x.shape[:batch] != places.shape[:batch]:
        raise ValueError(f"gather: params and indices must agree in the first {batch} axes; got {x.shape}, "
                         f"{places.shape}")
    count = math.prod(x.shape[:batch])
    rows = ops.reshape(x, (count, *x.shape[batch:]))
    wanted = ops.reshape(places, (count, *places.shape[batch:]))
    parts = [ops.take(rows[i], wanted[i], axis=axis - batch) for i in builtins.range(count)]
    stacked = ops.stack(parts) if parts else ops.zeros((0, *x.shape[batch:axis], *places.shape[batch:],
                                                        *x.shape[axis + 1:]), x.dtype)
    return ops.reshape(stacked, (*x.shape[:batch], *stacked.shape[1:]))


def _flat_positions(op: str, shape: tuple[int, ...], indices: ArrayLike) -> Array:
    """(..., k) positions along the first k axes of a shape as positions among the rows behind them."""
    places = _integers(op, indices)
    if places.ndim == 0 or places.shape[-1] > len(shape):
        raise ValueError(f"{op}: indices must have a last axis of at most {len(shape)} positions; got {places.shape}")
    lengths = np.array(shape[:places.shape[-1]], np.int64)
    wrong = (places < 0) | (places >= lengths)
    if wrong.any():
        bad = places[wrong.any(axis=-1)][0]
        raise IndexError(f"{op}: indices must lie in the shape {shape}; got {bad.tolist()}")
    return np.ravel_multi_index(tuple(np.moveaxis(places, -1, 0)), tuple(lengths)) if len(lengths) else np.zeros(
        places.shape[:-1], np.int64)


@deferrable
@accepting({})
def gather_nd(params: ArrayLike, indices: ArrayLike) -> Tensor:
    """The elements or slabs of `params` at positions along its first axes.

    params: (*n, ...), indices: (*s, k) of k positions each -> (*s, ...) behind the first k axes, a copy. IndexError for
    a position outside.

    >>> gather_nd([[1., 2.], [3., 4.]], [[0, 1], [1, 0]]).tolist()
    [2.0, 3.0]
    """
    x = operand("gather_nd", params)
    flat = _flat_positions("gather_nd", x.shape, indices)
    depth = np.shape(indices)[-1]
    return ops.take(ops.reshape(x, (math.prod(x.shape[:depth]), *x.shape[depth:])), flat, axis=0)


@deferrable
@accepting({})
def boolean_mask(tensor: ArrayLike, mask: ArrayLike, axis: int | None = None) -> Tensor:
    """The slabs where `mask`, of the shape of the axes from `axis` on, is true: (k, ...), a copy.

    >>> boolean_mask([1., 2., 3.], [True, False, True]).tolist()
    [1.0, 3.0]
    """
    x, chosen, first = operand("boolean_mask", tensor), np.asarray(mask), axis or 0
    if chosen.dtype.kind != "b" or chosen.ndim == 0:
        raise ValueError(f"boolean_mask: mask must have booleans and at least one axis; got {chosen.dtype} "
                         f"{chosen.shape}")
    if x.shape[first:first + chosen.ndim] != chosen.shape:
        raise ValueError(f"boolean_mask: mask must have the shape of the tensor from axis {first} on; got "
                         f"{chosen.shape} for {x.shape}")
    rows = ops.reshape(x, (*x.shape[:first], chosen.size, *x.shape[first + chosen.ndim:]))
    return ops.take(rows, np.flatnonzero(chosen), axis=first)


@accepting({})
def scatter_nd(indices: ArrayLike, updates: ArrayLike, shape: Sequence[int]) -> Tensor:
    """Zeros of a shape to which the updates are added at positions along the first axes; equal positions add up.

    indices: (*s, k), updates: (*s, ...) -> shape.

    >>> scatter_nd([[1], [1]], [2., 3.], [3]).tolist()
    [0.0, 5.0, 0.0]
    """
    lengths, given = tuple(_lengths("scatter_nd", shape)), operand("scatter_nd", updates)
    return _scattered("scatter_nd", ops.zeros(lengths, given.dtype), indices, given)


def _scattered(op: str, x: Tensor, indices: ArrayLike, updates: Tensor) -> Tensor:
    flat = _flat_positions(op, x.shape, indices)
    depth = np.shape(indices)[-1]
    if updates.shape != (*flat.shape, *x.shape[depth:]):
        raise ValueError(f"{op}: updates must have the shape {(*flat.shape, *x.shape[depth:])}; got {updates.shape}")
    rows = ops.reshape(x, (math.prod(x.shape[:depth]), *x.shape[depth:]))
    added = ops.scatter_add(rows, flat.ravel(), ops.reshape(updates, (flat.size, *x.shape[depth:])), axis=0)
    return ops.reshape(added, x.shape)


@deferrable
@accepting({})
def tensor_scatter_nd_add(tensor: ArrayLike, indices: ArrayLike, updates: ArrayLike) -> Tensor:
    """A copy of the tensor with the updates added at positions along its first axes; shapes as in `scatter_nd`.

    >>> tensor_scatter_nd_add([1., 1.], [[0], [0]], [2., 3.]).tolist()
    [6.0, 1.0]
    """
    x = operand("tensor_scatter_nd_add", tensor)
    return _scattered("tensor_scatter_nd_add", x, indices, operand("tensor_scatter_nd_add", updates).astype(x.dtype))


@deferrable
@accepting({})
def tensor_scatter_nd_update(tensor: ArrayLike, indices: ArrayLike, updates: ArrayLike) -> Tensor:
    """A copy of the tensor with the updates at positions along its first axes; of equal positions the last counts.

    >>> tensor_scatter_nd_update([1., 1.], [[0]], [9.]).tolist()
    [9.0, 1.0]
    """
    op = "tensor_scatter_nd_update"
    x = operand(op, tensor)
    given = operand(op, updates).astype(x.dtype)
    flat = _flat_positions(op, x.shape, indices).ravel()
    depth = np.shape(indices)[-1]
    if given.shape != (*np.shape(indices)[:-1], *x.shape[depth:]):
        raise ValueError(f"{op}: updates must have the shape {(*np.shape(indices)[:-1], *x.shape[depth:])}; got "
                         f"{given.shape}")
    _, last = np.unique(flat[::-1], return_index=True)
    kept = np.sort(len(flat) - 1 - last)
    rows = (math.prod(x.shape[:depth]), *x.shape[depth:])
    hit = np.zeros(rows[0], bool)
    hit[flat] = True
    hit = hit.reshape(-1, *[1] * (len(rows) - 1))
    others = ops.where(hit, ops.zeros((), x.dtype), ops.reshape(x, rows))
    chosen = ops.take(ops.reshape(given, (len(flat), *rows[1:])), kept, axis=0)
    return ops.reshape(ops.scatter_add(others, flat[kept], chosen, axis=0), x.shape)


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
    values = _integers("bincount", arr).ravel()
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
