"""Layers: values, weights, building, sublayers, training=, errors that name the layer."""
import copy
import pickle

import numpy as np
import pytest
from golden import inputs, stored

import cyops
import cytensor as ct
from cytensor import activations, layers, ops, random
from cytensor.autodiff.tape import GradientTape
from cytensor.tensor import Variable, asarray


def x_of(*shape):
    return np.sin(np.arange(np.prod(shape, dtype=int))).astype(np.float32).reshape(shape)


# -- activations ------------------------------------------------------------------------------------------------------
def test_activations_equal_keras():
    for name, arguments, expected in stored.cases("activations"):
        x = asarray(inputs.activation_inputs())
        with GradientTape() as tape:
            tape.watch(x)
            values = getattr(activations, name)(x, **arguments)
            total = ops.sum(values * inputs.activation_weights())
        assert stored.close(values, expected["values"], 32), (name, arguments)
        assert stored.close(tape.gradient(total, x), expected["gradient"], 32), (name, arguments)


def test_activations_at_extremes():
    x = asarray(np.array([-1e4, -100.0, 0.0, 100.0, 1e4], np.float32))
    for name in ("elu", "selu", "softplus", "softsign", "silu", "gelu", "sigmoid", "tanh", "softmax"):
        with GradientTape() as tape:
            tape.watch(x)
            total = ops.sum(getattr(activations, name)(x))
        assert np.isfinite(float(total)) and np.isfinite(tape.gradient(total, x).numpy()).all(), name


def test_slopes_at_zero():
    for name, slope in (("softplus", 0.5), ("silu", 0.5), ("gelu", 0.5), ("sigmoid", 0.25), ("tanh", 1.0),
                        ("softsign", 1.0)):
        x = asarray(np.zeros(1, np.float32))
        with GradientTape() as tape:
            tape.watch(x)
            y = getattr(activations, name)(x)
        assert np.isclose(tape.gradient(y, x).numpy(), slope), name


def test_activations_take_lists_and_arrays_as_they_take_tensors():
    values = [[-2.5, -0.25], [0.5, 4.0]]
    arguments = {"relu": {"negative_slope": 0.5, "threshold": 0.25},
                 "threshold": {"threshold": 0.1, "default_value": 7.0}}
    for name in set(activations.__all__) - {"get", "linear"}:
        function, options = getattr(activations, name), arguments.get(name, {})
        expected = function(asarray(values), **options).numpy()
        assert np.array_equal(function(values, **options).numpy(), expected), name
        assert np.array_equal(function(np.array(values, np.float32), **options).numpy(), expected), name


def test_activation_names():
    assert activations.get(None) is activations.linear and activations.get("relu") is activations.relu
    assert activations.get("swish") is activations.silu
    with pytest.raises(ValueError, match=r"activation: unknown name 'rellu'; known are .*; did you mean 'relu'"):
        layers.Dense(3, activation="rellu")


# -- dense ------------------------------------------------------------------------------------------------------------
def test_dense_values():
    for activation, function in ((None, lambda z: z), ("relu", lambda z: np.maximum(z, 0)), ("tanh", np.tanh)):
        for shape in ((5, 3), (2, 5, 3)):
            layer = layers.Dense(4, activation=activation, bias_initializer="ones")
            x = x_of(*shape)
            layer.build((None, 3))
            layer.built = True
            expected = function(x.astype(np.float64) @ layer.kernel.numpy() + 1)
            assert np.allclose(layer(x), expected, atol=1e-6), (activation, shape)
    layer = layers.Dense(2, use_bias=False)
    assert layer(x_of(4, 3)).shape == (4, 2) and layer.bias is None and len(layer.weights) == 1


def test_dense_casts_its_input():
    layer = layers.Dense(2, kernel_initializer="ones")
    for dtype in (np.float64, np.uint8, np.int64, np.float16, bool):
        assert layer(np.ones((1, 3), dtype)).dtype == np.float32
    assert layers.Dense(2, dtype="float64")(np.ones((1, 3))).dtype == np.float64
    assert layer([[1, 2, 3]]).numpy().tolist() == [[6.0, 6.0]]


def test_shaping():
    x = x_of(2, 3, 4)
    assert np.array_equal(layers.Flatten()(x), x.reshape(2, 12))
    assert layers.Flatten()(x_of(5)).shape == (5, 1)
    assert layers.Flatten()(np.zeros((0, 3, 4), np.float32)).shape == (0, 12)
    assert np.array_equal(layers.Reshape((4, -1))(x), x.reshape(2, 4, 3))
    assert layers.Reshape((4, -1)).compute_output_shape((None, 3, 4)) == (None, 4, 3)
    with pytest.raises(ValueError, match=r"elements of a sample must stay the same; got \(3, 4\), target_shape"):
        layers.Reshape((5,))(x)
    # views: nothing is copied
    source = asarray(x)
    assert cyops.shares_memory(layers.Flatten()(source), source)


def test_activation_layers():
    x = x_of(3, 4)
    for layer, expected in ((layers.Activation("relu"), np.maximum(x, 0)),
                            (layers.ReLU(max_value=0.5), np.clip(x, 0, 0.5)),
                            (layers.LeakyReLU(0.1), np.where(x > 0, x, 0.1 * x)),
                            (layers.ELU(), np.where(x > 0, x, np.expm1(x))),
                            (layers.Softmax(), np.exp(x) / np.exp(x).sum(-1, keepdims=True)),
                            (layers.Rescaling(0.5, 1.0), x * 0.5 + 1)):
        assert np.allclose(layer(x), expected, atol=1e-6), layer
        assert layer.compute_output_shape((None, 4)) == (None, 4)


def test_more_shaping():
    x = x_of(2, 3, 4)
    permuted = layers.Permute((2, 1))(x)
    assert np.array_equal(permuted, x.transpose(0, 2, 1)) and not permuted.is_contiguous
    assert layers.Permute((2, 1)).compute_output_shape((None, 3, 4)) == (None, 4, 3)
    repeated = layers.RepeatVector(5)(x[:, 0])
    assert np.array_equal(repeated, np.repeat(x[:, :1], 5, axis=1)) and repeated.strides[1] == 0
    assert np.array_equal(layers.Identity()(x), x)
    for make, message in ((lambda: layers.Permute((1, 3)), "dims must have each of 1 to 2 once"),
                          (lambda: layers.RepeatVector(0), "n must be an integer of at least 1; got 0"),
                          (lambda: layers.RepeatVector(2)(x), "the input must be .samples, features.")):
        with pytest.raises(ValueError, match=message):
            make()


def test_an_unknown_length_stays_unknown_where_it_decides_another():
    for layer, shape, expected in (
            (layers.Flatten(), (None, None, 4), (None, None)),
            (layers.Reshape((2, -1)), (None, None, 4), (None, 2, None)),
            (layers.Reshape((2, 6)), (None, 3, None), (None, 2, 6)),
            (layers.Permute((2, 1)), (None, None, 4), (None, 4, None)),
            (layers.RepeatVector(3), (None, None), (None, 3, None)),
            (layers.Concatenate(axis=1), [(None, None, 4), (None, 3, 4)], (None, None, 4)),
            (layers.CategoryEncoding(5, "one_hot"), (None, None, 1), (None, None, 5)),
            (layers.Embedding(5, 2), (None, None), (None, None, 2)),
            (layers.Dense(7), (None, None, 4), (None, None, 7))):
        assert layer.compute_output_shape(shape) == expected, layer
    assert layers.Reshape((2, -1))(x_of(2, 3, 4)).shape == (2, 2, 6)     # and with data it is known


def test_prelu_and_unit_normalization():
    x = x_of(3, 4, 5)
    layer = layers.PReLU(alpha_initializer="ones", shared_axes=[1])
    assert layer(x).shape == x.shape and layer.alpha.shape == (1, 5) and np.allclose(layer(x), x)
    layer.alpha.assign(np.full((1, 5), 0.25))
    assert np.allclose(layer(x), np.where(x > 0, x, 0.25 * x))
    assert np.allclose(np.linalg.norm(layers.UnitNormalization()(x), axis=-1), 1, atol=1e-6)
    assert not np.asarray(layers.UnitNormalization()(np.zeros((2, 3)))).any()


def test_category_encoding():
    x = np.array([[0, 2, 2], [3, 3, 3]])
    assert np.array_equal(layers.CategoryEncoding(4)(x), [[1, 0, 1, 0], [0, 0, 0, 1]])
    assert np.array_equal(layers.CategoryEncoding(4, "count")(x), [[1, 0, 2, 0], [0, 0, 0, 3]])
    assert np.array_equal(layers.CategoryEncoding(4, "one_hot")(x), np.eye(4)[x])
    assert np.array_equal(layers.CategoryEncoding(4, "one_hot")(x[:, :1]), np.eye(4)[x[:, 0]])
    with pytest.raises(ValueError, match=r"indices must lie in \[0, 3\)"):
        layers.CategoryEncoding(3)(x)


# -- noise ------------------------------------------------------------------------------------------------------------
def test_dropout():
    x = np.ones((100, 100), np.float32)
    layer = layers.Dropout(0.25)
    assert np.array_equal(layer(x), x) and np.array_equal(layer(x, training=False), x)
    y = layer(x, training=True).numpy()
    assert set(np.unique(y)) == {0, np.float32(1 / 0.75)} and abs((y == 0).mean() - 0.25) < 0.02
    assert not np.array_equal(y, layer(x, training=True))
    rows = layers.Dropout(0.5, noise_shape=(None, 1))(x, training=True).numpy()
    assert (rows == rows[:, :1]).all() and 0 < (rows[:, 0] == 0).sum() < 100
    assert np.array_equal(layers.Dropout(0.5, seed=3)(x, training=True), layers.Dropout(0.5, seed=3)(x, training=True))
    assert not np.asarray(layers.Dropout(1.0)(x, training=True)).any()
    with pytest.raises(ValueError, match=r"Dropout: rate must be between 0 and 1; got 1.5"):
        layers.Dropout(1.5)
    with pytest.raises(ValueError, match=r"^Dropout: noise_shape must have one entry for each axis of the input; got "
                                         r"\(None,\) for an input of shape "):
        layers.Dropout(0.5, noise_shape=(None,))(x, training=True)


def test_gaussian_dropout():
    x = np.ones((100, 100), np.float32)
    layer = layers.GaussianDropout(0.2)
    assert np.array_equal(layer(x), x)
    y = layer(x, training=True).numpy()
    assert abs(y.mean() - 1) < 0.02 and abs(y.std() - 0.5) < 0.02


def test_gaussian_noise():
    x = np.zeros((100, 100), np.float32)
    layer = layers.GaussianNoise(2.0)
    assert not np.asarray(layer(x)).any()
    assert abs(layer(x, training=True).numpy().std() - 2) < 0.1


# -- the base class ---------------------------------------------------------------------------------------------------
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
