"""Which batches an epoch has: steps_per_epoch, validation_steps and data that ends, as in Keras.

The expected outcomes are Keras 3.15.1's; where Keras is installed, it is asked again.
"""
import warnings

import numpy as np
import pytest
from small_models import Interrupt, Interrupted

import cytensor as ct
from cytensor import callbacks

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")      # Keras's own


def theirs():
    keras = pytest.importorskip("keras", reason="Keras is not installed")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("only TensorFlow lets a model look at the values it is trained on")
    return keras


sides = pytest.mark.parametrize("side", [lambda: ct, theirs], ids=["here", "Keras"])
ENDED = ("the data ended after", "Your input ran out of data")
X = np.arange(8, dtype=np.float32)[:, None]


def epochs_of(library, x, **options):
    """("012|3", "", 1, 3): the first value of each batch trained on and of each validated on, by epochs; how often a
    warning said that the data had ended; the steps that callbacks were told.
    """
    keras = library
    seen, validated = [], []

    class Seeing(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x, training=False):
            if hasattr(x, "numpy"):                    # Keras also calls with symbols
                (seen if training else validated).append(f"{int(x.numpy()[0, 0])}")
            return self.dense(x)

    class Counting(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append("|")
            validated.append("|")

    model, counting = Seeing(), Counting()
    model(X)
    seen.clear()
    validated.clear()
    model.compile("sgd", "mse", run_eagerly=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(x, verbose=0, callbacks=[counting], shuffle=False, **options)
    ended = sum(str(warning.message).startswith(ENDED) or ENDED[0] in str(warning.message) for warning in caught)
    return "".join(seen)[:-1], "".join(validated).strip("|"), ended, counting.params["steps"]


ARRAYS = [                             # of 4 batches: the arguments, what the epochs have, warnings, params["steps"]
    ({"steps_per_epoch": 1}, "0|2|4|6|0", 0, 1),
    ({"steps_per_epoch": 2}, "02|46|02|46|02", 0, 2),
    ({"steps_per_epoch": 3}, "024|6|024|6|024", 2, 3),
    ({"steps_per_epoch": 4}, "0246|0246|0246|0246|0246", 0, 4),
    ({"steps_per_epoch": 6}, "0246|0246|0246|0246|0246", 5, 6),
    ({"steps_per_epoch": 3, "initial_epoch": 2}, "024|6|024", 1, 3),
    ({"steps_per_epoch": 3, "batch_size": None}, "036|036|036|036|036", 0, 3),
    ({"steps_per_epoch": 5, "batch_size": None, "epochs": 2}, "0246|0246", 2, 5),
    ({"steps_per_epoch": 20, "batch_size": None, "epochs": 1}, "01234567", 1, 20),
]


@sides
@pytest.mark.parametrize(("options", "expected", "ended", "steps"), ARRAYS)
def test_arrays(side, options, expected, ended, steps):
    result = epochs_of(side(), X, y=X, **{"batch_size": 2, "epochs": 5, **options})
    assert result == (expected, "", ended, steps)


@sides
@pytest.mark.parametrize(("steps", "expected", "ended"), [
    (None, "0123|0123|0123|0123", 0), (2, "01|23|01|23", 0), (3, "012|3|012|3", 2), (4, "0123|0123|0123|0123", 0),
    (6, "0123|0123|0123|0123", 4)])
def test_datasets(side, steps, expected, ended):
    library = side()

    class Batches(library.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return X[i:i + 1], X[:1]

    assert epochs_of(library, Batches(), epochs=4, steps_per_epoch=steps) == (expected, "", ended, steps or 4)


@sides
def test_datasets_without_end(side):
    library = side()

    class Batches(library.utils.PyDataset):
        num_batches = None

        def __getitem__(self, i):
            return X[i:i + 1], X[:1]

    assert epochs_of(library, Batches(), epochs=2, steps_per_epoch=3)[:3] == ("012|345", "", 0)


@sides
@pytest.mark.parametrize(("options", "expected", "ended"), [
    ({"validation_steps": 2, "validation_batch_size": 1}, "01|01|01|01", 0),
    ({"validation_steps": 3}, "04|04|04|04", 4),
    ({"validation_steps": 3, "validation_freq": 2}, "04||04", 2),
    ({"validation_freq": [1, 4]}, "04|||04", 0)])
def test_validation_starts_at_the_head(side, options, expected, ended):
    result = epochs_of(side(), X, y=X, validation_data=(X, X), batch_size=4, epochs=4, **options)
    assert result[1:3] == (expected, ended)


def test_iterables_that_do_not_know_their_length():
    class Batches:
        def __iter__(self):
            return ((X[i:i + 1], X[:1]) for i in range(4))

    for steps, expected, ended in ((None, "0123|0123|0123", 0), (2, "01|23|01", 0), (3, "012|3|012", 1)):
        assert epochs_of(ct, Batches(), epochs=3, steps_per_epoch=steps)[:3] == (expected, "", ended)
    once = ((X[i:i + 1], X[:1]) for i in range(20))
    assert epochs_of(ct, X, y=X, batch_size=8, epochs=3, validation_data=once, validation_steps=2)[1] == "01|23|45"
    assert epochs_of(ct, X, y=X, batch_size=8, epochs=3, validation_data=Batches(), validation_steps=2)[1] == "01|01|01"


def test_generators_that_end():
    def batches(count):
        return ((X[i:i + 1], X[:1]) for i in range(count))

    assert epochs_of(ct, batches(6), epochs=3, steps_per_epoch=4)[:3] == ("0123|45", "", 1)
    for how in ({}, {"steps_per_epoch": 2}):
        with pytest.raises(ValueError, match="fit: there must be at least one batch; got none\n"):
            epochs_of(ct, batches(0), **how)
    with pytest.raises(ValueError, match="fit, validation_data: there must be at least one batch; got none after 3; "
                                         "give data that can be read again, or a longer generator"):
        epochs_of(ct, X, y=X, epochs=3, validation_data=batches(3))
    model = ct.Sequential([ct.layers.Dense(1)])
    model.compile("sgd", "mse")
    for method in (model.evaluate, model.predict):
        with pytest.raises(ValueError, match=f"{method.__name__}: there must be at least one batch; got none"):
            method(batches(0), verbose=0)
        with pytest.warns(UserWarning, match=f"^{method.__name__}: the data ended after 2 batches, 3 steps expected$"):
            method(batches(2), steps=3, verbose=0)
    assert len(model.predict(X, steps=1, verbose=0)) == 8 and len(model.predict(X, 3, steps=2, verbose=0)) == 6


def test_each_pass_is_shuffled_and_complete():
    """What two epochs of half the data see is all of it; the next two see it in another order."""
    order = []

    class Keeping(ct.Model):
        def __init__(self):
            super().__init__()
            self.dense = ct.layers.Dense(1)

        def call(self, x):
            order.extend(x.numpy()[:, 0].tolist())
            return self.dense(x)

    model = Keeping()
    model.compile("sgd", "mse")
    model.fit(X, X, batch_size=1, steps_per_epoch=4, epochs=4, verbose=0)
    assert sorted(order[:8]) == sorted(order[8:]) == X[:, 0].tolist() and order[:8] != order[8:]


def model_with(seed):
    ct.random.set_seed(seed)
    model = ct.Sequential([ct.layers.Input((1,)), ct.layers.Dense(3, "relu"), ct.layers.Dropout(0.2),
                           ct.layers.Dense(1)])
    model.compile("adam", "mse")
    return model


class Reread:
    """Batches that can be read again; it does not know how many."""

    def __iter__(self):
        return ((X[i:i + 2] * i, X[i:i + 2]) for i in range(0, 8, 2))


class Numbered(ct.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, i):
        return X[2 * i:2 * i + 2], X[:2]


@pytest.mark.filterwarnings("ignore:fit. the data ended")
@pytest.mark.parametrize("data", [{"x": X, "y": X, "batch_size": 2}, {"x": Reread()}, {"x": Numbered()}],
                         ids=["arrays", "iterable", "dataset"])
@pytest.mark.parametrize("steps", [2, 3, 6])
@pytest.mark.slow
def test_resumed_equals_uninterrupted(tmp_path, data, steps):
    """Interrupted in and between the epochs of a pass; the epochs are 2 2 | 2 2, 3 1 | 3 and 4 | 4 | 4."""
    options = {**data, "steps_per_epoch": steps, "epochs": 3 if steps > 2 else 4, "verbose": 0}
    whole = model_with(4)
    history = whole.fit(**options).history
    for after in (2, 4, 5, 6):
        folder = tmp_path / str(after)
        for seed, interrupt in ((4, after), (77, 99)):
            model = model_with(seed)
            watching = [callbacks.BackupAndRestore(folder, save_freq=1), Interrupt(interrupt)]
            if interrupt < 99:
                with pytest.raises(Interrupted):
                    model.fit(**options, callbacks=watching)
            else:
                assert model.fit(**options, callbacks=watching).history == history
        assert all(np.array_equal(a, b) for a, b in zip(whole.get_weights(), model.get_weights(), strict=True))
