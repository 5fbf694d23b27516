"""Waiting for the other ranks, and naming those that do not come.

A rank that waits longer than the limit tells all others which exchange it is at and listens for what they say: those
that wait too say so, and those that say nothing, or are at another exchange, are the ones that the others wait for.
"""
import time
from typing import Any

import numpy as np

SPIN = 100                             # tests of a request before the core is given to others: some 20 us
LISTEN = 3.0                           # seconds for ranks that wait to say so


class Watchdog:
    """Waits for requests of MPI, at most `timeout` seconds for each. comm: a communicator for nothing else."""
    comm: Any
    timeout: float

    def __init__(self, comm: Any, timeout: float) -> None:
        self.comm, self.timeout = comm, timeout
        self.count: int = 0            # exchanges so far: every rank has the same ones in the same order

    def wait(self, request: Any) -> None:
        """Return when `request` is done. RuntimeError that names the missing ranks where it is not in time."""
        self.count += 1
        for _ in range(SPIN):
            if request.Test():
                return
        until = time.monotonic() + self.timeout
        while not request.Test():
            if time.monotonic() > until:
                raise RuntimeError(self._missing())
            time.sleep(0)              # more ranks than cores, and the one waited for may need this one

    def _missing(self) -> str:
        """What to say of the ranks that did not come."""
        size, rank = self.comm.Get_size(), self.comm.Get_rank()
        others = [one for one in range(size) if one != rank]
        mine = np.array([self.count], np.int64)
        sent = [self.comm.Isend(mine, dest=one) for one in others]
        at = {rank: self.count}
        until = time.monotonic() + LISTEN
        while time.monotonic() < until and len(at) < size:
            while self.comm.Iprobe():
                theirs, status = np.empty(1, np.int64), _status()
                self.comm.Recv(theirs, status=status)
                at[status.Get_source()] = int(theirs[0])
            time.sleep(0.01)
        del sent                       # the process ends: nobody waits for them
        silent = [one for one in others if one not in at]
        elsewhere = [f"rank {one} at number {count}" for one, count in sorted(at.items()) if count != self.count]
        missing = ", ".join(map(str, silent)) or "none"
        return (f"DataParallel: rank {rank} waited {self.timeout:g} s for the others at exchange number {self.count}; "
                f"missing ranks: {missing}" + (f"; at other exchanges: {', '.join(elsewhere)}" if elsewhere else ""))


def _status() -> Any:
    from mpi4py import MPI
    return MPI.Status()
