"""Weights from files of Keras, in the layouts that Keras 2 and 3 write; the files are written here with h5py."""
import io
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest

from cytensor import layers
from cytensor.models import Model, Sequential, load_model

h5py = pytest.importorskip("h5py")


def plain():
    return Sequential([layers.Input((4,)), layers.Normalization(), layers.Dense(5, "relu"),
                       layers.BatchNormalization(), layers.Dropout(0.2), layers.Dense(3, name="head")])


def nested():
    return Sequential([layers.Input((4,)), Sequential([layers.Dense(5), layers.BatchNormalization(), layers.Dense(2)]),
                       layers.Dense(3)])


class Subclass(Model):
    def __init__(self):
        super().__init__()
        self.zeta, self.alpha = layers.Dense(5), layers.Dense(2)
        self.blocks = [layers.Dense(5), layers.BatchNormalization()]
        self.scale = self.add_weight((5,), "ones", name="scale")

    def call(self, x):
        for layer in (self.zeta, *self.blocks):
            x = layer(x)
        return self.alpha(x * self.scale)


def built(make):
    model = make()
    model(np.zeros((1, 4)))
    return model


def numbers(*shapes):
    """An array of each shape; the first element of the k-th is 100 k."""
    return [100 * k + np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(np.float32)
            for k, shape in enumerate(shapes)]


# What Keras 3 writes: the place of each layer among those of its class. (place, numbers of its weights)
DENSE, NORM = [(4, 5), (5,)], [(5,)] * 4
PLAIN = {"layers/normalization": [(4,), (4,)], "layers/dense": DENSE, "layers/batch_normalization": NORM,
         "layers/dense_1": [(5, 3), (3,)]}
NESTED = {"layers/sequential/layers/dense": DENSE, "layers/sequential/layers/batch_normalization": NORM,
          "layers/sequential/layers/dense_1": [(5, 2), (2,)], "layers/dense": [(2, 3), (3,)]}
SUBCLASS = {"": [(5,)], "layers/dense": DENSE, "alpha": [(5, 2), (2,)], "blocks/dense": [(5, 5), (5,)],
            "blocks/batch_normalization": NORM}                    # zeta stands in `layers`: "layers" < "zeta"


def write_keras_3(file, places):
    """The layout of Keras 3; the arrays in the order of `places`."""
    arrays = numbers(*[shape for shapes in places.values() for shape in shapes])
    rest = iter(arrays)
    for place, shapes in places.items():
        for i in range(len(shapes)):
            file[f"{place}/vars/{i}".lstrip("/")] = next(rest)
    file["optimizer/vars/0"] = np.int32(7)
    file["optimizer/vars/2"] = np.full((4, 5), -1, np.float32)
    return arrays


def write_keras_2(group, entries, text=str):
    """The layout of Keras 2: {layer: [(weight, shape)]}; the arrays in that order, without the count."""
    arrays = numbers(*[shape for weights in entries.values() for _, shape in weights if shape])
    rest = iter(arrays)
    group.attrs["layer_names"] = [text(name) for name in entries]
    for layer, weights in entries.items():
        inner = group.create_group(layer)
        inner.attrs["weight_names"] = [text(f"net/{layer}/{name}:0") for name, _ in weights]
        for name, shape in weights:
            inner[f"net/{layer}/{name}:0"] = next(rest) if shape else np.int64(3)
    group.create_group("top_level_model_weights").attrs["weight_names"] = []
    return arrays


PLAIN_2 = {"normalization": [("mean", (4,)), ("variance", (4,)), ("count", ())],
           "dense_7": [("kernel", (4, 5)), ("bias", (5,))],
           "bn": [("gamma", (5,)), ("beta", (5,)), ("moving_mean", (5,)), ("moving_variance", (5,))], "dropout": [],
           "head": [("kernel", (5, 3)), ("bias", (3,))]}


def agree(model, arrays, order=None):
    own = model.get_weights()
    arrays = arrays if order is None else [arrays[i] for i in order]
    assert len(own) == len(arrays)
    for value, expected in zip(own, arrays, strict=True):
        assert np.array_equal(value.reshape(expected.shape), expected)


@pytest.mark.parametrize(("make", "places", "order"), [
    (plain, PLAIN, None), (nested, NESTED, None), (Subclass, SUBCLASS, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])])
def test_weights_of_keras_3(tmp_path, make, places, order):
    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        arrays = write_keras_3(file, places)
        if make is plain:
            file["layers/normalization/vars/2"] = np.int32(0)      # its count
            file["layers/dropout/seed_generator/vars/0"] = np.zeros(2, np.uint32)
    model = built(make)
    model.load_weights(tmp_path / "m.weights.h5")
    agree(model, arrays, order)
    content = (tmp_path / "m.weights.h5").read_bytes()
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(tmp_path / "m.keras", "w", compression) as archive:
            archive.writestr("metadata.json", "{}")
            archive.writestr("config.json", "{}")
            archive.writestr("model.weights.h5", content)
        model = built(make)
        model.load_weights(tmp_path / "m.keras")
        agree(model, arrays, order)


@pytest.mark.parametrize(("container", "step"), [("layers", 1), ("_layer_checkpoint_dependencies", 2)])
def test_layers_are_numbered_by_number_and_with_gaps(tmp_path, container, step):
    """dense_10 stands behind dense_2; the .keras files of Keras 2 count each layer twice."""
    names = ["dense", *(f"dense_{step * i}" for i in range(1, 12))]
    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        arrays = write_keras_3(file, {f"{container}/{name}": [(3, 3), (3,)] for name in names})
    model = Sequential([layers.Input((3,)), *(layers.Dense(3) for _ in names)])
    model.load_weights(tmp_path / "m.weights.h5")
    agree(model, arrays)


@pytest.mark.parametrize("inside", ["model_weights", None])
@pytest.mark.parametrize("text", [str, str.encode])
def test_weights_of_keras_2(tmp_path, inside, text):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        group = file.create_group(inside) if inside else file
        arrays = write_keras_2(group, PLAIN_2, text)
    model = plain()
    model.load_weights(tmp_path / "m.h5")
    agree(model, arrays)


def test_a_model_inside_a_model_of_keras_2(tmp_path):
    """Keras 2 lists what is trained first, so that the moving averages stand at the end."""
    entries = {"inner": [("d/kernel", (4, 5)), ("d/bias", (5,)), ("b/gamma", (5,)), ("b/beta", (5,)),
                         ("e/kernel", (5, 2)), ("e/bias", (2,)), ("b/moving_mean", (5,)), ("b/moving_variance", (5,))],
               "dense": [("kernel", (2, 3)), ("bias", (3,))]}
    with h5py.File(tmp_path / "m.h5", "w") as file:
        arrays = write_keras_2(file, entries)
    for frozen in (False, True):
        model = nested()
        model.trainable = not frozen
        model.load_weights(tmp_path / "m.h5")
        agree(model, arrays, [0, 1, 2, 3, 6, 7, 4, 5, 8, 9])
    frozen_there = {"inner": [entries["inner"][i] for i in (0, 1, 2, 3, 6, 7, 4, 5)], "dense": entries["dense"]}
    with h5py.File(tmp_path / "f.h5", "w") as file:
        arrays = write_keras_2(file, frozen_there)
    model.load_weights(tmp_path / "f.h5")
    agree(model, arrays)


def test_long_lists_of_names_are_cut_into_several(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        arrays = write_keras_2(file, PLAIN_2)
        names = list(file.attrs["layer_names"])
        del file.attrs["layer_names"]
        file.attrs["layer_names0"], file.attrs["layer_names1"] = names[:2], names[2:]
    model = plain()
    model.load_weights(tmp_path / "m.h5")
    agree(model, arrays)


def test_a_model_of_attributes_takes_what_keras_made_of_a_list(tmp_path):
    class Net(Model):
        def __init__(self):
            super().__init__()
            self.second, self.first = layers.Dense(3), layers.Dense(5)

        @property
        def layers(self):
            return [self.first, self.second]

        def call(self, x):
            return self.second(self.first(x))

    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        first, first_bias, second, second_bias = write_keras_3(
            file, {"layers/dense": DENSE, "layers/dense_1": [(5, 3), (3,)]})
    model = built(Net)
    model.load_weights(tmp_path / "m.weights.h5")
    for layer, kernel, bias in ((model.first, first, first_bias), (model.second, second, second_bias)):
        assert np.array_equal(layer.kernel.numpy(), kernel) and np.array_equal(layer.bias.numpy(), bias)


# -- what does not fit ------------------------------------------------------------------------------------------------
def refused(model, path, message, error=ValueError):
    before = model.get_weights()
    with pytest.raises(error, match=message):
        model.load_weights(path)
    assert all(map(np.array_equal, before, model.get_weights()))


def test_files_of_another_model_change_nothing(tmp_path):
    with h5py.File(tmp_path / "3.h5", "w") as file:
        write_keras_3(file, PLAIN)
    with h5py.File(tmp_path / "2.h5", "w") as file:
        write_keras_2(file, PLAIN_2)
    wide = Sequential([layers.Input((4,)), layers.Normalization(), layers.Dense(6), layers.BatchNormalization(),
                       layers.Dense(3, name="head")])
    short = Sequential([layers.Input((4,)), layers.Normalization(), layers.Dense(5), layers.BatchNormalization()])
    for name in ("3.h5", "2.h5"):
        refused(wide, tmp_path / name, r"shapes must be equal; weight 'dense/kernel' is \(4, 6\), .* has \(4, 5\)")
    refused(short, tmp_path / "3.h5", r"missing none, surplus layers/dense_1/vars/0, layers/dense_1/vars/1$")
    refused(short, tmp_path / "2.h5", r"it has normalization \(2\), .* head \(2\), 'sequential' has norm")
    refused(nested(), tmp_path / "3.h5", "missing sequential/dense/kernel")
    with pytest.raises(ValueError, match="the model must be built first"):
        Sequential([layers.Dense(3)]).load_weights(tmp_path / "3.h5")
    with pytest.warns(UserWarning, match="skipped batch_normalization/beta, .*dense/kernel, head/kernel$"):
        wide.load_weights(tmp_path / "3.h5", skip_mismatch=True)
    assert np.array_equal(wide.layers[-1].bias.numpy(), numbers(*[(3,)] * 10)[9])
    with pytest.raises(ValueError, match=r"it is an HDF5 file, as Keras writes .h5; build the model here and take"):
        load_model(tmp_path / "3.h5")


def test_damaged_files(tmp_path):
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        write_keras_3(file, PLAIN)
    content = buffer.getvalue()
    bad = tmp_path / "bad.h5"
    for damaged in (content[:100], content[:len(content) // 2], content[:8] + b"\xff" * 500):
        bad.write_bytes(damaged)
        refused(plain(), bad, "is not a readable safetensors file: it begins as an HDF5 file")
    bad = tmp_path / "bad.keras"
    for damaged in (b"junk", content[:300]):
        with zipfile.ZipFile(bad, "w") as archive:
            archive.writestr("config.json", "{}")
            archive.writestr("model.weights.h5", damaged)
        refused(plain(), bad, "is not a readable safetensors file: it begins as a .keras file")
    with h5py.File(tmp_path / "empty.h5", "w"):
        pass
    refused(plain(), tmp_path / "empty.h5", "missing normalization/mean, .* surplus none")


def test_links_out_of_the_file_are_not_followed(tmp_path):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["w"] = np.ones((4, 5), np.float32)
    np.ones((4, 5), np.float32).tofile(tmp_path / "raw")
    layout = h5py.VirtualLayout((4, 5), np.float32)
    layout[...] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "w", (4, 5))
    makers = {
        "external link": lambda file, name: file.__setitem__(name, h5py.ExternalLink(tmp_path / "secret.h5", "w")),
        "soft link": lambda file, name: file.__setitem__(name, h5py.SoftLink("/optimizer/vars/2")),
        "external storage": lambda file, name: file.create_dataset(
            name, (4, 5), np.float32, external=[(str(tmp_path / "raw"), 0, 80)]),
        "virtual": lambda file, name: file.create_virtual_dataset(name, layout),
    }
    for make in makers.values():
        with h5py.File(tmp_path / "m.h5", "w") as file:
            write_keras_3(file, PLAIN)
            del file["layers/dense/vars/0"]
            make(file, "layers/dense/vars/0")
        refused(plain(), tmp_path / "m.h5", "missing dense/kernel|'layers/dense/vars/0' lies in another file")


def test_a_weight_that_claims_to_be_huge_takes_no_memory(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        write_keras_3(file, PLAIN)
        del file["layers/dense/vars/0"]
        file.create_dataset("layers/dense/vars/0", (2**20, 2**15), np.float32, chunks=(64, 64))
        del file["layers/dense/vars/1"]
        file["layers/dense/vars/1"] = np.array(["text"] * 5, h5py.string_dtype())
    tracemalloc.start()
    refused(plain(), tmp_path / "m.h5", r"shapes must be equal; weight 'dense/kernel' is \(4, 5\)")
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_without_h5py_the_extra_is_named(tmp_path, monkeypatch):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        write_keras_3(file, PLAIN)
    monkeypatch.setitem(sys.modules, "h5py", None)
    refused(plain(), tmp_path / "m.h5", r'an HDF5 file.*needs h5py.*pip install "cytensor\[keras\]"', ImportError)
