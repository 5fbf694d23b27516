"""The table of dtypes, bfloat16, which NumPy lacks, and the complex ones, which NumPy computes."""
import copy
import pickle

import numpy as np
import pytest
from layouts import LAYOUTS, values_of

import cyops
import cytensor as ct

ROWS = cyops.dtype_rows()
REAL = [name for name, *_ in ROWS if name not in ("bfloat16", "complex64", "complex128")]
INTERESTING = np.array([0.0, -0.0, 1.0, -1.5, 1 / 3, 3.0e38, -3.4e38, 1e-40, np.inf, -np.inf, 65280.0, 257.0])


def as_bfloat16(values):
    """The float64 values rounded to 8 significant bits, halves to even: an independent reference."""
    values = np.asarray(values, np.float64)
    with np.errstate(all="ignore"):
        exponent = np.frexp(values)[1]
        step = np.ldexp(1.0, np.maximum(exponent - 8, -133))          # of denormals, the smallest of all
        rounded = np.where(np.isfinite(values) & (values != 0), np.rint(values / step) * step, values)
        return np.where(np.abs(rounded) >= 2.0**128, np.copysign(np.inf, values), rounded)


def test_every_row_says_what_numpy_says():
    for name, _, itemsize, _ in ROWS:
        if name != "bfloat16":
            assert np.dtype(name).itemsize == itemsize == cyops.zeros(1, name).itemsize


def test_names_in_files_are_those_of_safetensors():
    from safetensors import deserialize
    from safetensors.numpy import save

    for name, file_name, _, _ in ROWS:
        if name not in ("bfloat16", "complex64", "complex128"):       # which its safetensors has not
            assert dict(deserialize(save({"x": np.zeros(1, name)})))["x"]["dtype"] == file_name


def test_promotion_is_numpys_but_for_integers_beside_floats():
    for a in REAL:
        for b in REAL:
            kinds = {np.dtype(a).kind, np.dtype(b).kind}
            expected = np.promote_types(a, b)
            if "f" in kinds and kinds != {"f"}:
                expected = np.dtype(a if np.dtype(a).kind == "f" else b)       # the Array API: integers yield
            assert cyops.concat([cyops.zeros(1, a), cyops.zeros(1, b)]).dtype == expected, (a, b)


def test_promotion_of_bfloat16_and_complex64():
    def together(a, b):
        return cyops.concat([cyops.zeros(1, a), cyops.zeros(1, b)]).dtype

    assert together("bfloat16", "int64") == "bfloat16"
    assert together("bfloat16", "float16") == together("bfloat16", "float32") == np.float32
    assert together("complex64", "int8") == together("complex64", "bfloat16") == together("complex64", "bool") == "c8"
    assert together("complex64", "float64") == together("complex128", "bfloat16") == "c16"


def test_bfloat16_rounds_once_to_the_nearest_even():
    rng = np.random.default_rng(0)
    halfway = np.ldexp(rng.integers(128, 256, 300) + 0.5, rng.integers(-140, 120, 300))
    nearly = np.nextafter(halfway, np.where(np.arange(300) % 2, np.inf, 0.0))   # in float32 these are halfway again
    for values in (INTERESTING, halfway, nearly, rng.normal(size=300)):
        got = cyops.astype(values, "bfloat16")
        assert np.array_equal(np.asarray(got).astype(np.float64), as_bfloat16(values))
    narrow = np.float32([np.nan, 1.0])
    assert np.isnan(cyops.astype(narrow, "bfloat16").tolist()).tolist() == [True, False]


def test_bfloat16_casts_to_and_from_every_dtype():
    values = np.array([0.0, 1.0, 3.0, 100.0])
    for name in REAL:
        there = cyops.astype(values.astype(name), "bfloat16")
        assert there.dtype == "bfloat16" and there.tolist() == values.astype(name).astype(float).tolist()
        back = cyops.astype(there, name)
        assert back.dtype == np.dtype(name) and np.array_equal(back, values.astype(name))
    assert cyops.astype([1 << 24, (1 << 24) + 1, 257, 258], "bfloat16").tolist() == [2.0**24, 2.0**24, 256.0, 258.0]


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_dtypes_cast_as_numpy_does(dtype):
    values = np.array([0, 1 + 2j, -3j, 5.5], dtype)
    for name in REAL:
        with np.errstate(all="ignore"):
            expected = values.real.astype(name) if name != "bool" else values != 0
        assert np.array_equal(cyops.astype(values, name), expected), name
        assert np.array_equal(cyops.astype(np.array([0, 1, 2]).astype(name), dtype),
                              np.array([0, 1, 2]).astype(name).astype(dtype))
    assert np.array_equal(cyops.astype(values, "complex64"), values.astype("complex64"))
    assert np.array_equal(cyops.astype(values, "complex128"), values.astype("complex128"))


@pytest.mark.parametrize("dtype", ["bfloat16", "complex64", "complex128"])
@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_storage_dtypes_are_copied_viewed_and_compared_in_every_layout(dtype, layout):
    values = np.arange(12.0).reshape(3, 4) * (1 if dtype == "bfloat16" else 1 - 2j)
    x = LAYOUTS[layout](values.astype(np.float32 if dtype == "bfloat16" else dtype))
    expected = values_of(x)
    stored = cyops.astype(x, dtype)
    for made in (stored, cyops.copy(stored), cyops.reshape(stored, stored.shape), stored.T.T, stored[...]):
        assert made.dtype == dtype and np.array_equal(values_of(made), expected)
    assert np.array_equal(stored[::-1], expected[::-1]) and np.array_equal(stored == stored, expected == expected)
    assert np.array_equal(stored != x, np.zeros(stored.shape, bool))
    if stored.ndim and stored.shape[0] > 1:
        assert np.array_equal(cyops.take(stored, [1, 0], axis=0), expected[[1, 0]])
        assert np.array_equal(cyops.concat([stored, stored]), np.concatenate([expected, expected]))


def test_bfloat16_computes_in_float32_and_rounds_once():
    a, b = (cyops.astype(np.random.default_rng(i).normal(size=100), "bfloat16") for i in (1, 2))
    wide = np.asarray(a).astype(np.float64), np.asarray(b).astype(np.float64)
    for op, reference in ((cyops.add, np.add), (cyops.multiply, np.multiply), (cyops.maximum, np.maximum)):
        exact = reference(*(x.astype(np.float32) for x in wide))
        assert np.array_equal(op(a, b), as_bfloat16(exact)) and op(a, b).dtype == "bfloat16"
    assert cyops.sum(cyops.full(1000, 1, "bfloat16")).item() == 1000.0      # adding in bfloat16 itself ends at 256


@pytest.mark.parametrize("values, dtype", [([1.0, 2.5], "bfloat16"), ([1 + 1j, 2.5], "complex64")])
def test_written_indexed_and_pickled(values, dtype):
    x = cyops.asarray(values, dtype)
    x[0] = 7.0
    x[[1]] = 3.0
    assert x.tolist() == [7.0, 3.0] and x[x == 7].tolist() == [7.0]
    for again in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x), copy.copy(x)):
        assert again.dtype == dtype and again.tolist() == x.tolist() and not cyops.shares_memory(again, x)
    variable = pickle.loads(pickle.dumps(ct.Variable(x)))
    assert variable.dtype == dtype and variable.tolist() == x.tolist()
    assert str(dtype) in repr(ct.asarray(x)) and cyops.shares_memory(x, x[1:])


def test_the_buffer_of_complex_numbers_goes_both_ways():
    for dtype, letters in (("complex64", "Zf"), ("complex128", "Zd")):
        array = np.array([[1 + 2j, 3]], dtype)
        x = cyops.asarray(array)
        assert np.shares_memory(np.asarray(x), array) and np.asarray(x).dtype == dtype
        assert memoryview(x).format == letters and cyops.shares_memory(cyops.asarray(memoryview(x)), x)


def test_the_buffer_protocol_has_no_bfloat16_so_numpy_gets_float32():
    x = cyops.asarray([1.0, 2.5], "bfloat16")
    with pytest.raises(BufferError, match="no letter for bfloat16"):
        memoryview(x)
    assert np.asarray(x).dtype == np.float32 and np.asarray(x).tolist() == [1.0, 2.5]
    with pytest.raises(ValueError, match="needs a copy"):
        np.asarray(x, copy=False)
    assert ct.asarray(x).numpy().dtype == np.float32


def test_what_has_no_meaning_for_complex_numbers_is_refused():
    z = cyops.asarray([1j, 2.0])
    refused = [lambda: z < z, lambda: cyops.argmax(z), lambda: cyops.floor(z), lambda: cyops.softmax(z),
               lambda: cyops.max(z),
               lambda: cyops.scatter_add(z, [0], z), lambda: cyops.one_hot([0], 2, "complex64")]
    for call in refused:
        with pytest.raises(TypeError, match="needs real numbers; got dtype complex64"):
            call()


def test_the_dtype_object_of_bfloat16():
    assert ct.bfloat16 == "bfloat16" and ct.bfloat16 != "float32" and hash(ct.bfloat16) == hash("bfloat16")
    assert pickle.loads(pickle.dumps(ct.bfloat16)) is ct.bfloat16 and str(ct.bfloat16) == "bfloat16"
    assert cyops.zeros(2, ct.bfloat16).dtype is ct.bfloat16


def test_arrays_of_ml_dtypes_come_and_go():
    """The package that gives NumPy a bfloat16: asked for by dtype, never by being installed."""
    ml_dtypes = pytest.importorskip("ml_dtypes")
    array = np.array([[1.0, -2.5], [np.inf, 3e38]], ml_dtypes.bfloat16)
    for x in (cyops.asarray(array), cyops.asarray(array.T).T, cyops.asarray(array[::-1])[::-1]):
        assert x.dtype == "bfloat16" and x.tolist() == array.astype(np.float32).tolist()
        back = np.asarray(x, ml_dtypes.bfloat16)
        assert back.dtype == array.dtype and np.array_equal(back, array)
    assert cyops.astype(array, ml_dtypes.bfloat16).dtype == "bfloat16" and np.asarray(x).dtype == np.float32


def test_numpys_functions_take_bfloat16_as_float32():
    x = ct.asarray([1.0, -4.0], "bfloat16")
    assert np.signbit(x).tolist() == [False, True] and np.hypot(x, x).dtype == np.float32
    assert np.sqrt(ct.abs(x)).tolist() == [1.0, 2.0] and np.mean(x) == -1.5
