"""Products of bfloat16: against float64 on the same rounded operands, in every layout, on every instruction set.

Run as a program, this file checks the instruction set that CYOPS_ISA names: the tests do so once for each. The bound is
that of docs/accuracy.md: products of two bfloat16 are exact in float32, each is added with at most two roundings, and
what is below the smallest normal float32 may count as 0.
"""
import itertools
import os
import subprocess
import sys

import guarded
import numpy as np
import pytest
import test_contraction
from layouts import LAYOUTS

import cyops
import cytensor as ct
from cyops.contract import add_matmul, contract_windows

RNG = np.random.default_rng(0)
DEPTHS = (0, 1, 2, 3, 4, 31, 33, 767, 768, 769, 1537)     # a part of K is 384 pairs
EPS, TINY, HALF = 2.0**-24, 2.0**-126, 2.0**-8          # a float32's roundoff, its smallest normal; bfloat16's roundoff


def numbers(*shape):
    return cyops.astype(RNG.normal(size=shape).astype(np.float32), "bfloat16")


def exact(x):
    """The values as float64: bfloat16 widens without an error."""
    return np.asarray(x).astype(np.float64)


def assert_close(result, a, b, bias=0.0, relu=False, rounded=True, old=0.0):
    """`result` beside a b + bias in float64; rounded once more where it is bfloat16."""
    expected = exact(a) @ exact(b) + bias + old
    magnitude = np.abs(exact(a)) @ np.abs(exact(b)) + np.abs(bias) + np.abs(old)
    depth = np.shape(a)[-1]
    bound = (2 * depth + 4) * EPS * magnitude + (depth + 1) * TINY * (1 + np.abs(exact(a)).max(initial=0))
    if rounded:
        bound = bound + HALF * (np.abs(expected) + bound)
    expected = np.maximum(expected, 0) if relu else expected
    assert result.dtype == ("bfloat16" if rounded else np.float32)
    assert np.all(np.abs(exact(result) - expected) <= bound), (np.shape(a), np.shape(b))


def summed(a, b):
    """The product as it is summed, before it is rounded to bfloat16."""
    shape = np.matmul(np.zeros(a.shape), np.zeros(b.shape)).shape
    return cyops.matmul(a, b, out=cyops.full(shape, np.nan))


# -- checks -----------------------------------------------------------------------------------------------------------
def check_sizes():
    """Tile edges, odd and even depths, one row, one column, bias and relu."""
    for m, n, k in itertools.product((1, 2, 5, 14, 15, 29), (1, 2, 7, 16, 33, 65), (1, 2, 9)):
        a, b, bias = numbers(m, k), numbers(k, n), numbers(n)
        assert_close(summed(a, b), a, b, rounded=False)
        assert_close(cyops.dense(a, b, bias, "relu"), a, b, exact(bias), relu=True)
    for k, (m, n) in itertools.product(DEPTHS, ((1, 1), (1, 300), (40, 1), (3, 5), (30, 100), (270, 35))):
        a, b = numbers(m, k), numbers(k, n)
        assert_close(summed(a, b), a, b, rounded=False)
        assert_close(cyops.matmul(a, b), a, b)
        assert np.array_equal(cyops.matmul(a, b), cyops.astype(summed(a, b), "bfloat16"))       # one rounding


def check_layouts():
    """Every pair of layouts gives the bits of contiguous copies; one operand at an odd address."""
    for m, n, k in ((1, 1, 7), (1, 33, 6), (33, 1, 6), (5, 6, 7), (30, 45, 20), (150, 200, 70), (20, 600, 301)):
        pairs = itertools.product(LAYOUTS.values(), repeat=2) if n < 50 else zip(LAYOUTS.values(), LAYOUTS.values(),
                                                                                  strict=True)
        for lay_a, lay_b in pairs:
            a, b = (cyops.copy(cyops.astype(lay(RNG.normal(size=shape)), "bfloat16"))
                    for lay, shape in ((lay_a, (m, k)), (lay_b, (k, n))))
            views = [in_layout(x, lay) for x, lay in ((a, lay_a), (b, lay_b))]
            assert [x.tolist() for x in views] == [a.tolist(), b.tolist()]
            result = summed(*views)
            assert_close(result, a, b, rounded=False)
            assert np.array_equal(result, summed(cyops.copy(a), cyops.copy(b))), (m, n, k)
    wide = numbers(9, 40)
    for start, stop in ((1, 21), (2, 22), (1, 20), (3, 40)):
        part = wide[:, start:stop]
        assert np.array_equal(summed(part, part.T), summed(cyops.copy(part), cyops.copy(part).T))


def in_layout(x, lay):
    """x in memory as the layout lays float32: the same strides, of bfloat16."""
    like = lay(np.ones(x.shape, np.float32))
    shape = tuple(max(n, 1) for n in x.shape)
    spans = [abs(stride) * (n - 1) for stride, n in zip(like.strides, shape, strict=True)]
    room = cyops.full((sum(spans) + 1,), np.nan, "bfloat16")
    first = sum(span for span, stride in zip(spans, like.strides, strict=True) if stride < 0)
    view = cyops.as_strided(room, x.shape, like.strides, first)
    once = tuple(slice(0, 1) if stride == 0 else slice(None) for stride in like.strides)
    if x.size:
        view[once] = x[once]
    return view


def check_batches():
    for shape_a, shape_b in (((4, 3, 5, 6), (6, 7)), ((4, 1, 5, 9), (3, 9, 7)), ((5, 6), (4, 3, 6, 7)),
                             ((50, 2, 301), (301, 40)), ((3, 40, 8), (3, 8, 1)), ((7,), (7,)), ((2, 7), (7,))):
        a, b = numbers(*shape_a), numbers(*shape_b)
        assert_close(summed(a, b), a, b, rounded=False)
        turned = cyops.flip(cyops.copy(cyops.flip(a)))
        assert np.array_equal(summed(turned, b), summed(a, b))
    a, b = numbers(3, 4, 5, 2), numbers(5, 4, 7)
    expected = np.tensordot(exact(a), exact(b), axes=((2, 1), (0, 1)))
    found = cyops.tensordot(a, b, axes=((2, 1), (0, 1)))
    assert found.dtype == "bfloat16" and np.allclose(exact(found), expected, rtol=2 * HALF, atol=1e-5)
    a, b = numbers(3, 5), numbers(5, 2)
    assert_close(cyops.dot(a, b), a, b)


def check_outputs():
    """float32, float64 and bfloat16 out= of any strides; out that overlaps an operand."""
    a, b = numbers(33, 21), numbers(21, 18)
    for dtype, lay in itertools.product(("float32", "float64"), ("contiguous", "transposed", "sliced", "reversed")):
        out = LAYOUTS[lay](np.full((33, 18), np.nan, dtype))
        assert cyops.matmul(a, b, out=out) is out and np.array_equal(out, summed(a, b))
    square = numbers(20, 20)
    expected = cyops.matmul(square, square)
    cyops.matmul(square, square, out=square)
    assert square.tolist() == expected.tolist()


def check_mixed():
    """Beside another dtype the operands are widened: to the dtype that both promote to."""
    a, b = numbers(5, 6), RNG.normal(size=(6, 7)).astype(np.float32)
    assert cyops.matmul(a, b).dtype == np.float32
    assert_close(cyops.matmul(a, b), a, b, rounded=False)
    assert_close(cyops.matmul(a, np.arange(12).reshape(6, 2)), a, np.arange(12).reshape(6, 2))


def check_specials():
    """NaN and infinities come through; denormals may count as 0, within the bound."""
    one = cyops.astype([[1.0, 0.0]], "bfloat16")
    for value in (np.inf, -np.inf, np.nan):
        column = cyops.astype([[value], [1.0]], "bfloat16")
        assert np.array_equal(cyops.matmul(one, column), [[value]], equal_nan=True)
    assert np.isnan(cyops.matmul(one, cyops.astype([[1.0], [np.inf]], "bfloat16")).item())
    tiny = cyops.astype(np.full((3, 8), 1e-39), "bfloat16")
    assert_close(summed(tiny, tiny.T), tiny, tiny.T, rounded=False)
    assert_close(summed(tiny, cyops.full((8, 3), 2.0, "bfloat16")), tiny, cyops.full((8, 3), 2.0, "bfloat16"),
                 rounded=False)
    huge = cyops.full((1, 4), 3e38, "bfloat16")
    assert np.isinf(cyops.matmul(huge, huge.T).item())


def check_threads():
    for m, n, k in ((300, 300, 301), (128, 500, 784), (700, 1, 3001), (1, 3000, 400), (5, 3000, 300)):
        a, b = numbers(m, k), numbers(k, n)
        results = set()
        for count in (1, 2, 3, 8):
            with cyops.set_num_threads(count):
                results.add(np.asarray(summed(a, b)).tobytes())
                results.add(np.asarray(summed(cyops.copy(a.T).T, cyops.copy(b.T).T)).tobytes())
        assert len(results) == 1, (m, n, k)


def check_backward():
    """dense_backward: float32 gradients of masked bfloat16."""
    for rows, k, n in itertools.product((0, 1, 5, 769), (1, 3, 20), (1, 2, 33)):
        x, kernel, d = numbers(rows, k), numbers(k, n), numbers(rows, n)
        for y in (None, numbers(rows, n)):
            z = d if y is None else cyops.where(y > 0, d, cyops.zeros((), "bfloat16"))
            dx, dkernel, dbias = cyops.dense_backward(d, x, kernel, y)
            assert_close(dx, z, kernel.T, rounded=False)
            assert_close(dkernel, x.T, z, rounded=False)
            assert_close(dbias[None], cyops.ones((1, rows), "bfloat16"), z, rounded=False)
            old = RNG.normal(size=(k, n)).astype(np.float32)
            total = cyops.Strided(old.copy())
            assert cyops.dense_backward(d, x, y=y, bias=False, kernel_gradient=total)[1] is total
            assert_close(total, x.T, z, rounded=False, old=old)
    d = cyops.astype([[np.nan, np.inf, 1, 2, 3, 4]], "bfloat16")
    y = cyops.astype([[0, -1, np.nan, 1, np.inf, -np.nan]], "bfloat16")
    dkernel = cyops.dense_backward(d, cyops.ones((1, 1), "bfloat16"), y=y)[1]
    assert dkernel.tolist() == [[0, 0, 0, 2, 3, 0]]


def check_windows(trials=300):
    """Convolutions and gradients of kernels read through windows, with padding: against float64 over a padded copy, and
    the same bits in any layout."""
    rng = np.random.default_rng(3)

    def rounded(values):
        return np.asarray(cyops.astype(values, "bfloat16"))

    for _ in range(trials):
        x, other, labels, windows, (expected, magnitude), depth = test_contraction.drawn_convolution(rng, rounded)
        a, b = cyops.astype(x, "bfloat16"), cyops.astype(other, "bfloat16")
        result = contract_windows(a, labels[0], b, *labels[1:], windows)
        bound = (2 * depth + 4) * EPS * magnitude + (depth + 1) * TINY * 2
        assert result.dtype == "bfloat16"
        assert np.all(np.abs(exact(result) - expected) <= bound + HALF * (np.abs(expected) + bound)), windows
        laid = [cyops.astype(test_contraction.any_layout(rng, part), "bfloat16") for part in (x, other)]
        again = contract_windows(laid[0], labels[0], laid[1], *labels[1:], windows)
        assert np.array_equal(again, result), (x.shape, other.shape, labels, windows)


def within(result, operands, compute, depth, rounded):
    """Whether a sum of products of bfloat16 is within the bound of that of float64, which other tests check."""
    expected, magnitude = (np.asarray(compute(*map(f, operands))) for f in (exact, lambda x: np.abs(exact(x))))
    bound = (2 * depth + 4) * EPS * magnitude + (depth + 1) * TINY * 10
    bound = bound + HALF * (np.abs(expected) + bound) if rounded else bound
    return result.dtype == ("bfloat16" if rounded else np.float32) and bool(
        np.all(np.abs(exact(result) - expected) <= bound))


def check_convolutions():
    """conv, its transpose and its gradients, of even and odd channels, in groups, with strides, in both formats."""
    for channels, filters, groups, options in (
        (4, 6, 1, {}), (3, 5, 1, {"strides": 2, "padding": "same"}), (1, 8, 1, {"padding": "same"}),
        (4, 6, 2, {"dilation_rate": 2, "padding": 3}), (6, 4, 1, {"data_format": "channels_first"}),
        (3, 3, 3, {"padding": "same"}), (16, 33, 1, {"strides": (2, 1)}),
    ):
        first = options.get("data_format") == "channels_first"
        x = numbers(3, channels, 9, 8) if first else numbers(3, 9, 8, channels)
        kernel = numbers(3, 2, channels // groups, filters)
        found = cyops.conv(x, kernel, groups=groups, **options)
        depth = 6 * channels // groups
        assert within(found, (x, kernel), lambda a, b: cyops.conv(a, b, groups=groups, **options), depth, True)  # noqa: B023
        with ct.GradientTape() as tape:
            a, b = ct.asarray(x), ct.asarray(kernel)
            tape.watch([a, b])
            y = ct.ops.conv(a, b, groups=groups, **options)
        weights = numbers(*y.shape)
        dx, dkernel = tape.gradient(y, [a, b], output_gradients=weights)

        def gradients(which, a, b, d):
            with ct.GradientTape() as tape:
                sources = [ct.asarray(a), ct.asarray(b)]
                tape.watch(sources)
                y = ct.ops.conv(*sources, groups=groups, **options)  # noqa: B023 - used at once
            return tape.gradient(y, sources[which], output_gradients=ct.asarray(d))

        operands = (x, kernel, weights)
        assert within(dx, operands, lambda *given: gradients(0, *given), 6 * filters, True), options
        depth = int(np.prod(y.shape)) // filters
        assert within(dkernel, operands, lambda *given: gradients(1, *given), depth, True), options
    d, kernel = numbers(2, 4, 5, 3), numbers(3, 3, 7, 3)
    found = cyops.conv_transpose(d, kernel, strides=2, padding="same")
    assert within(found, (d, kernel), lambda a, b: cyops.conv_transpose(a, b, strides=2, padding="same"), 27, True)
    x, kernel, bias = numbers(2, 9, 4), numbers(3, 4, 5), numbers(5)
    relu = cyops.conv(x, kernel, bias, activation="relu")
    plain = exact(cyops.conv(exact(x), exact(kernel), exact(bias)))
    assert np.allclose(exact(relu), np.maximum(plain, 0), rtol=2 * HALF, atol=1e-5)


def check_guard_pages():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    holders = [guarded.Guarded(400 * 400 * 2) for _ in range(2)]
    places = (guarded.forward, guarded.backward, guarded.last_axis_backward, guarded.stepped, guarded.transposed)
    sizes = ((1, 1, 99), (7, 1, 100), (1, 37, 99), (3, 5, 7), (15, 33, 18), (29, 47, 385), (200, 50, 41))
    for (m, n, k), at_end, place_a, place_b in itertools.product(sizes, (True, False), places, places):
        operands = []
        for holder, place, shape in zip(holders, (place_a, place_b), ((m, k), (k, n)), strict=True):
            room = place(shape, lambda lengths: holder.array(lengths, np.uint16, at_end))  # noqa: B023 - used at once
            room[...] = RNG.normal(size=shape).astype(ml_dtypes.bfloat16).view(np.uint16)
            operands.append(cyops.Strided(room.view(ml_dtypes.bfloat16)))
            assert operands[-1].dtype == "bfloat16" and operands[-1].strides == cyops.Strided(room).strides
        assert_close(summed(*operands), *operands, rounded=False)


CHECKS = (check_sizes, check_layouts, check_batches, check_outputs, check_mixed, check_specials, check_threads,
          check_backward, check_windows, check_convolutions)


# -- the tests --------------------------------------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_this_instruction_set(check):
    check()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs mprotect")
def test_guard_pages():
    check_guard_pages()


@pytest.mark.parametrize("isa", ["generic", "avx2", "avx512", "avx512_bf16"])
@pytest.mark.slow
def test_every_instruction_set(isa):
    if isa not in cyops.available_isas():
        pytest.skip(f"this machine has no {isa}")
    if isa == cyops.isa:
        pytest.skip(f"{isa} is the one that the other tests run")
    done = subprocess.run([sys.executable, __file__], env={**os.environ, "CYOPS_ISA": isa}, capture_output=True,
                          text=True, timeout=300)
    assert done.returncode == 0 and done.stdout.split() == [isa], done.stderr[-3000:]


def test_beside_pytorch():
    torch = pytest.importorskip("torch")
    a, b = numbers(40, 301), numbers(301, 30)
    theirs = torch.from_dlpack(a) @ torch.from_dlpack(b)
    ours = cyops.matmul(a, b)
    assert np.allclose(exact(ours), theirs.double().numpy(), rtol=4 * HALF, atol=2 * 301 * EPS * 301)


def test_gradients_of_both_orders():
    """Through the tape, beside float64: within what bfloat16 rounds each intermediate to."""
    x, w = numbers(4, 5), numbers(5, 3)

    def both(x, w):
        x, w = ct.asarray(x), ct.asarray(w)
        with ct.GradientTape() as outer:
            outer.watch([x, w])
            with ct.GradientTape() as inner:
                inner.watch([x, w])
                y = ct.sum(ct.square(ct.matmul(x, w)))
            dw = inner.gradient(y, w)
            total = ct.sum(dw * dw)
        return dw, outer.gradient(total, x)

    found, expected = both(x, w), both(exact(x), exact(w))
    for part, reference in zip(found, expected, strict=True):
        assert part.dtype == "bfloat16"
        assert np.allclose(exact(part), reference, rtol=0.03, atol=0.03 * np.abs(reference).max())


def test_the_gradient_of_a_cast_is_cast_back():
    x = ct.Variable(np.float32([1.0, 2.0]))
    with ct.GradientTape() as tape:
        y = ct.sum(ct.astype(x, "bfloat16") * 3.0)
    gradient = tape.gradient(y, x)
    assert gradient.dtype == np.float32 and gradient.tolist() == [3.0, 3.0]


def test_add_matmul_wants_one_dtype():
    with pytest.raises(TypeError, match="must all be float32 or all float64"):
        add_matmul(cyops.zeros((2, 2)), numbers(2, 3), numbers(3, 2))


if __name__ == "__main__":
    for check in CHECKS:
        check()
    print(cyops.isa)
