"""Where memory is lacking, the error names the op, the bytes and the shape."""
import os
import re
import subprocess
import sys

import numpy as np
import pytest

import cyops
import cytensor as ct

HUGE = 2**50                           # elements of float32: 4 PB, more than machines have, less than can be addressed
long = cyops.broadcast_to(cyops.zeros((1,)), (HUGE,))
square = cyops.broadcast_to(cyops.zeros((1,)), (2**25, 2**25))


@pytest.mark.parametrize(("call", "op", "shape"), [
    (lambda: cyops.empty((HUGE,)), "empty", (HUGE,)),
    (lambda: cyops.zeros((2, HUGE)), "zeros", (2, HUGE)),
    (lambda: ct.ones((HUGE, 1)), "ones", (HUGE, 1)),
    (lambda: ct.full((HUGE,), 3.0), "full", (HUGE,)),
    (lambda: long + 1, "add", (HUGE,)),
    (lambda: long[:2**25] * cyops.zeros((2**25, 1)), "multiply", (2**25, 2**25)),
    (lambda: cyops.exp(long), "exp", (HUGE,)),
    (lambda: ct.where(long > 0, long, long), "greater", (HUGE,)),
    (lambda: ct.clip(long, 0.0, 1.0), "clip", (HUGE,)),
    (lambda: cyops.matmul(square[:, :1], square[:1]), "matmul", (2**25, 2**25)),
    (lambda: cyops.one_hot(cyops.zeros((2**10,), "int64"), 2**40), "one_hot", (2**10, 2**40)),
    (lambda: cyops.take(square[:1], np.zeros(2**16, np.int64), axis=0), "take", (2**16, 2**25)),
    (lambda: ct.concat([long, long]), "concat", (2 * HUGE,)),
    (lambda: ct.sum(cyops.broadcast_to(cyops.zeros((1, 1)), (1, HUGE)), axis=0), "sum", (HUGE,)),
    (lambda: ct.softmax(square), "softmax", (2**25, 2**25)),
    (lambda: cyops.copy(long), "copy", (HUGE,)),
    (lambda: cyops.astype(long, "float64"), "astype", (HUGE,)),
    (lambda: cyops.reshape(square, (HUGE,), copy=True), "reshape", (2**25, 2**25)),
])
def test_the_op_and_the_shape_are_named(call, op, shape):
    with pytest.raises(MemoryError) as caught:
        call()
    assert re.fullmatch(rf"{op}: cannot allocate \d+ bytes for shape {re.escape(str(shape))}", str(caught.value))


def test_bytes_are_those_of_the_shape():
    with pytest.raises(MemoryError, match=rf"^zeros: cannot allocate {8 * HUGE} bytes for shape \({HUGE},\)$"):
        cyops.zeros((HUGE,), "float64")
    assert cyops.zeros((3,)).tolist() == [0, 0, 0]           # the allocator goes on


@pytest.mark.parametrize(("call", "message"), [
    (lambda: ct.random.uniform((2**25, 2**25)), r"uniform: .*\(33554432, 33554432\)"),
    (lambda: ct.random.normal((2**25, 2**25)), r"normal: .*\(33554432, 33554432\)"),
    (lambda: ct.random.truncated_normal((2**25, 2**25)), r"truncated_normal: .*\(33554432, 33554432\)"),
    (lambda: ct.random.randint((2**25, 2**25), 0, 9), r"randint: .*\(33554432, 33554432\)"),
    (lambda: ct.layers.Dense(2**40).build((None, 2**10)),
     r"add_weight of layer 'dense', weight 'kernel': uniform: .*\(1024, 1099511627776\)"),
    (lambda: ct.layers.Embedding(2**40, 2**10).build((None, 3)), r"layer 'embedding', weight 'embeddings': uniform: "),
])
def test_memory_that_numpy_does_not_find(call, message):
    with pytest.raises(MemoryError, match=message):
        call()


LIMITED = """
import resource, sys
import cytensor as ct
model = ct.Sequential([ct.layers.Input((1000,)), ct.layers.Dense(30000)])
model.save(sys.argv[1])
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 60_000_000, -1))          # half of what the weights need
for call in (model.load_weights, ct.models.load_model):
    try:
        call(sys.argv[1])
    except MemoryError as error:
        print(error)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs Linux's resource limits")
@pytest.mark.slow
def test_files_that_memory_does_not_hold(tmp_path):
    path = str(tmp_path / "m.safetensors")
    done = subprocess.run([sys.executable, "-c", LIMITED, path], capture_output=True, text=True, timeout=60)
    expected = f"load: cannot allocate the {os.path.getsize(path)} bytes of '{path}'"
    assert [line.split(";")[0] for line in done.stdout.splitlines()] == [expected] * 2, done.stderr or done.stdout
