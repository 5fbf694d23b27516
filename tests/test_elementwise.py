"""Every elementwise op over the cross of layouts, shapes and dtypes, against NumPy; and the rules at the door."""
import itertools
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from layouts import LAYOUTS, values_of

import cyops

SIGNED = ["int8", "int16", "int32", "int64"]
UNSIGNED = ["uint8", "uint16", "uint32", "uint64"]
FLOATING = ["float32", "float64"]
NUMBER = SIGNED + UNSIGNED + FLOATING
ANY = ["bool", *NUMBER]
SHAPES = [(), (1,), (0, 3), (7,), (4, 5), (1, 3, 1), (2, 3, 4, 3), (67, 35)]


def relu(x):
    return np.maximum(x, np.zeros((), x.dtype))


def floor_divide(a, b):
    with np.errstate(all="ignore"):
        return np.floor_divide(a, b)


def remainder(a, b):
    with np.errstate(all="ignore"):
        return np.remainder(a, b)


# name -> (reference, dtypes). IEEE arithmetic and comparison have one right answer, so the results must be equal.
EXACT = {
    "add": (np.add, ANY), "subtract": (np.subtract, NUMBER), "multiply": (np.multiply, ANY),
    "divide": (np.divide, FLOATING), "floor_divide": (floor_divide, NUMBER), "remainder": (remainder, NUMBER),
    "maximum": (np.maximum, ANY), "minimum": (np.minimum, ANY), "negative": (np.negative, NUMBER), "abs": (np.abs, ANY),
    "sign": (np.sign, NUMBER), "square": (np.square, NUMBER), "reciprocal": (lambda x: 1 / x, FLOATING),
    "floor": (np.floor, FLOATING), "ceil": (np.ceil, FLOATING), "round": (np.rint, FLOATING), "relu": (relu, ANY),
    "relu_gradient": (lambda d, y: np.where(y > 0, d, np.zeros((), d.dtype)), ANY), "sqrt": (np.sqrt, FLOATING),
    "clip": (lambda x, low, high: np.minimum(np.maximum(x, low), high), ANY),
    "equal": (np.equal, ANY), "not_equal": (np.not_equal, ANY), "less": (np.less, ANY),
    "less_equal": (np.less_equal, ANY), "greater": (np.greater, ANY), "greater_equal": (np.greater_equal, ANY),
    "isnan": (np.isnan, FLOATING), "isfinite": (np.isfinite, FLOATING), "logical_not": (np.logical_not, ANY),
    "logical_and": (np.logical_and, ANY), "logical_or": (np.logical_or, ANY),
    "where": (lambda c, x, y: np.where(c != 0, x, y), ANY),
}
# Evaluated in float64 (longdouble for float64) and compared in units in the last place: see test_math_ulp.py.
APPROXIMATE = {
    "exp": np.exp, "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "pow": np.power,
    "erf": lambda x: np.vectorize(math.erf, otypes=[np.float64])(x.astype(np.float64)),
}


def draw(dtype, shape, rng):
    """Small numbers, with ties and zeros; for floating dtypes also NaN, infinities, denormals and both zeros."""
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype in UNSIGNED:
        return rng.integers(0, 9, shape).astype(dtype)
    if dtype in SIGNED:
        return rng.integers(-8, 9, shape).astype(dtype)
    values = np.rint(rng.normal(size=shape) * 8).astype(dtype) / 4
    special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, np.finfo(dtype).tiny / 4, np.finfo(dtype).max], dtype)
    return np.where(rng.random(shape) < 0.2, rng.choice(special, shape), values).astype(dtype)


def assert_same(actual, expected, what):
    actual, expected = values_of(actual), np.asarray(expected)
    assert actual.shape == expected.shape and actual.dtype == expected.dtype, what
    np.testing.assert_array_equal(actual, expected, err_msg=str(what))


def layouts_of(count):
    """All pairs; for three operands a third of the triples is enough to have every pair."""
    combinations = list(itertools.product(LAYOUTS.items(), repeat=count))
    return combinations if count < 3 else combinations[::5]


def arrange(layouts, arrays):
    """Each array in its layout, with the values it then has (a stretched one repeats its first row)."""
    tensors = [layout(array) for (_, layout), array in zip(layouts, arrays, strict=True)]
    return tensors, [values_of(tensor) for tensor in tensors], [name for name, _ in layouts]


@pytest.mark.parametrize("name", EXACT)
def test_every_layout_shape_and_dtype(name):
    reference, dtypes = EXACT[name]
    function, count = cyops.OPS[name].kernel, len(cyops.OPS[name].parameters) - 1
    rng = np.random.default_rng(1)
    for dtype, shape in itertools.product(dtypes, SHAPES):
        arrays = [draw(dtype, shape, rng) for _ in range(count)]
        for layouts in layouts_of(count):
            tensors, values, names = arrange(layouts, arrays)
            with np.errstate(all="ignore"):
                expected = reference(*values)
            assert_same(function(*tensors), expected, (name, dtype, shape, names))


@pytest.mark.parametrize("name", APPROXIMATE)
def test_math_gives_the_same_bits_in_every_layout(name):
    function, count = cyops.OPS[name].kernel, len(cyops.OPS[name].parameters) - 1
    rng = np.random.default_rng(2)
    for dtype, shape in itertools.product(FLOATING, SHAPES):
        arrays = [draw(dtype, shape, rng) for _ in range(count)]
        for layouts in layouts_of(count):
            tensors, values, names = arrange(layouts, arrays)
            with np.errstate(all="ignore"):
                expected = APPROXIMATE[name](*[value.astype("longdouble") for value in values]).astype(dtype)
            actual = values_of(function(*tensors))
            np.testing.assert_allclose(actual, expected, rtol=4 * np.finfo(dtype).eps, atol=0, err_msg=str(names))
            plain = values_of(function(*[cyops.Strided(np.array(value)) for value in values]))
            assert actual.tobytes() == plain.tobytes(), (name, dtype, shape, names)


@pytest.mark.parametrize("name", ["add", "where", "exp", "less", "relu"])
def test_output_of_every_layout(name):
    function, count = cyops.OPS[name].kernel, len(cyops.OPS[name].parameters) - 1
    rng = np.random.default_rng(3)
    for shape in SHAPES:
        arrays = [draw("float64", shape, rng) for _ in range(count)]
        expected = values_of(function(*arrays))
        for (out_name, out_layout), (name_x, layout_x) in itertools.product(LAYOUTS.items(), LAYOUTS.items()):
            if "stretched" in (out_name, name_x):
                continue
            out = out_layout(np.zeros(shape, expected.dtype))
            assert function(*[layout_x(array) for array in arrays], out=out) is out
            assert_same(out, expected, (name, out_name, name_x))


def test_writing_into_a_view_leaves_the_rest():
    whole = cyops.Strided(np.zeros((6, 6), np.float32))
    cyops.add(np.ones((3, 3), np.float32), 1.0, out=whole[::2, 1::2])
    expected = np.zeros((6, 6), np.float32)
    expected[::2, 1::2] = 2
    assert_same(whole, expected, "out")


def test_broadcasting():
    rng = np.random.default_rng(4)
    shapes = [(), (1,), (5,), (4, 1), (1, 5), (4, 5), (3, 1, 1), (3, 4, 5), (3, 1, 5), (0, 4, 5), (2, 1, 3, 1, 5)]
    for shape_a, shape_b in itertools.product(shapes, repeat=2):
        a, b = rng.normal(size=shape_a), rng.normal(size=shape_b)
        try:
            expected = a - b
        except ValueError:
            with pytest.raises(ValueError, match="subtract: shapes must broadcast"):
                cyops.subtract(a, b)
            continue
        assert_same(cyops.subtract(a, b), expected, (shape_a, shape_b))
        assert_same(cyops.where(b > 0, a, 1.0), np.where(b > 0, a, 1.0), (shape_a, shape_b))


def test_large_operands_are_cut_and_joined():
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(1500, 1001)), rng.normal(size=(1001, 1500))
    assert_same(cyops.add(a, cyops.permute_dims(cyops.Strided(b))), a + b.T, "transposed")
    assert_same(cyops.multiply(a, b[0, :1001]), a * b[0, :1001], "row")
    assert_same(cyops.multiply(a, b[0][:, None]), a * b[0][:, None], "column")
    assert_same(cyops.Strided(a)[::-1, ::2] - 1.0, a[::-1, ::2] - 1.0, "reversed")


@pytest.mark.slow
def test_results_that_go_past_the_caches():
    a, b = np.arange(11_500_000, dtype="float32"), np.arange(11_500_000, dtype="float32")[::-1]
    x = cyops.Strided(np.concatenate([[7], a]).astype("float32"))[1:]
    assert np.array_equal(np.asarray(x - cyops.Strided(b)), a - b)
    assert np.array_equal(np.asarray(cyops.multiply(x, x, out=x)), a * a)


def test_in_place_and_overlapping_outputs():
    values = np.arange(10.0)
    x = cyops.Strided(values.copy())
    assert cyops.add(x, x, out=x) is x
    assert_same(x, values * 2, "same view")
    x = cyops.Strided(values.copy())
    cyops.add(x[:-1], 1.0, out=x[1:])
    assert_same(x[1:], values[:-1] + 1, "shifted")
    x = cyops.Strided(values.copy())
    cyops.negative(x[::-1], out=x)
    assert_same(x, -values[::-1], "reversed onto itself")
    square = cyops.Strided(np.arange(9.0).reshape(3, 3))
    cyops.add(square, cyops.permute_dims(square), out=square)
    assert_same(square, np.arange(9.0).reshape(3, 3) + np.arange(9.0).reshape(3, 3).T, "transposed onto itself")


def test_fresh_outputs_keep_the_memory_order():
    x = cyops.permute_dims(cyops.Strided(np.zeros((3, 4, 5))), (2, 0, 1))
    assert cyops.exp(x).strides == x.strides
    assert (x + x).strides == x.strides


def test_python_scalars_are_weak():
    for dtype in ANY:
        x = np.array([1, 0, 1], dtype)
        tensor = cyops.Strided(x)
        assert (tensor + 1).dtype == ("int64" if dtype == "bool" else dtype)
        assert (tensor + 1.0).dtype == (dtype if dtype in FLOATING else "float32")
        assert (tensor + True).dtype == dtype
        assert (tensor + np.float64(1)).dtype == ("float64")
        assert_same(2 * tensor, np.asarray(2 * x.astype("int64"), "int64" if dtype == "bool" else dtype), dtype)
    assert cyops.add(1, 2).dtype == "int64"
    assert cyops.add(1.5, 2).dtype == "float32"
    assert cyops.exp(1).dtype == "float32"


def test_promotion():
    for a, b in itertools.product(ANY, repeat=2):
        expected = np.result_type(a, b)
        if "float32" in (a, b) and "float64" not in (a, b):
            expected = np.dtype("float32")
        assert cyops.add(np.ones(2, a), np.ones(2, b)).dtype == expected, (a, b)
    assert cyops.divide(np.array([1, 2]), np.array([2, 2])).dtype == "float32"
    assert cyops.sqrt(np.array([4])).tolist() == [2.0]
    assert cyops.square(np.array([True])).dtype == "int8"
    half = np.array([1, 2], "float16")
    assert_same(cyops.add(half, half), half + half, "float16")
    assert cyops.less(half, 1.5).dtype == bool
    assert cyops.floor(np.array([3])).dtype == "int64"


def test_integer_edges():
    for dtype in SIGNED:
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        x = np.array([low, high, -1, 0, 1], dtype)
        with np.errstate(all="ignore"):
            for name in ("add", "subtract", "multiply", "floor_divide", "remainder"):
                a, b = np.meshgrid(x, x)
                expected = getattr(np, name)(a, b)
                assert_same(cyops.OPS[name].kernel(a, b), expected, (name, dtype))
            assert_same(cyops.negative(x), -x, dtype)
            assert_same(cyops.abs(x), np.abs(x), dtype)
    assert cyops.floor_divide(np.array([5, -5]), 0).tolist() == [0, 0]
    assert cyops.remainder(np.array([5, -5]), 0).tolist() == [0, 0]
    a, b = np.array([2, 3, -2, 1, -1, 0]), np.array([10, 3, 3, -5, -5, -1])
    assert cyops.pow(a, b).tolist() == [1024, 27, -8, 1, -1, 0]


@pytest.mark.parametrize("dtype", FLOATING)
def test_rounding_keeps_the_sign_of_zero(dtype):
    x = np.tile(np.array([-0.0, 0.0, -0.25, 0.25, -0.5, 0.5, -1.5], dtype), 9)
    for name, expected in (("floor", np.floor(x)), ("ceil", np.ceil(x)), ("round", np.rint(x))):
        actual = np.asarray(getattr(cyops, name)(x))
        np.testing.assert_array_equal(actual, expected, err_msg=name)
        np.testing.assert_array_equal(np.signbit(actual), np.signbit(expected), err_msg=name)


@pytest.mark.parametrize("dtype", FLOATING)
def test_floor_divide_and_remainder_of_floating_numbers(dtype):
    """Bit for bit the remainder of NumPy, which is exact; the floor of the exact quotient, or its nearest number."""
    info, rng = np.finfo(dtype), np.random.default_rng(6)
    edges = np.array([0.0, 0.1, 0.3, 1.0, 5.5, info.max, info.tiny, info.smallest_subnormal, np.inf, np.nan], dtype)
    c, d = (grid.ravel() for grid in np.meshgrid(*[np.concatenate([edges, -edges])] * 2))
    x, y = ((rng.normal(size=3000) * 10.0 ** rng.integers(-9, 9, 3000)).astype(dtype) for _ in range(2))
    bits = rng.integers(0, 1 << 63, (2, 3000), dtype=np.uint64).astype(f"u{info.bits // 8}").view(dtype)
    whole = np.rint(rng.normal(size=3000) * 1000).astype(dtype)
    for a, b in ((c, d), (np.repeat(c, 40), np.repeat(d, 40)), (x, y), (whole, y), (y * whole, y), bits):
        with np.errstate(all="ignore"):
            expected, quotient = np.remainder(a, b), np.floor_divide(a, b)
        actual = np.asarray(cyops.remainder(a, b))
        np.testing.assert_array_equal(actual, expected)
        number = ~np.isnan(expected)
        np.testing.assert_array_equal(np.signbit(actual[number]), np.signbit(expected[number]))
        actual = np.asarray(cyops.floor_divide(a, b))
        is_exact = ~(np.abs(quotient) >= 2.0 ** (info.nmant - 4))           # NumPy rounds twice and misses some beyond
        np.testing.assert_array_equal(actual[is_exact], quotient[is_exact])
        np.testing.assert_allclose(actual, quotient, rtol=2 * info.eps)


def test_floor_divide_is_the_floor_of_the_exact_quotient():
    rng = np.random.default_rng(7)
    for dtype, size in (("float32", 24), ("float64", 53)):
        b = rng.uniform(0.5, 2, 500).astype(dtype) * rng.choice([-1, 1], 500).astype(dtype)
        a = (b * np.rint(2.0 ** rng.uniform(0, size - 1, 500))).astype(dtype)       # close to whole quotients
        for x, y, quotient in zip(a.tolist(), b.tolist(), cyops.floor_divide(a, b).tolist(), strict=True):
            assert quotient == math.floor(Fraction(x) / Fraction(y)), (x, y)


@pytest.mark.parametrize("dtype", SIGNED + UNSIGNED)
def test_integer_division_of_every_pair_of_edges_and_of_random_numbers(dtype):
    info, rng = np.iinfo(dtype), np.random.default_rng(8)
    edges = [info.min, info.min + 1, info.max - 1, info.max, 0, 1, 2, 3, *([-2, -1] if info.min else [])]
    edges = np.concatenate([np.array(edges, dtype), rng.integers(info.min, info.max, 6, dtype)])
    c, d = (grid.ravel() for grid in np.meshgrid(edges, edges))
    x, y = rng.integers(info.min, info.max, (2, 5000), dtype, endpoint=True)
    for a, b in ((c, d), (np.repeat(c, 33), np.repeat(d, 33)), (x, y), (x, y % 19), (y // 7 * 7, np.full_like(x, 7))):
        for name in ("floor_divide", "remainder"):
            with np.errstate(all="ignore"):
                assert_same(getattr(cyops, name)(a, b), getattr(np, name)(a, b), (name, dtype))
    for divisor in edges:                       # a scalar, whose inverse is computed once
        with np.errstate(all="ignore"):
            assert_same(cyops.floor_divide(x, divisor), np.floor_divide(x, divisor), divisor)
            assert_same(cyops.remainder(x, divisor), np.remainder(x, divisor), divisor)


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_division_by_a_scalar_of_every_dividend_by_every_divisor(dtype):
    info = np.iinfo(dtype)
    x = np.arange(info.min, info.max + 1).astype(dtype)
    for divisor in x:
        with np.errstate(all="ignore"):
            assert_same(cyops.floor_divide(x, divisor), np.floor_divide(x, divisor), divisor)
            assert_same(cyops.remainder(x, divisor), np.remainder(x, divisor), divisor)


@pytest.mark.parametrize("dtype", ["int16", "uint16", "int32", "uint32", "int64", "uint64"])
@pytest.mark.slow
def test_division_by_a_scalar_about_the_powers_of_two(dtype):
    """Where the reciprocal has its longest and shortest factors, by dividends next to a whole quotient."""
    info = np.iinfo(dtype)
    near = {sign * 2**bit + step for bit in range(info.bits + 1) for step in (-1, 0, 1) for sign in (1, -1)}
    near |= {3, -3, 5, 7, -7, 10, 641, 1000, -1000, 6700417, 10**9}
    numbers = sorted(number for number in near if info.min <= number <= info.max)
    for divisor in numbers:
        if divisor == 0:
            continue
        multiples = [number // divisor * divisor + step for number in numbers for step in (-1, 0, 1)]
        x = np.array([*numbers, *(number for number in multiples if info.min <= number <= info.max)], dtype)
        wrapped = np.array([int(n) // divisor & 2**info.bits - 1 for n in x], f"uint{info.bits}").astype(dtype)
        by = np.array(divisor, dtype)
        assert_same(cyops.floor_divide(x, by), wrapped, divisor)
        assert_same(cyops.remainder(x, by), np.array([int(n) % divisor for n in x], dtype), divisor)
        assert_same(cyops.floor_divide(x[::-1], by), wrapped[::-1], divisor)


def test_strings_compare():
    words = np.array(["", "a", "b", "ab", "abc", "\u00e9", "\U0001f600"])
    for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"):
        compare, reference = cyops.OPS[name].kernel, getattr(np, name)
        for width in ("U3", "U9"):
            a, b = words[:, None], words.astype(width)
            assert_same(compare(a, b), reference(a, b), (name, width))
            assert_same(compare(cyops.Strided(words)[::-1], words), reference(words[::-1], words), name)
        raw = np.array([b"", b"a", b"b", b"ab", b"\xff"])
        assert_same(compare(raw[:, None], raw.astype("S7")), reference(raw[:, None], raw.astype("S7")), name)


def test_out_of_another_dtype():
    out = cyops.Strided(np.zeros(3))
    cyops.add(np.ones(3, "float32"), 1.0, out=out)
    assert out.tolist() == [2.0, 2.0, 2.0]
    cyops.less(np.arange(3.0), 1.0, out=out)
    assert out.tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: cyops.add(np.zeros((2, 3)), np.zeros((4, 3))), ValueError,
     r"add: shapes must broadcast; got \(2, 3\) and \(4, 3\), which differ in axis -2 \(2 against 4\)"),
    (lambda: cyops.add(np.array(["a"]), np.array(["b"])), TypeError,
     "add: strings can be compared, not computed with; convert them with astype"),
    (lambda: cyops.equal(np.array(["a"]), np.array([1])), TypeError, "equal: dtypes string and numeric do not combine"),
    (lambda: cyops.equal(np.array(["a"]), 1), TypeError, "equal: dtypes string and numeric do not combine"),
    (lambda: cyops.negative(np.array([True])), TypeError, "negative: bools have no sign"),
    (lambda: cyops.subtract(np.array([True]), np.array([True])), TypeError, "subtract: bools have no sign"),
    (lambda: cyops.add(np.zeros(2, "int8"), 300), OverflowError, "add: the integer 300 does not fit in int8"),
    (lambda: cyops.add(np.zeros(2), np.zeros(2), out=cyops.Strided(np.zeros(3))), ValueError,
     r"add: out must have the shape of the result; got out \(3,\), result \(2,\)"),
    (lambda: cyops.add(np.zeros(2), np.zeros(2), out=cyops.Strided(np.zeros(2, int))), TypeError,
     "add: out of dtype int64 cannot hold a result of dtype float64; cast the result with astype"),
    (lambda: cyops.exp(np.zeros(2), out=np.zeros(2)), TypeError, "exp: out must be a tensor; got ndarray"),
    (lambda: cyops.add(np.zeros(2)), TypeError, "add: argument b is missing; the parameters are a, b, out=None"),
    (lambda: cyops.add(1, 2, 3), TypeError, "add: takes a, b, out=None; got 3 positional arguments"),
    (lambda: cyops.add(1, c=3), TypeError, "add: argument b is missing"),
    (lambda: cyops.add(object(), 1), TypeError, "add: needs tensors, arrays, numbers or lists; got object, int"),
    (lambda: cyops.exp(np.zeros(2), out=cyops.broadcast_to(cyops.Strided([0.0]), (2,))), ValueError, "exp: .*stride 0"),
])
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_integers_out_of_range_compare():
    x = np.array([0, 255], "uint8")
    assert cyops.less(x, 300).tolist() == [True, True]
    assert cyops.greater(x, -1).tolist() == [True, True]
    assert cyops.equal(np.array([2**63 - 1]), 2**63).tolist() == [False]


def test_functions_describe_themselves():
    assert str(cyops.add.__signature__) == "(a, b, *, out=None)"
    assert cyops.clip.__module__ == "cyops"
    assert cyops.clip.__doc__.startswith("Each element moved into the interval [min, max].")
    for function in (cyops.add, cyops.where, cyops.isnan):
        assert pickle.loads(pickle.dumps(function)) is function
    assert cyops.clip(x=[-1.0, 5.0], min=0.0, max=1.0).tolist() == [0.0, 1.0]


def test_functions_bind_as_methods():
    class Number(cyops.Strided):
        plus = cyops.add

    assert Number([1.0]).plus(2.0).tolist() == [3.0]


def test_unknown_operands_give_their_own_operator_a_chance():
    class Other:
        def __radd__(self, other):
            return "mine"

    assert cyops.Strided([1.0]) + Other() == "mine"
    with pytest.raises(TypeError):
        cyops.Strided([1.0]) + object()
