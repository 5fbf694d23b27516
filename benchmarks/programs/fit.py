"""`fit` of 784-512-10 on MNIST, batches of 128: one turn is one epoch, the first epoch is the warm-up.

python -m benchmarks.programs.fit cytensor|keras OPTIMIZER [NAME=VALUE ...]

One program for both libraries, because it is the same program in both. KERAS_BACKEND names Keras's backend; further
names and values are options of `compile`.
"""

import ast
import importlib
import sys
import time
from typing import Any

from benchmarks.programs import turns
from cytensor.datasets import mnist


def main(library, optimizer, *options):
    keras: Any = importlib.import_module(library)

    class Turns(keras.callbacks.Callback):
        """Stops the clock between the epochs, while others have their turns."""

        def on_epoch_begin(self, epoch, logs=None):
            if epoch:
                turns.wait()
                self.start = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            if epoch:
                turns.tell(time.perf_counter() - self.start)

    (x, y), _ = mnist.load_data()
    x = x.reshape(len(x), 784).astype("float32") / 255
    model = keras.Sequential([keras.layers.Dense(512, activation="relu"), keras.layers.Dense(10, activation="softmax")])
    given = {name: ast.literal_eval(value) for name, value in (option.split("=") for option in options)}
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"], **given)
    model.fit(x, y, batch_size=128, epochs=10**6, verbose=0, callbacks=[Turns()])


if __name__ == "__main__":
    main(*sys.argv[1:])
