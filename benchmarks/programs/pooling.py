"""Pooling, global means and batch normalization of pictures beside PyTorch in both of its memory formats.

python -m benchmarks.programs.pooling [ROUNDS]

Each row takes turns with its peers and gives the least time of each in microseconds, and how many times as long the
better memory format of PyTorch took. CYOPS_NUM_THREADS and OMP_NUM_THREADS set the threads of each.
"""

import sys
import time

import numpy as np
import torch

import cyops
import cytensor as ct

F = torch.nn.functional


def least(functions, rounds):
    best = [float("inf")] * len(functions)
    for turn in range(rounds + 2):
        for i, function in enumerate(functions):
            start = time.perf_counter()
            function()
            if turn > 1:
                best[i] = min(best[i], time.perf_counter() - start)
    return [seconds * 1e6 for seconds in best]


def report(name, functions, rounds):
    ours, last, first = least(functions, rounds)
    print(f"{name:58}{ours:9.0f}{last:9.0f}{first:9.0f}{min(last, first) / ours:8.2f}", flush=True)


def tensors(x, data_format):
    """x (n, h, w, c) as a Variable of the data format, and as leaves of PyTorch in both memory formats."""
    ours = x if data_format == "channels_last" else np.moveaxis(x, -1, 1).copy()
    last = torch.tensor(x).permute(0, 3, 1, 2)
    return ct.Variable(ours), last.clone().requires_grad_(True), last.contiguous().requires_grad_(True)


def forward_and_gradient(function, x, d):
    def run():
        with ct.GradientTape() as tape:
            y = function(x)
        return tape.gradient(y, x, output_gradients=d)

    return run


def backward(function, x):
    d = torch.ones_like(function(x))

    def run():
        x.grad = None
        function(x).backward(d)

    return run


def compare(name, x, data_format, ours, theirs, rounds):
    """A row for the value, one for value and gradient."""
    v, last, first = tensors(x, data_format)
    name = f"{name} {x.shape} {data_format}"
    with torch.no_grad():
        values = [lambda: ours(v), lambda: theirs(last), lambda: theirs(first)]
        report(name, values, rounds)
    gradients = [forward_and_gradient(ours, v, ct.ones(ours(v).shape)), backward(theirs, last), backward(theirs, first)]
    report(f"{name}, gradient", gradients, rounds)


def normalize(x, data_format, rounds):
    channels = x.shape[-1]
    layer = ct.layers.BatchNormalization(axis=-1 if data_format == "channels_last" else 1)
    gamma, beta = (torch.ones(channels, requires_grad=True) for _ in range(2))
    mean, variance = torch.zeros(channels), torch.ones(channels)
    compare(
        "batch normalization", x, data_format, lambda v: layer(v, training=True),
        lambda y: F.batch_norm(y, mean, variance, gamma, beta, training=True, momentum=0.01, eps=1e-3), rounds,
    )


def main(rounds=40):
    rounds = int(rounds)
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads; cytensor {cyops.get_num_threads()}")
    print(f"{'microseconds':58}{'ours':>9}{'last':>9}{'first':>9}{'ratio':>8}")
    rng = np.random.default_rng(0)

    def draw(*shape):
        return rng.normal(size=shape).astype(np.float32)

    for data_format in ("channels_last", "channels_first"):
        spatial = (1, 2) if data_format == "channels_last" else (2, 3)
        for shape, size, strides, padding in (
            ((64, 26, 26, 32), 2, 2, 0), ((64, 32, 32, 64), 3, 2, 1), ((16, 16, 16, 64), 3, 1, 1)
        ):
            options = (size, strides, "same" if padding else "valid", data_format)
            compare(f"max {size}x{size}/{strides}", draw(*shape), data_format,
                    lambda v, o=options: ct.max_pool(v, *o),
                    lambda y, o=(size, strides, padding): F.max_pool2d(y, *o), rounds)
        compare("average 2x2/2", draw(64, 26, 26, 32), data_format,
                lambda v, f=data_format: ct.average_pool(v, 2, data_format=f), lambda y: F.avg_pool2d(y, 2), rounds)
        compare("global mean", draw(64, 16, 16, 128), data_format,
                lambda v, axes=spatial: ct.mean(v, axis=axes), lambda y: y.mean((2, 3)), rounds)
        normalize(draw(64, 32, 32, 32), data_format, rounds)
        normalize(draw(64, 32, 32, 64), data_format, rounds)


if __name__ == "__main__":
    main(*sys.argv[1:])
