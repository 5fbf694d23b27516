"""Small data, compiled models and an interruption that the tests of training share."""

import numpy as np

from cytensor import callbacks, layers, optimizers, random
from cytensor.models import Sequential


class Interrupted(Exception):
    pass


class Interrupt(callbacks.Callback):
    """Fails after a number of batches of all epochs."""

    def __init__(self, after):
        self.left = after

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise Interrupted


def data(n=100, features=4, classes=3):
    source = np.random.default_rng(0)
    x = source.standard_normal((n, features)).astype(np.float32)
    return x, np.argmax(x[:, :classes] + 0.1 * source.standard_normal((n, classes)), axis=1)


def classifier(optimizer="adam", compiled=True, **options):
    random.set_seed(1)
    model = Sequential([layers.Dense(16, activation="relu"), layers.Dense(3, activation="softmax")])
    if compiled:
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], **options)
    return model


def line_model(learning_rate=0.1):
    """One weight and one bias, starting from 0."""
    model = Sequential([layers.Dense(1, kernel_initializer="zeros", input_shape=(1,))])
    model.compile(optimizers.SGD(learning_rate), "mse")
    return model
