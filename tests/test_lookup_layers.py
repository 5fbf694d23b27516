"""StringLookup, IntegerLookup and Discretization: by hand, through files, and beside Keras where it is installed."""
import random

import numpy as np
import pytest

from cytensor import keras
from cytensor.keras import layers

WORDS = np.array([["a", "x", "a"], ["b", "x", "c"], ["a", "y", "y"]])


def test_numbers_of_a_vocabulary_that_is_given():
    layer = layers.StringLookup(vocabulary=["a", "b"])
    assert layer([["a", "b", "c"]]).tolist() == [[1, 2, 0]] and layer(["b"]).dtype == "int64"
    assert layer.get_vocabulary() == ["[UNK]", "a", "b"] and layer.vocabulary_size() == 3
    assert layer.get_vocabulary(include_special_tokens=False) == ["a", "b"]
    masked = layers.StringLookup(vocabulary=["a", "b"], mask_token="", num_oov_indices=2)
    found = masked([["", "a", "b", "q"]]).tolist()[0]
    assert found[:3] == [0, 3, 4] and found[3] in (1, 2)
    assert layers.IntegerLookup(vocabulary=[7, 5])([[5, 7, 9]]).tolist() == [[2, 1, 0]]
    assert layers.IntegerLookup(vocabulary=[7, 5], num_oov_indices=3)([9, 10, 7]).tolist() == [0, 1, 3]
    assert layers.StringLookup(vocabulary=["[UNK]", "a"]).get_vocabulary() == ["[UNK]", "a"]


def test_a_vocabulary_from_data_has_the_most_frequent_first():
    layer = layers.StringLookup()
    layer.adapt(WORDS)
    assert layer.get_vocabulary() == ["[UNK]", "a", "y", "x", "c", "b"]        # ties backward, as in Keras
    layer = layers.StringLookup(max_tokens=3)
    layer.adapt(batch for batch in WORDS)
    assert layer.get_vocabulary() == ["[UNK]", "a", "y"]
    layer.adapt(WORDS[1:2])
    assert layer.get_vocabulary() == ["[UNK]", "x", "c"]
    numbers = layers.IntegerLookup(mask_token=0)
    numbers.adapt([[3, 3, 0], [5, -1, 0]])
    assert numbers.get_vocabulary() == [0, -1, 3, 5]


def test_rows_in_every_mode():
    def rows(mode, tokens, **given):
        return layers.StringLookup(vocabulary=["a", "b"], output_mode=mode, **given)(tokens).tolist()

    assert rows("one_hot", [["b"], ["z"]]) == [[0, 0, 1], [1, 0, 0]]
    assert rows("multi_hot", [["b", "b", "z"]]) == [[1, 0, 1]]
    assert rows("count", [["b", "b", "a"]]) == [[0, 1, 2]] and rows("count", ["b", "b"]) == [0, 0, 2]
    assert rows("tf_idf", [["b", "b", "z"]], idf_weights=[1.0, 3.0]) == [[2, 0, 6]]
    assert rows("count", [["b", "m"]], mask_token="m") == [[0, 0, 1]]
    assert rows("multi_hot", [["b"]], max_tokens=5, pad_to_max_tokens=True) == [[0, 0, 1, 0, 0]]
    layer = layers.StringLookup(output_mode="tf_idf")
    layer.adapt(WORDS)
    documents = {"a": 2, "y": 1, "x": 2, "c": 1, "b": 1}
    weights = [np.log(1 + 3 / (1 + documents[word])) for word in layer.get_vocabulary()[1:]]
    np.testing.assert_allclose(layer([["y", "q"]]), [[np.mean(weights), 0, weights[1], 0, 0, 0]], rtol=1e-6)


def test_the_other_way():
    layer = layers.StringLookup(vocabulary=["a", "b"], invert=True, mask_token="m")
    assert layer([[0, 1, 2, 3, 9]]).numpy().tolist() == [["m", "[UNK]", "a", "b", "[UNK]"]]
    assert layers.IntegerLookup(vocabulary=[10, 20], invert=True)([0, 1, 2, 9]).tolist() == [-1, 10, 20, -1]


def test_ranges():
    layer = layers.Discretization([0.0, 1.0])
    assert layer([[-1.0, 0.0, 0.5, 1.0, 9.0]]).tolist() == [[0, 1, 1, 2, 2]] and layer([3]).tolist() == [2]
    assert layers.Discretization([0.0], output_mode="one_hot")([[5.0]]).tolist() == [[0, 1]]
    assert layers.Discretization([0.0], output_mode="count")([[5.0, 1.0, -1.0]]).tolist() == [[1, 2]]
    layer = layers.Discretization(num_bins=4, epsilon=0.01)
    values = np.random.default_rng(0).normal(size=4000)
    layer.adapt(values)
    np.testing.assert_allclose(layer.bin_boundaries, np.quantile(values, [0.25, 0.5, 0.75]), atol=0.05)
    layer.adapt(part for part in values.reshape(8, -1))
    assert len(layer.bin_boundaries) == 3 and np.bincount(layer(values).numpy()).min() > 800


def test_files_and_copies_have_what_was_learned(tmp_path):
    words = layers.StringLookup(output_mode="tf_idf", num_oov_indices=2)
    words.adapt(WORDS)
    ranges = layers.Discretization(num_bins=3)
    ranges.adapt(np.arange(30.0))
    numbers = layers.IntegerLookup(output_mode="multi_hot", mask_token=0)
    numbers.adapt([[3, 3, 0], [5, 8, 0]])
    for layer, x in ((words, WORDS), (ranges, np.array([[1.0], [15.0]])), (numbers, np.array([[5, 0]]))):
        model = keras.Sequential([layer, layers.Dense(2)]) if layer is not ranges else keras.Sequential(
            [layer, layers.CategoryEncoding(4, "one_hot"), layers.Dense(2)])
        expected = model(x).numpy()
        model.save(tmp_path / "m.safetensors")
        again = keras.models.load_model(tmp_path / "m.safetensors")
        assert np.array_equal(again(x), expected)
        copy = keras.models.clone_model(model)
        copy(x)
        copy.set_weights(model.get_weights())
        assert np.array_equal(copy(x), expected)
        assert np.array_equal(type(layer).from_config(layer.get_config())(x), layer(x))


def test_shapes_in_graphs():
    x = keras.Input((1,), dtype="int64")
    encoded = layers.IntegerLookup(vocabulary=[5, 7], output_mode="one_hot")(x)
    assert encoded.shape == (None, 3) and layers.IntegerLookup(vocabulary=[5])(x).shape == (None, 1)
    model = keras.Model(x, layers.Dense(1)(encoded))
    model.compile("sgd", "mse")
    model.fit(np.array([[5], [7], [9]]), np.ones((3, 1)), verbose=0)
    ranges = layers.Discretization([0.0, 1.0], output_mode="one_hot")(keras.Input((1,)))
    assert ranges.shape == (None, 3)


def test_a_file_with_a_vocabulary(tmp_path):
    (tmp_path / "words.txt").write_text("a\nb\n")
    assert layers.StringLookup(vocabulary=str(tmp_path / "words.txt")).get_vocabulary() == ["[UNK]", "a", "b"]
    with pytest.raises(ValueError, match="which is no file"):
        layers.StringLookup(vocabulary=str(tmp_path / "none.txt"))


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: layers.StringLookup(max_tokens=1), ValueError, "max_tokens"),
    (lambda: layers.StringLookup(num_oov_indices=-1), ValueError, "num_oov_indices"),
    (lambda: layers.StringLookup(output_mode="x"), ValueError, "output_mode"),
    (lambda: layers.StringLookup(sparse=True, output_mode="count"), ValueError, "sparse"),
    (lambda: layers.StringLookup(invert=True, output_mode="count"), ValueError, "invert"),
    (lambda: layers.StringLookup(pad_to_max_tokens=True), ValueError, "max_tokens"),
    (lambda: layers.StringLookup(idf_weights=[1.0]), ValueError, "idf_weights"),
    (lambda: layers.StringLookup(vocabulary=["a"], output_mode="tf_idf"), ValueError, "needs idf_weights"),
    (lambda: layers.StringLookup(vocabulary=["a", "a"]), ValueError, "each token once"),
    (lambda: layers.StringLookup(vocabulary=[]), ValueError, "must not be empty"),
    (lambda: layers.StringLookup(vocabulary=["a", ""], mask_token=""), ValueError, "mask token"),
    (lambda: layers.StringLookup(vocabulary=["a", "b"], max_tokens=2), ValueError, "at most max_tokens"),
    (lambda: layers.StringLookup(encoding="latin-1"), ValueError, "encoding"),
    (lambda: layers.StringLookup()(["a"]), ValueError, "no vocabulary yet"),
    (lambda: layers.StringLookup(vocabulary=["a"])([1]), TypeError, "text is expected"),
    (lambda: layers.StringLookup(vocabulary=["a"], num_oov_indices=0)(["b"]), ValueError, "every token must be"),
    (lambda: layers.StringLookup(vocabulary=["a"]).adapt(["b"]), ValueError, "was given its vocabulary"),
    (lambda: layers.StringLookup(vocabulary=["a"], invert=True)(["a"]), TypeError, "integers are expected"),
    (lambda: layers.StringLookup().adapt(np.array([], str)), ValueError, "must have tokens"),
    (lambda: layers.IntegerLookup(vocabulary=[1])(["a"]), TypeError, "integers are expected"),
    (lambda: layers.IntegerLookup(vocabulary=[1])([0.5]), TypeError, "integers are expected"),
    (lambda: layers.IntegerLookup(vocabulary_dtype="string"), ValueError, "vocabulary_dtype"),
    (lambda: layers.Discretization(), ValueError, "give bin_boundaries or num_bins"),
    (lambda: layers.Discretization([1.0, 0.0]), ValueError, "must ascend"),
    (lambda: layers.Discretization(num_bins=0), ValueError, "num_bins"),
    (lambda: layers.Discretization(num_bins=2, epsilon=2), ValueError, "epsilon"),
    (lambda: layers.Discretization([0.0], output_mode="tf_idf"), ValueError, "output_mode"),
    (lambda: layers.Discretization(num_bins=2)([1.0]), ValueError, "no boundaries yet"),
    (lambda: layers.Discretization([0.0]).adapt([1.0]), ValueError, "was given its bin_boundaries"),
    (lambda: layers.Discretization(num_bins=2).adapt([1.0, np.nan]), ValueError, "must be finite"),
    (lambda: layers.Discretization(num_bins=2).adapt(["a"]), TypeError, "must be numbers"),
    (lambda: layers.Discretization(num_bins=2).adapt(np.array([])), ValueError, "must have samples"),
    (lambda: layers.Discretization([0.0])(["a"]), TypeError, "numbers are expected"),
])
def test_refusals(make, error, message):
    with pytest.raises(error, match=message):
        make()


def drawn(draw, tokens, mask):
    mode, unknown = draw.choice(["int", "one_hot", "multi_hot", "count", "tf_idf"]), draw.choice([0, 1])
    given = {"output_mode": mode, "num_oov_indices": unknown, "mask_token": draw.choice([None, mask])}
    if draw.random() < 0.3:
        given |= {"max_tokens": draw.choice([6, 9]), "pad_to_max_tokens": draw.random() < 0.5 and mode != "int"}
    data = np.array([[draw.choice(tokens) for _ in range(4)] for _ in range(5)])
    if draw.random() < 0.5:
        return given, data, data if unknown else None
    vocabulary = draw.sample(tokens, draw.randrange(1, 5))
    given["vocabulary"] = vocabulary
    if mode == "tf_idf":
        given["idf_weights"] = [round(draw.random(), 2) for _ in vocabulary]
    return given, None, data if unknown else np.array([[draw.choice(vocabulary) for _ in range(3)]])


@pytest.mark.parametrize("kind", ["StringLookup", "IntegerLookup"])
def test_as_keras(kind):
    theirs, tensorflow = pytest.importorskip("keras"), pytest.importorskip("tensorflow")
    draw = random.Random(4)
    tokens, mask = (list("abcdef"), "") if kind == "StringLookup" else ([3, 5, 8, 13, 21, -2], 0)
    for _ in range(100):
        given, data, x = drawn(draw, tokens, mask)
        ours, wanted = getattr(layers, kind)(**given), getattr(theirs.layers, kind)(**given)
        if data is not None:
            ours.adapt(data)
            wanted.adapt(data)
            x = data
        assert list(map(str, ours.get_vocabulary())) == list(map(str, wanted.get_vocabulary())), given
        found, expected = np.asarray(ours(x)), np.asarray(wanted(tensorflow.constant(x)))
        assert found.shape == expected.shape and np.allclose(found, expected, atol=1e-5), (given, x)


def test_ranges_as_keras():
    theirs = pytest.importorskip("keras")
    for seed in range(40):
        rng = np.random.default_rng(seed)
        data = rng.normal(size=(int(rng.choice([3, 20, 200, 1000])), 2)).astype("float32")
        given = {"num_bins": int(rng.choice([2, 3, 5])), "epsilon": float(rng.choice([0.01, 0.1])),
                 "output_mode": str(rng.choice(["int", "one_hot", "multi_hot", "count"]))}
        ours, wanted = layers.Discretization(**given), theirs.layers.Discretization(**given)
        ours.adapt(data)
        wanted.adapt(data)
        np.testing.assert_allclose(ours.bin_boundaries, wanted.bin_boundaries, atol=1e-5)
        assert np.array_equal(np.asarray(ours(data[:4])), np.asarray(wanted(data[:4])))
