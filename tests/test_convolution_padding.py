"""Padding contributes nothing to a convolution and its gradients, whatever it would be multiplied by.

Infinities and NaN of the kernel, and of the result's gradient, reach those elements alone that a tap inside the input
does."""
import itertools

import numpy as np
import pytest
from test_convolution import first, gradients, length, reference

import cyops

# samples, lengths, taps, channels, filters, groups: contractions, blocks of samples and lines, each channel by itself.
SIZES = [
    (2, (7,), (3,), 1, 1, 1), (2, (5, 6), (3, 3), 3, 5, 1), (2, (5, 6), (3, 2), 4, 8, 2),
    (17, (4, 5), (3, 3), 16, 32, 1), (2, (4, 30), (3, 3), 33, 16, 1), (2, (5, 20), (3, 3), 6, 6, 6),
    (2, (4, 3, 5), (2, 3, 3), 6, 12, 6),
]
WINDOWS = [(1, 1, (1, 1)), (2, 1, (1, 0)), (1, 2, (2, 3)), (3, 1, (0, 2)), (1, 1, (0, 0)), (1, 1, (4, 4))]


def drawn(size, stride, dilation, padding, dtype):
    samples, lengths, taps, channels, filters, groups = size
    rank = len(lengths)
    positions = [length(s, k, stride, dilation, *padding) for s, k in zip(lengths, taps, strict=True)]
    if 0 in positions:
        return None
    rng = np.random.default_rng(3)
    shapes = (samples, *lengths, channels), (*taps, channels // groups, filters), (samples, *positions, filters)
    window = (stride,) * rank, (padding[0],) * rank, (dilation,) * rank, groups
    return [rng.integers(1, 9, shape).astype(dtype) for shape in shapes], window


def spoilt(x, value):
    """The same with a few elements infinite or NaN."""
    x = x.copy()
    x.reshape(-1)[:: max(x.size // 3, 1)] = value
    return x


def assert_same(found, expected, case):
    np.testing.assert_array_equal(np.asarray(found, "float64"), expected, err_msg=str(case))


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_padding_contributes_nothing(size, dtype):
    """Whole numbers, so that the sums are exact: every way of computing must give the same."""
    narrow = (lambda x: cyops.astype(cyops.Strided(x), "bfloat16")) if dtype == "bfloat16" else (lambda x: x)
    for window, value in itertools.product(WINDOWS, (np.inf, np.nan)):
        if (found := drawn(size, *window, "float32" if dtype == "bfloat16" else dtype)) is None:
            continue
        (x, kernel, d), of_window = found
        bad_kernel, bad_d = spoilt(kernel, value), spoilt(d, value)
        with np.errstate(invalid="ignore"):
            y = reference(*(part.astype("float64") for part in (x, bad_kernel)), d.shape[1:-1], *of_window)
            dx, _ = gradients(*(part.astype("float64") for part in (x, bad_kernel, d)), *of_window)
            _, dkernel = gradients(*(part.astype("float64") for part in (x, kernel, bad_d)), *of_window)
        for data_format in ("channels_last", "channels_first"):
            move = (lambda x: np.ascontiguousarray(first(x))) if data_format == "channels_first" else (lambda x: x)
            of_format = (*of_window, data_format)
            case = window, value, data_format
            ours = [narrow(part) for part in (move(x), bad_kernel, move(d), kernel, move(bad_d))]
            out = cyops.conv_with_shape(ours[0], ours[1], move(d).shape, of_format)
            if dtype != "bfloat16":
                assert_same(out, move(y), case)
            else:
                assert np.array_equal(np.isnan(cyops.astype(out, "float32")), np.isnan(move(y)))
            by_x, _, _ = cyops.conv_backward(ours[2], move(x).shape, kernel.shape, of_format, kernel=ours[1])
            _, by_kernel, _ = cyops.conv_backward(ours[4], move(x).shape, kernel.shape, of_format, x=ours[0])
            assert_same(by_x, move(dx), case)
            assert_same(by_kernel, dkernel, case)


def test_bias_and_activation_follow():
    x, kernel, bias = np.ones((2, 6, 3), "float32"), np.ones((3, 3, 4), "float32"), np.arange(4, dtype="float32") - 10
    kernel[0, 0, 1] = np.inf
    expected = np.maximum(reference(x, kernel, (6,), (1,), (1,), (1,), 1) + bias, 0)
    for data_format in ("channels_last", "channels_first"):
        move = first if data_format == "channels_first" else (lambda x: x)
        found = cyops.conv(move(x), kernel, bias, padding="same", data_format=data_format, activation="relu")
        assert_same(found, move(expected), data_format)
    assert (expected[:, 0] == np.maximum(6 + bias, 0)).all() and np.isinf(expected[:, 1:, 1]).all()


def test_against_pytorch():
    torch = pytest.importorskip("torch")
    x, kernel = np.ones((2, 5, 6, 8), "float32"), np.ones((3, 3, 8, 8), "float32")
    kernel[0, 0, 0, 0] = np.inf
    theirs = torch.nn.functional.conv2d(torch.tensor(first(x)), torch.tensor(kernel.transpose(3, 2, 0, 1)), padding=1)
    assert_same(first(np.asarray(cyops.conv(x, kernel, padding="same"))), theirs.numpy(), "")
