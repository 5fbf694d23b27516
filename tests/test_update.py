"""Optimizer steps against the formulas in float64, in every layout, and the rules at the door."""
import itertools

import numpy as np
import pytest
from layouts import LAYOUTS

import cyops
from cyops import update

SHAPES = [(), (1,), (5,), (3, 4), (0, 2), (33, 17), (2, 3, 4)]


def sgd(w, g, learning_rate):
    return (w - learning_rate * g,)


def momentum(w, g, v, learning_rate, decay, nesterov):
    v = decay * v - learning_rate * g
    return (w + decay * v - learning_rate * g if nesterov else w + v), v


def rmsprop(w, g, s, learning_rate, rho, epsilon):
    s = rho * s + (1 - rho) * g**2
    return w - learning_rate * g / np.sqrt(s + epsilon), s


def rmsprop_full(w, g, s, mean, velocity, learning_rate, rho, epsilon, decay):
    """The centred form with momentum; either tensor may be None."""
    s = rho * s + (1 - rho) * g**2
    inside = s + epsilon
    if mean is not None:
        mean = rho * mean + (1 - rho) * g
        inside = inside - mean**2
    step = learning_rate * g / np.sqrt(inside)
    if velocity is not None:
        step = velocity = decay * velocity + step
    return w - step, s, mean, velocity


def adam(w, g, m, v, learning_rate, beta_1, beta_2, epsilon, step):
    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * g**2
    rate = learning_rate * np.sqrt(1 - beta_2**step) / (1 - beta_1**step)
    return w - rate * m / (np.sqrt(v) + epsilon), m, v


# function, reference, number of tensors, the numbers after them; slots past the gradient are positive.
STEPS = [
    (update.sgd_step, sgd, 2, (0.1,)),
    (update.momentum_step, momentum, 3, (0.1, 0.9, False)),
    (update.momentum_step, momentum, 3, (0.1, 0.9, True)),
    (update.rmsprop_step, rmsprop, 3, (0.01, 0.9, 1e-7)),
    (update.adam_step, adam, 4, (0.01, 0.9, 0.999, 1e-7, 3)),
]


def check(tensors, expected, case):
    for tensor, values in zip(tensors, expected, strict=True):
        bound = 16 * np.finfo(tensor.dtype).eps * (np.abs(values) + 1)
        assert (np.abs(np.asarray(tensor) - values) <= bound).all(), case


def test_every_step_in_every_layout():
    rng = np.random.default_rng(31)
    writable = [layout for name, layout in LAYOUTS.items() if name != "stretched"]
    for (function, reference, count, numbers), dtype, shape in itertools.product(STEPS, ("float32", "float64"), SHAPES):
        for i, layout in enumerate(writable):
            arrays = [np.asarray(np.abs(rng.normal(size=shape)) + 0.1).astype(dtype) for _ in range(count)]
            # Each tensor in another layout, and all in the same one.
            for others in (writable[i:] + writable[:i], [layout] * count):
                tensors = [f(a) for f, a in zip(others, arrays, strict=False)]
                expected = reference(*[a.astype(np.float64) for a in arrays], *numbers)
                assert function(*tensors, *numbers) is None
                case = f"{function.__name__} {dtype} {shape} {layout.__name__}"
                np.testing.assert_array_equal(tensors[1], arrays[1], case)
                check([tensors[0], *tensors[2:]], expected, case)


def test_rmsprop_with_mean_and_velocity():
    rng = np.random.default_rng(32)
    for has_mean, has_velocity in itertools.product((False, True), repeat=2):
        w, g = rng.normal(size=(2, 40))
        s, mean, velocity = np.full(40, 5.0), rng.normal(size=40) / 4, rng.normal(size=40)
        tensors = [cyops.Strided(a.copy()) for a in (w, g, s, mean, velocity)]
        options = {"mean": tensors[3] if has_mean else None, "velocity": tensors[4] if has_velocity else None}
        if has_velocity:
            options["momentum"] = 0.8
        update.rmsprop_step(*tensors[:3], 0.01, 0.9, 1e-7, **options)
        kept = (mean if has_mean else None, velocity if has_velocity else None)
        expected = rmsprop_full(w, g, s, *kept, 0.01, 0.9, 1e-7, 0.8)
        check([tensors[0], tensors[2]], expected[:2], options)
        check([t for t in options.values() if isinstance(t, cyops.Strided)], [e for e in expected[2:] if e is not None],
              options)


def test_all_parameters_in_one_call_have_the_bits_of_single_calls():
    rng = np.random.default_rng(33)
    shapes = [(784, 100), (100,), (), (0,), (16384,), (3, 16385), (100, 10)]
    groups = [[rng.random(shape).astype(np.float32) for shape in shapes] for _ in range(4)]
    single = [[cyops.Strided(a.copy()) for a in group] for group in groups]
    for w, g, m, v in zip(*single, strict=True):
        update.adam_step(w, g, m, v, 0.01, 0.9, 0.999, 1e-7, 5)
    before = cyops.get_num_threads()
    try:
        for threads in (1, 2, 8):
            cyops.set_num_threads(threads)
            together = [[cyops.Strided(a.copy()) for a in group] for group in groups]
            update.adam_step(*together, 0.01, 0.9, 0.999, 1e-7, 5)
            for a, b in zip(itertools.chain(*single), itertools.chain(*together), strict=True):
                np.testing.assert_array_equal(a, b)
    finally:
        cyops.set_num_threads(before)


def test_versions_are_raised_and_gradients_left_alone():
    w, g, v = (cyops.Strided(np.ones(3, np.float32)) for _ in range(3))
    versions = [x.storage.version for x in (w, g, v)]
    update.momentum_step(w, g, v, 0.1, 0.9)
    assert [x.storage.version - before for x, before in zip((w, g, v), versions, strict=True)] == [1, 0, 1]


def test_denormals_count_as_zero_only_inside():
    tiny = np.full(64, 1e-40, np.float32)
    w, m, v = cyops.Strided(np.ones(64, np.float32)), cyops.Strided(tiny.copy()), cyops.Strided(tiny.copy())
    update.adam_step(w, cyops.Strided(np.zeros(64, np.float32)), m, v, 0.01, 0.9, 0.999, 1e-7, 1)
    assert np.asarray(m).max() < 1e-39
    assert np.asarray(cyops.multiply(cyops.Strided(tiny), 0.5)).max() > 0
    assert (tiny * np.float32(0.5)).max() > 0


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda w: update.sgd_step(w, cyops.Strided([1.0, 2.0]), 0.1), ValueError,
     r"sgd_step: gradient must have the shape and dtype of its parameter; got gradient \(2,\) float32, parameter "
     r"\(3,\) float32 at 0"),
    (lambda w: update.sgd_step(w, cyops.Strided(np.ones(3)), 0.1), ValueError, r"got gradient \(3,\) float64"),
    (lambda w: update.sgd_step([w], [], 0.1), ValueError, "sgd_step: needs one gradient per parameter; got 0 for 1"),
    (lambda w: update.sgd_step(w, [1.0], 0.1), TypeError,
     "sgd_step: gradient must be a tensor or a sequence of tensors; got float"),
    (lambda w: update.sgd_step(cyops.Strided([1, 2]), cyops.Strided([1, 2]), 0.1), TypeError,
     "sgd_step: parameters must be float32 or float64; got dtype int64 at 0"),
    (lambda w: update.sgd_step([w, cyops.broadcast_to(cyops.Strided([1.0]), (3,))], [w, w], 0.1), ValueError,
     "stride 0"),
    (lambda w: update.rmsprop_step(w, w, w, 0.1, 0.9, 1e-7, momentum=0.5), ValueError,
     "rmsprop_step: a momentum needs a velocity"),
    (lambda w: update.adam_step(w, w, w, w, 0.1, 0.9, 0.999, 1e-7, 0), ValueError,
     "adam_step: steps count from 1; got step 0"),
])
def test_errors_leave_the_parameters_as_they_were(call, error, message):
    w = cyops.Strided([1.0, 2.0, 3.0])
    with pytest.raises(error, match=message):
        call(w)
    assert w.tolist() == [1.0, 2.0, 3.0]


def test_factors_multiply_parameters_and_gradients_first():
    rng = np.random.default_rng(8)
    for dtype, (name, (_, slots, scalars)) in itertools.product(("float32", "float64"), update.STEPS.items()):
        numbers = dict.fromkeys(scalars, 0.25)
        tensors = [[rng.random(shape).astype(dtype) for shape in ((5,), (33, 17))] for _ in range(2 + slots)]
        fused = [[cyops.Strided(x.copy()) for x in tensor] for tensor in tensors]
        update.step(name, *fused, parameter_factor=[0.75, 1.0], gradient_factor=[0.5, 0.125], **numbers)
        for some, factors in ((0, (0.75, 1.0)), (1, (0.5, 0.125))):
            tensors[some] = [x * np.asarray(f, dtype) for x, f in zip(tensors[some], factors, strict=True)]
        plain = [[cyops.Strided(x.copy()) for x in tensor] for tensor in tensors]
        update.step(name, *plain, **numbers)
        for k in range(2 + slots):
            for ours, theirs in zip(fused[k], plain[k], strict=True):
                assert k == 1 or np.asarray(ours).tobytes() == np.asarray(theirs).tobytes(), name
    w, g = cyops.Strided([2.0, 4.0]), cyops.Strided([1.0, 1.0])
    update.sgd_step(w, g, 1.0, parameter_factor=0.5)
    assert w.tolist() == [0.0, 1.0]
    with pytest.raises(ValueError, match="sgd_step: needs one gradient_factor per parameter; got 2 for 1 parameters"):
        update.sgd_step(w, g, 1.0, gradient_factor=[1.0, 2.0])
