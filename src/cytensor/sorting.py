"""Order among elements: sort, argsort, top_k, median, quantile, take_along_axis. Composites, as those in composites.py.

The order is found by NumPy on the tensor's own memory; what stands in it is gathered by `take`, which a tape records.
"""
import math
from typing import Any, NamedTuple

import numpy as np

import cyops
from cyops import Strided
from cytensor.composites import axes_of, axis_of, composite, operands, real_operands
from cytensor.types import Array, ArrayLike, Axis

LARGE = 4096    # elements
METHODS = ("linear", "lower", "higher", "nearest", "midpoint")


class TopK(NamedTuple):
    """What `top_k` gives."""

    values: Strided
    indices: Strided


def _comparable(x: Strided) -> Array:
    """What NumPy sorts in x's place: bfloat16, which it lacks, as float32."""
    return np.asarray(cyops.astype(x, "float32") if str(x.dtype) == "bfloat16" else x)


def _order(x: Strided, axis: int, descending: bool) -> Array:
    """The positions along `axis` in rising or falling order, those of equal elements in the order they stand in."""
    values = _comparable(x)
    if not descending:
        return _rising(values, axis)
    return np.flip(x.shape[axis] - 1 - _rising(np.flip(values, axis), axis), axis)


def _rising(values: Array, axis: int) -> Array:
    """NumPy's stable argsort. Large ones by its other sort, with vectors for elements of 4 and 8 bytes, after which
    the positions of equal elements are put in order: rows of (10000, 100) took 21 ms in place of 51 (one thread,
    2026-11-28, `pytest benchmarks/test_ops.py -k argsort`)."""
    if values.size < LARGE or values.dtype.itemsize < 4 or values.dtype.kind not in "iuf":
        return np.argsort(values, axis=axis, kind="stable")
    order = np.argsort(values, axis=axis)
    ordered = np.take_along_axis(values, order, axis)
    head = (slice(None),) * axis
    low, high = ordered[(*head, slice(None, -1))], ordered[(*head, slice(1, None))]
    ties = (low == high) | (low != low)                 # after a NaN come NaN alone
    if not ties.any():
        return order
    groups = np.zeros(order.shape, np.int64)
    np.cumsum(~ties, axis=axis, out=groups[(*head, slice(1, None))])
    groups *= values.shape[axis]
    return np.sort(groups + order, axis=axis) - groups


def _values_in_order(x: Strided, axis: int, descending: bool) -> Strided | None:
    """x sorted without the positions, 36 times as fast for 1e6 float32; None where these tell: for a gradient, and
    between zeros of both signs, which stay in the order they stand in."""
    values = _comparable(x)
    if cyops.is_recording() or (values.dtype.kind == "f" and np.signbit(values[values == 0]).any()):
        return None
    ordered = np.sort(values, axis=axis)
    result = Strided(np.ascontiguousarray(np.flip(ordered, axis) if descending else ordered))
    return cyops.as_class(cyops.astype(result, x.dtype) if result.dtype != x.dtype else result, type(x))


def _gathered(x: Strided, indices: Array, axis: int) -> Strided:
    """x's elements at `indices` along `axis`; the other axes have equal lengths or broadcast."""
    lengths = [1 if i == axis else n for i, n in enumerate(x.shape)]
    starts = np.arange(math.prod(lengths)).reshape(lengths)
    before, after = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 1:])
    outer = starts // max(after, 1) * (x.shape[axis] * after) + starts % max(after, 1) if before * after else starts
    return cyops.take(cyops.reshape(x, (-1,)), outer + indices * after, axis=0)


@composite
def sort(x: ArrayLike, axis: int = -1, *, descending: bool = False, stable: bool = True) -> Strided:
    """The elements in rising order along `axis`, in falling order with `descending`.

    x: (..., n, ...), real; axis: None sorts all, as one vector. Result: the shape and dtype of x, fresh. NaN counts as
    larger than any number. Equal elements stay in their order, whatever `stable` says, so that a gradient goes to the
    same one each time. IndexError for an axis out of range; TypeError for strings. As the Array API's `sort`.

    >>> import cytensor as ct
    >>> ct.sort([3., 1., 2.], descending=True).tolist()
    [3.0, 2.0, 1.0]
    """
    x, axis = _sortable("sort", x, axis)
    if not x.ndim:
        return cyops.copy(x)
    ordered = _values_in_order(x, axis, descending)
    return _gathered(x, _order(x, axis, descending), axis) if ordered is None else ordered


@composite
def argsort(x: ArrayLike, axis: int = -1, *, descending: bool = False, stable: bool = True) -> Strided:
    """The positions along `axis` that `sort` takes its elements from.

    x: (..., n, ...), real; axis: None sorts all, as one vector. Result: the shape of x, int64, fresh. Equal elements
    stay in their order, whatever `stable` says. No gradient. As the Array API's `argsort`.

    >>> import cytensor as ct
    >>> ct.argsort([3., 1., 2.]).tolist()
    [1, 2, 0]
    """
    x, axis = _sortable("argsort", x, axis)
    like = type(x)
    found = Strided(np.ascontiguousarray(_order(x, axis, descending)) if x.ndim else np.zeros((), np.int64))
    return cyops.as_class(found, like) if like is not Strided else found


def _sortable(op: str, x: ArrayLike, axis: int | None) -> tuple[Strided, int]:
    tensor, = real_operands(op, x)
    if axis is None:
        tensor, axis = cyops.reshape(tensor, (-1,)), 0
    return tensor, axis_of(op, axis, tensor.ndim) if tensor.ndim else 0


@composite
def top_k(x: ArrayLike, k: int, sorted: bool = True) -> Any:
    """The k largest elements along the last axis and where they stand, the largest first.

    x: (..., n), real. Result: a named tuple (values, indices), both (..., k), indices int32; of equal elements the
    first come first, and NaN before any number. `sorted=False` promises no order; it is the same here. ValueError where
    k is negative or larger than n, or x a scalar. As `tf.math.top_k` and `keras.ops.top_k`.

    >>> import cytensor as ct
    >>> values, indices = ct.top_k([1., 5., 3.], 2)
    >>> values.tolist(), indices.tolist()
    ([5.0, 3.0], [1, 2])
    """
    tensor, axis = _sortable("top_k", x, -1)
    if not hasattr(k, "__index__"):
        raise TypeError(f"top_k: k must be an integer; got {k!r}")
    if tensor.ndim == 0 or not 0 <= k <= tensor.shape[-1]:
        raise ValueError(f"top_k: k must lie between 0 and the length of the last axis; got k {k}, x {tensor.shape}")
    order = _order(tensor, axis, True)[..., :k]
    like, indices = type(tensor), Strided(np.ascontiguousarray(order, np.int32))
    return TopK(_gathered(tensor, order, axis), cyops.as_class(indices, like) if like is not Strided else indices)


@composite
def take_along_axis(x: ArrayLike, indices: ArrayLike, axis: int = -1) -> Strided:
    """x's elements at `indices` along one axis: out[i, j] = x[i, indices[i, j]] where `axis` is the last of two.

    x: (n..., k, m...); indices: integers, (n..., j, m...), the other axes as long as x's or 1; negative ones count from
    the end. Result: (n..., j, m...), fresh, in the dtype of x. IndexError for an index or axis out of range, TypeError
    for indices that are no integers. As `numpy.take_along_axis` and the Array API's.

    >>> import cytensor as ct
    >>> ct.take_along_axis([[1., 2.], [3., 4.]], [[1], [0]], axis=1).tolist()
    [[2.0], [3.0]]
    """
    tensor, places = operands("take_along_axis", x, indices)
    axis = axis_of("take_along_axis", axis, tensor.ndim)
    if places.dtype.kind not in "iu":
        raise TypeError(f"take_along_axis: indices must be integers; got dtype {places.dtype}")
    fits = places.ndim == tensor.ndim and all(
        n in (1, m) for i, (n, m) in enumerate(zip(places.shape, tensor.shape, strict=True)) if i != axis)
    if not fits:
        raise ValueError(f"take_along_axis: indices must have x's axes, of its lengths or 1 but along the axis; got x "
                         f"{tensor.shape}, indices {places.shape}, axis {axis}")
    length, wanted = tensor.shape[axis], np.asarray(places).astype(np.int64)
    outside = (wanted < -length) | (wanted >= length)
    if outside.any():
        raise IndexError(f"take_along_axis: index {wanted[outside][0]} is out of range for an axis of length {length}")
    return _gathered(tensor, np.where(wanted < 0, wanted + length, wanted), axis)


@composite
def quantile(x: ArrayLike, q: ArrayLike, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Strided:
    """What a share q of the elements along `axis` does not exceed; between two of them by their distance.

    x: (n..., m...), real; q: numbers in [0, 1], (j...); axis: the axes m, all when None. Result: (j..., n...), with
    `keepdims` (j..., n..., 1...), in the dtype of x, float32 for integers; NaN where there is one. method: "linear",
    "lower", "higher", "nearest", "midpoint". ValueError where a q lies outside [0, 1] or there are no elements. As
    `numpy.quantile`.

    >>> import cytensor as ct
    >>> ct.quantile([1., 2., 3., 4.], [0.5, 1.0]).tolist()
    [2.5, 4.0]
    """
    shares = np.asarray(operands("quantile", q, np.float64(0))[0], np.float64)       # lists keep their digits
    if method not in METHODS:
        raise ValueError(f"quantile: method must be one of {', '.join(METHODS)}; got {method!r}")
    if not np.all((shares >= 0) & (shares <= 1)):
        raise ValueError(f"quantile: q must lie in [0, 1]; got {q!r:.100}")
    return _quantile("quantile", x, shares, axis, method, keepdims)


@composite
def median(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Strided:
    """The middle element along `axis` in rising order, the mean of the two middle ones of an even number.

    x: (n..., m...), real; axis: the axes m, all when None. Result: (n...), with `keepdims` (n..., 1...), in the dtype
    of x, float32 for integers; NaN where there is one. ValueError where there are no elements. As `numpy.median`.

    >>> import cytensor as ct
    >>> ct.median([3., 1., 4., 2.]).item()
    2.5
    """
    return _quantile("median", x, np.array(0.5), axis, "linear", keepdims)


def _quantile(op: str, given: ArrayLike, shares: Array, axis: Axis, method: str, keepdims: bool) -> Strided:
    x, = real_operands(op, given)
    x = x if x.dtype.kind == "f" or str(x.dtype) == "bfloat16" else cyops.astype(x, "float32")
    axes = axes_of(op, axis, x.ndim)
    kept = [i for i in range(x.ndim) if i not in axes]
    count = math.prod(x.shape[i] for i in axes)
    if count == 0:
        raise ValueError(f"{op}: there are no elements along axis {axis} of shape {x.shape}")
    outer = tuple(x.shape[i] for i in kept)
    rows = cyops.reshape(cyops.permute_dims(x, (*kept, *axes)), (math.prod(outer), count))
    rows = _gathered(rows, _order(rows, 1, False), 1)
    result = _between(rows, shares.reshape(-1) * (count - 1), method)
    lengths = tuple(1 if i in axes else n for i, n in enumerate(x.shape)) if keepdims else outer
    return cyops.reshape(result, shares.shape + lengths)


def _between(rows: Strided, places: Array, method: str) -> Strided:
    """(n, k) in rising order, places (j,) -> (j, n): the elements at places that need not be whole."""
    low = np.floor(places)
    weights = {
        "linear": places - low, "lower": 0 * low, "higher": np.ceil(places) - low, "nearest": np.rint(places) - low,
        "midpoint": 0.5 * (np.ceil(places) - low),
    }[method]
    first = low.astype(np.int64)
    second = np.minimum(first + 1, rows.shape[1] - 1)
    below, above = (cyops.permute_dims(cyops.take(rows, at, axis=1), (1, 0)) for at in (first, second))
    share = cyops.astype(Strided(weights[:, None]), below.dtype)
    # By two weights, which keep an infinity that both are, and by one where a place is whole, beside an infinity.
    mixed = below * (1 - share) + above * share
    result = cyops.where(share == 0, below, cyops.where(share == 1, above, mixed))
    largest = rows[:, -1]
    return cyops.where(cyops.isnan(largest), largest, result)
