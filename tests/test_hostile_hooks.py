"""Code of the caller's that runs in the middle of a compiled call: what was checked is what is used."""
import collections
import gc

import numpy as np
import pytest

import cyops
import cytensor as ct


class Lying(int):
    """An int whose arithmetic and comparisons say that it is small; its value is what C would use."""

    def __index__(self):
        return self

    def __mul__(self, other):
        return 0

    __rmul__ = __add__ = __radd__ = __sub__ = __rsub__ = __neg__ = __mul__

    def __lt__(self, other):
        return False

    __gt__ = __ge__ = __le__ = __lt__

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0


FAR = Lying(2**40)
X = cyops.Strided(np.arange(12, dtype=np.float32))


@pytest.mark.parametrize("call", [
    lambda: cyops.as_strided(X, (2,), (FAR,)),
    lambda: cyops.as_strided(X, (FAR,), (1,)),
    lambda: cyops.as_strided(X, (2,), (1,), FAR),
    lambda: cyops.as_strided(X, (2,), (1,), Lying(-5)),
    lambda: cyops.sliding_window_view(X, FAR),
    lambda: cyops.sliding_window_view(X, Lying(-3)),
    lambda: cyops.scatter_view(cyops.ones(2), (4,), (2,), (FAR,), 0),
    lambda: cyops.scatter_view(cyops.ones(2), (4,), (2,), (1,), FAR),
    lambda: cyops.reshape(X, (FAR,)),
    lambda: cyops.broadcast_to(X, (FAR, 5)),
    lambda: cyops.sum(X, axis=FAR),
    lambda: X[FAR],
    lambda: cyops.one_hot([0, 1], Lying(-1)),
    lambda: cyops.linspace(0, 1, Lying(-1)),
    lambda: cyops.take(X, [FAR]),
    lambda: cyops.set_num_threads(Lying(-7)),
    lambda: cyops.Storage(Lying(-8)),
], ids=range(17))
def test_an_int_that_lies_about_itself_is_checked_by_its_value(call):
    with pytest.raises((ValueError, IndexError)):
        call()


def test_a_diagonal_beyond_the_matrix_is_empty_whatever_its_offset_says_of_itself():
    matrix = cyops.reshape(X, (3, 4))
    assert cyops.diagonal(matrix, FAR).shape == (0,) and cyops.diagonal(matrix, Lying(-2**62)).shape == (0,)
    assert cyops.diagonal(matrix, Lying(1)).tolist() == [1.0, 6.0, 11.0]


def test_an_axis_that_changes_its_mind_is_asked_once():
    class Changing:
        answers = iter([0, 1])

        def __index__(self):
            return next(self.answers)

    turned = cyops.permute_dims(cyops.ones((1000, 2)), (Changing(), 1))
    assert turned.shape == (1000, 2) and turned.strides == (2, 1)


@pytest.mark.parametrize("cls", [cyops.Strided, ct.Tensor])
@pytest.mark.parametrize("use", [
    lambda x, hook: x[hook:],
    lambda x, hook: x[hook],
    lambda x, hook: x.reshape((hook, -1)),
    lambda x, hook: cyops.reshape(x, (hook,)),
    lambda x, hook: cyops.as_strided(x, (hook,), (1,)),
    lambda x, hook: cyops.sliding_window_view(x, hook),
    lambda x, hook: x.__setitem__(slice(hook, None), 1.0),
    lambda x, hook: cyops.sum(x, axis=hook),
], ids=range(8))
def test_a_blank_tensor_gets_no_data_in_the_middle_of_a_call(cls, use):
    class Filling:
        def __index__(self):
            with pytest.raises(TypeError, match="its data is set once"):
                blank.__init__(np.arange(1e6, dtype=np.float32))
            return 0

    blank = cls.__new__(cls)
    try:
        result = use(blank, Filling())
    except (ValueError, IndexError, AttributeError):
        return
    assert result is None or result.size == 0 or result.tolist() == 0.0


def test_the_data_of_a_subclass_is_what_new_is_given():
    class Named(ct.Tensor):
        def __new__(cls, data, name):
            return super().__new__(cls, data)

        def __init__(self, data, name):
            self.name = name

    named = Named([1.0, 2.0], "w")
    assert named.tolist() == [1.0, 2.0] and named.name == "w"

    class WithoutNew(ct.Tensor):
        def __init__(self, data, one, two):
            super().__init__(data)

    with pytest.raises(TypeError, match="a subclass with other arguments defines __new__"):
        WithoutNew([1.0], 2, 3)


def test_a_step_keeps_the_tensors_of_a_list_that_a_factor_clears():
    parameters, gradients = [ct.ones(1000)], [ct.ones(1000)]
    kept = parameters[0]

    class Clearing:
        def __float__(self):
            parameters.clear()
            gradients.clear()
            return 1.0

    cyops.sgd_step(parameters, gradients, 0.25, parameter_factor=[Clearing()])
    assert parameters == [] and set(kept.tolist()) == {0.75}


def test_a_step_takes_iterators():
    w = ct.ones(2)
    cyops.sgd_step(iter([w]), (g for g in [ct.ones(2)]), 0.5)
    assert w.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("call", [
    lambda: cyops.sgd_step(W, W, 0.1, parameter_factor=["a"]),
    lambda: cyops.sgd_step(W, W, 0.1, gradient_factor=[object()]),
    lambda: cyops.adam_step(W, W, W, ct.ones(3), 0.1, 0.9, 0.99, 1e-7, 1),
    lambda: cyops.update.step("adagrad", W, W, W, learning_rate="a", epsilon=0.1),
    lambda: cyops.concat([W, W, ct.asarray(["a"])]),
    lambda: cyops.take(W, [10**6]),
    lambda: cyops.matmul(W, ct.ones((3, 3))),
    lambda: cyops.softmax_cross_entropy(ct.ones((10**4, 10)), np.full(10**4, 10)),
    lambda: cyops.one_hot(np.full(10**4, 7), 5),
    lambda: W.__setitem__([10**7], 1.0),
    lambda: cyops.sum(W, axis=3),
    lambda: W.__dlpack__(stream=1),
    lambda: memoryview(W).cast("q", [1, 1]),
    lambda: ct.Tensor([[1.0], [1.0, 2.0]]),
], ids=range(14))
def test_what_fails_leaves_no_memory_behind(call):
    def fail():
        with pytest.raises((ValueError, TypeError, IndexError, BufferError)):
            call()

    fail()
    gc.freeze()             # what earlier tests left in cycles is not freed while this one counts
    before, resident = cyops.memory_stats()["in_use"], resident_bytes()
    for _ in range(300):
        fail()
    after = cyops.memory_stats()["in_use"]
    gc.unfreeze()
    assert after == before
    assert resident_bytes() - resident < 4 << 20


W = ct.ones(10**5)


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def holding_itself(kind):
    inner = kind()
    inner.append(inner)
    inner.append(inner)
    return inner


@pytest.mark.parametrize("kind", [list, collections.UserList])
@pytest.mark.parametrize("call", [
    ct.asarray, ct.Variable, ct.constant, lambda x: ct.asarray(x, "int64"), lambda x: ct.add(ct.ones(2), x),
    lambda x: ct.ones(2).__setitem__(0, x), lambda x: ct.ones(2).__setitem__([0], x), lambda x: ct.ones(2) @ x,
    lambda x: ct.where(x, 1, 2), lambda x: ct.full((2,), x), lambda x: ct.stack([x, x]), ct.arange,
    lambda x: ct.linspace(x, 1, 3), lambda x: ct.take([1, 2], x), ct.softmax,
], ids=range(15))
def test_a_list_that_holds_itself_is_an_error(kind, call):
    with pytest.raises((ValueError, TypeError)):
        call(holding_itself(kind))


def test_lists_are_followed_as_deep_as_a_tensor_has_axes():
    nested = 1.0
    for _ in range(16):
        nested = [nested]
    assert ct.asarray(nested).shape == (1,) * 16
    with pytest.raises(ValueError, match="at most 16 axes; got 17"):
        ct.asarray([nested])
    with pytest.raises(ValueError, match="nested 16 deep; this one goes deeper"):
        ct.asarray([[nested]])
    with pytest.raises(ValueError, match="the structure holds itself"):
        ct.nested.flatten(holding_itself(list))


@pytest.mark.parametrize("call", [
    lambda n: ct.one_hot([1], n), lambda n: ct.eye(n), lambda n: ct.eye(2, n), lambda n: ct.linspace(0, 1, n),
    lambda n: ct.arange(n), lambda n: ct.zeros((n, 4)), lambda n: ct.broadcast_to(ct.ones(1), (n, 4)),
    lambda n: ct.random.normal((n, 4)), lambda n: ct.random.uniform((n,)), lambda n: ct.full(n, 1.0),
    lambda n: ct.as_strided(ct.ones(1), (n, 4), (0, 0)), lambda n: ct.reshape(ct.ones(4), (n, 4)),
], ids=range(12))
@pytest.mark.parametrize("length", [2**62, 2**63 - 1, 2**64, 2**70])
def test_sizes_that_overflow_are_value_errors(call, length):
    with pytest.raises(ValueError):
        call(length)
