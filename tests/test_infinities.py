"""Values and gradients at +-inf, +-0, NaN, the largest and the smallest numbers: the limits, from float64 formulas."""
import math

import numpy as np
import pytest

import cytensor as ct
from cytensor import activations, layers

INF = math.inf


def derivatives(function, x):
    """Value, slope and second derivative at x, elementwise."""
    x = ct.constant(x)
    with ct.GradientTape() as outer:
        outer.watch(x)
        with ct.GradientTape() as inner:
            inner.watch(x)
            y = function(x)
        slope = inner.gradient(y, x)
    bend = outer.gradient(slope, x, unconnected_gradients="zero")
    return y.numpy(), slope.numpy(), bend.numpy()


# name -> (value at -inf, at inf, slope at -inf, at inf); None where there is no limit
LIMITS = {
    "celu": (-1, INF, 0, 1), "elu": (-1, INF, 0, 1), "exponential": (0, INF, 0, INF), "gelu": (0, INF, 0, 1),
    "hard_shrink": (-INF, INF, 1, 1), "hard_sigmoid": (0, 1, 0, 0), "hard_silu": (0, INF, 0, 1),
    "hard_swish": (0, INF, 0, 1), "hard_tanh": (-1, 1, 0, 0), "leaky_relu": (-INF, INF, 0.2, 1),
    "linear": (-INF, INF, 1, 1), "log_sigmoid": (-INF, 0, 1, 0), "mish": (0, INF, 0, 1), "relu": (0, INF, 0, 1),
    "relu6": (0, 6, 0, 0), "selu": (-1.7580993408473766, INF, 0, 1.0507009873554805), "sigmoid": (0, 1, 0, 0),
    "silu": (0, INF, 0, 1), "soft_shrink": (-INF, INF, 1, 1), "softplus": (0, INF, 0, 1), "softsign": (-1, 1, 0, 0),
    "squareplus": (0, INF, 0, 1), "swish": (0, INF, 0, 1), "tanh": (-1, 1, 0, 0), "tanh_shrink": (-INF, INF, 1, 1),
}
SPECIAL = {
    "approximate gelu": (lambda x: activations.gelu(x, approximate=True), (0, INF, 0, 1)),
    "threshold": (lambda x: activations.threshold(x, 0.5, 7.0), (7, INF, 0, 1)),
    "relu with a threshold": (lambda x: activations.relu(x, threshold=1.0), (0, INF, 0, 1)),
    "relu with all": (lambda x: activations.relu(x, 0.5, 6.0, 1.0), (-INF, 6, 0.5, 0)),
    "squareplus of 0": (lambda x: activations.squareplus(x, 0), (0, INF, 0, 1)),
}
CASES = {name: (getattr(activations, name), limits) for name, limits in LIMITS.items()} | SPECIAL


def test_every_activation_has_its_limits_here():
    others = {"get", "softmax", "log_softmax", "threshold", "serialize", "deserialize"}
    assert set(LIMITS) | others == set(activations.__all__)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_activations_have_their_limits_at_infinity_and_keep_nan(name, dtype):
    function, (low, high, low_slope, high_slope) = CASES[name]
    values, slopes, bends = derivatives(function, np.array([-INF, INF, math.nan], dtype))
    tolerance = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(values, [low, high, math.nan], rtol=tolerance)
    np.testing.assert_allclose(slopes[:2], [low_slope, high_slope], rtol=tolerance)
    np.testing.assert_array_equal(bends[:2], [0, INF if name == "exponential" else 0])


@pytest.mark.parametrize("name", CASES)
def test_activations_near_the_ends_of_the_dtype_go_over_into_their_limits(name):
    function, (low, high, low_slope, high_slope) = CASES[name]
    largest = float(np.finfo(np.float32).max)
    values, slopes, bends = derivatives(function, np.array([-largest, -1e25, 1e25, largest], np.float32))
    ends = np.array([-largest, -1e25, 1e25, largest])
    for i, (limit, slope) in enumerate([(low, low_slope)] * 2 + [(high, high_slope)] * 2):
        if math.isfinite(limit):
            np.testing.assert_allclose(values[i], limit, rtol=1e-6, atol=1e-18)
        else:
            with np.errstate(over="ignore"):
                np.testing.assert_allclose(values[i], np.float32(ends[i] * slope), rtol=1e-6)
        np.testing.assert_allclose(slopes[i], slope, rtol=1e-6, atol=1e-6)
    assert name == "exponential" or np.isfinite(bends).all()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def normal_distribution(x):
    return 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


# name -> value and slope in float64, written from the definitions
FORMULAS = {
    "softplus": (lambda x: np.logaddexp(0, x), sigmoid),
    "log_sigmoid": (lambda x: -np.logaddexp(0, -x), lambda x: sigmoid(-x)),
    "silu": (lambda x: x * sigmoid(x), lambda x: sigmoid(x) + x * sigmoid(x) * sigmoid(-x)),
    "softsign": (lambda x: x / (1 + abs(x)), lambda x: 1 / (1 + abs(x)) ** 2),
    "gelu": (lambda x: x * normal_distribution(x),
             lambda x: normal_distribution(x) + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi)),
    "mish": (lambda x: x * np.tanh(np.logaddexp(0, x)),
             lambda x: np.tanh(np.logaddexp(0, x)) + x * sigmoid(x) / np.cosh(np.logaddexp(0, x)) ** 2),
    "squareplus": (lambda x: 0.5 * (x + np.sqrt(x * x + 4)), lambda x: 0.5 * (1 + x / np.sqrt(x * x + 4))),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_smooth_activations_equal_their_formulas_from_minus_forty_to_forty(name):
    x = np.concatenate([np.linspace(-40, 40, 401), [0.0, -0.0, 1e-30, -1e-30]])
    value, slope = FORMULAS[name]
    values, slopes, bends = derivatives(getattr(activations, name), x)
    np.testing.assert_allclose(values, value(x), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(slopes, slope(x), rtol=1e-12, atol=1e-14)
    step = 1e-5
    smooth = abs(x) > 2 * step if name == "softsign" else np.ones(len(x), bool)
    numeric = (slope(x + step) - slope(x - step)) / (2 * step)
    np.testing.assert_allclose(bends[smooth], numeric[smooth], rtol=1e-5, atol=1e-8)


def test_squareplus_keeps_the_digits_of_large_negative_arguments():
    found = activations.squareplus(ct.constant([-1e4, -1e10, -1e20], "float32")).numpy()
    np.testing.assert_allclose(found, [1e-4, 1e-10, 1e-20], rtol=1e-6)        # b / (4 |x|) with b = 4


# -- losses of logits -------------------------------------------------------------------------------------------------
def test_infinite_logits_cost_nothing_or_infinity():
    z = ct.constant([INF, INF, -INF, -INF, 0.0, 1000.0])
    t = ct.constant([1.0, 0.0, 0.0, 1.0, 0.5, 1.0])
    with ct.GradientTape() as tape:
        tape.watch([z, t])
        found = ct.losses.cross_entropy.binary_crossentropy(t, z, from_logits=True)
    of_logits, of_targets = tape.gradient(found, [z, t])
    np.testing.assert_allclose(found.numpy(), [0, INF, 0, INF, math.log(2), 0])
    np.testing.assert_allclose(of_logits.numpy(), [0, 1, 0, -1, 0, 0])
    np.testing.assert_allclose(of_targets.numpy()[4:], [0, -1000])             # -z, also where the loss is 0


def test_rows_of_minus_infinity_have_no_distribution_and_single_ones_probability_zero():
    rows = ct.constant([[-INF, -INF], [INF, 0.0], [-INF, 1.0]])
    for function in (ct.softmax, activations.softmax, ct.nn.softmax):
        np.testing.assert_array_equal(function(rows).numpy(), [[math.nan] * 2, [math.nan] * 2, [0, 1]])
    for function in (ct.log_softmax, activations.log_softmax):
        np.testing.assert_array_equal(function(rows).numpy(), [[math.nan] * 2, [math.nan] * 2, [-INF, 0]])
    found = ct.softmax_cross_entropy(rows, [1, 0, 1]).numpy()
    np.testing.assert_array_equal(found, [math.nan, math.nan, 0])
    assert all("-inf" in function.__doc__ and "NaN" in function.__doc__ for function in (
        ct.softmax, ct.log_softmax, ct.softmax_cross_entropy, activations.softmax, activations.log_softmax))


def test_a_masked_class_has_no_gradient_and_harms_no_other():
    z = ct.Variable([[-INF, 1.0, 2.0]])
    for targets in (np.array([2]), np.array([[0.0, 0.0, 1.0]], np.float32)):
        with ct.GradientTape() as tape:
            loss = ct.softmax_cross_entropy(z, targets)
        p = math.exp(1) / (math.exp(1) + math.exp(2))
        np.testing.assert_allclose(loss.numpy(), [-math.log(1 - p)], rtol=1e-6)
        np.testing.assert_allclose(tape.gradient(loss, z).numpy(), [[0, p, -p]], rtol=1e-6)
    assert ct.softmax_cross_entropy(z, np.array([[0.5, 0.5, 0.0]], np.float32)).numpy() == [INF]
    many = np.zeros((9, 600), np.float32)                      # rows longer than the kernel keeps, and groups of rows
    many[:, 7] = -INF
    for classes in (600, 50):
        found = ct.softmax_cross_entropy(many[:, :classes], np.eye(classes, dtype=np.float32)[:9]).numpy()
        np.testing.assert_allclose(found, [math.log(classes - 1)] * 7 + [INF, math.log(classes - 1)], rtol=1e-6)


# -- layers -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("name", "wanted", "predicted", "value", "slope"), [
    ("mean_squared_logarithmic_error", 1.0, INF, INF, 0.0), ("mean_squared_logarithmic_error", INF, 1.0, INF, -INF),
    ("mean_squared_logarithmic_error", 1.0, -INF, math.log(2.0) ** 2, 0.0),
    ("mean_absolute_percentage_error", INF, 1.0, 100.0, 0.0), ("mean_absolute_percentage_error", -INF, 1.0, 100.0, 0.0),
    ("mean_absolute_percentage_error", 1.0, INF, INF, 100.0),
    ("mean_absolute_percentage_error", 1.0, -INF, INF, -100.0),
])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_relative_losses_have_their_limits_at_infinity(name, wanted, predicted, value, slope, dtype):
    prediction = ct.Variable(np.array([[predicted]], dtype))
    with ct.GradientTape() as tape:
        loss = getattr(ct.losses, name)(np.array([[wanted]], dtype), prediction)
    found = tape.gradient(loss, prediction)
    assert loss.item() == pytest.approx(value, rel=1e-6) and found.item() == pytest.approx(slope, abs=1e-30)


def test_the_gradient_of_logsumexp_is_the_softmax_at_minus_infinity_too():
    rows = ct.Variable(np.array([[-INF, -INF], [1.0, -INF], [1.0, 1.0]]))
    with ct.GradientTape() as tape:
        total = ct.logsumexp(rows, axis=1)
    assert total.tolist()[:2] == [-INF, 1.0]
    slope = tape.gradient(total, rows).numpy()
    assert np.isnan(slope[0]).all() and slope[1:].tolist() == [[1.0, 0.0], [0.5, 0.5]]


def test_dropout_drops_infinities_to_zero():
    x = ct.constant(np.full((40, 50), INF, np.float32))
    for rate, noise_shape in ((0.5, None), (0.5, (None, 1)), (1.0, None)):
        dropout = layers.Dropout(rate, noise_shape=noise_shape, seed=1)
        with ct.GradientTape() as tape:
            tape.watch(x)
            y = dropout(x, training=True)
        gradient = tape.gradient(y, x).numpy()
        kept = y.numpy() == INF
        assert set(np.unique(y.numpy())) == ({0.0, INF} if rate < 1 else {0.0})
        np.testing.assert_array_equal(gradient, np.where(kept, 2.0, 0.0))


def test_dropout_scales_what_it_keeps():
    x = np.random.default_rng(0).normal(size=(100, 100)).astype(np.float32)
    y = layers.Dropout(0.3, seed=2)(x, training=True).numpy()
    np.testing.assert_array_equal(y[y != 0], (x * np.float32(1 / np.float32(0.7)))[y != 0])
    assert 0.27 < (y == 0).mean() < 0.33


# -- reductions and powers --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("values", [[3.0], [3.0, 3.0, 3.0], [0.0, 0.0]])
def test_the_gradient_of_std_and_var_of_equal_elements_is_zero(values):
    for function in (ct.std, ct.var):
        found, slopes, _ = derivatives(function, np.array(values))
        assert found == 0
        np.testing.assert_array_equal(slopes, np.zeros(len(values)))


def test_std_of_rows_of_which_one_is_constant():
    x = ct.Variable(np.array([[2.0, 2.0, 2.0], [1.0, 2.0, 6.0]]))
    with ct.GradientTape() as tape:
        y = ct.std(x, axis=1, correction=1)
    deviation = math.sqrt(7)                                   # of 1, 2, 6: squares 4 + 1 + 9, over 2
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), [[0] * 3, np.array([-2, -1, 3]) / 2 / deviation])


def test_the_spread_of_one_element_with_correction_one_is_nan_and_so_is_its_gradient():
    for function in (ct.std, ct.var):
        x = ct.Variable([3.0])
        with ct.GradientTape() as tape:
            y = function(x, correction=1)
        assert math.isnan(float(y)) and math.isnan(float(tape.gradient(y, x)[0]))


def test_powers_at_zero_and_infinity():
    base = ct.constant(np.array([0.0, INF, 0.0, 2.0, INF, -2.0, 3.0]))
    exponent = ct.constant(np.array([0.0, 0.0, 2.0, 0.0, -1.0, 3.0, 2.0]))
    with ct.GradientTape() as tape:
        tape.watch([base, exponent])
        y = base ** exponent
    of_base, of_exponent = tape.gradient(y, [base, exponent])
    np.testing.assert_array_equal(y.numpy(), [1, 1, 0, 1, 0, -8, 9])
    np.testing.assert_array_equal(of_base.numpy(), [0, 0, 0, 0, 0, 12, 6])
    np.testing.assert_allclose(of_exponent.numpy(), [0, INF, 0, math.log(2), 0, 0, 9 * math.log(3)])


def test_the_mixed_second_derivative_of_a_power_at_exponent_zero():
    base, exponent = ct.Variable(np.array([4.0])), ct.Variable(np.array([0.0]))
    with ct.GradientTape() as outer:
        with ct.GradientTape() as inner:
            y = base ** exponent
        slope = inner.gradient(y, base)                        # b a^(b - 1), whose slope in b at 0 is 1 / a
    np.testing.assert_allclose(outer.gradient(slope, exponent).numpy(), [0.25])


def test_bfloat16_has_the_same_limits():
    x = ct.constant([-INF, INF, 0.0]).astype("bfloat16")
    for name in ("softsign", "squareplus", "softplus", "silu", "gelu", "mish"):
        low, high, _, _ = LIMITS[name]
        found = getattr(activations, name)(x)
        assert found.dtype == "bfloat16"
        np.testing.assert_array_equal(found.astype("float32").numpy()[:2], [low, high])


@pytest.mark.parametrize("name", sorted(
    set(activations.__all__) - {"get", "linear", "threshold", "serialize", "deserialize"}))
def test_activations_take_lists_as_tensors(name):
    function, values = getattr(activations, name), [[-2.0, -0.5, 0.0, 1.0], [3.0, 0.25, -8.0, 7.0]]
    np.testing.assert_array_equal(function(values), function(ct.asarray(values)))
