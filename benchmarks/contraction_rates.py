"""Figures of docs/kernels.md, Convolutions and Contractions: `python -m benchmarks.contraction_rates`, one thread,
times of the thread, so that other processes do not count. Set CYOPS_NUM_THREADS=1, OMP_NUM_THREADS=1 and no other."""
import functools
import importlib.util
import time

import numpy as np

import cyops

RNG = np.random.default_rng(0)
CONVOLUTIONS = [(64, 28, 32, 32), (64, 14, 32, 64), (64, 14, 64, 64), (64, 7, 64, 128), (32, 16, 128, 128)]
FIRST_LAYERS = [(64, 28, 1, 32), (64, 32, 3, 32), (8, 112, 3, 32)]
CONTRACTIONS = [
    ("abcd,dbea->ce", (48, 32, 256, 48), (48, 32, 256, 48)),
    ("abcde,efbad->cf", (12, 16, 256, 12, 24), (24, 256, 16, 12, 12)),
    ("abcd,aebf->dfce", (32, 48, 24, 32), (32, 24, 48, 32)), ("abcd,eafd->fbec", (32, 24, 32, 48), (24, 32, 32, 48)),
    ("abc,bda->dc", (64, 96, 400), (96, 400, 64)), ("abcdef,dega->gfbc", (24, 12, 12, 16, 16, 12), (16, 16, 24, 24)),
    ("abcd,dbce->ae", (256, 40, 36, 12), (12, 40, 36, 256)),
]


def numbers(*shape):
    return (RNG.random(shape) - 0.5).astype("float32")


def best(*calls, repeats=10):
    """The least time of each, taken in turn."""
    times = [np.inf] * len(calls)
    for _ in range(repeats):
        for i, call in enumerate(calls):
            begin = time.thread_time()
            call()
            times[i] = min(times[i], time.thread_time() - begin)
    return times


def convolution_rates(samples, side, channels, filters):
    """Forward, by the input and by the kernel, channels last and then first, 3 x 3 taps and padding 1, as fractions of
    the rate of our own matrix products of their sizes, contiguous."""
    x, d = (numbers(samples, side, side, n) for n in (channels, filters))
    kernel, rows = numbers(3, 3, channels, filters), samples * side * side
    sizes = [(rows, 9 * channels, filters), (rows, 9 * filters, channels), (9 * channels, rows, filters)]
    products = [(numbers(m, k), numbers(k, n)) for m, k, n in sizes]
    calls = [functools.partial(cyops.matmul, *operands) for operands in products]
    for data_format in ("channels_last", "channels_first"):
        moved = [y if data_format == "channels_last" else np.ascontiguousarray(np.moveaxis(y, -1, 1)) for y in (x, d)]
        window = (1, 1), (1, 1), (1, 1), 1, data_format
        calls += [functools.partial(cyops.conv_with_shape, moved[0], kernel, moved[1].shape, window),
                  functools.partial(cyops.conv_input_gradient, moved[1], kernel, moved[0].shape, window),
                  functools.partial(cyops.conv_kernel_gradient, moved[0], moved[1], kernel.shape, window)]
    times = best(*calls)
    return [times[i % 3] / t for i, t in enumerate(times[3:])]


def first_layer_times(samples, side, channels, filters):
    """Microseconds of ours and PyTorch's forward, channels last, 3 x 3 taps and padding 1."""
    x, kernel = numbers(samples, side, side, channels), numbers(3, 3, channels, filters)
    calls = [lambda: cyops.conv(x, kernel, padding=1)]
    if importlib.util.find_spec("torch"):
        import torch

        theirs = torch.from_numpy(x).permute(0, 3, 1, 2)
        weights = torch.from_numpy(kernel).permute(3, 2, 0, 1).contiguous()
        calls.append(lambda: torch.nn.functional.conv2d(theirs, weights, padding=1))
    return [t * 1e6 for t in best(*calls, repeats=20)]


def contraction_rates(formula, shape_a, shape_b):
    """GFLOP/s of ours, NumPy's and PyTorch's where that is installed."""
    names, out = formula.split("->")
    of_a, of_b = names.split(",")
    a, b = numbers(*shape_a), numbers(*shape_b)
    lengths = dict(zip(of_a + of_b, shape_a + shape_b, strict=True))
    summed = [name for name in of_a if name not in out]
    last = [name for name in (of_a[-1], of_b[-1]) if name in summed]
    order = [*out, *[name for name in summed if name not in last], *dict.fromkeys(last)]
    labels = [[order.index(name) for name in names] for names in (of_a, of_b, out)]
    calls = [lambda: cyops.contract(a, labels[0], b, labels[1], labels[2]),
             lambda: np.einsum(formula, a, b, optimize=True)]
    if importlib.util.find_spec("torch"):
        import torch

        of_torch = torch.from_numpy(a), torch.from_numpy(b)
        calls.append(lambda: torch.einsum(formula, *of_torch))
    operations = 2 * np.prod(list(lengths.values()))
    return [operations / t / 1e9 for t in best(*calls)]


if __name__ == "__main__":
    for sizes in CONVOLUTIONS:
        print(sizes, *[f"{rate:.2f}" for rate in convolution_rates(*sizes)])
    for sizes in FIRST_LAYERS:
        print(sizes, *[f"{microseconds:.0f}" for microseconds in first_layer_times(*sizes)])
    for case in CONTRACTIONS:
        print(case[0], *[f"{rate:.0f}" for rate in contraction_rates(*case)])
