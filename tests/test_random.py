"""Random numbers: seeds, streams that do not disturb each other, ranges, state that can be saved."""
import random as python_random

import numpy as np
import pytest

from cytensor import random
from cytensor.layers import Dense, Dropout
from cytensor.models import Sequential


def test_seed_makes_everything_the_same():
    def draw():
        random.set_seed(5)
        return [random.uniform((3, 4)), random.normal((5,)), random.randint((9,), 0, 100),
                random.shuffle(np.arange(20)), random.truncated_normal((7,))]

    for a, b in zip(draw(), draw(), strict=True):
        assert np.array_equal(a, b)


def test_global_generators_are_left_alone():
    np.random.seed(1)
    python_random.seed(1)
    before = np.random.get_state()[1].copy(), python_random.getstate()
    random.set_seed(3)
    random.uniform((10,))
    Sequential([Dense(3, input_shape=(4,)), Dropout(0.5)])(np.ones((2, 4)), training=True)
    assert np.array_equal(before[0], np.random.get_state()[1]) and before[1] == python_random.getstate()


def test_adding_a_layer_leaves_the_others_their_weights():
    def kernel(*others):
        random.set_seed(2)
        model = Sequential([Dense(4, input_shape=(3,), name="first"), *others, Dense(2, name="last")])
        return model.get_weights()[0], model.get_weights()[-2]

    plain, more = kernel(), kernel(Dropout(0.5), Dense(4, name="between"))
    assert np.array_equal(plain[0], more[0]) and np.array_equal(plain[1], more[1])


def test_equal_names_get_different_streams():
    random.set_seed(2)
    a, b = Dense(4), Dense(4)
    a.build((None, 3))
    b.build((None, 3))
    assert a.name == b.name and not np.array_equal(a.kernel.numpy(), b.kernel.numpy())


def test_ranges():
    random.set_seed(1)
    u = random.uniform((10000,), minval=2.0, maxval=3.0).numpy()
    assert u.dtype == np.float32 and u.min() >= 2 and u.max() < 3 and abs(u.mean() - 2.5) < 0.02
    n = random.normal((10000,), mean=1.0, stddev=2.0).numpy()
    assert abs(n.mean() - 1) < 0.1 and abs(n.std() - 2) < 0.1
    i = random.uniform((1000,), minval=0, maxval=3, dtype="int32").numpy()
    assert i.dtype == np.int32 and set(i) == {0, 1, 2}
    assert np.abs(random.truncated_normal((10000,)).numpy()).max() <= 2
    assert random.normal((2,), dtype="float64").dtype == np.float64
    rows = random.shuffle(np.arange(12).reshape(6, 2), seed=4).numpy()
    assert sorted(rows[:, 0]) == [0, 2, 4, 6, 8, 10] and (rows[:, 1] == rows[:, 0] + 1).all()
    assert np.array_equal(random.uniform((3,), seed=9), random.uniform((3,), seed=9))


def test_state_can_be_saved():
    random.set_seed(8)
    random.uniform((5,))
    random.stream("a")
    state = random.get_state()
    expected = random.uniform((5,)).numpy(), random.stream("a").random(3)
    random.set_seed(99)
    random.set_state(state)
    assert np.array_equal(expected[0], random.uniform((5,)))
    assert np.array_equal(expected[1], random.stream("a").random(3))


def test_wrong_arguments():
    with pytest.raises(TypeError, match="set_seed: seed must be an int; got 'x'"):
        random.set_seed("x")
    with pytest.raises(ValueError, match="set_seed: seed must not be negative; got -1"):
        random.set_seed(-1)
    with pytest.raises(TypeError, match="uniform: shape must be a sequence of ints; got 'ab'"):
        random.uniform("ab")
    with pytest.raises(ValueError, match=r"normal: lengths must not be negative; got shape \(-1,\)"):
        random.normal((-1,))
    with pytest.raises(ValueError, match="randint: minval must be below maxval; got minval 3, maxval 3"):
        random.randint((2,), 3, 3)
    with pytest.raises(ValueError, match="maxval is required for an integer dtype"):
        random.uniform((2,), dtype="int32")
    with pytest.raises(TypeError, match="normal: dtype must be one of float16, float32, float64; got 'int32'"):
        random.normal((2,), dtype="int32")
    with pytest.raises(ValueError, match="shuffle: value must have at least one axis"):
        random.shuffle(3)
