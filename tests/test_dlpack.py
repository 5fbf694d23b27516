"""Memory lent by DLPack: what consumers see of it, how long it lives, and what is refused."""
import ctypes
import gc

import numpy as np
import pytest

import cyops
import cytensor as ct

BASE = np.arange(24, dtype=np.float32).reshape(4, 6)
DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32",
          "float64", "complex64"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_that_numpy_has_is_lent_with_its_shape_and_memory(dtype):
    x = ct.asarray(BASE.astype(dtype))
    for view in (x, x.T, x[1:, ::2], x[:1, :1], x[2, 3], ct.asarray(np.zeros((0, 3), dtype))):
        array = np.from_dlpack(view)
        assert array.shape == view.shape and array.dtype == view.dtype and np.array_equal(array, view.numpy())
        assert view.size == 0 or np.shares_memory(array, view.numpy())
    assert x.__dlpack_device__() == (1, 0)


def test_writing_into_what_was_lent_writes_the_tensor():
    x = ct.zeros((2, 3))
    array = np.from_dlpack(x)
    x[1, 2] = 7.0
    assert array[1, 2] == 7.0 and array.flags.writeable


@pytest.mark.parametrize("x", [
    ct.asarray(np.frombuffer(bytes(8), np.float32)), ct.broadcast_to(ct.ones(1), (3,)), ct.asarray(memoryview(b"abc")),
], ids=["read-only", "repeated", "bytes"])
def test_read_only_memory_is_marked_or_refused(x):
    assert not np.from_dlpack(x).flags.writeable
    with pytest.raises(BufferError, match="this memory is read-only"):
        x.__dlpack__()
    copied = np.from_dlpack(x, copy=True)
    assert copied.flags.writeable and np.array_equal(copied, x.numpy())


def test_what_a_tape_has_recorded_is_lent_read_only():
    v = ct.Variable([1.0, 2.0])
    with ct.GradientTape():
        assert (v * v).shape == (2,)
        assert not np.from_dlpack(v).flags.writeable
    assert np.from_dlpack(v).flags.writeable


def test_negative_strides_are_copied_because_consumers_do_not_take_them():
    x = ct.asarray(BASE.copy())[::-1, ::-1]
    array = np.from_dlpack(x)
    assert np.array_equal(array, BASE[::-1, ::-1]) and not np.shares_memory(array, x.numpy())
    with pytest.raises(BufferError, match="negative strides"):
        x.__dlpack__(copy=False)


@pytest.mark.parametrize(("options", "message"), [
    ({"stream": 1}, "a CPU has no streams"), ({"dl_device": (2, 0)}, "the memory is the CPU's"),
])
def test_what_a_cpu_does_not_have_is_refused(options, message):
    with pytest.raises(BufferError, match=message):
        ct.ones(2).__dlpack__(**options)
    with pytest.raises(BufferError, match="DLPack has no strings"):
        ct.asarray(["a"]).__dlpack__()


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"max_version": (1, 0)}, {"max_version": (2, 5)}, {"copy": True}])
def test_a_capsule_that_nobody_consumes_gives_its_memory_back(options):
    gc.collect()                       # what earlier tests left would be given back meanwhile
    before = cyops.memory_stats()["in_use"]
    capsules = [ct.ones(1000).__dlpack__(**options) for _ in range(50)]
    assert cyops.memory_stats()["in_use"] >= before + 50 * 4000
    del capsules
    gc.collect()
    assert cyops.memory_stats()["in_use"] == before


@pytest.mark.slow
def test_what_was_consumed_lives_as_long_as_its_array():
    gc.collect()
    before = cyops.memory_stats()["in_use"]
    array = np.from_dlpack(ct.full((1000,), 3.0))
    gc.collect()
    ct.zeros(1000)
    assert set(array.tolist()) == {3.0}
    del array
    gc.collect()
    assert cyops.memory_stats()["in_use"] == before


def test_writable_bytes_without_a_shape_are_not_lent():
    """As torch.asarray asks for, writable and then, with the error still standing, read-only."""
    class Buffer(ctypes.Structure):
        _fields_ = [("words", ctypes.c_size_t * 16)]

    get = ctypes.PyDLL(None).PyObject_GetBuffer
    get.argtypes, get.restype = (ctypes.py_object, ctypes.c_void_p, ctypes.c_int), ctypes.c_int
    with pytest.raises(BufferError, match=r"writable bytes without shape and dtype are not lent.*torch\.from_dlpack"):
        get(ct.ones((3, 4)), ctypes.byref(Buffer()), 1)
    assert len(b"".join([ct.ones((3, 4))])) == 48 and memoryview(ct.ones((3, 4))).shape == (3, 4)


def test_torch_sees_the_shape():
    torch = pytest.importorskip("torch")
    x = ct.asarray(BASE.copy())
    for give in (torch.from_dlpack, torch.tensor, torch.as_tensor):
        for view in (x, x.T, x[1:, ::2], x[0, 0]):
            assert tuple(give(view).shape) == view.shape and np.array_equal(give(view).numpy(), view.numpy())
    with pytest.raises(RuntimeError):
        torch.asarray(x)
