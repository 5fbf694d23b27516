"""Convolutions to 16 filters and more, whose blocks are copied before they are multiplied: their values, and that no
layout, number of threads or way of computing changes a bit."""
import numpy as np
import pytest
from test_convolution import first, gradients, length, reference

import cyops

# samples, lengths, taps, channels, filters: rows of tiles are samples, lines, and lines cut into blocks; sums of one
# chain and of several; filters of no whole vector; a line shorter than a vector.
SIZES = [
    (30, (5, 4), (3, 3), 16, 40), (17, (7,), (3,), 20, 17), (9, (3, 3, 4), (2, 2, 3), 16, 16),
    (2, (9, 40), (3, 3), 33, 16), (1, (700,), (5,), 50, 16), (3, (2, 3, 20), (1, 3, 3), 19, 16),
    (9, (3, 3), (3, 3), 130, 16), (2, (3, 2), (2, 2), 16, 64),
    (9, (7, 6), (3, 3), 1, 16), (2, (5, 20), (3, 3), 3, 32), (3, (30,), (4,), 2, 18),
]
EPS = np.finfo("float64").eps
WINDOWS = [(1, 1, (0, 0)), (1, 1, (1, 1)), (2, 1, (1, 0)), (1, 2, (2, 3)), (3, 1, (0, 2))]


def drawn(size, window, dtype):
    """x, kernel and the result's gradient, channels last, and the window's arguments; None where there is no room."""
    samples, lengths, taps, channels, filters = size
    stride, dilation, padding = window
    rank = len(lengths)
    positions = [length(s, k, stride, dilation, *padding) for s, k in zip(lengths, taps, strict=True)]
    if 0 in positions:
        return None
    rng = np.random.default_rng(sum(lengths))
    shapes = (samples, *lengths, channels), (*taps, channels, filters), (samples, *positions, filters)
    of_window = (stride,) * rank, (padding[0],) * rank, (dilation,) * rank
    return *[rng.normal(size=shape).astype(dtype) for shape in shapes], of_window


def computed(x, kernel, d, window, data_format):
    """The convolution and its gradients."""
    window = (*window, 1, data_format)
    y = cyops.conv_with_shape(x, kernel, d.shape, window)
    bias = cyops.conv(x, kernel, np.arange(kernel.shape[-1]).astype(kernel.dtype), padding="valid",
                      data_format=data_format, activation="relu") if min(y.shape) > 9 else None
    return y, *cyops.conv_backward(d, x.shape, kernel.shape, window, x=x, kernel=kernel), bias


def apart(x):
    """The same values, nothing side by side."""
    wide = np.zeros([2 * n for n in x.shape], x.dtype)
    view = wide[tuple(slice(None, None, 2) for _ in x.shape)]
    view[...] = x
    return view


def bits(results, data_format):
    moved = [None if part is None else np.asarray(part) for part in results]
    if data_format == "channels_first":
        moved[:2] = [np.moveaxis(part, 1, -1) for part in moved[:2]]
        moved[4] = None if moved[4] is None else np.moveaxis(moved[4], 1, -1)
    return [None if part is None else np.ascontiguousarray(part).tobytes() for part in moved]


def expected(x, kernel, d, window):
    """What `computed` gives first, from the definition."""
    y = reference(x, kernel, d.shape[1:-1], *window)
    return y, *gradients(x, kernel, d, *window), d.sum(axis=tuple(range(d.ndim - 1)))


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_values(size, data_format):
    move = (lambda x: np.ascontiguousarray(first(x))) if data_format == "channels_first" else (lambda x: x)
    for window in WINDOWS:
        if (found := drawn(size, window, "float64")) is None:
            continue
        x, kernel, d, (strides, before, dilation) = found
        y, dx, dkernel, dbias, _ = computed(move(x), kernel, move(d), (strides, before, dilation), data_format)
        of_window = strides, before, dilation, 1
        exact, terms = (expected(*parts, of_window) for parts in ((x, kernel, d), map(abs, (x, kernel, d))))
        of_format = move, move, np.asarray, np.asarray
        for mine, right, bound, there in zip((y, dx, dkernel, dbias), exact, terms, of_format, strict=True):
            assert np.all(np.abs(np.asarray(mine) - there(right)) <= 64 * EPS * there(bound)), window


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bits(size, dtype):
    for window in WINDOWS:
        if (found := drawn(size, window, dtype)) is None:
            continue
        x, kernel, d, of_window = found
        expected = bits(computed(x, kernel, d, of_window, "channels_last"), "channels_last")
        for data_format in ("channels_last", "channels_first"):
            move = first if data_format == "channels_first" else (lambda x: x)
            for lay in (np.ascontiguousarray, apart):
                operands = lay(move(x)), lay(kernel), lay(move(d))
                for threads in (1, 3):
                    with cyops.set_num_threads(threads):
                        mine = bits(computed(*operands, of_window, data_format), data_format)
                    assert mine == expected, (window, data_format, lay, threads)
