# cython: language_level=3, binding=True
"""How many threads the kernels share their work between: detected at import, changed at any time.

Results do not depend on it. The pool itself is csrc/runtime/pool.c.
"""
from cyops.strided cimport api, read_integer

import os
from pathlib import Path

CGROUP_ROOT = "/sys/fs/cgroup"


def first_number(text):
    """The integer that `text` begins with, as in "4,2"; None where it is not one of at least 1."""
    try:
        number = int((text or "").split(",")[0])
    except ValueError:
        return None
    return number if number >= 1 else None


def available_cpus():
    """How many CPUs this process may run on."""
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        return os.cpu_count() or 1


def read_numbers(path, count):
    """The whitespace-separated integers of a file of `count` words; None where they are not there ("max" included)."""
    try:
        words = path.read_text().split()
        return [int(word) for word in words] if len(words) == count else None
    except (OSError, ValueError):
        return None


def group_limit(folder):
    """CPUs' worth of time that one control group may use, rounded up; None without a limit."""
    numbers = read_numbers(folder / "cpu.max", 2)                      # cgroup v2
    if numbers is None:                                                # cgroup v1
        quota = read_numbers(folder / "cpu.cfs_quota_us", 1)
        period = read_numbers(folder / "cpu.cfs_period_us", 1)
        if quota is None or period is None:
            return None
        numbers = quota + period
    quota, period = numbers
    return max(1, -(-quota // period)) if quota > 0 and period > 0 else None


def quota_cpus(root=CGROUP_ROOT, membership="/proc/self/cgroup"):
    """The smallest limit of this process's control groups and their ancestors; None without one.

    A container may show its own group as the root, so a folder that is missing counts as no limit.
    """
    try:
        lines = Path(membership).read_text().splitlines()
    except OSError:
        return None
    limits = []
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers == "":
            mount = Path(root)
        elif "cpu" in controllers.split(","):
            mount = next((m for m in (Path(root, controllers), Path(root, "cpu")) if m.is_dir()), Path(root))
        else:
            continue
        group = Path(path.strip("/"))
        limits += [group_limit(mount / folder) for folder in (group, *group.parents)]
    return min((limit for limit in limits if limit is not None), default=None)


def default_num_threads():
    """CYOPS_NUM_THREADS, else OMP_NUM_THREADS, else the smaller of the CPUs allowed and the control group's quota."""
    for name in ("CYOPS_NUM_THREADS", "OMP_NUM_THREADS"):
        number = first_number(os.environ.get(name))
        if number is not None:
            return number
    return min(available_cpus(), quota_cpus() or available_cpus())


def get_num_threads():
    """How many threads a kernel may use, the calling one included.

    >>> import cyops
    >>> cyops.get_num_threads() >= 1
    True
    """
    return api().get_num_threads()


def count_workers():
    """How many worker threads the pool has started so far; at most one fewer than `get_num_threads` ever gave."""
    return api().count_workers()


class set_num_threads:
    """Sets how many threads a kernel may use, the calling one included, for the whole process.

    count: an integer >= 1; at most 256 are used. Takes effect at once, and as a context manager until its end. Results
    do not depend on it. ValueError below 1, TypeError for anything but an integer.

    >>> import cyops
    >>> before = cyops.get_num_threads()
    >>> with cyops.set_num_threads(1):
    ...     cyops.get_num_threads()
    1
    >>> cyops.get_num_threads() == before
    True
    """

    def __init__(self, count):
        if isinstance(count, bool) or not hasattr(count, "__index__"):
            raise TypeError(f"set_num_threads: count must be an integer; got {count!r}")
        cdef Py_ssize_t wanted = read_integer("set_num_threads", "count", count)
        if wanted < 1:
            raise ValueError(f"set_num_threads: count must be at least 1; got {count!r}")
        self.previous = get_num_threads()
        api().set_num_threads(min(wanted, 256))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        api().set_num_threads(self.previous)

    def __repr__(self):
        return f"set_num_threads({get_num_threads()})"


api().set_num_threads(min(default_num_threads(), 256))
