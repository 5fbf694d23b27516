"""What goes wrong on some ranks: programs for test_distributed_safety.py."""
import os
import signal
import sys
import time

import numpy as np

import cytensor as ct
from cytensor.callbacks import LambdaCallback
from cytensor.distribution import DataParallel, set_distribution
from ranks.programs import data, dense, with_dropout


def differing(what):
    """The text of the error where rank 1 has something else."""
    strategy = DataParallel()
    set_distribution(strategy)
    ct.set_seed(3)
    other = strategy.rank == 1
    x, y, _ = data()
    model = ct.Sequential([ct.layers.Input((5,)), ct.layers.Dense(9 if other and what == "architecture" else 8),
                           ct.layers.Dense(3, activation="softmax")])
    model.compile(ct.optimizers.SGD(0.1 if other and what == "optimizer" else 0.2), "sparse_categorical_crossentropy",
                  metrics=["mse" if other and what == "metrics" else "accuracy"])
    if other and what == "data":
        x = x + 1
    options = {"batch_size": 8 if other and what == "batch_size" else 16,
               "epochs": 3 if other and what == "epochs" else 2}
    try:
        model.fit(x, y, verbose=0, **options)
    except ValueError as error:
        return str(error)
    return "nothing was raised"


def training(strategy, path, kind="with_dropout", slow=0.0, callbacks=(), epochs=4):
    """The weights after a training that a file continues."""
    ct.set_seed(5)
    set_distribution(strategy)
    model = {"with_dropout": with_dropout, "dense": dense}[kind](loss="sparse_categorical_crossentropy")
    pause = LambdaCallback(on_train_batch_end=lambda batch, logs: time.sleep(slow))
    model.fit(*data()[:2], batch_size=8, epochs=epochs, verbose=0, resume=path, callbacks=[*callbacks, pause])
    return model.get_weights()


def resumed(shards, path):
    return training(DataParallel(shards=shards), path)


def different_weights():
    """The text of the error at the end of an epoch in which rank 2 changed a weight by itself."""
    strategy = DataParallel()
    set_distribution(strategy)
    model = dense(loss="sparse_categorical_crossentropy")

    def disturb(batch, logs):
        if strategy.rank == 2 and batch == 2:
            model.weights[1].assign(model.weights[1].numpy() + 1e-3)
    try:
        model.fit(*data()[:2], batch_size=8, verbose=0, callbacks=LambdaCallback(on_train_batch_end=disturb))
    except RuntimeError as error:
        return str(error)
    return "nothing was raised"


def main(what, path, shards):
    """A program that is ended from outside, or by an error of one rank."""
    strategy = DataParallel(shards=int(shards), timeout=3.0 if what == "late" else 60.0)
    print(f"rank {strategy.rank} is process {os.getpid()}", flush=True)

    def happen(batch, logs):
        if strategy.rank != 1 or batch != 3:
            return
        if what == "error":
            raise KeyError("of rank 1 alone")
        if what == "late":
            time.sleep(30)
        if what == "terminated":
            os.kill(os.getpid(), signal.SIGTERM)
        if what == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "full":
            raise OSError(28, "No space left on device")
    training(strategy, path, slow=0.01, callbacks=[LambdaCallback(on_train_batch_end=happen)], epochs=4)
    print("trained", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
    np.seterr(all="raise")
