"""Training on a file larger than memory: rows a second from the file and from memory, and what the process holds.

    python benchmarks/large_file.py --gigabytes 20 --folder FOLDER

The file is sparse where the file system allows, and removed at the end. The network is a dense layer of 10 on rows of
784, so that reading is most of the work.
"""
import argparse
import os
import resource
import tempfile
import time

import numpy as np

import cytensor as ct
from cytensor.utils import dataset_from_files

FEATURES, BATCH = 784, 1024


def network():
    model = ct.Sequential([ct.layers.Input((FEATURES,)), ct.layers.Dense(10, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def held():
    """The most that the process has held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=20.0)
    parser.add_argument("--memory-limit", default="256MB")
    parser.add_argument("--folder", default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        rows = int(options.gigabytes * 1e9 / (FEATURES * 4))
        for name, shape, dtype in (("x.npy", (rows, FEATURES), np.float32), ("y.npy", (rows,), np.uint8)):
            np.lib.format.open_memmap(os.path.join(folder, name), "w+", dtype, shape).flush()
        files = dataset_from_files(os.path.join(folder, "x.npy"), os.path.join(folder, "y.npy"), batch_size=BATCH,
                                   memory_limit=options.memory_limit)
        start = time.perf_counter()
        network().fit(files, verbose=0)
        seconds = time.perf_counter() - start
        print(f"{files!r}: {rows / seconds:,.0f} rows/s from the file, {held():.0f} MB held at most", flush=True)
    count = 50 * BATCH
    x, y = np.zeros((count, FEATURES), np.float32), np.zeros(count, np.int64)
    model, best = network(), np.inf
    for _ in range(5):
        start = time.perf_counter()
        model.fit(x, y, batch_size=BATCH, verbose=0)
        best = min(best, time.perf_counter() - start)
    print(f"{count / best:,.0f} rows/s from memory")


if __name__ == "__main__":
    main()
