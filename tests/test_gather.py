"""Gathering, scattering and joining over the cross of layouts, axes and dtypes, against NumPy."""
import itertools

import numpy as np
import pytest
from layouts import LAYOUTS, values_of

import cyops

SHAPES = [(1,), (7,), (4, 5), (5, 1), (3, 4, 2), (2, 3, 4, 3)]
DTYPES = ["bool", "int8", "uint16", "int32", "float16", "float32", "float64", "U3"]


def draw(rng, shape, dtype):
    numbers = rng.integers(0, 2 if dtype == "bool" else 99, size=shape)
    return numbers.astype(dtype)


def cases(dtypes):
    rng = np.random.default_rng(21)
    for dtype, shape in itertools.product(dtypes, SHAPES):
        values = draw(rng, shape, dtype)
        for name, layout in LAYOUTS.items():
            if name == "offset" and dtype == "U3":
                continue                                    # its filler is a number
            x = layout(values)
            yield f"{dtype} {shape} {name}", rng, x, np.array(np.asarray(x), order="C")


def test_take_in_every_layout_along_every_axis():
    for case, rng, x, values in cases(DTYPES):
        for axis, shape in itertools.product((None, *range(x.ndim)), ((), (0,), (5,), (2, 3))):
            length = values.size if axis is None else values.shape[axis]
            indices = rng.integers(-length, length, size=shape)
            got = cyops.take(x, indices, axis=axis)
            expected = np.take(values, indices, axis=axis)
            assert got.dtype == values.dtype, case
            np.testing.assert_array_equal(got, expected, f"{case} axis {axis} {indices}")


def test_indices_in_every_layout_and_dtype():
    x = np.arange(10) * 1.5
    indices = np.arange(12).reshape(3, 4) % 7
    for layout, dtype in itertools.product(LAYOUTS.values(), ("int8", "uint8", "int32", "uint64")):
        wanted = layout(indices.astype(dtype))
        np.testing.assert_array_equal(cyops.take(x, wanted), x[np.asarray(wanted)])


def test_scatter_add_in_every_layout_adds_repeated_indices():
    for case, rng, x, values in cases(["int32", "float16", "float32", "float64"]):
        for axis, shape in itertools.product(range(x.ndim), ((4,), (2, 3), ())):
            indices = rng.integers(-values.shape[axis], values.shape[axis], size=shape)
            update_shape = values.shape[:axis] + shape + values.shape[axis + 1:]
            for layout in LAYOUTS.values():
                updates = layout(draw(rng, update_shape, values.dtype))
                expected = values.copy()
                key = (*(slice(None),) * axis, indices)
                np.add.at(expected, key, np.asarray(updates))
                got = cyops.scatter_add(x, indices, updates, axis=axis)
                np.testing.assert_array_equal(got, expected, f"{case} axis {axis}")
        assert np.array_equal(np.asarray(x), values), case


def test_scatter_add_broadcasts_and_promotes():
    got = cyops.scatter_add(np.zeros((3, 2), np.float32), [0, 2], 1)
    assert got.dtype == np.float32 and got.tolist() == [[1, 1], [0, 0], [1, 1]]
    assert cyops.scatter_add(np.zeros(3, int), [1], np.array([0.5])).tolist() == [0, 0.5, 0]


def test_the_gradient_of_take_is_its_adjoint():
    rng = np.random.default_rng(22)
    x = rng.normal(size=(4, 5, 3))
    for axis, shape in itertools.product((None, 0, 1, -1), ((6,), (2, 2), ())):
        indices = rng.integers(-3, 3, size=shape)
        taken = np.asarray(cyops.take(x, indices, axis=axis))
        d = rng.normal(size=taken.shape)
        for layout in LAYOUTS.values():
            dl = layout(d)
            back = np.asarray(cyops.take_gradient(dl, indices, x.shape, axis))
            np.testing.assert_allclose((taken * np.asarray(dl)).sum(), (back * x).sum(), rtol=1e-12)


def test_put_writes_into_every_layout():
    for case, rng, x, values in cases(["bool", "int8", "float32", "float64"]):
        if "stretched" in case:
            continue
        for axis, shape in itertools.product((None, *range(x.ndim)), ((3,), (2, 2))):
            length = values.size if axis is None else values.shape[axis]
            indices = rng.permutation(4 * length)[: int(np.prod(shape))].reshape(shape) % length
            target = np.moveaxis(values, axis or 0, 0) if axis is not None else values.reshape(-1)
            new = draw(rng, shape + target.shape[1:], values.dtype)
            target[indices] = new
            places = [(axis or 0) + i for i in range(len(shape))]
            cyops.put(x, indices, np.moveaxis(new, list(range(len(shape))), places), axis=axis)
            np.testing.assert_array_equal(x, values, f"{case} axis {axis}")


def test_scatter_view_is_the_adjoint_of_a_view():
    rng = np.random.default_rng(23)
    x = rng.normal(size=(5, 6))
    views = [
        ((5, 6), (6, 1), 0), ((3, 2), (12, 2), 1), ((5,), (7,), 0), ((4, 3), (6, -2), 5),
        ((3, 4, 3, 3), (6, 1, 6, 1), 0), ((4, 2), (1, 1), 3), ((2, 3), (0, 1), 4), ((3, 3, 3), (1, 1, 1), 0),
        ((), (), 7), ((0, 3), (1, 1), 0), ((2, 1, 4), (9, 0, 3), 2), ((6, 5), (1, 6), 0),
    ]
    for shape, strides, offset in views:
        flat = x.reshape(-1)
        view = np.lib.stride_tricks.as_strided(flat[offset:], shape, [8 * s for s in strides])
        for layout in LAYOUTS.values():
            d = layout(rng.normal(size=shape))
            back = cyops.scatter_view(d, x.shape, shape, strides, offset)
            expected = (view * np.asarray(d)).sum()
            np.testing.assert_allclose((np.asarray(back) * x).sum(), expected, rtol=1e-12, atol=1e-13)


def test_one_hot():
    rng = np.random.default_rng(24)
    labels = rng.integers(0, 6, size=(3, 4))
    for layout in LAYOUTS.values():
        x = layout(labels)
        np.testing.assert_array_equal(cyops.one_hot(x, 6), np.eye(6, dtype=np.float32)[np.asarray(x)])
    for dtype in ("bool", "uint8", "float16", "float64"):
        got = cyops.one_hot(labels, 6, dtype=dtype)
        assert got.dtype == dtype
        np.testing.assert_array_equal(got, np.eye(6)[labels].astype(dtype))
    assert cyops.one_hot(1, 2, on_value=5, off_value=-1).tolist() == [-1.0, 5.0]
    assert cyops.one_hot([], 3).shape == (0, 3)
    assert cyops.one_hot([2, 0], depth=3).tolist() == [[0, 0, 1], [1, 0, 0]]      # TensorFlow's word


def test_concat_and_stack_in_every_layout():
    rng = np.random.default_rng(25)
    for shape, dtype in itertools.product([(2, 3), (1, 4, 2), (5,)], ["bool", "int16", "float32", "U3"]):
        layouts = [f for name, f in LAYOUTS.items() if not (name == "offset" and dtype == "U3")]
        parts = [layout(draw(rng, shape, dtype)) for layout in layouts]
        arrays = [values_of(x) for x in parts]
        for axis in range(-1, len(shape)):
            np.testing.assert_array_equal(cyops.concat(parts, axis=axis), np.concatenate(arrays, axis=axis))
            np.testing.assert_array_equal(cyops.stack(parts, axis=axis), np.stack(arrays, axis=axis))
        np.testing.assert_array_equal(cyops.concat(parts, axis=None), np.concatenate(arrays, axis=None))
    assert cyops.concat([np.zeros(2, np.float32), np.zeros((1,)), np.zeros(0, int)]).dtype == np.float64
    assert cyops.concat([np.array(["a"]), np.array(["bcd"])]).tolist() == ["a", "bcd"]
    np.testing.assert_array_equal(cyops.concat([np.ones((2, 0)), np.ones((2, 3))], axis=1), np.ones((2, 3)))


def test_batches_are_gathered_cast_and_scaled():
    rng = np.random.default_rng(26)
    images = rng.integers(0, 256, size=(50, 6, 7)).astype(np.uint8)
    rows = rng.integers(-50, 50, size=33)
    for layout, dtype in itertools.product(LAYOUTS.values(), ("float32", "float64")):
        x = layout(images)
        array = values_of(x)
        got = cyops.gather_rows(x, rows, dtype=dtype, scale=1 / 255)
        np.testing.assert_array_equal(got, array[rows].astype(dtype) * np.dtype(dtype).type(1 / 255))
        np.testing.assert_array_equal(cyops.gather_rows(x, rows), array[rows])
        np.testing.assert_array_equal(cyops.gather_rows(x, rows, dtype=dtype), array[rows].astype(dtype))
        out = cyops.Strided(np.zeros((33, 7, 6), dtype))
        cyops.gather_rows(x, rows, out=cyops.permute_dims(out, (0, 2, 1)), scale=0.5)
        np.testing.assert_array_equal(out, array[rows].transpose(0, 2, 1) * 0.5)
    assert cyops.gather_rows(images, [3], scale=0.5).dtype == np.float32
    big = rng.normal(size=(3000, 200)).astype(np.float32)
    order = rng.permutation(3000)
    np.testing.assert_array_equal(cyops.gather_rows(big, order), big[order])
    names = np.array(["ab", "c", "def"])
    assert cyops.gather_rows(names, [2, 0]).tolist() == ["def", "ab"]


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: cyops.take(np.zeros(4), [0, 4]), IndexError, r"take: indices must lie in \[-4, 4\); got 4 at position 1"),
    (lambda: cyops.take(np.zeros((2, 3)), [[0], [-3]], axis=0), IndexError,
     r"take: indices must lie in \[-2, 2\); got -3 at position \(1, 0\)"),
    (lambda: cyops.take(np.zeros(4), [0.5]), TypeError, "take: indices must be integers; got dtype float32"),
    (lambda: cyops.take(np.zeros(4), [True]), TypeError, "take: indices must be integers; got dtype bool"),
    (lambda: cyops.take(np.zeros(4), [0], axis=1), IndexError, "take: axis 1 is out of range"),
    (lambda: cyops.take(np.zeros(4), [0, 1], out=cyops.Strided(np.zeros(3))), ValueError,
     r"take: out must have the shape of the result; got out \(3,\), result \(2,\)"),
    (lambda: cyops.scatter_add(np.zeros(4), [0, 9], [1.0, 2.0]), IndexError, r"got 9 at position 1"),
    (lambda: cyops.scatter_add(np.zeros(4), [0, 1], [1.0, 2.0, 3.0]), ValueError,
     r"scatter_add: updates must broadcast to .* got updates \(3,\), needed \(2,\)"),
    (lambda: cyops.scatter_add(np.array(["a"]), [0], np.array(["b"])), TypeError, "scatter_add: needs numbers"),
    (lambda: cyops.put(np.zeros(3), [0], 1.0), TypeError, "put: writes into a tensor; got ndarray"),
    (lambda: cyops.put(cyops.broadcast_to(cyops.Strided([0.0]), (3,)), [0], 1.0), ValueError, "put: .*stride 0"),
    (lambda: cyops.one_hot([0, 3], 3), ValueError, r"one_hot: indices must lie in \[0, 3\); got 3 at position 1"),
    (lambda: cyops.one_hot([-1], 3), ValueError, r"one_hot: indices must lie in \[0, 3\); got -1 at position 0"),
    (lambda: cyops.one_hot([0], 2.5), TypeError, "one_hot: num_classes must be an integer; got 2.5"),
    (lambda: cyops.one_hot([0]), TypeError, "one_hot: give num_classes, or depth, .*; got num_classes None"),
    (lambda: cyops.one_hot([0], 2, depth=2), TypeError, "one_hot: give num_classes, or depth, .*; got num_classes 2"),
    (lambda: cyops.one_hot([0.0], 2), TypeError, "one_hot: indices must be integers; got dtype float32"),
    (lambda: cyops.concat([]), ValueError, "concat: needs at least one tensor"),
    (lambda: cyops.concat(cyops.Strided([1.0])), TypeError, "concat: needs a list or tuple of tensors; got Strided"),
    (lambda: cyops.concat([np.zeros((2, 3)), np.zeros((2, 4))]), ValueError,
     r"concat: tensors must have equal lengths along all axes but 0; got \(2, 3\), \(2, 4\)"),
    (lambda: cyops.concat([np.zeros(2), np.array(["a"])]), TypeError, "do not combine"),
    (lambda: cyops.stack([np.zeros(2), np.zeros(3)]), ValueError,
     r"stack: tensors must have one shape; got \(2,\), \(3,\)"),
    (lambda: cyops.stack([np.zeros(2)], axis=2), IndexError, "stack: axis 2 is out of range"),
    (lambda: cyops.scatter_view(np.zeros(3), (4,), (3,), (2,), 0), ValueError,
     "scatter_view: the view reaches from element 0 to 4 of 4"),
    (lambda: cyops.gather_rows(np.zeros((3, 2)), [3]), IndexError, r"gather_rows: indices must lie in \[-3, 3\)"),
    (lambda: cyops.gather_rows(np.zeros((3, 2)), [[0]]), ValueError,
     r"gather_rows: needs x \(n, ...\) and indices \(b,\); got x \(3, 2\), indices \(1, 1\)"),
    (lambda: cyops.gather_rows(np.zeros(3, int), [0], dtype="int8", scale=2), TypeError,
     "gather_rows: a scaled result must be float32 or float64"),
])
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_bad_index_leaves_the_target_as_it_was():
    x = cyops.Strided([1.0, 2.0])
    with pytest.raises(IndexError):
        cyops.put(x, [0, 5], 9.0)
    assert x.tolist() == [1.0, 2.0]


def test_what_is_large_is_taken_alike_by_any_threads():
    rng = np.random.default_rng(9)
    before = cyops.get_num_threads()
    try:
        for shape, axis, count in (((5000,), 0, 300_000), ((900, 130), 0, 2000), ((40, 700, 3), 1, 3000)):
            x, indices = rng.normal(size=shape), rng.integers(-shape[axis], shape[axis], count)
            for threads in (1, 2, 3, 8):
                cyops.set_num_threads(threads)
                np.testing.assert_array_equal(cyops.take(x, indices, axis), x.take(indices, axis))
            with pytest.raises(IndexError, match=f"got {shape[axis]} at position {count - 1}"):
                cyops.take(x, [*indices[:-1], shape[axis]], axis)
    finally:
        cyops.set_num_threads(before)
