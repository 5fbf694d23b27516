"""Checkpoints: everything that training needs to go on as if it had never stopped.

A checkpoint is a safetensors file with weights, optimizer slots, the averages of metrics, and as JSON the step, the
epoch, the order of the samples, the state of every random stream and of the callbacks. Interrupted and resumed training
gives the same bits as training that was not interrupted, wherever in an epoch it stopped.
"""
import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from cytensor import random
from cytensor.checks import schema
from cytensor.checks.arguments import TEXT
from cytensor.data.batches import ArrayBatches, IteratorBatches
from cytensor.optimizers.schedules import LearningRateSchedule
from cytensor.parallel import is_follower, of_first
from cytensor.saving import files
from cytensor.saving import models as saving
from cytensor.types import Array, Config, Logs, Path
from cytensor.user_warnings import warn

if TYPE_CHECKING:
    from cytensor.callbacks import Callback
    from cytensor.models import Model

__all__ = ["load_checkpoint", "save_checkpoint"]


def save_checkpoint(filepath: Path, model: "Model", progress: Config) -> None:
    """Write the state of a model in training. progress: a dictionary of numbers, strings, lists and arrays."""
    optimizer = saving.optimizer_of(model)
    tensors = {**saving._weights_of(model), **saving._slots_of(model)}
    document = {
        "build_shape": model.build_shape,
        "optimizer_calls": optimizer.calls,
        "learning_rate": None if callable(optimizer._learning_rate) else float(optimizer.learning_rate),
        "random": random.get_state(),
        "noise": saving.noise_of(model),
        "progress": _without_arrays(progress, tensors, "progress"),
    }
    files.write_file(filepath, tensors, {"kind": "checkpoint", "document": json.dumps(document)})


def load_checkpoint(filepath: Path, model: "Model", check: Callable[[Any], None] | None = None) -> Config:
    """Put a compiled model where `save_checkpoint` was called; returns the `progress` given to it.

    check: called with the `progress` first. ValueError, before anything changes, where the file is damaged or of
    another model, or where `check` raises one.
    """
    tensors, metadata = files.read_file(filepath)
    if metadata.get("kind") != "checkpoint":
        raise ValueError(f"load_checkpoint: '{filepath}' must be a checkpoint; it is of kind {metadata.get('kind')}")
    with schema.naming("load_checkpoint", filepath):
        document = _read_document(metadata)
        progress: Config = _with_arrays(document["progress"], tensors)
        if check is not None:
            check(progress)
        shape, calls, rate = document["build_shape"], document["optimizer_calls"], document["learning_rate"]
        if rate is not None and isinstance(saving.optimizer_of(model)._learning_rate, LearningRateSchedule):
            raise ValueError(f"learning_rate must be null, for the model's optimizer has a schedule; got {rate}")
        state = random.checked_state(document["random"])
        trial = saving.built_as(model, shape, tensors)
    weights = {name: value for name, value in tensors.items() if not name.startswith("progress/")}
    weights, noise = saving.as_written_now(trial, weights, document["noise"])
    saving.check_weights(trial, weights, filepath)
    saving.check_slots(trial, weights, calls, filepath, "load_checkpoint")
    with schema.naming("load_checkpoint", filepath):
        noise = saving.checked_noise(trial, noise)
    saving.ensure_built(model, shape)
    saving._assign_weights(model, weights, filepath)
    saving._assign_slots(model, weights, calls)
    if rate is not None:
        saving.optimizer_of(model).learning_rate = rate
    random.replace_state(state)
    saving.assign_noise(model, noise)
    return progress


def _read_document(metadata: dict[str, str]) -> Config:
    """The JSON part of a checkpoint, with all its fields; ValueError where it has not."""
    schema.check_fields(metadata, dict.fromkeys(("format", "version", "kind", "document"), TEXT), "metadata.")
    try:
        document: Config = schema.parse(metadata["document"])
    except ValueError as error:
        raise ValueError(f"document must be JSON; {error}") from None
    schema.check_fields(document, schema.DOCUMENT)
    return document


class Resume:
    """What `fit(resume=path)` does: go on from the file where it exists, and write it after every epoch.

    Callbacks go on where those of their class stood, the first where the first of it did; a warning names the others.

    every: write it also after so many batches, counted over all epochs; or "epoch".
    """

    filepath: str
    model: "Model"
    batches: ArrayBatches | IteratorBatches
    callbacks: "list[Callback]"
    every: int | str

    def __init__(self, filepath: Path, model: "Model", batches: ArrayBatches | IteratorBatches,
                 callbacks: "list[Callback]", every: int | str = "epoch") -> None:
        self.filepath, self.model, self.batches = os.fspath(filepath), model, batches
        self.callbacks, self.every = callbacks, every
        self.seen: int = 0             # batches of all epochs
        self.warned: bool = False      # that the callbacks differ
        self.within: bool = False      # whether the file is of the middle of the epoch that comes next

    def start(self, first: int) -> int:
        """The epoch to begin with: `first`, or the one that the file has not seen the end of."""
        self._check_writable()
        exists = os.path.exists(self.filepath)
        if not of_first(exists):
            return first
        if not exists:
            raise FileNotFoundError(f"fit: resume needs '{self.filepath}' to be there for every process; it is for the "
                                    f"first and not for this one")
        progress = self._load()
        self.within = progress["batch"] > 0
        if progress["read"] and isinstance(self.batches, IteratorBatches):
            self.batches.skip(progress["read"])
        return int(progress["epoch"]) + 1

    def _check_writable(self) -> None:
        """Raise now where the file could not be written after the first epoch."""
        if not is_follower():
            files.check_target(self.filepath)
        for callback in self.callbacks:
            try:
                json.dumps(_without_arrays(callback.get_state(), {}, ""))
            except TypeError as error:
                raise TypeError(f"fit: resume needs states that a file can hold; get_state of "
                                f"{type(callback).__name__} must return numbers, strings, lists and arrays by name; "
                                f"{error}") from None

    def enter(self) -> tuple[int, Logs]:
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

    def _load(self) -> Config:
        """Put model, data and callbacks where the file was written; returns its `progress`."""
        progress = load_checkpoint(self.filepath, self.model, self._check)
        if progress["shuffle"] is not None:
            seed, name, position = progress["shuffle"]
            self.batches.key = seed, name, position
            self.model._shuffling.take_over(self.batches.key)
        for callback, state in self._matched(progress)[0]:
            callback.set_state(state)
        self.model.stop_training, self.seen = progress["stopped"], progress["seen"]
        return progress

    def _check(self, progress: Any) -> None:
        """Raise ValueError where this fit cannot go on from `progress`."""
        schema.check_fields(progress, schema.PROGRESS, "progress.")
        if len(progress["kinds"]) != len(progress["callbacks"]):
            raise ValueError(f"progress.kinds must be one for each of the {len(progress['callbacks'])} "
                             f"progress.callbacks; got {len(progress['kinds'])}")
        matched, anew, unused = self._matched(progress)
        for callback, state in matched:
            place = next(i for i, one in enumerate(progress["callbacks"]) if one is state)
            callback.check_state(state, f"progress.callbacks[{place}] ({type(callback).__name__})")
        if (anew or unused) and not self.warned:
            self.warned = True
            warn(f"resume: the callbacks are not those of the first run; {', '.join(anew) or 'none'} "
                 f"start anew, and what the file knows of {', '.join(unused) or 'none'} is not used")
        if progress["batch"]:
            self._check_batch(progress)
        if progress["read"] > progress["seen"] + progress["epoch"] + 2:        # each epoch may have read one in vain
            raise ValueError(f"progress.read must be at most progress.seen, {progress['seen']}; got {progress['read']}")
        if progress["read"] and not isinstance(self.batches, IteratorBatches):
            raise ValueError(f"progress.read must be 0 for data that is not read on; got {progress['read']}")

    def _matched(self, progress: Config) -> "tuple[list[tuple[Callback, Config]], list[str], list[str]]":
        """[(callback, its state)] by kind and order; the kinds of the callbacks, and of the states, that are left."""
        left = list(zip(progress["kinds"], progress["callbacks"], strict=True))
        matched, anew = [], []
        for callback in self.callbacks:
            place = next((i for i, (kind, _) in enumerate(left) if kind == _kind(callback)), None)
            if place is not None:
                matched.append((callback, left.pop(place)[1]))
            elif callback.get_state():
                anew.append(_kind(callback))
        return matched, anew, [kind for kind, state in left if state]

    def _check_batch(self, progress: Config) -> None:
        """What a file of the middle of an epoch has besides."""
        metrics, steps = self.model.metrics, self.batches.steps
        if steps is not None and progress["batch"] > steps:
            raise ValueError(f"progress.batch must be at most the {steps} steps of an epoch; got {progress['batch']}")
        if len(progress["metrics"]) != len(metrics):
            raise ValueError(f"progress.metrics must have the state of the {len(metrics)} metrics of the model; "
                             f"got {len(progress['metrics'])}")
        for i, (metric, state) in enumerate(zip(metrics, progress["metrics"], strict=True)):
            metric.check_state(state, f"progress.metrics[{i}] ({metric.name})")

    def after_batch(self, epoch: int, done: int, logs: Logs) -> None:
        """Count a batch, the `done`-th of its epoch, and write the file where it is due."""
        self.seen += 1
        if self.every != "epoch" and self.seen % int(self.every) == 0:
            self.save(epoch - 1, done, logs)

    def save(self, epoch: int, batch: int = 0, logs: Logs | None = None) -> None:
        """Write the file: `epoch` is done, and `batch` batches of the next. The old file stays until then.

        Of several processes the first writes it: all have the same to write.
        """
        if is_follower():
            return
        save_checkpoint(self.filepath, self.model, {
            "epoch": epoch, "batch": batch, "logs": logs or {}, "seen": self.seen,
            "metrics": [metric.get_state() for metric in self.model.metrics],
            "shuffle": self.batches.key, "read": self.batches.read,
            "stopped": self.model.stop_training,
            "kinds": [_kind(callback) for callback in self.callbacks],
            "callbacks": [callback.get_state() for callback in self.callbacks],
        })


def _kind(callback: "Callback") -> str:
    return type(callback).__qualname__


def _without_arrays(value: Any, tensors: dict[str, Array], path: str) -> Any:
    """`value` with every array moved into `tensors` and its name left in its place."""
    if isinstance(value, np.ndarray):
        tensors[path] = np.asarray(value, order="C")
        return {"tensor": path}
    if isinstance(value, dict):
        return {key: _without_arrays(item, tensors, f"{path}/{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_arrays(item, tensors, f"{path}/{i}") for i, item in enumerate(value)]
    return value


def _with_arrays(value: Any, tensors: dict[str, Array]) -> Any:
    """What `_without_arrays` was given; ValueError where the file lacks an array."""
    if isinstance(value, dict):
        if set(value) == {"tensor"}:
            name = value["tensor"]
            schema.check(name, "the name of an array", TEXT)
            if name not in tensors:
                raise ValueError(f"it must have the array '{name}'")
            return tensors[name]
        return {key: _with_arrays(item, tensors) for key, item in value.items()}
    return [_with_arrays(item, tensors) for item in value] if isinstance(value, list) else value
