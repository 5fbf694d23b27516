"""Conversions between all pairs of dtypes, copies of every striding, and fixed-width strings."""
import itertools

import numpy as np
import pytest
from layouts import LAYOUTS, values_of

import cyops
import cytensor as ct

NUMERIC = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32",
           "float64"]
SHAPES = [(), (0, 2), (9,), (3, 1, 5), (2, 3, 4), (70, 41), (1, 200)]


def numbers(dtype, shape, rng):
    return rng.integers(0, 2 if dtype == "bool" else 100, shape).astype(dtype)


@pytest.mark.parametrize("source", NUMERIC)
def test_every_pair_of_dtypes_in_every_layout(source):
    rng = np.random.default_rng(1)
    for target, shape, (name, layout) in itertools.product(NUMERIC, SHAPES, LAYOUTS.items()):
        x = layout(numbers(source, shape, rng))
        y = cyops.astype(x, target)
        expected = values_of(x).astype(target)
        assert y.dtype == target and y.shape == expected.shape
        np.testing.assert_array_equal(values_of(y), expected, err_msg=f"{target} {shape} {name}")


@pytest.mark.parametrize("dtype", ["bool", "int16", "float32", "float64", "S3", "U2"])
def test_copies_into_every_layout(dtype):
    rng = np.random.default_rng(2)
    for shape, (to_name, to), (from_name, source) in itertools.product(SHAPES, LAYOUTS.items(), LAYOUTS.items()):
        if to_name == "stretched":
            continue
        values = rng.integers(0, 2, shape).astype(dtype)
        target, x = to(np.zeros(shape, dtype)), source(values)
        target[...] = x
        np.testing.assert_array_equal(values_of(target), values_of(x), err_msg=f"{shape} {to_name} {from_name}")


def test_transposing_copies_of_every_width():
    rng = np.random.default_rng(3)
    dtypes = ["int8", "int16", "int32", "int64"]
    for dtype, rows, columns in itertools.product(dtypes, (1, 7, 16, 64, 131), (3, 16, 65, 200)):
        x = rng.integers(-100, 100, (2, rows, columns)).astype(dtype)
        for axes in itertools.permutations(range(3)):
            y = cyops.Strided(np.zeros([x.shape[i] for i in axes], dtype))
            y[...] = cyops.permute_dims(cyops.Strided(x), axes)
            np.testing.assert_array_equal(values_of(y), x.transpose(axes))


def test_transposing_copies_stay_inside_their_target():
    x = np.arange(40 * 50, dtype="float32").reshape(40, 50)
    whole = np.full((60, 50), -1, "float32")
    cyops.Strided(whole)[5:55, 5:45] = cyops.permute_dims(cyops.Strided(x))
    expected = np.full((60, 50), -1, "float32")
    expected[5:55, 5:45] = x.T
    np.testing.assert_array_equal(whole, expected)


def test_large_copies_are_cut_and_joined():
    x = np.arange(2100 * 2200, dtype="float32").reshape(2100, 2200)
    tensor = cyops.Strided(x)
    for view, expected in ((tensor, x), (cyops.permute_dims(tensor), x.T), (tensor[::-1, ::3], x[::-1, ::3])):
        copied = cyops.Strided(np.zeros(expected.shape, "float32"))
        copied[...] = view
        np.testing.assert_array_equal(values_of(copied), expected)


@pytest.mark.slow
def test_copies_that_go_past_the_caches():
    # Rows that are all aligned alike but start between two vectors, and rows that are not; at least 64 MB, which is
    # enough on every machine.
    shapes = ("float32", 4096, 4112), ("float64", 2204, 4112), ("float32", 4099, 4105), ("float32", 4101, 4103)
    for dtype, rows, columns in shapes:
        x = np.arange(rows * columns, dtype=dtype).reshape(rows, columns)
        for start in (0, 3):
            memory = np.zeros(rows * columns + 32, dtype)
            target = cyops.reshape(cyops.Strided(memory)[start:start + rows * columns], (columns, rows))
            target[...] = cyops.permute_dims(cyops.Strided(x))
            assert np.array_equal(memory[start:start + rows * columns].reshape(columns, rows), x.T)
            cyops.reshape(target, (rows, columns))[...] = x
            assert np.array_equal(memory[start:start + rows * columns].reshape(rows, columns), x)
            assert not memory[:start].any() and not memory[start + rows * columns:].any()


def test_fills_that_go_past_the_caches():
    for dtype, size in (("uint8", (64 << 20) + 5), ("float64", (8 << 20) + 3)):
        memory = np.zeros(size + 10, dtype)
        cyops.Strided(memory)[3:3 + size] = 7
        assert (memory[3:3 + size] == 7).all() and not memory[:3].any() and not memory[3 + size:].any()


def test_fill():
    for dtype, layout in itertools.product(NUMERIC, LAYOUTS.values()):
        if layout is LAYOUTS["stretched"]:
            continue
        x = layout(np.zeros((5, 300), dtype))
        x[...] = 1
        assert (values_of(x) == np.ones((), dtype)).all()


def test_float16_is_exact_both_ways():
    halves = np.arange(65536, dtype="uint16").view("float16")
    for wide in ("float32", "float64"):
        widened = values_of(cyops.astype(halves, wide))
        np.testing.assert_array_equal(widened, halves.astype(wide))
        np.testing.assert_array_equal(values_of(cyops.astype(widened, "float16")), halves)


def test_float16_rounds_to_nearest_even_once():
    rng = np.random.default_rng(4)
    halves = np.arange(0x7C00, dtype="uint16").view("float16").astype("float64")
    between = (halves[:-1] + halves[1:]) / 2
    values = np.concatenate([between, np.nextafter(between, 0), np.nextafter(between, 1e9), [65519.99, 65520.0, 1e30]])
    values = np.concatenate([values, -values, rng.normal(size=5000) * 10.0 ** rng.integers(-9, 5, 5000)])
    with np.errstate(all="ignore"):
        for wide in ("float32", "float64"):
            x = values.astype(wide)
            np.testing.assert_array_equal(values_of(cyops.astype(x, "float16")), x.astype("float16"))


def test_floating_to_integer_cuts_towards_zero():
    x = np.array([1.9, -1.9, 0.5, -0.5, 120.0, -120.0])
    for source, target in itertools.product(("float16", "float32", "float64"), NUMERIC[1:5]):
        y = x.astype(source)
        np.testing.assert_array_equal(values_of(cyops.astype(y, target)), y.astype(target))
    large = np.array([2.0**63, 2.0**64 - 2048, 2.0**62, 0.0])
    np.testing.assert_array_equal(values_of(cyops.astype(large, "uint64")), large.astype("uint64"))


def test_what_does_not_fit_is_defined():
    x = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30])
    for source in ("float32", "float64"):
        for target, expected in (("int32", -(2**31)), ("int64", -(2**63)), ("int8", 0), ("uint16", 0), ("uint32", 0)):
            assert cyops.astype(x.astype(source), target).tolist() == [expected] * 5
    edges = np.array([-(2.0**31), 2.0**31 - 1, 2.0**31])
    assert cyops.astype(edges, "int32").tolist() == [-(2**31), 2**31 - 1, -(2**31)]
    assert cyops.astype(x, "bool").tolist() == [True] * 5


def test_integers_are_cut_to_the_width_of_the_target():
    x = np.array([-1, 255, 256, 2**31, -(2**31), 2**63 - 1])
    for target in NUMERIC[1:9]:
        np.testing.assert_array_equal(values_of(cyops.astype(x, target)), x.astype(target))


def test_strings_are_padded_and_cut():
    words = np.array([["a", "bc"], ["def", ""]])
    for width in ("U1", "U2", "U3", "U9"):
        for x, expected in ((cyops.Strided(words), words), (cyops.permute_dims(cyops.Strided(words)), words.T)):
            np.testing.assert_array_equal(values_of(cyops.astype(x, width)), expected.astype(width))
    raw = np.array([b"abc", b"", b"z"])
    for width in ("S1", "S3", "S8"):
        np.testing.assert_array_equal(values_of(cyops.astype(raw, width)), raw.astype(width))


def test_copy_and_astype_make_new_memory():
    x = cyops.Strided([1.0, 2.0])
    assert not cyops.shares_memory(cyops.copy(x), x)
    assert not cyops.shares_memory(cyops.astype(x, "float32"), x)
    assert cyops.astype(x, "float32", copy=False) is x
    transposed = cyops.permute_dims(cyops.Strided(np.zeros((3, 4))))
    assert cyops.copy(transposed).strides == transposed.strides
    with pytest.raises(TypeError, match="unknown dtype 'float33'"):
        cyops.astype(x, "float33")


@pytest.mark.parametrize("text", [b"abc", np.bytes_(b"abc"), np.bytes_(b""), np.array(b"abc")])
def test_bytes_of_python_and_of_numpy_are_one_string(text):
    expected = np.asarray(text)
    for made in (ct.constant(text), ct.asarray(text), ct.Variable(text)):
        assert made.shape == () and made.dtype == expected.dtype and made.numpy().item() == expected.item()
