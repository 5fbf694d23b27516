"""Ops written from other ops, in Python: the cheapest kind of op. One function each, listed in COMPOSITES.

A tape records the parts, so a composite needs no gradient rule; what must not have a gradient goes through `detach`.
It takes anything array-like as its first argument (`as_operand`) and is written with functions of cyops, whose results
are of the operand's class. products.py, sorting.py and arrays.py have more of them. ops.py derives the public
functions, as it does for the compiled ones. May be imported by ops.py; imports cyops and types.py.
"""
from collections.abc import Callable, Sequence
from typing import Any

import cyops
from cyops import Strided
from cytensor.types import ArrayLike, Axis

COMPOSITES: dict[str, Callable[..., Strided]] = {}


def composite(function: Callable[..., Strided]) -> Callable[..., Strided]:
    """Decorator: the function is an op. It wants a sample (tests/samples.py) and a benchmark (benchmarks/cases.py)."""
    COMPOSITES[function.__name__] = function
    return function


def as_operand(x: ArrayLike) -> Strided:
    """Anything array-like as a tensor; a tensor as it is."""
    return x if isinstance(x, Strided) else Strided(x)


def operands(op: str, *given: ArrayLike) -> list[Strided]:
    """The operands of `op` as tensors: lists of numbers keep their digits beside float64; refusals are in its name."""
    is_double = any(str(getattr(x, "dtype", "")) == "float64" for x in given)
    try:
        return [x if isinstance(x, Strided) else
                Strided(x, "float64") if is_double and not hasattr(x, "dtype") and _has_fractions(x) else Strided(x)
                for x in given]
    except (TypeError, ValueError, OverflowError) as error:
        if str(error).startswith("asarray: "):
            raise type(error)(op + str(error).removeprefix("asarray")) from None
        raise


def real_operands(op: str, *given: ArrayLike) -> list[Strided]:
    """`operands` that have an order: TypeError for strings and complex numbers."""
    tensors = operands(op, *given)
    for x in tensors:
        if x.dtype.kind in "SUc":
            raise TypeError(f"{op}: needs real numbers; got dtype {x.dtype}")
    return tensors


def axis_of(op: str, axis: Any, ndim: int) -> int:
    """An axis as a number from 0; named by `op` where there is none such."""
    if not hasattr(axis, "__index__"):
        raise TypeError(f"{op}: axis must be an integer; got {axis!r}")
    number = int(axis.__index__())
    if ndim == 0:
        raise IndexError(f"{op}: axis {number} is out of range; a tensor of shape () has no axes")
    if not -ndim <= number < ndim:
        raise IndexError(f"{op}: axis {number} is out of range for {ndim} axes; it must lie in [{-ndim}, {ndim})")
    return number % ndim


def axes_of(op: str, axis: Axis, ndim: int) -> tuple[int, ...]:
    """An axis, several, or None for all as numbers from 0, each once."""
    given = tuple(range(ndim)) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = tuple(axis_of(op, one, ndim) for one in given)
    if len(set(axes)) != len(axes):
        raise ValueError(f"{op}: an axis is named twice in {axis}")
    return axes


def _has_fractions(x: ArrayLike) -> bool:
    return Strided(x).dtype.kind == "f"


@composite
def logsumexp(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Strided:
    """log(sum(exp(x))) over `axis`, without overflow: the largest element is taken out of the sum first.

    x: (n..., m...), floating; axis: the axes m, all when None. Result: (n...), with `keepdims` (n..., 1...), in the
    dtype of x. -inf where every element is -inf or there is none; inf where one is. The gradient is the softmax, which
    is NaN at infinite elements where the result is infinite.
    Source: Blanchard, Higham and Higham, "Accurately computing the log-sum-exp and softmax functions" (2021).

    >>> import cytensor as ct
    >>> ct.logsumexp([[0., 0.], [1000., -1000.]], axis=1).tolist()
    [0.6931471824645996, 1000.0]
    """
    x = as_operand(x)
    if x.dtype.kind != "f":
        x = cyops.astype(x, "float32")
    if x.size == 0:
        return cyops.log(cyops.sum(x, axis=axis, keepdims=keepdims))
    largest = cyops.detach(cyops.max(x, axis=axis, keepdims=True))
    shift = cyops.where(cyops.isfinite(largest), largest, 0)
    total = cyops.log(cyops.sum(cyops.exp(x - shift), axis=axis, keepdims=True)) + shift
    if keepdims:
        return total
    return cyops.reshape(total, ()) if axis is None else cyops.squeeze(total, axis)


@composite
def depthwise_conv(x: ArrayLike, kernel: ArrayLike, bias: ArrayLike | None = None, *, strides: int | Sequence[int] = 1,
                   padding: str | int | Sequence[Any] = "valid", dilation_rate: int | Sequence[int] = 1,
                   data_format: str = "channels_last", activation: str | None = None) -> Strided:
    """Convolution of each channel by itself: a `conv` with a group for each channel.

    x: (n, s..., c), or (n, c, s...) where data_format is "channels_first"; kernel: (k..., c, m), in either case; bias:
    (c * m,) or None. Result: (n, o..., c * m), or (n, c * m, o...), where filter i * m + j comes from channel i. Other
    arguments as in `conv`. ValueError where the shapes do not agree.

    >>> import cytensor as ct
    >>> ct.depthwise_conv(ct.ones((1, 4, 4, 3)), ct.ones((3, 3, 3, 2))).shape
    (1, 2, 2, 6)
    """
    x, kernel = as_operand(x), as_operand(kernel)
    channels = x.shape[1 if data_format == "channels_first" else -1] if x.ndim > 1 else 0
    if kernel.ndim != x.ndim or kernel.ndim < 3 or kernel.shape[-2] != channels:
        raise ValueError(f"depthwise_conv: kernel must be (taps..., channels of x, multiplier); got x {x.shape}, "
                         f"kernel {kernel.shape}, data_format {data_format!r}")
    grouped = cyops.reshape(kernel, (*kernel.shape[:-2], 1, channels * kernel.shape[-1]))
    return cyops.conv(x, grouped, bias, strides=strides, padding=padding, dilation_rate=dilation_rate, groups=channels,
                      data_format=data_format, activation=activation)


@composite
def separable_conv(x: ArrayLike, depthwise_kernel: ArrayLike, pointwise_kernel: ArrayLike,
                   bias: ArrayLike | None = None, *, strides: int | Sequence[int] = 1,
                   padding: str | int | Sequence[Any] = "valid", dilation_rate: int | Sequence[int] = 1,
                   data_format: str = "channels_last", activation: str | None = None) -> Strided:
    """A `depthwise_conv`, and then a `conv` over channels alone.

    x: (n, s..., c), or (n, c, s...) where data_format is "channels_first"; depthwise_kernel: (k..., c, m);
    pointwise_kernel: (1..., c * m, f); bias: (f,) or None. Result: (n, o..., f), or (n, f, o...). Other arguments as in
    `conv`; strides, padding and dilation_rate are those of the first part. ValueError where the shapes do not agree.

    Source: Chollet, "Xception: deep learning with depthwise separable convolutions" (2017).

    >>> import cytensor as ct
    >>> ct.separable_conv(ct.ones((1, 4, 4, 3)), ct.ones((3, 3, 3, 1)), ct.ones((1, 1, 3, 8))).shape
    (1, 2, 2, 8)
    """
    pointwise = as_operand(pointwise_kernel)
    if pointwise.ndim < 3 or any(length != 1 for length in pointwise.shape[:-2]):
        raise ValueError(f"separable_conv: pointwise_kernel must be (1, ..., channels, filters), with one tap along "
                         f"each spatial axis; got {pointwise.shape}")
    middle = depthwise_conv(x, depthwise_kernel, strides=strides, padding=padding, dilation_rate=dilation_rate,
                            data_format=data_format)
    return cyops.conv(middle, pointwise, bias, data_format=data_format, activation=activation)
