"""What may be given as x, y and sample_weight, and how the rest is refused."""
import numpy as np
import pytest

import cytensor as ct
from cytensor import layers


class Table:
    """What of a pandas DataFrame is looked at."""

    def __init__(self, **columns):
        self.data = {name: np.asarray(column) for name, column in columns.items()}
        self.columns, self.dtypes = list(self.data), [column.dtype for column in self.data.values()]
        self.shape, self.ndim = (len(next(iter(self.data.values()))), len(self.data)), 2

    def items(self):
        return self.data.items()

    def __len__(self):
        return self.shape[0]

    def __array__(self, dtype=None, copy=None):
        kinds = {column.dtype.kind for column in self.data.values()}
        common = object if len(kinds) > 1 and kinds - set("iuf") else None
        return np.column_stack([column.astype(common or column.dtype) for column in self.data.values()])


def table(**columns):
    return Table(**columns)


def frame(**columns):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    return pandas.DataFrame(columns)


sides = pytest.mark.parametrize("make", [table, frame], ids=["a table", "pandas"])
A, B, C = [1.0, 2.0, 3.0], [True, False, True], [4, 5, 6]
EXPECTED = np.array([A, B, C], np.float64).T


def seen_by_a_model(x, y=(0.0, 0.0, 0.0), **options):
    """The x, y and weights of the only batch of a `fit`."""
    found = []

    class Seeing(ct.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x):
            return self.dense(x)

        def compute_loss(self, x, y, y_pred, sample_weight):
            found.append([None if part is None else np.array(part.numpy()) for part in (x, y, sample_weight)])
            return super().compute_loss(x, y, y_pred, sample_weight)

    model = Seeing()
    model.compile("sgd", "mse")
    model.fit(x, y, shuffle=False, verbose=0, **options)
    return found[0]


@sides
def test_columns_of_numbers_and_bools_side_by_side(make):
    x, *_ = seen_by_a_model(make(a=A, b=B, c=C))
    assert np.array_equal(x, EXPECTED)
    x, *_ = seen_by_a_model(make(a=np.array(A, object), b=np.array(B, object)))
    assert np.array_equal(x, EXPECTED[:, :2])


@sides
def test_columns_that_are_no_numbers_are_named(make):
    x = make(a=A, city=np.array(["Rome", "Oslo", "Bern"], object), b=B,
             day=np.array(["2020-01-01"] * 3, "datetime64[ns]"))
    with pytest.raises(TypeError, match=r"fit: x .* these columns are no numbers: 'city' \((objects|text), such as "
                                        r"'Rome'\), 'day' \(dates, .*leave them out or turn them into numbers"):
        seen_by_a_model(x)
    for method in ("predict", "evaluate"):
        model = ct.Sequential([layers.Dense(1)])
        model.compile("sgd", "mse")
        with pytest.raises(TypeError, match=f"{method}: x .*'city'"):
            getattr(model, method)(x, *([A] if method == "evaluate" else []))


def test_columns_of_pandas():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    data = frame(a=A, b=B)
    assert np.array_equal(seen_by_a_model(data, data["a"])[1], np.array(A, np.float32))
    assert np.array_equal(seen_by_a_model(data, data[["b"]])[1], np.array(B)[:, None])
    assert np.array_equal(seen_by_a_model(data, A, sample_weight=data["a"])[2], np.array(A, np.float32))
    with pytest.raises(TypeError, match=r"x .*'k' \(objects, such as 'u'\)"):
        seen_by_a_model(data.assign(k=pandas.Categorical(["u", "v", "u"])))
    with pytest.raises(TypeError, match=r"y .* 'u' is no number; number the classes from 0"):
        seen_by_a_model(data, pandas.Series(["u", "v", "u"], dtype=object))


class Sparse:
    shape, nnz = (3, 3), 3

    def __iter__(self):
        raise AssertionError("its rows are not batches")

    def toarray(self):
        raise AssertionError("it would fill the memory")


def test_sparse_matrices_are_refused_with_what_to_do():
    for x in (Sparse(), *_of_scipy()):
        with pytest.raises(TypeError, match=r"fit: x .*it is a sparse matrix of shape \(3, 3\); give its toarray\(\)"):
            seen_by_a_model(x)
        with pytest.raises(TypeError, match=r"fit: y .*it is a sparse matrix"):
            seen_by_a_model(np.eye(3), x)


def _of_scipy():
    try:
        from scipy import sparse
    except ImportError:
        return []
    return [sparse.csr_matrix(np.eye(3)), sparse.coo_array(np.eye(3)), sparse.lil_matrix(np.eye(3))]


@pytest.mark.parametrize(("x", "message"), [
    (["a", "b"], "fit: x must be numbers; got text"),
    (np.array([["a"], ["b"]]), "fit: x must be numbers; got text"),
    (np.array([[1, "a"], [2, 3.0]], object), "its dtype is object, and 'a' is no number"),
    (np.array([[1, None], [2, 3.0]], object), "its dtype is object, and None is no number"),
    (np.array(["2020-01-01", "2020-01-02"], "datetime64[D]"), r"it has dates, of dtype datetime64\[D\]"),
    (np.array([1, 2], "timedelta64[s]"), "it has time spans"),
    (np.ones((2, 2), complex), "it has complex numbers"),
    ([[1, 2], [3]], "nested lists must have equal lengths"),
    ("ab", "must have a first axis of samples"),
])
def test_data_that_is_no_numbers(x, message):
    for arguments, name in (((x, [0.0, 0.0]), "x"), ((np.ones((2, 2)), x), "y")):
        with pytest.raises((TypeError, ValueError), match=message.replace("fit: x", f"fit: {name}")):
            seen_by_a_model(*arguments)


def test_text_as_labels_says_how_to_number_it():
    for y in (["u", "v"], np.array(["u", "v"]), np.array(["u", "v"], object)):
        with pytest.raises(TypeError, match=r"fit: y .*; number the classes from 0, as numpy.unique\(y, return_"):
            seen_by_a_model(np.ones((2, 2)), y)


def test_objects_that_are_numbers():
    x, y, _ = seen_by_a_model(np.array([[1, 2.5], [True, 3]], object), np.array([1, 2.0], object))
    assert np.array_equal(x, [[1, 2.5], [1, 3]]) and np.array_equal(y, [1, 2])


class Attached:
    """As a tensor of PyTorch that requires its gradient."""
    shape, ndim = (2, 2), 2

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")


def test_tensors_of_other_libraries():
    class Foreign:
        shape, ndim = (3, 1), 2

        def __array__(self, dtype=None, copy=None):
            return np.array([A]).T

    x, y, _ = seen_by_a_model(Foreign(), Foreign())
    assert np.array_equal(x[:, 0], A) and np.array_equal(y[:, 0], A)
    with pytest.raises(TypeError, match=r"fit: x must be numbers in one array; got Attached: .*detach\(\)"):
        seen_by_a_model(Attached(), [1.0, 2.0])


def test_one_weight_for_every_sample():
    for weight in (2, 2.0, np.float32(2), np.array(2.0), ct.asarray(2.0)):
        assert np.array_equal(seen_by_a_model(np.eye(3), A, sample_weight=weight)[2], [2, 2, 2])
        x, y = np.eye(4, dtype=np.float32), np.arange(4.0, dtype=np.float32)[:, None]
        model = ct.Sequential([layers.Dense(1, kernel_initializer="zeros")])
        model.compile(ct.optimizers.SGD(0.0), "mse")
        history = model.fit(x, y, sample_weight=weight, validation_split=0.5, verbose=0).history
        assert history["loss"] == [1.0] and history["val_loss"] == [13.0]          # 2 (0 + 1) / 2 and 2 (4 + 9) / 2
        assert model.evaluate(x, y, sample_weight=weight, verbose=0) == 7.0 == model.test_on_batch(x, y, weight)
        assert model.fit(iter([(x, y, weight)]), verbose=0).history["loss"] == [7.0]


@pytest.mark.parametrize("y", [(np.eye(3), np.eye(3)), [np.eye(3), np.eye(3)], (np.ones(3), np.ones(3)),
                               {"a": np.eye(3), "b": np.eye(3)}])
@pytest.mark.parametrize("split", [0.0, 0.4])
def test_several_targets_are_refused_for_what_they_are(y, split):
    class Own(ct.Model):                   # whose call alone knows how many outputs there are
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x):
            return self.dense(x)

    for model, op in ((ct.Sequential([layers.Dense(1)]), "fit"), (Own(), "compute_loss")):
        model.compile("sgd", "mse")
        with pytest.raises(ValueError, match=f"{op}: y must be one array, for the model has one output; got 2 arrays "
                                             f"in a {type(y).__name__}, of shapes "):
            model.fit(np.eye(3), y, validation_split=split, verbose=0)


def test_a_single_target_in_a_list_or_by_name():
    column = np.array([A]).T
    for y in ([column], (column,), {"dense": column}, column, list(column)):
        assert np.array_equal(seen_by_a_model(np.eye(3), y)[1], column)


def test_batches_of_a_dataloader_are_lists():
    loader = type("DataLoader", (), {"__module__": "torch.utils.data.dataloader", "__len__": lambda self: 2,
                                     "__iter__": lambda self: iter([[np.eye(3), column]] * 2)})
    column = np.array([A]).T
    assert np.array_equal(seen_by_a_model(loader(), None)[1], column)


class Batches(ct.utils.PyDataset):
    def __init__(self, count):
        super().__init__()
        self.count, self.asked = count, []

    def __len__(self):
        return self.count

    def __getitem__(self, i):
        self.asked.append(i)
        return np.full((2, 1), i), np.full((2, 1), i)


def test_a_dataset_can_be_iterated_over():
    batches = Batches(3)
    assert [int(x[0, 0]) for x, _ in batches] == [0, 1, 2] == batches.asked
    assert [int(x[0, 0]) for x, _ in batches] == [0, 1, 2]                 # and again
    assert list(Batches(0)) == [] and len(list(zip(Batches(2), Batches(5), strict=False))) == 2

    class Endless(Batches):
        num_batches = None

    endless = iter(Endless(0))
    assert [int(next(endless)[0][0, 0]) for _ in range(50)] == list(range(50))
    model = ct.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="fit: there must be at least one batch; got none"):
        model.fit(Batches(0), verbose=0)
    asked = Batches(3)
    model.fit(asked, epochs=3, steps_per_epoch=1, verbose=0)
    assert asked.asked == [0, 1, 2]                                        # each is asked for once


def test_sparse_matrices_are_refused_wherever_tensors_are_made():
    class Sparse:
        """Rows of itself, as those of SciPy's older classes are."""
        shape, nnz = (3, 3), 1

        def toarray(self):
            return np.eye(3)

        def __len__(self):
            return 3

        def __getitem__(self, key):
            return self

    for call in (ct.asarray, ct.constant, ct.Variable, ct.layers.Dense(1),
                 ct.Sequential([ct.layers.Dense(1)])):
        with pytest.raises(TypeError, match=r"asarray: a Sparse keeps its elements .*; give its toarray\(\)"):
            call(Sparse())
    with pytest.raises(TypeError, match=r"adapt: data .*got Sparse; give its toarray\(\)"):
        ct.layers.Normalization().adapt(Sparse())
