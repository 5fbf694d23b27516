"""Model and Sequential: building, layers, summary, subclassing, copying."""
import copy
import pickle

import numpy as np
import pytest

import cytensor as ct
from cytensor import layers, models
from cytensor.data import batch_size
from cytensor.models import Model, Sequential


def x_of(*shape):
    return np.sin(np.arange(np.prod(shape, dtype=int))).astype(np.float32).reshape(shape)


class TwoLayers(Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.first = layers.Dense(units, activation="relu")
        self.second = layers.Dense(2)

    def call(self, x):
        return self.second(self.first(x))


def test_eager_and_lazy_building():
    for eager in (Sequential([layers.Input(shape=(4,)), layers.Dense(3), layers.Dense(2)]),
                  Sequential([layers.Dense(3, input_shape=(4,)), layers.Dense(2)]),
                  Sequential([layers.Dense(3, input_dim=4), layers.Dense(2)])):
        assert eager.built and eager.count_params() == 23 and eager.output_shape == (None, 2)
    lazy = Sequential([layers.Dense(3), layers.Dense(2)])
    assert not lazy.built and lazy.weights == [] and lazy.output_shape is None
    assert lazy(x_of(5, 4)).shape == (5, 2)
    assert lazy.built and lazy.build_shape == (None, 4) and lazy.count_params() == 23
    by_hand = Sequential([layers.Dense(3), layers.Dense(2)])
    by_hand.build((None, 4))
    assert by_hand.count_params() == 23


def test_add_and_pop():
    model = Sequential()
    model.add(layers.Input(shape=(4,)))
    assert not model.built
    model.add(layers.Dense(3))
    assert model.built and len(model.weights) == 2
    model.add(layers.Dense(2))
    assert len(model.weights) == 4 and model(x_of(5, 4)).shape == (5, 2)
    removed = model.pop()
    assert removed.units == 2 and model(x_of(5, 4)).shape == (5, 3)
    assert [layer.name for layer in model.layers] == ["dense"]
    later = Sequential()
    later.add(layers.Dense(3, input_shape=(4,)))
    later.add(layers.Dense(2))
    assert len(later.weights) == 4


def test_names():
    stack = [layers.Dense(2), layers.Dropout(0.1), layers.Dense(2), layers.Dense(2, name="head")]
    model = Sequential(stack, name="net")
    assert [layer.name for layer in model.layers] == ["dense", "dropout", "dense_1", "head"] and model.name == "net"
    assert model.get_layer("head") is model.layers[-1] and model.get_layer(index=1) is model.layers[1]
    with pytest.raises(ValueError, match="no layer is called 'tail'; known are dense, dropout, dense_1, head"):
        model.get_layer("tail")
    with pytest.raises(IndexError, match="get_layer: index must be below 4; got 4"):
        model.get_layer(index=4)


def test_wrong_layers():
    dense = layers.Dense(2)
    for make, error, message in (
            (lambda: Sequential([3]), TypeError, "Sequential: only layers can be added; got 3"),
            (lambda: Sequential(dense), TypeError, r"layers must be a list; write Sequential.*; got <Dense "),
            (lambda: Sequential([layers.Dense]), TypeError, "Sequential: only layers can be added"),
            (lambda: Sequential([layers.Flatten(name="a"), layers.Flatten(name="a")]), ValueError, "must differ"),
            (lambda: Sequential([layers.Dense(2), layers.Input((3,))]), ValueError, "an Input must come first"),
            (lambda: Sequential()(x_of(2, 3)), ValueError, "there is no layer yet; add one to 'sequential'"),
            (lambda: Sequential().pop(), ValueError, "pop: there is no layer left"),
            (lambda: Model(inputs=1, outputs=2), TypeError, "inputs must be symbolic tensors"),
            (lambda: Sequential([layers.Dense(2)]).build(), ValueError, "build needs the shape of the input")):
        with pytest.raises(error, match=message):
            make()


def test_nested_and_subclassed():
    nested = Sequential([layers.Input((4,)), Sequential([layers.Dense(3), layers.Dense(2)]), layers.Dense(1)])
    assert nested.count_params() == 15 + 8 + 3 and nested(x_of(5, 4)).shape == (5, 1)
    model = TwoLayers()
    assert model(x_of(5, 4)).shape == (5, 2)
    assert [v.shape for v in model.weights] == [(4, 3), (3,), (3, 2), (2,)]
    assert [layer.name for layer in model.layers] == ["dense", "dense_1"]


def test_errors_name_the_layers():
    model = Sequential([layers.Input((4,)), layers.Dense(3), layers.Dense(2, name="head")])
    with pytest.raises(ValueError, match="dense: ") as caught:
        model(x_of(5, 3))
    assert caught.value.__notes__ == ["in layer 'dense' (Dense), input of shape (5, 3)",
                                      "in layer 'sequential' (Sequential), input of shape (5, 3)"]


def test_copy_and_pickle():
    for model in (Sequential([layers.Dense(3), layers.Dropout(0.5), layers.Dense(2)]), TwoLayers()):
        x = x_of(5, 4)
        model(x)
        model.compile("adam", "mse")
        model.fit(x, x_of(5, 2), verbose=0)
        expected = model(x).numpy()
        for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            assert np.array_equal(again(x), expected)
            again.fit(x, x_of(5, 2), verbose=0)
            assert again.optimizer.iterations == 2
        assert np.array_equal(model(x), expected)


def test_integers_reach_the_model():
    model = Sequential([layers.Flatten(), layers.Rescaling(1 / 255), layers.Dense(2)])
    images = (np.arange(2 * 28 * 28) % 256).astype(np.uint8).reshape(2, 28, 28)
    assert model(images).dtype == np.float32
    assert np.allclose(model.predict(images), model(images.astype(np.float32)), atol=1e-6)


def test_load_model_is_offered():
    assert callable(models.load_model)


def test_predict_computes_many_samples_at_once_where_nobody_can_tell():
    sizes = []

    class Seen(layers.Layer):
        def call(self, x):
            sizes.append(x.shape[0])
            return x

    def centred(x):
        sizes.append(x.shape[0])
        return x - ct.mean(x, axis=0)

    x = np.random.default_rng(0).random((1000, 5), np.float32)
    model = Sequential([layers.Dense(4, activation="tanh"), layers.Dense(3)])
    for rows in (1, 31, 32, 33, 1000):
        expected = np.concatenate([model(part).numpy() for part in np.array_split(x[:rows], -(-rows // 32))])
        assert np.allclose(model.predict(x[:rows], verbose=0), expected, rtol=1e-6, atol=1e-6)
    for own in (Seen(), layers.Activation(centred), layers.Dense(2, activation=centred)):
        observed = Sequential([layers.Dense(4), own])
        observed(x[:1])
        sizes.clear()
        observed.predict(x, verbose=0)
        assert sizes == [32] * 31 + [8]
    counted = []
    model.predict(x, verbose=0, callbacks=[ct.callbacks.LambdaCallback(
        on_predict_batch_end=lambda batch, logs: counted.append(len(logs["outputs"])))])
    assert counted == [32] * 31 + [8]


def test_batches_computed_together_stay_small():
    model = Sequential([layers.Dense(4)])
    model(np.ones((1, 5), np.float32))
    of = batch_size.batches_together
    assert of(model, ct.zeros((100, 5))) == 4
    assert of(model, ct.zeros((1, 5))) == 1
    wide = ct.broadcast_to(ct.zeros(1), (1 << 20, 1 << 12))
    assert of(model, wide) == 16 and of(model, ct.broadcast_to(ct.zeros(1), (100, 1 << 22))) == 1


def test_input_shape_of_built_sequentials():
    lazy = Sequential([layers.Dense(2)])
    assert lazy.input_shape is None
    lazy(np.zeros((3, 4), np.float32))
    eager = Sequential([layers.Input((4,)), layers.Dense(2)])
    nested = Sequential([eager, layers.Dense(1)])
    for model in (lazy, eager, nested):
        assert model.input_shape == (None, 4)
