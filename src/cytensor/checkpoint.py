"""Checkpoints: everything that training needs to go on as if it had never stopped.

A checkpoint is a safetensors file with weights, optimizer slots, the averages of metrics, and as JSON the step, the
epoch, the order of the samples, the state of every random stream and of the callbacks. Interrupted and resumed training
gives the same bits as training that was not interrupted, wherever in an epoch it stopped.
"""
import json
import os

import numpy as np

from cytensor import random, saving
from cytensor.layers.base import Layer

__all__ = ["load_checkpoint", "save_checkpoint"]

FIELDS = ("build_shape", "optimizer_calls", "learning_rate", "random", "noise", "progress")
PROGRESS = ("epoch", "batch", "logs", "seen", "metrics", "shuffle", "read", "stopped", "callbacks")     # of `fit`


def save_checkpoint(filepath, model, progress):
    """Write the state of a model in training. progress: a dictionary of numbers, strings, lists and arrays."""
    optimizer = model.optimizer
    tensors = {**saving._weights_of(model), **saving._slots_of(model)}
    document = {
        "build_shape": model.build_shape,
        "optimizer_calls": optimizer.calls,
        "learning_rate": None if callable(optimizer._learning_rate) else float(optimizer.learning_rate),
        "random": random.get_state(),
        "noise": {path: random.generator_state(layer.generator) for path, layer in _noisy(model) if layer.generator},
        "progress": _without_arrays(progress, tensors, "progress"),
    }
    saving.write_file(filepath, tensors, {"kind": "checkpoint", "document": json.dumps(document)})


def load_checkpoint(filepath, model, needed=()):
    """Put a compiled model where `save_checkpoint` was called; returns the `progress` given to it.

    needed: what `progress` must have. ValueError where the file lacks that or a part of its own, before the model
    changes.
    """
    tensors, metadata = saving.read_file(filepath)
    if metadata.get("kind") != "checkpoint":
        raise ValueError(f"load_checkpoint: '{filepath}' must be a checkpoint; it is of kind {metadata.get('kind')}")
    document = _read_document(filepath, metadata)
    _require_fields(filepath, document["progress"], needed, "progress.")
    progress = _with_arrays(document["progress"], tensors, filepath)
    saving.ensure_built(model, document["build_shape"])
    extra = {name: value for name, value in tensors.items() if name.startswith("progress/")}
    saving._assign_weights(model, {name: value for name, value in tensors.items() if name not in extra}, filepath)
    saving._assign_slots(model, tensors, document["optimizer_calls"], filepath)
    if document["learning_rate"] is not None:
        model.optimizer.learning_rate = document["learning_rate"]
    random.set_state(document["random"])
    for path, layer in _noisy(model):
        if path in document["noise"]:
            layer.generator = random.generator(0, "noise", 0)
            random.set_generator_state(layer.generator, document["noise"][path])
    return progress


def _read_document(filepath, metadata):
    """The JSON part of a checkpoint, with all its fields."""
    _require_fields(filepath, metadata, ("document",))
    try:
        document = json.loads(metadata["document"])
    except ValueError as error:
        raise ValueError(f"load_checkpoint: the document of '{filepath}' must be JSON; {error}") from None
    _require_fields(filepath, document, FIELDS)
    _require_fields(filepath, document["random"], ("seed", "counts", "generator"), "random.")
    return document


def _require_fields(filepath, fields, names, prefix=""):
    """Raise ValueError, naming the file and what is missing, where `fields` lacks some of `names`."""
    missing = [prefix + name for name in names if not isinstance(fields, dict) or name not in fields]
    if missing:
        raise ValueError(f"load_checkpoint: '{filepath}' must have every field of a checkpoint; "
                         f"missing {', '.join(missing)}")


class Resume:
    """What `fit(resume=path)` does: go on from the file where it exists, and write it after every epoch.

    every: write it also after so many batches, counted over all epochs; or "epoch".
    """

    def __init__(self, filepath, model, batches, callbacks, every="epoch"):
        self.filepath, self.model, self.batches = os.fspath(filepath), model, batches
        self.callbacks, self.every = callbacks, every
        self.seen = 0                  # batches of all epochs
        self.within = False            # whether the file is of the middle of the epoch that comes next

    def start(self, first):
        """The epoch to begin with: `first`, or the one that the file has not seen the end of."""
        if not os.path.exists(self.filepath):
            return first
        progress = self._load()
        self.within = progress["batch"] > 0
        if progress["read"]:
            self.batches.skip(progress["read"])
        return progress["epoch"] + 1

    def enter(self):
        """(batches already done, their logs) of an epoch that has just begun.

        In the middle of an epoch the hooks of its beginning have run a second time; what they changed is put back.
        """
        if not self.within:
            return 0, {}
        self.within = False
        progress = self._load()
        for metric, state in zip(self.model.metrics, progress["metrics"], strict=True):
            metric.set_state(state)
        return progress["batch"], progress["logs"]

    def _load(self):
        """Put model, data and callbacks where the file was written; returns its `progress`."""
        progress = load_checkpoint(self.filepath, self.model, PROGRESS)
        if len(progress["callbacks"]) != len(self.callbacks):
            raise ValueError(f"fit: resume needs the callbacks of the first run; '{self.filepath}' has "
                             f"{len(progress['callbacks'])}, got {len(self.callbacks)}")
        if progress["shuffle"] is not None:
            self.batches.key = tuple(progress["shuffle"])
        for callback, state in zip(self.callbacks, progress["callbacks"], strict=True):
            callback.set_state(state)
        self.model.stop_training, self.seen = progress["stopped"], progress["seen"]
        return progress

    def after_batch(self, epoch, done, logs):
        """Count a batch, the `done`-th of its epoch, and write the file where it is due."""
        self.seen += 1
        if self.every != "epoch" and self.seen % self.every == 0:
            self.save(epoch - 1, done, logs)

    def save(self, epoch, batch=0, logs=None):
        """Write the file: `epoch` is done, and `batch` batches of the next. The old file stays until then."""
        save_checkpoint(self.filepath, self.model, {
            "epoch": epoch, "batch": batch, "logs": logs or {}, "seen": self.seen,
            "metrics": [metric.get_state() for metric in self.model.metrics],
            "shuffle": getattr(self.batches, "key", None), "read": self.batches.read,
            "stopped": self.model.stop_training,
            "callbacks": [callback.get_state() for callback in self.callbacks],
        })


def _noisy(layer, prefix=""):
    """(path, layer) for each layer inside that has a random stream of its own."""
    for inner in layer.sublayers:
        path = f"{prefix}{inner.name}"
        if hasattr(inner, "generator"):
            yield path, inner
        if isinstance(inner, Layer):
            yield from _noisy(inner, f"{path}/")


def _without_arrays(value, tensors, path):
    """`value` with every array moved into `tensors` and its name left in its place."""
    if isinstance(value, np.ndarray):
        tensors[path] = np.ascontiguousarray(value).reshape(value.shape)
        return {"tensor": path}
    if isinstance(value, dict):
        return {key: _without_arrays(item, tensors, f"{path}/{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_arrays(item, tensors, f"{path}/{i}") for i, item in enumerate(value)]
    return value


def _with_arrays(value, tensors, filepath):
    """What `_without_arrays` was given, or ValueError where the file lacks an array."""
    if isinstance(value, dict):
        if set(value) == {"tensor"}:
            _require_fields(filepath, tensors, (value["tensor"],))
            return tensors[value["tensor"]]
        return {key: _with_arrays(item, tensors, filepath) for key, item in value.items()}
    return [_with_arrays(item, tensors, filepath) for item in value] if isinstance(value, list) else value
