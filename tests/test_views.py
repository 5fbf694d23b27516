"""Views: the same storage under another geometry, against NumPy's own; and their refusals."""
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layouts import LAYOUTS

import cyops

BASE = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4)


def same(x, array):
    return x.shape == array.shape and x.dtype == array.dtype and np.array_equal(np.asarray(x), array)


def strides_of(array):
    """NumPy's strides in elements, 0 where an axis has length 0 or 1, as ours."""
    if array.size == 0:
        return (0,) * array.ndim
    return tuple(0 if n <= 1 else s // array.itemsize for n, s in zip(array.shape, array.strides, strict=True))


VIEWS = {
    "permute": (lambda x: cyops.permute_dims(x, (2, 0, 1)), lambda a: a.transpose(2, 0, 1)),
    "reverse axes": (lambda x: cyops.permute_dims(x), lambda a: a.T),
    "expand first": (lambda x: cyops.expand_dims(x, 0), lambda a: a[None]),
    "expand last": (lambda x: cyops.expand_dims(x, -1), lambda a: a[..., None]),
    "flip one": (lambda x: cyops.flip(x, -1), lambda a: a[..., ::-1]),
    "flip two": (lambda x: cyops.flip(x, (0, 2)), lambda a: a[::-1, :, ::-1]),
    "diagonal": (lambda x: cyops.diagonal(x, 1, 1, 2), lambda a: np.diagonal(a, 1, 1, 2)),
    "diagonal below": (lambda x: cyops.diagonal(x, -1, 2, 1), lambda a: np.diagonal(a, -1, 2, 1)),
    "diagonal outside": (lambda x: cyops.diagonal(x, 9), lambda a: np.diagonal(a, 9)),
    "broadcast": (lambda x: cyops.broadcast_to(x, (5, 2, 3, 4)), lambda a: np.broadcast_to(a, (5, 2, 3, 4))),
    "windows": (
        lambda x: cyops.sliding_window_view(x, (2, 3), (1, 2)),
        lambda a: np.lib.stride_tricks.sliding_window_view(a, (2, 3), (1, 2)),
    ),
    "transpose": (cyops.matrix_transpose, lambda a: np.swapaxes(a, -1, -2)),
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_equal_numpys_and_share_storage(name):
    ours, theirs = VIEWS[name]
    for layout in LAYOUTS.values():
        x = layout(BASE)
        result = ours(x)
        expected = theirs(np.asarray(x))
        assert same(result, expected)
        assert result.strides == strides_of(expected)
        assert result.storage is x.storage
        if expected.size:
            start = np.asarray(result).__array_interface__["data"][0]
            assert start == expected.__array_interface__["data"][0]


def test_squeeze():
    x = cyops.zeros((1, 3, 1))
    assert cyops.squeeze(x).shape == (3,)
    assert cyops.squeeze(x, 0).shape == (3, 1)
    assert cyops.squeeze(x, (0, -1)).shape == (3,)
    with pytest.raises(ValueError, match=r"squeeze: only an axis of length 1 can go; got axis 1 of shape \(1, 3, 1\)"):
        cyops.squeeze(x, 1)


SHAPES = [(24,), (2, 12), (6, 4), (4, 3, 2), (1, 24, 1), (2, 3, 4), (2, 3, 2, 2), (8, 3), (-1, 6), (2, -1, 2)]


def test_reshape_copies_exactly_when_numpy_must():
    for layout, shape in itertools.product(LAYOUTS.values(), SHAPES):
        x = layout(BASE)
        array = np.asarray(x)
        result = cyops.reshape(x, shape)
        assert same(result, array.reshape(shape))
        can_view = np.shares_memory(array.reshape(shape), array)
        assert (result.storage is x.storage) == can_view
        assert cyops.reshape(x, shape, copy=True).storage is not x.storage
        if can_view:
            assert cyops.view(x, shape).storage is x.storage
        else:
            with pytest.raises(ValueError, match="makes the copy"):
                cyops.view(x, shape)
            with pytest.raises(ValueError, match="makes the copy"):
                cyops.reshape(x, shape, copy=False)


def test_the_error_of_view_names_the_axes_and_the_call_that_copies():
    x = cyops.permute_dims(cyops.zeros((3, 4)))
    with pytest.raises(ValueError, match=r"view: axes 0 and 1 of x do not merge, so \(12,\) is not a view of it; got x "
                                         r"\(4, 3\) with strides \(1, 4\); reshape\(x, \(12,\)\) makes the copy"):
        cyops.view(x, 12)


@pytest.mark.parametrize(("shape", "message"), [
    ((5, 5), r"the number of elements must stay the same; got x \(2, 3, 4\) with 24 elements, shape \(5, 5\)"),
    ((-1, -1), r"only one length may be -1; got \(-1, -1\)"),
    ((-1, 5), "the number of elements must stay the same"),
    ((-2, 12), "lengths must not be negative"),
    ((2**40, 2**40), "the number of elements must stay the same"),
    ((1,) * 17, "at most 16 axes"),
])
def test_shapes_that_reshape_refuses(shape, message):
    with pytest.raises(ValueError, match=message):
        cyops.reshape(BASE, shape)


def test_reshape_refuses_what_is_not_an_integer():
    with pytest.raises(TypeError, match="a shape is made of integers"):
        cyops.reshape(BASE, (2.0, 12))


def test_empty_and_scalar_reshapes():
    assert cyops.reshape(cyops.zeros((0, 3)), (3, 0, 5)).shape == (3, 0, 5)
    assert cyops.reshape(cyops.zeros((0, 3)), (-1, 3)).shape == (0, 3)
    assert cyops.reshape(cyops.zeros(()), (1, 1)).shape == (1, 1)
    assert cyops.reshape(cyops.zeros((1, 1)), ()).shape == ()
    with pytest.raises(ValueError, match="the number of elements"):
        cyops.reshape(cyops.zeros((0, 3)), (0, -1))


@settings(max_examples=200, deadline=None)
@given(st.data())
@pytest.mark.slow
def test_any_chain_of_slices_equals_numpys(data):
    array = np.arange(5 * 4 * 6, dtype=np.int32).reshape(5, 4, 6)
    x = cyops.Strided(array)
    index = st.one_of(
        st.slices(6), st.integers(-6, 5), st.none(), st.just(Ellipsis),
    )
    for _ in range(3):
        key = tuple(data.draw(st.lists(index, max_size=4)))
        try:
            expected = array[key]
        except IndexError:
            with pytest.raises(IndexError):
                x[key]
            return
        array, x = np.asarray(expected), x[key]
        assert same(x, array)
        assert x.strides == strides_of(array)


def test_as_strided_is_checked_against_the_storage():
    x = cyops.arange(10)
    assert cyops.as_strided(x, (3, 2), (2, 5)).tolist() == [[0, 5], [2, 7], [4, 9]]
    assert cyops.as_strided(x, (4,), (-3,), 9).tolist() == [9, 6, 3, 0]
    assert cyops.as_strided(x[3:], (2,), (1,)).tolist() == [3, 4]
    assert cyops.as_strided(x, (2, 0), (100, 100)).shape == (2, 0)
    outside = [((11,), (1,), 0), ((3,), (-1,), 1), ((2, 2), (8, 2), 0), ((1,), (1,), 10), ((1,), (1,), -1)]
    for shape, strides, start in outside:
        with pytest.raises(ValueError, match="every element must lie in the storage's 10"):
            cyops.as_strided(x, shape, strides, start)
    with pytest.raises(ValueError, match="one stride per axis"):
        cyops.as_strided(x, (2, 2), (1,))


def test_broadcast_views_refuse_writes_and_count_above_two_to_the_31():
    x = cyops.broadcast_to(cyops.zeros((1,)), (2**20, 2**20))
    assert x.size == 2**40 and x.strides == (0, 0)
    with pytest.raises(ValueError, match="axis 0 of the tensor has stride 0"):
        x[:] = 1
    with pytest.raises(ValueError, match=r"x must broadcast to the shape; got x \(3,\), shape \(2,\)"):
        cyops.broadcast_to(cyops.zeros(3), (2,))
    with pytest.raises(ValueError, match="x must broadcast"):
        cyops.broadcast_to(cyops.zeros((2, 3)), (3,))


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: cyops.permute_dims(BASE, (0, 1)), ValueError, "every axis must be named once"),
    (lambda: cyops.permute_dims(BASE, (0, 1, 1)), ValueError, "axis 1 is named twice"),
    (lambda: cyops.permute_dims(BASE, (0, 1, 3)), IndexError, r"axis 3 is out of range for 3 axes; .* in \[-3, 3\)"),
    (lambda: cyops.expand_dims(BASE, 5), IndexError, "axis 5 is out of range"),
    (lambda: cyops.flip(BASE, 1.5), TypeError, "axis must be an integer"),
    (lambda: cyops.diagonal(BASE, 0, 1, 1), ValueError, "axis1 and axis2 must differ"),
    (lambda: cyops.sliding_window_view(BASE, (3, 1, 1)), ValueError, "a window must have 1 to 2 elements"),
    (lambda: cyops.sliding_window_view(BASE, 2), ValueError, "one window length per axis"),
    (lambda: cyops.matrix_transpose(cyops.zeros(3)), ValueError, "at least two axes"),
    (lambda: cyops.Strided(np.zeros((1,) * 17)), ValueError, "at most 16 axes; got 17"),
])
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_shares_memory_is_exact():
    x = cyops.arange(10)
    assert not cyops.shares_memory(x[::2], x[1::2])
    assert cyops.shares_memory(x[::2], x[::3])
    assert not cyops.shares_memory(x, cyops.copy(x))
