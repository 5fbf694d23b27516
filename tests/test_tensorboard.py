"""The TensorBoard callback: what it writes, read back; the same folders, tags, steps and values as Keras's."""
import struct
import subprocess
import sys

import numpy as np
import pytest

import cytensor as ct

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")      # tensorboard's own and Keras's


@pytest.fixture
def events():
    """A function that reads {part: [(tag, step, value)]} from a folder; None for a value that is no scalar."""
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.util.tensor_util import make_ndarray

    def read(folder):
        found = {}
        for part in ("train", "validation"):
            found[part] = []
            paths = folder.glob(f"{part}/events.out.tfevents.*.v2")
            for path in sorted(paths, key=lambda path: path.stat().st_mtime_ns):
                for event in EventFileLoader(str(path)).Load():
                    for value in event.summary.value:
                        kind = value.metadata.plugin_data.plugin_name
                        if kind != "graph_keras_model":
                            array = make_ndarray(value.tensor)
                            found[part].append((value.tag, event.step, float(array) if kind == "scalars" else None))
        return found
    return read


def run(library, folder, **options):
    model = library.Sequential([library.layers.Input((2,)), library.layers.Dense(1, name="dense")], name="line")
    model.compile("sgd", "mse", metrics=["mae"])
    model.set_weights([np.array([[1.0], [2.0]], np.float32), np.array([0.5], np.float32)])
    x = np.random.default_rng(0).standard_normal((28, 2)).astype(np.float32)
    board = library.callbacks.TensorBoard(str(folder), **options)
    model.fit(x, x[:, :1], epochs=2, batch_size=4, shuffle=False, verbose=0, callbacks=[board],
              validation_data=(x, x[:, :1]))
    model.evaluate(x, x[:, :1], batch_size=4, verbose=0, callbacks=[board])
    if library is not ct:
        board._close_writers()                     # Keras leaves it to the end of the process


@pytest.mark.slow
def test_scalars_of_epochs_and_evaluations(events, tmp_path):
    run(ct, tmp_path)
    found = events(tmp_path)
    assert [entry[:2] for entry in found["train"]] == [
        (f"epoch_{name}", epoch) for epoch in (0, 1) for name in ("loss", "mae", "learning_rate")]
    seen = [(f"evaluation_{name}_vs_iterations", step) for step in (7, 14, 14) for name in ("loss", "mae")]
    assert [entry[:2] for entry in found["validation"] if entry[0].startswith("eval")] == seen
    assert found["train"][0][2] > found["train"][3][2] > 0
    code = """
import sys, numpy as np, cytensor as ct
model = ct.Sequential([ct.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0, callbacks=[ct.callbacks.TensorBoard(sys.argv[1])])
assert "tensorflow" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, timeout=120)


@pytest.mark.parametrize("freq", ["epoch", "batch", 7])
def test_the_same_as_keras_writes(events, tmp_path, freq):
    keras = pytest.importorskip("keras", reason="Keras is not installed")
    for library, name in ((ct, "here"), (keras, "there")):
        run(library, tmp_path / name, update_freq=freq, histogram_freq=2, write_steps_per_second=True)
    here, there = events(tmp_path / "here"), events(tmp_path / "there")
    for part in ("train", "validation"):
        assert sorted(entry[:2] for entry in here[part]) == sorted(entry[:2] for entry in there[part])
        for ours, theirs in zip(sorted(here[part]), sorted(there[part]), strict=True):
            if "per_second" not in ours[0] and ours[2] is not None:
                assert np.isclose(ours[2], theirs[2], rtol=1e-5), (ours, theirs)


def crc32c(data):
    """The Castagnoli checksum (RFC 3720, appendix B.4), bit by bit."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def masked(data):
    """As TFRecord files keep it: rotated by 15 bits, and a constant added."""
    value = crc32c(data)
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF


def test_files_are_records_with_checksums(tmp_path):
    """Length, its checksum, data, its checksum: read without the package that wrote them."""
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    assert crc32c(b"123456789") == 0xE3069283              # the published check value
    run(ct, tmp_path)
    for part, names in (("train", (b"epoch_loss", b"epoch_mae", b"epoch_learning_rate")),
                        ("validation", (b"epoch_loss", b"evaluation_loss_vs_iterations"))):
        records = []
        for path in sorted(tmp_path.glob(f"{part}/events.out.tfevents.*.v2")):
            content, at = path.read_bytes(), 0
            while at < len(content):
                length, checksum = struct.unpack_from("<QI", content, at)
                assert checksum == masked(content[at:at + 8])
                records.append(content[at + 12:at + 12 + length])
                assert struct.unpack_from("<I", content, at + 12 + length) == (masked(records[-1]),)
                at += 16 + length
        assert b"brain.Event:2" in records[0] and all(any(name in record for record in records) for name in names)


def test_every_few_batches(events, tmp_path):
    run(ct, tmp_path, update_freq=3, histogram_freq=1)
    found = events(tmp_path)["train"]
    assert [step for tag, step, _ in found if tag == "batch_loss"] == [3, 6, 9, 12]
    assert [step for tag, step, _ in found if tag == "epoch_loss"] == [0, 1]
    assert [(tag, step) for tag, step, _ in found if "histogram" in tag] == [
        (f"line/dense/{name}/histogram", step) for step in (0, 1) for name in ("kernel", "bias")]


def test_metrics_with_several_values_and_resumed_steps(events, tmp_path):
    board = ct.callbacks.TensorBoard(tmp_path, update_freq=1)
    model = ct.Sequential([ct.layers.Dense(2, "softmax")])
    model.compile("sgd", "mse", metrics=[ct.metrics.F1Score()])
    x = np.eye(2, dtype=np.float32)
    model.fit(x, x, epochs=1, verbose=0, callbacks=[board], resume=tmp_path / "c.safetensors")
    model.fit(x, x, epochs=2, verbose=0, callbacks=[board], resume=tmp_path / "c.safetensors")
    found = events(tmp_path)["train"]
    assert {"epoch_f1_score_0", "epoch_f1_score_1"} <= {tag for tag, _, _ in found}
    assert [step for tag, step, _ in found if tag == "batch_loss"] == [1, 2]


def test_what_is_refused(monkeypatch):
    for name, value in (("write_images", True), ("profile_batch", 5), ("profile_batch", (2, 4)),
                        ("embeddings_freq", 1)):
        with pytest.raises(ValueError, match=f"TensorBoard: {name} is not supported, only scalars and histograms are"):
            ct.callbacks.TensorBoard(**{name: value})
    for wrong in ("step", 0, -1, 1.5, True):
        with pytest.raises(ValueError, match="update_freq must be 'epoch', 'batch' or a positive int"):
            ct.callbacks.TensorBoard(update_freq=wrong)
    for name in [name for name in sys.modules if name.split(".")[0] == "tensorboard"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(ImportError, match=r'needs the package tensorboard.*pip install "cytensor\[tensorboard\]"'):
        ct.callbacks.TensorBoard()
