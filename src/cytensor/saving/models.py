"""Files: models and weights as safetensors, the architecture as JSON in the metadata.

A file holds data only. Its class names are looked up in the closed registry (registry.py), so loading never imports or
runs anything that the program did not register itself. A file is written under a temporary name, flushed to the disk
and then renamed: whoever looks sees the old file or the new one, never a part.
"""
import contextlib
import copy
import json
import os
import tempfile
import warnings

import numpy as np

from cytensor import random, registry
from cytensor.checks import arguments, schema
from cytensor.layers.base import Layer
from cytensor.layers.base import _context as layer_context
from cytensor.layers.naming import named_weights
from cytensor.registry import register_serializable
from cytensor.tensor import asarray

__all__ = ["load_model", "load_weights", "model_from_json", "model_to_json", "register_serializable", "save_model",
           "save_weights"]

FORMAT = "cytensor"
VERSION = 1
OPTIMIZER = "optimizer/"         # prefix of the optimizer's slots; weights have "weights/"
WEIGHTS = "weights/"


# -- models -----------------------------------------------------------------------------------------------------------
def save_model(model, filepath, overwrite=True):
    """Write architecture, weights, how it was compiled, and the state of the optimizer and of dropout to one file."""
    document = _described(model)
    if not model.built:
        raise ValueError(f"save: the model must be built, so that it has weights; call '{model.name}' on data first")
    tensors = _weights_of(model)
    if model.compiled:
        document["compile"] = registry.serialize(model._compiled_with)
        document["optimizer_calls"] = model.optimizer.calls
        tensors.update(_slots_of(model))
    document["noise"] = noise_of(model)
    write_file(filepath, tensors, {"kind": "model", "document": json.dumps(document)}, overwrite)


def load_model(filepath, compile=True):
    """The model that `model.save` wrote, with its optimizer where `compile` is True.

    Raises ValueError for a file that is damaged, foreign, or names classes that are not registered.
    """
    tensors, metadata = read_file(filepath)
    if metadata.get("kind") != "model":
        raise ValueError(f"load_model: '{filepath}' must hold a model; it is of kind {metadata.get('kind')}; "
                         f"load_weights reads weights alone")
    try:
        document = schema.parse(metadata["document"])
        with _no_larger_than(tensors):
            model = _rebuilt(document)
        if compile and "compile" in document:
            model.compile(**registry.deserialize(document["compile"]))
    except Exception as error:       # whatever a damaged description makes a constructor say
        raise ValueError(f"load_model: the architecture in '{filepath}' cannot be rebuilt; {error}") from error
    with schema.naming("load_model", filepath):
        calls = document.get("optimizer_calls", 0)
        schema.check(calls, "optimizer_calls", schema.COUNT)
        noise = checked_noise(model, document.get("noise", {}))
    _assign_weights(model, tensors, filepath)
    if model.compiled:
        check_slots(model, tensors, calls, filepath)
        _assign_slots(model, tensors, calls)
    assign_noise(model, noise)
    return model


@contextlib.contextmanager
def _no_larger_than(tensors):
    """Within the block, layers may not make more weights than the file has: a damaged number would fill the memory."""
    layer_context.budget = sum(value.size for value in tensors.values()) + 2**20       # and what few are not saved
    try:
        yield
    finally:
        layer_context.budget = None


def built_as(model, shape, tensors):
    """`model`, or where it is not built yet a copy that is, for looking at what it would be."""
    if model.built:
        return model
    trial = copy.deepcopy(model)
    with random.scope(0), _no_larger_than(tensors):
        ensure_built(trial, shape)
    return trial


def model_to_json(model):
    """The architecture of a model as JSON, without weights."""
    return json.dumps(_described(model))


def model_from_json(json_string):
    """A new model from `model.to_json()`; ValueError for text that is none, or for unregistered classes."""
    try:
        return _rebuilt(json.loads(json_string))
    except Exception as error:
        raise ValueError(f"model_from_json: the architecture cannot be rebuilt; {error}") from error


def _described(model):
    if not hasattr(model, "build_shape"):
        raise TypeError(f"save: model must be a Model; got {model!r}")
    return {"model": registry.serialize(model), "build_shape": registry.serialize(model.build_shape)}


def _rebuilt(document):
    model = registry.deserialize(document["model"])
    if not hasattr(model, "save_weights"):
        raise ValueError(f"the file must describe a model; got {type(model).__name__}")
    ensure_built(model, document["build_shape"])
    return model


def ensure_built(model, shape):
    """Give a model its weights, for inputs of `shape` as JSON holds it; one with its own `call` is called on zeros."""
    if model.built or not shape:
        return
    model._build(_as_shapes(shape))
    if any(not layer.built for layer in model.sublayers):
        model(_zeros(shape, model.dtype))


def _is_one(shape):
    """Whether this is one shape, and not those of several inputs."""
    return isinstance(shape, (list, tuple)) and all(n is None or isinstance(n, int) for n in shape)


def _as_shapes(shape):
    if isinstance(shape, dict):
        return {key: _as_shapes(value) for key, value in shape.items()}
    return tuple(shape) if _is_one(shape) else [_as_shapes(value) for value in shape]


def _zeros(shape, dtype):
    """One sample of zeros for each input."""
    if isinstance(shape, dict):
        return {key: _zeros(value, dtype) for key, value in shape.items()}
    return asarray(np.zeros((1, *shape[1:]), dtype)) if _is_one(shape) else [_zeros(value, dtype) for value in shape]


def save_weights(model, filepath, overwrite=True):
    """Write the weights alone, under their paths: "weights/dense/kernel"."""
    if not model.weights:
        raise ValueError(f"save_weights: there are no weights; call '{model.name}' on data first")
    write_file(filepath, _weights_of(model), {"kind": "weights"}, overwrite)


def load_weights(model, filepath, skip_mismatch=False):
    """Set the weights from a file of `save_weights` or `model.save`; all or none, or those that fit."""
    if not hasattr(model, "build_shape"):
        raise TypeError(f"load_weights: model must be a Model; got {model!r}")
    tensors, _ = read_file(filepath)
    if not model.weights:
        raise ValueError(f"load_weights: the model must be built first; call '{model.name}' on data")
    if skip_mismatch:
        tensors = _those_that_fit(model, tensors, filepath)
    _assign_weights(model, tensors, filepath)


def _weights_of(model):
    return {WEIGHTS + path: np.ascontiguousarray(variable.numpy()) for path, variable in named_weights(model)}


def _slots_of(model):
    paths = {id(variable): path for path, variable in named_weights(model)}
    optimizer = model.optimizer
    if optimizer.calls and not any(id(variable) in paths for variable in optimizer.parameters):
        optimizer = copy.deepcopy(optimizer)       # its steps were another model's: the slots it would begin with
        optimizer.build(model.trainable_weights or model.weights)
    return {f"{OPTIMIZER}{name}/{paths[id(variable)]}": np.ascontiguousarray(slot.numpy())
            for name, slots in optimizer.slots.items()
            for variable, slot in zip(optimizer.parameters, slots, strict=True) if id(variable) in paths}


def noise_of(model):
    """The position of each random stream inside, by the layer's path."""
    return {path: random.generator_state(layer.generator) for path, layer in _noisy(model) if layer.generator}


def checked_noise(model, states):
    """A generator for each path of `noise_of`; ValueError, and no change, where one is not such a state."""
    schema.check(states, "noise", schema.DICTIONARY)
    surplus = sorted(states.keys() - {path for path, _ in _noisy(model)})
    if surplus:
        raise ValueError(f"noise must have paths of layers with noise; got {', '.join(map(repr, surplus))}")
    return {path: random.generator_at(state, f"noise.{path}") for path, state in states.items()}


def assign_noise(model, generators):
    """Let the layers' random streams go on from `checked_noise`; one without an entry starts when it is first used."""
    for path, layer in _noisy(model):
        if path in generators:
            layer.generator = generators[path]


def _noisy(layer, prefix=""):
    """(path, layer) for each layer inside that has a random stream of its own."""
    for inner in layer.sublayers:
        path = f"{prefix}{inner.name}"
        if hasattr(inner, "generator"):
            yield path, inner
        if isinstance(inner, Layer):
            yield from _noisy(inner, f"{path}/")


def check_weights(model, tensors, filepath):
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


def _weights_in(tensors):
    """{path: value} of the weights in a file."""
    given = {name.removeprefix(WEIGHTS): value for name, value in tensors.items() if name.startswith(WEIGHTS)}
    return given or tensors                # a file of another program's making names weights without our prefix


def _those_that_fit(model, tensors, filepath):
    """The file's weights of the model's names and shapes, and the model's own in place of the rest; warns of these."""
    given, own = _weights_in(tensors), {path: variable.numpy() for path, variable in named_weights(model)}
    skipped = [path for path in sorted(own.keys() | given.keys())
               if path not in own or path not in given or own[path].shape != given[path].shape]
    if skipped:
        warnings.warn(f"load_weights: '{filepath}' differs from the model; skipped {', '.join(skipped)}", stacklevel=4)
    return {**own, **{path: value for path, value in given.items() if path not in skipped}}


def _assign_weights(model, tensors, filepath):
    given = check_weights(model, tensors, filepath)
    for path, variable in named_weights(model):
        variable.assign(np.asarray(given[path], variable.dtype))


def check_slots(model, tensors, calls, filepath, op="load_model"):
    """Raise ValueError where the file does not have the slots of the model's optimizer for some of the weights."""
    shapes = {path: variable.shape for path, variable in named_weights(model)}
    found = _slots_in(tensors)
    slotted = {path for _, path in found}
    optimizer = model.optimizer
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


def _slots_in(tensors):
    """(name, path) of each slot in a file."""
    found = [name.removeprefix(OPTIMIZER).partition("/") for name in tensors if name.startswith(OPTIMIZER)]
    return [(name, path) for name, _, path in found]


def _assign_slots(model, tensors, calls):
    """Put the optimizer where `check_slots` has looked."""
    optimizer = model.optimizer
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


# -- files ------------------------------------------------------------------------------------------------------------
def write_file(filepath, tensors, metadata, overwrite=True):
    """Write named arrays and a dictionary of strings; the file appears complete or not at all."""
    from safetensors.numpy import save

    arguments.check_value("save", "filepath", filepath)
    path = os.fspath(filepath)
    if os.path.exists(path) and not os.path.isfile(path):
        raise ValueError(f"save: '{path}' must be the name of a file; it is a folder or a device")
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"save: '{path}' exists; allow it to be replaced with overwrite=True")
    content = save(tensors, {"format": FORMAT, "version": str(VERSION), **metadata})
    write_bytes(path, content)


def write_bytes(path, content):
    """Write a file under a temporary name beside it, flush it to the disk, and rename it; a link stays one."""
    path = os.path.realpath(path)
    folder = os.path.dirname(path)
    handle, temporary = tempfile.mkstemp(prefix=f".{os.path.basename(path)}.", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    _sync_folder(folder)


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder):
    """Make the rename itself durable, where folders can be flushed."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class _DuplicateKey(ValueError):
    """A header that names something twice."""


def _refuse_duplicates(path):
    """The safetensors library lets the last of two tensors of one name win; a file that has them was tampered with."""
    def unique(pairs):
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            raise _DuplicateKey(f"duplicate key {next(name for name in names if names.count(name) > 1)!r}")
        return dict(pairs)

    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        json.loads(file.read(size), object_pairs_hook=unique)


def read_file(filepath):
    """(named arrays, metadata) of a file; ValueError where it is damaged or not one of ours."""
    from safetensors import SafetensorError, safe_open

    arguments.check_value("load", "filepath", filepath)
    path = os.fspath(filepath)
    if not os.path.exists(path):
        raise FileNotFoundError(f"load: there is no file '{path}'")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
        _refuse_duplicates(path)
    except MemoryError as error:
        raise MemoryError(f"load: cannot allocate the {os.path.getsize(path)} bytes of '{path}'; {error}") from None
    except (SafetensorError, OSError, TypeError, AttributeError, KeyError, _DuplicateKey) as error:
        raise ValueError(f"load: '{path}' is not a readable safetensors file: damaged, truncated or of another kind; "
                         f"{error}") from None
    version = metadata.get("version", "0")
    if metadata.get("format") == FORMAT and (not version.isdigit() or int(version) > VERSION):
        raise ValueError(f"load: '{path}' has version {version} of the format, this program knows up to {VERSION}")
    return tensors, metadata
