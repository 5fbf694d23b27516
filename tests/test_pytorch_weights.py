"""State dicts of PyTorch: into a model built by hand and out again, with PyTorch's own outputs as the reference."""
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import cytensor as ct
from cytensor import layers
from cytensor.models import Model, Sequential
from cytensor.saving import load_pytorch_weights, save_pytorch_weights

FIRST = {"data_format": "channels_first"}


def mlp():
    return Sequential([layers.Input((4,)), layers.Dense(5, "relu"), layers.BatchNormalization(epsilon=1e-5),
                       layers.Dense(3)])


STATE = {"fc2.weight": np.arange(20.0).reshape(5, 4), "fc2.bias": np.arange(5.0), "norm.weight": np.full(5, 2.0),
         "norm.bias": np.full(5, 3.0), "norm.running_mean": np.full(5, 4.0), "norm.running_var": np.full(5, 5.0),
         "norm.num_batches_tracked": np.array(7), "fc1.weight": np.arange(15.0).reshape(3, 5), "fc1.bias": np.ones(3)}
NAMES = {"dense": "fc2", "batch_normalization": "norm", "dense_1": "fc1"}


def expected(x):
    """By hand, in float64."""
    hidden = np.maximum(x @ STATE["fc2.weight"].T + STATE["fc2.bias"], 0)
    hidden = (hidden - 4) / np.sqrt(5 + 1e-5) * 2 + 3
    return hidden @ STATE["fc1.weight"].T + 1


@pytest.mark.parametrize("named", [False, True])
def test_a_state_dict_is_taken_in_order_or_by_names(named):
    model, x = mlp(), np.linspace(-1, 1, 8).reshape(2, 4)
    load_pytorch_weights(model, STATE, NAMES if named else None)
    np.testing.assert_allclose(model(x).numpy(), expected(x), rtol=1e-5)


def test_files_go_both_ways(tmp_path):
    model, other = mlp(), mlp()
    load_pytorch_weights(model, STATE)
    save_pytorch_weights(model, tmp_path / "a.safetensors", NAMES)
    written = load_file(tmp_path / "a.safetensors")
    assert written.keys() == STATE.keys() - {"norm.num_batches_tracked"}
    assert all(np.array_equal(value, STATE[name]) for name, value in written.items())
    with pytest.raises(ValueError, match=r"does not keep the order of modules.*'dense'.*'fc1'"):
        load_pytorch_weights(other, tmp_path / "a.safetensors")
    load_pytorch_weights(other, tmp_path / "a.safetensors", NAMES)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), other.get_weights(), strict=True))
    with pytest.raises(FileExistsError):
        save_pytorch_weights(model, tmp_path / "a.safetensors", overwrite=False)


def test_numbers_of_a_sequential_are_an_order(tmp_path):
    model = Sequential([layers.Input((1,)), *(layers.Dense(1) for _ in range(11))])
    state = {f"{2 * i}.{name}": np.full((1, 1) if name == "weight" else 1, float(i)) for i in range(11)
             for name in ("weight", "bias")}
    save_file(state, tmp_path / "a.safetensors")
    load_pytorch_weights(model, tmp_path / "a.safetensors")
    assert [float(layer.bias[0]) for layer in model.layers if layer.weights] == list(range(11))


@pytest.mark.parametrize(("change", "message"), [
    ({"fc2.weight": np.ones((4, 6))}, r"'dense' has a kernel of shape \(4, 5\); 'fc2.weight' of shape \(4, 6\)"),
    ({"fc2.weight": np.array(1.0)}, r"'dense' has a kernel of shape \(4, 5\)"),
    ({"fc2.bias": None}, "needs 'fc2.bias'"),
    ({"norm.extra": np.ones(5)}, "no layer of .* takes 'norm.extra'"), ({"more.weight": np.ones(5)}, "as many layers"),
])
def test_what_does_not_fit_is_named_and_nothing_is_set(change, message):
    model = mlp()
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        load_pytorch_weights(model, {name: value for name, value in {**STATE, **change}.items() if value is not None})
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_what_has_no_counterpart_is_named(tmp_path):
    class Own(Model):
        def __init__(self):
            super().__init__()
            self.scale = self.add_weight((5,), "ones", name="scale")

    with pytest.raises(ValueError, match="'separable_conv2d', a SeparableConv2D"):
        save_pytorch_weights(Sequential([layers.Input((8, 8, 2)), layers.SeparableConv2D(3, 3)]), tmp_path / "a")
    with pytest.raises(ValueError, match="weights of its own"):
        save_pytorch_weights(Own(), tmp_path / "a")
    with pytest.raises(ValueError, match="must be built"):
        load_pytorch_weights(Sequential([layers.Dense(3)]), STATE)
    with pytest.raises(ValueError, match="no layer with weights has that path"):
        load_pytorch_weights(mlp(), STATE, {"dence": "fc1"})
    with pytest.raises(TypeError, match="names must be a dictionary"):
        load_pytorch_weights(mlp(), STATE, ["fc1"])


# (layers here, modules there, shape of a sample): each pair computes the same function.
PAIRS = {
    "dense": lambda nn: ([layers.Dense(3)], [nn.Linear(4, 3)], (4,)),
    "no_bias": lambda nn: ([layers.Dense(3, use_bias=False)], [nn.Linear(4, 3, bias=False)], (4,)),
    "conv1d": lambda nn: ([layers.Conv1D(3, 2, **FIRST)], [nn.Conv1d(4, 3, 2)], (4, 7)),
    "conv2d_groups": lambda nn: ([layers.Conv2D(6, (2, 3), groups=2, **FIRST)], [nn.Conv2d(4, 6, (2, 3), groups=2)],
                                 (4, 7, 8)),
    "conv3d": lambda nn: ([layers.Conv3D(3, 2, **FIRST)], [nn.Conv3d(2, 3, 2)], (2, 4, 5, 6)),
    "transposed": lambda nn: ([layers.Conv2DTranspose(3, (2, 3), strides=2, **FIRST)],
                              [nn.ConvTranspose2d(4, 3, (2, 3), stride=2)], (4, 5, 6)),
    "depthwise": lambda nn: ([layers.DepthwiseConv2D((2, 3), depth_multiplier=2, **FIRST)],
                             [nn.Conv2d(4, 8, (2, 3), groups=4)], (4, 5, 6)),
    "group": lambda nn: ([layers.GroupNormalization(2, axis=1, epsilon=1e-5)], [nn.GroupNorm(2, 4)], (4, 5)),
    "layer": lambda nn: ([layers.LayerNormalization(epsilon=1e-5)], [nn.LayerNorm(5)], (4, 5)),
    "rms": lambda nn: ([layers.RMSNormalization(epsilon=1e-5)], [nn.RMSNorm(5, eps=1e-5)], (4, 5)),
    "prelu": lambda nn: ([layers.PReLU(shared_axes=[2])], [nn.PReLU(4)], (4, 5)),
    "convnet": lambda nn: (
        [layers.Conv2D(5, 3, activation="relu", **FIRST), layers.BatchNormalization(axis=1, epsilon=1e-5),
         layers.Flatten(), layers.Dense(3)],
        [nn.Conv2d(2, 5, 3), nn.ReLU(), nn.BatchNorm2d(5), nn.Flatten(), nn.Linear(5 * 4 * 4, 3)], (2, 6, 6)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_outputs_are_those_of_pytorch(name, tmp_path):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    here, there, shape = PAIRS[name](torch.nn)
    model, theirs = Sequential([layers.Input(shape), *here]), torch.nn.Sequential(*there).eval()
    state = {key: value if key.endswith("tracked") else torch.rand_like(value) + 0.1
             for key, value in theirs.state_dict().items()}
    theirs.load_state_dict(state)
    x = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    load_pytorch_weights(model, theirs.state_dict())
    np.testing.assert_allclose(model(x).numpy(), theirs(torch.from_numpy(x)).detach().numpy(), rtol=1e-4, atol=1e-4)
    save_pytorch_weights(model, tmp_path / "a.safetensors")
    assert sorted(value.shape for value in load_file(tmp_path / "a.safetensors").values()) == sorted(
        tuple(value.shape) for key, value in state.items() if not key.endswith("tracked"))


def test_the_embedding_is_the_same_table():
    torch = pytest.importorskip("torch")
    model = Sequential([layers.Input((3,)), layers.Embedding(7, 4)])
    table = torch.nn.Embedding(7, 4)
    load_pytorch_weights(model, table.state_dict())
    assert np.array_equal(model(ct.asarray([[0, 6, 2]])).numpy(), table(torch.tensor([[0, 6, 2]])).detach().numpy())
