"""Weights in files for Keras: read by Keras itself where it is installed, by our own reader, and place by place."""
import sys

import numpy as np
import pytest

import cytensor as ct
from cytensor import layers, saving

h5py = pytest.importorskip("h5py")


def models_of(package):
    """Functions that make a model and say the shape of its samples, in the words that cytensor and Keras share."""
    made, Input = package.layers, package.layers.Input

    def stack():
        return package.Sequential([
            Input((6, 6, 2)), made.Normalization(), made.Conv2D(3, 3, activation="relu"), made.BatchNormalization(),
            made.Dropout(0.5), made.DepthwiseConv2D(2), made.Flatten(), made.Dense(2), made.GaussianNoise(0.1),
            made.Dense(3)]), (6, 6, 2)

    def sequence():
        return package.Sequential([
            Input((4,)), made.Embedding(5, 3), made.SeparableConv1D(4, 2), made.LayerNormalization(),
            made.GroupNormalization(2), made.PReLU(), made.GlobalAveragePooling1D(), made.Dense(1)]), (4,)

    def graph():
        inner, dense = package.Sequential([made.Dense(3), made.Dense(4)]), made.Dense(4)
        x, inside = Input((4,)), Input((4,))
        y = dense(inner(x))
        model = package.Model(inside, made.Dense(2)(inside))
        return package.Model(x, model(made.Add()([dense(y), inner(y)]))), (4,)

    class Own(package.Model):
        def __init__(self):
            super().__init__()
            self.zed, self.drop = made.Dense(3), made.Dropout(0.3)
            self.parts = [made.Dense(2), made.Dense(2), made.BatchNormalization()]
            self.factor = self.add_weight(shape=(2,), name="factor")
            self.table = {"a": made.Dense(2)}

        def call(self, x):
            x = self.drop(self.zed(x))
            for part in self.parts:
                x = part(x)
            return self.table["a"](x) * self.factor

    return {"stack": stack, "sequence": sequence, "graph": graph, "own": lambda: (Own(), (4,))}


def trained(make):
    """A model whose weights are not those it began with, and samples."""
    model, shape = make()
    rng = np.random.default_rng(0)
    x = rng.integers(0, 4, size=(3, *shape)).astype(np.float32)
    model(x)
    for weight in model.weights:
        weight.assign(np.asarray(weight) + rng.uniform(0, 1, size=weight.shape).astype(weight.dtype))
    return model, x


@pytest.mark.filterwarnings("ignore")                  # Keras's own
@pytest.mark.parametrize("name", ["stack", "sequence", "graph", "own"])
def test_keras_reads_the_file(name, tmp_path):
    keras = pytest.importorskip("keras")
    model, x = trained(models_of(ct)[name])
    saving.save_keras_weights(model, tmp_path / "m.weights.h5")
    other, _ = models_of(keras)[name]()
    other(x)
    other.load_weights(tmp_path / "m.weights.h5")
    assert np.allclose(model(x), keras.ops.convert_to_numpy(other(x)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["stack", "sequence", "graph", "own"])
def test_our_own_reader_reads_it(name, tmp_path):
    model, x = trained(models_of(ct)[name])
    saving.save_keras_weights(model, tmp_path / "m.weights.h5")
    other, _ = models_of(ct)[name]()
    other(x)
    other.load_weights(tmp_path / "m.weights.h5")
    assert np.array_equal(model(x), other(x))


def test_the_places_of_layers(tmp_path):
    model, _ = trained(models_of(ct)["stack"])
    saving.save_keras_weights(model, tmp_path / "m.weights.h5")
    found = []
    with h5py.File(tmp_path / "m.weights.h5") as file:
        file.visititems(lambda name, item: found.append((name, item.shape)) if isinstance(item, h5py.Dataset) else None)
    assert dict(found) == {
        "layers/normalization/vars/0": (2,), "layers/normalization/vars/1": (2,), "layers/normalization/vars/2": (),
        "layers/conv2d/vars/0": (3, 3, 2, 3), "layers/conv2d/vars/1": (3,),
        **{f"layers/batch_normalization/vars/{i}": (3,) for i in range(4)},
        "layers/dropout/seed_generator/vars/0": (2,), "layers/gaussian_noise/seed_generator/vars/0": (2,),
        "layers/depthwise_conv2d/vars/0": (2, 2, 3, 1), "layers/depthwise_conv2d/vars/1": (3,),
        "layers/dense/vars/0": (27, 2), "layers/dense/vars/1": (2,), "layers/dense_1/vars/0": (2, 3),
        "layers/dense_1/vars/1": (3,)}


def test_half_precision_is_widened(tmp_path):
    model = ct.Sequential([layers.Input((4,)), layers.Dense(2, dtype="bfloat16")])
    saving.save_keras_weights(model, tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5") as file:
        assert file["layers/dense/vars/0"].dtype == np.float32


def test_what_is_refused_leaves_no_file(tmp_path, monkeypatch):
    model = ct.Sequential([layers.Input((4,)), layers.Dense(2)])
    with pytest.raises(ValueError, match=r"save_keras_weights: the name must end in \.weights\.h5"):
        saving.save_keras_weights(model, tmp_path / "m.keras")
    with pytest.raises(ValueError, match="save_keras_weights: the model must be built"):
        saving.save_keras_weights(ct.Sequential([layers.Dense(2)]), tmp_path / "m.weights.h5")
    assert list(tmp_path.iterdir()) == []
    saving.save_keras_weights(model, tmp_path / "m.weights.h5")
    with pytest.raises(FileExistsError, match="exists; allow it"):
        saving.save_keras_weights(model, tmp_path / "m.weights.h5", overwrite=False)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=r'pip install "cytensor\[keras\]"'):
        saving.save_keras_weights(model, tmp_path / "n.weights.h5")
