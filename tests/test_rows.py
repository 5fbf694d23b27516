"""Softmax, cross-entropy and their gradients over the cross of layouts and class counts, in float64 references."""
import itertools

import numpy as np
import pytest
from layouts import LAYOUTS

import cyops

# Around the counts at which a kernel changes its way: groups of 4 rows, vectors of 2 to 16 classes, 512 classes.
SHAPES = [
    (1,), (10,), (33,), (3, 1), (5, 10), (9, 16), (7, 17), (4, 64), (3, 1000), (2, 3, 10), (65, 3, 2), (6, 511),
    (5, 512), (2, 513),
]
DTYPES = ["float32", "float64"]


def softmax(x, axis=-1):
    with np.errstate(all="ignore"):
        powers = np.exp(x - x.max(axis=axis, keepdims=True))
        return powers / powers.sum(axis=axis, keepdims=True)


def log_softmax(x, axis=-1):
    with np.errstate(all="ignore"):
        shifted = x - x.max(axis=axis, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def eps_of(dtype):
    return np.finfo(dtype).eps


def cases():
    rng = np.random.default_rng(11)
    for dtype, shape in itertools.product(DTYPES, SHAPES):
        values = (rng.normal(size=shape) * 4).astype(dtype)
        for name, layout in LAYOUTS.items():
            yield f"{dtype} {shape} {name}", layout(values), np.asarray(layout(values)).astype(np.float64)


def assert_near(got, expected, tolerance, case):
    got = np.asarray(got)
    assert got.shape == expected.shape, case
    assert (np.abs(got - expected) <= tolerance).all(), f"{case}: {got} {expected}"


def test_softmax_and_its_logarithm_in_every_layout_along_every_axis():
    for case, x, values in cases():
        eps = eps_of(x.dtype)
        for axis in range(-1, x.ndim - 1):
            expected = softmax(values, axis)
            assert_near(cyops.softmax(x, axis), expected, 32 * eps * expected + 1e-40, f"{case} axis {axis}")
            spread = np.abs(values - values.max(axis=axis, keepdims=True)) + np.log(values.shape[axis]) + 1
            assert_near(cyops.log_softmax(x, axis), log_softmax(values, axis), 4 * eps * spread, f"{case} axis {axis}")


def test_gradients_in_every_layout_along_every_axis():
    rng = np.random.default_rng(12)
    for case, x, values in cases():
        d = rng.normal(size=values.shape).astype(x.dtype)
        for axis in range(-1, x.ndim - 1):
            y, log_y = softmax(values, axis), log_softmax(values, axis)
            bound = (np.abs(d) * np.abs(y)).sum(axis=axis, keepdims=True) + np.abs(d)
            for layout in LAYOUTS.values():
                dx = layout(d)
                exact = np.asarray(dx).astype(np.float64)
                out = LAYOUTS["transposed"](y.astype(x.dtype))
                assert_near(cyops.softmax_gradient(dx, out, axis), y * (exact - (exact * y).sum(axis, keepdims=True)),
                            64 * eps_of(x.dtype) * (np.abs(exact).sum(axis, keepdims=True) + bound), case)
                out = LAYOUTS["sliced"](log_y.astype(x.dtype))
                assert_near(cyops.log_softmax_gradient(dx, out, axis), exact - y * exact.sum(axis, keepdims=True),
                            64 * eps_of(x.dtype) * (np.abs(exact).sum(axis, keepdims=True) + np.abs(exact)), case)


def test_cross_entropy_of_labels_in_every_layout():
    rng = np.random.default_rng(13)
    for case, x, values in cases():
        classes = values.shape[-1]
        labels = rng.integers(0, classes, size=values.shape[:-1])
        one_hot = np.eye(classes)[labels]
        exact = -(one_hot * log_softmax(values)).sum(axis=-1)
        for dtype in ("int64", "uint8", "int32") if classes <= 256 else ("int64", "uint16"):
            losses, gradient = cyops.softmax_cross_entropy_with_gradient(x, labels.astype(dtype), scale=0.25)
            tolerance = 8 * eps_of(x.dtype) * (np.abs(values).max(axis=-1) + 1)
            assert_near(losses, exact, tolerance, case)
            assert_near(gradient, 0.25 * (softmax(values) - one_hot), 16 * eps_of(x.dtype), case)
            np.testing.assert_array_equal(cyops.softmax_cross_entropy(x, labels.astype(dtype)), losses)


def test_cross_entropy_of_distributions_in_every_layout():
    rng = np.random.default_rng(14)
    for case, x, values in cases():
        targets = rng.random(values.shape).astype(x.dtype)
        exact = -(targets * log_softmax(values)).sum(axis=-1)
        bound = (np.abs(targets) * np.abs(log_softmax(values))).sum(axis=-1) + targets.sum(axis=-1)
        for layout in LAYOUTS.values():
            t = layout(targets)
            if not np.array_equal(np.asarray(t), targets):   # the stretched layout has other values
                continue
            losses, gradient = cyops.softmax_cross_entropy_with_gradient(x, t)
            assert_near(losses, exact, 16 * eps_of(x.dtype) * bound, case)
            total = targets.sum(axis=-1, keepdims=True, dtype=np.float64)
            assert_near(gradient, softmax(values) * total - targets, 32 * eps_of(x.dtype) * (total + 1), case)


def test_labels_in_every_layout():
    labels = np.arange(12).reshape(3, 4) % 5
    logits = np.random.default_rng(15).normal(size=(3, 4, 5))
    for layout in LAYOUTS.values():
        y = layout(labels)
        expected = -np.take_along_axis(log_softmax(logits), np.asarray(y)[..., None], -1)[..., 0]
        np.testing.assert_allclose(cyops.softmax_cross_entropy(logits, y), expected, rtol=1e-13)


@pytest.mark.parametrize("classes", [3, 16, 17, 512, 513])
def test_large_logits_infinities_and_nan(classes):
    for dtype in DTYPES:
        x = np.zeros((7, classes), dtype)
        x[0, 0] = 1e4
        x[1] = -1e4
        x[2, 1] = -np.inf
        x[3] = -np.inf
        x[4, 2] = np.inf
        x[5, 1] = np.nan
        x[6, :2] = 1e4, -1e4
        wide = x.astype(np.float64)
        for ours, reference in ((cyops.softmax, softmax), (cyops.log_softmax, log_softmax)):
            for axis, values in ((-1, x), (0, np.ascontiguousarray(x.T))):
                expected = reference(wide) if axis == -1 else reference(wide).T
                np.testing.assert_allclose(ours(values, axis), expected, rtol=1e-5, atol=1e-7)
        losses = np.asarray(cyops.softmax_cross_entropy(x, np.zeros(7, int)))
        assert np.isnan(losses[[3, 4, 5]]).all() and np.isfinite(losses[[0, 1, 2, 6]]).all()
        assert losses[0] == 0 and losses[6] == 0
        labels = np.ones(7, int)
        assert np.asarray(cyops.softmax_cross_entropy(x, labels))[[2, 6]].tolist() == [np.inf, 2e4]


def test_dtypes():
    assert cyops.softmax([1, 2, 3]).dtype == np.float32
    half = np.array([[1.0, 2.0]], np.float16)
    assert cyops.softmax(half).dtype == np.float16 and cyops.softmax_cross_entropy(half, [1]).dtype == np.float16
    assert cyops.log_softmax(np.zeros(3)).dtype == np.float64


def test_a_softmax_remembers_its_logits():
    x = cyops.Strided([[1.0, 2.0]])
    assert cyops.logits_behind(cyops.softmax(x)) is x
    assert cyops.logits_behind(cyops.log_softmax(x)) is None and cyops.logits_behind(cyops.softmax(x, 0)) is None


def test_rows_do_not_depend_on_their_batch_or_strides():
    for classes in (3, 16, 45, 129, 511, 512, 513):
        x = np.random.default_rng(16).normal(size=(50, classes)).astype(np.float32)
        whole = np.asarray(cyops.softmax(x))
        np.testing.assert_array_equal(cyops.softmax(x[7:8]), whole[7:8])
        np.testing.assert_array_equal(cyops.softmax(cyops.Strided(np.asfortranarray(x))), whole)
        np.testing.assert_array_equal(cyops.softmax(np.ascontiguousarray(x.T), 0), whole.T)


def test_large_batches_have_the_same_bits_for_any_threads():
    x = np.random.default_rng(17).normal(size=(4000, 130)).astype(np.float32)
    labels = np.arange(4000) % 130
    before = cyops.get_num_threads()
    try:
        results = []
        for threads in (1, 2, 3, 8):
            cyops.set_num_threads(threads)
            losses, gradient = cyops.softmax_cross_entropy_with_gradient(x, labels)
            results.append((np.asarray(losses).tobytes(), np.asarray(gradient).tobytes(),
                            np.asarray(cyops.softmax(x.T, axis=0)).tobytes()))
    finally:
        cyops.set_num_threads(before)
    assert len(set(results)) == 1


def test_empty_rows_and_no_rows():
    assert cyops.softmax(np.zeros((0, 3))).shape == (0, 3)
    assert cyops.softmax(np.zeros((3, 0))).shape == (3, 0)
    assert cyops.softmax_cross_entropy(np.zeros((0, 3)), np.zeros(0, int)).shape == (0,)
    assert cyops.softmax_cross_entropy(np.zeros((2, 0)), np.zeros((2, 0))).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: cyops.softmax_cross_entropy(np.zeros((4, 10)), [1, 0, 9, 12]), ValueError,
     r"softmax_cross_entropy: labels must lie in \[0, 10\); got 12 at position 3"),
    (lambda: cyops.softmax_cross_entropy(np.zeros((2, 2, 10)), [[1, 0], [-1, 12]]), ValueError,
     r"labels must lie in \[0, 10\); got -1 at position \(1, 0\)"),
    (lambda: cyops.softmax_cross_entropy(np.zeros((1, 3)), np.array([2**63], "uint64")), ValueError,
     r"labels must lie in \[0, 3\); got 9223372036854775808 at position 0"),
    (lambda: cyops.softmax_cross_entropy(np.zeros((2, 0)), [0, 0]), ValueError, r"labels must lie in \[0, 0\)"),
    (lambda: cyops.softmax_cross_entropy(np.zeros((2, 3)), [0.0, 1.0]), TypeError,
     "softmax_cross_entropy: labels must be integers; got dtype float32; cast them with astype"),
    (lambda: cyops.softmax_cross_entropy(np.zeros((2, 3)), [True, False]), TypeError,
     "softmax_cross_entropy: labels must be integers; got dtype bool"),
    (lambda: cyops.softmax_cross_entropy(np.zeros((2, 3)), [0, 1, 2]), ValueError,
     r"labels must have the shape of logits without its last axis; got labels \(3,\), logits \(2, 3\)"),
    (lambda: cyops.softmax_cross_entropy(np.zeros((2, 3)), np.zeros((2, 4))), ValueError,
     r"floating targets must have the shape of logits; got targets \(2, 4\), logits \(2, 3\)"),
    (lambda: cyops.softmax_cross_entropy(np.zeros(()), 0), ValueError,
     r"logits need an axis of classes; got shape \(\)"),
    (lambda: cyops.softmax(np.zeros(3), axis=1), IndexError, "softmax: axis 1 is out of range"),
    (lambda: cyops.softmax(np.array(["a"])), TypeError, "softmax: needs numbers; got dtype <U1"),
    (lambda: cyops.softmax_gradient(np.zeros(3), np.zeros(4)), ValueError,
     r"softmax_gradient: d must have the shape of out; got d \(3,\), out \(4,\)"),
])
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("axis", [(1, 2), (2, 0), [0, 1, 2], (-1, -3), (1,)])
def test_softmax_over_several_axes_is_that_over_their_elements_together(axis):
    import cytensor as ct

    x = np.random.default_rng(0).standard_normal((2, 3, 4))
    exponential = np.exp(x)
    expected = exponential / exponential.sum(tuple(axis), keepdims=True)
    np.testing.assert_allclose(cyops.softmax(x, axis=axis), expected, rtol=1e-12)
    np.testing.assert_allclose(cyops.log_softmax(x, axis=axis), np.log(expected), rtol=1e-12)
    v, weights = ct.Variable(x), np.arange(24.0).reshape(2, 3, 4)
    with ct.GradientTape() as tape:
        y = (ct.softmax(v, axis=axis) * weights).sum()
    wanted = expected * (weights - (expected * weights).sum(tuple(axis), keepdims=True))
    np.testing.assert_allclose(tape.gradient(y, v), wanted, atol=1e-12)


def test_softmax_needs_axes_that_are_there_and_named_once():
    for axis, error in [((), ValueError), ((0, 0), ValueError), ((0, 2), IndexError), (5, IndexError)]:
        with pytest.raises(error, match="softmax: "):
            cyops.softmax(np.zeros((2, 2)), axis=axis)
