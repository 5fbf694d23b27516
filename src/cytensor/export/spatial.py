"""Layers and functions with spatial axes in ONNX, whose channels come first: convolutions, pools, padding, resizing."""
from collections.abc import Sequence
from typing import Any

import numpy as np

from cytensor.export.graph import Value
from cytensor.layers import spatial
from cytensor.types import Shape

LAST = "channels_last"


def channels_first(x: Value, data_format: str) -> Value:
    """x with the channels behind the samples."""
    return x.graph.transpose(x, (0, x.ndim - 1, *range(1, x.ndim - 1))) if data_format == LAST else x


def _back(x: Value, ndim: int, data_format: str) -> Value:
    return x.graph.transpose(x, (0, *range(2, ndim), 1)) if data_format == LAST else x


def _lengths(x: Value, data_format: str) -> Shape:
    return x.known_shape[1:-1] if data_format == LAST else x.known_shape[2:]


def in_pairs(value: int | Sequence[int], rank: int) -> tuple[int, ...]:
    """An integer for each spatial axis."""
    return (int(value),) * rank if hasattr(value, "__index__") else tuple(int(one) for one in value)


def _pads(lengths: Shape, windows: Sequence[int], strides: Sequence[int], dilations: Sequence[int],
          padding: Any) -> dict[str, Any]:
    """The attributes that say how much is put before and after."""
    if not isinstance(padding, str):
        rank = len(lengths)
        sides = [(padding, padding)] * rank if hasattr(padding, "__index__") else [
            (one, one) if hasattr(one, "__index__") else tuple(one) for one in padding]
        return {"pads": [before for before, _ in sides] + [after for _, after in sides]}
    pairs = zip(lengths, strides, strict=True)
    if padding == "same" and any(length is None and stride > 1 for length, stride in pairs):
        if max(dilations) > 1:
            raise TypeError("padding 'same' with strides and dilation needs known lengths")
        return {"auto_pad": "SAME_UPPER"}
    sides = [spatial.padded(1 if length is None else length, window, stride, dilation, padding) for
             length, window, stride, dilation in zip(lengths, windows, strides, dilations, strict=True)]
    return {"pads": [before for before, _ in sides] + [after for _, after in sides]}


# -- convolutions -----------------------------------------------------------------------------------------------------
def convolved(x: Value, kernel: Value, bias: Value | None, window: Sequence[int], strides: Sequence[int],
              padding: Any, dilations: Sequence[int], groups: int, data_format: str) -> Value:
    """A convolution with a kernel (filters, c / groups, *window)."""
    given = _pads(_lengths(x, data_format), window, strides, dilations, padding)
    y = x.graph.op("Conv", channels_first(x, data_format), kernel, bias, strides=list(strides),
                   dilations=list(dilations), group=groups, kernel_shape=list(window), **given)
    return _back(y, x.ndim, data_format)


def kernel_order(ndim: int) -> tuple[int, ...]:
    """From (*window, c, filters) to (filters, c, *window)."""
    return (ndim - 1, ndim - 2, *range(ndim - 2))


def depthwise_shape(kernel: Any) -> tuple[int, ...]:
    """The shape (c * multiplier, 1, *window) of a kernel (*window, c, multiplier)."""
    *window, channels, multiplier = kernel.shape
    return (channels * multiplier, 1, *window)


def transposed(x: Value, kernel: Value, bias: Value | None, window: Sequence[int], strides: Sequence[int],
               padding: str, dilations: Sequence[int], output_padding: Any, data_format: str) -> Value:
    """A transposed convolution with a kernel (c, filters, *window)."""
    lengths = [7 if length is None else length for length in _lengths(x, data_format)]     # what is cut is the same
    more = output_padding or (None,) * len(lengths)
    before, after, extra = list[int](), list[int](), list[int]()
    for length, size, stride, dilation, added in zip(lengths, window, strides, dilations, more, strict=True):
        whole = (length - 1) * stride + dilation * (size - 1) + 1
        made = spatial.transposed_length(length, size, stride, dilation, added, padding)
        assert made is not None
        cut = spatial.padded(made, size, stride, dilation, "same")[0] if padding == "same" else 0
        before.append(cut)
        after.append(max(whole - cut - made, 0))
        extra.append(max(made - (whole - cut), 0))
    y = x.graph.op("ConvTranspose", channels_first(x, data_format), kernel, bias, strides=list(strides),
                   dilations=list(dilations), kernel_shape=list(window), pads=before + after, output_padding=extra)
    return _back(y, x.ndim, data_format)


# -- pools ------------------------------------------------------------------------------------------------------------
def pooled(op: str, x: Value, window: Any, strides: Any, padding: Any, data_format: str) -> Value:
    """`MaxPool` or `AveragePool`, whose padding does not count."""
    rank = x.ndim - 2
    window = in_pairs(window, rank)
    strides = window if strides is None else in_pairs(strides, rank)
    given = _pads(_lengths(x, data_format), window, strides, (1,) * rank, padding)
    if op == "AveragePool":
        given["count_include_pad"] = 0
    y = x.graph.op(op, channels_first(x, data_format), kernel_shape=list(window), strides=list(strides), **given)
    return _back(y, x.ndim, data_format)


def global_pool(op: str, x: Value, data_format: str, keepdims: bool) -> Value:
    """`ReduceMax` or `ReduceMean` over the spatial axes."""
    first = 1 if data_format == LAST else 2
    return x.graph.op(op, x, x.graph.integers(*range(first, first + x.ndim - 2)), keepdims=int(keepdims))


# -- lengths ----------------------------------------------------------------------------------------------------------
def padded(x: Value, sides: Sequence[Sequence[int]], value: Any = 0, mode: str = "constant") -> Value:
    """What `ct.pad` does, in the modes that ONNX has."""
    known = {"constant": "constant", "reflect": "reflect", "edge": "edge", "wrap": "wrap"}
    if mode not in known:
        raise TypeError(f"the mode {mode!r} of pad has no form in ONNX")
    pads = x.graph.integers(*(before for before, _ in sides), *(after for _, after in sides))
    fill = np.asarray(value, x.dtype) if mode == "constant" else None
    return x.graph.op("Pad", x, pads, None if fill is None else x.graph.constant(fill), mode=known[mode])


def cropped(x: Value, sides: Sequence[Sequence[int]]) -> Value:
    """Without so many elements at the sides of each axis."""
    axes = [axis for axis, (before, after) in enumerate(sides) if before or after]
    if not axes:
        return x
    ends = [-sides[axis][1] or np.iinfo(np.int64).max for axis in axes]
    integers = x.graph.integers
    return x.graph.op("Slice", x, integers(*(sides[axis][0] for axis in axes)), integers(*map(int, ends)),
                      integers(*axes))


def enlarged(x: Value, size: Sequence[int], data_format: str, interpolation: str = "nearest") -> Value:
    """Spatial axes `size` times as long."""
    scales = x.graph.constant([1.0, 1.0, *size], np.float32, "scales")
    how: dict[str, Any]
    if interpolation == "nearest":
        how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    else:
        how = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    y = x.graph.op("Resize", channels_first(x, data_format), None, scales, **how)
    return _back(y, x.ndim, data_format)
