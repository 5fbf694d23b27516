"""How many threads each process computes with, and on which cores."""
import os

import cyops
from cytensor.distribution.mpi import Processes

GIVEN = ("CYOPS_NUM_THREADS", "OMP_NUM_THREADS")


def share_cores(processes: Processes, threads: int | None) -> int:
    """Set the number of threads of this process, pin it to its own cores where there are enough, and return it.

    threads: None for the machine's cores divided by its processes, unless the environment says how many. Processes that
    mpiexec has bound to cores stay there, and have as many threads as these.
    """
    given = any(os.environ.get(name) for name in GIVEN)
    if not hasattr(os, "sched_getaffinity"):           # macOS pins nothing
        cores = set(range(os.cpu_count() or 1))
        count = threads or max(1, len(cores) // processes.local_size)
    else:
        cores = os.sched_getaffinity(0)
        everyone = processes.gather((processes.local_rank, sorted(cores)))
        shared = any(set(theirs) & cores for rank, (_, theirs) in enumerate(everyone) if rank != processes.rank)
        count = threads or max(1, len(cores) // (processes.local_size if shared else 1))
        own = sorted(cores)[processes.local_rank * count:(processes.local_rank + 1) * count]
        if shared and not given and count * processes.local_size <= len(cores):
            os.sched_setaffinity(0, own)
    if threads is not None or not given:
        cyops.set_num_threads(count)
    return cyops.get_num_threads()
