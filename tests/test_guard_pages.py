"""No kernel touches memory beyond its operands: every one of them lies right against pages that nobody may touch.

Run as a program, this file checks the instruction set that CYOPS_ISA names; the tests do so once for each. What a
kernel gives is compared with what it gives in ordinary memory; whether that is right is for the other tests to say.
test_gemm.py has the sizes that the matrix product's kernels care about.
"""
import itertools
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from guarded import Guarded, backward, forward, last_axis_backward, stepped, transposed
from samples import ELEMENTWISE, REDUCTIONS, SAMPLES

import cyops
import cytensor as ct
from cyops import update

FLOATS = ("float32", "float64")
NUMERIC = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", *FLOATS]
LENGTHS = (*range(1, 10), 15, 16, 17, 31, 33, 47, 63, 65, 127, 129, 1001)
HOLDERS = [Guarded(1 << 20) for _ in range(6)] if hasattr(os, "fork") else []


# -- places ----------------------------------------------------------------------------------------------------------
def places_of(ndim):
    """Those that differ."""
    return [(forward,), (forward, backward, stepped)][ndim] if ndim < 2 else (
        forward, backward, stepped, transposed, last_axis_backward)


def laid(values, holder, place, at_end):
    """A tensor of `values` whose memory touches a guard page."""
    array = place(values.shape, lambda shape: HOLDERS[holder].array(shape, values.dtype, at_end))
    array[...] = values
    x = cyops.Strided(array)
    assert np.shares_memory(np.asarray(x), array)
    return x


def everywhere(*operands):
    """The operands as tensors, in every place at either end of their memory: all alike, then each in another place."""
    for at_end, i in itertools.product((True, False), range(max(len(places_of(x.ndim)) for x in operands))):
        for step in (0, 1)[: len(operands)]:
            choices = [(places_of(x.ndim), x, k) for k, x in enumerate(operands)]
            yield [laid(x, k, places[(i + k * step) % len(places)], at_end) for places, x, k in choices]


def outputs(like):
    """Tensors of the shape and dtype of `like`, in every place."""
    for at_end, place in itertools.product((True, False), places_of(len(like.shape))):
        yield laid(np.zeros(like.shape, like.dtype), len(HOLDERS) - 1, place, at_end)


def assert_same(out, expected, case):
    assert out.dtype == expected.dtype and np.asarray(out).tobytes() == np.asarray(expected).tobytes(), case


def drawn(sample, dtype, shape=None):
    """The operands of a sample, or their values repeated over another shape."""
    operands = [x.astype(dtype) for x in sample.draw(np.random.default_rng(5))]
    return operands if shape is None else [np.resize(x, shape) for x in operands]


# -- checks -----------------------------------------------------------------------------------------------------------
def check_every_op():
    for (name, sample), dtype in itertools.product(SAMPLES.items(), FLOATS):
        operands = drawn(sample, dtype)
        for tensors in everywhere(*operands) if operands else [[]]:
            assert sample.call(*tensors).dtype is not None, name


def check_elementwise():
    """Lengths across every remainder of a vector, rows of odd length, and out=."""
    shapes = [(n,) for n in LENGTHS] + [(3, 7), (5, 33), (2, 3, 5)]
    for (name, sample), dtype, shape in itertools.product(ELEMENTWISE.items(), FLOATS, shapes):
        if name == "where":  # its condition has the shape of its sample
            continue
        operands = drawn(sample, dtype, shape)
        expected = sample.call(*map(cyops.Strided, operands))
        for tensors in everywhere(*operands):
            assert_same(sample.call(*tensors), expected, (name, dtype, shape))
        if sample.call is getattr(cyops, name) and "out" in cyops.OPS[name].parameters:
            for out in outputs(expected):
                sample.call(*tensors, out=out)
                assert_same(out, expected, (name, dtype, shape))


def check_conditions():
    """where, and comparisons and logic on booleans."""
    for dtype, n in itertools.product(FLOATS, LENGTHS):
        condition, x, y = np.arange(n) % 3 == 0, np.arange(n, dtype=dtype), np.ones(n, dtype)
        for c, a, b in everywhere(condition, x, y):
            assert_same(cyops.where(c, a, b), np.where(condition, x, y), n)
            assert_same(cyops.logical_and(c, c), condition, n)
            assert_same(cyops.logical_not(c), ~condition, n)


def check_integers():
    for dtype, shape in itertools.product(NUMERIC[:-3], [(n,) for n in LENGTHS] + [(3, 7), (7, 33)]):
        values = (np.arange(np.prod(shape)).reshape(shape) % 5).astype(dtype)
        for a, b in everywhere(values, values[::-1].copy()):
            for op in (cyops.add, cyops.multiply, cyops.equal, cyops.less, cyops.maximum):
                op(a, b)
            for op in (cyops.sum, cyops.max, cyops.argmax, cyops.any, cyops.sign, cyops.negative):
                if dtype != "bool" or op in (cyops.sum, cyops.max, cyops.any):
                    op(a, axis=-1) if op not in (cyops.sign, cyops.negative) else op(a)
            assert_same(cyops.sum(a), values.sum(), (dtype, shape))


def check_reductions():
    shapes = [(1, 1), (1, 37), (37, 1), (3, 7), (17, 5), (5, 17), (33, 65), (130, 3), (2, 1001), (700, 9)]
    for (name, sample), dtype, shape in itertools.product(REDUCTIONS.items(), FLOATS, shapes):
        (values,) = drawn(sample, dtype, shape)
        op = getattr(cyops, name)
        for (x,) in everywhere(values):
            for axis in (0, 1, None):
                op(x, axis=axis)
        if "out" in cyops.OPS[name].parameters:
            expected = op(x, axis=1)
            for out in outputs(expected):
                op(x, axis=1, out=out)
                assert_same(out, expected, (name, dtype, shape))


def check_rows():
    """Softmax and cross-entropy for every number of classes that has a kernel of its own, labels of every width."""
    rng = np.random.default_rng(6)
    for dtype, rows, classes in itertools.product(FLOATS, (1, 5), (*range(1, 19), 31, 33, 65, 385, 1025)):
        logits, targets = rng.normal(size=(2, rows, classes)).astype(dtype)
        for x, y in everywhere(logits, targets):
            cyops.softmax(x)
            cyops.log_softmax(x, axis=0)
            cyops.softmax_gradient(x, y)
            cyops.log_softmax_gradient(x, y, axis=0)
            cyops.softmax_cross_entropy_with_gradient(x, y)
        for width in ("uint8", "int64"):
            labels = (np.arange(rows) % min(classes, 7)).astype(width)
            for x, y in everywhere(logits, labels):
                cyops.softmax_cross_entropy_with_gradient(x, y)


def check_casts():
    """Every pair of dtypes, into memory that is guarded too."""
    for source, target, n in itertools.product(NUMERIC, NUMERIC, (1, 3, 8, 15, 17, 33, 67)):
        values = (np.arange(n) % 2).astype(source)
        for (x,), out in zip(everywhere(values), outputs(values.astype(target)), strict=True):
            cyops.assign(out, x)
            assert_same(out, values.astype(target), (source, target, n))
            assert_same(cyops.astype(x, target), out, (source, target, n))


def check_copies():
    """Elements of every width, from every place to every other: the transposing copies work in square tiles."""
    shapes = [(1,), (19,), (1, 1), (3, 17), (16, 16), (31, 33), (65, 18), (3, 5, 17)]
    for dtype, shape in itertools.product(("int8", "int16", "float32", "float64", "S3", "U2", "U4"), shapes):
        values = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
        for (x,) in everywhere(values):
            for out in outputs(values):
                cyops.assign(out, x)
                assert_same(out, values, (dtype, shape))


def check_gathers():
    for dtype, columns in itertools.product(("uint8", "int16", *FLOATS), (1, 7, 16, 33, 257)):
        values = (np.arange(5 * columns) % 100).reshape(5, columns).astype(dtype)
        for indices in (np.array([4, 0, 4, -5], width) for width in ("int16", "int64")):
            for x, chosen in everywhere(values, indices):
                for target, scale in (("float32", 1 / 256), ("float64", 0.5), (dtype, None), ("float32", None)):
                    expected = values[indices].astype(target) * (1 if scale is None else np.dtype(target).type(scale))
                    for at_end, place in itertools.product((True, False), (forward, backward)):
                        out = laid(np.zeros(expected.shape, target), 5, place, at_end)
                        cyops.gather_rows(x, chosen, out=out, scale=scale)
                        assert_same(out, expected, (dtype, columns, target))
                assert_same(cyops.take(x, chosen, axis=0), values[indices], (dtype, columns))
                cyops.take(x, cyops.multiply(chosen, 0), axis=1)
                cyops.concat([x, x], axis=1)
                cyops.stack([x, x], axis=1)
                cyops.scatter_add(x, chosen, x[:4])
                cyops.put(x, chosen, 1, axis=0)
                cyops.one_hot(chosen + 5, 11)


def check_steps():
    """Every row of the table of optimizer steps, everything that it reads and writes being guarded."""
    for (name, (_, slots, scalars)), dtype in itertools.product(update.STEPS.items(), FLOATS):
        for shape in [(n,) for n in LENGTHS[::2]] + [(3, 7)]:
            values = [np.full(shape, 0.5 + k, dtype) for k in range(2 + slots)]
            for tensors in everywhere(*values):
                update.step(name, *tensors, **dict.fromkeys(scalars, 0.25))


def check_products():
    """Batches, contractions over several axes and integers; one matrix by another is in test_gemm.py."""
    rng = np.random.default_rng(8)
    pairs = [((3, 5, 7), (3, 7, 9)), ((3, 1, 33), (33, 17)), ((2, 15, 18), (2, 18, 33)), ((4, 7), (7,)), ((9,), (9,))]
    for dtype, (shape_a, shape_b) in itertools.product(("bool", "uint8", "int64", *FLOATS), pairs):
        a, b = (rng.integers(0, 2, shape).astype(dtype) for shape in (shape_a, shape_b))
        expected = cyops.matmul(a, b)
        for x, y in everywhere(a, b):
            assert_same(cyops.matmul(x, y), expected, (dtype, shape_a, shape_b))
            cyops.tensordot(x, y, axes=((x.ndim - 1,), (max(y.ndim - 2, 0),)))
        for out in outputs(expected):
            cyops.matmul(x, y, out=out)
            assert_same(out, expected, (dtype, shape_a, shape_b))


# samples, lengths, taps, channels, filters, groups: contractions, first layers, blocks whose tiles are samples or
# lines, each channel by itself, with more filters than channels too.
CONVOLUTIONS = [
    (2, (9,), (3,), 5, 7, 1), (2, (5, 6), (3, 3), 1, 9, 1), (2, (6, 5), (3, 2), 4, 6, 2),
    (9, (4, 3), (3, 3), 16, 17, 1), (2, (3, 19), (2, 3), 33, 16, 1), (2, (5, 18), (3, 3), 3, 3, 3),
    (2, (3, 4, 5), (2, 2, 3), 2, 4, 2),
]


def check_convolutions():
    """Forward and both gradients, in both data formats, with padding and without, strides and dilation."""
    rng = np.random.default_rng(9)
    windows = [(1, 1, 1), (2, 1, 0), (1, 2, 2)]
    for dtype, size, window in itertools.product(FLOATS, CONVOLUTIONS, windows):
        (samples, lengths, taps, channels, filters, groups), (stride, dilation, pad) = size, window
        rank = len(lengths)
        positions = [(n + 2 * pad - dilation * (k - 1) - 1) // stride + 1 for n, k in zip(lengths, taps, strict=True)]
        if min(positions) < 1:
            continue
        shapes = (samples, *lengths, channels), (*taps, channels // groups, filters), (samples, *positions, filters)
        for data_format in ("channels_last", "channels_first"):
            last = data_format == "channels_last"
            x, kernel, d = (rng.normal(size=shape).astype(dtype) for shape in shapes)
            x, d = (part if last else np.ascontiguousarray(np.moveaxis(part, -1, 1)) for part in (x, d))
            of_window = (stride,) * rank, (pad,) * rank, (dilation,) * rank, groups, data_format
            y = cyops.conv_with_shape(x, kernel, d.shape, of_window)
            dx = cyops.conv_input_gradient(d, kernel, x.shape, of_window)
            dkernel = np.asarray(cyops.conv_kernel_gradient(x, d, kernel.shape, of_window))
            for a, b, c in everywhere(x, kernel, d):
                assert_same(cyops.conv_with_shape(a, b, d.shape, of_window), y, (size, window, data_format))
                assert_same(cyops.conv_input_gradient(c, b, x.shape, of_window), dx, (size, window, data_format))
                found = np.asarray(cyops.conv_kernel_gradient(a, c, kernel.shape, of_window))
                assert np.allclose(found, dkernel, rtol=1e-4, atol=1e-4), (size, window, data_format)


POOLS = [
    ((2, 9, 5), 3, 2), ((2, 7, 8, 3), 2, 2), ((2, 5, 18, 17), 3, 1), ((3, 4, 5, 33), 2, 3), ((2, 3, 4, 5, 6), 2, 1),
]


def check_pooling():
    """Largest elements and means, and their gradients, in both data formats."""
    rng = np.random.default_rng(10)
    for dtype, (shape, size, stride) in itertools.product((*FLOATS, "int16"), POOLS):
        for data_format, padding in itertools.product(("channels_last", "channels_first"), ("valid", "same")):
            options = {"pool_size": size, "strides": stride, "padding": padding, "data_format": data_format}
            x = rng.integers(-99, 99, shape).astype(dtype)
            if data_format == "channels_first":
                x = np.ascontiguousarray(np.moveaxis(x, -1, 1))
            pools = [cyops.max_pool, *[cyops.average_pool][: dtype in FLOATS]]
            for pool in pools:
                expected = pool(x, **options)
                for (a,) in everywhere(x):
                    assert_same(pool(a, **options), expected, (pool, shape, options))
                    if dtype in FLOATS:
                        with ct.GradientTape() as tape:
                            tape.watch(a)
                            y = pool(a, **options)
                        tape.gradient(y, a)


CHECKS = (
    check_every_op, check_elementwise, check_conditions, check_integers, check_reductions, check_rows, check_casts,
    check_copies, check_gathers, check_steps, check_products, check_convolutions, check_pooling,
)


# -- the tests: each check in a process that may crash ----------------------------------------------------------------
def run(isa, *arguments):
    environment = {**os.environ, "CYOPS_ISA": isa}
    return subprocess.run([sys.executable, "-X", "faulthandler", __file__, *arguments], env=environment,
                          capture_output=True, text=True, timeout=300)


needs_mprotect = pytest.mark.skipif(not HOLDERS, reason="needs mprotect")


@needs_mprotect
@pytest.mark.parametrize("isa", ["generic", "avx2", "avx512"])
@pytest.mark.slow
def test_kernels_stay_inside_their_operands(isa):
    if isa not in cyops.available_isas():
        pytest.skip(f"this machine has no {isa}")
    done = run(isa, "check")
    assert done.returncode == 0 and done.stdout.split() == [isa], done.stderr[-4000:]


@needs_mprotect
@pytest.mark.parametrize("touch", ["before", "after"])
def test_a_touch_beyond_either_end_kills(touch):
    done = run(cyops.isa, touch)
    assert done.returncode != 0 and re.search("Segmentation fault|AddressSanitizer", done.stderr), done


if __name__ == "__main__":
    if sys.argv[1] == "check":
        for check in CHECKS:
            check()
        print(cyops.isa)
    else:
        whole = HOLDERS[0].array((HOLDERS[0].size,), "uint8", True)
        last, step = (whole[-1:], 1) if sys.argv[1] == "after" else (whole[:1], -1)
        print(np.lib.stride_tricks.as_strided(last, (2,), (step,)).tolist())
