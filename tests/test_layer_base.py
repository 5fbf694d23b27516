"""The base class of layers: own layers, sublayers, weights, training=, configurations, errors that name the layer."""
import copy
import pickle

import numpy as np
import pytest

import cytensor as ct
from cytensor import layers, ops, random
from cytensor.tensor import Variable


def x_of(*shape):
    return np.sin(np.arange(np.prod(shape, dtype=int))).astype(np.float32).reshape(shape)


class Linear(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="random_normal", name="w")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", trainable=False, name="b")

    def call(self, x):
        return ops.matmul(x, self.w) + self.b


class Block(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = [Linear(4), {"last": Linear(2)}]
        self.drop = layers.Dropout(0.5)
        self.scale = Variable(2.0, name="scale")

    def call(self, x):
        x = self.drop(self.parts[0](x))
        return self.parts[1]["last"](x) * self.scale


def test_own_layer():
    layer = Linear(3)
    assert layer.weights == [] and not layer.built
    x = x_of(5, 2)
    assert np.allclose(layer(x), x @ layer.w.numpy(), atol=1e-6)
    assert [v.name for v in layer.weights] == ["w", "b"] and [v.name for v in layer.trainable_weights] == ["w"]
    assert [v.name for v in layer.non_trainable_variables] == ["b"]
    assert layer.count_params() == 9
    assert repr(layer) == "<Linear name=linear, built=True>"


def test_sublayers_in_attributes_lists_and_dictionaries():
    block = Block()
    block(x_of(5, 2))
    assert [layer.name for layer in block.sublayers] == ["linear", "linear_1", "dropout"]
    assert len(block.weights) == 5 and len(block.trainable_weights) == 3
    assert sum(v is block.scale for v in block.weights) == 1
    block.trainable = False
    assert block.trainable_weights == [] and block.parts[0].trainable is False
    assert len(block.non_trainable_weights) == 5
    block.extra = block.parts[0]                       # shared: counted once
    assert len(block.weights) == 5


@pytest.mark.parametrize("name", ["_by_name", "_numbers", "_names", "_metrics", "_loss", "_layers", "_inner"])
def test_no_name_of_an_attribute_hides_what_it_holds(name):
    """Those by which another class keeps its books among them."""
    class Own(layers.Layer):
        def __init__(self):
            super().__init__()
            setattr(self, name, {"first": layers.Dense(2), "more": [Variable([1.0, 2.0])]})

        def call(self, x):
            held = getattr(self, name)
            return held["first"](x) + held["more"][0]

    layer = Own()
    layer([[1.0, 1.0]])
    assert [weight.shape for weight in layer.trainable_weights] == [(2,), (2, 2), (2,)]
    assert len(layer.sublayers) == 1


def test_training_reaches_every_layer():
    class Seen(layers.Layer):
        def call(self, x, training=None):
            self.seen = training
            return x

    class Outer(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = Seen()

        def call(self, x):
            return self.inner(x)

    outer = Outer()
    for training in (True, False, None):
        outer(x_of(2, 2), training=training)
        assert outer.inner.seen is training
    with pytest.raises(ZeroDivisionError):
        class_of_failure = type("Fails", (layers.Layer,), {"call": lambda self, x, training=None: 1 / 0})
        class_of_failure()(x_of(2, 2), training=True)
    outer(x_of(2, 2))
    assert outer.inner.seen is None


def test_training_without_a_default():
    class Strict(layers.Layer):
        def call(self, x, training):
            self.seen = training
            return x

    layer = Strict()
    for training in (None, True):
        layer(x_of(2, 2), training=training)
        assert layer.seen is training


def test_get_and_set_weights():
    layer = layers.Dense(3)
    layer(x_of(2, 4))
    kernel, bias = layer.get_weights()
    kernel[:] = 7                                       # copies
    assert not (layer.kernel.numpy() == 7).any()
    layer.set_weights([kernel, bias + 1])
    assert (layer.kernel.numpy() == 7).all() and (layer.bias.numpy() == 1).all()
    with pytest.raises(ValueError, match=r"set_weights: shapes must be equal; layer 'dense', weight 'bias' is \(3,\), "
                                         r"got \(4,\)"):
        layer.set_weights([kernel * 0, np.zeros(4)])
    assert (layer.kernel.numpy() == 7).all()            # all or none
    with pytest.raises(ValueError, match="one array for each weight; layer 'dense' has 2, got 1"):
        layer.set_weights([kernel])
    with pytest.raises(ValueError, match="call the layer on data first"):
        layers.Dense(3).set_weights([kernel])


def test_errors_name_the_layer_and_its_input():
    layer = layers.Dense(3, name="head")
    layer(x_of(2, 4))
    with pytest.raises(ValueError, match="dense") as caught:
        layer(x_of(2, 5))
    assert caught.value.__notes__ == ["in layer 'head' (Dense), input of shape (2, 5)"]


def built_dense(features):
    layer = layers.Dense(2)
    layer(x_of(1, features))
    return layer


def test_wrong_arguments():
    for make, error, message in (
            (lambda: layers.Dense(0), ValueError, "Dense: units must be an integer of at least 1; got 0"),
            (lambda: layers.Dense(2.5), ValueError, "Dense: units must be an integer of at least 1; got 2.5"),
            (lambda: layers.Dense(3, foo=1), TypeError, "Dense: unknown argument 'foo'"),
            (lambda: layers.Dense(3, name=3), TypeError, "Dense: name must be a string; got 3"),
            (lambda: layers.Dense(3, name="a/b"), ValueError, "Dense: name must be a string without '/'; got 'a/b'"),
            (lambda: layers.Input(), ValueError, r"Input: shape must be given, without the batch axis"),
            (lambda: layers.Dense(3)(layers.InputLayer(shape=(3,))), TypeError, "got the layer 'input_layer'; layers "),
            (lambda: layers.Dense(3)(3.0), ValueError, "the input must be .samples, ..., features., two axes"),
            (lambda: built_dense(4)(x_of(4)), ValueError, "two axes or more; got 1; n samples of one feature are"),
            (lambda: type("L", (layers.Layer,), {"call": lambda self, x: None})()(x_of(2)), TypeError,
             "L: call must return a tensor; got None"),
            (lambda: layers.Flatten().set_weights(3), TypeError, "a list of arrays is expected; got int"),
            (lambda: layers.Layer()(x_of(2)), NotImplementedError, "Layer: a layer must define call"),
            (lambda: layers.Dense(3).count_params(), ValueError, "count_params: the layer must be built"),
            (lambda: layers.Dense(3, input_shape="ab"), TypeError, "Dense: input_shape must be a sequence of ints")):
        with pytest.raises(error, match=message):
            make()


def test_initializer_of_a_wrong_shape():
    layer = layers.Dense(3, kernel_initializer=lambda shape, dtype=None: np.zeros((1, 1), dtype))
    with pytest.raises(ValueError, match=r"layer 'dense', weight 'kernel' is \(4, 3\), got \(1, 1\)"):
        layer(x_of(2, 4))


def test_regularizers_and_constraints():
    layer = layers.Dense(3, kernel_regularizer="l2", bias_regularizer="L1", bias_initializer="ones",
                         kernel_constraint="non_neg")
    layer(x_of(2, 4))
    penalties = [float(loss) for loss in layer.losses]
    assert np.allclose(penalties, [0.01 * (layer.kernel.numpy() ** 2).sum(), 0.03], rtol=1e-5)
    assert layer.bias.constraint is None and (layer.kernel.constraint(layer.kernel).numpy() >= 0).all()
    for again in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert (again.kernel.constraint(again.kernel).numpy() >= 0).all()


def test_configuration_round_trip():
    for layer in (layers.Dense(3, "relu", kernel_initializer="he_normal", kernel_regularizer="l2", name="mine"),
                  layers.Flatten(), layers.Reshape((2, 2)), layers.Dropout(0.3, seed=1), layers.Activation("tanh"),
                  layers.Rescaling(1 / 255), layers.LeakyReLU(0.1), layers.InputLayer((3,))):
        again = type(layer).from_config(layer.get_config())
        assert type(again) is type(layer) and again.get_config() == layer.get_config()
    assert layers.Dense(3, name="mine").get_config()["name"] == "mine"


def test_copy_and_pickle():
    layer = layers.Dense(3, "relu")
    x = x_of(2, 4)
    expected = layer(x).numpy()
    for again in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert np.array_equal(again(x), expected)
        again.kernel.assign(again.kernel * 0)
    assert np.array_equal(layer(x), expected)


def test_forgetting_super_init():
    class Careless(layers.Layer):
        def __init__(self):
            self.inner = layers.Dense(2)

        def call(self, x):
            return self.inner(x)

    random.set_seed(1)
    assert Careless()(x_of(3, 4)).shape == (3, 2)


def test_add_weight_takes_names():
    class Scale(layers.Layer):
        def build(self, input_shape):
            self.factor = self.add_weight((input_shape[-1],), "ones", regularizer="l2", constraint="non_neg", name="f")

        def call(self, x):
            return x * self.factor

    layer = Scale()
    layer(x_of(2, 4))
    assert abs(float(layer.losses[0]) - 0.04) < 1e-8                # l2 is 0.01 by default
    with pytest.raises(ValueError, match="regularizer: unknown name 'l3'"):
        layer.add_weight((2,), regularizer="l3")


def test_softmax_over_several_axes(tmp_path):
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    expected = np.exp(x.astype(np.float64))
    expected /= expected.sum(axis=(1, 2), keepdims=True)
    for axis in ((1, 2), [2, 1], (-1, -2)):
        model = ct.Sequential([layers.Input((3, 4)), layers.Softmax(axis=axis)])
        model.save(tmp_path / "m.safetensors")
        again = ct.load_model(tmp_path / "m.safetensors")
        for call in (model, again, layers.Softmax(axis=axis), lambda x, axis=tuple(axis): ct.nn.softmax(x, axis=axis),
                     lambda x, axis=tuple(axis): ct.activations.softmax(ct.asarray(x), axis=axis),
                     lambda x, axis=tuple(axis): ct.exp(ct.nn.log_softmax(ct.asarray(x), axis=axis))):
            assert np.allclose(call(x).numpy(), expected, rtol=1e-6, atol=1e-8)
