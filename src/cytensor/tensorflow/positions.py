"""TensorFlow's functions that take from and write to positions: `gather`, `gather_nd`, `boolean_mask`, `scatter_nd`.

Each is written from the ops, so it has their gradients.
"""
import builtins
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cytensor import ops
from cytensor.keywords import accepting
from cytensor.symbolic import deferrable
from cytensor.tensor import Tensor, operand
from cytensor.tensorflow.arrays import integers, lengths_of
from cytensor.types import Array, ArrayLike

__all__ = ["IndexedSlices", "boolean_mask", "gather", "gather_nd", "scatter_nd", "tensor_scatter_nd_add",
           "tensor_scatter_nd_update"]


class IndexedSlices(NamedTuple):
    """Rows of a larger tensor, and where they belong: what `variable.scatter_update` and its like take.

    values: (n, ...), the rows; indices: (n,), their places along the first axis; dense_shape: of the larger tensor.

    >>> from cytensor import Variable
    >>> Variable([[1., 1.], [2., 2.]]).scatter_update(IndexedSlices([[7., 8.]], [1])).numpy().tolist()
    [[1.0, 1.0], [7.0, 8.0]]
    """
    values: ArrayLike
    indices: ArrayLike
    dense_shape: ArrayLike | None = None


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
    places = integers(op, indices)
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
    lengths, given = tuple(lengths_of("scatter_nd", shape)), operand("scatter_nd", updates)
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
