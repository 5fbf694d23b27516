"""Files: models and weights as safetensors, the architecture as JSON in the metadata.

A file holds data only. Its class names are looked up in the closed registry (registry.py), so loading never imports or
runs anything that the program did not register itself. Bytes and names of files are the business of files.py.
"""
import copy
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from cytensor import random, registry
from cytensor.checks import budget, formats, schema
from cytensor.custom_objects import CustomObjectScope, checked
from cytensor.data.shuffling import Shuffling
from cytensor.halves import in_numpy
from cytensor.layers.building import as_shapes, zeros_of
from cytensor.layers.naming import former_paths, named_inside, named_weights
from cytensor.layers.noise import Noise
from cytensor.saving import files
from cytensor.saving.files import read_file, write_file
from cytensor.types import Array, Config, Path
from cytensor.user_warnings import warn

if TYPE_CHECKING:
    from cytensor.layers.base import Layer
    from cytensor.models import Model
    from cytensor.optimizers import Optimizer

__all__ = ["load_model", "load_weights", "model_from_json", "model_to_json", "save_model", "save_weights"]

OPTIMIZER = "optimizer/"         # prefix of the optimizer's slots; weights have "weights/"
WEIGHTS = "weights/"


# -- models -----------------------------------------------------------------------------------------------------------
def save_model(model: "Model", filepath: Path, overwrite: bool = True) -> None:
    """Write architecture, weights, how it was compiled, and the state of the optimizer and of dropout to one file.

    What a file cannot name, as a lambda, is left out with a warning: a loss, what the
    model was compiled with; a layer, all but the weights. So nothing that was trained is lost.
    """
    _check_model("save", model)
    if not model.built:
        raise ValueError(f"save: the model must be built, so that it has weights; call '{model.name}' on data first")
    document, reason = describable(model)
    tensors, metadata = _weights_of(model), {"kind": "weights", "reason": reason}
    if document is not None:
        if "compile" in document:
            document["optimizer_calls"] = optimizer_of(model).calls
            tensors.update(_slots_of(model))
        document["noise"] = noise_of(model)
        document["shuffling"] = model._shuffling.get_state()
        metadata = {"kind": "model", "document": json.dumps(document)}
    write_file(filepath, tensors, metadata, overwrite)
    files.tell_format(filepath)
    if reason:
        warn(f"save: '{filepath}' {reason}")


def describable(model: "Model") -> tuple[Config | None, str]:
    """(document, reason): what a file can say of the model, None if no more than its weights; and why not all of it.

    A `get_config` of the user's own may raise anything; after hours of training that is no reason to lose the weights.
    """
    try:
        document = _described(model)
    except Exception as error:
        return None, f"holds the weights alone, for the model cannot be described: {_without_op(error)}"
    try:
        if model.compiled:
            document["compile"] = registry.serialize(model._compiled.given)
    except Exception as error:
        return document, f"holds no more than the model, for what compile was given cannot be described: " \
                         f"{_without_op(error)}"
    return document, ""


def _without_op(error: Exception) -> str:
    return str(error).removeprefix("save: ")


@random.kept_where_refused()
def load_model(filepath: Path, custom_objects: Mapping[str, Any] | None = None, compile: bool = True,
               safe_mode: bool = True) -> "Model":
    """The model that `model.save` wrote, with its optimizer where `compile` is True.

    custom_objects: {name: class or function} of one's own parts that the file names and the program has not registered.
    safe_mode: there is no other, for a file never brings code. Raises ValueError for a file that is damaged, foreign,
    or names what is not known.
    """
    custom_objects = checked(custom_objects)
    tensors, metadata = read_file(filepath)
    if metadata.get("kind") != "model":
        reason = metadata.get("reason")
        raise ValueError(f"load_model: '{filepath}' must hold a model; it is of kind {metadata.get('kind')}; "
                         f"load_weights reads weights alone" + (f"; it {reason}" if reason else ""))
    try:
        document = schema.parse(metadata["document"])
        with budget.limited_to(_numbers_in(tensors)), CustomObjectScope(custom_objects):
            model = _rebuilt(document)
            if compile and "compile" in document:
                model.compile(**registry.deserialize(document["compile"]))
    except Exception as error:       # whatever a damaged description makes a constructor say
        raise ValueError(f"load_model: the architecture in '{filepath}' cannot be rebuilt; {error}") from error
    with schema.naming("load_model", filepath):
        calls = document.get("optimizer_calls", 0)
        schema.check(calls, "optimizer_calls", schema.COUNT)
        tensors, noise = as_written_now(model, tensors, document.get("noise", {}))
        noise = checked_noise(model, noise)
        if "shuffling" in document:            # files of earlier versions have none
            model._shuffling = Shuffling.from_state(document["shuffling"])
    _assign_weights(model, tensors, filepath)
    if model.compiled:
        check_slots(model, tensors, calls, filepath)
        _assign_slots(model, tensors, calls)
    assign_noise(model, noise)
    return model


def _numbers_in(tensors: dict[str, Array]) -> int:
    return sum(value.size for value in tensors.values())


def as_written_now(model: "Model", tensors: dict[str, Array], noise: Any) -> tuple[dict[str, Array], Any]:
    """(tensors, noise) of a file in the form that files have now, for a built model.

    The first versions wrote the class name PReLU as pre_lu in the paths of weights, and shape () as (1,).
    """
    named = named_weights(model)
    if any(WEIGHTS + path not in tensors for path, _ in named):
        former = former_paths(model)
        tensors = {_with_layer(name, former): value for name, value in tensors.items()}
        if isinstance(noise, dict):
            noise = {former.get(path, path): state for path, state in noise.items()}
    scalars = {path for path, variable in named if variable.shape == ()}
    return {name: value.reshape(()) if value.shape == (1,) and _split(name)[1] in scalars else value
            for name, value in tensors.items()}, noise


def _split(name: str) -> tuple[str, str]:
    """("weights/" or "optimizer/slot/", the path of the weight) of a tensor's name in a file."""
    head = WEIGHTS
    if name.startswith(OPTIMIZER):
        head = name[:name.find("/", len(OPTIMIZER)) + 1]
    return (head, name[len(head):]) if name.startswith(head) else ("", name)


def _with_layer(name: str, paths: dict[str, str]) -> str:
    """The name of a tensor in a file with the layer's path looked up in `paths`."""
    head, path = _split(name)
    layer, slash, weight = path.rpartition("/")
    return head + paths.get(layer, layer) + slash + weight


def built_as(model: "Model", shape: Any, tensors: dict[str, Array]) -> "Model":
    """`model`, or where it is not built yet a copy that is, for looking at what it would be."""
    if model.built:
        return model
    trial = copy.deepcopy(model)
    with random.scope(0), budget.limited_to(_numbers_in(tensors)):
        ensure_built(trial, shape)
    return trial


def model_to_json(model: "Model") -> str:
    """The architecture of a model as JSON, without weights."""
    return json.dumps(_described(model))


@random.kept_where_refused()
def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> "Model":
    """A new model from `model.to_json()`; ValueError for text that is none, or names what is not known.

    custom_objects: {name: class or function} of one's own parts that the program has not registered.
    """
    with CustomObjectScope(custom_objects):
        return _from_json(json_string)


def _from_json(json_string: str) -> "Model":
    try:
        return _rebuilt(json.loads(json_string))
    except Exception as error:
        raise ValueError(f"model_from_json: the architecture cannot be rebuilt; {error}") from error


def _check_model(op: str, model: object) -> None:
    if not hasattr(model, "build_shape"):
        raise TypeError(f"{op}: model must be a Model; got {model!r}")


def _described(model: "Model") -> Config:
    _check_model("save", model)
    return {"model": registry.serialize(model), "build_shape": registry.serialize(model.build_shape)}


def _rebuilt(document: Any) -> "Model":
    model: Model = registry.deserialize(document["model"])
    if not hasattr(model, "save_weights"):
        raise ValueError(f"the file must describe a model; got {type(model).__name__}")
    ensure_built(model, document["build_shape"])
    return model


def ensure_built(model: "Model", shape: Any) -> None:
    """Give a model its weights, for inputs of `shape` as JSON holds it; one with its own `call` is called on zeros."""
    if model.built or not shape:
        return
    model.build(as_shapes(shape))
    if any(not layer.built for layer in model.sublayers):
        model._on_zeros(zeros_of(f"build: model '{model.name}'", as_shapes(shape), model.dtype))


def save_weights(model: "Model", filepath: Path, overwrite: bool = True) -> None:
    """Write the weights alone, under their paths: "weights/dense/kernel"."""
    _check_model("save_weights", model)
    if not model.weights:
        raise ValueError(f"save_weights: there are no weights; call '{model.name}' on data first")
    write_file(filepath, _weights_of(model), {"kind": "weights"}, overwrite)
    files.tell_format(filepath)


def load_weights(model: "Model", filepath: Path, skip_mismatch: bool = False) -> None:
    """Set the weights from a file of `save_weights` or `model.save`; all or none, or those that fit.

    Files of Keras serve too, .keras, .weights.h5 and .h5, where h5py is installed.
    """
    _check_model("load_weights", model)
    is_keras = formats.is_keras(files.existing(filepath))
    tensors = {} if is_keras else read_file(filepath)[0]
    if not model.weights:
        raise ValueError(f"load_weights: the model must be built first; call '{model.name}' on data")
    if is_keras:
        from cytensor.saving import keras_weights
        tensors = keras_weights.read(filepath, model)
    else:
        tensors, _ = as_written_now(model, tensors, {})
    if skip_mismatch:
        tensors = _those_that_fit(model, tensors, filepath)
    _assign_weights(model, tensors, filepath)


def optimizer_of(model: "Model") -> "Optimizer":
    """That of a compiled model."""
    assert model.optimizer is not None
    return model.optimizer


def _weights_of(model: "Model") -> dict[str, Array]:
    return {WEIGHTS + path: _stored(variable) for path, variable in named_weights(model)}


def _stored(variable: Any) -> Any:
    """What a file takes for a variable or a slot: its values as an array, or a copy where NumPy lacks the dtype."""
    return np.asarray(variable.numpy(), order="C") if isinstance(variable.dtype, np.dtype) else variable.copy()


def _slots_of(model: "Model") -> dict[str, Array]:
    paths = {id(variable): path for path, variable in named_weights(model)}
    optimizer = optimizer_of(model)
    if optimizer.calls and not any(id(variable) in paths for variable in optimizer.parameters):
        optimizer = copy.deepcopy(optimizer)       # its steps were another model's: the slots it would begin with
        optimizer.build(model.trainable_weights or model.weights)
    return {f"{OPTIMIZER}{name}/{paths[id(variable)]}": _stored(slot)
            for name, slots in optimizer.slots.items()
            for variable, slot in zip(optimizer.parameters, slots, strict=True) if id(variable) in paths}


def noise_of(model: "Model") -> Config:
    """The position of each random stream inside, by the layer's path."""
    return {path: random.generator_state(layer.generator) for path, layer in noisy(model) if layer.generator}


def checked_noise(model: "Model", states: Any) -> dict[str, "np.random.Generator"]:
    """A generator for each path of `noise_of`; ValueError, and no change, where one is not such a state."""
    schema.check(states, "noise", schema.DICTIONARY)
    surplus = sorted(states.keys() - {path for path, _ in noisy(model)})
    if surplus:
        raise ValueError(f"noise must have paths of layers with noise; got {', '.join(map(repr, surplus))}")
    return {path: random.generator_at(state, f"noise.{path}") for path, state in states.items()}


def assign_noise(model: "Model", generators: dict[str, "np.random.Generator"]) -> None:
    """Let the layers' random streams go on from `checked_noise`; one without an entry starts when it is first used."""
    for path, layer in noisy(model):
        if path in generators:
            layer.go_on(generators[path])


def noisy(layer: "Layer", prefix: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, Noise]]:
    """(path, layer) for each layer inside that has a random stream of its own."""
    seen = set() if seen is None else seen
    seen.add(id(layer))                    # what is inside of it is met once, wherever it is
    for name, inner in named_inside(layer):
        path = f"{prefix}{name}"
        if isinstance(inner, Noise):
            yield path, inner
        if id(inner) not in seen:
            yield from noisy(inner, f"{path}/", seen)


def check_weights(model: "Model", tensors: dict[str, Array], filepath: Path) -> dict[str, Array]:
    """{path: value} of all weights; ValueError where the file lacks one, has others, or one of another shape."""
    named, given = named_weights(model), _weights_in(tensors)
    missing = [path for path, _ in named if path not in given]
    surplus = sorted(given.keys() - {path for path, _ in named})
    if missing or surplus:
        raise ValueError(f"load_weights: '{filepath}' must have the weights of the model; missing "
                         f"{', '.join(missing) or 'none'}, surplus {', '.join(surplus) or 'none'}")
    for path, variable in named:
        if given[path].shape != variable.shape:
            raise ValueError(f"load_weights: shapes must be equal; weight '{path}' is {variable.shape}, "
                             f"'{filepath}' has {given[path].shape}")
        if given[path].dtype.kind not in ("f", variable.dtype.kind):
            raise ValueError(f"load_weights: '{filepath}' must have numbers of {variable.dtype} as weight '{path}'; "
                             f"got {given[path].dtype}")
    return given


def _weights_in(tensors: dict[str, Array]) -> dict[str, Array]:
    """{path: value} of the weights in a file."""
    given = {name.removeprefix(WEIGHTS): value for name, value in tensors.items() if name.startswith(WEIGHTS)}
    return given or tensors                # a file of another program's making names weights without our prefix


def _those_that_fit(model: "Model", tensors: dict[str, Array], filepath: Path) -> dict[str, Array]:
    """The file's weights of the model's names and shapes, and the model's own in place of the rest; warns of these."""
    given, own = _weights_in(tensors), {path: variable.numpy() for path, variable in named_weights(model)}
    skipped = [path for path in sorted(own.keys() | given.keys())
               if path not in own or path not in given or own[path].shape != given[path].shape]
    if skipped:
        warn(f"load_weights: '{filepath}' differs from the model; skipped {', '.join(skipped)}")
    return {**own, **{path: value for path, value in given.items() if path not in skipped}}


def _assign_weights(model: "Model", tensors: dict[str, Array], filepath: Path) -> None:
    given = check_weights(model, tensors, filepath)
    for path, variable in named_weights(model):
        variable.assign(np.asarray(given[path], in_numpy(variable.dtype)))


def check_slots(model: "Model", tensors: dict[str, Array], calls: int, filepath: Path, op: str = "load_model") -> None:
    """Raise ValueError where the file does not have the slots of the model's optimizer for some of the weights."""
    shapes = {path: variable.shape for path, variable in named_weights(model)}
    found = _slots_in(tensors)
    slotted = {path for _, path in found}
    optimizer = optimizer_of(model)
    if not optimizer.built:                # one of the user's own may name its slots in `build`
        optimizer = copy.deepcopy(optimizer)
        optimizer.build([variable for path, variable in named_weights(model) if path in slotted])
    names = optimizer._all_slot_names()
    for name, path in found:
        if name not in names or path not in shapes:
            raise ValueError(f"{op}: '{filepath}' must have slots {', '.join(names) or 'of no name'} of the model's "
                             f"weights; got '{name}' of '{path}'")
    if calls and names and not slotted:
        raise ValueError(f"{op}: '{filepath}' must have the optimizer's slots after {calls} steps; got none")
    for name in names:
        for path in sorted(slotted):
            value = tensors.get(f"{OPTIMIZER}{name}/{path}")
            if value is None or value.shape != shapes[path] or value.dtype.kind != "f":
                got = "nothing" if value is None else f"{value.shape} of {value.dtype}"
                raise ValueError(f"{op}: '{filepath}' must have the optimizer's '{name}' of '{path}', of shape "
                                 f"{shapes[path]}; got {got}")


def _slots_in(tensors: dict[str, Array]) -> list[tuple[str, str]]:
    """(name, path) of each slot in a file."""
    found = [name.removeprefix(OPTIMIZER).partition("/") for name in tensors if name.startswith(OPTIMIZER)]
    return [(name, path) for name, _, path in found]


def _assign_slots(model: "Model", tensors: dict[str, Array], calls: int) -> None:
    """Put the optimizer where `check_slots` has looked."""
    optimizer = optimizer_of(model)
    optimizer.calls = calls
    slotted = {path for _, path in _slots_in(tensors)}
    weights = [(path, variable) for path, variable in named_weights(model) if path in slotted]
    if not weights:
        return
    variables = [variable for _, variable in weights]
    optimizer.build(variables)
    for name in optimizer.slots:
        for (path, _), slot in zip(weights, optimizer.slot(name, variables), strict=True):
            slot[...] = tensors[f"{OPTIMIZER}{name}/{path}"]
