"""One process, many callers: every op from eight Python threads at once, forks from several threads, exit in the midst.

What the pool does alone is in test_threads.py. Each test is a program of its own under a watchdog.
"""
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
PRELUDE = f"""
import sys; sys.path.insert(0, {str(FOLDER)!r})
import os, threading
import numpy as np
import cyops, cytensor as ct
from samples import SAMPLES

cyops.set_num_threads(4)
rng = np.random.default_rng(0)
image = rng.random((401, 503), dtype="float32")

def large_work():
    "Ops large enough to give up the interpreter's lock and to be cut among threads."
    x = cyops.Strided(image)
    tensors = [
        cyops.matmul(x, cyops.permute_dims(x)), cyops.exp(x), cyops.add(x, x[::-1]), cyops.sum(x, axis=0),
        cyops.max(x, axis=1), cyops.softmax(x), cyops.copy(cyops.permute_dims(x)), cyops.astype(x, "float64"),
        cyops.softmax_cross_entropy(x, np.arange(401) % 503), cyops.gather_rows(x, np.arange(400, -1, -1)),
    ]
    w, g, m, v = (cyops.copy(x) for _ in range(4))
    cyops.adam_step(w, g, m, v, 0.01, 0.9, 0.999, 1e-7, 3)
    return [np.asarray(x).tobytes() for x in (*tensors, w, m, v)]

def small_work():
    "Every op once."
    results = []
    for sample in SAMPLES.values():
        operands = [values.astype("float32") for values in sample.draw(np.random.default_rng(1))]
        results.append(np.asarray(sample.call(*operands)).tobytes())
    return results

def taped_work():
    "A gradient: each thread has a tape of its own."
    x = ct.Variable(image[:50, :60])
    with ct.GradientTape() as tape:
        loss = ct.sum(ct.square(ct.relu(ct.matmul(x, ct.permute_dims(x)) - 10.0)))
    return [tape.gradient(loss, x).numpy().tobytes()]

def work():
    return small_work() + taped_work() + large_work()
"""
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def run_program(program):
    """What a program printed that had 60 seconds to do so."""
    done = subprocess.run([sys.executable, "-c", PRELUDE + program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (done.returncode, done.stderr[-3000:])
    return done.stdout.strip()


@pytest.mark.slow
def test_eight_threads_run_every_op_at_once():
    assert run_program("""
expected, wrong = work(), []

def repeat():
    for _ in range(4):
        wrong.extend(i for i, (got, known) in enumerate(zip(work(), expected, strict=True)) if got != known)

callers = [threading.Thread(target=repeat) for _ in range(8)]
for caller in callers: caller.start()
for caller in callers: caller.join()
print(wrong)
""") == "[]"


@needs_fork
@pytest.mark.slow
def test_several_threads_fork_while_others_compute():
    """Forks at the same time, each while the pool may be busy: every child and every thread gets the right bits."""
    assert run_program("""
expected, agreed, stop = large_work(), [], threading.Event()

def compute():
    while not stop.is_set():
        agreed.append(large_work() == expected)

def fork():
    for _ in range(4):
        child = os.fork()
        if child == 0:
            os._exit(0 if large_work() == expected else 1)
        agreed.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0)

others = [threading.Thread(target=compute) for _ in range(2)]
forking = [threading.Thread(target=fork) for _ in range(3)]
for thread in others + forking: thread.start()
for thread in forking: thread.join()
stop.set()
for thread in others: thread.join()
print(len(agreed) >= 12, all(agreed))
""") == "True True"


@needs_fork
@pytest.mark.slow
def test_a_child_may_fork_again_and_start_threads_of_its_own():
    assert run_program("""
expected = large_work()

def generation(depth):
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    results = []
    callers = [threading.Thread(target=lambda: results.append(large_work())) for _ in range(3)]
    for caller in callers: caller.start()
    for caller in callers: caller.join()
    good = results == [expected] * 3 and (depth == 0 or generation(depth - 1) == 0)
    os._exit(0 if good else 1)

print(generation(2), large_work() == expected)
""") == "0 True"


@pytest.mark.parametrize("leave", ["sys.exit(0)", "os._exit(0)", "pass"])
@pytest.mark.slow
def test_exit_while_every_kind_of_kernel_runs(leave):
    """Daemon threads are in the midst of kernels, and the pool's workers with them, when the interpreter goes."""
    assert run_program(f"""
import time
started = threading.Barrier(4)

def repeat():
    large_work()
    started.wait()
    while True: large_work()

for _ in range(3): threading.Thread(target=repeat, daemon=True).start()
started.wait()
time.sleep(0.05)
print("leaving", flush=True)
{leave}
""") == "leaving"


def test_tensors_cross_threads_and_outlive_their_makers():
    """What one thread made another drops: memory goes back to one pool, counted right."""
    assert run_program("""
import queue
made, before = queue.Queue(), cyops.memory_stats()["in_use"]

def make():
    for i in range(500):
        made.put(cyops.full((1 + i % 97, 64), i))

def drop():
    for i in range(1000):
        x = made.get()
        assert np.asarray(x).min() == np.asarray(x).max()

threads = [threading.Thread(target=make) for _ in range(4)] + [threading.Thread(target=drop) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(made.qsize(), cyops.memory_stats()["in_use"] - before)
""") == "0 0"
