"""The weights of PyTorch's state dicts, in safetensors files, for a model that was built here by hand; and out again.

A state dict names tensors by the path of a module and one of its own: "0.weight", "encoder.fc1.bias". `_LAYOUTS` says
for every kind of layer which tensor of the module is which weight, and how their axes differ.
"""
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cytensor import layers
from cytensor.layers.base import Layer
from cytensor.layers.convolution import Conv
from cytensor.layers.convolution_separable import DepthwiseConv
from cytensor.layers.convolution_transpose import ConvTranspose
from cytensor.layers.naming import named_inside
from cytensor.saving.files import read_file, write_file
from cytensor.tensor import asarray
from cytensor.types import Array, Path

if TYPE_CHECKING:
    from cytensor.models import Model

_IGNORED = ("num_batches_tracked",)         # how often BatchNorm was trained; nothing here depends on it


class _Layout(NamedTuple):
    """How a tensor of a module becomes a weight of the layer, and back. Each is given (array, shape of the weight)."""

    name: str
    read: Callable[[Array, tuple[int, ...]], Array]
    write: Callable[[Array], Array]


def _same(name: str) -> _Layout:
    return _Layout(name, lambda array, shape: array, lambda array: array)


def _reversed_pair(name: str = "weight") -> _Layout:
    """(filters, c, *window) here (*window, c, filters); of a transposed convolution c and filters change places."""
    return _Layout(name, lambda array, shape: np.moveaxis(array, (1, 0), (-2, -1)),
                   lambda array: np.moveaxis(array, (-2, -1), (1, 0)))


def _read_depthwise(array: Array, shape: tuple[int, ...]) -> Array:
    """(c * multiplier, 1, *window) -> (*window, c, multiplier)."""
    if array.ndim != len(shape) or array.shape[1] != 1 or array.shape[0] != shape[-2] * shape[-1]:
        return array
    return np.moveaxis(array.reshape(shape[-2], shape[-1], *array.shape[2:]), (0, 1), (-2, -1))


def _write_depthwise(array: Array) -> Array:
    c, multiplier = array.shape[-2:]
    return np.moveaxis(array, (-2, -1), (0, 1)).reshape(c * multiplier, 1, *array.shape[:-2])


_DEPTHWISE = _Layout("weight", _read_depthwise, _write_depthwise)
_SLOPES = _Layout(
    "weight", lambda array, shape: array.reshape(shape) if array.size == np.prod(shape, dtype=int) else array,
    lambda array: array.reshape(-1))
_TRANSPOSED = _Layout("weight", lambda array, shape: array.T, lambda array: array.T)
_AFFINE = {"gamma": _same("weight"), "beta": _same("bias")}
# {kind of layer: {its weight: the module's tensor}}, the narrower kind first.
_LAYOUTS: dict[type[Layer], dict[str, _Layout]] = {
    layers.Dense: {"kernel": _TRANSPOSED, "bias": _same("bias")},
    DepthwiseConv: {"kernel": _DEPTHWISE, "bias": _same("bias")},
    Conv: {"kernel": _reversed_pair(), "bias": _same("bias")},
    ConvTranspose: {"kernel": _reversed_pair(), "bias": _same("bias")},
    layers.Embedding: {"embeddings": _same("weight")},
    layers.BatchNormalization: {**_AFFINE, "moving_mean": _same("running_mean"),
                                "moving_variance": _same("running_var")},
    layers.LayerNormalization: _AFFINE,
    layers.GroupNormalization: _AFFINE,
    layers.RMSNormalization: {"scale": _same("weight")},
    layers.PReLU: {"alpha": _SLOPES},
}


def load_pytorch_weights(model: "Model", source: Path | Mapping[str, Any],
                         names: Mapping[str, str] | None = None) -> None:
    """Set the weights of a built model from a state dict of PyTorch: all of them, or none.

    source: a safetensors file, or the state dict itself, {name: tensor}. names: {path of a layer here, "encoder.dense":
    path of the module there, "encoder.fc1"}, for the layers whose paths differ. Without it each layer takes the module
    of its own path; where none has it, the modules are taken in order, if there is one: the state dict has that of its
    modules, a file only the numbers of a Sequential.

    Dense is transposed, (out, in) -> (in, out); convolutions are permuted, (filters, c, *window) -> (*window, c,
    filters), transposed ones likewise; running statistics are the moving ones. A Dense behind a Flatten counts its
    inputs in the order that Flatten gives them: channels last here, first in PyTorch, unless the layers before it have
    data_format="channels_first". Epsilon and momentum are the layer's own: PyTorch's defaults are others.

    ValueError that names the layer, and both shapes, for a tensor that is missing, of another shape or left over, and
    for layers without a counterpart.

    >>> import cytensor as ct
    >>> model = ct.models.Sequential([ct.layers.Input((2,)), ct.layers.Dense(1)])
    >>> load_pytorch_weights(model, {"fc.weight": [[1., 2.]], "fc.bias": [3.]})
    >>> model([[10., 100.]]).tolist()
    [[213.0]]
    """
    owners = _owners("load_pytorch_weights", model)
    state = source if isinstance(source, Mapping) else read_file(source)[0]
    if not all(isinstance(name, str) for name in state):
        raise TypeError(f"load_pytorch_weights: the names of a state dict must be strings; got {list(state)!r:.200}")
    tensors = {name: _as_array(value) for name, value in state.items() if name.rpartition(".")[2] not in _IGNORED}
    modules = list(dict.fromkeys(name.rpartition(".")[0] for name in tensors))
    if state is not source:
        modules.sort(key=_natural)
    paths = _modules_of("load_pytorch_weights", list(owners), modules, names, state is source)
    values = _values(owners, paths, tensors, modules)
    if tensors:
        raise ValueError(f"load_pytorch_weights: no layer of '{model.name}' takes {_listed(sorted(tensors))}")
    for variable, value in values:
        variable.assign(np.ascontiguousarray(value))


def _values(owners: dict[str, Layer], paths: dict[str, str], tensors: dict[str, Array],
            modules: list[str]) -> list[tuple[Any, Array]]:
    """[(weight, its value)]; what is used is taken out of `tensors`."""
    found = []
    for path, layer in owners.items():
        for variable, layout in _weights("load_pytorch_weights", path, layer):
            name = _joined(paths[path], layout.name)
            if name not in tensors:
                raise ValueError(f"load_pytorch_weights: layer '{path}' needs '{name}' for its {variable.name} of "
                                 f"shape {tuple(variable.shape)}; the state dict has {_listed(modules)}")
            given = tensors.pop(name)
            value = layout.read(given, tuple(variable.shape)) if given.ndim >= 1 else given
            if value.shape != tuple(variable.shape):
                raise ValueError(f"load_pytorch_weights: layer '{path}' has a {variable.name} of shape "
                                 f"{tuple(variable.shape)}; '{name}' of shape {given.shape} is one of {value.shape}")
            found.append((variable, value))
    return found


def save_pytorch_weights(model: "Model", filepath: Path, names: Mapping[str, str] | None = None,
                         overwrite: bool = True) -> None:
    """Write the weights as a state dict of PyTorch, for `load_state_dict(safetensors.torch.load_file(filepath))`.

    names: {path of a layer here: path of the module there}; without it a module has its layer's path. Layouts as in
    `load_pytorch_weights`. ValueError for a layer without a counterpart; FileExistsError where a file is there and
    `overwrite` is False.

    >>> import cytensor as ct, os, tempfile
    >>> model = ct.models.Sequential([ct.layers.Input((2,)), ct.layers.Dense(3)])
    >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
    >>> save_pytorch_weights(model, path, names={"dense": "0"})
    >>> {name: x.shape for name, x in ct.load(path).items()}
    {'0.bias': (3,), '0.weight': (3, 2)}
    """
    owners = _owners("save_pytorch_weights", model)
    _check_names("save_pytorch_weights", list(owners), names)
    tensors: dict[str, Array] = {}
    for path, layer in owners.items():
        for variable, layout in _weights("save_pytorch_weights", path, layer):
            name = _joined((names or {}).get(path, path), layout.name)
            if name in tensors:
                raise ValueError(f"save_pytorch_weights: two layers have the name '{name}'; the second is '{path}'")
            tensors[name] = np.ascontiguousarray(layout.write(np.asarray(variable)))
    write_file(filepath, tensors, {"kind": "tensors"}, overwrite)


def _as_array(value: Any) -> Array:
    """A NumPy array, of bfloat16 in float32; also of PyTorch's parameters, which ask to be detached."""
    return np.asarray(asarray(value.detach() if hasattr(value, "detach") else value))


def _owners(op: str, model: "Model") -> dict[str, Layer]:
    """{dotted path: layer} of those inside with weights of their own, each once."""
    from cytensor.models import Model

    if not isinstance(model, Model):
        raise TypeError(f"{op}: model must be a Model; got {model!r}")
    if not model.weights:
        raise ValueError(f"{op}: the model must be built, so that it has weights; call it on data first")
    if model.own_weights:
        raise ValueError(f"{op}: '{model.name}' has weights of its own, outside its layers, which no module has")
    seen: set[int] = set()

    def walk(owner: Any, prefix: str) -> Iterator[tuple[str, Layer]]:
        for name, inner in named_inside(owner):
            if id(inner) not in seen:
                seen.add(id(inner))
                if inner.own_weights:
                    yield prefix + name, inner
                yield from walk(inner, f"{prefix}{name}.")

    return dict(walk(model, ""))


def _weights(op: str, path: str, layer: Layer) -> Iterator[tuple[Any, _Layout]]:
    """(weight, tensor of the module) for those that the layer has."""
    layouts = next((layouts for kind, layouts in _LAYOUTS.items() if isinstance(layer, kind)), None)
    for variable in layer.own_weights:
        layout = (layouts or {}).get(variable.name)
        if layout is None:
            known = ", ".join(kind.__name__ for kind in _LAYOUTS)
            raise ValueError(f"{op}: layer '{path}', a {type(layer).__name__} with a weight '{variable.name}', has no "
                             f"counterpart in PyTorch; known are {known}")
        yield variable, layout


def _modules_of(op: str, paths: list[str], modules: list[str], names: Mapping[str, str] | None,
                ordered: bool) -> dict[str, str]:
    """{path of a layer: path of its module}."""
    _check_names(op, paths, names)
    if names is not None or any(path in modules for path in paths):
        return {path: (names or {}).get(path, path) for path in paths}
    if not ordered and not all(part.isdigit() for module in modules for part in module.split(".")):
        raise ValueError(f"{op}: a file does not keep the order of modules; say by names={{layer: module}} which is "
                         f"which; the layers are {_listed(paths)}, the modules {_listed(modules)}")
    if len(paths) != len(modules):
        raise ValueError(f"{op}: there must be as many layers with weights as modules; the layers are "
                         f"{_listed(paths)}, the modules {_listed(modules)}")
    return dict(zip(paths, modules, strict=True))


def _check_names(op: str, paths: list[str], names: Mapping[str, str] | None) -> None:
    if names is not None and not isinstance(names, Mapping):
        raise TypeError(f"{op}: names must be a dictionary {{layer: module}}; got {names!r}")
    for path in names or {}:
        if path not in paths:
            raise ValueError(f"{op}: names has '{path}', and no layer with weights has that path; they are "
                             f"{_listed(paths)}")


def _natural(name: str) -> list[tuple[int, int, str]]:
    """A key by which "10" comes after "9"."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"\.", name)]


def _joined(module: str, name: str) -> str:
    return f"{module}.{name}" if module else name


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names) or "none"
