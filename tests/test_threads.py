"""The thread count and the pool: detection, forks, exits, many Python threads. Programs run under a watchdog."""
import os
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

import cyops
from cyops import threads


def run_program(program, **environment):
    """Runs a program of its own under a watchdog; returns what it printed."""
    clean = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], env={**clean, **environment}, capture_output=True, text=True,
        timeout=60,
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    return done.stdout.strip()


def test_set_num_threads_holds_until_it_is_set_again_or_the_block_ends():
    before = cyops.get_num_threads()
    with cyops.set_num_threads(3):
        assert cyops.get_num_threads() == 3
        with cyops.set_num_threads(1):
            assert cyops.get_num_threads() == 1
        assert cyops.get_num_threads() == 3
    assert cyops.get_num_threads() == before
    cyops.set_num_threads(5)
    assert cyops.get_num_threads() == 5
    cyops.set_num_threads(before)


@pytest.mark.parametrize("count, kind, message", [
    (0, ValueError, "set_num_threads: count must be at least 1; got 0"),
    (-2, ValueError, "set_num_threads: count must be at least 1; got -2"),
    (1.5, TypeError, "set_num_threads: count must be an integer; got 1.5"),
    (True, TypeError, "set_num_threads: count must be an integer; got True"),
])
def test_set_num_threads_refuses(count, kind, message):
    before = cyops.get_num_threads()
    with pytest.raises(kind) as caught:
        cyops.set_num_threads(count)
    assert str(caught.value) == message and cyops.get_num_threads() == before


needs_affinity = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs CPU affinity")
PRINT_COUNT = "import cyops; print(cyops.get_num_threads())"


@pytest.mark.slow
def test_environment_variables_choose_in_order():
    assert run_program(PRINT_COUNT, CYOPS_NUM_THREADS="3", OMP_NUM_THREADS="2") == "3"
    assert run_program(PRINT_COUNT, OMP_NUM_THREADS="2,4") == "2"
    assert run_program(PRINT_COUNT, CYOPS_NUM_THREADS="many", OMP_NUM_THREADS="5") == "5"
    assert run_program(PRINT_COUNT, CYOPS_NUM_THREADS="0") == run_program(PRINT_COUNT)


@needs_affinity
def test_affinity_limits_the_default():
    program = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n" + PRINT_COUNT
    assert run_program(program) == "1"


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_quota_of_cgroup_v2_is_the_smallest_on_the_way_up(tmp_path):
    write(tmp_path / "slice" / "job", cpu__max="max 100000\n")
    write(tmp_path / "slice", cpu__max="250000 100000\n")
    write(tmp_path, member="0::/slice/job\n")
    assert threads.quota_cpus(tmp_path, tmp_path / "member") == 3
    write(tmp_path / "slice" / "job", cpu__max="50000 100000\n")
    assert threads.quota_cpus(tmp_path, tmp_path / "member") == 1


def test_quota_of_cgroup_v1(tmp_path):
    write(tmp_path, member="4:memory:/x\n3:cpu,cpuacct:/job\n")
    write(tmp_path / "cpu,cpuacct" / "job", cpu__cfs_quota_us="200000\n", cpu__cfs_period_us="100000\n")
    assert threads.quota_cpus(tmp_path, tmp_path / "member") == 2
    write(tmp_path / "cpu,cpuacct" / "job", cpu__cfs_quota_us="-1\n")
    assert threads.quota_cpus(tmp_path, tmp_path / "member") is None


@pytest.mark.parametrize("text", ["", "max", "max 100000", "x y", "0 0", "-1 100000", "1 2 3", "100000 0"])
def test_a_quota_that_says_nothing_is_no_limit(tmp_path, text):
    write(tmp_path, cpu__max=text, member="0::/\n:::\nnonsense\n")
    assert threads.quota_cpus(tmp_path, tmp_path / "member") is None
    assert threads.quota_cpus(tmp_path, tmp_path / "missing") is None


LIST_POOLS = """
import threadpoolctl
def pools():
    return [pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["internal_api"] == "cyops"]
"""


@pytest.mark.parametrize("program", [
    "import cyops" + LIST_POOLS, LIST_POOLS + "import cyops",
    "import importlib.util, cyops; importlib.util.find_spec('threadpoolctl')" + LIST_POOLS,
])
def test_threadpoolctl_lists_and_sets_the_pool_whichever_is_imported_first(program):
    pytest.importorskip("threadpoolctl")
    assert run_program(program + """
seen = [pools()]
with threadpoolctl.threadpool_limits(2):
    seen += [pools(), cyops.get_num_threads()]
with threadpoolctl.threadpool_limits(1, user_api="cytensor"):
    seen.append(cyops.get_num_threads())
with threadpoolctl.threadpool_limits(1, user_api="blas"):
    seen.append(cyops.get_num_threads())
print(seen, cyops.get_num_threads())
""", CYOPS_NUM_THREADS="3") == "[[3], [2], 2, 1, 3] 3"


@pytest.mark.slow
def test_threadpoolctl_is_not_imported_without_need():
    assert run_program("import cyops, sys; cyops.ones(3) + 1; print('threadpoolctl' in sys.modules)") == "False"
    assert run_program("""
import cyops, sys
sys.path.clear()
try:
    import threadpoolctl
except ModuleNotFoundError as error:
    print(error.name)
""") == "threadpoolctl"


def test_no_worker_exists_before_it_is_needed():
    assert run_program("""
        import cyops, numpy as np
        from cyops.threads import count_workers
        cyops.set_num_threads(3)
        small = np.ones((10, 10), "float32")
        cyops.matmul(small, small)
        started = [count_workers()]
        large = np.ones((500, 500), "float32")
        cyops.matmul(large, large)
        print(started + [count_workers()])
    """) == "[0, 2]"


@pytest.mark.slow
def test_work_not_worth_waking_a_thread_is_shared_when_more_of_it_follows():
    assert run_program("""
        import cyops, numpy as np, time
        from cyops.threads import count_workers
        cyops.set_num_threads(2)
        x = cyops.asarray(np.ones(100_000, "float32"))  # an addition takes about 10 us
        started = []
        for _ in range(20):
            x + x
            started.append(count_workers())
            time.sleep(0.01)
        print(started == 20 * [0], [x + x for _ in range(1000)] and count_workers())
    """) == "True 1"


BOUND = """
import cyops, numpy as np, os, time
from cyops.threads import count_workers
everywhere = os.sched_getaffinity(0)
def bind(processors, threads=(0,)):
    for thread in threads:
        os.sched_setaffinity(int(thread), processors)
def sums():
    time.sleep(0.005)  # longer than a worker waits awake
    return float(cyops.sum(x))
def repeat():
    return [sums() for _ in range(10)] == [4e6] * 10 and count_workers() == 3
x = cyops.asarray(np.ones(4_000_000, "float32"))
"""


@needs_affinity
def test_one_processor_for_all_threads_from_the_start():
    assert run_program(BOUND + "bind({min(everywhere)})\nprint(repeat())", CYOPS_NUM_THREADS="4") == "True"


@needs_affinity
@pytest.mark.slow
def test_masks_that_others_set_stay():
    assert run_program(BOUND + """
done = [repeat()]
for processor in sorted(everywhere)[:3]:
    bind({processor}, os.listdir("/proc/self/task") if os.path.isdir("/proc/self/task") else (0,))
    done.append(repeat())
    own = [os.sched_getaffinity(int(thread)) for thread in os.listdir("/proc/self/task")]
    done.append(own == [{processor}] * len(own))
bind(everywhere)
print(set(done) | {repeat()})
""", CYOPS_NUM_THREADS="4") == "{True}"


PRELUDE = """
import cyops, numpy as np, os, sys, threading
cyops.set_num_threads(4)
a = np.arange(250000, dtype="float32").reshape(500, 500) / 250000
def product():
    return np.asarray(cyops.matmul(a, a)).tobytes()
def child_agrees(expected):
    process = os.fork()
    if process == 0:
        os._exit(0 if all(product() == expected for _ in range(5)) else 1)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
"""
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@needs_fork
def test_fork_before_the_first_op():
    assert run_program(PRELUDE + """
process = os.fork()
digest = hash(product()) if process == 0 else None
if process == 0:
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), len(product()))
""") == "0 1000000"


@needs_fork
def test_fork_after_an_op():
    assert run_program(PRELUDE + """
expected = product()
print([child_agrees(expected) for _ in range(10)].count(True), product() == expected)
""") == "10 True"


@needs_fork
@pytest.mark.slow
def test_fork_while_another_thread_computes():
    assert run_program(PRELUDE + """
expected = product()
stop = threading.Event()
def compute():
    while not stop.is_set():
        assert product() == expected
workers = [threading.Thread(target=compute) for _ in range(2)]
for worker in workers: worker.start()
agreed = [child_agrees(expected) for _ in range(20)].count(True)
stop.set()
for worker in workers: worker.join()
print(agreed)
""") == "20"


def test_exit_while_threads_compute():
    assert run_program(PRELUDE + """
def compute():
    while True: product()
for _ in range(3): threading.Thread(target=compute, daemon=True).start()
product()
print("leaving")
""") == "leaving"


def test_eight_python_threads_at_once():
    a, b = (np.random.default_rng(0).random((300, 300)).astype("float32") for _ in range(2))
    expected = np.asarray(cyops.matmul(a, b)).tobytes()
    wrong = []

    def compute():
        for _ in range(30):
            if np.asarray(cyops.matmul(a, b)).tobytes() != expected:
                wrong.append(threading.get_ident())

    with cyops.set_num_threads(4):
        callers = [threading.Thread(target=compute) for _ in range(8)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(60)
    assert not wrong and not any(caller.is_alive() for caller in callers)


def test_the_count_changes_while_others_compute():
    a = np.ones((400, 400), "float32")
    expected = np.asarray(cyops.matmul(a, a)).tobytes()
    done = threading.Event()
    before = cyops.get_num_threads()

    def change():
        count = 1
        while not done.is_set():
            cyops.set_num_threads(count)
            count = count % 6 + 1

    changer = threading.Thread(target=change)
    changer.start()
    try:
        assert all(np.asarray(cyops.matmul(a, a)).tobytes() == expected for _ in range(100))
    finally:
        done.set()
        changer.join(60)
        cyops.set_num_threads(before)
