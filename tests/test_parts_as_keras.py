"""Arguments and small parts that Keras users reach for: here and in Keras, against values that NumPy computes."""
import io
import os
import re

import numpy as np
import pytest

import cytensor as ct

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")      # Keras's own
RNG = np.random.default_rng(5)
PROBABILITIES = RNG.dirichlet(np.ones(4), 6).astype(np.float32)
LABELS, WEIGHTS = np.array([0, 1, 3, 2, 1, 3]), RNG.random(6).astype(np.float32)


def ours():
    return ct, ct.asarray


def theirs():
    os.environ.setdefault("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras", reason="Keras is not installed")
    return keras, keras.ops.convert_to_tensor


sides = pytest.mark.parametrize("side", [ours, theirs], ids=["here", "Keras"])


# -- layers -----------------------------------------------------------------------------------------------------------
@sides
def test_flatten_of_channels_first(side):
    library, _ = side()
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    assert np.array_equal(library.layers.Flatten(data_format="channels_first")(x), x.transpose(0, 2, 1).reshape(2, 12))
    images = np.arange(48, dtype=np.float32).reshape(2, 3, 2, 4)
    flat = library.layers.Flatten(data_format="channels_first")(images)
    assert np.array_equal(flat, images.transpose(0, 2, 3, 1).reshape(2, 24))
    assert np.array_equal(library.layers.Flatten("channels_last")(x), x.reshape(2, 12))
    assert np.array_equal(library.layers.Flatten("channels_first")(x[:, :, 0]), x[:, :, 0])


@sides
def test_category_encoding_with_weights(side):
    library, _ = side()
    layer = library.layers.CategoryEncoding(4, "count")
    found = layer(np.array([[0, 3, 3], [1, 1, 0]]), count_weights=np.array([[1.0, 2.0, 0.5], [1.0, 1.0, 3.0]]))
    assert np.array_equal(found, [[1, 0, 0, 2.5], [3, 2, 0, 0]])


@sides
def test_input_with_a_batch_size(side):
    library, _ = side()
    layers = library.layers
    for made in (layers.Input((3,), 8), layers.Input(batch_shape=(8, 3)), layers.Input(shape=(3,), batch_size=8)):
        model = library.Sequential([made, layers.Dense(2)])
        assert [weight.shape for weight in model.weights] == [(3, 2), (2,)]
        assert np.asarray(model(np.ones((8, 3), np.float32))).shape == (8, 2)
    assert layers.InputLayer((3,), 8).batch_shape == (8, 3)
    with pytest.raises(ValueError, match="batch_shape"):
        layers.Input((3,), batch_shape=(8, 3))


@sides
def test_activity_regularizer(side):
    """One step of training and the loss before it, against the sums written out."""
    library, _ = side()
    layers, x = library.layers, RNG.standard_normal((10, 3)).astype(np.float32)
    kernel, y = RNG.standard_normal((3, 2)).astype(np.float32), np.zeros((10, 2), np.float32)
    dense = layers.Dense(2, use_bias=False, activity_regularizer=library.regularizers.L1L2(0.3, 0.1))
    model = library.Sequential([layers.Input((3,)), dense])
    model.set_weights([kernel])
    model.compile(library.optimizers.SGD(0.1), "mse")
    z = x.astype(np.float64) @ kernel
    expected = np.mean(z ** 2) + (0.3 * np.abs(z).sum() + 0.1 * (z ** 2).sum()) / 10
    assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-6)
    model.fit(x, y, batch_size=10, verbose=0)
    gradient = x.T @ (2 * z / 20 + (0.3 * np.sign(z) + 0.2 * z) / 10)
    assert np.allclose(model.get_weights()[0], kernel - 0.1 * gradient, rtol=1e-5, atol=1e-6)


def test_activity_regularizers_are_saved_and_checked(tmp_path):
    model = ct.Sequential([ct.layers.Input((3,)), ct.layers.Dropout(0.5, activity_regularizer="l2")])
    model.save(tmp_path / "m.safetensors")
    assert ct.models.load_model(tmp_path / "m.safetensors").layers[0].activity_regularizer.l2 == 0.01
    model(np.ones((4, 3)))
    assert float(model.losses[0]) == pytest.approx(0.03)
    with pytest.raises(ValueError, match="regularizer: unknown name 'l3'"):
        ct.layers.Dense(2, activity_regularizer="l3")


def test_layers_say_why_not():
    for make, message in (
            (lambda: ct.layers.Flatten("channels"), "data_format: unknown name 'channels'; known are channels_first"),
            (lambda: ct.layers.CategoryEncoding(3, sparse=True), "sparse must be False, for there are no sparse tens"),
            (lambda: ct.layers.CategoryEncoding(3)([[1]], count_weights=[[1.0]]), "go with output_mode 'count'"),
            (lambda: ct.layers.CategoryEncoding(3, "count")([[1]], count_weights=[1.0]), "shape of the integers"),
            (lambda: ct.layers.Input((3,), 8, batch_shape=(8, 3)), "give either batch_shape or shape and batch_size"),
            (lambda: ct.layers.Input((3,), 0), "batch_size must be an integer of at least 1; got 0")):
        with pytest.raises((ValueError, TypeError), match=message):
            make()


# -- metrics, regularizers, initializers ------------------------------------------------------------------------------
@sides
def test_crossentropy_that_ignores_a_class(side):
    library, _ = side()
    values = np.where(LABELS == 1, 0, -np.log(PROBABILITIES[np.arange(6), LABELS].astype(float)))
    metric = library.metrics.SparseCategoricalCrossentropy(ignore_class=1)
    metric.update_state(LABELS, PROBABILITIES)
    assert float(metric.result()) == pytest.approx(values.mean(), rel=1e-6)
    metric.reset_state()
    metric.update_state(LABELS, PROBABILITIES, sample_weight=WEIGHTS)
    weights = WEIGHTS * (LABELS != 1)
    assert float(metric.result()) == pytest.approx((values * weights).sum() / weights.sum(), rel=1e-6)


@sides
def test_top_k_of_sorted_classes(side):
    library, _ = side()
    ranked = np.argsort(-PROBABILITIES, axis=1)
    for k in (1, 2, 4):
        metric = library.metrics.SparseTopKCategoricalAccuracy(k, from_sorted_ids=True)
        metric.update_state(LABELS, ranked)
        expected = (ranked[:, :k] == LABELS[:, None]).any(1)
        assert float(metric.result()) == pytest.approx(expected.mean())
        function = library.metrics.sparse_top_k_categorical_accuracy
        assert np.array_equal(function(LABELS, ranked, k, from_sorted_ids=True), expected)


@sides
def test_orthogonal_regularizer(side):
    library, tensor = side()
    matrix = RNG.standard_normal((5, 3)).astype(np.float32)
    matrix[1] = 0
    for mode, vectors in (("rows", matrix.astype(float)), ("columns", matrix.T.astype(float))):
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors = vectors / np.where(lengths, lengths, 1)
        pairs = [abs(vectors[i] @ vectors[j]) for i in range(len(vectors)) for j in range(i)]
        regularizer = library.regularizers.OrthogonalRegularizer(0.1, mode)
        assert float(regularizer(tensor(matrix))) == pytest.approx(0.1 * np.mean(pairs), rel=1e-5)


@sides
def test_fans_by_axes(side):
    library, _ = side()
    values = np.asarray(library.initializers.GlorotUniform(1, input_axes=[0], output_axes=[1, 2])((2, 30, 40)))
    limit = np.sqrt(6 / (2 + 30 * 40))
    assert 0.99 * limit < np.abs(values).max() <= limit
    scaled = library.initializers.VarianceScaling(2.0, "fan_out", "uniform", 1, [1, 2], [0])
    limit = np.sqrt(3 * 2 / 2)
    assert 0.99 * limit < np.abs(np.asarray(scaled((2, 30, 40)))).max() <= limit


def test_fans_say_what_is_wrong():
    with pytest.raises(ValueError, match="HeNormal: input_axes and output_axes must be given together; got 0 and None"):
        ct.initializers.HeNormal(input_axes=0)
    with pytest.raises(ValueError, match=r"must be axes of the weight; got \(2,\) and \(0,\), shape \(2, 3\)"):
        ct.initializers.HeNormal(input_axes=2, output_axes=0)((2, 3))


# -- optimizers -------------------------------------------------------------------------------------------------------
def own_optimizer(library):
    class Heavy(library.optimizers.Optimizer):
        """Momentum, and the largest gradient so far, as a Keras user would write them."""

        def __init__(self, learning_rate=0.1, decay=0.9, name="heavy", **options):
            super().__init__(learning_rate=learning_rate, name=name, **options)
            self.decay = decay

        def build(self, variables):
            if self.built:
                return
            super().build(variables)
            self.speeds, self.peaks = self.add_optimizer_variables(variables, ["speed", "peak"], ["zeros", "ones"])
            self.steps = [self.add_variable_from_reference(variable, "step") for variable in variables]

        def update_step(self, gradient, variable, learning_rate):
            place = self._get_variable_index(variable)
            speed, peak = self.speeds[place], self.peaks[place]
            self.assign(peak, library.ops.maximum(peak, library.ops.abs(gradient)))
            self.assign(speed, self.decay * speed - learning_rate * gradient / peak)
            self.assign_add(variable, speed)
            self.steps[place].assign_add(0 * gradient + 1)

    return Heavy


@sides
def test_an_optimizer_of_ones_own(side):
    library, tensor = side()
    first, second = library.Variable(np.array([1.0, -2.0], np.float32)), library.Variable(np.float32([[3.0]]))
    optimizer = own_optimizer(library)(0.5)
    expected, speed, peak = np.array([1.0, -2.0, 3.0]), np.zeros(3), np.ones(3)
    for step in range(4):
        gradient = np.array([0.5, 2.0 + step, -0.1])
        done = optimizer.apply_gradients([(tensor(np.float32(gradient[:2])), first),
                                          (tensor(np.float32([[gradient[2]]])), second)])
        assert int(done) == step + 1
        peak = np.maximum(peak, np.abs(gradient))
        speed = 0.9 * speed - 0.5 * gradient / peak
        expected = expected + speed
    found = [*np.asarray(first), float(np.asarray(second).item())]
    assert np.allclose(found, expected, rtol=1e-5)
    assert np.array_equal(optimizer.steps[0], [4, 4])


def test_an_optimizer_of_ones_own_is_saved_with_its_state(tmp_path):
    cls = ct.saving.register_serializable("tests.parts")(own_optimizer(ct))
    model = ct.Sequential([ct.layers.Input((3,)), ct.layers.Dense(2)])
    model.compile(cls(), "mse")
    x, y = np.ones((4, 3), np.float32), np.ones((4, 2), np.float32)
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "m.safetensors")
    loaded = ct.models.load_model(tmp_path / "m.safetensors")
    assert [np.array_equal(a, b) for a, b in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True)
            ] == [True] * 8
    for one in (model, loaded):
        one.fit(x, y, verbose=0)
    assert all(map(np.array_equal, model.get_weights(), loaded.get_weights()))
    with pytest.raises(ValueError, match=r"heavy: a variable must be known before .* call super\(\).build"):
        cls().add_variable_from_reference(ct.Variable([1.0], name="w"))


# -- files, bars ------------------------------------------------------------------------------------------------------
@sides
@pytest.mark.filterwarnings("ignore")
def test_weights_that_fit(side, tmp_path):
    library, _ = side()
    layers = library.layers
    path = str(tmp_path / "m.weights.h5")
    models = [library.Sequential([layers.Input((3,)), layers.Dense(4, name="body"), layers.Dense(width, name="head")])
              for width in (2, 5)]
    models[0].save_weights(path)
    head = models[1].layers[1].get_weights()
    models[1].load_weights(path, skip_mismatch=True)
    assert all(map(np.array_equal, models[0].layers[0].get_weights(), models[1].layers[0].get_weights()))
    assert all(map(np.array_equal, head, models[1].layers[1].get_weights()))


def test_weights_that_fit_not_are_named(tmp_path):
    layers = ct.layers
    models = [ct.Sequential([layers.Input((3,)), layers.Dense(4, name="body"), layers.Dense(2, name=name)])
              for name in ("head", "tail")]
    models[0].save_weights(tmp_path / "w.safetensors")
    with pytest.warns(UserWarning, match=r"skipped head/bias, head/kernel, tail/bias, tail/kernel") as caught:
        models[1].load_weights(tmp_path / "w.safetensors", skip_mismatch=True)
    assert caught[0].filename == __file__


def values_shown(library, monkeypatch, **options):
    """The values that a bar shows at its end, after 2 of 4 steps, and how steps are called."""
    shown = []
    for upto, finalize in ((2, False), (4, None)):
        stream = io.StringIO()
        monkeypatch.setattr("sys.stdout", stream)
        bar = library.utils.Progbar(4, interval=0, unit_name="sample", **options)
        for loss in range(upto):
            bar.add(1, values=[("loss", float(loss)), ("best", 9.0 - loss)])
        if finalize is not None:
            bar.update(upto, values=[("loss", 8.0)], finalize=finalize)
        text = re.sub(r"\x1b\[[0-9;]*m|\x08", "", stream.getvalue()).replace("\n", "\r").strip("\r ").split("\r")[-1]
        assert f"{upto}/4" in text and "/sample" in text
        shown.append(re.findall(r"- (\w+): ([0-9.e+-]+)", text))
    monkeypatch.undo()
    return shown


@sides
@pytest.mark.parametrize(("options", "halfway"), [
    ({}, [("loss", "3.0000"), ("best", "8.5000")]),                                # (0 + 1 + 8) / 3, (9 + 8) / 2
    ({"stateful_metrics": ["best"]}, [("loss", "3.0000"), ("best", "8.0000")]),
    ({"stateless_metrics": ["best"]}, [("loss", "8.0000"), ("best", "8.5000")]),
])
def test_bar_of_ones_own(side, options, halfway, monkeypatch):
    library, _ = side()
    middle, end = values_shown(library, monkeypatch, **options)
    assert middle == halfway and end == [("loss", "3.0000"), ("best", "6.0000")]


def test_bar_of_one_line_and_its_errors(capsys):
    bar = ct.utils.Progbar(2, verbose=2)
    bar.update(1, [("loss", 1.0)])
    assert capsys.readouterr().out == ""
    bar.update(2, [("loss", 0.5)])
    assert re.fullmatch(r"2/2 - 0s - \d+(us|ms)/step - loss: 0.5000\n", capsys.readouterr().out)
    ct.utils.Progbar(2, verbose=0).add(1)
    assert capsys.readouterr().out == ""
    with pytest.raises(ValueError, match="Progbar: give either stateful_metrics or stateless_metrics"):
        ct.utils.Progbar(2, stateful_metrics=[], stateless_metrics=[])
    ct.utils.clear_session()
