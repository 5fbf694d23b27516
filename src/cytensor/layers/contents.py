"""Owner: what a layer has inside, variables and layers, and their values. What a layer does is in base.py."""
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cytensor import registry
from cytensor.halves import in_numpy
from cytensor.layers.naming import named_weights, unique
from cytensor.tensor import Variable
from cytensor.types import Array, ArrayLike

if TYPE_CHECKING:
    from cytensor.layers.base import Layer

# Types whose values hold neither variables nor layers. Others are added as they are met: a training step asks for the
# weights of a model every time, and isinstance for every attribute would be most of that.
_PLAIN = {str, int, float, bool, type(None), np.dtype}


class Owner(registry.Configurable):
    """What has variables and layers as attributes, or in lists and dictionaries: every Layer, which makes the state."""
    # Attributes of a class that own nothing: what they hold is owned elsewhere. A subclass adds its own.
    _bookkeeping: frozenset[str]
    name: str
    built: bool                   # whether it has its weights
    _trainable: bool
    _settings: dict[str, Any]     # what was set after construction, and is saved
    _weights: list[Variable]      # made by add_weight

    def _inside(self) -> list["Variable | Layer"]:
        """The variables and layers kept as attributes, or in lists and dictionaries, in order."""
        found: list[Variable | Layer] = []
        bookkeeping = self._bookkeeping
        for key, value in vars(self).items():
            if type(value) not in _PLAIN and key not in bookkeeping:
                _gather(value, found)
        return found

    @property
    def sublayers(self) -> list["Layer"]:
        """The layers kept as attributes, or in lists and dictionaries, of this one; each once."""
        return unique(self._layers_among(self._inside()))

    def _layers_among(self, inside: list["Variable | Layer"]) -> list["Layer"]:
        return [item for item in inside if not isinstance(item, Variable)]

    @property
    def own_weights(self) -> list[Variable]:
        """The layer's variables without those of its sublayers, the trainable ones first."""
        found = unique([*self._weights, *[item for item in self._inside() if isinstance(item, Variable)]])
        return [item for item in found if item.trainable] + [item for item in found if not item.trainable]

    @property
    def weights(self) -> list[Variable]:
        """Every variable: the layer's own, then its sublayers' in order."""
        return unique(weight for layer in self.flattened() for weight in layer.own_weights)

    variables = weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes; none where `trainable` is False."""
        found: list[Variable] = []
        seen: set[int] = set()
        left: list[Any] = [self]
        while left:
            layer = left.pop()
            if layer._trainable and id(layer) not in seen:
                seen.add(id(layer))
                inside = layer._inside()
                found += layer._weights
                found += [item for item in inside if isinstance(item, Variable)]
                left += reversed(layer._layers_among(inside))
        return [variable for variable in unique(found) if variable.trainable]

    trainable_variables = trainable_weights

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        trainable = set(map(id, self.trainable_weights))
        return [variable for variable in self.weights if id(variable) not in trainable]

    non_trainable_variables = non_trainable_weights

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it sets the sublayers too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self.flattened():
            layer._trainable = layer._settings["trainable"] = bool(value)

    def flattened(self) -> list["Layer"]:
        """This layer and every layer inside it, each once."""
        found: dict[int, Layer] = {}
        left: list[Any] = [self]
        while left:
            layer = left.pop()
            if id(layer) not in found:
                found[id(layer)] = layer
                left += reversed(layer.sublayers)
        return list(found.values())

    # -- values --------------------------------------------------------------------------------------------------------
    def count_params(self) -> int:
        """The number of elements of all weights."""
        if not self.built and not self.weights:
            raise ValueError(f"count_params: the layer must be built; call layer '{self.name}' on data first")
        return sum(variable.size for variable in self.weights)

    def get_weights(self) -> list[Array]:
        """Copies of the weights, as a list of NumPy arrays."""
        return [np.array(variable.numpy()) for variable in self.weights]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Take the values of `weights`, arrays in the order of `weights`. All or none: checked before any is set."""
        if not isinstance(weights, (list, tuple)):
            raise TypeError(f"set_weights: a list of arrays is expected; got {type(weights).__name__}")
        named = named_weights(self)
        values = [np.asarray(value) for value in weights]
        if len(values) != len(named):
            hint = "" if self.built else "; call the layer on data first, so that it has its weights"
            raise ValueError(f"set_weights: one array for each weight; layer '{self.name}' has {len(named)}, "
                             f"got {len(values)}{hint}")
        for (path, variable), value in zip(named, values, strict=True):
            if variable.shape != value.shape:
                raise ValueError(f"set_weights: shapes must be equal; layer '{self.name}', weight '{path}' is "
                                 f"{variable.shape}, got {value.shape}")
        for (_, variable), value in zip(named, values, strict=True):
            variable.assign(np.asarray(value, in_numpy(variable.dtype)))


def _gather(value: object, found: list[Any]) -> None:
    """Append the variables and layers in an attribute's value."""
    if isinstance(value, (Variable, Owner)):
        found.append(value)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _gather(item, found)
    elif isinstance(value, dict):
        for item in value.values():
            _gather(item, found)
    else:
        _PLAIN.add(type(value))
