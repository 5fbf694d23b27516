"""pad and roll against NumPy, over layouts and dtypes, with gradients by their adjoints."""
import itertools

import numpy as np
import pytest
from layouts import LAYOUTS, values_of

import cyops
import cytensor as ct

WIDTHS = (0, 1, (1, 2), ((0, 3), (2, 0), (1, 1)), ((2, 2),))
MODES = ("constant", "edge", "reflect", "symmetric", "wrap")


def holding_itself():
    inner = []
    inner += [inner, inner]
    return inner


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_pad_is_numpys(mode, layout):
    for shape, dtype in itertools.product([(3, 4, 2), (1, 5, 3), (2, 1, 1)], ["float32", "float64", "int16", "bool"]):
        x = LAYOUTS[layout](np.arange(np.prod(shape)).reshape(shape).astype(dtype))
        for widths in WIDTHS:
            expected = np.pad(values_of(x), widths, mode)
            got = cyops.pad(x, widths, mode.upper())
            assert got.dtype == expected.dtype
            np.testing.assert_array_equal(got, expected, err_msg=f"{shape} {widths}")


def test_pad_further_than_the_axis_is_long():
    x = np.arange(3.0)
    for mode in MODES[1:]:
        np.testing.assert_array_equal(cyops.pad(x, (7, 11), mode), np.pad(x, (7, 11), mode))
        np.testing.assert_array_equal(cyops.pad(x[:1], (2, 3), mode), np.pad(x[:1], (2, 3), mode))


def test_values_and_forms_of_pad():
    x = np.arange(6.0).reshape(2, 3)
    for values in (7, (1, 2), ((1, 2), (3, 4))):
        assert np.array_equal(cyops.pad(x, 1, constant_values=None), np.pad(x, 1))
        np.testing.assert_array_equal(cyops.pad(x, ((1, 2), (2, 1)), constant_values=values),
                                      np.pad(x, ((1, 2), (2, 1)), constant_values=values))
    np.testing.assert_array_equal(cyops.pad(x, np.array([[1, 0], [0, 2]])), np.pad(x, ((1, 0), (0, 2))))
    np.testing.assert_array_equal(cyops.pad(x, {-1: (1, 2)}), np.pad(x, ((0, 0), (1, 2))))
    assert cyops.pad(np.zeros((0, 2)), 1).shape == (2, 4)
    assert cyops.pad(np.zeros((2, 0)), ((1, 1), (0, 0)), "edge").shape == (4, 0)
    np.testing.assert_array_equal(cyops.pad(np.array(["ab", "c"]), 1), np.array(["0", "ab", "c", "0"]))


@pytest.mark.parametrize("mode", MODES)
def test_the_gradient_of_pad_is_its_adjoint(mode):
    """<pad(x), d> = <x, gradient> for unit vectors x."""
    rng = np.random.default_rng(0)
    widths = ((1, 2), (3, 0))
    x = ct.Variable(rng.normal(size=(3, 4)))
    with ct.GradientTape() as tape:
        y = ct.pad(x, widths, mode)
    d = rng.normal(size=y.shape)
    units = np.eye(12).reshape(12, 3, 4)
    expected = [np.sum(np.pad(unit, widths, mode) * d) for unit in units]
    np.testing.assert_allclose(tape.gradient(y, x, output_gradients=ct.constant(d)).numpy().ravel(), expected,
                               rtol=1e-13)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_roll_is_numpys(layout):
    for dtype in ("float32", "int8", "bool"):
        x = LAYOUTS[layout](np.arange(24).reshape(2, 3, 4).astype(dtype))
        for shift, axis in ((1, None), (-5, None), (1, 0), (3, 1), (-1, -1), ((1, 2), (0, 2)), ((1, 2, -1), (0, 1, 2)),
                            (2, (1, 2)), ((1, 1), (2, 2)), (0, 1), (10**20, 1), ((1, 2), 2)):
            np.testing.assert_array_equal(cyops.roll(x, shift, axis), np.roll(values_of(x), shift, axis),
                                          err_msg=f"{shift} {axis}")
    assert cyops.roll(np.zeros((0, 3)), 1, 0).shape == (0, 3)


def test_the_gradient_of_roll_rolls_back():
    x = ct.Variable(np.arange(6.0).reshape(2, 3))
    d = np.arange(6.0).reshape(2, 3) ** 2
    with ct.GradientTape() as tape:
        y = ct.roll(x, (1, 2), (0, 1))
    np.testing.assert_array_equal(tape.gradient(y, x, output_gradients=ct.constant(d)), np.roll(d, (-1, -2), (0, 1)))


@pytest.mark.parametrize("call, error, text", [
    (lambda: cyops.pad(np.zeros(3), 1, "mirror"), ValueError, "pad: mode must be one of"),
    (lambda: cyops.pad(np.zeros(3), -1), ValueError, "pad: pad_width must not be negative"),
    (lambda: cyops.pad(np.zeros(3), holding_itself()), ValueError, "pad: pad_width must be an integer"),
    (lambda: cyops.pad(np.zeros(3), 1.5), TypeError, "pad: pad_width must be an integer"),
    (lambda: cyops.pad(np.zeros(3), ((1, 2), (3, 4))), ValueError, "pad: pad_width must be"),
    (lambda: cyops.pad(np.zeros((2, 0)), 1, "reflect"), ValueError, "needs an element along axis 1"),
    (lambda: cyops.pad(np.zeros(3), 2**62), ValueError, "pad:"),
    (lambda: cyops.roll(np.zeros(3), 1, 1), IndexError, "roll: axis 1 is out of range"),
    (lambda: cyops.roll(np.zeros(3), 1.5, 0), TypeError, "roll: shift"),
    (lambda: cyops.roll(np.zeros((3, 3, 3)), (1, 2), (0, 1, 2)), ValueError, "roll: needs a shift for each axis"),
])
def test_what_is_refused(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert text in str(caught.value)
