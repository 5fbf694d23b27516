"""matmul, dot, tensordot and dense: shapes, values over every layout, dtypes, out=, errors."""
import itertools

import numpy as np
import pytest
from layouts import LAYOUTS

import cyops

RNG = np.random.default_rng(0)


def numbers(shape, dtype="float32"):
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return (RNG.random(shape) - 0.5).astype(dtype)
    return RNG.integers(0, 2 if dtype.kind == "b" else 90, shape).astype(dtype)


def assert_product(result, reference, a, b, dtype, reference_of_magnitudes, depth):
    """|result - reference| <= c * eps * sum of |terms|, evaluated in float64; c grows with half the summed length."""
    result = np.asarray(result)
    assert result.shape == reference.shape
    magnitude = reference_of_magnitudes(np.abs(a.astype("float64")), np.abs(b.astype("float64")))
    tolerance = (4 + depth / 2) * np.finfo(dtype).eps * magnitude
    assert np.all(np.abs(result - reference) <= tolerance)


MATMUL_SHAPES = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((1, 1), (1, 1)), ((5, 2, 3), (3, 4)),
    ((5, 2, 3), (5, 3, 4)), ((6, 1, 2, 3), (5, 3, 4)), ((3,), (5, 3, 4)), ((5, 2, 3), (3,)), ((1, 2, 3), (5, 3, 4)),
    ((2, 3, 4, 5, 6), (6, 7)), ((4, 1, 6), (6, 2)), ((17, 33), (33, 65)), ((2, 400), (400, 3)),
]


def test_matmul_follows_numpy_over_every_layout():
    for shape_a, shape_b in MATMUL_SHAPES:
        for lay_a, lay_b in itertools.product(LAYOUTS.values(), repeat=2):
            a, b = lay_a(numbers(shape_a)), lay_b(numbers(shape_b))
            values_a, values_b = np.array(a), np.array(b)
            reference = np.matmul(values_a.astype("float64"), values_b.astype("float64"))
            assert_product(cyops.matmul(a, b), reference, values_a, values_b, "float32", np.matmul, shape_a[-1])


def test_matmul_gives_a_view_the_bits_of_its_copy():
    for shape_a, shape_b in MATMUL_SHAPES:
        for dtype in ("float32", "float64"):
            for lay_a, lay_b in itertools.product(LAYOUTS.values(), repeat=2):
                a, b = lay_a(numbers(shape_a, dtype)), lay_b(numbers(shape_b, dtype))
                of_copies = cyops.matmul(np.array(a), np.array(b))
                assert np.asarray(cyops.matmul(a, b)).tobytes() == np.asarray(of_copies).tobytes()


@pytest.mark.parametrize("shape_a, shape_b", [((0, 3), (3, 4)), ((2, 0), (0, 4)), ((0,), (0,)), ((0, 2, 3), (3, 4)),
                                              ((2, 3), (3, 0)), ((2, 0), (0,)), ((4, 2, 0), (4, 0, 3))])
def test_matmul_of_empty_operands(shape_a, shape_b):
    result = np.asarray(cyops.matmul(numbers(shape_a), numbers(shape_b)))
    reference = np.matmul(numbers(shape_a), numbers(shape_b))
    assert result.shape == reference.shape and np.array_equal(result, reference)


DOT_SHAPES = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((2, 3, 4, 5), (5,)), ((2, 3, 4, 5), (5, 6)),
    ((2, 3, 4), (7, 4, 5)), ((2, 3, 4), (6, 7, 4, 5)), ((4,), (6, 4, 5)), ((), (3, 2)), ((3, 2), ()), ((), ()),
]


def test_dot_follows_numpy_over_every_layout():
    for shape_a, shape_b in DOT_SHAPES:
        for lay_a, lay_b in itertools.product(LAYOUTS.values(), repeat=2):
            a, b = lay_a(numbers(shape_a)), lay_b(numbers(shape_b))
            values_a, values_b = np.array(a), np.array(b)
            reference = np.asarray(np.dot(values_a.astype("float64"), values_b.astype("float64")))
            depth = shape_a[-1] if shape_a and shape_b else 1
            assert_product(cyops.dot(a, b), reference, values_a, values_b, "float32", np.dot, depth)


TENSORDOT_AXES = [0, 1, ((3,), (0,)), ((1, 2), (2, 1)), ((2, 1), (1, 2)), ((3, 2, 1, 0), (0, 1, 2, 3)), (3, 0),
                  ((0, 1, 2, 3), (3, 2, 1, 0)), ((-1, 0), (0, -1)), ((0, 2), (3, 1)), ((), ())]


def test_tensordot_follows_numpy_over_every_layout():
    for axes in TENSORDOT_AXES:
        for lay_a, lay_b in itertools.product(LAYOUTS.values(), repeat=2):
            a, b = lay_a(numbers((2, 3, 4, 5))), lay_b(numbers((5, 4, 3, 2)))
            values_a, values_b = np.array(a), np.array(b)
            reference = np.asarray(np.tensordot(values_a.astype("float64"), values_b.astype("float64"), axes))
            assert_product(
                cyops.tensordot(a, b, axes=axes), reference, values_a, values_b, "float32",
                lambda x, y, axes=axes: np.asarray(np.tensordot(x, y, axes)), 120,
            )
            of_copies = cyops.tensordot(values_a, values_b, axes=axes)
            assert np.array_equal(np.asarray(cyops.tensordot(a, b, axes=axes)), np.asarray(of_copies))


@pytest.mark.slow
def test_tensordot_over_axes_in_any_order_has_the_bits_of_operands_in_order():
    """Axes summed over and others in any order of memory: some merge, some are copied first."""
    rng = np.random.default_rng(7)
    for trial in range(90):
        dtype = ("float32", "float64")[trial % 2]
        summed = rng.choice([1, 2, 3, 7, 16, 30], rng.integers(1, 4)).tolist() if trial % 9 else [40, 0, 3]
        lengths = [summed + rng.integers(1, most, rng.integers(0, 3)).tolist() for most in (9, 20)]
        orders = [rng.permutation(len(one)).tolist() for one in lengths]
        axes = [[order.index(i) for i in range(len(summed))] for order in orders]
        a, b = (numbers([one[i] for i in order]).astype(dtype) for one, order in zip(lengths, orders, strict=True))
        result = np.asarray(cyops.tensordot(a, b, axes=axes))
        exact = np.tensordot(a.astype("float64"), b.astype("float64"), axes)
        magnitude = np.tensordot(np.abs(a).astype("float64"), np.abs(b).astype("float64"), axes)
        terms = 4 + np.prod(summed) / 2
        assert result.shape == exact.shape and np.all(np.abs(result - exact) <= terms * np.finfo(dtype).eps * magnitude)
        others = [[i for i in range(x.ndim) if i not in used] for x, used in zip((a, b), axes, strict=True)]
        in_order = cyops.tensordot(np.array(a.transpose(others[0] + axes[0]), order="C"),
                                   np.array(b.transpose(axes[1] + others[1]), order="C"), axes=len(summed))
        assert np.asarray(in_order).tobytes() == result.tobytes(), (a.shape, b.shape, axes)


def test_dense_is_product_bias_and_activation():
    for shape in [(9,), (7, 9), (1, 9), (2, 5, 9), (0, 9), (200, 9)]:
        for columns, activation in itertools.product((1, 5, 40), (None, "relu")):
            for layout in LAYOUTS.values():
                x, kernel, bias = layout(numbers(shape)), layout(numbers((9, columns))), layout(numbers(columns))
                reference = np.array(x).astype("float64") @ np.array(kernel) + np.array(bias)
                if activation == "relu":
                    reference = np.maximum(reference, 0)
                result = np.asarray(cyops.dense(x, kernel, bias, activation))
                assert result.shape == reference.shape
                assert np.allclose(result, reference, rtol=0, atol=2e-6)


def test_dense_without_depth_is_the_bias():
    result = cyops.dense(numbers((3, 0)), numbers((0, 2)), np.float32([1, -1]), "relu")
    assert np.asarray(result).tolist() == [[1, 0]] * 3


def test_dense_backward_gives_what_its_arguments_allow():
    d, x, kernel = numbers((2, 3, 4)), numbers((2, 3, 5)), numbers((5, 4))
    dx, dkernel, dbias = cyops.dense_backward(d, x, kernel)
    rows, flat = d.reshape(6, 4).astype("float64"), x.reshape(6, 5).astype("float64")
    for part, expected in ((dx, d @ kernel.T.astype("float64")), (dkernel, flat.T @ rows), (dbias, rows.sum(0))):
        assert part.dtype == np.float32
        np.testing.assert_allclose(np.asarray(part), expected, rtol=0, atol=1e-6)
    assert cyops.dense_backward(d, kernel=kernel, bias=False)[1:] == (None, None)
    assert cyops.dense_backward(d, x, bias=False)[::2] == (None, None)
    turned = cyops.dense_backward(d.transpose(1, 0, 2), x.transpose(1, 0, 2), kernel)
    np.testing.assert_allclose(np.asarray(turned[1]), np.asarray(dkernel), rtol=0, atol=1e-6)
    assert [part.dtype.name for part in cyops.dense_backward(d.astype("float16"), x, kernel.astype("float64"))] == [
        "float64"] * 3
    assert cyops.dense_backward(numbers(4), numbers(5), kernel)[0].shape == (5,)


def test_relu_in_dense_keeps_nan():
    result = cyops.dense(np.float32([[np.nan], [-1], [np.inf]]), np.float32([[1]]), activation="relu")
    assert np.array_equal(np.asarray(result), np.float32([[np.nan], [0], [np.inf]]), equal_nan=True)
    wide = cyops.dense(np.float32([[np.nan, 1]]), np.ones((2, 20), "float32"), activation="relu")
    assert np.isnan(np.asarray(wide)).all()


def test_nan_and_infinity_reach_only_their_own_row_and_column():
    a, b = numbers((20, 50)), numbers((50, 40))
    a[3, 7], b[9, 11], b[4, 30] = np.nan, np.inf, np.nan
    result = np.asarray(cyops.matmul(a, b))
    reference = a.astype("float64") @ b
    assert np.array_equal(np.isnan(result), np.isnan(reference))
    assert np.array_equal(np.isinf(result), np.isinf(reference))


def test_denormals_survive():
    tiny = np.full((3, 8), 2.0**-140, "float32")
    assert np.array_equal(np.asarray(cyops.matmul(tiny, np.ones((8, 5), "float32"))), np.full((3, 5), 2.0**-137))


INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool"]


def test_integer_products_wrap_as_in_numpy():
    for dtype in INTEGERS:
        for shape_a, shape_b in [((3, 300), (300, 5)), ((2, 3, 4), (4, 600)), ((7,), (7,)), ((2, 0), (0, 3))]:
            for lay_a, lay_b in itertools.product(LAYOUTS.values(), repeat=2):
                a, b = lay_a(numbers(shape_a, dtype)), lay_b(numbers(shape_b, dtype))
                result = np.asarray(cyops.matmul(a, b))
                reference = np.matmul(np.array(a), np.array(b))
                assert result.dtype == reference.dtype and np.array_equal(result, reference)


def test_mixed_dtypes_promote():
    pairs = {("int32", "float32"): "float32", ("float32", "float64"): "float64", ("int8", "uint8"): "int16",
             ("bool", "int64"): "int64", ("float16", "float16"): "float16", ("float16", "float32"): "float32"}
    for (dtype_a, dtype_b), expected in pairs.items():
        for function in (cyops.matmul, cyops.dot, lambda a, b: cyops.tensordot(a, b, axes=1)):
            a, b = numbers((3, 4), dtype_a), numbers((4, 5), dtype_b)
            result = function(a, b)
            assert result.dtype == expected
            reference = a.astype("float64") @ b.astype("float64")
            tolerance = {"float16": 1e-2, "float32": 1e-3}.get(expected, 1e-11)
            assert np.allclose(np.asarray(result), reference, rtol=0, atol=tolerance)


def test_float16_is_summed_in_float32():
    ones = np.ones((1, 4096), "float16")
    assert cyops.matmul(ones, ones.T).item() == 4096


def test_out_receives_the_result_in_any_layout():
    a, b = numbers((6, 7)), numbers((7, 8))
    for layout in LAYOUTS.values():
        out = layout(np.full((6, 8), np.nan, "float32"))
        if 0 in out.strides:
            with pytest.raises(ValueError, match="stride 0"):
                cyops.matmul(a, b, out=out)
            continue
        version = out.storage.version
        assert cyops.matmul(a, b, out=out) is out
        assert np.array_equal(np.asarray(out), np.asarray(cyops.matmul(a, b)))
        assert out.storage.version > version


def test_out_may_overlap_the_operands():
    values = numbers((8, 8))
    x = cyops.Strided(values.copy())
    cyops.matmul(x, x, out=x)
    assert np.array_equal(np.asarray(x), np.asarray(cyops.matmul(values, values)))
    rows = cyops.Strided(numbers((9, 8)))
    expected = cyops.matmul(np.array(rows[1:]), values)
    cyops.matmul(rows[1:], values, out=rows[:-1])
    assert np.array_equal(np.asarray(rows[:-1]), np.asarray(expected))


def test_out_of_a_wider_dtype():
    a, b = numbers((3, 4)), numbers((4, 5))
    out = cyops.Strided(np.zeros((3, 5)))
    cyops.matmul(a, b, out=out)
    assert out.dtype == "float64" and np.array_equal(np.asarray(out), np.asarray(cyops.matmul(a, b)))


def ones(*shape):
    return np.ones(shape, "float32")


ERRORS = [
    (lambda: cyops.matmul(ones(3, 4), ones(5, 6)), ValueError,
     "matmul: last axis of a must equal second-last axis of b; got a (3, 4), b (5, 6)"),
    (lambda: cyops.matmul(ones(3, 4), ones(3)), ValueError,
     "matmul: last axis of a must equal only axis of b; got a (3, 4), b (3,)"),
    (lambda: cyops.matmul(ones(2, 3, 4), ones(3, 4, 5)), ValueError,
     "matmul: the axes before the last two must broadcast; got a (2, 3, 4), b (3, 4, 5)"),
    (lambda: cyops.matmul(2.0, ones(3)), ValueError,
     "matmul: both operands need at least one axis; got a (), b (3,); use multiply for a scalar"),
    (lambda: cyops.dot(ones(3), ones(4)), ValueError,
     "dot: last axis of a must equal only axis of b; got a (3,), b (4,)"),
    (lambda: cyops.dot(ones(*[1] * 9), ones(*[1] * 10)), ValueError,
     "dot: the result has 17 axes; at most 16 are possible"),
    (lambda: cyops.tensordot(ones(3, 4), ones(5, 6)), ValueError,
     "tensordot: the axes summed over must have equal lengths; got (3, 4) of a (3, 4) and (5, 6) of b (5, 6)"),
    (lambda: cyops.tensordot(ones(3, 4), ones(5, 6), 5), ValueError,
     "tensordot: axes must lie between 0 and the number of axes of both; got axes 5, a (3, 4), b (5, 6)"),
    (lambda: cyops.tensordot(ones(3, 3), ones(3, 3), ((0, 0), (0, 1))), ValueError,
     "tensordot: an axis is named twice; got axes ((0, 0), (0, 1))"),
    (lambda: cyops.tensordot(ones(3), ones(3), ((0, 1, 2),)), ValueError,
     "tensordot: axes must be an integer or a pair of sequences; got ((0, 1, 2),)"),
    (lambda: cyops.tensordot(ones(3), ones(3), ((1,), (0,))), IndexError,
     "tensordot: axis 1 is out of range for 1 axes; it must lie in [-1, 1)"),
    (lambda: cyops.dense(ones(3, 4), ones(5, 6)), ValueError,
     "dense: last axis of x must equal first axis of kernel; got x (3, 4), kernel (5, 6)"),
    (lambda: cyops.dense(ones(3, 4), ones(4)), ValueError, "dense: kernel must have two axes (k, n); got kernel (4,)"),
    (lambda: cyops.dense(ones(3, 4), ones(4, 6), ones(5)), ValueError,
     "dense: bias must have one element per column of kernel; got kernel (4, 6), bias (5,)"),
    (lambda: cyops.dense(ones(3, 4), ones(4, 6), None, "tanh"), ValueError,
     'dense: activation must be None or "relu"; got \'tanh\'; apply another one to the result'),
    (lambda: cyops.dense_backward(ones(2, 3), ones(4, 5)), ValueError,
     "dense_backward: all axes but the last of x must equal those of d; got d (2, 3), x (4, 5)"),
    (lambda: cyops.dense_backward(ones(2, 3), kernel=ones(3, 4)), ValueError,
     "dense_backward: kernel must have two axes, the last as long as that of d; got d (2, 3), kernel (3, 4)"),
    (lambda: cyops.dense_backward(ones(2, 3), y=ones(3)), ValueError,
     "dense_backward: y must have the shape of d; got d (2, 3), y (3,)"),
    (lambda: cyops.dense_backward(np.ones(3, int)), TypeError,
     "dense_backward: d must be floating, with an axis or more; got d (3,) int64"),
    (lambda: cyops.dense_backward(ones(2, 3), ones(2, 4), kernel_gradient=cyops.ones((3, 4))), ValueError,
     "dense_backward: kernel_gradient must be C-ordered, with the shape and dtype of the gradient; got kernel_gradient "
     "(3, 4) float32, gradient (4, 3) float32"),
    (lambda: cyops.dense(np.ones((2, 2), int), np.ones((2, 2), int)), TypeError,
     "dense: needs floating operands; got x int64, kernel int64"),
    (lambda: cyops.matmul(np.array(["a"]), np.array(["b"])), TypeError,
     "matmul: needs numbers; got dtype <U1"),
    (lambda: cyops.matmul(ones(2, 2), ones(2, 2), out=cyops.Strided(ones(2, 3))), ValueError,
     "matmul: out must have the shape of the result; got out (2, 3), result (2, 2)"),
    (lambda: cyops.matmul(ones(2, 2), ones(2, 2), out=cyops.Strided([[1, 2], [3, 4]])), TypeError,
     "matmul: out of dtype int64 cannot hold a result of dtype float32; cast the result with astype"),
    (lambda: cyops.matmul(ones(2, 2), ones(2, 2), out=ones(2, 2)), TypeError,
     "matmul: out must be a tensor; got ndarray"),
]


@pytest.mark.parametrize("call, kind, message", ERRORS, ids=[message[:40] for _, _, message in ERRORS])
def test_errors_say_what_is_wrong(call, kind, message):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message


def test_the_operator_is_matmul():
    a, b = cyops.Strided(numbers((3, 4))), numbers((4, 5))
    assert np.array_equal(np.asarray(a @ b), np.asarray(cyops.matmul(a, b)))
    rows, transposed = b.T.tolist(), cyops.permute_dims(a)  # lists, because an array's own operator comes before ours
    assert np.array_equal(np.asarray(rows @ transposed), np.asarray(cyops.matmul(rows, transposed)))


def test_a_contraction_is_recorded_once():
    x, kernel, bias = (cyops.Strided(numbers(shape)) for shape in ((2, 3), (3, 4), (4,)))
    recorder = cyops.Recorder()
    recorder.watch(kernel)
    recorder.start()
    cyops.matmul(x, kernel)
    cyops.dot(x, kernel)
    cyops.tensordot(x, kernel, axes=1)
    cyops.dense(x, kernel, bias, "relu")
    recorder.stop()
    assert [record.op for record in recorder.records] == ["matmul", "dot", "tensordot", "dense"]
    assert recorder.records[2].params["axes"] == ((1,), (0,))
    assert recorder.records[3].params["activation"] == "relu"
    assert recorder.records[3].inputs[2] is bias
