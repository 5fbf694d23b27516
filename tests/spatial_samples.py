"""Rows of `samples.py` for what works on windows: convolution, pooling, resizing, batch normalization."""
import numpy as np
from drawing import Sample, absolute, distinct, normal, pair, single

import cyops
from cytensor.composites import COMPOSITES


def _conv_reference(x, kernel, bias=None, strides=1, before=0, after=0, dilation=1, groups=1):
    """(n, s, s, c) and (k, k, c / groups, f) -> (n, o, o, f), by a sum over taps of a padded copy."""
    x = np.pad(x, ((0, 0), (before, after), (before, after), (0, 0)))
    extent = [dilation * (k - 1) + 1 for k in kernel.shape[:2]]
    lengths = [(n - e) // strides + 1 for n, e in zip(x.shape[1:3], extent, strict=True)]
    out = np.zeros((x.shape[0], *lengths, kernel.shape[-1]))
    split = x.reshape(*x.shape[:3], groups, -1)
    weights = kernel.reshape(*kernel.shape[:3], groups, -1)
    for i, j in np.ndindex(kernel.shape[:2]):
        rows = slice(i * dilation, i * dilation + (lengths[0] - 1) * strides + 1, strides)
        columns = slice(j * dilation, j * dilation + (lengths[1] - 1) * strides + 1, strides)
        out += np.einsum("nhwgc,cgf->nhwgf", split[:, rows, columns], weights[i, j]).reshape(out.shape)
    return out if bias is None else out + bias


def _conv_transpose_reference(x, kernel, bias):
    """Stride 2 and padding "valid": every element of x adds the kernel to the result, by loops."""
    n, h, w, _ = x.shape
    out = np.zeros((n, 2 * (h - 1) + max(kernel.shape[0], 2), 2 * (w - 1) + max(kernel.shape[1], 2), kernel.shape[2]))
    for i, j in np.ndindex(h, w):
        patch = np.einsum("nc,abfc->nabf", x[:, i, j], kernel)
        out[:, 2 * i : 2 * i + kernel.shape[0], 2 * j : 2 * j + kernel.shape[1]] += patch
    return out + bias


def _conv_kernel_gradient_reference(x, d):
    return np.stack([np.stack([np.einsum("nhwc,nhwf->cf", x[:, i : i + 3, j : j + 3], d) for j in range(2)])
                     for i in range(2)])


def _depthwise_reference(x, kernel):
    return _conv_reference(x, kernel.reshape(*kernel.shape[:2], 1, -1), groups=x.shape[-1])


CONVOLUTIONS = {
    "conv": Sample(
        normal((2, 6, 5, 4), (3, 2, 2, 6), (6,)),
        lambda x, kernel, bias: cyops.conv(x, kernel, bias, strides=2, padding=1, groups=2, activation="relu"),
        lambda x, kernel, bias: np.maximum(_conv_reference(x, kernel, bias, 2, 1, 1, 1, 2), 0),
        factor=8,
        terms=lambda x, kernel, bias: _conv_reference(abs(x), abs(kernel), abs(bias), 2, 1, 1, 1, 2),
    ),
    "conv_transpose": Sample(
        normal((2, 3, 2, 4), (3, 2, 5, 4), (5,)),
        lambda x, kernel, bias: cyops.conv_transpose(x, kernel, bias, strides=2),
        _conv_transpose_reference,
        factor=8,
        terms=lambda x, kernel, bias: _conv_transpose_reference(abs(x), abs(kernel), abs(bias)),
    ),
}
CONVOLUTION_GRADIENTS = {
    "conv_kernel_gradient": pair(
        lambda x, d: cyops.conv_kernel_gradient(x, d, (2, 2, 3, 2), ((1, 1), (0, 0), (1, 1), 1, "channels_last")),
        _conv_kernel_gradient_reference,
        normal((2, 4, 4, 3), (2, 3, 3, 2)),
        factor=8,
        terms=absolute(_conv_kernel_gradient_reference),
    ),
}


def _windows_of(x):
    """(2, 5, 4, 3) -> the windows of 3 x 2 with strides (2, 2), the first row of which is padding."""
    padded = np.pad(x, ((0, 0), (1, 0), (0, 0), (0, 0)), constant_values=np.nan)
    return np.lib.stride_tricks.sliding_window_view(padded, (3, 2), (1, 2))[:, ::2, ::2]


WINDOW = {"pool_size": (3, 2), "strides": 2, "padding": ((1, 0), (0, 0))}
# As records have it: (channels_first, an axis: length, positions, taps, stride, before).
GEOMETRY = (False, ((5, 2, 3, 2, 1), (4, 2, 2, 2, 0)))
CHOSEN = np.random.default_rng(12).integers(2, 6, (2, 2, 2, 3)).astype(np.uint8)       # numbers, none in the padding


def _chosen(x):
    numbered = _windows_of(x).reshape(2, 2, 2, 3, 6)
    return np.take_along_axis(numbered, CHOSEN[..., None].astype(int), -1)[..., 0]


def _adjoint(function, d, shape):
    """The adjoint of a linear function of x in `shape`, at d: one column at a time."""
    units = np.eye(int(np.prod(shape))).reshape(-1, *shape)
    return np.array([np.sum(function(unit) * d) for unit in units]).reshape(shape)


def _mean_of_windows(x):
    return np.nanmean(_windows_of(x), axis=(-2, -1))


POOLING = {
    "max_pool": single(
        lambda x: cyops.max_pool(x, **WINDOW), lambda x: np.nanmax(_windows_of(x), axis=(-2, -1)),
        distinct((2, 5, 4, 3)),
    ),
    "average_pool": single(
        lambda x: cyops.average_pool(x, **WINDOW), _mean_of_windows, normal((2, 5, 4, 3)),
        terms=lambda x: _mean_of_windows(abs(x)),
    ),
}


def _resized(x):
    """(2, 3, 4, 2) -> (2, 5, 2, 2), bilinear."""
    def weights(length, places):
        centres = (np.arange(places)[:, None] + 0.5) * length / places
        found = np.maximum(1 - abs(np.arange(length) + 0.5 - centres), 0)
        return found / found.sum(1, keepdims=True)
    return np.einsum("nhwc,ih,jw->nijc", x, weights(3, 5), weights(4, 2))


SPATIAL = {
    "resize": single(
        lambda x: cyops.resize(x, (5, 2)), _resized, normal((2, 3, 4, 2)), terms=lambda x: _resized(abs(x)),
    ),
    "pad": single(
        lambda x: cyops.pad(x, ((1, 2), (3, 0)), "reflect"), lambda x: np.pad(x, ((1, 2), (3, 0)), "reflect"),
    ),
    "roll": single(lambda x: cyops.roll(x, (1, -2), (0, 1)), lambda x: np.roll(x, (1, -2), (0, 1))),
}


def _batch_normalized(x, gamma, beta):
    return (x - x.mean(0)) / np.sqrt(x.var(0) + 0.1) * gamma + beta


# What is recorded under a name of its own without being a public op.
SPATIAL_GRADIENTS = {
    "max_pool_chosen": single(
        lambda x: cyops.max_pool_chosen(x, cyops.Strided(CHOSEN), GEOMETRY), _chosen, normal((2, 5, 4, 3)),
    ),
    "max_pool_gradient": single(
        lambda d: cyops.max_pool_gradient(d, cyops.Strided(CHOSEN), GEOMETRY),
        lambda d: _adjoint(_chosen, d, (2, 5, 4, 3)), normal((2, 2, 2, 3)),
        terms=lambda d: _adjoint(_chosen, abs(d), (2, 5, 4, 3)),
    ),
    "resize_gradient": single(
        lambda d: cyops.resize_gradient(d, (3, 4)), lambda d: _adjoint(_resized, d, (2, 3, 4, 2)),
        normal((2, 5, 2, 2)), terms=lambda d: _adjoint(_resized, abs(d), (2, 3, 4, 2)),
    ),
    "batch_normalize": Sample(
        normal((9, 5), (5,), (5,)),
        lambda x, gamma, beta: cyops.batch_normalize(x, gamma, beta, epsilon=0.1)[0],
        _batch_normalized, factor=64,
        terms=lambda x, gamma, beta: abs(gamma) * (1 + abs(x).max()) / np.sqrt(x.var(0) + 0.1) + abs(beta),
    ),
    "average_pool_gradient": single(
        lambda d: cyops.average_pool_gradient(d, GEOMETRY),
        lambda d: _adjoint(_mean_of_windows, d, (2, 5, 4, 3)), normal((2, 2, 2, 3)),
        terms=lambda d: _adjoint(_mean_of_windows, abs(d), (2, 5, 4, 3)),
    ),
}
SPATIAL_COMPOSITES = {
    "depthwise_conv": pair(
        lambda x, kernel: COMPOSITES["depthwise_conv"](x, kernel),
        _depthwise_reference,
        normal((2, 5, 4, 3), (3, 2, 3, 2)),
        factor=8,
        terms=absolute(_depthwise_reference),
    ),
    "separable_conv": Sample(
        normal((2, 5, 4, 3), (3, 2, 3, 2), (1, 1, 6, 4)),
        lambda x, depthwise, pointwise: COMPOSITES["separable_conv"](x, depthwise, pointwise),
        lambda x, depthwise, pointwise: _conv_reference(_depthwise_reference(x, depthwise), pointwise),
        factor=32,
        terms=absolute(lambda x, depthwise, pointwise: _conv_reference(_depthwise_reference(x, depthwise), pointwise)),
    ),
}
