"""How far data-parallel training scales: the model of docs/scale.md, and a simulation with stragglers and failures.

    python benchmarks/scale.py                       # predictions to 10,000 ranks for three networks, two interconnects
    python benchmarks/scale.py --steps FILE          # beside what `benchmarks/distributed.py --json > FILE` measured

The rates of the networks are of one thread and stand in NETWORKS with the command that measured them.
"""
import argparse
import json
import math

import numpy as np

from cytensor.distribution.cost import Network, Work, fitted

# Seconds of a step without rows, and of each row, on one thread: the line through the two batches that `python
# benchmarks/distributed.py` measures for the first (2 cores at 2.1 GHz with AVX-512, shared with others, 28 November
# 2026). Those of the others are assumed: three times their operations forward at 60 GFLOP/s. Bytes of float32.
DENSE = fitted([(128, 2.272e-3), (1024, 9.233e-3)])
NETWORKS = {
    "784-512-10, 0.4 M parameters": Work(*DENSE, 4 * 407_050, 0.0, 0.05),
    "convnet of MNIST, 0.1 M parameters": Work(1.5e-3, 22e6 * 3 / 60e9, 4 * 104_000, 0.5, 0.05),
    "ResNet-50, 25.6 M parameters": Work(20e-3, 8.2e9 * 3 / 60e9, 4 * 25_600_000, 0.6, 0.05),
}
INTERCONNECTS = {"Ethernet of 10 Gbit/s": Network(30e-6, 8 / 10e9),
                 "InfiniBand of 200 Gbit/s": Network(2e-6, 8 / 200e9)}
RANKS = (1, 2, 4, 16, 64, 256, 1024, 4096, 10_000)


def efficiency(work, batch, ranks, network):
    """The share of the ranks' time that a single rank would need for the same rows."""
    return work.compute(batch) / (ranks * work.step(batch, ranks, network))


def pays_until(work, batch, network):
    """The number of ranks, a power of 2, at which a step is shortest; more make it longer."""
    counts = [1 << power for power in range(batch.bit_length()) if 1 << power <= batch]
    return min(counts, key=lambda ranks: work.step(batch, ranks, network))


def simulated(work, batch, ranks, network, steps=2000, slow=0.0, times=5.0, failure=math.inf, restart=60.0,
              checkpoint=600.0, seed=0):
    """Seconds a step, rank by rank: each takes a normally distributed time and all wait for the last.

    slow: the chance that a rank takes `times` as long in a step. failure: seconds between two failures of one rank, on
    the mean; each costs `restart` and what was done since the file that is written every `checkpoint` seconds.
    """
    source, total = np.random.default_rng(seed), 0.0
    compute = work.compute(math.ceil(batch / ranks))
    exposed = max(0.0, network.all_reduce(work.size, ranks) - work.overlap * compute)
    for _ in range(steps):
        each = compute * np.maximum(0.1, source.normal(1.0, work.spread, ranks))
        each[source.random(ranks) < slow] *= times
        total += each.max() + exposed
    if failure < math.inf:
        total += source.poisson(total * ranks / failure) * (restart + checkpoint / 2)
    return total / steps


def tables():
    for batch in (1024, 65_536):
        print(f"\nefficiency with batches of {batch} on", *(f"{ranks:6}" for ranks in RANKS if ranks <= batch),
              "  shortest step on")
        for name, work in NETWORKS.items():
            for wire, network in INTERCONNECTS.items():
                row = [f"{efficiency(work, batch, ranks, network):6.2f}" for ranks in RANKS if ranks <= batch]
                print(f"{name:34} {wire:24}", *row, f"  {pays_until(work, batch, network)} ranks")
    print(f"\n{'ResNet-50, InfiniBand, 32 rows a rank':40} {'model':>8} {'simulated':>10} {'stragglers':>11} "
          f"{'failures':>9}")
    work, network = NETWORKS["ResNet-50, 25.6 M parameters"], INTERCONNECTS["InfiniBand of 200 Gbit/s"]
    for ranks in (1, 4, 64, 1024):
        times = [work.step(32 * ranks, ranks, network), simulated(work, 32 * ranks, ranks, network),
                 simulated(work, 32 * ranks, ranks, network, slow=1e-3),
                 simulated(work, 32 * ranks, ranks, network, failure=30 * 86_400)]
        print(f"{ranks:30} ranks      " + "".join(f"{seconds:10.2f}" for seconds in times) + " s a step")


def beside(path):
    """Predictions of the steps in a file beside what was measured."""
    with open(path) as file:
        found = json.load(file)
    steps = {(batch, name): seconds for batch, name, seconds in found["steps"]}
    alone = [(batch, seconds) for (batch, name), seconds in steps.items() if name == "1 process of 1 thread"]
    work = Work(*fitted(alone), 4 * 407_050)
    network = Network(0.0, found["all_reduce"] / (4 * 407_050))
    for batch, _ in alone:
        measured = steps[batch, "2 processes of 1 thread"]
        print(f"batches of {batch} on 2 ranks: predicted {work.step(batch, 2, network) * 1e3:.2f} ms, measured "
              f"{measured * 1e3:.2f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", help="what benchmarks/distributed.py --json printed")
    options = parser.parse_args()
    if options.steps:
        beside(options.steps)
    else:
        tables()


if __name__ == "__main__":
    main()
