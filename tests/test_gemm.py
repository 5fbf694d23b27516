"""The matrix product's kernels: every tile edge, K across its blocks, layouts, guard pages, instruction sets, threads.

Run as a program, this file checks the instruction set that CYOPS_ISA names: the tests do so once for each.
"""
import hashlib
import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
from guarded import Guarded

import cyops
from cyops.contract import add_matmul

KC = 384  # csrc/gemm_problem.h
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


def offset(shape, dtype):
    return numbers((shape[0] + 2, shape[1] + 3), dtype)[1:-1, 2:-1]


def equal_rows(shape, dtype):
    return np.broadcast_to(numbers((1, shape[1]), dtype), shape)


def equal_columns(shape, dtype):
    return np.broadcast_to(numbers((shape[0], 1), dtype), shape)


LAYOUTS = (numbers, transposed, reversed_both, reversed_columns, sliced, offset, equal_rows, equal_columns)
WRITABLE = LAYOUTS[:6]


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
            for m, n in ((1, 1), (1, 40), (40, 1), (3, 5), (15, 33), (30, 100), (270, 35)):
                a, b, bias = numbers((m, k), dtype), numbers((k, n), dtype), numbers(n, dtype)
                assert_close(cyops.matmul(a, b), a, b)
                assert_close(cyops.dense(a, b, bias), a, b, bias)


def check_layouts():
    """Every pair of layouts: the bits are those of contiguous copies. Sizes on each side of every packing decision."""
    small = ((1, 1, 70), (1, 70, 33), (70, 1, 33), (5, 6, 7), (30, 45, 20))
    large = ((150, 200, 70), (300, 40, 400), (20, 600, 400), (600, 10, 70))
    for dtype in DTYPES:
        for m, n, k in small + large:
            for lay_a, lay_b in itertools.product(LAYOUTS if (m, n, k) in small else LAYOUTS[:5], repeat=2):
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
    holders = [Guarded(400 * 400 * 8) for _ in range(4)]
    sizes = ((1, 1, 100), (7, 1, 100), (300, 1, 70), (1, 37, 100), (3, 5, 7), (15, 33, 18), (14, 32, 16), (29, 47, 385),
             (200, 50, 40), (50, 200, 40), (300, 170, 37), (40, 10, 129), (8, 399, 100))
    for dtype in DTYPES:
        for (m, n, k), at_end in itertools.product(sizes, (True, False)):
            for turn_a, turn_b in itertools.product((False, True), repeat=2):
                a = holders[0].array((k, m) if turn_a else (m, k), dtype, at_end)
                b = holders[1].array((n, k) if turn_b else (k, n), dtype, at_end)
                a[...], b[...] = numbers(a.shape, dtype), numbers(b.shape, dtype)
                a, b = (a.T if turn_a else a), (b.T if turn_b else b)
                bias = holders[2].array((n,), dtype, at_end)
                bias[...] = numbers(n, dtype)
                out = cyops.Strided(holders[3].array((m, n), dtype, at_end))
                cyops.matmul(a, b, out=out)
                assert_close(np.asarray(out), a, b)
                assert_close(cyops.dense(a, b, bias), a, b, bias)


def check_threads():
    """The same bits for any number of threads."""
    for dtype in DTYPES:
        for m, n, k in (
            (300, 300, 300), (128, 784, 500), (700, 1, 3000), (1, 1, 300000), (1, 3000, 400), (5, 3000, 300),
        ):
            for lay_a, lay_b in ((numbers, numbers), (transposed, numbers), (numbers, transposed), (sliced, sliced)):
                a, b = lay_a((m, k), dtype), lay_b((k, n), dtype)
                results = set()
                for count in (1, 2, 3, 4, 8):
                    with cyops.set_num_threads(count):
                        results.add(np.asarray(cyops.matmul(a, b)).tobytes())
                assert len(results) == 1, (m, n, k)


def digest_of_products():
    """A digest of products with more than one column: one chain of fused multiply-adds an element."""
    digest = hashlib.sha256()
    rng = np.random.default_rng(1)
    for dtype in DTYPES:
        for m, n, k in ((3, 5, 7), (40, 50, 60), (200, 70, 800), (1, 700, 400), (10, 3000, 50)):
            a, b = rng.random((m, k)).astype(dtype), rng.random((k, n)).astype(dtype)
            digest.update(np.asarray(cyops.matmul(a, b)).tobytes())
    return digest.hexdigest()


CHECKS = (check_tile_edges, check_depths, check_layouts, check_outputs, check_batches, check_guard_pages, check_threads)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
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
def test_every_instruction_set(isa):
    if isa not in cyops.available_isas():
        pytest.skip(f"this machine has no {isa}")
    if isa == cyops.isa:
        pytest.skip(f"{isa} is the one that the other tests run")
    assert run_with(isa, "check").split() == [isa]


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
