"""datasets: the packaged MNIST, files of the same form, IDX files, and what is refused of each."""

import gzip
import io
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cytensor.datasets import archive, load_idx, mnist

DIGITS = {
    "x_train": np.arange(3 * 784, dtype=np.uint8).reshape(3, 28, 28),
    "y_train": np.array([5, 0, 4], np.uint8),
    "x_test": np.zeros((2, 28, 28), np.uint8),
    "y_test": np.array([7, 2], np.uint8),
}
IDX_CODES = {0x08: "u1", 0x09: "i1", 0x0B: "i2", 0x0C: "i4", 0x0D: "f4", 0x0E: "f8"}


def npz(path, **changes):
    """An .npz file of DIGITS with some arrays replaced, or left out where the change is None."""
    arrays = {name: array for name, array in {**DIGITS, **changes}.items() if array is not None}
    np.savez_compressed(path, **arrays)
    return path


def idx(array, code):
    """The bytes of an IDX file."""
    head = bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


# The packaged data


@pytest.mark.slow
def test_packaged_mnist_is_the_published_one():
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    assert x_train.shape == (60000, 28, 28) and y_train.shape == (60000,)
    assert x_test.shape == (10000, 28, 28) and y_test.shape == (10000,)
    assert {array.dtype for array in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}
    # Facts about MNIST that its descriptions give: the mean pixel, the first labels, the count of each digit.
    assert round(x_train.mean() / 255, 4) == 0.1307 and round(x_train.std() / 255, 4) == 0.3081
    assert y_train[:5].tolist() == [5, 0, 4, 1, 9] and y_test[:5].tolist() == [7, 2, 1, 0, 4]
    assert np.bincount(y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


def test_the_name_keras_uses_means_the_packaged_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    npz(tmp_path / "mnist.npz")
    (x_train, _), _ = mnist.load_data("mnist.npz")
    assert len(x_train) == 60000


@pytest.mark.slow
def test_each_call_returns_arrays_of_its_own():
    first, second = mnist.load_data()[1][0], mnist.load_data()[1][0]
    first[0] = 9
    assert not np.shares_memory(first, second) and second[0].max() == 255


def test_the_licence_is_beside_the_data():
    text = (Path(mnist.PACKAGED).parent / "LICENSE-mnist.txt").read_text()
    for word in ("LeCun", "Cortes", "Burges", "Attribution-ShareAlike 3.0", "mnist.npz"):
        assert word in text


def test_importing_datasets_reads_no_data_and_loads_no_network_code():
    code = "import sys, cytensor.datasets; print(*{'ssl', 'socket', 'http', 'zipfile', 'gzip'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == ""


# Files of the same form


def test_another_file_of_the_same_form(tmp_path):
    (x_train, y_train), (x_test, y_test) = mnist.load_data(npz(tmp_path / "digits.npz"))
    for got, name in ((x_train, "x_train"), (y_train, "y_train"), (x_test, "x_test"), (y_test, "y_test")):
        np.testing.assert_array_equal(got, DIGITS[name])


def test_uncompressed_and_fortran_ordered_members(tmp_path):
    path = tmp_path / "stored.npz"
    np.savez(path, **{**DIGITS, "x_train": np.asfortranarray(DIGITS["x_train"])})
    np.testing.assert_array_equal(mnist.load_data(str(path))[0][0], DIGITS["x_train"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_test": None}, "no array y_test; it holds x_train, y_train, x_test"),
        ({"y_train": np.zeros(4, np.uint8)}, r"got x_train uint8 \(3, 28, 28\), y_train uint8 \(4,\)"),
        ({"x_test": np.zeros((2, 784), np.uint8)}, r"got x_test uint8 \(2, 784\)"),
        ({"x_test": np.uint8(3)}, r"got x_test uint8 \(\)"),
        ({"x_train": np.zeros((3, 28, 28))}, "got x_train float64"),
        ({"y_train": np.array([None, 1, 2])}, "y_train.npy holds Python objects"),
    ],
)
def test_wrong_contents_are_named(tmp_path, changes, message):
    path = npz(tmp_path / "wrong.npz", **changes)
    with pytest.raises(ValueError, match=message) as caught:
        mnist.load_data(path)
    assert str(path) in str(caught.value) and str(caught.value).startswith("mnist.load_data: ")


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        mnist.load_data(tmp_path / "absent.npz")


def test_files_cut_short_anywhere_are_refused(tmp_path):
    whole = npz(tmp_path / "whole.npz").read_bytes()
    path = tmp_path / "short.npz"
    for length in [*range(0, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="short"):
            mnist.load_data(path)


def test_a_flipped_byte_is_refused_or_harmless(tmp_path):
    """Checksums find damage to the data; damage to unused fields of the container may pass, with the data right."""
    whole = npz(tmp_path / "whole.npz").read_bytes()
    path = tmp_path / "flipped.npz"
    for position in range(0, len(whole), 13):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        try:
            (x_train, y_train), _ = mnist.load_data(path)
        except ValueError as error:
            assert "flipped.npz" in str(error)
        else:
            np.testing.assert_array_equal(x_train, DIGITS["x_train"])
            np.testing.assert_array_equal(y_train, DIGITS["y_train"])


def npy(header_shape, data, dtype="|u1"):
    """A .npy stream whose header may lie about its data."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": dtype, "fortran_order": False, "shape": header_shape})
    return stream.getvalue() + data


@pytest.mark.parametrize("shape", [(1 << 40,), (1 << 62, 1 << 62), (5,), (-1, -3), (2,)])
def test_a_header_that_lies_about_its_size_takes_no_memory(tmp_path, shape):
    path = tmp_path / "lies.npz"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("x.npy", npy(shape, b"abc"))
    with pytest.raises(ValueError, match="lies"):
        archive.read(path, ("x",), "test")


@pytest.mark.parametrize("text", ["{'descr': '<f8', 'fortran_order': False, 'shape': (3, ", "{'descr'", "(" * 99, "",
                                  "{'descr': 'f8 (', 'fortran_order': False, 'shape': (3,), }", "1",
                                  '"""', "\0" * 60])
def test_a_header_that_is_no_description_of_an_array(tmp_path, text):
    header = text.encode().ljust(117) + b"\n"
    content = b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header + bytes(24)
    (tmp_path / "x.npy").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as file:
        for name in ("x_train", "y_train", "x_test", "y_test"):
            file.writestr(f"{name}.npy", content)
    for load, path in ((lambda path: archive.read_npy(path, "here"), "x.npy"), (mnist.load_data, "x.npz")):
        with pytest.raises(ValueError, match=rf"cannot read .*{path}: "):
            load(tmp_path / path)


def test_a_zip_entry_that_claims_more_than_deflate_can_hold(tmp_path):
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("x.npy", npy((3,), b"abc"))
        file.getinfo("x.npy").file_size = 1 << 40  # what the central directory will say
    with pytest.raises(ValueError, match=r"bomb.npz.*claims 1099511627776 bytes"):
        archive.read(path, ("x",), "test")


# IDX files


def test_a_zip_entry_that_starts_before_the_file(tmp_path):
    """zipfile takes what stands before the archive for its beginning, and comes to a negative place in the file."""
    path = tmp_path / "d.npz"
    np.savez(path, **DIGITS)
    whole = bytearray(path.read_bytes())
    at = whole.rindex(b"PK\5\6") + 16                       # where the list of entries starts, by the last record
    whole[at:at + 4] = (int.from_bytes(whole[at:at + 4], "little") + 50).to_bytes(4, "little")
    path.write_bytes(whole)
    with pytest.raises(ValueError, match=f"^mnist.load_data: cannot read {path}: "):
        mnist.load_data(path)


def test_a_head_that_numpy_cannot_parse(tmp_path):
    path = tmp_path / "d.npz"
    head = b"\x93NUMPY\1\0\x10\0{'descr': (((( \n  "
    with zipfile.ZipFile(path, "w") as file:
        for name in DIGITS:
            file.writestr(f"{name}.npy", head)
    with pytest.raises(ValueError, match=f"cannot read {path}: its header is damaged"):
        mnist.load_data(path)


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(("code", "dtype"), IDX_CODES.items())
def test_idx_round_trip(tmp_path, code, dtype, zipped):
    path = tmp_path / "file"
    for shape in ((5,), (0,), (3, 0, 2), (2, 3, 4), (1,) * 16):
        array = (np.arange(np.prod(shape)) * 37 % 251 - 100).astype(dtype).reshape(shape)
        path.write_bytes(gzip.compress(idx(array, code)) if zipped else idx(array, code))
        loaded = load_idx(path)
        assert loaded.dtype == np.dtype(dtype) and loaded.dtype.isnative and loaded.flags.writeable
        np.testing.assert_array_equal(loaded, array)


@pytest.mark.slow
def test_mnist_as_idx_equals_the_packaged_data(tmp_path):
    (_, _), (x_test, _) = mnist.load_data()
    path = tmp_path / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(idx(x_test, 0x08), compresslevel=1))
    np.testing.assert_array_equal(load_idx(str(path)), x_test)


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "two zero bytes"),
        (b"\0\0\x08", "two zero bytes"),
        (b"\1\0\x08\1\0\0\0\1a", "two zero bytes"),
        (b"<html><body>403 Forbidden</body>", "two zero bytes"),
        (b"\0\0\x0a\1\0\0\0\1a", "unknown type code 0x0A; known are 0x08 uint8"),
        (b"\0\0\x08\0a", "number of axes must be 1 to 16; got 0"),
        (b"\0\0\x08\x11" + b"\0\0\0\1" * 17 + b"a", "number of axes must be 1 to 16; got 17"),
        (b"\0\0\x08\2\0\0\0\1\0", "header ends after 9 of 12 bytes"),
        (b"\0\0\x08\1\0\0\0\5abcd", r"claims uint8 \(5,\)|data ends after 4 of 5 bytes"),
        (b"\0\0\x08\1\0\0\0\3abcd", "data goes on after 3 bytes"),
        (b"\0\0\x0e\4" + b"\xff" * 16 + b"abcdefgh", "header claims float64"),
        (b"\0\0\x08\2\0\1\0\0\0\1\0\0abc", r"header claims uint8 \(65536, 65536\)"),
    ],
)
def test_idx_files_that_are_refused(tmp_path, content, message, zipped):
    path = tmp_path / "wrong-idx"
    path.write_bytes(gzip.compress(content) if zipped else content)
    with pytest.raises(ValueError, match=message) as caught:
        load_idx(path)
    assert f"load_idx: cannot read {path}: " in str(caught.value)


def test_gzipped_idx_cut_short_or_damaged(tmp_path):
    whole = gzip.compress(idx(DIGITS["x_train"], 0x08))
    path = tmp_path / "short.gz"
    for length in range(2, len(whole), 11):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="short"):
            load_idx(path)
    path.write_bytes(whole[:-8] + b"\0\0\0\0" + whole[-4:])
    with pytest.raises(ValueError, match="CRC"):
        load_idx(path)


def test_a_missing_idx_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_idx(tmp_path / "absent")


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
@pytest.mark.slow
def test_loading_takes_little_more_memory_than_the_arrays():
    """Measured in a fresh interpreter: the arrays are 55 MB, and nothing may be held twice."""
    code = """
def peak():
    return int([line for line in open("/proc/self/status") if "VmHWM" in line][0].split()[1])
from cytensor.datasets import archive, mnist
before = peak()
data = mnist.load_data()
print(peak() - before)
"""
    grown = int(subprocess.check_output([sys.executable, "-c", code], text=True))
    assert 50_000 < grown < 65_000, f"peak memory grew by {grown} KiB"


def test_packaged_file_is_small():
    assert Path(mnist.PACKAGED).stat().st_size < 12_000_000
