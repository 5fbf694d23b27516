"""What is set on a layer after it was made: used, saved, or refused."""
import numpy as np
import pytest

import cytensor as ct
from cytensor import activations, constraints, initializers, layers, regularizers
from cytensor.models import Sequential, load_model

X = np.array([[1., -2., 3.], [-1., 0.5, 2.]], np.float32)


def stack(*given):
    model = Sequential([layers.Input((3,)), *given])
    model.compile("sgd", "mse")
    return model


def saved(model, tmp_path):
    model.save(tmp_path / "m.safetensors")
    return load_model(tmp_path / "m.safetensors")


def test_an_activation_set_to_none(tmp_path):
    dense = layers.Dense(2, activation="relu", kernel_initializer=ct.initializers.Constant(-1.0))
    model = stack(dense)
    dense.activation = None
    expected = [[-2.0, -2.0], [-1.5, -1.5]]
    assert np.allclose(model(X), expected, atol=1e-6) and dense.activation is activations.linear
    again = saved(model, tmp_path)
    assert np.array_equal(again(X), model(X)) and again.layers[0].get_config()["activation"] is None


@pytest.mark.parametrize(("layer", "name", "value"), [
    (layers.Dense(3, "relu"), "activation", "tanh"), (layers.Dense(3, "relu"), "activation", activations.sigmoid),
    (layers.Activation("relu"), "activation", "tanh"), (layers.ReLU(), "max_value", 0.5),
    (layers.ReLU(), "negative_slope", 0.25), (layers.ReLU(), "threshold", 1.0),
    (layers.LeakyReLU(), "negative_slope", 0.5),
    (layers.ELU(), "alpha", 0.5), (layers.Rescaling(1.0), "scale", 0.5), (layers.Rescaling(1.0), "offset", 2.0),
    (layers.LayerNormalization(), "epsilon", 0.5), (layers.BatchNormalization(), "epsilon", 2.0),
], ids=lambda value: getattr(value, "name", getattr(value, "__name__", str(value))))
def test_settings_work_and_are_saved(layer, name, value, tmp_path):
    model = stack(layer)
    before = model(X).numpy()
    setattr(layer, name, value)
    after = model(X).numpy()
    assert not np.allclose(before, after)
    again = saved(model, tmp_path)
    assert np.array_equal(again(X), after) and layers.Layer.get_config(layer)[name] == value


def test_rates_of_noise(tmp_path):
    dropout = layers.Dropout(0.0)
    model = stack(dropout)
    dropout.rate = 1.0
    assert not model(X, training=True).numpy().any()
    assert saved(model, tmp_path).layers[0].rate == 1.0


@pytest.mark.parametrize(("layer", "name", "value", "kind", "message"), [
    (layers.Dense(2), "activation", 3, TypeError, "Dense: activation must be a name or a function; got 3"),
    (layers.Dense(2), "activation", "rellu", ValueError, "unknown name 'rellu'.*did you mean 'relu'"),
    (layers.Dropout(0.5), "rate", 5, ValueError, "Dropout: rate must be between 0 and 1; got 5"),
    (layers.Dropout(0.5), "rate", None, TypeError, "Dropout: rate must be between 0 and 1; got None"),
    (layers.BatchNormalization(), "momentum", "x", TypeError, "momentum must be between 0 and 1; got 'x'"),
    (layers.Dense(2), "name", "a/b", ValueError, "Dense: name must be a string without '/'; got 'a/b'"),
    (layers.Dense(2), "kernel_regularizer", 0.1, TypeError, "kernel_regularizer must be a name, a Regularizer"),
    (layers.Dense(2), "dtype", "float31", TypeError, "dtype"),
], ids=str)
def test_settings_are_checked(layer, name, value, kind, message):
    before = getattr(layer, name)
    with pytest.raises(kind, match=message):
        setattr(layer, name, value)
    assert getattr(layer, name) is before


@pytest.mark.parametrize(("layer", "name", "value"), [
    (layers.Dense(2), "units", 5), (layers.Dense(2), "use_bias", False),
    (layers.Dense(2), "kernel_initializer", "ones"), (layers.Dense(2), "dtype", "float64"),
    (layers.BatchNormalization(), "axis", 1),
    (layers.LayerNormalization(), "center", False), (layers.PReLU(), "shared_axes", 1),
], ids=lambda value: getattr(value, "name", getattr(value, "__name__", str(value))))
def test_what_makes_the_weights_is_set_before(layer, name, value):
    setattr(layer, name, value)
    assert layer.get_config()[name] == value
    layer(X)
    with pytest.raises(ValueError, match=f"{name} must be set before the layer is built, for its weights depend on it"):
        setattr(layer, name, value)
    assert len(layer.weights) == len({weight.name for weight in layer.weights})


def test_units_and_dtype_set_before_building():
    dense = layers.Dense(2)
    dense.units, dense.dtype, dense.use_bias = 4, "float64", False
    assert dense(X).shape == (2, 4) and dense(X).dtype == np.float64 and len(dense.weights) == 1


def test_regularizers_and_constraints_set_after_building(tmp_path):
    dense = layers.Dense(2)
    model = stack(dense)
    assert model.losses == []
    dense.kernel_regularizer = "l2"
    dense.kernel_regularizer = regularizers.L2(0.5)                 # in the place of the other
    assert [float(loss) for loss in model.losses] == pytest.approx([0.5 * np.square(dense.kernel.numpy()).sum()])
    dense.bias_constraint = "non_neg"
    dense.bias.assign([-1., 1.])
    model.train_on_batch(X, np.zeros((2, 2)))
    assert (dense.bias.numpy() >= 0).all() and isinstance(dense.bias.constraint, constraints.NonNeg)
    again = saved(model, tmp_path).layers[0]
    assert again.kernel_regularizer.l2 == 0.5 and isinstance(again.bias.constraint, constraints.NonNeg)
    dense.kernel_regularizer = dense.bias_constraint = None
    assert model.losses == [] and dense.bias.constraint is None


def test_names_and_frozen_layers_are_saved(tmp_path):
    model = stack(layers.Dense(2), layers.Dense(2))
    model.layers[0].trainable = False
    model.layers[1].name = "head"
    again = saved(model, tmp_path)
    assert [layer.trainable for layer in again.layers] == [False, True]
    assert [layer.name for layer in again.layers] == ["dense", "head"] and again.get_layer("head").built
    assert len(again.trainable_weights) == 2 and np.array_equal(again(X), model(X))


def test_an_activity_regularizer_set_later():
    dense = layers.Dense(2, kernel_initializer="ones")
    dense.activity_regularizer = "l1"
    dense(X)
    assert float(dense.losses[0]) == pytest.approx(0.01 * np.abs(X.sum(1)).sum() * 2 / 2)
    dense.activity_regularizer = None
    dense(X)
    assert dense.losses == []


# -- other things that listings do ------------------------------------------------------------------------------------
def test_weights_of_integers_and_bools():
    layer = layers.Layer()
    for dtype, shape in (("int32", (2, 3)), ("int64", ()), ("bool", (2, 2)), ("uint8", (3,))):
        weight = layer.add_weight(shape, dtype=dtype)
        assert weight.dtype == dtype and weight.shape == shape and not weight.numpy().any() and not weight.trainable
    with pytest.raises(ValueError, match=r"add_weight of layer 'layer', weight 'k': lengths must be known; got \(None"):
        layer.add_weight((None, 2), name="k")


def test_the_base_constraint_changes_nothing():
    w = ct.Variable([[-1., 2.]])
    assert np.array_equal(constraints.Constraint()(w), w)
    dense = layers.Dense(2, kernel_constraint=constraints.Constraint())
    model = stack(dense)
    model.train_on_batch(X, np.zeros((2, 2)))
    assert type(saved_constraint(dense)) is constraints.Constraint


def saved_constraint(layer):
    return ct.models.clone_model(Sequential([layers.Input((3,)), layer])).layers[0].kernel.constraint


def test_prelu_shared_along_one_axis():
    layer = layers.PReLU(shared_axes=1)
    layer(np.ones((2, 3, 4)))
    assert layer.alpha.shape == (1, 4) and layer.get_config()["shared_axes"] == 1


@pytest.mark.parametrize("first", [layers.Dense(1, input_dim=1), layers.Dense(1, input_shape=[1]),
                                   layers.Normalization(input_shape=(1,), axis=None)], ids=["dim", "shape", "normal"])
def test_one_feature_without_an_axis_of_its_own(first):
    x, y = np.arange(10, dtype=np.float32) / 10, 2 * np.arange(10, dtype=np.float32)
    if isinstance(first, layers.Normalization):
        first.adapt(x)
        assert float(first.mean) == pytest.approx(0.45)
    model = Sequential([first, layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, y, epochs=2, verbose=0, validation_data=(x, y))
    column = x[:, None]
    assert np.array_equal(model.predict(x, verbose=0), model.predict(column, verbose=0))
    assert model.evaluate(x, y, verbose=0) == model.evaluate(column, y[:, None], verbose=0)
    assert np.array_equal(model(x), model(column)) and model(x).shape == (10, 1)
    assert model.predict([0.5], verbose=0).shape == (1, 1) and model.predict_on_batch(x).shape == (10, 1)
    assert first(x).shape == (10, 1)


def test_a_trailing_axis_of_one():
    model = stack(layers.Dense(2))
    assert np.array_equal(model(X[..., None]), model(X))
    with pytest.raises(ValueError, match="dense"):
        model(np.ones((2,)))


def test_reprs_say_what_was_given():
    for made, text in ((regularizers.L2(0.1), "<L2 l2=0.1>"), (regularizers.L2(), "<L2>"),
                       (constraints.MaxNorm(3, axis=(0, 1)), "<MaxNorm max_value=3, axis=(0, 1)>"),
                       (ct.initializers.RandomNormal(stddev=0.1, seed=3), "<RandomNormal stddev=0.1, seed=3>"),
                       (ct.initializers.Zeros(), "<Zeros>"), (layers.Dense(3), "<Dense name=dense, built=False>")):
        assert repr(made) == text


NUMBERS = [
    lambda given: layers.Normalization(mean=given, variance=[1.0, 1.0]), initializers.Constant,
    lambda given: ct.metrics.AUC(thresholds=given), lambda given: ct.metrics.Recall(thresholds=given),
    lambda given: ct.optimizers.schedules.PiecewiseConstantDecay([3], given),
    lambda given: ct.losses.CategoricalFocalCrossentropy(alpha=given),
]
AXES = [
    lambda given: layers.Dropout(0.5, noise_shape=given), lambda given: layers.LayerNormalization(axis=given),
    lambda given: layers.Softmax(axis=given), lambda given: layers.UnitNormalization(axis=given),
    lambda given: layers.PReLU(shared_axes=given), lambda given: layers.Reshape(given),
    lambda given: layers.Permute(given), lambda given: layers.Normalization(axis=given),
    lambda given: constraints.UnitNorm(axis=given), lambda given: constraints.MaxNorm(axis=given),
    lambda given: constraints.MinMaxNorm(axis=given),
]


@pytest.mark.parametrize(("make", "given"), [(make, [1, 2]) for make in AXES] + [(make, [0, 1]) for make in NUMBERS]
                         + [(make, np.array([0, 1])) for make in NUMBERS])
def test_a_list_given_to_a_constructor_may_be_changed_afterwards(make, given):
    made = make(given)
    text, attributes = str(made.get_config()), str(vars(made))
    given[0] = 7
    assert str(made.get_config()) == text and str(vars(made)) == attributes


def test_what_is_set_on_a_layer_may_be_changed_afterwards():
    layer, given = layers.Dropout(0.5), [1, 3]
    layer.noise_shape = given
    given[0] = 7
    assert list(layer.noise_shape) == [1, 3] and list(layer.get_config()["noise_shape"]) == [1, 3]


def test_statistics_given_as_an_array_stay_what_they_were():
    mean = np.array([1.0, 2.0])
    layer = layers.Normalization(mean=mean, variance=[1.0, 4.0])
    mean[:] = 50.0
    assert layer([[2.0, 4.0]]).tolist() == [[1.0, 1.0]]


def test_an_argument_that_holds_itself_is_refused():
    class Keeps(layers.Layer):
        def __init__(self, parts):
            super().__init__()

    parts = []
    parts.append(parts)
    with pytest.raises(ValueError, match="Keeps: a list or dictionary among the arguments must not hold itself"):
        Keeps(parts)
