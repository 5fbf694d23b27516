"""Models as ONNX: checked by onnx itself, their outputs those of onnxruntime to 1e-5, for any number of samples."""
import numpy as np
import pytest

import cytensor as ct
from cytensor import Model, Sequential, activations, nested
from cytensor import layers as L
from cytensor.cli import main
from cytensor.export.activations import RULES
from cytensor.export.functions import FUNCTIONS
from cytensor.export.layers import rule_of

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")
DTYPES = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(int64)": "int64", "tensor(int32)": "int32"}


def sample(rng, shape, dtype):
    values = rng.integers(0, 4, size=shape) if dtype.startswith("int") else rng.normal(size=shape)
    return values.astype(dtype)


def assert_exported(model, tmp_path, *shapes, dtype="float32"):
    """The model gives what onnxruntime makes of its file, its weights being no longer those it began with."""
    rng = np.random.default_rng(0)
    first = [sample(rng, (2, *shape), dtype) for shape in shapes]
    model(first[0] if len(first) == 1 else first)
    for weight in model.weights:
        weight.assign(np.asarray(weight) + rng.uniform(0, 0.2, size=weight.shape).astype(weight.dtype))
    path = tmp_path / "m.onnx"
    model.export(path)
    session = runtime.InferenceSession(path)
    for samples in (3, 1):
        x = [sample(rng, (samples, *shape), dtype) for shape in shapes]
        expected = [np.asarray(one) for one in nested.flatten(model(x[0] if len(x) == 1 else x))]
        given = {one.name: value.astype(DTYPES[one.type]) for one, value in zip(session.get_inputs(), x, strict=True)}
        for got, wanted in zip(session.run(None, given), expected, strict=True):
            assert got.shape == wanted.shape and got.dtype == wanted.dtype
            assert np.allclose(got, wanted, rtol=1e-5, atol=1e-5)
    return onnx.load(path)


# -- layers -----------------------------------------------------------------------------------------------------------
LAYERS = [
    (L.Dense(3, activation="relu"), (4,)), (L.Dense(3, use_bias=False, activation="gelu"), (5, 4)),
    (L.Conv1D(4, 3), (9, 2)), (L.Conv1D(4, 3, padding="causal", dilation_rate=2), (9, 2)),
    (L.Conv2D(4, 3, strides=2, padding="same", activation="relu"), (9, 8, 2)), (L.Conv2D(4, 3, groups=2), (9, 8, 2)),
    (L.Conv2D(4, (3, 2), data_format="channels_first"), (2, 9, 8)),
    (L.Conv2D(4, 3, dilation_rate=2, padding="same"), (9, 8, 2)), (L.Conv3D(2, 2, padding="same"), (4, 5, 6, 2)),
    (L.DepthwiseConv2D(3, depth_multiplier=2, padding="same"), (7, 7, 3)),
    (L.DepthwiseConv1D(3, activation="relu"), (7, 3)), (L.SeparableConv1D(4, 3), (7, 3)),
    (L.SeparableConv2D(4, 3, padding="same", depth_multiplier=2), (7, 7, 3)),
    (L.SeparableConv2D(4, 3, data_format="channels_first"), (3, 7, 7)),
    (L.Conv1DTranspose(4, 4, strides=2, padding="same", activation="relu"), (5, 3)),
    (L.Conv2DTranspose(4, 3, strides=2, padding="same"), (5, 6, 3)), (L.Conv2DTranspose(4, 3, strides=2), (5, 6, 3)),
    (L.Conv2DTranspose(4, 2, strides=3), (5, 6, 3)), (L.Conv2DTranspose(4, 2, strides=3, padding="same"), (5, 6, 3)),
    (L.Conv2DTranspose(4, 3, strides=3, output_padding=1), (5, 6, 3)),
    (L.Conv2DTranspose(4, 5, strides=2, output_padding=0, padding="same"), (5, 6, 3)),
    (L.Conv2DTranspose(4, 3, dilation_rate=2, padding="same"), (5, 6, 3)),
    (L.Conv3DTranspose(2, 3, padding="same"), (3, 4, 5, 2)),
    (L.PReLU(), (4, 5)), (L.PReLU(shared_axes=[1]), (4, 5)), (L.ReLU(6.0, 0.1, 0.2), (5,)), (L.LeakyReLU(), (5,)),
    (L.ELU(0.7), (5,)), (L.Softmax(), (5,)), (L.Softmax(axis=(1, 2)), (4, 5)), (L.Activation("mish"), (5,)),
    (L.MaxPooling1D(), (7, 3)), (L.MaxPooling2D(3, 2, padding="same"), (7, 6, 3)), (L.MaxPooling3D(), (4, 4, 4, 2)),
    (L.AveragePooling1D(2, data_format="channels_first"), (3, 8)),
    (L.AveragePooling2D(3, 2, padding="same"), (7, 6, 3)), (L.AveragePooling3D(2), (4, 4, 4, 2)),
    (L.GlobalAveragePooling1D(), (4, 3)), (L.GlobalAveragePooling2D(keepdims=True), (4, 5, 3)),
    (L.GlobalAveragePooling3D(), (2, 3, 4, 5)), (L.GlobalMaxPooling1D(), (4, 3)), (L.GlobalMaxPooling2D(), (4, 5, 3)),
    (L.GlobalMaxPooling3D("channels_first"), (2, 3, 4, 5)),
    (L.ZeroPadding1D(2), (4, 3)), (L.ZeroPadding2D(((1, 0), 2)), (4, 5, 3)), (L.ZeroPadding3D(), (2, 3, 4, 1)),
    (L.Cropping1D((1, 2)), (6, 3)), (L.Cropping2D(((1, 0), 1)), (4, 5, 3)), (L.Cropping3D(), (4, 4, 4, 1)),
    (L.UpSampling1D(3), (4, 3)), (L.UpSampling2D((2, 3)), (4, 5, 3)), (L.UpSampling3D(), (2, 3, 4, 2)),
    (L.UpSampling2D(2, interpolation="bilinear"), (4, 5, 3)),
    (L.BatchNormalization(), (4, 5)), (L.BatchNormalization(axis=1, scale=False), (4, 5)),
    (L.LayerNormalization(), (4, 5)), (L.LayerNormalization(axis=(1, 2)), (4, 5)),
    (L.LayerNormalization(axis=1, center=False), (4, 5)), (L.GroupNormalization(2), (4, 5, 6)),
    (L.GroupNormalization(-1, axis=1), (4, 5, 6)), (L.RMSNormalization(), (4, 5)), (L.UnitNormalization(), (5,)),
    (L.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 0.0]), (3,)),
    (L.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 0.0], invert=True), (3,)),
    (L.Rescaling(0.5, offset=1.0), (3,)), (L.Flatten(), (3, 4)), (L.Flatten(data_format="channels_first"), (3, 4, 5)),
    (L.Reshape((2, -1)), (3, 4)), (L.Permute((2, 1)), (3, 4)), (L.RepeatVector(3), (4,)), (L.Identity(), (3,)),
    (L.Dropout(0.5), (3,)), (L.AlphaDropout(0.5), (3,)), (L.GaussianDropout(0.5), (3,)), (L.GaussianNoise(0.5), (3,)),
    (L.SpatialDropout1D(0.5), (4, 2)), (L.SpatialDropout2D(0.5), (3, 4, 2)), (L.SpatialDropout3D(0.5), (2, 3, 4, 2)),
    (L.Masking(), (4, 3)), (L.ActivityRegularization(0.1), (3,)), (L.Discretization([-1.0, 0.0, 1.0]), (4,)),
    (L.Discretization([-1.0, 0.0, 1.0], output_mode="one_hot"), (1,)),
    (L.Discretization([-1.0, 0.0, 1.0], output_mode="count"), (4,)),
    (L.Lambda(lambda x: x * 2.0 + ct.sum(x, axis=-1, keepdims=True)), (4,)),
]
OF_INTEGERS = [
    (L.Embedding(4, 3), (5,)), (L.CategoryEncoding(4), (5,)), (L.CategoryEncoding(4, "one_hot"), (1,)),
    (L.CategoryEncoding(4, "count"), (5,)), (L.IntegerLookup(vocabulary=[1, 2]), (3,)),
    (L.IntegerLookup(vocabulary=[1, 2], output_mode="multi_hot"), (3,)),
    (L.IntegerLookup(vocabulary=[1, 2], mask_token=0), (3,)),
]


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=lambda one: getattr(one, "name", None))
def test_layers(tmp_path, layer, shape):
    assert_exported(Sequential([L.Input(shape), layer]), tmp_path, shape)


@pytest.mark.parametrize(("layer", "shape"), OF_INTEGERS, ids=lambda one: getattr(one, "name", None))
def test_layers_of_integers(tmp_path, layer, shape):
    assert_exported(Sequential([L.Input(shape, dtype="int64"), layer]), tmp_path, shape, dtype="int64")


@pytest.mark.parametrize("layer", [L.Add(), L.Subtract(), L.Multiply(), L.Average(), L.Maximum(), L.Minimum(),
                                   L.Concatenate(), L.Concatenate(axis=1), L.Dot(2), L.Dot((1, 1), normalize=True)])
def test_layers_of_several_inputs(tmp_path, layer):
    a, b = L.Input((3, 4)), L.Input((3, 4))
    assert_exported(Model([a, b], layer([a, b])), tmp_path, (3, 4), (3, 4))


def test_every_layer_of_the_package_is_in_a_table_and_tried():
    tried = {type(layer) for layer, _ in LAYERS + OF_INTEGERS} | {
        L.Add, L.Subtract, L.Multiply, L.Average, L.Maximum, L.Minimum, L.Concatenate, L.Dot, L.InputLayer,
        L.StringLookup, L.Layer}           # the last two have no form
    classes = {getattr(L, name) for name in L.__all__ if isinstance(getattr(L, name), type)}
    assert classes - tried == set()
    followed = {L.Lambda, L.Layer}
    assert [cls.__name__ for cls in classes - followed if rule_of(cls.__new__(cls)) is None] == []


@pytest.mark.parametrize("name", sorted(
    set(activations.__all__) - {"deserialize", "serialize", "get", "threshold", "swish", "hard_swish"}))
def test_activations(tmp_path, name):
    assert name in RULES
    assert_exported(Sequential([L.Input((5,)), L.Dense(4, activation=name)]), tmp_path, (5,))


# -- functions in graphs ----------------------------------------------------------------------------------------------
CALLS = {
    "arithmetic": lambda x: (x * 2 - 1) / (abs(x) + 3),
    "pow": lambda x: abs(x) ** 1.5,
    "rdiv": lambda x: 1 / (x * x + 1),
    "where": lambda x: ct.where(x > 0, x, -x),
    "mean": lambda x: ct.mean(x, axis=1),
    "max": lambda x: ct.max(x, axis=(1, 2), keepdims=True),
    "slices": lambda x: x[:, 1:, ::2],
    "integer": lambda x: x[:, -1],
    "new axis": lambda x: x[..., None, 0],
    "reverse": lambda x: x[:, ::-1],
    "reshape": lambda x: ct.reshape(x, (-1, 20)),
    "permute_dims": lambda x: ct.permute_dims(x, (0, 2, 1)),
    "concat": lambda x: ct.concat([x, x], axis=1),
    "stack": lambda x: ct.stack([x, x], axis=1),
    "softmax": lambda x: ct.softmax(x),
    "matmul": lambda x: x @ ct.permute_dims(x, (0, 2, 1)),
    "einsum": lambda x: ct.einsum("bij,bkj->bik", x, x),
    "clip": lambda x: ct.clip(x, -0.5, 0.5),
    "clip below": lambda x: ct.clip(x, 0.0),
    "astype": lambda x: ct.astype(x > 0, "float32"),
    "array": lambda x: x + np.arange(5, dtype="float32"),
    "tensor": lambda x: x @ ct.ones((5, 2)),
    "take": lambda x: ct.take(x, [0, 2], axis=1),
    "split": lambda x: ct.split(x, 2, axis=1)[1],
    "unstack": lambda x: ct.unstack(x, axis=1)[2],
    "pad": lambda x: ct.pad(x, ((0, 0), (1, 1), (0, 2))),
    "cumsum": lambda x: ct.cumsum(x, axis=1),
    "argmax": lambda x: ct.argmax(x, axis=1),
    "var": lambda x: ct.var(x, axis=1),
    "std": lambda x: ct.std(x, axis=-1, keepdims=True),
    "logsumexp": lambda x: ct.logsumexp(x, axis=1),
    "rounding": lambda x: ct.floor(x) + x // 2.0 + x % 2.0 + ct.round(x),
    "logarithms": lambda x: ct.log(abs(x) + 1) + ct.log1p(abs(x)) + ct.expm1(x) + ct.sqrt(abs(x)),
    "angles": lambda x: ct.sin(x) + ct.cos(x) + ct.atan(x) + ct.erf(x),
    "any": lambda x: ct.astype(ct.any(x > 1, axis=1), "float32"),
    "all": lambda x: ct.astype(ct.all(x < 1), "float32"),
    "logical": lambda x: ct.astype(ct.logical_or(x > 0, x < -1), "float32"),
    "squeeze": lambda x: ct.squeeze(ct.expand_dims(x, 1), 1),
    "gelu": lambda x: activations.gelu(x, approximate=True),
    "broadcast_to": lambda x: x + ct.broadcast_to(ct.ones(5), (4, 5)),
    "matrix_transpose": lambda x: ct.matrix_transpose(x),
    "integers": lambda x: ct.sum(ct.astype(x > 0, "int32"), axis=1),
    "flip": lambda x: ct.flip(x, axis=1),
    "dense": lambda x: ct.dense(x, ct.ones((5, 2)), ct.ones(2), activation="relu"),
    "sort": lambda x: ct.sort(x, axis=1),
    "argsort": lambda x: ct.argsort(x, descending=True),
    "top_k": lambda x: ct.top_k(x, 2)[0],
    "tensordot": lambda x: ct.tensordot(x, ct.ones((5, 2)), axes=1),
    "one_hot": lambda x: ct.one_hot(ct.argmax(x, axis=1), 4),
    "isfinite": lambda x: ct.astype(ct.isfinite(x), "float32"),
    "conv": lambda x: ct.conv(x, ct.ones((2, 5, 3)) * 0.1),
    "max_pool": lambda x: ct.max_pool(x, 2),
    "tile": lambda x: ct.tile(x, (1, 2, 1)),
    "threshold": lambda x: activations.threshold(x, 0.5, 3.0),
    "hard_shrink": lambda x: activations.hard_shrink(x),
}


@pytest.mark.parametrize("name", CALLS)
def test_functions(tmp_path, name):
    x = L.Input((4, 5))
    y = CALLS[name](x)
    if y.shape == ():                      # of the samples together: no model's output
        y = y + x[:, 0, 0] * 0.0
    assert_exported(Model(x, y), tmp_path, (4, 5))


def test_the_tables_name_functions_of_the_package():
    assert [name for name in FUNCTIONS if not hasattr(ct, name) and name not in {*RULES, "get_item"}] == []


# -- graphs -----------------------------------------------------------------------------------------------------------
def test_models_inside_models_with_several_outputs(tmp_path):
    x, y = L.Input((6,)), L.Input((6,))
    inner = Model(x, [L.Dense(3)(x), L.Dense(2)(x)])
    a, b = inner(y)
    stack = Sequential([L.Dense(4, activation="relu"), L.Dense(3)])
    model = Model(y, {"sum": L.Add()([a, stack(y)]), "pair": [b, inner(y * 2.0)[1]]})
    made = assert_exported(model, tmp_path, (6,))
    assert len(made.graph.input) == 1 and len(made.graph.output) == 3


@pytest.mark.parametrize("behind", [
    lambda: [L.GlobalAveragePooling1D()], lambda: [L.LayerNormalization(), L.Dropout(0.5), L.GlobalAveragePooling1D()],
    lambda: [L.Dense(4), L.BatchNormalization(), L.GlobalAveragePooling1D(keepdims=True)], lambda: [L.Permute((2, 1))],
])
@pytest.mark.filterwarnings("ignore:layer 'permute")
def test_masks_go_along_to_the_layers_that_read_them(tmp_path, behind):
    layers = [L.Input((5,), dtype="int64"), L.Embedding(4, 3, mask_zero=True), *behind()]
    assert_exported(Sequential(layers), tmp_path, (5,), dtype="int64")


def test_masks_of_several_inputs_are_joined(tmp_path):
    a, b = L.Input((5,), dtype="int64"), L.Input((5,), dtype="int64")
    rows = L.Embedding(4, 3, mask_zero=True)
    assert_exported(Model([a, b], L.GlobalAveragePooling1D()(L.Add()([rows(a), rows(b)]))), tmp_path, (5,), (5,),
                    dtype="int64")
    with pytest.raises(ValueError, match=r"layer 'concatenate\w*' \(Concatenate\) has no form in ONNX: the mask"):
        Model([a, b], L.Concatenate()([rows(a), rows(b)])).export(tmp_path / "no.onnx")


def test_shared_weights_are_in_the_file_once(tmp_path):
    dense, x, y = L.Dense(4, name="both"), L.Input((4,)), L.Input((4,))
    made = assert_exported(Model([x, y], [dense(dense(x)), dense(y)]), tmp_path, (4,), (4,))
    assert sorted(one.name for one in made.graph.initializer) == ["both/bias", "both/kernel"]


def test_names_and_open_lengths(tmp_path):
    x = L.Input((None, 3), name="signal")
    y = L.GlobalMaxPooling1D(name="peak")(L.Conv1D(4, 3, padding="same", strides=2)(x))
    made = assert_exported(Model(x, y), tmp_path, (9, 3))
    (signal,), (peak,) = made.graph.input, made.graph.output
    assert (signal.name, peak.name) == ("signal", "peak")
    assert [one.dim_param or one.dim_value for one in signal.type.tensor_type.shape.dim] == ["batch", "signal_1", 3]
    assert made.opset_import[0].version == 18 and made.producer_name == "cytensor"


class Own(Model):
    def __init__(self):
        super().__init__()
        self.first, self.second = L.Dense(4, activation="relu"), L.Dense(2)

    def call(self, x, training=None):
        return self.second(self.first(x) * 2.0) + 1.0


class Scale(L.Layer):
    def build(self, input_shape):
        self.factor = self.add_weight((input_shape[-1],), "ones", name="factor")

    def call(self, x):
        return x * self.factor


def test_models_and_layers_with_a_call_of_their_own_are_followed(tmp_path):
    model = Own()
    assert_exported(model, tmp_path, (3,))
    assert model.first._nodes == []        # nothing is left of it
    assert_exported(Sequential([L.Input((4,)), Scale()]), tmp_path, (4,))


def test_a_convolutional_network_turns_its_axes_twice(tmp_path):
    model = Sequential([
        L.Input((12, 12, 1)), L.Conv2D(8, 3, activation="relu"), L.MaxPooling2D(), L.Conv2D(16, 3, padding="same"),
        L.GlobalAveragePooling2D(), L.Dropout(0.5), L.Dense(10, activation="softmax")])
    made = assert_exported(model, tmp_path, (12, 12, 1))
    assert sum(node.op_type == "Transpose" for node in made.graph.node) <= 4


def test_the_same_model_gives_the_same_bytes(tmp_path):
    model = Sequential([L.Input((4,)), L.Dense(3)])
    for name in ("a.onnx", "b.onnx"):
        model.export(tmp_path / name)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_double_precision(tmp_path):
    assert_exported(Sequential([L.Input((3,), dtype="float64"), L.Dense(2, dtype="float64")]), tmp_path, (3,),
                    dtype="float64")


@pytest.mark.parametrize(("model", "message"), [
    (lambda: Sequential([L.Dense(2)]), "a model must be built before"),
    (lambda: Sequential([L.Input((3,)), L.Dense(2, dtype="mixed_bfloat16", name="narrow")]),
     r"layer 'narrow' \(Dense\) has no form in ONNX: it computes in bfloat16"),
    (lambda: Sequential([L.Input((3,)), L.Dense(2, activation=lambda x: x * 2)]), "is not one of ct.activations"),
    (lambda: Model(x := L.Input((3,)), ct.kron(x, x)), "the function kron has no form in ONNX here"),
    (lambda: Model(x := L.Input((3,)), ct.var(x, axis=1, correction=1)), "the function var has no form .* correction"),
    (lambda: Sequential([L.Input((3,)), L.Lambda(lambda x: ct.asarray(np.asarray(x)), output_shape=(3,), name="mine")]),
     r"layer 'mine' \(Lambda\) has no form"),
    (lambda: Sequential([L.Input((3,), dtype="int64"), L.IntegerLookup(vocabulary=[1], num_oov_indices=2)]),
     "one number for unknown tokens"),
])
def test_what_has_no_form_is_named_and_no_file_is_left(tmp_path, model, message):
    with pytest.raises(ValueError, match=f"export: .*{message}"):
        model().export(tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


def test_other_formats_and_folders_are_refused(tmp_path):
    model = Sequential([L.Input((3,)), L.Dense(2)])
    with pytest.raises(ValueError, match="format must be 'onnx'; got 'tf_saved_model'"):
        model.export(tmp_path / "m", format="tf_saved_model")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        model.export(tmp_path / "no" / "m.onnx")


def test_without_onnx_the_extra_is_named(tmp_path, monkeypatch):
    import sys
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r'pip install "cytensor\[onnx\]"'):
        Sequential([L.Input((3,)), L.Dense(2)]).export(tmp_path / "m.onnx")


def test_the_command_line(tmp_path, capsys):
    model = Sequential([L.Input((3,)), L.Dense(2)])
    saved, made = tmp_path / "m.safetensors", tmp_path / "m.onnx"
    model.save(saved)
    assert main(["export", str(saved), str(made)]) == 0
    assert f"Exported 8 parameters to {made}" in capsys.readouterr().out
    x = np.ones((2, 3), np.float32)
    assert np.allclose(runtime.InferenceSession(made).run(None, {"input_layer": x})[0], model(x), atol=1e-6)
    assert main(["export", str(tmp_path / "none.safetensors"), str(made)]) == 2
