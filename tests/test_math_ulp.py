"""How far the math functions are from the exact values, in units in the last place (ULP), on every instruction set.

float32 functions are evaluated at every 257th of all bit patterns and compared with float64; float64 functions at
random points, compared with long double. The error is |result - exact| in spacings of the floats around the exact
value. Run as a script, this file does the same for the instruction set in use; with the argument 1, as `make ulp` does,
exp, log, tanh and sigmoid at every float32 and pow at 1e8 pairs.
"""
import itertools
import math
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import cyops
from cyops.strided import elementwise_rows

# The stated bounds, from the table of ops: for float32 and float64, with fused multiply-add, and without it.
ULPS = {row[0]: row[-1] for row in elementwise_rows()}
BOUNDS = {name: ulps[:2] for name, ulps in ULPS.items()}
BOUNDS_WITHOUT_FMA = {name: ulps[2:] for name, ulps in ULPS.items()}
SWEPT = ("exp", "log", "tanh", "sigmoid")       # at every float32 by `make ulp`
CHUNK = 1 << 20


def sigmoid(x):
    power = np.exp(-np.abs(x))
    return np.where(x < 0, power, 1) / (1 + power)


def erf(x):
    """libm's for float64; for long double 2 / sqrt(pi) e^-x^2 sum of 2^n x^(2n+1) / (1 * 3 * ... * (2n+1)), whose terms
    have one sign, so that none cancels.
    """
    if x.dtype == np.float64:
        return np.array([math.erf(value) for value in x])
    x = np.clip(x, -6.5, 6.5)
    term = total = x
    for n in range(1, 200):
        term = term * (2 * x * x / (2 * n + 1))
        total = total + term
    return total * np.exp(-x * x) * 2 / np.sqrt(np.longdouble("3.14159265358979323846264338327950288"))


REFERENCES = {
    "exp": np.exp, "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "tanh": np.tanh, "sigmoid": sigmoid, "erf": erf,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
}
OF_PAIRS = ("pow", "atan2")


def ulps(actual, exact):
    """The largest error; infinite where one is NaN or infinite and the other, rounded, is something else."""
    rounded = exact.astype(actual.dtype)
    is_finite = np.isfinite(rounded)
    agrees = np.where(np.isnan(rounded), np.isnan(actual), actual == rounded)
    # Beyond the largest float, one spacing above it counts as infinity.
    if not np.all(agrees | is_finite):
        return np.inf
    error = np.abs(actual[is_finite].astype(exact.dtype) - exact[is_finite]) / np.spacing(np.abs(rounded[is_finite]))
    return float(np.max(np.nan_to_num(error, nan=np.inf), initial=0.0))


def worst_of_float32(name, step):
    kernel, reference = cyops.OPS[name].kernel, REFERENCES[name]
    worst = 0.0
    for start in range(0, 1 << 32, CHUNK * step):
        bits = np.arange(start, min(start + CHUNK * step, 1 << 32), step, dtype=np.uint64)
        x = bits.astype(np.uint32).view(np.float32)
        with np.errstate(all="ignore"):
            worst = max(worst, ulps(np.asarray(kernel(x)), reference(x.astype(np.float64))))
    return worst


def worst_of_float64(name):
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.normal(size=100_000) * scale for scale in (1e-300, 1e-8, 0.1, 1, 10, 100, 1000)])
    x = np.concatenate([x, rng.integers(0, 1 << 64, 200_000, dtype=np.uint64).view(np.float64)])
    with np.errstate(all="ignore"):
        return ulps(np.asarray(cyops.OPS[name].kernel(x)), REFERENCES[name](x.astype(np.longdouble)))


def worst_of_pow(pairs, dtype, wider):
    """pow at random bit patterns with exponents that keep a good part of the results finite."""
    rng = np.random.default_rng(2)
    worst = 0.0
    for _ in range(0, pairs, CHUNK):
        x = rng.integers(0, 1 << 64, CHUNK, dtype=np.uint64).view(dtype)[:CHUNK]
        y = (rng.normal(size=CHUNK) * 10.0 ** rng.integers(-3, 4, CHUNK)).astype(dtype)
        y[::3] = np.rint(y[::3])
        x[::2] = (np.abs(rng.normal(size=CHUNK)) * 10.0 ** rng.integers(-2, 3, CHUNK)).astype(dtype)[::2]
        with np.errstate(all="ignore"):
            worst = max(worst, ulps(np.asarray(cyops.pow(x, y)), np.power(x.astype(wider), y.astype(wider))))
    return worst


def worst_of_atan2(pairs, dtype, wider):
    """atan2 at points in every direction, some of them beside an axis, and at random bit patterns."""
    rng = np.random.default_rng(2)
    worst = 0.0
    for _ in range(0, pairs, CHUNK):
        y, x = (rng.normal(size=CHUNK) * 10.0 ** rng.integers(-3, 4, CHUNK) for _ in range(2))
        y, x = y.astype(dtype), x.astype(dtype)
        y[::5] = rng.integers(0, 1 << 64, CHUNK, dtype=np.uint64).view(dtype)[:CHUNK][::5]
        x[::7] = rng.integers(0, 1 << 64, CHUNK, dtype=np.uint64).view(dtype)[:CHUNK][::7]
        with np.errstate(all="ignore"):
            worst = max(worst, ulps(np.asarray(cyops.atan2(y, x)), np.arctan2(y.astype(wider), x.astype(wider))))
    return worst


def report(step):
    """Prints a line per function and dtype; returns whether all are within the stated bounds."""
    bounds = BOUNDS_WITHOUT_FMA if cyops.isa == "generic" else BOUNDS
    rows = [(name, "float32", worst_of_float32(name, step if name in SWEPT else 257), bounds[name][0])
            for name in REFERENCES]
    rows += [(name, "float64", worst_of_float64(name), bounds[name][1]) for name in REFERENCES]
    rows.append(("pow", "float32", worst_of_pow(1 << 21 if step > 1 else 100_000_000, "float32", "float64"),
                 bounds["pow"][0]))
    rows.append(("pow", "float64", worst_of_pow(1 << 19 if step > 1 else 10_000_000, "float64", "longdouble"),
                 bounds["pow"][1]))
    rows += [("atan2", "float32", worst_of_atan2(1 << 21, "float32", "float64"), bounds["atan2"][0]),
             ("atan2", "float64", worst_of_atan2(1 << 20, "float64", "longdouble"), bounds["atan2"][1])]
    for name, dtype, worst, bound in rows:
        print(f"{cyops.isa:8} {name:8} {dtype} {worst:.4f} ULP, stated {bound}{'' if worst <= bound else '  EXCEEDED'}")
    return all(worst <= bound for _, _, worst, bound in rows)


def test_every_op_with_a_bound_of_its_own_is_measured():
    """What is not said to be rounded once must be in the report."""
    assert {name for name, ulps in ULPS.items() if ulps != (0.5,) * 4} == {*REFERENCES, *OF_PAIRS}


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "sqrt", "square", "reciprocal"])
def test_what_is_said_to_be_rounded_once_is(name):
    """float32 against float64, whose own rounding is 2^-29 of a spacing."""
    rng = np.random.default_rng(3)
    operands = [(rng.normal(size=100_000) * 10.0 ** rng.integers(-6, 7, 100_000)).astype("float32") for _ in range(2)]
    operands = [np.abs(x) for x in operands[: len(cyops.OPS[name].parameters) - 1]]
    exact = getattr(np, name)(*[x.astype("float64") for x in operands])
    worst = ulps(np.asarray(cyops.OPS[name].kernel(*operands)), exact)
    assert worst <= ULPS[name][0] + 2.0**-20


def test_the_page_on_accuracy_states_the_bounds_of_the_table():
    page = (Path(__file__).parent.parent / "docs" / "accuracy.md").read_text()
    table = page.partition("<!-- bounds -->")[2].partition("<!-- end -->")[0]
    header, _, *rows = [line.split("|")[1:-1] for line in table.splitlines() if line.startswith("|")]
    assert [title.strip() for title in header[1:]] == ["float32", "float64", "float32, generic", "float64, generic"]
    stated = {row[0].strip(): tuple(map(float, row[1:])) for row in rows}
    assert stated == {name: ULPS[name] for name in (*REFERENCES, *OF_PAIRS)}


@pytest.mark.parametrize("isa", ["generic", "avx2", "avx512"])
@pytest.mark.slow
def test_errors_are_within_the_stated_bounds(isa):
    if isa not in cyops.available_isas():
        pytest.skip(f"this machine has no {isa}")
    run = subprocess.run([sys.executable, __file__, "257"], env={**os.environ, "CYOPS_ISA": isa}, capture_output=True,
                         text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_special_values():
    for dtype in ("float32", "float64"):
        x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0], dtype)
        with np.errstate(all="ignore"):
            for name in ("exp", "expm1", "log", "log1p", "tanh"):
                actual, expected = np.asarray(cyops.OPS[name].kernel(x)), getattr(np, name)(x)
                np.testing.assert_allclose(actual, expected, rtol=1e-6, err_msg=name)
                where = expected == 0
                np.testing.assert_array_equal(np.signbit(actual[where]), np.signbit(expected[where]), err_msg=name)
    assert cyops.exp(np.array([88.72, 88.73, -103.9, -104.1], "float32")).tolist()[1:] == [np.inf, 2.0**-149, 0.0]
    assert cyops.tanh([20.0, -20.0]).tolist() == [1.0, -1.0]
    assert cyops.sigmoid([200.0, -200.0]).tolist() == [1.0, 0.0]


NUMPY = {"asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "asinh": np.arcsinh, "acosh": np.arccosh,
         "atanh": np.arctanh}
ANGLES = ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ANGLES)
def test_special_values_of_angles(name, dtype):
    info = np.finfo(dtype)
    x = [0, 1e-30, info.tiny, info.smallest_subnormal, 0.5, 1, 1 + info.eps, 2, 89, 710.4, info.max, np.inf]
    x = np.array([*x, *np.negative(x), np.nan], dtype)
    with np.errstate(all="ignore"):
        actual, expected = np.asarray(cyops.OPS[name].kernel(x)), NUMPY.get(name, getattr(np, name, None))(x)
    np.testing.assert_allclose(actual, expected, rtol=4 * info.eps, atol=info.smallest_subnormal)
    number = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(actual[number]), np.signbit(expected[number]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_atan2_of_every_special_pair(dtype):
    info = np.finfo(dtype)
    special = [0.0, 0.5, 1.0, 3.0, info.max, info.max / 2, info.tiny, info.smallest_subnormal, np.inf]
    values = np.array([*special, *[-value for value in special], np.nan], dtype)
    y, x = (grid.ravel() for grid in np.meshgrid(values, values))
    actual, expected = np.asarray(cyops.atan2(y, x)), np.arctan2(y, x)
    np.testing.assert_allclose(actual, expected, rtol=4 * info.eps, atol=info.smallest_subnormal)
    number = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(actual[number]), np.signbit(expected[number]))


def test_angles_next_to_multiples_of_half_pi_keep_their_digits():
    """Of the doubles closest to n pi / 2 the sine or cosine is what is left of n pi / 2, in digits that Python has."""
    half_pi = 157079632679489661923132169163975144209858469968755291                # times 10^53
    n = np.arange(1, 15_900)
    x = n * (np.pi / 2)
    rest = np.array([float(Fraction(float(at)) - Fraction(int(k) * half_pi, 10**53))
                     for at, k in zip(x, n, strict=True)])
    small = np.where(n % 2 == 0, np.abs(np.asarray(cyops.sin(x))), np.abs(np.asarray(cyops.cos(x))))
    assert np.max(np.abs(small - np.abs(rest)) / np.spacing(np.abs(rest))) <= 1.0


def test_large_angles_have_the_same_bits_beside_any_others():
    """Those that are left to libm, alone and among small ones."""
    for dtype in ("float32", "float64"):
        x = np.array([1e10, 3.0, -2.5e7, 1e300 if dtype == "float64" else 1e30, 24999.0, 25001.0, 1.7e6], dtype)
        mixed = np.zeros(600, dtype)
        mixed[::100][: len(x)] = x[:6]
        for name, reference in (("sin", np.sin), ("cos", np.cos), ("tan", np.tan)):
            kernel = cyops.OPS[name].kernel
            alone = np.concatenate([np.asarray(kernel(x[i : i + 1])) for i in range(len(x))])
            np.testing.assert_allclose(alone, reference(x.astype("float64")), rtol=3 * np.finfo(dtype).eps)
            assert np.asarray(kernel(x)).tobytes() == alone.tobytes()
            assert np.asarray(kernel(mixed))[::100].tobytes() == alone[:6].tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pow_of_every_special_pair(dtype):
    info = np.finfo(dtype)
    special = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 2.0**24 - 1, 2.0**25, info.max, info.tiny, info.tiny / 8, np.inf]
    values = np.array([*special, *[-value for value in special], np.nan], dtype)
    a, b = (grid.ravel() for grid in np.meshgrid(values, values))
    with np.errstate(all="ignore"):
        expected = np.power(a.astype("float64"), b.astype("float64")).astype(dtype)
    actual = np.asarray(cyops.pow(a, b))
    np.testing.assert_allclose(actual, expected, rtol=2 * info.eps, atol=info.smallest_subnormal)
    number = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(actual[number]), np.signbit(expected[number]))


def test_pow_of_a_scalar_exponent_is_pow():
    x = np.random.default_rng(3).normal(size=1000).astype("float32")
    for exponent, dtype in itertools.product((0, 1, 2, 3, -1, 0.5), ("float32", "float64")):
        with np.errstate(all="ignore"):
            expected = np.power(x.astype(dtype), np.full(1000, exponent, dtype))
        np.testing.assert_allclose(np.asarray(cyops.Strided(x.astype(dtype)) ** exponent), expected,
                                   rtol=2 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("exponent", [-1, 0.5, 2, 3])
def test_a_power_with_a_loop_of_its_own_is_within_the_bound_of_pow(exponent, dtype):
    info = np.finfo(dtype)
    special = [0.0, 0.5, 1.0, 1.5, info.max, info.tiny, info.tiny / 8, info.smallest_subnormal, np.inf, np.nan]
    rng = np.random.default_rng(4)
    x = np.concatenate([special, np.negative(special), rng.normal(size=1000) * 10.0 ** rng.integers(-12, 12, 1000)])
    x = x.astype(dtype)
    wider = np.float64 if dtype == "float32" else np.longdouble
    bounds = BOUNDS_WITHOUT_FMA if cyops.isa == "generic" else BOUNDS
    with np.errstate(all="ignore"):
        exact = np.power(x.astype(wider), np.full(x.shape, exponent, wider))
    for actual in (cyops.Strided(x) ** exponent, cyops.pow(x, np.array(exponent, dtype))):
        actual = np.asarray(actual)
        with np.errstate(all="ignore"):
            assert ulps(actual, exact) <= bounds["pow"][dtype == "float64"]
        number = ~np.isnan(exact)
        np.testing.assert_array_equal(np.signbit(actual[number]), np.signbit(exact[number]))


def test_a_power_by_a_broadcast_exponent_has_the_bits_of_its_copy():
    x = np.random.default_rng(5).uniform(0, 3, 1000).astype("float32")
    for exponent in (0.5, 3):
        repeated = np.broadcast_to(np.float32(exponent), x.shape)
        assert np.asarray(cyops.pow(x, repeated)).tobytes() == np.asarray(cyops.pow(x, repeated.copy())).tobytes()


if __name__ == "__main__":
    sys.exit(0 if report(int(sys.argv[1])) else 1)
