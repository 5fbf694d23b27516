"""How well the network of `cytensor train` reads digits it has not seen, over several seeds."""

import statistics

import pytest

import cytensor as ct
from cytensor.cli import data, networks

from .peers import THREADS
from .timing import summarise

SEEDS = range(5)


def accuracy_after_training(train, test, seed):
    """Test accuracy of Dense 512 relu, Dense 10 softmax after 5 epochs of RMSprop on batches of 128."""
    ct.set_seed(seed)
    model = networks.dense(train, [512], 10)
    model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(train.x, train.y, batch_size=128, epochs=5, verbose=0)
    return model.evaluate(test.x, test.y, verbose=0)[1]


@pytest.mark.skipif(THREADS != 1, reason="the figures are the same for any number of threads")
def test_accuracy_over_seeds(benchmark):
    train, test = data.training(["mnist"])
    accuracies: list[float] = []

    def train_with_each_seed():
        accuracies.extend(accuracy_after_training(train, test, seed) for seed in SEEDS)

    benchmark.pedantic(train_with_each_seed, rounds=1)
    assert statistics.median(accuracies) >= 0.977
    assert min(accuracies) >= 0.970
    work = f"test accuracy after 5 epochs, median of {len(accuracies)} seeds; lowest {min(accuracies):.4f}"
    summarise(benchmark, "MNIST with `cytensor train`", work, accuracies, {}, unit="")
