"""keras.ops under Keras's names: the numbers of NumPy and, where it is installed, of Keras; gradients; graphs."""
import os

import numpy as np
import pytest

import cytensor as ct
from cytensor import keras
from cytensor.keras import ops

X = np.array([[0.5, -1.5, 2.0], [1.25, 0.75, -0.25]], np.float32)
Y = np.array([[2.0, 1.0, -1.0], [0.5, 3.0, 1.5]], np.float32)
SQUARE = np.array([[4.0, 1.0], [1.0, 3.0]], np.float32)
GAPS = np.array([[1.0, np.nan, 3.0], [np.nan, 2.0, np.inf]], np.float32)
BYTES = np.array([1, 2, 12], np.int32)

# Calls that NumPy has under the same name, with the same meaning.
AS_NUMPY = {
    **dict.fromkeys(["deg2rad", "rad2deg", "exp2", "fabs", "trunc", "sinc", "isposinf", "isneginf", "signbit",
          "ravel", "fliplr", "flipud", "diff", "cbrt", "amax", "amin", "ptp", "count_nonzero", "average"], (X,)),
    **{name: (np.abs(X),) for name in ("log2", "log10")},
    **dict.fromkeys(["hypot", "logaddexp", "logaddexp2", "fmax", "fmin", "fmod", "heaviside", "logical_xor", "mod"],
          (X, Y)),
    **dict.fromkeys(["nansum", "nanprod", "nanmax", "nanmin", "nan_to_num"], (GAPS,)),
    **dict.fromkeys(("nanmean", "nanvar", "nanstd"), (GAPS[:, :2], 0)),
    **dict.fromkeys(["bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "gcd", "lcm", "isin"], (BYTES,
          BYTES[::-1])),
    "bitwise_not": (BYTES,), "nonzero": (X,), "corrcoef": (X,), "vdot": (X, Y), "percentile": (X, 30.0),
    "moveaxis": (X, 0, 1), "swapaxes": (X, 0, 1), "tile": (X, (2, 1)), "diag": (X[0], 1), "diagflat": (X[0],),
    "tril": (X,), "triu": (X, 1), "hstack": ([X, Y],), "vstack": ([X, Y],), "dstack": ([X, Y],), "rot90": (X,),
    "cross": (X, Y), "vander": (X[0],), "append": (X, Y), "trace": (X,), "trapezoid": (X,), "array_split": (X[0], 2),
    "searchsorted": (np.sort(X[0]), Y[0]), "digitize": (X, np.array([-1.0, 0.0, 1.0])), "bincount": (BYTES,),
    "hanning": (5,), "hamming": (5,), "bartlett": (5,), "blackman": (5,), "kaiser": (5, 2.0), "tri": (3,),
    "logspace": (0, 2, 3), "geomspace": (1, 4, 3), "meshgrid": (X[0], Y[0]), "unravel_index": (BYTES, (4, 5)),
}


def agree(ours, theirs, tolerance=2e-6):
    if isinstance(theirs, (tuple, list)):
        assert len(ours) == len(theirs)
        for mine, other in zip(ours, theirs, strict=True):
            agree(mine, other, tolerance)
        return
    theirs = np.asarray(theirs)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(np.asarray(ours, np.float64), theirs.astype(np.float64), tolerance, tolerance)


@pytest.mark.parametrize("name", AS_NUMPY)
def test_as_numpy(name):
    agree(getattr(ops, name)(*AS_NUMPY[name]), getattr(np, name, None)(*AS_NUMPY[name])
          if hasattr(np, name) else np.trapz(*AS_NUMPY[name]))


AS_KERAS = {
    "cholesky": (SQUARE,), "inv": (SQUARE,), "det": (SQUARE,), "slogdet": (SQUARE,), "solve": (SQUARE, SQUARE[0]),
    "gelu": (X,), "silu": (X,), "leaky_relu": (X,), "glu": (np.hstack([X, Y]),), "squareplus": (X,),
    "normalize": (X,), "rms_normalization": (X,), "moments": (X, [0]),
    "batch_normalization": (X, X[0], np.abs(X[1]), 1), "rsqrt": (np.abs(X),),
    "one_hot": (BYTES[:2], 4, 0), "multi_hot": (BYTES[:2], 4), "segment_sum": (X, np.array([1, 1]), 3),
    "scatter": (np.array([[1], [3]]), X[0, :2], (5,)), "scatter_update": (X, np.array([[0, 1], [1, 2]]), Y[0, :2]),
    "slice": (X, (0, 1), (2, 2)), "slice_update": (X, (0, 1), Y[:, :2]), "select": ([X > 1, X > 0], [X, Y], 7.0),
    "in_top_k": (BYTES[:2], X, 2), "divide_no_nan": (X, np.zeros_like(X)), "unstack": (X,),
    "average": (X, 1, np.array([1.0, 2.0, 3.0], np.float32)), "saturate_cast": (X * 300, "uint8"),
    "conv": (np.ones((1, 5, 2), np.float32), np.ones((3, 2, 4), np.float32), 1, "same"),
    "max_pool": (np.arange(8, dtype=np.float32).reshape(1, 8, 1), 2), "logsumexp": (X,),
    "categorical_crossentropy": (np.eye(3, dtype=np.float32)[:2], X, True),
    "sparse_categorical_crossentropy": (np.array([0, 2]), X, True),
    "binary_crossentropy": (np.eye(3, dtype=np.float32)[:2], X, True),
    "dot_product_attention": (X.reshape(1, 2, 1, 3), Y.reshape(1, 2, 1, 3), X.reshape(1, 2, 1, 3)),
    "psnr": (X, Y, 2.0), "ldexp": (X, BYTES[[0, 1, 1]]),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", AS_KERAS)
def test_as_keras(name):
    os.environ.setdefault("KERAS_BACKEND", "torch")
    theirs = pytest.importorskip("keras").ops
    given = [theirs.convert_to_tensor(part) if isinstance(part, np.ndarray) else part for part in AS_KERAS[name]]
    found = getattr(theirs, name)(*given)
    found = [np.asarray(theirs.convert_to_numpy(part)) for part in found] if isinstance(found, (tuple, list)) else \
        np.asarray(theirs.convert_to_numpy(found))
    agree(getattr(ops, name)(*AS_KERAS[name]), found, 2e-5)


def differs(function, x, step=1e-3):
    """The gradient of a sum by central differences, in float64."""
    result = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        up, down = np.array(x), np.array(x)
        up[place] += step
        down[place] -= step
        result[place] = (np.sum(np.asarray(function(up))) - np.sum(np.asarray(function(down)))) / (2 * step)
    return result


@pytest.mark.parametrize(("name", "rest"), [
    ("hypot", (Y,)), ("logaddexp", (Y,)), ("sinc", ()), ("cbrt", ()), ("moveaxis", (0, 1)), ("tile", ((2, 3),)),
    ("tril", ()), ("cross", (Y,)), ("diff", ()), ("trapezoid", ()), ("rot90", ()), ("vander", ()), ("average", ()),
    ("slice", ((0, 1), (2, 2))), ("scatter_update", (np.array([[0, 1]]), Y[0, :1])), ("rms_normalization", ()),
    ("layer_normalization", ()), ("normalize", ()), ("nanmean", ()), ("percentile", (30.0,)), ("segment_sum", (
        np.array([1, 0]),)),
])
def test_gradients_are_kept(name, rest):
    x = (X[0] if name == "vander" else X).astype(np.float64)
    rest = [part.astype(np.float64) if isinstance(part, np.ndarray) and part.dtype.kind == "f" else part
            for part in rest]

    def squared(value):
        return ct.square(getattr(ops, name)(value, *rest))
    v = ct.Variable(x)
    with ct.GradientTape() as tape:
        total = ct.sum(squared(v))
    np.testing.assert_allclose(np.asarray(tape.gradient(total, v)), differs(squared, x), rtol=1e-4, atol=1e-5)


def test_graphs_hold_them(tmp_path):
    inputs = keras.Input((3,))
    outputs = ops.hypot(ops.swapaxes(ops.expand_dims(inputs, 1), 1, 2), 2.0)
    model = keras.Model(inputs, outputs)
    assert model.output_shape == (None, 3, 1)
    np.testing.assert_allclose(model.predict(X, verbose=0)[..., 0], np.hypot(X, 2.0), rtol=1e-6)
    model.save(tmp_path / "model.safetensors")
    again = keras.models.load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod", "var", "std", "any", "all", "amax", "amin"])
def test_reductions_take_keepdims_in_the_third_place(name):
    agree(getattr(ops, name)(X, 1, True), getattr(np, name)(X, 1, keepdims=True))


def test_arguments_in_the_order_of_keras():
    agree(ops.where(X > 1, X, Y), np.where(X > 1, X, Y))
    agree(ops.where(X > 1), np.nonzero(X > 1))
    agree(ops.round(X, 1), np.round(X, 1), 1e-6)
    agree(ops.linspace(0, 1), np.linspace(0, 1))
    with pytest.raises(ValueError, match="both be given"):
        ops.where(X > 1, X)


def test_loops_and_branches():
    assert ops.while_loop(lambda i, s: i < 4, lambda i, s: (i + 1, s + i), (0, 0)) == (4, 6)
    assert ops.fori_loop(0, 4, lambda i, s: s + i, 0) == 6
    assert ops.cond(True, lambda: 1, lambda: 2) == 1 and ops.switch(7, [lambda: 1, lambda: 2]) == 2
    agree(ops.map(lambda x: x * 2, X), X * 2)
    carry, sums = ops.scan(lambda c, x: (c + x, c + x), ct.zeros(3), X)
    agree(carry, X.sum(0))
    agree(sums, np.cumsum(X, 0))


@pytest.mark.parametrize(("call", "text"), [
    (lambda: ops.tril(X[0]), "tril: x must have at least two axes"),
    (lambda: ops.slice(X, (1, 1), (2, 2)), "slice: must lie inside the shape"),
    (lambda: ops.cross(X[:, :2], Y[:, :2]), "cross: vectors of 3 elements"),
    (lambda: ops.one_hot(BYTES, 4, sparse=True), "one_hot: sparse must be False"),
    (lambda: ops.scatter(np.array([0.5]), X, (3,)), "scatter: indices must be integers"),
    (lambda: ops.average(X, weights=[1.0, 2.0]), "average: weights must have the shape"),
])
def test_refusals(call, text):
    with pytest.raises(ValueError, match=text):
        call()
