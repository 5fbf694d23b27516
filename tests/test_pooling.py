"""max_pool and average_pool, and their gradients of both orders, against plain loops in NumPy, over layouts."""
import itertools

import numpy as np
import pytest
from layouts import LAYOUTS, values_of

import cyops
import cytensor as ct


def window_of(shape, pool, strides, padding):
    """(before, places) of each axis, by TensorFlow's rules."""
    found = []
    for length, size, stride, kind in zip(shape, pool, strides, padding, strict=True):
        if kind == "same":
            places = -(-length // stride)
            before = max((places - 1) * stride + size - length, 0) // 2
        else:
            before, after = (0, 0) if kind == "valid" else kind
            places = max((before + length + after - size) // stride + 1, 0)
        found.append((before, places))
    return found


def windows(x, pool, strides, padding):
    """(position, slices) of each window of a channels-last array, in C order."""
    axes = window_of(x.shape[1:-1], pool, strides, padding)
    for position in itertools.product(*(range(places) for _, places in axes)):
        yield position, tuple(
            slice(max(at * stride - before, 0), max(at * stride - before + size, 0))
            for at, stride, size, (before, _) in zip(position, strides, pool, axes, strict=True))


def pooled(x, pool, strides, padding, function):
    """`function` of each window's elements, an array (n, elements, c) in C order."""
    places = [places for _, places in window_of(x.shape[1:-1], pool, strides, padding)]
    out = np.zeros((x.shape[0], *places, x.shape[-1]), x.dtype)
    for position, held in windows(x, pool, strides, padding):
        part = x[(slice(None), *held)]
        out[(slice(None), *position)] = function(part.reshape(x.shape[0], -1, x.shape[-1]))
    return out


def first_largest(part):
    """The place of the first NaN, else of the first of the largest."""
    return np.where(np.isnan(part).any(1), np.isnan(part).argmax(1), np.where(np.isnan(part), -np.inf, part).argmax(1))


def max_gradient(x, d, pool, strides, padding):
    out = np.zeros(x.shape)
    for position, held in windows(x, pool, strides, padding):
        part = x[(slice(None), *held)]
        place = first_largest(part.reshape(x.shape[0], -1, x.shape[-1]))
        view = out[(slice(None), *held)]
        for n, c in np.ndindex(place.shape):
            at = np.unravel_index(place[n, c], part.shape[1:-1])
            view[(n, *at, c)] += d[(n, *position, c)]
    return out


def mean_gradient(x, d, pool, strides, padding):
    out = np.zeros(x.shape)
    for position, held in windows(x, pool, strides, padding):
        view = out[(slice(None), *held)]
        count = np.prod(view.shape[1:-1])
        view += np.expand_dims(d[(slice(None), *position)] / count, tuple(range(1, x.ndim - 1)))
    return out


# (spatial lengths, pool_size, strides, padding)
CASES = [
    ((7,), (2,), (2,), "valid"), ((7,), (3,), (1,), "same"), ((9,), (2,), (3,), "valid"), ((5,), (9,), (2,), "same"),
    ((6, 6), (2, 2), (2, 2), "valid"), ((7, 5), (3, 2), (2, 1), "same"), ((5, 9), (2, 3), (4, 5), "same"),
    ((4, 40), (3, 3), (1, 1), "same"), ((4, 37), (2, 2), (2, 2), "same"), ((1, 1), (3, 3), (1, 1), "same"),
    ((8, 7), (3, 3), (2, 2), ((1, 1), (2, 0))), ((3, 4, 5), (2, 2, 2), (2, 2, 2), "valid"),
    ((4, 3, 5), (3, 2, 3), (1, 2, 2), "same"), ((17, 17), (17, 17), (17, 17), "valid"),
    ((2, 3), (20, 20), (1, 1), "same"),
]
CHANNELS = (1, 3, 33, 130)


def sides(padding, n):
    return (padding,) * n if isinstance(padding, str) else padding


def settings(data_format="channels_last"):
    for (shape, pool, strides, padding), channels in itertools.product(CASES, CHANNELS):
        if channels > 33 and len(shape) == 3:
            continue
        options = {"pool_size": pool, "strides": strides, "padding": padding, "data_format": data_format}
        yield (2, *shape, channels), options, (pool, strides, sides(padding, len(shape)))


def drawn(shape, dtype="float64", seed=0):
    """Few values, so that many are equal."""
    return np.random.default_rng(seed).integers(-3, 3, shape).astype(dtype)


def first(x):
    return np.moveaxis(x, -1, 1)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pooling_over_layouts(layout, dtype):
    for shape, options, window in settings():
        x = LAYOUTS[layout](drawn(shape, dtype) + (0.25 if shape[-1] == 3 else 0))
        values = values_of(x).astype(np.float64)
        np.testing.assert_array_equal(cyops.max_pool(x, **options), pooled(values, *window, lambda p: p.max(1)))
        average = values_of(cyops.average_pool(x, **options))
        np.testing.assert_allclose(average, pooled(values, *window, lambda p: p.mean(1)),
                                   atol=16 * np.finfo(dtype).eps, rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_channels_first_is_channels_last_in_another_order_bit_for_bit(dtype):
    rng = np.random.default_rng(4)
    for shape, options, _ in settings():
        x = rng.normal(size=shape).astype(dtype)
        other = {**options, "data_format": "channels_first"}
        for op in (cyops.max_pool, cyops.average_pool):
            last = values_of(op(x, **options))
            for y in (np.ascontiguousarray(first(x)), first(x)):
                assert first(last).tobytes() == values_of(op(y, **other)).tobytes(), (op.__name__, shape, options)


def gradients(op, x, options, layout="contiguous", d=None):
    """The gradient for x, and for d that of the gradient: along a direction of the shape of x."""
    tensor = ct.Tensor(LAYOUTS[layout](x))
    with ct.GradientTape() as tape:
        tape.watch(tensor)
        y = op(tensor, **options)
    return tape.gradient(y, tensor, output_gradients=ct.Tensor(d)).numpy()


@pytest.mark.slow
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("layout", ["contiguous", "transposed", "sliced", "reversed"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_over_layouts(dtype, layout, data_format):
    turned = first if data_format == "channels_first" else np.asarray
    rng = np.random.default_rng(1)
    for shape, options, window in settings(data_format):
        if shape[-1] > 33:
            continue
        x = drawn(shape, dtype)
        d = rng.normal(size=pooled(x, *window, lambda p: p.max(1)).shape).astype(dtype)
        for op, reference in ((ct.max_pool, max_gradient), (ct.average_pool, mean_gradient)):
            got = gradients(op, np.ascontiguousarray(turned(x)), options, layout, np.ascontiguousarray(turned(d)))
            expected = turned(reference(x, d.astype(np.float64), *window))
            terms = turned(reference(x, abs(d.astype(np.float64)), *window))
            assert np.all(abs(got - expected) <= 8 * np.finfo(dtype).eps * terms), (op.__name__, shape, options)


def test_the_second_gradient_is_the_adjoint_of_the_first():
    """The gradient's gradient for d along u gathers u where the largest lay, and averages u."""
    rng = np.random.default_rng(2)
    for shape, options, window in settings():
        if shape[-1] != 3:
            continue
        x, u = rng.normal(size=(2, *shape))
        out = pooled(x, *window, lambda p: p.max(1))
        d = ct.Variable(rng.normal(size=out.shape))
        for op, expected in ((ct.max_pool, chosen(x, u, window)),
                             (ct.average_pool, pooled(u, *window, lambda p: p.mean(1)))):
            tensor = ct.Tensor(x)
            with ct.GradientTape() as outer:
                with ct.GradientTape() as inner:
                    inner.watch(tensor)
                    y = op(tensor, **options)
                along = ct.sum(inner.gradient(y, tensor, output_gradients=d) * u)
            np.testing.assert_allclose(outer.gradient(along, d), expected, rtol=1e-13, atol=1e-14)


def chosen(x, u, window):
    pairs = np.concatenate([x, u], axis=-1)
    half = x.shape[-1]

    def pick(part):
        place = first_largest(part[..., :half])
        return np.concatenate([np.take_along_axis(p, place[:, None], 1)[:, 0] for p in (
            part[..., :half], part[..., half:])], axis=-1)
    return pooled(pairs, *window, pick)[..., half:]


def test_a_nan_is_the_largest_and_the_first_has_the_gradient():
    x = np.array([[1.0, np.nan, 5.0, np.nan, -np.inf, -np.inf]]).reshape(1, 6, 1)
    options = {"pool_size": 2, "strides": 1}
    np.testing.assert_array_equal(cyops.max_pool(x, **options).tolist(),
                                  np.array([[[np.nan], [np.nan], [np.nan], [np.nan], [-np.inf]]]))
    np.testing.assert_array_equal(gradients(ct.max_pool, x, options, d=np.arange(1.0, 6).reshape(1, 5, 1)).ravel(),
                                  [0, 1 + 2, 0, 3 + 4, 5, 0])
    zeros = np.array([0.0, -0.0, -0.0, 0.0]).reshape(1, 4, 1)
    assert np.signbit(cyops.max_pool(zeros, 2)).ravel().tolist() == [False, True]


@pytest.mark.parametrize("dtype", ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
def test_integers_keep_their_dtype_as_a_maximum_and_average_in_float32(dtype):
    rng = np.random.default_rng(3)
    info = None if dtype == "bool" else np.iinfo(dtype)
    for shape, options, window in settings():
        if dtype == "bool":
            x = rng.integers(0, 2, shape).astype(bool)
        else:
            x = rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
        for layout in ("contiguous", "transposed", "sliced"):
            got = cyops.max_pool(LAYOUTS[layout](x), **options)
            assert got.dtype == dtype
            np.testing.assert_array_equal(got, pooled(x, *window, lambda p: p.max(1)))
        if dtype in ("bool", "int8", "uint8"):
            average = cyops.average_pool(x, **options)
            assert average.dtype == "float32"
            np.testing.assert_allclose(average, pooled(x.astype(float), *window, lambda p: p.mean(1)), rtol=1e-5,
                                       atol=1e-4)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves_compute_in_float32(dtype):
    x = cyops.astype(cyops.Strided(np.random.default_rng(5).normal(size=(2, 9, 7, 5)).astype(np.float32)), dtype)
    wide = cyops.astype(x, "float32")
    for op in (cyops.max_pool, cyops.average_pool):
        got = op(x, 3, strides=2, padding="same")
        expected = cyops.astype(op(wide, 3, strides=2, padding="same"), dtype)
        assert got.dtype == x.dtype
        np.testing.assert_array_equal(cyops.astype(got, "float32"), cyops.astype(expected, "float32"))
    v = ct.Variable(wide, dtype=dtype)
    with ct.GradientTape() as tape:
        y = ct.max_pool(v, 2)
    assert tape.gradient(y, v).dtype == v.dtype


def test_empty_batches_channels_and_lengths():
    for shape, expected in (((0, 4, 4, 3), (0, 2, 2, 3)), ((2, 4, 4, 0), (2, 2, 2, 0))):
        for op in (ct.max_pool, ct.average_pool):
            x = ct.Variable(np.zeros(shape, np.float32))
            with ct.GradientTape() as tape:
                y = op(x, 2)
            assert y.shape == expected
            assert tape.gradient(y, x).shape == shape
    assert cyops.max_pool(np.zeros((2, 0, 3)), 2, padding="same").shape == (2, 0, 3)


def test_the_result_has_the_order_of_its_operand_in_memory():
    x = cyops.permute_dims(cyops.Strided(np.zeros((2, 8, 8, 4), np.float32)), (0, 3, 1, 2))
    assert cyops.max_pool(x, 2, data_format="channels_first").strides == (64, 1, 16, 4)


def test_the_bits_do_not_depend_on_threads():
    x = np.random.default_rng(6).normal(size=(16, 40, 40, 24)).astype(np.float32)
    threads = cyops.get_num_threads()

    def bits():
        found = []
        for op in (ct.max_pool, ct.average_pool):
            options = {"pool_size": 3, "strides": 2, "padding": "same"}
            y = op(x, **options)
            found += [y.numpy().tobytes(), gradients(op, x, options, d=y.numpy()).tobytes()]
        return found

    try:
        cyops.set_num_threads(1)
        alone = bits()
        cyops.set_num_threads(4)
        assert bits() == alone
    finally:
        cyops.set_num_threads(threads)


@pytest.mark.parametrize("call, error, text", [
    (lambda: cyops.max_pool(np.zeros((2, 3)), 2), ValueError, "max_pool: x must have samples, channels and 1, 2 or 3"),
    (lambda: cyops.max_pool(np.zeros((1, 2, 2, 1)), 3), ValueError, "max_pool: pool_size must fit into the input"),
    (lambda: cyops.average_pool(np.zeros((1, 4, 1)), 2, padding="full"), ValueError, 'padding must be "valid", "same"'),
    (lambda: cyops.average_pool(np.zeros((1, 4, 1)), 2, padding="causal"), ValueError, 'padding must be "valid"'),
    (lambda: cyops.max_pool(np.zeros((1, 4, 1)), 2, padding=2), ValueError, "padding must be less than pool_size"),
    (lambda: cyops.max_pool(np.zeros((1, 4, 1)), 0), ValueError, "max_pool: pool_size must lie in"),
    (lambda: cyops.max_pool(np.zeros((1, 4, 1)), (2, 2)), ValueError, "pool_size must be an integer or 1"),
    (lambda: cyops.max_pool(np.zeros((1, 4, 1)), 2, strides=0), ValueError, "max_pool: strides must lie in"),
    (lambda: cyops.max_pool(np.zeros((1, 4, 1)), 2.5), TypeError, "pool_size must be an integer"),
    (lambda: cyops.max_pool(np.zeros((1, 4, 1)), 2, data_format="NHWC"), ValueError, "data_format must be"),
    (lambda: cyops.max_pool(np.zeros((1, 4, 1), "S1"), 2), TypeError, "max_pool: needs numbers"),
    (lambda: cyops.max_pool(np.zeros((1, 4, 1), "complex64"), 2), TypeError, "max_pool: needs real numbers"),
    (lambda: cyops.max_pool(None, 2), TypeError, "max_pool"),
])
def test_what_is_refused(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert text in str(caught.value)


# -- beside PyTorch ---------------------------------------------------------------------------------------------------
def test_values_and_gradients_as_pytorch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(8)
    for shape, size, strides, padding in (((2, 5, 11), 3, 2, 1), ((2, 3, 13, 9), 2, 2, 0), ((2, 3, 13, 9), 3, 2, 1),
                                          ((1, 2, 5, 6, 7), 2, 2, 1)):
        n = len(shape) - 2
        x = rng.normal(size=shape).astype(np.float32)
        for ours, theirs in ((ct.max_pool, "max_pool"), (ct.average_pool, "avg_pool")):
            function = getattr(torch.nn.functional, f"{theirs}{n}d")
            more = {"count_include_pad": False} if theirs == "avg_pool" else {}
            other = torch.tensor(x, requires_grad=True)
            expected = function(other, size, strides, padding, **more)
            d = rng.normal(size=tuple(expected.shape)).astype(np.float32)
            expected.backward(torch.tensor(d))
            options = {"pool_size": size, "strides": strides, "padding": padding, "data_format": "channels_first"}
            np.testing.assert_allclose(ours(x, **options), expected.detach().numpy(), rtol=1e-6, atol=1e-6)
            np.testing.assert_allclose(gradients(ours, x, options, d=d), other.grad.numpy(), rtol=1e-5, atol=1e-6)
