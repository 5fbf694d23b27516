"""What `fit` may be given, odd sizes and kinds: the losses of Keras where it takes them, else a clear error.

The expected losses are Keras 3.15.1's; where Keras is installed, it is asked again.
"""
import numpy as np
import pytest

import cytensor as ct

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.shuffle=True. was passed",
                                        "ignore:Your input ran out of data")            # Keras's own
X = np.arange(8, dtype=np.float32)[:, None]
Y = 2 * X
WEIGHTS = np.linspace(0, 1, 8)


def theirs():
    return pytest.importorskip("keras", reason="Keras is not installed")


def line(library, loss="mse"):
    """A model of one weight, 1, and a bias, 0."""
    model = library.Sequential([library.layers.Input((1,)), library.layers.Dense(1)])
    model.set_weights([np.ones((1, 1), np.float32), np.zeros(1, np.float32)])
    model.compile(library.optimizers.SGD(0.01), loss)
    return model


def generator(*batches):
    return (batch for batch in batches)


def dataset(library, *batches):
    class Batches(library.utils.PyDataset):
        def __len__(self):
            return len(batches)

        def __getitem__(self, i):
            return batches[i]

    return Batches()


TAKEN = [
    ("one sample", lambda library: ((X[1:2], Y[1:2]), {}), 1.0),
    ("a batch of more than there are", lambda library: ((X, Y), {"batch_size": 100}), 17.5),
    ("batches of other sizes", lambda library: ((generator((X, Y), (X[:3], Y[:3]), (X[:1], Y[:1])),), {}), None),
    ("weights of a generator", lambda library: ((generator((X, Y, WEIGHTS)),), {}), None),
    ("no weights in a batch with a place for them", lambda library: ((generator((X, Y, None)),), {}), 17.5),
    ("lists of a dataset", lambda library: ((dataset(library, [X, Y], [X, Y]),), {"shuffle": False}), None),
    ("weights of a dataset", lambda library: ((dataset(library, (X, Y, WEIGHTS)),), {}), None),
    ("labels that are no numbers", lambda library: ((X, np.full((8, 1), np.nan)), {}), np.nan),
]


@pytest.mark.filterwarnings("ignore:fit. the loss became nan")
@pytest.mark.parametrize(("given", "expected"), [row[1:] for row in TAKEN], ids=[row[0] for row in TAKEN])
def test_data_that_keras_takes(given, expected):
    arguments, options = given(ct)
    loss = line(ct).fit(*arguments, verbose=0, **options).history["loss"]
    if expected is not None:
        assert np.allclose(loss, [expected], rtol=1e-6, equal_nan=True)
    keras = theirs()
    arguments, options = given(keras)
    assert np.allclose(loss, line(keras).fit(*arguments, verbose=0, **options).history["loss"], rtol=1e-5,
                       equal_nan=True)


def test_tensors_and_lists():
    expected = line(ct).fit(X, Y, shuffle=False, verbose=0).history["loss"]
    rows = [ct.asarray(row) for row in X], [ct.asarray(row) for row in Y]
    for x, y in ((ct.asarray(X), ct.asarray(Y)), (X.tolist(), Y.tolist()), (list(X), list(Y)), rows,
                 (X.astype(np.float64), Y.astype(np.int64)), (X[::-1][::-1], np.asfortranarray(Y))):
        assert line(ct).fit(x, y, shuffle=False, verbose=0).history["loss"] == expected
    steps = iter([(X, Y, np.ones(8)), (X, Y), (X, Y)])
    assert line(ct).fit(steps, epochs=3, steps_per_epoch=1, verbose=0).history["loss"][0] == expected[0]


SOFTMAX = "sparse_categorical_crossentropy"


@pytest.mark.parametrize(("arguments", "error", "message"), [
    ((X[:0], Y[:0]), ValueError, r"fit: there must be at least one sample; got x of shape \(0, 1\)"),
    ((generator((X, Y), (X[:0], Y[:0])),), ValueError, r"fit, batch 2: there must be at least one sample; got x of"),
    ((generator((X, Y), (np.ones((8, 2)), Y)),), ValueError, r"last axis of x .* x \(8, 2\), kernel \(1, 1\)"),
    ((generator((X, Y), (X, np.ones((8, 2)))),), ValueError, r"y_true and y_pred must have the same shape; got y_true"),
    ((generator((X, Y, np.full(8, np.inf))),), ValueError, "batch 1: sample_weight must be finite numbers; got inf"),
    ((generator(None),), TypeError, "fit, batch 1: x must be numbers in one array; got NoneType"),
    ((generator(()),), ValueError, "a batch must be x, .* got a tuple of 0 as batch 1"),
    (([ct.asarray([1.0]), ct.asarray([1.0, 2.0])], [1, 2]), ValueError, "fit: x must be numbers in one array; got"),
    ((X, np.array([0, 1, 2, 1.5, 0, 1, 2, 0]), SOFTMAX), TypeError, "labels must be integers; got 1.5 at position 3"),
    ((X, np.array([0, 1, 2, np.nan, 0, 1, 2, 0]), SOFTMAX), TypeError, "integers; got nan at position 3"),
    ((X, np.array([0, 1, -np.inf, 2, 0, 1, 2, 0])[:, None], SOFTMAX), TypeError, "integers; got -inf at position 2"),
])
def test_data_that_is_refused(arguments, error, message):
    *data, loss = arguments if arguments[-1] is SOFTMAX else (*arguments, "mse")
    model = ct.Sequential([ct.layers.Input((1,)), ct.layers.Dense(1 if loss == "mse" else 3, "softmax")])
    model.compile("sgd", loss)
    with pytest.raises(error, match=message):
        model.fit(*data, verbose=0, shuffle=False)


def test_class_weights_need_classes():
    with pytest.raises(ValueError, match="fit: class_weight needs a class for each sample; got nan for sample 1"):
        line(ct).fit(X, np.array([0, np.nan, 1, 0, 1, 0, 1, 0]), class_weight={0: 1, 1: 2}, verbose=0)


def test_a_loss_that_is_none_is_blamed_on_the_data():
    bad = X.copy()
    bad[5] = np.nan
    for data, cause in (((bad, Y), "x is nan for sample 5"), ((X, bad), "y is nan for sample 5")):
        with pytest.warns(RuntimeWarning, match=f"fit: the loss became nan at epoch 1, batch 1; in the batch {cause}$"):
            line(ct).fit(*data, shuffle=False, verbose=0)
    with pytest.warns(RuntimeWarning, match="batch 1; a smaller learning rate, or inputs of a smaller scale, may help"):
        line(ct).fit(np.full((4, 1), 3e38), np.zeros((4, 1)), verbose=0)


@pytest.mark.parametrize("side", [lambda: ct, theirs], ids=["here", "Keras"])
def test_batches_shuffled_in_themselves(side):
    library, seen = side(), []
    if library is not ct and library.backend.backend() != "tensorflow":
        pytest.skip("only TensorFlow lets a model look at the values it is trained on")

    class Seeing(library.Model):
        def __init__(self):
            super().__init__()
            self.dense = library.layers.Dense(1)

        def call(self, x):
            if hasattr(x, "numpy"):
                seen.append(x.numpy()[:, 0].tolist())
            return self.dense(x)

    model = Seeing()
    model(X)
    seen.clear()
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(X, Y, batch_size=5, epochs=20, shuffle="batch", verbose=0)
    assert all(sorted(batch) == [[0, 1, 2, 3, 4], [5, 6, 7]][i % 2] for i, batch in enumerate(seen))
    assert len({tuple(batch) for batch in seen[::2]}) > 5 and len(seen) == 40


def test_class_weights_are_of_their_class_alone():
    """A weight for class -1 is not that of the last class, nor 1.5 class 1; and a number may be large."""
    y = np.array([0, 1, 1, 0, 1, 0, 1, 0])
    found = []
    for weights in ({0: 1, 1: 3}, {0: 1, 1: 3, -1: 100, 10**15: 7}):
        model = line(ct)
        model.fit(X, y, class_weight=weights, batch_size=8, epochs=1, shuffle=False, verbose=0)
        found.append(model.get_weights()[0].tolist())
    assert found[0] == found[1]
    with pytest.raises(ValueError, match=r"fit: class_weight needs classes, integers; got 1\.5 in y"):
        line(ct).fit(X, np.array([0, 1.5, 1, 0, 1, 0, 1, 0]), class_weight={0: 1, 1: 2}, verbose=0)
