"""TensorFlow's names and keywords: the same expressions here, in NumPy, and in TensorFlow where it is installed."""
import inspect

import numpy as np
import pytest

import cytensor as ct
import cytensor.tensorflow
from cytensor.keywords import KEYWORDS

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(3, 4)).astype("float32"), RNG.normal(size=(3, 4)).astype("float32")
S = (RNG.normal(size=(2, 3, 3)) + 3 * np.eye(3)).astype("float32")
P = (S @ S.swapaxes(-1, -2)).astype("float32")
IMAGE, KERNEL = RNG.normal(size=(2, 6, 5, 3)).astype("float32"), RNG.normal(size=(3, 2, 3, 4)).astype("float32")

# An expression of tf and the arrays above -> the same in NumPy, or None where TensorFlow alone says it.
EXPRESSIONS = {
    "tf.clip_by_value(X, clip_value_min=-0.5, clip_value_max=0.5)": lambda: X.clip(-0.5, 0.5),
    "tf.clip_by_value(t=X, clip_value_min=0, clip_value_max=1, name='c')": lambda: X.clip(0, 1),
    "tf.range(start=1, limit=9, delta=3)": lambda: np.arange(1, 9, 3),
    "tf.range(limit=5, start=0)": lambda: np.arange(5),
    "tf.matmul(X, Y, transpose_b=True)": lambda: X @ Y.T,
    "tf.matmul(a=X, b=Y, transpose_a=True)": lambda: X.T @ Y,
    "tf.matmul(S, P, transpose_a=True, transpose_b=True)": lambda: S.swapaxes(1, 2) @ P.swapaxes(1, 2),
    "tf.concat(values=[X, Y], axis=1)": lambda: np.concatenate([X, Y], 1),
    "tf.stack(values=[X, Y], axis=-1, name='s')": lambda: np.stack([X, Y], -1),
    "tf.reduce_mean(input_tensor=X, axis=0)": lambda: X.mean(0),
    "tf.reduce_sum(X, axis=1, keepdims=True, name='s')": lambda: X.sum(1, keepdims=True),
    "tf.math.reduce_max(input_tensor=X)": lambda: X.max(),
    "tf.math.reduce_std(input_tensor=X, axis=1)": lambda: X.std(1),
    "tf.reduce_logsumexp(input_tensor=X, axis=1)": lambda: np.log(np.exp(X).sum(1)),
    "tf.reshape(tensor=X, shape=[2, 6])": lambda: X.reshape(2, 6),
    "tf.transpose(a=X, perm=[1, 0])": lambda: X.T,
    "tf.squeeze(input=X[None], axis=0)": lambda: X,
    "tf.expand_dims(input=X, axis=1)": lambda: X[:, None],
    "tf.cast(X, dtype=tf.int32, name='c')": lambda: X.astype("int32"),
    "tf.argmax(input=X, axis=1)": lambda: X.argmax(1),
    "tf.add(x=X, y=Y, name='a')": lambda: X + Y,
    "tf.pow(x=X, y=2.0)": lambda: X ** 2,
    "tf.maximum(X, y=0.0)": lambda: np.maximum(X, 0),
    "tf.zeros_like(input=X)": lambda: np.zeros_like(X),
    "tf.sort(X, axis=1, direction='DESCENDING')": lambda: -np.sort(-X, 1),
    "tf.argsort(X, axis=0, direction='ASCENDING')": lambda: np.argsort(X, 0),
    "tf.size(X)": lambda: 12, "tf.rank(X)": lambda: 2, "tf.shape(X)": lambda: (3, 4),
    "tf.gather(X, [2, 0])": lambda: X[[2, 0]],
    "tf.gather(X, [[1, 3]], axis=1)": lambda: X[:, [[1, 3]]],
    "tf.gather(params=X, indices=[[0, 1], [2, 2], [3, 0]], batch_dims=1)":
        lambda: np.take_along_axis(X, np.array([[0, 1], [2, 2], [3, 0]]), 1),
    "tf.gather(S, [[0], [2]], axis=-1, batch_dims=1)": lambda: np.stack([S[0][:, [0]], S[1][:, [2]]]),
    "tf.gather_nd(X, [[0, 1], [2, 3]])": lambda: X[[0, 2], [1, 3]],
    "tf.gather_nd(S, [[[1]], [[0]]])": lambda: S[[[1], [0]]],
    "tf.tile(X, [2, 3])": lambda: np.tile(X, (2, 3)), "tf.tile(input=X, multiples=[0, 1])": lambda: np.tile(X, (0, 1)),
    "tf.pad(X, paddings=[[1, 2], [0, 1]])": lambda: np.pad(X, [[1, 2], [0, 1]]),
    "tf.pad(tensor=X, paddings=[[1, 1], [2, 0]], mode='REFLECT')": lambda: np.pad(X, [[1, 1], [2, 0]], "reflect"),
    "tf.fill([2, 3], 7.0)": lambda: np.full((2, 3), 7.0), "tf.fill(dims=[2], value=3)": lambda: np.full(2, 3),
    "tf.einsum('ij,kj->ik', X, Y)": lambda: X @ Y.T,
    "tf.meshgrid([1, 2, 3], [4, 5])": lambda: np.meshgrid([1, 2, 3], [4, 5]),
    "tf.meshgrid([1, 2], [4, 5, 6], [7, 8], indexing='ij')": lambda: np.meshgrid([1, 2], [4, 5, 6], [7, 8],
                                                                                 indexing="ij"),
    "tf.map_fn(lambda x: x * 2, X)": lambda: X * 2,
    "tf.map_fn(lambda p: p[0] + p[1], (X, Y), fn_output_signature=tf.float32)": lambda: X + Y,
    "tf.unstack(X, axis=1)": lambda: list(X.T), "tf.reverse(X, axis=[0, 1])": lambda: X[::-1, ::-1],
    "tf.slice(X, begin=[1, 0], size=[-1, 2])": lambda: X[1:, :2],
    "tf.strided_slice(X, [0, 1], [3, 4], [2, 2])": lambda: X[0:3:2, 1:4:2],
    "tf.strided_slice(X, [1, 9], [2, 0], begin_mask=2, end_mask=2, shrink_axis_mask=1)": lambda: X[1],
    "tf.boolean_mask(X, [True, False, True])": lambda: X[[0, 2]],
    "tf.boolean_mask(X, X > 0)": lambda: X[X > 0],
    "tf.boolean_mask(X, [True, False, True, True], axis=1)": lambda: X[:, [0, 2, 3]],
    "tf.scatter_nd([[1], [3], [1]], [1.0, 2.0, 5.0], [4])": lambda: [0, 6, 0, 2],
    "tf.tensor_scatter_nd_update(X, [[0, 1], [2, 0]], [8.0, 9.0])": None,
    "tf.tensor_scatter_nd_update(X, [[1]], Y[:1])": None, "tf.tensor_scatter_nd_add(X, [[1], [1]], Y[:2])": None,
    "tf.unique([5, 1, 5, 2])": lambda: ([5, 1, 2], [0, 1, 0, 2]),
    "tf.searchsorted([1.0, 3.0, 5.0], [0.0, 3.0, 9.0], side='right')": lambda: [0, 2, 3],
    "tf.searchsorted([[1.0, 3.0], [2.0, 4.0]], [[2.0], [5.0]])": lambda: [[1], [2]],
    "tf.math.bincount([0, 2, 2], minlength=5)": lambda: [1, 0, 2, 0, 0],
    "tf.histogram_fixed_width([-1.0, 0.0, 1.5, 2.0, 5.0, 15.0], [0.0, 5.0], nbins=5)": lambda: [2, 1, 1, 0, 2],
    # tf.linalg
    "tf.linalg.inv(S)": lambda: np.linalg.inv(S), "tf.linalg.det(S)": lambda: np.linalg.det(S),
    "tf.linalg.inv(S, adjoint=True)": lambda: np.linalg.inv(S.swapaxes(1, 2)),
    "tf.linalg.slogdet(S)": lambda: np.linalg.slogdet(S), "tf.linalg.logdet(P)": lambda: np.linalg.slogdet(P)[1],
    "tf.linalg.solve(S, P)": lambda: np.linalg.solve(S, P), "tf.linalg.cholesky(P)": lambda: np.linalg.cholesky(P),
    "tf.linalg.svd(S, compute_uv=False)": lambda: np.linalg.svd(S, compute_uv=False),
    "tf.linalg.matmul(*(lambda s, u, v: (u * s[:, None], v))(*tf.linalg.svd(S)), transpose_b=True)": lambda: S,
    "tf.linalg.matmul(*tf.linalg.qr(S))": lambda: S, "tf.linalg.eigh(P)[0]": lambda: np.linalg.eigvalsh(P),
    "tf.linalg.eigvalsh(P)": lambda: np.linalg.eigvalsh(P), "tf.linalg.pinv(X)": lambda: np.linalg.pinv(X),
    "tf.linalg.matrix_rank(S)": lambda: [3, 3], "tf.linalg.norm(X)": lambda: np.linalg.norm(X),
    "tf.norm(X, ord=1, axis=1)": lambda: np.linalg.norm(X, 1, 1),
    "tf.linalg.diag([1.0, 2.0])": lambda: np.diag([1, 2]), "tf.linalg.diag(X)": None,
    "tf.linalg.diag_part(S)": lambda: np.diagonal(S, axis1=1, axis2=2),
    "tf.linalg.trace(S)": lambda: np.trace(S, 0, 1, 2),
    "tf.linalg.band_part(S, 1, 0)": lambda: np.tril(np.triu(S, -1)),
    "tf.linalg.band_part(X, 0, -1)": lambda: np.triu(X),
    "tf.linalg.matrix_transpose(S)": lambda: S.swapaxes(1, 2),
    "tf.linalg.matvec(S, X[:2, :3])": lambda: np.einsum("nij,nj->ni", S, X[:2, :3]),
    "tf.linalg.normalize(X, axis=1)": None, "tf.math.l2_normalize(X, axis=1)": None,
    # tf.math
    "tf.math.rsqrt(P)": None, "tf.math.squared_difference(X, Y)": lambda: (X - Y) ** 2,
    "tf.math.divide_no_nan([1.0, 2.0], [0.0, 4.0])": lambda: [0, 0.5],
    "tf.math.multiply_no_nan([np.inf, 2.0], [0.0, 4.0])": lambda: [0, 8],
    "tf.math.xlogy([0.0, 2.0], [0.0, 3.0])": lambda: [0, 2 * np.log(3)],
    "tf.math.logical_xor([True, True], [True, False])": lambda: [False, True],
    "tf.math.count_nonzero(X > 0, axis=0)": lambda: (X > 0).sum(0), "tf.math.is_nan(X)": lambda: np.isnan(X),
    "tf.math.zero_fraction([0.0, 1.0])": lambda: 0.5, "tf.math.reduce_euclidean_norm(X)": lambda: np.linalg.norm(X),
    "tf.math.unsorted_segment_sum(X, [1, 0, 1], num_segments=3)": lambda: [X[1], X[0] + X[2], 0 * X[0]],
    "tf.math.confusion_matrix([0, 1, 2], [0, 2, 2])": lambda: [[1, 0, 0], [0, 0, 1], [0, 0, 1]],
    "tf.math.in_top_k([0, 1, 2], X, k=2)": None, "tf.math.polyval([2.0, 0.0, 1.0], X)": lambda: 2 * X * X + 1,
    "tf.math.softplus(features=X)": lambda: np.log1p(np.exp(X)),
    "tf.math.floormod(X, 0.7)": lambda: X % np.float32(0.7),
    # tf.nn
    "tf.nn.moments(X, axes=[0])": lambda: (X.mean(0), X.var(0)),
    "tf.nn.moments(X, axes=[0, 1], keepdims=True)": lambda: (X.mean(keepdims=True), X.var(keepdims=True)),
    "tf.nn.relu(features=X)": lambda: X.clip(0), "tf.nn.softmax(logits=X, axis=0)": None,
    "tf.nn.conv2d(IMAGE, KERNEL, strides=[1, 2, 2, 1], padding='SAME')": None,
    "tf.nn.conv2d(input=IMAGE, filters=KERNEL, strides=1, padding='VALID', dilations=[2, 1])": None,
    "tf.nn.conv1d(IMAGE[0], KERNEL[0], 2, 'VALID')": None,
    "tf.nn.max_pool2d(IMAGE, ksize=2, strides=[2, 2], padding='SAME')": None,
    "tf.nn.avg_pool2d(IMAGE, [1, 2, 2, 1], [1, 2, 2, 1], 'VALID')": None,
    "tf.nn.batch_normalization(X, X.mean(0), X.var(0), None, 2.0, 1e-3)": None,
    "tf.nn.l2_loss(X)": lambda: (X ** 2).sum() / 2, "tf.nn.embedding_lookup(X, [2, 0])": lambda: X[[2, 0]],
    # tf.strings
    "tf.strings.length(['abc', ''])": lambda: [3, 0], "tf.strings.length('ä')": lambda: 2,
    "tf.strings.to_number(['1.5', '-2'])": lambda: [1.5, -2], "tf.strings.regex_full_match(['ab', 'b'], 'a.*')": None,
    "tf.strings.length('ä', unit='UTF8_CHAR')": lambda: 1,
}


def flat(result):
    return [np.asarray(part) for part in result] if isinstance(result, (list, tuple)) and not all(
        isinstance(part, int) for part in result) else [np.asarray(result)]


def check(ours, wanted, expression):
    ours, wanted = flat(ours), flat(wanted)
    assert len(ours) == len(wanted), expression
    for one, other in zip(ours, wanted, strict=True):
        assert one.shape == other.shape, expression
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-5, err_msg=expression)


# Where the Array API standard's function of that name is another, `ct` has the standard's.
OF_TENSORFLOW_ALONE = ("tf.linalg.inv(S, adjoint", "tf.linalg.svd", "tf.linalg.matmul(*(lambda", "tf.linalg.trace",
                       "tf.searchsorted([[", "tf.tile(input")


@pytest.mark.parametrize("tf", [ct, ct.tensorflow], ids=["cytensor", "cytensor.tensorflow"])
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_as_numpy(expression, tf):
    if tf is ct and expression.startswith(OF_TENSORFLOW_ALONE):
        pytest.skip("the standard's function is another")
    result = eval(expression, {**globals(), "tf": tf})
    expected = EXPRESSIONS[expression]
    if expected is not None:
        wanted = expected()
        is_list = isinstance(result, (list, tuple)) and not isinstance(result, ct.shapes.TensorShape)
        check(result, wanted if is_list else np.asarray(wanted), expression)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_as_tensorflow(expression):
    tensorflow = pytest.importorskip("tensorflow")
    found, wanted = (eval(expression, {**globals(), "tf": tf}) for tf in (ct.tensorflow, tensorflow))
    check(found, wanted, expression)


DIFFERENTIABLE = [name for name in EXPRESSIONS if name.startswith((
    "tf.clip", "tf.matmul", "tf.concat", "tf.stack", "tf.reduce", "tf.transpose", "tf.gather", "tf.tile", "tf.pad",
    "tf.map_fn", "tf.slice", "tf.strided", "tf.boolean_mask", "tf.tensor_scatter", "tf.linalg.inv", "tf.linalg.det",
    "tf.linalg.logdet", "tf.linalg.solve", "tf.linalg.cholesky", "tf.linalg.trace", "tf.linalg.band",
    "tf.linalg.matvec", "tf.math.l2", "tf.math.squared", "tf.math.unsorted", "tf.math.poly", "tf.nn.conv2d",
    "tf.nn.avg",
    "tf.nn.max", "tf.nn.l2")) and "multiples=[0" not in name]


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_gradients_by_differences(expression):
    given = {name: globals()[name].astype("float64") for name in ("X", "Y", "S", "P", "IMAGE", "KERNEL")}
    used = [name for name in given if name in expression.replace("VALID", "").replace("SAME", "")]
    weights = {}

    def value(arrays):
        result = eval(expression, {**globals(), **arrays, "tf": ct.tensorflow})
        parts = result if isinstance(result, (list, tuple)) else [result]
        total = 0.0
        for i, part in enumerate(parts):
            weight = weights.setdefault(i, np.random.default_rng(i).normal(size=part.shape))
            total = total + ct.sum(part * weight)
        return total

    tensors = {name: ct.asarray(array) for name, array in given.items()}
    with ct.GradientTape() as tape:
        for name in used:
            tape.watch(tensors[name])
        target = value(tensors)
    for name, gradient in zip(used, tape.gradient(target, [tensors[name] for name in used]), strict=True):
        direction = np.random.default_rng(9).normal(size=given[name].shape)
        if name == "P":
            direction = direction + direction.swapaxes(-1, -2)
        step = 1e-6
        ahead, behind = (float(value({**given, name: given[name] + sign * step * direction})) for sign in (1, -1))
        assert float(ct.sum(gradient * direction)) == pytest.approx((ahead - behind) / (2 * step), rel=2e-5, abs=1e-6)


def test_what_has_no_gradient_says_so():
    x = ct.Variable(P)
    for call in (ct.tensorflow.linalg.svd, ct.tensorflow.linalg.qr, ct.tensorflow.linalg.eigh):
        with ct.GradientTape() as tape:
            y = call(x)[0]
        with pytest.raises(TypeError, match="has no gradient rule"):
            tape.gradient(y, x)


def test_no_word_of_another_package_hides_a_parameter():
    for name, words in KEYWORDS.items():
        own = inspect.signature(getattr(ct, name)).parameters
        assert not own.keys() & words.keys(), name
        assert {word for word in words.values() if isinstance(word, str)} <= own.keys(), name


def test_shapes_know_tensorflows_methods():
    x = ct.ones((2, 3))
    assert x.shape == (2, 3) and isinstance(x.shape, tuple) and repr(x.shape) == "(2, 3)"
    assert x.shape.as_list() == x.get_shape().as_list() == [2, 3] and x.shape.rank == x.shape.ndims == 2
    assert x.shape.num_elements() == 6 and x.shape.is_fully_defined() and ct.Variable(x).shape.dims == [2, 3]


def test_devices_versions_and_functions(capsys):
    tf = ct.tensorflow
    assert tf.config.list_physical_devices("GPU") == [] and len(tf.config.list_physical_devices()) == 1
    tf.config.experimental.enable_op_determinism()
    for name in ("/CPU:0", "/device:CPU:0", None):
        with tf.device(name):
            pass
    with pytest.raises(ValueError, match="device: there is the CPU alone"), tf.device("/GPU:0"):
        pass
    assert tuple(map(int, tf.__version__.split(".")[:2])) >= (2, 8) and tf.__version__ == tf.version.VERSION
    assert ct.executing_eagerly() and tf.function(input_signature=[])(lambda: 3)() == 3
    tf.print("a", ct.ones(2), sep="|")
    assert capsys.readouterr().err == "a|[1. 1.]\n"
    v = ct.Variable([[1.0, 2.0]])
    assert v[0, 1].assign(42.0).numpy() == 42 and v.numpy().tolist() == [[1, 42]]


def test_random_numbers():
    tf = ct
    one, other = (tf.random.Generator.from_seed(3) for _ in range(2))
    assert np.array_equal(one.normal(shape=[2, 3]), other.normal([2, 3]))
    assert one.uniform([100], 2, 5, dtype="int32").numpy().min() >= 2
    assert not np.array_equal(one.split(2)[0].normal([4]), one.split(2)[1].normal([4]))
    drawn = tf.random.categorical(np.log([[0.5, 0.5, 1e-30], [1e-30, 1e-30, 1.0]]), 2000, seed=1).numpy()
    assert drawn.shape == (2, 2000) and set(drawn[0]) == {0, 1} and set(drawn[1]) == {2}
    assert abs((drawn[0] == 0).mean() - 0.5) < 0.05


def test_a_module_finds_its_variables():
    class Inner(ct.Module):
        def __init__(self):
            super().__init__()
            self.w = ct.Variable(1.0, name="w")

    class Outer(ct.Module):
        def __init__(self):
            super().__init__(name="outer")
            self.inner, self.dense = Inner(), ct.layers.Dense(2)
            self.listed = [ct.Variable(2.0, trainable=False), {"k": Inner()}]
            self.again = self.inner
            self.dense(np.ones((1, 3)))

    outer = Outer()
    assert outer.name == "outer" and Inner().name == "inner"
    assert len(outer.variables) == 5 and len(outer.trainable_variables) == 4
    assert len(outer.non_trainable_variables) == 1 and len(outer.submodules) == 3
    with ct.GradientTape() as tape:
        y = outer.inner.w * 3.0
    assert float(tape.gradient(y, outer.inner.variables[0])) == 3


@pytest.mark.parametrize(("call", "error", "message"), [
    ("tf.tile(X, [2])", ValueError, "tile: multiples"), ("tf.gather_nd(X, [[3, 0]])", IndexError, "gather_nd: indices"),
    ("tf.gather(X, [9])", IndexError, "indices must lie"), ("tf.slice(X, [0, 0], [9, 1])", ValueError, "slice: begin"),
    ("tf.boolean_mask(X, [True])", ValueError, "boolean_mask: mask"),
    ("tf.unstack(X, num=9)", ValueError, "unstack: num"),
    ("tf.scatter_nd([[0]], [1.0, 2.0], [3])", ValueError, "scatter_nd: updates"),
    ("tf.linalg.inv(X)", ValueError, "inv: square matrices"),
    ("tf.linalg.inv(np.zeros((2, 2)))", ValueError, "inv: sing"),
    ("tf.linalg.det([[1, 2], [3, 4]])", TypeError, "det: floating"),
    ("tf.linalg.cholesky(-P)", ValueError, "cholesky: "), ("tf.linalg.solve(S, X)", ValueError, "solve: rhs"),
    ("tf.strings.length(3)", TypeError, "length: text"), ("tf.sort(X, direction='UP')", ValueError, "sort: direction"),
    ("tf.argmax(X, output_type='float32')", ValueError, "argmax: output_type"),
    ("tf.meshgrid(X)", ValueError, "meshgrid: vectors"), ("tf.map_fn(abs, [])", ValueError, "map_fn: elems"),
    ("tf.nn.conv2d(IMAGE, KERNEL, [2, 1, 1, 1], 'SAME')", ValueError, "samples and channels"),
    ("tf.nn.conv2d(IMAGE, KERNEL, 1, 'SAME', data_format='XYZ')", ValueError, "data_format"),
    ("tf.nn.dropout(X, rate=1.5)", ValueError, "dropout: rate"),
    ("tf.random.categorical(X[0], 3)", ValueError, "categorical: logits"),
    ("tf.random.Generator(3)", TypeError, "Generator: made by"), ("tf.Module(name='a b')", ValueError, "Module: name"),
])
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        eval(call, {**globals(), "tf": ct.tensorflow})
