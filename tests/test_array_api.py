"""The Array API standard's functions that NumPy computes or that are made of ops, against NumPy itself."""
import inspect

import numpy as np
import pytest

import cytensor as ct
from cytensor.numpy_functions import NONE, ROWS

MAIN = [
    "e", "inf", "nan", "newaxis", "pi", "arange", "asarray", "empty", "empty_like", "eye", "full", "full_like",
    "linspace", "meshgrid", "ones", "ones_like", "tril", "triu", "zeros", "zeros_like", "astype", "can_cast",
    "finfo", "iinfo", "isdtype", "result_type", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16",
    "uint32", "uint64", "float32", "float64", "complex64", "complex128", "abs", "acos", "acosh", "add", "asin",
    "asinh", "atan", "atan2", "atanh", "bitwise_and", "bitwise_left_shift", "bitwise_invert", "bitwise_or",
    "bitwise_right_shift", "bitwise_xor", "ceil", "clip", "conj", "copysign", "cos", "cosh", "divide", "equal",
    "exp", "expm1", "floor", "floor_divide", "greater", "greater_equal", "hypot", "imag", "isfinite", "isinf",
    "isnan", "less", "less_equal", "log", "log1p", "log2", "log10", "logaddexp", "logical_and", "logical_not",
    "logical_or", "logical_xor", "maximum", "minimum", "multiply", "negative", "nextafter", "not_equal", "positive",
    "pow", "real", "reciprocal", "remainder", "round", "sign", "signbit", "sin", "sinh", "square", "sqrt",
    "subtract", "tan", "tanh", "trunc", "take", "take_along_axis", "matmul", "matrix_transpose", "tensordot",
    "vecdot", "broadcast_arrays", "broadcast_to", "concat", "expand_dims", "flip", "moveaxis", "permute_dims",
    "repeat", "reshape", "roll", "squeeze", "stack", "tile", "unstack", "argmax", "argmin", "argsort", "nonzero",
    "count_nonzero", "searchsorted", "where", "sort", "unique_all", "unique_counts", "unique_inverse",
    "unique_values", "cumulative_sum", "cumulative_prod", "max", "mean", "min", "prod", "std", "sum", "var", "all",
    "any", "diff", "__array_namespace_info__", "linalg", "fft",
]
LINALG = [
    "cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "matmul", "matrix_norm", "matrix_power",
    "matrix_rank", "matrix_transpose", "outer", "pinv", "qr", "slogdet", "solve", "svd", "svdvals", "tensordot",
    "trace", "vecdot", "vector_norm",
]
FFT = [
    "fft", "ifft", "fftn", "ifftn", "rfft", "irfft", "rfftn", "irfftn", "hfft", "ihfft", "fftfreq", "rfftfreq",
    "fftshift", "ifftshift",
]
SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 2.5, -2.5, 1e-40])


def test_every_name_of_the_standard_is_there():
    assert [name for name in MAIN if not hasattr(ct, name)] == []
    assert [name for name in LINALG if not hasattr(ct.linalg, name)] == []
    assert [name for name in FFT if not hasattr(ct.fft, name)] == []
    assert ct.ones(1).__array_namespace__() is ct and ct.__array_api_version__ == "2024.12"


@pytest.mark.parametrize("name", sorted(ROWS))
def test_rows_of_the_table_give_what_numpy_gives_special_values_included(name):
    row = ROWS[name]
    for kind, dtypes in (("f", ("float32", "float64")), ("i", ("int8", "int64")), ("u", ("uint8", "uint64")),
                         ("b", ("bool",)), ("c", ("complex64", "complex128"))):
        for dtype in dtypes if kind in row.kinds else ():
            values = SPECIAL if kind in "fc" else np.array([0, 1, 2, 3, 5, 7]) if kind != "b" else np.array([0, 1])
            x = values.astype(dtype)
            given = (x,) if row.inputs == 1 else tuple(np.meshgrid(x, x))
            with np.errstate(all="ignore"):
                expected = row.function(*given)
            got = getattr(ct, name)(*map(ct.asarray, given))
            assert type(got) is ct.Tensor and got.dtype == expected.dtype
            assert np.array_equal(got, expected, equal_nan=expected.dtype.kind in "fc")
            if expected.dtype.kind == "f":
                assert np.array_equal(np.signbit(got)[expected == 0], np.signbit(expected)[expected == 0])


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.gradient is NONE])
def test_a_function_without_a_gradient_says_so_in_its_documentation(name):
    assert "no gradient" in getattr(ct, name).__doc__
    assert all(one.kind is one.POSITIONAL_ONLY for one in inspect.signature(getattr(ct, name)).parameters.values())


X = np.arange(24.0).reshape(2, 3, 4) % 5


@pytest.mark.parametrize(("ours", "numpys"), [
    (lambda x: ct.tile(x, (2, 1, 3)), lambda x: np.tile(x, (2, 1, 3))),
    (lambda x: ct.tile(x, 2), lambda x: np.tile(x, 2)),
    (lambda x: ct.moveaxis(x, (0, 1), (-1, 0)), lambda x: np.moveaxis(x, (0, 1), (-1, 0))),
    (lambda x: ct.unstack(x, axis=1)[2], lambda x: x[:, 2]), (lambda x: ct.diff(x, n=2), lambda x: np.diff(x, n=2)),
    (lambda x: ct.diff(x, axis=0, prepend=x[:1]), lambda x: np.diff(x, axis=0, prepend=x[:1])),
    (lambda x: ct.tril(x, k=1), lambda x: np.tril(x, 1)), (lambda x: ct.triu(x, k=-1), lambda x: np.triu(x, -1)),
    (lambda x: ct.meshgrid(x[0, 0], x[0, :, 0])[1], lambda x: np.meshgrid(x[0, 0], x[0, :, 0])[1]),
    (lambda x: ct.broadcast_arrays(x, x[:1])[1], lambda x: np.broadcast_arrays(x, x[:1])[1]),
    (lambda x: ct.positive(x), lambda x: x), (lambda x: ct.real(x), lambda x: x), (lambda x: ct.conj(x), lambda x: x),
])
def test_functions_made_of_ops_and_that_their_gradient_is_kept(ours, numpys):
    x = ct.asarray(X)
    with ct.GradientTape() as tape:
        tape.watch(x)
        result = ours(x)
        total = (result * result).sum()
    assert np.array_equal(result, numpys(X))
    gradient = np.asarray(tape.gradient(total, x))
    direction = np.random.default_rng(0).normal(size=X.shape)
    change = (numpys(X + 1e-6 * direction) ** 2).sum() - (numpys(X - 1e-6 * direction) ** 2).sum()
    assert np.isclose((gradient * direction).sum(), change / 2e-6, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("x", [X, X.astype("int64"), X + 1j, np.array([np.nan, 1.0, np.nan]), X > 2])
def test_searches_and_sets(x):
    t = ct.asarray(x)
    for got, expected in ((ct.unique_all(t), np.unique_all(x)), (ct.unique_counts(t), np.unique_counts(x)),
                          (ct.unique_inverse(t), np.unique_inverse(x)), (ct.nonzero(t), np.nonzero(x))):
        assert all(np.array_equal(a, b, equal_nan=b.dtype.kind in "fc") for a, b in zip(got, expected, strict=True))
    assert ct.unique_all(t)._fields == ("values", "indices", "inverse_indices", "counts")
    assert np.array_equal(ct.count_nonzero(t, axis=0), np.count_nonzero(x, axis=0))


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_arithmetic_is_numpys(dtype):
    rng = np.random.default_rng(0)
    a, b = ((rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3))).astype(dtype) for _ in range(2))
    x, y = ct.asarray(a), ct.asarray(b)
    for got, expected in ((x + y, a + b), (x * 2, a * 2), (1j - x, 1j - a), (x / y, a / b), (x ** 2, a ** 2),
                          (abs(x), abs(a)), (-x, -a), (x @ y, a @ b), (x.sum(axis=0), a.sum(axis=0)),
                          (ct.mean(x), a.mean()), (ct.prod(x), a.prod()), (ct.exp(x), np.exp(a)),
                          (ct.imag(x), a.imag), (ct.isfinite(x), np.isfinite(a)), (ct.real(x) + x, a.real + a)):
        assert got.dtype == expected.dtype and np.allclose(got, expected, rtol=1e-6)
    assert complex(x[0, 0]) == complex(a[0, 0]) and (ct.asarray([1.0], "float64") + 1j).dtype == ct.complex128


def test_operators_on_bits():
    a, b = np.array([6, -3, 1], np.int8), np.array([3, 5, 2], np.int8)
    x, y = ct.asarray(a), ct.asarray(b)
    for got, expected in ((x & y, a & b), (x | 1, a | 1), (x ^ y, a ^ b), (~x, ~a), (x << 1, a << 1), (x >> y, a >> b),
                          (1 << y, 1 << b), (7 & x, 7 & a)):
        assert got.dtype == np.int8 and np.array_equal(got, expected)
    assert (ct.asarray([True]) ^ True).tolist() == [False] and (ct.asarray([True]) & False).tolist() == [False]


def test_inspection():
    info = ct.__array_namespace_info__()
    assert list(info.dtypes()) == ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
                                   "float32", "float64", "complex64", "complex128"]
    assert list(info.dtypes(kind=("bool", "complex floating"))) == ["bool", "complex64", "complex128"]
    assert info.default_dtypes()["real floating"] == ct.zeros(1).dtype == ct.asarray(1.0).dtype
    assert info.capabilities()["boolean indexing"] is True and info.devices() == [info.default_device()]
    x = ct.ones(2)
    assert x.to_device(x.device) is x
    assert ct.result_type(ct.uint64, ct.int8) == ct.float64 and ct.result_type(ct.int8, 1.0) == ct.float32
    assert ct.finfo(ct.bfloat16).eps == 2.0 ** -7 and ct.iinfo(ct.int8).min == -128


@pytest.mark.parametrize(("call", "numpys"), [
    (np.std, np.std), (np.sort, np.sort), (lambda x: np.concatenate([x, np.ones((1, 2))]), None), (np.median, None),
    (lambda x: np.where(x > 2, x, 0), None), (np.linalg.inv, None), (np.linalg.det, None), (np.cumsum, None),
    (lambda x: np.einsum("ij,jk->ik", x, x), None), (lambda x: np.var(x, axis=0, ddof=1), None), (np.transpose, None),
])
def test_numpys_functions_give_tensors_and_keep_the_gradient(call, numpys):
    values = np.array([[3.0, 1.0], [2.0, 5.0]])
    x = ct.asarray(values)
    with ct.GradientTape() as tape:
        tape.watch(x)
        result = call(x)
    assert type(result) is ct.Tensor and np.allclose(result, call(values))
    assert tape.gradient(result, x).shape == x.shape


def test_numpys_functions_that_are_not_here():
    x = ct.asarray([[3.0, 1.0], [2.0, 5.0]])
    assert type(np.vstack([x, x])) is ct.Tensor and np.histogram(x)[0].sum().item() == 4
    assert np.array_equal(np.percentile(x, 50), 2.5) and np.shape(x) == (2, 2)
    with ct.GradientTape() as tape:
        tape.watch(x)
        with pytest.raises(TypeError, match="percentile: a tape follows this tensor"):
            np.percentile(x, 50)
        assert np.argmax(x) == 3 and np.array_equal(x, x)
    with pytest.raises(TypeError, match="NumPy cannot write into a tensor"):
        np.percentile(x, 50, out=x)
