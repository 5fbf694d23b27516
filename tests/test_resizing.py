"""resize against plain loops over half-pixel centres, and beside PyTorch and Keras where they are installed."""
import itertools
import os
from fractions import Fraction

import numpy as np
import pytest
from layouts import LAYOUTS, values_of

import cyops
import cytensor as ct

SIZES = [((4, 5), (8, 10)), ((4, 5), (2, 3)), ((7, 9), (3, 20)), ((1, 6), (4, 1)), ((5, 5), (5, 5)), ((12, 3), (5, 7))]


def weights(length, places, interpolation, antialias):
    """(places, length): what each element weighs, from the definition, in whole fractions."""
    scale = max(Fraction(length, places), 1) if antialias else 1
    out = np.zeros((places, length))
    for i in range(places):
        centre = Fraction((2 * i + 1) * length, 2 * places)
        if interpolation == "nearest":
            out[i, int(centre)] = 1
        else:
            near = [max(1 - abs(k + Fraction(1, 2) - centre) / scale, 0) for k in range(length)]
            out[i] = [float(weight / sum(near)) for weight in near]
    return out


def expected(x, size, interpolation, antialias):
    rows, columns = (weights(n, m, interpolation, antialias) for n, m in zip(x.shape[-3:-1], size, strict=True))
    return np.einsum("...hwc,ih,jw->...ijc", x, rows, columns)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("interpolation, antialias", [("bilinear", False), ("bilinear", True), ("nearest", False)])
def test_resize_by_its_definition(interpolation, antialias, dtype, layout):
    rng = np.random.default_rng(0)
    for (shape, size), channels in itertools.product(SIZES, (1, 3, 40)):
        x = LAYOUTS[layout](rng.normal(size=(2, *shape, channels)).astype(dtype))
        values = values_of(x).astype(np.float64)
        got = cyops.resize(x, size, interpolation, antialias)
        terms = expected(abs(values), size, interpolation, antialias)
        assert np.all(abs(values_of(got) - expected(values, size, interpolation, antialias))
                      <= 8 * np.finfo(dtype).eps * terms), (shape, size)
        first = cyops.resize(cyops.permute_dims(x, (0, 3, 1, 2)), size, interpolation, antialias, "channels_first")
        assert values_of(first).tobytes() == np.moveaxis(values_of(got), -1, 1).tobytes()
        copied = np.array(np.moveaxis(values_of(x), -1, 1), order="C")
        again = cyops.resize(copied, size, interpolation, antialias, "channels_first")
        assert values_of(again).tobytes() == values_of(first).tobytes()
    assert cyops.resize(values_of(x)[0], (3, 3)).shape == (3, 3, 40)


@pytest.mark.parametrize("interpolation, antialias", [("bilinear", False), ("bilinear", True), ("nearest", False)])
def test_the_gradient_is_the_adjoint_and_its_gradient_resizes(interpolation, antialias):
    rng = np.random.default_rng(1)
    for shape, size in SIZES:
        x, u = rng.normal(size=(2, 2, *shape, 3))
        d = ct.Variable(rng.normal(size=(2, *size, 3)))
        rows, columns = (weights(n, m, interpolation, antialias) for n, m in zip(shape, size, strict=True))
        tensor = ct.Tensor(x)
        with ct.GradientTape() as outer:
            with ct.GradientTape() as inner:
                inner.watch(tensor)
                y = ct.resize(tensor, size, interpolation, antialias)
            gradient = inner.gradient(y, tensor, output_gradients=d)
            along = ct.sum(gradient * u)
        np.testing.assert_allclose(gradient, np.einsum("nijc,ih,jw->nhwc", d.numpy(), rows, columns), rtol=1e-12,
                                   atol=1e-13)
        np.testing.assert_allclose(outer.gradient(along, d), expected(u, size, interpolation, antialias), rtol=1e-12,
                                   atol=1e-13)


def test_nearest_keeps_any_dtype_and_bilinear_of_integers_is_floating():
    for dtype in ("uint8", "int64", "bool", "float16"):
        x = np.random.default_rng(2).integers(0, 2, (1, 4, 4, 2)).astype(dtype)
        got = cyops.resize(x, (8, 6), "nearest")
        assert got.dtype == dtype
        np.testing.assert_array_equal(got, expected(x.astype(float), (8, 6), "nearest", False))
    assert cyops.resize(np.ones((1, 2, 2, 1), "uint8"), (3, 3)).dtype == "float32"
    assert cyops.resize(np.ones((0, 2, 2, 1), "float32"), (3, 3)).shape == (0, 3, 3, 1)


@pytest.mark.parametrize("call, error, text", [
    (lambda: cyops.resize(np.zeros((4, 4)), (2, 2)), ValueError, "resize: needs an image"),
    (lambda: cyops.resize(np.zeros((4, 4, 1)), (2, 0)), ValueError, "resize: size must be (height, width)"),
    (lambda: cyops.resize(np.zeros((4, 4, 1)), (2, 2, 2)), ValueError, "resize: size must be (height, width)"),
    (lambda: cyops.resize(np.zeros((4, 4, 1)), "big"), TypeError, "resize: size"),
    (lambda: cyops.resize(np.zeros((0, 4, 1)), (2, 2)), ValueError, "resize: an image must have a pixel"),
    (lambda: cyops.resize(np.zeros((4, 4, 1)), (2, 2), "bicubic"), ValueError, "resize: interpolation must be"),
    (lambda: cyops.resize(np.zeros((4, 4, 1)), (2, 2), data_format="NHWC"), ValueError, "resize: data_format"),
    (lambda: cyops.resize(np.zeros((4, 4, 1), "S1"), (2, 2)), TypeError, "resize: needs numbers"),
])
def test_what_is_refused(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert text in str(caught.value)


def test_as_pytorch_and_keras():
    torch = pytest.importorskip("torch")
    os.environ.setdefault("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras")
    rng = np.random.default_rng(3)
    for shape, size in SIZES:
        x = rng.normal(size=(2, *shape, 3)).astype(np.float32)
        image = torch.tensor(x).permute(0, 3, 1, 2)
        theirs = torch.nn.functional.interpolate(image, size, mode="bilinear", antialias=False)
        np.testing.assert_allclose(cyops.resize(x, size), theirs.permute(0, 2, 3, 1), rtol=1e-5, atol=1e-5)
        for options in ({"interpolation": "bilinear", "antialias": True}, {"interpolation": "nearest"},
                        {"interpolation": "bilinear"}):
            np.testing.assert_allclose(cyops.resize(x, size, **options), keras.ops.image.resize(x, size, **options),
                                       rtol=1e-5, atol=1e-5, err_msg=f"{shape} {size} {options}")
