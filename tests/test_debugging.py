"""check_numerics names layer, op, direction and samples; gradcheck sees a wrong gradient."""
import numpy as np
import pytest

import cytensor as ct
from cytensor import layers, losses, optimizers
from cytensor.models import Sequential
from cytensor.training import numerics


def model_with(*more):
    model = Sequential([layers.Dense(4, "relu"), *more, layers.Dense(2, name="head")])
    model.compile(optimizers.SGD(0.1), losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


X, Y = np.ones((8, 3), np.float32), np.zeros(8, int)


def test_forward():
    class Overflow(layers.Layer):
        def call(self, x):
            return ct.log(ct.exp(x * 1000.0) + 1.0)

    x = X.copy()
    x[[2, 5]] = -1
    model = Sequential([layers.Rescaling(1.0), Overflow(), layers.Dense(2)])
    model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.raises(FloatingPointError, match=r"check_numerics: forward, layer 'overflow' \(Overflow\), op exp: "
                                                 r"18 of 24 values are not finite, in samples \[0, 1, 3, 4, 6, 7\]; "
                                                 r"its input lies in \[-1, 1\]") as caught:
        model.fit(x, Y, verbose=0, check_numerics=True, shuffle=False)
    assert caught.value.__notes__[-1] == "in fit: epoch 1, batch 1"
    with numerics.check_numerics(), pytest.raises(FloatingPointError):
        model(x)
    assert not np.isfinite(model(x)).all()                     # off again


def test_bad_data_and_bad_weights():
    x = X.copy()
    x[3, 1] = np.nan
    with pytest.raises(FloatingPointError, match=r"layer 'dense' .*in samples .3.; its input has 1 values that"):
        model_with().fit(x, Y, verbose=0, check_numerics=True, shuffle=False)
    model = model_with()
    model(X)
    model.layers[1].bias.assign([np.inf, 0])
    with pytest.raises(FloatingPointError, match=r"layer 'head' .*its weights bias are not finite already"):
        model.fit(X, Y, verbose=0, check_numerics=True)


def test_loss_and_backward():
    model = Sequential([layers.Dense(1, kernel_initializer="zeros", input_shape=(3,))])
    model.compile("sgd", lambda y, p: ct.log(p[:, 0]))
    with pytest.raises(FloatingPointError, match=r"loss '<lambda>': 8 of 8 values .*; the predictions lie in \[0, 0"):
        model.fit(X, Y, verbose=0, check_numerics=True)
    model.compile("sgd", lambda y, p: ct.sqrt(p[:, 0]))
    with pytest.raises(FloatingPointError, match=r"backward, loss '<lambda>', op sqrt, gradient of its input \(8,\): "
                                                 r"8 of 8 values are not finite, in samples \[0, 1, 2, .*\]; "
                                                 r"the gradient that reached the op is, its input lies in \[0, 0\]"):
        model.fit(X, Y, verbose=0, check_numerics=True)
    assert all(np.isfinite(value).all() for value in model.get_weights())      # stopped before the update


def test_backward_names_the_layer_and_op_that_made_it():
    class Root(layers.Layer):
        def call(self, x):
            return ct.sqrt(x) + 0.0 * x             # a second way, which stays finite

    x = X.copy()
    x[:, 0] = [1, 1, 0, 1, 1, 0, 1, 1]
    x[:, 1:] = 0
    model = Sequential([layers.Dense(1, kernel_initializer="ones", name="first"), Root(name="root"), layers.Dense(2)])
    model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))
    message = (r"backward, layer 'root' \(Root\), op sqrt, gradient of its input \(8, 1\): 2 of 8 values are not "
               r"finite, in samples \[2, 5\]; the gradient that reached the op is, its input lies in \[0, 1\]")
    with pytest.raises(FloatingPointError, match=message) as caught:
        model.fit(x, Y, verbose=0, check_numerics=True, shuffle=False)
    assert caught.value.__notes__[-1] == "in fit: epoch 1, batch 1"


def test_zeros_that_find_out_a_shape_are_no_fault():
    """`compute_output_shape` calls a layer of one's own on zeros while the model is built."""
    class Log(layers.Layer):
        def call(self, x):
            return ct.log(x)

    model = Sequential([Log(), layers.Dense(2)])
    model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))
    assert np.isfinite(model.fit(X, Y, verbose=0, check_numerics=True).history["loss"][0])


def test_a_loop_of_ones_own():
    model = model_with()
    v = ct.Variable([0.0, 4.0], name="v")
    with numerics.check_numerics():
        with ct.GradientTape() as tape:
            loss = ct.reduce_sum(model(X)) + ct.reduce_sum(ct.sqrt(v))
        with pytest.raises(FloatingPointError, match=r"^check_numerics: backward, outside of layers, op sqrt, gradient "
                                                     r"of its input \(2,\): 1 of 2 values are not finite; the gradient "
                                                     r"that reached the op is, its input lies in \[0, 4\]$"):
            tape.gradient(loss, [v, *model.trainable_weights])
        with ct.GradientTape() as tape:
            loss = ct.reduce_mean(ct.log(v))
        with pytest.raises(FloatingPointError, match=r"^check_numerics: forward, op log: 1 of 2 values are not finite, "
                                                     r"in samples \[0\]$"):
            tape.gradient(loss, v)
        with ct.GradientTape() as tape:
            loss = ct.reduce_mean(model(X) ** 2)
        assert tape.gradient(loss, model.trainable_weights)[0].shape == (3, 4)
    with ct.GradientTape() as tape:
        loss = ct.reduce_mean(ct.log(v))
    assert np.isinf(tape.gradient(loss, v)).tolist() == [True, False]       # off again


def test_an_op_before_a_layer_is_not_the_layers():
    """The layer's input is not on the tape: nothing but the layer's own records says where it begins."""
    v, layer = ct.Variable([0.0, 4.0]), layers.Dense(2)
    with numerics.check_numerics():
        with ct.GradientTape() as tape:
            loss = ct.reduce_sum(ct.sqrt(v)) + ct.reduce_sum(layer(X))
        with pytest.raises(FloatingPointError, match=r"^check_numerics: backward, outside of layers, op sqrt, "):
            tape.gradient(loss, v)


def test_a_persistent_tape_names_the_layer_every_time():
    class Root(layers.Layer):
        def build(self, input_shape):
            self.factor = self.add_weight((2,), "zeros", name="factor")

        def call(self, x):
            return x * ct.sqrt(self.factor)

    dense, root = layers.Dense(2), Root()
    with numerics.check_numerics(), ct.GradientTape(persistent=True) as tape:
        inner = ct.reduce_sum(dense(X))
        loss = ct.reduce_sum(root(ct.ones((1, 2))))
        with tape.stop_recording():
            tape.gradient(inner, dense.trainable_weights)
            with pytest.raises(FloatingPointError, match=r"backward, layer 'root' \(Root\), op sqrt, gradient of 'fac"):
                tape.gradient(loss, root.trainable_weights)


def test_a_tape_that_was_reset_forgets_the_layers():
    v, layer = ct.Variable([0.0, 4.0]), layers.Dense(2)
    with numerics.check_numerics():
        with ct.GradientTape() as tape:
            layer(X)
            tape.reset()
            loss = ct.reduce_sum(ct.sqrt(v))
        with pytest.raises(FloatingPointError, match=r"^check_numerics: backward, outside of layers, op sqrt, "):
            tape.gradient(loss, v)


def test_finite_training_is_unchanged():
    weights = []
    for check in (False, True):
        ct.set_seed(1)
        model = model_with(layers.Dropout(0.5))
        model.fit(X, Y, epochs=3, verbose=0, check_numerics=check)
        weights.append(model.get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))


def test_gradcheck():
    source = np.random.default_rng(0)
    x, k = source.standard_normal((4, 3)), source.standard_normal((3, 2))
    assert numerics.gradcheck(lambda x, k: ct.softmax(ct.tanh(x) @ k), [x, k])
    assert numerics.gradcheck(lambda x: ct.sum(x * x), x)
    with pytest.raises(AssertionError, match="the tape's derivative must equal the difference quotient"):
        numerics.gradcheck(lambda x: x * ct.stop_gradient(x), x)
    with pytest.raises(TypeError, match="gradcheck: function must be a function of tensors; got 3"):
        numerics.gradcheck(3, x)
