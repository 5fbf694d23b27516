"""What layers that move a window over one, two or three spatial axes share: their arguments and their lengths.

Imported by the layers of convolution, pooling, padding and cropping; it knows no layer. The compiled side of the same
rules is cyops/spatial.pxi.
"""
import operator
from collections.abc import Sequence
from typing import Any

from cytensor import registry
from cytensor.types import Shape

DATA_FORMATS = ("channels_last", "channels_first")


def as_spatial(op: str, value: int | Sequence[int], n: int, name: str, low: int = 1) -> tuple[int, ...]:
    """An int for each of n spatial axes, from one for all of them or a sequence of n; each at least `low`.

    >>> as_spatial("Conv2D", 3, 2, "kernel_size"), as_spatial("Conv2D", [3, 5], 2, "kernel_size")
    ((3, 3), (3, 5))
    """
    try:
        lengths = (operator.index(value),) * n if hasattr(value, "__index__") else tuple(map(operator.index, value))
    except TypeError:
        raise TypeError(f"{op}: {name} must be an integer or {n} of them in a tuple; got {value!r}") from None
    if len(lengths) != n or min(lengths) < low:
        raise ValueError(f"{op}: {name} must be an integer of at least {low}, or {n} of them in a tuple, one for each "
                         f"spatial axis; got {value!r}")
    return lengths


def as_padding(op: str, padding: str, known: Sequence[str] = ("valid", "same")) -> str:
    """The name of a kind of padding in small letters; ValueError where it is none of the known ones.

    >>> as_padding("Conv2D", "SAME")
    'same'
    """
    name = padding.lower() if isinstance(padding, str) else padding
    if name not in known:
        raise ValueError(f"{op}: padding must be {' or '.join(map(repr, known))}; got {padding!r}")
    return name


def as_data_format(op: str, data_format: str | None) -> str:
    """The data format of that name, "channels_last" for None; ValueError where it is neither.

    >>> as_data_format("Conv2D", None)
    'channels_last'
    """
    if data_format is None:
        return "channels_last"
    name = data_format.lower() if isinstance(data_format, str) else data_format
    if name not in DATA_FORMATS:
        raise registry.unknown(f"{op}: data_format", data_format, DATA_FORMATS)
    return name


def channel_axis(data_format: str) -> int:
    """Which axis holds the channels: the last, or the one after the samples."""
    return -1 if data_format == "channels_last" else 1


def split_shape(op: str, shape: Shape, n: int, data_format: str) -> tuple[int | None, tuple[int | None, ...]]:
    """(channels, spatial lengths) of the shape of an input; ValueError where it has not n spatial axes.

    >>> split_shape("Conv2D", (None, 28, 28, 1), 2, "channels_last")
    (1, (28, 28))
    """
    if len(shape) != n + 2:
        axes = (("steps",), ("height", "width"), ("depth", "height", "width"))[n - 1]
        order = ("samples", *axes, "channels") if data_format == "channels_last" else ("samples", "channels", *axes)
        raise ValueError(f"{op}: the input must be ({', '.join(order)}), {n + 2} axes; got shape {tuple(shape)}")
    return (shape[-1], tuple(shape[1:-1])) if data_format == "channels_last" else (shape[1], tuple(shape[2:]))


def join_shape(batch: int | None, channels: int | None, lengths: Sequence[int | None], data_format: str) -> Shape:
    """The shape of an output: `split_shape` the other way round."""
    return (batch, *lengths, channels) if data_format == "channels_last" else (batch, channels, *lengths)


def output_length(length: int | None, window: int, stride: int, dilation: int = 1, before: int = 0,
                  after: int = 0) -> int | None:
    """At how many places a window lies inside `before + length + after`; None of None, and 0 where it has no room.

    >>> output_length(28, window=3, stride=2), output_length(2, window=3, stride=1), output_length(None, 3, 1)
    (13, 0, None)
    """
    if length is None:
        return None
    return max((before + length + after - dilation * (window - 1) - 1) // stride + 1, 0)


def padded(length: int, window: int, stride: int, dilation: int, padding: str) -> tuple[int, int]:
    """How many zeros a kind of padding puts (before, after) an axis; TensorFlow's rule for "same".

    >>> padded(28, 3, 1, 1, "same"), padded(28, 3, 2, 1, "same"), padded(9, 3, 1, 2, "causal")
    ((1, 1), (0, 1), (4, 0))
    """
    extent = dilation * (window - 1) + 1
    if padding == "causal":
        return extent - 1, 0
    if padding == "valid":
        return 0, 0
    total = max((-(-length // stride) - 1) * stride + extent - length, 0)
    return total // 2, total - total // 2


def named_output_length(length: int | None, window: int, stride: int, dilation: int, padding: str) -> int | None:
    """`output_length` with one of the named kinds of padding.

    >>> named_output_length(28, 3, 2, 1, "same"), named_output_length(28, 3, 2, 1, "valid")
    (14, 13)
    """
    if length is None:
        return None
    return output_length(length, window, stride, dilation, *padded(length, window, stride, dilation, padding))


def transposed_length(length: int | None, window: int, stride: int, dilation: int, output_padding: int | None,
                      padding: str) -> int | None:
    """The length that a transposed convolution makes of an axis, by the rule of Keras.

    >>> transposed_length(7, 3, 2, 1, None, "same"), transposed_length(7, 3, 2, 1, None, "valid")
    (14, 15)
    """
    if length is None:
        return None
    extent = dilation * (window - 1) + 1
    if padding == "valid":
        more = max(extent, stride) - extent if output_padding is None else output_padding
        made = (length - 1) * stride + extent + more
    elif output_padding is None:
        made = length * stride
    else:
        made = (length - 1) * stride + extent % 2 + output_padding
    return max(made, 0) if length > 0 else 0


def require_room(op: str, lengths: Sequence[int | None], outputs: Sequence[int | None], what: Any) -> None:
    """ValueError where a spatial axis of the output has no place left; `what` says what does not fit."""
    if any(out == 0 and length != 0 for length, out in zip(lengths, outputs, strict=True)):
        raise ValueError(f"{op}: {what} must fit into the input where padding is 'valid'; got spatial lengths "
                         f"{tuple(lengths)}; padding='same' keeps them")
