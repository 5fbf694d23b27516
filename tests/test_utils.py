"""`ct.utils`: the helpers for arrays."""
import numpy as np
import pytest

import cytensor as ct


def test_normalize_divides_by_the_norm():
    x = np.random.default_rng(0).standard_normal((4, 5, 6)).astype(np.float32)
    x[1, :, 2] = 0
    for axis in (-1, 0, 1):
        for order in (1, 2, np.inf):
            result = ct.utils.normalize(x, axis, order)
            norm = np.linalg.norm(x.astype(np.float64), order, axis, keepdims=True)
            assert result.dtype == np.float32
            assert np.allclose(result, x / np.where(norm == 0, 1, norm), rtol=1e-5)
    assert type(ct.utils.normalize(ct.asarray(x))) is ct.Tensor
    with pytest.raises(ValueError, match="normalize: x must be numbers with at least one axis"):
        ct.utils.normalize(3.0)


def test_normalize_and_split_as_keras_does():
    keras = pytest.importorskip("keras", reason="Keras is not installed")
    x = np.random.default_rng(0).standard_normal((7, 3))
    for axis, order in ((-1, 2), (1, 1), (0, 2)):
        if axis:               # Keras reads axis 0 as -1 when it divides
            assert np.allclose(ct.utils.normalize(x, axis, order), keras.utils.normalize(x, axis, order))
    for sizes in ((0.7, None), (None, 2), (3, 2), (0.5, None)):
        ours = ct.utils.split_dataset(x, *sizes)
        theirs = keras.utils.split_dataset(x, *sizes, preferred_backend="tensorflow")
        for a, b in zip(ours, theirs, strict=True):
            assert np.array_equal(a, [np.asarray(row) for row in b]), sizes


def test_split_dataset():
    x, y = np.arange(20).reshape(10, 2), np.arange(10)
    (x_left, y_left), (x_right, y_right) = ct.utils.split_dataset((x, y), right_size=0.3)
    assert np.array_equal(x_left, x[:7]) and np.array_equal(y_right, y[7:]) and len(y_left) == 7 and len(x_right) == 3
    assert np.shares_memory(x_left, x)
    left, right = ct.utils.split_dataset([x, y], 4, shuffle=True, seed=3)
    assert isinstance(left, list) and sorted([*left[1], *right[1]]) == list(range(10))
    assert np.array_equal(left[0][:, 0], 2 * left[1]) and not np.array_equal(left[1], y[:4])
    again, _ = ct.utils.split_dataset([x, y], 4, shuffle=True, seed=3)
    assert np.array_equal(again[1], left[1])
    for arguments, message in (((x,), "give left_size, right_size or both"), ((x, 11), r"an int in \[1, 10\]"),
                               ((x, 1.0), "a share between 0 and 1"), ((x, 10), "both parts need at least one"),
                               ((x, 6, 5), "both parts need"), (((x, y[:3]), 2), r"one number of samples.*\[10, 3\]")):
        with pytest.raises(ValueError, match=message):
            ct.utils.split_dataset(*arguments)


def test_names_of_keras_utils():
    assert ct.utils.register_keras_serializable is ct.saving.register_serializable
    assert ct.utils.unpack_x_y_sample_weight(ct.utils.pack_x_y_sample_weight(1, 2)) == (1, 2, None)


def test_a_dataset_of_ones_own():
    seen = []

    class Rows(ct.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            seen.append(index)
            return np.full((2, 1), index, np.float32), np.zeros((2, 1), np.float32)

        def on_epoch_begin(self):
            seen.append("begin")

        def on_epoch_end(self):
            seen.append("end")

    model = ct.Sequential([ct.layers.Dense(1)])
    model.compile("sgd", "mse")
    rows = Rows(workers=2)
    assert rows.num_batches == 3 and len(model.fit(rows, epochs=2, verbose=0).epoch) == 2
    assert seen == ["begin", 0, 1, 2, "end"] * 2
    seen.clear()
    assert model.predict(rows, verbose=0).shape == (6, 1) and seen == ["begin", 0, 1, 2, "end"]
    with pytest.raises(NotImplementedError, match="a PyDataset must define __len__"):
        model.fit(ct.utils.Sequence(), verbose=0)
