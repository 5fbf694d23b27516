"""The weights in files of Keras, for a model that was built here by hand. Needs h5py, the extra `keras`.

    .keras                      a zip archive whose member model.weights.h5 is in the layout of the next line
    .weights.h5 of Keras 3      groups by the place of a layer in its model: layers/dense_1/vars/0
    .h5 of Keras 2              groups by the names of the layers, and as attributes the order of both: layer_names,
                                weight_names; those of `model.save` stand in a group model_weights

Files need not be trusted: links out of the file are not followed, and of a weight no more is read than the model's has
room for. Reading is h5py's; what else a file holds, the architecture too, is not looked at.
"""
import bisect
import contextlib
import io
import math
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from cytensor import registry
from cytensor.checks import formats
from cytensor.datasets.streams import CHUNK, DEFLATE_LIMIT, fill
from cytensor.layers.base import Layer
from cytensor.layers.naming import named_weights
from cytensor.metrics import Metric
from cytensor.types import Array, Path

if TYPE_CHECKING:
    from cytensor.models import Model

_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")      # Keras 3; the .keras files of Keras 2
_UNREADABLE = (OSError, RuntimeError, KeyError, TypeError, ValueError, AttributeError, zipfile.BadZipFile,
               NotImplementedError, EOFError)


def read(filepath: Path, model: "Model") -> dict[str, Array]:
    """{path: array} with the paths of `named_weights`, as far as the file has them; its other weights by its own names.

    An array of another shape than the model's weight is a stand-in, for the check that refuses it.
    Raises ValueError where the file is damaged, or its layers cannot be told apart, ImportError without h5py.
    """
    h5py = _load_h5py(filepath)
    shapes = {path: variable.shape for path, variable in named_weights(model)}
    with contextlib.ExitStack() as stack:
        with _naming(filepath):
            file = stack.enter_context(h5py.File(_content(filepath), "r"))
            datasets, order = _datasets(h5py, file), _order(file)
        found = _by_order(model, datasets, order, filepath) if order else _by_place(model, datasets)
        with _naming(filepath):
            return {path: _value(dataset, shapes.get(path)) for path, dataset in found.items()}


def _kind_of(filepath: Path) -> str:
    """The format of a file in words."""
    kind = formats.of(filepath)
    return kind.name if kind is not None else "a file of no known format"


def _load_h5py(filepath: Path) -> Any:
    try:
        import h5py
    except ImportError as error:
        raise ImportError(f"load_weights: '{filepath}' is {_kind_of(filepath)}; reading it needs h5py, which is "
                          f'not installed; install it with: pip install "cytensor[keras]"') from error
    return h5py


@contextlib.contextmanager
def _naming(filepath: Path) -> Iterator[None]:
    """What h5py and zipfile raise for a damaged file becomes a ValueError that names it."""
    try:
        yield
    except _UNREADABLE as error:
        raise ValueError(f"load_weights: '{filepath}' is not a readable safetensors file: it begins as "
                         f"{_kind_of(filepath)}, and cannot be read as that either; {error}") from None


def _content(filepath: Path) -> Path | io.BytesIO:
    """What h5py opens: the path, or the member of a .keras file."""
    if formats.of(filepath) is not formats.KERAS:
        return filepath
    with zipfile.ZipFile(filepath) as archive:
        entry = archive.getinfo("model.weights.h5")
        if entry.file_size > entry.compress_size * DEFLATE_LIMIT + CHUNK:
            raise ValueError(f"{entry.filename} claims {entry.file_size} bytes from {entry.compress_size}")
        content = np.empty(entry.file_size, np.uint8)
        with archive.open(entry) as member:
            fill(content, member)
    return io.BytesIO(content.data)


def _datasets(h5py: Any, file: Any) -> dict[str, Any]:
    """{path: dataset} of all that lies in the file itself: links out of it are left alone."""
    found: dict[str, Any] = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual:
                raise ValueError(f"'{name}' lies in another file")
            found[name.replace("\\", "/")] = item

    file.visititems(visit)
    return found


def _value(dataset: Any, shape: tuple[int, ...] | None) -> Array:
    """The array; where its shape is not the one asked for a stand-in, however large it claims to be.

    The statistics of Normalization have here the leading axes of length 1 by which they broadcast.
    """
    fits = shape is not None and dataset.shape == shape[len(shape) - len(dataset.shape):]
    if shape is not None and fits and math.prod(shape) == dataset.size and dataset.dtype.kind in "biuf":
        return np.asarray(dataset[()]).reshape(shape)
    return np.broadcast_to(np.zeros((), dataset.dtype), dataset.shape or ())


# -- Keras 2: by order ------------------------------------------------------------------------------------------------
def _order(file: Any) -> list[tuple[str, list[str]]] | None:
    """[(layer's name, [paths of its weights])] as the attributes of a file of Keras 2 say; None for another layout."""
    group = file.get("model_weights", file)
    if not any(name.startswith("layer_names") for name in group.attrs):
        return None
    prefix = "model_weights/" if group is not file else ""
    names = [*_texts(group.attrs, "layer_names")]
    if "top_level_model_weights" in group:
        names.append("top_level_model_weights")
    return [(name, [f"{prefix}{name}/{weight}" for weight in _texts(group[name].attrs, "weight_names")])
            for name in names]


def _texts(attributes: Mapping[str, Any], name: str) -> list[str]:
    """A list of strings, which a long list is cut for: name, or name0, name1, ..."""
    parts = [name] if name in attributes else []
    while f"{name}{len(parts)}" in attributes and name not in attributes:
        parts.append(f"{name}{len(parts)}")
    return [text.decode() if isinstance(text, bytes) else str(text) for part in parts for text in attributes[part]]


def _by_order(model: "Model", datasets: dict[str, Any], order: list[tuple[str, list[str]]],
              filepath: Path) -> dict[str, Any]:
    """{path: dataset}: the layers with weights, one after another, and the weights of each in Keras's order."""
    paths = {id(variable): path for path, variable in named_weights(model)}
    groups = [(name, [datasets[key] for key in keys if key in datasets and not _is_counter(datasets[key])])
              for name, keys in order]
    groups = [(name, weights) for name, weights in groups if weights]
    owners = [(layer.name, layer.weights) for layer in model.layers if layer.weights]
    if model.own_weights:
        owners.append((model.name, model.own_weights))
    if [len(weights) for _, weights in groups] != [len(weights) for _, weights in owners]:
        raise ValueError(f"load_weights: '{filepath}' must have the layers of the model, with as many weights; it has "
                         f"{_listed(groups)}, '{model.name}' has {_listed(owners)}")
    found: dict[str, Any] = {}
    for (_, weights), (_, variables) in zip(groups, owners, strict=True):
        names = [dataset.name.rpartition("/")[2].partition(":")[0] for dataset in weights]
        trainable_first = sorted(variables, key=lambda variable: not variable.trainable)
        if [variable.name for variable in variables] != names:     # it is that of a layer which was not frozen
            variables = trainable_first
        found |= {paths[id(variable)]: dataset for variable, dataset in zip(variables, weights, strict=True)}
    return found


def _is_counter(dataset: Any) -> bool:
    """Whether it is no weight: the number of batches that Keras's Normalization keeps."""
    return dataset.shape == () and dataset.dtype.kind in "iu"


def _listed(layers: list[tuple[str, list[Any]]]) -> str:
    return ", ".join(f"{name} ({len(weights)})" for name, weights in layers) or "none"


# -- Keras 3: by place ------------------------------------------------------------------------------------------------
def _by_place(model: "Model", datasets: dict[str, Any]) -> dict[str, Any]:
    """{path: dataset}: every weight from the group that Keras has for its layer; what is left keeps its own name."""
    paths = {id(variable): path for path, variable in named_weights(model)}
    found: dict[str, Any] = {}
    used, ignored = set(), ["optimizer/"]
    for group, owner in _places(model, sorted(datasets)):
        if isinstance(owner, Metric):
            ignored.append(group)
            continue
        for i, variable in enumerate(owner.own_weights):
            name = f"{group}vars/{i}"
            if name in datasets and id(variable) in paths:
                found.setdefault(paths[id(variable)], datasets[name])
                used.add(name)
    surplus = {name: dataset for name, dataset in datasets.items() if name not in used
               and dataset.dtype.kind == "f" and not name.startswith(tuple(ignored))}
    return {**found, **surplus}


def _places(layer: Layer, names: list[str], group: str = "",
            seen: set[int] | None = None) -> Iterator[tuple[str, Layer | Metric]]:
    """(group of the file, layer or metric) for what is inside, as Keras walks: attributes by name, each object once."""
    seen = set() if seen is None else seen
    seen.add(id(layer))
    yield group, layer
    for attribute, value in _attributes(layer):
        if isinstance(value, (Layer, Metric)):
            if id(value) not in seen and _any_begins(names, f"{group}{attribute}/"):
                yield from _inside(value, names, f"{group}{attribute}/", seen)
        elif isinstance(value, (list, tuple, dict)):
            items = list(value.values() if isinstance(value, dict) else value)
            for container in (attribute, *(_CONTAINERS[1:] if attribute == "layers" else ())):
                for inner, place in _in_container(items, names, f"{group}{container}/", seen):
                    yield from _inside(inner, names, place, seen)


def _any_begins(names: list[str], prefix: str) -> bool:
    """Whether one of the sorted names begins so."""
    at = bisect.bisect_left(names, prefix)
    return at < len(names) and names[at].startswith(prefix)


def _inside(value: Layer | Metric, names: list[str], group: str,
            seen: set[int]) -> Iterator[tuple[str, Layer | Metric]]:
    if isinstance(value, Layer):
        yield from _places(value, names, group, seen)
    else:
        seen.add(id(value))
        yield group, value


def _attributes(layer: Layer) -> list[tuple[str, Any]]:
    """[(name, value)] of what a subclass keeps, sorted; a model's `layers` among them."""
    own = {name: value for name, value in vars(layer).items() if name not in _base_attributes()}
    if hasattr(layer, "layers"):
        own = {**own, "layers": layer.layers}
        own.pop("_layers", None)
    return sorted(own.items(), key=lambda pair: pair[0])


def _base_attributes() -> set[str]:
    return vars(Layer()).keys() | {"_arguments"}


def _in_container(items: list[Any], names: list[str], group: str, seen: set[int]) -> list[tuple[Layer | Metric, str]]:
    """[(layer, group)] for the layers in a list: Keras numbers those of a class, with gaps where it met one before."""
    places: list[tuple[Layer | Metric, str]] = []
    stems = [_keras_name(item) for item in items]
    for stem in dict.fromkeys(stems):
        pattern = re.compile(re.escape(group + stem) + r"(?:_(\d+))?/")
        numbered = sorted({(int(match[1] or 0), match[0]) for name in names if (match := pattern.match(name))})
        waiting = [item for item, own in zip(items, stems, strict=True) if own == stem and id(item) not in seen
                   and isinstance(item, (Layer, Metric)) and getattr(item, "weights", True)]
        places += zip(waiting, (place for _, place in numbered), strict=False)
    return places


def _keras_name(value: object) -> str:
    """The name that Keras numbers objects of this class by."""
    name = registry.snake_case(type(value).__name__)
    return "functional" if name == "model" else name
