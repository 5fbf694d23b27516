"""`build`: whoever calls it and however often, a layer has its weights once, keeps them, and has all or none."""
import copy
import pickle
import threading
import time

import numpy as np
import pytest

import cytensor as ct
from cytensor import layers, optimizers
from cytensor.models import Model, Sequential

ROOM = [layers.Dense(2), layers.BatchNormalization(), layers.LayerNormalization(), layers.PReLU(),
        layers.Normalization(), layers.Embedding(3, 2), Sequential([layers.Dense(3), layers.Dense(2)])]


def marked(layer):
    """Other weights than a layer starts from, so that it shows where they are lost."""
    layer.set_weights([np.full(weight.shape, 0.5 + i) for i, weight in enumerate(layer.weights)])
    return layer.get_weights()


@pytest.mark.parametrize("layer", [copy.deepcopy(layer) for layer in ROOM], ids=lambda layer: layer.name)
def test_a_layer_built_by_hand_is_not_built_again(layer):
    layer.build((None, 3))
    assert layer.built and layer.build_shape == (None, 3)
    count, weights = len(layer.weights), marked(layer)
    layer(np.ones((2, 3)))
    layer.build((None, 3))
    layer.build([None, 3])
    assert len(layer.weights) == count
    assert all(np.array_equal(now, before) for now, before in zip(layer.get_weights(), weights, strict=True))


def test_dense_with_weights_set_between_build_and_call():
    dense = layers.Dense(1)
    dense.build((None, 2))
    dense.set_weights([[[2.], [3.]], [10.]])
    assert dense([[1., 1.]]).numpy().tolist() == [[15.0]] and len(dense.weights) == 2


class Parent(Model):
    """Builds what is inside itself, in its own `build` and, as Keras's guides have it, with that of its base class."""

    def __init__(self, calls_base):
        super().__init__()
        self.first, self.second, self.calls_base = layers.Dense(3), layers.Dense(1), calls_base

    def build(self, input_shape):
        self.first.build(input_shape)
        self.second.build((None, 3))
        if self.calls_base:
            super().build(input_shape)

    def call(self, x):
        return self.second(self.first(x))


@pytest.mark.parametrize("calls_base", [False, True])
def test_layers_built_by_their_parents_build(calls_base):
    for build_first in (True, False):
        model = Parent(calls_base)
        if build_first:
            model.build((None, 2))
            assert model.built and model.first.built and model.second.built
        else:
            model(np.ones((1, 2)))
        assert [weight.shape for weight in model.weights] == [(2, 3), (3,), (3, 1), (1,)]
        model.set_weights([np.ones(weight.shape) for weight in model.weights])
        assert model(np.ones((1, 2))).numpy().tolist() == [[10.0]]          # 3 * (2 + 1) + 1
        assert len(model.weights) == 4 and [layer.name for layer in model.layers] == ["dense", "dense_1"]


class Wider(layers.Dense):
    """Adds a weight before or behind those of its base class, and may fail between."""
    fails, before = False, True

    def build(self, input_shape):
        if self.before:
            self.extra = self.add_weight((1,), name="extra")
            self.inner = layers.Dense(1)
            self.inner.build((None, 1))
        super().build(input_shape)
        if not self.before:
            self.extra = self.add_weight((1,), name="extra")
        if self.fails:
            raise RuntimeError("no")


@pytest.mark.parametrize("before", [True, False])
def test_a_build_that_calls_that_of_its_base_class_is_one(before):
    layer = Wider(2)
    layer.before = before
    layer.build((None, 3))
    names = [weight.name for weight in layer.own_weights]
    assert names == (["extra", "kernel", "bias"] if before else ["kernel", "bias", "extra"])
    layer.build((None, 3))
    assert len(layer.own_weights) == 3 and layer(np.ones((1, 3))).shape == (1, 2)


def test_a_build_of_a_class_beside_the_layer_counts_too():
    class Mixin:
        def build(self, input_shape):
            super().build(input_shape)
            self.extra = self.add_weight((1,), name="extra")

    class Mixed(Mixin, layers.Dense):
        pass

    layer = Mixed(2)
    layer.build((None, 3))
    layer(np.ones((1, 3)))
    assert layer.built and [weight.name for weight in layer.weights] == ["kernel", "bias", "extra"]


def test_a_build_that_fails_leaves_nothing():
    layer = Wider(2, kernel_regularizer="l2")
    layer.fails = True
    with pytest.raises(RuntimeError, match="no"):
        layer.build((None, 3))
    assert not layer.built and layer.build_shape is None and layer.weights == [] and layer.losses == []
    assert layer.kernel is None and layer.sublayers == []
    layer.fails = False
    layer.build((None, 4))
    assert layer.kernel.shape == (4, 2) and len(layer.own_weights) == 3


def test_a_failure_undoes_what_was_built_on_the_way():
    kept = layers.Dense(2)
    kept.build((None, 3))
    model = Sequential([kept, layers.Dense(5), Wider(2)])
    model.layers[2].fails = True
    with pytest.raises(RuntimeError):
        model.build((None, 3))
    assert [layer.built for layer in (model, *model.layers)] == [False, True, False, False]
    assert model.weights == kept.weights and len(kept.weights) == 2
    model.layers[2].fails = False
    model.build((None, 3))
    assert model.built and model.output_shape == (None, 2)


def test_a_layer_that_fails_to_build_is_not_added():
    model = Sequential([layers.Input((3,)), layers.Dense(2)])
    with pytest.raises(ValueError, match="elements of a sample must stay the same"):
        model.add(layers.Reshape((5,)))
    model.add(layers.Dense(4))
    assert [layer.name for layer in model.layers] == ["dense", "dense_1"] and model.output_shape == (None, 4)


@pytest.mark.parametrize(("shape", "kind", "message"), [
    (None, ValueError, r"Dense: build needs the shape of the input; e.g. layer.build\(\(None, 784\)\)"),
    (784, ValueError, r"Dense: the input must be \(samples, ..., features\), two axes or more; got 1"),
    ((None, 2.5), TypeError, r"build: input_shape must be a sequence of ints; got \(None, 2.5\)"),
    ("ab", TypeError, "build: input_shape must be a sequence of ints; got 'ab'"),
    ((None, -3), ValueError, r"build: lengths must not be negative; got input_shape \(None, -3\)"),
    ((None, None), ValueError, "the last axis of the input must have a known length"),
])
def test_shapes_that_are_none(shape, kind, message):
    dense = layers.Dense(2)
    with pytest.raises(kind, match=message):
        dense.build(shape)
    assert not dense.built and dense.weights == []


def test_shapes_in_every_form():
    for shape in ((None, 3), [None, 3], (32, 3), (np.int64(32), np.int64(3)), np.array([32, 3]).tolist()):
        for give in (lambda layer, shape: layer.build(shape), lambda layer, shape: layer.build(input_shape=shape)):
            dense = layers.Dense(2)
            give(dense, shape)
            assert dense.kernel.shape == (3, 2) and dense.build_shape == (None, 3)
    seen = []

    class Two(layers.Layer):
        def build(self, input_shape):
            seen.append(input_shape)

        def call(self, x):
            return x[0]

    Two()([np.ones((2, 3)), np.ones((2, 4))])
    Two().build([[None, 3], (None, 4)])
    assert seen == [[(None, 3), (None, 4)]] * 2


def test_a_model_without_a_build_is_built_by_a_call_on_zeros():
    class Net(Model):
        calls = 0

        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)

        def call(self, x):
            self.calls += 1
            return self.dense(x)

    net = Net()
    net.build((None, 4))
    assert net.built and net.count_params() == 15 and net.calls == 1
    other = Net()
    other(np.ones((1, 4)))
    assert other.calls == 1 and other.count_params() == 15        # data builds it without a call on zeros
    for shape, message in ((None, "Net: build needs the shape of the input"), ((None, None), "every axis but")):
        with pytest.raises(ValueError, match=message):
            Net().build(shape)


def test_a_layer_that_calls_itself_in_build():
    class Probe(layers.Layer):
        def build(self, input_shape):
            self.factor = self.add_weight((1,), "ones", name="factor")
            self.width = self(np.zeros((1, *input_shape[1:]))).shape[-1]

        def call(self, x):
            return x * self.factor

    probe = Probe()
    probe(np.ones((2, 3)))
    assert probe.width == 3 and len(probe.weights) == 1


def test_copies_of_built_layers_stay_built():
    dense = layers.Dense(2)
    dense.build((None, 3))
    for again in (copy.deepcopy(dense), pickle.loads(pickle.dumps(dense))):
        before = marked(again)
        again(np.ones((1, 3)))
        assert len(again.weights) == 2 and np.array_equal(again.get_weights()[0], before[0])


# -- optimizers -------------------------------------------------------------------------------------------------------
class Heavy(optimizers.Optimizer):
    def build(self, variables):
        super().build(variables)
        self.speeds = self.add_optimizer_variables(variables, "speed")

    def update_step(self, gradient, variable, learning_rate):
        speed = self.speeds[self._get_variable_index(variable)]
        self.assign(speed, 0.9 * speed - learning_rate * gradient)
        self.assign_add(variable, speed)


def test_an_optimizer_built_again_keeps_its_slots():
    for optimizer in (optimizers.Adam(0.1), optimizers.RMSprop(0.1, momentum=0.9), Heavy(0.1)):
        variable = ct.Variable([1.])
        optimizer.build([variable])
        optimizer.apply([ct.ones(1)], [variable])
        slots = [np.array(slot) for slot in optimizer.variables]
        optimizer.build([variable])
        assert len(optimizer.variables) == len(slots), optimizer.name
        assert all(np.array_equal(*pair) for pair in zip(optimizer.variables, slots, strict=True)), optimizer.name


def test_an_optimizer_of_ones_own_steps_some_of_its_variables():
    a, b, c = ct.Variable([1.]), ct.Variable([2.]), ct.Variable([3.])
    optimizer = Heavy(0.5)
    optimizer.apply([ct.ones(1), ct.ones(1)], [a, b])
    optimizer.apply([ct.ones(1)], [b])                  # speed -0.95 behind -0.5
    optimizer.apply([ct.ones(1)], [c])                  # met later: slots of its own
    assert np.allclose([float(a[0]), float(b[0]), float(c[0])], [0.5, 0.55, 2.5])
    assert [float(speed[0]) for speed in optimizer.speeds] == pytest.approx([-0.5, -0.95, -0.5])
    for again in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        again.apply([ct.ones(1)], [again.parameters[1]])          # -0.9 * 0.95 - 0.5
        assert float(again.parameters[1][0]) == pytest.approx(0.55 - 1.355) and len(again.parameters) == 3


def test_threads_that_meet_a_new_model_build_it_once():
    class Slow(layers.Dense):
        builds = 0

        def build(self, input_shape):
            type(self).builds += 1
            time.sleep(0.05)
            super().build(input_shape)

    for make in (lambda: Slow(2), lambda: Sequential([Slow(2), layers.Dense(2)])):
        Slow.builds, layer, start, outputs = 0, make(), threading.Barrier(4), []

        def call(layer=layer, start=start, outputs=outputs):
            start.wait()
            outputs.append(layer(np.ones((1, 3))).numpy())
        workers = [threading.Thread(target=call) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert Slow.builds == 1 and len(outputs) == 4 and all(np.array_equal(outputs[0], other) for other in outputs)
