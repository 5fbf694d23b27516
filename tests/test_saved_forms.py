"""What files hold in unusual forms: weights without axes or elements, and the names that the first versions wrote."""
import json

import numpy as np
import pytest
from small_models import Interrupt, Interrupted

from cytensor import layers, metrics, random, registry, saving
from cytensor.callbacks import BackupAndRestore
from cytensor.models import Sequential, load_model
from cytensor.saving.models import read_file, write_file


# -- shapes -----------------------------------------------------------------------------------------------------------
@saving.register_serializable("forms")
class Shapes(layers.Layer):
    """Weights of shape (), (1,), (1, 1) and (0, 3), of which the last is never trained."""

    def build(self, input_shape):
        self.scale = self.add_weight((), "ones", name="scale")
        self.offset = self.add_weight((1,), name="offset")
        self.square = self.add_weight((1, 1), "ones", name="square")
        self.none = self.add_weight((0, 3), trainable=False, name="none")

    def call(self, x):
        return (x * self.scale + self.offset) * self.square


def compiled():
    model = Sequential([layers.Input((2,)), Shapes(), layers.Dense(1)])
    model.compile("adam", "mse")
    return model


X, Y = np.random.default_rng(0).standard_normal((8, 2)).astype(np.float32), np.ones((8, 1), np.float32)


def state_of(model):
    return [(value.shape, value.dtype, np.asarray(value).tobytes())
            for value in (*model.get_weights(), *map(np.asarray, model.optimizer.variables))]


def test_weights_without_axes_or_elements_are_loaded(tmp_path):
    model = compiled()
    model.fit(X, Y, epochs=2, verbose=0)
    model.save(tmp_path / "m.safetensors")
    again = load_model(tmp_path / "m.safetensors")
    assert [weight.shape for weight in again.weights][:4] == [(), (1,), (1, 1), (0, 3)]
    assert state_of(again) == state_of(model)
    model.save_weights(tmp_path / "w.safetensors")
    other = compiled()
    other.load_weights(tmp_path / "w.safetensors")
    assert all(np.array_equal(*pair) for pair in zip(other.get_weights(), model.get_weights(), strict=True))
    assert read_file(tmp_path / "w.safetensors")[0]["weights/shapes/scale"].shape == ()


def test_interrupted_training_of_a_weight_without_axes_goes_on(tmp_path):
    whole, model = compiled(), compiled()
    model.set_weights(whole.get_weights())
    start = whole.get_weights()
    backup = BackupAndRestore(tmp_path, save_freq=1)
    whole.fit(X, Y, epochs=3, batch_size=4, shuffle=False, verbose=0)
    with pytest.raises(Interrupted):
        model.fit(X, Y, epochs=3, batch_size=4, shuffle=False, verbose=0, callbacks=[backup, Interrupt(3)])
    again = compiled()
    again.set_weights(start)
    again.fit(X, Y, epochs=3, batch_size=4, shuffle=False, verbose=0, callbacks=[backup, Interrupt(10**9)])
    assert state_of(again) == state_of(whole)


def test_files_that_wrote_no_axes_as_one_are_loaded(tmp_path):
    model = compiled()
    model.fit(X, Y, verbose=0)
    path = tmp_path / "m.safetensors"
    model.save(path)
    tensors, metadata = read_file(path)
    former = {name: value.reshape(1) if value.shape == () else value for name, value in tensors.items()}
    assert sum(value.shape == () for value in tensors.values()) == 3              # the weight and two slots
    write_file(path, former, metadata)
    assert state_of(load_model(path)) == state_of(model)
    wrong = {name: value.reshape(1) if value.shape == (1, 1) else value for name, value in tensors.items()}
    write_file(path, wrong, metadata)
    with pytest.raises(ValueError, match=r"weight 'shapes/square' is \(1, 1\), .* has \(1,\)"):
        load_model(path)


# -- names ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("name", "expected"), [
    ("Dense", "dense"), ("BatchNormalization", "batch_normalization"), ("PReLU", "p_re_lu"), ("ReLU", "re_lu"),
    ("LeakyReLU", "leaky_re_lu"), ("ELU", "elu"), ("RMSNorm", "rms_norm"), ("MyMLPBlock", "my_mlp_block"),
    ("GRUCell", "gru_cell"), ("Conv2D", "conv2d"), ("Conv2DTranspose", "conv2d_transpose"), ("LSTM", "lstm"),
    ("MyLayer2", "my_layer2"), ("Block1D", "block1d"), ("HTMLParser", "html_parser"), ("A", "a"), ("MLP", "mlp"),
    ("SparseTopKCategoricalAccuracy", "sparse_top_k_categorical_accuracy"), ("R2Score", "r2_score"),
    ("KLDivergence", "kl_divergence"), ("my_layer", "my_layer"), ("<lambda>", "lambda"), ("ResNet50V2", "res_net50v2"),
])
def test_names_are_keras_s(name, expected):
    """By hand from Keras's rule: an underscore before a capital with small letters behind it, and after a small one."""
    assert registry.snake_case(name) == expected


def test_lists_of_what_is_known():
    for kind, listed in (("metrics", "top_k_categorical_accuracy"), ("metrics", "sparse_top_k_categorical_accuracy"),
                         ("metrics", "fbeta_score"), ("metrics", "kl_divergence"), ("optimizers", "rmsprop"),
                         ("optimizers", "adamw"), ("regularizers", "l1_l2"), ("losses", "kl_divergence")):
        with pytest.raises(ValueError, match=rf"known are (.*, )?{listed}[,;]"):
            registry.lookup(kind, "no such name")
        assert registry.lookup(kind, listed) is not None


def test_layers_and_metrics_are_named_by_keras_s_rule():
    model = Sequential([layers.PReLU(), layers.PReLU(), layers.LeakyReLU()])
    assert [layer.name for layer in model.layers] == ["p_re_lu", "p_re_lu_1", "leaky_re_lu"]
    assert metrics.TopKCategoricalAccuracy().name == "top_k_categorical_accuracy"
    assert metrics.FBetaScore().name == "fbeta_score" and metrics.KLDivergence().name == "kl_divergence"


@saving.register_serializable("forms")
class MyMLPBlock(layers.Layer):
    def __init__(self):
        super().__init__()
        self.dense, self.slope, self.noise = layers.Dense(3), layers.PReLU(), layers.Dropout(0.5)

    def call(self, x):
        return self.noise(self.slope(self.dense(x)))


def blocks():
    model = Sequential([layers.Input((2,)), MyMLPBlock(), MyMLPBlock(), layers.PReLU(name="last"), layers.PReLU()])
    model.compile("adam", "mse")
    return model


FORMER = {"my_mlp_block": "my_mlpblock", "p_re_lu": "pre_lu"}           # as the first versions had it


def as_first_written(text):
    for now, then in FORMER.items():
        text = text.replace(now, then)
    return text


def write_as_first(path):
    """Write a file again with the names that the first versions gave."""
    tensors, metadata = read_file(path)
    renamed = {as_first_written(name): value for name, value in tensors.items()}
    assert any("my_mlpblock_1/pre_lu/alpha" in name for name in renamed) and "weights/pre_lu/alpha" in renamed
    document = as_first_written(metadata["document"]) if "document" in metadata else None
    write_file(path, renamed, {**metadata, **({"document": document} if document else {})})


def test_models_that_the_first_versions_wrote_are_loaded(tmp_path):
    path, y = tmp_path / "m.safetensors", np.ones((8, 3), np.float32)
    model = blocks()
    model.fit(X, y, epochs=2, verbose=0)
    model.save(path)
    assert "my_mlp_block/dropout" in json.loads(read_file(path)[1]["document"])["noise"]
    write_as_first(path)
    again = load_model(path)
    assert state_of(again) == state_of(model) and again.layers[0].name == "my_mlp_block"
    for other in (model, again):
        other.fit(X, y, shuffle=False, verbose=0)                     # dropout goes on where it was
    assert state_of(again) == state_of(model)


def test_weights_that_the_first_versions_wrote_are_loaded(tmp_path):
    path, model, other = tmp_path / "w.safetensors", blocks(), blocks()
    model.set_weights([np.full(weight.shape, i + 1.0) for i, weight in enumerate(model.weights)])
    model.save_weights(path)
    write_as_first(path)
    other.load_weights(path)
    assert all(np.array_equal(*pair) for pair in zip(other.get_weights(), model.get_weights(), strict=True))


def test_checkpoints_that_the_first_versions_wrote_go_on(tmp_path):
    y = np.ones((8, 3), np.float32)
    path = tmp_path / "latest.safetensors"
    start = blocks().get_weights()
    results = []
    for first_form in (False, True):
        path.unlink(missing_ok=True)
        random.set_seed(1)
        model, again = blocks(), blocks()
        model.set_weights(start)
        model.fit(X, y, epochs=1, shuffle=False, verbose=0, resume=path)
        if first_form:
            write_as_first(path)
        again.fit(X, y, epochs=2, shuffle=False, verbose=0, resume=path)
        results.append(state_of(again))
        assert again.optimizer.calls == 2
    assert results[0] == results[1]


def test_a_file_of_another_model_is_still_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    blocks().save_weights(path)
    write_as_first(path)
    other = Sequential([layers.Input((2,)), MyMLPBlock(), layers.PReLU(name="last"), layers.PReLU()])
    with pytest.raises(ValueError, match="must have the weights of the model; missing none, surplus my_mlpblock_1"):
        other.load_weights(path)


def test_models_that_share_a_layer_are_saved_each_with_its_own_names(tmp_path):
    """The second model calls the shared layers dense and dropout, the first dense_1 and dropout_1."""
    first = Sequential([layers.Input((2,)), layers.Dense(3), layers.Dropout(0.5), layers.Dense(3), layers.Dropout(0.5),
                        layers.Dense(1)])
    second = Sequential([layers.Input((3,)), *first.layers[2:]])
    whole = Sequential([layers.Input((2,)), Sequential(first.layers[:2]), second])
    for number, model in enumerate((first, second, whole)):
        path = tmp_path / f"{number}.safetensors"
        model.compile("adam", "mse")
        x = np.ones((4, model.input_shape[1]), np.float32)
        model.fit(x, np.ones((4, 1)), verbose=0)
        model.save(path)
        again = load_model(path)
        assert all(np.array_equal(*pair) for pair in zip(again.get_weights(), model.get_weights(), strict=True))
        for other in (model, again):
            other.fit(x, np.ones((4, 1)), shuffle=False, verbose=0)
        assert state_of(again) == state_of(model)
        model.load_weights(path)
