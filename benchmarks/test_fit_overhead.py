"""What `fit` costs beside the steps it makes: an epoch of MNIST with everything on, and the bare loop of steps.

Everything: validation on the test images, early stopping, a checkpoint after the epoch, and the bar on a terminal. The
bare loop gathers a batch, records, goes back and updates; as a second peer it also runs the model over the test images.
"""

import io
import sys
import time

import numpy as np

import cyops
import cytensor as ct
from cytensor import callbacks, layers
from cytensor.datasets import mnist

from .timing import idle, summarise

BATCH, ROUNDS = 128, 7


class Terminal(io.StringIO):
    """Where the bar is drawn."""

    def isatty(self):
        return True


def new_model(x):
    model = ct.Sequential([layers.Dense(512, activation="relu"), layers.Dense(10, activation="softmax")])
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model(x[:1])
    return model


def bare_epoch(model, x, y):
    weights, optimizer, loss_of = model.trainable_weights, model.optimizer, model.loss
    order = np.random.default_rng(0).permutation(len(x))
    for start in range(0, len(x), BATCH):
        rows = order[start : start + BATCH]
        batch, labels = cyops.gather_rows(x, rows), cyops.gather_rows(y, rows)
        with ct.GradientTape() as tape:
            loss = loss_of(labels, model(batch, training=True))
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))


def evaluate_by_hand(model, x):
    for start in range(0, len(x), BATCH):
        model(x[start : start + BATCH], training=False)


def fit_epoch(model, data, validation, path):
    stdout, sys.stdout = sys.stdout, Terminal()
    extra = [callbacks.EarlyStopping(patience=9), callbacks.ModelCheckpoint(path)]
    try:
        model.fit(*data, batch_size=BATCH, validation_data=validation, callbacks=extra, verbose=1)
    finally:
        sys.stdout = stdout


def test_fit_overhead(benchmark, tmp_path):
    train, test = ((ct.asarray(x.reshape(len(x), -1).astype(np.float32) / 255), ct.asarray(y.astype(np.int64)))
                   for x, y in mnist.load_data())
    model, bare = new_model(train[0]), new_model(train[0])
    theirs: dict[str, list] = {"the bare steps": [], "and a pass over the test images": []}
    ours = []

    def one_round():
        idle()
        start = time.perf_counter()
        bare_epoch(bare, *train)
        stepped = time.perf_counter()
        evaluate_by_hand(bare, test[0])
        theirs["the bare steps"].append(stepped - start)
        theirs["and a pass over the test images"].append(time.perf_counter() - start)
        idle()
        start = time.perf_counter()
        fit_epoch(model, train, test, tmp_path / "model.safetensors")
        ours.append(time.perf_counter() - start)

    benchmark.pedantic(one_round, rounds=ROUNDS)
    work = "validation, early stopping, checkpoint and bar"
    summarise(benchmark, "fit beside its own steps, an epoch of MNIST", work, ours, theirs)
