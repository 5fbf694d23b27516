"""Operands of the benchmarks: each function of n and a generator gives arrays of about n elements in all."""


import numpy as np

ROW_LENGTH = 100


def floats(count=1):
    return lambda n, rng: [rng.normal(size=n).astype(np.float32) for _ in range(count)]


def positive(n, rng):
    return [rng.uniform(0.1, 4, n).astype(np.float32)]


def inside(n, rng):
    return [rng.uniform(-1, 1, n).astype(np.float32)]


def above_one(n, rng):
    return [rng.uniform(1, 10, n).astype(np.float32)]


def positive_base(n, rng):
    return [*positive(n, rng), rng.normal(size=n).astype(np.float32)]


def truths(count=2):
    return lambda n, rng: [rng.random(n) > 0.5 for _ in range(count)]


def matrix(n, rng):
    return [rng.normal(size=(n // ROW_LENGTH, ROW_LENGTH)).astype(np.float32)]


def with_condition(n, rng):
    return [*truths(1)(n, rng), *floats(2)(n, rng)]


def with_rows(n, rng):
    """A table (n / 100, 100) and as many row numbers."""
    return [*matrix(n, rng), rng.integers(0, n // ROW_LENGTH, n // ROW_LENGTH)]


def with_updates(n, rng):
    return [*with_rows(n, rng), *matrix(n, rng)]


def with_labels(n, rng):
    """Logits (n / 10, 10) and labels (n / 10,)."""
    return [rng.normal(size=(n // 10, 10)).astype(np.float32), rng.integers(0, 10, n // 10)]


def with_order(n, rng):
    """A table (n / 100, 100) and the order of each of its rows."""
    x, = matrix(n, rng)
    return [x, np.argsort(x)]


def labels(n, rng):
    return [rng.integers(0, 10, n // 10)]


def square_matrices(n, rng):
    side = round(n**0.5)
    return [rng.normal(size=(side, side)).astype(np.float32) for _ in range(2)]


def vectors(n, rng):
    """Two whose products are n."""
    return [rng.normal(size=round(n**0.5)).astype(np.float32) for _ in range(2)]


def dense_layer(n, rng):
    side = round(n**0.5)
    return [*square_matrices(n, rng), rng.normal(size=side).astype(np.float32)]


def pictures(n, rng):
    """Pictures (b, 16, 16, 16) and a kernel (3, 3, 16, 32)."""
    x = rng.normal(size=(max(n // 4096, 1), 16, 16, 16))
    return [x.astype(np.float32), rng.normal(size=(3, 3, 16, 32)).astype(np.float32)]


def pictures_to_grow(n, rng):
    x, kernel = pictures(n, rng)
    return [x, kernel.transpose(0, 1, 3, 2).copy()]


def pictures_by_channel(n, rng):
    return [pictures(n, rng)[0], rng.normal(size=(3, 3, 16, 1)).astype(np.float32)]


def pictures_to_separate(n, rng):
    return [*pictures_by_channel(n, rng), rng.normal(size=(1, 1, 16, 32)).astype(np.float32)]


def pictures_to_pool(n, rng):
    """(samples, 26, 26, 32), one sample at least; for PyTorch a view in its memory format of channels last."""
    return [rng.normal(size=(max(n // (26 * 26 * 32), 1), 26, 26, 32)).astype(np.float32)]
