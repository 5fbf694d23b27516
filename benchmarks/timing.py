"""How times are taken and kept: a side times itself in batches; a row keeps medians, best times and ratios.

Before a turn is a pause, in which the threads of the side before fall asleep, and then a batch that is not timed, which
wakes the side's own.
"""

import os
import statistics
import threading
import time
import timeit

# Idle workers of OpenBLAS and libgomp spin and slow down whatever runs next: OpenBLAS's for 105 ms on an AMD EPYC,
# where after a pause of 40 ms PyTorch's product of 512 x 512 matrices took 16 ms instead of 1.4, and ours 1.9 instead
# of 0.65.
IDLE = 0.04
LONGEST_IDLE = 0.5
# One timed batch of calls lasts about this long, or one call where that is longer.
BATCH = 0.002
ROUNDS = 5
# A side whose second call takes longer than this (the naive loops) is timed by that call alone.
SLOW = 0.3


def other_threads_run():
    """Whether a thread of this process beside the caller is running, where the system tells."""
    mine = threading.get_native_id()
    try:
        for thread in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{thread}/stat") as file:
                if int(thread) != mine and file.read().rpartition(")")[2].split()[0] == "R":
                    return True
    except OSError:  # another system, or a thread that has just ended
        pass
    return False


def idle():
    """A pause until the threads of whoever ran last are asleep."""
    end = time.perf_counter() + LONGEST_IDLE
    time.sleep(IDLE)
    while other_threads_run() and time.perf_counter() < end:
        time.sleep(IDLE / 8)


class Side:
    """One competitor: its code, how many calls make a batch, and the seconds that a call took in each of its turns.

    `code` is a function without arguments, or a statement to run with the names in the dict `names`.
    """

    def __init__(self, code, names=None):
        self.timer = timeit.Timer(code, globals=names)
        self.calls, self.seconds = 1, []
        self.timer.timeit(1)  # warm up; a compiler's first call is its compilation
        took = self.timer.timeit(1)
        self.slow = took > SLOW
        if self.slow:
            self.seconds.append(took)
        while took < BATCH / 4:
            self.calls *= 4
            took = self.timer.timeit(self.calls)
        self.calls = max(1, round(self.calls * BATCH / took))

    def turn(self):
        """One batch that wakes threads and fills caches, and one that is timed."""
        if not self.slow:
            self.timer.timeit(self.calls)
            self.seconds.append(self.timer.timeit(self.calls) / self.calls)


def summarise(benchmark, table, work, ours, theirs, unit="s", name="cytensor"):
    """Keep with the benchmark what report.py prints of it: a row of `table`, from the figures of each side.

    `ours` is a list of figures, of the side `name`; `theirs` is a dict from a peer's name to such a list. `unit` is s,
    another one, or empty.
    """
    middle = statistics.median(ours)

    def figures(taken):
        return {"median": statistics.median(taken), "best": min(taken), "all": [float(f"{one:.4g}") for one in taken]}

    benchmark.extra_info.update(
        table=table,
        work=work,
        name=name,
        ours=figures(ours),
        peers={
            name: {**figures(taken), "ratio": statistics.median(taken) / middle} for name, taken in theirs.items()
        },
        unit=unit,
    )
