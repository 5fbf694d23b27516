"""`cytensor measure`: what this machine, and under mpiexec the network, can do; the constants of docs/scale.md."""
import argparse
import sys
from typing import Any


def add_options(parser: argparse.ArgumentParser) -> None:
    """Those of the command."""
    parser.add_argument("--distributed", action="store_true",
                        help="also the sum over the processes that `mpiexec -n N cytensor measure` started, by size; "
                        "needs the extra mpi")


def measure(options: argparse.Namespace) -> None:
    """cytensor measure"""
    import cyops
    from cytensor.distribution import cost

    processes: Any = None
    if options.distributed:
        from cytensor.distribution import DataParallel
        strategy = DataParallel()
        processes = strategy.processes
    rates = cost.kernel_rates()
    if processes is None:
        show(rates, f"1 process of {cyops.get_num_threads()} threads")
        return
    everyone = processes.gather(rates)
    times = cost.sums_by_size(processes) if processes.size > 1 else []
    if processes.rank:
        return
    slowest = {name: min(one[name] for one in everyone) for name in rates}
    show(slowest, f"the slowest of {processes.size} processes of {cyops.get_num_threads()} threads, "
                  f"{processes.library_name}")
    for size, seconds in times:
        print(f"{f'sum of {size:,} bytes':32} {seconds * 1e6:12,.1f} us")
    if times:
        network = cost.network_of(times, processes.size)
        print(f"{'latency of a message':32} {network.latency * 1e6:12,.2f} us")
        print(f"{'bytes behind it':32} {1e-9 / network.seconds_a_byte if network.seconds_a_byte else 0:12,.2f} GB/s")
    sys.stdout.flush()


def show(rates: dict[str, float], where: str) -> None:
    """Print rates by name."""
    print(where)
    for name, rate in rates.items():
        print(f"{name:32} {rate:12,.1f}")
