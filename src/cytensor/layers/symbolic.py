"""A layer called on symbolic tensors: it is built for their shapes, and a node of a graph comes of the call.

base.py imports this for layers, models the rest.
"""
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from cytensor import nested
from cytensor.layers import building
from cytensor.layers.building import shape_of
from cytensor.symbolic.nodes import Node, is_symbolic, symbolic_in
from cytensor.symbolic.shapes import outputs_of
from cytensor.symbolic.tensors import KerasTensor
from cytensor.types import Nested, Shapes

if TYPE_CHECKING:
    from cytensor.layers.base import Layer

T = TypeVar("T")


class computed(Generic[T]):
    """A property that an attribute set on the object hides: layers of the user's own may call one of theirs `output`.
    """

    getter: Callable[[Any], T]

    def __init__(self, getter: Callable[[Any], T]) -> None:
        self.getter, self.__doc__ = getter, getter.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> "computed[T]": ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> "computed[T] | T":
        return self if instance is None else self.getter(instance)


def called(layer: "Layer", x: Nested, args: tuple[Any, ...], kwargs: dict[str, Any], training: bool | None) -> Nested:
    """What a layer gives for symbolic tensors: KerasTensors, behind a new node."""
    _require_tensors(layer, x)
    if not layer._nodes:
        layer._take_number()
    if training is not None and layer._takes_training:
        kwargs = {**kwargs, "training": training}
    try:
        outputs = layer._symbolic_output(x, args, kwargs)
    except Exception as error:
        layer._explain(error, x)
        raise
    tensors = nested.flatten(outputs)
    given = [tensor for tensor in tensors if tensor.node is not None]
    if given:                              # a layer that gives back its input: a tensor comes of one call alone
        outputs = nested.pack_like(outputs, [KerasTensor(tensor.shape, tensor.dtype) for tensor in tensors])
    Node(layer, (x, *args), kwargs, outputs)
    return outputs


def _require_tensors(layer: "Layer", x: Nested) -> None:
    """Raise where a layer that takes one tensor is given several, in the words of a call on data."""
    if not layer.takes_several and not isinstance(x, KerasTensor) and isinstance(x, (list, tuple, dict)):
        raise ValueError(f"{type(layer).__name__}: one tensor is expected; got a {type(x).__name__} of {len(x)}; "
                         f"stack makes one tensor of several")


def output_of(layer: "Layer", x: Nested, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Nested:
    """The output of a layer for symbolic tensors: by its `compute_output_shape`, or else by calling it on zeros."""
    from cytensor.layers.base import Layer

    foreseen = type(layer).compute_output_shape is not Layer.compute_output_shape
    if not foreseen or args or not kwargs.keys() <= {"training"} or not _is_whole(x):
        return tried(layer, x, args, kwargs)
    shape = shape_of(x)
    is_other = layer.built and layer.build_shape is not None and building.with_open_batch(shape) != layer.build_shape
    if not layer.built:
        layer._build_for(x)
    if is_other and is_symbolic(x):        # what was built for another shape need not take this one
        return tried(layer, x, args, kwargs)
    return _as_tensors(layer.compute_output_shape(shape), layer._output_dtype(x))


def _is_whole(x: Nested) -> bool:
    return all(type(leaf) is KerasTensor for leaf in nested.flatten(x))


def tried(layer: "Layer", x: Nested, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Nested:
    """The output of a layer for symbolic tensors, by calling it on zeros."""
    if not layer.built and type(layer).build.__qualname__ != "Layer.build":
        layer._build_for(x)
    def call(*args: Any, **kwargs: Any) -> Any:
        return layer._on_zeros(*args, **{"training": False, **kwargs})
    outputs = outputs_of(layer.name, call, (x, *args), {key: value for key, value in kwargs.items()
                                                        if key != "training"})
    for inner in layer.flattened():        # what was computed of zeros is no loss
        inner._added_losses = []
    return outputs


def _as_tensors(shape: Shapes, dtype: Any) -> Nested:
    if building.is_shape(shape):
        return KerasTensor(tuple(shape), dtype)
    if isinstance(shape, dict):
        return {key: _as_tensors(part, dtype) for key, part in shape.items()}
    return [_as_tensors(part, dtype) for part in shape]


def dtype_of(x: Nested) -> Any:
    """The dtype of the first symbolic tensor in x."""
    return next(symbolic_in(x)).dtype


def first_node(layer: "Layer", what: str) -> Node:
    """The first call of a layer on symbolic tensors; AttributeError where there was none."""
    if not layer._nodes:
        raise AttributeError(f"layer '{layer.name}' has no {what} yet: it has not been called on a symbolic tensor, as "
                             f"Input gives it; a layer has `input_shape` and `compute_output_shape`, too")
    return layer._nodes[0]
