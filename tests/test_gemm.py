"""The matrix product's kernels: every tile edge, K across its blocks, layouts, guard pages, instruction sets, threads.

Run as a program, this file checks the instruction set that CYOPS_ISA names: the tests do so once for each.
"""
import functools
import hashlib
import itertools
import os
import pathlib
import re
import subprocess
import sys

import guarded
import numpy as np
import pytest

import cyops
from cyops.contract import add_matmul

PROBLEM = pathlib.Path(__file__).parents[1] / "cyops" / "csrc" / "gemm" / "problem.h"
KC = int(re.search(r"^#define KC (\d+)$", PROBLEM.read_text(), re.MULTILINE)[1])      # the longest sum in one part
DTYPES = ("float32", "float64")
RNG = np.random.default_rng(0)


def numbers(shape, dtype):
    return (RNG.random(shape) - 0.5).astype(dtype)


def transposed(shape, dtype):
    return numbers(shape[::-1], dtype).T


def reversed_both(shape, dtype):
    return numbers(shape, dtype)[::-1, ::-1]


def reversed_columns(shape, dtype):
    return numbers(shape, dtype)[:, ::-1]


def sliced(shape, dtype):
    return numbers((2 * shape[0], 3 * shape[1]), dtype)[::2, ::3]


def every_second(shape, dtype):
    return numbers((shape[0], 2 * shape[1]), dtype)[:, ::2]


def every_second_backward(shape, dtype):
    return numbers((shape[0], 2 * shape[1]), dtype)[:, ::-2]


def turned_every_second(shape, dtype):
    return every_second(shape[::-1], dtype).T


def turned_reversed(shape, dtype):
    return reversed_columns(shape[::-1], dtype).T


def offset(shape, dtype):
    return numbers((shape[0] + 2, shape[1] + 3), dtype)[1:-1, 2:-1]


def equal_rows(shape, dtype):
    return np.broadcast_to(numbers((1, shape[1]), dtype), shape)


def equal_columns(shape, dtype):
    return np.broadcast_to(numbers((shape[0], 1), dtype), shape)


WRITABLE = (numbers, transposed, reversed_both, reversed_columns, sliced, offset)
PACKED = (every_second, every_second_backward, turned_every_second, turned_reversed)  # gemm/pack.h has code for each
LAYOUTS = (*WRITABLE, equal_rows, equal_columns, *PACKED)


def turned_stepped(shape, room):
    return guarded.stepped(shape[::-1], room).T


PLACES = (guarded.forward, guarded.backward, guarded.last_axis_backward, guarded.stepped, guarded.transposed,
          turned_stepped)


def assert_close(result, a, b, bias=0.0, old=0.0, relu=False):
    """Within c * eps * sum of |terms| of NumPy's in float64; a chain of k equal terms may err by k / 2."""
    exact = a.astype("float64") @ b.astype("float64") + bias + old
    magnitude = np.abs(a).astype("float64") @ np.abs(b).astype("float64") + np.abs(bias) + np.abs(old)
    if relu:
        exact = np.maximum(exact, 0)
    error = np.abs(np.asarray(result) - exact)
    assert np.all(error <= (4 + a.shape[1] / 2) * np.finfo(result.dtype).eps * magnitude), (a.shape, b.shape)


def check_tile_edges():
    """Every height of a tile and every remainder of its width, beside bias and relu."""
    for dtype in DTYPES:
        for m in (*range(1, 16), 27, 28, 29, 43):
            for n in (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 49, 65):
                a, b, bias = numbers((m, 9), dtype), numbers((9, n), dtype), numbers(n, dtype)
                assert_close(cyops.matmul(a, b), a, b)
                assert_close(cyops.dense(a, b, bias, "relu"), a, b, bias, relu=True)


def check_depths():
    """K of 0 and 1, and across the blocks that K is cut into."""
    for dtype in DTYPES:
        for k in (0, 1, 2, 3, 4, 5, KC - 1, KC, KC + 1, 2 * KC, 2 * KC + 1, 5000):
            for m, n in ((1, 1), (1, 40), (1, 300), (40, 1), (3, 5), (15, 33), (30, 100), (270, 35)):
                a, b, bias = numbers((m, k), dtype), numbers((k, n), dtype), numbers(n, dtype)
                assert_close(cyops.matmul(a, b), a, b)
                assert_close(cyops.dense(a, b, bias), a, b, bias)


def check_layouts():
    """Every pair of layouts: the bits are those of contiguous copies. Sizes on each side of every decision."""
    small = ((1, 1, 70), (1, 70, 33), (70, 1, 33), (5, 6, 7), (30, 45, 20))
    large = ((150, 200, 70), (300, 40, 400), (20, 600, 900), (600, 10, 70), (150, 3, 400))
    for dtype in DTYPES:
        for m, n, k in small + large:
            pairs = list(itertools.product(LAYOUTS if (m, n, k) in small else LAYOUTS[:5], repeat=2))
            for lay_a, lay_b in pairs if (m, n, k) in small else pairs + [(lay, lay) for lay in PACKED]:
                a, b = lay_a((m, k), dtype), lay_b((k, n), dtype)
                result = cyops.matmul(a, b)
                assert_close(result, a, b)
                of_copies = cyops.matmul(np.array(a, order="C"), np.array(b, order="C"))
                assert np.array_equal(np.asarray(result), np.asarray(of_copies)), (m, n, k, lay_a, lay_b)


def check_outputs():
    """out= of any strides, whose old contents must not matter, or are added to."""
    for dtype in DTYPES:
        for m, n, k in ((1, 1, 5), (6, 1, 300), (1, 9, 4), (15, 33, 500), (40, 70, 30), (260, 70, 30)):
            a, b = numbers((m, k), dtype), numbers((k, n), dtype)
            for layout in WRITABLE:
                out = layout((m, n), dtype)
                old = out.copy()
                add_matmul(cyops.Strided(out), a, b)
                assert_close(out, a, b, old=old)
                out[...] = np.nan
                cyops.matmul(a, b, out=cyops.Strided(out))
                assert_close(out, a, b)


def check_batches():
    """Batch axes that one operand repeats along, in every combination of layouts of the axes."""
    for dtype in DTYPES:
        for shape_a, shape_b in (
            ((4, 3, 5, 6), (6, 7)), ((4, 3, 5, 6), (3, 6, 7)), ((4, 1, 5, 6), (3, 6, 7)), ((5, 6), (4, 3, 6, 7)),
            ((50, 2, 300), (300, 40)), ((50, 1, 8), (8, 9)), ((3, 40, 8), (3, 8, 1)), ((300, 7, 8), (300, 8, 9)),
        ):
            a, b = numbers(shape_a, dtype), numbers(shape_b, dtype)
            views_a = (a, np.moveaxis(numbers(shape_a[1:] + shape_a[:1], dtype), -1, 0), a[..., ::-1, :], a[::-1])
            for view in views_a:
                reference = np.matmul(view.astype("float64"), b.astype("float64"))
                assert np.allclose(np.asarray(cyops.matmul(view, b)), reference, rtol=0, atol=400 * np.finfo(dtype).eps)
            packed = np.array(views_a[1])
            assert np.array_equal(np.asarray(cyops.matmul(views_a[1], b)), np.asarray(cyops.matmul(packed, b)))


def check_guard_pages():
    """No kernel reads or writes beyond the first or last element of an operand, in any orientation."""
    holders = [guarded.Guarded(400 * 400 * 8) for _ in range(4)]
    sizes = ((1, 1, 100), (7, 1, 100), (300, 1, 70), (1, 37, 100), (3, 5, 7), (15, 33, 18), (14, 32, 16), (29, 47, 385),
             (200, 50, 40), (50, 200, 40), (300, 170, 37), (40, 10, 129), (8, 399, 100), (399, 10, 20))
    for dtype in DTYPES:
        for (m, n, k), at_end in itertools.product(sizes, (True, False)):
            rooms = [functools.partial(holder.array, dtype=dtype, at_end=at_end) for holder in holders]
            for place_a, place_b in itertools.product(PLACES, repeat=2):
                a, b = place_a((m, k), rooms[0]), place_b((k, n), rooms[1])
                a[...], b[...] = numbers(a.shape, dtype), numbers(b.shape, dtype)
                bias = rooms[2]((n,))
                bias[...] = numbers(n, dtype)
                out = cyops.Strided(rooms[3]((m, n)))
                cyops.matmul(a, b, out=out)
                assert_close(np.asarray(out), a, b)
                assert_close(cyops.dense(a, b, bias), a, b, bias)


def check_threads():
    """The same bits for any number of threads."""
    for dtype in DTYPES:
        for m, n, k in (
            (300, 300, 300), (128, 500, 784), (33, 900, 784), (64, 64, 64), (600, 100, 800), (700, 1, 3000),
            (1, 1, 300000), (1, 3000, 400), (5, 3000, 300),
        ):
            for lay_a, lay_b in ((numbers, numbers), (transposed, numbers), (numbers, transposed), (sliced, sliced)):
                a, b = lay_a((m, k), dtype), lay_b((k, n), dtype)
                results = set()
                for count in (1, 2, 3, 4, 8):
                    with cyops.set_num_threads(count):
                        results.add(np.asarray(cyops.matmul(a, b)).tobytes())
                assert len(results) == 1, (m, n, k)


def masked(d, y):
    return d if y is None else np.where(y > 0, d, 0).astype(d.dtype)


def check_backward_values():
    """dense_backward over tile edges and depths, into memory that held NaN: products of the masked gradient."""
    for dtype in DTYPES:
        for rows, k, n in itertools.product((0, 1, 5, 40, KC - 1, KC, KC + 1), (0, 1, 3, 20, 300), (0, 1, 2, 33, 200)):
            x, kernel, d = numbers((rows, k), dtype), numbers((k, n), dtype), numbers((rows, n), dtype)
            for y in (None, numbers((rows, n), dtype)):
                z = masked(d, y)
                cyops.full((k, n), np.nan, dtype=dtype)  # what the next tensor's memory held
                dx, dkernel, dbias = cyops.dense_backward(d, x, kernel, y)
                assert_close(dx, z, kernel.T)
                assert_close(dkernel, x.T, z)
                assert_close(dbias[None], np.ones((1, rows), dtype), z)
                alone = cyops.dense_backward(d, y=y)[2]
                assert np.array_equal(np.asarray(dbias), np.asarray(alone)), (rows, k, n)
                old = numbers((k, n), dtype)
                total = cyops.Strided(old.copy())
                assert cyops.dense_backward(d, x, y=y, bias=False, kernel_gradient=total)[1] is total
                assert_close(total, x.T, z, old=old)


def check_backward_layouts():
    """Any strides of any operand, the mask's others than those of what it masks: the bits of contiguous copies, which
    for more than one column are those of the plain products."""
    for dtype in DTYPES:
        for rows, k, n in ((1, 1, 1), (5, 6, 7), (40, 20, 1), (70, 33, 20), (30, 300, 40), (300, 30, 70)):
            for i, lay in enumerate(LAYOUTS):
                others = [LAYOUTS[(i + step) % len(LAYOUTS)] for step in (1, 2, 5)]
                d, y = lay((rows, n), dtype), others[0]((rows, n), dtype)
                x, kernel = others[1]((rows, k), dtype), others[2]((k, n), dtype)
                found = [np.asarray(part) for part in cyops.dense_backward(d, x, kernel, y)]
                copies = [np.array(part, order="C") for part in (d, x, kernel, y)]
                for part, of_copies in zip(found, cyops.dense_backward(*copies), strict=True):
                    assert np.array_equal(part, np.asarray(of_copies)), (rows, k, n, lay)
                if n > 1 and k > 1:
                    z = masked(d, y)
                    assert np.array_equal(found[0], np.asarray(cyops.matmul(z, kernel.T)))
                    assert np.array_equal(found[1], np.asarray(cyops.matmul(x.T, z)))


def check_backward_specials():
    """A mask that is NaN or 0 stops whatever it is laid over, NaN and infinity too; denormals pass."""
    for dtype in DTYPES:
        tiny = np.finfo(dtype).smallest_subnormal
        d = np.array([[np.nan, np.inf, 1, 2, tiny, np.nan, -np.inf]], dtype)
        y = np.array([[0, -1, np.nan, 1, np.inf, tiny, 1]], dtype)
        expected = np.array([0, 0, 0, 2, tiny, np.nan, -np.inf], dtype)
        dx, dkernel, dbias = cyops.dense_backward(d, np.ones((1, 1), dtype), np.eye(7, dtype=dtype)[:1], y)
        assert np.array_equal(np.asarray(dbias), expected, equal_nan=True)
        assert np.array_equal(np.asarray(dkernel)[0], expected, equal_nan=True) and np.isnan(dx.item())


def check_backward_guard_pages():
    holders = [guarded.Guarded(400 * 400 * 8) for _ in range(4)]
    sizes = ((1, 1, 9), (70, 9, 1), (15, 33, 18), (129, 40, 10), (385, 20, 47))
    for dtype, at_end in itertools.product(DTYPES, (True, False)):
        for (rows, k, n), turned in itertools.product(sizes, (False, True)):
            shapes = ((rows, n), (rows, k), (k, n), (rows, n))
            operands = [holder.array(shape[::-1] if turned else shape, dtype, at_end)
                        for holder, shape in zip(holders, shapes, strict=True)]
            operands = [part.T if turned else part for part in operands]
            for part in operands:
                part[...] = numbers(part.shape, dtype)
            d, x, kernel, y = operands
            dx, dkernel, _ = cyops.dense_backward(d, x, kernel, y)
            assert_close(dx, masked(d, y), kernel.T)
            assert_close(dkernel, x.T, masked(d, y))


def check_backward_threads():
    for dtype, (rows, k, n) in itertools.product(DTYPES, ((128, 784, 500), (1000, 70, 1), (3000, 5, 300))):
        x, kernel, d, y = (numbers(shape, dtype) for shape in ((rows, k), (k, n), (rows, n), (rows, n)))
        results = set()
        for count in (1, 2, 3, 4, 8):
            with cyops.set_num_threads(count):
                results.add(b"".join(np.asarray(part).tobytes() for part in cyops.dense_backward(d, x, kernel, y)))
        assert len(results) == 1, (rows, k, n)


def digest_of_products():
    """A digest of products with more than one column: one chain of fused multiply-adds an element."""
    digest = hashlib.sha256()
    rng = np.random.default_rng(1)
    for dtype in DTYPES:
        for m, n, k in ((3, 5, 7), (40, 50, 60), (200, 70, 800), (1, 700, 400), (10, 3000, 50)):
            a, b = rng.random((m, k)).astype(dtype), rng.random((k, n)).astype(dtype)
            digest.update(np.asarray(cyops.matmul(a, b)).tobytes())
    return digest.hexdigest()


CHECKS = (
    check_tile_edges, check_depths, check_layouts, check_outputs, check_batches, check_guard_pages, check_threads,
    check_backward_values, check_backward_layouts, check_backward_specials, check_backward_guard_pages,
    check_backward_threads,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.slow
def test_this_instruction_set(check):
    check()


def run_with(isa, *arguments):
    environment = {**os.environ, "CYOPS_ISA": isa, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, __file__, *arguments], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("isa", ["generic", "avx2", "avx512"])
@pytest.mark.slow
def test_every_instruction_set(isa):
    if isa not in cyops.available_isas():
        pytest.skip(f"this machine has no {isa}")
    if isa == cyops.isa.removesuffix("_bf16"):       # which has the same kernels but for bfloat16
        pytest.skip(f"{isa} is the one that the other tests run")
    assert run_with(isa, "check").split() == [isa]


@pytest.mark.slow
def test_instruction_sets_with_fused_multiply_add_agree_bit_for_bit():
    if "avx512" not in cyops.available_isas():
        pytest.skip("this machine has no avx512")
    assert run_with("avx2", "digest") == run_with("avx512", "digest")


if __name__ == "__main__":
    if sys.argv[1:] == ["digest"]:
        print(digest_of_products())
    else:
        for check in CHECKS:
            check()
        print(cyops.isa)
