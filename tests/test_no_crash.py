"""Nothing that Python code can pass in brings the interpreter down: hostile arguments, and a fuzz over every op.

Both run in a process of their own, so that a crash is a failed test that names the call and not the end of the run.
"""
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

PREPARE = """
import ctypes, gc, mmap, sys, threading
import numpy as np
import cyops
import cytensor as ct

class Short(tuple):
    def __len__(self): return 0

class ShortList(list):
    def __len__(self): return 1

class Index:
    def __init__(self, value): self.value = value
    def __index__(self): return self.value

class Growing:
    def __index__(self):
        lengths.extend([1] * 50)
        return 1

class Array:
    def __array__(self, *args, **options): return np.asarray(cyops.Strided(self))

class NoArray:
    def __array__(self, *args, **options): return self

class Impostor(ct.Tensor):
    def __new__(cls, *args): return 5

class Liar(ct.Tensor):
    shape = property(lambda self: (10**6,))
    def __len__(self): return 10**6
    def __array__(self, *args, **options): return np.zeros(5)

class Key:
    shape, dtype = 5, bool

def records(*extra):
    recorder = cyops.Recorder()
    recorder.start()
    recorder.records.extend(extra)
    recorder.stop()

lengths = [Growing()]
x = ct.asarray(np.arange(12, dtype=np.float32).reshape(3, 4))
whole = ct.asarray([1, -2**63])
long = ct.broadcast_to(ct.ones(()), (2**60,))
big = sys.maxsize
Elementwise = type(cyops.add)
"""

# Each is evaluated by itself; an exception of one of the usual kinds is as good as a result.
HOSTILE = """
ct.zeros(Short([1] * 40))
ct.zeros(ShortList([1] * 40))
ct.reshape(ct.ones(1), lengths)
ct.broadcast_to(x, Short([1] * 100))
ct.as_strided(x, Short([1] * 100), Short([0] * 100))
ct.as_strided(x, (2, 2), (2**62, -2**63))
ct.as_strided(x, (2,), ("a",))
ct.permute_dims(x, Short([0] * 100))
ct.sum(x, axis=Short([0] * 100))
ct.sliding_window_view(ct.zeros(1000), (100,) * 9, axis=(0,) * 9)
ct.diagonal(x, 2**70), ct.diagonal(x, -2**63)
ct.reshape(ct.zeros((0, 3)), (0,), copy=True)
ct.reshape(ct.zeros((0, 3)), (-1, 0))
[x[::step].tolist() for step in (big, -big, -big - 1, 2**70, -2**70)]
x[Index(2**70)]
x[(None,) * 15]
x[(0,) * 40]
x[Key()]
x[[]], x[[[]]]
x[ct.asarray(np.array([2, 0, 255], np.uint8).view(bool))]
repr(long), long.nbytes
bytes(long)
ct.concat([long] * 16)
ct.matmul(long.reshape((-1, 1)), long.reshape((1, -1)))
ct.take(x, np.array([2**64 - 1], np.uint64))
ct.one_hot([0, 1], 2**62)
ct.one_hot([0, 1], 2, on_value=[1, 2, 3])
ct.one_hot([0, 1], 2, off_value=np.ones(0))
cyops.scatter_view(ct.ones(5), (4,), (5,), (2**62,), 0)
cyops.scatter_view(ct.ones(5), (4,), (5,), (1,), 2**63 - 2)
cyops.take_gradient(x, [0, 1, 2], (2**62, 4), 0)
cyops.view_geometry(lambda v: v, (1,) * 40)
cyops.view_geometry(lambda v: v + 1, (2,))
cyops.view_geometry(lambda v: v.item() and v, (1,))
cyops.as_class(x, Impostor)
(cyops.set_tensor_class(Impostor), x + x, x[0], cyops.set_tensor_class(ct.Tensor))
(lambda y: (y + 1, y.sum(), ct.concat([y, y]), y @ y, np.asarray(y)))(Liar([1.0, 2.0]))
cyops.Strided.__new__(ct.Tensor).sum(), repr(ct.Tensor.__new__(ct.Tensor))
x.__init__([1.0])
cyops.Storage(8).__init__(8)
memoryview(cyops.Storage.__new__(cyops.Storage)).tolist()
repr(cyops.Record.__new__(cyops.Record))
cyops.Recorder.__new__(cyops.Recorder).start()
records(5)
records(None)
Elementwise.__new__(Elementwise)()
Elementwise(9999, "x", ("a",), "")(1.0)
Elementwise(0, "add", ("a",), "")(1.0)
ct.asarray(Array())
x + NoArray()
whole // 0, whole // -1, whole % -1, whole % 0
ct.asarray([-128], "int8") // ct.asarray([-1], "int8")
ct.asarray([0]) ** -1
ct.asarray([np.nan, np.inf, 1e30]).astype("uint8")
ct.zeros(3, "S").tolist(), ct.asarray(["ab"]).astype("U").tolist()
ct.zeros(3, "S2147483647")
ct.zeros((2**63 - 1, 0))
ct.asarray((ctypes.c_wchar * 3)()), ct.asarray((ctypes.c_int * 3 * 0)())
ct.asarray(np.zeros(3, [("b", "i1"), ("a", "f4")])["a"])
cyops.adam_step(x, x, x, None, 0.1, 0.9, 0.99, 1e-7, 1)
cyops.sgd_step([x, 5], [x, x], 0.1)
ct.set_num_threads(2**70)
"""

WITH_STATEMENTS = """
held = bytearray(16)
tensor = ct.asarray(held)
try:
    held.extend(b"x" * 10**6)
    sys.exit("a viewed bytearray was resized")
except BufferError:
    pass
tensor = ct.asarray(np.arange(1e5))         # its exporter is gone
gc.collect()
assert float(tensor.sum()) == 4999950000.0
mapped = mmap.mmap(-1, 4096)
tensor = ct.asarray(mapped)
try:
    mapped.close()
    sys.exit("a viewed map was closed")
except BufferError:
    assert tensor.sum() == 0
view = memoryview(ct.zeros(1000))           # its tensor is gone
gc.collect()
ct.ones(1000)
assert view[5] == 0
y = ct.zeros((2, 3))
for _ in range(100_000):                    # each remembers the one before it
    y = ct.softmax(y)
del y
variable = ct.Variable([1.0, 2.0])
with ct.GradientTape() as tape:
    y = variable
    for _ in range(50_000):
        y = y + 1.0
assert tape.gradient(y, variable).tolist() == [1.0, 1.0]

def work():
    a = ct.ones((120, 120))
    for _ in range(20):
        with ct.GradientTape() as tape:
            tape.watch(a)
            y = ct.softmax(a @ a).sum()
        tape.gradient(y, a)

threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""

TRY_EACH = """
for line in HOSTILE.strip().splitlines():
    print(line, flush=True)                 # a crash leaves its call as the last line
    try:
        eval(line)
    except (ValueError, TypeError, IndexError, OverflowError, MemoryError, BufferError, AttributeError, RecursionError):
        pass
"""


def run(*arguments, timeout):
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=timeout, cwd=HERE)
    assert done.returncode == 0, f"return code {done.returncode} after:\n{done.stdout[-500:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.mark.slow
def test_hostile_arguments():
    run("-c", f"{PREPARE}\nHOSTILE = {HOSTILE!r}\n{TRY_EACH}", timeout=60)


@pytest.mark.slow
def test_lifetimes_long_chains_and_threads():
    run("-c", PREPARE + WITH_STATEMENTS, timeout=60)


@pytest.mark.slow
def test_every_compiled_callable_with_none_blank_lying_and_changing_arguments():
    calls = int(run("hostile_walk.py", timeout=240).split()[-2])
    assert calls > 100_000, "the walk found few callables"


@pytest.mark.slow
def test_every_op_gives_what_numpy_gives_or_a_clean_error():
    pytest.importorskip("hypothesis")
    rows = [line.split() for line in run("fuzz_ops.py", "40", timeout=120).splitlines()]
    idle = [name for name, given, _ in rows if int(given) == 0]
    assert idle == [], "no call of these ops gave a result, so nothing was compared"
