"""How well the networks of `cytensor train` read digits they have not seen, over several seeds."""

import statistics

import pytest

import cytensor as ct
from cytensor.cli import commands, data, networks

from .peers import THREADS
from .targets import ACCURACY
from .timing import summarise


def accuracy_after_training(kind, train, test, seed):
    """Test accuracy after 5 epochs of RMSprop on batches of 128, as the command trains."""
    options = commands.build_parser().parse_args(["train", "--model", kind])
    ct.set_seed(seed)
    model = networks.build(kind, train, None, 10)
    optimizer = commands.optimizer_of(options, len(train.x))
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(train.x, train.y, batch_size=128, epochs=5, verbose=0)
    return model.evaluate(test.x, test.y, verbose=0)[1]


def measure(benchmark, kind, seeds):
    """The accuracies, kept as a row that names the lowest."""
    train, test = data.training(["mnist"])
    if kind == "convnet":
        train, test = (part._replace(x=networks.as_images(part.x)) for part in (train, test))
    accuracies: list[float] = []

    def train_with_each_seed():
        accuracies.extend(accuracy_after_training(kind, train, test, seed) for seed in range(seeds))

    benchmark.pedantic(train_with_each_seed, rounds=1)
    work = f"{kind}: test accuracy after 5 epochs, median of {seeds} seeds; lowest {min(accuracies):.4f}"
    summarise(benchmark, ACCURACY, work, accuracies, {}, unit="")
    return accuracies


@pytest.mark.skipif(THREADS != 1, reason="the figures are the same for any number of threads")
def test_accuracy_over_seeds(benchmark):
    accuracies = measure(benchmark, "dense", 5)
    assert statistics.median(accuracies) >= 0.977
    assert min(accuracies) >= 0.970


@pytest.mark.skipif(THREADS != 2, reason="as above, and two threads are sooner done")
def test_accuracy_of_the_convnet(benchmark):
    accuracies = measure(benchmark, "convnet", 5)
    assert statistics.median(accuracies) >= 0.990
    assert min(accuracies) >= 0.985
