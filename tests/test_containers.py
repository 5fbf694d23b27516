"""Several inputs at once: what is inside a container becomes a tensor, and the container stays what it is."""
from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import cytensor as ct
from cytensor import layers
from cytensor.models import Model, Sequential

Pair = namedtuple("Pair", ["left", "right"])
A, B = np.arange(4.).reshape(2, 2), np.arange(6).reshape(2, 3)           # float64 and int64


class Seen(Model):
    """Keeps what its `call` was given."""

    def call(self, x, *others, scale=None):
        self.x, self.others, self.scale = x, others, scale
        while not isinstance(x, ct.Tensor):
            x = next(iter(x.values() if isinstance(x, dict) else x))
        return x


def form(x):
    """The structure of x with the dtype at each leaf."""
    if isinstance(x, dict):
        return type(x), {key: form(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        return type(x), [form(item) for item in x]
    return x.dtype.name if type(x) is ct.Tensor else x


@pytest.mark.parametrize(("given", "expected"), [
    ([A, B], (list, ["float32", "int64"])),
    ((A, B), (tuple, ["float32", "int64"])),
    ({"b": A, "a": B}, (dict, {"b": "float32", "a": "int64"})),
    (Pair(A, B), (Pair, ["float32", "int64"])),
    (OrderedDict(b=A, a=B), (OrderedDict, {"b": "float32", "a": "int64"})),
    ([A, (B, {"c": A})], (list, ["float32", (tuple, ["int64", (dict, {"c": "float32"})])])),
    ([A, [1., 2.]], (list, ["float32", "float32"])),
    ({"a": [[1, 2]], "b": 3., "c": None}, (dict, {"a": "int64", "b": 3., "c": None})),
    ((A, None, 2.), (tuple, ["float32", None, 2.])),
    ([ct.asarray(A), B], (list, ["float32", "int64"])),
    ([[1., 2.], [3., 4.]], "float32"),
    ([1, 2], "int64"),
    (((1., 2.),), "float32"),
    ([np.float64(1), np.float64(2)], "float32"),
    (A, "float32"),
])
def test_leaves_become_tensors_and_containers_stay(given, expected):
    model = Seen()
    model(given)
    assert form(model.x) == expected
    assert form(layers.Identity()(given)) == expected


def test_values_arrive_as_they_are():
    model = Seen()
    model([A, B])
    assert np.array_equal(model.x[0], A) and np.array_equal(model.x[1], B)
    model(Pair(A, B))
    assert np.array_equal(model.x.right, B)


def test_what_is_given_beside_the_input():
    model = Seen()
    model(A, B, [A, 3], 2, scale=A)
    assert form(model.others) == (tuple, ["int64", (list, ["float32", 3]), 2]) and form(model.scale) == "float32"
    model(A, [1, 2], "axis", scale=(1, 2))                # lists of numbers here are no tensors
    assert form(model.others) == (tuple, [(list, [1, 2]), "axis"]) and model.scale == (1, 2)


def test_integers_are_cast_where_the_layer_casts_them():
    class Casts(Seen):
        casts_integers = True

    model = Casts(dtype="float64")
    model({"a": A, "b": (B, B)})
    assert form(model.x) == (dict, {"a": "float64", "b": (tuple, ["float64", "float64"])})


def test_shapes_of_containers_reach_build():
    class Sums(layers.Layer):
        def build(self, input_shape):
            self.shape = input_shape

        def call(self, x):
            return x["a"]

    layer = Sums()
    layer({"a": A, "b": [A, B]})
    assert layer.shape == {"a": (None, 2), "b": [(None, 2), (None, 3)]}


def test_one_way_for_every_method():
    class Joins(Model):
        def call(self, x):
            return layers.concatenate([x.left, x.right])

    model = Joins()
    expected = np.concatenate([A, B], axis=1)
    for output in (model(Pair(A, B)), model.predict(Pair(A, B), verbose=0), model.predict_on_batch(Pair(A, B))):
        assert np.array_equal(output, expected)
    model.compile("sgd", "mse")
    loss = model.test_on_batch(Pair(A, B), np.zeros((2, 5)))
    assert loss == pytest.approx(np.square(expected).mean())
    assert model.evaluate(Pair(A, B), np.zeros((2, 5)), verbose=0) == pytest.approx(loss)


def test_merging_layers_in_a_sequential():
    model = Sequential([layers.Add(), layers.Dense(1, kernel_initializer="ones")])
    assert model([A, A]).numpy().tolist() == [[2.0], [10.0]]
    assert layers.add([[1.], [2.]]).numpy().tolist() == [3.0]


@pytest.mark.parametrize("layer", [layers.Dense(2), layers.Flatten(), layers.ReLU(), layers.BatchNormalization(),
                                   layers.Embedding(9, 2), layers.Dropout(0.5), Sequential([layers.Dense(2)])],
                         ids=lambda layer: layer.name)
def test_layers_of_one_tensor_refuse_several(layer):
    for given, kind in (([A, A], "list"), ((A, A), "tuple"), ({"a": A, "b": A}, "dict")):
        with pytest.raises(ValueError, match=f"one tensor is expected; got a {kind} of 2; stack makes one tensor"):
            layer(given)


# -- Normalization.adapt ----------------------------------------------------------------------------------------------
SAMPLES = np.random.default_rng(0).normal(3, 2, (50, 3))
CUTS = (SAMPLES[:20], SAMPLES[20:27], SAMPLES[27:])


class Batches:
    """A sequence of batches without __iter__."""

    def __len__(self):
        return 3

    def __getitem__(self, i):
        if not 0 <= i < 3:
            raise IndexError(i)
        return CUTS[i], np.zeros(len(CUTS[i]))


@pytest.mark.parametrize("data", [
    SAMPLES, SAMPLES.tolist(), list(SAMPLES), ct.asarray(SAMPLES), list(CUTS), CUTS, [ct.asarray(cut) for cut in CUTS],
    (cut for cut in CUTS), ((cut, np.zeros(len(cut))) for cut in CUTS), Batches(), map(np.asarray, CUTS)],
    ids=["array", "lists", "rows", "tensor", "list", "tuple", "tensors", "generator", "pairs", "sequence", "iterator"])
def test_statistics_of_data_in_every_form(data):
    layer = layers.Normalization(dtype="float64")
    layer.adapt(data)
    assert np.allclose(layer.mean, SAMPLES.mean(0), rtol=1e-12) and layer.mean.shape == (1, 3)
    assert np.allclose(layer.variance, SAMPLES.var(0), rtol=1e-12)


def test_data_that_is_none():
    for data, kind, message in ((iter(()), ValueError, "data must have samples; got none"),
                                ([], ValueError, "data must have samples"), (3, TypeError, "an array, or batches"),
                                (["a", "b"], TypeError, "data must be numbers"),
                                ([np.ones((2, 3)), np.ones((2, 4))], ValueError, "must have the same features")):
        with pytest.raises(kind, match=message):
            layers.Normalization().adapt(data)


# -- in training ------------------------------------------------------------------------------------------------------
class Joins(Model):
    """Takes {"pair": (a, b), "more": [c]} of widths 2, 3 and 1."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1, kernel_initializer="ones")

    def call(self, x):
        assert type(x) is dict and type(x["pair"]) is Pair and type(x["more"]) is list
        return self.dense(layers.concatenate([*x["pair"], *x["more"]]))


def test_nested_inputs_in_every_method():
    source = np.random.default_rng(1)
    a, b, c = source.normal(size=(7, 2)), source.integers(0, 9, (7, 3)), source.normal(size=(7, 1))
    x, y = {"pair": Pair(a, b), "more": [c]}, np.zeros((7, 1))
    expected = np.concatenate([a, b, c], axis=1).sum(1, keepdims=True)
    model = Joins()
    model.compile("sgd", "mse")
    assert np.allclose(model.predict(x, batch_size=3, verbose=0), expected, atol=1e-5)
    assert model.evaluate(x, y, batch_size=3, verbose=0) == pytest.approx(np.square(expected).mean(), rel=1e-5)
    assert np.allclose(model.predict_on_batch(x), expected, atol=1e-5)
    first = model.fit(x, y, batch_size=3, verbose=0, validation_split=0.3).history
    assert set(first) == {"loss", "val_loss"} and np.isfinite(first["loss"][0])
    model.train_on_batch(x, y)

    def batches():
        yield x, y
    model.fit(batches(), verbose=0)
    with pytest.raises(ValueError, match=r"same number of samples; got x\['more'\]\[0\] 7, x\['pair'\]\[0\] 7, .* 6"):
        model.fit({"pair": Pair(a, b[:6]), "more": [c]}, y, verbose=0)


def test_tuples_of_numbers_are_one_input():
    model = Sequential([layers.Dense(1, kernel_initializer="ones", input_dim=1)])
    assert model.predict((1., 2.), verbose=0).tolist() == [[1.0], [2.0]]


def test_outputs_keep_their_structure():
    class Splits(Model):
        def call(self, x):
            return Pair(x[:, :1], {"rest": [x[:, 1:]]})

    model = Splits()
    for output in (model.predict(A, batch_size=1, verbose=0), model.predict_on_batch(A)):
        assert type(output) is Pair and np.array_equal(output.left, A[:, :1])
        assert np.array_equal(output.right["rest"][0], A[:, 1:])
