"""save and load: named tensors in safetensors files, of every dtype; what other programs write and read."""
import json

import numpy as np
import pytest
from layouts import LAYOUTS

import cyops
import cytensor as ct
from cytensor import layers

DTYPES = [name for name, *_ in cyops.dtype_rows() if name != "complex128"]       # which safetensors has not


def header_of(path):
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    return json.loads(content[8:8 + size]), content[8 + size:]


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_comes_back(tmp_path, dtype):
    path = tmp_path / "t.safetensors"
    values = ct.asarray(np.arange(-3, 9).reshape(3, 4) % 5).astype(dtype)
    for x in (values, values[0, 0], values[:0], values.T, values[::-1, ::2]):
        ct.save({"x": x}, path)
        loaded = ct.load(path)["x"]
        assert type(loaded) is ct.Tensor and loaded.dtype == dtype and loaded.shape == x.shape
        assert loaded.tolist() == x.tolist()
    file_name = {name: file_name for name, file_name, *_ in cyops.dtype_rows()}[dtype]
    assert header_of(path)[0]["x"]["dtype"] == file_name


@pytest.mark.parametrize("layout", LAYOUTS)
def test_bfloat16_keeps_every_number(tmp_path, layout):
    """All finite ones, infinities and signed zeros, bit for bit; a NaN stays one."""
    bits = np.arange(1 << 16, dtype=np.uint32).reshape(256, 256)
    exact = (bits << 16).view(np.float32)
    x = cyops.astype(LAYOUTS[layout](exact), "bfloat16")
    ct.save(x, tmp_path / "x.safetensors")
    loaded = ct.load(tmp_path / "x.safetensors")
    assert loaded.dtype == "bfloat16" and np.array_equal(loaded, x, equal_nan=True)
    assert np.array_equal(np.signbit(loaded), np.signbit(x))
    if layout == "contiguous":
        stored = np.frombuffer(header_of(tmp_path / "x.safetensors")[1], np.uint16).reshape(256, 256)
        assert np.array_equal(stored[~np.isnan(exact)], bits[~np.isnan(exact)])


def test_one_tensor_comes_back_alone_and_others_by_name(tmp_path):
    path = tmp_path / "t.safetensors"
    ct.save([[1.0, 2.0]], path)
    assert ct.load(path).tolist() == [[1.0, 2.0]]
    ct.save({"tensor": [[1.0, 2.0]]}, path)
    assert ct.load(path)["tensor"].tolist() == [[1.0, 2.0]]
    ct.save({}, path)
    assert ct.load(path) == {}
    ct.save({"b": ct.Variable([1.0]), "a": np.int8(3), "c/d": 2.5}, path)
    loaded = ct.load(path)
    assert list(loaded) == ["a", "b", "c/d"] and loaded["a"].dtype == np.int8 and loaded["c/d"].item() == 2.5
    loaded["b"][0] = 7.0                                                # memory of its own
    assert ct.load(path)["b"].item() == 1.0


def test_the_same_tensors_give_the_same_bytes(tmp_path):
    tensors = {"b": ct.ones(3, "bfloat16"), "a": np.arange(4.0)}
    ct.save(tensors, tmp_path / "one")
    ct.save(dict(reversed(tensors.items())), tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_other_programs_read_and_write_them(tmp_path):
    torch = pytest.importorskip("torch")
    files = pytest.importorskip("safetensors.torch")
    path = tmp_path / "t.safetensors"
    ct.save({"x": ct.asarray([[1.5, -2.0]], "bfloat16"), "z": np.complex64([1 + 2j])}, path)
    theirs = files.load_file(path)
    assert theirs["x"].dtype == torch.bfloat16 and theirs["x"].tolist() == [[1.5, -2.0]]
    assert theirs["z"].dtype == torch.complex64
    files.save_file({"w": torch.arange(6).reshape(2, 3).to(torch.bfloat16)}, path)
    assert ct.load(path)["w"].dtype == "bfloat16" and ct.load(path)["w"].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(("value", "error", "text"), [
    ({1: 2.0}, TypeError, "the names of tensors must be strings of at least one character; got 1"),
    ({"": 2.0}, TypeError, "the names of tensors must be strings"),
    ({"__metadata__": 2.0}, ValueError, "stands for something else"),
    ({"a": {"b": 1.0}}, TypeError, "got a dictionary for 'a'; give its tensors names of their own, such as 'a/b'"),
    ({"a": "text"}, TypeError, "'a' must hold numbers; got dtype <U4"),
    ({"a": object()}, TypeError, "'a' must be a tensor; asarray: cannot make a tensor of"),
    ({"a": [[1.0], [1.0, 2.0]]}, ValueError, "'a' must be a tensor; "),
    ("t.safetensors", TypeError, "the tensors come first, then the path"),
    (None, TypeError, "'tensor' must be a tensor"),
])
def test_what_cannot_be_stored_is_named_and_nothing_is_written(tmp_path, value, error, text):
    path = tmp_path / "t.safetensors"
    ct.save({"kept": [1.0]}, path)
    with pytest.raises(error, match=r"^save: .*" + text):
        ct.save(value, path)
    assert ct.load(path)["kept"].tolist() == [1.0]
    with pytest.raises(FileExistsError, match="allow it to be replaced"):
        ct.save({"kept": [2.0]}, path, overwrite=False)


def test_complex64_that_the_library_cannot_hold_is_named(tmp_path, monkeypatch):
    import safetensors.numpy

    def old(tensors, metadata=None):
        raise ValueError("dtype complex64 is not covered")

    monkeypatch.setattr(safetensors.numpy, "save", old)
    with pytest.raises(TypeError, match="the installed safetensors cannot hold complex64: dtype complex64"):
        ct.save({"z": np.complex64([1j])}, tmp_path / "z")
    with pytest.raises(ValueError, match="is not covered"):
        ct.save({"x": [1.0]}, tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "t.safetensors"
    ct.save({"x": ct.ones((4, 4), "bfloat16")}, path)
    whole = path.read_bytes()
    for length in (0, 4, 8, 40, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"load: '.*t.safetensors' is not a readable safetensors file"):
            ct.load(path)
    path.write_bytes(whole.replace(b'"shape":[4,4]', b'"shape":[4,5]'))
    with pytest.raises(ValueError, match="is not a readable safetensors file"):
        ct.load(path)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        ct.load(tmp_path / "missing")


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_weights_of_halves_are_stored_as_they_are(tmp_path, dtype):
    model = ct.Sequential([layers.Input((3,)), layers.Dense(2, dtype=dtype, bias_initializer="normal")])
    path = tmp_path / "m.safetensors"
    for save in (model.save, model.save_weights):
        save(path)
        stored = ct.load(path)
        assert stored["weights/dense/kernel"].dtype == dtype
        other = ct.Sequential([layers.Input((3,)), layers.Dense(2, dtype=dtype)])
        other.load_weights(path)
        assert all(np.array_equal(a, b) for a, b in zip(other.get_weights(), model.get_weights(), strict=True))
    loaded = ct.Sequential([layers.Input((3,)), layers.Dense(2)])
    loaded.load_weights(path)                                          # into float32: the same numbers
    assert loaded.weights[0].dtype == np.float32
    assert np.array_equal(loaded.get_weights()[0], model.get_weights()[0])
