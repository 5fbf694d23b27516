"""What a step of data-parallel training costs: a model of its time, and how its constants are measured.

    step = compute(B / N) + max(0, all_reduce(bytes, N) - overlap) + waiting for the slowest

`cytensor measure` prints the constants, benchmarks/scale.py predicts and simulates with them, docs/scale.md says how
far that agrees.
"""
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

import cytensor as ct
from cytensor.distribution.mpi import Processes

SIZES = tuple(1 << power for power in range(10, 25, 2))        # bytes of the sums that are measured


@dataclass(frozen=True)
class Network:
    """How long a sum over ranks takes: seconds before the first byte arrives, and for each byte behind it."""
    latency: float
    seconds_a_byte: float

    def all_reduce(self, size: float, ranks: int) -> float:
        """Seconds for the sum of `size` bytes: a tree for the latency, a ring for the bytes.

        Each rank sends and receives 2 (N - 1) / N of them, whatever N is. Source: Thakur, Rabenseifner, Gropp,
        "Optimization of collective communication operations in MPICH" (2005).
        """
        if ranks == 1:
            return 0.0
        return 2 * math.ceil(math.log2(ranks)) * self.latency + 2 * (ranks - 1) / ranks * size * self.seconds_a_byte


@dataclass(frozen=True)
class Work:
    """A step without communication: seconds whatever the batch, and for each row of it; bytes of gradients.

    overlap: the share of the compute behind which the sum can hide. spread: the standard deviation of a rank's time
    over its mean.
    """
    fixed: float
    seconds_a_row: float
    size: float
    overlap: float = 0.0
    spread: float = 0.0

    def compute(self, rows: float) -> float:
        """Seconds for so many rows."""
        return self.fixed + rows * self.seconds_a_row

    def step(self, batch: int, ranks: int, network: Network) -> float:
        """Seconds for a step of a whole batch on so many ranks.

        The slowest of N times that are normally distributed is later than their mean by the standard deviation times
        the quantile (N - 0.375) / (N + 0.25). Source: Blom, "Statistical estimates and transformed beta-variables"
        (1958).
        """
        compute = self.compute(math.ceil(batch / ranks))
        exposed = max(0.0, network.all_reduce(self.size, ranks) - self.overlap * compute)
        later = NormalDist().inv_cdf((ranks - 0.375) / (ranks + 0.25)) if ranks > 1 else 0.0
        return compute * (1 + self.spread * later) + exposed


def fitted(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """(at 0, for each unit): the line through points (x, seconds) that makes the least relative squares.

    >>> [round(value, 6) for value in fitted([(1.0, 3.0), (2.0, 5.0), (4.0, 9.0)])]
    [1.0, 2.0]
    """
    x, seconds = (np.array(values, np.float64) for values in zip(*points, strict=True))
    matrix = np.stack([np.ones_like(x), x], axis=1) / seconds[:, None]
    first, each = np.linalg.lstsq(matrix, np.ones_like(seconds), rcond=None)[0]
    return max(0.0, float(first)), max(0.0, float(each))


def network_of(times: Sequence[tuple[float, float]], ranks: int) -> Network:
    """The Network that explains the times of sums, pairs (bytes, seconds), on so many ranks.

    >>> network = network_of([(size, Network(1e-6, 1e-9).all_reduce(size, 4)) for size in (1e3, 1e5, 1e7)], 4)
    >>> round(network.latency * 1e6, 3), round(network.seconds_a_byte * 1e9, 3)
    (1.0, 1.0)
    """
    before, each = fitted(times)
    return Network(before / (2 * math.ceil(math.log2(ranks))), each / (2 * (ranks - 1) / ranks))


# -- measuring --------------------------------------------------------------------------------------------------------
def fastest(call: Callable[[], object], rounds: int = 20) -> float:
    """The least seconds of several calls."""
    best = math.inf
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best


def kernel_rates() -> dict[str, float]:
    """By name, of this process: matrix products in operations a second, sums and copies in bytes a second."""
    a, b = ct.random.normal((512, 512)), ct.random.normal((512, 512))
    long = ct.random.normal((1 << 23,))
    out = ct.zeros(long.shape)
    return {"matrix products, GFLOP/s": 2 * 512**3 / fastest(lambda: ct.matmul(a, b)) / 1e9,
            "elementwise over 32 MB, GB/s": 2 * long.nbytes / fastest(lambda: ct.negative(long, out=out)) / 1e9,
            "sum of 32 MB, GB/s": long.nbytes / fastest(lambda: ct.sum(long)) / 1e9}


def sums_by_size(processes: Processes, rounds: int = 50) -> list[tuple[int, float]]:
    """[(bytes, the median of the seconds that their sum over all ranks takes)]."""
    found = []
    for size in SIZES:
        values, times = np.ones(size // 4, np.float32), []
        for _ in range(rounds):
            processes.gather_numbers(np.zeros(1))
            start = time.perf_counter()
            processes.wait(processes.start_sum(values))
            times.append(time.perf_counter() - start)
            values[:] = 1
        found.append((size, float(np.max(processes.gather_numbers(np.array([np.median(times)]))))))
    return found
