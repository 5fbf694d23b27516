"""Every function of the Array API standard against array-api-strict, its reference: dtype, shape, values, signed zeros.

Arrays come from hypothesis, of every dtype a function takes, NaN, infinities, zeros of both signs and empty shapes
among them. What the reference refuses the standard leaves open, and is not compared.
"""
import math
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import cytensor as ct

strict = pytest.importorskip("array_api_strict")
strict.set_array_api_strict_flags(api_version="2024.12")

KINDS = {"b": ("bool",), "i": ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
         "f": ("float32", "float64"), "c": ("complex64", "complex128")}
SPECIAL = (0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 0.5, 2.5, -1.5, 3.0)
RTOL = 3e-5
EXAMPLES = settings(max_examples=8, deadline=None, database=None, derandomize=True,
                    suppress_health_check=list(HealthCheck))


# -- arrays -----------------------------------------------------------------------------------------------------------
def elements(dtype, small):
    kind, width = np.dtype(dtype).kind, np.dtype(dtype).itemsize * 8
    if kind == "c":
        part = elements("float32" if width == 64 else "float64", small)
        return st.builds(complex, part, part)
    if kind == "f":
        return st.integers(-20, 20).map(lambda n: n / 4) if small else st.floats(width=width) | st.sampled_from(SPECIAL)
    return st.integers(0, 9) if small and kind in "iu" else hnp.from_dtype(np.dtype(dtype))


@st.composite
def arrays(draw, kind, small=False, min_dims=0, min_side=0):
    dtype = draw(st.sampled_from(KINDS[kind]))
    shape = draw(hnp.array_shapes(min_dims=min_dims, max_dims=3, min_side=min_side, max_side=4))
    return draw(hnp.arrays(dtype, shape, elements=elements(dtype, small)))


@st.composite
def pairs(draw, kind, small=False):
    shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=4, min_side=0)).input_shapes
    dtypes = [draw(st.sampled_from(KINDS[kind])) for _ in shapes]
    return [draw(hnp.arrays(dtype, shape, elements=elements(dtype, small)))
            for dtype, shape in zip(dtypes, shapes, strict=True)]


@st.composite
def along(draw, kind, several=True, **options):
    """An array, an axis (an integer, several, None) and a bool."""
    x = draw(arrays(kind, **options))
    axes = [st.none()]
    if x.ndim:
        axes.append(st.integers(-x.ndim, x.ndim - 1))
        if several:
            axes.append(st.lists(st.integers(0, x.ndim - 1), unique=True).map(tuple))
    return x, draw(st.one_of(axes)), draw(st.booleans())


# -- comparing --------------------------------------------------------------------------------------------------------
def assert_same(got, expected):
    if isinstance(expected, (tuple, list)):
        assert isinstance(got, type(expected)) or not hasattr(expected, "_fields") or got._fields == expected._fields
        for one, other in zip(got, expected, strict=True):
            assert_same(one, other)
        return
    assert type(got) is ct.Tensor
    reference = np.asarray(expected._array)
    assert got.dtype == reference.dtype and got.shape == reference.shape
    values = got.numpy()
    if reference.dtype.kind not in "fc":
        assert np.array_equal(values, reference)
        return
    scale = np.abs(reference[np.isfinite(reference)]).max(initial=1.0)
    close = np.isclose(values, reference, rtol=RTOL, atol=RTOL * min(scale, 1e3), equal_nan=True)
    if reference.dtype.kind == "c":         # of an infinite or NaN part the other one is open
        close |= ~np.isfinite(values) & ~np.isfinite(reference)
    else:
        zeros = (values == 0) & (reference == 0)
        assert np.array_equal(np.signbit(values[zeros]), np.signbit(reference[zeros]))
    assert close.all(), (values[~close], reference[~close])


def compare(call, given_arrays, *rest):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = call(strict, *map(strict.asarray, given_arrays), *rest)
        except Exception:       # the reference refuses it, in whatever way
            return
        assert_same(call(ct, *map(ct.asarray, given_arrays), *rest), expected)


# -- one array --------------------------------------------------------------------------------------------------------
ONE = {
    "abs": "ifc", "acos": "fc", "acosh": "fc", "asin": "fc", "asinh": "fc", "atan": "fc", "atanh": "fc",
    "bitwise_invert": "bi", "ceil": "if", "conj": "fc", "cos": "fc", "cosh": "fc", "exp": "fc", "expm1": "fc",
    "floor": "if", "imag": "c", "isfinite": "ifc", "isinf": "ifc", "isnan": "ifc", "log": "fc", "log1p": "fc",
    "log2": "fc", "log10": "fc", "logical_not": "b", "negative": "ifc", "positive": "ifc", "real": "fc",
    "reciprocal": "fc", "round": "ifc", "sign": "if", "signbit": "f", "sin": "fc", "sinh": "fc", "square": "ifc",
    "sqrt": "fc", "tan": "fc", "tanh": "fc", "trunc": "if", "nonzero": "bifc", "unique_all": "bif",
    "unique_counts": "bif", "unique_inverse": "bif", "unique_values": "bif", "zeros_like": "bifc", "ones_like": "bifc",
    "matrix_transpose": "bifc", "tril": "bifc", "triu": "bifc",
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, kinds in ONE.items() for kind in kinds])
def test_functions_of_one_array(name, kind):
    @EXAMPLES
    @given(arrays(kind, small=name.startswith("unique")))
    def check(x):
        compare(lambda xp, x: getattr(xp, name)(x), [x])
    check()


# -- two arrays, and an array and a Python number ---------------------------------------------------------------------
TWO = {
    "add": "ifc", "atan2": "f", "bitwise_and": "bi", "bitwise_or": "bi", "bitwise_xor": "bi", "copysign": "f",
    "divide": "fc", "equal": "bifc", "floor_divide": "if", "greater": "if", "greater_equal": "if", "hypot": "f",
    "less": "if", "less_equal": "if", "logaddexp": "f", "logical_and": "b", "logical_or": "b", "logical_xor": "b",
    "maximum": "if", "minimum": "if", "multiply": "ifc", "nextafter": "f", "not_equal": "bifc", "pow": "ifc",
    "remainder": "if", "subtract": "ifc",
}
NUMBERS = {"b": (True, False), "i": (3, 0, 1), "f": (2.5, 1, -0.0, math.inf, math.nan), "c": (1 + 2j, 2, 1.5)}
TWO_KINDS = [(name, kind) for name, kinds in TWO.items() for kind in kinds]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), TWO_KINDS)
def test_functions_of_two_arrays(name, kind):
    @EXAMPLES
    @given(pairs(kind, small=name == "pow" and kind == "i"))
    def check(pair):
        compare(lambda xp, x, y: getattr(xp, name)(x, y), pair)
    check()


@pytest.mark.parametrize(("name", "kind"), TWO_KINDS)
@pytest.mark.parametrize("number_first", [False, True])
def test_a_python_number_adapts_to_the_array(name, kind, number_first):
    for dtype in KINDS[kind]:
        x = np.array([1, 2, 3]).astype(dtype)
        for number in NUMBERS[kind]:
            compare(lambda xp, x, n=number: getattr(xp, name)(*((n, x) if number_first else (x, n))), [x])


SYMBOLS = ("+", "-", "*", "/", "//", "%", "**", "&", "|", "^", "<<", ">>", "==", "!=", "<", "<=", ">", ">=", "@")


@pytest.mark.slow
@pytest.mark.parametrize("symbol", SYMBOLS)
def test_operators(symbol):
    call = eval(f"lambda xp, x, y: x {symbol} y")
    for kind in "bifc":
        @EXAMPLES
        @given(pairs(kind, small=True))
        def check(pair):
            compare(call, pair)
        check()


# -- along an axis ----------------------------------------------------------------------------------------------------
def by_name(name, **more):
    return lambda xp, x, axis, flag: getattr(xp, name)(x, axis=axis, keepdims=flag, **more)


def first(axis):
    return 0 if axis is None else axis


AXIS = {
    "sum": ("ifc", by_name("sum"), {"small": True}), "prod": ("ifc", by_name("prod"), {"small": True}),
    "sum of another dtype": ("ifc", lambda xp, x, axis, flag: xp.sum(
        x, axis=axis, dtype=xp.complex128 if flag else xp.float32), {"small": True}),
    "max": ("if", by_name("max"), {"min_side": 1}), "min": ("if", by_name("min"), {"min_side": 1}),
    "mean": ("fc", by_name("mean"), {"small": True}), "var": ("f", by_name("var"), {"small": True, "min_side": 1}),
    "std": ("f", by_name("std"), {"small": True, "min_side": 1}),
    "var of a sample": ("f", by_name("var", correction=1.0), {"small": True, "min_side": 1}),
    "any": ("bifc", by_name("any"), {}), "all": ("bifc", by_name("all"), {}),
    "count_nonzero": ("bifc", by_name("count_nonzero"), {}),
    "argmax": ("if", by_name("argmax"), {"min_side": 1, "several": False}),
    "argmin": ("if", by_name("argmin"), {"min_side": 1, "several": False}),
    "cumulative_sum": ("ifc", lambda xp, x, axis, flag: xp.cumulative_sum(x, axis=axis, include_initial=flag),
                       {"small": True, "min_dims": 1, "several": False}),
    "cumulative_prod": ("ifc", lambda xp, x, axis, flag: xp.cumulative_prod(x, axis=axis, include_initial=flag),
                        {"small": True, "min_dims": 1, "several": False}),
    "cumulative_sum of another dtype": (
        "ifc", lambda xp, x, axis, flag: xp.cumulative_sum(x, axis=first(axis), dtype=xp.complex64),
        {"small": True, "min_dims": 1, "several": False}),
    "sort": ("if", lambda xp, x, axis, flag: xp.sort(x, axis=first(axis), descending=flag),
             {"min_dims": 1, "several": False}),
    "argsort": ("if", lambda xp, x, axis, flag: xp.argsort(x, axis=first(axis), descending=flag),
             {"min_dims": 1, "several": False}),
    "diff": ("ifc", lambda xp, x, axis, flag: xp.diff(x, axis=first(axis), n=1 + flag),
             {"small": True, "several": False}),
    "flip": ("bifc", lambda xp, x, axis, flag: xp.flip(x, axis=axis), {}),
    "roll": ("bifc", lambda xp, x, axis, flag: xp.roll(
        x, (2,) * len(axis) if isinstance(axis, tuple) else -1, axis=axis), {}),
    "squeeze": ("bifc", lambda xp, x, axis, flag: xp.squeeze(x, axis=axis), {}),
    "expand_dims": ("bifc", lambda xp, x, axis, flag: xp.expand_dims(x, axis=first(axis)), {"several": False}),
    "repeat": ("bifc", lambda xp, x, axis, flag: xp.repeat(x, 2, axis=axis), {"several": False}),
    "unstack": ("bifc", lambda xp, x, axis, flag: xp.unstack(x, axis=first(axis)), {"several": False}),
    "concat": ("bifc", lambda xp, x, axis, flag: xp.concat([x, x], axis=axis), {"several": False}),
    "stack": ("bifc", lambda xp, x, axis, flag: xp.stack([x, x], axis=first(axis)), {"several": False}),
    "tile": ("bifc", lambda xp, x, axis, flag: xp.tile(x, (2, 1, 2) if flag else (2,)), {}),
    "moveaxis": ("bifc", lambda xp, x, axis, flag: xp.moveaxis(x, first(axis), -1), {"several": False}),
    "reshape": ("bifc", lambda xp, x, axis, flag: xp.reshape(x, (-1,) if flag else x.shape[::-1]), {}),
    "permute_dims": ("bifc", lambda xp, x, axis, flag: xp.permute_dims(x, tuple(range(x.ndim))[::-1]), {}),
    "take": ("bifc", lambda xp, x, axis, flag: xp.take(x, xp.asarray([0, 0, -1]), axis=first(axis)),
             {"min_side": 1, "min_dims": 1, "several": False}),
    "take_along_axis": ("bifc", lambda xp, x, axis, flag: xp.take_along_axis(
        x, xp.zeros(x.shape, dtype=xp.int64), axis=first(axis)), {"min_side": 1, "min_dims": 1, "several": False}),
    "searchsorted": ("if", lambda xp, x, axis, flag: xp.searchsorted(
        xp.sort(xp.reshape(x, (-1,))), x, side="right" if flag else "left"), {"small": True}),
    "clip": ("if", lambda xp, x, axis, flag: (xp.clip(x, 1), xp.clip(x, max=2), xp.clip(x, 1, 3), xp.clip(x)), {}),
    "clip by arrays": ("if", lambda xp, x, axis, flag: xp.clip(x, x, xp.maximum(x, xp.asarray(3, dtype=x.dtype))), {}),
    "meshgrid": ("ifc", lambda xp, x, axis, flag: xp.meshgrid(
        xp.reshape(x, (-1,)), xp.asarray([1, 2], dtype=x.dtype), indexing="ij" if flag else "xy"), {}),
    "broadcast_to": ("bifc", lambda xp, x, axis, flag: xp.broadcast_to(x, (3, *x.shape)), {}),
    "matmul": ("ifc", lambda xp, x, axis, flag: xp.matmul(x, xp.matrix_transpose(x)), {"small": True, "min_dims": 2}),
    "tensordot": ("ifc", lambda xp, x, axis, flag: xp.tensordot(x, x, axes=0 if flag else ((0,), (0,))),
                  {"small": True, "min_dims": 1}),
    "vecdot": ("ifc", lambda xp, x, axis, flag: xp.vecdot(x, x), {"small": True, "min_dims": 1}),
    "where": ("bifc", lambda xp, x, axis, flag: xp.where(x != x, x, x), {}),
    "indices": ("bifc", lambda xp, x, axis, flag: (
        x[0], x[..., -1], x[::-1], x[None, ...], x[..., ::2], x[x == x], x[0:0], x[xp.asarray(flag)]), {"min_dims": 1}),
}
for target in ("bool", "int8", "uint64", "float32", "complex64", "complex128"):
    AXIS[f"astype {target}"] = (
        "bifc", lambda xp, x, axis, flag, target=target: xp.astype(x, getattr(xp, target), copy=flag, device=x.device),
        {"small": True})


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, (kinds, *_) in AXIS.items() for kind in kinds])
def test_functions_along_an_axis(name, kind):
    _, call, options = AXIS[name]

    @EXAMPLES
    @given(along(kind, **options))
    def check(case):
        compare(call, case[:1], *case[1:])
    check()


# -- linalg and fft ---------------------------------------------------------------------------------------------------
def square(xp, x):
    n = min(x.shape[-2:])
    return x[..., :n, :n] + xp.eye(n, dtype=x.dtype) * 20


def hermitian(xp, x):
    matrix = square(xp, x)
    return matrix @ xp.conj(matrix.mT)


MATRICES = {
    **{name: lambda xp, x, flag, name=name: getattr(xp.linalg, name)(square(xp, x))
       for name in ("det", "inv", "slogdet", "matrix_rank", "pinv", "svdvals")},
    "cholesky": lambda xp, x, flag: xp.linalg.cholesky(hermitian(xp, x), upper=flag),
    "eigvalsh": lambda xp, x, flag: xp.linalg.eigvalsh(hermitian(xp, x)),
    "eigh": lambda xp, x, flag: xp.linalg.eigh(hermitian(xp, x)).eigenvalues,
    "qr": lambda xp, x, flag: xp.linalg.qr(square(xp, x), mode="complete" if flag else "reduced"),
    "svd": lambda xp, x, flag: xp.linalg.svd(square(xp, x), full_matrices=flag).S,
    "solve": lambda xp, x, flag: xp.linalg.solve(square(xp, x), square(xp, x)),
    "matrix_power": lambda xp, x, flag: xp.linalg.matrix_power(square(xp, x) / 20, -2 if flag else 3),
    "diagonal": lambda xp, x, flag: xp.linalg.diagonal(x, offset=1 if flag else -1),
    "trace": lambda xp, x, flag: xp.linalg.trace(x, offset=int(flag)),
    "outer": lambda xp, x, flag: xp.linalg.outer(x[..., 0, 0], x[..., 0, 0]) if x.ndim == 3 else x,
    "cross": lambda xp, x, flag: xp.linalg.cross(
        x[..., None] + xp.asarray([1, 2, 3], dtype=x.dtype), x[..., None] + xp.asarray([4, 1, 2], dtype=x.dtype)),
    **{f"vector_norm {ord}": lambda xp, x, flag, ord=ord: (
        xp.linalg.vector_norm(x, ord=ord, axis=-1, keepdims=flag), xp.linalg.vector_norm(x, ord=ord))
       for ord in (2, 1, 0, math.inf, -math.inf, 3, -1, 0.5)},
    **{f"matrix_norm {ord}": lambda xp, x, flag, ord=ord: xp.linalg.matrix_norm(x, ord=ord, keepdims=flag)
       for ord in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)},
    **{f"fft.{name}": lambda xp, x, flag, name=name: getattr(xp.fft, name)(x)
       for name in ("fftn", "ifftn", "rfftn", "irfftn", "fftshift", "ifftshift")},
    **{f"fft.{name}": lambda xp, x, flag, name=name: getattr(xp.fft, name)(x, n=5, axis=0, norm="ortho" if flag else
                                                                          "forward")
       for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")},
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", "fc")
@pytest.mark.parametrize("name", sorted(MATRICES))
def test_matrices_and_transforms(name, kind):
    @EXAMPLES
    @given(arrays(kind, small=True, min_dims=2, min_side=1), st.booleans())
    def check(x, flag):
        compare(MATRICES[name], [x], flag)
    check()


# -- promotion and making ---------------------------------------------------------------------------------------------
ALL = [dtype for dtypes in KINDS.values() for dtype in dtypes]


@pytest.mark.parametrize("dtype", ALL)
def test_promotion(dtype):
    ours, theirs = getattr(ct, dtype), getattr(strict, dtype)
    for other in [getattr(strict, name) for name in ALL] + [True, 1, 1.5, 2j]:
        try:
            expected = strict.result_type(theirs, other)
        except TypeError:
            continue
        mine = other if type(other) in (bool, int, float, complex) else np.dtype(other._np_dtype)
        assert ct.result_type(ours, mine) == expected._np_dtype
        if type(other) not in (bool, int, float, complex):
            assert ct.can_cast(ours, mine) == strict.can_cast(theirs, other)


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize("call", [
    lambda xp, dtype: xp.ones((2, 0, 3), dtype=dtype), lambda xp, dtype: xp.zeros((), dtype=dtype, device=None),
    lambda xp, dtype: xp.full((3,), 1, dtype=dtype), lambda xp, dtype: xp.eye(3, 4, k=1, dtype=dtype),
    lambda xp, dtype: xp.eye(3, k=-5, dtype=dtype), lambda xp, dtype: xp.arange(0, 7, 2, dtype=dtype),
    lambda xp, dtype: xp.arange(5, 1, -2, dtype=dtype), lambda xp, dtype: xp.linspace(0, 1, 5, dtype=dtype),
    lambda xp, dtype: xp.linspace(1 + 1j, 3, num=4, endpoint=False, dtype=dtype),
    lambda xp, dtype: xp.asarray([[1, 0], [0, 1]], dtype=dtype), lambda xp, dtype: xp.asarray([], dtype=dtype),
])
def test_making_arrays(dtype, call):
    if any(isinstance(one, complex) for one in call.__code__.co_consts) and dtype not in KINDS["c"]:
        pytest.skip("between complex numbers there are complex numbers alone")
    try:
        expected = call(strict, getattr(strict, dtype))
    except Exception:
        return
    assert_same(call(ct, getattr(ct, dtype)), expected)


@pytest.mark.parametrize("name", ["ones", "zeros", "empty", "eye"])
def test_no_dtype_is_the_default_one(name):
    assert getattr(ct, name)(2, dtype=None).dtype == ct.__array_namespace_info__().default_dtypes()["real floating"]
    assert ct.linspace(0, 1, 2, dtype=None).dtype == ct.float32 and ct.linspace(0, 1j, 2).dtype == ct.complex64
