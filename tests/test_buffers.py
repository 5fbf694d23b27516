"""The buffer protocol both ways: what is viewed, what is copied, what is refused."""
import array as python_array
import struct
import zlib

import numpy as np
import pytest

import cyops

NUMERIC = [
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
]
TEXT = ["S1", "S7", "U1", "U5"]


@pytest.mark.parametrize("dtype", NUMERIC + TEXT)
def test_every_dtype_goes_in_and_out_without_a_copy(dtype):
    source = np.array([[1, 0, 1], [0, 1, 1]]).astype(dtype)
    for array in (source, source.T, source[:, ::-1], source[1:, ::2], source[:0], source[0, 0:1], source[None]):
        x = cyops.Strided(array)
        assert x.dtype == array.dtype and x.shape == array.shape
        back = np.asarray(x)
        assert back.dtype == array.dtype and np.array_equal(back, array)
        assert array.size == 0 or np.shares_memory(back, array)
        assert back.dtype.type is array.dtype.type


def test_memoryviews_and_arrays_of_the_standard_library():
    numbers = python_array.array("d", [1, 2, 3])
    x = cyops.Strided(numbers)
    x[1] = 7
    assert numbers[1] == 7 and x.dtype == np.float64
    assert cyops.Strided(memoryview(bytes(6)).cast("B", (2, 3))).shape == (2, 3)
    assert cyops.Strided(python_array.array("h", [1, -2])).dtype == np.int16


@pytest.mark.parametrize("array", [
    np.arange(4, dtype=">f4"),
    np.zeros(3, dtype=[("a", "u1"), ("b", "<f4")])["b"],
    np.frombuffer(bytes(range(17)), dtype=np.float32, count=4, offset=1) if struct.calcsize("f") == 4 else None,
], ids=["foreign byte order", "packed field", "misaligned"])
def test_what_element_strides_cannot_say_is_copied_or_refused(array):
    import cytensor as ct

    x = ct.asarray(array)
    assert np.array_equal(x.numpy(), array) and x.dtype == array.dtype.newbyteorder("=")
    assert not np.shares_memory(x.numpy(), array)


def test_export_honours_contiguity_requests():
    x = cyops.Strided(np.arange(6.0).reshape(2, 3))
    assert memoryview(x).c_contiguous and memoryview(x).nbytes == 48
    assert memoryview(cyops.permute_dims(x)).f_contiguous
    for gappy in (x[:, ::2], cyops.permute_dims(x)):
        with pytest.raises(BufferError, match="not C-contiguous"):
            zlib.crc32(gappy)               # asks for plain bytes
    assert b"".join([x]) == np.arange(6.0).tobytes()
    assert memoryview(x).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_exports_of_shared_elements_and_read_only_memory_are_read_only():
    assert memoryview(cyops.broadcast_to(cyops.zeros(1), (3,))).readonly
    assert memoryview(cyops.Strided(b"ab")).readonly
    assert not memoryview(cyops.zeros(2)).readonly


def test_an_export_keeps_the_memory_alive():
    view = memoryview(cyops.full((1000,), 3.0))
    for _ in range(10):
        cyops.zeros(1000)
    assert set(view.tolist()) == {3.0}


def test_lists_and_scalars():
    assert cyops.Strided([1.5]).dtype == np.float32
    assert cyops.Strided([1, 2]).dtype == np.int64
    assert cyops.Strided(True).dtype == np.bool_
    assert cyops.Strided([]).shape == (0,)
    assert cyops.Strided([[1, 2.0]]).dtype == np.float32
    assert cyops.Strided([np.float64(1)]).dtype == np.float64
    assert cyops.Strided(np.float64(1)).dtype == np.float64
    assert cyops.Strided([cyops.Strided([1.0, 2.0]), cyops.Strided([3.0, 4.0])]).tolist() == [[1, 2], [3, 4]]
    assert cyops.Strided(range(3)).tolist() == [0, 1, 2]
    assert cyops.Strided([1, 2], "float16").dtype == np.float16
    assert cyops.Strided([1.7, 2], dtype=int).tolist() == [1, 2]


@pytest.mark.parametrize(("data", "error", "message"), [
    ([[1], [1, 2]], ValueError, "nested lists must have equal lengths at every depth"),
    (object(), TypeError, "cannot make a tensor of object"),
    ({"a": 1}, TypeError, "cannot make a tensor of dict"),
    (np.zeros(2, np.clongdouble), TypeError, "dtype complex256 is not supported"),
    (np.zeros(2, "M8[s]"), TypeError, r"dtype datetime64\[s\] is not supported"),
    (np.array([1, None]), TypeError, "dtype object is not supported"),
    (10**30, OverflowError, "an integer does not fit in int64"),
])
def test_what_cannot_become_a_tensor(data, error, message):
    with pytest.raises(error, match=message):
        cyops.Strided(data)


def test_unknown_dtypes():
    with pytest.raises(TypeError, match="unknown dtype 'float31'; known are bool, int8"):
        cyops.Strided([1], "float31")
    with pytest.raises(TypeError, match="dtype complex256 is not supported"):
        cyops.zeros(2, np.clongdouble)


def test_an_object_that_only_new_has_seen_is_harmless():
    x = cyops.Strided.__new__(cyops.Strided)
    assert x.shape == (0,) and x.tolist() == [] and (x + 1).tolist() == []
    assert repr(x) and x[:].shape == (0,)
    with pytest.raises(IndexError):
        x[0]
    y = cyops.Strided([1.0])
    with pytest.raises(TypeError, match="its data is set once"):
        y.__init__([2.0])


def test_pickle_copy_and_deepcopy():
    import copy
    import pickle

    x = cyops.Strided(np.arange(6.0).reshape(2, 3))[:, ::-1]
    for clone in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x), copy.copy(x)):
        assert clone.tolist() == x.tolist() and clone.dtype == x.dtype and not cyops.shares_memory(clone, x)


def test_bytes_are_one_string_of_fixed_width_as_in_numpy():
    import cytensor as ct

    for make in (cyops.Strided, ct.asarray, ct.constant, ct.Variable):
        x = make(b"abc")
        assert x.shape == () and x.dtype == np.dtype("S3") and x.tolist() == b"abc" == np.array(b"abc").item()
    assert cyops.Strided(b"").tolist() == b"" and cyops.Strided([b"a", b"bcd"]).dtype == np.dtype("S3")
    assert cyops.Strided(bytearray(b"ab")).tolist() == [97, 98]
    assert cyops.Strided(b"abc").storage.is_readonly and not ct.constant(b"abc").storage.is_readonly
