"""Convolutions against sums written out in NumPy, in float64: every window, data format, dtype and layout."""
import itertools

import numpy as np
import pytest
from layouts import LAYOUTS

import cyops
import cytensor as ct

LENGTHS = {1: (7,), 2: (6, 5), 3: (4, 5, 3)}
TAPS = {1: (3,), 2: (3, 2), 3: (2, 1, 3)}


def places(shape):
    return itertools.product(*map(range, shape))


def reference(x, kernel, positions, strides, before, dilation, groups):
    """x (n, s..., c), kernel (k..., c / groups, f) -> (n, o..., f), by the definition: a sum over taps and channels."""
    rank = x.ndim - 2
    out = np.zeros((x.shape[0], *positions, kernel.shape[-1]))
    of_group, per = x.shape[-1] // groups, kernel.shape[-1] // groups
    for o, k in itertools.product(places(positions), places(kernel.shape[:rank])):
        at = [o[i] * strides[i] + k[i] * dilation[i] - before[i] for i in range(rank)]
        if all(0 <= at[i] < x.shape[1 + i] for i in range(rank)):
            for g in range(groups):
                channels, filters = slice(g * of_group, (g + 1) * of_group), slice(g * per, (g + 1) * per)
                out[(slice(None), *o, filters)] += x[(slice(None), *at, channels)] @ kernel[k][:, filters]
    return out


def gradients(x, kernel, d, strides, before, dilation, groups):
    """Those of sum(d * reference) by x and by the kernel, by the same walk."""
    rank = x.ndim - 2
    dx, dkernel = np.zeros(x.shape), np.zeros(kernel.shape)
    of_group, per = x.shape[-1] // groups, kernel.shape[-1] // groups
    for o, k in itertools.product(places(d.shape[1:-1]), places(kernel.shape[:rank])):
        at = [o[i] * strides[i] + k[i] * dilation[i] - before[i] for i in range(rank)]
        if all(0 <= at[i] < x.shape[1 + i] for i in range(rank)):
            for g in range(groups):
                channels, filters = slice(g * of_group, (g + 1) * of_group), slice(g * per, (g + 1) * per)
                here, there = (slice(None), *at, channels), (slice(None), *o, filters)
                dx[here] += d[there] @ kernel[k][:, filters].T
                dkernel[k][:, filters] += x[here].T @ d[there]
    return dx, dkernel


def length(s, k, stride, dilation, before, after):
    return max((s + before + after - dilation * (k - 1) - 1) // stride + 1, 0)


def first(x):
    return np.moveaxis(x, -1, 1)


def close(found, expected, terms):
    """Within 8 eps of the sum of the absolute terms."""
    assert np.all(np.abs(np.asarray(found) - expected) <= 8 * np.finfo("float64").eps * terms)


def cases():
    """Every mixture of stride, dilation, padding and groups that leaves a position."""
    return itertools.product((1, 2, 4), (1, 2), ((0, 0), (1, 1), (2, 1), (0, 3)), (1, 2, 4))


def draw(rank, groups, rng, channels=4, filters=8):
    x = rng.normal(size=(2, *LENGTHS[rank], channels))
    return x, rng.normal(size=(*TAPS[rank], channels // groups, filters))


@pytest.mark.slow
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_forward_and_both_gradients(rank, data_format):
    rng = np.random.default_rng(rank)
    move = first if data_format == "channels_first" else (lambda x: x)
    for stride, dilation, padding, groups in cases():
        x, kernel = draw(rank, groups, rng)
        strides, before, dilations = (stride,) * rank, (padding[0],) * rank, (dilation,) * rank
        positions = [length(s, k, stride, dilation, *padding) for s, k in zip(LENGTHS[rank], TAPS[rank], strict=True)]
        if 0 in positions:
            continue
        bias = rng.normal(size=8)
        found = cyops.conv(move(x), kernel, bias, strides=stride, padding=(padding,) * rank, dilation_rate=dilation,
                           groups=groups, data_format=data_format)
        window = strides, before, dilations, groups
        expected = reference(x, kernel, positions, *window)
        terms = reference(abs(x), abs(kernel), positions, *window) + abs(bias)
        assert found.shape == move(expected).shape
        close(found, move(expected + bias), move(terms))
        d = rng.normal(size=expected.shape)
        dx, dkernel, dbias = cyops.conv_backward(move(d), move(x).shape, kernel.shape, (*window, data_format),
                                                 x=move(x), kernel=kernel)
        by_x, by_kernel = gradients(x, kernel, d, *window)
        x_terms, kernel_terms = gradients(abs(x), abs(kernel), abs(d), *window)
        close(dx, move(by_x), move(x_terms))
        close(dkernel, by_kernel, kernel_terms)
        close(dbias, d.sum(axis=tuple(range(rank + 1))), abs(d).sum(axis=tuple(range(rank + 1))))


def draw_window(rng, rank):
    """Strides, dilations, taps, lengths and padding, each axis with its own: among them phases that no tap reaches."""
    strides, dilations, taps = rng.choice([1, 2, 3, 5], rank), rng.choice([1, 2, 3], rank), rng.choice([1, 2, 3], rank)
    lengths, padding = rng.choice([1, 2, 3, 5, 7], rank), rng.integers(0, 5, (rank, 2))
    positions = [length(*axis) for axis in zip(lengths, taps, strides, dilations, *padding.T, strict=True)]
    return tuple(strides.tolist()), tuple(dilations.tolist()), taps, lengths, padding.tolist(), positions


def test_every_axis_has_its_own_window():
    rng = np.random.default_rng(4)
    for _ in range(300):
        rank, groups = int(rng.integers(1, 4)), int(rng.choice([1, 2, 4]))
        strides, dilations, taps, lengths, padding, positions = draw_window(rng, rank)
        per, filters = int(rng.choice([1, 2, 5])), groups * int(rng.choice([1, 3]))
        if 0 in positions:
            continue
        x = rng.normal(size=(2, *lengths, per * groups))
        kernel = rng.normal(size=(*taps, per, filters))
        window = strides, tuple(before for before, _ in padding), dilations, groups
        found = cyops.conv(x, kernel, strides=strides, padding=padding, dilation_rate=dilations, groups=groups)
        expected = reference(x, kernel, positions, *window)
        close(found, expected, reference(abs(x), abs(kernel), positions, *window))
        d = rng.normal(size=expected.shape)
        dx, dkernel, _ = cyops.conv_backward(d, x.shape, kernel.shape, (*window, "channels_last"), x=x, kernel=kernel)
        terms = gradients(abs(x), abs(kernel), abs(d), *window)
        for gradient, exact, bound in zip((dx, dkernel), gradients(x, kernel, d, *window), terms, strict=True):
            close(gradient, exact, bound)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("activation", [None, "relu"])
def test_every_layout_gives_the_same_bits(data_format, activation):
    rng = np.random.default_rng(1)
    for dtype, groups in itertools.product(("float32", "float64"), (1, 2, 4)):
        x, kernel = draw(2, groups, rng)
        x, kernel = (first(x) if data_format == "channels_first" else x).astype(dtype), kernel.astype(dtype)
        bias = rng.normal(size=8).astype(dtype)
        options = {"padding": "same", "groups": groups, "data_format": data_format, "activation": activation}
        expected = np.array(cyops.conv(np.ascontiguousarray(x), kernel, bias, **options))
        for name, of_x in LAYOUTS.items():
            for of_kernel in LAYOUTS.values():
                found = cyops.conv(of_x(x), of_kernel(kernel), of_x(bias), **options)
                copies = [np.array(part) for part in (of_x(x), of_kernel(kernel), of_x(bias))]
                same = np.array(cyops.conv(*copies, **options))
                assert np.array(found).tobytes() == same.tobytes(), (name, dtype, groups)
        assert np.array(cyops.conv(x, kernel, bias, **options)).tobytes() == expected.tobytes()


def test_the_data_format_does_not_change_the_bits():
    rng = np.random.default_rng(2)
    for channels, groups, filters in ((1, 1, 8), (3, 1, 5), (4, 4, 8), (16, 1, 64), (50, 1, 19), (6, 6, 6)):
        x = rng.normal(size=(2, 9, 8, channels)).astype("float32")
        kernel = rng.normal(size=(3, 3, channels // groups, filters)).astype("float32")
        for strides, padding in itertools.product((1, 2), ("valid", "same")):
            last = np.array(cyops.conv(x, kernel, strides=strides, padding=padding, groups=groups))
            there = np.array(cyops.conv(np.ascontiguousarray(first(x)), kernel, strides=strides, padding=padding,
                                        groups=groups, data_format="channels_first"))
            assert first(last).tobytes() == there.tobytes()
            d = rng.normal(size=last.shape).astype("float32")
            before = (1 if padding == "same" and strides == 1 else 0,) * 2
            window = ((strides,) * 2, before, (1, 1), groups)
            one = cyops.conv_backward(d, x.shape, kernel.shape, (*window, "channels_last"), x=x, kernel=kernel)
            other = cyops.conv_backward(np.ascontiguousarray(first(d)), first(x).shape, kernel.shape,
                                        (*window, "channels_first"), x=np.ascontiguousarray(first(x)), kernel=kernel)
            assert first(np.array(one[0])).tobytes() == np.array(other[0]).tobytes()
            for mine, its in zip(one[1:], other[1:], strict=True):
                np.testing.assert_allclose(np.array(mine), np.array(its), rtol=1e-4, atol=1e-4)


def test_named_padding_is_that_of_tensorflow():
    x, kernel = np.arange(1.0, 7).reshape(1, 6, 1), np.ones((3, 1, 1))
    for padding, strides, expected in (
        ("valid", 1, [6, 9, 12, 15]), ("same", 1, [3, 6, 9, 12, 15, 11]), ("same", 2, [6, 12, 11]),
        ("causal", 1, [1, 3, 6, 9, 12, 15]), ("SAME", 4, [6, 11]), (1, 1, [3, 6, 9, 12, 15, 11]),
        (((0, 2),), 1, [6, 9, 12, 15, 11, 6]), ((2,), 1, [1, 3, 6, 9, 12, 15, 11, 6]),
    ):
        assert cyops.conv(x, kernel, padding=padding, strides=strides).tolist() == [[[float(n)] for n in expected]]
    dilated = cyops.conv(x, kernel, padding="causal", dilation_rate=2)
    assert dilated.tolist() == [[[1.0], [2.0], [4.0], [6.0], [9.0], [12.0]]]


def test_shapes_at_the_edge():
    ones = cyops.ones
    assert cyops.conv(ones((0, 5, 5, 3)), ones((3, 3, 3, 4))).shape == (0, 3, 3, 4)
    assert cyops.conv(ones((2, 0, 3)), ones((3, 3, 4)), padding="same").shape == (2, 0, 4)
    assert cyops.conv(ones((2, 5, 3)), ones((3, 3, 0))).shape == (2, 3, 0)
    assert cyops.conv(ones((2, 5, 0)), ones((3, 0, 4)), ones((4,))).tolist() == [[[1.0] * 4] * 3] * 2
    assert cyops.conv(ones((1, 2, 2, 1)), ones((5, 7, 1, 1)), padding="same").tolist() == [[[[4.0]] * 2] * 2]
    assert cyops.conv(ones((1, 9, 1)), ones((1, 1, 1)), strides=5).shape == (1, 2, 1)
    assert cyops.conv(ones((1, 9, 1)), ones((1, 1, 1)), strides=100).tolist() == [[[1.0]]]
    assert cyops.conv(ones((1, 1, 1)), ones((1, 1, 1)), padding=2 ** 20).shape == (1, 2 ** 21 + 1, 1)
    assert cyops.conv(ones((1, 3, 3, 2)), ones((3, 3, 2, 1))).tolist() == [[[[18.0]]]]
    window = (1,), (0,), (1,), 1, "channels_last"
    dx, dkernel, dbias = cyops.conv_backward(ones((0, 3, 4)), (0, 5, 3), (3, 3, 4), window, x=ones((0, 5, 3)),
                                             kernel=ones((3, 3, 4)))
    assert dx.shape == (0, 5, 3) and dkernel.tolist() == [[[0.0] * 4] * 3] * 3 and dbias.tolist() == [0.0] * 4


def test_dtypes():
    rng = np.random.default_rng(3)
    x, kernel, bias = rng.normal(size=(2, 6, 4)), rng.normal(size=(3, 4, 5)), rng.normal(size=5)
    exact = np.asarray(cyops.conv(x, kernel, bias))
    for dtypes, result in (
        (("float16",) * 3, "float16"), (("float32", "float16", "float32"), "float32"),
        (("float32", "float64", "float32"), "float64"), (("int32", "float32", "float32"), "float32"),
    ):
        parts = [part.astype(dtype) for part, dtype in zip((x, kernel, bias), dtypes, strict=True)]
        found = cyops.conv(*parts)
        assert found.dtype == result
        if "int32" not in dtypes:
            eps = max(np.finfo(dtype).eps for dtype in (*dtypes, result))
            np.testing.assert_allclose(np.asarray(found, np.float64), exact, atol=40 * eps)
    assert cyops.conv(x.astype("float32"), kernel.astype("float32"), bias).dtype == np.float64


def test_bfloat16_is_summed_in_float32():
    """Forward rounded once, gradients in float32: against the same numbers in float64."""
    rng = np.random.default_rng(3)
    for channels, groups, filters in ((3, 1, 20), (50, 1, 19), (8, 2, 8), (8, 8, 8)):
        x, kernel = (cyops.astype(rng.normal(size=shape), "bfloat16")
                     for shape in ((2, 7, 9, channels), (3, 3, channels // groups, filters)))
        wide = [cyops.astype(part, "float64") for part in (x, kernel)]
        exact = np.asarray(cyops.conv(*wide, padding="same", groups=groups))
        terms = np.asarray(cyops.conv(*map(cyops.abs, wide), padding="same", groups=groups))
        found = cyops.conv(x, kernel, padding="same", groups=groups)
        assert found.dtype == cyops.bfloat16
        assert np.all(abs(np.asarray(cyops.astype(found, "float64")) - exact) <= 2 ** -8 * abs(exact) + 1e-5 * terms)
        window = (1, 1), (1, 1), (1, 1), groups, "channels_last"
        gradients = cyops.conv_backward(found, x.shape, kernel.shape, window, x=x, kernel=kernel, y=found)
        wider = cyops.conv_backward(cyops.astype(found, "float64"), x.shape, kernel.shape, window, x=wide[0],
                                    kernel=wide[1], y=cyops.astype(found, "float64"))
        for mine, its in zip(gradients, wider, strict=True):
            assert mine.dtype == np.float32
            np.testing.assert_allclose(np.asarray(mine), np.asarray(its), atol=2e-6 * abs(np.asarray(its)).max())


def test_nan_and_infinity_stay_where_the_window_sees_them():
    x = np.ones((1, 6, 1))
    x[0, 2] = np.nan
    found = np.asarray(cyops.conv(x, np.ones((3, 1, 1)), padding="same", activation="relu"))[0, :, 0]
    assert np.isnan(found[1:4]).all() and (found[[0, 4, 5]] == [2, 3, 2]).all()
    x[0, 2] = np.inf
    assert np.isinf(np.asarray(cyops.conv(x, np.ones((3, 1, 1))))[0, :3, 0]).all()


def transposed_reference(x, kernel, strides, dilation, low, lengths):
    """Every element of x (n, s..., c) adds the kernel (k..., f, c) at its place; `low` elements are cut off before."""
    rank = x.ndim - 2
    out = np.zeros((x.shape[0], *lengths, kernel.shape[-2]))
    for o, k in itertools.product(places(x.shape[1:-1]), places(kernel.shape[:rank])):
        at = [o[i] * strides + k[i] * dilation - low[i] for i in range(rank)]
        if all(0 <= at[i] < lengths[i] for i in range(rank)):
            out[(slice(None), *at)] += x[(slice(None), *o)] @ kernel[k].T
    return out


def test_transposed_lengths_and_values():
    """The lengths by Keras's rule, written out; the values by the definition, cut so that they have that length."""
    rng = np.random.default_rng(4)
    for rank, stride, taps, dilation, padding, more in itertools.product(
            (1, 2), (1, 2, 3), (1, 2, 3, 4), (1, 2), ("valid", "same"), (None, 0, 1)):
        if more is not None and more >= stride:
            continue
        s = (4, 3)[:rank]
        x, kernel = rng.normal(size=(2, *s, 3)), rng.normal(size=(*(taps,) * rank, 2, 3))
        extent = dilation * (taps - 1) + 1
        if padding == "valid":
            added = max(stride - extent, 0) if more is None else more
            lengths = [(n - 1) * stride + extent + added for n in s]
            low = [0] * rank
        else:
            lengths = [n * stride if more is None else (n - 1) * stride + extent % 2 + more for n in s]
            total = stride + extent - 2 if more is None else extent + extent % 2 - 2 + more
            low = [extent - 1 - min((total + 1) // 2, extent - 1)] * rank
        for data_format, move in (("channels_last", lambda a: a), ("channels_first", first)):
            found = cyops.conv_transpose(move(x), kernel, strides=stride, padding=padding, output_padding=more,
                                         dilation_rate=dilation, data_format=data_format)
            expected = transposed_reference(x, kernel, stride, dilation, low, lengths)
            assert found.shape == move(expected).shape, (stride, taps, dilation, padding, more)
            np.testing.assert_allclose(np.asarray(found), move(expected), atol=1e-12)


def test_transposed_is_the_adjoint():
    """<conv(x), y> = <x, conv_transpose(y)> with the same kernel."""
    rng = np.random.default_rng(5)
    x, kernel = rng.normal(size=(2, 7, 9, 3)), rng.normal(size=(3, 2, 3, 4))
    y = rng.normal(size=cyops.conv(x, kernel, strides=2).shape)
    back = cyops.conv_input_gradient(y, kernel, x.shape, ((2, 2), (0, 0), (1, 1), 1, "channels_last"))
    there, here = np.sum(np.asarray(cyops.conv(x, kernel, strides=2)) * y), np.sum(x * np.asarray(back))
    assert there == pytest.approx(here, rel=1e-12)


def test_depthwise_filters_come_from_their_channel():
    rng = np.random.default_rng(6)
    x, kernel = rng.normal(size=(2, 6, 5, 3)), rng.normal(size=(3, 2, 3, 2))
    found = np.asarray(ct.depthwise_conv(x, kernel))
    for channel, filter_ in itertools.product(range(3), range(2)):
        one = cyops.conv(x[..., channel : channel + 1], kernel[:, :, channel : channel + 1, filter_ : filter_ + 1])
        np.testing.assert_allclose(found[..., channel * 2 + filter_], np.asarray(one)[..., 0], atol=1e-13)


def test_backward_masks_where_the_layer_was_not_positive():
    rng = np.random.default_rng(7)
    x, kernel, bias = rng.normal(size=(3, 6, 6, 2)), rng.normal(size=(3, 3, 2, 4)), rng.normal(size=4)
    y = cyops.conv(x, kernel, bias, activation="relu")
    d = rng.normal(size=y.shape)
    window = ((1, 1), (0, 0), (1, 1), 1, "channels_last")
    found = cyops.conv_backward(d, x.shape, kernel.shape, window, x=x, kernel=kernel, y=y)
    expected = cyops.conv_backward(np.where(np.asarray(y) > 0, d, 0), x.shape, kernel.shape, window, x=x, kernel=kernel)
    for mine, its in zip(found, expected, strict=True):
        assert np.array(mine).tobytes() == np.array(its).tobytes()
    assert cyops.conv_backward(d, x.shape, kernel.shape, window, bias=False) == (None, None, None)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_against_pytorch(rank):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    rng = np.random.default_rng(8)
    for stride, dilation, padding, groups in itertools.product((1, 2), (1, 2), (0, 1), (1, 2)):
        x, kernel = draw(rank, groups, rng)
        if any(s + 2 * padding < dilation * (k - 1) + 1 for s, k in zip(LENGTHS[rank], TAPS[rank], strict=True)):
            continue
        theirs = [torch.tensor(np.ascontiguousarray(a), requires_grad=True)
                  for a in (first(x), np.moveaxis(kernel, (-1, -2), (0, 1)))]
        made = getattr(torch.nn.functional, f"conv{rank}d")(*theirs, None, stride, padding, dilation, groups)
        d = rng.normal(size=made.shape)
        made.backward(torch.tensor(d))
        v, k = ct.Variable(first(x)), ct.Variable(kernel)
        with ct.GradientTape() as tape:
            ours = ct.conv(v, k, strides=stride, padding=padding, dilation_rate=dilation, groups=groups,
                           data_format="channels_first")
        np.testing.assert_allclose(ours.numpy(), made.detach().numpy(), atol=1e-12)
        by_x, by_kernel = tape.gradient(ours, [v, k], output_gradients=ct.asarray(d))
        np.testing.assert_allclose(by_x.numpy(), theirs[0].grad.numpy(), atol=1e-12)
        np.testing.assert_allclose(by_kernel.numpy(), np.moveaxis(theirs[1].grad.numpy(), (0, 1), (-1, -2)), atol=1e-12)
