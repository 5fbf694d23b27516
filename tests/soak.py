"""Many fits and predicts in one process: what memory does. `python tests/soak.py` runs 1000 fits and 100000 predicts.

Every fit has its own model, optimizer, metrics and callbacks; predicts alternate between one row and many. The tests
run a short form.
"""
import argparse
import gc
import time
import warnings

import numpy as np

import cytensor as ct
from cytensor import callbacks, layers

X = np.random.default_rng(0).random((200, 12), dtype=np.float32)
Y = (X[:, 0] > 0.5).astype(np.int64)


def resident():
    """Megabytes of anonymous memory the process holds, by the system's account; 0 where that is not kept."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("RssAnon")) / 1000
    except (OSError, StopIteration):
        return 0.0


def fit_once(number):
    model = ct.Sequential([layers.Dense(16 + number % 3, "relu"), layers.BatchNormalization(), layers.Dropout(0.1),
                           layers.Dense(2, "softmax")])
    model.compile(("adam", "rmsprop", "sgd")[number % 3], "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, Y, epochs=2, verbose=0, validation_split=0.2,
              callbacks=[callbacks.EarlyStopping(patience=1, restore_best_weights=True)])
    return model


def soak(fits, predicts, report=lambda *values: None):
    """(MB the process grew by, bytes of live tensors, Python objects) after a warm-up of a tenth of the fits."""
    ct.set_seed(0)
    start = None
    for number in range(fits + fits // 10 + 1):
        if number == fits // 10 + 1:
            start = measure()
        model = fit_once(number)
        if number % max(1, fits // 10) == 0:
            report("fits", number, resident())
    del model
    model = fit_once(0)
    for number in range(predicts):
        model.predict(X[:1] if number % 10 else X, verbose=0)
        if number % max(1, predicts // 10) == 0:
            report("predicts", number, resident())
    del model
    return tuple(after - before for after, before in zip(measure(), start, strict=True))


def measure():
    gc.collect()
    return resident(), ct.memory_stats()["in_use"], len(gc.get_objects())


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fits", type=int, default=1000)
    parser.add_argument("--predicts", type=int, default=100_000)
    arguments = parser.parse_args()
    began = time.perf_counter()
    grown = soak(arguments.fits, arguments.predicts, lambda *values: print(*values, flush=True))
    print(f"{arguments.fits} fits, {arguments.predicts} predicts in {time.perf_counter() - began:.0f} s: the process "
          f"grew by {grown[0]:.1f} MB, live tensors by {grown[1]} bytes, Python objects by {grown[2]}")
