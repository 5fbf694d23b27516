"""Reductions over the cross of layouts, axes and dtypes against NumPy in higher precision; the rules at the door."""
import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
from layouts import LAYOUTS

import cyops

SIGNED = ["int8", "int16", "int32", "int64"]
UNSIGNED = ["uint8", "uint16", "uint32", "uint64"]
INTEGERS = ["bool", *SIGNED, *UNSIGNED]
FLOATING = ["float16", "float32", "float64"]
# Around the lengths at which a kernel changes its way: 16 elements, 64 lanes, blocks of 128 rows and of 1024 elements.
SHAPES = [
    (), (1,), (5,), (16,), (63,), (65,), (1024,), (1025,), (3000,), (3, 4), (300, 15), (5, 1024),
    (4, 1000), (1000, 4), (129, 70), (1, 7), (7, 1), (3, 4, 5), (2, 300, 60), (130, 2, 9), (3, 2, 1, 4, 2),
]


def draw(rng, shape, dtype):
    if dtype == "bool":
        return np.asarray(rng.random(shape) < 0.7)
    if dtype in FLOATING:
        return np.asarray(rng.normal(size=shape) * 3).astype(dtype)
    return np.asarray(rng.integers(0 if dtype in UNSIGNED else -9, 9, size=shape)).astype(dtype)


def cases(dtypes, shapes=SHAPES):
    rng = np.random.default_rng(3)
    for dtype, shape in itertools.product(dtypes, shapes):
        values = draw(rng, shape, dtype)
        for name, layout in LAYOUTS.items():
            x = layout(values)
            for count in range(x.ndim + 1):
                for axes in itertools.combinations(range(x.ndim), count):
                    yield f"{dtype} {shape} {name} axes {axes}", x, np.array(np.asarray(x)), axes


def result_dtype(x):
    return {"f": x.dtype, "u": np.dtype("uint64")}.get(x.dtype.kind, np.dtype("int64"))


def assert_near(got, expected, bound, case):
    """`bound` is the largest error allowed for each element."""
    got = np.asarray(got)
    assert got.shape == np.shape(expected), case
    assert (np.abs(got.astype(np.longdouble) - expected) <= bound).all(), f"{case}: {got} {expected}"


@pytest.mark.slow
def test_sums_and_means_of_floats_are_accurate_in_every_layout():
    for case, x, values, axes in cases(FLOATING):
        exact = values.astype(np.longdouble)
        eps = np.finfo(values.dtype).eps
        count = exact.size / max(exact.sum(axis=axes).size, 1)
        tolerance = 8 * eps * np.abs(exact).sum(axis=axes)
        got = cyops.sum(x, axis=axes)
        assert got.dtype == values.dtype, case
        assert_near(got, exact.sum(axis=axes), tolerance, case)
        assert_near(cyops.mean(x, axis=axes), exact.mean(axis=axes), tolerance / count, case)


@pytest.mark.slow
def test_variances_are_accurate_in_every_layout():
    for case, x, values, axes in cases(FLOATING):
        exact = values.astype(np.longdouble)
        tolerance = 8 * np.finfo(values.dtype).eps * ((exact**2).mean(axis=axes) + 1)
        assert_near(cyops.var(x, axis=axes), exact.var(axis=axes), tolerance, case)
        assert_near(cyops.std(x, axis=axes)**2, exact.var(axis=axes), tolerance, case)


@pytest.mark.slow
def test_integers_reduce_exactly_in_every_layout():
    for case, x, values, axes in cases(INTEGERS):
        total = cyops.sum(x, axis=axes)
        assert total.dtype == result_dtype(values), case
        np.testing.assert_array_equal(total, values.sum(axis=axes), case)
        np.testing.assert_array_equal(cyops.prod(x, axis=axes), values.prod(axis=axes), case)
        mean = cyops.mean(x, axis=axes)
        assert mean.dtype == np.float32, case
        np.testing.assert_array_equal(mean, values.mean(axis=axes).astype(np.float32), case)


@pytest.mark.slow
def test_extremes_and_truth_in_every_layout():
    for case, x, values, axes in cases(["bool", "int8", "uint64", *FLOATING]):
        for ours, numpys in ((cyops.max, np.max), (cyops.min, np.min), (cyops.any, np.any), (cyops.all, np.all)):
            got = ours(x, axis=axes)
            expected = numpys(values, axis=axes)
            assert got.dtype == expected.dtype, case
            np.testing.assert_array_equal(got, expected, case)


def test_positions_of_extremes_are_the_first_in_every_layout():
    rng = np.random.default_rng(4)
    for dtype, shape in itertools.product(["bool", "int16", "uint8", *FLOATING], SHAPES):
        values = np.round(draw(rng, shape, dtype))          # many equal extremes
        variants = [values]
        if dtype in FLOATING and values.size:
            with_nan = values.copy()
            with_nan.reshape(-1)[rng.integers(0, values.size, 1 + values.size // 40)] = np.nan
            variants.append(with_nan)
        for variant, (name, layout) in itertools.product(variants, LAYOUTS.items()):
            x = layout(variant)
            for axis in (None, *range(len(shape))):
                for ours, numpys in ((cyops.argmax, np.argmax), (cyops.argmin, np.argmin)):
                    got, expected = ours(x, axis=axis), numpys(np.asarray(x), axis=axis)
                    np.testing.assert_array_equal(got, expected, f"{dtype} {shape} {name} axis {axis}")
                    assert got.dtype == np.int64


def test_positions_in_long_sequences():
    """One result from many blocks and chunks; extremes at their borders, several times, and NaN."""
    n = 300_000
    for dtype in ("float32", "float64", "int32", "uint8", "bool"):
        x = np.zeros(n, dtype)
        for first in (0, 1023, 1024, 65_535, 65_536, 131_071, n - 1):
            x[[first, n - 1]] = 1
            assert cyops.argmax(x).item() == first and cyops.argmin(1 - x.astype("int8")).item() == first
            x[first] = 0
    x = np.random.default_rng(7).normal(size=(3, n // 3)).astype("float32")
    np.testing.assert_array_equal(cyops.argmax(x, axis=1), x.argmax(axis=1))
    x[1, [700, 90_000]] = np.nan
    np.testing.assert_array_equal(cyops.argmin(x, axis=1), x.argmin(axis=1))
    assert cyops.argmax(np.full(1000, -np.inf)).item() == 0


def test_truth_is_found_wherever_it_lies():
    for n in (1000, 5000, 700_000):
        for first in {0, 1, 900, n // 2, n - 1}:
            x = np.zeros(n, bool)
            assert not cyops.any(x).item() and cyops.all(~x).item()
            x[first] = True
            assert cyops.any(x).item() and not cyops.all(~x).item()
            numbers = cyops.Strided(x.astype("float32"))
            assert cyops.any(numbers[::-1]).item() and not cyops.all(numbers).item()
    x = np.zeros((3, 400_000), bool)
    x[1, 399_999] = True
    assert cyops.any(x, axis=1).tolist() == [False, True, False] and cyops.any(x.T, axis=0).tolist()[1]


def test_axes_of_stride_0_count_as_often_as_they_are_long():
    row = np.array([1.5, -2.0, 0.25], np.float32)
    x = cyops.broadcast_to(cyops.Strided(row), (5, 4, 3))
    copy = np.broadcast_to(row, (5, 4, 3))
    for axis in (None, 0, (0, 1), (0, 2), -1):
        for name in ("sum", "mean", "max", "min", "prod"):
            np.testing.assert_array_equal(getattr(cyops, name)(x, axis=axis), getattr(np, name)(copy, axis=axis))
        np.testing.assert_allclose(cyops.var(x, axis=axis, correction=0.5), copy.astype("f8").var(axis=axis, ddof=0.5),
                                   rtol=1e-6)
    assert cyops.sum(cyops.broadcast_to(cyops.Strided(np.int8(3)), (1000, 1000))).item() == 3_000_000
    assert cyops.any(cyops.broadcast_to(cyops.Strided(np.False_), (1000, 1000))).item() is False
    tenth = np.float32(0.1)
    exact = np.float32(tenth * np.float64(10**9))
    assert cyops.sum(cyops.broadcast_to(cyops.Strided(tenth), (10**9,))).item() == exact


def test_nan_and_infinity_spread_as_in_numpy():
    for special in (np.nan, np.inf, -np.inf):
        values = np.random.default_rng(5).normal(size=(9, 1500)).astype(np.float32)
        values[4, 700] = special
        for layout, axis in itertools.product(LAYOUTS.values(), (None, 0, 1)):
            x = layout(values)
            array = np.asarray(x)
            for ours, numpys in ((cyops.max, np.max), (cyops.min, np.min)):
                np.testing.assert_array_equal(ours(x, axis=axis), numpys(array, axis=axis))
            for ours, numpys in ((cyops.sum, np.sum), (cyops.mean, np.mean), (cyops.prod, np.prod)):
                with np.errstate(all="ignore"):
                    finite = np.isfinite(numpys(array.astype(np.float64), axis=axis))
                np.testing.assert_array_equal(np.isfinite(np.asarray(ours(x, axis=axis, dtype="float64"))), finite)


def test_long_float32_sums_lose_little_along_every_axis():
    ones = np.full((300_000, 7), 0.1, np.float32)
    exact = 300_000 * float(np.float32(0.1))
    for x, axis in ((cyops.Strided(ones), 0), (cyops.Strided(np.ascontiguousarray(ones.T)), 1)):
        np.testing.assert_allclose(cyops.sum(x, axis=axis), exact, rtol=3e-7)
        np.testing.assert_allclose(cyops.mean(x, axis=axis), np.float32(0.1), rtol=3e-7)


def test_a_large_mean_costs_the_variance_no_digits():
    values = (1e4 + np.random.default_rng(6).normal(size=20_000)).astype(np.float32)
    assert abs(cyops.var(values).item() / values.astype(np.float64).var() - 1) < 1e-5
    assert abs(cyops.var(values, correction=1).item() / values.astype(np.float64).var(ddof=1) - 1) < 1e-5


def test_keepdims_and_dtype_and_out():
    x = np.arange(24.0, dtype=np.float32).reshape(2, 3, 4)
    assert cyops.sum(x, axis=(0, -1), keepdims=True).shape == (1, 3, 1)
    assert cyops.argmax(x, axis=1, keepdims=True).shape == (2, 1, 4)
    assert cyops.sum(x, dtype="float64").dtype == np.float64
    assert cyops.sum(x, dtype="int32").item() == 276
    out = cyops.Strided(np.zeros((4, 2), np.float32))
    assert cyops.sum(x, axis=1, out=cyops.permute_dims(out)) is not None
    np.testing.assert_array_equal(out, x.sum(axis=1).T)
    y = cyops.Strided(np.ones((3, 3), np.float32))
    cyops.sum(y, axis=0, out=y[1])                           # out lies inside the input
    assert y.tolist() == [[1.0] * 3, [3.0] * 3, [1.0] * 3]


def test_reductions_of_nothing():
    assert cyops.sum(np.zeros((0, 3)), axis=0).tolist() == [0.0] * 3
    assert cyops.prod(np.zeros((0, 3), int), axis=0).tolist() == [1] * 3
    assert np.isnan(cyops.mean(np.zeros(0, np.float32)).item())
    assert np.isnan(cyops.var(np.zeros((0, 2)), axis=0).tolist()).all()
    assert np.isnan(cyops.mean(np.zeros(0, int)).item())
    assert not cyops.any(np.zeros(0)).item() and cyops.all(np.zeros(0)).item()
    assert cyops.max(np.zeros((0, 3)), axis=1).shape == (0,)
    assert cyops.sum(np.zeros((3, 0)), axis=()).shape == (3, 0)
    with np.errstate(all="ignore"):
        assert np.isnan(cyops.var(np.ones(1), correction=1).item())


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: cyops.max(np.zeros((0, 3)), axis=0), ValueError,
     r"max: needs at least one element along axis 0; got shape \(0, 3\)"),
    (lambda: cyops.argmin(np.zeros((2, 0))), ValueError,
     r"argmin: needs at least one element along axis 1; got shape \(2, 0\)"),
    (lambda: cyops.sum(np.zeros(3), axis=1), IndexError, "sum: axis 1 is out of range for 1 axes"),
    (lambda: cyops.sum(np.zeros((3, 3)), axis=(0, -2)), ValueError, r"sum: axis 0 is named twice in \(0, -2\)"),
    (lambda: cyops.sum(np.zeros(3), axis=0.5), TypeError, "sum: axis must be an integer; got 0.5"),
    (lambda: cyops.argmax(np.zeros(3), axis=(0,)), TypeError, r"argmax: axis must be an integer or None; got \(0,\)"),
    (lambda: cyops.sum(np.array(["a"])), TypeError, "sum: needs numbers; got dtype <U1"),
    (lambda: cyops.var(np.zeros(3), correction=np.nan), ValueError, "var: correction must be finite; got nan"),
    (lambda: cyops.std(np.zeros(3), correction=-np.inf), ValueError, "std: correction must be finite; got -inf"),
    (lambda: cyops.std(np.zeros(3), correction="1"), TypeError, "std: correction must be a number; got '1'"),
    (lambda: cyops.mean(np.zeros(3), dtype="int32"), TypeError, "mean: the result must be floating; got dtype int32"),
    (lambda: cyops.sum(np.zeros(3), dtype="U3"), TypeError, "sum: needs numbers; got dtype <U3"),
    (lambda: cyops.sum(np.zeros((2, 3)), axis=0, out=cyops.Strided([0.0])), ValueError,
     r"sum: out must have the shape of the result; got out \(1,\), result \(3,\)"),
    (lambda: cyops.sum(np.zeros(3), out=cyops.Strided(np.zeros((), "int8"))), TypeError,
     "sum: out of dtype int8 cannot hold a result of dtype float64; cast the result with astype"),
    (lambda: cyops.sum(np.zeros(3), out=np.zeros(())), TypeError, "sum: out must be a tensor; got ndarray"),
])
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


BITS = """
import cyops, hashlib, numpy as np
rng = np.random.default_rng(7)
x = rng.normal(size=(1500, 1111)).astype("float32")
views = [x, x.T, x[::2, ::3], x[:, :5], np.ascontiguousarray(x[:, :3]), x[::-1], x.astype("float64")[:400]]
digest = hashlib.sha256()
for threads in THREADS:
    cyops.set_num_threads(threads)
    once = hashlib.sha256()
    for view in map(cyops.Strided, views):
        for axis in (None, 0, 1):
            for reduce in (cyops.sum, cyops.mean, cyops.var, cyops.max, cyops.argmax):
                once.update(np.ascontiguousarray(reduce(view, axis=axis)).tobytes())
    digest = digest if threads > 1 else once
    assert once.digest() == digest.digest(), threads
print(digest.hexdigest())
"""


@pytest.mark.slow
def test_the_bits_are_the_same_for_any_threads_and_instruction_set():
    digests = set()
    for isa in cyops.available_isas():
        code = BITS.replace("THREADS", "(1, 2, 3, 8)")
        run = subprocess.run([sys.executable, "-c", code], env={**os.environ, "CYOPS_ISA": isa}, text=True,
                             capture_output=True)
        assert run.returncode == 0, run.stderr
        digests.add(run.stdout)
    assert len(digests) == 1


@pytest.mark.parametrize("dtype", ["float16", "int8", "int64", "uint8", "float32"])
def test_std_takes_the_root_before_it_rounds(dtype):
    values = np.array([100, 20, 5, 125] if dtype != "float16" else [1000, 2000, 3000], dtype)
    expected = np.std(values.astype(np.float64))
    result = cyops.std(values)
    assert result.dtype == (dtype if dtype.startswith("f") else "float32")
    assert float(result) == np.asarray(expected).astype(result.dtype)
    assert float(cyops.std(np.array([0, 4 * 10**18]))) == np.float32(2e18)


def test_numpy_functions_of_a_tensor_are_its_methods():
    import cytensor as ct

    values = np.random.default_rng(0).standard_normal((4, 5)).astype(np.float32)
    x = ct.asarray(values)
    for function in (np.std, np.var):
        for options in ({}, {"ddof": 1}, {"axis": 0}, {"axis": (0, 1), "keepdims": True}, {"dtype": "float64"}):
            got, expected = function(x, **options), function(values.astype(np.float64), **options)
            assert isinstance(got, ct.Tensor) and got.shape == expected.shape
            np.testing.assert_allclose(got.numpy(), expected, rtol=1e-6)
    for function in (np.all, np.any):
        for options in ({}, {"axis": 1}, {"axis": 0, "keepdims": True}):
            np.testing.assert_array_equal(function(x > 0, **options), function(values > 0, **options))
    for function in (np.sum, np.mean, np.max, np.min, np.prod, np.median, np.argmax, np.argmin, np.ptp, np.cumsum):
        np.testing.assert_allclose(np.asarray(function(x, axis=1)), function(values, axis=1), rtol=1e-5)
    out = cyops.zeros(5)
    assert np.std(x, axis=0, out=out) is out and np.allclose(out, values.std(axis=0))
    with pytest.raises(TypeError, match="give correction, or ddof, which means the same"):
        x.var(ddof=1, correction=1)
    with ct.GradientTape() as tape:
        tape.watch(x)
        y = np.std(x)
    np.testing.assert_allclose(tape.gradient(y, x), (values - values.mean()) / (20 * values.std()), atol=1e-6)
