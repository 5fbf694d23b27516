"""Training on several processes, started by `mpiexec -n N`, with the names of `keras.distribution`.

    import cytensor as ct

    ct.distribution.set_distribution(ct.distribution.DataParallel())

    data_parallel.py  DataParallel: what a program says and asks; data/cutting.py cuts batches for it
    steps.py          what `fit`, `evaluate` and `predict` do with each batch; step.py its gradients
    buckets.py        gradients of all processes made one during the backward pass; reduction.py behind it, and
    tree.py           the order of that sum for fixed shards
    sums.py           metrics and logs over all processes; corrections.py losses that are no mean over rows
    handshake.py      what all ranks must have alike
    mpi.py            the processes and their exchanges; watchdog.py names those that do not come
    threads.py        threads and cores of each process; uncaught.py errors that end all of them

Needs mpi4py and an MPI library (the extra `mpi`), which are imported when a DataParallel is made and not before.
"""
from cytensor import parallel
from cytensor.absent import explain
from cytensor.distribution.data_parallel import DataParallel

__all__ = ["DataParallel", "distribution", "set_distribution"]


def set_distribution(value: DataParallel | None) -> None:
    """Train on all processes from here on, or with None on this one alone. TypeError for anything else.

    All processes take over the random state of rank 0, so that they initialise, shuffle and drop alike; each must call
    this, with the same arguments.

    >>> set_distribution(None)
    """
    if value is None:
        parallel.distribution = None
        return
    if not isinstance(value, DataParallel):
        raise TypeError(f"set_distribution: must be given a DataParallel or None; got {value!r}")
    value.enter()


def distribution() -> DataParallel | None:
    """The DataParallel that was set, None where there is none.

    >>> distribution() is None
    True
    """
    found: DataParallel | None = parallel.distribution
    return found


def __dir__() -> list[str]:
    return [*__all__]


explain(__name__)
