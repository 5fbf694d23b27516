"""The weights of a model in a file that Keras reads: `.weights.h5` of Keras 3, as keras_weights.py describes it.

Keras finds a weight by the place of its layer: attribute by attribute in the order of their names, the layers of a list
numbered by class, each object where it is met first.
"""
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cytensor import layers
from cytensor.layers.base import Layer
from cytensor.layers.noise import Noise
from cytensor.saving.files import check_target, write_bytes
from cytensor.saving.keras_weights import _attributes, _keras_name
from cytensor.tensor import Variable
from cytensor.types import Array, Path

if TYPE_CHECKING:
    from cytensor.models import Model

ENDING = ".weights.h5"


def save_keras_weights(model: "Model", filepath: Path, overwrite: bool = True) -> None:
    """Write the weights to a file for `keras_model.load_weights`: another model, built in Keras of the same layers.

    filepath: ends in .weights.h5, as Keras asks for. bfloat16 is widened to float32. The file appears whole or not at
    all. ValueError for another ending and for a model that is not built; ImportError without h5py (extra `keras`).
    """
    try:
        import h5py
    except ImportError:
        raise ImportError('save_keras_weights: files of Keras need h5py; install it with: pip install "cytensor[keras]"'
                          ) from None
    if not hasattr(model, "own_weights"):
        raise TypeError(f"save_keras_weights: model must be a Model; got {model!r}")
    path = check_target(filepath)
    if not path.endswith(ENDING):
        raise ValueError(f"save_keras_weights: the name must end in {ENDING}, or Keras does not read it; got '{path}'")
    if not model.built:
        raise ValueError(f"save_keras_weights: the model must be built, so that it has weights; call '{model.name}' on "
                         f"data first")
    if not overwrite:
        import os
        if os.path.exists(path):
            raise FileExistsError(f"save: '{path}' exists; allow it to be replaced with overwrite=True")
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for group, name, arrays in _groups(model, "", set()):
            entry = file.require_group(f"{group}vars")
            entry.attrs["name"] = name
            for i, array in enumerate(arrays):
                entry[str(i)] = array
    write_bytes(path, content.getbuffer())


def _groups(layer: Layer, group: str, seen: set[int]) -> Iterator[tuple[str, str, Sequence[Array]]]:
    """(group, name, arrays) of a layer and of what is inside, as Keras walks."""
    seen.add(id(layer))
    counted = [np.zeros((), np.int32)] if isinstance(layer, layers.Normalization) else []      # batches, in Keras
    yield group, layer.name, [*(_value(layer, variable) for variable in layer.own_weights), *counted]
    if isinstance(layer, Noise) and getattr(layer, "rate", 1) > 0:
        yield f"{group}seed_generator/", "seed_generator", [np.array([layer.seed or 0, 0], np.uint32)]
    for attribute, value in _attributes(layer):
        if attribute in layer._bookkeeping:
            continue
        if isinstance(value, Layer):
            if id(value) not in seen:
                yield from _groups(value, f"{group}{attribute}/", seen)
        elif isinstance(value, (list, tuple, dict)):
            yield from _in_container(list(value.values() if isinstance(value, dict) else value),
                                     f"{group}{attribute}/", seen)


def _in_container(items: list[Any], group: str, seen: set[int]) -> Iterator[tuple[str, str, Sequence[Array]]]:
    used: dict[str, int] = {}
    for item in items:
        if not isinstance(item, Layer):
            continue
        stem = _keras_name(item)
        used[stem] = used.get(stem, -1) + 1
        if id(item) not in seen:
            yield from _groups(item, f"{group}{stem}{f'_{used[stem]}' if used[stem] else ''}/", seen)


def _value(layer: Layer, variable: Variable) -> Array:
    """The array as Keras has it: without the axes of length 1 by which our statistics of Normalization broadcast."""
    array = np.asarray(variable)
    if isinstance(layer, layers.Normalization):
        return array.reshape([array.shape[axis] for axis in layer._kept(array.ndim)])
    return array
