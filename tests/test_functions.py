"""Functions of whole arrays beside NumPy: running sums and products, order, parts, lengths, closeness."""
import itertools

import numpy as np
import pytest
from layouts import LAYOUTS, values_of

import cyops
import cytensor as ct
from cytensor.composites import COMPOSITES

SHAPES = [(5,), (3, 4), (2, 3, 4), (1, 6), (0, 3), (4, 1, 2)]
DTYPES = ["float32", "float64", "float16", "int8", "int64", "uint8", "bool"]


def drawn(shape, dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.normal(size=shape).round(2).astype(dtype)
    return rng.integers(0, 2 if dtype == "bool" else 9, size=shape).astype(dtype)


def axes_of(shape):
    return [None, *range(-len(shape), len(shape))]


def close(got, want, rtol=0.0, message=""):
    got = values_of(got)
    assert got.shape == np.shape(want), (message, got.shape, np.shape(want))
    np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol, err_msg=str(message))


# -- running sums and products ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
def test_running_sums_and_products_over_axes_and_dtypes(name):
    for shape, dtype in itertools.product(SHAPES, DTYPES):
        x = drawn(shape, dtype)
        for axis in axes_of(shape):
            got = getattr(ct, name)(x, axis)
            wide = getattr(np, name)(x.astype("float64") if x.dtype.kind == "f" else x, axis)
            assert got.dtype == (dtype if x.dtype.kind == "f" else wide.dtype)
            close(got, wide.astype(got.dtype), message=(shape, dtype, axis))     # rounded once


def test_running_sums_may_leave_the_element_out_and_go_backward():
    x = np.array([[1., 2., 3.], [4., 5., 6.]])
    assert ct.cumsum(x, 1, exclusive=True).tolist() == [[0, 1, 3], [0, 4, 9]]
    assert ct.cumsum(x, 1, reverse=True).tolist() == [[6, 5, 3], [15, 11, 6]]
    assert ct.cumprod(x, 0, exclusive=True, reverse=True).tolist() == [[4, 5, 6], [1, 1, 1]]
    assert ct.cumsum([1, 2], dtype="int8").dtype == "int8" and ct.cumsum([1, 2], dtype="float32").dtype == "float32"
    assert ct.cumsum(3.0).tolist() == [3.0]


def test_a_running_sum_of_a_million_floats_is_rounded_once():
    x = np.full(1_000_000, 0.1, "float32")
    exact = np.cumsum(x, dtype="float64").astype("float32")
    assert np.array_equal(ct.cumsum(x).numpy(), exact)


def test_the_gradient_of_a_product_with_zeros():
    for values in ([0., 2., 3.], [2., 0., 3.], [2., 0., 0.], [0., 0., 0., 1., 5.]):
        x = ct.Variable(np.array(values))
        with ct.GradientTape() as tape:
            y = ct.sum(ct.cumprod(x) * np.arange(1., len(values) + 1))
        want = [sum((j + 1) * np.prod([v for k, v in enumerate(values[: j + 1]) if k != i])
                    for j in range(i, len(values))) for i in range(len(values))]
        assert tape.gradient(y, x).tolist() == pytest.approx(want)


# -- order ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint64", "int16"])
@pytest.mark.parametrize("descending", [False, True])
def test_equal_elements_of_large_tensors_stay_in_order(dtype, descending):
    rng = np.random.default_rng(7)
    for shape, axis in (((9000,), 0), ((70, 90), 0), ((70, 90), 1), ((5000, 1), 1), ((3, 40, 50), -2)):
        for most in (3, 10**9 if dtype != "int16" else 3 * 10**4):
            x = rng.integers(0, most, shape).astype(dtype)
            if x.dtype.kind == "f":
                x.reshape(-1)[::7] = np.nan
                x.reshape(-1)[1::11] = -0.0
            rank = np.argsort(x, axis=axis, kind="stable")
            if descending:                          # of the elements from the end, counted from there
                rank = x.shape[axis] - 1 - np.flip(np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)
            for laid in (x, np.asfortranarray(x)):
                found = ct.argsort(laid, axis=axis, descending=descending)
                assert found.dtype == np.int64 and np.array_equal(np.asarray(found), rank)


@pytest.mark.parametrize("dtype", DTYPES)
def test_sort_and_argsort_over_axes_and_layouts(dtype):
    for shape in SHAPES:
        x = drawn(shape, dtype)
        for axis, layout in itertools.product(axes_of(shape), LAYOUTS):
            if layout == "stretched" and 0 in shape:
                continue
            tensor = LAYOUTS[layout](x)
            values = values_of(tensor)
            order = np.argsort(values, axis, kind="stable")
            close(ct.sort(tensor, axis), np.sort(values, axis), message=(shape, axis, layout))
            close(ct.argsort(tensor, axis), order)
            falling = ct.sort(tensor, axis, descending=True)
            close(falling, np.flip(np.sort(values, axis), -1 if axis is None else axis))
            assert falling.dtype == dtype and ct.argsort(tensor, axis).dtype == "int64"


def test_equal_elements_stay_in_their_order():
    x = np.array([2, 1, 2, 1, 3, 3])
    assert ct.argsort(x).tolist() == [1, 3, 0, 2, 4, 5]
    assert ct.argsort(x, descending=True).tolist() == [4, 5, 0, 2, 1, 3]
    assert ct.top_k(x, 4).indices.tolist() == [4, 5, 0, 2]


def test_nan_is_larger_than_any_number():
    x = np.array([np.nan, -np.inf, 1, np.inf, 0], "float32")
    np.testing.assert_array_equal(ct.sort(x).numpy(), np.sort(x))
    assert np.isnan(ct.sort(x, descending=True).numpy()[0]) and np.isnan(ct.top_k(x, 1).values.numpy()[0])


def test_bfloat16_is_sorted():
    x = ct.asarray([3., 1., 2.], "bfloat16")
    assert ct.sort(x).tolist() == [1, 2, 3] and ct.sort(x).dtype == x.dtype
    assert ct.cumsum(x).tolist() == [3, 4, 6] and ct.median(x).item() == 2


def test_top_k_gives_tensors_of_its_operands_class():
    values, indices = ct.top_k([[1., 5., 3.]], k=2)
    assert type(values) is type(indices) is ct.Tensor and indices.dtype == "int32"
    assert values.tolist() == [[5, 3]] and indices.tolist() == [[1, 2]]
    assert type(COMPOSITES["top_k"](cyops.ones(3), 2).values) is cyops.Strided
    assert ct.top_k(np.zeros((2, 0)), 0).values.shape == (2, 0)


def test_take_along_axis_is_numpys():
    for shape in [(3, 4), (2, 3, 4), (5,)]:
        x = drawn(shape)
        for axis in range(-len(shape), len(shape)):
            order = np.argsort(x, axis)
            close(ct.take_along_axis(x, order, axis), np.take_along_axis(x, order, axis))
            some = np.argmax(x, axis, keepdims=True)
            close(ct.take_along_axis(x, some, axis), np.take_along_axis(x, some, axis))
    close(ct.take_along_axis(drawn((3, 4)), [[1]], 1), drawn((3, 4))[:, 1:2])


@pytest.mark.parametrize("method", ["linear", "lower", "higher", "nearest", "midpoint"])
def test_quantiles_are_numpys(method):
    for shape in [(5,), (3, 4), (2, 3, 4), (4, 1, 2)]:
        x = drawn(shape)
        for axis, q in itertools.product([*axes_of(shape), (0, -1)], [0.0, 0.25, 1.0, [0.1, 0.5], [[0.2], [0.9]]]):
            axis = axis if axis != (0, -1) or len(shape) > 1 else 0
            for keepdims in (False, True):
                want = np.quantile(x, q, axis=axis, method=method, keepdims=keepdims)
                close(ct.quantile(x, q, axis, method, keepdims), want, 1e-14, (shape, axis, q))


def test_medians_are_numpys():
    for shape in [(5,), (4,), (3, 4), (2, 3, 4), (1,)]:
        x = drawn(shape)
        for axis in axes_of(shape):
            close(ct.median(x, axis), np.median(x, axis), 1e-15)
            close(ct.median(x, axis, keepdims=True), np.median(x, axis, keepdims=True), 1e-15)
    assert ct.median([1, 2]).dtype == "float32" and ct.median(5).item() == 5
    assert ct.median([np.inf, np.inf, 1.]).item() == np.inf and np.isnan(ct.median([np.nan, 1., 2.]).item())
    assert ct.median([-np.inf, -np.inf]).item() == -np.inf


# -- parts and copies -------------------------------------------------------------------------------------------------
def test_split_gives_views():
    x = ct.arange(12, dtype="float32")
    for wanted in (3, 1, [2, 5], [0, 12], [5, 3], [20], [-2], []):
        parts = ct.split(x, wanted)
        for got, want in zip(parts, np.split(x.numpy(), wanted), strict=True):
            assert type(got) is ct.Tensor and np.array_equal(got, want)
    assert cyops.shares_memory(ct.split(x, 3)[1], x)
    table = np.arange(12.).reshape(3, 4)
    assert [part.tolist() for part in ct.split(table, 2, axis=-1)] == [p.tolist() for p in np.split(table, 2, axis=-1)]


def test_split_by_lengths_in_tensorflows_words():
    x = ct.arange(6, dtype="float32")
    assert [p.tolist() for p in ct.split(x, num_or_size_splits=[1, 2, 3])] == [[0], [1, 2], [3, 4, 5]]
    assert [p.tolist() for p in ct.split(x, num_or_size_splits=[1, -1])] == [[0], [1, 2, 3, 4, 5]]
    assert len(ct.split(x, num_or_size_splits=2)) == 2


def test_gradients_go_through_parts():
    v = ct.Variable(np.arange(6.))
    with ct.GradientTape() as tape:
        first, second = ct.split(v, 2)
        y = ct.sum(first * 2) + ct.sum(ct.sort(second, descending=True) * np.array([1., 10., 100.]))
    assert tape.gradient(y, v).tolist() == [2, 2, 2, 100, 10, 1]


def test_repeat_is_numpys():
    for shape in SHAPES:
        x = drawn(shape)
        for axis in axes_of(shape):
            count = x.size if axis is None else shape[axis]
            for repeats in (0, 2, np.arange(count), [3]):
                close(ct.repeat(x, repeats, axis), np.repeat(x, repeats, axis))


# -- lengths and comparisons ------------------------------------------------------------------------------------------
def test_norms_are_numpys():
    x = drawn((2, 3, 4))
    for axis, ord in itertools.product([0, 1, -1], [None, 0, 1, 2, 3, 0.5, -1, np.inf, -np.inf]):
        for keepdims in (False, True):
            close(ct.norm(x, ord, axis, keepdims), np.linalg.norm(x, ord, axis, keepdims), 1e-13, (axis, ord))
    for axis, ord in itertools.product([(0, 1), (2, 1), (-1, 0)], [None, "fro", 1, -1, np.inf, -np.inf]):
        for keepdims in (False, True):
            close(ct.norm(x, ord, axis, keepdims), np.linalg.norm(x, ord, axis, keepdims), 1e-13, (axis, ord))
    close(ct.norm(x), np.linalg.norm(x), 1e-14)
    close(ct.norm(x[0], 1), np.linalg.norm(x[0], 1), 1e-14)
    close(ct.norm(x[0], "euclidean"), np.linalg.norm(x[0]), 1e-14)
    assert ct.norm([3, 4]).dtype == "float32" and ct.norm([3, 4]).item() == 5


def test_a_norm_neither_overflows_nor_vanishes():
    assert ct.norm(np.array([3e30, 4e30], "float32")).item() == pytest.approx(5e30)
    assert ct.norm(np.array([3e-30, 4e-30], "float32")).item() == pytest.approx(5e-30)
    assert ct.norm([np.inf, 1.]).item() == np.inf and np.isnan(ct.norm([np.nan, 1.]).item())
    assert ct.norm(np.zeros((2, 0)), axis=1).tolist() == [0, 0]
    v = ct.Variable([[0., 0.], [3., 4.]])
    with ct.GradientTape() as tape:
        y = ct.sum(ct.norm(v, axis=1))
    np.testing.assert_allclose(tape.gradient(y, v).numpy(), [[0, 0], [0.6, 0.8]], rtol=1e-6)


def test_closeness_is_numpys():
    values = np.array([0, 1, 1 + 1e-6, 1 + 1e-4, -1, np.inf, -np.inf, np.nan, 1e-9])
    a, b = (grid.ravel() for grid in np.meshgrid(values, values))
    for equal_nan, (rtol, atol) in itertools.product([False, True], [(1e-5, 1e-8), (0, 0), (1e-3, 0), (0, 1)]):
        close(ct.isclose(a, b, rtol, atol, equal_nan), np.isclose(a, b, rtol, atol, equal_nan))
        assert ct.allclose(a, b, rtol, atol, equal_nan) is np.allclose(a, b, rtol, atol, equal_nan)
    assert ct.allclose(ct.ones(3), 1.0) is True and ct.allclose([], []) is True


def test_elementwise_functions_have_numpys_names_too():
    for name, numpys in (("asin", "arcsin"), ("acosh", "arccosh"), ("atan2", "arctan2"), ("atan", "arctan")):
        assert getattr(ct, name) is getattr(ct, numpys)
    assert ct.isinf([1., np.inf, -np.inf, np.nan]).tolist() == [False, True, True, False]
    assert ct.sin(3).dtype == "float32" and ct.Tensor([0.]).cos().tolist() == [1.0]


