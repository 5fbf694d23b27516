"""Training on two processes beside one: 784-512-10 on MNIST's shape, and beside PyTorch's DistributedDataParallel.

    python benchmarks/distributed.py                    # all, each in its own processes; needs mpiexec
    python benchmarks/distributed.py --python PYTHON    # PyTorch is in another environment

Each line is the fastest of the rounds, which take turns, so that what else the machine does falls on all alike. Rates
are samples a second over all processes. `--json` prints the same for benchmarks/scale.py.
"""
import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
BATCHES = (128, 1024)
STEPS = {128: 150, 1024: 40}


def data(count):
    source = np.random.default_rng(0)
    return source.normal(size=(count, 784)).astype("float32"), source.integers(0, 10, count)


def ours(batch, distributed, shards=None):
    """Seconds for each step of the package's `fit`."""
    import cytensor as ct
    strategy = None
    if distributed:
        strategy = ct.distribution.DataParallel(shards)
        ct.distribution.set_distribution(strategy)
    ct.set_seed(0)
    model = ct.Sequential([ct.layers.Input((784,)), ct.layers.Dense(512, activation="relu"),
                           ct.layers.Dense(10, activation="softmax")])
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = data(batch * STEPS[batch])
    model.fit(x[:batch * 5], y[:batch * 5], batch_size=batch, verbose=0)
    best = np.inf
    for _ in range(3):
        if strategy is not None:
            strategy.barrier()
        start = time.perf_counter()
        model.fit(x, y, batch_size=batch, verbose=0)
        best = min(best, time.perf_counter() - start)
    return best / STEPS[batch], strategy is None or strategy.rank == 0


def pytorch(batch):
    """Seconds for each step of DistributedDataParallel with gloo, data cut beforehand."""
    import torch
    import torch.distributed as dist
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    rank, size = dist.get_rank(), dist.get_world_size()
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(784, 512), torch.nn.ReLU(), torch.nn.Linear(512, 10))
    model = torch.nn.parallel.DistributedDataParallel(model)
    optimizer, loss_of = torch.optim.RMSprop(model.parameters()), torch.nn.CrossEntropyLoss()
    x, y = map(torch.from_numpy, data(batch * STEPS[batch]))
    each, best = batch // size, np.inf
    for _ in range(4):
        dist.barrier()
        start = time.perf_counter()
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
        right = torch.zeros((), dtype=torch.int64)
        for first in range(0, len(x), batch):
            rows = order[first + rank * each:first + (rank + 1) * each]
            optimizer.zero_grad()
            outputs = model(x[rows])
            loss = loss_of(outputs, y[rows])
            loss.backward()
            optimizer.step()
            right += (outputs.argmax(1) == y[rows]).sum()
        best = min(best, time.perf_counter() - start)
    dist.destroy_process_group()
    return best / STEPS[batch], rank == 0


def all_reduce(kilobytes):
    """Seconds for the sum of so much float32 over all ranks, without anything beside it."""
    from cytensor.distribution.mpi import Processes
    processes = Processes(60.0)
    values, times = np.ones(kilobytes * 256, np.float32), []
    for _ in range(300):
        processes.gather_numbers(np.zeros(1))
        start = time.perf_counter()
        processes.wait(processes.start_sum(values))
        times.append(time.perf_counter() - start)
    return float(np.median(times)), processes.rank == 0


PROGRAMS = {"one": lambda batch: ours(batch, False), "distributed": lambda batch: ours(batch, True),
            "sharded": lambda batch: ours(batch, True, 2), "pytorch": pytorch, "all_reduce": all_reduce}


def measured(program, batch, ranks, threads, python):
    """The seconds that one run of a program on so many processes says."""
    variables = {"CYOPS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": "1",
                 "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                 "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    command = [python, __file__, "--program", program, "--batch", str(batch)]
    if program == "pytorch":
        processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | variables | {
            "RANK": str(rank), "WORLD_SIZE": str(ranks), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29511"})
            for rank in range(ranks)]
        text = "".join(process.communicate(timeout=300)[0] for process in processes)
    else:
        launcher = os.environ.get("MPIEXEC", str(Path(sys.executable).with_name("mpiexec")))
        run = [launcher, "-n", str(ranks), *command] if program != "one" else command
        text = subprocess.run(run, capture_output=True, text=True, env=os.environ | variables, timeout=300,
                              check=True).stdout
    return float(text.split("seconds ")[1].split()[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", choices=PROGRAMS)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python", default=None, help="an interpreter that has PyTorch")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.program:
        seconds, speaks = PROGRAMS[options.program](options.batch)
        if speaks:
            print(f"seconds {seconds}", flush=True)
        return
    runs = [("1 process of 1 thread", "one", 1, 1), ("1 process of 2 threads", "one", 1, 2),
            ("2 processes of 1 thread", "distributed", 2, 1), ("the same with shards=2", "sharded", 2, 1)]
    if options.python:
        runs.append(("PyTorch DDP, gloo, 2 of 1 thread", "pytorch", 2, 1))
    found: dict[tuple[int, str], float] = {}
    for _ in range(options.rounds):
        for batch in BATCHES:
            for name, program, ranks, threads in runs:
                python = options.python if program == "pytorch" else sys.executable
                seconds = measured(program, batch, ranks, threads, python)
                found[batch, name] = min(seconds, found.get((batch, name), np.inf))
    reduced = min(measured("all_reduce", 1600, 2, 1, sys.executable) for _ in range(options.rounds))
    if options.json:
        print(json.dumps({"steps": [[*key, value] for key, value in found.items()], "all_reduce": reduced}))
        return
    for (batch, name), seconds in found.items():
        print(f"batch {batch:5}  {name:34} {seconds * 1e3:8.3f} ms a step  {batch / seconds:10,.0f} samples/s")
    for batch in BATCHES:
        two = found[batch, "2 processes of 1 thread"]
        print(f"batch {batch:5}  2 of 1 against 1 of 2: {found[batch, '1 process of 2 threads'] / two:.2f}; efficiency "
              f"against 1 of 1: {found[batch, '1 process of 1 thread'] / two / 2:.2f}")
        if options.python:
            print(f"batch {batch:5}  against PyTorch DDP: {found[batch, 'PyTorch DDP, gloo, 2 of 1 thread'] / two:.2f}")
    print(f"all-reduce of 1.6 MB over 2 processes: {reduced * 1e6:.0f} us")


if __name__ == "__main__":
    main()
