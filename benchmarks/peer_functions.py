"""What is one op here and more than one function in NumPy or PyTorch: the same work, in their words."""

import numpy as np

from .peers import torch

# The same work in NumPy, where it is more than one function


def numpy_conv(x, kernel):
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], (1, 2))
    return np.tensordot(windows, kernel, axes=((4, 5, 3), (0, 1, 2)))


def numpy_depthwise(x, kernel):
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], (1, 2))
    return np.einsum("nhwcab,abcm->nhwcm", windows, kernel).reshape(*windows.shape[:3], -1)


def numpy_conv_transpose(x, kernel):
    taps, (n, h, w, _) = kernel.shape, x.shape
    out = np.zeros((n, h + taps[0] - 1, w + taps[1] - 1, taps[2]), x.dtype)
    for i, j in np.ndindex(taps[:2]):
        out[:, i : i + h, j : j + w] += x @ kernel[i, j].T
    return out


# The same in PyTorch, in its order of axes: a view of the operands, and what of the result is no view is not timed


def torch_conv(x, kernel, **options):
    return torch.conv2d(x.permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1), **options)


def torch_conv_transpose(x, kernel):
    return torch.conv_transpose2d(x.permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1))


def torch_depthwise(x, kernel):
    return torch_conv(x, kernel.permute(0, 1, 3, 2), groups=x.shape[-1])


def torch_separable(x, kernel, pointwise):
    return torch.conv2d(torch_depthwise(x, kernel), pointwise.permute(3, 2, 0, 1))


def numpy_pool(reduce):
    """Windows of 2 x 2, side by side."""
    return lambda x: reduce(reduce(x.reshape(-1, 13, 2, 13, 2, 32), axis=4), axis=2)


def numpy_softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def numpy_log_softmax(x):
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def numpy_logsumexp(x):
    largest = x.max(axis=-1)
    return np.log(np.exp(x - largest[:, None]).sum(axis=-1)) + largest


def numpy_cross_entropy(logits, y):
    return -np.take_along_axis(numpy_log_softmax(logits), y[:, None], axis=1)[:, 0]


def numpy_scatter_add(x, indices, updates):
    result = x.copy()
    np.add.at(result, indices, updates)
    return result


def numpy_dense(x, kernel, bias):
    return np.maximum(x @ kernel + bias, 0)


def numpy_one_hot(y):
    result = np.zeros((len(y), 10), np.float32)
    result[np.arange(len(y)), y] = 1
    return result
