"""Axes and indices that layers are given: those that are not there are refused, and none is wrapped or cut off."""
import numpy as np
import pytest

import cytensor as ct
from cytensor import layers

X = np.arange(24.).reshape(2, 3, 4)


@pytest.mark.parametrize(("make", "message"), [
    (lambda axis: layers.LayerNormalization(axis=axis), "LayerNormalization: axis must be one of features"),
    (lambda axis: layers.LayerNormalization(axis=(1, axis)), "LayerNormalization: axis must be one of features"),
    (lambda axis: layers.BatchNormalization(axis=axis), "BatchNormalization: axis must be one of features"),
    (lambda axis: layers.Normalization(axis=axis), "Normalization: axis must be one of features"),
    (lambda axis: layers.Normalization(axis=(1, axis)), "Normalization: axis must be one of features"),
    (lambda axis: layers.UnitNormalization(axis=axis), "UnitNormalization: axis must be one of the input's"),
    (lambda axis: layers.Softmax(axis=axis), "Softmax: axis must be one of the input's, from 0 to 2 or from -3 to -1"),
    (lambda axis: layers.PReLU(shared_axes=axis), "PReLU: shared_axes must be one of features"),
    (lambda axis: layers.PReLU(shared_axes=(1, axis)), "PReLU: shared_axes must be one of features, from 1 to 2"),
])
def test_axes_that_are_not_there(make, message):
    for axis in (3, 5, -4, 6, 2**40):
        with pytest.raises(ValueError, match=message):
            make(axis)(X)


def test_axes_of_merging_layers():
    for axis in (3, -4):
        with pytest.raises(ValueError, match="Concatenate: axis must be one of the input's"):
            layers.Concatenate(axis=axis)([X, X])
        with pytest.raises(ValueError, match="Concatenate: axis must be one of the input's"):
            layers.Concatenate(axis=axis).compute_output_shape([(None, 3, 4)] * 2)
    assert layers.Concatenate(axis=-2)([X, X]).shape == (2, 6, 4)
    assert layers.Concatenate(axis=1).compute_output_shape([(None, 3, 4), (None, 5, 4)]) == (None, 8, 4)
    assert layers.Concatenate(axis=0).compute_output_shape([(None, 3), (None, 3)]) == (None, 3)


def test_the_axis_of_samples_has_no_statistics_of_its_own():
    for make in (layers.LayerNormalization, layers.BatchNormalization, layers.Normalization):
        for axis in (0, -3):
            with pytest.raises(ValueError, match="axis must be one of features"):
                make(axis=axis)(X)


def test_an_axis_named_twice():
    for make in (layers.LayerNormalization, layers.UnitNormalization, layers.Softmax, layers.Normalization):
        with pytest.raises(ValueError, match=r"axis must name each axis once; got \(2, -1\) for an input of 3 axes"):
            make(axis=(2, -1))(X)


def test_an_input_of_other_rank_than_the_layer_was_built_for():
    layer = layers.BatchNormalization(axis=2)
    layer(X)
    with pytest.raises(ValueError, match="axis must be one of features, from 1 to 1"):
        layer(X[:, :, 0])
    with pytest.raises(ValueError, match=r"BatchNormalization: axis must be one axis; got \(1, 2\)"):
        layers.BatchNormalization(axis=(1, 2))


def test_adapting_along_an_axis_that_is_not_there():
    layer = layers.Normalization(axis=5)
    with pytest.raises(ValueError, match="Normalization: axis must be one of features"):
        layer.adapt(X)
    assert not layer.built


def test_permute_of_another_rank():
    for x in (X[0], X[None]):
        with pytest.raises(ValueError, match=r"dims must name every axis of the input but the first; got \(2, 1"):
            layers.Permute((2, 1))(x)
        with pytest.raises(ValueError, match="Permute: dims must name every axis"):
            layers.Permute((2, 1)).compute_output_shape(x.shape)


def test_axes_counted_from_either_end():
    for axis, other in ((1, -2), (2, -1)):
        for make in (layers.LayerNormalization, layers.UnitNormalization, layers.Softmax):
            assert np.array_equal(make(axis=axis)(X), make(axis=other)(X))
        assert layers.BatchNormalization(axis=axis)(X).shape == layers.BatchNormalization(axis=other)(X).shape
        assert layers.PReLU(shared_axes=axis).compute_output_shape(X.shape) == X.shape
    for axes in (1, (1,), [1], -2):
        layer = layers.PReLU(shared_axes=axes)
        layer(X)
        assert layer.alpha.shape == (1, 4)
    z = (X - X.mean((1, 2), keepdims=True)) / np.sqrt(X.var((1, 2), keepdims=True) + 1e-3)
    assert np.allclose(layers.LayerNormalization(axis=(2, 1))(X), z, atol=1e-5)


# -- indices ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("layer", [layers.Embedding(3, 2), layers.CategoryEncoding(3, "one_hot"),
                                   layers.CategoryEncoding(3), layers.CategoryEncoding(3, "count")],
                         ids=["embedding", "one_hot", "multi_hot", "count"])
def test_indices_that_are_none(layer):
    name = type(layer).__name__
    for wrong, kind, message in (
            (1.5, ValueError, "indices must be whole numbers; got 1.5"), (2.0000002, ValueError, "whole numbers"),
            (np.nan, ValueError, "whole numbers; got nan"), (np.inf, ValueError, "whole numbers; got inf"),
            (-np.inf, ValueError, "whole numbers; got -inf"), (-0.5, ValueError, "whole numbers; got -0.5"),
            (-1.0, ValueError, r"indices must lie in \[0, 3\); got -1"), (3.0, ValueError, "got 3"),
            (1e30, ValueError, r"lie in \[0, 3\)"), (-1, ValueError, r"lie in \[0, 3\); got -1"),
            (3, ValueError, r"lie in \[0, 3\); got 3"), (2**62, ValueError, r"in \[0, 3\); got 4611686018427387904"),
            (np.uint64(2**63), ValueError, r"lie in \[0, 3\)"), (np.uint8(255), ValueError, "got 255"),
            (True, TypeError, "integers are expected; got dtype bool")):
        with pytest.raises(kind, match=f"{name}: .*{message}"):
            layer(np.array([[0, 1], [wrong, 2]]) if not isinstance(wrong, bool) else np.array([[wrong]]))


def test_whole_numbers_in_every_dtype():
    layer = layers.Embedding(3, 2)
    expected = layer(np.array([[0, 2]])).numpy()
    for dtype in ("int8", "uint8", "int16", "uint64", "float16", "float32", "float64"):
        assert np.array_equal(layer(np.array([[0, 2]], dtype)), expected), dtype
        assert layers.CategoryEncoding(3, "one_hot")(np.array([0, 2], dtype)).numpy().tolist() == [[1, 0, 0], [0, 0, 1]]
    assert layer(np.zeros((0, 2))).shape == (0, 2, 2)
    assert np.array_equal(layer(np.array([[-0.0, 2.0]])), expected)


def test_a_wrong_index_in_training_is_named():
    model = ct.Sequential([layers.Embedding(3, 2), layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"Embedding: indices must be whole numbers; got 1\.5") as caught:
        model.fit(np.array([[0.], [1.5]]), np.zeros((2, 1)), verbose=0)
    assert any("Embedding" in note for note in caught.value.__notes__)
