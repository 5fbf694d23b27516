"""Memory of other libraries by DLPack: values, who may write it, how long it lives, and capsules that lie."""
import ctypes
import gc
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest

import cyops
import cytensor as ct

BASE = np.arange(24, dtype=np.float32).reshape(4, 6)
VIEWS = [BASE, BASE.T, BASE[1:, ::2], BASE[::-1, ::-2], BASE[0, 0, ...], BASE[:0], BASE[:, :0],
         np.broadcast_to(BASE[:1], (3, 6))]
DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32",
          "float64", "complex64"]
POINTER = ctypes.c_void_p
new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype, new_capsule.argtypes = ctypes.py_object, (POINTER, ctypes.c_char_p, POINTER)


class Described(ctypes.Structure):
    """A DLTensor."""
    _fields_ = [("data", POINTER), ("device", ctypes.c_int32), ("id", ctypes.c_int32), ("ndim", ctypes.c_int32),
                ("kind", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16),
                ("shape", ctypes.POINTER(ctypes.c_int64)), ("strides", ctypes.POINTER(ctypes.c_int64)),
                ("byte_offset", ctypes.c_uint64)]


class Versioned(ctypes.Structure):
    _fields_ = [("major", ctypes.c_uint32), ("minor", ctypes.c_uint32), ("owner", POINTER), ("deleter", POINTER),
                ("flags", ctypes.c_uint64), ("tensor", Described)]


KEPT = []


def capsule(shape=(2, 3), strides=None, major=1, flags=0, deleter=None, **fields):
    """A capsule that says what it is told to, of float32 unless told otherwise."""
    values = (ctypes.c_float * 6)(*range(6))
    lengths, steps = (ctypes.c_int64 * 4)(*shape), strides and (ctypes.c_int64 * 4)(*strides)
    given = {"data": ctypes.addressof(values), "device": 1, "ndim": len(shape), "kind": 2, "bits": 32, "lanes": 1,
             "shape": lengths, **({"strides": steps} if strides else {}), **fields}
    lent = Versioned(major, 0, None, ctypes.cast(deleter, POINTER) if deleter else None, flags, Described(**given))
    KEPT.append((values, lengths, steps, lent, deleter))
    return new_capsule(ctypes.addressof(lent), b"dltensor_versioned", None)


@pytest.mark.parametrize("array", VIEWS)
def test_a_view_of_any_strides_is_the_same_memory(array):
    x = ct.from_dlpack(array)
    assert type(x) is ct.Tensor and x.shape == array.shape and np.array_equal(x.numpy(), array)
    assert array.size == 0 or np.shares_memory(x.numpy(), array)
    assert not np.shares_memory(ct.from_dlpack(array, copy=True).numpy(), array)
    assert type(cyops.from_dlpack(array)) is cyops.Strided


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_are_kept(dtype):
    array = np.array([0, 1, 1], dtype)
    x = ct.from_dlpack(array)
    assert x.dtype == array.dtype and np.array_equal(x.numpy(), array)


def test_writing_goes_both_ways_unless_the_memory_is_read_only():
    array = BASE.copy()
    x = ct.from_dlpack(array)
    x[0, 0], array[0, 1] = 7.0, 8.0
    assert array[0, 0] == 7 and x[0, 1] == 8
    array.flags.writeable = False
    for fixed in (ct.from_dlpack(array), ct.from_dlpack(np.ones(2).__dlpack__())):
        with pytest.raises(ValueError, match="read-only"):
            fixed[...] = 0.0
    ct.from_dlpack(array, copy=True)[...] = 0.0
    assert array[0, 0] == 7


def test_a_tensor_keeps_its_gradient():
    x = ct.Variable([1.0, 2.0])
    with ct.GradientTape() as tape:
        y = ct.from_dlpack(x * 3.0, copy=True) * 2.0
    assert tape.gradient(y, x).tolist() == [6.0, 6.0]


class Array(np.ndarray):
    """An array that can be watched."""


@pytest.mark.slow
def test_either_side_may_outlive_the_other():
    array = BASE.copy().view(Array)
    gone = weakref.ref(array)
    x = ct.from_dlpack(array)
    view = x[1:, ::2]
    del array, x
    gc.collect()
    assert gone() is not None and np.array_equal(view.numpy(), BASE[1:, ::2])
    held = [view]
    del view
    worker = threading.Thread(target=held.clear)
    worker.start()
    worker.join()
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("options", [{}, {"max_version": (1, 0)}])
def test_a_capsule_is_used_once(options):
    source = np.arange(3.0)
    used = source.__dlpack__(**options)
    x = ct.from_dlpack(used)
    for consume in (ct.from_dlpack, cyops.from_dlpack):
        with pytest.raises(ValueError, match="used before"):
            consume(used)
    del used, source
    gc.collect()
    assert x.tolist() == [0.0, 1.0, 2.0]
    other = ct.from_dlpack(x.__dlpack__(max_version=(1, 0)))
    assert other.tolist() == x.tolist() and np.shares_memory(other.numpy(), x.numpy())


@pytest.mark.slow
def test_the_deleter_runs_once_and_only_for_what_was_taken_over():
    calls = []
    deleter = ctypes.CFUNCTYPE(None, POINTER)(calls.append)
    view = ct.from_dlpack(capsule(deleter=deleter))[0]
    gc.collect()
    assert not calls
    del view
    gc.collect()
    assert len(calls) == 1
    with pytest.raises(BufferError):
        ct.from_dlpack(capsule(deleter=deleter, lanes=4))
    gc.collect()
    assert len(calls) == 1


@pytest.mark.parametrize(("lie", "message"), [
    ({"device": 2}, r"device 2 \(CUDA\)"), ({"device": 77}, r"device 77 \(unknown\)"), ({"lanes": 4}, "4 lanes"),
    ({"kind": 3, "bits": 64}, "type code 3"), ({"bits": 24}, "24 bits"), ({"major": 2}, "version 2.0"),
    ({"shape": (2, -3)}, "must not be negative"), ({"ndim": 17}, "at most 16 axes"), ({"ndim": -1}, "at most 16 axes"),
    ({"data": None}, "no memory"), ({"strides": (2**62, 1)}, "address space"),
    ({"strides": (-2**63, 1)}, "address space"), ({"byte_offset": 1}, "multiples of 4"),
])
def test_capsules_that_cannot_be_taken_are_refused(lie, message):
    with pytest.raises(BufferError, match=message):
        ct.from_dlpack(capsule(**lie))


def test_more_elements_than_memory_has_are_refused():
    with pytest.raises(ValueError, match="more bytes than memory"):
        ct.from_dlpack(capsule(shape=(2**40, 2**40)))


def test_what_capsules_may_say():
    assert ct.from_dlpack(capsule()).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert ct.from_dlpack(capsule(byte_offset=8, shape=(2, 2))).tolist() == [[2, 3], [4, 5]]
    assert ct.from_dlpack(capsule(strides=(1, 2), shape=(2, 3))).tolist() == [[0, 2, 4], [1, 3, 5]]
    assert ct.from_dlpack(capsule(strides=(0, 1), shape=(2, 3))).tolist() == [[0, 1, 2]] * 2
    assert ct.from_dlpack(capsule(shape=())).item() == 0.0
    assert ct.from_dlpack(capsule(shape=(0, 3), data=None)).shape == (0, 3)


class Foreign:
    """A maker whose answers are chosen."""

    def __init__(self, device, answer):
        self.device, self.answer, self.asked = device, answer, None

    def __dlpack_device__(self):
        return self.device

    def __dlpack__(self, **options):
        self.asked = options
        return self.answer


def test_another_device_is_asked_for_a_copy_only_where_the_caller_says_so():
    foreign = Foreign((2, 0), capsule())
    with pytest.raises(BufferError, match=r"device 2 \(CUDA\)"):
        ct.from_dlpack(foreign)
    with pytest.raises(BufferError, match="CUDA"):
        ct.from_dlpack(foreign, device="cpu", copy=False)
    assert foreign.asked is None
    assert ct.from_dlpack(foreign, device="cpu").shape == (2, 3)
    assert foreign.asked["dl_device"] == (1, 0)


@pytest.mark.parametrize(("x", "message"), [
    (Foreign((1, 0), None), "must return a capsule"), (Foreign("cpu", None), "must return .device type, id."),
    (Foreign, "must have the methods"), (5, "must have the methods"),
])
def test_what_takes_no_part_is_refused(x, message):
    with pytest.raises(TypeError, match=message):
        ct.from_dlpack(x)


def test_makers_of_before_the_keywords_are_understood():
    class Old:
        def __dlpack_device__(self):
            return 1, 0

        def __dlpack__(self, stream=None):
            return BASE.copy().__dlpack__()

    assert ct.from_dlpack(Old()).tolist() == ct.asarray(Old()).tolist() == BASE.tolist()
    ct.from_dlpack(Old(), copy=True)[...] = 0.0


def test_capsules_of_other_names_are_refused():
    value = ctypes.c_int()
    with pytest.raises(ValueError, match="got 'other'"):
        ct.from_dlpack(new_capsule(ctypes.addressof(value), b"other", None))


def test_the_interpreter_may_end_while_memory_is_lent_and_borrowed():
    code = ("import numpy as np, cytensor as ct\n"
            "kept = ct.from_dlpack(np.ones(1000)), np.from_dlpack(ct.ones(1000)), ct.ones(3).__dlpack__()\n"
            "import sys; sys.kept = kept\n")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""


@pytest.mark.parametrize("dtype", [*DTYPES, "bfloat16"])
def test_pytorch(dtype):
    torch = pytest.importorskip("torch")
    theirs = torch.tensor([[0, 1, 1], [1, 0, 1]]).to(getattr(torch, dtype))
    for view in (theirs, theirs.T, theirs[:, ::2], theirs[0, 0], theirs[:0]):
        x = ct.from_dlpack(view)
        assert x.dtype == dtype and x.shape == tuple(view.shape) and torch.equal(torch.from_dlpack(x), view)
    assert ct.asarray(theirs).dtype == dtype


def test_jax():
    jnp = pytest.importorskip("jax.numpy")
    theirs = jnp.arange(6.0).reshape(2, 3)
    x = ct.from_dlpack(theirs)
    with pytest.raises(ValueError, match="read-only"):
        x[0, 0] = 5.0
    for back in (jnp.asarray(x), jnp.from_dlpack(ct.from_dlpack(theirs, copy=True))):
        assert back.shape == (2, 3) and back.tolist() == theirs.tolist()
