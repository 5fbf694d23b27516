"""A training step in its steady state: a tensor takes its memory from the pool, which has it back when nobody holds it;
and what somebody holds is never written again."""
import gc

import numpy as np
import pytest

import cytensor as ct
from cytensor import layers

RNG = np.random.default_rng(0)
X = RNG.random((64, 20), np.float32)
LABELS = RNG.integers(0, 4, 64)


def make_model():
    return ct.Sequential([layers.Dense(16, activation="relu"), layers.Dense(8, activation="tanh"),
                          layers.Dense(4, activation="softmax")])


def step_with_a_tape(optimizer):
    """A function that trains one step and returns all that a user may keep of it."""
    model, loss_of = make_model(), ct.losses.SparseCategoricalCrossentropy()
    x, y = ct.asarray(X), ct.asarray(LABELS)

    def step():
        with ct.GradientTape() as tape:
            predictions = model(x)
            loss = loss_of(y, predictions)
        gradients = tape.gradient(loss, model.trainable_weights)
        optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))
        return [predictions, loss, *gradients]

    return step


def step_of_fit(optimizer):
    model = make_model()
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])

    def step():
        model.fit(X, LABELS, batch_size=16, epochs=1, verbose=0)

    return step


def memory():
    """Bytes of live tensors, and how many blocks were ever asked of the operating system."""
    stats = ct.memory_stats()
    return stats["in_use"], stats["allocations"] - stats["reuses"]


@pytest.mark.slow
@pytest.mark.parametrize("make_step", [step_with_a_tape, step_of_fit])
@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adam"])
def test_a_step_allocates_nothing_new_and_leaves_nothing_behind(make_step, name):
    if ct.memory_stats()["limit"] == 0:
        pytest.skip("built with sanitizers: the allocator keeps nothing")
    step = make_step(ct.optimizers.get(name))
    for _ in range(3):
        step()
    gc.collect()  # what other tests left in cycles is not ours to count
    before = memory()
    for _ in range(5):
        step()
    assert memory() == before


def test_what_is_kept_of_a_step_is_not_written_by_the_next():
    step = step_with_a_tape(ct.optimizers.SGD(0.1))
    kept = step()
    views = [x[...] if x.ndim == 0 else x[::-1] for x in step()]
    copies = [np.array(x) for x in (*kept, *views)]
    for _ in range(5):
        step()
    for x, copy in zip((*kept, *views), copies, strict=True):
        assert np.array_equal(np.asarray(x), copy)
