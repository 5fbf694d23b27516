"""Once it runs, `fit` asks the system for nothing: what a step held, the next one uses."""
import gc

import numpy as np
import pytest

import cytensor as ct
from cytensor import callbacks, layers


@pytest.mark.slow
@pytest.mark.skipif(ct.memory_stats()["limit"] == 0, reason="a sanitizer's build keeps no memory")
@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam"])
def test_fit_takes_no_new_memory_once_it_runs(optimizer):
    hidden = layers.Dense(64, activation="relu")
    model = ct.Sequential([hidden, layers.Dropout(0.1), layers.Dense(5, activation="softmax")])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 255, (640, 20), np.uint8), rng.integers(0, 5, 640)
    seen = []
    gc.collect()  # what other tests left in cycles is not ours to count

    def look(batch, logs):
        stats = ct.memory_stats()
        seen.append((stats["allocations"] - stats["reuses"], stats["in_use"], stats["peak"]))

    model.fit(x, y, batch_size=64, epochs=3, verbose=0, validation_data=(x[:100], y[:100]),
              callbacks=[callbacks.LambdaCallback(on_train_batch_end=look)])
    assert len(seen) == 30 and len(set(seen[10:])) == 1, seen[10:]
