"""Keras's `predict` of 784-512-10 on a number of rows, NumPy in and out: one turn is one call.

python -m benchmarks.programs.predict ROWS
"""

import sys

import keras
import numpy as np

from benchmarks.programs import turns


def main(rows):
    x = np.random.default_rng(0).random((int(rows), 784), np.float32)
    model = keras.Sequential(
        [keras.Input((784,)), keras.layers.Dense(512, activation="relu"), keras.layers.Dense(10, activation="softmax")]
    )
    turns.serve(lambda: model.predict(x, verbose=0))


if __name__ == "__main__":
    main(*sys.argv[1:])
