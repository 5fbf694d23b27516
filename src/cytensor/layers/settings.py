"""What a layer's constructor was given, as attributes that may be set again: `dense.activation = None`.

A file tells how to make a layer by its constructor's arguments, so what is set later has to count as one of them.
"""
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from cytensor import constraints, regularizers
from cytensor.checks import arguments
from cytensor.registry import fresh
from cytensor.types import WeightConstraint, WeightRegularizer

if TYPE_CHECKING:
    from cytensor.layers.base import Layer

T_co = TypeVar("T_co", covariant=True)


class Setting(Generic[T_co]):
    """An attribute of the name of a constructor's argument: checked, converted and saved as that is.

    T_co: what the attribute holds, stated where it is declared: `units: Setting[int] = Setting(int, fixed=True)`.

    convert: makes of the argument what the attribute holds; it is given the layer first where `of_layer`. fixed:
    whether it decides what weights there are, so that it cannot be set once the layer is built. changed: is called with
    the layer and the attribute's value where it is set once the layer is built. There is no `__get__`, so reading is
    reading an attribute.
    """

    convert: Callable[..., T_co] | None
    fixed: bool
    changed: Callable[["Layer", Any], None] | None
    optional: bool
    of_layer: bool
    owner: str                             # the class, and the attribute's name
    name: str

    def __init__(self, convert: Callable[..., T_co] | None = None, *, fixed: bool = False,
                 changed: Callable[["Layer", Any], None] | None = None, optional: bool = False,
                 of_layer: bool = False) -> None:
        self.convert, self.fixed, self.changed, self.optional = convert, fixed, changed, optional
        self.of_layer = of_layer

    def __set_name__(self, owner: type, name: str) -> None:
        self.owner, self.name = owner.__name__, name

    if TYPE_CHECKING:                      # a reader of types would take the attribute for the Setting itself
        def __get__(self, layer: "Layer | None", owner: type | None = None) -> T_co: ...

    def __set__(self, layer: "Layer", value: Any) -> None:
        state = vars(layer)
        if self.name in state:
            if layer.built and self.fixed:
                raise ValueError(f"{self.owner}: {self.name} must be set before the layer is built, for its weights "
                                 f"depend on it; got {value!r} for layer '{layer.name}'")
            if value is not None or not self.optional:
                arguments.check_value(self.owner, self.name, value)
        value = fresh(value)
        result = value
        if self.convert is not None:
            result = self.convert(layer, value) if self.of_layer else self.convert(value)
        state[self.name] = result
        layer._settings[self.name] = value
        if layer.built and self.changed is not None:
            self.changed(layer, result)


def regularizes(weight: str) -> Callable[["Layer", Any], None]:
    """What `changed` does for the regularizer of the weight kept as the attribute `weight`."""
    def changed(layer: "Layer", regularizer: Any) -> None:
        variable = getattr(layer, weight, None)
        layer._regularizers = [pair for pair in layer._regularizers if pair[0] is not variable]
        if variable is not None and regularizer is not None:
            layer._regularizers.append((variable, regularizer))
    return changed


def constrains(weight: str) -> Callable[["Layer", Any], None]:
    """What `changed` does for the constraint of the weight kept as the attribute `weight`."""
    def changed(layer: "Layer", constraint: Any) -> None:
        variable = getattr(layer, weight, None)
        if variable is not None:
            variable.constraint = constraint
    return changed


def regularizer_of(weight: str) -> Setting[WeightRegularizer]:
    """The Setting of the regularizer of the weight kept as the attribute `weight`."""
    return Setting(regularizers.get, changed=regularizes(weight), optional=True)


def constraint_of(weight: str) -> Setting[WeightConstraint]:
    """The Setting of the constraint of the weight kept as the attribute `weight`."""
    return Setting(constraints.get, changed=constrains(weight), optional=True)
