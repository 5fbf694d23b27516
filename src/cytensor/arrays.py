"""Functions of whole arrays: cumsum, cumprod, split, repeat, norm, isclose, allclose. Composites, as in composites.py.

Where no kernel suits, NumPy computes on the tensor's own memory, and what it did is recorded for the gradient.
"""
import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import cyops
from cyops import Strided
from cytensor.composites import axes_of, axis_of, composite, operands, real_operands
from cytensor.types import Array, ArrayLike, Axis, DTypeLike


def _numbers(op: str, *given: ArrayLike) -> list[Strided]:
    """`operands` of any numeric dtype, complex ones too."""
    tensors = operands(op, *given)
    for x in tensors:
        if x.dtype.kind in "SU":
            raise TypeError(f"{op}: needs numbers; got dtype {x.dtype}")
    return tensors


def _like(values: Array, x: Strided) -> Strided:
    """NumPy's result as a tensor of x's class."""
    found = Strided(values)
    return cyops.as_class(found, type(x)) if type(x) is not Strided else found


# -- sums and products so far -----------------------------------------------------------------------------------------
def running(op: str, function: Any, x: Strided, axis: int) -> Strided:
    """NumPy's cumulative function in float64, rounded once; recorded as `op`."""
    is_half = str(x.dtype) in ("float16", "bfloat16")
    wide = np.asarray(cyops.astype(x, "float32") if is_half else x)
    if wide.dtype.kind == "f":
        with np.errstate(all="ignore"):
            values = function(wide, axis=axis, dtype=np.float64)
        result = cyops.astype(_like(values, x), x.dtype)
    else:
        result = _like(function(wide, axis=axis), x)
    cyops.record_op(op, (x,), result, {"axis": axis})
    return result


def _prepared(op: str, x: ArrayLike, axis: int | None, dtype: DTypeLike | None) -> tuple[Strided, int]:
    tensor, = _numbers(op, x)
    if dtype is not None and tensor.dtype != dtype:
        tensor = cyops.astype(tensor, dtype)
    if axis is None or tensor.ndim == 0:
        tensor, axis = cyops.reshape(tensor, (-1,)), 0
    return tensor, axis_of(op, axis, tensor.ndim)


@composite
def cumsum(x: ArrayLike, axis: int | None = None, dtype: DTypeLike | None = None, *, exclusive: bool = False,
           reverse: bool = False) -> Strided:
    """The sums of what stands before each element along `axis` and of itself.

    x: (..., n, ...); axis: None takes all elements as one vector, in C order. Result: the shape of x, fresh; floating
    dtypes keep theirs, added up in float64 and rounded once; bool and signed integers give int64, unsigned ones uint64;
    `dtype` names another. exclusive: without the element itself; reverse: of what stands after it. IndexError for an
    axis out of range, TypeError for strings. As `numpy.cumsum` and, with the last two, `tf.cumsum`.

    >>> import cytensor as ct
    >>> ct.cumsum([1., 2., 3.]).tolist()
    [1.0, 3.0, 6.0]
    """
    tensor, axis = _prepared("cumsum", x, axis, dtype)
    sums = functools.partial(running, "running_sum", np.cumsum, axis=axis)
    result = _directed(sums, tensor, axis, exclusive, reverse, 0)
    return result if dtype is None or result.dtype == dtype else cyops.astype(result, dtype)


@composite
def cumprod(x: ArrayLike, axis: int | None = None, dtype: DTypeLike | None = None, *, exclusive: bool = False,
            reverse: bool = False) -> Strided:
    """The products of what stands before each element along `axis` and of itself.

    Shapes, dtypes, options and errors as in `cumsum`; integers wrap around. The gradient divides by nothing: zeros
    among the elements have theirs. As `numpy.cumprod` and `tf.math.cumprod`.

    >>> import cytensor as ct
    >>> ct.cumprod([1., 2., 3.]).tolist()
    [1.0, 2.0, 6.0]
    """
    tensor, axis = _prepared("cumprod", x, axis, dtype)
    products = functools.partial(running, "running_product", np.cumprod, axis=axis)
    result = _directed(products, tensor, axis, exclusive, reverse, 1)
    return result if dtype is None or result.dtype == dtype else cyops.astype(result, dtype)


@composite
def cumulative_sum(x: ArrayLike, /, *, axis: int | None = None, dtype: DTypeLike | None = None,
                   include_initial: bool = False) -> Strided:
    """`cumsum` with the standard's arguments: axis may be left out for vectors alone.

    include_initial: the result begins with 0, and is longer by it: (..., n, ...) -> (..., n + 1, ...). ValueError where
    axis is left out for a tensor that is no vector. As the Array API's `cumulative_sum`.

    >>> import cytensor as ct
    >>> ct.cumulative_sum([1., 2., 3.], include_initial=True).tolist()
    [0.0, 1.0, 3.0, 6.0]
    """
    return _cumulative("cumulative_sum", cumsum, x, axis, dtype, include_initial, 0)


@composite
def cumulative_prod(x: ArrayLike, /, *, axis: int | None = None, dtype: DTypeLike | None = None,
                    include_initial: bool = False) -> Strided:
    """`cumprod` with the standard's arguments; the options and errors are those of `cumulative_sum`, but for a 1.

    >>> import cytensor as ct
    >>> ct.cumulative_prod([1., 2., 3.]).tolist()
    [1.0, 2.0, 6.0]
    """
    return _cumulative("cumulative_prod", cumprod, x, axis, dtype, include_initial, 1)


def _cumulative(op: str, function: Any, x: ArrayLike, axis: int | None, dtype: DTypeLike | None,
                include_initial: bool, first: int) -> Strided:
    tensor, = operands(op, x)
    if tensor.ndim == 0 or (axis is None and tensor.ndim != 1):
        raise ValueError(f"{op}: axis may be left out for vectors alone; got axis {axis}, x {tensor.shape}")
    place = axis_of(op, 0 if axis is None else axis, tensor.ndim)
    result: Strided = function(tensor, place, dtype)
    if not include_initial:
        return result
    lengths = [1 if i == place else n for i, n in enumerate(tensor.shape)]
    return cyops.concat([cyops.full(lengths, first, result.dtype), result], axis=place)


def _directed(function: Any, x: Strided, axis: int, exclusive: bool, reverse: bool, first: int) -> Strided:
    x = cyops.flip(x, axis) if reverse else x
    result = function(x)
    if exclusive and x.shape[axis] > 0:
        one = _like(np.full([1 if i == axis else n for i, n in enumerate(x.shape)], first), x)
        head = (slice(None),) * axis
        result = cyops.concat([cyops.astype(one, result.dtype), result[(*head, slice(None, -1))]], axis=axis)
    return cyops.flip(result, axis) if reverse else result


# -- parts and copies -------------------------------------------------------------------------------------------------
@composite
def split(x: ArrayLike, indices_or_sections: int | Sequence[int] | None = None, axis: int = 0, *,
          num_or_size_splits: int | Sequence[int] | None = None) -> Any:
    """Consecutive parts along `axis`: so many of equal length, or those that end where the indices say.

    x: (..., n, ...); the parts are views in a list. `num_or_size_splits` is TensorFlow's argument: a sequence has
    the lengths of the parts (one of them -1: what is left) and not, as here and in NumPy, the places between them.
    ValueError where n does not divide or the lengths do not add up to it; IndexError for an axis out of range. As
    `numpy.split` and `keras.ops.split`.

    >>> import cytensor as ct
    >>> [part.tolist() for part in ct.split([1., 2., 3.], [1])]
    [[1.0], [2.0, 3.0]]
    """
    tensor, = operands("split", x)
    axis = axis_of("split", axis, tensor.ndim)
    length = tensor.shape[axis]
    if (indices_or_sections is None) == (num_or_size_splits is None):
        raise TypeError("split: needs indices_or_sections, or TensorFlow's num_or_size_splits, and not both")
    wanted: Any = num_or_size_splits if indices_or_sections is None else indices_or_sections
    if hasattr(wanted, "__index__"):
        ends = _equal_parts(wanted.__index__(), length, tensor)
    elif num_or_size_splits is not None:
        ends = _ends_of(_integers(wanted), length)
    else:
        ends = [*_integers(wanted), length]
    head, starts = (slice(None),) * axis, [0, *ends[:-1]]
    return [tensor[(*head, slice(start, end))] for start, end in zip(starts, ends, strict=True)]


def _integers(given: Any) -> list[int]:
    try:
        return [one.__index__() for one in given]
    except (TypeError, AttributeError):
        raise TypeError(f"split: needs a number of parts or a sequence of integers; got {given!r:.100}") from None


def _equal_parts(count: int, length: int, x: Strided) -> list[int]:
    if count < 1 or length % count:
        raise ValueError(f"split: the axis must divide into equal parts; got {count} parts of length {length}, x "
                         f"{x.shape}")
    return [(i + 1) * (length // count) for i in range(count)]


def _ends_of(sizes: list[int], length: int) -> list[int]:
    known = sum(size for size in sizes if size >= 0)
    if sizes.count(-1) == 1 and known <= length:
        sizes = [length - known if size == -1 else size for size in sizes]
    if min(sizes, default=0) < 0 or sum(sizes) != length:
        raise ValueError(f"split: the lengths of the parts must add up to that of the axis; got {sizes}, axis of "
                         f"length {length}")
    return [sum(sizes[: i + 1]) for i in range(len(sizes))]


@composite
def repeat(x: ArrayLike, repeats: int | ArrayLike, axis: int | None = None) -> Strided:
    """Each element, or each slice along `axis`, so many times in a row.

    x: (..., n, ...); repeats: an integer, or one for each of the n; axis: None takes all elements as one vector.
    Result: (..., sum of repeats, ...), fresh. ValueError for negative repeats and for another number of them than n;
    IndexError for an axis out of range. As `numpy.repeat` and the Array API's `repeat`.

    >>> import cytensor as ct
    >>> ct.repeat([1., 2.], [1, 2]).tolist()
    [1.0, 2.0, 2.0]
    """
    tensor, = operands("repeat", x)
    counts = np.asarray(operands("repeat", repeats)[0])
    if counts.dtype.kind not in "iu" or counts.ndim > 1:
        raise TypeError(f"repeat: repeats must be an integer or a vector of integers; got {repeats!r:.100}")
    if axis is None:
        tensor, axis = cyops.reshape(tensor, (-1,)), 0
    axis = axis_of("repeat", axis, tensor.ndim)
    if np.any(counts < 0) or counts.size not in (1, tensor.shape[axis]):
        raise ValueError(f"repeat: repeats must be one number, or one for each of {tensor.shape[axis]}, and not "
                         f"negative; got {repeats!r:.100}")
    return cyops.take(tensor, np.repeat(np.arange(tensor.shape[axis]), counts), axis=axis)


# -- lengths and comparisons ------------------------------------------------------------------------------------------
@composite
def norm(x: ArrayLike, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Strided:
    """The length of vectors, or of matrices as NumPy counts them.

    x: (n..., m...), real; axis: the axis of vectors, the two axes of matrices, all when None. ord: None, "fro" and
    "euclidean" are the root of the sum of squares over all these axes. Of vectors also any number p, inf, -inf, and 0
    (how many differ from 0); of matrices 1, -1, inf, -inf, the extreme sums of columns and rows. Result: (n...), with
    `keepdims` (n..., 1...), in the dtype of x, float32 for integers. The gradient of length 0 is 0. ValueError for
    another ord. As `numpy.linalg.norm` and `keras.ops.norm`.

    >>> import cytensor as ct
    >>> ct.norm([3., 4.]).item(), ct.norm([[3., -4.], [1., 1.]], ord=1, axis=1).tolist()
    (5.0, [7.0, 2.0])
    """
    tensor, = real_operands("norm", x)
    if tensor.dtype.kind not in "f" and str(tensor.dtype) != "bfloat16":
        tensor = cyops.astype(tensor, "float32")
    axes = axes_of("norm", axis, tensor.ndim)
    if ord is None or (isinstance(ord, str) and ord in ("euclidean", "fro")):
        return _euclidean(tensor, axes, keepdims)
    if isinstance(ord, bool) or not isinstance(ord, (int, float)) or ord != ord:
        raise ValueError(f"norm: ord must be None, 'euclidean', 'fro', inf, -inf or a number; got {ord!r:.100}")
    if len(axes) == 2:
        return _matrix_norm(tensor, ord, axes, keepdims)
    if len(axes) != 1:
        raise ValueError(f"norm: with an ord x is a vector or a matrix along the axes; got ord {ord}, "
                         f"x {tensor.shape}, axis {axis}")
    if ord == 2:
        return _euclidean(tensor, axes, keepdims)
    return _vector_norm(cyops.abs(tensor), float(ord), axes, keepdims)


def _euclidean(x: Strided, axes: tuple[int, ...], keepdims: bool) -> Strided:
    """Divided by the largest element first where a square would leave the dtype."""
    total = cyops.sum(cyops.square(x), axis=axes, keepdims=keepdims)
    if x.size == 0 or bool(np.all(np.isfinite(np.asarray(total)) & (np.asarray(total) > 1e-30))):
        return cyops.sqrt(total)
    largest = cyops.max(cyops.abs(cyops.detach(x)), axis=axes, keepdims=True)
    scale = cyops.where(cyops.logical_and(largest > 0, cyops.isfinite(largest)), largest, 1)
    total = cyops.sum(cyops.square(x / scale), axis=axes, keepdims=True)
    result = scale * cyops.where(total == 0, 0, cyops.sqrt(cyops.where(total == 0, 1, total)))
    return result if keepdims else cyops.squeeze(result, axes)


def _vector_norm(size: Strided, p: float, axes: tuple[int, ...], keepdims: bool) -> Strided:
    if math.isinf(p):
        return (cyops.max if p > 0 else cyops.min)(size, axis=axes, keepdims=keepdims)
    if p == 0:
        return cyops.sum(cyops.astype(size != 0, size.dtype), axis=axes, keepdims=keepdims)
    if p == 1:
        return cyops.sum(size, axis=axes, keepdims=keepdims)
    total = cyops.sum(cyops.pow(size, p), axis=axes, keepdims=keepdims)
    return cyops.where(total == 0, 0, cyops.pow(cyops.where(total == 0, 1, total), 1 / p))


def _matrix_norm(x: Strided, ord: float, axes: tuple[int, ...], keepdims: bool) -> Strided:
    if abs(ord) not in (1, math.inf):
        raise ValueError(f"norm: ord of matrices must be None, 'fro', 1, -1, inf or -inf; got {ord}; singular values "
                         "are numpy.linalg's")
    summed, left = axes if abs(ord) == 1 else axes[::-1]
    sums = cyops.sum(cyops.abs(x), axis=summed, keepdims=True)
    result = (cyops.max if ord > 0 else cyops.min)(sums, axis=left, keepdims=True)
    return result if keepdims else cyops.squeeze(result, axes)


@composite
def isclose(x1: ArrayLike, x2: ArrayLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Strided:
    """Whether |x1 - x2| <= atol + rtol |x2|, element by element; equal infinities are close.

    x1, x2: shapes that broadcast. Result: the broadcast shape, bool. With `equal_nan` NaN is close to NaN. As
    `numpy.isclose` and `keras.ops.isclose`.

    >>> import cytensor as ct
    >>> ct.isclose([1.0, 2.0], [1.0, 2.1]).tolist()
    [True, False]
    """
    a, b = _numbers("isclose", x1, x2)
    wide = "complex128" if "c" in (a.dtype.kind, b.dtype.kind) else "float64"
    a, b = (cyops.astype(one, wide) for one in (a, b))
    near = cyops.less_equal(cyops.abs(a - b), cyops.abs(b) * rtol + atol)
    close = cyops.logical_or(cyops.logical_and(near, cyops.isfinite(b)), cyops.equal(a, b))
    return cyops.logical_or(close, cyops.logical_and(cyops.isnan(a), cyops.isnan(b))) if equal_nan else close


@composite
def allclose(x1: ArrayLike, x2: ArrayLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether all elements are close as `isclose` has it: a Python bool. As `numpy.allclose`.

    >>> import cytensor as ct
    >>> ct.allclose([1.0, 2.0], [1.0, 2.0 + 1e-7])
    True
    """
    return bool(cyops.all(isclose(x1, x2, rtol, atol, equal_nan)))
