"""Optimizers and schedules: 20-step traces of Keras, bookkeeping, wrong arguments."""
import copy

import numpy as np
import pytest
from golden import inputs, stored

import cyops
from cytensor import constraints, optimizers
from cytensor.optimizers import schedules
from cytensor.tensor import Variable, asarray


def run(optimizer, steps=inputs.STEPS):
    """The parameters after each step of the golden gradients."""
    variable = Variable(inputs.parameters(), name="w")
    trace = []
    for step in range(steps):
        optimizer.apply_gradients([(asarray(inputs.gradient(step)), variable)])
        trace.append(variable.numpy())
    return np.array(trace)


def made(name, arguments):
    rate = arguments.get("learning_rate")
    if isinstance(rate, list):
        arguments = {**arguments, "learning_rate": getattr(schedules, rate[0])(**rate[1])}
    return getattr(optimizers, name)(**arguments)


def test_traces_equal_keras():
    for name, arguments, expected in stored.cases("optimizers"):
        trace = run(made(name, arguments))
        for step, values in enumerate(expected):
            # one step's rounding (a few operations) adds up with the steps
            assert stored.close(trace[step], values, 16 * (step + 1)), (name, arguments, step)


def test_schedules_equal_keras():
    for name, arguments, expected in stored.cases("schedules"):
        schedule = getattr(schedules, name)(**arguments)
        values = [schedule(step) for step in range(0, 60, 3)]
        assert stored.close(values, expected, 64, 0.1), (name, arguments)


def test_several_parameters_at_once_equal_one_at_a_time():
    for name, arguments, _ in stored.cases("optimizers"):
        if "global_clipnorm" in arguments:
            continue
        shapes = [(3, 4), (5,), (), (2, 1, 2)]
        values = [np.sin(np.arange(np.prod(shape, dtype=int)) + i).astype(np.float32).reshape(shape)
                  for i, shape in enumerate(shapes)]
        together = [Variable(value) for value in values]
        apart = [Variable(value) for value in values]
        one, many = made(name, arguments), [made(name, arguments) for _ in shapes]
        for step in range(6):
            grads = [asarray(np.cos(value + step).astype(np.float32)) for value in values]
            one.apply_gradients(zip(grads, together, strict=True))
            for optimizer, gradient, variable in zip(many, grads, apart, strict=True):
                optimizer.apply_gradients([(gradient, variable)])
        for a, b in zip(together, apart, strict=True):
            assert np.array_equal(a.numpy(), b.numpy()), (name, arguments)


def test_slots_follow_their_variable():
    a, b = Variable(np.ones(3, np.float32)), Variable(np.ones(3, np.float32))
    optimizer = optimizers.SGD(0.1, momentum=0.9)
    g = asarray(np.full(3, 1.0, np.float32))
    optimizer.apply_gradients([(g, a), (g, b)])
    optimizer.apply_gradients([(g, b), (g, a)])
    assert np.array_equal(a.numpy(), b.numpy())
    optimizer.apply_gradients([(g, b)])
    assert not np.array_equal(a.numpy(), b.numpy())
    c = Variable(np.ones(2, np.float32))
    optimizer.apply_gradients([(asarray(np.ones(2, np.float32)), c)])
    assert np.allclose(c.numpy(), 0.9)
    assert [variable.shape for variable in optimizer.variables] == [(), (), (3,), (3,), (2,)]


def test_variables_are_all_of_the_state_and_set_it():
    optimizer, weight = optimizers.Adam(0.5, use_ema=True), Variable(np.ones(2, np.float32))
    gradient = asarray(np.ones(2, np.float32))
    optimizer.apply_gradients([(gradient, weight)])
    iteration, rate, *slots = optimizer.variables
    assert (int(iteration), float(rate), len(slots)) == (1, 0.5, 3)
    iteration.assign_add(4)
    rate.assign(0.25)
    for slot in slots:
        slot[...] = 0.0
    assert optimizer.iterations == 5 and optimizer.learning_rate == 0.25
    assert [float(variable) for variable in optimizer.variables[:2]] == [5, 0.25]
    assert all(np.array_equal(slots[0], np.zeros(2)) for slots in optimizer.slots.values())


def test_slots_have_names_and_the_methods_of_variables():
    optimizer, weight = optimizers.Adam(), Variable(np.ones(2, np.float32), name="kernel")
    optimizer.apply_gradients([(asarray(np.ones(2, np.float32)), weight)])
    assert [variable.name for variable in optimizer.variables] == ["iteration", "learning_rate", "kernel_m", "kernel_v"]
    assert repr(optimizer.variables[2]).startswith("<Variable 'kernel_m' shape=(2,)")
    for variable in optimizer.variables[2:]:
        variable.assign(np.full(2, 7.0))
        variable.assign_add(np.ones(2))
    assert all(slots[0].tolist() == [8.0, 8.0] for slots in optimizer.slots.values())


def test_iterations_and_learning_rate():
    optimizer = optimizers.Adam()
    assert optimizer.learning_rate == 0.001 and optimizer.iterations == 0
    run(optimizer, 3)
    assert optimizer.iterations == 3
    optimizer.learning_rate = 0.5
    assert optimizer.learning_rate == 0.5 and optimizer.get_config()["learning_rate"] == 0.5
    optimizer.learning_rate.assign(0.25)
    assert optimizer.learning_rate == 0.25 and optimizer.learning_rate.numpy() == np.float32(0.25)
    assert type(copy.deepcopy(optimizer.learning_rate)) is float
    optimizer.learning_rate = schedules.PiecewiseConstantDecay([2], [0.1, 0.2])
    assert optimizer.learning_rate == 0.2
    accumulating = optimizers.SGD(gradient_accumulation_steps=4)
    run(accumulating, 9)
    assert accumulating.iterations == 2


def test_configuration_round_trip():
    for name, arguments, _ in stored.cases("optimizers"):
        first = made(name, arguments)
        again = type(first).from_config(first.get_config())
        assert np.array_equal(run(first), run(again)), name


def test_names_classes_and_instances():
    for name, cls in (("sgd", optimizers.SGD), ("SGD", optimizers.SGD), ("rmsprop", optimizers.RMSprop),
                      ("RMSprop", optimizers.RMSprop), ("adam", optimizers.Adam), ("adamw", optimizers.AdamW)):
        assert type(optimizers.get(name)) is cls
    assert type(optimizers.get(optimizers.SGD)) is optimizers.SGD
    mine = optimizers.SGD(0.5)
    assert optimizers.get(mine) is mine


def test_missing_gradients():
    a, b = Variable([1.0], name="a"), Variable([1.0], name="b")
    optimizer = optimizers.SGD(0.5)
    with pytest.warns(UserWarning, match="no gradient for 'b'"):
        optimizer.apply_gradients([(asarray([1.0]), a), (None, b)])
    assert a.numpy() == [0.5] and b.numpy() == [1.0]
    with pytest.raises(ValueError, match="at least one variable must have a gradient; got None for all 2"):
        optimizer.apply_gradients([(None, a), (None, b)])


def test_own_optimizer():
    class SignDescent(optimizers.Optimizer):
        def update_step(self, gradient, variable, learning_rate):
            variable.assign_sub(asarray(np.sign(gradient.numpy())) * learning_rate)

    v = Variable([1.0, 2.0])
    SignDescent(0.25).apply_gradients([(asarray([3.0, -4.0]), v)])
    assert v.numpy().tolist() == [0.75, 2.25]


@pytest.mark.parametrize(("make", "message"), [
    (lambda: optimizers.get("rmsprob"), "optimizer: unknown name 'rmsprob'; known are .*; did you mean 'rmsprop'"),
    (lambda: optimizers.SGD(-1.0), "SGD: learning_rate must be finite and not negative; got -1.0"),
    (lambda: optimizers.SGD(momentum=2.0), "SGD: momentum must be between 0 and 1; got 2.0"),
    (lambda: optimizers.Adam(beta_1=1.0), r"Adam: beta_1 must be in \[0, 1\); got 1.0"),
    (lambda: optimizers.SGD(clipnorm=1.0, clipvalue=1.0), "at most one of clipnorm, clipvalue and global_clipnorm"),
    (lambda: optimizers.SGD(clipnorm=0.0), "SGD: clipnorm must be positive; got 0.0"),
    (lambda: optimizers.SGD(gradient_accumulation_steps=1), "gradient_accumulation_steps must be at least 2; got 1"),
    (lambda: optimizers.SGD().apply([asarray([1.0])], [Variable([1.0, 2.0])]),
     r"sgd: a gradient must have its variable's shape; got \(1,\), 'Variable' \(2,\)"),
    (lambda: optimizers.SGD().apply([asarray([1.0])], []), "one gradient for each variable; got 1 gradients, 0 variab"),
    (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), "decay_steps must be a positive number; got 0"),
    (lambda: schedules.PiecewiseConstantDecay([1, 2], [0.1]), "one value more than boundaries"),
    (lambda: schedules.PiecewiseConstantDecay([3, 2], [0.1, 0.2, 0.3]), "boundaries must ascend"),
])
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_what_is_applied_must_be_pairs_of_gradients_and_variables():
    one = asarray([1.0])
    for wrong, message in (([(one, one)], "sgd: what is changed must be a Variable; got Tensor, its gradient Tensor"),
                           ([(Variable([1.0]), one)], "a Variable; got Tensor, its gradient Variable"),
                           ([one], r"sgd: apply_gradients takes pairs \(gradient, variable\).*; got Tensor"),
                           ([(one, Variable([1.0])), 3], r"sgd: apply_gradients takes pairs .*; got int"),
                           ([([1.0], Variable([1.0], name="w"))], "the gradient of 'w' must be a tensor; got list")):
        with pytest.raises(TypeError, match=message):
            optimizers.SGD().apply_gradients(wrong)


def test_averages_replace_the_weights_that_have_one():
    seen, unseen = Variable([1.0]), Variable([5.0])
    optimizer = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    for _ in range(2):
        optimizer.apply_gradients([(asarray([2.0]), seen)])            # 1, -1, -3; averages -1 and -2
    optimizer.finalize_variable_values([unseen, seen])
    assert (seen.numpy().tolist(), unseen.numpy().tolist()) == ([-2.0], [5.0])


def test_a_schedule_stays():
    """As in Keras, where the rate of an optimizer made with a schedule cannot be set."""
    optimizer = optimizers.SGD(schedules.ExponentialDecay(0.1, 10, 0.5))
    with pytest.raises(TypeError, match="SGD: learning_rate is a schedule and cannot be set to a number; got 0"):
        optimizer.learning_rate = 0.5
    optimizer.learning_rate = schedules.ExponentialDecay(0.2, 10, 0.5)
    assert optimizer.learning_rate == 0.2


def test_steps_of_the_table():
    w = Variable([1.0])
    with pytest.raises(ValueError, match="step: unknown name 'adamm'; known are sgd, "):
        cyops.update.step("adamm", w, w)
    with pytest.raises(ValueError, match="lion takes 1 slots and the scalars learning_rate, beta_1, rest_1, beta_2, "
                                         "rest_2; got 0 slots and no scalars"):
        cyops.update.step("lion", w, w)
    with pytest.raises(ValueError, match="slot 0 must have the shape and dtype of its parameter"):
        cyops.update.step("adagrad", w, asarray([1.0]), asarray([1.0, 2.0]), learning_rate=0.1, epsilon=0.1)
    assert w.numpy() == [1.0]


def test_wrong_types():
    with pytest.raises(TypeError, match="optimizer: expected a name or an Optimizer; got 3"):
        optimizers.get(3)
    with pytest.raises(TypeError, match="optimizer: expected"):
        optimizers.get(lambda: 3)


def test_decay_and_clipping_inside_the_kernel_change_no_bit():
    """A subclass that overrides the rule gets them as passes of their own."""
    class Plain(optimizers.AdamW):
        def update(self, gradients, variables, learning_rate):
            assert not self.factors
            super().update(gradients, variables, learning_rate)

    rng = np.random.default_rng(3)
    values = [rng.normal(size=shape).astype("float32") for shape in ((7, 5), (5,))]
    for options in ({}, {"clipnorm": 0.5}, {"global_clipnorm": 0.5}, {"clipnorm": 100.0}, {"clipvalue": 0.1},
                    {"clipnorm": 0.5, "gradient_accumulation_steps": 2}):
        results = []
        for kind in (optimizers.AdamW, Plain):
            variables = [Variable(value) for value in values]
            optimizer = kind(0.1, weight_decay=0.25, **options)
            optimizer.exclude_from_weight_decay([variables[1]])
            for step in range(4):
                optimizer.apply([asarray(value * (step + 1)) for value in values], variables)
            results.append([variable.numpy().tobytes() for variable in variables])
        assert results[0] == results[1], options


def test_constraints_without_fit():
    for options in ({}, {"use_ema": True, "ema_overwrite_frequency": 1}, {"gradient_accumulation_steps": 2}):
        optimizer = optimizers.SGD(0.5, **options)
        kept = Variable([0.25, 1.0], constraint=constraints.NonNeg())
        free = Variable([0.25, 1.0])
        for _ in range(2):
            optimizer.apply_gradients([(asarray(np.ones(2, np.float32)), variable) for variable in (kept, free)])
        assert (kept.numpy() >= 0).all() and (free.numpy() < 0).any(), options


def test_nadam_goes_on_after_a_resume_with_the_product_of_all_its_momentums():
    whole = run(optimizers.Nadam(0.1), 8)
    variable, first = Variable(inputs.parameters(), name="w"), optimizers.Nadam(0.1)
    for step in range(5):
        first.apply_gradients([(asarray(inputs.gradient(step)), variable)])
    second = optimizers.Nadam(0.1)                 # as loading does: slots and count of calls, nothing else
    second.build([variable])
    for name in second.slot_names:
        second.slots[name][0][...] = first.slots[name][0]
    second.calls = first.calls
    for step in range(5, 8):
        second.apply_gradients([(asarray(inputs.gradient(step)), variable)])
        np.testing.assert_array_equal(variable.numpy(), whole[step])


def test_nadam_equals_its_formula_also_in_the_middle():
    m, v, w, product = 0.0, 0.0, 1.0, 1.0

    def momentum(t):
        return 0.9 * (1 - 0.5 * 0.96 ** t)
    variable, optimizer = Variable(np.array([1.0])), optimizers.Nadam(0.1)
    for t in range(1, 7):
        g = np.cos(t)
        product *= momentum(t)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        mean = momentum(t + 1) * m / (1 - product * momentum(t + 1)) + (1 - momentum(t)) * g / (1 - product)
        w -= 0.1 * mean / (np.sqrt(v / (1 - 0.999 ** t)) + 1e-7)
        if t == 4:                                 # forgotten, as after loading
            fresh = optimizers.Nadam(0.1)
            fresh.build([variable])
            fresh.slots, fresh.calls = optimizer.slots, optimizer.calls
            optimizer = fresh
        optimizer.apply_gradients([(asarray(np.array([g])), variable)])
        np.testing.assert_allclose(variable.numpy(), [w], rtol=1e-12)
