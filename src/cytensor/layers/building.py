"""`build`: whoever calls it and however often, a layer makes its weights once, and all of them or none.

Only base.py imports this for layers; models and files use the helpers for shapes.
"""
import functools
import inspect
import os
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from cytensor.checks import budget
from cytensor.checks.shapes import as_shape as as_shape
from cytensor.checks.shapes import is_shape as is_shape
from cytensor.halves import in_numpy
from cytensor.layers.naming import name_apart
from cytensor.tensor import asarray
from cytensor.types import Nested, Shapes

if TYPE_CHECKING:
    from cytensor.layers.base import Layer


_State: TypeAlias = tuple[dict[str, Any], dict[str, Any]]     # attributes, and copies of the lists and dictionaries


class _Builds(threading.local):
    """The builds within the outermost one, with what each layer was before: what a failure takes back."""

    def __init__(self) -> None:
        self.begun: list[tuple[Layer, _State]] = []


_builds = _Builds()
_lock = threading.RLock()              # two threads that call a new model at once build it once


def _renew_lock() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):    # the thread that held it does not exist in the child
    os.register_at_fork(after_in_child=_renew_lock)


def is_building(layer: "Layer") -> bool:
    """Whether this thread is inside the layer's `build`."""
    return layer._builder == threading.get_ident()


def once(build: Callable[..., None]) -> Callable[..., None]:
    """A layer's `build` as every caller meets it: the caller of a layer, the user, another layer's `build`.

    A built layer keeps its weights. A `build` that calls that of its base class is one build. Where it raises, nothing
    of it is left, neither in the layer nor in those that it has built.
    """
    needs_shape = build.__module__.startswith("cytensor.layers.") and build.__qualname__ != "Layer.build"
    takes_shape = "input_shape" in inspect.signature(build).parameters

    @functools.wraps(build)
    def build_once(self: "Layer", *args: Any, **kwargs: Any) -> None:
        if is_building(self):
            build(self, *args, **kwargs)
            return
        with _lock:
            if self.built:
                return
            if takes_shape:
                args, kwargs = _normalised(args, kwargs)
            shape = args[0] if args else kwargs.get("input_shape")
            if needs_shape and shape is None:
                raise ValueError(f"{type(self).__name__}: build needs the shape of the input; "
                                 f"e.g. layer.build((None, 784))")
            _run(self, build, args, kwargs)
            self.built, self.build_shape = True, with_open_batch(shape)

    vars(build_once)["builds_once"] = True
    return build_once


def _run(layer: "Layer", build: Callable[..., None], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Call `build`, name the layers inside before and after, and undo what it did where it fails."""
    begun = _builds.begun
    mark = len(begun)
    begun.append((layer, _state_of(layer)))
    layer._builder = threading.get_ident()
    try:
        name_apart(layer.sublayers)
        build(layer, *args, **kwargs)
        name_apart(layer.sublayers)
    except BaseException:
        for one, state in reversed(begun[mark:]):
            _restore(one, state)
        del begun[mark:]
        raise
    finally:
        layer._builder = None
        if mark == 0:
            begun.clear()


def _state_of(layer: "Layer") -> _State:
    """The attributes of a layer, and copies of those that are lists and dictionaries."""
    attributes = dict(vars(layer))
    return attributes, {name: value.copy() for name, value in attributes.items() if type(value) in (list, dict)}


def _restore(layer: "Layer", state: _State) -> None:
    attributes, contents = state
    vars(layer).clear()
    vars(layer).update(attributes)
    for name, content in contents.items():
        attributes[name].clear()
        (attributes[name].extend if type(content) is list else attributes[name].update)(content)


# -- shapes -----------------------------------------------------------------------------------------------------------
def as_shapes(shape: Shapes) -> Shapes:
    """A shape as a tuple; those of several inputs in a list or dictionary of such."""
    if isinstance(shape, dict):
        return {key: as_shapes(value) for key, value in shape.items()}
    if isinstance(shape, (list, tuple)) and any(isinstance(part, (list, tuple, dict)) for part in shape):
        return [as_shapes(part) for part in shape]
    return as_shape("build", shape, "input_shape")


def _normalised(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a `build` with its shape as `as_shapes` writes it."""
    if args and args[0] is not None:
        return (as_shapes(args[0]), *args[1:]), kwargs
    if kwargs.get("input_shape") is not None:
        return args, {**kwargs, "input_shape": as_shapes(kwargs["input_shape"])}
    return args, kwargs


def with_open_batch(shape: Shapes) -> Shapes:
    """A shape, or each of several, with None for the axis of samples."""
    if isinstance(shape, dict):
        return {key: with_open_batch(value) for key, value in shape.items()}
    if is_shape(shape):
        return (None, *shape[1:]) if shape else shape
    return [with_open_batch(part) for part in shape] if isinstance(shape, (list, tuple)) else shape


def shape_of(x: Nested, **batch: None) -> Shapes:
    """The shape of x, or those of several inputs in a structure like x; with batch=None, None for each batch axis."""
    if isinstance(x, (tuple, list)):
        return [shape_of(item, **batch) for item in x]
    if isinstance(x, dict):
        return {key: shape_of(item, **batch) for key, item in x.items()}
    shape = getattr(x, "shape", ())
    return (batch["batch"], *shape[1:]) if batch and shape else shape


def is_foreseen(compute_output_shape: Callable[..., Any]) -> bool:
    """Whether a layer's output shape is computed without calling the layer: those of the package that define it."""
    return compute_output_shape.__module__.startswith("cytensor.layers.") and (
        compute_output_shape.__qualname__ != "Layer.compute_output_shape")


def each_shape(shape: Shapes) -> list[Sequence[int | None]]:
    """The shapes in a structure of them, or the one that this is."""
    if isinstance(shape, dict):
        return [one for part in shape.values() for one in each_shape(part)]
    return [shape] if is_shape(shape) else [one for part in shape for one in each_shape(part)]


def zeros_of(what: str, shape: Shapes, dtype: np.dtype[Any]) -> Nested:
    """One sample of zeros of a shape, or of each of several; ValueError where a length but the first is not known."""
    if isinstance(shape, dict):
        return {key: zeros_of(what, value, dtype) for key, value in shape.items()}
    if not is_shape(shape):
        return [zeros_of(what, part, dtype) for part in shape]
    if None in shape[1:]:
        raise ValueError(f"{what} must know every axis but the first; got {shape}")
    budget.spend(what, shape[1:])
    return asarray(np.zeros((1, *shape[1:]), in_numpy(dtype)))
