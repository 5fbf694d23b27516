"""Files: round trips, the closed registry, damage, atomic writing."""
import contextlib
import errno
import json
import os
import stat
import struct
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from cytensor import layers, losses, metrics, optimizers, random
from cytensor.models import Model, Sequential, clone_model, load_model, model_from_json
from cytensor.saving import register_serializable


def data():
    source = np.random.default_rng(3)
    return source.standard_normal((64, 4)).astype(np.float32), source.integers(0, 3, 64)


def trained(optimizer="rmsprop", epochs=1):
    random.set_seed(4)
    model = Sequential([layers.Dense(8, "relu", kernel_regularizer="l2", kernel_initializer="he_normal"),
                        layers.Dropout(0.2), layers.Dense(3, activation="softmax", name="head")])
    model.compile(optimizer, losses.SparseCategoricalCrossentropy(),
                  metrics=["accuracy", metrics.SparseTopKCategoricalAccuracy(2)])
    model.fit(*data(), epochs=epochs, verbose=0)
    return model


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a.get_weights(), b.get_weights(), strict=True))


def test_model_round_trip(tmp_path):
    path = tmp_path / "m.safetensors"
    for optimizer in ("sgd", optimizers.SGD(0.1, momentum=0.9), "adam",
                      optimizers.RMSprop(optimizers.schedules.ExponentialDecay(0.01, 10, 0.5))):
        model = trained(optimizer)
        model.save(path)
        again = load_model(path)
        assert same(model, again) and [layer.name for layer in again.layers] == ["dense", "dropout", "head"]
        assert again.evaluate(*data(), verbose=0) == model.evaluate(*data(), verbose=0)
        assert again.optimizer.iterations == model.optimizer.iterations
        assert again.optimizer.learning_rate == model.optimizer.learning_rate
        goes_on_alike(model, again)


def goes_on_alike(model, again):
    """Training the two on gives the same bits; the order of the samples is the process's, not the model's."""
    histories = []
    for copy in (model, again):
        random.set_seed(9)
        histories.append(copy.fit(*data(), epochs=2, verbose=0).history)
    assert same(model, again) and histories[0] == histories[1]


def test_training_goes_on_with_the_same_bits(tmp_path):
    """Slots, steps, moving averages and the random streams of noise come along."""
    random.set_seed(4)
    model = Sequential([layers.Dense(8, "relu"), layers.BatchNormalization(), layers.Dropout(0.4),
                        Sequential([layers.GaussianNoise(0.1), layers.Dropout(0.1, seed=3), layers.Dense(3)])])
    model.compile(optimizers.Adam(0.01, use_ema=True, clipnorm=1.0),
                  losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    for shuffle in (False, True):
        model.fit(*data(), epochs=2, shuffle=shuffle, verbose=0)
        goes_on_alike(model, load_model(_saved(tmp_path, model)))
    without = Sequential([layers.Input((4,)), layers.Dropout(0.4), layers.Dense(3)])      # noise was never drawn
    without.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))
    goes_on_alike(without, load_model(_saved(tmp_path, without)))


def test_model_that_was_not_compiled(tmp_path):
    model = Sequential([layers.Input((3,)), layers.Dense(2)])
    model.save(tmp_path / "m.safetensors")
    again = load_model(tmp_path / "m.safetensors")
    assert same(model, again) and not again.compiled and again.build_shape == (None, 3)
    assert not load_model(_saved(tmp_path, trained()), compile=False).compiled


def _saved(tmp_path, model):
    path = tmp_path / "saved.safetensors"
    model.save(path)
    return path


def test_weights_round_trip(tmp_path):
    path = tmp_path / "w.safetensors"
    model, other = trained(), trained(epochs=2)
    assert not same(model, other)
    model.save_weights(path)
    other.load_weights(path)
    assert same(model, other)
    other = trained(epochs=2)
    other.load_weights(_saved(tmp_path, model))          # a file of a whole model serves too
    assert same(model, other)


def test_weights_of_another_model(tmp_path):
    path = tmp_path / "w.safetensors"
    trained().save_weights(path)
    wider = Sequential([layers.Dense(9, input_shape=(4,)), layers.Dense(3, name="head")])
    before = wider.get_weights()
    with pytest.raises(ValueError, match=r"shapes must be equal; weight 'dense/kernel' is \(4, 9\), .* has \(4, 8\)"):
        wider.load_weights(path)
    assert all(np.array_equal(a, b) for a, b in zip(before, wider.get_weights(), strict=True))
    deeper = Sequential([layers.Dense(8, input_shape=(4,)), layers.Dense(3)])
    with pytest.raises(ValueError, match="missing dense_1/kernel, dense_1/bias, surplus head/bias, head/kernel"):
        deeper.load_weights(path)
    with pytest.raises(ValueError, match="the model must be built first"):
        Sequential([layers.Dense(3)]).load_weights(path)
    with pytest.raises(ValueError, match="must hold a model; it is of kind weights; load_weights"):
        load_model(path)


def test_readable_by_safetensors_itself(tmp_path):
    from safetensors.numpy import load_file
    model = trained()
    tensors = load_file(_saved(tmp_path, model))
    assert np.array_equal(tensors["weights/dense/kernel"], model.get_weights()[0])
    assert "optimizer/mean_square/head/bias" in tensors


def test_own_classes(tmp_path):
    @register_serializable("tests")
    class Doubling(layers.Layer):
        def __init__(self, factor=2.0, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, x):
            return x * self.factor

    @register_serializable("tests")
    class Net(Model):
        def __init__(self, units):
            super().__init__()
            self.parts = [layers.Dense(units), Doubling(3.0)]

        def call(self, x):
            for part in self.parts:
                x = part(x)
            return x

    for model in (Sequential([layers.Dense(2), Doubling(4.0)]), Net(3)):
        model(data()[0])
        again = load_model(_saved(tmp_path, model))
        assert np.array_equal(again(data()[0]), model(data()[0]))
        assert [layer.name for layer in again.layers] == ["dense", "doubling"]


def rewritten(path, edit):
    """The file with its architecture changed by `edit(document)`."""
    content = path.read_bytes()
    size, = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + size])
    document = json.loads(header["__metadata__"]["document"])
    edit(document)
    header["__metadata__"]["document"] = json.dumps(document)
    text = json.dumps(header).encode()
    target = path.with_name("edited.safetensors")
    target.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + size:])
    return target


def test_architecture_alone():
    model = trained()
    for again in (clone_model(model), model_from_json(model.to_json())):
        assert again.count_params() == model.count_params() and not again.compiled
        assert not np.array_equal(again.get_weights()[0], model.get_weights()[0])
    for text in ("", "{}", "[1]", '{"model": {"class": "os.system", "config": {}}, "build_shape": null}'):
        with pytest.raises(ValueError, match="model_from_json: the architecture cannot be rebuilt"):
            model_from_json(text)


def test_loading_never_runs_code(tmp_path):
    path = _saved(tmp_path, trained())
    attacks = [{"class": "os.system", "config": {"command": "false"}},
               {"class": "layers.Lambda", "config": {"function": "os.getcwd"}},
               {"class": "builtins.eval", "config": {"source": "1"}}, {"function": "os.getcwd"},
               {"class": "subprocess.Popen", "config": {"args": ["false"]}}, {"class": ["os", "system"], "config": {}}]
    for attack in attacks:
        def into_layers(document, attack=attack):
            document["model"]["config"]["layers"][0] = attack

        def into_model(document, attack=attack):
            document["model"] = attack

        for edit in (into_layers, into_model):
            with pytest.raises(ValueError, match=r"unknown name|must be a function"):
                load_model(rewritten(path, edit))


def test_damaged_files(tmp_path):
    path = _saved(tmp_path, trained())
    content = path.read_bytes()
    bad = tmp_path / "bad.safetensors"
    pieces = [b"", content[:4], content[:200], content[:-1], content + b"x", b"not a model at all" * 10,
              struct.pack("<Q", 2 ** 60) + content[8:], struct.pack("<Q", 5) + content[8:], b"PK\x03\x04" + content[4:]]
    for piece in pieces:
        bad.write_bytes(piece)
        for load in (load_model, trained().load_weights):
            with pytest.raises(ValueError, match="is not a readable safetensors file"):
                load(bad)
    with pytest.raises(FileNotFoundError, match="load: there is no file"):
        load_model(tmp_path / "nowhere")
    for edit, message in ((lambda d: d.pop("model"), "the architecture in .* cannot be rebuilt"),
                          (lambda d: d.update(model={"class": "layers.Dense", "config": {"units": 3}}),
                           "must describe a model"),
                          (lambda d: d["model"]["config"].update(layers=3), "the architecture in .* rebuilt")):
        with pytest.raises(ValueError, match=message):
            load_model(rewritten(path, edit))


@pytest.mark.slow
def test_random_damage_never_crashes(tmp_path):
    path = _saved(tmp_path, trained())
    content = bytearray(path.read_bytes())
    header = 8 + struct.unpack("<Q", content[:8])[0]
    source = np.random.default_rng(0)
    bad = tmp_path / "bad.safetensors"
    for _ in range(150):
        damaged = bytearray(content)
        for place in source.integers(0, header, 3):
            damaged[place] = int(source.integers(0, 256))
        bad.write_bytes(damaged)
        with contextlib.suppress(ValueError):
            load_model(bad)


def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch):
    model = trained()
    path = _saved(tmp_path, model)
    before = path.read_bytes()

    def full_disk(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    model.fit(*data(), verbose=0)
    with pytest.raises(OSError, match="No space left"):
        model.save(path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == [path.name]


def test_overwriting(tmp_path):
    path = _saved(tmp_path, trained())
    with pytest.raises(FileExistsError, match="exists; allow it to be replaced with overwrite=True"):
        trained().save(path, overwrite=False)
    with pytest.raises(ValueError, match="the model must be built"):
        Sequential([layers.Dense(2)]).save(tmp_path / "x")
    with pytest.raises(ValueError, match="there are no weights"):
        Sequential([layers.Dense(2)]).save_weights(tmp_path / "x")
    umask = os.umask(0o027)
    try:
        trained().save(tmp_path / "mode")
    finally:
        os.umask(umask)
    assert (tmp_path / "mode").stat().st_mode & 0o777 == 0o640


def test_what_is_no_file_is_left_alone(tmp_path):
    """A device such as /dev/null, a folder and a pipe are not replaced; a link goes on leading to its file."""
    model = trained()
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ValueError, match="must be the name of a file; it is a folder or a device"):
            model.save(path)
    assert stat.S_ISFIFO(os.stat(tmp_path / "pipe").st_mode)
    os.mkdir(tmp_path / "runs")
    os.symlink(tmp_path / "runs" / "1.safetensors", tmp_path / "latest.safetensors")
    model.save(tmp_path / "latest.safetensors")
    assert os.path.islink(tmp_path / "latest.safetensors") and (tmp_path / "runs" / "1.safetensors").exists()
    load_model(tmp_path / "latest.safetensors")
    for call in (model.save, model.save_weights, load_model, model.load_weights):
        with pytest.raises(TypeError, match=r"^(save|load): filepath must be a path; got 3$"):
            call(3)


LIMITED = """
import resource, sys
import numpy as np
from cytensor import callbacks, layers
from cytensor.models import Sequential
model = Sequential([layers.Input((50,)), layers.Dense(400)])
model.compile("adam", "mse")
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))      # as a disk that is full after 20 KB
x = np.zeros((8, 50))
for save in (model.save, model.save_weights,
             lambda path: model.fit(x, np.zeros((8, 400)), verbose=0, epochs=3, resume=path),
             lambda path: model.fit(x, np.zeros((8, 400)), verbose=0,
                                    callbacks=[callbacks.ModelCheckpoint(path)])):
    try:
        save(sys.argv[1])
    except OSError as error:
        print(error.errno)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs resource limits")
def test_a_full_disk_leaves_the_old_file(tmp_path):
    model = Sequential([layers.Input((50,)), layers.Dense(400)])
    model.compile("adam", "mse")
    path = tmp_path / "m.safetensors"
    model.fit(np.zeros((8, 50)), np.zeros((8, 400)), verbose=0, resume=path)
    before = path.read_bytes()
    done = subprocess.run([sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == [str(errno.EFBIG)] * 4, done.stderr
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["m.safetensors"]


def test_headers_that_lie_and_files_of_others(tmp_path):
    model = trained()
    path = tmp_path / "m.safetensors"
    model.save(path)
    whole = path.read_bytes()
    size = struct.unpack("<Q", whole[:8])[0]
    header = json.loads(whole[8:8 + size])
    name = next(name for name in header if name != "__metadata__")

    def with_header(text, claimed=None):
        text = text if isinstance(text, bytes) else json.dumps(text).encode()
        return struct.pack("<Q", len(text) if claimed is None else claimed) + text + whole[8 + size:]

    entry = dict(header[name])
    huge = {**header, name: {**entry, "shape": [2**40, 2**40]}}
    past = {**header, name: {**entry, "data_offsets": [0, 2**50]}}
    twice = json.dumps(header)[:-1] + f", {json.dumps(name)}: {json.dumps(entry)}" + "}"
    tracemalloc.start()
    for content in (with_header(header, 2**62), with_header(header, 2**33), with_header(huge), with_header(past),
                    with_header(twice.encode()), with_header(b"[]"), with_header(b"{" * 5000), b"PK\3\4" + b"\0" * 100,
                    b"\x89HDF\r\n\x1a\n" + b"\0" * 100, b"\x80\x04cos\nsystem\n."):
        path.write_bytes(content)
        before = model.get_weights()
        for load in (load_model, model.load_weights):
            with pytest.raises(ValueError, match="is not a readable safetensors file"):
                load(path)
        assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()
    with pytest.raises(FileNotFoundError, match="load: there is no file"):
        load_model(tmp_path / "none.safetensors")
    with pytest.raises((ValueError, OSError), match="load: "):
        load_model(tmp_path)


def test_an_optimizer_whose_steps_were_another_models(tmp_path):
    optimizer = optimizers.Adam(0.1)
    first, second = (Sequential([layers.Input((2,)), layers.Dense(1)]) for _ in range(2))
    for model in (first, second):
        model.compile(optimizer, "mse")
    x, y = np.eye(2), np.ones((2, 1))
    first.fit(x, y, verbose=0)
    second.save(tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert loaded.optimizer.calls == 1
    for model in (second, loaded):
        model.fit(x, y, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(second.get_weights(), loaded.get_weights(), strict=True))
